"""Others than its owner can read a private key.

## What it finds
A key file that every user of the machine, or the members of a shared group, may read; and a key file below a directory
from which the server sends files to anyone who asks.

## Why it matters
Whoever reads the key can be the server.

## What clients see
Nothing.

## How to fix it
Give it to root and take all other rights away (`chmod 600`): nginx and Apache read keys before they give up root's
rights. Move it out of the document root. A key that others could read needs to be replaced.

## False alarms that it avoids
A git checkout keeps no modes, so files in one are judged by their place only. The directories on the way count: what
lies in a directory that nobody else may enter is not readable. The group `ssl-cert` and a user's own group are fine.
Relative document roots depend on how the server was built and are not judged.
"""

from collections.abc import Iterator
from shlex import quote

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.keys import key_files
from tlslint.rules.served import also_named

rule = Rule(
    code="TLS317",
    name="readable-private-key",
    severity=Severity.WARNING,
    summary="others than its owner can read a private key",
    why="whoever reads the key can be the server",
    seen="nobody gets an error, that is the trap",
    sources=("CIS NGINX Benchmark 4.1.3", "CIS Apache HTTP Server 2.4 Benchmark 7.3"),
    fix=Safety.MANUAL,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each way in which others get at each key file."""
    for key in key_files(deployment):
        facts = deployment.certificates.key_file(key.path)
        if facts.published_by is None and not facts.readers:
            continue
        related = also_named(key.places)
        if facts.published_by is not None:
            root = facts.published_by
            yield rule.finding(
                f'the key "{key.name}" lies below a directory whose files are sent to clients',
                key.span,
                severity=Severity.ERROR,
                label="anyone may ask for this file",
                help="move it out of the document root, and replace the key",
                related=[Related(root.span, "files are sent from here"), *related],
            )
        if facts.readers:
            yield rule.finding(
                f'{facts.readers} can read the key "{key.name}"',
                key.span,
                label="readable for others than its owner",
                help="take the rights away: chmod 600",
                related=related,
                fix=Fix("let only its owner read the key", Safety.MANUAL, commands=(f"chmod 600 {quote(key.path)}",)),
            )
