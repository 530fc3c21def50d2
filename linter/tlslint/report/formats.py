"""All output formats of `tlslint check` by name; each is a file of its own that is loaded when it is asked for."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tlslint.check import RuleModule
from tlslint.finding import Report, Severity
from tlslint.record import dataclass
from tlslint.report.text import PLAIN, Palette


@dataclass(frozen=True, slots=True)
class View:
    """What a rendering depends on besides the report."""

    rules: Mapping[str, RuleModule]
    """The rules by code."""
    palette: Palette = PLAIN
    fail_on: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Format:
    """An output format: who reads it, and how it is written. `for_people` is text for a terminal."""

    name: str
    summary: str
    render: Callable[[Report, View], Iterable[str]]
    for_people: bool = False


def _full(report: Report, view: View) -> Iterable[str]:
    from tlslint.report import full, hidden

    return [*full.render(report, view.palette), *hidden.render(report, view.palette)]


def _concise(report: Report, view: View) -> Iterable[str]:
    from tlslint.report import concise, hidden

    return [*concise.render(report.findings, view.palette), *hidden.render(report, view.palette)]


def _json(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.json_report import render

    return [render(report)]


def _jsonl(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.jsonl import render

    return render(report)


def _sarif(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.sarif import render

    return [render(report, view.rules)]


def _github(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.github import render

    return render(report)


def _gitlab(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.gitlab import render

    return [render(report)]


def _junit(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.junit import render

    return render(report, view.fail_on)


def _checkstyle(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.checkstyle import render

    return render(report)


def _rdjson(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.rdjson import render

    return [render(report)]


def _azure(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.azure import render

    return render(report)


def _sonarqube(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.sonarqube import render

    return [render(report, view.rules)]


def _markdown(report: Report, view: View) -> Iterable[str]:
    from tlslint.report.markdown import render

    return render(report)


FORMATS: Final = {
    item.name: item
    for item in (
        Format("full", "for people: each finding with its place in the file, why it matters, what to do", _full, True),
        Format("concise", "for editors and people: one line for each finding", _concise, True),
        Format("json", "for programs: the versioned contract `tlslint-report/1`", _json),
        Format("jsonl", "for programs that read a stream: the same, one line of JSON for each item", _jsonl),
        Format("sarif", "SARIF 2.1.0, for GitHub's code scanning and other dashboards", _sarif),
        Format("github", "annotations on the lines of a pull request, by GitHub Actions", _github),
        Format("gitlab", "GitLab's code quality report, for merge requests", _gitlab),
        Format("junit", "JUnit XML, for Jenkins and most other CI servers", _junit),
        Format("checkstyle", "Checkstyle XML, for review bots and warnings plugins", _checkstyle),
        Format("rdjson", "the diagnostic format of reviewdog", _rdjson),
        Format("azure", "logging commands of Azure Pipelines", _azure),
        Format("sonarqube", "SonarQube's generic issue import", _sonarqube),
        Format("markdown", "Markdown for a comment on a pull request or the summary of a job", _markdown),
    )
}
