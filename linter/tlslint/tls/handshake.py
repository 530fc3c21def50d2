"""Protocols × suites × certificate key types × security level × library: what is really negotiable.

`negotiate` is pure: values in, `Negotiation` out, nothing about servers or files.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from tlslint.record import dataclass
from tlslint.target import Target, Version
from tlslint.tls.ciphers import (
    CipherList,
    OpenSSL,
    Suite,
    builds,
    evaluate,
    evaluate_tls13,
    level_set_by,
    library,
    tls13_default,
    usable,
)
from tlslint.tls.groups import Group, evaluate_groups, groups_default, usable_groups
from tlslint.tls.groups import groups as groups_of
from tlslint.tls.protocols import PROTOCOLS, compiled, has_suite, lowest_range, oldest_at_level, oldest_version

TLS13 = "TLSv1.3"
TLS12 = "TLSv1.2"
TLS13_CURVES = frozenset(("prime256v1", "secp384r1", "secp521r1"))
"""Curves whose ECDSA keys have a TLS 1.3 signature scheme (RFC 8446, section 4.2.3)."""
EDWARDS = frozenset(("ed25519", "ed448"))
UNKNOWN_KEY = ("unknown", 0, "")
_OLDEST = Version("1.0.2")

KeyKind = tuple[str, int, str]
"""Key type, size in bits, curve: `("ec", 256, "prime256v1")`, `("rsa", 2048, "")`."""


@dataclass(frozen=True, slots=True)
class Negotiation:
    """What a scanner would find: versions and suites in the server's order, groups; `reason` where nothing works."""

    protocols: tuple[str, ...]
    ciphers: tuple[tuple[str, tuple[str, ...]], ...]
    groups: tuple[str, ...]
    security_level: int
    reason: str = ""
    suite_b: bool = False
    """Whether a Suite B word in the cipher list is in force: the server's order then decides, whatever is set."""


@cache
def build(target: Target) -> OpenSSL:
    """Return the description of the target's OpenSSL.

    Another library is taken for the current OpenSSL, a release before 1.0.2 for that one.
    """
    distributor = (target.platform or "").partition("-")[0]
    version = target.openssl or target.concrete().openssl or Version("3.5")
    return library(str(max(version, _OLDEST)), build=distributor if distributor in builds() else "upstream")


@lru_cache(maxsize=4096)
def level_of(cipher_string: str, security_level: int | None, target: Target) -> int:
    """Return the security level that a server ends up with: its cipher string's, openssl.cnf's, or the target's own."""
    level = level_set_by(cipher_string, build(target))
    if level is None:
        level = target.effective_security_level if security_level is None else security_level
    return level


@lru_cache(maxsize=1024)
def opening_failure(
    enabled: frozenset[str], cipher_string: str, ciphersuites: str | None, target: Target, level: int
) -> str:
    """Say why OpenSSL gives up before it reads a ClientHello, with the settings of a socket's default server; or empty.

    It does when no version is left, and when no suite is listed for the newest version of the lowest range without a
    hole (measured: `TLSv1 TLSv1.3` with suites for TLS 1.2 only; an empty list of TLS 1.3 suites).
    """
    openssl = build(target)
    if openssl.generation == "1.0.2":
        return ""
    versions = lowest_range(enabled, openssl, level)
    if not versions:
        return "no protocol version is left for the default server of this socket"
    suites = tls13_default(openssl) if ciphersuites is None else evaluate_tls13(ciphersuites, openssl).suites
    listed = (*suites, *evaluate(cipher_string, openssl).suites)
    if any(has_suite(versions[-1], suite, openssl) for suite in listed):
        return ""
    return f"the default server of this socket lists no cipher suite for {versions[-1]}"


