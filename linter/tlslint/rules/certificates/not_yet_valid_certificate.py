"""A certificate that is served is not valid yet.

## What it finds
A server certificate, or an intermediate that clients need, whose first day lies in the future. Where it begins within
the hour, a slow clock is the likely cause, on this machine or on that which issued it.

## Why it matters
Every client whose clock is right refuses the connection until then.

## What clients see
curl: `(60) SSL certificate problem: certificate is not yet valid`; openssl: verify error 9; Chrome:
`NET::ERR_CERT_DATE_INVALID`.

## How to fix it
Set the clock, or serve the old certificate until the new one begins.

## False alarms that it avoids
`--now` moves the clock: with a date in the past, newer certificates are not valid yet.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, day, described, elsewhere, file_span, named, sent_on_the_way

rule = Rule(
    code="TLS310",
    name="not-yet-valid-certificate",
    severity=Severity.ERROR,
    summary="a certificate that is served is not valid yet",
    why="every client whose clock is right refuses the connection until then",
    seen="curl: (60) SSL certificate problem: certificate is not yet valid",
    sources=("RFC 5280, section 4.1.2.5", "RFC 5280, section 6.1.3"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each certificate of each served file that lies in the future."""
    for served, chain in chains(deployment):
        for certificate in sent_on_the_way(chain):
            if certificate.not_before <= deployment.now:
                continue
            # only where there is such a certificate
            from tlslint.pki.dates import life

            found = life(certificate.not_before, certificate.not_after, deployment.now)
            minutes = -int(-found.until_valid.total_seconds() // 60)
            yield rule.finding(
                f"{described(certificate, chain)} in {named(served)}, served for {{endpoint}}, "
                f"is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC",
                file_span(served.pairs[0]),
                label=f"begins in {minutes} minutes: a wrong clock is the likely cause"
                if found.clock_skew
                else f"begins on {day(certificate.not_before)}",
                help="set the clock (here and where the certificate is issued)"
                if found.clock_skew
                else "serve another certificate until then",
                endpoints=served.labels,
                related=elsewhere(served),
            )
