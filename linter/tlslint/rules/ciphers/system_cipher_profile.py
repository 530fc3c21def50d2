"""The cipher list is left to the platform's policy.

## What it finds
`PROFILE=SYSTEM` and its kin, which Red Hat's OpenSSL replaces by the system-wide crypto policy.

## Why it matters
What is served is not in this file: it changes with `update-crypto-policies`, and no other OpenSSL knows the word.

## What clients see
Nothing. On another platform the server does not start: `no cipher match`.

## How to fix it
Nothing needs fixing where the system's policy is what is wanted. Otherwise write the list out.

## False alarms that it avoids
It is not weak by itself, so the finding is advice, and nothing else is said about the list.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import hosts_with_tls

rule = Rule(
    code="TLS211",
    name="system-cipher-profile",
    severity=Severity.INFO,
    summary="the cipher list is left to the platform's policy",
    why="what is served is decided by the machine, not by this file, so it could not be checked",
    seen="nothing; on another platform the server does not start",
    sources=("crypto-policies(7) of Fedora and Red Hat Enterprise Linux",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that names a profile."""
    for host, labels in hosts_with_tls(deployment):
        setting = host.tls.ciphers
        if not setting.is_unknown or not setting.places:
            continue
        for argument in setting.places[-1].directive.arguments:
            if argument.startswith("PROFILE="):
                yield rule.finding(
                    f"the platform decides the cipher list of {{endpoint}}: {argument}",
                    argument.span,
                    label="known to Red Hat's OpenSSL only",
                    help="write the list out where it is to be the same everywhere",
                    endpoints=labels,
                )
