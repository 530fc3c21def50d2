"""The cipher suites of OpenSSL's releases, and what each library build has of them.

The tables are data (``data/openssl-*.json``), asked of the real libraries by ``tools/extract_openssl.py``. They are
read when a library is first asked for, never at import.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tlslint.facts import read_facts
from tlslint.record import dataclass, field, replace
from tlslint.regex import regex

#: Releases with a table of their own, oldest first.
GENERATIONS = ("1.0.2", "1.1.1", "3.0", "3.5", "4.0")


@dataclass(frozen=True, slots=True)
class Suite:
    """One cipher suite as one OpenSSL release knows it."""

    name: str
    """OpenSSL's name, ``ECDHE-RSA-AES128-GCM-SHA256``."""
    standard_name: str
    """IANA's name, ``TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256``; SSLv2's suites have their ``SSL_CK_…`` name."""
    id: int
    """IANA's number, ``0xC02F``; three bytes for SSLv2's suites."""
    kx: str
    """Key exchange: RSA, DHE, ECDHE, DHr, DHd, ECDHr, ECDHe, PSK, RSAPSK, DHEPSK, ECDHEPSK, SRP or any (TLS 1.3)."""
    auth: str
    """Authentication: RSA, ECDSA, DSS, DH, ECDH, PSK, SRP, NULL (anonymous) or any (TLS 1.3)."""
    enc: str
    """Cipher: AES128GCM, AES256, CHACHA20, 3DES, NULL …"""
    mac: str
    """Record authentication: AEAD, SHA1, SHA256, SHA384 or MD5."""
    min_protocol: str
    """The oldest protocol version that has the suite: SSLv2, SSLv3, TLSv1, TLSv1.2 or TLSv1.3."""
    bits: int
    """Strength in bits, as the release counts it for security levels."""
    strength: str = "NONE"
    """OpenSSL's class: HIGH, MEDIUM, LOW, EXP40, EXP56 or NONE."""
    flags: tuple[str, ...] = ()
    """FIPS, NOT_DEFAULT (not in ``DEFAULT``), EXPORT, NOT_EXP: what aliases select by."""

    @property
    def forward_secrecy(self) -> bool:
        """Whether the key exchange is ephemeral, so that a stolen certificate key opens no recorded traffic."""
        return self.kx in ("DHE", "ECDHE", "DHEPSK", "ECDHEPSK", "any")

    @property
    def aead(self) -> bool:
        """Whether the cipher authenticates what it encrypts (GCM, CCM, ChaCha20-Poly1305)."""
        return self.mac == "AEAD"

    @property
    def tls13(self) -> bool:
        """Whether the suite is one of TLS 1.3's."""
        return self.min_protocol == "TLSv1.3"


@dataclass(frozen=True, slots=True, eq=False)
class OpenSSL:
    """One library build. Builds are equal when they are the same object; ``library`` gives the same object for the
    same build."""

    version: str
    """As given: ``3.0.19``."""
    generation: str
    """The release whose behaviour it shares: 1.0.2, 1.1.1, 3.0, 3.5 or 4.0."""
    build: str | None
    """Who built it, or None for the library as the tables have it."""
    suites: tuple[Suite, ...] = field(repr=False)
    """Suites for TLS 1.2 and older, in the order in which ``ALL`` takes them."""
    tls13: tuple[Suite, ...] = field(repr=False)
    """TLS 1.3 suites that the library knows."""
    tls13_default: tuple[Suite, ...] = field(repr=False)
    """TLS 1.3 suites that are on when nothing sets them, in order."""
    default_string: str
    """What ``DEFAULT`` stands for."""
    security_level: int
    """The security level when no ``@SECLEVEL`` sets one; 0 for 1.0.2, which has no levels."""
    standard_names: bool
    """Whether cipher strings may use IANA's names (since 3.2)."""
    aliases: Mapping[str, Mapping[str, list[str]]] = field(repr=False)
    """What each alias selects by: property to values, ``!`` for all others. Aliases for which nothing is compiled in
    are absent."""

    @property
    def release(self) -> tuple[int, int, int]:
        """The version as numbers, without a patch letter."""
        return _release(self.version)[0]


# -- versions and builds -----------------------------------------------------------------------------------------------

_VERSION = regex(r"(\d+)\.(\d+)(?:\.(\d+))?([a-z]*)")


