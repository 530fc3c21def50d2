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
Remove them from the file. A chain file of Apache is sent behind the certificate: it must not hold that as well.

## False alarms that it avoids
Signatures decide, not names. Cross-signed versions that lead to another root are part of the chain. Where a chain has a
gap nothing is removed, because what seems to be a stranger may belong above it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Intention, RemoveDirective, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chain_span, chains, elsewhere, named, quoted, rewritten
from tlslint.rules.words import listed

if TYPE_CHECKING:
    from tlslint.pki.chain import Chain
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS307",
    name="unrelated-certificate",
    severity=Severity.WARNING,
    summary="a file holds certificates twice, or certificates that are no part of its chain",
    why="they are sent with every full handshake and help nobody",
    seen="mostly nothing; strict clients refuse the chain, scanners report extra certificates",
    sources=("RFC 5246, section 7.4.2", "RFC 8446, section 4.4.2"),
    fix=Safety.SAFE,
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
                    chain_span(served),
                    label=label,
                    help=f"remove {names} from the file" + (" where repeated" if "once" in what else ""),
                    endpoints=served.labels,
                    related=elsewhere(served),
                    fix=_without_strangers(served, chain) if certificates is chain.unrelated else _once(served, chain),
                )


def _without_strangers(served: "Served", chain: "Chain") -> Fix | None:
    """Drop what did not issue the leaf; where the chain has a gap, it may belong above it."""
    if chain.missing is not None and chain.missing.certain:
        return None
    rest = [certificate for certificate in chain.certificates if certificate not in chain.unrelated]
    safety = Safety.SAFE if chain.missing is None else Safety.UNSAFE
    places = dict.fromkeys(pair.chain_place for pair in served.pairs if pair.chain_place is not None)
    if places and len(rest) == 1:
        # what Apache's chain file holds is the chain of something else
        title = f'send nothing of "{served.pairs[0].chain_file}"'
        return Fix(title, safety, tuple(RemoveDirective(place) for place in places))
    return Fix(f"remove {listed(quoted(chain.unrelated))}", safety, rewritten(served, rest))


def _once(served: "Served", chain: "Chain") -> Fix:
    if all(pair.chain_place is not None and pair.chain_file != pair.file for pair in served.pairs) and (
        chain.certificates[:1] == chain.certificates[1:2]
    ):
        return _full_chain(served)
    title = f"keep {listed(quoted(chain.duplicates))} once"
    return Fix(title, Safety.SAFE, rewritten(served, dict.fromkeys(chain.certificates)))


def _full_chain(served: "Served") -> Fix:
    """Name the chain's file, which begins with the server's own certificate, as the certificate's."""
    intentions: list[Intention] = []
    for pair in served.pairs:
        assert pair.chain_place is not None
        intentions += [ReplaceArguments(pair.place, (pair.chain_file,)), RemoveDirective(pair.chain_place)]
    return Fix(f'name "{served.pairs[0].chain_file}" only', Safety.SAFE, tuple(dict.fromkeys(intentions)))
