"""Session keys are written to a file.

## What it finds
`env SSLKEYLOGFILE;`, which hands the name of a key log to the libraries in the server's processes, and the key log
directives of NGINX Plus (`ssl_key_log`, `proxy_ssl_key_log` and their like).

Apache writes the keys of all its connections itself when `SSLKEYLOGFILE` is in the environment in which it is started
(2.4.49 and later): Debian's `envvars` is where people put it. `SetEnv` and `PassEnv` do not reach mod_ssl (measured);
they hand the name on to CGI programs, whose libraries (curl, Python) write the keys of their own connections: a
warning.

## Why it matters
Whoever has the file reads the traffic, recorded or live: it undoes forward secrecy.

## What clients see
Nothing.

## How to fix it
Remove the line, destroy the file, and take what was sent meanwhile for known.

## False alarms that it avoids
`off`, variables of other names, and an empty value.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveArgument, RemoveDirective, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Place
from tlslint.rules.web import name_span

rule = Rule(
    code="TLS809",
    name="key-logging",
    severity=Severity.ERROR,
    summary="session keys are written to a file",
    why="whoever has the file can read the traffic, forward secrecy or not",
    seen="nobody notices: connections work as before",
    sources=(
        "IETF draft-ietf-tls-keylogfile",
        "nginx: ngx_http_ssl_module, ssl_key_log",
        "Apache HTTP Server 2.4.49, CHANGES",
    ),
    fix=Safety.SAFE,
)
VARIABLE = "SSLKEYLOGFILE"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive that makes the server log its keys."""
    for span in deployment.key_logging_environment:
        yield rule.finding(
            "Apache is started with the order to log session keys",
            span,
            label="the keys of all connections are written there",
            help="remove the line, stop and start Apache, and destroy the file",
        )
    for place in deployment.key_logging:
        if deployment.server == "apache":
            yield _handed_on(place)
            continue
        name = place.directive.name
        by_variable = not name.endswith("key_log")
        yield rule.finding(
            "the server's processes are told to log session keys"
            if by_variable
            else f"{name} writes session keys to a file",
            place.span,
            label="libraries that honour SSLKEYLOGFILE write their keys there" if by_variable else "a key log",
            help="remove the line and destroy the file",
            fix=_removed(place),
        )


def _handed_on(place: Place) -> Finding:
    return rule.finding(
        "programs behind Apache are told to log session keys",
        place.span if place.directive.name.lower() == "setenv" else name_span(place, VARIABLE),
        severity=Severity.WARNING,
        label="libraries of CGI programs that honour SSLKEYLOGFILE write their keys there",
        help="remove the line and destroy the file",
        fix=_removed(place),
    )


def _removed(place: Place) -> Fix:
    words = place.directive.arguments
    named = next((word for word in words if word == VARIABLE), None)
    if named is not None and place.directive.name.lower() == "passenv" and len(words) > 1:
        return Fix("stop logging session keys", Safety.SAFE, (RemoveArgument(place, named),))
    return Fix("stop logging session keys", Safety.SAFE, (RemoveDirective(place),))
