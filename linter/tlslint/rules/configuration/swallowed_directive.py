"""A directive is taken for something else, because of the line before it or of a tag on its own line.

## What it finds
nginx: an argument that is the name of a directive and stands first on a line of its own, as in `server_name a.example`,
line end, `ssl_protocols TLSv1.2;`. Where the directive before takes any number of arguments, the server says nothing (a
warning); otherwise it refuses the file (an error).
Apache: a directive on the line below a comment that ends in a backslash, which continues comments too; and one behind a
tag, as in `</Directory> SSLProtocol TLSv1.3`, where httpd ignores everything.

## Why it matters
The directive never takes effect. With nginx its words become something else: two host names in the example.

## What clients see
What the default of the lost directive gives them.

## How to fix it
nginx: end the line before with a semicolon. Apache: take the backslash away, or give the directive a line of its own.

## False alarms that it avoids
Quoted words are values, and so are names that could be a host's or a path. A list that goes on over several lines is
fine. In Apache's comments only directives about TLS and hosts count, spelt with their capitals, because prose may begin
with the same words; a line that is a comment itself (`# SSLProtocol …`) was never meant to be in force.
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
    summary="a directive is taken for a part of something else",
    why="it never takes effect, and the server may not even notice",
    seen="the server log: nothing, which is the trap",
    sources=("nginx, ngx_conf_read_token()", "Apache HTTP Server, ap_cfg_getline()"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield directives that are lost as arguments."""
    yield from reported(rule, deployment)
