"""Cipher suites are offered that protect nothing, or that attackers break.

## What it finds
Suites without encryption (NULL) or without authentication (anonymous), EXPORT, DES, RC4, RC2, MD5, 3DES, IDEA and
SEED: those that clients can really get from an endpoint are errors. A list that names such a suite which this TLS
library cannot serve gives a warning, because the file may meet another build.

## Why it matters
RFC 7465 forbids RC4; SWEET32 (CVE-2016-2183) breaks ciphers with 64-bit blocks; EXPORT keys were made to be broken
(FREAK, Logjam); an anonymous handshake can be intercepted by anyone on the path.

## What clients see
Nothing: good clients do not take such suites. Scanners report them, and a client that has nothing better uses them.

## How to fix it
Use the policy's list.

## False alarms that it avoids
`!RC4` and `-3DES` exclude, they do not name. A word that a later exclusion takes back is silent. Suites that the
policy itself lists (3DES in old Mozilla guidelines) are no finding. What the server's own default brings is
implicit-ciphers', what a command brings in the directive's place is overridden-ciphers' subject.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import (
    CipherUse,
    WrittenList,
    brings,
    broken,
    by_reason,
    cipher_uses,
    is_allowed,
    lists_in_force,
    named_on_any_build,
    policy_list,
    some,
)
from tlslint.rules.words import listed, part_of
from tlslint.tls.ciphers import broken_reason

rule = Rule(
    code="TLS201",
    name="broken-cipher",
    severity=Severity.ERROR,
    summary="cipher suites are offered that protect nothing, or that attackers break",
    why="whoever is on the path can read or change what such a suite carries",
    seen="good clients notice nothing; scanners report the suites",
    sources=("RFC 7465", "RFC 9155", "CVE-2016-2183", "CVE-2015-0204", "Mozilla/TLSRef guidelines, ciphers"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that offers broken suites, and one for each that names further ones."""
    served: set[str] = set()
    used: set[int] = set()
    for use in cipher_uses(deployment):
        found = broken(use, policy)
        served |= {suite.name for suite in found}
        used.add(id(use.setting))
        if found and use.setting.explicit and not use.overrides:
            yield _offered(deployment, use, policy)
    for written in lists_in_force(deployment):
        if id(written.setting) in used:
            yield from _named(written, policy, served)


def _offered(deployment: Deployment, use: CipherUse, policy: Policy) -> Finding:
    suites = broken(use, policy)
    names = [suite.name for suite in suites]
    reasons = [f"{reason} ({some(found)})" for reason, found in by_reason(suites, broken_reason).items()]
    first, *more = use.spans(names, deployment.targets())
    return rule.finding(
        f"broken cipher suites are offered by {{endpoint}}: {listed(reasons)}",
        first,
        label=brings(use, names),
        source=policy.source_of("ciphers"),
        help="use the policy's list, or exclude them: " + ":".join(f"!{name}" for name in names[:6]),
        endpoints=use.labels,
        related=[Related(span, "and this") for span in more[:6]],
        fix=policy_list(use.setting, use.endpoints, policy),
    )


def _named(written: WrittenList, policy: Policy, served: set[str]) -> Iterator[Finding]:
    """Yield one finding for the words that name broken suites which no endpoint serves here."""
    found = []
    for token, names in named_on_any_build(written.value):
        unwanted = [name for name in names if not is_allowed(name, policy)]
        if unwanted and served.isdisjoint(unwanted):
            found.append(token)
    if not found:
        return
    first, *more = (part_of(written.argument, token.start, token.end) for token in found)
    yield rule.finding(
        f"broken cipher suites are on the list of {{endpoint}}, although not negotiable here: "
        f"{some(token.text for token in found)}",
        first,
        severity=Severity.WARNING,
        label="another build of OpenSSL may serve it",
        source=policy.source_of("ciphers"),
        help=f"take {'it' if len(found) == 1 else 'them'} out of the list",
        endpoints=written.labels,
        related=[Related(span, "and this") for span in more[:6]],
        fix=policy_list(written.setting, (), policy),
    )
