"""Fixes what is found: each pass of fixes is linted as the files would then be, until nothing is left to do."""

from collections.abc import Iterator, Mapping, Sequence

from tlslint.finding import Finding
from tlslint.fix.engine import Check, Outcome, Views, each_alone, fixed
from tlslint.intention import Safety
from tlslint.record import replace
from tlslint.rules import LISTED
from tlslint.run import lint
from tlslint.selection import Selection
from tlslint.settings import Settings


def fix(paths: Sequence[str], settings: Settings, stdin: bytes | None = None, *, unsafe: bool = False) -> Outcome:
    """Lint, and make the fixes that are safe (or all of them): what files would hold then; nothing is written.

    Whatever rules the user selected, all of them watch over what a fix brings.
    """
    selection = Selection(LISTED, settings)
    return fixed(_views(paths, settings, stdin), Safety.UNSAFE if unsafe else Safety.SAFE, selection.fixes)


def single_fixes(
    paths: Sequence[str], settings: Settings, stdin: bytes | None = None, *, unsafe: bool = False
) -> Iterator[tuple[Finding, Outcome]]:
    """Yield what each fix would make of the files if it were the only one, with the finding that it is for."""
    selection = Selection(LISTED, settings)
    yield from each_alone(_views(paths, settings, stdin), Safety.UNSAFE if unsafe else Safety.SAFE, selection.fixes)


def _views(paths: Sequence[str], settings: Settings, stdin: bytes | None) -> Check:
    everything = replace(
        settings, select=("ALL",), ignore=(), per_file_ignores={}, severity={}, unlimited=settings.hook
    )

    def look(overlay: Mapping[str, bytes]) -> Views:
        text = overlay.get("-", stdin)
        shown = lint(paths, settings, text, overlay)
        return Views(shown, shown if everything == settings else lint(paths, everything, text, overlay))

    return look
