"""Whether the server's or the client's order of suites decides differs from the policy.

## What it finds
`ssl_prefer_server_ciphers` (or its counterpart) on where the policy leaves the choice to the client, or off where it
wants the server to choose.

## Why it matters
With strong suites only, the client knows best: a phone without AES instructions prefers ChaCha20-Poly1305. With weak
suites on the list, the server has to choose.

## What clients see
Nothing but speed.

## How to fix it
Follow the policy.

## False alarms that it avoids
Hosts with TLS 1.3 only, and lists of which a client can get one suite only, are silent. `PrioritizeChaCha` is an
accepted way to let such phones choose.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Handshake
from tlslint.rules.words import directive_of, governing

rule = Rule(
    code="TLS209",
    name="cipher-order-preference",
    severity=Severity.INFO,
    summary="whether the server's or the client's order of suites decides differs from the policy",
    why="with strong suites only, the client knows best which one is fast; with weak ones the server has to choose",
    seen="nothing; slower transfers on phones at most",
    sources=("Mozilla/TLSRef guidelines, server_preferred_order",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each setting of the order that is not the policy's."""
    if policy.server_preferred_order is None:
        return
    for handshake in deployment.offers():
        below = [set(names) for version, names in handshake.ciphers.items() if version != "TLSv1.3"]
        setting = handshake.tls.server_order
        if not handshake.endpoints or setting.known is None or all(len(names) < 2 for names in below):
            continue
        if setting.known != policy.server_preferred_order and "PrioritizeChaCha" not in handshake.tls.options:
            yield _finding(handshake, policy)


def _finding(handshake: Handshake, policy: Policy) -> Finding:
    setting = handshake.tls.server_order
    who, other = ("server's", "client's") if setting.known else ("client's", "server's")
    name = directive_of(setting) or "the default"
    hosts = governing(handshake.endpoints, "server_order")
    chooser = "server" if other == "server's" else "client"
    title = f"leave the choice of the suite to the {chooser}"
    return rule.finding(
        f"the {who} order of cipher suites decides for {{endpoint}}",
        setting.span or handshake.endpoints[0].answering.span,
        label=f'policy "{policy.name}" wants the {other}',
        source=policy.source_of("server_preferred_order"),
        help=f"switch {name} {'off' if setting.known else 'on'}"
        if setting.explicit
        else "switch the server's preference on",
        endpoints=handshake.labels,
        fix=Fix(title, Safety.SAFE, (SetValue("server_order", not setting.known, setting, hosts),)),
    )
