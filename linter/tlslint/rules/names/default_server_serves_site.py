"""Clients that ask for an unknown name, or for none, get the certificate and the pages of one of the sites.

## What it finds
A socket that several hosts share and whose default is a site with a name of its own.

## Why it matters
Whoever asks for a name that no longer exists, was mistyped, or points here by mistake is answered by somebody else's
site; search engines index it under foreign names, and certificate errors blame the wrong host.

## What clients see
ERR_CERT_COMMON_NAME_INVALID; curl: no alternative certificate subject name matches.

## How to fix it
Add a default host that serves nothing: in nginx `listen 443 ssl default_server; ssl_reject_handshake on;` (since
1.19.4), one for all address families of a port. Apache cannot reject the handshake; a first host that refuses all
requests (`<Location "/">` with `Require all denied`) turns strangers away with 403. It needs a certificate, and repeats
what the former first host decides for all hosts of the address. `SSLStrictSNIVHostCheck on` refuses clients without SNI
only: whoever sends an unknown name gets the site all the same. Clients without SNI (very old ones) and requests by
address are then turned away: this is why the fix is not applied without being asked for.

## False alarms that it avoids
A single host on its socket is silent, although strangers reach it too: it is what a server for one site looks like, and
no other site is confused with it. A default that rejects the handshake, closes the connection (444) or answers every
request with an error, and one whose names are no host names (`_`), is what is asked for. Where an include could not be
read and nothing is marked, the default is not known.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import AddRejectingHost, Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import ANY_OTHER_NAME, NO_SNI, Deployment, Endpoint, Listener, VirtualHost
from tlslint.rules.hosts import is_real_name, may_say_more, shared_sockets

rule = Rule(
    code="TLS404",
    name="default-server-serves-site",
    severity=Severity.WARNING,
    summary="unknown names and clients without SNI reach one of the sites",
    why="whoever asks for a name that does not exist here gets the certificate and pages of another site",
    seen="curl: (60) SSL: no alternative certificate subject name matches …",
    sources=(
        "CIS NGINX Benchmark, Ensure requests for unknown host names are rejected",
        "nginx, Configuring HTTPS servers",
        "Apache HTTP Server, Name-based Virtual Host Support",
    ),
    fix=Safety.UNSAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each default server that is a site with a name."""
    shared = {id(listener) for listener in shared_sockets(deployment)}
    sockets: dict[int, list[Listener]] = {}
    for listener in shared_sockets(deployment):
        sockets.setdefault(id(listener.default), []).append(listener)
    for endpoint in deployment.endpoints:
        if endpoint.sni in (NO_SNI, ANY_OTHER_NAME) and id(endpoint.listener) in shared:
            yield from _check(endpoint, sockets[id(endpoint.virtual_host)], deployment.server == "nginx")


def _check(endpoint: Endpoint, sockets: list[Listener], nginx: bool) -> Iterator[Finding]:
    listener, default = endpoint.listener, endpoint.virtual_host
    if endpoint.handshake.outcome not in ("completes", "unknown"):
        return
    if endpoint.refused_by is not None:
        return
    if default.incomplete or _turns_away(default) or (listener.explicit_default is None and may_say_more(listener)):
        return
    name = next((name for name in default.names if is_real_name(name)), None)
    if name is not None and name.argument is not None:
        yield rule.finding(
            f"the site {name.text} answers {{endpoint}}",
            name.argument.span,
            label="default server of the socket" if nginx else "first host of the socket",
            help="add a default host that rejects the handshake" if nginx else "put a host first that refuses requests",
            endpoints=[endpoint.label],
            fix=Fix(
                "add a default host that rejects the handshake" if nginx else "put a host first that refuses requests",
                Safety.UNSAFE,
                (AddRejectingHost(tuple(sockets)),),
            ),
        )


def _turns_away(host: VirtualHost) -> bool:
    """Whether the host answers every request with an error, or not at all."""
    top = next((location for location in host.locations if not location.path), None)
    return top is not None and top.returns is not None and top.returns >= 400
