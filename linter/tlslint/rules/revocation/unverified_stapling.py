"""OCSP responses are handed to clients without a look at their signature.

## What it finds
`ssl_stapling on` without `ssl_stapling_verify on`, for a certificate that can be stapled.

## Why it matters
Responses come over plain HTTP. Whoever sits on that way can replace a good one by one that clients reject, and the
server passes it on. A forged "good" deceives nobody, because clients look at the signature.

## What clients see
With a broken response, Firefox: `SEC_ERROR_OCSP_INVALID_SIGNING_CERT` and its kin.

## How to fix it
`ssl_stapling_verify on;`, with the issuer in the certificate's file or in `ssl_trusted_certificate`.

## False alarms that it avoids
It is advice. Certificates to which nothing can be stapled are silent, and so are those that are not at hand.
Apache has no such setting.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.stapling import staplings
from tlslint.rules.words import directive_of, labels

rule = Rule(
    code="TLS704",
    name="unverified-stapling",
    severity=Severity.INFO,
    summary="OCSP responses are handed to clients without a look at their signature",
    why="responses come over plain HTTP, and a broken one is passed on to clients that reject it",
    seen="clients that look at the response reject it",
    sources=("nginx, ngx_http_ssl_module: ssl_stapling_verify",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each certificate that is stapled unseen."""
    for stapling in staplings(deployment):
        setting, verify = stapling.tls.stapling, stapling.tls.stapling_verify
        if not stapling.problem and verify.known is False and setting.span is not None:
            yield rule.finding(
                f"responses that {directive_of(setting)} passes on for {{endpoint}} are not verified",
                verify.span or setting.span,
                label="switched off here" if verify.explicit else "not verified by default",
                help="switch ssl_stapling_verify on",
                endpoints=labels(stapling.endpoints),
            )
