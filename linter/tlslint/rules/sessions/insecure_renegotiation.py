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
asks for, whatever its options (measured on 1.22.1 and 1.31.3): there the finding is for information. Apache refuses
those as well, but asks for one itself where a part of a host wants a client certificate. There the option of an
address's first host holds for all of its hosts, and an `off` of another one does not help.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
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
        "Apache HTTP Server: mod_ssl, SSLInsecureRenegotiation",
    ),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each place that switches it on."""
    refused = deployment.server == "nginx"
    for switch in switched_on(deployment, "UnsafeLegacyRenegotiation"):
        yield rule.finding(
            "legacy renegotiation is switched on for {endpoint}",
            switch.span,
            severity=Severity.INFO if refused else Severity.ERROR,
            label="no effect: nginx refuses every renegotiation" if refused else "open to CVE-2009-3555",
            help=switch.fix.title if switch.fix else "switch it off",
            endpoints=labels(switch.endpoints),
            fix=switch.fix,
        )
