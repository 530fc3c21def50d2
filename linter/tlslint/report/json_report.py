"""Findings as JSON: the contract `tlslint-report/1` (`data/report.schema.json`). Members are added, never renamed."""

from typing import Any

from tlslint.finding import CouldNotCheck, Finding, Hidden, Report, Severity
from tlslint.fingerprint import fingerprints
from tlslint.intention import Edit, Fix
from tlslint.parse.tree import Span
from tlslint.report.as_json import dumped

SCHEMA = "tlslint-report/1"


def render(report: Report) -> str:
    """Return the report as one JSON document."""
    return dumped(as_data(report))


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as the contract's members."""
    shown = report.hidden if report.show_hidden else []
    # numbered together, so that a finding keeps its fingerprint when an equal one is hidden
    prints = fingerprints([*report.findings, *(item.finding for item in shown)])
    found = zip(report.findings, prints, strict=False)
    return {
        "schema": SCHEMA,
        "findings": [_finding(finding, fingerprint) for finding, fingerprint in found],
        "unknown": [_unknown(item) for item in report.unknown],
        "skipped": [{"file": path, "why": why} for path, why in report.skipped],
        "problems": [{"file": path, "why": why} for path, why in report.problems],
        "notes": report.notes,
        "hidden": [_hidden(*item) for item in zip(shown, prints[len(report.findings) :], strict=True)],
        "stale": [{"file": item.file, "rule": item.rule, "count": item.number} for item in report.stale],
        "failures": [str(failure) for failure in report.failures],
        "summary": summary(report),
    }


def summary(report: Report) -> dict[str, Any]:
    """Return the counts of a report."""
    return {
        "policy": report.policy,
        **{severity.label: sum(item.severity is severity for item in report.findings) for severity in Severity},
        "files": report.files,
        "deployments": report.deployments,
        "endpoints": report.endpoints,
        "ignored": report.ignored,
        "baselined": report.baselined,
    }


def _finding(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.label,
        "message": finding.message,
        **_place(finding.span),
        "label": finding.label or None,
        "why": finding.why or None,
        "seen": finding.seen or None,
        "source": finding.source or None,
        "help": finding.help or None,
        "endpoints": list(finding.endpoints),
        **({"deployments": list(finding.deployments)} if finding.deployments else {}),
        "related": [{"message": place.message, **_place(place.span)} for place in finding.related],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "fingerprint": fingerprint,
    }


def _hidden(item: Hidden, fingerprint: str) -> dict[str, Any]:
    place = _place(item.place) if item.place is not None else {}
    return {
        **_finding(item.finding, fingerprint),
        "hidden_by": item.by,
        "reason": item.reason or None,
        "until": item.until or None,
        "comment_line": place.get("line"),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safety": fix.safety.label,
        "refusal": fix.refusal or None,
        "commands": list(fix.commands),
        "edits": [_edit(edit) for edit in fix.edits],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    span = Span(edit.source, edit.start, edit.end)
    return {**_place(span), "start": edit.start, "end": edit.end, "text": edit.text}


def _unknown(item: CouldNotCheck) -> dict[str, Any]:
    place = _place(item.span) if item.span is not None else {}
    return {"what": item.what, "why": item.why, "file": place.get("file"), "line": place.get("line")}


def _place(span: Span) -> dict[str, Any]:
    line, column = span.source.line_column(span.start)
    end_line, end_column = span.source.line_column(span.end)
    return {"file": span.source.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}
