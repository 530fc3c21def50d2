"""A certificate authority in a chain has more authorities below it than it allows.

## What it finds
Served chains in which a CA, or the known root above them, limits the number of CAs below it (`pathlen` of its basic
constraints) and more of them follow.

## Why it matters
A path length is how an authority keeps those that it certifies from making authorities of their own. Clients add up
what is below each CA of the path and refuse the chain where that is too much, whatever else is right with it (RFC 5280,
section 6.1.4).

## What clients see
The handshake ends: `path length constraint exceeded` (OpenSSL, curl), `PATH_LEN_CONSTRAINT_INVALID` (Firefox).

## How to fix it
Have the certificate issued by the CA that limits its path, or have that CA issued anew with room for those below it.

## False alarms that it avoids
Only CAs count, not the leaf, and none whose subject is its own issuer. Other CAs of the file, which are not on the path
from the leaf, do not count.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named
from tlslint.rules.words import counted

rule = Rule(
    code="TLS322",
    name="exceeded-path-length",
    severity=Severity.ERROR,
    summary="a certificate authority in a chain has more authorities below it than it allows",
    why="clients refuse a chain in which a CA has more CAs below it than its basic constraints allow",
    seen="the handshake ends: path length constraint exceeded (openssl, curl)",
    sources=("RFC 5280, section 4.2.1.9", "RFC 5280, section 6.1.4"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file with such a chain."""
    for served, chain in chains(deployment):
        if chain.overfull is None:
            continue
        authority, below = chain.overfull
        allowed = authority.path_length or 0
        yield rule.finding(
            f'"{authority.label}" in the chain of {named(served)}, served for {{endpoint}}, allows '
            f"{counted(allowed, 'CA') if allowed else 'no CA'} below it, and there {'is' if below == 1 else 'are'} "
            f"{counted(below, 'CA')}",
            file_span(served.pairs[0]),
            label=f"more CAs below it than pathlen:{allowed} allows",
            help=f'have the certificate issued by "{authority.label}" itself, or by a CA with a longer path',
            endpoints=served.labels,
            related=elsewhere(served),
        )
