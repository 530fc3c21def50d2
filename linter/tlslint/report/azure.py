"""Logging commands of Azure Pipelines: `task.logissue` puts errors and warnings into the summary of a build.

There is no command for advice, so findings of severity info are plain lines of the log.
"""

from collections.abc import Iterator

from tlslint.finding import Report, Severity
from tlslint.report.places import place
from tlslint.report.remarks import text_with_remarks
from tlslint.report.text import visible


def render(report: Report) -> Iterator[str]:
    """Yield a line for each finding, and for what kept tlslint from doing its job."""
    for finding in report.findings:
        at = place(finding.span)
        if finding.severity is Severity.INFO:
            where = f"{visible(at.path)}:{at.line}:{at.column}"
            yield f"{where}: info {finding.code} {finding.name}: {visible(finding.message)}\n"
            continue
        properties: dict[str, object] = {
            "type": finding.severity.label,
            "sourcepath": at.path,
            "linenumber": at.line,
            "columnnumber": at.column,
            "code": finding.code,
        }
        yield _issue(properties, f"{finding.name}: {text_with_remarks(finding)}")
    for path, why in report.problems:
        yield _issue({"type": "error"}, f"{path}: {why}")
    for failure in report.failures:
        yield _issue({"type": "error"}, f"internal error: {failure}")


def _issue(properties: dict[str, object], message: str) -> str:
    written = "".join(f"{key}={_property(str(value))};" for key, value in properties.items())
    return f"##vso[task.logissue {written}]{_data(message)}\n"


def _data(text: str) -> str:
    text = "\n".join(map(visible, text.split("\n")))
    # the agent's own name for the percent sign, which it takes for itself in no other way
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace("]", "%5D").replace(";", "%3B")
