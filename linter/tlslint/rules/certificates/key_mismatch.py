"""A private key does not belong to its certificate.

## What it finds
A certificate whose key is another one's. Where both are of the same type the server notices and refuses to start. Where
they are not (an RSA certificate with an EC key) nginx starts without a word, and the certificate is never used.

## Why it matters
A certificate without its key proves nothing: no handshake can use it.

## What clients see
Nothing, because the server does not start: `SSL_CTX_use_PrivateKey("…") failed (… key values mismatch)`. With a key of
another type nginx runs, and clients meet `handshake failure`. Apache notices that too, at its start and not with
`apache2 -t`: `AH02565: Certificate and private key … do not match`.

## How to fix it
Name the key with which the certificate was requested: certificate and key agree when `openssl x509 -pubkey -noout -in
cert.pem` and `openssl pkey -pubout -in key.pem` print the same.

## False alarms that it avoids
Several certificates and keys are matched as the server does: nginx goes by type, so that two pairs whose keys are
swapped work; Apache goes by their order. An encrypted or unreadable key is not judged. A file that begins with an
intermediate is chain-order.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment, Endpoint
from tlslint.rules.served import file_span, key_span
from tlslint.rules.upstreams import labels as upstream_labels
from tlslint.rules.words import labels

if TYPE_CHECKING:
    from tlslint.resolve.certificates import Mismatch

rule = Rule(
    code="TLS303",
    name="key-mismatch",
    severity=Severity.ERROR,
    summary="a private key does not belong to its certificate",
    why="a certificate without its key proves nothing: no handshake can use it",
    seen='nginx does not start: SSL_CTX_use_PrivateKey("…") failed (… key values mismatch)',
    seen_apache="Apache does not start (apache2 -t says nothing): AH02565: Certificate and private key … do not match",
    sources=("OpenSSL: SSL_CTX_use_PrivateKey(3)", "nginx, ngx_http_ssl_module: ssl_certificate_key"),
)
SEEN_DEAD = "the server starts; clients meet alert 40, handshake failure, unless another certificate serves them"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each certificate and key that do not belong together."""
    endpoints: dict[int, list[Endpoint]] | None = None
    for mismatch in deployment.certificates.mismatches():
        if endpoints is None:
            endpoints = {id(served.bundle): served.endpoints for served in deployment.certificates.served}
        if mismatch.refused and _has_leaf_later(mismatch.pair):
            continue
        yield _finding(mismatch, endpoints.get(id(mismatch.pair.bundle), []))
    yield from _for_upstreams(deployment)


def _for_upstreams(deployment: Deployment) -> Iterator[Finding]:
    """Yield the same for certificates that nginx shows to upstreams."""
    for upstream in deployment.upstreams:
        certificate, key, files = upstream.certificate, upstream.key, deployment.files
        if upstream.tls is False or key is None or not key.known or key.span is None or files is None:
            continue
        bundle = deployment.clients.bundle(certificate)
        if bundle is None or not bundle.certificates or "$" in key.known or certificate.span is None:
            continue
        # only where there is a certificate
        from tlslint.pki.bundle import KeyFacts, key_matches

        facts = files.private_key(files.resolve(key.known, deployment.base))
        if isinstance(facts, KeyFacts) and key_matches(bundle.certificates[0], facts) is False:
            yield rule.finding(
                f'the key in "{key.known}" is not that of the certificate in "{certificate.known}"',
                key.span,
                label="the server refuses this key",
                help="name the key with which the certificate was requested",
                endpoints=upstream_labels(upstream),
                related=[Related(certificate.span, f'the certificate of "{bundle.certificates[0].label}"')],
            )


def _has_leaf_later(pair: CertificatePair) -> bool:
    """Whether the key belongs to another certificate of the file: then the order is wrong, not the key."""
    digest = pair.key.public_key_sha256 if pair.key is not None else None
    certificates = pair.bundle.certificates[1:] if pair.bundle is not None else ()
    return any(certificate.public_key_sha256 == digest for certificate in certificates)


def _finding(mismatch: "Mismatch", endpoints: list[Endpoint]) -> Finding:
    pair = mismatch.pair
    key, leaf = pair.key, pair.leaf
    assert key is not None
    assert leaf is not None
    certificate = Related(file_span(pair), f'the certificate of "{leaf.label}"')
    if mismatch.refused:
        return rule.finding(
            f'the key in "{pair.key_file}" is not that of the certificate in "{pair.file}"',
            key_span(pair),
            label="the server refuses this key",
            help="name the key with which the certificate was requested",
            endpoints=labels(endpoints),
            related=[certificate],
        )
    return rule.finding(
        f'the key in "{pair.key_file}" is of type {_kind(key.key_type)}, the certificate in "{pair.file}" of type '
        f"{_kind(leaf.key_type)}: it is never used, and nothing says so",
        key_span(pair),
        label="goes with no certificate of this host",
        seen=SEEN_DEAD,
        help="name the key with which the certificate was requested",
        endpoints=labels(endpoints),
        related=[certificate],
    )


def _kind(key_type: str | None) -> str:
    return (key_type or "unknown").upper()
