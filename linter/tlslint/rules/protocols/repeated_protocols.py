"""Several lines that set the protocol versions stand in one block.

## What it finds
nginx takes repeated `ssl_protocols` lines of one block together, unlike nearly all of its other directives: a shared
snippet with old versions and a strict line below it give all of them. Apache keeps the last `SSLProtocol` line of a
section and drops the others.

## Why it matters
nginx: the last line looks as if it decided, and does not: what it leaves out is still served. Apache: a line that
looks as if it decided has no effect, because another one follows, often from a snippet at the end of the section.

## What clients see
Clients negotiate versions that the line does not name. nginx warns only when a word occurs twice, Apache never.

## How to fix it
Keep one line.

## False alarms that it avoids
Lines at different levels are ordinary overriding: the inner one replaces the outer one; so is, on Apache, a line of
the section itself below a snippet that it includes. Lines that say the same are reported as advice only.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment, Place
from tlslint.rules.versions import Use, allowing, asleep, read_line, serving, united_by_accident
from tlslint.rules.words import directive_of, labels, listed, place_of

rule = Rule(
    code="TLS106",
    name="repeated-protocols",
    severity=Severity.WARNING,
    summary="several lines that set the protocol versions stand in one block",
    why="nginx serves what any of the lines names, Apache what the last one does",
    seen="versions are negotiated that the last line leaves out; nginx warns only of a word that occurs twice",
    seen_apache="versions are negotiated, or refused, that an earlier line decided otherwise; Apache does not warn",
    sources=(
        "nginx, ssl_protocols (measured on 1.22 and 1.31)",
        "Apache HTTP Server, mod_ssl, SSLProtocol (measured on 2.4.71)",
    ),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each block in which several lines set the versions."""
    in_force = {
        id(place.directive) for host in deployment.virtual_hosts for place in host.tls.protocols.places
    }  # fmt: skip
    for use in serving(deployment):
        if len(use.plain.places) > 1:
            yield _finding(deployment, use, policy)
        for place in use.plain.replaced:
            if len(place.includes) <= len(use.plain.places[-1].includes):
                yield _replaced(use, place, is_shared=id(place.directive) in in_force)


def _replaced(use: Use, place: Place, is_shared: bool) -> Finding:
    """Say that a line has no effect, because a later one of its section replaces it."""
    last = use.plain.places[-1]
    says_the_same = read_line(place.directive.arguments)[0] == read_line(last.directive.arguments)[0]
    fix = Fix("remove the line that is not in force", Safety.SAFE, (RemoveDirective(place),))
    return rule.finding(
        f"this {place.directive.name} is not in force for {{endpoint}}: a later one of the section replaces it",
        place.span,
        severity=Severity.INFO if says_the_same else Severity.WARNING,
        label="says the same as the later one" if says_the_same else "of no effect",
        help="keep one line",
        endpoints=labels(use.endpoints),
        related=[Related(last.span, "the last one, which decides")],
        fix=None if is_shared else fix,
    )


def _finding(deployment: Deployment, use: Use, policy: Policy) -> Finding:
    extra = sorted(united_by_accident(use) & use.enabled)
    last = use.plain.places[-1]
    verdicts = {policy.judge_protocol(name) for name in extra}
    severity = Severity.WARNING if extra else Severity.INFO
    name = directive_of(use.plain)
    if ProtocolVerdict.WEAK in verdicts:
        severity = Severity.ERROR
    if extra:
        note = asleep(deployment, use, extra)
        message = f"{name} lines of one block are united for {{endpoint}}: {listed(extra)} stay{_s(extra)} switched on"
        label = (
            "in force, although the last line leaves it out"
            if len(extra) == 1
            else ("in force, although the last line leaves them out")
        )
        label += f"; {note}" if note else ""
    else:
        message = f"{name} is set {len(use.plain.places)} times in one block for {{endpoint}}"
        label = "adds nothing to the last line"
    return rule.finding(
        message,
        place_of(use.plain, extra) if extra else use.plain.places[0].span,
        severity=severity,
        label=label,
        source=policy.source_of("protocols"),
        help="keep one line",
        endpoints=labels(use.endpoints),
        related=[Related(last.span, "the last line, which does not replace it")],
        fix=_fix(use, set(extra), policy),
    )


def _fix(use: Use, extra: set[str], policy: Policy) -> Fix:
    """Keep what is served, but for what only an earlier line brings and the policy does not allow."""
    kept = [name for name in use.listed if name not in extra or policy.judge_protocol(name) is ProtocolVerdict.ALLOWED]
    return allowing(use, kept, f"say it in one line: {listed(sorted(kept))}")


def _s(names: list[str]) -> str:
    return "s" if len(names) == 1 else ""
