"""Protocols × suites × certificate key types × security level × library: what is really negotiable.

`negotiate` is pure: values in, `Negotiation` out, nothing about servers or files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from tlslint.target import Target
from tlslint.tls.ciphers import (
    CipherList,
    OpenSSL,
    Suite,
    builds,
    evaluate,
    evaluate_tls13,
    library,
    tls13_default,
    usable,
)
from tlslint.tls.groups import Group, evaluate_groups, groups_default, usable_groups
from tlslint.tls.protocols import PROTOCOLS, compiled, has_suite, oldest_at_level

TLS13 = "TLSv1.3"
TLS12 = "TLSv1.2"
TLS13_CURVES = frozenset(("prime256v1", "secp384r1", "secp521r1"))
"""Curves whose ECDSA keys have a TLS 1.3 signature scheme (RFC 8446, section 4.2.3)."""
EDWARDS = frozenset(("ed25519", "ed448"))
UNKNOWN_KEY = ("unknown", 0, "")

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


@cache
def build(target: Target) -> OpenSSL:
    """Return the description of the target's OpenSSL; another library is taken for the current OpenSSL."""
    distributor = (target.platform or "").partition("-")[0]
    version = target.openssl or target.concrete().openssl
    return library(str(version or "3.5"), build=distributor if distributor in builds() else "upstream")


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
) -> Negotiation:
    """Work out what is negotiable.

    `enabled` are the versions that the configuration switches on; `ciphersuites` None and `groups` `auto` mean the
    library's defaults; `dh_params` is whether DHE suites have parameters. `security_level` is the level where the
    cipher string names none; by default the target's.
    """
    openssl = build(target)
    listed = evaluate(cipher_string, openssl)
    level = listed.security_level
    if level is None:
        level = target.effective_security_level if security_level is None else security_level
    if quic:
        enabled = enabled & {TLS13}
    selected = groups_default(openssl) if groups == "auto" else evaluate_groups(groups, openssl).groups
    allowed = usable_groups(selected, level, openssl)
    known = compiled(openssl)
    result: list[tuple[str, tuple[str, ...]]] = []
    for protocol in PROTOCOLS:
        if protocol not in enabled or protocol not in known:
            continue
        kinds = tuple(key for key in keys if protocol >= oldest_at_level(openssl, level, _library_name(key)))
        if protocol == TLS13:
            suites = _tls13_suites(ciphersuites, openssl, level, kinds, allowed)
        else:
            suites = _suites(listed, protocol, openssl, level, kinds, dh_params, allowed)
        if suites:
            result.append((str(protocol), tuple(suite.name for suite in suites)))
    protocols = tuple(protocol for protocol, _ in result)
    return Negotiation(
        protocols=protocols,
        ciphers=tuple(result),
        groups=_negotiable_groups(allowed, protocols, result),
        security_level=level,
        reason="" if protocols else _reason(enabled, known, level, openssl, listed, keys),
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
    rsa = anything or "rsa" in kinds
    authentications = {
        "RSA": rsa,
        "ECDSA": anything or "ec" in kinds or (protocol == TLS12 and bool(kinds & EDWARDS)),
        "DSS": anything or "dsa" in kinds,
        "NULL": True,
    }
    exchanges = {"RSA": rsa, "ECDHE": any(group.tls12 for group in groups), "DHE": dh_params}
    return tuple(
        suite
        for suite in usable(listed.suites, level, openssl)
        if has_suite(protocol, suite, openssl)
        and authentications.get(suite.auth, False)
        and exchanges.get(suite.kx, False)
    )


def _negotiable_groups(
    groups: tuple[Group, ...], protocols: tuple[str, ...], ciphers: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[str, ...]:
    tls13 = TLS13 in protocols
    ecdhe = any(
        protocol != TLS13 and any(name.startswith(("ECDHE", "AECDH")) for name in suites) for protocol, suites in ciphers
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
