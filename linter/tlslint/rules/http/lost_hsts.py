"""An inner level that sets headers of its own drops Strict-Transport-Security.

## What it finds
nginx hands `add_header` down only to levels that have none of their own: one `add_header` in a location drops every one
of the server's. The finding points at the line that does it, and shows the header that is lost.

Apache hands every header down; there it is a `Header unset` further in (in the virtual host, a `<Location>` …) that
takes the header away. It works on the table that it names only: an `unset` without `always` does not touch a header
that was set with `always`.

## Why it matters
Visitors who only ever meet such a location never learn that the site is TLS only, and other security headers
are usually lost with it.

## What clients see
`curl -I` shows the header on some paths and not on others.

## How to fix it
Repeat the header in the inner level, keep all headers in one file that each level includes, or write
`add_header_inherit merge` (nginx 1.29.3 and later). On Apache remove the `unset`.

## False alarms that it avoids
A level that repeats the header, inherits by `add_header_inherit`, only redirects or refuses, or serves ACME challenges;
hosts without TLS. A Strict-Transport-Security header that another one replaces is not lost.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import AddDirective, Fix, RemoveDirective, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, LostHeader
from tlslint.rules.web import HSTS, may_be_sent, secure_hosts, serves_content

rule = Rule(
    code="TLS803",
    name="lost-hsts",
    severity=Severity.WARNING,
    summary="Strict-Transport-Security is dropped by an inner level with headers of its own",
    why="visitors who meet such a page only never learn that the site is TLS only",
    seen="curl -I shows the header on some paths only",
    sources=("nginx: ngx_http_headers_module, add_header", "Apache HTTP Server: mod_headers, Header"),
    fix=Safety.UNSAFE,
)
HELP = {
    "nginx": "repeat the header here, or inherit with add_header_inherit merge (nginx 1.29.3 and later)",
    "apache": "remove the line",
}
DROPPING = {"apache": "Header unset"}
LABELS = {"nginx": "no header of the outer levels is inherited", "apache": "takes the header away"}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive that drops the header for a place where pages are served."""
    for secure in secure_hosts(deployment):
        for location in secure.host.locations:
            if not location.lost_headers or not serves_content(location, tls=True) or location.doubt:
                continue
            for lost in location.lost_headers:
                if lost.header.name.lower() != HSTS or not may_be_sent(lost.header.over_tls):
                    continue
                dropping = DROPPING.get(deployment.server, lost.dropped_by.directive.name)
                yield rule.finding(
                    f"{dropping} drops Strict-Transport-Security here for {{endpoint}}",
                    lost.dropped_by.span,
                    label=LABELS[deployment.server],
                    help=HELP[deployment.server],
                    endpoints=secure.labels,
                    related=(Related(lost.header.place.span, "this header is lost"),),
                    fix=_kept(lost),
                )


def _kept(lost: LostHeader) -> Fix | None:
    line, dropping = lost.header.place.directive, lost.dropped_by.directive
    if dropping.name == "add_header" == line.name:
        repeated = AddDirective(line.name, tuple(map(str, line.arguments)), beside=lost.dropped_by)
        return Fix("repeat Strict-Transport-Security here", Safety.UNSAFE, (repeated,))
    if dropping.name.lower() == "header":
        return Fix("keep Strict-Transport-Security", Safety.UNSAFE, (RemoveDirective(lost.dropped_by),))
    return None
