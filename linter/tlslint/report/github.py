"""Workflow commands of GitHub Actions: the runner makes annotations of them, on the lines of a pull request."""

from collections.abc import Iterator

from tlslint.finding import Report, Severity
from tlslint.report.places import place
from tlslint.report.remarks import text_with_remarks
from tlslint.report.text import visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> Iterator[str]:
    """Yield a command for each finding, and for what kept tlslint from doing its job."""
    for finding in report.findings:
        at = place(finding.span)
        properties: dict[str, object] = {"file": at.path, "line": at.line, "endLine": at.end_line}
        if at.line == at.end_line:
            # the runner takes columns within one line only
            properties |= {"col": at.column, "endColumn": at.end_column}
        properties["title"] = f"{finding.code} {finding.name}"
        yield _command(_COMMANDS[finding.severity], properties, text_with_remarks(finding))
    for path, why in report.problems:
        yield _command("error", {"title": "tlslint"}, f"{path}: {why}")
    for failure in report.failures:
        yield _command("error", {"title": "tlslint"}, f"internal error: {failure}")


def _command(name: str, properties: dict[str, object], message: str) -> str:
    written = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {written}::{_data(message)}\n"


def _data(text: str) -> str:
    text = "\n".join(map(visible, text.split("\n")))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
