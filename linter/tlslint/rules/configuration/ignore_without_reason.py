"""A comment suppresses a finding and does not say why.

## What it finds
A `# tlslint: ignore[…]` comment without words after `--`.

## Why it matters
Whoever reads the file next cannot tell whether the exception still holds, and will not dare to remove it.

## What clients see
Nothing; this is about the configuration's upkeep.

## How to fix it
Write the reason behind the bracket: `# tlslint: ignore[weak-protocol] -- payment terminals until=2027-03-31`.

## False alarms that it avoids
Any words do; a date alone is none.
"""

from tlslint.check import reported_elsewhere as check
from tlslint.finding import Rule, Severity

__all__ = ["check", "rule"]

rule = Rule(
    code="TLS092",
    name="ignore-without-reason",
    severity=Severity.WARNING,
    summary="a comment suppresses a finding without saying why",
    why="nobody can tell later whether the exception still holds",
    sources=("tlslint: docs/exceptions.md",),
)
