"""Apache is to staple OCSP responses and has no place to keep them, so it does not start.

## What it finds
`SSLUseStapling on` for a host with TLS, and no `SSLStaplingCache` in the main server.

## Why it matters
`apache2 -t` says "Syntax OK". The start fails, and a reload ends the server that runs, with all its hosts.

## What clients see
Connection refused. The log says `AH01958: SSLStapling: no stapling cache available`.

## How to fix it
`SSLStaplingCache "shmcb:ssl_stapling(128000)"` outside of the virtual hosts, with mod_socache_shmcb. Or remove
`SSLUseStapling`: authorities retire OCSP.

## False alarms that it avoids
Hosts without TLS may ask for stapling. A cache in any file that is included counts, wherever it stands. Where an
include could not be read, or a file is only a part of a configuration, the cache may be elsewhere and nothing is said.
nginx keeps responses in its own memory and needs no such setting.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Problem
from tlslint.rules.stapling import cached
from tlslint.rules.words import labels, problems

rule = Rule(
    code="TLS703",
    name="stapling-without-cache",
    severity=Severity.ERROR,
    summary="Apache is to staple OCSP responses and has no place to keep them, so it does not start",
    why="the start fails, and a reload ends the server that runs, although apache2 -t says nothing",
    seen="Apache does not start (apache2 -t says nothing): AH01958: SSLStapling: no stapling cache available",
    sources=("Apache HTTP Server, mod_ssl: SSLStaplingCache", "Apache HTTP Server, SSL/TLS how-to: OCSP stapling"),
    servers=("apache",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive that switches stapling on without a cache."""
    for problem in problems(deployment, "server-will-not-start"):
        if rule.name in problem.yields_to:
            yield _finding(deployment, problem)


def _finding(deployment: Deployment, problem: Problem) -> Finding:
    endpoints = [endpoint for endpoint in deployment.endpoints if endpoint.tls.stapling.span == problem.span]
    whom = " for {endpoint}" if endpoints else ""
    return rule.finding(
        f"stapling is on{whom}, and there is no SSLStaplingCache",
        problem.span,
        label="Apache does not start with this",
        help="add SSLStaplingCache outside of the virtual hosts, or remove this",
        endpoints=labels(endpoints),
        fix=Fix("keep stapled responses in a cache", Safety.SAFE, intentions)
        if (intentions := cached(endpoints))
        else None,
    )
