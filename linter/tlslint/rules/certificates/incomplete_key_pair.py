"""A certificate has no key, or a key no certificate.

## What it finds
More certificates than keys in one host, which the server refuses, and more keys than certificates, of which it never
reads the last ones. Certificates and keys belong together by their order.

## Why it matters
With a certificate too many the server does not start. A key too many is usually one whose certificate was forgotten.

## What clients see
Connection refused, after the next restart. nginx says `no "ssl_certificate_key" is defined for certificate "…"`.
Apache says `AH02579: Init: Private key not found`, and `apache2 -t` nothing.

## How to fix it
Name one key for each certificate, in the same order.

## False alarms that it avoids
Inherited certificates and keys count. Apache may have the key in the certificate's file, and takes certificates and
keys that a host lacks from the main server, by their order. Where an include could not be
read, a missing key is not claimed.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment, VirtualHost
from tlslint.rules.served import also_named, file_span

rule = Rule(
    code="TLS319",
    name="incomplete-key-pair",
    severity=Severity.ERROR,
    summary="a certificate has no key, or a key no certificate",
    why="the server does not start with a certificate that has no key",
    seen='nginx does not start: no "ssl_certificate_key" is defined for certificate "…"',
    seen_apache="Apache does not start (apache2 -t says nothing): AH02579: Init: Private key not found",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_certificate_key",
        "Apache HTTP Server, mod_ssl: SSLCertificateFile, SSLCertificateKeyFile",
    ),
)
DIRECTIVES = {
    "nginx": ("ssl_certificate_key", ""),
    "apache": ("SSLCertificateKeyFile", ", and no key is in its file"),
}
WHY_SURPLUS = "its certificate was forgotten, or it stands in the wrong place"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each certificate without a key and each key without a certificate."""
    alone: dict[str, list[CertificatePair]] = {}
    for pair in deployment.certificates.loaded:
        if pair.file and _is_alone(pair) and not _is_command(pair) and not _may_be_elsewhere(deployment):
            alone.setdefault(pair.file, []).append(pair)
    for file, pairs in alone.items():
        name, more = DIRECTIVES[deployment.server]
        yield rule.finding(
            f'no "{name}" is defined for certificate "{file}"{more}',
            file_span(pairs[0]),
            label="no key goes with it",
            help=f"name the key with {name}, in the order of the certificates",
            related=also_named(pair.place for pair in pairs),
        )
    yield from _surplus(deployment.virtual_hosts)


def _is_alone(pair: CertificatePair) -> bool:
    """Whether nothing names a key, and (Apache) the certificate's own file, which was read, holds none."""
    inside = pair.key_place is pair.place and pair.key is not None and not pair.key.count and not pair.key.unsupported
    return pair.key_file is None or inside


def _is_command(pair: CertificatePair) -> bool:
    """Whether an OpenSSL command names the certificate: another one names its key."""
    return len(pair.place.directive.arguments) == 2


def _may_be_elsewhere(deployment: Deployment) -> bool:
    return bool(deployment.fragment) or not deployment.complete


def _surplus(hosts: list[VirtualHost]) -> Iterator[Finding]:
    seen: set[int] = set()
    for host in hosts:
        for place in host.tls.surplus_keys:
            if id(place.directive) not in seen and host.tls.certificates.known:
                seen.add(id(place.directive))
                yield rule.finding(
                    f'the key "{place.argument(-1)}" goes with no certificate: the server does not read it',
                    place.argument(-1).span,
                    severity=Severity.WARNING,
                    label="one key more than certificates",
                    why=WHY_SURPLUS,
                    seen="no message at all: the server starts without it",
                    help="name its certificate, or remove it",
                )
