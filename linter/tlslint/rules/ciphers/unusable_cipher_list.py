"""The cipher list leaves nothing to negotiate, or OpenSSL refuses it.

## What it finds
Lists that OpenSSL refuses as a whole, so that the server does not start, and lists of which nothing can be used: only
ECDSA suites beside an RSA certificate, only DHE suites without parameters, only suites that the security level
forbids.

## Why it matters
A refused list stops the server at its next start; told to reload, nginx keeps the old configuration and Apache ends.
An unusable one starts without a complaint, and every handshake below TLS 1.3 fails.

## What clients see
`sslv3 alert handshake failure`; the server's log has `no shared cipher` or, at start, `no cipher match`.

## How to fix it
Use the policy's list.

## False alarms that it avoids
Where the certificate could not be read, a list is unusable only if no type of key could use it. Where the version of
OpenSSL is not known, a list is an error only if all supported releases agree; otherwise the finding says which.
`PROFILE=SYSTEM` is system-cipher-profile's subject where the platform may know it.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Handshake
from tlslint.rules.suites import (
    WrittenList,
    names_tls13,
    policy_list,
    refused,
    refused_by_all,
    some,
    why_unused,
    written_lists,
)
from tlslint.rules.words import part_of, releases, reported, value_argument
from tlslint.tls.ciphers import tokens
from tlslint.tls.handshake import TLS13

rule = Rule(
    code="TLS206",
    name="unusable-cipher-list",
    severity=Severity.ERROR,
    summary="the cipher list leaves nothing to negotiate, or OpenSSL refuses it",
    why="the server does not start, or every handshake below TLS 1.3 fails",
    seen="curl: (35) sslv3 alert handshake failure; nginx log: no shared cipher",
    seen_apache="curl: (35) sslv3 alert handshake failure; with nothing left, Apache does not start: AH01898",
    sources=("SSL_CTX_set_cipher_list(3)", "openssl-ciphers(1)"),
    fix=Safety.SAFE,
)
SEEN_REFUSED = {
    "nginx": "nginx -t: [emerg] SSL_CTX_set_cipher_list(…) failed",
    "apache": "Apache does not start (apache2 -t says nothing): AH01898: Unable to configure permitted SSL ciphers",
}
WHY_REFUSED = {
    "nginx": "the server does not start, and a reload keeps the old configuration",
    "apache": "the server does not start, and a graceful reload ends the one that runs",
}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that is refused, and one for each that nobody can use."""
    found = list(_found(deployment, policy))
    yield from found
    yield from reported(rule, deployment, found)


def _found(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    for written in written_lists(deployment):
        for error, versions in refused(written.value, deployment.targets()).items():
            yield _refused(deployment, written, error, versions, policy)
    for handshake in deployment.handshakes:
        if handshake.keys and handshake.endpoints and not handshake.quic and handshake.outcome != "unknown":
            yield from _unused(deployment, handshake, policy)


def _refused(deployment: Deployment, written: WrittenList, error: str, versions: list[str], policy: Policy) -> Finding:
    everyone = [str(target.openssl) for target in deployment.targets()]
    value = str(written.argument)
    named = [token for token in tokens(value) if not token.operator]
    invalid = next((token for token in tokens(value) if token.invalid), None)
    span = written.argument.span
    label = f"OpenSSL: {error}"
    if invalid is not None and error == "invalid command":
        span = part_of(written.argument, invalid.start, invalid.end)
    elif named and all(names_tls13(token) for token in named):
        label = f"suites of TLS 1.3 do not count here, and nothing else is named; {label}"
    label += _dropped(value)
    if written.value != value and not refused_by_all(value, deployment):
        label += "; Apache itself excludes what does not encrypt or authenticate"
    where = "" if len(versions) == len(everyone) else f" by OpenSSL {releases(versions, everyone)}"
    return rule.finding(
        f"the cipher list of {{endpoint}} is refused{where}",
        span,
        severity=Severity.ERROR if not where else Severity.WARNING,
        label=label,
        why=WHY_REFUSED[deployment.server],
        seen=SEEN_REFUSED[deployment.server],
        source=policy.source_of("ciphers"),
        help="use the policy's list",
        endpoints=written.labels,
        fix=policy_list(written.setting, (), policy),
    )


def _unused(deployment: Deployment, handshake: Handshake, policy: Policy) -> Iterator[Finding]:
    value = handshake.tls.ciphers.known
    if value is None or handshake.negotiates_tls12 or refused_by_all(value, deployment):
        return
    reasons = [why_unused(deployment, handshake, value, target) for target in deployment.targets()]
    if not all(reasons):
        return
    argument = value_argument(handshake.tls.ciphers)
    versions = "any version" if TLS13 not in handshake.protocols else "TLS 1.2"
    yield rule.finding(
        f"nothing on the cipher list can be negotiated with {versions} by {{endpoint}}",
        argument.span if argument is not None else handshake.endpoints[0].answering.span,
        label=max(reasons, key=reasons.count) + _dropped(value),
        source=policy.source_of("ciphers"),
        help="use the policy's list",
        endpoints=handshake.labels,
        fix=policy_list(handshake.tls.ciphers, handshake.endpoints, policy),
    )


def _dropped(value: str) -> str:
    names = [f'"{token.text}"' for token in tokens(value) if token.unknown and not token.operator]
    return f"; {some(names)} {'is' if len(names) == 1 else 'are'} not known" if names else ""
