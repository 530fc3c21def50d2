"""A certificate that is served has no subject alternative names, only a common name.

## What it finds
A certificate without DNS names and addresses in its subjectAltName extension, served under a name that clients may ask
for.

## Why it matters
Clients have not looked at the common name for years (RFC 9525): such a certificate is good for no name at all.

## What clients see
Chrome: `NET::ERR_CERT_COMMON_NAME_INVALID`; Go: `certificate relies on legacy Common Name field, use SANs instead`.
OpenSSL and curl still fall back to the common name, so that the fault goes unnoticed.

## How to fix it
Have it issued again with the names as subjectAltName (`openssl req -addext subjectAltName=DNS:shop.example.org`).

## False alarms that it avoids
Catch-all hosts, unknown names and clients without SNI need no names.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.coverage import presented
from tlslint.rules.served import elsewhere, file_span, named

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS402",
    name="certificate-without-san",
    severity=Severity.ERROR,
    summary="a certificate that is served has no subject alternative names",
    why="clients have not looked at the common name for years: it is good for no name at all",
    seen="Chrome: NET::ERR_CERT_COMMON_NAME_INVALID; curl with OpenSSL still takes the common name",
    sources=("RFC 9525, section 6.3", "RFC 9110, section 4.3.4"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served certificate without names."""
    found: dict[str, tuple[Served, Certificate, list[str]]] = {}
    for endpoint, _, served, leaf in presented(deployment):
        if not (leaf.dns_names or leaf.ip_addresses or leaf.extensions_problem):
            found.setdefault(leaf.sha256, (served, leaf, []))[2].append(endpoint.label)
    for served, leaf, endpoints in found.values():
        common_name = f'the common name "{leaf.common_name}" only' if leaf.common_name else "no name at all"
        yield rule.finding(
            f"the certificate in {named(served)}, served for {{endpoint}}, has {common_name}",
            file_span(served.pairs[0]),
            label="no subjectAltName",
            help="have it issued again with its names as subjectAltName",
            endpoints=endpoints,
            related=elsewhere(served),
        )
