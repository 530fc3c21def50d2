"""Cipher suites are offered that the policy does not list.

## What it finds
Suites with forward secrecy and without known breaks that clients can get from an endpoint although the policy leaves
them out: CBC mode, SHA-1 as message authentication, finite-field Diffie-Hellman in newer guidelines. One finding for a
list, which groups them by reason.

## Why it matters
CBC suites have a history of padding attacks (Lucky Thirteen, POODLE) and are slower than GCM and ChaCha20-Poly1305.

## What clients see
Nothing. Scanners and audits that follow the same policy report the suites.

## How to fix it
Use the policy's list. `tlslint ciphers` shows all that a list selects.

## False alarms that it avoids
Only what is negotiable counts: suites for another type of certificate key, DHE without parameters (or where an unread
file may hold them), and lists of hosts
that speak TLS 1.3 only are silent. Broken suites and those without forward secrecy have rules of their own, and so
have defaults and lists that a command puts in place. Where the policy has no opinion nothing is said, and where it
allows no version that such suites are for, the version is the finding.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import brings, by_reason, cipher_uses, count, outside, policy_list, reason_outside, some
from tlslint.rules.words import listed

rule = Rule(
    code="TLS202",
    name="cipher-outside-policy",
    severity=Severity.WARNING,
    summary="cipher suites are offered that the policy does not list",
    why="CBC suites have a history of padding attacks; what is not needed need not be offered",
    seen="clients notice nothing; scanners and audits report the suites",
    sources=("Mozilla/TLSRef guidelines, ciphers", "RFC 9325, section 4.2", "CVE-2013-0169"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that offers more than the policy allows."""
    for use in cipher_uses(deployment):
        suites = outside(use, policy)
        if not suites or not use.setting.explicit or use.overrides:
            continue
        names = [suite.name for suite in suites]
        reasons = [f"{reason} ({some(found)})" for reason, found in by_reason(suites, reason_outside).items()]
        first, *more = use.spans(names, deployment.targets())
        yield rule.finding(
            f'{count(suites)} outside policy "{policy.name}" {"is" if len(suites) == 1 else "are"} offered by '
            f"{{endpoint}}: {listed(reasons)}",
            first,
            label=brings(use, names),
            source=policy.source_of("ciphers"),
            help="use the policy's list",
            endpoints=use.labels,
            fix=policy_list(use.setting, use.endpoints, policy),
            related=[Related(span, "and this") for span in more[:6]],
        )
