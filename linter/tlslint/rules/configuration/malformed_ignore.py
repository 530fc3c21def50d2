"""A comment for tlslint cannot be understood.

## What it finds
A comment that begins with `tlslint:` and means nothing: an unknown instruction, a bracket that is missing or empty, a
name that no rule has, a date that is none, a reason without `--`, an `ignore` that no statement follows, an
`ignore-block` where no block opens, a rule that may not be ignored.

## Why it matters
Whoever wrote it believes that it does something.

## What clients see
Nothing; this is about the configuration's upkeep.

## How to fix it
As the message says. The forms are `ignore[rule-name] -- reason`, `ignore-block[…]` and `ignore-file[…]`, with
`until=2027-03-31` for an end; and `context=http` and the like, which says where a fragment belongs.

## False alarms that it avoids
Comments that mention tlslint elsewhere than at their beginning are left alone.
"""

from tlslint.check import reported_elsewhere as check
from tlslint.finding import Rule, Severity

__all__ = ["check", "rule"]

rule = Rule(
    code="TLS093",
    name="malformed-ignore",
    severity=Severity.WARNING,
    summary="a comment for tlslint cannot be understood",
    why="whoever wrote it believes that it does something",
    sources=("tlslint: docs/exceptions.md",),
)
