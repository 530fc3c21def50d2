"""A private key is kept in the git repository that is linted.

## What it finds
A key file of the configuration that git tracks in the checkout in which it lies.

## Why it matters
Everyone who can read the repository, its forks, its backups or the logs of its pipelines has the key. Removing the file
does not remove it from the history.

## What clients see
Nothing, until somebody else is the server.

## How to fix it
Make a new key and have a new certificate issued, remove the file from git, and let the deployment bring the key.

## False alarms that it avoids
Only what the index of the checkout lists counts: ignored and untracked files are silent. Files that another program
decrypts (git-crypt, ansible-vault, sops) are no keys until then. A key with a passphrase is a warning. Keys for tests
are best suppressed where they are named.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.keys import key_files
from tlslint.rules.served import also_named

rule = Rule(
    code="TLS318",
    name="committed-private-key",
    severity=Severity.ERROR,
    summary="a private key is kept in the git repository that is linted",
    why="everyone who can read the repository has the key, and its history keeps it",
    seen="nobody gets an error, that is the trap; secret scanners report it",
    sources=("CWE-321", "CA/Browser Forum Baseline Requirements, 4.9.1.1 (key compromise)"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each key file that git tracks."""
    for key in key_files(deployment):
        if not deployment.certificates.key_file(key.path).tracked:
            continue
        yield rule.finding(
            f'the {"encrypted " if key.encrypted else ""}private key "{key.name}" is kept in git',
            key.span,
            severity=Severity.WARNING if key.encrypted else None,
            label="only its passphrase protects it" if key.encrypted else "known to all who can read the repository",
            help="replace the key, and let the deployment bring the new one",
            related=also_named(key.places),
        )
