"""Session tickets are used against the policy, or with a key that never changes.

## What it finds
Tickets that a policy refuses (or misses), and tickets whose key nothing renews: nginx before 1.23.2 makes one key at
its start and keeps it until it is stopped; Apache makes one whenever it reads its configuration, and keeps it until it
does so again (for information, because log rotation has it do so every day or week on many systems).

## Why it matters
Whoever obtains the key of the tickets can read every recorded session that was begun with it, up to TLS 1.2 in spite of
forward secrecy.

## What clients see
Nothing: a session is resumed a little faster.

## How to fix it
`ssl_session_tickets off;`, or a newer nginx: since 1.23.2 the keys are renewed where `ssl_session_cache shared:…` is
set. Apache: `SSLSessionTickets off`, with an `SSLSessionCache` so that sessions can be resumed all the same.

## False alarms that it avoids
It needs to know nginx's version: without a target only the policy is judged. Key files are static-ticket-key's subject.
Servers that reject every handshake have no sessions. Where only TLS 1.3 is negotiated, a ticket's key opens nothing but
early data, since every resumption makes new keys. A resumption of TLS 1.3 without tickets (its messages have the
same name) is not meant.
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
    code="TLS601",
    name="session-tickets",
    severity=Severity.WARNING,
    summary="session tickets are used against the policy, or with a key that never changes",
    why="whoever obtains the key of the tickets can read every session that was begun with it",
    seen='nobody sees it; openssl s_client prints "TLS session ticket"',
    sources=(
        "nginx 1.23.2, CHANGES",
        "RFC 5077, section 5.5",
        "Apache HTTP Server: mod_ssl, SSLSessionTickets",
        "Mozilla SSL Configuration Generator",
    ),
    fix=Safety.SAFE,
)

_ROTATES_SINCE = Version("1.23.2")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each setting that switches tickets on (or off) against the policy or the odds."""
    for endpoints in governed_by(deployment, "session_tickets", "ticket_keys"):
        tls = endpoints[0].tls
        on = tls.session_tickets.known
        if on is None:
            continue
        if policy.session_tickets is not None and on != policy.session_tickets:
            yield _against_policy(endpoints, policy, on)
        elif on and _keeps_its_key(deployment.target, tls) and (exposed := exposed_to_ticket_key(endpoints)):
            yield rule.finding(
                "the key of session tickets never changes for {endpoint}",
                span_of(tls.session_tickets, exposed),
                label=f"nginx {deployment.target.server} keeps one key until it is stopped",
                help="switch ssl_session_tickets off",
                endpoints=labels(exposed),
                fix=_switched(exposed, on=False),
            )
        elif on and deployment.server == "apache" and (exposed := _exposed_on_apache(endpoints)):
            yield rule.finding(
                "the key of session tickets changes for {endpoint} only when Apache reads its configuration",
                span_of(tls.session_tickets, exposed),
                severity=Severity.INFO,
                label="a restart or a reload makes a new key, and nothing else does",
                help="switch SSLSessionTickets off, or have Apache reload its configuration every day",
                endpoints=labels(exposed),
                fix=_switched(exposed, on=False),
            )


def _against_policy(endpoints: list[Endpoint], policy: Policy, on: bool) -> Finding:
    return rule.finding(
        f"session tickets are {'on' if on else 'off'} for {{endpoint}}",
        span_of(endpoints[0].tls.session_tickets, endpoints),
        label=f'policy "{policy.name}" wants them {"off" if on else "on"}',
        source=policy.source_of("session_tickets"),
        help=f"switch session tickets {'off' if on else 'on'}",
        why=rule.why if on else "without tickets a server has to remember every session itself",
        endpoints=labels(endpoints),
        fix=_switched(endpoints, on=not on),
    )


def _switched(endpoints: list[Endpoint], on: bool) -> Fix:
    setting = endpoints[0].tls.session_tickets
    intention = SetValue("session_tickets", on, setting, governing(endpoints, "session_tickets"))
    return Fix(f"switch session tickets {'on' if on else 'off'}", Safety.SAFE, (intention,))


def _exposed_on_apache(endpoints: list[Endpoint]) -> list[Endpoint]:
    if endpoints[0].tls.ticket_keys.known != ():
        return []  # static-ticket-key's subject
    return [item for item in exposed_to_ticket_key(endpoints) if item.handshake.tickets.get("TLSv1.2") is not False]


def _keeps_its_key(target: Target, tls: TlsSettings) -> bool:
    if target.server_kind != "nginx" or not target.known or target.server is None or tls.ticket_keys.is_unknown:
        return False
    return target.server < _ROTATES_SINCE and not tls.ticket_keys.known
