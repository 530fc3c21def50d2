"""A root certificate is sent with the chain.

## What it finds
A certificate that signs itself, in a chain of others.

## Why it matters
A client trusts a root because it has it already; one that comes with the handshake is ignored. It makes every full
handshake a kilobyte longer, which can cost another round trip.

## What clients see
Nothing. Scanners report that the chain contains the anchor.

## How to fix it
Remove the root from the file. Where Apache takes it from the CAs of clients, because the certificate's file holds a
single certificate, put the intermediates into that file: then nothing is added to it.

## False alarms that it avoids
Only what signs itself is a root: a root's cross-signed version carries the root's name and key, is issued by another
root and belongs into the chain. A self-signed certificate that stands alone is self-signed-certificate.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chain_span, chains, elsewhere, is_completed, named, quoted, rewritten
from tlslint.rules.words import listed

if TYPE_CHECKING:
    from tlslint.pki.chain import Chain
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS306",
    name="root-in-chain",
    severity=Severity.WARNING,
    summary="a root certificate is sent with the chain",
    why="clients ignore it: a root is trusted because they have it already",
    seen="nobody gets an error; scanners report that the chain contains the anchor",
    sources=("RFC 8446, section 4.4.2", "RFC 5246, section 7.4.2"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file that holds a root."""
    for served, chain in chains(deployment):
        if chain.roots:
            roots = listed(quoted(chain.roots))
            yield rule.finding(
                f"{named(served)}, served for {{endpoint}}, holds the root {roots}",
                chain_span(served),
                label="a root need not be sent",
                help=f"remove {roots} from the file",
                endpoints=served.labels,
                related=elsewhere(served),
                fix=_fix(served, chain),
            )


def _fix(served: "Served", chain: "Chain") -> Fix | None:
    rest = [certificate for certificate in chain.certificates if certificate not in chain.roots]
    if not is_completed(served):
        return Fix(f"remove {listed(quoted(chain.roots))}", Safety.SAFE, rewritten(served, rest))
    if len(rest) > 1:
        return Fix(f"write {listed(quoted(rest[1:]))} into the file", Safety.SAFE, rewritten(served, rest))
    return None  # the root itself issued the certificate: there is nothing else to send
