"""Applies fixes in passes, and proves each pass before the next: read again, resolved again, checked again.

Nothing is written here: what files would hold is kept beside them (an overlay), and a pass that would bring a syntax
error or a finding that was not there is halved until the fix is found that is to blame, which is dropped and reported.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tlslint.finding import Finding, Report, Severity
from tlslint.intention import Edit, Safety
from tlslint.parse.tree import Source
from tlslint.record import dataclass, field

MAX_CHECKS = 200
"""How often a configuration is checked anew before the rest is given up; a few passes are usual."""

ABOUT_COMMENTS = "TLS09"
"""Rules about comments that suppress findings: one that has nothing left to suppress is no harm."""

HIDING = ("TLS00", "TLS105", "TLS109", "TLS110", "TLS206", "TLS223")
"""Rules about faults with which no connection comes about: what else is wrong there shows when they are gone."""
PLAINTEXT = "TLS408"
"""The rule about sockets without TLS: what else is wrong with their TLS shows when they have it. It names sockets."""

Overlay = Mapping[str, bytes]
Lines = Mapping[str, frozenset[bytes]]
"""By path, as the user knows it: the lines of a file that is edited, as they were."""
Check = Callable[[Overlay], "Views"]
"""Lint with other contents for some files."""


@dataclass(slots=True)
class Views:
    """Two reports of one configuration: what the user asked to see, and what every rule says, for the proof."""

    shown: Report
    whole: Report


@dataclass(slots=True)
class Change:
    """A file that is to hold something else."""

    file: str
    """Where it is on this machine, links resolved; `-` for standard input."""
    shown: str
    before: bytes
    after: bytes
    backup: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it: what the files would hold, and what remains."""

    report: Report
    changes: list[Change] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    """Findings whose fixes were made, with the text as it was then."""
    held_back: list[Finding] = field(default_factory=list)
    """Findings that a fix would make go away which was not asked for: an unsafe one, or of another rule."""
    refused: list[tuple[Finding, str]] = field(default_factory=list)
    """Findings whose fix cannot be made, and why."""


class _Run:
    def __init__(self, check: Check, lowest: Safety, allowed: Callable[[Finding], bool], strict: bool) -> None:
        self.check = check
        self.lowest = lowest
        self.allowed = allowed
        self.strict = strict
        self.checks = 0
        self.originals: dict[str, Change] = {}
        self.overlay: dict[str, bytes] = {}
        self.refused: dict[tuple[str, ...], tuple[Finding, str]] = {}
        self.fixed: list[Finding] = []
        self.views = self.look({})
        self.first = self.views

    def look(self, overlay: Overlay) -> Views:
        self.checks += 1
        return self.check(overlay)

    def is_wanted(self, finding: Finding) -> bool:
        fix = finding.fix
        return fix is not None and fix.applicable and fix.safety >= self.lowest and self.allowed(finding)

    def candidates(self) -> list[Finding]:
        return [
            finding
            for finding in self.views.shown.findings
            if self.is_wanted(finding) and _key(finding) not in self.refused
        ]

    def whole_ones(self) -> Iterator[Finding]:
        """Yield the candidates whose own edits do not get in each other's way; the others are refused."""
        for finding in self.candidates():
            edits = sorted(finding.fix.edits if finding.fix else (), key=lambda edit: (edit.file or "", edit.start))
            if any(_clash(one, two) for one, two in pairwise(edits)):
                self.refuse(finding, "its parts overlap")
            else:
                yield finding

    def passes(self) -> None:
        while chosen := _compatible(list(self.whole_ones())):
            if self.checks >= MAX_CHECKS:
                for finding in chosen:
                    self.refuse(finding, f"given up after {self.checks} passes")
                return
            self.attempt(chosen)

    def attempt(self, chosen: Sequence[Finding]) -> bool:
        """Make fixes, or those of them that hold; False where none did."""
        overlay = {**self.overlay, **self.texts(chosen)}
        views = self.look(overlay)
        idle = self.idle(chosen, views)
        edited = _lines_before(edit.source for found in chosen for edit in (found.fix.edits if found.fix else ()))
        why = idle or objection(self.views.whole, views.whole, self.excused, edited)
        if not why:
            self.accept(chosen, overlay, views)
            return True
        if len(chosen) == 1:
            self.refuse(chosen[0], why)
            return False
        half = len(chosen) // 2
        return self.attempt(chosen[:half]) or self.attempt(chosen[half:])

    def excused(self, finding: Finding) -> bool:
        """Whether a new finding is one that a later pass makes go away."""
        return not self.strict and self.is_wanted(finding)

    def idle(self, chosen: Sequence[Finding], views: Views) -> str:
        before, after = (Counter(map(_key, report.findings)) for report in (self.views.shown, views.shown))
        useless = next((finding for finding in chosen if after[_key(finding)] >= before[_key(finding)]), None)
        return "the finding would stay" if useless is not None else ""

    def texts(self, chosen: Sequence[Finding]) -> dict[str, bytes]:
        """Return what files hold after these fixes."""
        by_file: dict[str, dict[tuple[int, int, str], Edit]] = {}
        for finding in chosen:
            for edit in finding.fix.edits if finding.fix else ():
                assert edit.file is not None
                by_file.setdefault(edit.file, {}).setdefault((edit.start, edit.end, edit.text), edit)
        return {file: applied(list(edits.values())) for file, edits in by_file.items()}

    def accept(self, chosen: Sequence[Finding], overlay: dict[str, bytes], views: Views) -> None:
        for finding in chosen:
            for edit in finding.fix.edits if finding.fix else ():
                assert edit.file is not None
                change = self.originals.setdefault(
                    edit.file, Change(edit.file, edit.source.path, edit.source.data, b"")
                )
                change.backup = change.backup or edit.backup
        self.overlay, self.views = overlay, views
        self.fixed += chosen

    def refuse(self, finding: Finding, why: str) -> None:
        self.refused[_key(finding)] = (finding, why)

    def outcome(self) -> Outcome:
        for file, change in self.originals.items():
            change.after = self.overlay[file]
        outcome = Outcome(self.views.shown, [one for one in self.originals.values() if one.after != one.before])
        outcome.fixed = self.fixed
        for finding in self.views.shown.findings:
            fix = finding.fix
            known = self.refused.get(_key(finding))
            if known is not None:
                outcome.refused.append((finding, known[1]))
            elif fix is not None and fix.refusal:
                outcome.refused.append((finding, fix.refusal))
            elif fix is not None and fix.applicable:
                outcome.held_back.append(finding)
        return outcome


