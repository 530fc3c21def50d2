r"""Apache httpd configuration text in, a ``Tree`` out: logical lines, httpd's word splitter, and a stack of sections.

The rules are those of ``ap_cfg_getline``, ``ap_getword_conf``, ``ap_build_config`` and ``ap_soak_end_container`` in
httpd's ``server/util.c`` and ``server/config.c`` and of ``mod_macro.c``, asked of 2.4.71. Nothing is evaluated here:
variables stay as written, branches whose condition fails stay in the tree, includes are ordinary directives.

What surprises:

- a backslash before the line end joins lines, in comments and within words too, and nothing escapes it; a comment is a
  whole logical line, there is none after a directive;
- quotes count at the start of a word only, a quote never closed ends with the line, text may be glued to a closing one;
- the argument of a section goes to the *last* ``>`` of the logical line; what stands behind that, or behind an end tag,
  is ignored (``Tree.ignored``);
- ``<IfModule>`` and the other sections that are decided while reading are read in two ways. If the condition holds, the
  end tag must be alone on its line, and the end of the file ends the section too; if not, the lines are skipped, and
  only the names of the tags count. What is wrong in one of the readings is a ``ConditionalProblem``;
- ``<Macro>`` stores lines: nothing in its body is wrong before it is used.

httpd replaces ``${VAR}`` and macro parameters in the logical line, before it splits the words. To do the same:
``directive_of(logical_line(directive).replaced([(start, end, value), ...]))``, whose words still know where they stand.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tlslint.parse.tree import (
    Argument,
    Comment,
    Condition,
    ConditionalProblem,
    Directive,
    Source,
    Span,
    SyntaxProblem,
    Tree,
    walk,
)
from tlslint.record import dataclass, field
from tlslint.regex import regex

MAX_DEPTH = 64
"""Sections nested deeper than this are refused, so that what walks or copies a tree may recurse.

httpd has no such limit, but no configuration needs more than a few.
"""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""VARBUF_MAX_LEN: httpd refuses a logical line, comment or not, of about this size."""

MAX_MACRO_LINE_BYTES = 8190
"""A longer logical line in the body of a macro ends httpd's reading of it (MAX_STRING_LEN)."""

READ_TIME_SECTIONS = {
    "ifdefine": "IfDefine",
    "ifdirective": "IfDirective",
    "iffile": "IfFile",
    "ifmodule": "IfModule",
    "ifsection": "IfSection",
    "ifversion": "IfVersion",
}
"""Sections whose condition httpd decides while it reads: how they are written, by their name in lower case."""

WHITESPACE = " \t\n\v\f\r"

_MAY_CONTINUE = ("\\", "\\\r")

_WORD = regex(
    r"""
    [ \t\n\v\f\r]*+
    (?:
        " ( (?: [^"\\]++ | \\["\\] | \\ )*+ ) "?
      | ' ( (?: [^'\\]++ | \\['\\] | \\ )*+ ) '?
      | ( [^ \t\n\v\f\r]++ )
    )
    """,
    re.VERBOSE,
)
_DOUBLE, _SINGLE, _BARE = 1, 2, 3
_PLAIN_WORD = regex(r"[^ \t\n\v\f\r]++")
_NOT_PLAIN = regex(r"""\A[<#] | ["'\\] | \A [^ \t\n\v\f\r>]*+ > | \A [^ \t\n\v\f\r$]*+ \$\{""", re.VERBOSE)
_QUOTES = {_DOUBLE: '"', _SINGLE: "'", _BARE: ""}
_ESCAPES = {'"': re.compile(r'\\(["\\])'), "'": re.compile(r"\\(['\\])"), "": re.compile(r"\\(\\)")}

_NUL_AND_REST = regex(r"\0[^\n]*+")

_PHYSICAL_LINES = regex(r"(?: [^\n\\]++ | \\\r?\n | \\ )*+ \n? ", re.VERBOSE)
_CONTINUED = regex(r"\\\r?\n")

