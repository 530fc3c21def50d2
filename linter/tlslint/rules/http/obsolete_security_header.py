"""A header is sent that browsers have dropped.

## What it finds
`Public-Key-Pins`, `Public-Key-Pins-Report-Only` and `Expect-CT` on answers of any host.

## Why it matters
Key pinning has locked sites out for months and was removed from browsers; Certificate Transparency is enforced without
a header now. What is left is dead weight that suggests a protection that is not there.

## What clients see
Nothing.

## How to fix it
Remove the line. Where it is the only header of an nginx location, those of the outer levels come back with that.

## False alarms that it avoids
An empty value, which sends nothing, and levels whose headers are dropped by an inner one.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Header, VirtualHost
from tlslint.rules.web import distinct_headers, may_be_sent, name_span

rule = Rule(
    code="TLS806",
    name="obsolete-security-header",
    severity=Severity.WARNING,
    summary="a header is sent that browsers have dropped",
    why="it suggests a protection that no browser gives any more",
    seen="nobody notices: browsers ignore the header",
    sources=("RFC 7469", "RFC 9163", "MDN: Expect-CT, Public-Key-Pins"),
    fix=Safety.SAFE,
)
OBSOLETE = {
    "public-key-pins": "browsers removed key pinning, Chrome in version 72",
    "public-key-pins-report-only": "browsers removed key pinning, Chrome in version 72",
    "expect-ct": "browsers enforce Certificate Transparency without it, Chrome since version 107",
}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each obsolete header that is sent anywhere."""
    for host in deployment.virtual_hosts:
        for header in distinct_headers(host.locations):
            reason = OBSOLETE.get(header.name.lower())
            if reason is not None and (may_be_sent(header.over_tls) or may_be_sent(header.over_plain)):
                yield rule.finding(
                    f"{header.name} is an obsolete header, sent by {{endpoint}}",
                    name_span(header.place, header.name),
                    label=reason,
                    help="remove the line",
                    endpoints=[host.label],
                    fix=Fix(f"stop sending {header.name}", _safety(header, host), (RemoveDirective(header.place),)),
                )


def _safety(header: Header, host: VirtualHost) -> Safety:
    """Tell whether the level keeps headers of its own: without any nginx sends those of the outer levels there."""
    alone = any(
        location.lost_headers and all(other.name.lower() in OBSOLETE for other in location.headers)
        for location in host.locations
        if any(each is header for each in location.headers)
    )
    return Safety.UNSAFE if alone and header.place.directive.name == "add_header" else Safety.SAFE
