"""A file includes itself, directly or through others.

## What it finds
An `include` that leads back to a file that is being read already, and includes nested so deeply that it must be one.

## Why it matters
nginx has no guard: it opens files until it has no descriptors left, or crashes. Apache gives up at a depth of 128.

## What clients see
Nothing until the restart fails; a reload keeps the old configuration.

## How to fix it
Remove the include, or narrow the mask: `include *.conf;` inside one of the files that it matches is the usual cause.

## False alarms that it avoids
A file that is included from many places is no cycle.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS007",
    name="include-cycle",
    severity=Severity.ERROR,
    summary="a file includes itself",
    why="nginx runs out of file descriptors or crashes, Apache gives up at a depth of 128: neither starts",
    seen='nginx -t: [emerg] open() "…" failed (24: Too many open files), or a segmentation fault',
    seen_apache="apache2 -t: Exceeded maximum include depth of 128, There appears to be a recursion",
    sources=("nginx, include", "Apache HTTP Server, Include"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield includes that lead back to themselves."""
    yield from reported(rule, deployment)
