"""Cipher suites of the policy that this endpoint could use are not offered.

## What it finds
Suites that the policy recommends, that the TLS library has and that fit the certificate's key, but that are not on the
list.

## Why it matters
A client whose best suites are missing takes a worse one, or none. A phone without AES instructions is faster with
ChaCha20-Poly1305.

## What clients see
Usually nothing.

## How to fix it
Use the policy's list.

## False alarms that it avoids
A host with an RSA key needs no ECDSA suites, and the other way round; where the certificate could not be read, only
the kinds of key that the list itself serves count. DHE suites are not missed without parameters. Being narrower than
the policy is allowed, so the finding is advice.
"""

from collections.abc import Iterator
from functools import lru_cache

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Handshake
from tlslint.rules.suites import CipherUse, cipher_uses, count, policy_list, some
from tlslint.target import Target
from tlslint.tls.ciphers import Suite
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS203",
    name="missing-policy-cipher",
    severity=Severity.INFO,
    summary="cipher suites of the policy that this endpoint could use are not offered",
    why="clients take a worse suite where their best one is missing",
    seen="usually nothing; a client that has only those suites ends with `handshake failure`",
    sources=("Mozilla/TLSRef guidelines, ciphers",),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that lacks recommended suites which its endpoints could use."""
    if not policy.recommended_ciphers:
        return
    for use in cipher_uses(deployment):
        if not use.setting.explicit or use.overrides:
            continue
        wanted = {kind for handshake in use.handshakes for kind in _authentications(handshake, use)}
        parameters = any(handshake.tls.dh_params.known for handshake in use.handshakes)
        missing = [
            suite.name
            for suite in _recommended(policy.recommended_ciphers, deployment.targets())
            if suite.name not in use.reachable
            and suite.auth in wanted
            and (suite.kx != "DHE" or parameters)
            and _fits(suite, use)
        ]
        if missing:
            yield rule.finding(
                f'{count(missing)} of policy "{policy.name}" {"is" if len(missing) == 1 else "are"} not offered by '
                f"{{endpoint}}: {some(missing)}",
                use.span,
                label="lacks " + ("it" if len(missing) == 1 else "them"),
                source=policy.source_of("recommended_ciphers"),
                help="use the policy's list",
                endpoints=use.labels,
                fix=policy_list(use.setting, use.endpoints, policy),
            )


@lru_cache(maxsize=8)
def _recommended(names: tuple[str, ...], targets: tuple[Target, ...]) -> list[Suite]:
    """Return those of the policy's suites that every OpenSSL which the target may have knows, in order."""
    tables = [{suite.name: suite for suite in build(target).suites} for target in targets]
    return [tables[0][name] for name in names if all(name in table for table in tables)]


def _authentications(handshake: Handshake, use: CipherUse) -> set[str]:
    names = {"rsa": "RSA", "ec": "ECDSA", "ed25519": "ECDSA", "ed448": "ECDSA", "dsa": "DSS"}
    if any(kind == "unknown" for kind, _, _ in handshake.keys):
        return {suite.auth for suite in use.reachable.values()}
    return {names[kind] for kind, _, _ in handshake.keys if kind in names}


def _fits(suite: Suite, use: CipherUse) -> bool:
    """Whether some endpoint speaks a version that the suite is for."""
    return any(
        version >= suite.min_protocol
        for handshake in use.handshakes
        for version in handshake.protocols
        if version != "TLSv1.3"
    )
