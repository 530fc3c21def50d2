"""A directive is taken for an argument, because the line before it lacks its semicolon.

## What it finds
An argument that is the name of a directive and stands first on a line of its own, as in `server_name a.example`, line
end, `ssl_protocols TLSv1.2;`. Where the directive before takes any number of arguments, the server says nothing (a
warning); otherwise it refuses the file (an error).

## Why it matters
The directive never takes effect, and its words become something else: two host names in the example.

## What clients see
What the default of the lost directive gives them.

## How to fix it
End the line before with a semicolon.

## False alarms that it avoids
Quoted words are values, and so are names that could be a host's or a path. A list that goes on over several lines is
fine.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS008",
    name="swallowed-directive",
    severity=Severity.WARNING,
    summary="a directive is taken for an argument of the line before",
    why="it never takes effect, and the server may not even notice",
    seen="the server log: nothing, which is the trap",
    sources=("nginx, ngx_conf_read_token()",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield directives that are lost as arguments."""
    yield from reported(rule, deployment)
