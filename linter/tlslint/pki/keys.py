"""Whether a public key is strong enough, and whether it is one of the kinds that are known to be broken.

What is computed: size, curve, exponent, small factors, close primes (Fermat), and the fingerprint of the Infineon
library (ROCA, CVE-2017-15361). What can only be told by lists is in `known_keys`: the keys that Debian's OpenSSL made
from 2006 to 2008 (CVE-2008-0166), and what the user knows of.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache, lru_cache
from math import gcd, isqrt, prod
from typing import TYPE_CHECKING

from tlslint.pki.certificate import Certificate
from tlslint.record import dataclass

if TYPE_CHECKING:
    from tlslint.pki.known_keys import KeyList

MINIMUM_RSA_BITS = 2048
MINIMUM_CURVE_BITS = 224
"""112 bits of security: NIST SP 800-131A revision 2, and OpenSSL's security level 2."""

_FERMAT_ROUNDS = 100
_SMALL_PRIMES_BELOW = 752
_ROCA_GENERATOR = 65537
_ROCA_LARGEST_PRIME = 167
_SECURITY_BITS = ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80))
_FIXED_SECURITY_BITS = {"ed25519": 128, "ed448": 224, "ml-dsa-44": 128, "ml-dsa-65": 192, "ml-dsa-87": 256}


class Weakness(Enum):
    """What is wrong with a key."""

    SHORT = "short"
    WEAK_CURVE = "weak-curve"
    UNNAMED_CURVE = "unnamed-curve"
    DSA = "dsa"
    EXPONENT = "exponent"
    FACTORABLE = "factorable"
    CLOSE_PRIMES = "close-primes"
    ROCA = "roca"
    DEBIAN = "debian"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class KeyFlaw:
    """One weakness of a key, and a phrase that says what it is."""

    weakness: Weakness
    message: str


def key_flaws(
    certificate: Certificate, lists: "Sequence[KeyList]" = (), *, minimum_rsa_bits: int = MINIMUM_RSA_BITS
) -> tuple[KeyFlaw, ...]:
    """Return what is wrong with the key of a certificate; nothing for kinds of key that are not known here.

    An RSA key is looked for in `lists` too.
    """
    match certificate.key_type:
        case "rsa" if certificate.rsa_numbers:
            flaws = rsa_flaws(*certificate.rsa_numbers, minimum_bits=minimum_rsa_bits)
            return (*flaws, *_listed_flaws(certificate.rsa_numbers[0], lists, flaws)) if lists else flaws
        case "ec":
            return tuple(_curve_flaws(certificate))
        case "dsa":
            return (KeyFlaw(Weakness.DSA, "DSA keys are no longer accepted by any TLS client"),)
    return ()


def security_bits(certificate: Certificate) -> int | None:
    """Return the strength of the key in bits, as OpenSSL's security levels count it; None for unknown kinds of key."""
    bits = certificate.key_bits
    if certificate.key_type in ("rsa", "dsa") and bits is not None:
        return next((strength for size, strength in _SECURITY_BITS if bits >= size), 0)
    if certificate.key_type == "ec" and bits is not None:
        return bits // 2
    return _FIXED_SECURITY_BITS.get(certificate.key_type)


def _curve_flaws(certificate: Certificate) -> Iterator[KeyFlaw]:
    bits = certificate.key_bits
    if certificate.curve is None:
        yield KeyFlaw(Weakness.UNNAMED_CURVE, "the curve is spelled out instead of named, which TLS does not allow")
    elif bits is not None and bits < MINIMUM_CURVE_BITS:
        yield KeyFlaw(Weakness.WEAK_CURVE, f"{certificate.curve} has only {bits} bits")


@lru_cache(maxsize=1 << 14)
def rsa_flaws(modulus: int, exponent: int, *, minimum_bits: int = MINIMUM_RSA_BITS) -> tuple[KeyFlaw, ...]:
    """Return what is wrong with an RSA key."""
    return tuple(_rsa_flaws(modulus, exponent, minimum_bits))


