"""The list of protocol versions has a word that the server does not know.

## What it finds
Anything but `SSLv2`, `SSLv3`, `TLSv1`, `TLSv1.1`, `TLSv1.2` and `TLSv1.3` in `ssl_protocols` and its relatives for
upstreams (`proxy_ssl_protocols`, …).

## Why it matters
nginx does not start, and a reload keeps the old configuration.

## What clients see
The server's log and `nginx -t` say `invalid value "…"`.

## How to fix it
Spell the version as the server does.

## False alarms that it avoids
nginx takes the words in any case. Words with a variable or a template's placeholder are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS109",
    name="unknown-protocol",
    severity=Severity.ERROR,
    summary="the list of protocol versions has a word that the server does not know",
    why="the server refuses to start, and a reload keeps the old configuration",
    seen='nginx -t: [emerg] invalid value "…"',
    seen_apache="apache2 -t: SSLProtocol: Illegal protocol '…'",
    sources=("nginx, ssl_protocols",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each word that is no version."""
    yield from reported(rule, deployment)
