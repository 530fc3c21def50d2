"""JUnit XML, which Jenkins, GitLab and most other CI servers show as test results.

A finding is a test that fails if it is severe enough to make the exit code 1, and else one that passes and says so.
What could not be checked is a skipped test, what kept tlslint from doing its job an error. A report with nothing in it
would be an error for Jenkins, so there is always one test.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Report, Severity
from tlslint.report.as_xml import DECLARATION, element
from tlslint.report.places import place
from tlslint.report.remarks import text_with_remarks


def render(report: Report, fail_on: Severity) -> Iterator[str]:
    """Yield the lines of the document: a suite for each file that has findings, and one for the run itself."""
    by_file: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_file.setdefault(place(finding.span).path, []).append(finding)
    suites = [line for path, found in by_file.items() for line in _suite(path, found, fail_on)]
    yield DECLARATION
    yield from element("testsuites", {"name": "tlslint"}, [*suites, *_own_suite(report)])


def _suite(path: str, findings: list[Finding], fail_on: Severity) -> Iterator[str]:
    cases = [line for finding in findings for line in _case(finding, fail_on)]
    failures = sum(finding.severity >= fail_on for finding in findings)
    yield from element("testsuite", _counts(path, len(findings), failures=failures), cases)


def _case(finding: Finding, fail_on: Severity) -> Iterator[str]:
    at = place(finding.span)
    where = f"{at.path}:{at.line}:{at.column}"
    text = f"{where}: {finding.severity.label} {finding.code}: {text_with_remarks(finding)}"
    attributes = {"classname": f"tlslint.{finding.name}", "name": where, "time": 0, "file": at.path, "line": at.line}
    if finding.severity >= fail_on:
        outcome = element("failure", {"type": finding.severity.label, "message": finding.message}, text=text)
    else:
        outcome = element("system-out", {}, text=text)
    yield from element("testcase", attributes, outcome)


def _own_suite(report: Report) -> Iterator[str]:
    cases: list[str] = []
    for path, why in report.problems:
        cases += _own_case(path, "error", {"type": "input", "message": why})
    for failure in report.failures:
        cases += _own_case("tlslint", "error", {"type": "internal", "message": str(failure)})
    for item in report.unknown:
        at = place(item.span) if item.span is not None else None
        name = f"{at.path}:{at.line}: {item.what}" if at is not None else item.what
        cases += _own_case(name, "skipped", {"message": f"could not be checked: {item.why}"})
    for path, why in report.skipped:
        cases += _own_case(path, "skipped", {"message": why})
    checked = {"classname": "tlslint", "name": "checked what could be checked", "time": 0}
    cases += element("testcase", checked)
    errors = len(report.problems) + len(report.failures)
    skipped = len(report.unknown) + len(report.skipped)
    counts = _counts("tlslint", errors + skipped + 1, errors=errors, skipped=skipped)
    yield from element("testsuite", counts, cases)


def _own_case(name: str, outcome: str, attributes: dict[str, object]) -> Iterator[str]:
    return element("testcase", {"classname": "tlslint", "name": name, "time": 0}, element(outcome, attributes))


def _counts(name: str, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> dict[str, object]:
    return {"name": name, "tests": tests, "failures": failures, "errors": errors, "skipped": skipped, "time": 0}
