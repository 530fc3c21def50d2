"""A file holds certificates twice, or certificates that are no part of its chain.

## What it finds
Certificates in a served file that did not issue its leaf, directly or through others, and certificates that stand in it
more than once.

## Why it matters
They are sent with every full handshake and help nobody. An intermediate of last year's authority beside a new leaf is
usually the sign of a wrong chain; strict clients refuse the whole.

## What clients see
Mostly nothing. Where the right intermediate is missing instead: `unable to get local issuer certificate`.

## How to fix it
Remove them from the file.

## False alarms that it avoids
Signatures decide, not names. Cross-signed versions that lead to another root are part of the chain.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named, quoted
from tlslint.rules.words import listed

rule = Rule(
    code="TLS307",
    name="unrelated-certificate",
    severity=Severity.WARNING,
    summary="a file holds certificates twice, or certificates that are no part of its chain",
    why="they are sent with every full handshake and help nobody",
    seen="mostly nothing; strict clients refuse the chain, scanners report extra certificates",
    sources=("RFC 5246, section 7.4.2", "RFC 8446, section 4.4.2"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for the strangers in each served file, and one for its duplicates."""
    for served, chain in chains(deployment):
        for certificates, what, label in (
            (chain.unrelated, "no part of the chain", "did not issue the leaf"),
            (chain.duplicates, "there more than once", "sent more than once"),
        ):
            if certificates:
                names = listed(quoted(certificates))
                yield rule.finding(
                    f"{names} in {named(served)}, served for {{endpoint}}, "
                    f"{'is' if len(certificates) == 1 else 'are'} {what}",
                    file_span(served.pairs[0]),
                    label=label,
                    help=f"remove {names} from the file" + (" where repeated" if "once" in what else ""),
                    endpoints=served.labels,
                    related=elsewhere(served),
                )
