"""The findings as they are printed and, with `--report`, written to files."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tlslint.cli.ending import Failure
from tlslint.cli.streams import print_utf8

if TYPE_CHECKING:
    from tlslint.finding import Report
    from tlslint.report.formats import View
    from tlslint.report.text import Palette


def wanted(items: Sequence[str]) -> list[tuple[str, str]]:
    """Return format and path of each file that is wanted."""
    from tlslint.report.formats import FORMATS

    files: list[tuple[str, str]] = []
    for item in items:
        name, equals, path = item.partition("=")
        if not equals or not path:
            raise Failure(f"--report {item}: write it as FORMAT=FILE, such as sarif=tlslint.sarif")
        if path == "-":
            raise Failure(f"--report {item}: standard output is for --output-format")
        if path in (other for _, other in files):
            raise Failure(f"--report {item}: another report goes to that file")
        if name not in FORMATS:
            raise Failure(f'--report {item}: no format is called "{name}"; there are {", ".join(FORMATS)}')
        files.append((name, path))
    return files


def view(palette: "Palette", fail_on: str) -> "View":
    """Return how findings are shown."""
    from tlslint.finding import Severity
    from tlslint.report.formats import View
    from tlslint.rules import BY_CODE

    return View(BY_CODE, palette, Severity[fail_on.upper()])


def write(report: "Report", files: Iterable[tuple[str, str]], view: "View") -> list[str]:
    """Write the files that can be written, and return what is wrong with the others."""
    from tlslint.record import replace
    from tlslint.report.formats import FORMATS
    from tlslint.report.text import PLAIN
    from tlslint.writing import write_atomically

    failed = []
    for name, path in files:
        text = "".join(FORMATS[name].render(report, replace(view, palette=PLAIN)))
        try:
            write_atomically(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            failed.append(f"--report {name}={path}: {error.strerror or error}")
    return failed


def rendered(report: "Report", output_format: str, statistics: bool, view: "View") -> Iterable[str]:
    """Yield the findings in a format for standard output."""
    from tlslint.report.formats import FORMATS

    chosen = FORMATS[output_format]
    if statistics and chosen.for_people:
        from tlslint.report import statistics as counts

        return counts.render(report.findings, view.palette)
    if not chosen.for_people:
        print_utf8()
    return chosen.render(report, view)
