"""Strict-Transport-Security is forgotten sooner than the policy wants.

## What it finds
A max-age below the policy's, and `max-age=0`, which makes browsers forget the site at once.

## Why it matters
Between two visits further apart than max-age the first request goes out over plain HTTP again.

## What clients see
Nothing; the lists that browsers preload refuse less than a year.

## How to fix it
Raise max-age step by step, once all of the site works over TLS.

## False alarms that it avoids
Values that a variable makes unknown, headers that are never sent over TLS, and policies without an opinion.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.web import final_hsts_headers, known_values, read_hsts, secure_hosts, value_span
from tlslint.rules.words import counted

rule = Rule(
    code="TLS802",
    name="short-hsts",
    severity=Severity.WARNING,
    summary="Strict-Transport-Security has a shorter max-age than the policy",
    why="browsers forget the rule, and the next first request goes out over plain HTTP",
    seen="nobody gets an error; preload lists refuse less than a year",
    sources=("RFC 6797, section 6.1.1", "Mozilla/TLSRef guidelines, hsts_min_age"),
)
DAY = 86_400


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each header whose max-age is too short."""
    least = policy.hsts_min_age
    if least is None:
        return
    for secure in secure_hosts(deployment):
        for header in final_hsts_headers(secure.host):
            ages = [age for value in known_values(header) if (age := read_hsts(value).max_age) is not None]
            if ages and min(ages) < least:
                age = min(ages)
                yield rule.finding(
                    "Strict-Transport-Security is switched off for {endpoint}"
                    if age == 0
                    else f"Strict-Transport-Security lasts {_days(age)} for {{endpoint}}",
                    value_span(header),
                    label=f"less than {_days(least)}",
                    source=policy.source_of("hsts_min_age"),
                    help=f"raise max-age to {least} once all of the site works over TLS",
                    endpoints=secure.labels,
                )


def _days(seconds: int) -> str:
    if seconds < DAY:
        return counted(seconds, "second")
    return counted(seconds // DAY, "day")
