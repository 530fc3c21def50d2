"""Markdown for a comment on a pull request, or for the summary of a job.

Nothing in a configuration may be read as markup, mention a person (`@SECLEVEL`) or link an issue (`#1`). The text stays
below what GitHub takes for one comment; what is left out is counted.
"""

import re
from collections.abc import Iterator

from tlslint.finding import Finding, Report, Severity
from tlslint.regex import regex
from tlslint.report.places import place
from tlslint.report.remarks import remarks
from tlslint.report.text import counted, visible

MAX_LENGTH = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""
MAX_GAPS = 20

_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_MARKUP = regex(r"([\\`*_\[\]<>#~&$])")


def render(report: Report) -> Iterator[str]:
    """Yield a heading, a table of the findings, what to do about each, and what could not be checked."""
    yield f"## tlslint: {_heading(report)}\n"
    tail = "".join(_gaps(report))
    room = MAX_LENGTH - len(tail)
    rows, details = [], []
    for finding in report.findings:
        row, more = _row(finding), _details(finding)
        room -= len(row) + len(more)
        if room < 0:
            break
        rows.append(row)
        details.append(more)
    if rows:
        yield f"\n| | where | what | rule |\n|---|---|---|---|\n{''.join(rows)}"
    left = len(report.findings) - len(rows)
    if left:
        yield f"\n… and {counted(left, 'more finding')}.\n"
    if any(details):
        yield f"\n<details>\n<summary>Why, and what to do</summary>\n{''.join(details)}\n</details>\n"
    yield tail


def _heading(report: Report) -> str:
    counts = [
        counted(number, severity.label) if severity is not Severity.INFO else f"{number:,} info"
        for severity in reversed(Severity)
        if (number := sum(finding.severity is severity for finding in report.findings))
    ]
    found = ", ".join(counts)
    if not found:
        found = "nothing found" if report.unknown or report.skipped or report.problems else "no issues"
    return f"{found} in {counted(report.files, 'file')}"


def _row(finding: Finding) -> str:
    at = place(finding.span)
    sign = f"{_SIGNS[finding.severity]} {finding.severity.label}"
    where, what = code(f"{at.path}:{at.line}", in_table=True), text(finding.message, in_table=True)
    return f"| {sign} | {where} | {what} | {finding.code} {finding.name} |\n"


def _details(finding: Finding) -> str:
    lines = [f"- **{name}:** {text(words)}\n" for name, words in remarks(finding)]
    if not lines:
        return ""
    at = place(finding.span)
    head = f"{finding.code} {finding.name} at {code(f'{at.path}:{at.line}:{at.column}')}"
    return f"\n**{head}**\n\n{''.join(lines)}"


def _gaps(report: Report) -> Iterator[str]:
    items = [
        *((f"{path}: {why}", "error") for path, why in report.problems),
        *((f"internal error: {failure}", "error") for failure in report.failures),
        *((f"{item.what}: {item.why}", "could not check") for item in report.unknown),
        *((f"{path}: {why}", "not checked") for path, why in report.skipped),
    ]
    if items:
        yield "\n"
        yield from (f"- {kind}: {text(words)}\n" for words, kind in items[:MAX_GAPS])
    if len(items) > MAX_GAPS:
        yield f"- {len(items) - MAX_GAPS:,} more\n"


def text(words: str, *, in_table: bool = False) -> str:
    """Return words that are shown as they are, whatever is in them; what is between backticks is code."""
    pieces = words.replace("\n", " ").split("`")
    if len(pieces) % 2 == 0:
        return _plain(words.replace("\n", " "))
    return "".join(
        (code(piece, in_table=in_table) if piece else "\\`\\`") if at % 2 else _plain(piece)
        for at, piece in enumerate(pieces)
    )


def _plain(words: str) -> str:
    escaped = _MARKUP.sub(r"\\\1", visible(words))
    # a table's cell ends at a bar, whatever stands before it
    escaped = escaped.replace("|", "&#124;")
    # an empty comment ends what would be a mention, a reference or a link
    escaped = escaped.replace("@", "@<!-- -->").replace("\\#", "\\#<!-- -->")
    return escaped.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")


def code(words: str, *, in_table: bool = False) -> str:
    """Return words as code; a table's cell ends at a bar even there."""
    shown = visible(words)
    if in_table:
        shown = shown.replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    # one space at both ends belongs to the fences
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"
