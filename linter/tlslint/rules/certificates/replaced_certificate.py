"""A certificate is never served, because a later one of the same key type takes its place.

## What it finds
A host with two certificates of the same type of key (two RSA certificates, for example).

## Why it matters
The server keeps one certificate for each type of key, the last. The other was meant for somebody: often for other
names, which now get a certificate that does not have them.

## What clients see
The last certificate, for all names: `no alternative certificate subject name matches target host name '…'` for those
that it lacks.

## How to fix it
Give each name a host of its own, or have one certificate issued for all names. An RSA and an ECDSA certificate work
together.

## False alarms that it avoids
Certificates of different key types, and a directive that repeats the same file, are silent. With Apache an entry of a
host replaces the main server's at the same place of the list: what a host inherits beyond its own counts.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment
from tlslint.rules.served import file_span
from tlslint.rules.words import labels

rule = Rule(
    code="TLS321",
    name="replaced-certificate",
    severity=Severity.WARNING,
    summary="a certificate is never served, because a later one of the same key type takes its place",
    why="the server keeps one certificate for each type of key, the last",
    seen="no message at all: the server starts and serves the last one to everybody",
    sources=(
        "OpenSSL: SSL_CTX_use_certificate(3)",
        "nginx, ngx_http_ssl_module: ssl_certificate",
        "Apache HTTP Server, mod_ssl: SSLCertificateFile",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each certificate that another one of its host replaces."""
    seen: set[int] = set()
    served: dict[int, list[str]] = {}
    for setting in deployment.certificates.sets:
        last: dict[str, CertificatePair] = {}
        for pair in reversed(setting.known or ()):
            if pair.key_type is None or pair.bundle is None:
                continue
            winner = last.setdefault(pair.key_type, pair)
            if winner.bundle is not pair.bundle and id(pair.place.directive) not in seen:
                seen.add(id(pair.place.directive))
                served = served or {id(item.bundle): labels(item.endpoints) for item in deployment.certificates.served}
                yield _finding(pair, winner, served.get(id(winner.bundle), []))


def _finding(pair: CertificatePair, winner: CertificatePair, endpoints: list[str]) -> Finding:
    kind = (pair.key_type or "").upper()
    return rule.finding(
        f'"{pair.file}" is never served: "{winner.file}" has a key of the same type and comes later',
        file_span(pair),
        label=f"one {kind} certificate too many",
        help="give each name a host of its own, or have one certificate issued for all names",
        endpoints=endpoints,
        related=[Related(file_span(winner), "this one is served")],
    )
