"""Stapling is on, and the server cannot staple anything to this certificate.

## What it finds
`ssl_stapling on` with a certificate that names no OCSP responder (as Let's Encrypt's since 2025), whose responder is to
be asked over https, or whose issuer the server does not find.

## Why it matters
nginx warns and goes on without stapling for this certificate. The configuration promises what does not happen, and each
start writes the warning anew.

## What clients see
No response is sent. `nginx -t` says `"ssl_stapling" ignored, no OCSP responder URL in the certificate`, `invalid URL
prefix in OCSP responder` or `issuer certificate not found for certificate`.

## How to fix it
Remove `ssl_stapling` and its kin: authorities retire OCSP. Where the issuer is missing, put it into the certificate's
file, where clients need it as well.

## False alarms that it avoids
What counts is the certificate itself, not the path to it: those of private authorities may well have a responder.
`ssl_stapling_responder` and `ssl_stapling_file` take the place of what the certificate says. Certificates that are not
at hand are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import file_span, named
from tlslint.rules.stapling import staplings
from tlslint.rules.words import directive_of, labels

rule = Rule(
    code="TLS701",
    name="stapling-without-responder",
    severity=Severity.WARNING,
    summary="stapling is on, and the server cannot staple anything to this certificate",
    why="the server warns at each start and goes on without",
    seen='nginx -t says "ssl_stapling" ignored; openssl s_client -status: OCSP response: no response sent',
    seen_apache="the log says AH02218: … no OCSP URI in certificate; nothing is stapled",
    sources=("nginx, ngx_http_ssl_module: ssl_stapling", "RFC 6066, section 8"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each certificate with stapling that comes to nothing."""
    for stapling in staplings(deployment):
        setting = stapling.tls.stapling
        if stapling.problem and setting.span is not None:
            yield rule.finding(
                f"{directive_of(setting)} has no effect on {named(stapling.served)}: {stapling.problem}, "
                "for {endpoint}",
                setting.span,
                label="nothing is stapled",
                help="remove it, or complete the certificate's file where the issuer is missing",
                endpoints=labels(stapling.endpoints),
                related=[Related(file_span(stapling.served.pairs[0]), "this certificate")],
            )
