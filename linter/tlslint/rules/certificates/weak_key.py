"""A certificate has a key that is too weak, or known to be broken.

## What it finds
RSA keys below 2048 bits and curves below 224, DSA keys, RSA keys with an unusable exponent, with a small factor, with
primes that are too close, keys of the flawed Infineon library (ROCA), and RSA keys whose private half is known: those
that Debian's OpenSSL made from 2006 to 2008, and those in the lists that `weak-key-lists` names. A server's key below
what the policy asks for is a warning. Intermediates that clients need count as well.

## Why it matters
Whoever computes the private key from the public one can be the server.

## What clients see
curl: `(60) SSL certificate problem: EE certificate key too weak`. At OpenSSL's usual security level the
server itself refuses short keys: `SSL_CTX_use_certificate("…") failed (… ee key too small)` (nginx), `AH02562: Failed
to configure certificate …` (Apache, and `apache2 -t` says nothing). Nobody notices the other flaws.

## How to fix it
Make a new key (P-256, or RSA with 2048 bits or more) and have a new certificate issued; revoke one whose key is broken.

## False alarms that it avoids
Roots are not judged. Debian's keys are told by a list, in which another key stands with a chance below one in a
thousand million. It has those of 2048 bits that were made on amd64, and on i386 but for those that OpenSSL 0.9.8g made
without a seed file (`~/.rnd`, which is there from the second key on). `weak-key-lists` is for others.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, described, elsewhere, file_span, named, sent_on_the_way

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.known_keys import KeyList

rule = Rule(
    code="TLS313",
    name="weak-key",
    severity=Severity.ERROR,
    summary="a certificate has a key that is too weak, or known to be broken",
    why="whoever computes the private key from the public one can be the server",
    seen='nginx does not start: SSL_CTX_use_certificate("…") failed (… ee key too small)',
    seen_apache="Apache does not start (apache2 -t says nothing): AH02562 … (ee key too small)",
    sources=(
        "NIST SP 800-131A revision 2",
        "CA/Browser Forum Baseline Requirements, 6.1.1.3",
        "CVE-2017-15361",
        "CVE-2008-0166",
    ),
)
SEEN_BROKEN = "nobody gets an error, that is the trap; scanners and authorities that check keys report it"
SEEN_POLICY = "nobody gets an error; audits against the policy report it"
SHORT = frozenset(("short", "weak-curve", "unnamed-curve"))


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each flaw of each key of each served file."""
    for served, chain in chains(deployment):
        for certificate in sent_on_the_way(chain):
            is_leaf = certificate == chain.leaf
            for message, label, severity, seen, source in _flaws(certificate, deployment, policy, is_leaf):
                what = f"{described(certificate, chain)} in {named(served)}"
                yield rule.finding(
                    f"the key of {what}, served for {{endpoint}}, {message}",
                    file_span(served.pairs[0]),
                    severity=severity,
                    label=label,
                    seen=seen,
                    source=source,
                    help="make a new key, and have a new certificate issued",
                    endpoints=served.labels,
                    related=elsewhere(served),
                )


def _flaws(
    certificate: "Certificate", deployment: Deployment, policy: Policy, is_leaf: bool
) -> Iterator[tuple[str, str, Severity, str, str]]:
    # only where there is a certificate
    from tlslint.pki.keys import key_flaws

    flaws = key_flaws(certificate, _lists(deployment.weak_key_lists))
    for flaw in flaws:
        what, seen = ("too weak", rule.seen) if flaw.weakness.value in SHORT else ("broken", SEEN_BROKEN)
        yield f"is {what}: {flaw.message}", flaw.weakness.value.replace("-", " "), Severity.ERROR, seen, ""
    if not flaws and is_leaf:
        for message, field in _outside(certificate, policy):
            label = f'not in policy "{policy.name}"'
            yield message, label, Severity.WARNING, SEEN_POLICY, policy.source_of(field)


def _lists(names: tuple[str, ...]) -> "tuple[KeyList, ...]":
    if not names:
        return ()
    # few runs have any
    from tlslint.pki.known_keys import key_lists

    return key_lists(names)


def _outside(certificate: "Certificate", policy: Policy) -> Iterator[tuple[str, str]]:
    bits, curve = certificate.key_bits or 0, certificate.curve
    if certificate.key_type == "rsa" and policy.minimum_rsa_bits is not None and bits < policy.minimum_rsa_bits:
        yield f"has {bits} bits, fewer than {policy.minimum_rsa_bits}", "minimum_rsa_bits"
    elif certificate.key_type == "ec" and policy.minimum_ecdsa_bits is not None and bits < policy.minimum_ecdsa_bits:
        yield f"has {bits} bits, fewer than {policy.minimum_ecdsa_bits}", "minimum_ecdsa_bits"
    elif curve is not None and policy.certificate_curves is not None and curve not in policy.certificate_curves:
        yield f"is on the curve {curve}", "certificate_curves"
