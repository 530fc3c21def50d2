"""Edits that look hand-made, for both servers: where a line goes in, how a word is replaced, what goes with a line.

Everything here works on offsets of a file's own text; nothing is ever written anew that need not change.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

from tlslint.intention import Edit
from tlslint.parse.tree import Argument, Directive, Source
from tlslint.regex import regex

BLANK = " \t\r\f\v"
_INDENTED = regex(r"^([ \t]+)[^\s#]", re.MULTILINE)

Quoting = Callable[[str, str], str]
"""From a value, and the quote of the word that it replaces, to how the server has it written."""


class CannotSpell(Exception):  # noqa: N818 - an answer, not an error of the program
    """An intention that cannot be written exactly; the message is a clause that says why.

    `commands` are what the reader may run instead.
    """

    def __init__(self, why: str, commands: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.commands = commands


def indentation(text: str, offset: int) -> str | None:
    """Return the white space before what stands at an offset, or None if something else stands before it."""
    start = line_start(text, offset)
    before = text[start:offset].removeprefix("\ufeff") if start == 0 else text[start:offset]
    return before if not before.strip(BLANK) else None


def line_start(text: str, offset: int) -> int:
    """Return where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Return where the line of an offset ends, before its line end."""
    found = text.find("\n", offset)
    if found < 0:
        return len(text)
    return found - 1 if found > offset and text[found - 1] == "\r" else found


def newline(text: str, offset: int) -> str:
    """Return how lines end here: as the line of the offset does, else as the file's first one."""
    found = text.find("\n", offset)
    if found < 0:
        found = text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def unit(source: Source) -> str:
    """Return by how much blocks are indented in a file: as its first indented line is, or four spaces."""
    found = _INDENTED.search(source.text)
    return found[1] if found else "    "


def padded(name: str, arguments: Sequence[str], siblings: Sequence[Directive]) -> str:
    """Return a directive's words, the first argument in the column in which its neighbours have theirs."""
    columns: dict[int, set[int]] = {}
    for sibling in siblings:
        if sibling.arguments and sibling.block is None and sibling.arguments[0].line == sibling.line:
            column = sibling.arguments[0].start - sibling.start
            columns.setdefault(column, set()).add(len(sibling.name))
    column, lengths = max(columns.items(), key=lambda item: len(item[1]), default=(0, set[int]()))
    gap = column - len(name) if len(lengths) > 1 else 1
    return f"{name}{' ' * max(gap, 1)}{' '.join(arguments)}" if arguments else name


def after(directive: Directive, line: str, *, shared_lines: bool = True) -> Edit:
    """Return the edit that writes a line below a directive, or behind it where others share its line."""
    source, text = directive.source, directive.source.text
    own = indentation(text, directive.start)
    end = line_end(text, directive.end)
    rest = text[directive.end : end].strip(BLANK)
    if own is not None and (not rest or (shared_lines and rest.startswith("#"))):
        return Edit(source, end, end, newline(text, directive.end) + own + line)
    if not shared_lines:
        raise CannotSpell("something else stands on its line")
    return Edit(source, directive.end, directive.end, f" {line}")


def before(directive: Directive, lines: Sequence[str]) -> Edit:
    """Return the edit that writes lines, and an empty one, above a directive and the comment that belongs to it."""
    source, text = directive.source, directive.source.text
    own = indentation(text, directive.start)
    if own is None:
        return Edit(source, directive.start, directive.start, " ".join(line.strip() for line in lines) + " ")
    start = line_start(text, directive.start)
    while start:
        above = line_start(text, start - 1)
        if not text[above : start - 1].lstrip(BLANK).startswith("#") or above == 0:
            break
        start = above
    end = newline(text, directive.start)
    if start == 0 and text.startswith("\ufeff"):
        start = 1
    return Edit(source, start, start, "".join(f"{own}{line}{end}" if line else end for line in (*lines, "")))


def inside(block: Directive, line: str) -> Edit:
    """Return the edit that writes a line at the beginning of a block."""
    assert block.block_start is not None
    source, text, at = block.source, block.source.text, block.block_start + 1
    end = line_end(text, at)
    rest = text[at:end].strip(BLANK)
    if rest and not rest.startswith("#"):
        return Edit(source, at, at, f" {line} " if text[at] == "}" else f" {line}")
    own = next((found for child in block.block or () if (found := indentation(text, child.start)) is not None), None)
    if own is None:
        own = (indentation(text, block.start) or "") + unit(source)
    return Edit(source, end, end, newline(text, at) + own + line)


