"""The list of protocol versions has a word that the server does not know.

## What it finds
nginx: anything but `SSLv2`, `SSLv3`, `TLSv1`, `TLSv1.1`, `TLSv1.2` and `TLSv1.3` in `ssl_protocols` and its relatives
for upstreams (`proxy_ssl_protocols`, …). Apache: anything but these and `all`, with or without a sign, in `SSLProtocol`
and `SSLProxyProtocol`; `SSLv2`, unless it is taken away; `SSLv3` where the library was built without it.

## Why it matters
The server does not start, and a reload keeps the old configuration.

## What clients see
The server's log and its own test say `invalid value "…"` (nginx) or `Illegal protocol '…'` (Apache).

## How to fix it
Spell the version as the server does.

## False alarms that it avoids
Both servers take the words in any case. Words with a variable or a placeholder are not judged. A version that
only the target is too old for is directive-newer-than-target's subject.
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
    sources=("nginx, ssl_protocols", "Apache HTTP Server, mod_ssl, SSLProtocol"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each word that is no version."""
    yield from reported(rule, deployment)
