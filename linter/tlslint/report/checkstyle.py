"""Checkstyle's XML, which review bots and warnings plugins read."""

from collections.abc import Iterator

from tlslint.finding import Report
from tlslint.fingerprint import relative_path
from tlslint.report.as_xml import DECLARATION, element
from tlslint.report.places import place


def render(report: Report) -> Iterator[str]:
    """Yield the lines of the document; what could not be read is an error of its file."""
    files: dict[str, list[str]] = {}
    for finding in report.findings:
        at = place(finding.span)
        attributes = {
            "line": at.line,
            "column": at.column,
            "severity": finding.severity.label,
            "message": f"{finding.message} ({finding.help})" if finding.help else finding.message,
            "source": f"tlslint.{finding.name}",
        }
        files.setdefault(at.path, []).extend(element("error", attributes))
    for path, why in report.problems:
        attributes = {"line": 1, "severity": "error", "message": why, "source": "tlslint"}
        files.setdefault(relative_path(path), []).extend(element("error", attributes))
    yield DECLARATION
    content = [line for path, errors in files.items() for line in element("file", {"name": path}, errors)]
    yield from element("checkstyle", {"version": "4.3"}, content)
