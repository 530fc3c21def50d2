"""Protocols × suites × certificate key types × security level × library: what is really negotiable.

`negotiate` is pure: values in, `Negotiation` out, nothing about servers or files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tlslint.target import Target
from tlslint.tls.ciphers import CipherList, OpenSSL, Suite, evaluate, evaluate_tls13, library, tls13_default
from tlslint.tls.groups import evaluate_groups
from tlslint.tls.protocols import PROTOCOLS, negotiable_protocols

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


def build(target: Target) -> OpenSSL:
    """Return the description of the target's OpenSSL; another library is taken for the current OpenSSL."""
    concrete = target.concrete()
    return library(str(concrete.openssl or "3.5"), build=concrete.platform)


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
    available = negotiable_protocols(openssl, level)
    group_names = _groups(groups, openssl, level)
    result: list[tuple[str, tuple[str, ...]]] = []
    for protocol in PROTOCOLS:
        if protocol not in enabled or protocol not in available:
            continue
        suites = (
            _tls13_suites(ciphersuites, openssl, level, keys, group_names)
            if protocol == TLS13
            else _suites(listed, protocol, openssl, level, keys, dh_params, group_names)
        )
        if suites:
            result.append((protocol, tuple(suite.name for suite in suites)))
    protocols = tuple(protocol for protocol, _ in result)
    return Negotiation(
        protocols=protocols,
        ciphers=tuple(result),
        groups=_usable_groups(group_names, protocols, result, openssl),
        security_level=level,
        reason="" if protocols else _reason(enabled, frozenset(available), listed, keys),
    )


def _groups(groups: str, openssl: OpenSSL, level: int) -> tuple[str, ...]:
    return tuple(group.name for group in evaluate_groups(groups, openssl).groups if group.allowed_at(level))


def _tls13_suites(
    ciphersuites: str | None, openssl: OpenSSL, level: int, keys: tuple[KeyKind, ...], groups: tuple[str, ...]
) -> tuple[Suite, ...]:
    suites = tls13_default(openssl) if ciphersuites is None else evaluate_tls13(ciphersuites, openssl).suites
    if not groups or not any(_signs_tls13(key) for key in keys):
        return ()
    return tuple(suite for suite in suites if suite.allowed_at(level, openssl))


def _signs_tls13(key: KeyKind) -> bool:
    kind, _, curve = key
    if kind == "ec":
        return curve in TLS13_CURVES
    return kind == "unknown" or kind == "rsa" or kind in EDWARDS or kind.startswith("ml-dsa")


def _suites(
    listed: CipherList,
    protocol: str,
    openssl: OpenSSL,
    level: int,
    keys: tuple[KeyKind, ...],
    dh_params: bool,
    groups: tuple[str, ...],
) -> tuple[Suite, ...]:
    kinds = {kind for kind, _, _ in keys}
    anything = "unknown" in kinds
    authentications = {
        "RSA": anything or "rsa" in kinds,
        "ECDSA": anything or "ec" in kinds or (protocol == TLS12 and bool(kinds & EDWARDS)),
        "DSS": anything or "dsa" in kinds,
        "None": True,
    }
    curves = any(name in openssl.tls12_groups for name in groups)
    exchanges = {"RSA": anything or "rsa" in kinds, "ECDHE": curves, "DHE": dh_params}
    return tuple(
        suite
        for suite in listed.suites
        if suite.usable_in(protocol)
        and suite.allowed_at(level, openssl)
        and authentications.get(suite.auth, False)
        and exchanges.get(suite.kx, False)
    )


def _usable_groups(
    names: tuple[str, ...], protocols: tuple[str, ...], ciphers: Iterable[tuple[str, tuple[str, ...]]], openssl: OpenSSL
) -> tuple[str, ...]:
    tls13 = TLS13 in protocols
    ecdhe = any(protocol != TLS13 and any(name.startswith("ECDHE") or name.startswith("AECDH") for name in suites)
                for protocol, suites in ciphers)  # fmt: skip
    return tuple(
        name
        for name in names
        if (tls13 and name in openssl.tls13_groups) or (ecdhe and name in openssl.tls12_groups)
    )


def _reason(
    enabled: frozenset[str], available: frozenset[str], listed: CipherList, keys: tuple[KeyKind, ...]
) -> str:
    if not enabled:
        return "no protocol version is enabled"
    if not enabled & available:
        return "the TLS library negotiates none of the enabled protocol versions"
    if not keys:
        return "no certificate can be used: its private key is of another type"
    if listed.error:
        return f"the cipher string is refused: {listed.error}"
    return "no enabled cipher suite can be used with the certificate"
