"""What is known and accepted is not reported: what comments suppress, and what the baseline has."""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from tlslint.finding import Finding, Hidden, Report
from tlslint.gaps import Checked
from tlslint.parse.tree import Source, Tree
from tlslint.selection import Selection, SelectorError
from tlslint.settings import Settings

_MARK = "tlslint:"
"""Stands in every comment that is for this program; most files have none."""


def accept(
    findings: Sequence[Finding],
    trees: Iterable[Tree],
    selection: Selection,
    settings: Settings,
    now: datetime,
    checked: Checked,
    report: Report,
    host_path: Callable[[Source], str | None],
) -> list[Finding]:
    """Return what is to be reported of the findings (not merged yet); the rest goes into the report as hidden.

    Raises `BaselineError`.
    """
    report.trees = trees = list(trees)
    if report.failures or report.problems:
        # what was not found may be there all the same
        checked.whole = False
    kept, hidden = list(findings), list[Hidden]()
    commented = [tree for tree in trees if _MARK in tree.source.text]
    if commented:
        from tlslint.suppress import suppress

        kept, hidden = suppress(findings, commented, selection, now, checked, host_path)
    kept = list(filter(selection.keeps, kept))
    report.show_hidden = settings.show_ignored
    if settings.no_ignores:
        return [*kept, *(item.finding for item in hidden)]
    report.hidden = hidden
    if settings.baseline is not None or settings.write_baseline:
        kept = _without_baseline(kept, trees, selection, settings, checked, report)
    return kept


def _without_baseline(
    findings: Sequence[Finding],
    trees: Iterable[Tree],
    selection: Selection,
    settings: Settings,
    checked: Checked,
    report: Report,
) -> list[Finding]:
    # only here, because most runs have no baseline
    from tlslint.baseline import USUAL_NAME, Baseline, absorb, read_baseline
    from tlslint.fingerprint import relative_path

    update = settings.write_baseline
    path = settings.baseline or os.path.join(settings.base, USUAL_NAME)
    baseline = Baseline(path) if update and not os.path.exists(path) else read_baseline(path, renew=update)
    read = {relative_path(tree.source.path, baseline.folder) for tree in trees}

    def is_checked(file: str, rule: str) -> bool:
        """Whether a finding would have been found, were it still there."""
        if not os.path.lexists(os.path.join(baseline.folder, file)):
            return True
        try:
            codes = [item.code for item in selection.matching(rule)]
        except SelectorError:
            return True  # no rule is called so any more
        return file in read and checked.judged(codes, selection)

    kept, hidden, report.stale, new = absorb(findings, baseline, selection, is_checked, update=update)
    report.hidden = [*report.hidden, *hidden]
    report.baseline = os.path.relpath(path)
    if update:
        added, removed = new.entries - baseline.entries, baseline.entries - new.entries
        report.new_baseline = new.text()
        counts = f"{len(new.entries):,} now, {len(added):,} added, {len(removed):,} removed"
        report.notes.append(f"{report.baseline}: findings that are known and accepted: {counts}")
    return kept
