"""The findings of the day on which a repository began to be checked: known, accepted, and not reported again.

A baseline is a JSON file (`data/baseline.schema.json`) with the fingerprints of findings by file and rule. Paths in it
are relative to its own directory, one fingerprint stands on a line, and everything is in order: a solved finding is one
removed line. An entry is stale where its file was checked and its finding is no longer there.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from tlslint.check import grouped, merged
from tlslint.finding import Finding, Hidden, StaleEntry
from tlslint.fingerprint import VERSION, fingerprints, relative_path
from tlslint.record import dataclass
from tlslint.selection import Selection
from tlslint.settings import SettingsError
from tlslint.writing import write_atomically

SCHEMA = "tlslint-baseline/1"
USUAL_NAME = "tlslint-baseline.json"
MAX_BYTES = 64 * 1024 * 1024

Entry = tuple[str, str, str]
"""File, name of the rule, fingerprint."""


class BaselineError(SettingsError):
    """A baseline that cannot be used; the message begins with its path."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline file has; `path` is where it is, or will be."""

    path: str
    entries: frozenset[Entry] = frozenset()

    @property
    def folder(self) -> str:
        """The directory from which its paths count."""
        return os.path.dirname(os.path.abspath(self.path))

    def text(self) -> str:
        """Return the file's content: the same entries always give the same text."""
        files: dict[str, dict[str, list[str]]] = {}
        for file, rule, fingerprint in sorted(self.entries):
            files.setdefault(file, {}).setdefault(rule, []).append(fingerprint)
        return json.dumps({"schema": SCHEMA, "fingerprints": VERSION, "files": files}, indent=2) + "\n"


def read_baseline(path: str, *, renew: bool = False) -> Baseline:
    """Read a baseline file; raises `BaselineError`. To `renew` one, entries that mean nothing any more are left out."""
    shown = os.path.relpath(path) if not os.path.relpath(path).startswith("..") else path
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = " (--write-baseline makes it)" if isinstance(error, FileNotFoundError) else ""
        raise BaselineError(f"{shown}: {(error.strerror or str(error)).lower()}{hint}") from error
    if len(data) > MAX_BYTES:
        raise BaselineError(f"{shown}: larger than {MAX_BYTES >> 20} MiB")
    try:
        content = json.loads(data)
    except json.JSONDecodeError as error:
        raise BaselineError(f"{shown}:{error.lineno}:{error.colno}: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"{shown}: not JSON") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise BaselineError(f'{shown}: not a baseline ("schema" is not "{SCHEMA}")')
    if content.get("fingerprints") != VERSION:
        if renew:
            return Baseline(path)
        raise BaselineError(f"{shown}: its fingerprints are of another version; --write-baseline writes it anew")
    return Baseline(path, frozenset(_entries(content.get("files"), shown)))


def _entries(files: object, shown: str) -> Iterator[Entry]:
    for file, rules in _table(files, "files", shown).items():
        for rule, listed in _table(rules, f"files.{file}", shown).items():
            if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
                raise BaselineError(f"{shown}: files.{file}.{rule} is not an array of strings")
            yield from ((file, rule, item) for item in listed)


def _table(value: object, where: str, shown: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BaselineError(f"{shown}: {where} is not an object")
    return value


def absorb(
    findings: Sequence[Finding],
    baseline: Baseline,
    selection: Selection,
    is_checked: Callable[[str, str], bool],
    *,
    update: bool = False,
) -> tuple[list[Finding], list[Hidden], list[StaleEntry], Baseline]:
    """Take the findings that a baseline has out of all of them.

    Returns the others (not merged), those that it has (merged), its stale entries, and what it would be if it were
    written now: without the stale ones, and with all findings that it may have. With `update` that is what counts.
    `is_checked` tells for a file (relative to the baseline) and a rule whether a finding would have been found.
    """
    groups = grouped(findings)
    merges = [selection.graded(merged(group)) for group in groups]
    known = [
        (relative_path(finding.span.source.path, baseline.folder), finding.name, fingerprint)
        for finding, fingerprint in zip(merges, fingerprints(merges, baseline.folder), strict=True)
    ]
    may = [selection.may_hide_code(finding.code) for finding in merges]
    now = {entry for entry, allowed in zip(known, may, strict=True) if allowed}
    gone = {entry for entry in baseline.entries - now if is_checked(*entry[:2])}
    new = Baseline(baseline.path, (baseline.entries - gone) | now)
    accepted = new.entries if update else baseline.entries
    kept: list[Finding] = []
    hidden: list[Hidden] = []
    for entry, allowed, finding, group in zip(known, may, merges, groups, strict=True):
        if allowed and entry in accepted:
            hidden.append(Hidden(finding, "baseline"))
        else:
            kept.extend(group)
    return kept, hidden, [] if update else list(_stale(gone)), new


def _stale(entries: Iterable[Entry]) -> Iterator[StaleEntry]:
    counts: dict[tuple[str, str], int] = {}
    for file, rule, _ in entries:
        counts[file, rule] = counts.get((file, rule), 0) + 1
    for (file, rule), number in sorted(counts.items()):
        yield StaleEntry(file, rule, number)


def write_baseline(path: str, text: str) -> None:
    """Write a baseline, whole or not at all; raises `BaselineError`."""
    data = text.encode("ascii")
    try:
        with suppress(OSError), open(path, "rb") as file:
            if file.read(len(data) + 1) == data:
                return
        write_atomically(path, data)
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror or error}") from error
