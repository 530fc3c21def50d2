"""Clients that are revoked go on resuming the sessions that they have.

## What it finds
Verification with a revocation list on a socket whose sessions outlast a reload: with ticket keys in a file, and with
nginx a shared session cache too (Apache empties its cache).

## Why it matters
The certificate is looked at when a session begins. When a new list is put in place and the server is reloaded, whoever
has a session goes on resuming it, with the result that it began with, until the session ends.

## What clients see
A client whose certificate was revoked gets `200 OK` and `SUCCESS` in `$ssl_client_verify`.

## How to fix it
Without a shared cache and a key file, a reload ends all sessions: give the verifying host a socket of its own with
neither, or a short `ssl_session_timeout`. The default server of the socket decides all of these. With Apache leave out
`SSLSessionTicketKeyFile`, or put a new key there with each list.

## False alarms that it avoids
It is advice. Hosts without a revocation list have nothing to outlive; a cache of each worker's own and keys that the
server makes itself end with the reload and are silent. So are Apache's stores in other programs (memcache, redis).
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, TlsSettings
from tlslint.rules.mutual import verifying
from tlslint.rules.words import labels

rule = Rule(
    code="TLS515",
    name="session-outlives-revocation",
    severity=Severity.INFO,
    summary="clients that are revoked go on resuming the sessions that they have",
    why="a resumed session carries the result of the verification with which it began",
    seen="a client that was revoked gets 200 OK until its session ends",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_crl, ssl_session_cache, ssl_session_ticket_key",
        "Apache HTTP Server, SSLSessionTicketKeyFile",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each revocation list that sessions outlive."""
    nginx = deployment.server == "nginx"
    for endpoints in verifying(deployment, "crl", "session_cache", "ticket_keys", "session_tickets"):
        tls = endpoints[0].tls
        keeper = _keeper(deployment.server, tls)
        if keeper is None or not tls.crl.known or tls.crl.span is None:
            continue
        yield rule.finding(
            "clients of {endpoint} that have a session resume it after they are revoked",
            tls.crl.span,
            label="not looked at when a session is resumed",
            help="let sessions end with a reload" + (", or set a short ssl_session_timeout" if nginx else ""),
            endpoints=labels(endpoints),
            related=[Related(keeper, "sessions outlast a reload")],
        )


def _keeper(server: str, tls: TlsSettings) -> Span | None:
    """Return what makes sessions outlast a reload."""
    cache = tls.session_cache
    if server == "nginx" and "shared:" in (cache.known or ""):
        return cache.span
    return tls.ticket_keys.span if tls.ticket_keys.known and tls.session_tickets.known else None
