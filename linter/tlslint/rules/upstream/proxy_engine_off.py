"""Requests are passed on to an upstream over TLS, and TLS is not switched on for that.

## What it finds
`ProxyPass` (or `ProxyPassMatch`, a `RewriteRule` with the flag P, a handler `proxy:…`) to `https`, `wss` or `h2` where
`SSLProxyEngine` is not on: in the `<Proxy>` section of the target, the virtual host, or the main server.

## Why it matters
Apache does not fall back to plain HTTP: no such request succeeds. `apache2 -t` says nothing.

## What clients see
500 Internal Server Error; the log says AH01961: failed to enable ssl support [Hint: if using mod_ssl, see
SSLProxyEngine].

## How to fix it
`SSLProxyEngine on`, in the virtual host or for all of them. Then look at how the upstream is verified
(unverified-upstream).

## False alarms that it avoids
Targets without TLS, balancers whose members are unknown, and targets whose scheme a variable decides. The switch in the
main server, which virtual hosts inherit, or in a `<Proxy>` section that covers the target. Configurations of which a
part could not be read, and which may have the switch there. nginx needs no switch.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetUpstream
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.upstreams import labels, secure_upstreams, span_of, spelt

rule = Rule(
    code="TLS906",
    name="proxy-engine-off",
    severity=Severity.ERROR,
    summary="requests are passed on over TLS, and SSLProxyEngine is off",
    why="Apache does not fall back to plain HTTP, so that no such request succeeds",
    seen="500 Internal Server Error; the log says AH01961: failed to enable ssl support",
    sources=("Apache HTTP Server: mod_ssl, SSLProxyEngine",),
    servers=("apache",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each connection over TLS for which the engine is off."""
    for upstream in secure_upstreams(deployment):
        engine = upstream.engine
        if engine is None or engine.known is not False:
            continue
        directive = spelt(upstream, "engine")
        yield rule.finding(
            f'every request of {{endpoint}} for upstream "{upstream.host or upstream.target}" fails',
            span_of(upstream, engine),
            label=f"{directive} is off" if engine.explicit else f"{directive} is off by default",
            help=f"set {directive} on",
            endpoints=labels(upstream),
            fix=Fix(f"switch {directive} on", Safety.SAFE, (SetUpstream("engine", True, upstream),)),
        )
