"""A host and the default server of its socket choose other TLS 1.3 suites, so a retried handshake is broken off.

## What it finds
On nginx before 1.29.2 (and any nginx with LibreSSL), hosts whose TLS 1.3 cipher suites, or the order in which they are
chosen, differ from those of the socket's default server.

## Why it matters
A client whose key share is for no group of the server is asked to come back with another one. The server names a suite
when it asks, by the default server's settings, and chooses again when the client is back, now by the settings of the
host that the name selects. Another choice than the first one breaks the protocol, and the connection is lost. Other
clients are served, so the fault looks like the fault of those few.

## What clients see
The alert "illegal parameter", or "handshake failure" where the host has no suite for the client:
`openssl s_client -groups X25519:P-256` shows it where the server has no X25519.

## How to fix it
Set suites and their order above all hosts, or alike in all of them; or upgrade.

## False alarms that it avoids
Suites in another order are silent where the order of the client counts. Hosts without TLS 1.3, hosts that borrow the
default server's certificate (and with it everything else), and QUIC on versions that are not known are silent. Where
the server's version is not known, the finding says on which versions it holds. It is a warning where the client's own
suites decide whether it gets through. Apache chooses the host before it looks at the client's key shares (since
2.4.42).
"""

from collections.abc import Iterator
from operator import attrgetter

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Setting, TlsSettings
from tlslint.rules.words import negotiating
from tlslint.target import Target
from tlslint.tls.handshake import TLS13, level_of, tls13_suites
from tlslint.tls.retry import Choice, retry_outcome

rule = Rule(
    code="TLS415",
    name="hello-retry-mismatch",
    severity=Severity.ERROR,
    summary="a host and the default server of its socket choose other TLS 1.3 suites, and retried handshakes fail",
    why="before nginx 1.29.2 the default server chooses for the first ClientHello and the host for the second",
    seen="openssl s_client: alert illegal parameter, for clients whose first key share does not fit",
    sources=("RFC 8446, section 4.1.4", "nginx change log, 1.29.2"),
    servers=("nginx",),
)

OLD = "nginx before 1.29.2"
_deciding = attrgetter("server_order_tls13", "ciphers", "ciphersuites", "security_level", "options")
"""What a host's choice depends on: settings compare by identity, and most hosts inherit them."""
FIELDS = ("ciphersuites", "server_order_tls13", "conf_commands", "ciphers")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each line that makes a host choose otherwise."""
    given = deployment.given or deployment.target
    outcomes: dict[object, str] = {}
    for endpoint in negotiating(deployment):
        own, default = endpoint.answering.tls, endpoint.listener.default.tls
        if own is default or TLS13 not in endpoint.handshake.protocols:
            continue
        outcome = endpoint.handshake.hello_retry
        if given.server is None and outcome == "works":
            key = (_deciding(own), id(default))
            if key not in outcomes:
                outcomes[key] = _outcome_on_old(own, default, deployment.target)
            outcome = "works" if endpoint.listener.transport == "quic" else outcomes[key]
            if outcome in ("fails", "depends"):
                yield _finding(endpoint, outcome, OLD)
        elif outcome in ("fails", "depends"):
            yield _finding(endpoint, outcome, "")


def _outcome_on_old(own: TlsSettings, default: TlsSettings, target: Target) -> str:
    """What clients meet that need a retry, on versions where the default server chooses first."""
    if TLS13 not in (default.effective_protocols.known or ()):
        return ""
    first, second = _choice(default, target), _choice(own, target)
    return "" if first is None or second is None else retry_outcome(first, second)


def _choice(tls: TlsSettings, target: Target) -> Choice | None:
    order, ciphers = tls.server_order_tls13.known, tls.ciphers.known
    if order is None or ciphers is None or tls.ciphersuites.is_unknown:
        return None
    suites = tls13_suites(tls.ciphersuites.known, target, level_of(ciphers, tls.security_level, target))
    return Choice(suites, order, "PrioritizeChaCha" in tls.options)


def _finding(endpoint: Endpoint, outcome: str, versions: str) -> Finding:
    where = f"on {versions}, " if versions else ""
    who = "clients" if outcome == "fails" else "some clients"
    own, governing = _difference(endpoint)
    here = own if own.span is not None else governing
    other = governing if here is own else own
    return rule.finding(
        f"{where}{who} whose first key share does not fit cannot connect to {{endpoint}}, "
        "because the socket's default server chooses TLS 1.3 suites otherwise",
        here.span or endpoint.answering.span,
        severity=_severity(outcome, versions),
        label="not the default server's choice" if here is own else "not the choice of every host",
        help="set the TLS 1.3 suites and their order above all hosts",
        endpoints=[endpoint.label],
        related=[Related(other.span, "chooses for the other ClientHello")] if other.span is not None else [],
    )


def _severity(outcome: str, versions: str) -> Severity:
    if outcome == "fails":
        return Severity.WARNING if versions else Severity.ERROR
    return Severity.INFO if versions else Severity.WARNING


def _difference(endpoint: Endpoint) -> tuple[Setting[object], Setting[object]]:
    """Return the first of the settings that decide in which the host differs from the default server."""
    own, default = endpoint.answering.tls, endpoint.listener.default.tls
    pairs = [(own.setting(name), default.setting(name)) for name in FIELDS]
    return next((pair for pair in pairs if pair[0].value != pair[1].value), pairs[0])
