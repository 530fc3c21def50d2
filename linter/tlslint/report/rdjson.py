"""The diagnostic format of reviewdog, which comments on pull requests of many platforms. Columns count bytes."""

from typing import Any

from tlslint.finding import Finding, Report
from tlslint.fingerprint import relative_path
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped
from tlslint.report.places import edit_span, place
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
    diagnostic: dict[str, Any] = {
        "message": f"{finding.name}: {text_with_remarks(finding)}",
        "location": _location(finding.span),
        "severity": finding.severity.name,
        "code": {"value": finding.code},
        "related_locations": [
            {"message": other.message, "location": _location(other.span)} for other in finding.related
        ],
    }
    edits = finding.fix.edits if finding.fix is not None else ()
    # a suggestion is taken on its own, so it has to be the whole fix
    if len(edits) == 1 and edits[0].source.path == finding.span.source.path:
        diagnostic["suggestions"] = [{"range": _range(edit_span(edits[0])), "text": edits[0].text}]
    return diagnostic


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
