"""Comments that say why a finding is accepted: `# tlslint: ignore[weak-protocol] -- reason, until=2027-03-31`.

`ignore` on a line of its own is for the statement below it, behind a statement (nginx only: httpd knows no such
comments) for that statement, with all of its lines; of a block it covers what opens it. `ignore-block` is for all that
is in the block which opens below (or on the same line), `ignore-file` for the file. A finding belongs where its own
span begins. In the brackets stand names, codes and prefixes of codes.

A comment that is out of date, covers nothing, or cannot be understood is a finding itself. None of them is silent.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from tlslint.check import merge
from tlslint.finding import Finding, Hidden, Rule
from tlslint.fix.managed import manager_of
from tlslint.intention import Edit, Fix, Safety
from tlslint.parse.tree import Comment, Directive, Source, Span, Tree, walk
from tlslint.record import dataclass, replace
from tlslint.regex import regex
from tlslint.rules.configuration import expired_ignore, ignore_without_reason, malformed_ignore, unused_ignore
from tlslint.selection import EVERYTHING, Selection, SelectorError

if TYPE_CHECKING:
    from tlslint.gaps import Checked

MARK = "tlslint:"
FORMS = ("ignore", "ignore-block", "ignore-file")
COMMENT_RULES: tuple[Rule, ...] = (
    unused_ignore.rule,
    expired_ignore.rule,
    ignore_without_reason.rule,
    malformed_ignore.rule,
)
"""What is wrong with such comments, which no comment can suppress."""

_INSTRUCTION = regex(r"#[ \t]*tlslint:[ \t]*([^\s\[=]*)")
_OTHER_WORDS = ("context",)
_NAMES = regex(r"[ \t]*\[([^\]\n]*)\]")
_NAME = regex(r"[^\s,]+")
_UNTIL = regex(r"(?<!\S)[,;(]?until[ \t]*=[ \t]*([^\s,;)]*)[,;)]?")
_DATE = regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


# --- which lines belong together ----------------------------------------------------------------------------------


class Layout:
    """The statements of a file in order, blocks up to what opens them, and the lines that they take."""

    def __init__(self, tree: Tree) -> None:
        self.source = tree.source
        self.blocks: list[Directive] = []
        self.statements: list[tuple[int, int]] = []
        for directive in walk(tree.directives):
            end = directive.end
            if directive.block is not None and directive.raw_block is None and directive.block_start is not None:
                end = directive.block_start + 1
                self.blocks.append(directive)
            self.statements.append((directive.start, end))
        self.statements.sort()

    def line_of(self, offset: int) -> int:
        """The line (1-based) of an offset."""
        return self.source.line_column(offset)[0]

    def around(self, offset: int) -> int | None:
        """The index of the statement in the middle of which an offset is."""
        for index, (start, end) in enumerate(self.statements):
            if start < offset < end:
                return index
        return None

    def below(self, offset: int) -> int | None:
        """The index of the statement on the next line that has one, unless a block ends on a line before it."""
        index = next((index for index, (start, _) in enumerate(self.statements) if start >= offset), None)
        if index is None:
            return None
        inner = [block for block in self.blocks if block.block_start is not None and block.block_start < offset]
        ends = [block.block_end for block in inner if block.block_end is not None and block.block_end >= offset]
        line = self.source.line_start(self.line_of(self.statements[index][0]))
        return index if all(line <= end for end in ends) else None

    def anchor(self, offset: int) -> int:
        """The line (1-based) above which a comment stands that is to cover an offset: where no statement goes on."""
        line = self.line_of(offset)
        while True:
            index = self.around(self.source.line_start(line))
            if index is None:
                return line
            line = self.line_of(self.statements[index][0])

    def lines_from(self, index: int) -> tuple[int, int]:
        """The stretch of all lines of a statement, and of statements that begin on one of them."""
        first = self.line_of(self.statements[index][0])
        last = first
        while index > 0 and self.line_of(self.statements[index - 1][0]) == first:
            index -= 1
        for start, end in self.statements[index:]:
            if self.line_of(start) > last:
                break
            last = max(last, self.line_of(max(start, end - 1)))
        return self.stretch(first, last)

    def lines_through(self, line: int) -> tuple[int, int]:
        """The stretch of all lines of the statements that have a part on a line."""
        first = last = line
        for start, end in self.statements:
            begins, ends = self.line_of(start), self.line_of(max(start, end - 1))
            if begins <= line <= ends:
                first, last = min(first, begins), max(last, ends)
        return self.stretch(first, last)

    def stretch(self, first: int, last: int) -> tuple[int, int]:
        """The offsets from the beginning of one line to the end of another."""
        start = self.source.line_start(last)
        end = self.source.text.find("\n", start)
        return self.source.line_start(first), len(self.source.text) if end < 0 else end

    def block_at(self, extent: tuple[int, int]) -> Directive | None:
        """The last block that opens in a stretch."""
        opened = [block for block in self.blocks if extent[0] <= block.start < extent[1]]
        return opened[-1] if opened else None

    def is_alone(self, comment: Comment) -> bool:
        """Whether nothing stands before a comment on its line."""
        start = self.source.line_start(comment.line)
        return not self.source.text[start : comment.start].strip(" \t\r\ufeff")

    def is_conditional(self, offset: int) -> bool:
        """Whether a section of httpd decides if what stands here counts, or a macro holds it."""
        sections = (block for block in self.blocks if self.source.text.startswith("<", block.start))
        return any(
            section.start < offset < section.end and section.name.lower().startswith(("if", "else", "macro"))
            for section in sections
        )


# --- comments -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IgnoredName:
    """One word in the brackets, and the codes of the rules that it means."""

    text: str
    span: Span
    codes: frozenset[str]
    exact: bool


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment that suppresses findings, and where."""

    comment: Span
    form: str
    names: tuple[IgnoredName, ...]
    reason: str
    until: date | None
    until_span: Span | None
    start: int
    end: int
    conditional: bool = False
    block: tuple[int, int] | None = None
    """The block above which a plain `ignore` stands."""

    def covers(self, finding: Finding) -> bool:
        """Whether a finding begins where the comment counts, and one of the names means its rule."""
        return self.start <= finding.span.start <= self.end and any(finding.code in name.codes for name in self.names)


