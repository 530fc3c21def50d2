"""No connection ever gets to a host that is meant for TLS.

## What it finds
Apache: a virtual host with a certificate of its own whose addresses are none (`*:443,*:8443`, `*:443/`), whose port no
`Listen` line opens, or whose connections all go to hosts with a more exact address.

## Why it matters
Its certificate and its settings are never used. Other hosts answer in its place, or the main server does, which then
often speaks plain HTTP.

## What clients see
Another site's certificate, or an answer that is no TLS; `apache2 -S` does not list the host.

## How to fix it
Write addresses separated by blanks, add the `Listen` line, or give all hosts of a port the same form of address.

## False alarms that it avoids
Where an include could not be read, it may open the port. A host without a certificate of its own is not about TLS. A
host name as an address is not looked up.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, VirtualHost
from tlslint.rules.hosts import stands_in

rule = Rule(
    code="TLS418",
    name="unreachable-host",
    severity=Severity.WARNING,
    summary="no connection gets to a host that is meant for TLS",
    why="its certificate and its settings are never used",
    seen="another site's certificate, or an answer that is no TLS",
    sources=("Apache HTTP Server, An In-Depth Discussion of Virtual Host Matching",),
    servers=("apache",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each host that nobody reaches."""
    for host in deployment.virtual_hosts:
        if host.unreachable and not host.listeners and deployment.complete and _is_for_tls(host):
            yield rule.finding(
                f"no connection gets to {host.label}: {host.unreachable}",
                host.span,
                label="never selected",
                help="compare its addresses with the Listen lines and the other hosts of the port",
            )


def _is_for_tls(host: VirtualHost) -> bool:
    return any(stands_in(pair.place, host) for pair in host.tls.certificates.known or ())
