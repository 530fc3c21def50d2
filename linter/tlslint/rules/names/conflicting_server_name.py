"""A name is claimed by two hosts on one socket: the later one never answers it.

## What it finds
The same name or wildcard in two hosts that share a TLS socket, and `.example.com` beside `example.com` or
`*.example.com`: nginx drops the later one as a whole. A name that one host says twice is for information.

## Why it matters
The later host's certificate and settings are never used for that name. Which one is later may be decided by the names
of the files.

## What clients see
The earlier host's certificate and pages.

## How to fix it
Remove the name from one of the hosts. A backup copy of a file that an include mask matches (`site.conf~`, `.bak`) is a
usual cause.

## False alarms that it avoids
The same name on different sockets (IPv4 and IPv6, ports 80 and 443) is no conflict. Sockets without TLS are left to the
server's own warning.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS407",
    name="conflicting-server-name",
    severity=Severity.WARNING,
    summary="a name is claimed by two hosts on one socket",
    why="the later host never answers it",
    seen='nginx -t: [warn] conflicting server name "…" on …, ignored',
    seen_apache="nobody says anything; the first host answers",
    sources=("nginx, Server names",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each name that an earlier host has already."""
    yield from reported(rule, deployment)
