"""Requests go to an upstream over TLS without any check of who answers.

## What it finds
Connections over TLS for which the upstream's certificate is not verified, by default or by a directive; and locations
that share one `upstream {}` block with session reuse but verify against different authorities, so that a session that
one of them opened lets the other skip its check.

## Why it matters
Encryption without verification keeps nobody out who can answer in the upstream's place.

## What clients see
Nothing: expired, self-signed and foreign certificates are all accepted.

## How to fix it
Switch the verification on, name the authority's file, and the name to expect where it is not the target's host.

## False alarms that it avoids
Connections without TLS; on loopback and unix sockets it is advice. Settings that could not be read, and targets whose
scheme a variable decides.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.upstreams import default_or_set, labels, secure_upstreams, severity_of, span_of, spelt, subject

rule = Rule(
    code="TLS901",
    name="unverified-upstream",
    severity=Severity.WARNING,
    summary="an upstream's certificate is not verified",
    why="whoever can answer in the upstream's place reads and changes what passes",
    seen="nothing fails: expired, self-signed and foreign certificates are accepted",
    sources=("nginx: ngx_http_proxy_module, proxy_ssl_verify", "Apache HTTP Server: mod_ssl, SSLProxyVerify"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each connection that is not verified, or whose verification another one undoes."""
    groups: dict[tuple[int, str], list[Upstream]] = {}
    for upstream in secure_upstreams(deployment):
        if upstream.verify.known is False:
            yield _unverified(upstream)
        elif upstream.verify.known and upstream.group is not None and upstream.session_reuse.known:
            groups.setdefault((id(upstream.group.directive), upstream.protocol), []).append(upstream)
    for members in groups.values():
        yield from _sharing(members)


def _unverified(upstream: Upstream) -> Finding:
    directive = spelt(upstream, "verify")
    label = f"{directive} is {default_or_set(upstream.verify)}"
    if upstream.trusted_ca.known:
        label += f", so that {spelt(upstream, 'trusted_ca')} has no effect"
    return rule.finding(
        f"the certificate of {subject(upstream, upstream.verify)} is not verified for {{endpoint}}",
        span_of(upstream, upstream.verify),
        severity=severity_of(upstream),
        label=label,
        help=f"set {directive} on and {spelt(upstream, 'trusted_ca')} to the authority's file",
        endpoints=labels(upstream),
    )


def _sharing(members: list[Upstream]) -> Iterator[Finding]:
    first = members[0]
    for other in members[1:]:
        if first.trusted_ca.known and other.trusted_ca.known and first.trusted_ca.known != other.trusted_ca.known:
            yield rule.finding(
                f'sessions with upstream "{other.host}" are shared with a place that trusts another authority, '
                "for {endpoint}",
                other.trusted_ca.span or other.place.span,
                severity=severity_of(other),
                label="a resumed session is not checked against this file",
                why="sessions are kept per upstream server, and a resumed one is not verified again",
                help=f"trust one authority in all places, or set {spelt(other, 'session_reuse')} off",
                endpoints=labels(other),
            )
