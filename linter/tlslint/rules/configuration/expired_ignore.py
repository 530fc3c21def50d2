"""The date until which a finding was accepted has passed.

## What it finds
`until=` in a `# tlslint: ignore[…]` comment with a day that is over. The day itself still counts.

## Why it matters
Somebody decided to accept a risk for a time, and that time is over. The comment no longer suppresses anything, so the
finding itself is reported again as well.

## What clients see
What the finding says.

## How to fix it
Solve the matter and remove the comment, or decide again and write the new date.

## False alarms that it avoids
Days are those of UTC, and `--now` says as of which day is judged. A comment without a date never expires.
"""

from tlslint.check import reported_elsewhere as check
from tlslint.finding import Rule, Severity

__all__ = ["check", "rule"]

rule = Rule(
    code="TLS091",
    name="expired-ignore",
    severity=Severity.ERROR,
    summary="the time for which a finding was accepted is over",
    why="the risk was accepted for a time, and that is over",
    sources=("tlslint: docs/exceptions.md",),
)
