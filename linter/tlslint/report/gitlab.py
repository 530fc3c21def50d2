"""GitLab's code quality report: the merge request shows which issues are new and which are gone.

GitLab compares reports by fingerprint, so a finding must keep its own while the file around it is edited.
"""

import json
from typing import Any

from tlslint.finding import Finding, Report, Severity
from tlslint.fingerprint import fingerprints, relative_path
from tlslint.report.as_json import valid
from tlslint.report.places import place
from tlslint.report.remarks import remarks

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(report: Report) -> str:
    """Return the array of issues as JSON; what could not be read is an issue as well."""
    found = zip(report.findings, fingerprints(report.findings), strict=True)
    issues = [_issue(finding, fingerprint) for finding, fingerprint in found]
    issues += [_problem(path, why) for path, why in report.problems]
    return json.dumps(valid(issues), indent=2) + "\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    at = place(finding.span)
    body = "\n\n".join(f"**{name}:** {text}" for name, text in remarks(finding))
    return {
        "type": "issue",
        "check_name": finding.name,
        "description": f"{finding.code} {finding.name}: {finding.message}",
        **({"content": {"body": body}} if body else {}),
        "categories": ["Security"],
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {"path": at.path, "lines": {"begin": at.line, "end": max(at.line, at.end_line)}},
    }


def _problem(path: str, why: str) -> dict[str, Any]:
    from hashlib import sha256

    return {
        "type": "issue",
        "check_name": "tlslint",
        "description": f"{path}: {why}",
        "categories": ["Bug Risk"],
        "severity": "blocker",
        "fingerprint": sha256(f"{path}\0{why}".encode("utf-8", "surrogateescape")).hexdigest()[:32],
        "location": {"path": relative_path(path), "lines": {"begin": 1}},
    }
