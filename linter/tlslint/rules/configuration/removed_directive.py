"""A directive or parameter that the server no longer knows, or no longer acts on.

## What it finds
What the target's version refuses (an error: `ssl on` since nginx 1.25.1, `listen … spdy` since 1.9.5, `ssl_engine` with
OpenSSL 4) and what it reads with a warning and then ignores (a warning: `http2_push` since nginx 1.25.1). Where the
version is not known, what the current releases refuse is an error all the same and says since when; what they only
ignore is for information. Apache: what only 2.2 had (`SSLMutex`, `SSLLog`, `SSLOptions CompatEnvVars`), and
`NameVirtualHost`, which does nothing any more.

## Why it matters
The server does not start after an upgrade, or quietly does without what the line asks for.

## What clients see
Nothing until the restart after the upgrade fails. A reload keeps the old configuration.

## How to fix it
Use the successor that the finding names, or remove the line where it has had no effect for long. `ssl on` becomes
`ssl` on the `listen` lines of its server.

## False alarms that it avoids
A target that still knows the directive is not told about later ones. Directives of NGINX Plus are not called unknown.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS003",
    name="removed-directive",
    severity=Severity.ERROR,
    summary="a directive or parameter that the server no longer knows",
    why="the server does not start with it, or ignores it",
    seen='nginx -t: [emerg] unknown directive "…", or [warn] … is obsolete, ignored',
    seen_apache="apache2 -t: Invalid command '…'",
    sources=("nginx, CHANGES", "Apache HTTP Server, Upgrading to 2.4"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what the target does not know any more, or ignores."""
    yield from reported(rule, deployment)
