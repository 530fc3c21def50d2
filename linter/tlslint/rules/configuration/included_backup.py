"""A copy of a file, or one that was switched off, is read as configuration.

## What it finds
Files that a mask (`include sites-enabled/*;`) or a directory (`Include conf.d`) takes along although their names say
that nobody means them: `default~`, `shop.conf.bak`, `shop.conf.dpkg-old`, `shop.conf.rpmnew`, `shop.conf.disabled`.

## Why it matters
The old text is in force beside the new one. Which of two hosts answers, and which is the default server, is decided by
the order of the names' bytes.

## What clients see
The old host, its old certificate or its old protocols. nginx may warn of a `conflicting server name`; Apache says
nothing.

## How to fix it
Move the copy out of the directory, or include names with an ending: `include sites-enabled/*.conf;`.

## False alarms that it avoids
Files that an include names in full are meant. Hidden files are no match for nginx's masks.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS012",
    name="included-backup",
    severity=Severity.WARNING,
    summary="a copy of a file, or one that was switched off, is read as configuration",
    why="the old text is in force beside the new one, and the order of names decides which counts",
    seen="the old host, certificate or protocols, for some names or for all",
    sources=("nginx, include", "Apache HTTP Server, Include", "glob(3)"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file that a mask takes along by mistake."""
    yield from reported(rule, deployment)
