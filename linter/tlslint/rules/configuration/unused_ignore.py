"""A comment suppresses a finding that is not there.

## What it finds
A `# tlslint: ignore[…]` comment, or one of the names in its brackets, that no finding needs: the matter was solved, the
directive was moved away, or the comment never stood in the right place.

## Why it matters
A comment that suppresses nothing today will suppress the same mistake when somebody makes it again, and nobody will be
told.

## What clients see
Nothing; this is about the configuration's upkeep.

## How to fix it
Remove the comment, or the name from its brackets; `--fix` does so. Where the finding is inside the block below,
`ignore-block[…]` is meant: `ignore[…]` covers only the line that opens a block.

## False alarms that it avoids
Silent where the rule did not run, where an include, a certificate or a variable could not be read so that the finding
may only be out of sight, in files that were checked without the configuration that includes them, and inside
conditional sections and macros of Apache.
"""

from tlslint.check import reported_elsewhere as check
from tlslint.finding import Rule, Severity
from tlslint.intention import Safety

__all__ = ["check", "rule"]

rule = Rule(
    code="TLS090",
    name="unused-ignore",
    severity=Severity.WARNING,
    summary="a comment suppresses nothing",
    why="it would hide the same mistake when somebody makes it again",
    sources=("tlslint: docs/exceptions.md",),
    fix=Safety.SAFE,
)
