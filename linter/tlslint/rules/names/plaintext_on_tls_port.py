"""Plain HTTP is spoken where clients expect TLS.

## What it finds
A socket on port 443 or 8443 that does not speak TLS (on 8443, and where the PROXY protocol shows a balancer in front,
it is a warning), and a host that has a certificate of its own but no socket with TLS on which it could present it.

## Why it matters
Every TLS client fails, and what the certificate was meant to protect travels in clear text.

## What clients see
curl: (35) … wrong version number; browsers: ERR_SSL_PROTOCOL_ERROR, SSL_ERROR_RX_RECORD_TOO_LONG.

## How to fix it
nginx: add `ssl` to the `listen` line. Apache: `SSLEngine on`.

## False alarms that it avoids
One host that says `ssl` switches TLS on for all on its socket. `stream` passes TLS through without speaking it. A
socket on a loopback address is between programs of one machine. A certificate that is inherited from outside of the
host is meant for others. Where an include could not be read, another host may say `ssl`.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, VirtualHost
from tlslint.rules.hosts import is_local, listen_span, may_say_more, stands_in

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
)


_TLS_PORTS = (443, 8443)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each socket that ought to speak TLS, and each certificate that no socket presents."""
    reported: set[int] = set()
    plain = [listener for listener in deployment.listeners if _is_plain_http(listener)]
    for listener in plain:
        if listener.port in _TLS_PORTS and not is_local(listener.address):
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
    return rule.finding(
        f"{{endpoint}} speaks plain HTTP on port {listener.port}",
        listen_span(listener, listener.default),
        severity=Severity.WARNING if behind_balancer else Severity.ERROR,
        label="without TLS",
        help=_help(server),
        endpoints=[listener.label],
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
            help=_help(server),
            endpoints=[listener.label for listener in host.listeners],
        )


def _help(server: str) -> str:
    return 'add "ssl" to the listen line' if server == "nginx" else "switch SSLEngine on"
