"""Requests that anybody can replay reach an application that is not told so.

## What it finds
`ssl_early_data on` where requests are passed on without `$ssl_early_data` in any header or parameter.

## Why it matters
The first flight of a TLS 1.3 resumption ("0-RTT") has no protection against being sent again by somebody who recorded
it. RFC 8470 has the proxy mark such requests with `Early-Data: 1`, so that the application can answer 425 (Too Early)
to what must not happen twice.

## What clients see
Nothing. A payment may be made twice.

## How to fix it
`proxy_set_header Early-Data $ssl_early_data;` wherever requests are passed on, and an application that heeds it; or
`ssl_early_data off;`.

## False alarms that it avoids
Hosts that pass nothing on (files, redirects) are silent. The value of the default server counts on a shared socket. A
host without TLS 1.3 has no early data. Apache is not concerned: mod_ssl takes no early data.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.words import governed_by, labels, span_of

rule = Rule(
    code="TLS604",
    name="early-data-replay",
    severity=Severity.WARNING,
    summary="requests that anybody can replay reach an application that is not told so",
    why="early data can be sent again by whoever recorded it, and the application cannot tell",
    seen="nobody sees it; requests happen twice",
    sources=(
        "RFC 8446, section 8",
        "RFC 8470, section 5.1",
        "nginx, ssl_early_data",
    ),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each switch that lets early data reach an unsuspecting application."""
    unaware = _unaware_upstreams(deployment)
    if not unaware:
        return
    for endpoints in governed_by(deployment, "early_data"):
        setting = endpoints[0].tls.early_data
        if not setting.known:
            continue
        exposed = [
            endpoint
            for endpoint in endpoints
            if id(endpoint.virtual_host) in unaware
            and endpoint.listener.transport == "tcp"
            and "TLSv1.3" in endpoint.handshake.protocols
        ]
        if exposed:
            upstream = unaware[id(exposed[0].virtual_host)]
            yield rule.finding(
                "early data of {endpoint} is passed on without a word",
                span_of(setting, exposed),
                label="replayable requests are accepted",
                help="set the header Early-Data to $ssl_early_data where requests are passed on",
                endpoints=labels(exposed),
                related=[Related(upstream.place.span, "requests go here, unmarked")],
            )


def _unaware_upstreams(deployment: Deployment) -> dict[int, Upstream]:
    """Return for each host (by identity) the first upstream that is not told of early data."""
    found: dict[int, Upstream] = {}
    for upstream in deployment.upstreams:
        if not any("ssl_early_data" in header.value for header in upstream.request_headers):
            for host in upstream.virtual_hosts:
                found.setdefault(id(host), upstream)
    return found