def _rsa_flaws(modulus: int, exponent: int, minimum_bits: int) -> Iterator[KeyFlaw]:
    bits = modulus.bit_length()
    if bits < minimum_bits:
        yield KeyFlaw(Weakness.SHORT, f"the RSA key has {bits} bits, fewer than {minimum_bits}")
    if exponent < 3 or exponent % 2 == 0:
        yield KeyFlaw(Weakness.EXPONENT, f"{exponent} is no usable public exponent")
    if gcd(modulus, _product_of_small_primes()) != 1:
        yield KeyFlaw(Weakness.FACTORABLE, "the modulus has a small factor")
    elif has_close_primes(modulus):
        yield KeyFlaw(Weakness.CLOSE_PRIMES, "the two primes of the modulus are so close that it is easily factored")
    if is_roca(modulus):
        yield KeyFlaw(Weakness.ROCA, "the key was made by the flawed Infineon library (ROCA, CVE-2017-15361)")
    # most keys are on curves
    from tlslint.pki.known_keys import made_by_debian

    if made_by_debian(modulus):
        message = "everybody can have the private key, one of the few that Debian's OpenSSL made from 2006 to 2008"
        yield KeyFlaw(Weakness.DEBIAN, f"{message} (CVE-2008-0166)")


def _listed_flaws(modulus: int, lists: "Sequence[KeyList]", others: Sequence[KeyFlaw]) -> Iterator[KeyFlaw]:
    from tlslint.pki.known_keys import listed

    name = listed(modulus, lists)
    if name is not None and not any(flaw.weakness is Weakness.DEBIAN for flaw in others):
        message = f'others can have the private key, as it is in a list of known ones ("{name}")'
        yield KeyFlaw(Weakness.LISTED, message)


def has_close_primes(modulus: int, rounds: int = _FERMAT_ROUNDS) -> bool:
    """Whether Fermat's method factors the modulus within `rounds` steps (CA/B baseline requirements, 6.1.1.3)."""
    if modulus < 2 or modulus % 2 == 0:
        return modulus > 2
    candidate = isqrt(modulus)
    candidate += candidate * candidate < modulus
    rest = candidate * candidate - modulus
    # most numbers leave remainders that no square leaves, which is seen sooner than a root is taken
    of_720, of_1001 = _squares_modulo(720), _squares_modulo(1001)
    for _ in range(rounds):
        if rest % 720 in of_720 and rest % 1001 in of_1001 and isqrt(rest) ** 2 == rest:
            return True
        rest += 2 * candidate + 1
        candidate += 1
    return False


@cache
def _squares_modulo(modulus: int) -> frozenset[int]:
    return frozenset(number * number % modulus for number in range(modulus))


def is_roca(modulus: int) -> bool:
    """Whether a modulus bears the fingerprint of the Infineon library.

    Its primes have the form k * M + (65537 ** a mod M), with M the product of the first primes. So modulo each of
    these small primes the modulus lies in the subgroup that 65537 generates (Nemec and others, "The Return of
    Coppersmith's Attack", CCS 2017, section 2.3). Another modulus does so with a chance below 2 ** -27.
    """
    return all(modulus % prime in subgroup for prime, subgroup in _roca_subgroups())


@cache
def _roca_subgroups() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each odd prime up to 167 the subgroup, where it is not the whole group and so tells something."""
    primes = _primes_below(_ROCA_LARGEST_PRIME + 1)[1:]
    groups = ((prime, _subgroup(_ROCA_GENERATOR, prime)) for prime in primes)
    return tuple((prime, group) for prime, group in groups if len(group) < prime - 1)


def _subgroup(generator: int, prime: int) -> frozenset[int]:
    members, member = {1}, generator % prime
    while member not in members:
        members.add(member)
        member = member * generator % prime
    return frozenset(members)


@cache
def _product_of_small_primes() -> int:
    return prod(_primes_below(_SMALL_PRIMES_BELOW))


def _primes_below(limit: int) -> tuple[int, ...]:
    return tuple(number for number in range(2, limit) if all(number % d for d in range(2, isqrt(number) + 1)))