def removed(directive: Directive, gaps: Sequence[tuple[int, int]]) -> Edit:
    """Return the edit that takes a directive away, with its line where nothing else stands there.

    `gaps` are the stretches between its words.
    """
    source, text = directive.source, directive.source.text
    if any("#" in text[start:end] for start, end in gaps):
        raise CannotSpell("a comment stands between its words")
    own = indentation(text, directive.start)
    found = text.find("\n", directive.end)
    end = len(text) if found < 0 else found
    rest = text[directive.end : end].strip(BLANK)
    if own is None:
        start = directive.start
        while start and text[start - 1] in BLANK:
            start -= 1
        return Edit(source, start, directive.end, "")
    if rest:
        behind = directive.end
        while text[behind] in BLANK:
            behind += 1
        return Edit(source, directive.start, behind, "")
    start = directive.start - len(own)
    if found >= 0:
        return Edit(source, start, found + 1, "")
    # the last line, which has no end: the one before stays without an end as well
    start = max(start - 1, 0)
    if start and text[start - 1 : start + 1] == "\r\n":
        start -= 1
    return Edit(source, start, end, "")


def word_replaced(argument: Argument, value: str, quoting: Quoting) -> Edit:
    """Return the edit that gives a word another value and leaves it its quotes."""
    return Edit(argument.source, argument.start, argument.end, quoting(value, argument.quote))


def arguments_replaced(directive: Directive, wanted: Sequence[str], quoting: Quoting) -> list[Edit]:
    """Return the edits that give a directive other arguments, each in its place."""
    present = directive.arguments
    if len(present) == len(wanted):
        return [
            word_replaced(old, new, quoting) for old, new in zip(present, wanted, strict=True) if str(old) != str(new)
        ]
    text = directive.source.text
    if not present:
        at = directive.name.end
        return [Edit(directive.source, at, at, "".join(f" {quoting(word, '')}" for word in wanted))]
    start, end = present[0].start, present[-1].end
    same = 0
    while same < min(len(present), len(wanted)) and str(present[same]) == str(wanted[same]):
        same += 1
    if same:
        start = present[same - 1].end
    if any("#" in text[one.end : two.start] for one, two in pairwise(present[same:])):
        raise CannotSpell("a comment stands between its words")
    new = " ".join(quoting(word, "") for word in wanted[same:])
    return [Edit(directive.source, start, end, f" {new}" if same and new else new)]


def set_replaced(directive: Directive, wanted: Sequence[str], quoting: Quoting) -> list[Edit]:
    """Return the edits that leave of a list, whose order means nothing, what is wanted, and add what lacks."""
    present = directive.arguments
    names = {word.lower() for word in wanted}
    seen: set[str] = set()
    kept = []
    for index, word in enumerate(present):
        if word.lower() in names and word.lower() not in seen:
            seen.add(word.lower())
            kept.append(index)
    if not kept:
        return arguments_replaced(directive, wanted, quoting)
    edits: list[Edit] = []
    source, text = directive.source, directive.source.text
    added = _added_behind([present[index].lower() for index in kept], wanted)
    first = "".join(f"{quoting(word, '')} " for word in added[0])
    if kept[0] > 0 or first:
        edits.append(Edit(source, present[0].start, present[kept[0]].start, first))
    for one, two, words in zip(kept, [*kept[1:], len(present)], added[1:], strict=True):
        if two > one + 1 or words:
            missing = "".join(f" {quoting(word, '')}" for word in words)
            edits.append(Edit(source, present[one].end, present[two - 1].end, missing))
    if any("#" in text[edit.start : edit.end] for edit in edits):
        raise CannotSpell("a comment stands between its words")
    return edits


def _added_behind(kept: Sequence[str], wanted: Sequence[str]) -> list[list[str]]:
    """Return which words are added before the first of those that are kept, and behind each of them.

    Where they stand in the order that is wanted, so does what is added; else it comes last.
    """
    order = {word.lower(): index for index, word in enumerate(wanted)}
    ranks = [order[word] for word in kept]
    is_ordered = ranks == sorted(ranks)
    added: list[list[str]] = [[] for _ in range(len(kept) + 1)]
    for index, word in enumerate(wanted):
        if index not in ranks:
            added[bisect_left(ranks, index) if is_ordered else -1].append(word)
    return added


def argument_removed(directive: Directive, index: int) -> Edit:
    """Return the edit that takes one of several arguments away, with the white space on one side of it."""
    present = directive.arguments
    start, end = (present[0].start, present[1].start) if index == 0 else (present[index - 1].end, present[index].end)
    if "#" in directive.source.text[start:end]:
        start, end = present[index].start, present[index].end
    return Edit(directive.source, start, end, "")


def gaps(directive: Directive) -> list[tuple[int, int]]:
    """Return the stretches between the words of a directive, and behind the last one."""
    words = [directive.name, *directive.arguments]
    between = [(one.end, two.start) for one, two in pairwise(words)]
    return [*between, (words[-1].end, directive.end)]
