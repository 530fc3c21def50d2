"""A certificate that is served expires soon.

## What it finds
A server certificate, or an intermediate that clients need, with fewer days left than the settings allow: 30 days are a
warning, 7 an error (`expiry-warning-days`, `expiry-error-days`), but never more than a third of its lifetime.

## Why it matters
Automatic renewal happens when a third of the lifetime is left. Less means that it has failed, or that there is none.

## What clients see
Nothing yet. From the last day on: `certificate has expired`.

## How to fix it
Find out why it was not renewed, renew it and reload the server.

## False alarms that it avoids
The limits shrink with the lifetime, so that a certificate of six days is not always about to expire. `--now` moves the
clock.
"""

from collections.abc import Iterator
from datetime import timedelta

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, day, described, elsewhere, file_span, named, sent_on_the_way
from tlslint.rules.words import counted

rule = Rule(
    code="TLS309",
    name="expiring-certificate",
    severity=Severity.WARNING,
    summary="a certificate that is served expires soon",
    why="automatic renewal happens earlier: it has failed, or there is none",
    seen="nothing yet; from the last day on, curl: (60) SSL certificate problem: certificate has expired",
    sources=("RFC 5280, section 4.1.2.5", "Let's Encrypt, Integration Guide: when to renew"),
)
SEVERITIES = {"expiring": Severity.WARNING, "expiring soon": Severity.ERROR}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each expiring certificate of each served file."""
    warn_days, error_days = deployment.expiry_days
    most = timedelta(days=max(warn_days, error_days))
    for served, chain in chains(deployment):
        for certificate in sent_on_the_way(chain):
            if certificate.not_after - deployment.now > most:
                continue
            # only where one may expire soon
            from tlslint.pki.dates import life

            start, end = certificate.not_before, certificate.not_after
            span = life(start, end, deployment.now, warn_days=warn_days, error_days=error_days)
            severity = SEVERITIES.get(span.state.value)
            if severity is None:
                continue
            yield rule.finding(
                f"{described(certificate, chain)} in {named(served)}, served for {{endpoint}}, "
                f"expires on {day(certificate.not_after)}",
                file_span(served.pairs[0]),
                severity=severity,
                label=f"{_days(span.days_left)} left of {_days(span.lifetime.days)}",
                help="renew it and reload the server; find out why that has not happened",
                endpoints=served.labels,
                related=elsewhere(served),
            )


def _days(number: int) -> str:
    return "less than a day" if number == 0 else counted(number, "day")
