"""Writes comments that suppress findings: one above each statement, indented as it is, and not a byte else."""

import os
import re
from collections.abc import Iterable, Mapping
from datetime import date

from tlslint.finding import Finding
from tlslint.fix.engine import Change
from tlslint.fix.managed import manager_of
from tlslint.parse import apache, nginx
from tlslint.parse.tree import Source, Tree, walk
from tlslint.record import dataclass
from tlslint.selection import Selection
from tlslint.settings import SettingsError
from tlslint.suppress import Ignore, Layout, ignores_in

MAX_REASON = 500
"""nginx reads 4096 bytes at a time, and a comment has to fit."""


class ReasonError(SettingsError):
    """A reason or an end that cannot stand in a comment."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """What comes of it: the changes, how many comments they add, and the findings that no comment can suppress."""

    changes: tuple[Change, ...]
    comments: int
    refused: tuple[tuple[Finding, str], ...]


def tail_of(reason: str, until: str | None, today: date) -> str:
    """Return what stands behind the bracket; raises `ReasonError`."""
    reason = reason.strip()
    if not re.search(r"\w", reason):
        raise ReasonError("--add-ignore needs to know why: --reason TEXT")
    if len(reason) > MAX_REASON or not reason.isprintable() or reason.endswith("\\"):
        raise ReasonError(f"--reason: one line of at most {MAX_REASON} characters, without a backslash at its end")
    if re.search(r"\buntil[ \t]*=", reason):
        raise ReasonError("--reason: until when is said by --until DATE")
    if until is None:
        return f" -- {reason}"
    try:
        last = date.fromisoformat(until)
    except ValueError as error:
        raise ReasonError(f"--until {until}: not a date such as 2027-03-31") from error
    if last < today:
        raise ReasonError(f"--until {until}: this day is over")
    return f" -- {reason}, until={last.isoformat()}"


def annotated(findings: Iterable[Finding], trees: Iterable[Tree], selection: Selection, tail: str) -> Annotated:
    """Return what files become with a comment for each finding that may be suppressed."""
    by_path = {tree.source.path: tree for tree in trees}
    by_file: dict[str, list[Finding]] = {}
    refused: list[tuple[Finding, str]] = []
    for finding in findings:
        why = _refusal(finding, by_path, selection)
        if why:
            refused.append((finding, why))
        else:
            # one file may be known by several paths
            by_file.setdefault(os.path.realpath(finding.span.source.path), []).append(finding)
    changes: list[Change] = []
    count = 0
    for file, listed in by_file.items():
        source = listed[0].span.source
        text, placed, unplaced = _with_comments(by_path[source.path], listed, selection, tail)
        refused += [(finding, "no comment can stand where it would count") for finding in unplaced]
        if placed:
            count += placed
            changes.append(Change(file, source.path, source.data, text.encode("utf-8", "surrogateescape")))
    return Annotated(tuple(changes), count, tuple(refused))


def _refusal(finding: Finding, trees: Mapping[str, Tree], selection: Selection) -> str:
    source = finding.span.source
    if not selection.may_hide_code(finding.code):
        return "no comment may suppress it"
    if source.path not in trees:
        return "it is not in a configuration file that was read"
    manager = manager_of(source)
    return f"{manager} manages the file" if manager else ""


def _with_comments(
    tree: Tree, findings: list[Finding], selection: Selection, tail: str
) -> tuple[str, int, list[Finding]]:
    layout = Layout(tree)
    wanted: dict[int, list[Finding]] = {}
    for finding in findings:
        wanted.setdefault(layout.anchor(finding.span.start), []).append(finding)
    while wanted:
        text, offsets = _inserted(tree.source, wanted, tail)
        failed = _ineffective(tree, text, wanted, offsets, selection)
        if not failed:
            break
        wanted = {line: listed for line, listed in wanted.items() if line not in failed}
    kept = {id(finding) for listed in wanted.values() for finding in listed}
    unplaced = [finding for finding in findings if id(finding) not in kept]
    return (text if wanted else tree.source.text), len(wanted), unplaced


def _inserted(source: Source, wanted: Mapping[int, list[Finding]], tail: str) -> tuple[str, dict[int, int]]:
    """Return the text with a comment above each of these lines, and by line how far its text has moved."""
    pieces: list[str] = []
    moved: dict[int, int] = {}
    at = added = 0
    for line in sorted(wanted):
        start = source.line_start(line)
        code = source.text[start:]
        indentation = code[: len(code) - len(code.lstrip(" \t"))]
        names = ", ".join(dict.fromkeys(finding.name for finding in sorted(wanted[line], key=lambda item: item.code)))
        comment = f"{indentation}# tlslint: ignore[{names}]{tail}{_line_end(source, start)}"
        pieces += [source.text[at:start], comment]
        at, added = start, added + len(comment)
        moved[line] = added
    return "".join([*pieces, source.text[at:]]), moved


def _line_end(source: Source, start: int) -> str:
    """Return how lines end there: as this one, or the one before where it is the last."""
    text = source.text
    end = text.find("\n", start)
    end = end if end >= 0 else start - 1
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _ineffective(
    tree: Tree, text: str, wanted: Mapping[int, list[Finding]], moved: Mapping[int, int], selection: Selection
) -> set[int]:
    """Return the lines above which a comment would not do what it is for; all of them where it would do harm."""
    source = Source(tree.source.path, text)
    before = [(directive.name, *directive.arguments) for directive in walk(tree.directives)]
    for parse in (nginx.parse, apache.parse):
        after = parse(source)
        if [(directive.name, *directive.arguments) for directive in walk(after.directives)] == before:
            ignores = [item for item in ignores_in(after, selection) if isinstance(item, Ignore)]
            return {
                line
                for line, findings in wanted.items()
                if not all(_is_covered(finding, moved[line], ignores) for finding in findings)
            }
    return set(wanted)


def _is_covered(finding: Finding, moved: int, ignores: Iterable[Ignore]) -> bool:
    return any(
        ignore.start <= finding.span.start + moved <= ignore.end
        and any(finding.code in name.codes for name in ignore.names)
        for ignore in ignores
    )
