"""How a command ends: the exit codes, and what comes instead of a result."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlslint.finding import Report

FINDINGS = 1
FAILED = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


class Failure(Exception):  # noqa: N818 - not an error of tlslint
    """tlslint cannot do what it was asked to do; the message is for the user."""


class OutputClosed(Exception):  # noqa: N818 - not an error at all
    """Whoever reads the output has seen enough (`tlslint | head`)."""


def exit_code(report: "Report", fail_on: str, exit_zero: bool) -> int:
    """Return the exit code for what was found; `fail_on` is the lowest severity that counts."""
    from tlslint.finding import Severity

    if report.problems or report.failures:
        return FAILED
    if not report.deployments and not report.partial and any("template" not in why for _, why in report.skipped):
        return FAILED
    limit = Severity[fail_on.upper()]
    return FINDINGS if not exit_zero and any(finding.severity >= limit for finding in report.findings) else 0
