"""The diagnostic format of reviewdog, which comments on pull requests of many platforms. Columns count bytes."""

from typing import Any

from tlslint.finding import Finding, Report
from tlslint.fingerprint import relative_path
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped
from tlslint.report.places import place
from tlslint.report.remarks import text_with_remarks


def render(report: Report) -> str:
    """Return the result as one JSON document."""
    return dumped(
        {
            "source": {"name": "tlslint"},
            "diagnostics": [
                *map(_diagnostic, report.findings),
                *(_problem(path, why) for path, why in report.problems),
            ],
        }
    )


def _diagnostic(finding: Finding) -> dict[str, Any]:
    return {
        "message": f"{finding.name}: {text_with_remarks(finding)}",
        "location": _location(finding.span),
        "severity": finding.severity.name,
        "code": {"value": finding.code},
        "related_locations": [
            {"message": other.message, "location": _location(other.span)} for other in finding.related
        ],
    }


def _problem(path: str, why: str) -> dict[str, Any]:
    return {"message": why, "location": {"path": relative_path(path)}, "severity": "ERROR"}


def _location(span: Span) -> dict[str, Any]:
    return {"path": place(span).path, "range": _range(span)}


def _range(span: Span) -> dict[str, Any]:
    at = place(span, "utf-8")
    return {
        "start": {"line": at.line, "column": at.column},
        "end": {"line": at.end_line, "column": at.end_column},
    }
