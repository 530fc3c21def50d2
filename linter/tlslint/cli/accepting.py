"""Accepting what is found: `--add-ignore`."""

from typing import TYPE_CHECKING

from tlslint.cli.ending import Failure
from tlslint.cli.given import refusing
from tlslint.cli.streams import tell, watched

if TYPE_CHECKING:
    from tlslint.settings import Settings


def add_ignores(paths: list[str], settings: "Settings", reason: str | None, until: str | None, quiet: bool) -> None:
    """Write comments that suppress what is found; what remains is for the run that follows."""
    from tlslint.annotate import annotated, tail_of
    from tlslint.asked import moment
    from tlslint.fix.write import WriteRefused, write
    from tlslint.report.text import counted, visible
    from tlslint.rules import LISTED
    from tlslint.run import lint
    from tlslint.selection import Selection

    with refusing(), watched(quiet):
        tail = tail_of(reason or "", until, moment(settings).date())
        selection = Selection(LISTED, settings)
        report = lint(paths, settings)
    made = annotated(report.findings, report.trees, selection, tail)
    try:
        if made.changes:
            write(made.changes)
    except WriteRefused as refusal:
        raise Failure(f"{refusal}; nothing was changed") from refusal
    if not quiet:
        files = counted(len(made.changes), "file")
        tell([f"note: {counted(made.comments, 'comment')} written to {files}\n"] if made.changes else [])
        for finding, why in made.refused:
            place = f"{finding.span.source.path}:{finding.span.line}"
            tell([f"note: not ignored: {visible(place)}: {finding.name}: {visible(why)}\n"])
