"""The file cannot be parsed.

## What it finds
What the server's own parser refuses: a missing semicolon or brace, a section that is never closed, an unterminated
quote, text glued to a closing quote. The finding points at where the trouble began, which is often not where the server
notices it.

## Why it matters
The server does not start with this file, and tlslint cannot say anything about what it holds.

## What clients see
A restart fails; a reload keeps the old configuration, so that the mistake surfaces at the next reboot.

## How to fix it
By hand: the tool never edits a file that it cannot read.

## False alarms that it avoids
Template files (Jinja2, ERB, Go, envsubst) are recognised and reported as not checked. This finding cannot be
suppressed, so that a gate never turns green on a file that nobody could read.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import problems, related_places

rule = Rule(
    code="TLS001",
    name="syntax-error",
    severity=Severity.ERROR,
    summary="the file cannot be parsed",
    why="the server does not start with this file, and nothing in it could be checked",
    seen="a restart fails; a reload keeps the old configuration",
    sources=("nginx: ngx_conf_read_token()", "Apache HTTP Server: Configuration Files"),
    suppressible=False,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what the server's parser refuses."""
    for problem in problems(deployment, rule.name):
        yield rule.finding(
            problem.message, problem.span, label=problem.label, help=problem.help, related=related_places(problem)
        )
