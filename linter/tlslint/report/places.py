"""Where findings are, as other programs want to be told: paths that they can open, columns in their own units."""

from tlslint.fingerprint import relative_path
from tlslint.intention import Edit
from tlslint.parse.tree import Span
from tlslint.record import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A span in 1-based lines and columns; the end is the position after the last character."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def is_empty(self) -> bool:
        """Whether it is a point between two characters."""
        return (self.line, self.column) == (self.end_line, self.end_column)


def place(span: Span, encoding: str = "utf-32-le") -> Place:
    """Return where a span is; columns count the units of an encoding (`utf-32-le`: characters)."""
    source = span.source
    line, column = source.line_column(span.start)
    end_line, end_column = source.line_column(span.end)
    if encoding != "utf-32-le":
        column = _units(span, line, column, encoding)
        end_column = _units(span, end_line, end_column, encoding)
    return Place(relative_path(source.path), line, column, end_line, end_column)


def edit_span(edit: Edit) -> Span:
    """Return what an edit replaces."""
    return Span(edit.source, edit.start, edit.end)


def _units(span: Span, line: int, column: int, encoding: str) -> int:
    """Return a column in units of an encoding instead of characters."""
    start = span.source.line_start(line)
    before = span.source.text[start : start + column - 1]
    if before.isascii():
        return column
    if encoding == "utf-8":
        return len(before.encode("utf-8", "surrogateescape")) + 1
    return len(before.encode(encoding, "surrogatepass")) // len("a".encode(encoding)) + 1


def uri(path: str) -> str:
    """Return a path as a percent-encoded reference: relative as it is, absolute with the `file` scheme."""
    from urllib.parse import quote

    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted
