"""Runs the rules over a deployment and makes one finding of what several endpoints share."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix
from tlslint.policy import Policy
from tlslint.record import replace
from tlslint.resolve.model import Deployment

ENDPOINT = "{endpoint}"
"""Stands in a message for the first affected endpoint and the number of the others."""
_LOG_NUMBER = re.compile(r"\bAH\d{5}\b")


class RuleModule(Protocol):
    """One file in `tlslint/rules`: the rule's description of itself, and its check."""

    rule: Rule

    def check(self, deployment: Deployment, policy: Policy) -> Iterator[Finding]:
        """Yield what is wrong."""


def reported_elsewhere(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """The check of a rule that is not about a deployment: `suppress` reports what is wrong with comments."""
    yield from ()


class RuleError(Exception):
    """A rule raised: tlslint is broken, not the configuration. The message names the rule."""


def check(deployment: Deployment, policy: Policy, rules: Iterable[RuleModule]) -> list[Finding]:
    """Return the findings of all rules, merged and in order of code; raises `RuleError` where a rule itself fails."""
    return merge(told_once(findings_of(deployment, policy, rules)))


def findings_of(deployment: Deployment, policy: Policy, rules: Iterable[RuleModule]) -> Iterator[Finding]:
    """Yield the findings of all rules, to be merged with those of other deployments; raises as `check` does."""
    for module in rules:
        if deployment.server not in module.rule.servers:
            continue
        try:
            for finding in module.check(deployment, policy):
                yield _in_words_of(deployment.server, module.rule, finding)
        except Exception as error:
            raise RuleError(f"rule {module.rule.name} failed on {deployment.entry}: {error!r}") from error


def _in_words_of(server: str, rule: Rule, finding: Finding) -> Finding:
    """Say what is seen as this server says it, unless the rule said it for this very case."""
    seen = rule.seen_with(server)
    return finding if seen == rule.seen or finding.seen != rule.seen else replace(finding, seen=seen)


def told_once(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of one deployment without those of which another rule that was asked says more.

    What is left then says what the server's log has, with its number.
    """
    found = list(findings)
    if any(finding.explained_by for finding in found):
        found = [finding for finding in found if not _is_explained(finding, found)]
    if not any(finding.yields_to for finding in found):
        return found
    told = {(finding.name, finding.span.source.path, finding.span.start) for finding in found if not finding.yields_to}
    logged: dict[tuple[str, str, int], str] = {}
    left = []
    for finding in found:
        tellers = [key for key in _told_as(finding) if key in told]
        logged.update(dict.fromkeys(tellers, finding.message))
        if not tellers:
            left.append(finding)
    return [_as_logged(finding, logged) for finding in left]


def _is_explained(finding: Finding, found: Iterable[Finding]) -> bool:
    """Whether an error on one of the endpoints, on their socket, or of a file, says why it is so."""
    if not finding.explained_by:
        return False
    places = {*finding.endpoints, *(label.rpartition(" on ")[2] for label in finding.endpoints)}
    return any(
        other.name in finding.explained_by
        and other.severity >= Severity.ERROR
        and not (other.endpoints and places.isdisjoint(other.endpoints))
        for other in found
    )


def _as_logged(finding: Finding, logged: dict[tuple[str, str, int], str]) -> Finding:
    message = logged.get((finding.name, finding.span.source.path, finding.span.start), "")
    number = _LOG_NUMBER.search(message)
    if number is None or number[0] in finding.seen:
        return finding
    return replace(finding, seen=f"Apache does not start (apache2 -t says nothing): {message}")


def _told_as(finding: Finding) -> Iterator[tuple[str, str, int]]:
    for span in (finding.span, *(place.span for place in finding.related)) if finding.yields_to else ():
        for name in finding.yields_to:
            yield name, span.source.path, span.start


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of those that say the same of the same place, and name its endpoints in the message."""
    return [merged(group) for group in grouped(findings)]


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Put those together that say the same of the same place."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        span = finding.span
        # by path: one file may be reached by several deployments, each with its own reading of it
        key = (finding.code, span.source.path, span.start, span.end, finding.message)
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def merged(group: Sequence[Finding]) -> Finding:
    """Make one finding of those that say the same of the same place."""
    if len(group) == 1 and ENDPOINT not in group[0].message:
        return group[0]
    worst = max(group, key=lambda finding: finding.severity)
    endpoints = tuple(dict.fromkeys(label for finding in group for label in finding.endpoints))
    related = tuple(dict.fromkeys(place for finding in group for place in finding.related))
    deployments = tuple(dict.fromkeys(name for finding in group for name in finding.deployments))
    message = worst.message.replace(ENDPOINT, describe(endpoints))
    fix = _merged_fix(group, worst)
    return replace(worst, message=message, endpoints=endpoints, related=related, deployments=deployments, fix=fix)


def _merged_fix(group: Sequence[Finding], worst: Finding) -> Fix | None:
    """Make one fix of those of findings that are one: all of it has to be done, and the least safe part counts.

    Where a part has no fix, or one that cannot be written, there is none that would make the finding go away.
    """
    fixes = [finding.fix for finding in group]
    if len(group) == 1 or worst.fix is None:
        return worst.fix
    if any(fix is None for fix in fixes):
        return None
    known = [fix for fix in fixes if fix is not None]
    if all(fix == worst.fix for fix in known):
        return worst.fix
    return replace(
        worst.fix,
        safety=min(fix.safety for fix in known),
        intentions=tuple(item for fix in known for item in fix.intentions),
        commands=tuple(dict.fromkeys(line for fix in known for line in fix.commands)),
        # one file may be reached by several deployments
        edits=tuple(
            {(edit.source.path, edit.start, edit.end, edit.text): edit for fix in known for edit in fix.edits}.values()
        ),
        refusal=next((fix.refusal for fix in known if fix.refusal), ""),
    )


def describe(endpoints: Sequence[str]) -> str:
    """Return the first endpoint and how many more there are: `a.example on 0.0.0.0:443 and 6 more endpoints`."""
    if not endpoints:
        return "no known endpoint"
    more = len(endpoints) - 1
    if not more:
        return endpoints[0]
    return f"{endpoints[0]} and {more} more endpoint{'s' if more > 1 else ''}"
