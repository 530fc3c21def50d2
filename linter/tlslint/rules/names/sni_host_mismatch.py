"""Browsers use one HTTP/2 connection for several names of a certificate, and a host refuses the others' connections.

## What it finds
Hosts on a socket with HTTP/2 whose certificate is also served for other names of the same socket, and that refuse
requests over connections that were opened for those: with nginx hosts that verify client certificates, with Apache
hosts whose TLS settings differ.

## Why it matters
HTTP/2 lets a client send requests for any name that the certificate covers over a connection that it has already (RFC
9113, section 9.1.1). nginx answers 421 when the name of such a request is not the one of the handshake and the
request's host verifies clients, because the certificate was judged (or not asked for) by another host's settings.
Apache answers 421 when the two hosts differ in their protocols, their cipher list as it is written, their verification
of clients or their OpenSSL commands (since 2.4.66 `SSLVHostSNIPolicy` says in how much of that). Clients are expected
to try again on a connection of its own; some do not.

## What clients see
`421 Misdirected Request`, now and then, depending on which name was visited first.

## How to fix it
Give the host that verifies a certificate of its own that covers no other name of the socket, or an address of its own.
With Apache, write the settings that both hosts can share once, outside of the virtual hosts.

## False alarms that it avoids
It is advice. Sockets without HTTP/2, hosts alone on their socket (nginx then looks at no name), certificates that cover
only one of the names, patterns, and names that only other addresses have are silent.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.coverage import presented
from tlslint.rules.mutual import ASKING, asking
from tlslint.rules.words import negotiating

rule = Rule(
    code="TLS412",
    name="sni-host-mismatch",
    severity=Severity.INFO,
    summary="browsers share HTTP/2 connections between names, and a host that verifies clients refuses that",
    why="a request may come over a connection that was opened for another name of the certificate",
    seen="421 Misdirected Request, depending on which name was visited first",
    sources=(
        "RFC 9113, section 9.1.1",
        "RFC 9110, section 15.5.20",
        "nginx change log, 1.11.0",
        "Apache HTTP Server, SSLVHostSNIPolicy",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each host that refuses connections of other names, or each of its demands for client certificates."""
    asked = asking(deployment) if deployment.server == "nginx" else negotiating(deployment)
    sockets = {
        id(endpoint.listener)
        for endpoint in asked
        if "h2" in endpoint.handshake.alpn and len(endpoint.listener.virtual_hosts) > 1
    }
    find = _verifying if deployment.server == "nginx" else _differing
    for endpoints in _sharing(deployment, sockets) if sockets else ():
        yield from find(deployment, endpoints)


def _sharing(deployment: Deployment, sockets: set[int]) -> Iterator[list[Endpoint]]:
    """Yield the names of a socket that one certificate is served for and covers, where there are several."""
    # only where there is a socket of that kind
    from tlslint.pki.names import covers

    groups: dict[tuple[int, str], list[Endpoint]] = {}
    for endpoint, name, _, leaf in presented(deployment):
        is_here = id(endpoint.listener) in sockets and endpoint.name is name and name.kind == "exact"
        if is_here and "h2" in endpoint.handshake.alpn and covers(leaf, name.text):
            groups.setdefault((id(endpoint.listener), leaf.sha256), []).append(endpoint)
    return (endpoints for endpoints in groups.values() if len(endpoints) > 1)


def _verifying(deployment: Deployment, endpoints: list[Endpoint]) -> Iterator[Finding]:
    for endpoint in endpoints:
        setting = endpoint.virtual_host.tls.client_check
        other = next(item for item in endpoints if item is not endpoint)
        if setting.known in ASKING and setting.span is not None and other.name is not None:
            argument = other.name.argument
            yield rule.finding(
                _MESSAGE,
                setting.span,
                label="counts for connections of its own name only",
                help="give this host a certificate without the other names, or an address of its own",
                endpoints=[endpoint.label],
                related=[] if argument is None else [Related(argument.span, _ALIKE)],
            )


def _differing(deployment: Deployment, endpoints: list[Endpoint]) -> Iterator[Finding]:
    seen: set[int] = set()
    for endpoint in endpoints:
        host = endpoint.virtual_host
        if id(host) in seen:
            continue
        seen.add(id(host))
        for other in endpoints:
            what = deployment.misdirected(other.virtual_host, host, True)
            if what and other.name is not None and endpoint.name is not None and endpoint.name.argument is not None:
                argument = other.name.argument
                yield rule.finding(
                    _MESSAGE,
                    endpoint.name.argument.span,
                    label=f"{what} is not the same in both hosts",
                    help="let both hosts share the setting, or give this one a certificate without the other names",
                    endpoints=[endpoint.label],
                    related=[] if argument is None else [Related(argument.span, _ALIKE)],
                )
                break


_MESSAGE = (
    "requests for {endpoint} get 421 on an HTTP/2 connection that was opened for another name of the same certificate"
)
_ALIKE = "has the same certificate"
