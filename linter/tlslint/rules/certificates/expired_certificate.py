"""A certificate that is served has expired.

## What it finds
A server certificate, or an intermediate that clients need, whose last day has passed.

## Why it matters
Every client that checks certificates refuses the connection.

## What clients see
curl: `(60) SSL certificate problem: certificate has expired`; openssl: verify error 10; Chrome:
`NET::ERR_CERT_DATE_INVALID`; Firefox: `SEC_ERROR_EXPIRED_CERTIFICATE`.

## How to fix it
Renew it, put the new one in place and reload the server, which reads certificates only then.

## False alarms that it avoids
Roots and strangers in the file do not matter to clients and are judged by other rules. `--now` moves the clock. An
expired intermediate is a warning where the file offers another path.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, day, described, elsewhere, file_span, named, sent_on_the_way
from tlslint.rules.words import counted

rule = Rule(
    code="TLS308",
    name="expired-certificate",
    severity=Severity.ERROR,
    summary="a certificate that is served has expired",
    why="every client that checks certificates refuses the connection",
    seen="curl: (60) SSL certificate problem: certificate has expired",
    sources=("RFC 5280, section 4.1.2.5", "RFC 5280, section 6.1.3"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each expired certificate of each served file."""
    for served, chain in chains(deployment):
        for certificate in sent_on_the_way(chain):
            if certificate.not_after >= deployment.now:
                continue
            past = (deployment.now - certificate.not_after).days
            detour = certificate != chain.leaf and bool(chain.alternatives)
            yield rule.finding(
                f"{described(certificate, chain)} in {named(served)}, served for {{endpoint}}, "
                f"expired on {day(certificate.not_after)}",
                file_span(served.pairs[0]),
                severity=Severity.WARNING if detour else None,
                label=f"expired {counted(past, 'day')} ago" if past else "expired today",
                help="renew it, put the new one in place and reload the server",
                endpoints=served.labels,
                related=elsewhere(served),
            )