@cache
def _release(version: str) -> tuple[tuple[int, int, int], str]:
    match = _VERSION.match(version)
    if not match:
        raise ValueError(f"not an OpenSSL version: {version!r}")
    major, minor, patch, letter = match.groups()
    return (int(major), int(minor), int(patch or 0)), letter


@dataclass(frozen=True, slots=True)
class _Build:
    """How a distributor's build of one release differs from the table."""

    security_level: int
    without: frozenset[str]
    """Ciphers whose suites it has not."""
    unknown: frozenset[str]
    """Ciphers whose aliases it does not know."""


@cache
def _builds() -> dict[str, dict[str, _Build]]:
    data = read_facts(__file__, "data", "builds.json")["builds"]
    return {
        name: {
            release: _Build(build["security_level"], frozenset(build["without"]), frozenset(build["unknown"]))
            for release, build in releases.items()
        }
        for name, releases in data.items()
    }


def builds() -> tuple[str, ...]:
    """Names that ``library`` takes as ``build``."""
    return tuple(_builds())


@cache
def library(version: str, *, build: str | None = None) -> OpenSSL:
    """Describe the OpenSSL of ``version``.

    Args:
        version: ``1.0.2k``, ``3.0`` or ``3.0.19``. Between two tables the older one counts, with the changes that are
        known. build: Whose build it is (see ``builds()``). None is the library as it was measured, with everything
        compiled in that
            the measured one has; Debian's libraries have no RC4, 3DES, IDEA and SEED, for example.

    Raises:
        ValueError: the version is no version or older than 1.0.2, or the build is unknown or has no such version.
    """
    release, letter = _release(version)
    if release < (1, 0, 2):
        raise ValueError(f"OpenSSL {version} is older than 1.0.2, the oldest that is known")
    generation = next(g for g in reversed(GENERATIONS) if _release(g)[0][:3] <= release or g == "1.0.2")
    if release[:2] == (1, 1):
        generation = "1.1.1"
    # 3.2 brought IANA's names and counts CCM8 as 64 bits, as the table of 3.5 has it.
    table = _table("3.5" if (3, 2, 0) <= release < (3, 5, 0) else generation)
    openssl = replace(table, version=version, generation=generation)
    if generation in ("3.0", "3.5") and release >= (3, 2, 0):
        openssl = replace(openssl, security_level=2)
    if release == (1, 1, 0):
        aria = frozenset({"ARIA128GCM", "ARIA256GCM"})
        openssl = _without(replace(openssl, tls13=(), tls13_default=()), _Build(1, aria, aria))
    if generation == "1.0.2" and letter >= "g":
        openssl = _after_drown(openssl, sweet32=letter >= "i")
    if build is None:
        return openssl
    if build not in _builds():
        raise ValueError(f"unknown build {build!r}; known are {', '.join(builds())}")
    # 3.2 changed enough to be a release of its own here, in the middle of a generation.
    chosen = _builds()[build].get("3.2" if (3, 2, 0) <= release < (3, 5, 0) else generation)
    if chosen is None:
        raise ValueError(f"build {build!r} has no OpenSSL {version}")
    return replace(_without(openssl, chosen), build=build, security_level=chosen.security_level)


def _without(openssl: OpenSSL, build: _Build) -> OpenSSL:
    def known(masks: Mapping[str, list[str]]) -> bool:
        return "enc" not in masks or not build.unknown.issuperset(masks["enc"])

    return replace(
        openssl,
        suites=tuple(suite for suite in openssl.suites if suite.enc not in build.without),
        aliases={name: masks for name, masks in openssl.aliases.items() if known(masks)},
    )


def _after_drown(openssl: OpenSSL, *, sweet32: bool) -> OpenSSL:
    """1.0.2g dropped SSLv2, EXPORT and LOW from the default build; 1.0.2i moved 3DES from HIGH to MEDIUM (OpenSSL's
    CHANGES)."""
    suites = [s for s in openssl.suites if s.min_protocol != "SSLv2" and s.strength not in ("LOW", "EXP40", "EXP56")]
    if sweet32:
        suites = [replace(s, strength="MEDIUM") if s.enc == "3DES" else s for s in suites]
    aliases = dict(openssl.aliases)
    if sweet32:
        for name in ("DHE-DSS-DES-CBC3-SHA", "DHE-RSA-DES-CBC3-SHA"):
            aliases[name] = {**aliases[name], "strength": ["MEDIUM", "FIPS"]}
    return replace(openssl, suites=tuple(suites), aliases=aliases)


