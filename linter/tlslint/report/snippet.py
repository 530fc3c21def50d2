"""A piece of a file under its line numbers, with carets under the exact span."""

from collections.abc import Iterator

from tlslint.finding import Severity
from tlslint.parse.tree import Span
from tlslint.record import dataclass
from tlslint.report.text import Palette, cells, is_plain, visible

MAX_COLUMNS = 120
"""A longer line is cut to a window around the span."""
MAX_LINES = 6
"""Of a longer span the first and last lines are shown."""
CONTEXT_COLUMNS = 30
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Mark:
    """A span with what stands under it, and how it is underlined."""

    span: Span
    label: str
    char: str
    role: str


def primary(span: Span, label: str, severity: Severity) -> Mark:
    """Return the mark of a finding's own span."""
    return Mark(span, label, "^", severity.label)


def secondary(span: Span, label: str) -> Mark:
    """Return the mark of a further place."""
    return Mark(span, label, "-", "frame")


def gutter(marks: list[Mark]) -> int:
    """Return the width of the longest line number that the marks show."""
    return max(len(str(last_line(mark.span))) for mark in marks)


def last_line(span: Span) -> int:
    """Return the line (1-based) of a span's last character."""
    return span.source.line_column(max(span.start, span.end - 1))[0]


def snippet(mark: Mark, number_width: int, palette: Palette) -> Iterator[str]:
    """Yield the lines of the file that a span touches, each with its underline, the label under the last."""
    first, last = mark.span.line, last_line(mark.span)
    bar = palette.paint("|", "frame")
    for line in range(first, last + 1):
        if last - first >= MAX_LINES and first + 2 <= line < last - 1:
            if line == first + 2:
                yield palette.paint("." * number_width, "frame")
            continue
        text, indent, length = _window(mark.span, line)
        under = " " * indent + palette.paint(mark.char * length, mark.role)
        if line == last and mark.label:
            under += " " + palette.paint(visible(mark.label), mark.role)
        yield f"{palette.paint(str(line).rjust(number_width), 'frame')} {bar} {text}".rstrip()
        yield f"{' ' * number_width} {bar} {under}".rstrip()


def _window(span: Span, line: int) -> tuple[str, int, int]:
    """Return what is shown of a line, and the indentation and length of its underline, in columns."""
    text = span.source.line_text(line)
    start_of_line = span.source.line_start(line)
    start, end = max(span.start - start_of_line, 0), min(span.end - start_of_line, len(text))
    if span.start < start_of_line:
        # the line continues a span: its indentation is no part of it
        start = len(text) - len(text.lstrip())
    # far enough for any window, so that a line of a megabyte is not walked to its end
    left = max(0, start - CONTEXT_COLUMNS) if len(text) > MAX_COLUMNS else 0
    shown = text[left : left + MAX_COLUMNS]
    before, under = min(start - left, len(shown)), max(0, min(end - left, len(shown)) - (start - left))
    if not is_plain(shown):
        piece = list(cells(shown))
        shown = "".join(shown for shown, _ in piece)
        before = sum(columns for _, columns in piece[: start - left])
        under = sum(columns for _, columns in piece[start - left : max(end, start) - left])
    if left:
        shown = ELLIPSIS + shown
        before += 1
    if left + MAX_COLUMNS < len(text):
        shown += ELLIPSIS
    return shown, before, max(under, 1)
