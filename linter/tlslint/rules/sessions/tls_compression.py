"""TLS compression is switched on.

## What it finds
`ssl_conf_command Options Compression` (nginx) and `SSLCompression on` (Apache), where a version below TLS 1.3 can be
negotiated.

## Why it matters
The length of compressed requests tells an attacker what is in them: CRIME (CVE-2012-4929) reads cookies that way.

## What clients see
Nothing. Browsers no longer offer it.

## How to fix it
Remove the option; compress on the level of HTTP, and not what holds secrets.

## False alarms that it avoids
A leading minus switches the option off. TLS 1.3 has no compression. Where the security level keeps OpenSSL from
compressing, the finding is a warning. Many builds of OpenSSL cannot compress at all, but the next machine may differ;
Apache does not start with `SSLCompression on` there.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.options import switched_on
from tlslint.rules.words import labels

rule = Rule(
    code="TLS606",
    name="tls-compression",
    severity=Severity.ERROR,
    summary="TLS compression is switched on",
    why="the length of compressed requests tells what is in them (CRIME, CVE-2012-4929)",
    seen='nobody sees it; openssl s_client prints "Compression: zlib compression"',
    seen_apache="nobody sees it; where OpenSSL cannot compress, apache2 -t: cannot enable SSLCompression",
    sources=(
        "CVE-2012-4929",
        "RFC 7525, section 3.3",
        "Apache HTTP Server: mod_ssl, SSLCompression",
    ),
    fix=Safety.SAFE,
)

_FORBIDDEN_SINCE_LEVEL = 2
"""OpenSSL compresses nothing from this security level on (SSL_CTX_set_security_level(3))."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each place that switches it on."""
    for switch in switched_on(deployment, "Compression"):
        level = min(endpoint.handshake.security_level for endpoint in switch.endpoints)
        yield rule.finding(
            "TLS compression is switched on for {endpoint}",
            switch.span,
            severity=Severity.ERROR if level < _FORBIDDEN_SINCE_LEVEL else Severity.WARNING,
            label="open to CRIME" if level < _FORBIDDEN_SINCE_LEVEL else f"kept off by security level {level} only",
            help=switch.fix.title if switch.fix else "switch it off",
            endpoints=labels(switch.endpoints),
            fix=switch.fix,
        )
