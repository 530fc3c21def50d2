"""A private key stands in the file of a certificate.

## What it finds
A certificate file that holds a private key as well.

## Why it matters
Certificate files are public: they are copied about, kept readable for everyone and sent by mail. The key goes with
them.

## What clients see
Nothing. The server passes over the key when it reads the certificates.

## How to fix it
Keep the key in a file of its own that only its owner may read, and name that as the key's file.

## False alarms that it avoids
It is a warning, because one file for both works. An encrypted key counts too: its passphrase is all that protects it.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import CertificatePair, Deployment
from tlslint.rules.served import also_named, file_span

rule = Rule(
    code="TLS316",
    name="private-key-in-certificate-file",
    severity=Severity.WARNING,
    summary="a private key stands in the file of a certificate",
    why="certificate files are kept readable and copied about, and the key goes with them",
    seen="nobody gets an error, that is the trap",
    sources=("nginx, Configuring HTTPS servers",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each certificate file that holds a key."""
    files: dict[int, list[CertificatePair]] = {}
    for pair in deployment.certificates.pairs:
        if pair.bundle is not None and pair.bundle.keys.count and not pair.file.startswith("data:"):
            files.setdefault(id(pair.bundle), []).append(pair)
    for pairs in files.values():
        first = pairs[0]
        assert first.bundle is not None
        keys = first.bundle.keys
        key = "an encrypted private key" if keys.encrypted else "a private key"
        yield rule.finding(
            f'"{first.file}" holds {key} beside what is meant for everyone',
            file_span(first),
            label=f"a key begins on line {keys.line}",
            help="keep the key in a file of its own",
            related=also_named(pair.place for pair in pairs),
        )
