"""Nothing sets the cipher list, and the server's default offers more than the policy allows.

## What it finds
TLS endpoints below TLS 1.3 for which no level of the configuration names the cipher list, with what the default
(`HIGH:!aNULL:!MD5` in nginx, OpenSSL's own with a few exclusions in Apache) offers there.

## Why it matters
The default is a word that each OpenSSL reads in its own way. It includes static RSA key exchange and CBC mode.

## What clients see
Nothing. Scanners report what it brings.

## How to fix it
Set the policy's list at the outermost level, where all hosts inherit it.

## False alarms that it avoids
An inherited list is not missing. Hosts with TLS 1.3 only have no use for one. Where all that the default offers here
is in the policy, the finding is advice.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import CipherUse, cipher_uses, effect_of, policy_list
from tlslint.rules.words import listed

rule = Rule(
    code="TLS212",
    name="implicit-ciphers",
    severity=Severity.WARNING,
    summary="nothing sets the cipher list, and the server's default offers more than the policy allows",
    why="each OpenSSL reads the default in its own way; it includes static RSA key exchange and CBC mode",
    seen="clients notice nothing; scanners report what the default brings",
    sources=("nginx, ssl_ciphers", "Apache HTTP Server, mod_ssl, SSLCipherSuite", "openssl-ciphers(1)"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for all endpoints that a default list is in force for."""
    for use in cipher_uses(deployment):
        if not use.setting.explicit:
            yield _finding(use, policy)


def _finding(use: CipherUse, policy: Policy) -> Finding:
    severity, effects = effect_of(use, policy)
    offers = f" offers {listed(effects)}" if effects else " is in force"
    return rule.finding(
        f"nothing sets the cipher list for {{endpoint}}: the default {use.setting.known}{offers}",
        use.span,
        severity=severity,
        label="no directive in force here names one",
        source=policy.source_of("ciphers"),
        help="set the policy's list at the outermost level, for all hosts",
        endpoints=use.labels,
        fix=policy_list(use.setting, use.endpoints, policy),
    )
