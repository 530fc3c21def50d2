"""No hybrid post-quantum group is offered.

## What it finds
A written list of groups without `X25519MLKEM768` (or another group with ML-KEM), where TLS 1.3 is on. Under a policy
that requires post-quantum key exchange also a library whose default has none.

## Why it matters
Traffic that is recorded today can be decrypted once a large quantum computer exists. Current browsers offer the hybrid
group, and OpenSSL 3.5 prefers it by itself unless a list says otherwise.

## What clients see
Nothing.

## How to fix it
Where OpenSSL is 3.5 or newer: remove the list, or put the group in front. Never name it for an older OpenSSL: the
server would not start.

## False alarms that it avoids
A target with an older OpenSSL cannot offer it, so nothing is said there unless the policy requires it. A policy that
lists its groups without a hybrid one is not contradicted.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.groups import HYBRID, GroupUse, group_uses
from tlslint.rules.words import directive_of, governing, labels, span_of
from tlslint.tls.groups import groups as groups_of
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS222",
    name="no-hybrid-group",
    severity=Severity.INFO,
    summary="no hybrid post-quantum group is offered",
    why="traffic recorded today can be decrypted once a large quantum computer exists",
    seen="nothing; browsers show X25519 instead of X25519MLKEM768 in their connection details",
    sources=("OpenSSL 3.5 changes: default groups", "Mozilla/TLSRef guidelines 5.8, tls_curves"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list of groups that has no hybrid one although it could."""
    wanted = policy.require_post_quantum or policy.groups is None or HYBRID in policy.groups
    if not wanted or deployment.target.library != "openssl":
        return
    uses = [
        use
        for use in group_uses(deployment)
        if any("TLSv1.3" in endpoint.handshake.protocols for endpoint in use.endpoints)
    ]
    # without any, the libraries of all versions need not be looked at
    targets = deployment.targets() if uses else ()
    able = [target for target in targets if any(group.post_quantum for group in groups_of(build(target)))]
    for use in uses:
        lacking = [target for target in able if not any(group.post_quantum for group in use.groups(target))]
        refused = not use.is_default and any(not use.groups(target) for target in able)
        unable = policy.require_post_quantum and len(able) < len(deployment.targets())
        if not refused and ((lacking and use.setting.explicit) or unable):
            yield _finding(use, policy, bool(lacking), len(able) == len(deployment.targets()))


def _finding(use: GroupUse, policy: Policy, lacking: bool, everywhere: bool) -> Finding:
    name = directive_of(use.setting)
    label = f"lacks {HYBRID}" if lacking else "OpenSSL has the group since 3.5"
    if lacking and everywhere:
        advice = f"remove {name}, as OpenSSL's own list begins with {HYBRID}, or put that in front"
    elif lacking:
        advice = f"remove {name}: OpenSSL 3.5 and later prefer {HYBRID} by themselves, older ones refuse its name"
    else:
        advice = "upgrade to OpenSSL 3.5 or later"
    return rule.finding(
        "no hybrid post-quantum group is offered by {endpoint}",
        span_of(use.setting, use.endpoints),
        severity=Severity.WARNING if policy.require_post_quantum else Severity.INFO,
        label=label,
        source=policy.source_of("require_post_quantum" if policy.require_post_quantum else "groups"),
        help=advice,
        endpoints=labels(use.endpoints),
        fix=_fix(use, everywhere) if lacking else None,
    )


def _fix(use: GroupUse, everywhere: bool) -> Fix | None:
    value = use.setting.known or ""
    if not everywhere:
        # the library's own list is wider, which somebody may have wanted to prevent
        place = use.setting.places[-1]
        title = f"remove {place.directive.name}, so that the TLS library's own list is used"
        return Fix(title, Safety.UNSAFE, (RemoveDirective(place),))
    if "/" in value or "*" in value:
        return None
    groups = (HYBRID, *value.split(":"))
    intention = SetValue("groups", groups, use.setting, governing(use.endpoints, "groups"))
    return Fix(f"put {HYBRID} in front", Safety.SAFE, (intention,))
