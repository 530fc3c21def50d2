"""Strict-Transport-Security is forgotten sooner than the policy wants.

## What it finds
A max-age below the policy's, and `max-age=0`, which makes browsers forget the site at once.

## Why it matters
Between two visits further apart than max-age the first request goes out over plain HTTP again.

## What clients see
Nothing; the lists that browsers preload refuse less than a year.

## How to fix it
Raise max-age step by step, once all of the site works over TLS. tlslint does it in one step and on request only,
because it is hard to take back; it never switches the header on where max-age is 0.

## False alarms that it avoids
Values that a variable makes unknown, headers that are never sent over TLS, and policies without an opinion.
"""

import re
from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, ReplacePart, Safety
from tlslint.policy import Policy
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Header
from tlslint.rules.web import final_hsts_headers, known_values, read_hsts, secure_hosts, value_span
from tlslint.rules.words import counted, part_of

rule = Rule(
    code="TLS802",
    name="short-hsts",
    severity=Severity.WARNING,
    summary="Strict-Transport-Security has a shorter max-age than the policy",
    why="browsers forget the rule, and the next first request goes out over plain HTTP",
    seen="nobody gets an error; preload lists refuse less than a year",
    sources=("RFC 6797, section 6.1.1", "Mozilla/TLSRef guidelines, hsts_min_age"),
    fix=Safety.UNSAFE,
)
DAY = 86_400
MAX_AGE = regex(r"max-age\s*=\s*\"?(\d+)", re.IGNORECASE)


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
                    fix=_raised(header, least) if age else None,
                )


def _raised(header: Header, least: int) -> Fix | None:
    """Return the fix that writes the policy's number; None where the number is not written out at the header."""
    for argument in header.place.directive.arguments:
        found = MAX_AGE.search(argument) if str(argument) == header.value else None
        if found is not None:
            span = part_of(argument, found.start(1), found.end(1))
            if span.end - span.start == len(found[1]):
                intention = ReplacePart(header.place, span, str(least))
                return Fix(f"raise max-age to {least}", Safety.UNSAFE, (intention,))
    return None


def _days(seconds: int) -> str:
    if seconds < DAY:
        return counted(seconds, "second")
    return counted(seconds // DAY, "day")
