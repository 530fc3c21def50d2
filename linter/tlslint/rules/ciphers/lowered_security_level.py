"""The cipher list lowers OpenSSL's security level.

## What it finds
`@SECLEVEL=` below the level that the target's OpenSSL has by itself: 2 since 3.2 and in Debian's and Ubuntu's builds,
1 before.

## Why it matters
The level guards more than suites. Level 1 lets 1024-bit RSA keys and DH parameters and SHA-1 signatures pass, level 0
lets everything pass, and makes OpenSSL 3 negotiate TLS 1.0 and 1.1.

## What clients see
Nothing.

## How to fix it
Take the word out, and replace the certificate or the parameters for which it was put there.

## False alarms that it avoids
A policy that allows TLS 1.0 or 1.1 cannot be served by OpenSSL 3 without level 0: the finding is then advice. A level
that is the default, or higher, is silent.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import WrittenList, lists_in_force
from tlslint.rules.words import listed, part_of, releases
from tlslint.tls.ciphers import Token, tokens

rule = Rule(
    code="TLS210",
    name="lowered-security-level",
    severity=Severity.WARNING,
    summary="the cipher list lowers OpenSSL's security level",
    why="the level also guards against short keys, weak DH parameters and SHA-1 signatures",
    seen="nothing; keys and signatures that OpenSSL would refuse are accepted",
    sources=("SSL_CTX_set_security_level(3)", "OpenSSL 3.2 changes: default security level 2"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that sets a level below the default."""
    for written in lists_in_force(deployment):
        levels = [token for token in tokens(str(written.argument)) if token.operator == "@" and "=" in token.text]
        if levels:
            yield from _check(deployment, written, levels[-1], policy)


def _check(deployment: Deployment, written: WrittenList, token: Token, policy: Policy) -> Iterator[Finding]:
    level = int(token.text.rpartition("=")[2])
    targets = deployment.targets()
    higher = [target for target in targets if target.effective_security_level > level]
    if not higher:
        return
    needed = level == 0 and bool({"TLSv1", "TLSv1.1"} & set(policy.protocols))
    defaults = sorted({target.effective_security_level for target in higher})
    versions = [str(target.openssl) for target in targets]
    where = releases([str(target.openssl) for target in higher], versions)
    yield rule.finding(
        f"the cipher list of {{endpoint}} lowers the security level to {level}",
        part_of(written.argument, token.start - 1, token.end),
        severity=Severity.INFO if needed else Severity.WARNING,
        label=f'OpenSSL 3 needs it for TLS 1.0 and 1.1, which policy "{policy.name}" allows'
        if needed
        else f"the default is {listed(map(str, defaults), 'or')} with OpenSSL {where}",
        help="keep it for as long as old clients are served"
        if needed
        else "take it out, and replace the keys, certificates or parameters that need it",
        endpoints=written.labels,
    )