def fixed(check: Check, lowest: Safety, allowed: Callable[[Finding], bool]) -> Outcome:
    """Make all fixes that are at least that safe, and allowed; nothing is written.

    Where fixes led to findings that no further fix made go away, all of it is done again without such detours.
    """
    run = _Run(check, lowest, allowed, strict=False)
    run.passes()
    edited = {change.shown: frozenset(change.before.splitlines()) for change in run.originals.values()}
    if run.fixed and objection(run.first.whole, run.views.whole, lambda finding: False, edited):
        run = _Run(check, lowest, allowed, strict=True)
        run.passes()
    return run.outcome()


def each_alone(check: Check, lowest: Safety, allowed: Callable[[Finding], bool]) -> Iterator[tuple[Finding, Outcome]]:
    """Yield what each fix makes of the files on its own; fixes that come to the same are one."""
    run = _Run(check, lowest, allowed, strict=False)
    first, seen = run.views, []
    for finding in list(run.whole_ones()):
        edits = {(edit.file, edit.start, edit.end, edit.text) for edit in finding.fix.edits} if finding.fix else set()
        if edits in seen:
            continue
        seen.append(edits)
        run.views, run.overlay, run.originals, run.fixed = first, {}, {}, []
        if run.attempt([finding]):
            yield finding, run.outcome()


def objection(before: Report, after: Report, excused: Callable[[Finding], bool], edited: Lines) -> str:
    """Say why a change is no good: what it brings that was not there; empty where nothing speaks against it.

    Advice does not count. A finding may move to another place, as long as it is about no more endpoints than before.
    What a fault hid, and stands on a line that was there before, was not brought.
    """
    if len(after.failures) > len(before.failures):
        return f"tlslint fails on the result: {after.failures[-1]}"
    if len(after.problems) > len(before.problems):
        return f"{after.problems[-1][0]}: {after.problems[-1][1]}"
    old: dict[str, list[Finding]] = {}
    for finding in _everything(before):
        old.setdefault(finding.code, []).append(finding)
    new: dict[str, list[Finding]] = {}
    for finding in _everything(after):
        if finding.severity > Severity.INFO and not finding.code.startswith(ABOUT_COMMENTS):
            new.setdefault(finding.code, []).append(finding)
    for code, found in new.items():
        known = old.get(code, [])
        keys = {_key(finding) for finding in known}
        strangers = [finding for finding in found if _key(finding) not in keys and not excused(finding)]
        if (
            strangers
            and not _no_worse(known, found)
            and not _unveiled(strangers, known, _solved(before, after), edited)
        ):
            stranger = strangers[0]
            return f"it would bring {stranger.code} {stranger.name}: {stranger.message}"
    return ""


def _everything(report: Report) -> list[Finding]:
    return [*report.findings, *(item.finding for item in report.hidden)]


