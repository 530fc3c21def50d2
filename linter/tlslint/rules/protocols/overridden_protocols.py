"""An OpenSSL command changes the protocol versions behind the plain directive.

## What it finds
`Protocol`, `MinProtocol` and `MaxProtocol` given through `ssl_conf_command` or `SSLOpenSSLConfCmd`: they are applied
after the server's own directive and win. In nginx `Protocol` can bring versions back that the directive leaves out, and
the other two take some away; in Apache it is `MinProtocol` and `MaxProtocol` that can do both, and `Protocol` takes
away only.

## Why it matters
Whoever reads the directive believes it. What is served is something else.

## What clients see
Versions are negotiated that the directive does not name, or refused (`protocol version`) although it names them.

## How to fix it
Say the same in both places, or take the command away.

## False alarms that it avoids
A command that changes nothing is silent. One that only takes away versions that the policy does not want is advice,
and without a directive that says otherwise it is simply the setting. A command that leaves nothing is no-protocol's
subject.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, asleep, serving
from tlslint.rules.words import labels, listed

rule = Rule(
    code="TLS108",
    name="overridden-protocols",
    severity=Severity.WARNING,
    summary="an OpenSSL command changes the protocol versions behind the plain directive",
    why="commands are applied last and win over the server's own directive",
    seen="versions are negotiated that the directive does not name, or refused although it names them",
    sources=(
        "SSL_CONF_cmd(3)",
        "nginx, ssl_conf_command (measured on 1.22 and 1.31)",
        "Apache, SSLOpenSSLConfCmd (measured on 2.4.71)",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each command that changes the set of versions."""
    for use in serving(deployment):
        if use.enabled != use.listed and len(use.effective.places) > len(use.plain.places):
            yield from _check(deployment, use, policy)


def _check(deployment: Deployment, use: Use, policy: Policy) -> Iterator[Finding]:
    added, removed = sorted(use.enabled - use.listed), sorted(use.listed - use.enabled)
    outside = [name for name in added if policy.judge_protocol(name) is not ProtocolVerdict.ALLOWED]
    severity = Severity.INFO
    if any(policy.judge_protocol(name) is ProtocolVerdict.WEAK for name in outside):
        severity = Severity.ERROR
    elif outside or set(removed) & set(policy.required_protocols):
        severity = Severity.WARNING
    elif not use.plain.explicit:
        return
    note = asleep(deployment, use, outside)
    effects = [f"switches {listed(names)} {word}" for names, word in ((added, "on"), (removed, "off")) if names]
    yield rule.finding(
        f"{use.effective.places[-1].directive.name} {listed(effects)} for {{endpoint}}",
        use.effective.places[-1].span,
        severity=severity,
        label="applied after the directive" + (f"; {note}" if note else ""),
        source=policy.source_of("protocols"),
        help=f"take the command away, or let it leave {listed(policy.protocols)}",
        endpoints=labels(use.endpoints),
        related=[Related(place.span, "this does not decide alone") for place in use.plain.places[-1:]],
    )
