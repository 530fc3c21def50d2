"""SARIF 2.1.0: GitHub's code scanning, Azure DevOps, editors and dashboards read it.

Paths are relative to the directory in which tlslint ran, whose own path stays out of the file.
"""

from collections.abc import Mapping
from typing import Any

from tlslint import __version__
from tlslint.check import RuleModule
from tlslint.finding import CouldNotCheck, Finding, Hidden, Report, Rule, Severity
from tlslint.fingerprint import fingerprints
from tlslint.intention import Edit, Fix
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped
from tlslint.report.places import edit_span, place, uri
from tlslint.report.remarks import fix_text, remarks
from tlslint.report.rules import documentation, markdown_page

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
FINGERPRINT = "tlslintFinding/v1"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRIORITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}


def render(report: Report, rules: Mapping[str, RuleModule]) -> str:
    """Return one run as a JSON document: the rules that have findings, the findings, what could not be done."""
    hidden = report.hidden if report.show_hidden else []
    findings = [*report.findings, *(item.finding for item in hidden)]
    codes = sorted({finding.code for finding in findings})
    indexes = {code: index for index, code in enumerate(codes)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "tlslint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rules[code]) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The directory in which tlslint ran."}}},
        "invocations": [_invocation(report)],
        "results": [
            _result(finding, indexes[finding.code], fingerprint)
            for finding, fingerprint in zip(findings, fingerprints(findings), strict=True)
        ],
    }
    if hidden:
        # all results of a run have suppressions, or none has
        suppressions = [*([] for _ in report.findings), *([_suppression(item)] for item in hidden)]
        for result, suppressed in zip(run["results"], suppressions, strict=True):
            result["suppressions"] = suppressed
    if report.policy:
        run["properties"] = {"policy": report.policy}
    return dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(module: RuleModule) -> dict[str, Any]:
    rule = module.rule
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why or rule.summary},
        "help": {"text": documentation(module), "markdown": markdown_page(module)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": _tags(rule), "problem.severity": _PRIORITIES[rule.severity]},
    }


def _tags(rule: Rule) -> list[str]:
    return ["security", "tls", *rule.servers]


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": _location(finding.span)}],
        "partialFingerprints": {FINGERPRINT: fingerprint},
        "properties": {"endpoints": list(finding.endpoints), **dict(remarks(finding))},
    }
    if finding.label:
        result["locations"][0]["physicalLocation"]["region"]["message"] = {"text": finding.label}
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": other.message}, "physicalLocation": _location(other.span)}
            for number, other in enumerate(finding.related, start=1)
        ]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    by_source: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_source.setdefault(place(edit_span(edit)).path, []).append(edit)
    return {
        "description": {"text": fix_text(fix)},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": [_replacement(edit) for edit in edits]}
            for path, edits in by_source.items()
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(edit_span(edit)), "insertedContent": {"text": edit.text}}


def _suppression(item: Hidden) -> dict[str, Any]:
    suppression: dict[str, Any] = {"kind": "inSource" if item.by == "comment" else "external", "status": "accepted"}
    if item.reason:
        suppression["justification"] = f"{item.reason}{f', until {item.until}' if item.until else ''}"
    if item.place is not None:
        suppression["location"] = {"physicalLocation": _location(item.place)}
    return suppression


def _location(span: Span) -> dict[str, Any]:
    at = place(span)
    return {
        "artifactLocation": _artifact(at.path),
        "region": {**_region(span), "snippet": {"text": span.text}},
    }


def _region(span: Span) -> dict[str, int]:
    at = place(span)
    return {
        "startLine": at.line,
        "startColumn": at.column,
        "endLine": at.end_line,
        "endColumn": at.end_column,
    }


def _artifact(path: str) -> dict[str, str]:
    reference = uri(path)
    return {"uri": reference} if path.startswith("/") else {"uri": reference, "uriBaseId": BASE}


def _invocation(report: Report) -> dict[str, Any]:
    notifications = [
        *(_notification("error", f"{path}: {why}") for path, why in report.problems),
        *(_notification("error", f"internal error: {failure}") for failure in report.failures),
        *(_notification("note", f"{path}: not checked: {why}") for path, why in report.skipped),
        *map(_gap, report.unknown),
    ]
    return {
        "executionSuccessful": not (report.problems or report.failures),
        "toolExecutionNotifications": notifications,
    }


def _gap(item: CouldNotCheck) -> dict[str, Any]:
    notification = _notification("note", f"could not check {item.what}: {item.why}")
    if item.span is not None:
        notification["locations"] = [{"physicalLocation": _location(item.span)}]
    return notification


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
