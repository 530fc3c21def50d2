"""A site that is served over TLS is served over plain HTTP as well.

## What it finds
A host that serves pages on port 80 under a name that is also served over TLS, without any redirect to `https`.

## Why it matters
Visitors who type the name stay on plain HTTP, where everything can be read and changed on the way.

## What clients see
"Not secure" in the address bar.

## How to fix it
Answer port 80 with `return 301 https://$host$request_uri;`, in a server of its own. Keep ACME challenges reachable.
Apache: `Redirect permanent / https://www.example.org/` in a virtual host for port 80. A `RewriteRule` works only behind
`RewriteEngine on` in the same host: virtual hosts do not inherit the rules of the main server.

## False alarms that it avoids
Any redirect to `https` in the host, conditional ones included; servers that only refuse; ACME challenges; loopback and
unix sockets; other ports than 80; a socket that takes the PROXY protocol, behind a balancer that may redirect itself;
hosts of which a part could not be read.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, Place, VirtualHost
from tlslint.rules.web import HTTP_PORT, half_read, secure_hosts, serves_content

rule = Rule(
    code="TLS805",
    name="missing-https-redirect",
    severity=Severity.INFO,
    summary="a site with TLS is also served over plain HTTP, without a redirect",
    why="what is sent over plain HTTP can be read and changed on the way",
    seen='browsers show "Not secure"',
    sources=("RFC 6797, section 7.2", "Mozilla Web Security Guidelines, HTTP Redirections"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield the hosts that serve pages on port 80 under the name of a TLS host."""
    secure = {name.text.lower() for item in secure_hosts(deployment) for name in item.host.names if name.text}
    secure.discard("_")
    broken = half_read(deployment)
    is_apache = deployment.server == "apache"
    for listener in deployment.listeners:
        if not _is_public_http(listener):
            continue
        for host, place in _hosts(listener, is_apache):
            names = [name.text for name in host.names if name.text.lower() in secure]
            if names and host.place.directive.source not in broken and _stays_plain(host):
                yield rule.finding(
                    "pages are served over plain HTTP by {endpoint}, although the name is served over TLS too",
                    place.argument(0).span,
                    label="no request is redirected to https",
                    help="redirect to https in a virtual host for this port; rules of the main server do not count"
                    if is_apache
                    else "redirect to https in a server of its own for this port",
                    endpoints=[f"{names[0]} on {listener.label}"],
                )


def _hosts(listener: Listener, is_apache: bool) -> Iterable[tuple[VirtualHost, Place]]:
    """Return who answers on a socket, and which directive says so: Apache has one `Listen` for all."""
    if not is_apache:
        return listener.places
    opening = listener.places[0][1] if listener.places else None
    return [
        (host, host.place if not host.is_main or opening is None else opening)
        for host in listener.virtual_hosts
        if host.place.directive.arguments
    ]


def _is_public_http(listener: Listener) -> bool:
    return (
        listener.module == "http"
        and not listener.tls
        and listener.port == HTTP_PORT
        and not listener.proxy_protocol
        and not listener.address.startswith(("127.", "[::1]"))
    )


def _stays_plain(host: VirtualHost) -> bool:
    if host.incomplete:
        return False
    locations = host.locations
    if any(redirect.scheme in ("https", "") for location in locations for redirect in location.redirects):
        return False
    if any(location.doubt for location in locations):
        return False
    return any(serves_content(location, tls=False) for location in locations)
