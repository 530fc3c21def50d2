"""A request that came over TLS is sent to plain HTTP.

## What it finds
`return` and `rewrite` (Apache: `Redirect` and its kin, `RewriteRule`) with a target that begins with `http://`, in a
host that answers over TLS, for requests that come that way.

## Why it matters
The next request can be read and changed on the way, cookies without the Secure attribute included. With HSTS
in force the browser comes straight back, which may never end.

## What clients see
"Not secure", or ERR_TOO_MANY_REDIRECTS.

## How to fix it
Write `https://`, or `$scheme://` (Apache: `%{REQUEST_SCHEME}://`) where the target speaks both.

## False alarms that it avoids
Hosts without TLS, targets with `$scheme`, redirects under `if ($scheme = http)` (Apache: `RewriteCond %{HTTPS} off`)
and its like, and locations that no request reaches. A `RewriteRule` that hands the request on as a proxy redirects
nobody.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Redirect
from tlslint.rules.web import name_span, secure_hosts

rule = Rule(
    code="TLS810",
    name="redirect-to-plaintext",
    severity=Severity.WARNING,
    summary="a request over TLS is redirected to plain HTTP",
    why="what is asked next can be read and changed on the way",
    seen='browsers show "Not secure", or ERR_TOO_MANY_REDIRECTS where HSTS sends them back',
    sources=("RFC 6797, section 2.3", "Mozilla Web Security Guidelines, HTTP Redirections"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each redirect to plain HTTP that a request over TLS may get."""
    for secure in secure_hosts(deployment):
        seen: set[int] = set()
        for location in secure.host.locations:
            if location.path and not location.final:
                continue
            for redirect in location.redirects:
                if not _is_taken(redirect) or id(redirect.place.directive) in seen:
                    continue
                seen.add(id(redirect.place.directive))
                yield rule.finding(
                    "requests that come over TLS are redirected to plain HTTP by {endpoint}",
                    name_span(redirect.place, redirect.target),
                    label="leaves TLS" if redirect.over_tls else "leaves TLS for some requests",
                    help="redirect to https",
                    endpoints=secure.labels,
                )


def _is_taken(redirect: Redirect) -> bool:
    return redirect.scheme == "http" and redirect.over_tls is not False
