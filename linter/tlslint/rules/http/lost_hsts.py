"""An inner level that sets headers of its own drops Strict-Transport-Security.

## What it finds
nginx hands `add_header` down only to levels that have none of their own: one `add_header` in a location drops every one
of the server's. The finding points at the line that does it, and shows the header that is lost.

## Why it matters
Visitors who only ever meet such a location never learn that the site is TLS only, and other security headers
are usually lost with it.

## What clients see
`curl -I` shows the header on some paths and not on others.

## How to fix it
Repeat the header in the inner level, keep all headers in one file that each level includes, or write
`add_header_inherit merge` (nginx 1.29.3 and later).

## False alarms that it avoids
A level that repeats the header, inherits by `add_header_inherit`, only redirects or refuses, or serves ACME challenges;
hosts without TLS.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.web import HSTS, may_be_sent, secure_hosts, serves_content

rule = Rule(
    code="TLS803",
    name="lost-hsts",
    severity=Severity.WARNING,
    summary="Strict-Transport-Security is dropped by an inner level with headers of its own",
    why="one header directive in an inner level drops all that the outer levels set",
    seen="curl -I shows the header on some paths only",
    sources=("nginx: ngx_http_headers_module, add_header",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive that drops the header for a place where pages are served."""
    for secure in secure_hosts(deployment):
        for location in secure.host.locations:
            if not location.lost_headers or not serves_content(location, tls=True) or location.doubt:
                continue
            for lost in location.lost_headers:
                if lost.header.name.lower() != HSTS or not may_be_sent(lost.header.over_tls):
                    continue
                yield rule.finding(
                    f"{lost.dropped_by.directive.name} drops Strict-Transport-Security here for {{endpoint}}",
                    lost.dropped_by.span,
                    label="no header of the outer levels is inherited",
                    help="repeat the header here, or inherit with add_header_inherit merge (nginx 1.29.3 and later)",
                    endpoints=secure.labels,
                    related=(Related(lost.header.place.span, "this header is lost"),),
                )
