"""The certificates of a file are not in the order in which they must be sent.

## What it finds
A file whose first certificate is not the server's own, and files whose intermediates do not each issue the one before.

## Why it matters
The server takes the first certificate of the file as its own and sends the rest as it stands. TLS 1.2 demands that each
certificate certifies the one before (RFC 5246, section 7.4.2); strict clients refuse anything else.

## What clients see
With an intermediate first the server does not start: `SSL_CTX_use_PrivateKey("…") failed (… key values mismatch)`;
Apache: `AH02565: Certificate and private key … do not match`, which `apache2 -t` does not notice.
Intermediates in disorder are put up with by OpenSSL, curl and browsers, and not by every device and library.

## How to fix it
Put the leaf first, then the certificate that issued it, and so on, without the root.

## False alarms that it avoids
Who issued whom is decided by the signature, not by names. Several intermediates that lead to different roots
(cross-signing) may follow each other in any order.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import begun_with, chain_span, chains, elsewhere, file_span, named, quoted, rewritten

if TYPE_CHECKING:
    from tlslint.pki.chain import Chain
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS304",
    name="chain-order",
    severity=Severity.ERROR,
    summary="the certificates of a file are not in the order in which they must be sent",
    why="the server takes the first certificate as its own and sends the others as they stand",
    seen='nginx does not start: SSL_CTX_use_PrivateKey("…") failed (… key values mismatch)',
    seen_apache="Apache does not start: AH02565: Certificate and private key … do not match",
    sources=("RFC 5246, section 7.4.2", "RFC 8446, section 4.4.2"),
    fix=Safety.SAFE,
)
SEEN_DISORDER = "OpenSSL, curl and browsers put up with it; some devices and libraries refuse the chain"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file in disorder."""
    for served, chain in chains(deployment):
        faults = {fault.name for fault in chain.faults}
        if "LEAF_NOT_FIRST" in faults:
            first = chain.certificates[0]
            message = (
                f'{named(served)}, served for {{endpoint}}, begins with "{first.label}" instead of "{chain.leaf.label}"'
            )
            yield _finding(message, served, chain, file_span(served.pairs[0]), Severity.ERROR, rule.seen)
        elif "OUT_OF_ORDER" in faults:
            message = f"the intermediates in {named(served)}, served for {{endpoint}}, are not in order"
            yield _finding(message, served, chain, chain_span(served), Severity.WARNING, SEEN_DISORDER)


def _finding(message: str, served: "Served", chain: "Chain", span: Span, severity: Severity, seen: str) -> Finding:
    return rule.finding(
        message,
        span,
        severity=severity,
        label=f"{len(chain.certificates)} certificates in the wrong order",
        seen=seen,
        help=f"write them in this order: {', '.join(quoted(chain.proposed))}",
        endpoints=served.labels,
        related=elsewhere(served),
        fix=Fix(
            "write the certificates in order",
            Safety.SAFE,
            rewritten(served, begun_with((*chain.path, *chain.alternatives), chain)),
        ),
    )
