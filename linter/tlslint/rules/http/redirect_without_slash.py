"""A redirect glues what was asked for to the name of the host that it leads to.

## What it finds
`Redirect / https://www.example.com`, without a slash behind the name. Apache takes the path that is redirected away
from the one that was asked for, and puts the rest behind the target as it is: `/index.html` leads to
`https://www.example.comindex.html`.

## Why it matters
Links lead to names that do not exist, or to names that somebody else registers for just this case. The start page works
all the same, so that nobody notices.

## What clients see
`ERR_NAME_NOT_RESOLVED`, or the page of somebody else.

## How to fix it
End the target with a slash, as the path does.

## False alarms that it avoids
Paths without a slash at their end, targets that have a path of their own, `RedirectMatch`, and the form with one
argument inside of `<Location>`, which appends nothing. nginx appends nothing either.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Redirect
from tlslint.rules.words import labels

PREFIX_REDIRECTS = ("redirect", "redirectpermanent", "redirecttemp")
BARE_HOST = regex(r"https?://[^/?#$%]+")

rule = Rule(
    code="TLS813",
    name="redirect-without-slash",
    severity=Severity.WARNING,
    summary="a redirect glues the path that was asked for to the name of a host",
    why="links lead to names that do not exist, or that somebody else may register",
    seen="Location: https://www.example.comindex.html",
    sources=("Apache HTTP Server, mod_alias, Redirect",),
    servers=("apache",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each redirect of a path to a bare host."""
    for host in deployment.virtual_hosts:
        for location in host.locations:
            for redirect in location.redirects:
                if not _glues(redirect):
                    continue
                words = redirect.place.directive.arguments
                yield rule.finding(
                    f'a redirect of "{words[-2]}" glues the rest of the path to the name in "{words[-1]}"',
                    words[-1].span,
                    label="no slash at the end",
                    help=f"write {words[-1]}/",
                    endpoints=labels(endpoint for endpoint in deployment.endpoints if endpoint.virtual_host is host),
                    fix=Fix(
                        "end the target with a slash",
                        Safety.SAFE,
                        (ReplaceArguments(redirect.place, (*map(str, words[:-1]), f"{words[-1]}/")),),
                    ),
                )


def _glues(redirect: Redirect) -> bool:
    directive = redirect.place.directive
    words = directive.arguments
    return (
        directive.name.lower() in PREFIX_REDIRECTS
        and len(words) > 1
        and words[-2].startswith("/")
        and words[-2].endswith("/")
        and BARE_HOST.fullmatch(words[-1]) is not None
    )
