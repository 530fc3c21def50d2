"""A host's protocol versions have no effect, because the socket's default server decides them.

## What it finds
On a socket that several hosts share, nginx before 1.29.2 (and any nginx with LibreSSL) takes the protocol versions
from the default server, whatever the selected host says. `MinProtocol` and `MaxProtocol` commands of a host that is
not the default server are without effect on every version. Apache before 2.4.42 (and any with a library older than
OpenSSL 1.1.1) takes them from the first virtual host of the address; on newer ones the commands of another host are
without effect as long as no `SSLProtocol` is set for it or outside of all hosts.

## Why it matters
A host that asks for TLS 1.3 only is served with everything that the default server allows, and nobody is told.

## What clients see
They negotiate the default server's versions; a client that has none of those fails with `protocol version`.

## How to fix it
Set the versions in the default server or at the level above all hosts, give the host a socket of its own, or upgrade.

## False alarms that it avoids
Equal values, hosts on a socket of their own and the default server itself are silent. Where the server's version is
not known, the finding says on which versions it holds.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment, Endpoint, Listener, Setting, Shadow
from tlslint.rules.words import directive_of, listed, negotiating

rule = Rule(
    code="TLS107",
    name="shadowed-protocols",
    severity=Severity.ERROR,
    summary="a host's protocol versions have no effect, because the socket's default server decides them",
    why="before nginx 1.29.2 and Apache 2.4.42 the version is agreed on before the name is looked at",
    seen="clients negotiate the default server's versions: `openssl s_client -servername` shows them",
    sources=(
        "nginx, ssl_protocols: virtual servers",
        "nginx change log, 1.29.2",
        "Apache HTTP Server, CHANGES, 2.4.42: SSLProtocol per virtual host",
    ),
    fix=Safety.UNSAFE,
)

Wishes = set[tuple[str, ...]]
DECIDERS = {"nginx": "the socket's default server", "apache": "the first virtual host of the address"}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each line that sets versions which do not govern."""
    wishes: dict[Listener, Wishes] = {}
    for endpoint in negotiating(deployment):
        shadow = next((shadow for shadow in endpoint.shadowed if shadow.field == "protocols"), None)
        if shadow is not None:
            listener = endpoint.listener
            if listener not in wishes:
                wishes[listener] = _wishes(listener)
            yield _shadowed(endpoint, shadow, policy, wishes[listener], DECIDERS[deployment.server])
        else:
            yield from _ignored_command(endpoint, DECIDERS[deployment.server])


def _wishes(listener: Listener) -> Wishes:
    """Return the versions that the hosts of a socket ask for themselves, its default server aside."""
    settings = {host.tls.setting("protocols") for host in listener.virtual_hosts if host is not listener.default}
    return {tuple(_versions(setting)) for setting in settings if setting.explicit}


def _shadowed(endpoint: Endpoint, shadow: Shadow, policy: Policy, wishes: Wishes, decider: str) -> Finding:
    own, governing = _versions(shadow.own), _versions(shadow.governing)
    weaker = min(governing, default="") < min(own, default="")
    where = f"on {shadow.versions}, " if shadow.versions else ""
    span = shadow.own.span
    assert span is not None
    return rule.finding(
        f"{where}{directive_of(shadow.own)} has no effect for {{endpoint}}: {decider} decides, "
        f"with {listed(governing) or 'none'}",
        span,
        severity=Severity.ERROR if weaker and not shadow.versions else Severity.WARNING,
        label="not in force" + (f" on {shadow.versions}" if shadow.versions else ""),
        help=f"set the versions in {decider} or above all hosts, or give this host an address or port of its own",
        endpoints=[endpoint.label],
        related=_decider(endpoint, shadow.governing),
        fix=_fix(endpoint, shadow, own, policy, wishes),
    )


def _fix(endpoint: Endpoint, shadow: Shadow, own: list[str], policy: Policy, wishes: Wishes) -> Fix | None:
    """Let the default server ask for what the host asks for, where no other host of the socket asks for more."""
    allowed = all(policy.judge_protocol(name) is ProtocolVerdict.ALLOWED for name in own)
    if wishes - {tuple(own)} or not own or not allowed:
        return None
    intention = SetValue("protocols", tuple(own), shadow.governing, (endpoint.listener.default,))
    return Fix(f"allow {listed(own)} where it is decided", Safety.UNSAFE, (intention,))


def _ignored_command(endpoint: Endpoint, decider: str) -> Iterator[Finding]:
    own, governing = endpoint.answering.tls.effective_protocols, endpoint.tls.effective_protocols
    if own is governing:
        return
    by_command = own.places[len(endpoint.answering.tls.protocols.places) :]
    if own.known is None or governing.known is None or own.known == governing.known or not by_command:
        return
    weaker = min(governing.known, default="") < min(own.known, default="")
    command = by_command[-1].directive
    yield rule.finding(
        f"{command.name} {command.arguments[0]} has no effect for {{endpoint}}: {decider} decides, "
        f"with {listed(sorted(governing.known)) or 'none'}",
        by_command[-1].span,
        severity=Severity.ERROR if weaker else Severity.WARNING,
        label="not in force",
        help=f"give the command to {decider}",
        endpoints=[endpoint.label],
        related=_decider(endpoint, governing),
    )


def _versions(setting: Setting[object]) -> list[str]:
    value = setting.known
    return sorted(map(str, value)) if isinstance(value, frozenset) else []


def _decider(endpoint: Endpoint, governing: Setting[object] | Setting[frozenset[str]]) -> list[Related]:
    span = governing.span or endpoint.listener.default.span
    return [Related(span, "decides for every name on this socket")]
