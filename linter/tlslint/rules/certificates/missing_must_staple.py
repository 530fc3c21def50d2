"""A certificate demands a stapled OCSP response, and the server staples none.

## What it finds
A certificate with the TLS feature extension (must-staple) on a host where stapling is off.

## Why it matters
The certificate tells clients to refuse a handshake without a response. OCSP is being retired, and such certificates
with it.

## What clients see
Firefox: `MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING`. Chrome, curl and most programs do not look.

## How to fix it
Switch stapling on, or have the certificate issued without the extension, which is the way that lasts.

## False alarms that it avoids
The setting of the host whose certificate is presented counts, whether inherited or its own.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named

rule = Rule(
    code="TLS320",
    name="missing-must-staple",
    severity=Severity.ERROR,
    summary="a certificate demands a stapled OCSP response, and the server staples none",
    why="the certificate tells clients to refuse a handshake without a response",
    seen="Firefox: MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING; curl and most programs do not look",
    sources=("RFC 7633", "nginx, ngx_http_ssl_module: ssl_stapling"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served must-staple certificate without stapling."""
    for served, chain in chains(deployment):
        if not chain.leaf.must_staple:
            continue
        bare = [endpoint.label for endpoint in served.endpoints if endpoint.tls.stapling.known is False]
        if bare:
            yield rule.finding(
                f"the certificate in {named(served)} demands a stapled response, and none is sent for {{endpoint}}",
                file_span(served.pairs[0]),
                label="must-staple",
                help="switch stapling on, or have the certificate issued without this extension",
                endpoints=bare,
                related=elsewhere(served),
            )
