"""What comments and the baseline keep from being reported: one line for each, marked as such."""

from collections.abc import Iterator

from tlslint.finding import Hidden, Report
from tlslint.report.text import Palette, visible


def render(report: Report, palette: Palette) -> Iterator[str]:
    """Yield a line for each finding that is hidden, if they are to be shown."""
    for item in sorted(report.hidden, key=lambda item: item.finding.sort_key) if report.show_hidden else ():
        finding, span = item.finding, item.finding.span
        place = palette.paint(f"{visible(span.source.path)}:{span.line}:{span.column}:", "strong")
        what = f"{finding.code} {finding.name}: {visible(finding.message)}"
        yield f"{place} {palette.paint('ignored', 'faint')} {what} ({visible(_why(item))})\n"


def _why(item: Hidden) -> str:
    if item.place is None:
        return "in the baseline"
    until = f", until {item.until}" if item.until else ""
    return f"line {item.place.line}: {item.reason or 'no reason given'}{until}"
