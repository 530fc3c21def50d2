"""The lossless tree that both servers' parsers give: sources, spans, directives, arguments, comments, problems.

Every node knows where it stands in its file, as offsets into the file's text, so that a report can point at the exact
argument and an edit can leave every other byte alone. Nothing here knows what a directive means.
"""

import os
import stat
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import total_ordering
from typing import Self

from tlslint.record import dataclass

MAX_SOURCE_BYTES = 64 * 1024 * 1024
"""A larger file is taken for something else than configuration and is not read."""


class Unreadable(OSError):  # noqa: N818 - reads as what it says about the path
    """A path that cannot be read as a configuration file: absent, refused, too large, or not a regular file."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.path, self.reason)


@total_ordering
class Source:
    """One file: its bytes, its text, and the path under which the user knows it. Sources sort by path.

    The text is the bytes as UTF-8, each byte that is not UTF-8 as a lone surrogate ("surrogateescape"), so that the
    bytes can always be had back. A byte order mark stays, as ``"\\ufeff"``. ``masked`` is an optional text of the same
    length to be parsed instead, with template expressions blanked out.
    """

    __slots__ = ("__weakref__", "_line_starts", "managed_by", "masked", "path", "text")

    def __init__(self, path: str, text: str, masked: str | None = None) -> None:
        if masked is not None and len(masked) != len(text):
            raise ValueError("masked text must be as long as the text")
        self.path = path
        self.text = text
        self.masked = masked
        self.managed_by: str | None = None
        self._line_starts: list[int] | None = None

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Self:
        """The source that has these bytes."""
        return cls(path, data.decode("utf-8", "surrogateescape"))

    @classmethod
    def from_text(cls, path: str, text: str) -> Self:
        """The source that has this text; ``UnicodeEncodeError`` if no bytes could have given it."""
        text.encode("utf-8", "surrogateescape")
        return cls(path, text)

    @classmethod
    def read(cls, path: str, shown: str | None = None) -> Self:
        """Read a file as `read_file` does; ``shown`` is the path to tell the user, if another."""
        shown = path if shown is None else shown
        return cls.from_bytes(shown, read_file(path, shown))

    @property
    def data(self) -> bytes:
        """The file's bytes, exactly."""
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def parsed_text(self) -> str:
        """What a parser reads: the masked text if there is one. Offsets mean the same in both."""
        return self.text if self.masked is None else self.masked

    def line_column(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column (in characters) of an offset; lines end at LF only, as servers count them."""
        starts = self._starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """A line (1-based) without its line end; ``IndexError`` if there is no such line."""
        starts = self._starts()
        if not 1 <= line <= len(starts):
            raise IndexError(f"{self.path} has no line {line}")
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].removesuffix("\n").removesuffix("\r")

    def line_start(self, line: int) -> int:
        """The offset at which a line (1-based) begins; ``IndexError`` if there is no such line."""
        if line < 1:
            raise IndexError(f"{self.path} has no line {line}")
        return self._starts()[line - 1]

    def _starts(self) -> list[int]:
        starts = self._line_starts
        if starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._line_starts = starts
        return starts

    def __lt__(self, other: "Source") -> bool:
        return self.path < other.path

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<Source {self.path!r}, {len(self.text)} characters>"


def read_file(path: str, shown: str) -> bytes:
    """The bytes of a regular file of at most ``MAX_SOURCE_BYTES``; ``shown`` is the path to tell the user.

    Raises ``Unreadable``. A FIFO, socket or device is refused without waiting for it.
    """
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to must not hang
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(shown, error.strerror or str(error)) from error
    except ValueError as error:  # a NUL character in the path
        raise Unreadable(shown, str(error)) from error
    try:
        status = os.fstat(descriptor)
        refusal = _refusal(status.st_mode)
        if refusal is None:
            data = _contents(descriptor, status.st_size)
    except OSError as error:
        raise Unreadable(shown, error.strerror or str(error)) from error
    finally:
        os.close(descriptor)
    if refusal is not None:
        raise Unreadable(shown, refusal)
    if len(data) > MAX_SOURCE_BYTES:
        raise Unreadable(shown, f"larger than {MAX_SOURCE_BYTES // 2**20} MiB")
    return data


def _contents(descriptor: int, expected: int) -> bytes:
    """The bytes of a file, or a few more than the limit. File objects would do, at twice the cost for small files."""
    pieces: list[bytes] = []
    wanted = expected + 1
    left = MAX_SOURCE_BYTES + 1
    while left > 0:
        piece = os.read(descriptor, min(wanted, left))
        pieces.append(piece)
        left -= len(piece)
        if not piece or (len(pieces) == 1 and len(piece) == expected):
            break
        wanted = 1 << 20
    return b"".join(pieces)


def _refusal(mode: int) -> str | None:
    if stat.S_ISDIR(mode):
        return "Is a directory"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return None


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a source's text, from ``start`` up to but without ``end``; spans sort by path and position."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.line_column(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the first character, in characters."""
        return self.source.line_column(self.start)[1]

    @property
    def end_line(self) -> int:
        """1-based line of the position after the last character."""
        return self.source.line_column(self.end)[0]

    @property
    def end_column(self) -> int:
        """1-based column of the position after the last character."""
        return self.source.line_column(self.end)[1]

    @property
    def text(self) -> str:
        """The text of the span as it stands in the file."""
        return self.source.text[self.start : self.end]


class Argument(str):
    """A word as the server reads it, which knows where it stands and how it was quoted.

    Compares and hashes as its value. ``start`` and ``end`` include the quotes; ``quote`` is ``'"'``, ``"'"`` or ``""``.
    """

    # not its end: lengths are small numbers, which cost no memory, and a large tree has a million words
    __slots__ = ("_length", "quote", "source", "start")
    source: Source
    start: int
    quote: str
    _length: int

    def __new__(cls, value: str, source: Source, start: int, end: int, quote: str = "") -> Self:
        """The word with this value, between these offsets of the source's text."""
        self = str.__new__(cls, value)
        self.source = source
        self.start = start
        self._length = end - start
        self.quote = quote
        return self

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + self._length

    def __getnewargs__(self) -> tuple[str, Source, int, int, str]:  # type: ignore[override]
        return str(self), self.source, self.start, self.end, self.quote

    @property
    def span(self) -> Span:
        """Where it stands, quotes included."""
        return Span(self.source, self.start, self.end)

    @property
    def raw(self) -> str:
        """The source text, with quotes and escapes."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.line_column(self.start)[0]


@dataclass(slots=True, eq=False)
class Directive:
    """A directive, or (with a block) an nginx block or an Apache section.

    ``start`` is where the name begins (for an Apache section: its ``<``), ``end`` is after the closing ``;`` or ``}``
    (for Apache: after the last argument, or after the ``>`` of the end tag). ``block_start`` is the offset of the
    opening ``{`` (Apache: of the ``>`` of the start tag) and ``block_end`` that of the closing ``}`` (Apache: of the
    ``<`` of the end tag), or where reading stopped if the block is never closed. ``raw_block`` is the body between the
    braces where nginx's own syntax does not hold (Lua code); ``block`` is then empty. (Apache: the lines that a section
    stores, up to its end tag; ``block`` shows those of a macro as they stand, and is empty for Perl and Lua.)

    Apache end tags that close nothing are directives of their own, whose name begins with ``</``.

    Not frozen because freezing makes building a tree twice as slow; treat it as read-only.
    """

    name: Argument
    arguments: tuple[Argument, ...]
    block: "tuple[Directive, ...] | None"
    source: Source
    start: int
    end: int
    block_start: int | None = None
    block_end: int | None = None
    raw_block: Argument | None = None

    @property
    def span(self) -> Span:
        """The whole directive with its block and terminator."""
        return Span(self.source, self.start, self.end)

    @property
    def line(self) -> int:
        """1-based line on which it begins."""
        return self.source.line_column(self.start)[0]

    def __repr__(self) -> str:
        words = " ".join([self.name, *self.arguments])
        return f"<Directive {words!r}{'' if self.block is None else ' {…}'} at {self.source.path}:{self.line}>"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its ``#`` to the end of the line; ``text`` is what follows the ``#``."""

    source: Source
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        """Where it stands, ``#`` included, line end not."""
        return Span(self.source, self.start, self.end)

    @property
    def line(self) -> int:
        """1-based line on which it begins."""
        return self.source.line_column(self.start)[0]


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a server cannot read a file.

    ``message`` is in the server's own words, ``span`` is where the server stops, ``origin`` where the trouble began
    (the quote, brace or directive that was never ended), ``hint`` what to do about it. ``late`` is one that the server
    finds only when it has read all files without any other.
    """

    message: str
    span: Span
    origin: Span | None = None
    hint: str | None = None
    late: bool = False


class Condition(Enum):
    """When a problem is one (Apache only)."""

    HOLDS = "holds"
    """If the condition of the section holds."""
    FAILS = "fails"
    """If the condition of the section fails, and its lines are skipped."""
    BALANCED = "balanced"
    """If the directive (a ``Use``, or a variable at the start of a line) opens and closes no section around it."""


@dataclass(frozen=True, slots=True)
class ConditionalProblem:
    """A problem that depends on what a directive evaluates to, provided that the directive is evaluated at all."""

    directive: Directive
    when: Condition
    problem: SyntaxProblem


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed file: its top-level directives and all its comments in file order, and what is wrong with its syntax.

    ``ignored`` is text that the server silently passes over (Apache: behind the ``>`` of a section's tags, behind a
    NUL), ``conditional`` what is wrong only if a condition holds or fails.
    """

    source: Source
    directives: tuple[Directive, ...]
    comments: tuple[Comment, ...] = ()
    problems: tuple[SyntaxProblem, ...] = ()
    ignored: tuple[Span, ...] = ()
    conditional: tuple[ConditionalProblem, ...] = ()


def walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    """All directives in file order, each before those of its block."""
    pending = [iter(directives)]
    while pending:
        for directive in pending[-1]:
            yield directive
            if directive.block:
                pending.append(iter(directive.block))
                break
        else:
            pending.pop()