def ignores_in(tree: Tree, selection: Selection) -> Iterator[Ignore | Finding]:
    """Yield the comments of a file that suppress something, and a finding for each that cannot be understood."""
    layout: Layout | None = None
    for comment in tree.comments:
        start = comment.start
        text = tree.source.text[start : comment.end].rstrip("\r")
        found = _INSTRUCTION.match(text)
        if found is None or found[1] in _OTHER_WORDS:
            continue
        layout = layout or Layout(tree)
        yield from _Reader(tree.source, comment, text, layout, selection).read(found)


class _Reader:
    """Reads one comment."""

    def __init__(self, source: Source, comment: Comment, text: str, layout: Layout, selection: Selection) -> None:
        self.source = source
        self.comment = comment
        self.text = text
        self.layout = layout
        self.selection = selection
        self.whole = Span(source, comment.start, comment.start + len(text.rstrip()))

    def span(self, start: int, end: int) -> Span:
        """A stretch of the comment."""
        return Span(self.source, self.comment.start + start, self.comment.start + end)

    def read(self, found: re.Match[str]) -> Iterator[Ignore | Finding]:
        """Yield what the comment means, and what is wrong with it."""
        form, at = found[1], found.end()
        if form not in FORMS:
            span = self.span(found.start(1), found.end(1)) if form else self.whole
            yield _malformed(f'"{form}" is no instruction{_closest(form)}', span)
            return
        names = _NAMES.match(self.text, at)
        if names is None:
            what = "the bracket is not closed" if self.text[at:].lstrip().startswith("[") else "it names no rules"
            yield _malformed(f"this comment suppresses nothing: {what}", self.whole, f"write {form}[rule-name]")
            return
        tail = yield from self._tail(names.end())
        if tail is None:
            return
        reason, until, until_span = tail
        known: list[IgnoredName] = []
        for item in self._names(names):
            if isinstance(item, Finding):
                yield item
            elif all(item.codes != other.codes for other in known):
                known.append(item)
        extent = self._extent(form)
        if isinstance(extent, Finding):
            yield extent
        elif known:
            block = self.layout.block_at(extent) if form == "ignore" else None
            yield Ignore(
                self.whole, form, tuple(known), reason, until, until_span, *extent,
                conditional=self.layout.is_conditional(self.comment.start),
                block=None if block is None else (block.start, block.end),
            )  # fmt: skip

    def _names(self, names: re.Match[str]) -> Iterator[IgnoredName | Finding]:
        found = list(_NAME.finditer(self.text, names.start(1), names.end(1)))
        if not found:
            yield _malformed("this comment suppresses nothing: it names no rules", self.whole)
        for word in found:
            text, span = word[0], self.span(*word.span())
            try:
                rules = self.selection.matching(text)
            except SelectorError as error:
                yield _malformed(str(error), span)
                continue
            exact = text in (rules[0].code, rules[0].name)
            codes = frozenset(rule.code for rule in rules if self.selection.may_hide(rule))
            if text == EVERYTHING or (not exact and len(text) < len("TLS0")):
                yield _malformed(f'"{text}" would suppress everything: name the rules', span)
            elif codes:
                yield IgnoredName(text, span, codes, exact)
            else:
                yield _malformed(f'"{text}" cannot be ignored', span, self.selection.why_shown(rules[0]))

    def _tail(self, at: int) -> Generator[Finding, None, tuple[str, date | None, Span | None] | None]:
        """Read reason and date; yields what is wrong and returns None for a comment that must not count."""
        text = self.text[at:]
        until: date | None = None
        until_span: Span | None = None
        dates = list(_UNTIL.finditer(text))
        for found in dates:
            until_span = self.span(at + found.start(), at + found.end())
            until = _date(found[1])
            if until is None or len(dates) > 1:
                what = f'"{found[1]}" is not a date' if until is None else "it has two dates"
                yield _malformed(f"this comment suppresses nothing: {what}", until_span, "write until=2027-03-31")
                return None
        reason = _UNTIL.sub(" ", text).strip()
        if reason and not reason.startswith("--"):
            where = self.span(at + len(text) - len(text.lstrip()), at + len(text.rstrip()))
            yield _malformed("this comment suppresses nothing: a reason begins with --", where)
            return None
        return reason.removeprefix("--").strip(" \t,;()"), until, until_span

    def _extent(self, form: str) -> tuple[int, int] | Finding:
        if form == "ignore-file":
            return 0, len(self.source.text)
        layout, start = self.layout, self.comment.start
        if layout.is_alone(self.comment):
            index = layout.around(start)
            if index is None:
                index = layout.below(start)
            if index is None:
                return _malformed("this comment suppresses nothing: nothing follows it here", self.whole)
            extent = layout.lines_from(index)
        else:
            extent = layout.lines_through(self.comment.line)
        if form == "ignore":
            return extent
        block = layout.block_at(extent)
        if block is None:
            return _malformed("this comment suppresses nothing: no block opens here", self.whole)
        return block.start, block.end


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _closest(word: str) -> str:
    # only here, because it is slow to import and rarely needed
    from difflib import get_close_matches

    known = [*FORMS, *_OTHER_WORDS]
    turned = "-".join(reversed(word.split("-")))
    close = [turned] if turned in known else get_close_matches(word, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else f" (there are {', '.join(known)})"


def _malformed(message: str, span: Span, help: str = "") -> Finding:  # noqa: A002 - as in `Rule.finding`
    return malformed_ignore.rule.finding(message, span, help=help)


# --- suppressing --------------------------------------------------------------------------------------------------


def suppress(
    findings: Sequence[Finding],
    trees: Iterable[Tree],
    selection: Selection,
    now: datetime,
    checked: "Checked",
    host_path: Callable[[Source], str | None] = lambda source: None,
) -> tuple[list[Finding], list[Hidden]]:
    """Return the findings that no comment suppresses, with those about the comments, and the suppressed ones merged.

    `host_path` tells in which file of this machine a source is, so that a superfluous comment can be removed.
    """
    ignores: dict[str, list[Ignore]] = {}
    about_comments: list[Finding] = []
    for tree in trees:
        for item in ignores_in(tree, selection):
            if isinstance(item, Finding):
                about_comments.append(item)
            elif item.until is not None and now.date() > item.until:
                about_comments += [_expired(item), *_without_reason(item)]
            else:
                ignores.setdefault(tree.source.path, []).append(item)
                about_comments += _without_reason(item)
    used: set[Span] = set()
    kept: list[Finding] = []
    hidden: dict[tuple[str, Span], Hidden] = {}
    suppressed: list[Finding] = []
    for finding in findings:
        covering = [ignore for ignore in ignores.get(finding.span.source.path, ()) if ignore.covers(finding)]
        if not covering:
            kept.append(finding)
            continue
        used.update(name.span for ignore in covering for name in ignore.names if finding.code in name.codes)
        first = covering[0]
        until = "" if first.until is None else first.until.isoformat()
        suppressed.append(finding)
        hidden[finding.code, finding.span] = Hidden(finding, "comment", first.reason, until, first.comment)
    for ignore in (ignore for items in ignores.values() for ignore in items):
        about_comments += _unused(ignore, used, kept, selection, checked, host_path)
    kept += [finding for finding in about_comments if selection.runs_code(finding.code)]
    merged = map(selection.graded, merge(suppressed))
    return kept, [replace(hidden[finding.code, finding.span], finding=finding) for finding in merged]


def _expired(ignore: Ignore) -> Finding:
    names = ", ".join(name.text for name in ignore.names)
    return expired_ignore.rule.finding(
        f"the exception for {names} ended on {ignore.until}, so that it counts no more",
        ignore.until_span or ignore.comment,
        help="solve the matter and remove the comment, or decide anew until when it is accepted",
    )


def _without_reason(ignore: Ignore) -> Iterator[Finding]:
    if not re.search(r"\w", ignore.reason):
        yield ignore_without_reason.rule.finding(
            f"no reason is given for ignoring {', '.join(name.text for name in ignore.names)}",
            ignore.comment,
            help="write -- and the reason behind the bracket",
        )


def _unused(
    ignore: Ignore,
    used: set[Span],
    kept: Iterable[Finding],
    selection: Selection,
    checked: "Checked",
    host_path: Callable[[Source], str | None],
) -> Iterator[Finding]:
    unused = [name for name in ignore.names if name.span not in used and checked.judged(name.codes, selection)]
    if not unused or ignore.conditional:
        return
    wider = _wider(ignore, kept)
    file = host_path(ignore.comment.source)
    if len(unused) == len(ignore.names):
        names = ", ".join(name.text for name in unused)
        yield unused_ignore.rule.finding(
            f"this comment suppresses nothing: {names} {'was' if len(unused) == 1 else 'were'} not found here",
            ignore.comment,
            help=wider or "remove the comment",
            fix=None if wider else _removal("remove the comment", _whole_line(ignore.comment), file),
        )
        return
    for name in unused:
        title = f'remove "{name.text}"'
        fix = None if wider else _removal(title, _with_separator(name, ignore.names), file)
        yield unused_ignore.rule.finding(f"{name.text} was not found here", name.span, help=wider or title, fix=fix)


def _removal(title: str, span: Span, file: str | None) -> Fix | None:
    if file is None or manager_of(span.source) is not None:
        return None
    return Fix(title, Safety.SAFE, edits=(Edit(span.source, span.start, span.end, "", file=file),))


def _whole_line(comment: Span) -> Span:
    """The comment with its line, or with the space before it where something else stands on the line."""
    text = comment.source.text
    end = text.find("\n", comment.end)
    end = len(text) if end < 0 else end
    end -= text.endswith("\r", comment.end, end)
    line = text.rfind("\n", 0, comment.start) + 1
    before = text[line : comment.start].rstrip(" \t")
    if before:
        return Span(comment.source, line + len(before), end)
    return Span(comment.source, line, min(len(text), end + (2 if text.startswith("\r\n", end) else 1)))


def _with_separator(name: IgnoredName, names: Sequence[IgnoredName]) -> Span:
    index = names.index(name)
    if index:
        return Span(name.span.source, names[index - 1].span.end, name.span.end)
    return Span(name.span.source, name.span.start, names[1].span.start)


def _wider(ignore: Ignore, kept: Iterable[Finding]) -> str:
    """Tell of the other form where that would have covered something."""
    if ignore.block is None:
        return ""
    start, end = ignore.block
    source = ignore.comment.source
    codes = {code for name in ignore.names for code in name.codes}
    inside = (item for item in kept if item.span.source is source and start <= item.span.start < end)
    if any(finding.code in codes for finding in inside):
        return "ignore covers the line that opens the block; ignore-block covers all that is in it"
    return ""
