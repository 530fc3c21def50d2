"""A header that tells an application who the client is can be sent by the client itself.

## What it finds
An upstream that gets a header made from `$ssl_client_…` (Apache: `RequestHeader set … "%{SSL_CLIENT_…}s"`) in one
place, and in another place requests in which nothing sets that header, so that it arrives as the client sent it.

## Why it matters
The application cannot tell the server's word from the client's.

## What clients see
A client that sends the header itself is taken for whoever it says.

## How to fix it
Set the header wherever requests go to that upstream, to `""` where there is no client certificate. `proxy_set_header`
is inherited only by a level that has none of its own. With Apache `RequestHeader unset` outside of all hosts does it
for those that do not set the header.

## False alarms that it avoids
A header that is set to any value of the server's own is safe. Other upstreams do not know the header. Parameters of
FastCGI, uwsgi and SCGI cannot be forged by a header of their name. `proxy_pass_request_headers off` passes nothing on.
An Apache host that sets the header in any of its sections is silent.
"""

import re
from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Header, Upstream, VirtualHost
from tlslint.rules.upstreams import labels

rule = Rule(
    code="TLS509",
    name="forgeable-client-header",
    severity=Severity.WARNING,
    summary="a header that tells an application who the client is can be sent by the client itself",
    why="the application cannot tell the server's word from the client's",
    seen="the application gets the header as the client sent it",
    sources=("nginx, ngx_http_proxy_module: proxy_set_header", "Apache HTTP Server, RequestHeader"),
    fix=Safety.MANUAL,
)

_LINES = {"nginx": 'set it to nothing: proxy_set_header {} ""', "apache": "take it away: RequestHeader unset {}"}
PASSING_HEADERS = frozenset(("proxy", "grpc"))
_CLIENT = regex(r"\$\{?ssl_client_|%\{SSL_CLIENT_\w+\}s")
_SCHEME = regex(r"[a-z]+://", re.IGNORECASE)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each place that lets a header through which the upstream trusts."""
    trusted: dict[tuple[str, str], dict[str, Header]] = {}
    for upstream in deployment.upstreams:
        for header in _told(upstream):
            trusted.setdefault(_who(upstream), {}).setdefault(header.name.lower(), header)
    for upstream in deployment.upstreams if trusted else ():
        if upstream.protocol not in PASSING_HEADERS or not upstream.passes_headers:
            continue
        own = {header.name.lower() for header in upstream.request_headers if not _echoes(header)}
        for name, header in trusted.get(_who(upstream), {}).items():
            if name not in own and not any(host.incomplete or _sets(host, name) for host in upstream.virtual_hosts):
                yield rule.finding(
                    f'"{header.name}" is trusted by "{upstream.target}" and passed on here as clients of '
                    "{endpoint} send it",
                    _target_span(upstream),
                    label="nothing sets this header here",
                    help=f'set {header.name} here too, to "" where there is no client certificate',
                    endpoints=labels(upstream),
                    related=[Related(header.place.span, "set from the client's certificate here")],
                    fix=Fix(_LINES[deployment.server].format(header.name), Safety.MANUAL),
                )


def _target_span(upstream: Upstream) -> Span:
    """Return the argument that names the upstream: nginx's only one, the second of Apache's."""
    words = upstream.place.directive.arguments
    return next((word.span for word in words if word == upstream.target), upstream.place.argument(0).span)


def _sets(host: VirtualHost, name: str) -> bool:
    """Whether a section of an Apache host sets the header; whether its requests go to the upstream is not looked at."""
    return any(
        use.place.directive.name.lower() == "requestheader"
        and name in [word.lower().removesuffix(":") for word in use.place.directive.arguments[1:2]]
        for use in host.client_checks.uses
    )


def _told(upstream: Upstream) -> Iterator[Header]:
    if upstream.protocol in PASSING_HEADERS:
        yield from (header for header in upstream.request_headers if _CLIENT.search(header.value))


def _who(upstream: Upstream) -> tuple[str, str]:
    return upstream.protocol, re.split(r"[/?]", _SCHEME.sub("", upstream.target, count=1), maxsplit=1)[0].lower()


def _echoes(header: Header) -> bool:
    """Whether the header is set to what the client sent."""
    sent = "http_" + header.name.lower().replace("-", "_")
    return header.value.strip("${}") == sent
