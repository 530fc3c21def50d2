"""A public certificate lives longer than it may.

## What it finds
A certificate that claims to be publicly trusted and whose lifetime exceeds what the CA/Browser Forum allowed when it
was issued (398 days; 200 from 2026-03-15, 100 from 2027-03-15, 47 from 2029-03-15), or what the policy allows.

## Why it matters
Browsers refuse public certificates that live too long. Long lives are what makes renewal a surprise.

## What clients see
Chrome: `NET::ERR_CERT_VALIDITY_TOO_LONG`; Safari refuses the connection. Programs such as curl do not look.

## How to fix it
Have it issued again for a shorter time, and let a program renew it.

## False alarms that it avoids
Certificates of private authorities are exempt: what they issue carries neither embedded timestamps of public logs nor a
policy of the CA/Browser Forum. The limit is that of the day of issue, not of today.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, day, elsewhere, file_span, named

rule = Rule(
    code="TLS311",
    name="long-lived-certificate",
    severity=Severity.WARNING,
    summary="a public certificate lives longer than it may",
    why="browsers refuse public certificates that live too long",
    seen="Chrome: NET::ERR_CERT_VALIDITY_TOO_LONG; programs such as curl do not look",
    sources=("CA/Browser Forum Baseline Requirements, 6.3.2", "CA/Browser Forum ballot SC-081v3"),
)
SEEN_POLICY = "nobody gets an error; audits against the policy report it"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served public certificate that lives too long."""
    for served, chain in chains(deployment):
        leaf = chain.leaf
        if not leaf.claims_public_trust:
            continue
        # only where there is a certificate
        from tlslint.pki.dates import excess_lifetime, lifetime_of, maximum_lifetime

        days = -(-lifetime_of(leaf.not_before, leaf.not_after).total_seconds() // 86400)
        forum = maximum_lifetime(leaf.not_before)
        limit = policy.maximum_certificate_days
        if forum is not None and excess_lifetime(leaf.not_before, leaf.not_after):
            label = f"at most {forum.days} days when issued on {day(leaf.not_before)}"
            source, seen = "CA/Browser Forum Baseline Requirements, 6.3.2", rule.seen
        elif limit is not None and days > limit:
            label = f'at most {limit} days in policy "{policy.name}"'
            source, seen = policy.source_of("maximum_certificate_days"), SEEN_POLICY
        else:
            continue
        yield rule.finding(
            f"the certificate in {named(served)}, served for {{endpoint}}, lives {days:.0f} days",
            file_span(served.pairs[0]),
            label=label,
            source=source,
            seen=seen,
            help="have it issued again for a shorter time",
            endpoints=served.labels,
            related=elsewhere(served),
        )
