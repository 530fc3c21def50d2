"""HTTP/2 connections get a cipher suite that HTTP/2 forbids.

## What it finds
Endpoints that offer HTTP/2 and TLS 1.2 where a suite from the list of RFC 9113, appendix A, is chosen: the server's
order decides and puts it before every suite that HTTP/2 may use, or there is nothing else to choose.

## Why it matters
A client may treat such a suite as a connection error, and browsers do. Apache itself ends such a connection after it
has agreed on HTTP/2, unless `H2ModernTLSOnly off` is set.

## What clients see
ERR_HTTP2_INADEQUATE_TRANSPORT_SECURITY, NS_ERROR_NET_INADEQUATE_SECURITY. With Apache `curl: (52) Empty reply from
server`.

## How to fix it
Put ECDHE suites with AES-GCM or ChaCha20 first.

## False alarms that it avoids
Forbidden suites behind allowed ones: every HTTP/2 client has ECDHE-RSA-AES128-GCM-SHA256, so that they serve older
clients only. Lists from which the client chooses. Endpoints with TLS 1.3 only. Apache without mod_http2, without
`Protocols h2`, or with processes instead of threads (prefork), which has no HTTP/2 then.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Handshake
from tlslint.rules.suites import policy_list
from tlslint.rules.words import listed, span_of
from tlslint.tls.ciphers import KNOWN

rule = Rule(
    code="TLS807",
    name="http2-forbidden-cipher",
    severity=Severity.WARNING,
    summary="HTTP/2 connections get a cipher suite that HTTP/2 forbids",
    why="a client may close an HTTP/2 connection with such a suite, and browsers do",
    seen="ERR_HTTP2_INADEQUATE_TRANSPORT_SECURITY in Chrome, NS_ERROR_NET_INADEQUATE_SECURITY in Firefox",
    seen_apache="curl: (52) Empty reply from server; with H2ModernTLSOnly off the browser's error",
    sources=("RFC 9113, section 9.2.2 and appendix A", "Apache HTTP Server: mod_http2, H2ModernTLSOnly"),
    fix=Safety.SAFE,
)
LAST_LISTED = 0xC0AF
"""The list was closed with the suites that IANA had then; later ones are allowed."""
ALLOWED = frozenset(
    (
        *(0x9E, 0x9F, 0xA2, 0xA3, 0xAA, 0xAB, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xC052, 0xC053, 0xC056, 0xC057),
        *(0xC05C, 0xC05D, 0xC060, 0xC061, 0xC06C, 0xC06D, 0xC07C, 0xC07D, 0xC080, 0xC081, 0xC086, 0xC087),
        *(0xC08A, 0xC08B, 0xC090, 0xC091, 0xC09E, 0xC09F, 0xC0A2, 0xC0A3, 0xC0A6, 0xC0A7, 0xC0AA, 0xC0AB),
        *(0xC0AC, 0xC0AD, 0xC0AE, 0xC0AF),
    )
)
"""IANA's numbers of the suites up to `LAST_LISTED` that appendix A does not list: ephemeral keys and AEAD."""
MOST = 3


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield the cipher lists that give HTTP/2 clients a forbidden suite."""
    for handshake in deployment.offers():
        if "h2" not in handshake.alpn:
            continue
        chosen = _chosen(handshake)
        if chosen:
            more = f" and {len(chosen) - MOST} more" if len(chosen) > MOST else ""
            yield rule.finding(
                "HTTP/2 clients with TLS 1.2 get a suite that HTTP/2 forbids from {endpoint}",
                span_of(handshake.tls.ciphers, handshake.endpoints),
                label=f"{listed(chosen[:MOST]) if not more else ', '.join(chosen[:MOST])}{more}",
                help="put ECDHE suites with AES-GCM or ChaCha20 first",
                endpoints=handshake.labels,
                fix=policy_list(handshake.tls.ciphers, handshake.endpoints, policy),
            )


def is_forbidden(name: str) -> bool:
    """Whether HTTP/2 forbids a suite, by its OpenSSL name; an unknown one is taken to be allowed."""
    suite = KNOWN.get(name)
    return suite is not None and suite.id & 0xFFFF <= LAST_LISTED and suite.id & 0xFFFF not in ALLOWED


def _chosen(handshake: Handshake) -> list[str]:
    """Return the forbidden suites that an HTTP/2 client with all usual suites is given."""
    suites = handshake.ciphers.get("TLSv1.2", ())
    forbidden = [is_forbidden(name) for name in suites]
    if all(forbidden):
        return list(suites)
    return list(suites[: forbidden.index(False)]) if handshake.server_order else []
