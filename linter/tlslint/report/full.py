"""Findings for people: the fact, the place with carets, why it matters, what clients see, what to do."""

from collections.abc import Iterator

from tlslint.finding import Finding, Report
from tlslint.intention import Fix
from tlslint.parse.tree import Span
from tlslint.report.snippet import gutter, primary, secondary, snippet
from tlslint.report.text import Palette, counted, visible

MAX_RELATED = 3
MAX_ENDPOINTS = 4


def render(report: Report, palette: Palette) -> Iterator[str]:
    """Yield one block of text for each finding; why a rule matters, and how a file is reached, is told once."""
    told: set[str] = set()
    for finding in report.findings:
        chain = report.included_through.get(finding.span.source.path, ())
        yield "\n".join(_block(finding, chain, palette, told)) + "\n\n"


def _block(finding: Finding, chain: tuple[Span, ...], palette: Palette, told: set[str]) -> Iterator[str]:
    level = finding.severity.label
    head = palette.paint(f"{level}[{finding.code} {finding.name}]", level)
    yield f"{head}{palette.paint(': ' + visible(finding.message), 'strong')}"
    related = [secondary(place.span, place.message) for place in finding.related[:MAX_RELATED]]
    marks = [primary(finding.span, finding.label, finding.severity), *related]
    number_width = gutter(marks)
    bar = f"{' ' * number_width} {palette.paint('|', 'frame')}"
    for mark in marks:
        arrow = palette.paint("-->" if mark is marks[0] else ":::", "frame")
        span = mark.span
        yield f"{' ' * number_width}{arrow} {visible(span.source.path)}:{span.line}:{span.column}"
        if mark is marks[0]:
            yield bar
        yield from snippet(mark, number_width, palette)
    yield bar
    margin = f"{' ' * number_width} {palette.paint('=', 'frame')}"
    for name, text in _notes(finding, chain, told):
        yield f"{margin} {palette.paint(f'{name}:', 'strong')} {visible(text)}"


def _notes(finding: Finding, chain: tuple[Span, ...], told: set[str]) -> Iterator[tuple[str, str]]:
    more = len(finding.related) - MAX_RELATED
    if more > 0:
        yield "also", f"{counted(more, 'further place')} (in --output-format json)"
    path = finding.span.source.path
    if chain and path not in told:
        told.add(path)
        yield "via", " > ".join(f"{span.source.path}:{span.line}" for span in chain)
    if finding.deployments:
        yield "in", ", ".join(finding.deployments)
    if len(finding.endpoints) > 1:
        yield "on", endpoints_text(finding.endpoints)
    for name, text in (("why", finding.why), ("seen", finding.seen)):
        if text and text not in told:
            told.add(text)
            yield name, text
    if finding.source:
        yield "from", finding.source
    if finding.help:
        yield "help", finding.help
    if finding.fix is not None:
        yield "fix", _fix_text(finding.fix)
        for command in finding.fix.commands:
            yield "run", command
    if finding.code not in told:
        told.add(finding.code)
        yield "more", f"tlslint rule {finding.name}"


def _fix_text(fix: Fix) -> str:
    why = f": {fix.refusal}" if fix.refusal else ""
    return f"{fix.title} ({fix.safety.label}{why})"


def endpoints_text(endpoints: tuple[str, ...]) -> str:
    """Return the first endpoints and how many there are besides: `a on [::]:443, b on [::]:443 and 5 more`."""
    more = len(endpoints) - MAX_ENDPOINTS
    if more == 1:
        return ", ".join(endpoints)
    shown = ", ".join(endpoints[:MAX_ENDPOINTS])
    return f"{shown} and {more:,} more" if more > 0 else shown
