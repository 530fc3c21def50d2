"""Two hosts on one socket are marked as its default.

## What it finds
A second `default_server` for the same address and port.

## Why it matters
nginx refuses the whole configuration.

## What clients see
Nothing until the restart fails; a reload keeps the old configuration.

## How to fix it
Keep the mark on one of them; the related place is the first. A package's `default` site that is still enabled is the
usual cause.

## False alarms that it avoids
IPv4 and IPv6, TCP and QUIC, and different addresses are different sockets: each may have its default. `443`, `*:443`
and `0.0.0.0:443` are the same one. Apache has no such mark.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS405",
    name="duplicate-default-server",
    severity=Severity.ERROR,
    summary="two hosts on one socket are marked as its default",
    why="nginx refuses the whole configuration",
    seen="nginx -t: [emerg] a duplicate default server for …",
    sources=("nginx, listen (default_server)",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each second mark."""
    yield from reported(rule, deployment)
