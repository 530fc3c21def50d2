"""Sessions are kept in a way that helps little, or for too long.

## What it finds
- `builtin`: OpenSSL's own cache, one for each worker, so that a client finds its session only when it meets the same
  worker again;
- no cache while tickets are off too: no session is ever resumed (Apache then still sends TLS 1.3 clients two tickets
  that open nothing);
- no shared cache while tickets are on (nginx since 1.23.2): the key of the tickets is renewed only where there is one;
- sessions that live for more than a day, or longer than the policy allows (a warning).

## Why it matters
A full handshake costs both sides an extra round trip and a signature; a session that lives long is a secret that does.

## What clients see
Slower connections, at most.

## How to fix it
`ssl_session_cache shared:TLS:10m;` once in `http`, and `ssl_session_timeout 1d;` or less. Apache:
`SSLSessionCache shmcb:ssl_scache(512000)` outside of all virtual hosts, with mod_socache_shmcb loaded.

## False alarms that it avoids
`builtin` beside `shared` is only slower. On a shared socket the default server's cache counts: one finding, and not one
for each host. A timeout counts for nothing where no session is kept.
Where only TLS 1.3 is negotiated, tickets without a cache are what Mozilla's guideline gives. Apache without a cache and
with tickets resumes sessions all the same.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, TlsSettings
from tlslint.rules.resumption import exposed_to_ticket_key
from tlslint.rules.words import governed_by, governing, labels, span_of
from tlslint.target import Target, Version

rule = Rule(
    code="TLS603",
    name="weak-session-cache",
    severity=Severity.INFO,
    summary="sessions are kept in a way that helps little, or for too long",
    why="sessions that cannot be resumed cost time, and sessions that live long are secrets that do",
    seen="nobody gets an error: connections begin with a full handshake",
    seen_apache="the log says AH01873: Init: Session Cache is not configured, where there is none",
    sources=(
        "nginx, ssl_session_cache",
        "Apache HTTP Server: mod_ssl, SSLSessionCache",
        "RFC 5246, section F.1.4",
    ),
    fix=Safety.SAFE,
)

_DAY = 86_400
_ROTATES_SINCE = Version("1.23.2")
_NO_CACHE = ("none", "off", "nonenotnull")
_CACHE = {"nginx": "shared:TLS:10m", "apache": "shmcb:ssl_scache(512000)"}
_APACHE_CACHE_MODULE = "socache_shmcb_module"
_HELP = {
    "nginx": "set ssl_session_cache shared:TLS:10m for all hosts",
    "apache": "set SSLSessionCache shmcb:ssl_scache(512000) outside of all hosts, with mod_socache_shmcb loaded",
}
_TIMEOUT = {"nginx": "ssl_session_timeout", "apache": "SSLSessionCacheTimeout"}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what is weak about the cache and the lifetime of sessions."""
    for endpoints in governed_by(deployment, "session_cache", "session_tickets", "ticket_keys"):
        is_apache = deployment.server == "apache"
        weakness = (_weakness_on_apache if is_apache else _weakness)(endpoints[0].tls, deployment.target)
        exposed = endpoints if is_apache else exposed_to_ticket_key(endpoints)
        if weakness and exposed:
            message, label = weakness
            yield rule.finding(
                message,
                span_of(endpoints[0].tls.session_cache, exposed),
                label=label,
                help=_HELP[deployment.server],
                endpoints=labels(exposed),
                fix=_shared(deployment, exposed),
            )
    for endpoints in governed_by(deployment, "session_timeout", "session_cache", "session_tickets"):
        yield from _long_lived(endpoints, policy, _TIMEOUT[deployment.server])


def _shared(deployment: Deployment, endpoints: list[Endpoint]) -> Fix | None:
    if deployment.server == "apache" and _APACHE_CACHE_MODULE not in deployment.modules:
        return None
    hosts = governing(endpoints, "session_cache")
    intention = SetValue("session_cache", _cache(deployment), endpoints[0].tls.session_cache, hosts)
    return Fix("keep sessions in a cache that all workers share", Safety.SAFE, (intention,))


def _cache(deployment: Deployment) -> str:
    """Return the shared cache that other hosts have already, as nginx refuses two sizes of one name; else a new one."""
    used = (host.tls.session_cache.known or "" for host in deployment.virtual_hosts)
    return (
        next((word for text in used for word in text.split() if word.startswith("shared:")), None)
        or (_CACHE[deployment.server])
    )


def _weakness_on_apache(tls: TlsSettings, target: Target) -> tuple[str, str] | None:
    if tls.session_cache.known in _NO_CACHE and tls.session_tickets.known is False:
        return "no session of {endpoint} can be resumed", "no cache, and session tickets are off"
    return None


def _weakness(tls: TlsSettings, target: Target) -> tuple[str, str] | None:
    cache, tickets = tls.session_cache.known, tls.session_tickets.known
    if cache is None or tickets is None:
        return None
    if "shared:" in cache:
        return None
    if "builtin" in cache:
        return "sessions of {endpoint} are kept by each worker for itself", "not shared between workers"
    if not tickets:
        return "no session of {endpoint} can be resumed", "no cache, and session tickets are off"
    if target.server is not None and target.server >= _ROTATES_SINCE and tls.ticket_keys.known == ():
        return "the key of session tickets is not renewed for {endpoint}", "nginx renews it only with a shared cache"
    return None


def _long_lived(endpoints: list[Endpoint], policy: Policy, directive: str) -> Iterator[Finding]:
    tls = endpoints[0].tls
    seconds = tls.session_timeout.known
    kept = tls.session_tickets.known or (tls.session_cache.known or "none") not in _NO_CACHE
    if seconds is None or not kept:
        return
    limit = policy.maximum_session_seconds
    if limit is not None and seconds > limit:
        yield rule.finding(
            "sessions of {endpoint} can be resumed for too long",
            span_of(tls.session_timeout, endpoints),
            severity=Severity.WARNING,
            label=f'{seconds} seconds; policy "{policy.name}" allows {limit}',
            source=policy.source_of("maximum_session_seconds"),
            help=f"set {directive} to {limit} seconds or less",
            endpoints=labels(endpoints),
            fix=_shortened(endpoints, limit),
        )
    elif seconds > _DAY:
        yield rule.finding(
            "sessions of {endpoint} can be resumed for more than a day",
            span_of(tls.session_timeout, endpoints),
            label=f"{seconds} seconds",
            help=f"set {directive} to {_DAY} seconds or less",
            endpoints=labels(endpoints),
            fix=_shortened(endpoints, _DAY),
        )


def _shortened(endpoints: list[Endpoint], seconds: int) -> Fix:
    intention = SetValue(
        "session_timeout", seconds, endpoints[0].tls.session_timeout, governing(endpoints, "session_timeout")
    )
    return Fix(f"forget sessions after {seconds} seconds", Safety.SAFE, (intention,))
