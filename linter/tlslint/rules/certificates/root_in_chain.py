"""A root certificate is sent with the chain.

## What it finds
A certificate that signs itself, in a chain of others.

## Why it matters
A client trusts a root because it has it already; one that comes with the handshake is ignored. It makes every full
handshake a kilobyte longer, which can cost another round trip.

## What clients see
Nothing. Scanners report that the chain contains the anchor.

## How to fix it
Remove the root from the file.

## False alarms that it avoids
Only what signs itself is a root: a root's cross-signed version carries the root's name and key, is issued by another
root and belongs into the chain. A self-signed certificate that stands alone is self-signed-certificate.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named, quoted
from tlslint.rules.words import listed

rule = Rule(
    code="TLS306",
    name="root-in-chain",
    severity=Severity.WARNING,
    summary="a root certificate is sent with the chain",
    why="clients ignore it: a root is trusted because they have it already",
    seen="nobody gets an error; scanners report that the chain contains the anchor",
    sources=("RFC 8446, section 4.4.2", "RFC 5246, section 7.4.2"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file that holds a root."""
    for served, chain in chains(deployment):
        if chain.roots:
            roots = listed(quoted(chain.roots))
            yield rule.finding(
                f"{named(served)}, served for {{endpoint}}, holds the root {roots}",
                file_span(served.pairs[0]),
                label="a root need not be sent",
                help=f"remove {roots} from the file",
                endpoints=served.labels,
                related=elsewhere(served),
            )
