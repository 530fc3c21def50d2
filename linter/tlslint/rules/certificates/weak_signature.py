"""A certificate is signed with a broken hash function, or one outside the policy.

## What it finds
A server certificate, or an intermediate that clients need, that its issuer signed with SHA-1, MD5 or MD2. A sound
signature of the server certificate that the policy does not list is mentioned.

## Why it matters
Colliding certificates have been made for both: the signature proves nothing any more.

## What clients see
curl: `(60) SSL certificate problem: CA signature digest algorithm too weak`. The server itself refuses such a
certificate at OpenSSL's usual security level: `SSL_CTX_use_certificate("…") failed (… ca md too weak)` (nginx),
`AH02562: Failed to configure certificate …` (Apache, and `apache2 -t` says nothing).

## How to fix it
Have the certificate issued again: no authority signs with SHA-1 today.

## False alarms that it avoids
A root's own signature is irrelevant, and so is that of a self-signed certificate: nobody verifies trust by it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, described, elsewhere, file_span, named, sent_on_the_way

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.chain import Chain
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS312",
    name="weak-signature",
    severity=Severity.ERROR,
    summary="a certificate is signed with a broken hash function, or one outside the policy",
    why="colliding certificates have been made for SHA-1 and MD5: the signature proves nothing",
    seen='nginx does not start: SSL_CTX_use_certificate("…") failed (… ca md too weak)',
    seen_apache="Apache does not start (apache2 -t says nothing): AH02562 … (ca md too weak)",
    sources=("RFC 9155", "RFC 6151", "CA/Browser Forum Baseline Requirements, 7.1.3.2", "Mozilla/TLSRef guidelines"),
)
BROKEN = frozenset(("md2", "md5", "sha1"))
WHY_OMITTED = "the signature is sound; the policy lists others"
SEEN_OMITTED = "nobody gets an error; audits against the policy report it"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each badly signed certificate of each served file."""
    for served, chain in chains(deployment):
        for certificate in sent_on_the_way(chain):
            if certificate.self_signed:
                continue
            name = certificate.signature_algorithm
            if certificate.signature_hash in BROKEN or name.startswith("md2"):
                yield rule.finding(
                    _message(served, chain, certificate),
                    file_span(served.pairs[0]),
                    label=f"{(certificate.signature_hash or 'md2').upper()} is broken",
                    help="have it issued again, with SHA-256 or better",
                    endpoints=served.labels,
                    related=elsewhere(served),
                )
            elif (
                certificate == chain.leaf
                and policy.certificate_signatures is not None
                and name not in policy.certificate_signatures
            ):
                yield rule.finding(
                    _message(served, chain, certificate),
                    file_span(served.pairs[0]),
                    severity=Severity.INFO,
                    label=f'not in policy "{policy.name}"',
                    why=WHY_OMITTED,
                    seen=SEEN_OMITTED,
                    source=policy.source_of("certificate_signatures"),
                    help="nothing is wrong; the authority decides how it signs",
                    endpoints=served.labels,
                    related=elsewhere(served),
                )


def _message(served: "Served", chain: "Chain", certificate: "Certificate") -> str:
    algorithm = certificate.signature_algorithm
    return f"{described(certificate, chain)} in {named(served)}, served for {{endpoint}}, is signed with {algorithm}"
