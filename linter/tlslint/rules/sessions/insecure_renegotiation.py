"""Renegotiation without the protection of RFC 5746 is allowed.

## What it finds
`ssl_conf_command Options UnsafeLegacyRenegotiation` (nginx) and `SSLInsecureRenegotiation on` (Apache), where a version
below TLS 1.3 can be negotiated.

## Why it matters
Whoever stands between client and server can put requests of his own in front of the client's (CVE-2009-3555).

## What clients see
Nothing.

## How to fix it
Remove the option. Every client since 2010 knows the protected form.

## False alarms that it avoids
A leading minus switches the option off. TLS 1.3 has no renegotiation. nginx refuses every renegotiation that a client
asks for, whatever its options (measured on 1.22.1 and 1.31.3): there the finding is for information.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.options import switched_on
from tlslint.rules.words import labels

rule = Rule(
    code="TLS605",
    name="insecure-renegotiation",
    severity=Severity.ERROR,
    summary="renegotiation without the protection of RFC 5746 is allowed",
    why="an attacker can put requests of his own in front of the client's (CVE-2009-3555)",
    seen="nobody sees it; scanners report insecure client renegotiation",
    sources=(
        "RFC 5746",
        "CVE-2009-3555",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each place that switches it on."""
    refused = deployment.server == "nginx"
    for span, endpoints in switched_on(deployment, "UnsafeLegacyRenegotiation"):
        yield rule.finding(
            "legacy renegotiation is switched on for {endpoint}",
            span,
            severity=Severity.INFO if refused else Severity.ERROR,
            label="no effect: nginx refuses every renegotiation" if refused else "open to CVE-2009-3555",
            help="remove the option",
            endpoints=labels(endpoints),
        )
