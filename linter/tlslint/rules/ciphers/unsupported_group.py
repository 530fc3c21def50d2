"""The list of key exchange groups has a name that the TLS library does not know.

## What it finds
Lists that the target's OpenSSL refuses: `X25519MLKEM768` before 3.5, a `?` in front of a name before 3.3, `secp256r1`
before 3.0 (where it is `prime256v1`), groups that 4.0 removed, misspelt names, and a name that stands twice before
3.3.

## Why it matters
One such name makes OpenSSL refuse the whole list, and the server does not start.

## What clients see
Nothing until the next restart. Then nobody connects.

## How to fix it
Take the name out, or spell it as this release does.

## False alarms that it avoids
Where the version of OpenSSL is not known, a list that some supported release takes gives a warning that names the
releases which do not. `auto` is nginx's own word, `Automatic` OpenSSL's. Lists with variables are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.groups import WrittenGroups, written_groups
from tlslint.rules.words import listed, releases, reported
from tlslint.tls.groups import DUPLICATE, evaluate_groups
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS223",
    name="unsupported-group",
    severity=Severity.ERROR,
    summary="the list of key exchange groups has a name that the TLS library does not know",
    why="OpenSSL refuses the whole list, so the server does not start",
    seen="nginx -t: [emerg] SSL_CTX_set1_curves_list(…) failed",
    seen_apache='Apache does not start (apache2 -t says nothing): AH02407: "SSLOpenSSLConfCmd Groups …" failed',
    sources=("SSL_CTX_set1_groups_list(3)", "OpenSSL 3.5 changes: X25519MLKEM768"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list of groups that an OpenSSL of the target refuses."""
    found = [finding for written in written_groups(deployment) for finding in _check(deployment, written)]
    yield from found
    yield from reported(rule, deployment, found)


def _check(deployment: Deployment, written: WrittenGroups) -> Iterator[Finding]:
    everyone = [str(target.openssl) for target in deployment.targets()]
    reasons: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for target in deployment.targets():
        found = evaluate_groups(str(written.argument), build(target))
        if found.error is not None:
            blamed = tuple(_blamed(str(written.argument), found.unknown))
            reasons.setdefault((found.error, blamed), []).append(str(target.openssl))
    refusing = [version for version in everyone if any(version in versions for versions in reasons.values())]
    if not refusing:
        return
    (error, unknown), _ = max(reasons.items(), key=lambda item: len(item[0][1]))
    everywhere = len(refusing) == len(everyone)
    who = "every supported OpenSSL"
    if not everywhere or len(everyone) == 1:
        who = f"OpenSSL {releases(refusing, everyone)}"
    names = [f'"{name}"' for name in unknown]
    label = f"not known: {listed(names)}" if names else error
    yield rule.finding(
        f"the list of groups of {{endpoint}} is refused by {who}",
        written.span_of(unknown[0]) if unknown and len(unknown) == 1 else written.argument.span,
        severity=Severity.ERROR if everywhere else Severity.WARNING,
        label=label,
        help="name each group once" if error == DUPLICATE else "take the unknown names out, or remove the directive",
        endpoints=written.labels,
        fix=_fix(written, error, unknown, everywhere),
    )


def _fix(written: WrittenGroups, error: str, unknown: tuple[str, ...], everywhere: bool) -> Fix | None:
    words = [word.strip() for word in written.argument.split(":")]
    if error == DUPLICATE:
        kept = list(dict.fromkeys(words))
    elif unknown and "/" not in written.argument:
        kept = [word for word in words if word not in unknown]
    else:
        return None
    if kept == words:
        return None
    # a group that only some releases lack is offered by the others
    safety = Safety.SAFE if everywhere or error == DUPLICATE else Safety.UNSAFE
    if not kept:
        place = written.setting.places[-1]
        return Fix(f"remove {place.directive.name}", safety, (RemoveDirective(place),))
    return Fix(f"list {listed(kept)}", safety, (SetValue("groups", tuple(kept), written.setting),))


def _blamed(value: str, unknown: tuple[str, ...]) -> Iterator[str]:
    """Yield the unknown names without those that the list itself forgives."""
    forgiven = {word.strip()[1:] for word in value.split(":") if word.strip().startswith("?")}
    yield from (name for name in unknown if name not in forgiven)
