"""A variable that nothing defines stands as it is written.

## What it finds
`${NAME}` in Apache's configuration where neither a `Define` before it nor the environment has that name: httpd takes
the text `${NAME}` itself for the value.

## Why it matters
httpd only warns, in a message that scrolls by. `IncludeOptional ${TLS}/strict.conf` then includes nothing, and what it
was meant to set is missing; a file name or an address holds the four characters `${`, `}` and a name that nobody meant.

## What clients see
Whatever is in force without the line: defaults, or what another file says.

## How to fix it
Correct the name, or `Define` it before the line: a `Define` in a file that is read later comes too late.

## False alarms that it avoids
What the environment holds is known only from Debian's `envvars` beside the main file and from `apache-environment` in
the settings. Without either, and where a part of the configuration is out of sight, a variable may be defined there: it
is then reported as what could not be checked. Variables of other modules (`%{NAME}`, `$1`) are none of the core's.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS009",
    name="undefined-variable",
    severity=Severity.WARNING,
    summary="a variable that nothing defines stands as it is written",
    why="httpd takes the text ${…} itself for the value, and what the line was meant to set is missing",
    seen="apache2 -t: AH00111: Config variable ${…} is not defined",
    sources=("Apache HTTP Server, Define", "Apache HTTP Server, ap_resolve_env()"),
    servers=("apache",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each variable that has no value where it stands."""
    yield from reported(rule, deployment)
