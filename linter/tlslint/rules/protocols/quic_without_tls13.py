"""A QUIC socket is served without TLS 1.3, which QUIC needs.

## What it finds
QUIC listeners for which TLS 1.3 is not switched on. QUIC has no other version (RFC 9001, section 4.2).

## Why it matters
No client can ever connect over HTTP/3; browsers fall back to TCP after a delay, and nobody notices why.

## What clients see
Browsers use HTTP/2; `curl --http3-only` fails to connect.

## How to fix it
Switch TLS 1.3 on, or take the QUIC listener away.

## False alarms that it avoids
What counts is who decides the versions on that socket: before nginx 1.29.2 that is the socket's default server.
Apache has no QUIC.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, allowing, available, completed, serving
from tlslint.rules.words import labels, listed, span_of
from tlslint.tls.handshake import TLS13

rule = Rule(
    code="TLS110",
    name="quic-without-tls13",
    severity=Severity.ERROR,
    summary="a QUIC socket is served without TLS 1.3",
    why="QUIC is defined for TLS 1.3 alone (RFC 9001, section 4.2)",
    seen="HTTP/3 never connects; browsers fall back to TCP without a message",
    sources=("RFC 9001, section 4.2", "nginx, QUIC and HTTP/3: requires TLSv1.3"),
    servers=("nginx",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each set of versions without TLS 1.3 that governs a QUIC socket."""
    for use in serving(deployment):
        if use.quic and TLS13 not in use.enabled:
            yield rule.finding(
                "TLSv1.3 is not switched on for {endpoint}, and QUIC has no other version",
                span_of(use.effective, use.endpoints),
                label="lacks TLSv1.3",
                help="add TLSv1.3, or take the QUIC listener away",
                endpoints=labels(use.quic),
                fix=_fix(deployment, use, policy),
            )


def _fix(deployment: Deployment, use: Use, policy: Policy) -> Fix | None:
    if len(use.effective.places) > len(use.plain.places) or not available(deployment, TLS13):
        return None  # a command takes it away, or nothing here can have it
    versions = completed(deployment, use, [TLS13], policy)
    return allowing(use, versions, f"allow {listed(versions)}") if TLS13 in versions else None
