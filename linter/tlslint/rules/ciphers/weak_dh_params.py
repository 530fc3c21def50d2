"""The Diffie-Hellman parameters are too short.

## What it finds
A file of DH parameters whose prime has fewer bits than the policy asks for (2048 where it has no opinion), and
parameters that the security level forbids, with which the server does not start.

## Why it matters
Logjam (CVE-2015-4000): 512 bits are broken in minutes once the prime has been prepared for, 1024 bits are within reach
of states.

## What clients see
Current clients refuse short parameters: `dh key too small`. At security level 2 nginx does not start with them, and
Apache passes over them without a word.

## How to fix it
Use the 2048-bit group of RFC 7919, or no DHE at all: ECDHE is faster and needs no file. Apache has the parameters in
the file of its first certificate; without them it makes up some that fit the key.

## False alarms that it avoids
A file that is not in the tree is not judged. Parameters that no DHE suite uses are dead-dh-params' subject, unless the
server refuses them. The groups of RFC 7919 and RFC 3526 are shared by many and long enough.
"""

import shlex
from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.suites import offered_below_tls13
from tlslint.rules.words import governed_by, labels, releases, span_of
from tlslint.target import Target
from tlslint.tls.handshake import build, level_of

rule = Rule(
    code="TLS225",
    name="weak-dh-params",
    severity=Severity.ERROR,
    summary="the Diffie-Hellman parameters are too short",
    why="short primes can be broken (Logjam); security level 2 refuses less than 2048 bits",
    seen="OpenSSL: dh key too small, at the server's start or in the client",
    sources=("CVE-2015-4000", "RFC 7919", "RFC 9325, section 4.4", "SSL_CTX_set_security_level(3)"),
    fix=Safety.MANUAL,
)
DEFAULT_LEAST = 2048
LEAST_BY_LEVEL = (0, 1024, 2048, 3072, 7680, 15360)
"""Bits of a prime that each security level asks for (SSL_CTX_set_security_level(3))."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each file of parameters that is too short for the policy or for the server to start."""
    for endpoints in governed_by(deployment, "dh_params", "ciphers"):
        parameters = endpoints[0].tls.dh
        if parameters is None:
            continue
        refusing = [target for target in deployment.targets() if _refuses(endpoints[0], parameters.bits, target)]
        if deployment.server == "apache":
            refusing = []  # it passes over what the level forbids
        least = policy.minimum_dh_bits or DEFAULT_LEAST
        if refusing or (parameters.bits < least and _uses_dhe(deployment, endpoints)):
            yield _finding(deployment, endpoints, parameters.bits, least, refusing, policy)


def _refuses(endpoint: Endpoint, bits: int, target: Target) -> bool:
    if build(target).generation == "1.0.2":
        return False
    level = level_of(endpoint.tls.ciphers.known or "DEFAULT", endpoint.tls.security_level, target)
    return bits < LEAST_BY_LEVEL[level]


def _uses_dhe(deployment: Deployment, endpoints: list[Endpoint]) -> bool:
    handshakes = {id(endpoint.handshake): endpoint.handshake for endpoint in endpoints}
    return any(
        name.startswith("DHE-")
        for handshake in handshakes.values()
        for target in deployment.targets()
        for name in offered_below_tls13(deployment, handshake, target)
    )


def _finding(
    deployment: Deployment, endpoints: list[Endpoint], bits: int, least: int, refusing: list[Target], policy: Policy
) -> Finding:
    everyone = [str(target.openssl) for target in deployment.targets()]
    label = f'{bits} bits; policy "{policy.name}" wants {least}' if policy.minimum_dh_bits else f"{bits} bits"
    if refusing:
        which = releases([str(target.openssl) for target in refusing], everyone)
        label += f"; {deployment.server} does not start with them on OpenSSL {which}"
    return rule.finding(
        f"the Diffie-Hellman parameters of {{endpoint}} have {bits} bits",
        span_of(endpoints[0].tls.dh_params, endpoints),
        severity=Severity.ERROR if bits < DEFAULT_LEAST or refusing else Severity.WARNING,
        label=label,
        source=policy.source_of("minimum_dh_bits"),
        help="take them out of the file: Apache makes parameters up that are long enough"
        if deployment.server == "apache"
        else f"use parameters with {max(least, DEFAULT_LEAST)} bits, or drop DHE suites and the file",
        endpoints=labels(endpoints),
        fix=None if deployment.server == "apache" else _fix(endpoints, max(least, DEFAULT_LEAST)),
    )


def _fix(endpoints: list[Endpoint], bits: int) -> Fix:
    file = endpoints[0].tls.dh_params.known or "FILE"
    return Fix("make new parameters", Safety.MANUAL, commands=(f"openssl dhparam -out {shlex.quote(file)} {bits}",))