SIGNATURE_KEYS = {"rsa": ("rsa",), "rsa-pss": ("rsa",), "rsassa-pss": ("rsa",), "ecdsa": ("ec",), "dsa": ("dsa",)}
ECDSA_CURVES = {"secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
ECDSA_HASH_CURVES = {"sha256": "prime256v1", "sha384": "secp384r1", "sha512": "secp521r1"}


def signs(key: KeyKind, protocol: str, algorithms: str | None) -> bool:
    """Whether a key can sign a handshake of that version with one of the signature algorithms (None: OpenSSL's own)."""
    kind, _, curve = key
    if algorithms is None or kind == "unknown" or protocol < TLS12:
        return True
    return any(_matches(word.strip().lower(), kind, curve, protocol == TLS13) for word in algorithms.split(":"))


def _matches(word: str, kind: str, curve: str, tls13: bool) -> bool:
    word = word.removeprefix("?")
    if word in EDWARDS or word.startswith(("ml-dsa", "mldsa")):
        return word == kind or word.replace("mldsa", "ml-dsa-") == kind
    if "+" in word:
        name, _, digest = word.partition("+")
        if name == "ecdsa" and tls13:
            return kind == "ec" and ECDSA_HASH_CURVES.get(digest) == curve
        if name == "rsa" and tls13:
            return False  # TLS 1.3 signs with RSA-PSS only
        return kind in SIGNATURE_KEYS.get(name, ())
    if word.startswith("rsa_pss_rsae_"):
        return kind == "rsa"
    if word.startswith("rsa_pkcs1_"):
        return kind == "rsa" and not tls13
    if word.startswith("ecdsa_"):
        wanted = ECDSA_CURVES.get(word.split("_")[1])
        return kind == "ec" and (not tls13 or wanted == curve)
    return False


@lru_cache(maxsize=4096)
def negotiate(
    enabled: frozenset[str],
    cipher_string: str,
    ciphersuites: str | None,
    groups: str,
    keys: tuple[KeyKind, ...],
    dh_params: bool,
    target: Target,
    quic: bool = False,
    security_level: int | None = None,
    signature_algorithms: str | None = None,
    version_level: int = 0,
) -> Negotiation:
    """Work out what is negotiable.

    `enabled` are the versions that the configuration switches on; `ciphersuites` None and `groups` `auto` mean the
    library's defaults; `dh_params` is whether DHE suites have parameters. `security_level` is the level where the
    cipher string names none; by default the target's. `signature_algorithms` restricts what the server signs with.
    `version_level` is the security level in force while the version is chosen, where that is another server's.
    """
    openssl = build(target)
    listed = evaluate(cipher_string, openssl)
    level = level_of(cipher_string, security_level, target)
    oldest = oldest_version(openssl, version_level)
    if quic:
        enabled = enabled & {TLS13}
    if listed.only_groups:
        # a Suite B word in the list leaves nothing but its curves (RFC 6460), for keys as for the exchange
        groups = ":".join(listed.only_groups)
        keys = tuple(key for key in keys if key == UNKNOWN_KEY or (key[0] == "ec" and key[2] in listed.only_groups))
    selected = groups_default(openssl) if groups == "auto" else evaluate_groups(groups, openssl).groups
    allowed = usable_groups(selected, level, openssl)
    known = compiled(openssl)
    result: list[tuple[str, tuple[str, ...]]] = []
    for protocol in PROTOCOLS:
        if protocol not in enabled or protocol not in known or protocol < oldest:
            continue
        kinds = tuple(key for key in keys if protocol >= oldest_at_level(openssl, level, _library_name(key)))
        signing = tuple(key for key in kinds if signs(key, protocol, signature_algorithms))
        if protocol == TLS13:
            suites = _tls13_suites(ciphersuites, openssl, level, signing, allowed)
        else:
            suites = _suites(listed, protocol, openssl, level, signing, dh_params, allowed)
        if suites:
            result.append((str(protocol), tuple(suite.name for suite in suites)))
    protocols = tuple(protocol for protocol, _ in result)
    return Negotiation(
        protocols=protocols,
        ciphers=tuple(result),
        groups=_negotiable_groups(allowed, protocols, result),
        security_level=level,
        reason="" if protocols else _reason(enabled, known, level, openssl, listed, keys),
        suite_b=bool(listed.only_groups),
    )


def _library_name(key: KeyKind) -> str | None:
    return {"rsa": "rsa", "ec": "ecdsa"}.get(key[0])


def _tls13_suites(
    ciphersuites: str | None, openssl: OpenSSL, level: int, keys: tuple[KeyKind, ...], groups: tuple[Group, ...]
) -> tuple[Suite, ...]:
    suites = tls13_default(openssl) if ciphersuites is None else evaluate_tls13(ciphersuites, openssl).suites
    if not any(group.tls13 for group in groups) or not any(_signs_tls13(key) for key in keys):
        return ()
    return usable([suite for suite in suites if suite.tls13], level, openssl)


def tls13_suites(ciphersuites: str | None, target: Target, level: int) -> tuple[str, ...]:
    """Return the TLS 1.3 suites that are listed and allowed at a security level, in the server's order."""
    openssl = build(target)
    suites = tls13_default(openssl) if ciphersuites is None else evaluate_tls13(ciphersuites, openssl).suites
    return tuple(suite.name for suite in usable([suite for suite in suites if suite.tls13], level, openssl))


def _signs_tls13(key: KeyKind) -> bool:
    kind, _, curve = key
    if kind == "ec":
        return curve in TLS13_CURVES
    return kind in ("unknown", "rsa") or kind in EDWARDS or kind.startswith("ml-dsa")


def _suites(
    listed: CipherList,
    protocol: str,
    openssl: OpenSSL,
    level: int,
    keys: tuple[KeyKind, ...],
    dh_params: bool,
    groups: tuple[Group, ...],
) -> tuple[Suite, ...]:
    kinds = {kind for kind, _, _ in keys}
    anything = "unknown" in kinds
    authentications = {
        "RSA": anything or "rsa" in kinds,
        "ECDSA": anything or "ec" in kinds or (protocol == TLS12 and bool(kinds & EDWARDS)),
        "DSS": anything or "dsa" in kinds,
        "NULL": True,
    }
    # OpenSSL looks for a signature algorithm even where the suite then only decrypts
    exchanges = {"RSA": authentications["RSA"], "ECDHE": any(group.tls12 for group in groups), "DHE": dh_params}
    return tuple(
        suite
        for suite in usable(listed.suites, level, openssl)
        if has_suite(protocol, suite, openssl)
        and authentications.get(suite.auth, False)
        and exchanges.get(suite.kx, False)
    )


def groups_below_tls13(names: Iterable[str], ciphers: Mapping[str, tuple[str, ...]], target: Target) -> tuple[str, ...]:
    """Return those of the groups that count without TLS 1.3; `ciphers` are the suites of the other versions."""
    known = {group.name: group for group in groups_of(build(target))}
    return _negotiable_groups(tuple(known[name] for name in names if name in known), tuple(ciphers), ciphers.items())


def _negotiable_groups(
    groups: tuple[Group, ...], protocols: tuple[str, ...], ciphers: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[str, ...]:
    tls13 = TLS13 in protocols
    ecdhe = any(
        protocol != TLS13 and any(name.startswith(("ECDHE", "AECDH")) for name in suites)
        for protocol, suites in ciphers
    )
    return tuple(group.name for group in groups if (tls13 and group.tls13) or (ecdhe and group.tls12))


def _reason(
    enabled: frozenset[str],
    known: tuple[str, ...],
    level: int,
    openssl: OpenSSL,
    listed: CipherList,
    keys: tuple[KeyKind, ...],
) -> str:
    if not enabled:
        return "no protocol version is enabled"
    if not any(protocol in enabled and protocol >= oldest_at_level(openssl, level) for protocol in known):
        return "the TLS library negotiates none of the enabled protocol versions"
    if not keys:
        return "no certificate can be used: its private key is of another type"
    if listed.error:
        return f"the cipher string is refused: {listed.error}"
    return "no enabled cipher suite can be used with the certificate"
