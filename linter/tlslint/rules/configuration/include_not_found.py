"""An included file does not exist.

## What it finds
A literal `include` whose file is missing where tlslint can see that it is: the server does not start. An include that
leads out of the view, such as `/etc/nginx/conf.d/*.conf` in a repository that holds only a part of the tree, or a
template in place of the file, is no finding: the report counts it among what could not be checked.

## Why it matters
The server refuses a missing file. What an unread file sets is unknown, and tlslint then makes no statement that the
file could prove wrong.

## What clients see
Nothing yet: a restart fails, and a reload keeps the old configuration, so that it surfaces at the next reboot.

## How to fix it
Create the file or correct its name. Relative names are taken from the directory of the main file, not of the including
one. `--root` and `path-map` say where the server's `/` is in a repository.

## False alarms that it avoids
A mask (`*.conf`) that matches nothing is fine for nginx, `IncludeOptional` for Apache. Files that every nginx package
ships (`mime.types`, `fastcgi_params`) may be absent from a repository. Where the directory cannot be seen, nothing is
called missing.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import problems, related_places

rule = Rule(
    code="TLS002",
    name="include-not-found",
    severity=Severity.ERROR,
    summary="an included file does not exist",
    why="the server does not start without a file that is named literally",
    seen='nginx -t: [emerg] open() "…" failed (2: No such file or directory)',
    seen_apache="apache2 -t: Could not open configuration file …: No such file or directory",
    sources=("nginx, include", "Apache HTTP Server, Include"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each include that brings nothing although it is meant to."""
    for problem in problems(deployment, rule.name):
        yield rule.finding(
            problem.message,
            problem.span,
            label=problem.label,
            help="create the file or correct its name",
            related=related_places(problem),
        )
