"""JSON a line at a time, for programs that read a stream: each line says in `kind` what it is (`tlslint-report/1`)."""

from collections.abc import Iterator
from typing import Any

from tlslint.finding import Report
from tlslint.report.as_json import dumped_line
from tlslint.report.json_report import as_data

KINDS = {
    "findings": "finding",
    "hidden": "hidden",
    "unknown": "unknown",
    "skipped": "skipped",
    "problems": "problem",
    "notes": "note",
    "failures": "failure",
}
"""The lists of the JSON report, and what one of their items is called."""


def render(report: Report) -> Iterator[str]:
    """Yield a line for everything that the JSON report lists, and at last one with the summary."""
    document = as_data(report)
    for name, kind in KINDS.items():
        for item in document[name]:
            members: dict[str, Any] = item if isinstance(item, dict) else {"text": item}
            yield dumped_line({"kind": kind, **members})
    yield dumped_line({"kind": "summary", "schema": document["schema"], **document["summary"]})
