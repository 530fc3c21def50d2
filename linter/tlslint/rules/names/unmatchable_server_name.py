"""A server name is written so that no client ever asks for it.

## What it finds
Names with a port (`a.example:443`), a comma, a final dot, letters beyond ASCII (clients send `xn--…`), or a variable
other than `$hostname`. The server accepts them all without a word and compares them literally. Apache takes scheme and
port off a `ServerName` (not off a `ServerAlias`), and leaves a path there; a `#` behind aliases begins no comment, and
the words behind it are names.

## Why it matters
The default server of the socket (Apache: the first host of the address) answers in place of the host.

## What clients see
The default server's certificate.

## How to fix it
Write the name as a client sends it: `a.example`, `xn--…`; separate names with spaces.

## False alarms that it avoids
A socket with a single host does not look at names. An impossible name as the only one of a default server (`!`, `_`) is
a way to write a host that nobody asks for. Regular expressions are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS413",
    name="unmatchable-server-name",
    severity=Severity.WARNING,
    summary="a server name is written so that no client ever asks for it",
    why="the default server of the socket answers in place of the host",
    seen="the default server's certificate; the server says nothing",
    seen_apache="the certificate of the first host of the address; the server says nothing",
    sources=(
        "nginx, Server names",
        "RFC 6066, section 3",
        "RFC 5890",
        "Apache HTTP Server, ServerName, ServerAlias",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each name that cannot be asked for."""
    yield from reported(rule, deployment)
