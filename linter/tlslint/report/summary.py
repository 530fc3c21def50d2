"""What is said around the findings: how many there are, what could not be checked and why."""

from collections.abc import Iterator, Sequence

from tlslint.finding import CouldNotCheck, Report, Severity
from tlslint.intention import Safety
from tlslint.report.text import Palette, counted, visible

MAX_LISTED = 5


def gaps(report: Report, palette: Palette, *, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each reason for which something was not checked; all of them, one by one, if `verbose`."""
    for note in report.notes:
        yield f"{palette.paint('note:', 'info')} {visible(note)}\n"
    skipped = report.skipped
    unknown = [(_unknown(item), item.why) for item in report.unknown]
    if report.stale:
        items = [(f"{item.file}: {item.rule}", item.number) for item in report.stale]
        shown = ", ".join(what + (f" ({number}x)" if number > 1 else "") for what, number in items[:MAX_LISTED])
        more = f" and {len(items) - MAX_LISTED:,} more" if len(items) > MAX_LISTED else ""
        text = f"{report.baseline} has what is no longer there (--write-baseline removes it): {shown}{more}"
        yield f"{palette.paint('note:', 'info')} {visible(text)}\n"
    yield from _listed("not checked", skipped if verbose else _grouped(skipped), palette, verbose)
    yield from _listed("could not check", unknown if verbose else _grouped(unknown), palette, verbose)


def _grouped(items: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Make one item of those with the same reason: the first of them, and how many there are besides."""
    by_reason: dict[str, list[str]] = {}
    for what, why in items:
        by_reason.setdefault(why, []).append(what)
    return [
        (whats[0] + (f", and {len(whats) - 1:,} more" if len(whats) > 1 else ""), why)
        for why, whats in by_reason.items()
    ]


def errors(report: Report, palette: Palette) -> Iterator[str]:
    """Yield what kept tlslint from doing its job: these lines are never left out."""
    for path, why in report.problems:
        yield f"{palette.paint('error:', 'error')} {visible(path)}: {visible(why)}\n"
    for failure in report.failures:
        yield f"{palette.paint('internal error:', 'error')} {visible(str(failure))}\n"


def _listed(head: str, items: Sequence[tuple[str, str]], palette: Palette, verbose: bool) -> Iterator[str]:
    shown = items if verbose or len(items) == MAX_LISTED + 1 else items[:MAX_LISTED]
    for what, why in shown:
        yield f"{palette.paint(f'{head}:', 'info')} {visible(what)}: {visible(why)}\n"
    if len(items) > len(shown):
        yield f"{palette.paint(f'{head}:', 'info')} {len(items) - len(shown):,} more (-v lists them)\n"


def _unknown(item: CouldNotCheck) -> str:
    place = f"{item.span.source.path}:{item.span.line}: " if item.span is not None else ""
    return f"{place}{item.what}"


def total(report: Report, palette: Palette) -> Iterator[str]:
    """Yield the line that sums up: `3 errors in 5 files (…)`, or `no issues` where nothing is in doubt."""
    counts = [
        palette.paint(
            f"{number:,} info" if severity is Severity.INFO else counted(number, severity.label), severity.label
        )
        for severity in reversed(Severity)
        if (number := sum(finding.severity is severity for finding in report.findings))
    ]
    looked_at = f"{counted(report.files, 'file')} ({counted(report.endpoints, 'endpoint')}, {report.policy})"
    missing = ", ".join(_gaps(report))
    known = ", ".join(_hidden(report))
    if not report.deployments and not counts:
        yield f"nothing was checked{f': {missing}' if missing else ''}\n"
        return
    found = _joined(counts) if counts else "nothing found" if missing else palette.paint("no issues", "good")
    yield f"{found} in {looked_at}{f'; {known}' if known else ''}{f'; {missing}' if missing else ''}\n"


def _hidden(report: Report) -> Iterator[str]:
    if report.ignored:
        yield f"{report.ignored:,} ignored"
    if report.baselined:
        yield f"{report.baselined:,} in the baseline"


def fixable(report: Report, palette: Palette) -> Iterator[str]:
    """Yield the line that says how many of the findings `--fix` would make go away."""
    fixes = [finding.fix for finding in report.findings if finding.fix is not None and finding.fix.applicable]
    safe = sum(fix.safety is Safety.SAFE for fix in fixes)
    more = len(fixes) - safe
    unsafe = f"{more:,} {'more ' if safe else ''}with --fix --unsafe-fixes"
    if safe:
        yield f"{palette.paint('[*]', 'good')} {safe:,} fixable with --fix{f' ({unsafe})' if more else ''}\n"
    elif more:
        yield f"{unsafe.replace('with', 'fixable with', 1)}\n"


def _gaps(report: Report) -> Iterator[str]:
    if report.unknown:
        yield f"{counted(len(report.unknown), 'thing')} could not be checked"
    if report.skipped:
        yield f"{counted(len(report.skipped), 'file')} not checked"
    if report.problems:
        yield f"{counted(len(report.problems), 'problem')} with the input"
    if report.failures:
        yield f"{counted(len(report.failures), 'internal error')}"


def _joined(items: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
