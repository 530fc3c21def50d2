"""A broken cipher suite is offered to an upstream.

## What it finds
Suites without encryption or authentication, with export keys, RC4, DES, 3DES and their like, which the cipher list for
connections that the server itself makes brings in on the target's OpenSSL.

## Why it matters
The upstream chooses. One that is old, or is made to look so, chooses the broken suite.

## What clients see
Nothing.

## How to fix it
Remove the directive, so that OpenSSL's own list holds, or name the policy's suites.

## False alarms that it avoids
Words that only exclude; suites that the target's OpenSSL does not have; suites that a server for old clients is allowed
by its policy. On loopback and unix sockets it is advice. Apache adds `!aNULL:!eNULL:!EXP` to every list itself.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetUpstream
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.suites import is_allowed, some
from tlslint.rules.upstreams import labels, secure_upstreams, severity_of, spelt
from tlslint.rules.words import releases, value_argument
from tlslint.tls.ciphers import broken_reason, evaluate
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS904",
    name="weak-upstream-cipher",
    severity=Severity.WARNING,
    summary="a broken cipher suite is offered to an upstream",
    why="the upstream chooses, and an old one chooses what is broken",
    seen="nobody gets an error: the upstream's choice is used",
    sources=("RFC 7465", "RFC 9325, section 4.1", "nginx: ngx_http_proxy_module, proxy_ssl_ciphers"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each cipher list for upstreams with broken suites in it."""
    if deployment.target.library != "openssl":
        return
    verdicts: dict[str, str] = {}
    for upstream in secure_upstreams(deployment):
        text = upstream.ciphers.known
        if text is None or not upstream.ciphers.explicit:
            continue
        if text not in verdicts:
            verdicts[text] = _broken(text, deployment, policy)
        if verdicts[text]:
            yield _finding(upstream, verdicts[text], policy)


def _broken(text: str, deployment: Deployment, policy: Policy) -> str:
    """Name the broken suites that a list brings in, and the OpenSSL releases where it is not all; empty if none."""
    found: dict[str, None] = {}
    libraries: list[str] = []
    targets = deployment.targets()
    for target in targets:
        suites = evaluate(text, build(target)).suites
        broken = [suite.name for suite in suites if broken_reason(suite) and not is_allowed(suite.name, policy)]
        if broken:
            found.update(dict.fromkeys(broken))
            libraries.append(str(target.openssl))
    if len(libraries) in (0, len(targets)):
        return some(found)
    return f"{some(found)} with OpenSSL {releases(libraries, [str(target.openssl) for target in targets])}"


def _finding(upstream: Upstream, broken: str, policy: Policy) -> Finding:
    written = upstream.ciphers.places[-1].directive.arguments
    # Apache's list has more in it than what is written
    argument = value_argument(upstream.ciphers) or (written[-1] if written else None)
    span = argument.span if argument is not None else upstream.place.span
    suites = policy.recommended_ciphers or policy.ciphers
    fix = Fix(f'use the list of policy "{policy.name}"', Safety.SAFE, (SetUpstream("ciphers", suites, upstream),))
    return rule.finding(
        "broken cipher suites are offered to upstreams for {endpoint}",
        span,
        severity=severity_of(upstream),
        label=broken,
        help=f"remove {spelt(upstream, 'ciphers')}, or name suites with ECDHE and AES-GCM or ChaCha20",
        endpoints=labels(upstream),
        fix=fix if suites else None,
    )
