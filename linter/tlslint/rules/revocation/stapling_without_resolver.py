"""The address of the OCSP responder is looked up once, when the server starts.

## What it finds
Stapling with a responder that is named by a host name, and no `resolver`.

## Why it matters
nginx looks the name up when it starts or reloads, and again later only if it has a `resolver`. When the responder moves
to another address, no fresh response is stapled until the next reload.

## What clients see
Nothing at first; after the move `OCSP response: no response sent`. The log says (at level `warn`) `no resolver defined
to resolve` and the name.

## How to fix it
Name a `resolver`, best one on the same machine.

## False alarms that it avoids
It is advice: stapling works without. Responders with an address, a response from a file, and certificates that cannot
be stapled at all are silent. Apache looks the name up each time.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import named
from tlslint.rules.stapling import staplings
from tlslint.rules.words import labels

rule = Rule(
    code="TLS702",
    name="stapling-without-resolver",
    severity=Severity.INFO,
    summary="the address of the OCSP responder is looked up once, when the server starts",
    why="when the responder moves, nothing fresh is stapled until the next reload",
    seen='the log says "no resolver defined to resolve" and the responder\'s name',
    sources=("nginx, ngx_http_ssl_module: ssl_stapling", "nginx, ngx_http_core_module: resolver"),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each stapled certificate whose responder's address is never looked up again."""
    for stapling in staplings(deployment):
        setting, host = stapling.tls.stapling, stapling.responder_host
        if stapling.problem or not host or stapling.tls.resolver.value is not False or setting.span is None:
            continue
        yield rule.finding(
            f'the address of the responder "{host}" for {named(stapling.served)} is looked up at the start only, '
            "for {endpoint}",
            setting.span,
            label="without a resolver",
            help="name a resolver",
            endpoints=labels(stapling.endpoints),
        )
