"""The list for TLS 1.2 names suites of TLS 1.3, which have no effect there.

## What it finds
Names such as `TLS_AES_256_GCM_SHA384` in a cipher string. OpenSSL keeps the suites of TLS 1.3 in a list of their own,
which a cipher string never changes.

## Why it matters
Whoever wants to restrict TLS 1.3 this way does not: all its default suites stay on.

## What clients see
Suites of TLS 1.3 that the list leaves out are negotiated all the same.

## How to fix it
Drop the names. To restrict TLS 1.3 use `ssl_conf_command Ciphersuites` (nginx since 1.19.4) or `SSLCipherSuite
TLSv1.3` (Apache since 2.4.36).

## False alarms that it avoids
A list that names nothing else is refused by OpenSSL: that is unusable-cipher-list's subject. Exclusions (`!TLS_…`) are
not reported.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.suites import count, lists_in_force, names_tls13, rewritten, some, without
from tlslint.rules.words import part_of
from tlslint.tls.ciphers import tokens

rule = Rule(
    code="TLS207",
    name="tls13-suite-in-cipher-list",
    severity=Severity.WARNING,
    summary="the list for TLS 1.2 names suites of TLS 1.3, which have no effect there",
    why="OpenSSL keeps the suites of TLS 1.3 in another list, which this one never changes",
    seen="suites of TLS 1.3 that the list leaves out are negotiated all the same",
    sources=("SSL_CTX_set_cipher_list(3)", "nginx, ssl_conf_command"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list that names suites of TLS 1.3 beside others."""
    for written in lists_in_force(deployment):
        value = str(written.argument)
        found = [token for token in tokens(value) if names_tls13(token) and not token.operator]
        if not found:
            continue
        names = [token.text for token in found]
        together = not any(
            not names_tls13(token) for token in tokens(value) if found[0].start < token.start < found[-1].start
        )
        yield rule.finding(
            f"{count(names)} of TLS 1.3 {'has' if len(names) == 1 else 'have'} no effect in the cipher list of "
            f"{{endpoint}}: {some(names)}",
            part_of(written.argument, found[0].start, found[-1].end if together else found[0].end),
            label="only counts for TLS 1.3, which has a list of its own",
            help="take them out; ssl_conf_command Ciphersuites or SSLCipherSuite TLSv1.3 sets the other list",
            endpoints=written.labels,
            fix=rewritten(written, without(value, found), "take them out, which changes nothing on the wire"),
        )
