r"""nginx configuration text in, a ``Tree`` out: nginx's own tokenizer as one regular expression, and a stack.

The rules are those of ``ngx_conf_read_token`` in nginx's ``src/core/ngx_conf_file.c`` (1.22 and 1.31 agree); what nginx
would refuse without knowing any directive is given as a ``SyntaxProblem`` in nginx's words, and reading stops there, as
nginx's does. Bodies of ``map``, ``geo``, ``types`` and the like are ordinary directives here.

Words of the tokenizer that surprise:

- only space, tab, CR and LF separate; ``#``, quotes and ``}`` are special at the start of a word only; ``;`` and ``{``
  end a word anywhere but after ``$`` (``${name}``) or a backslash;
- of the backslash pairs, ``\" \' \\ \t \r \n`` are decoded, in quotes or not; every other pair stays two characters;
- after a closing quote there must be a separator, ``;``, ``{`` or ``)``;
- nginx reads 4096 bytes at a time, so no word or comment may be longer, and a file of one long comment is refused.

crossplane's parser, fed with these words, takes 1.8 times as long and gives no more: it stays as the second opinion in
the tests. Building many trees with the cyclic garbage collector on takes three times as long: pause it around a batch.
"""

import re
from collections.abc import Collection

from tlslint.parse.tree import Argument, Comment, Directive, Source, Span, SyntaxProblem, Tree, walk
from tlslint.regex import regex

MAX_DEPTH = 64
"""Blocks nested deeper than this are refused, so that what walks or copies a tree may recurse.

nginx has no such limit, but no configuration needs more than a few.
"""

BUFFER_BYTES = 4096
"""NGX_CONF_BUFFER: what nginx must be able to hold of a word and the character after it."""

