"""Client certificates are verified, and nobody asks whether they are revoked.

## What it finds
Verification on without a revocation list (`ssl_crl`) and without `ssl_ocsp`; with Apache without
`SSLCARevocationCheck`, which is a warning where a list is loaded (`SSLCARevocationFile`): nobody looks at it, although
it reads as if somebody did.

## Why it matters
A lost or stolen key opens the host until its certificate expires.

## What clients see
Nothing: a client with a revoked certificate gets `200 OK`. Apache's log has the warning AH01902 where a list is loaded.

## How to fix it
Keep a list in `ssl_crl` (Apache: `SSLCARevocationFile` with `SSLCARevocationCheck chain`, which is what the fix adds to
a list that is loaded; clients below CAs without a list are then refused) and fetch it before each next update; or issue
certificates that live for hours or days, for which a list is not worth it, and ignore this rule.

## False alarms that it avoids
Without a list it is advice. Hosts that hand the certificate, its serial number or its fingerprint on, or compare it,
may look it up elsewhere and are silent, as are those with a script. `optional_no_ca` leaves all verification to
somebody else.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import AddDirective, Fix, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.mutual import verifying
from tlslint.rules.words import directive_of, labels

rule = Rule(
    code="TLS507",
    name="no-revocation-check",
    severity=Severity.INFO,
    summary="client certificates are verified, and nobody asks whether they are revoked",
    why="a stolen key is good until its certificate expires",
    seen="a client with a revoked certificate gets 200 OK",
    sources=("nginx, ngx_http_ssl_module: ssl_crl, ssl_ocsp", "Apache HTTP Server, SSLCARevocationCheck"),
    fix=Safety.UNSAFE,
)

IDENTIFYING = frozenset(
    ("cert", "escaped_cert", "raw_cert", "fingerprint", "serial", "m_serial", "cert_rfc4523_cea"),
)
"""Ends of the variables by which a single certificate can be looked up."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each verification without a look at revocation."""
    for endpoints in verifying(deployment, "client_check", "crl", "client_ocsp", "idle_crl"):
        tls = endpoints[0].tls
        if tls.idle_crl is not None and tls.idle_crl.known:
            yield from _idle(endpoints)
            continue
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


def _idle(endpoints: list[Endpoint]) -> Iterator[Finding]:
    """Yield a list that is loaded and never looked at."""
    setting, check = endpoints[0].tls.idle_crl, endpoints[0].tls.crl_check
    if setting is None or setting.span is None:
        return
    name = directive_of(setting)
    if check is not None and check.places:
        change: AddDirective | ReplaceArguments = ReplaceArguments(check.places[-1], ("chain",))
    else:
        change = AddDirective("SSLCARevocationCheck", ("chain",), beside=setting.places[-1])
    yield rule.finding(
        f"client certificates of {{endpoint}} are good although they are revoked: the list of {name} is not looked at",
        setting.span,
        severity=Severity.WARNING,
        label="loaded, and of no effect without SSLCARevocationCheck",
        help="set SSLCARevocationCheck chain",
        seen="a client with a revoked certificate gets 200 OK; the log warns with AH01902",
        endpoints=labels(endpoints),
        fix=Fix("look for clients' certificates in the list", Safety.UNSAFE, (change,)),
    )


def _can_look_up(endpoint: Endpoint) -> bool:
    checks = endpoint.virtual_host.client_checks
    named = {variable.removeprefix("ssl_client_") for use in checks.uses for variable in use.variables}
    return bool(checks.doubt) or not IDENTIFYING.isdisjoint(named)
