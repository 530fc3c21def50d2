"""A TLS 1.3 suite is offered that is weak or outside the policy.

## What it finds
What clients can negotiate with TLS 1.3: `TLS_AES_128_CCM_8_SHA256`, whose authentication tag has 64 bits only, suites
without encryption (`TLS_SHA256_SHA256`), and whatever else the policy does not list.

## Why it matters
A short tag makes forgeries likelier; suites without encryption send plain text.

## What clients see
Nothing.

## How to fix it
Set the policy's suites, or drop the command that sets others: OpenSSL's default is sound.

## False alarms that it avoids
Only what is negotiable counts. Where the policy has no opinion, only suites that are weak in themselves are reported.
A default that a policy does not want (ChaCha20-Poly1305 under NIST's) is reported once, at the first host it is used
by.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Handshake, Setting
from tlslint.rules.suites import decisive, some, suites_on
from tlslint.rules.words import governing, labels, listed, value_argument
from tlslint.tls.handshake import TLS13

rule = Rule(
    code="TLS208",
    name="weak-tls13-suite",
    severity=Severity.WARNING,
    summary="a TLS 1.3 suite is offered that is weak or outside the policy",
    why="a short authentication tag makes forgeries likelier; a suite without encryption hides nothing",
    seen="clients notice nothing; scanners report the suites",
    sources=("RFC 8446, section B.4", "RFC 9150", "Mozilla/TLSRef guidelines, ciphersuites"),
    fix=Safety.SAFE,
)
WEAK = ("TLS_AES_128_CCM_8_SHA256", "TLS_SHA256_SHA256", "TLS_SHA384_SHA384")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each list of TLS 1.3 suites that goes beyond the policy."""
    groups: dict[int, list[Handshake]] = {}
    for handshake in deployment.offers():
        if TLS13 in handshake.protocols and handshake.endpoints:
            groups.setdefault(id(handshake.tls.ciphersuites), []).append(handshake)
    for handshakes in groups.values():
        alike = {decisive(handshake): handshake for handshake in handshakes}
        names = dict.fromkeys(
            name
            for target in deployment.targets()
            for handshake in alike.values()
            for name in suites_on(deployment, handshake, target).get(TLS13, ())
            if _is_outside(name, policy)
        )
        if names:
            yield _finding(handshakes, list(names), policy)


def _is_outside(name: str, policy: Policy) -> bool:
    return name in WEAK if policy.tls13_ciphers is None else name not in policy.tls13_ciphers


def _finding(handshakes: list[Handshake], names: list[str], policy: Policy) -> Finding:
    setting = handshakes[0].tls.ciphersuites
    argument = value_argument(setting)
    endpoints = [endpoint for handshake in handshakes for endpoint in handshake.endpoints]
    weak = [name for name in names if name in WEAK]
    return rule.finding(
        f"{some(names)} {'is' if len(names) == 1 else 'are'} offered with TLS 1.3 by {{endpoint}}",
        argument.span if argument is not None else setting.span or endpoints[0].answering.span,
        label=("weak: " + some(weak) if weak else f'not in policy "{policy.name}"')
        + ("" if setting.explicit else "; OpenSSL's default, which nothing here changes"),
        source=policy.source_of("tls13_ciphers"),
        help=f"set Ciphersuites to {':'.join(policy.recommended_tls13_ciphers or policy.tls13_ciphers or ())}"
        if policy.tls13_ciphers
        else "take the weak suites out of Ciphersuites",
        endpoints=labels(endpoints),
        fix=_fix(setting, endpoints, names, policy),
    )


def _fix(setting: Setting[str | None], endpoints: list[Endpoint], outside: list[str], policy: Policy) -> Fix | None:
    others = [endpoint for endpoint in endpoints if endpoint.answering.tls.conf_commands.known != ()]
    if not setting.explicit and others:
        return None  # a further command would end the inheritance of those
    suites = policy.recommended_tls13_ciphers or policy.tls13_ciphers
    if suites is None:
        suites = tuple(name for name in (setting.known or "").split(":") if name not in outside)
    if not suites:
        return None
    intention = SetValue("ciphersuites", tuple(suites), setting, governing(endpoints, "ciphersuites"))
    return Fix(f"offer {listed(suites)} only", Safety.SAFE, (intention,))
