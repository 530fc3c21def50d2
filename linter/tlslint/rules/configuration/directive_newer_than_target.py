"""A directive, parameter or place that the target's version does not know yet.

## What it finds
`http2 on` before nginx 1.25.1, `listen … quic` before 1.25.0, `ssl_reject_handshake` before 1.19.4, `server_name` in
`stream` before 1.25.5, `SSLSessionTickets` before httpd 2.4.11, `TLSv1.3` in `SSLProtocol` before 2.4.36, and so on
(errors: the server does not start). What needs a newer OpenSSL than the target's and is then ignored, such as
`ssl_certificate_compression`, is a warning.

## Why it matters
A configuration that was written for a newer server takes the older one down at its next restart.

## What clients see
Nothing until the restart fails; a reload keeps the old configuration.

## How to fix it
Upgrade the server, or do without.

## False alarms that it avoids
It needs to know the version: from `--target`, the platform or the installed server. Without one, only what no supported
version knows is reported.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS005",
    name="directive-newer-than-target",
    severity=Severity.ERROR,
    summary="a directive or parameter that the target's version does not know yet",
    why="the server does not start with it",
    seen='nginx -t: [emerg] unknown directive "…"',
    seen_apache="apache2 -t: Invalid command '…', or Illegal protocol '…'",
    sources=("nginx, CHANGES", "Apache HTTP Server, directive reference: compatibility"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what the target does not know yet."""
    yield from reported(rule, deployment)
