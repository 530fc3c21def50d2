"""A host with a public name serves a self-signed certificate.

## What it finds
A certificate that signs itself, served for a name that clients of all kinds may ask for.

## Why it matters
No client trusts it unless it was installed there. People learn to click warnings away, and cannot tell an attacker.

## What clients see
curl: `(60) SSL certificate problem: self-signed certificate`; Chrome: `NET::ERR_CERT_AUTHORITY_INVALID`.

## How to fix it
Get a certificate from an authority that the clients trust: a public one (ACME), or the organisation's own.

## False alarms that it avoids
Catch-all hosts, unknown names and clients without SNI need no valid certificate. Names that are never public
(`localhost`, `.local`, `.internal`, `.lan`, `.home.arpa`, single labels, private addresses) are silent.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.coverage import address_in
from tlslint.rules.served import chains, elsewhere, file_span, named

rule = Rule(
    code="TLS315",
    name="self-signed-certificate",
    severity=Severity.WARNING,
    summary="a host with a public name serves a self-signed certificate",
    why="no client trusts it unless it was installed there",
    seen="curl: (60) SSL certificate problem: self-signed certificate",
    sources=("RFC 5280, section 6.1", "RFC 6762", "RFC 8375"),
)
NEVER_PUBLIC = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa", ".invalid")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each self-signed certificate that is served under a public name."""
    for served, chain in chains(deployment):
        if not chain.leaf.self_signed:
            continue
        public = [endpoint.label for endpoint in served.endpoints if _is_public(endpoint)]
        if public:
            yield rule.finding(
                f"the certificate in {named(served)}, served for {{endpoint}}, is self-signed",
                file_span(served.pairs[0]),
                label="issued by itself",
                help="get a certificate from an authority that the clients trust",
                endpoints=public,
                related=elsewhere(served),
            )


def _is_public(endpoint: Endpoint) -> bool:
    name = endpoint.name
    if name is None or name.kind == "empty":
        return False
    # only where there is a certificate
    from tlslint.pki.names import is_never_asked_for

    text = name.text.strip("~^$").replace("\\.", ".").lower()
    if name.kind == "regex":
        return "." in name.text and not text.endswith(NEVER_PUBLIC)
    plain = text.strip(".*")
    if is_never_asked_for(text) or "." not in plain or f".{plain}".endswith(NEVER_PUBLIC):
        return False
    address = address_in(plain)
    return address is None or not address.is_private
