"""Plain HTTP is spoken where clients expect TLS.

## What it finds
A socket on port 443 or 8443 that does not speak TLS (on 8443, and where the PROXY protocol shows a balancer in front,
it is a warning), and a host that has a certificate of its own but no socket with TLS on which it could present it.

Apache: the first host of an address decides for all of them. TLS is on where `SSLEngine on` says so or, unasked, where
the `Listen` line with the very address of the host is for `https` (port 443) and the host has a certificate: `Listen
443` does that for `*:443`, not for `192.0.2.1:443`. `SSLEngine optional` is off since 2.4.64.

## Why it matters
Every TLS client fails, and what the certificate was meant to protect travels in clear text.

## What clients see
curl: (35) … wrong version number; browsers: ERR_SSL_PROTOCOL_ERROR, SSL_ERROR_RX_RECORD_TOO_LONG.

## How to fix it
nginx: add `ssl` to the `listen` line. Apache: `SSLEngine on` in all hosts of the address. The fix is safe where a host
of the socket has a certificate, the port is one for TLS and nobody switched TLS off by word; a socket behind a balancer
and one on another port is changed on request only.

## False alarms that it avoids
One host that says `ssl` switches TLS on for all on its socket. `stream` passes TLS through without speaking it. A
socket on a loopback address is between programs of one machine. A certificate that is inherited from outside of the
host is meant for others. Where an include could not be read, another host may say `ssl`. What is left of a socket on
all addresses when hosts have addresses of their own is silent: the machine may have no other address.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import AddArgument, AddDirective, Fix, Intention, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, VirtualHost
from tlslint.rules.hosts import is_local, listen_span, may_say_more, stands_in
from tlslint.rules.words import listed

rule = Rule(
    code="TLS408",
    name="plaintext-on-tls-port",
    severity=Severity.ERROR,
    summary="plain HTTP is spoken where clients expect TLS",
    why="every TLS client fails, and nothing is encrypted",
    seen="curl: (35) … wrong version number; browsers: ERR_SSL_PROTOCOL_ERROR",
    sources=(
        "nginx, Configuring HTTPS servers",
        "Apache HTTP Server, SSLEngine",
    ),
    fix=Safety.SAFE,
)

_TLS_PORTS = (443, 8443)
_HTTP_PORT = 80


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each socket that ought to speak TLS, and each certificate that no socket presents."""
    reported: set[int] = set()
    plain = [listener for listener in deployment.listeners if _is_plain_http(listener)]
    for listener in plain:
        if listener.port in _TLS_PORTS and not is_local(listener.address) and not listener.is_remainder:
            reported.update(id(host) for host in listener.virtual_hosts)
            yield _plain_port(listener, deployment.server)
    plain_ids = {id(listener) for listener in plain}
    for host in deployment.virtual_hosts:
        if id(host) not in reported and all(id(listener) in plain_ids for listener in host.listeners):
            yield from _unused_certificate(host, deployment.server)


def _is_plain_http(listener: Listener) -> bool:
    return listener.module == "http" and not listener.tls and listener.transport == "tcp" and not may_say_more(listener)


def _plain_port(listener: Listener, server: str) -> Finding:
    behind_balancer = listener.port != 443 or listener.proxy_protocol
    span, label, related = listen_span(listener, listener.default), "without TLS", []
    if server == "apache" and listener.default.is_main:
        label = "no virtual host is for this port: the main server answers, without TLS"
    elif server == "apache":
        # the host decides, and not the line that opens the socket
        switch = listener.default.tls_switch
        related = [Related(span, "opens the socket")]
        span = listener.default.span if switch is None else switch.span
        label = "its first host does not speak TLS" if switch is None else "does not switch TLS on"
    return rule.finding(
        f"{{endpoint}} speaks plain HTTP on port {listener.port}",
        span,
        severity=Severity.WARNING if behind_balancer else Severity.ERROR,
        label=label,
        help=_help(listener, server),
        endpoints=[listener.label],
        related=related,
        fix=_fix([listener], server),
    )


def _unused_certificate(host: VirtualHost, server: str) -> Iterator[Finding]:
    if not host.listeners:
        return
    own = [pair for pair in host.tls.certificates.known or () if stands_in(pair.place, host)]
    if own:
        yield rule.finding(
            "a certificate is configured, but {endpoint} speaks plain HTTP",
            own[0].place.span,
            severity=Severity.WARNING,
            label="never presented",
            help=_help(host.listeners[0], server),
            endpoints=[listener.label for listener in host.listeners],
            fix=_fix(host.listeners, server),
        )


def _help(listener: Listener, server: str) -> str:
    if listener.port == _HTTP_PORT:
        return "name port 443" if server == "nginx" else "give the host an address with port 443"
    if server == "nginx":
        return 'add "ssl" to the listen line'
    if listener.default.is_main:
        return "add a virtual host with SSLEngine on for this port, or take the line away"
    if not listener.default.tls.certificates.value and len(listener.virtual_hosts) > 1:
        return "give the first host of the address a certificate, or put a host that has one first"
    return "switch SSLEngine on in all hosts of the address"


def _fix(listeners: list[Listener], server: str) -> Fix | None:
    """Switch TLS on for sockets, where the host that opens their connections has a certificate."""
    if any(listener.port == _HTTP_PORT or not listener.default.tls.certificates.known for listener in listeners):
        return None
    on_request = any(listener.port not in _TLS_PORTS or listener.proxy_protocol for listener in listeners)
    intentions: list[Intention] = []
    for listener in listeners:
        if server == "nginx":
            place = next((place for host, place in listener.places if host is listener.default), None)
            if place is None:
                return None
            intentions.append(AddArgument(place, "ssl"))
            continue
        for host in listener.virtual_hosts:
            if not host.tls.certificates.known or host.is_main:
                continue
            switch = host.tls_switch
            if switch is None or not stands_in(switch, host):
                intentions.append(AddDirective("SSLEngine", ("on",), host=host))
            elif [word.lower() for word in switch.directive.arguments] != ["on"]:
                intentions.append(ReplaceArguments(switch, ("on",)))
            on_request = on_request or (switch is not None and host is listener.default)
    if not intentions:
        return None
    where = listed(listener.label for listener in listeners)
    return Fix(f"speak TLS on {where}", Safety.UNSAFE if on_request else Safety.SAFE, tuple(intentions))
