"""A protocol version that the policy requires is not offered.

## What it finds
A list of versions that leaves out what the policy requires: usually TLS 1.3, which most guidelines want beside TLS
1.2.

## Why it matters
TLS 1.3 (RFC 8446) saves a round trip, encrypts more of the handshake and has no weak options left to configure. Hybrid
post-quantum key exchange exists in TLS 1.3 only.

## What clients see
Clients that know TLS 1.2 as well connect with that. A client that insists on TLS 1.3 is turned away with a
`protocol version` alert.

## How to fix it
Add the version to the list.

## False alarms that it avoids
Being stricter than the policy is no fault: only what the policy requires is missed, never an older version that it
merely allows. Where the target's server or TLS library is too old for the version, the finding is advice. Values that
nobody wrote are implicit-protocols' subject; what a command takes away is overridden-protocols', what a later word of
Apache's list throws away protocol-list-reset's.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, allowing, available, completed, serving, thrown_away, wanted_protocols
from tlslint.rules.words import directive_of, labels, listed
from tlslint.tls.handshake import TLS13

rule = Rule(
    code="TLS102",
    name="missing-protocol",
    severity=Severity.WARNING,
    summary="a protocol version that the policy requires is not offered",
    why="TLS 1.3 is faster, hides more of the handshake and has no weak options; hybrid key exchange needs it",
    seen="a client that takes TLS 1.3 only ends with the alert `protocol version`; all others notice nothing",
    sources=("RFC 8446", "NIST SP 800-52 Rev. 2, section 3.1", "Mozilla/TLSRef guidelines, tls_versions"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list of versions that lacks one that the policy requires."""
    for use in serving(deployment):
        lost, _ = thrown_away(use.plain) if deployment.server == "apache" else ((), None)
        missing = [name for name in policy.required_protocols if name not in use.listed and name not in lost]
        if use.plain.explicit and missing and not (use.quic and TLS13 in missing):
            yield _finding(deployment, use, missing, policy)


def _finding(deployment: Deployment, use: Use, missing: list[str], policy: Policy) -> Finding:
    possible = all(available(deployment, name) for name in missing)
    span = use.plain.span
    assert span is not None
    return rule.finding(
        f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} not offered by {{endpoint}}",
        span,
        severity=Severity.WARNING if possible else Severity.INFO,
        label=f'required by policy "{policy.name}"' + ("" if possible else "; this target is too old for it"),
        source=policy.source_of("required_protocols"),
        help=f"add {listed(missing)} to {directive_of(use.plain)}"
        if possible
        else f"upgrade to a server and a TLS library that have {listed(missing)}",
        endpoints=labels(use.endpoints),
        fix=_fix(deployment, use, missing, policy),
    )


def _fix(deployment: Deployment, use: Use, missing: list[str], policy: Policy) -> Fix | None:
    versions = completed(deployment, use, missing, policy)
    if not set(missing) <= {*wanted_protocols(deployment, policy)}:
        return None  # not every release that the target may be has it
    return allowing(use, versions, f"allow {listed(versions)}")
