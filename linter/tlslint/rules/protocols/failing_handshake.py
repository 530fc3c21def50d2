"""Every handshake fails.

## What it finds
Endpoints on which no client gets further than the handshake, for a reason that no other rule tells: the default server
lists no suite for the versions with which connections start, nothing of the list can be used with the certificate, or
`SSLSessionCacheTimeout 0` beside a session cache (Apache), with which TLS 1.3 ends although it has begun.

## Why it matters
The server starts, passes its own test of the configuration, and the site is down.

## What clients see
`handshake_failure`, `protocol_version` or `internal_error`; browsers say `ERR_SSL_VERSION_OR_CIPHER_MISMATCH` or
`ERR_SSL_PROTOCOL_ERROR`.

## How to fix it
Name the policy's versions and suites at the place that is shown; `tlslint show` says what is left of them.

## False alarms that it avoids
Hosts that reject handshakes on purpose are silent. Where the target leaves several TLS libraries open, only what fails
with each of them is reported. What another rule explains on the same endpoint is left to it.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Handshake
from tlslint.rules.words import labels, negotiating

rule = Rule(
    code="TLS111",
    name="failing-handshake",
    severity=Severity.ERROR,
    summary="every handshake fails",
    why="the server starts without a complaint, and nobody can connect",
    seen="clients get an alert: handshake_failure, protocol_version or internal_error",
    sources=("RFC 8446, section 6.2", "SSL_CTX_set_min_proto_version(3)"),
)

EXPLAINING = (
    "no-protocol", "quic-without-tls13", "unusable-cipher-list", "unsupported-group", "certificate-not-found",
    "malformed-certificate", "key-mismatch", "chain-order", "incomplete-key-pair", "server-will-not-start",
    "settings-shadowed-by-default-server",
)  # fmt: skip
"""Rules that say why nobody can connect, each in its own words."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each reason and socket."""
    groups: dict[tuple[str, str, int], list[Endpoint]] = {}
    for endpoint in negotiating(deployment):
        what, reason = _failure(deployment, endpoint.handshake)
        if reason:
            groups.setdefault((what, reason, id(endpoint.listener)), []).append(endpoint)
    for (what, reason, _), endpoints in groups.items():
        is_about_time = reason == endpoints[0].tls.ticket_failure
        yield rule.finding(
            f"every {what} of {{endpoint}} fails: {reason}",
            _place(endpoints[0], is_about_time=is_about_time),
            label="nobody can connect" if what == "handshake" else "no client that has TLS 1.3 can connect",
            help=_help(policy, is_about_time=is_about_time),
            endpoints=labels(endpoints),
            explained_by=EXPLAINING,
        )


def _failure(deployment: Deployment, handshake: Handshake) -> tuple[str, str]:
    """Return what fails and why, both empty where something succeeds."""
    tls = handshake.tls
    if tls.ticket_failure and "TLSv1.3" not in handshake.protocols:
        enabled = tls.effective_protocols.known or frozenset()
        if "TLSv1.3" in enabled:
            return "handshake with TLS 1.3" if handshake.protocols else "handshake", tls.ticket_failure
    depends_on_library = not tls.failure and len(deployment.targets()) > 1
    if handshake.outcome != "rejected" or depends_on_library:
        return "", ""
    return "handshake", handshake.reason


def _place(endpoint: Endpoint, *, is_about_time: bool) -> Span:
    """Return the directive that decides, as far as one does: connections start with the default server's versions."""
    if is_about_time and endpoint.tls.session_timeout.span is not None:
        return endpoint.tls.session_timeout.span
    opening = endpoint.listener.default.tls
    return opening.effective_protocols.span or opening.ciphers.span or endpoint.answering.span


def _help(policy: Policy, *, is_about_time: bool) -> str:
    if is_about_time:
        return "take SSLSessionCacheTimeout 0 out, or give sessions some minutes: SSLSessionCacheTimeout 300"
    versions = " and ".join(policy.protocols)
    return f"see what `tlslint show` says is left, and allow {versions} with suites of the policy"
