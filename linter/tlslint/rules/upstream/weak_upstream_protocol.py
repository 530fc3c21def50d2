"""A weak protocol version is allowed towards an upstream.

## What it finds
Versions below TLS 1.2 that the policy does not allow, in the setting for connections that the server itself makes. A
default of an old version of the server is advice, and says so.

## Why it matters
An upstream that knows nothing newer, or somebody who makes it look so, gets a connection that can be attacked.

## What clients see
Nothing: the newest version that both sides have is used.

## How to fix it
Name the policy's versions.

## False alarms that it avoids
Connections without TLS; on loopback and unix sockets it is advice. What OpenSSL does not negotiate is reported with
that remark, because the next machine may.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetUpstream
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.upstreams import SERVERS, labels, secure_upstreams, severity_of, spelt, subject, target_span
from tlslint.rules.versions import wanted_protocols
from tlslint.rules.words import listed, place_of, releases
from tlslint.tls.handshake import build, level_of
from tlslint.tls.protocols import negotiable

rule = Rule(
    code="TLS903",
    name="weak-upstream-protocol",
    severity=Severity.WARNING,
    summary="a weak protocol version is allowed towards an upstream",
    why="TLS 1.0 and 1.1 were retired by RFC 8996, SSL 3 by RFC 7568",
    seen="nobody gets an error: the newest common version is used",
    sources=("RFC 8996", "RFC 7568", "nginx: ngx_http_proxy_module, proxy_ssl_protocols"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each upstream setting with a weak version."""
    for upstream in secure_upstreams(deployment):
        if upstream.protocols.explicit:
            weak = _weak(upstream.protocols.known or frozenset(), policy)
            defaults: list[str] = []
        elif upstream.protocols.is_unknown:
            continue
        else:
            weak, defaults = _weak_defaults(deployment, policy)
        if weak:
            yield _finding(deployment, upstream, weak, defaults, policy)


def _weak(names: Iterable[str], policy: Policy) -> list[str]:
    return sorted(name for name in names if policy.judge_protocol(name) is ProtocolVerdict.WEAK)


def _weak_defaults(deployment: Deployment, policy: Policy) -> tuple[list[str], list[str]]:
    """Return what the server's default allows that is weak, and the versions that have such a default."""
    weak = {version: _weak(names, policy) for version, names in deployment.default_protocols.items()}
    return sorted({name for names in weak.values() for name in names}), [version for version in weak if weak[version]]


def _finding(
    deployment: Deployment, upstream: Upstream, weak: list[str], defaults: list[str], policy: Policy
) -> Finding:
    setting = upstream.protocols
    directive = spelt(upstream, "protocols")
    versions = releases(defaults, deployment.default_protocols)
    default = f"{directive} is not set; that is the default of {SERVERS[deployment.server]} {versions}"
    wanted = wanted_protocols(deployment, policy)
    label = f'not in policy "{policy.name}"' if setting.explicit else default
    return rule.finding(
        f"{listed(weak)} {'is' if len(weak) == 1 else 'are'} allowed towards "
        f"{subject(upstream, setting)} for {{endpoint}}",
        place_of(setting, weak) if setting.explicit else target_span(upstream),
        severity=severity_of(upstream) if setting.explicit else Severity.INFO,
        label="; ".join(filter(None, (label, _asleep(deployment, upstream, weak)))),
        source=policy.source_of("protocols"),
        help=f"set {directive} to {_as_written(policy.protocols, deployment.server)}",
        endpoints=labels(upstream),
        fix=Fix(f"allow {listed(wanted)} only", Safety.SAFE, (SetUpstream("protocols", wanted, upstream),)),
    )


def _as_written(names: Iterable[str], server: str) -> str:
    # on Apache each plain word drops those before it
    return f"-all {' '.join(f'+{name}' for name in names)}" if server == "apache" else " ".join(names)


def _asleep(deployment: Deployment, upstream: Upstream, weak: list[str]) -> str:
    """Say which OpenSSL does not negotiate any of these versions; empty where all do."""
    targets = deployment.targets()
    text = upstream.ciphers.known or "DEFAULT"
    resting = [target for target in targets if not negotiable(weak, build(target), level_of(text, None, target), None)]
    if not resting:
        return ""
    names = releases([str(target.openssl) for target in resting], [str(target.openssl) for target in targets])
    return f"OpenSSL {names} {'does' if len(resting) == 1 else 'do'} not negotiate {listed(weak, 'or')}"
