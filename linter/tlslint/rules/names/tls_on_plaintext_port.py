"""TLS is spoken on port 80, where clients speak plain HTTP.

## What it finds
A TCP socket on port 80 that speaks TLS. nginx: through `listen 80 ssl`, through `listen 192.0.2.1 ssl` (a missing port
is 80), or through `ssl on` (before 1.25.1) in a server that listens on 80 as well. Apache: through `SSLEngine on` in
the first host of the address, or outside of all hosts, from where each host has it that does not switch it off.

## Why it matters
One such line is enough for the whole socket: every redirect to HTTPS on it stops working, and so do ACME challenges,
so that certificates are not renewed.

## What clients see
400 The plain HTTP request was sent to HTTPS port; from Apache 400 Bad Request with a few words about it.

## How to fix it
Remove `ssl` from the line (Apache: `SSLEngine off` in the hosts on port 80), or name the port 443. The fix does the
first where the hosts of the socket speak TLS on another one as well; elsewhere the port may be what is wrong. There is
none where they verify clients: their pages would be open to everybody.

## False alarms that it avoids
Ports other than 80 may be whatever they are. UDP is not looked at.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import AddDirective, Fix, Intention, RemoveArgument, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, Place, VirtualHost
from tlslint.rules.hosts import listen_span, may_say_more, stands_in

rule = Rule(
    code="TLS409",
    name="tls-on-plaintext-port",
    severity=Severity.ERROR,
    summary="TLS is spoken on port 80",
    why="whoever asks for http:// gets an error instead of a redirect, and ACME challenges fail",
    seen="400 The plain HTTP request was sent to HTTPS port",
    seen_apache="400 Bad Request: You're speaking plain HTTP to an SSL-enabled server port",
    sources=("nginx, Configuring HTTPS servers", "Apache HTTP Server, SSLEngine"),
    fix=Safety.SAFE,
)

_HELP = "take TLS off this line, or name port 443"
_HELP_APACHE = "switch SSLEngine off in the hosts on port 80"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each line that makes port 80 speak TLS."""
    for listener in deployment.tls_listeners():
        if listener.port != 80 or listener.transport != "tcp" or not listener.address:
            continue
        place = listener.default.tls_switch or next(iter(_causes(listener)), None)
        apache = deployment.server == "apache"
        yield rule.finding(
            "{endpoint} expects TLS on port 80",
            listen_span(listener, listener.default) if place is None else place.span,
            label="the whole socket speaks TLS",
            help=_HELP_APACHE if apache else _HELP,
            endpoints=[listener.label],
            fix=_fix(deployment, listener),
        )


def _causes(listener: Listener) -> list[Place]:
    return [place for _, place in listener.places if "ssl" in place.directive.arguments]


def _fix(deployment: Deployment, listener: Listener) -> Fix | None:
    """Have the socket speak plain HTTP, where that exposes nothing that clients were verified for."""
    hosts = listener.virtual_hosts
    if may_say_more(listener) or any(host.tls.client_check.known != "none" for host in hosts):
        return None
    intentions: list[Intention] = []
    if deployment.server == "apache":
        for host in hosts:
            switch = host.tls_switch
            if host.is_main or (switch is not None and _listens_elsewhere(host, listener)):
                return None  # its TLS is switched on for all of its addresses
            if switch is None or not stands_in(switch, host):
                intentions.append(AddDirective("SSLEngine", ("off",), host=host))
            else:
                intentions.append(ReplaceArguments(switch, ("off",)))
    else:
        for place in _causes(listener):
            word = next(word for word in place.directive.arguments if word == "ssl")
            intentions.append(RemoveArgument(place, word))
    others = [other for other in deployment.tls_listeners() if other.port != listener.port]
    if not intentions or not all(_has_tls(host, others) for host in hosts):
        return None  # the port may be what is wrong
    return Fix(f"speak plain HTTP on {listener.label}", Safety.SAFE, tuple(intentions))


def _listens_elsewhere(host: VirtualHost, listener: Listener) -> bool:
    return any(other.port != listener.port for other in host.listeners)


def _has_tls(host: VirtualHost, listeners: Iterable[Listener]) -> bool:
    """Whether one of the sockets is of this host or of one with the same name."""
    names = {name.text.lower() for name in host.names if name.kind != "empty"}
    return any(
        host is there or not names.isdisjoint(name.text.lower() for name in there.names)
        for listener in listeners
        for there in listener.virtual_hosts
    )