def _suite(row: list[Any]) -> Suite:
    name, standard_name, number, kx, auth, enc, mac, protocol, bits, strength, *flags = row
    return Suite(name, standard_name, number, kx, auth, enc, mac, protocol, bits, strength, tuple(flags))


@cache
def _table(generation: str) -> OpenSSL:
    data: dict[str, Any] = read_facts(__file__, "data", f"openssl-{generation}.json")
    tls13 = {
        name: Suite(name, name, number, "any", "any", enc, "AEAD", "TLSv1.3", bits, "HIGH")
        for name, number, enc, bits in data["tls13"]
    }
    return OpenSSL(
        version=generation,
        generation=generation,
        build=None,
        suites=tuple(_suite(row) for row in data["suites"]),
        tls13=tuple(tls13.values()),
        tls13_default=tuple(tls13[name] for name in data["tls13_default"]),
        default_string=data["default_string"],
        security_level=data["security_level"],
        standard_names=data["standard_names"],
        aliases=data["aliases"],
    )


# -- every suite, whatever the build -----------------------------------------------------------------------------------


@cache
def _known() -> dict[str, Suite]:
    known: dict[str, Suite] = {}
    for generation in GENERATIONS:
        table = _table(generation)
        for suite in (*reversed(table.suites), *table.tls13):
            if suite.min_protocol != "SSLv2" or suite.name not in known:
                known[suite.name] = suite
    return known


class _Known(Mapping[str, Suite]):
    """Reads the tables when it is first used."""

    def __getitem__(self, name: str) -> Suite:
        return _known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_known())

    def __len__(self) -> int:
        return len(_known())


#: Every cipher suite that any known library has, by OpenSSL's name, as the newest library that has it sees it.
KNOWN: Mapping[str, Suite] = _Known()


@cache
def known_aliases() -> frozenset[str]:
    """Every alias that any known library has, and the keywords ``DEFAULT`` and ``SUITEB…``."""
    keywords = {"DEFAULT", "SUITEB128", "SUITEB128ONLY", "SUITEB128C2", "SUITEB192"}
    return frozenset(keywords.union(*(_table(generation).aliases for generation in GENERATIONS)))


@cache
def by_standard_name() -> dict[str, Suite]:
    """The suites of ``KNOWN`` by IANA's name."""
    return {suite.standard_name: suite for suite in KNOWN.values()}


# -- broken suites -----------------------------------------------------------------------------------------------------

#: Aliases that select nothing but broken suites, with the reason that ``broken_reason`` gives for them.
BROKEN_ALIASES: Mapping[str, str] = {
    "NULL": "NULL",
    "eNULL": "NULL",
    "COMPLEMENTOFALL": "NULL",
    "aNULL": "anonymous",
    "ADH": "anonymous",
    "AECDH": "anonymous",
    "EXP": "EXPORT",
    "EXPORT": "EXPORT",
    "EXPORT40": "EXPORT",
    "EXPORT56": "EXPORT",
    "LOW": "DES",
    "DES": "DES",
    "RC4": "RC4",
    "RC2": "RC2",
    "MD5": "MD5",
    "3DES": "3DES",
    "IDEA": "IDEA",
    "SEED": "SEED",
}


def broken_reason(suite: Suite) -> str | None:
    """Why nobody should use ``suite``: NULL, anonymous, EXPORT, DES, RC4, RC2, MD5, 3DES, IDEA or SEED; None when it
    is sound.

    The worst reason comes first. NULL suites send plain text, anonymous ones and EXPORT keys fall to an attacker in the
    middle; RFC 7465 forbids RC4; 3DES and IDEA have 64-bit blocks (CVE-2016-2183, RFC 5469 for DES and IDEA); RC2 and
    MD5 go back to SSLv2; SEED is a legacy cipher for OpenSSL since 3.0.
    """
    if suite.enc == "NULL":
        return "NULL"
    if suite.auth == "NULL":
        return "anonymous"
    if suite.strength.startswith("EXP"):
        return "EXPORT"
    if suite.enc in ("DES", "RC4", "RC2"):
        return suite.enc
    if suite.mac == "MD5":
        return "MD5"
    return suite.enc if suite.enc in ("3DES", "IDEA", "SEED") else None
