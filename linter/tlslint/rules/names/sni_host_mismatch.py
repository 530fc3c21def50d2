"""Browsers use one HTTP/2 connection for several names of a certificate, and a host refuses the others' connections.

## What it finds
Hosts that verify client certificates, on a socket with HTTP/2, whose certificate is also served for other names of the
same socket.

## Why it matters
HTTP/2 lets a client send requests for any name that the certificate covers over a connection that it has already (RFC
9113, section 9.1.1). nginx answers 421 when the name of such a request is not the one of the handshake and the
request's host verifies clients, because the certificate was judged (or not asked for) by another host's settings.
Clients are expected to try again on a connection of its own; some do not.

## What clients see
`421 Misdirected Request`, now and then, depending on which name was visited first.

## How to fix it
Give the host that verifies a certificate of its own that covers no other name of the socket, or an address of its own.

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

rule = Rule(
    code="TLS412",
    name="sni-host-mismatch",
    severity=Severity.INFO,
    summary="browsers share HTTP/2 connections between names, and a host that verifies clients refuses that",
    why="a request may come over a connection that was opened for another name of the certificate",
    seen="421 Misdirected Request, depending on which name was visited first",
    sources=("RFC 9113, section 9.1.1", "RFC 9110, section 15.5.20", "nginx change log, 1.11.0"),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each demand for client certificates that meets connections of other names."""
    sockets = {
        id(endpoint.listener)
        for endpoint in asking(deployment)
        if "h2" in endpoint.handshake.alpn and len(endpoint.listener.virtual_hosts) > 1
    }
    groups: dict[tuple[int, str], list[Endpoint]] = {}
    if sockets:
        from tlslint.pki.names import covers

        for endpoint, name, _, leaf in presented(deployment):
            is_here = id(endpoint.listener) in sockets and endpoint.name is name and name.kind == "exact"
            if is_here and "h2" in endpoint.handshake.alpn and covers(leaf, name.text):
                groups.setdefault((id(endpoint.listener), leaf.sha256), []).append(endpoint)
    for endpoints in groups.values():
        for endpoint in endpoints if len(endpoints) > 1 else ():
            setting = endpoint.virtual_host.tls.client_check
            other = next(item for item in endpoints if item is not endpoint)
            if setting.known in ASKING and setting.span is not None and other.name is not None:
                argument = other.name.argument
                yield rule.finding(
                    "requests for {endpoint} get 421 on an HTTP/2 connection that was opened for another name "
                    "of the same certificate",
                    setting.span,
                    label="counts for connections of its own name only",
                    help="give this host a certificate without the other names, or an address of its own",
                    endpoints=[endpoint.label],
                    related=[] if argument is None else [Related(argument.span, "has the same certificate")],
                )
