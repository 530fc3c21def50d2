"""Every request over TLS is redirected to the very place that it came from.

## What it finds
A host with TLS that answers each request with a redirect to `https` and one of its own names (or the name of the
request), on the port that it listens on. The redirect was meant for plain HTTP: with Apache it often stands outside of
the virtual hosts, or in the wrong one of two; with nginx in a server that has `listen … ssl` as well.

## Why it matters
The client comes back with the same request and is redirected again. The site cannot be used at all.

## What clients see
`ERR_TOO_MANY_REDIRECTS`, "The page isn't redirecting properly".

## How to fix it
Put the redirect where only plain HTTP gets to: in the host for port 80, or under a condition (nginx `if ($scheme =
http)`, Apache `RewriteCond %{HTTPS} off`).

## False alarms that it avoids
Redirects under a condition or for some paths; to names that other hosts have, as from `www.`; to another port; from one
path to another.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Endpoint, Location, Redirect, VirtualHost
from tlslint.rules.web import name_span, secure_hosts

HTTPS_PORT = 443
TARGET = regex(
    r"https://(?P<host>\$(?:http_)?host|\$server_name|%\{(?:HTTP_HOST|SERVER_NAME)\}|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>\d+))?(?P<path>(?:[/$%].*)?)"
)
WITH_PORT = ("$http_host", "%{HTTP_HOST}")
SAME_PATH = frozenset(
    ("", "/", "$request_uri", "$uri", "$uri$is_args$args", "%{REQUEST_URI}", "/$1", "$1", "/%{REQUEST_URI}")
)
WHOLE = ("", "/", "= /")

rule = Rule(
    code="TLS812",
    name="looping-redirect",
    severity=Severity.ERROR,
    summary="every request over TLS is redirected to the same place again",
    why="the client comes back with the same request, until it gives up",
    seen="browsers show ERR_TOO_MANY_REDIRECTS",
    sources=("RFC 9110, section 15.4", "Apache HTTP Server, mod_alias, Redirect"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each redirect over TLS that leads back to its own host."""
    for secure in secure_hosts(deployment):
        locations = secure.host.locations
        for location in locations:
            redirect = location.redirect(tls=True)
            if redirect is None or redirect.scheme != "https" or secure.host.incomplete:
                continue
            endpoints = list(_endless(secure.host, secure.endpoints, location, redirect, len(locations) == 1))
            if endpoints:
                yield rule.finding(
                    "requests over TLS are redirected to where they came from by {endpoint}",
                    name_span(redirect.place, redirect.target),
                    label="taken by requests over TLS too",
                    help="keep this redirect for plain HTTP",
                    endpoints=[endpoint.label for endpoint in endpoints],
                )


def _endless(
    host: VirtualHost, endpoints: list[Endpoint], location: Location, redirect: Redirect, alone: bool
) -> Iterator[Endpoint]:
    """Yield the endpoints of a host to which a redirect leads back."""
    target = TARGET.fullmatch(redirect.target)
    if target is None or location.path not in WHOLE or location.condition:
        return
    same_path = target["path"] in SAME_PATH
    if not same_path and (location.path or not alone):
        return
    name, port = target["host"], target["port"]
    is_own = name[0] in "$%" or any(each.text.lower() == name.lower() for each in host.names if each.kind == "exact")
    for endpoint in endpoints if is_own else ():
        here = endpoint.listener.port
        if (port is None and name in WITH_PORT) or int(port or HTTPS_PORT) == here:
            yield endpoint


__all__ = ["check", "rule"]
