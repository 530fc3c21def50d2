"""One line for each finding, as editors understand it: `path:line:column: severity code name: message`."""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding
from tlslint.report.text import Palette, visible


def render(findings: Iterable[Finding], palette: Palette) -> Iterator[str]:
    """Yield one line for each finding."""
    for finding in findings:
        span, level = finding.span, finding.severity.label
        place = palette.paint(f"{visible(span.source.path)}:{span.line}:{span.column}:", "strong")
        what = palette.paint(f"{level} {finding.code} {finding.name}:", level)
        where = f" ({', '.join(finding.deployments)})" if finding.deployments else ""
        yield f"{place} {what} {visible(finding.message + where)}\n"
