"""An OpenSSL command replaces the cipher list that the directive names.

## What it finds
`CipherString` given through `ssl_conf_command` beside `ssl_ciphers`, or through `SSLOpenSSLConfCmd` beside
`SSLCipherSuite`: the command is applied last and wins.

## Why it matters
Whoever reads the directive believes it, and an edit of it has no effect.

## What clients see
Suites that the directive does not name.

## How to fix it
Say the list once, in the directive.

## False alarms that it avoids
A command that selects the same suites is silent, and so is one without a directive: then it simply is the list, and
the other rules judge it. The severity is that of what the command brings. `Ciphersuites` replaces no directive of
nginx's; on Apache it does the same as `SSLCipherSuite TLSv1.3`. weak-tls13-suite judges it.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import CipherUse, cipher_uses, effect_of
from tlslint.rules.words import directive_of, listed

rule = Rule(
    code="TLS213",
    name="overridden-ciphers",
    severity=Severity.WARNING,
    summary="an OpenSSL command replaces the cipher list that the directive names",
    why="commands are applied last and win over the server's own directive, which then has no effect",
    seen="suites are negotiated that the directive does not name",
    sources=(
        "SSL_CONF_cmd(3)",
        "nginx, ssl_conf_command (measured on 1.22)",
        "Apache, SSLOpenSSLConfCmd (measured on 2.4.71)",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each command that replaces a list."""
    for use in cipher_uses(deployment):
        if use.overrides:
            yield _finding(use, policy)


def _finding(use: CipherUse, policy: Policy) -> Finding:
    plain = use.handshakes[0].tls.plain_ciphers
    assert plain is not None
    severity, effects = effect_of(use, policy)
    return rule.finding(
        f"{directive_of(use.setting)} {use.setting.places[-1].argument(0)} replaces the list of "
        f"{directive_of(plain)} for {{endpoint}}" + (f" and offers {listed(effects)}" if effects else ""),
        use.span,
        severity=severity,
        label="the list that is in force",
        source=policy.source_of("ciphers"),
        help=f"say the list in {directive_of(plain)} alone",
        endpoints=use.labels,
        related=[Related(place.span, "has no effect") for place in plain.places[-1:]],
    )