def _no_worse(known: Sequence[Finding], found: Sequence[Finding]) -> bool:
    endpoints = {label for finding in known for label in finding.endpoints}
    return (
        len(found) <= len(known)
        and max(finding.severity for finding in found) <= max(finding.severity for finding in known)
        and all(endpoints.issuperset(finding.endpoints) for finding in found)
    )


def _lines_before(sources: Iterable[Source]) -> "Lines":
    """Return the lines of files that are edited, as they were."""
    return {source.path: frozenset(source.data.splitlines()) for source in dict.fromkeys(sources)}


def _solved(before: Report, after: Report) -> list[Finding]:
    """Return the faults that are gone with which no connection came about."""
    left = {_key(finding) for finding in _everything(after)}
    return [
        finding
        for finding in _everything(before)
        if (finding.severity is Severity.ERROR and finding.code.startswith(HIDING)) or finding.code == PLAINTEXT
        if _key(finding) not in left
    ]


def _unveiled(strangers: Sequence[Finding], known: Sequence[Finding], solved: Sequence[Finding], edited: Lines) -> bool:
    """Whether new findings were hidden: nobody got as far as what they are about, and their lines are untouched.

    A fault that names no endpoint keeps the server from starting.
    """
    endpoints = {label for finding in (*known, *solved) for label in finding.endpoints}
    sockets = {label for finding in solved if finding.code == PLAINTEXT for label in finding.endpoints}
    everybody = any(not finding.endpoints for finding in solved)
    return bool(solved) and all(
        (
            everybody
            or (
                bool(finding.endpoints)
                and all(label in endpoints or label.rpartition(" on ")[2] in sockets for label in finding.endpoints)
            )
        )
        and _stood_there(finding, edited)
        for finding in strangers
    )


def _stood_there(finding: Finding, edited: Lines) -> bool:
    source = finding.span.source
    lines = edited.get(source.path)
    return lines is None or source.data.splitlines()[finding.span.line - 1] in lines


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.code, finding.span.source.path, finding.message)


def _same(one: Edit, two: Edit) -> bool:
    return (one.file, one.start, one.end, one.text) == (two.file, two.start, two.end, two.text)


def _clash(one: Edit, two: Edit) -> bool:
    """Whether two edits of one file cannot be made at the same time: lines added at one place may be."""
    if one.file != two.file or _same(one, two):
        return False
    if one.start == one.end or two.start == two.end:
        return one.start < two.end and two.start < one.end
    return max(one.start, two.start) < min(one.end, two.end)


def _compatible(candidates: Sequence[Finding]) -> list[Finding]:
    """Return the fixes that can be made in one pass; the others wait for the next."""
    chosen: list[Finding] = []
    taken: dict[str | None, _Taken] = {}
    for finding in candidates:
        edits = finding.fix.edits if finding.fix else ()
        if all(taken.setdefault(edit.file, _Taken(edit.source)).fits(edit) for edit in edits):
            chosen.append(finding)
            for edit in edits:
                taken[edit.file].add(edit)
    return chosen


class _Taken:
    """The edits of one file that one pass makes, in order: none clashes with another."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._edits: list[Edit] = []

    def fits(self, edit: Edit) -> bool:
        if edit.source is not self._source and edit.source.text != self._source.text:
            return False  # the file changed while it was read
        at = bisect_right(self._edits, edit.start, key=_start)
        neighbours = [*(self._before(at) if at else ()), *self._behind(at, edit)]
        return not any(_clash(edit, other) for other in neighbours)

    def _before(self, at: int) -> list[Edit]:
        """Return the edits that begin at the last position before, or there: only they can reach as far."""
        found = [self._edits[at - 1]]
        while len(found) < at and self._edits[at - 1 - len(found)].start == found[-1].start:
            found.append(self._edits[at - 1 - len(found)])
        # a line added there may stand before what is replaced further to the left
        return [*found, *self._edits[max(at - len(found) - 1, 0) : at - len(found)]]

    def _behind(self, at: int, edit: Edit) -> list[Edit]:
        stop = bisect_left(self._edits, max(edit.end, edit.start + 1), lo=at, key=_start)
        return self._edits[at:stop]

    def add(self, edit: Edit) -> None:
        at = bisect_right(self._edits, edit.start, key=_start)
        if not any(_same(edit, other) for other in self._edits[bisect_left(self._edits, edit.start, key=_start) : at]):
            self._edits.insert(at, edit)


def _start(edit: Edit) -> int:
    return edit.start


def applied(edits: Sequence[Edit]) -> bytes:
    """Return a file's bytes after edits that do not clash; what is added at one place stays in the order given."""
    text = edits[0].source.text
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < done:
            raise ValueError("edits overlap")
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    pieces.append(text[done:])
    return "".join(pieces).encode("utf-8", "surrogateescape")


__all__ = ["Change", "Outcome", "Views", "applied", "fixed", "objection"]
