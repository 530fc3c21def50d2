"""SARIF 2.1.0: GitHub's code scanning, Azure DevOps, editors and dashboards read it.

Paths are relative to the directory in which tlslint ran, whose own path stays out of the file.
"""

from collections.abc import Mapping
from typing import Any

from tlslint import __version__
from tlslint.check import RuleModule
from tlslint.finding import CouldNotCheck, Finding, Report, Rule, Severity
from tlslint.fingerprint import fingerprints
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped
from tlslint.report.places import place, uri
from tlslint.report.remarks import remarks
from tlslint.report.rules import documentation, markdown_page

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
FINGERPRINT = "tlslintFinding/v1"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRIORITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}


def render(report: Report, rules: Mapping[str, RuleModule]) -> str:
    """Return one run as a JSON document: the rules that have findings, the findings, what could not be done."""
    codes = sorted({finding.code for finding in report.findings})
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
            for finding, fingerprint in zip(report.findings, fingerprints(report.findings), strict=True)
        ],
    }
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
    return result


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
