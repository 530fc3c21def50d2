"""A certificate is served that is not meant for servers.

## What it finds
An authority's certificate (CA:TRUE) as a server's, and certificates whose key usage or extended key usage does not
allow server authentication.

## Why it matters
Clients check what a certificate may be used for. An authority's key on a web server lets whoever gets at it issue
certificates for any name.

## What clients see
curl: `(60) SSL certificate problem: unsuitable certificate purpose` for a wrong usage. An authority's certificate is
taken by OpenSSL and refused by Firefox: `MOZILLA_PKIX_ERROR_CA_CERT_USED_AS_END_ENTITY`.

## How to fix it
Have a certificate issued for the server, with the extended key usage `serverAuth`.

## False alarms that it avoids
A self-signed certificate is often marked as an authority and can be trusted by itself: self-signed-certificate speaks
of it. Usages that a certificate does not state are allowed.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate

rule = Rule(
    code="TLS314",
    name="ca-as-server-certificate",
    severity=Severity.ERROR,
    summary="a certificate is served that is not meant for servers",
    why="clients check what a certificate may be used for",
    seen="curl: (60) SSL certificate problem: unsuitable certificate purpose",
    sources=("RFC 5280, sections 4.2.1.3, 4.2.1.9 and 4.2.1.12", "CA/Browser Forum Baseline Requirements, 7.1.2.7"),
)
WHY_CA = "whoever gets at the key on this server can issue certificates for any name"
SEEN_CA = "curl takes it; Firefox: MOZILLA_PKIX_ERROR_CA_CERT_USED_AS_END_ENTITY"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served leaf that is an authority's, or for another purpose."""
    for served, chain in chains(deployment):
        leaf = chain.leaf
        if leaf.extensions_problem:
            continue
        is_authority = leaf.is_ca and not leaf.self_signed
        if not is_authority and leaf.allows_server_authentication:
            continue
        what = "is that of an authority" if is_authority else "does not allow server authentication"
        yield rule.finding(
            f"the certificate in {named(served)}, served for {{endpoint}}, {what}",
            file_span(served.pairs[0]),
            label="CA:TRUE" if is_authority else _usages(leaf),
            why=WHY_CA if is_authority else None,
            seen=SEEN_CA if is_authority else None,
            help="have a certificate issued for the server, with the extended key usage serverAuth",
            endpoints=served.labels,
            related=elsewhere(served),
        )


def _usages(leaf: "Certificate") -> str:
    if leaf.extended_key_usage is not None and "serverAuth" not in leaf.extended_key_usage:
        return f"for {', '.join(sorted(leaf.extended_key_usage)) or 'nothing'} only"
    return f"key usage {', '.join(sorted(leaf.key_usage or ())) or 'empty'}"
