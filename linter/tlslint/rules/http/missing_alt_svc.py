"""A site speaks HTTP/3 and never tells browsers so.

## What it finds
Hosts with a QUIC listener whose answers over TLS have no `Alt-Svc` header from the server.

## Why it matters
Browsers connect over TCP first and change to HTTP/3 when the server has advertised it. Without the header (or an HTTPS
record in the DNS, which no configuration shows) the QUIC listener is there for nobody.

## What clients see
HTTP/2 or HTTP/1.1, always.

## How to fix it
`add_header Alt-Svc 'h3=":443"; ma=86400' always;` with the port of the QUIC listener as clients see it.

## False alarms that it avoids
A header in any place of the host is enough. Hosts that only redirect or refuse, hosts without TLS over TCP, and
`http3 off` are silent, and so it is where a script may set headers or an include could not be read. Apache has no
HTTP/3.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, VirtualHost
from tlslint.rules.hosts import listen_span
from tlslint.rules.web import half_read, secure_hosts, serves_content

rule = Rule(
    code="TLS811",
    name="missing-alt-svc",
    severity=Severity.INFO,
    summary="a site speaks HTTP/3 and never tells browsers so",
    why="browsers use HTTP/3 only where an Alt-Svc header or a DNS record has told them of it",
    seen="browsers stay with HTTP/2",
    sources=("RFC 9114, section 3.1.1", "RFC 7838", "nginx, Support for QUIC and HTTP/3"),
    servers=("nginx",),
)

ALT_SVC = "alt-svc"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each QUIC listener of a host that does not advertise it."""
    if deployment.fragment or not any(listener.transport == "quic" for listener in deployment.listeners):
        return
    broken = half_read(deployment)
    for secure in secure_hosts(deployment):
        quic = [item for item in secure.endpoints if item.listener.transport == "quic" and "h3" in item.handshake.alpn]
        over_tcp = [item.label for item in secure.endpoints if item.listener.transport == "tcp"]
        host = secure.host
        if quic and over_tcp and host.place.directive.source not in broken and _is_silent(host):
            yield rule.finding(
                "no Alt-Svc header tells the clients of {endpoint} that there is HTTP/3",
                listen_span(quic[0].listener, host),
                label="never advertised by the server",
                help="""add_header Alt-Svc 'h3=":443"; ma=86400' always""",
                endpoints=over_tcp,
            )


def _is_silent(host: VirtualHost) -> bool:
    """Whether the host serves pages and surely adds the header nowhere."""
    if host.incomplete or not any(serves_content(location, tls=True) for location in host.locations):
        return False
    return not any(
        location.doubt or any(header.name.lower() == ALT_SVC for header in location.headers)
        for location in host.locations
    )
