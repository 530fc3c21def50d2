"""A protocol version below the policy is switched on.

## What it finds
The versions that are really in force for an endpoint: inherited values, repeated lines, OpenSSL commands and the
default server of a shared socket are all taken into account. A version that the policy forbids because it is broken
(anything below TLS 1.2) is an error; one that a strict policy merely leaves out is a warning.

## Why it matters
SSL 2 and 3 are broken outright (RFC 6176, RFC 7568), TLS 1.0 and 1.1 were retired by RFC 8996.

## What clients see
Nothing, which is the trap: a weak version is an offer that good clients do not take. Scanners and audits notice.

## How to fix it
Name the policy's versions only. Clients that know nothing newer can no longer connect; the policy page names the
oldest clients that still can.

## False alarms that it avoids
A server that rejects every handshake, a plaintext socket, and a line that another one overrides are silent. OpenSSL 3
does not negotiate TLS 1.0 and 1.1 unless the security level is 0: the finding then says that the version is listed but
not negotiable, because the next machine may differ. What nobody wrote (implicit-protocols), what a command switches on
(overridden-protocols) and what two lines unite to (repeated-protocols) have rules of their own.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, allowing, asleep, available, serving, united_by_accident, wanted_protocols
from tlslint.rules.words import labels, listed, place_of

rule = Rule(
    code="TLS101",
    name="weak-protocol",
    severity=Severity.ERROR,
    summary="a protocol version below the policy is switched on",
    why="TLS 1.0 and 1.1 were retired by RFC 8996, SSL 3 by RFC 7568",
    seen="nobody gets an error, that is the trap; scanners and audits report it",
    sources=("RFC 8996", "RFC 7568", "RFC 6176", "Mozilla/TLSRef guidelines, tls_versions"),
    fix=Safety.SAFE,
)
WHY_OMITTED = "the policy wants newer versions only, although this one is sound in itself"
SSLV3 = "SSLv3"
SEVERITIES = ((ProtocolVerdict.WEAK, Severity.ERROR), (ProtocolVerdict.OMITTED, Severity.WARNING))


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each setting that switches a version on that the policy does not allow."""
    for use in serving(deployment):
        if use.plain.explicit:
            yield from _check(deployment, use, policy)


def _check(deployment: Deployment, use: Use, policy: Policy) -> Iterator[Finding]:
    written = (use.enabled & use.listed) - united_by_accident(use)
    if deployment.server == "apache" and not available(deployment, SSLV3):
        written -= {SSLV3}  # httpd's "all" is what the library has, and it refuses the word itself
    for verdict, severity in SEVERITIES:
        outside = [name for name in sorted(written) if policy.judge_protocol(name) is verdict]
        if not outside:
            continue
        note = asleep(deployment, use, outside)
        yield rule.finding(
            f"{listed(outside)} {'is' if len(outside) == 1 else 'are'} switched on for {{endpoint}}",
            place_of(use.plain, outside),
            severity=severity,
            label=f'not in policy "{policy.name}"' + (f"; {note}" if note else ""),
            why=None if verdict is ProtocolVerdict.WEAK else WHY_OMITTED,
            source=policy.source_of("protocols"),
            help=f"allow {listed(policy.protocols)} only",
            endpoints=labels(use.endpoints),
            fix=allowing(use, wanted_protocols(deployment, policy)),
        )
