"""An optional include has a misspelt name, and brings nothing.

## What it finds
`IncludeOptional` of one file that is not there, while a file of nearly the same name stands beside it that nothing
includes: `tls/hardenning.conf` and `tls/hardening.conf`.

## Why it matters
Optional includes are silent by design: what the file was meant to set is missing, and nobody says so.

## What clients see
Whatever is in force without the file.

## How to fix it
Correct the name. Where the file must be there, `Include` refuses to start without it.

## False alarms that it avoids
Masks may match nothing. A missing file without such a neighbour is what the directive is for, and so is a neighbour
that is included somewhere else. The two names must have the same ending and differ in a letter or two. Nothing is said
of directories that cannot be seen.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS011",
    name="misspelt-include",
    severity=Severity.WARNING,
    summary="an optional include names a file that is not there, beside one of nearly that name",
    why="optional includes are silent: what the file was meant to set is missing",
    seen="what is in force without the file; apache2 -t and the log say nothing",
    sources=("Apache HTTP Server, IncludeOptional",),
    servers=("apache",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each optional include that was surely meant for a neighbour."""
    yield from reported(rule, deployment)
