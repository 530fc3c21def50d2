"""One line for each finding, as editors understand it: `path:line:column: severity code name: message`.

`[*]` before the message marks what `--fix` makes go away.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding
from tlslint.intention import Safety
from tlslint.report.text import Palette, visible


def render(findings: Iterable[Finding], palette: Palette) -> Iterator[str]:
    """Yield one line for each finding."""
    for finding in findings:
        span, level = finding.span, finding.severity.label
        place = palette.paint(f"{visible(span.source.path)}:{span.line}:{span.column}:", "strong")
        safe = finding.fix is not None and finding.fix.applicable and finding.fix.safety is Safety.SAFE
        what = palette.paint(f"{level} {finding.code} {finding.name}:", level)
        where = f" ({', '.join(finding.deployments)})" if finding.deployments else ""
        yield f"{place} {what} {'[*] ' if safe else ''}{visible(finding.message + where)}\n"
