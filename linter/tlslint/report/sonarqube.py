"""SonarQube's generic issue import (`sonar.externalIssuesReportPaths`), as of version 10.3.

SonarQube has one severity for each rule. A finding that was given another one than its rule's belongs to a rule of its
own. Columns count UTF-16 units from 0, and a range without extent is refused, so it becomes its whole line.
"""

from collections.abc import Mapping
from typing import Any

from tlslint.check import RuleModule
from tlslint.finding import Finding, Report, Severity
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped
from tlslint.report.places import place
from tlslint.report.rules import documentation

_IMPACTS = {Severity.ERROR: "HIGH", Severity.WARNING: "MEDIUM", Severity.INFO: "LOW"}
_SEVERITIES = {Severity.ERROR: "CRITICAL", Severity.WARNING: "MAJOR", Severity.INFO: "INFO"}


def render(report: Report, rules: Mapping[str, RuleModule]) -> str:
    """Return the rules that have findings, and the findings, as one JSON document."""
    used = {_rule_id(finding, rules): finding for finding in report.findings}
    return dumped(
        {
            "rules": [_rule(name, finding, rules) for name, finding in used.items()],
            "issues": [_issue(finding, _rule_id(finding, rules)) for finding in report.findings],
        }
    )


def _rule_id(finding: Finding, rules: Mapping[str, RuleModule]) -> str:
    module = rules.get(finding.code)
    if module is None or module.rule.severity is finding.severity:
        return finding.name
    return f"{finding.name}-as-{finding.severity.label}"


def _rule(name: str, finding: Finding, rules: Mapping[str, RuleModule]) -> dict[str, Any]:
    module = rules.get(finding.code)
    return {
        "id": name,
        "name": f"{finding.code} {finding.name}",
        "description": documentation(module) if module is not None else finding.message,
        "engineId": "tlslint",
        "cleanCodeAttribute": "TRUSTWORTHY",
        "type": "VULNERABILITY",
        "severity": _SEVERITIES[finding.severity],
        "impacts": [{"softwareQuality": "SECURITY", "severity": _IMPACTS[finding.severity]}],
    }


def _issue(finding: Finding, rule_id: str) -> dict[str, Any]:
    message = f"{finding.message}. {finding.help}" if finding.help else finding.message
    issue: dict[str, Any] = {"ruleId": rule_id, "primaryLocation": _location(finding.span, message)}
    if finding.related:
        issue["secondaryLocations"] = [_location(other.span, other.message) for other in finding.related]
    return issue


def _location(span: Span, message: str) -> dict[str, Any]:
    at = place(span, "utf-16-le")
    lines = {"startLine": at.line}
    if not at.is_empty:
        lines |= {"endLine": at.end_line, "startColumn": at.column - 1, "endColumn": at.end_column - 1}
    return {"message": message, "filePath": at.path, "textRange": lines}
