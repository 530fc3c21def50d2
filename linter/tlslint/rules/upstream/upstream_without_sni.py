"""An upstream is connected to over TLS without the name that it serves.

## What it finds
Connections to a host name for which no SNI is sent, and connections through an `upstream {}` block that send the name
of the block, which is no name of any server.

## Why it matters
A server with several sites picks the certificate and the site by SNI. Without it, or with a made-up name, the
upstream's default answers, or nobody.

## What clients see
502 Bad Gateway; the error log says "SSL_do_handshake() failed" or "upstream SSL certificate does not match".

## How to fix it
Switch SNI on, and set the name where the target's host is not it.

## False alarms that it avoids
Addresses, for which there is no SNI; targets that a variable decides; on loopback it is advice. Apache always sends the
name of the target (or, with `ProxyPreserveHost on`, the one that the client asked for).
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.upstreams import (
    default_or_set,
    is_address,
    labels,
    secure_upstreams,
    severity_of,
    span_of,
    spelt,
    subject,
    target_span,
)

rule = Rule(
    code="TLS902",
    name="upstream-without-sni",
    severity=Severity.WARNING,
    summary="an upstream is connected to over TLS without the name that it serves",
    why="a server with several sites answers with its default one, or not at all",
    seen='502 Bad Gateway, and "SSL_do_handshake() failed" in the error log',
    sources=("RFC 6066, section 3", "nginx: ngx_http_proxy_module, proxy_ssl_server_name"),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each connection without SNI, and each that sends the name of a block."""
    for upstream in secure_upstreams(deployment):
        if upstream.server_name.known is False:
            yield from _without(upstream)
        elif upstream.server_name.known and upstream.name.known is None and not upstream.name.is_unknown:
            yield from _name_of_block(upstream)


def _without(upstream: Upstream) -> Iterator[Finding]:
    is_named = upstream.name.known is not None
    if not is_named and (not upstream.host or is_address(upstream) or _all_addresses(upstream)):
        return
    directive = spelt(upstream, "server_name")
    yield rule.finding(
        f"no SNI is sent to {subject(upstream, upstream.server_name)} for {{endpoint}}",
        span_of(upstream, upstream.server_name),
        severity=severity_of(upstream),
        label=f"{directive} is {default_or_set(upstream.server_name)}",
        help=f"set {directive} on",
        endpoints=labels(upstream),
    )


def _name_of_block(upstream: Upstream) -> Iterator[Finding]:
    named = {member.partition(":")[0].lower() for member in upstream.members}
    if upstream.group is None or upstream.host.lower() in named:
        return
    # a block may well be called after the site that its servers are for
    if "." in upstream.host:
        return
    directive = spelt(upstream, "name")
    yield rule.finding(
        f'the name of the block "{upstream.host}" is sent to the upstream as SNI for {{endpoint}}',
        target_span(upstream),
        severity=severity_of(upstream),
        label=f"{directive} is not set",
        help=f"set {directive} to the name that the servers of the block have certificates for",
        endpoints=labels(upstream),
    )


def _all_addresses(upstream: Upstream) -> bool:
    """Whether the servers behind the name are addresses only, which have no name to send."""
    return bool(upstream.members) and all(
        member.startswith(("[", "unix:")) or member.partition(":")[0].replace(".", "").isdecimal()
        for member in upstream.members
    )