_UPPER_TO_LOWER = {ord(letter): ord(letter) + 32 for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

_MACRO = "macro"
_USE = "use"

_BOM = "\ufeff"
_UTF_16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")


def fold(name: str) -> str:
    """A directive's or section's name as httpd compares it: ASCII letters in lower case."""
    return name.lower() if name.isascii() else name.translate(_UPPER_TO_LOWER)


def decode(raw: str, quote: str) -> str:
    r"""What httpd makes of the text of a word: ``\\`` is a backslash; in quotes, ``\`` and the quote is the quote."""
    return _ESCAPES[quote].sub(r"\1", raw) if "\\" in raw else raw


class Word(NamedTuple):
    """A word of a logical line: its value, how it was quoted, and its extent in the text, quotes included."""

    value: str
    quote: str
    start: int
    end: int


def split_words(text: str, start: int = 0, end: int | None = None) -> Iterator[Word]:
    """The words of a logical line, or of a part of it, as ``ap_getword_conf`` gives them one after the other."""
    for match in _WORD.finditer(text, start, len(text) if end is None else end):
        kind = match.lastindex or _BARE
        quote = _QUOTES[kind]
        value = match[kind]
        yield Word(decode(value, quote) if "\\" in value else value, quote, match.start(kind) - len(quote), match.end())


class _Piece(NamedTuple):
    """A stretch of a logical line that begins at ``at`` and comes from ``start`` to ``end`` of the source.

    Its characters are those of the source one by one, unless the stretch was ``replaced`` as a whole.
    """

    at: int
    start: int
    end: int
    replaced: bool = False


class LogicalLine(NamedTuple):
    """A line as httpd sees it: continued lines joined, white space at both ends removed.

    ``start`` and ``end`` are the offsets in the source of what is left, ``following`` that of the next line.
    """

    source: Source
    text: str
    start: int
    end: int
    following: int
    pieces: tuple[_Piece, ...] = ()
    """Empty if the text is the source's text from ``start`` to ``end``."""

    def source_start(self, offset: int) -> int:
        """Where the character at an offset of ``text`` stands in the source."""
        if not self.pieces:
            return self.start + offset
        if offset >= len(self.text):
            return self.end
        piece = self._piece(offset)
        return piece.start if piece.replaced else piece.start + offset - piece.at

    def source_end(self, offset: int) -> int:
        """Where the stretch of the source ends that gave the text up to, but without, this offset."""
        if not self.pieces:
            return self.start + offset
        if offset <= 0:
            return self.start
        piece = self._piece(offset - 1)
        return piece.end if piece.replaced else piece.start + offset - piece.at

    def span(self, start: int, end: int) -> Span:
        """Where the text between two offsets stands in the source."""
        return Span(self.source, self.source_start(start), self.source_end(end))

    def replaced(self, replacements: Iterable[tuple[int, int, str]]) -> "LogicalLine":
        """The line with stretches of its text (start, end, new text; in order) replaced, as by a variable's value.

        New text stands, for spans, where the old text stood. The result is trimmed, as the text of a macro's line is.
        """
        texts: list[str] = []
        pieces: list[_Piece] = []
        done = length = 0
        for start, end, value in replacements:
            pieces += _moved(_cut(self._all_pieces(), done, start, len(self.text)), length - done)
            length += start - done
            pieces.append(_Piece(length, self.source_start(start), self.source_end(end), replaced=True))
            length += len(value)
            texts += [self.text[done:start], value]
            done = end
        pieces += _moved(_cut(self._all_pieces(), done, len(self.text), len(self.text)), length - done)
        texts.append(self.text[done:])
        return _trimmed(self.source, "".join(texts), pieces, self.start, self.following)

    def _all_pieces(self) -> Sequence[_Piece]:
        return self.pieces or (_Piece(0, self.start, self.end),)

    def _piece(self, offset: int) -> _Piece:
        low, high = 0, len(self.pieces)
        while high - low > 1:
            middle = (low + high) // 2
            if self.pieces[middle].at <= offset:
                low = middle
            else:
                high = middle
        return self.pieces[low]


def _cut(pieces: Sequence[_Piece], start: int, end: int, length: int) -> Iterator[_Piece]:
    """The pieces of a part of a text of this length; ``at`` still counts from the start of the whole."""
    for index, piece in enumerate(pieces):
        stop = pieces[index + 1].at if index + 1 < len(pieces) else length
        first, last = max(piece.at, start), min(stop, end)
        if first < last:
            if piece.replaced:
                yield piece._replace(at=first)
            else:
                yield _Piece(first, piece.start + first - piece.at, piece.start + last - piece.at)


def _moved(pieces: Iterable[_Piece], distance: int) -> Iterator[_Piece]:
    return (piece._replace(at=piece.at + distance) for piece in pieces)


def _trimmed(source: Source, text: str, pieces: Sequence[_Piece], start: int, following: int) -> LogicalLine:
    stripped = text.strip(WHITESPACE)
    if not stripped:
        return LogicalLine(source, "", start, start, following)
    skipped = len(text) - len(text.lstrip(WHITESPACE))
    kept = tuple(_moved(_cut(pieces, skipped, skipped + len(stripped), len(text)), -skipped))
    end = kept[-1].end
    if len(kept) == 1 and not kept[0].replaced:
        return LogicalLine(source, stripped, kept[0].start, end, following)
    return LogicalLine(source, stripped, kept[0].start, end, following, kept)


def logical_lines(
    source: Source, start: int = 0, end: int | None = None, *, keep_empty: bool = False
) -> Iterator[LogicalLine]:
    """The logical lines of a source, or of a part that begins and ends with lines; empty ones are left out."""
    text = source.parsed_text
    end = len(text) if end is None else end
    has_nul = "\0" in text
    find = text.find
    position = start
    while position < end:
        stop = find("\n", position, end)
        if stop < 0:
            stop = end
        whole = text[position:stop]
        if has_nul or whole.endswith(_MAY_CONTINUE):
            line = _joined_line(source, position, end)
        else:
            stripped = whole.lstrip(WHITESPACE)
            first = stop - len(stripped)
            stripped = stripped.rstrip(WHITESPACE)
            line = LogicalLine(source, stripped, first, first + len(stripped), stop + 1)
        position = line.following
        if line.text or keep_empty:
            yield line


def logical_line(directive: Directive) -> LogicalLine:
    """The logical line on which a directive begins: for a section, the line of its start tag."""
    return _joined_line(directive.source, directive.start, len(directive.source.parsed_text))


def _joined_line(source: Source, position: int, end: int) -> LogicalLine:
    """The logical line that begins at an offset, with the lines that it is continued on."""
    text = source.parsed_text
    start = position
    stretches: list[tuple[int, int]] = []
    while position < end:
        line_end = text.find("\n", position, end)
        stop = end if line_end < 0 else line_end
        nul = text.find("\0", position, stop)
        stretches.append((position, stop if nul < 0 else nul))
        position = stop + 1
        if nul >= 0 or line_end < 0 or not _drop_backslash(text, stretches):
            break
    pieces: list[_Piece] = []
    length = 0
    for first, last in stretches:
        if first < last:
            pieces.append(_Piece(length, first, last))
            length += last - first
    joined = "".join(text[first:last] for first, last in stretches)
    return _trimmed(source, joined, pieces, start, min(position, end))


def _drop_backslash(text: str, stretches: list[tuple[int, int]]) -> bool:
    """Whether the line goes on; the backslash that says so is dropped, with a CR after it.

    httpd looks at the end of all that it has joined so far: after two backslashes, an empty line continues it too.
    """
    for wanted in "\r\\":
        while stretches and stretches[-1][0] == stretches[-1][1]:
            stretches.pop()
        if not stretches:
            return False
        first, last = stretches[-1]
        if text[last - 1] == wanted:
            stretches[-1] = (first, last - 1)
        elif wanted == "\\":
            return False
    return True


@dataclass(slots=True)
class Statement:
    """A logical line that is not a comment, taken apart."""

    line: LogicalLine
    word: Word
    """The first word as it stands: with the ``<`` and ``>`` of a tag."""
    name: Argument
    arguments: tuple[Argument, ...]
    start: int
    block_start: int
    """Of a start tag: where its ``>`` stands, or where the line ends."""
    ignored: Span | None = None
    is_closed: bool = True
    """Of a start tag: whether there is a ``>`` where httpd misses one."""
    skipped_name: str = ""
    """The name that the end tag must have while httpd skips the lines of a section."""

    @property
    def is_start_tag(self) -> bool:
        """Whether it opens a section."""
        return self.word.value.startswith("<") and not self.is_end_tag

    @property
    def is_end_tag(self) -> bool:
        """Whether it closes a section."""
        return self.word.value.startswith("</")

    @property
    def tag(self) -> Span:
        """Of a start tag: from its ``<`` to its ``>``."""
        return Span(self.line.source, self.start, min(self.block_start + 1, self.line.end))

    @property
    def end_name(self) -> str:
        """The name in an end tag, folded, its last byte taken for the ``>``."""
        return fold(self.word.value[:-1][2:])

    def directive(self) -> Directive:
        """The directive, start tag (with an empty block) or end tag (its name begins with ``</``)."""
        name, arguments, source = self.name, self.arguments, self.line.source
        end = name.end if self.is_end_tag else self.line.end
        if not self.is_start_tag:
            return Directive(name, arguments, None, source, self.start, end)
        return Directive(name, arguments, (), source, self.start, end, self.block_start, end)


def directive_of(line: LogicalLine) -> Directive | None:
    """The directive, start tag or end tag on a logical line; ``None`` for a comment or what httpd takes for empty.

    A start tag has an empty block; an end tag's name begins with ``</``.
    """
    statement = None if line.text.startswith("#") else statement_of(line)
    return None if statement is None else statement.directive()


def statement_of(line: LogicalLine) -> Statement | None:
    """What stands on a line; ``None`` if its first word is empty, which httpd takes for an empty line."""
    words = list(split_words(line.text))
    if not words or not words[0].value:
        return None
    word = words[0]
    value = word.value
    if value.startswith("</"):
        return _end_tag(line, words)
    if value.startswith("<"):
        return _start_tag(line, words)
    if value.endswith(">") and value[1:2] != "/":
        value = value[:-1]
    start = line.source_start(0)
    name = Argument(value, line.source, start, line.source_end(word.end), word.quote)
    return Statement(line, word, name, _arguments(line, words[1:]), start, line.end)


def _end_tag(line: LogicalLine, words: list[Word]) -> Statement:
    word = words[0]
    start, end = line.source_start(0), line.source_end(word.end)
    name = Argument(word.value, line.source, start, end, word.quote)
    ignored = line.span(words[1].start, len(line.text)) if len(words) > 1 else None
    return Statement(line, word, name, (), start, end, ignored)


def _start_tag(line: LogicalLine, words: list[Word]) -> Statement:
    word = words[0]
    text, value = line.text, word.value
    start = line.source_start(0)
    name_start = start if word.quote else line.source_start(1) if word.end > 1 else line.source_end(1)
    is_marked = value.endswith(">")  # httpd drops this mark, and takes it for the section's if nothing follows
    name_value = value[1:-1] if is_marked else value[1:]
    if len(words) > 1:
        name = Argument(name_value, line.source, name_start, line.source_end(word.end), word.quote)
        mark = text.rfind(">", words[1].start)
        if mark < 0:
            arguments = _arguments(line, words[1:])
            return Statement(line, word, name, arguments, start, line.end, None, False, value[1:])
        arguments = _arguments(line, split_words(text, words[1].start, mark))
        behind = len(text) - len(text[mark + 1 :].lstrip(WHITESPACE))
        ignored = line.span(behind, len(text)) if behind < len(text) else None
        return Statement(line, word, name, arguments, start, line.source_start(mark), ignored, True, value[1:])
    mark = word.end - is_marked
    if word.quote and text[word.end - 1] == word.quote:
        mark -= 1
    name_end = line.source_end(mark if is_marked and not word.quote else word.end)
    name = Argument(name_value, line.source, name_start, max(name_start, name_end), word.quote)
    block_start = line.source_start(mark) if is_marked else line.end
    return Statement(line, word, name, (), start, block_start, None, True, name_value)


def _arguments(line: LogicalLine, words: Iterable[Word]) -> tuple[Argument, ...]:
    return tuple(_argument(line, word) for word in words)


def _argument(line: LogicalLine, word: Word) -> Argument:
    return Argument(word.value, line.source, line.source_start(word.start), line.source_end(word.end), word.quote)


def parse(source: Source) -> Tree:
    """Read a file as httpd would if it knew every directive; never raises on bad input.

    The tree goes on behind a problem as well as it can, but for a line too long or sections nested too deeply.
    """
    too_long = _line_too_long(source)
    if too_long is None:
        return _Reader(source, list(logical_lines(source)), len(source.parsed_text)).read()
    problem = SyntaxProblem("Line too long", too_long, hint="httpd reads lines of up to 16 MiB")
    return _Reader(source, list(logical_lines(source, 0, too_long.start)), too_long.start).read(problem)


def parse_lines(source: Source, lines: Iterable[LogicalLine]) -> Tree:
    """The tree of lines of a source: those of a macro with its parameters replaced, for instance.

    Its words are those of the lines; a ``raw_block`` is the text of the source all the same.
    """
    given = [line for line in lines if line.text]
    return _Reader(source, given, given[-1].end if given else 0).read()


def is_read_time(directive: Directive) -> bool:
    """Whether httpd decides while it reads whether this section is there at all."""
    return directive.block is not None and fold(directive.name) in READ_TIME_SECTIONS


def first_problem(tree: Tree, holds: Callable[[Directive], bool]) -> SyntaxProblem | None:
    """The problem that stops httpd, if the conditions of the tree's read-time sections hold or fail as said.

    ``holds`` is not asked of sections that are skipped or stand in a macro. Each ``Use`` is taken for balanced.
    """
    conditional = {(id(each.directive), each.when): each.problem for each in tree.conditional}
    # one that is wrong either way is also a problem of what stands around, but in other words if the condition fails
    owner = {id(each.problem): each.directive for each in tree.conditional if each.when is Condition.HOLDS}
    found: list[SyntaxProblem] = []
    pending = list(tree.directives)
    while pending:
        directive = pending.pop()
        if not directive.block and not is_read_time(directive):
            continue
        when = None
        if is_read_time(directive):
            when = Condition.HOLDS if holds(directive) else Condition.FAILS
            problem = conditional.get((id(directive), when))
            if problem is not None and owner.get(id(problem), directive) is directive:
                found.append(problem)
        if when is not Condition.FAILS and directive.raw_block is None:
            pending += directive.block or ()
    found += [problem for problem in tree.problems if id(problem) not in owner]
    found += [
        each.problem for each in tree.conditional if each.when is Condition.BALANCED and id(each.problem) not in owner
    ]
    return min(found, key=lambda problem: (problem.late, problem.span.start), default=None)


def macro_lines(directive: Directive) -> list[LogicalLine]:
    """The lines that a ``<Macro>`` stores: those of its body, empty ones too, but for comments."""
    body = directive.raw_block
    if body is None:
        return []
    lines = logical_lines(directive.source, body.start, body.end, keep_empty=True)
    return [line for line in lines if not line.text.startswith("#")]


def rejoined(lines: Iterable[LogicalLine]) -> Iterator[LogicalLine]:
    r"""The lines of a macro, parameters replaced, as ``Use`` reads them: again, so that ``\`` at the end continues.

    (It was followed by blanks when the macro was stored, or is the end of a value.) A backslash at the end of the last
    line stays: httpd joins it with the line behind the ``Use``. Empty lines are left out.
    """
    open_line: LogicalLine | None = None
    for line in lines:
        whole = line if open_line is None else followed_by(open_line, line)
        if whole.text.endswith("\\"):
            open_line = whole
            continue
        open_line = None
        if whole.text:
            yield whole
    if open_line is not None:
        yield open_line


def followed_by(line: LogicalLine, other: LogicalLine) -> LogicalLine:
    """The two lines as one, without the backslash that ends the first."""
    length = len(line.text) - 1
    pieces = [*_cut(line._all_pieces(), 0, length, length + 1)]
    pieces += _moved(_cut(other._all_pieces(), 0, len(other.text), len(other.text)), length)
    return _trimmed(line.source, line.text[:-1] + other.text, pieces, line.start, other.following)


@dataclass(slots=True)
class _OpenSection:
    statement: Statement
    siblings: list[Directive]
    is_read_time: bool
    """Whether it has two readings; never so in the body of a macro."""
    raw_start: int | None = None
    comments_before: int = 0
    ignored_before: int = 0
    if_true: SyntaxProblem | None = None
    if_false: SyntaxProblem | None = None

    @property
    def name(self) -> str:
        return self.statement.name

    @property
    def tag(self) -> Span:
        return self.statement.tag


class _Stop(Exception):  # noqa: N818 - the end of a reading, not an error of the program
    def __init__(self, problem: SyntaxProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Raw:
    """A section whose lines are stored: where it lies in the stack, and the index of the line with its end tag."""

    depth: int
    end_index: int
    is_code: bool


@dataclass(slots=True)
class _Reader:
    """One reading of one file: the sections that are open, and what was found so far."""

    source: Source
    lines: list[LogicalLine]
    end: int
    """Where the lines end."""
    open: list[_OpenSection] = field(default_factory=list)
    siblings: list[Directive] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    ignored: list[Span] = field(default_factory=list)
    conditional: list[ConditionalProblem] = field(default_factory=list)
    certain: SyntaxProblem | None = None
    unclosed: list[SyntaxProblem] = field(default_factory=list)
    late: list[SyntaxProblem] = field(default_factory=list)
    raw: _Raw | None = None
    raw_is_lost: bool = False
    """A section whose lines are stored has no end: looking for the ends of others would take square time."""
    replaced_at: int | None = None
    """Where the first line begins that may open or close sections in ways that only its evaluation tells."""

    def read(self, stopped: SyntaxProblem | None = None) -> Tree:
        """The tree of the lines; ``stopped`` is what ends the reading behind them."""
        try:
            for index, line in enumerate(self.lines):
                self._read_line(index, line)
            if stopped is None:
                self._check_nothing_is_open()
        except _Stop as stop:
            stopped = stop.problem
        end = self.end if stopped is None else stopped.span.start
        while self.open:
            self._pop(end, end)
        return self._tree(stopped)

    def _tree(self, stopped: SyntaxProblem | None) -> Tree:
        problems = [self.certain] if self.certain is not None else self.unclosed  # httpd stops at the first
        problems = problems + ([stopped] if stopped is not None else [])
        conditional = self.conditional
        if self.replaced_at is not None:
            certain = [problem for problem in problems if problem.span.start < self.replaced_at or problem is stopped]
            replacing = next(each for each in walk(self.siblings) if each.start == self.replaced_at)
            conditional = conditional + [
                ConditionalProblem(replacing, Condition.BALANCED, problem)
                for problem in problems
                if problem not in certain
            ]
            problems = certain
        problems += self.late
        self._ignore_behind_nul()
        if problem := self._wrong_encoding():
            problems.append(problem)
        conditional.sort(key=lambda each: each.directive.start)
        return Tree(
            self.source,
            tuple(self.siblings),
            tuple(self.comments),
            tuple(problems),
            tuple(self.ignored),
            tuple(conditional),
        )

    def _ignore_behind_nul(self) -> None:
        text = self.source.parsed_text
        if "\0" in text:
            matches = _NUL_AND_REST.finditer(text, 0, self.end)
            self.ignored += [Span(self.source, match.start(), match.end()) for match in matches]
            self.ignored.sort(key=lambda span: span.start)

    def _read_line(self, index: int, line: LogicalLine) -> None:
        text = line.text
        if not line.pieces and not _NOT_PLAIN.search(text):
            self._add_plain(line)
            return
        if text.startswith("#"):
            shown = self.source.text[line.start + 1 : line.end]
            self.comments.append(Comment(self.source, line.start, line.end, shown))
            return
        statement = statement_of(line)
        if statement is None:
            self.ignored.append(Span(self.source, line.start, line.end))
            return
        if statement.ignored is not None:
            self.ignored.append(statement.ignored)
        if self.raw is not None and index == self.raw.end_index:
            self._end_raw(statement)
        elif statement.is_start_tag:
            self._open_section(index, statement)
        elif statement.is_end_tag:
            self._close_section(statement)
        else:
            self._add(statement)
        if self.raw is None and self.replaced_at is None and _may_replace_tags(statement):
            self.replaced_at = statement.start

    def _add_plain(self, line: LogicalLine) -> None:
        """Add a directive without quotes, backslashes and tags; most are: this is for speed alone."""
        source, start = line.source, line.start
        words = [
            Argument(match[0], source, start + match.start(), start + match.end())
            for match in _PLAIN_WORD.finditer(line.text)
        ]
        name = words[0]
        if self.replaced_at is None and self.raw is None and fold(name) == _USE:
            self.replaced_at = start
        self.siblings.append(Directive(name, tuple(words[1:]), None, source, start, line.end))

    def _add(self, statement: Statement) -> None:
        self.siblings.append(
            Directive(
                statement.name,
                statement.arguments,
                None,
                self.source,
                statement.start,
                statement.name.end if statement.is_end_tag else statement.line.end,
            )
        )

    def _open_section(self, index: int, statement: Statement) -> None:
        if len(self.open) == MAX_DEPTH:
            if self.raw is not None and self.raw.is_code:
                return  # not a tag, but another language
            hint = f"more than {MAX_DEPTH} sections are open here"
            span = Span(self.source, statement.start, statement.line.end)
            raise _Stop(SyntaxProblem("too deeply nested", span, hint=hint))
        folded = fold(statement.name)
        in_raw = self.raw is not None
        section = _OpenSection(
            statement, self.siblings, folded in READ_TIME_SECTIONS and not in_raw and not self._has_stopped()
        )
        if not in_raw:
            self._check_start_tag(statement, folded)
        self.open.append(section)
        self.siblings = []
        if not in_raw and not self.raw_is_lost and (folded == _MACRO or is_code_section(folded)):
            self._look_for_raw_end(index, section, folded)

    def _check_start_tag(self, statement: Statement, folded: str) -> None:
        tag = Span(self.source, statement.start, statement.line.end)
        written = READ_TIME_SECTIONS.get(folded)
        if not statement.is_closed:
            if "${" in statement.line.text:
                return
            message = f"<{written or statement.name}> directive missing closing '>'"
            late = written is None and folded != _MACRO
            self._wrong_if_true(SyntaxProblem(message, tag, hint='put ">" at the end of this line', late=late))
        elif not statement.arguments and _is_blank_argument(statement):
            if written is not None and written != "IfVersion":
                self._wrong_if_true(SyntaxProblem(f"<{written}> directive requires additional arguments", tag))
            elif folded == _MACRO:
                self._wrong_if_true(SyntaxProblem("<Macro macro definition: empty name", tag))

    def _look_for_raw_end(self, index: int, section: _OpenSection, folded: str) -> None:
        is_code = folded != _MACRO
        end_index = self._code_end(index, folded) if is_code else self._macro_end(index)
        if end_index is None:
            self.raw_is_lost = True
            end = Span(self.source, self.end, self.end)
            if not is_code:
                message = "expected token not found: </Macro>"
                self._wrong_if_true(SyntaxProblem(message, end, section.tag, "this macro is never closed"))
            return
        section.raw_start = self.lines[index].following
        section.comments_before = len(self.comments)
        section.ignored_before = len(self.ignored)
        self.raw = _Raw(len(self.open), end_index, is_code)

    def _macro_end(self, index: int) -> int | None:
        depth = 1
        for at in range(index + 1, len(self.lines)):
            text = self.lines[at].text
            if len(text) > MAX_MACRO_LINE_BYTES // 4 and _size(text) > MAX_MACRO_LINE_BYTES:
                return None
            if text[0] not in "<\"'":
                continue
            first = fold(next(split_words(text)).value)
            if first == "</macro>":
                depth -= 1
                if not depth:
                    return at
            elif first == "<macro":
                depth += 1
        return None

    def _code_end(self, index: int, folded: str) -> int | None:
        end_tag = f"</{folded}>"
        for at in range(index + 1, len(self.lines)):
            if fold(self.lines[at].text[: len(end_tag)]) == end_tag:
                return at
        return None

    def _end_raw(self, statement: Statement) -> None:
        """Close a section whose lines were stored, at the end tag that httpd takes for its end."""
        raw = self.raw
        assert raw is not None
        innermost = self.open[-1]
        if len(self.open) > raw.depth or not _closes_skipped(innermost, statement):
            self._wrong_if_false(_unexpected_end(innermost, innermost.statement.skipped_name, statement))
        while len(self.open) > raw.depth:
            self._pop(statement.start, statement.start)
        section = self.open[-1]
        if raw.is_code:
            self.siblings = []
            del self.comments[section.comments_before :]
            kept = [span for span in self.ignored[section.ignored_before :] if span.start >= statement.start]
            self.ignored[section.ignored_before :] = kept
        self.raw = None
        self._pop(statement.start, statement.name.end, raw_end=statement.line)

    def _close_section(self, statement: Statement) -> None:
        raw = self.raw
        if not self.open:
            word = statement.word.value
            problem = SyntaxProblem(
                f"{word} without matching <{word[2:]} section", statement.name.span, hint=NOTHING_OPEN
            )
            self._wrong_if_true(problem)
            self._add(statement)
            return
        innermost = self.open[-1]
        if raw is not None and len(self.open) == raw.depth:
            self._wrong_if_false(_unexpected_end(innermost, innermost.statement.skipped_name, statement))
            self._add(statement)
            return
        if_true = _wrong_end(innermost, statement)
        if_false = None
        if not _closes_skipped(innermost, statement):
            if_false = _unexpected_end(innermost, innermost.statement.skipped_name, statement)
        if if_true is not None and raw is None:
            self._wrong_if_true(if_true)
        if if_false is not None:
            self._wrong_if_false(if_false)
        if if_true is None or if_false is None:
            self._pop(statement.start, statement.name.end)
        else:
            self._recover(statement)

    def _recover(self, statement: Statement) -> None:
        """Close the section that an end tag names with all that is open in it, or keep the tag as a directive."""
        named = statement.end_name
        lowest = self.raw.depth if self.raw is not None else 0
        for depth in range(len(self.open) - 1, lowest - 1, -1):
            if fold(self.open[depth].name) == named:
                while len(self.open) > depth + 1:
                    self._pop(statement.start, statement.start)
                self._pop(statement.start, statement.name.end)
                return
        self._add(statement)

    def _check_nothing_is_open(self) -> None:
        if not self.open:
            return
        here = Span(self.source, self.end, self.end)
        innermost = self.open[-1]
        message = f"Expected </{innermost.statement.skipped_name}> before end of configuration"
        self._wrong_if_false(SyntaxProblem(message, here, innermost.tag, NO_END_TAG))
        for section in self.open:
            if section.is_read_time:
                break  # its end is the end of the file, and of all that is open in it
            message = f"<{section.name}> was not closed."
            self.unclosed.insert(0, SyntaxProblem(message, here, section.tag, NO_END_TAG))

    def _pop(self, block_end: int, end: int, raw_end: LogicalLine | None = None) -> None:
        section = self.open.pop()
        statement = section.statement
        raw_block = None
        if section.raw_start is not None:
            raw_stop = block_end if raw_end is None else self.source.parsed_text.rfind("\n", 0, raw_end.start) + 1
            raw_stop = max(raw_stop, section.raw_start)
            text = self.source.parsed_text[section.raw_start : raw_stop]
            raw_block = Argument(text, self.source, section.raw_start, raw_stop)
        directive = Directive(
            statement.name,
            statement.arguments,
            tuple(self.siblings),
            self.source,
            statement.start,
            end,
            statement.block_start,
            block_end,
            raw_block,
        )
        section.siblings.append(directive)
        self.siblings = section.siblings
        if section.if_true is not None:
            self.conditional.append(ConditionalProblem(directive, Condition.HOLDS, section.if_true))
        if section.if_false is not None:
            self.conditional.append(ConditionalProblem(directive, Condition.FAILS, section.if_false))
        if section.if_true is not None and section.if_false is not None:
            self._wrong_if_true(section.if_true)

    def _has_stopped(self) -> bool:
        """Whether httpd comes here only if it skips the section in which the reader is, if it comes here at all."""
        for section in reversed(self.open):
            if section.is_read_time:
                return section.if_true is not None and not section.if_true.late
        return self.certain is not None

    def _wrong_if_true(self, problem: SyntaxProblem) -> None:
        """Note what is wrong if the condition of the section holds in which the reader is, if it is in any."""
        for section in reversed(self.open):
            if section.is_read_time:
                if section.if_true is None or (section.if_true.late and not problem.late):
                    section.if_true = problem
                return
        if problem.late:
            self.late.append(problem)
        elif self.certain is None:
            self.certain = problem

    def _wrong_if_false(self, problem: SyntaxProblem) -> None:
        """Note what is wrong if the condition of any of the sections fails in which the reader is."""
        for section in self.open:
            if section.is_read_time and section.if_false is None:
                section.if_false = problem

    def _wrong_encoding(self) -> SyntaxProblem | None:
        """What httpd says of the first word of a file that begins with a byte order mark or is not text."""
        if not self.siblings or self.siblings[0].start != 0:
            return None
        name = self.siblings[0].name
        if name.startswith(_BOM):
            hint = "the file begins with a UTF-8 byte order mark: save it without"
        elif name.startswith(_UTF_16_MARKS):
            hint = "this is not UTF-8 text: UTF-16 or binary data"
        else:
            return None
        message = f"Invalid command '{name}', perhaps misspelled or defined by a module not included in the server "
        return SyntaxProblem(message + "configuration", name.span, Span(self.source, 0, 1), hint, late=True)


NOTHING_OPEN = "no section is open here: this end tag is one too many, or a start tag is missing"
NO_END_TAG = "this section has no end tag"


def _line_too_long(source: Source) -> Span | None:
    """The first logical line that is more than httpd takes, with its line end; only of a large file is it sought."""
    text = source.parsed_text
    if len(text) < MAX_LINE_BYTES // 4 or _size(text) <= MAX_LINE_BYTES:
        return None
    for match in _PHYSICAL_LINES.finditer(text):
        if match.end() - match.start() > MAX_LINE_BYTES // 4 and _size(_CONTINUED.sub("", match[0])) > MAX_LINE_BYTES:
            return Span(source, match.start(), match.end())
    return None


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def is_code_section(folded: str) -> bool:
    """Whether a section holds lines of another language: Perl or Lua."""
    return folded == "perl" or folded.startswith("luahook")


def _may_replace_tags(statement: Statement) -> bool:
    """Whether evaluating a line may give start tags or end tags that it does not show."""
    return "${" in statement.word.value or fold(statement.name) == _USE


def _is_blank_argument(statement: Statement) -> bool:
    """Whether nothing at all stands between the name and the ``>`` that ends the argument."""
    line = statement.line
    return not line.text[statement.word.end :].rstrip(WHITESPACE).strip(WHITESPACE + ">")


def _closes_skipped(section: _OpenSection, statement: Statement) -> bool:
    return statement.end_name == fold(section.statement.skipped_name)


def _wrong_end(section: _OpenSection, statement: Statement) -> SyntaxProblem | None:
    """What httpd says of an end tag while it reads the lines of a section, rather than skipping them."""
    word = statement.word.value
    if section.is_read_time:
        if fold(statement.line.text) == f"</{fold(section.name)}>":
            return None
        message = f"{word} without matching <{word[2:]} section"
        closes = statement.end_name == fold(section.name)
        hint = "only the end tag may stand on this line" if closes else None
        return SyntaxProblem(message, statement.name.span, section.tag, hint)
    if not word.endswith(">"):
        return SyntaxProblem(f"{word}> directive missing closing '>'", statement.name.span, section.tag)
    if statement.end_name == fold(section.name):
        return None
    return _unexpected_end(section, section.name, statement)


def _unexpected_end(section: _OpenSection, name: str, statement: Statement) -> SyntaxProblem:
    saw = statement.word.value[:-1]
    message = f"Expected </{name}> but saw {saw}>"
    return SyntaxProblem(message, statement.name.span, section.tag, NO_END_TAG)
