"""A client certificate is asked for when the request is known, which current clients do not support.

## What it finds
Apache: `SSLVerifyClient` or `SSLCipherSuite` in a section for a part of a host (`<Location>`, `<Directory>`, `<If>` …)
that asks for another verification or other suites than the host itself.

## Why it matters
The path is known after the handshake. Over TLS 1.2 the connection is negotiated again, which HTTP/2 forbids. Over TLS
1.3 there is no negotiating again: the certificate is asked for by post-handshake authentication, which browsers do not
have and HTTP/2 forbids too, and suites stay as they are. Where the host has asked in the handshake already
(`optional`), Apache cannot ask a second time, and refuses even clients that have shown a good certificate.

## What clients see
`403 Forbidden` over TLS 1.3, and AH10158 in the log (`cannot perform post-handshake authentication`). Over TLS 1.2 and
HTTP/1.1 it works. A section that asks for less than its host changes nothing: the handshake fails before it counts.

## How to fix it
Ask in the handshake and decide in the section: `SSLVerifyClient optional` in the host and `Require ssl-verify-client`
in the section, which works with all versions. Or give that part of the host a name of its own.

## False alarms that it avoids
A section that asks for the same as its host is silent, and so is `Require ssl-verify-client`. Where the host speaks TLS
1.2 only, it is advice.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, DirectoryTls, Endpoint, Setting
from tlslint.rules.words import directive_of, labels, negotiating

rule = Rule(
    code="TLS506",
    name="client-certificate-per-location",
    severity=Severity.WARNING,
    summary="a client certificate is asked for after the handshake, when the path is known",
    why="over TLS 1.3 that takes post-handshake authentication, which browsers do not have and HTTP/2 forbids",
    seen="403 Forbidden over TLS 1.3; the log says AH10158: cannot perform post-handshake authentication",
    sources=(
        "RFC 8446, section 4.6.2",
        "RFC 8740",
        "RFC 9113, section 9.2.1",
        "Apache HTTP Server, SSLVerifyClient",
    ),
    servers=("apache",),
    fix=Safety.MANUAL,
)

TLS13 = "TLSv1.3"
_STRENGTH = {"none": 0, "optional_no_ca": 1, "optional": 1, "required": 2}
"""What the handshake asks for: in it both kinds of optional are one."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each section that asks for what only the handshake can have."""
    hosts: dict[int, list[Endpoint]] = {}
    for endpoint in negotiating(deployment):
        if endpoint.tls.directories and endpoint.answering is endpoint.virtual_host:
            hosts.setdefault(id(endpoint.virtual_host), []).append(endpoint)
    for endpoints in hosts.values():
        for part in endpoints[0].tls.directories:
            if not part.place.doubt:
                yield from _verification(endpoints, part)
                yield from _suites(endpoints, part)


def _with_tls13(endpoints: list[Endpoint]) -> list[Endpoint]:
    return [endpoint for endpoint in endpoints if TLS13 in endpoint.handshake.protocols]


def _verification(endpoints: list[Endpoint], part: DirectoryTls) -> Iterator[Finding]:
    inner, outer = part.verify_client, endpoints[0].tls.client_check
    if inner is None or inner.known is None or outer.known is None or inner.span is None:
        return
    section = part.place.directive.name
    asks, asked = _STRENGTH[inner.known], _STRENGTH[outer.known]
    related = [Related(outer.span, "what the host asks for")] if outer.span is not None else []
    if asks < asked and outer.known == "required":
        yield rule.finding(
            f"<{section}> asks for less than its host: clients without a certificate do not get to {{endpoint}} at all",
            inner.span,
            label="of no effect: the handshake comes first",
            help="let the host ask with SSLVerifyClient optional, and sections insist with Require ssl-verify-client",
            why="the stronger of the two counts, and the handshake is over before the section is looked at",
            seen="the handshake fails: alert certificate required, or handshake failure",
            endpoints=labels(endpoints),
            related=related,
        )
    elif asks > asked:
        yield from _late_request(endpoints, inner, asked > 0, section, related)


def _late_request(
    endpoints: list[Endpoint], inner: Setting[str], twice: bool, section: str, related: list[Related]
) -> Iterator[Finding]:
    current = _with_tls13(endpoints)
    assert inner.span is not None
    if not current:
        yield rule.finding(
            f"<{section}> asks for a client certificate after the handshake with {{endpoint}}",
            inner.span,
            severity=Severity.INFO,
            label="negotiates again",
            help=_HELP,
            why="the connection is negotiated again, which HTTP/2 and TLS 1.3 have no room for",
            seen="a second handshake on the same connection; over HTTP/2 the request is refused",
            endpoints=labels(endpoints),
            related=related,
            fix=_FIX,
        )
        return
    message = f"over TLS 1.3 <{section}> refuses every client of {{endpoint}}, also those that have shown a certificate"
    yield rule.finding(
        message
        if twice
        else f"over TLS 1.3 <{section}> refuses clients of {{endpoint}} that have no post-handshake authentication",
        inner.span,
        severity=Severity.ERROR if twice else None,
        label="asks a second time, which TLS 1.3 does not allow" if twice else "asks after the handshake",
        help=_HELP,
        endpoints=labels(current),
        related=related,
        fix=_FIX,
    )


def _suites(endpoints: list[Endpoint], part: DirectoryTls) -> Iterator[Finding]:
    inner, current = part.ciphers, _with_tls13(endpoints)
    if inner is None or inner.span is None or not current or inner.value == endpoints[0].tls.ciphers.value:
        return
    yield rule.finding(
        f"{directive_of(inner)} in <{part.place.directive.name}> has no effect over TLS 1.3 for {{endpoint}}",
        inner.span,
        label="TLS 1.3 has no renegotiation",
        help="set the suites of the host, or compare %{SSL_CIPHER} in Require expr",
        why="suites are agreed on in the handshake, before the path is known",
        seen="the request is answered on the connection as it is",
        endpoints=labels(current),
    )


_HELP = "let the host ask with SSLVerifyClient optional, and the section insist with Require ssl-verify-client"
_FIX = Fix(
    'ask in the handshake with "SSLVerifyClient optional", and decide here with "Require ssl-verify-client"',
    Safety.MANUAL,
)
