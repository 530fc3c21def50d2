"""A TLS host without a name shares its socket with others: no client can ask for it.

## What it finds
A host that has no name (or only the empty one), is not the default of the socket, and is not alone on it.

## Why it matters
TLS clients are told apart by the name that they send. This host's certificate and settings are never used. (Apache
gives it the name of the main server or, with an address of its own, what the reverse lookup gives.)

## What clients see
The certificate of the default server.

## How to fix it
Name the host, make it the default, or remove it.

## False alarms that it avoids
The default server needs no name. A socket with one host is silent, as are `mail`, and `stream` before nginx 1.25.5,
where names play no part. Where a part of the host could not be read, the name may be there.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, VirtualHost
from tlslint.rules.hosts import shared_sockets

rule = Rule(
    code="TLS411",
    name="missing-server-name",
    severity=Severity.WARNING,
    summary="a TLS host without a name shares its socket with others",
    why="no client can ask for it, so that its certificate is never used",
    seen="the certificate of the default server",
    seen_apache="the certificate of the first host of the address",
    sources=(
        "nginx, Server names",
        "Apache HTTP Server, Name-based Virtual Host Support",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each host that nobody can reach by name."""
    for listener in shared_sockets(deployment):
        for host in listener.virtual_hosts:
            if host is listener.default or host.incomplete or _is_named(host):
                continue
            yield rule.finding(
                _message(host, deployment.server),
                host.span,
                label="never selected" if deployment.server == "nginx" else "has no name of its own",
                help="name the host, or remove it",
                endpoints=[listener.label],
            )


def _is_named(host: VirtualHost) -> bool:
    return any(name.kind not in ("empty", "inherited") for name in host.names)


def _message(host: VirtualHost, server: str) -> str:
    if server == "nginx":
        return "no client can ask for this host on {endpoint}: it has no name"
    given = next((name.text for name in host.names if name.kind == "inherited"), "")
    if given:
        return f"clients get to this host on {{endpoint}} only as {given}, the name of the main server: it has none"
    return "this host on {endpoint} has no name but what the reverse lookup of its address gives"
