"""A word without a sign throws away what stands before it in Apache's list of protocol versions.

## What it finds
`SSLProtocol TLSv1.2 TLSv1.3` and its like: a word without `+` or `-` replaces all that the line has so far, so that
the last one alone counts. `SSLProxyProtocol`, for connections to backends, reads its words the same way.

## Why it matters
The line names two versions, and the server has one. Nginx takes the same words as they look, and many a configuration
was carried over from there.

## What clients see
Clients that do not have the last version are refused with a `protocol version` alert. In a virtual host httpd says
nothing about it, neither at `apache2 -t` nor in the log: the warning AH02532 is for lines outside of virtual hosts.

## How to fix it
Begin with `-all` and add each version with a plus: `-all +TLSv1.2 +TLSv1.3`.

## False alarms that it avoids
A single word without a sign is what httpd's own manual has. The same goes for one in front of others with signs, and
for one that takes nothing away. nginx has no such words: there, every version that is named is on.
"""

from collections.abc import Iterable, Iterator, Sequence

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety, SetUpstream
from tlslint.parse.tree import Argument
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment, Setting, Upstream
from tlslint.rules.upstreams import labels as upstream_labels
from tlslint.rules.upstreams import secure_upstreams
from tlslint.rules.versions import Use, allowing, available, thrown_away, uses, wanted_protocols
from tlslint.rules.words import labels, listed

rule = Rule(
    code="TLS104",
    name="protocol-list-reset",
    severity=Severity.ERROR,
    summary="a word without a sign throws away what stands before it in the list of protocol versions",
    why="each word without + or - replaces the whole list so far: the last one alone is in force",
    seen="clients without the last version end with the alert `protocol version`",
    seen_apache="clients without the last version end with the alert `protocol version`; apache2 -t and the log say "
    "nothing in a virtual host, and AH02532 outside of them",
    sources=("Apache HTTP Server, mod_ssl, SSLProtocol", "Apache HTTP Server, log message AH02532"),
    servers=("apache",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each line of which an earlier part is thrown away."""
    for use in uses(deployment):
        lost, word = thrown_away(use.plain)
        if word is not None:
            yield _finding(deployment, use.plain, lost, word, labels(use.endpoints), policy, use)
    seen: set[int] = set()
    for upstream in secure_upstreams(deployment):
        lost, word = thrown_away(upstream.protocols)
        if word is not None and id(word) not in seen:
            seen.add(id(word))
            yield _finding(deployment, upstream.protocols, lost, word, upstream_labels(upstream), policy, upstream)


def _finding(
    deployment: Deployment,
    setting: Setting[frozenset[str]],
    lost: frozenset[str],
    word: Argument,
    endpoints: Sequence[str],
    policy: Policy,
    decides: Use | Upstream,
) -> Finding:
    words = setting.places[-1].directive.arguments
    before = [other for other in words if other.start < word.start and other.lower() != "-all"]
    wanted = [name for name in sorted(lost) if policy.judge_protocol(name) is ProtocolVerdict.ALLOWED]
    versions = _meant(deployment, setting, lost, policy)
    return rule.finding(
        f"{word} replaces {listed(before)} for {{endpoint}}: nothing but "
        f"{listed(sorted(setting.known or ()))} is switched on",
        word.span,
        severity=Severity.ERROR if wanted else Severity.WARNING,
        label="without a sign it takes the place of all that stands before it",
        help=f"write -all {' '.join(f'+{name}' for name in versions)}",
        endpoints=endpoints,
        related=[Related(before[0].span, "of no effect")],
        fix=_fix(decides, versions),
    )


def _meant(
    deployment: Deployment, setting: Setting[frozenset[str]], lost: Iterable[str], policy: Policy
) -> tuple[str, ...]:
    """Return what is in force and what was thrown away, as far as the policy allows it and the target has it."""
    named = {*(setting.known or ()), *lost}
    possible = [name for name in sorted(named) if available(deployment, name)]
    allowed = tuple(name for name in possible if policy.judge_protocol(name) is ProtocolVerdict.ALLOWED)
    return allowed or wanted_protocols(deployment, policy)


def _fix(decides: Use | Upstream, versions: tuple[str, ...]) -> Fix:
    title = f"add {listed(versions)} to an empty list"
    if isinstance(decides, Upstream):
        return Fix(title, Safety.SAFE, (SetUpstream("protocols", versions, decides),))
    return allowing(decides, versions, title)
