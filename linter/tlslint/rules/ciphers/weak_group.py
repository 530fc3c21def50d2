"""A key exchange group is listed that is weak or outside the policy.

## What it finds
Groups of a written list with less than 112 bits of strength, below the policy's size, or that the policy leaves out.

## Why it matters
A short group can be broken by whoever records the traffic. Rare groups are little reviewed and are not made
constant-time with the same care.

## What clients see
Nothing.

## How to fix it
Use the policy's list, or none: OpenSSL's default is sound.

## False alarms that it avoids
The library's default list is never a finding here. The list that counts is the one of the socket's default server, on
every version of nginx, and of the first virtual host of the address on Apache. Other names for the same group (`P-256`,
`secp256r1`) are understood. A group that the library does not know is unsupported-group's subject.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.groups import GroupUse, group_uses
from tlslint.rules.words import governing, labels, listed, part_of, value_argument
from tlslint.tls.ciphers import OpenSSL
from tlslint.tls.groups import Group, evaluate_groups
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS221",
    name="weak-group",
    severity=Severity.WARNING,
    summary="a key exchange group is listed that is weak or outside the policy",
    why="the group decides how hard recorded traffic is to break",
    seen="clients notice nothing; scanners report the groups",
    sources=("NIST SP 800-57 Part 1, section 5.6", "RFC 8422", "Mozilla/TLSRef guidelines, tls_curves"),
    fix=Safety.SAFE,
)
LEAST_BITS = 112


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each written list with groups that should not be there."""
    for use in group_uses(deployment):
        if use.is_default or not use.setting.explicit:
            continue
        groups = dict.fromkeys(group for target in deployment.targets() for group in use.groups(target))
        weak = [group for group in groups if _is_weak(group, policy)]
        outside = [group for group in groups if policy.groups is not None and group.name not in policy.groups]
        found = list(dict.fromkeys((*weak, *outside)))
        if found:
            yield _finding(deployment, use, found, weak, policy)


def _is_weak(group: Group, policy: Policy) -> bool:
    # half of an elliptic curve's size is its strength
    return group.bits < max(LEAST_BITS, (policy.minimum_ecdh_bits or 0) // 2 if "ffdhe" not in group.name else 0)


def _finding(deployment: Deployment, use: GroupUse, found: list[Group], weak: list[Group], policy: Policy) -> Finding:
    argument = value_argument(use.setting)
    assert argument is not None
    words: list[tuple[Span, Group]] = []
    at = 0
    libraries = [build(target) for target in deployment.targets()]
    for word in argument.split(":"):
        here = [group for openssl in libraries for group in evaluate_groups(word.strip(), openssl).groups]
        words += [(part_of(argument, at, at + len(word)), group) for group in here[:1] if group in found]
        at += len(word) + 1
    (first, worst), *more = sorted(words, key=lambda item: item[1] not in weak) or [(argument.span, found[0])]
    names = listed(group.name for group in found)
    what = "weak" if len(weak) == len(found) else f'outside policy "{policy.name}"'
    return rule.finding(
        f"{names} {'is' if len(found) == 1 else 'are'} {what} and on the list of groups of {{endpoint}}",
        first,
        label=f"{worst.bits} bits of strength" if worst in weak else "not in the policy",
        source=policy.source_of("groups"),
        help=f"use {':'.join(policy.recommended_groups)}" if policy.recommended_groups else "take it out of the list",
        endpoints=labels(use.endpoints),
        related=[Related(span, "and this") for span, _ in more[:6]],
        fix=_fix(deployment, use, {group.name for group in found}, policy),
    )


def _fix(deployment: Deployment, use: GroupUse, unwanted: set[str], policy: Policy) -> Fix | None:
    """Keep what may stay, in its order; where nothing may, take what every library of the target knows."""
    libraries = [build(target) for target in deployment.targets()]
    value = use.setting.known or ""
    kept = [word.strip() for word in value.split(":") if not _named(word, libraries) & unwanted]
    kept = kept or [
        name
        for name in policy.recommended_groups or ()
        if not any(evaluate_groups(name, one).error for one in libraries)
    ]
    if not kept or "/" in value:
        return None
    intention = SetValue("groups", tuple(kept), use.setting, governing(use.endpoints, "groups"))
    return Fix(f"list {listed(kept)} only", Safety.SAFE, (intention,))


def _named(word: str, libraries: list[OpenSSL]) -> set[str]:
    return {group.name for openssl in libraries for group in evaluate_groups(word.strip(), openssl).groups}
