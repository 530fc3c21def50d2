"""Several TLS hosts share a socket, and which of them answers unknown names is left to the order of the files.

## What it finds
A socket with two or more hosts of which none is marked `default_server`. nginx takes the first one that it reads. Each
address and port is a socket of its own: IPv4 and IPv6 are marked separately, and TCP and QUIC too.

## Why it matters
The default server presents its certificate to clients without SNI and with unknown names, and it decides settings for
the whole socket (session cache, groups, on nginx before 1.29.2 also protocol versions). A new file whose name sorts
first takes over without a word.

## What clients see
A certificate of another site, after somebody added or renamed a file.

## How to fix it
Mark the host that is the default today, or better: add one that rejects the handshake
(`listen 443 ssl default_server; ssl_reject_handshake on;`).

## False alarms that it avoids
A socket with one host needs no mark. `mail` has no default servers, `stream` only since nginx 1.25.5. Where an include
could not be read, the mark may be there. A host without a real name that happens to be first is reported for
information only. A QUIC socket follows the TCP socket beside it. Apache has no such mark: its first host is the
default.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import AddArgument, Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, VirtualHost
from tlslint.rules.hosts import is_real_name, listen_span, may_say_more, shared_sockets

rule = Rule(
    code="TLS403",
    name="implicit-default-server",
    severity=Severity.WARNING,
    summary="several TLS hosts share a socket and none is marked as its default",
    why="the order of the files decides who answers unknown names, and whose settings govern the socket",
    seen="a certificate of another site, after a file was added or renamed",
    sources=(
        "nginx, How nginx processes a request",
        "nginx, listen (default_server)",
    ),
    servers=("nginx",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each `listen` line that makes a host the default by chance."""
    marked = {
        (listener.address, listener.port): listener.default
        for listener in deployment.listeners
        if listener.explicit_default is not None and listener.transport == "tcp"
    }
    for listener in shared_sockets(deployment):
        if listener.explicit_default is not None or may_say_more(listener):
            continue
        if listener.transport == "quic" and marked.get((listener.address, listener.port)) is listener.default:
            continue
        yield _finding(listener, listener.default)


def _finding(listener: Listener, default: VirtualHost) -> Finding:
    named = any(is_real_name(name) for name in default.names)
    return rule.finding(
        f"{default.label} answers unknown names on {{endpoint}} only because it is read first",
        listen_span(listener, default),
        severity=Severity.WARNING if named else Severity.INFO,
        label="not marked as the default",
        help="mark the default with default_server, or add a default that rejects the handshake",
        endpoints=[listener.label],
        fix=_fix(listener, default),
    )


def _fix(listener: Listener, default: VirtualHost) -> Fix | None:
    place = next((place for owner, place in listener.places if owner is default), None)
    if place is None:
        return None
    return Fix(f"mark {default.label} as the default", Safety.SAFE, (AddArgument(place, "default_server"),))
