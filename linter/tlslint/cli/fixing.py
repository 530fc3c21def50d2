"""Fixes from the command line: `--fix`, `--diff` and `--patch-dir`."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tlslint.cli.ending import FINDINGS, Failure, exit_code
from tlslint.cli.given import refusing
from tlslint.cli.streams import palette_for, remark, standard_input, tell, watched, write, write_bytes

if TYPE_CHECKING:
    from tlslint.finding import Report
    from tlslint.fix.engine import Change, Outcome
    from tlslint.report.text import Palette
    from tlslint.settings import Settings


class Wishes(NamedTuple):
    """What is to be done with fixes."""

    unsafe: bool
    diff: bool
    patch_dir: str | None
    ask_server: bool


def fix_files(
    paths: list[str],
    settings: "Settings",
    wishes: Wishes,
    presented: Callable[["Report"], Iterable[str]],
    color: str,
    quiet: bool,
    verbose: bool,
    exit_zero: bool,
) -> int:
    """Make fixes, or show them, and report what remains; returns the exit code."""
    from tlslint.fixing import fix

    stdin = standard_input(paths)
    if wishes.patch_dir is not None:
        return _patches(paths, settings, wishes, stdin, color, quiet)
    with refusing(), watched(quiet):
        outcome = fix(paths, settings, stdin, unsafe=wishes.unsafe)
    palette = palette_for(color, sys.stderr)
    if wishes.diff:
        from tlslint.fix.patch import base_of

        changes = _diffable(outcome, stdin)
        base = base_of(changes, ".")
        write_bytes(_patch_of(changes, base))
        remark(outcome.report, color, quiet, verbose, total=False)
        _tell_of_fixes(outcome, palette, quiet, verbose, "would fix")
        if base == "/" and changes and not quiet:
            tell(["note: the patch is to be applied in /\n"])
        failed = exit_code(outcome.report, "error", exit_zero=True)
        return failed or (FINDINGS if changes and not exit_zero else 0)
    backups = _made(outcome, wishes.ask_server)
    report = presented(outcome.report)
    if stdin is None:
        write(report)
    else:
        write_bytes(next((one.after for one in outcome.changes if one.file == "-"), stdin))
        tell(report)
    remark(outcome.report, color, quiet, verbose)
    _tell_of_fixes(outcome, palette, quiet, verbose, "fixed")
    if backups and not quiet:
        tell(f"note: {path} has the file as it was\n" for path in backups)
    return exit_code(outcome.report, settings.fail_on, exit_zero)


def _made(outcome: "Outcome", ask_server: bool) -> list[str]:
    """Write what fixes came to; returns the copies that were kept."""
    from tlslint.fix.write import WriteRefused, write

    changes = [change for change in outcome.changes if change.file != "-"]
    try:
        if ask_server:
            return _verified(changes, outcome.report.entries)
        return write(changes) if changes else []
    except WriteRefused as refusal:
        raise Failure(f"{refusal}; nothing was changed") from refusal


def _verified(changes: "list[Change]", entries: Sequence[tuple[str, str]]) -> list[str]:
    from tlslint.fix.server import ServerRefused, write_verified

    try:
        return write_verified(changes, entries)
    except ServerRefused as refusal:
        raise Failure(f"{refusal}; nothing was changed") from refusal


def _diffable(outcome: "Outcome", stdin: bytes | None) -> list["Change"]:
    from tlslint.fix.patch import holds_key

    found = []
    for change in outcome.changes:
        if change.file == "-":
            tell(["note: standard input is no file that a patch could be for; --fix prints it fixed\n"])
        elif holds_key(change):
            tell([f"note: {change.shown} is left out, because a patch could show its private key\n"])
        else:
            found.append(change)
    return found


def _patch_of(changes: "list[Change]", base: str) -> bytes:
    from tlslint.fix.patch import patch

    return patch(changes, base)


def _patches(
    paths: list[str], settings: "Settings", wishes: Wishes, stdin: bytes | None, color: str, quiet: bool
) -> int:
    """Write a patch for each fix into a directory; returns the exit code."""
    from tlslint.fix.patch import base_of
    from tlslint.fixing import single_fixes

    assert wishes.patch_dir is not None
    written = 0
    try:
        os.makedirs(wishes.patch_dir, exist_ok=True)
        with refusing(), watched(quiet):
            for finding, outcome in single_fixes(paths, settings, stdin, unsafe=wishes.unsafe):
                changes = _diffable(outcome, stdin)
                if not changes:
                    continue
                written += 1
                name = f"{written:04}-{finding.name}-{os.path.basename(changes[0].file)}.patch"
                with open(os.path.join(wishes.patch_dir, name), "xb") as file:
                    file.write(_patch_of(changes, base_of(changes, ".")))
    except OSError as error:
        raise Failure(f"--patch-dir: {error.filename or wishes.patch_dir}: {error.strerror or error}") from error
    if not quiet:
        tell([f"{written} patch{'' if written == 1 else 'es'} in {wishes.patch_dir}\n"])
    return 0


def _tell_of_fixes(outcome: "Outcome", palette: "Palette", quiet: bool, verbose: bool, verb: str) -> None:
    from tlslint.report import fixes

    if not quiet:
        tell(fixes.render(outcome.fixed, outcome.held_back, outcome.refused, palette, verb=verb, verbose=verbose))
