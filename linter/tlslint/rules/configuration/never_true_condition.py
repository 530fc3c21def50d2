"""A condition that cannot hold leaves settings of TLS out, and nobody says so.

## What it finds
`<IfModule mod_ssl>`, although modules are called `ssl_module` or `mod_ssl.c`; a module that is loaded only further
down; `<IfVersion 2.4>`, which means httpd 2.4.0 alone; `<IfDefine NAME>` with a name that only the environment has,
that is defined further down, or in other letters; a comment behind a condition that has a `>` of its own, as in
`<IfModule ssl_module> # TLS > 1.2`. Something about TLS must stand inside.

## Why it matters
httpd reads on as if the block were not there. The site is served with weaker settings, or over plain HTTP.

## What clients see
Whatever is in force without the block.

## How to fix it
Correct the condition, or leave it out: a server that cannot do what the block asks for had better not start. Fixes that
put the block in force are unsafe, because they change what clients meet.

## False alarms that it avoids
Conditions that do not hold are ordinary: fallbacks for modules that are not loaded (`<IfModule mod_gnutls.c>`,
`<IfModule !ssl_module>`), other versions of httpd, flags that nobody sets. A misspelt name is reported only if the
module that it resembles is loaded. What cannot be decided here, because a part of the configuration is out of sight, is
left alone.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS010",
    name="never-true-condition",
    severity=Severity.WARNING,
    summary="a condition that can never hold leaves settings of TLS out",
    why="httpd reads on as if the block were not there, and says nothing",
    seen="what is in force without the block; apache2 -t and the log say nothing",
    sources=("Apache HTTP Server, IfModule, IfVersion and IfDefine", "Apache HTTP Server, ap_build_config()"),
    servers=("apache",),
    fix=Safety.UNSAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each condition that was surely meant otherwise."""
    yield from reported(rule, deployment)
