"""Session keys are written to a file.

## What it finds
`env SSLKEYLOGFILE;`, which hands the name of a key log to the libraries in the server's processes, and the key log
directives of NGINX Plus (`ssl_key_log`, `proxy_ssl_key_log` and their like).

## Why it matters
Whoever has the file reads the traffic, recorded or live: it undoes forward secrecy.

## What clients see
Nothing.

## How to fix it
Remove the line, destroy the file, and take what was sent meanwhile for known.

## False alarms that it avoids
`off`, and variables of other names.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment

rule = Rule(
    code="TLS809",
    name="key-logging",
    severity=Severity.ERROR,
    summary="session keys are written to a file",
    why="whoever has the file can read the traffic, forward secrecy or not",
    seen="nobody notices: connections work as before",
    sources=("IETF draft-ietf-tls-keylogfile", "nginx: ngx_http_ssl_module, ssl_key_log"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive that makes the server log its keys."""
    for place in deployment.key_logging:
        name = place.directive.name
        by_variable = not name.endswith("key_log")
        yield rule.finding(
            "the server's processes are told to log session keys"
            if by_variable
            else f"{name} writes session keys to a file",
            place.span,
            label="libraries that honour SSLKEYLOGFILE write their keys there" if by_variable else "a key log",
            help="remove the line and destroy the file",
        )