# A plain word is visible ASCII with nothing special where it stands; what ends in "$" may go on with a brace.
_TOKEN = regex(
    r"""
    [ \t\r\n]*+
    (?:
        ( (?: [ ]*+ (?! [}\#"'] ) [!-:<-Z\[\]-z|}~]++ (?<! \$ ) (?= [ \t\r\n;{] ) )++ ) (?: [ \t\r\n]*+ ( [;{] ) )?+
      | ( (?: [^ \t\r\n;{}\#"'$\\] | \$\{*+ | \\. ) (?: [^ \t\r\n;{$\\]++ | \$\{*+ | \\. )*+ \\?+ )
      | " ( (?: [^"\\]++ | \\. )*+ ) " (?= [ \t\r\n;{)] | \Z )
      | ' ( (?: [^'\\]++ | \\. )*+ ) ' (?= [ \t\r\n;{)] | \Z )
      | ( [;{}] )
      | \# ( [^\n]*+ )
      | ( ["'\\] )
      | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN, _PLAIN_TO_MARK, _BARE, _DOUBLE, _SINGLE, _MARK, _COMMENT, _BROKEN = range(1, 9)
"""Plain words with spaces between them, perhaps up to the mark that follows; or a single word, mark or comment."""

_QUOTED_WORD = {
    '"': regex(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL),
    "'": regex(r"'((?:[^'\\]++|\\.)*+)'", re.DOTALL),
}

_ESCAPE = regex(r"""\\(["'\\trn])""")
_UNESCAPED = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}

# How the Lua module reads the body of *_by_lua_block (asked of 0.10.23): a quote that is not closed on its line is an
# ordinary character, and one of these must stand in every stretch that fills nginx's buffer, however it is aligned.
_LUA_TOKEN = regex(
    r"""
      (?:--)? \[ (=*) \[
    | -- [^\n]*+
    | " (?: [^"\\\n]++ | \\[^\n] )*+ "
    | ' (?: [^'\\\n]++ | \\[^\n] )*+ '
    | [{}]
    """,
    re.VERBOSE,
)
_RAW_BLOCK_SUFFIX = "_by_lua_block"

_SEPARATORS = (" ", "\t", "\r", "\n")
_SURELY_SHORT = BUFFER_BYTES // 4 - 2  # no character takes more than four bytes

_BOM = "\ufeff"
_UTF_16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")

_UNFINISHED = 'unexpected end of file, expecting ";" or "}"'
_MISSING_SEMICOLON = 'the ";" is missing'


def parse(source: Source) -> Tree:
    """Read a file as nginx's tokenizer would; never raises on bad input.

    The tree holds what was read up to the first problem, blocks that are still open included.
    """
    return _Reader(source).read()


def decode(raw: str) -> str:
    r"""What nginx makes of a word written so, quotes aside: ``\" \' \\ \t \r \n`` are converted, other pairs stay."""
    if "\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda pair: _UNESCAPED[pair[1]], raw)


def swallowed(directive: Directive, names: Collection[str]) -> Argument | None:
    """The argument that looks like the next directive, taken in because this one lacks its ``;``.

    It is the first unquoted argument that stands first on its own line, below the directive's name, and is one of
    ``names``. Legal for nginx where the directive takes any number of arguments (``server_name``), hence not a problem
    of syntax.
    """
    text = directive.source.parsed_text
    for argument in directive.arguments:
        if argument in names and not argument.quote:
            line_start = text.rfind("\n", directive.start, argument.start) + 1
            if line_start and not text[line_start : argument.start].strip(" \t\r"):
                return argument
    return None


_OpenBlock = tuple[list[Argument], int, list[Directive]]
"""The words of a block that is not closed yet, where its brace stands, and the directives before it."""


class _Stop(Exception):  # noqa: N818 - the end of a reading, not an error of the program
    def __init__(self, problem: SyntaxProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Reader:
    """One reading of one file: the directive being read, the blocks it stands in, and what was found so far."""

    __slots__ = ("_comments", "_open", "_siblings", "_source", "_text", "_words")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.parsed_text
        self._words: list[Argument] = []
        self._open: list[_OpenBlock] = []
        self._siblings: list[Directive] = []
        self._comments: list[Comment] = []

    def read(self) -> Tree:
        problems: list[SyntaxProblem] = []
        try:
            position: int | None = 0
            while position is not None:
                position = self._read_until_raw_block(position)
            self._check_nothing_is_missing()
        except _Stop as stop:
            problems.append(stop.problem)
            self._close_all(stop.problem.span.start)
        if problem := self._wrong_encoding():
            problems.insert(0, problem)
        return Tree(self._source, tuple(self._siblings), tuple(self._comments), tuple(problems))

    def _read_until_raw_block(self, position: int) -> int | None:
        """Read to the end of the file (``None``), or to after the next raw block (the offset to go on from).

        This loop takes most of the time of reading a large tree: hence runs of plain words, and the local names.
        """
        source = self._source
        text = self._text
        words = self._words
        new_word = str.__new__
        for match in _TOKEN.finditer(text, position):
            kind = match.lastindex
            if kind is None:
                break
            end = match.end()
            if kind <= _PLAIN_TO_MARK:
                start = match.start(1)
                run = match[1]
                if len(run) >= _SURELY_SHORT:
                    self._check_lengths(run, start)
                for raw in run.split(" "):
                    if raw:
                        # as Argument(…) does, in half the time
                        word = new_word(Argument, raw)
                        word.source = source
                        word.start = start
                        word._length = length = len(raw)
                        word.quote = ""
                        words.append(word)
                        start += length
                    start += 1
                if kind == _PLAIN:
                    continue
            elif kind != _MARK:
                self._read_single(kind, match[kind], end)
                continue
            mark = text[end - 1]
            if not words:
                if mark != "}":
                    raise self._unexpected(mark, end - 1)
                self._close_block(end - 1)
            elif mark == ";":
                name = words[0]
                self._siblings.append(Directive(name, tuple(words[1:]), None, source, name.start, end))
                words.clear()
            elif mark == "}":
                raise self._unexpected(mark, end - 1)
            elif words[0].endswith(_RAW_BLOCK_SUFFIX):
                return self._read_raw_block(end - 1)
            else:
                self._open_block(end - 1)
                words = self._words
        return None

    def _read_single(self, kind: int, raw: str, end: int) -> None:
        """Take in a word that is not plain, or a comment."""
        length = len(raw)
        if length >= _SURELY_SHORT and kind != _BROKEN:
            self._check_length(kind, raw, end)
        if kind == _BARE:
            self._words.append(Argument(decode(raw), self._source, end - length, end))
        elif kind == _COMMENT:
            self._comments.append(Comment(self._source, end - length - 1, end, raw))
        elif kind == _BROKEN:
            raise self._broken_word(raw, end - 1)
        else:
            quote = '"' if kind == _DOUBLE else "'"
            self._words.append(Argument(decode(raw), self._source, end - length - 2, end, quote))

    def _open_block(self, brace: int) -> None:
        if len(self._open) == MAX_DEPTH:
            raise self._stop("too deeply nested", brace, brace + 1, hint=f"more than {MAX_DEPTH} blocks are open here")
        self._open.append((self._words, brace, self._siblings))
        self._words = []
        self._siblings = []

    def _close_block(self, brace: int) -> None:
        if not self._open:
            raise self._unexpected("}", brace)
        self._end_block(brace, brace + 1)

    def _end_block(self, block_end: int, end: int) -> None:
        (name, *arguments), brace, siblings = self._open.pop()
        children = tuple(self._siblings)
        siblings.append(Directive(name, tuple(arguments), children, self._source, name.start, end, brace, block_end))
        self._siblings = siblings

    def _close_all(self, offset: int) -> None:
        while self._open:
            self._end_block(offset, offset)

    def _read_raw_block(self, brace: int) -> int:
        name = self._words[0]
        end = self._end_of_lua(brace)
        body = Argument(self._text[brace + 1 : end - 1], self._source, brace + 1, end - 1)
        arguments = tuple(self._words[1:])
        self._siblings.append(
            Directive(name, arguments, (), self._source, name.start, end, brace, end - 1, raw_block=body)
        )
        self._words.clear()
        return end

    def _end_of_lua(self, brace: int) -> int:
        """The offset after the ``}`` that ends the Lua code whose ``{`` is given."""
        text = self._text
        depth = 1
        position = brace + 1
        while match := _LUA_TOKEN.search(text, position, position + BUFFER_BYTES):
            position = match.end()
            token = match[0]
            if token == "{":
                depth += 1
            elif token == "}":
                depth -= 1
                if not depth:
                    return position
            elif match[1] is not None:
                closing = f"]{match[1]}]"
                found = text.find(closing, position)
                if found < 0:
                    message = f'Lua code block missing the closing long bracket "{closing}"'
                    message += ", the inlined Lua code may be too long"
                    raise self._stop(message, match.start(), position, hint="this long bracket is never closed")
                position = found + len(closing)
            elif token.startswith("--"):
                line_end = text.find("\n", position - 1)
                position = len(text) if line_end < 0 else line_end
        head = Span(self._source, self._words[0].start, brace + 1)
        if position + BUFFER_BYTES < len(text):
            message = "too long lua code block, probably missing terminating characters"
            raise self._stop(message, position, origin=head, hint="the Lua code has no end here")
        message = "unexpected end of file, expecting terminating characters for lua code block"
        raise self._stop(message, head.start, head.end, hint='the Lua code has no closing "}"')

    def _check_nothing_is_missing(self) -> None:
        """Raise what nginx says when the file ends within a directive or a block."""
        end = len(self._text)
        if self._words:
            raise self._stop(_UNFINISHED, end, origin=self._current_words(), hint=_MISSING_SEMICOLON)
        if self._open:
            words, brace, _ = self._open[-1]
            self._close_all(end)
            origin = _never_closed(self._siblings, end) or Span(self._source, words[0].start, brace + 1)
            raise self._stop('unexpected end of file, expecting "}"', end, origin=origin, hint='this block has no "}"')

    def _check_lengths(self, run: str, start: int) -> None:
        for raw in run.split(" "):
            if len(raw) >= _SURELY_SHORT:
                self._check_length(_BARE, raw, start + len(raw))
            start += len(raw) + 1

    def _check_length(self, kind: int, raw: str, end: int) -> None:
        """Raise what nginx says when a word or comment, and what it reads before letting go of it, overflow its buffer.

        A separator is read before the word is let go; the opening quote is not kept, the closing one is.
        """
        content = "#" + raw if kind == _COMMENT else raw
        size = len(content.encode("utf-8", "surrogateescape"))
        quoted = kind in (_DOUBLE, _SINGLE)
        start = end - len(content) - 2 * quoted
        if quoted and size >= BUFFER_BYTES:
            raise self._unterminated('"' if kind == _DOUBLE else "'", start, end)
        size += quoted
        if kind != _COMMENT and self._text[end : end + 1] in _SEPARATORS:
            size += 1
            end += 1
        if size > BUFFER_BYTES or (size == BUFFER_BYTES and end < len(self._text)):
            shown = content.encode("utf-8", "surrogateescape")[:10].decode("utf-8", "surrogateescape")
            message = f'too long parameter "{shown}..." started'
            raise self._stop(message, start, end, hint=f"nginx reads at most {BUFFER_BYTES - 1} bytes in one piece")

    def _broken_word(self, first: str, start: int) -> _Stop:
        """What nginx says of a quote that is never closed or has text glued to it, or of a lone last backslash."""
        end = len(self._text)
        if first == "\\":
            words_start = self._words[0].start if self._words else start
            origin = Span(self._source, words_start, end)
            return self._stop(_UNFINISHED, end, origin=origin, hint=_MISSING_SEMICOLON)
        word = _QUOTED_WORD[first].match(self._text, start)
        if word is None:
            if len(self._text[start + 1 :].encode("utf-8", "surrogateescape")) > BUFFER_BYTES:
                return self._unterminated(first, start, end)
            origin = Span(self._source, start, start + 1)
            return self._stop(_UNFINISHED, end, origin=origin, hint="this quote is never closed")
        self._check_length(_DOUBLE if first == '"' else _SINGLE, word[1], word.end())
        glued = word.end()
        spans_lines = "\n" in word[0]
        origin = Span(self._source, start, start + 1) if spans_lines else Span(self._source, start, glued)
        hint = (
            "this quote is closed only on a later line"
            if spans_lines
            else "after the closing quote there must be a space or the end of the directive"
        )
        return self._stop(f'unexpected "{self._text[glued]}"', glued, glued + 1, origin=origin, hint=hint)

    def _unterminated(self, quote: str, start: int, end: int) -> _Stop:
        message = f'too long parameter, probably missing terminating "{quote}" character'
        origin = Span(self._source, start, start + 1)
        return self._stop(message, start, end, origin=origin, hint="this quote is never closed, or its text too long")

    def _unexpected(self, mark: str, offset: int) -> _Stop:
        origin = None
        hint = None
        if self._words:
            origin = self._current_words()
            hint = _MISSING_SEMICOLON
        elif mark == "}":
            origin = _closed_too_early(self._siblings)
            hint = 'no block is open here: this "}" is one too many, or a "{" is missing'
        else:
            hint = "no directive stands before it"
        return self._stop(f'unexpected "{mark}"', offset, offset + 1, origin=origin, hint=hint)

    def _wrong_encoding(self) -> SyntaxProblem | None:
        """What nginx says of the first directive of a file that begins with a byte order mark or is not text."""
        if not self._siblings:
            return None
        name = self._siblings[0].name
        if name.startswith(_BOM):
            hint = "the file begins with a UTF-8 byte order mark: save it without"
        elif name.startswith(_UTF_16_MARKS) or "\0" in name:
            hint = "this is not UTF-8 text: UTF-16 or binary data"
        else:
            return None
        shown = name.partition("\0")[0]  # as in nginx's message, which ends there
        origin = Span(self._source, name.start, name.start + 1)
        return SyntaxProblem(f'unknown directive "{shown}"', name.span, origin, hint)

    def _current_words(self) -> Span:
        return Span(self._source, self._words[0].start, self._words[-1].end)

    def _stop(
        self, message: str, start: int, end: int | None = None, *, origin: Span | None = None, hint: str | None = None
    ) -> _Stop:
        span = Span(self._source, start, start if end is None else end)
        return _Stop(SyntaxProblem(message, span, origin, hint))


def _indentation(text: str, offset: int) -> int | None:
    """How far what stands at the offset is indented, or ``None`` if something stands before it on its line."""
    line_start = offset
    while line_start and text[line_start - 1] in " \t":  # not from the line's start: a line may be megabytes long
        line_start -= 1
    if line_start and text[line_start - 1] != "\n":
        return None
    return len(text[line_start:offset].expandtabs())


def _never_closed(directives: list[Directive], end: int) -> Span | None:
    """The block whose ``}`` is missing, told by the indentation: the first one that ends, or holds a directive, further
    to the left than it begins.
    """
    suspects: list[tuple[int, Directive]] = []
    for block in walk(directives):
        if block.block is None or block.block_start is None or block.block_end is None:
            continue
        text = block.source.parsed_text
        own = _indentation(text, block.start)
        if own is None:
            continue
        deeper = False
        for child in block.block:
            indentation = _indentation(text, child.start)
            if indentation is None:
                continue
            if indentation < own or (indentation == own and deeper):
                suspects.append((child.start, block))
                break
            deeper = deeper or indentation > own
        if block.block_end < end:
            closing = _indentation(text, block.block_end)
            if closing is not None and closing < own:
                suspects.append((block.block_end, block))
    if not suspects:
        return None
    _, block = min(suspects, key=lambda suspect: suspect[0])
    return _head(block)


def _closed_too_early(directives: list[Directive]) -> Span | None:
    """The first ``}`` that stands further to the right than the block that it closes begins."""
    early: list[Directive] = []
    for block in walk(directives):
        if block.block is not None and block.block_end is not None:
            text = block.source.parsed_text
            own = _indentation(text, block.start)
            closing = _indentation(text, block.block_end)
            if own is not None and closing is not None and closing > own:
                early.append(block)
    if not early:
        return None
    first = min(early, key=lambda block: block.block_end or 0)
    return Span(first.source, first.end - 1, first.end)


def _head(block: Directive) -> Span:
    """A block's name, arguments and ``{``."""
    assert block.block_start is not None
    return Span(block.source, block.start, block.block_start + 1)
