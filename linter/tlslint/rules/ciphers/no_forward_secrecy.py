"""Cipher suites without forward secrecy are offered.

## What it finds
Suites that encrypt the session's key with the certificate's RSA key (their names begin with the cipher: `AES128-SHA`,
`AES256-GCM-SHA384`), where clients can get them.

## Why it matters
Whoever records the traffic today and gets the certificate's key later can read all of it. The same key exchange is
what ROBOT (CVE-2017-13099 and others) attacks.

## What clients see
Nothing. Scanners cap the grade.

## How to fix it
Use the policy's list, or exclude the key exchange with `!kRSA`. Clients without ECDHE can no longer connect.

## False alarms that it avoids
Where the certificate could not be read, the finding says that it assumes an RSA key, which most servers have.
Only what is negotiable counts: hosts without an RSA certificate, or with TLS 1.3 only, are silent, and so are suites
that the policy itself lists. Where the policy has no opinion the finding is advice.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import brings, cipher_uses, count, keys_unknown, policy_list, some, without_forward_secrecy

rule = Rule(
    code="TLS204",
    name="no-forward-secrecy",
    severity=Severity.ERROR,
    summary="cipher suites without forward secrecy are offered",
    why="recorded traffic can be read by whoever gets the certificate's key later",
    seen="clients notice nothing; scanners report static RSA key exchange",
    sources=("RFC 9325, section 4.1", "CVE-2017-13099", "Mozilla/TLSRef guidelines, ciphers"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that offers static RSA key exchange."""
    for use in cipher_uses(deployment):
        names = [suite.name for suite in without_forward_secrecy(use, policy)]
        if not names or not use.setting.explicit or use.overrides:
            continue
        first, *more = use.spans(names, deployment.targets())
        yield rule.finding(
            f"{count(names)} without forward secrecy {'is' if len(names) == 1 else 'are'} offered by {{endpoint}}: "
            f"{some(names)}",
            first,
            severity=Severity.INFO if policy.ciphers is None else Severity.ERROR,
            label=brings(use, names) + ("; the certificate was not read: RSA is assumed" if keys_unknown(use) else ""),
            source=policy.source_of("ciphers"),
            help="use the policy's list, or exclude them with !kRSA",
            endpoints=use.labels,
            fix=policy_list(use.setting, use.endpoints, policy),
            related=[Related(span, "and this") for span in more[:6]],
        )
