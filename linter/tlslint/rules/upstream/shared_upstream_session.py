"""Connections to one upstream are verified with different CAs and share their TLS sessions.

## What it finds
Two places that pass requests to the same servers, both with verification, with different files of CAs (or revocation
lists), while sessions are reused.

## Why it matters
nginx keeps one TLS session for each server of an upstream, whoever made it. A resumed session carries the result of the
verification that was made then: the second place takes for verified what only the first one's CA vouches for.

## What clients see
`200 OK` where a connection of its own would have given 502 Bad Gateway; on nginx 1.22 the reverse as well.

## How to fix it
Use the same CAs for the same servers, or switch session reuse off in one of the places, or give each place an
`upstream {}` block of its own.

## False alarms that it avoids
Places without verification, other servers (another port is another server), targets that a variable decides, and
places where sessions are not reused are silent. Files are told apart by their names. Apache resumes no sessions with
upstreams.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.upstreams import labels, secure_upstreams, severity_of, spelt

rule = Rule(
    code="TLS907",
    name="shared-upstream-session",
    severity=Severity.WARNING,
    summary="connections to one upstream are verified with different CAs and share their TLS sessions",
    why="a resumed session carries the result of the verification with which it was made",
    seen="200 OK from an upstream whose certificate the CA of the location did not issue",
    sources=("nginx, ngx_http_proxy_module: proxy_ssl_session_reuse", "RFC 8446, section 2.2"),
    servers=("nginx",),
)

Trust = tuple[str, str | None]


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield for each upstream the places that verify it otherwise than the first one does."""
    peers: dict[tuple[object, ...], dict[Trust, Upstream]] = {}
    for upstream in secure_upstreams(deployment):
        key, trust = _peer(upstream), _trust(upstream)
        if key is None or trust is None:
            continue
        seen = peers.setdefault(key, {})
        first = next(iter(seen.values()), upstream)
        if trust not in seen:
            seen[trust] = upstream
        if trust != _trust(first):
            yield _finding(upstream, first)


def _peer(upstream: Upstream) -> tuple[object, ...] | None:
    """Return what tells the servers that are connected to from others; None where a variable decides."""
    if upstream.group is not None:
        return (id(upstream.group.directive),)
    if not upstream.host or "$" in upstream.target:
        return None
    scheme, separator, rest = upstream.target.rpartition("://")
    address = rest.partition("/")[0].lower()
    has_port = address.removeprefix(upstream.host.lower()).startswith(":")
    # stream's targets have no scheme, and a table of sessions of their own
    return (bool(separator), address if has_port else f"{address}:{scheme}")


def _trust(upstream: Upstream) -> Trust | None:
    """Return the files that decide who is believed; None where nobody is verified or no session reused."""
    if not (upstream.verify.known and upstream.session_reuse.known) or upstream.crl.is_unknown:
        return None
    return None if upstream.trusted_ca.known is None else (upstream.trusted_ca.known, upstream.crl.known)


def _finding(upstream: Upstream, first: Upstream) -> Finding:
    is_ca = upstream.trusted_ca.known != first.trusted_ca.known
    own, other = (upstream.trusted_ca, first.trusted_ca) if is_ca else (upstream.crl, first.crl)
    files = "CAs" if is_ca else "revocation lists"
    span, other_span = own.span or upstream.place.span, other.span or first.place.span
    return rule.finding(
        f'sessions with "{upstream.host}" that were verified with other {files} are resumed for {{endpoint}}',
        span,
        severity=severity_of(upstream),
        label="not looked at when a session is resumed",
        help=f"use the same {files}, or set {spelt(upstream, 'session_reuse')} off",
        endpoints=labels(upstream),
        related=[Related(other_span, "verifies the same upstream")],
    )
