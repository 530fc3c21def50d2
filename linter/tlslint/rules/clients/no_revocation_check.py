"""Client certificates are verified, and nobody asks whether they are revoked.

## What it finds
Verification on without a revocation list (`ssl_crl`) and without `ssl_ocsp`.

## Why it matters
A lost or stolen key opens the host until its certificate expires.

## What clients see
Nothing: a client with a revoked certificate gets `200 OK`.

## How to fix it
Keep a list in `ssl_crl` and fetch it before each next update; or issue certificates that live for hours or days, for
which a list is not worth it, and ignore this rule.

## False alarms that it avoids
It is advice. Hosts that hand the certificate, its serial number or its fingerprint on, or compare it, may look it up
elsewhere and are silent, as are those with a script. `optional_no_ca` leaves all verification to somebody else.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.mutual import verifying
from tlslint.rules.words import labels

rule = Rule(
    code="TLS507",
    name="no-revocation-check",
    severity=Severity.INFO,
    summary="client certificates are verified, and nobody asks whether they are revoked",
    why="a stolen key is good until its certificate expires",
    seen="a client with a revoked certificate gets 200 OK",
    sources=("nginx, ngx_http_ssl_module: ssl_crl, ssl_ocsp",),
)

IDENTIFYING = frozenset(
    ("cert", "escaped_cert", "raw_cert", "fingerprint", "serial"),
)
"""Ends of the variables by which a single certificate can be looked up."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each verification without a look at revocation."""
    for endpoints in verifying(deployment, "client_check", "crl", "client_ocsp"):
        tls = endpoints[0].tls
        if tls.crl.is_unknown or tls.crl.known or tls.client_ocsp.is_unknown or tls.client_ocsp.known:
            continue
        unaware = [endpoint for endpoint in endpoints if not _can_look_up(endpoint)]
        if unaware and tls.client_check.span is not None:
            yield rule.finding(
                "client certificates of {endpoint} are good although they are revoked",
                tls.client_check.span,
                label="without a revocation list",
                help="keep a revocation list of the clients' CA, or issue short-lived certificates",
                endpoints=labels(unaware),
            )


def _can_look_up(endpoint: Endpoint) -> bool:
    checks = endpoint.virtual_host.client_checks
    named = {variable.removeprefix("ssl_client_") for use in checks.uses for variable in use.variables}
    return bool(checks.doubt) or not IDENTIFYING.isdisjoint(named)
