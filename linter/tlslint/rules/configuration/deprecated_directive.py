"""A directive or parameter that still works and has a successor.

## What it finds
`ssl on` (nginx 1.15.0 to 1.25.0), `listen … http2` (since 1.25.1): nginx says the same in its log. On Apache
`SSLCertificateChainFile` (since 2.4.8) and `SSLRequire`.

## Why it matters
What is deprecated is removed later: `ssl on` was, after seven years, and servers with it did not start any more.

## What clients see
Nothing: the server behaves as before; nginx warns in its log.

## How to fix it
Write the successor. `http2` on a `listen` line counts for the whole socket, `http2 on` for one server (or all, in
`http`): all servers of the socket get it. Where one of them has another TLS socket without HTTP/2, the successor cannot
say that, and no fix is offered.

## False alarms that it avoids
A target that is older than the successor is silent. Where the version is not known and some supported release needs the
old spelling, the finding is for information only.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS004",
    name="deprecated-directive",
    severity=Severity.WARNING,
    summary="a directive or parameter that still works and has a successor",
    why="a later version refuses it",
    seen='nginx -t: [warn] the "…" directive is deprecated',
    seen_apache="nothing: Apache takes it as it stands",
    sources=("nginx, CHANGES", "Apache HTTP Server, directive reference"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what works and has a successor."""
    yield from reported(rule, deployment)
