"""Several lines that set the protocol versions stand in one block, and the server makes one set of them.

## What it finds
nginx takes repeated `ssl_protocols` lines of one block together, unlike nearly all of its other directives: a shared
snippet with old versions and a strict line below it give all of them.

## Why it matters
The last line looks as if it decided, and does not: what it leaves out is still served.

## What clients see
Clients negotiate versions that the last line does not name. nginx warns only when a word occurs twice.

## How to fix it
Keep one line.

## False alarms that it avoids
Lines at different levels are ordinary overriding: the inner one replaces the outer one. Lines that say the same are
reported as advice only.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, allowing, asleep, serving, united_by_accident
from tlslint.rules.words import directive_of, labels, listed, place_of

rule = Rule(
    code="TLS106",
    name="repeated-protocols",
    severity=Severity.WARNING,
    summary="several lines that set the protocol versions stand in one block and are united",
    why="the last line does not decide: nginx serves what any of the lines names",
    seen="versions are negotiated that the last line leaves out; nginx warns only of a word that occurs twice",
    seen_apache="versions are negotiated, or refused, that an earlier line decided otherwise; nobody warns",
    sources=("nginx, ssl_protocols (measured on 1.22 and 1.31)",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each block in which several lines set the versions."""
    for use in serving(deployment):
        if len(use.plain.places) > 1:
            yield _finding(deployment, use, policy)


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
