"""What came of the fixes: how many findings they made go away, which were held back, which were refused and why."""

from collections.abc import Iterator, Sequence

from tlslint.finding import Finding
from tlslint.report.text import Palette, counted, visible

MAX_LISTED = 5


def render(
    fixed: Sequence[Finding],
    held_back: Sequence[Finding],
    refused: Sequence[tuple[Finding, str]],
    palette: Palette,
    *,
    verb: str = "fixed",
    verbose: bool = False,
) -> Iterator[str]:
    """Yield a line for each kind; all refusals, and every fix, if `verbose`."""
    for finding in fixed if verbose else ():
        title = finding.fix.title if finding.fix else ""
        yield f"{palette.paint(f'{verb}:', 'good')} {_named(finding)}: {visible(title)}\n"
    shown = refused if verbose or len(refused) == MAX_LISTED + 1 else refused[:MAX_LISTED]
    for finding, why in shown:
        yield f"{palette.paint('not fixed:', 'info')} {_named(finding)}: {visible(why)}\n"
    if len(refused) > len(shown):
        yield f"{palette.paint('not fixed:', 'info')} {len(refused) - len(shown):,} more (-v lists them)\n"
    if fixed:
        files = len({edit.file for finding in fixed if finding.fix for edit in finding.fix.edits})
        number = palette.paint(counted(len(fixed), "finding"), "good")
        yield f"{verb} {number} in {counted(files, 'file')}\n"
    if held_back:
        yield f"{counted(len(held_back), 'fix')} held back (--unsafe-fixes, --fixable)\n".replace("fixs", "fixes")


def _named(finding: Finding) -> str:
    return f"{visible(finding.span.source.path)}:{finding.span.line}: {finding.code} {finding.name}"
