"""A site is served over TLS and nothing tells browsers to stay there.

## What it finds
Hosts that serve pages over TLS and add no `Strict-Transport-Security` header anywhere. Where no TLS host of an `http`
block has one, that is one finding at the block; else it is one at each host that lacks it. If an application answers,
which may well send the header itself, the finding is advice only.

## Why it matters
Whoever types the name, or follows an old link, starts with plain HTTP. Somebody in between can answer that request
before the redirect does. Browsers that have seen the header once never send it (RFC 6797).

## What clients see
Nothing. Scanners lower their grade.

## How to fix it
Start with a short max-age, make sure that every page and subdomain concerned works over TLS, then raise it. The header
is hard to take back, so that tlslint never adds it on its own. nginx: `add_header Strict-Transport-Security
"max-age=…" always;` where no inner level has headers of its own. Apache: `Header always set Strict-Transport-Security
"max-age=…"` with mod_headers, in the virtual host that speaks TLS.

## False alarms that it avoids
Hosts that reject every handshake, only redirect or only refuse need no header; neither do hosts without TLS. Where an
include could not be read, a script or a variable decides, or an inner level drops the header (lost-hsts), it is silent.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Place
from tlslint.rules.web import HSTS, SecureHost, half_read, hsts_headers, secure_hosts, serves_content

rule = Rule(
    code="TLS801",
    name="missing-hsts",
    severity=Severity.WARNING,
    summary="a site is served over TLS without Strict-Transport-Security",
    why="the first request may go out over plain HTTP, where anybody on the way can answer it",
    seen="nobody gets an error; scanners lower their grade",
    sources=("RFC 6797, section 2.3", "Mozilla/TLSRef guidelines, hsts_min_age"),
)
LINES = {
    "nginx": 'add_header Strict-Transport-Security "max-age={age}" always;',
    "apache": 'Header always set Strict-Transport-Security "max-age={age}"',
}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield the hosts that never send the header, together where a whole block lacks it."""
    if policy.hsts_min_age is None or deployment.fragment:
        return
    lacking: dict[int, list[tuple[SecureHost, bool]]] = {}
    complete: dict[int, bool] = {}
    broken = half_read(deployment)
    for secure in secure_hosts(deployment):
        verdict = None if secure.host.place.directive.source in broken else _lacks(secure)
        block = id(secure.host.block)
        complete[block] = complete.get(block, True) and verdict is not None
        if verdict is not None:
            lacking.setdefault(block, []).append((secure, verdict))
    for block, hosts in lacking.items():
        place = hosts[0][0].host.block if complete[block] and len(hosts) > 1 else None
        for secure, by_application in hosts:
            yield _finding(secure, by_application, place, policy, LINES[deployment.server])


def _lacks(secure: SecureHost) -> bool | None:
    """Whether an application may send the header that the server does not add; None where nothing is lacking."""
    host = secure.host
    if host.incomplete:
        return None
    for location in host.locations:
        if location.doubt or hsts_headers(location):
            return None
        if any(lost.header.name.lower() == HSTS for lost in location.lost_headers):
            return None
    serving = [location for location in host.locations if serves_content(location, tls=True)]
    if not serving:
        return None
    return any(location.application and HSTS not in location.hidden_headers for location in serving)


def _finding(secure: SecureHost, by_application: bool, block: Place | None, policy: Policy, line: str) -> Finding:
    span = secure.host.span if block is None else block.directive.name.span
    return rule.finding(
        "the server adds no Strict-Transport-Security header for {endpoint}",
        span,
        severity=Severity.INFO if by_application else Severity.WARNING,
        label="unless the application behind it sends one" if by_application else "no level sets the header",
        source=policy.source_of("hsts_min_age"),
        help=f"once all of the site works over TLS: {line.format(age=policy.hsts_min_age)}",
        endpoints=secure.labels,
    )
