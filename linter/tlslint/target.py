"""Which server, TLS library and platform a prediction is for.

Server behaviour differs by version, so everything that predicts asks a `Target`. Facts about releases and platforms
live in `data/platforms.json`, each with its source; a fact that could not be established is null there and None here.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import cache, total_ordering
from types import MappingProxyType
from typing import Any, Final, Literal

from tlslint.facts import read_facts
from tlslint.record import dataclass, field, replace
from tlslint.regex import regex

ServerKind = Literal["nginx", "apache"]

LIBRARIES: Final = ("openssl", "libressl", "boringssl", "aws-lc")
"""The TLS libraries that a target can name; "openssl" is assumed unless a target says otherwise."""

_SERVER_KINDS: Final = ("nginx", "apache")
_KEY_ALIASES: Final = {"httpd": "apache", "apache2": "apache", "awslc": "aws-lc"}
_VERSION: Final = regex(r"(\d+(?:\.\d+)*)([a-z]*)(?:[-+~].*)?", re.ASCII)


class TargetError(Exception):
    """A target that cannot be understood; the message names what was written and what would be right."""


@total_ordering
class Version:
    """A release number such as "1.22.1", "3.0.19" or "1.0.2e", ordered as its project orders releases.

    Missing parts count as zero ("3.0" equals "3.0.0"), letters follow their number (1.0.2 < 1.0.2a < 1.0.2z < 1.0.2za),
    and a packager's suffix ("1.22.1-9+deb12u3", "1.0.2k-fips") does not count. `str()` gives back what was written.
    """

    __slots__ = ("_key", "_text")

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version number")
        numbers = [int(part) for part in match[1].split(".")]
        while numbers and numbers[-1] == 0:
            numbers.pop()
        letters = match[2]
        if letters:  # a letter belongs to the third number of old OpenSSL releases: 1.1.0h is above 1.1.0
            numbers += [0] * (3 - len(numbers))
        self._text = text
        self._key = (tuple(numbers), len(letters), letters)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numeric parts, without zeros at the end."""
        return self._key[0]

    @property
    def branch(self) -> str:
        """The release branch: "1.28" of 1.28.3, "3.0" of 3.0.19."""
        major, minor = (*self.numbers, 0, 0)[:2]
        return f"{major}.{minor}"

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Version) else NotImplemented

    def __lt__(self, other: "Version") -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        # without zeros at their ends, numbers of different length compare as if filled up with zeros
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Version({self._text!r})"


@dataclass(frozen=True, slots=True)
class OpenSSLConf:
    """The TLS defaults that a platform's openssl.cnf gives to every program (section `system_default`).

    None = not set there.
    """

    min_protocol: str | None = None
    max_protocol: str | None = None
    cipher_string: str | None = None
    ciphersuites: str | None = None
    groups: str | None = None
    signature_algorithms: str | None = None
    options: str | None = None
    unknown: frozenset[str] = frozenset()
    """Fields that are None only because their value could not be established."""

    @property
    def security_level(self) -> int | None:
        """The `@SECLEVEL` of CipherString. It stays in force under a server's own cipher list that names no level."""
        levels = re.findall(r"@SECLEVEL=([0-5])", self.cipher_string or "")
        return int(levels[-1]) if levels else None


@dataclass(frozen=True, slots=True)
class Target:
    """The versions that a prediction is for.

    None means not known; `concrete()` fills the gaps with the current releases.
    """

    server_kind: ServerKind
    server: Version | None = None
    """nginx or httpd version, by `server_kind`."""
    openssl: Version | None = None
    """OpenSSL version; None too when the library is another one."""
    platform: str | None = None
    """Canonical platform name such as "debian-12"."""
    security_level: int | None = None
    """Security level compiled into the platform's OpenSSL; None = the library's own default."""
    legacy_tls_level: int | None = None
    """Highest security level at which a patched OpenSSL negotiates TLS 1.0 and 1.1; None = as its version does."""
    openssl_conf: OpenSSLConf = OpenSSLConf()
    library: str = "openssl"
    library_version: Version | None = None
    """Version of a library that is not OpenSSL."""
    patches: frozenset[str] = field(default=frozenset())
    """Fixes that the platform's server package carries beyond its version number, by CVE name."""
    known: bool = False
    """True when the server's version was given, by number, platform or installed binary."""

    def __hash__(self) -> int:
        # much is remembered by target, and hashing all fields would cost more than what is remembered
        return hash((self.server, self.openssl, self.platform))

    def concrete(self) -> "Target":
        """The same target with unknown versions replaced by the current stable releases; `known` stays as it is."""
        server = self.server or CURRENT[self.server_kind]
        openssl = self.openssl
        if openssl is None and self.library == "openssl":
            openssl = CURRENT["openssl"]
        return replace(self, server=server, openssl=openssl)

    @property
    def server_versions(self) -> tuple[Version, ...]:
        """The versions that "any" and "all supported versions" range over.

        The known one, else one of each supported branch.
        """
        return (self.server,) if self.server is not None else SUPPORTED[self.server_kind]

    @property
    def openssl_versions(self) -> tuple[Version, ...]:
        """As `server_versions`, for OpenSSL. Empty when the library is another one."""
        if self.openssl is not None:
            return (self.openssl,)
        return SUPPORTED["openssl"] if self.library == "openssl" else ()

    def has_patch(self, name: str) -> bool:
        """Whether the platform's package carries the fix of that CVE although its version number says otherwise."""
        return name in self.patches

    @property
    def effective_security_level(self) -> int:
        """The level in force when the server's own cipher list names none.

        That is openssl.cnf's, else the one compiled in by the platform, else the library's own: 2 since OpenSSL 3.2, 1
        before, 0 without security levels (before 1.1.0, and the other libraries).
        """
        if self.openssl_conf.security_level is not None:
            return self.openssl_conf.security_level
        if self.security_level is not None:
            return self.security_level
        openssl = self.concrete().openssl
        if openssl is None or openssl < _SECURITY_LEVELS_SINCE:
            return 0
        return 2 if openssl >= _LEVEL_2_SINCE else 1

    @property
    def protocol_bounds(self) -> tuple[str | None, str | None]:
        """The lowest and the highest protocol that openssl.cnf enforces on this server; None = no bound.

        nginx clears both since 1.15.3 with OpenSSL 1.1.1 and since 1.15.6 with 1.1.0. httpd sets both itself since
        2.4.26.
        """
        assumed = self.concrete()
        if assumed.server is None or assumed.openssl is None:
            return None, None
        if self.server_kind == "apache":
            ignored = assumed.server >= _HTTPD_SETS_BOUNDS_SINCE
        else:
            ignored = assumed.server >= (
                _NGINX_CLEARS_BOUNDS_SINCE if assumed.openssl >= _TLS13_SINCE else Version("1.15.6")
            )
        return (None, None) if ignored else (self.openssl_conf.min_protocol, self.openssl_conf.max_protocol)


_SECURITY_LEVELS_SINCE: Final = Version("1.1.0")
_LEVEL_2_SINCE: Final = Version("3.2")
_TLS13_SINCE: Final = Version("1.1.1")
_NGINX_CLEARS_BOUNDS_SINCE: Final = Version("1.15.3")
_HTTPD_SETS_BOUNDS_SINCE: Final = Version("2.4.26")


def _load_facts() -> dict[str, Any]:
    facts: dict[str, Any] = read_facts(__file__, "data", "platforms.json")
    return facts


_FACTS: Final = _load_facts()

CURRENT: Final[Mapping[str, Version]] = MappingProxyType(
    {name: Version(release["version"]) for name, release in _FACTS["current"].items()}
)
"""The current stable release of "nginx", "apache" and "openssl", and "nginx-mainline"."""

SUPPORTED: Final[Mapping[str, tuple[Version, ...]]] = MappingProxyType(
    {name: tuple(map(Version, entry["versions"])) for name, entry in _FACTS["supported"].items()}
)
"""For "nginx", "apache" and "openssl": what the known platforms ship, and the current releases; oldest first.

Where platforms ship several releases of a branch that do not differ for TLS, one stands for all.
"""


def platform_names() -> tuple[str, ...]:
    """The canonical names of the platforms that `parse_target` knows, in alphabetical order."""
    return tuple(sorted(_FACTS["platforms"]))


def parse_target(spec: str | None, server_kind: str) -> Target:
    """The target that `spec` names, as seen by a deployment of `server_kind` ("nginx" or "apache").

    A spec is a comma-separated list of at most one platform ("debian-12", or "local" for the installed binaries) and
    any number of `name=version` with the names nginx, apache (httpd, apache2), openssl, libressl, boringssl and aws-lc;
    a version written out wins over the platform's. One spec may serve both server kinds. A server version without its
    last number ("nginx=1.28") means the newest known release of that branch. None and "" mean that nothing is known.

    Raises `TargetError` for anything else.
    """
    kind = _server_kind(server_kind)
    base: Target | None = None
    versions: dict[str, Version] = {}
    for part in filter(None, map(str.strip, (spec or "").split(","))):
        name, equals, text = (piece.strip() for piece in part.partition("="))
        if equals:
            key = _version_key(name)
            if key in versions:
                raise TargetError(f"the target names {key} twice")
            versions[key] = _parse_version(key, text)
        elif base is not None:
            raise TargetError(f"a target can name one platform; {part!r} is the second")
        else:
            base = local_target(kind) if name.lower() == "local" else _platform_target(name, kind)
    return _with_versions(base or Target(kind), versions)


def _server_kind(name: str) -> ServerKind:
    for kind in _SERVER_KINDS:
        if kind == name:
            return kind
    raise TargetError(f"unknown server {name!r}; use nginx or apache")


def _version_key(name: str) -> str:
    key = _KEY_ALIASES.get(name.lower(), name.lower())
    known = (*_SERVER_KINDS, *LIBRARIES)
    if key not in known:
        raise TargetError(
            f"unknown name {name!r} in the target{_did_you_mean(key, known)}; known are {', '.join(known)}"
        )
    return key


def _parse_version(key: str, text: str) -> Version:
    try:
        version = Version(text)
    except ValueError:
        raise TargetError(
            f"{text!r} is not a version of {key}; write it like {key}={_FACTS['examples'][key]}"
        ) from None
    if key in _SERVER_KINDS and text.count(".") == 1:
        return _newest_of_branch(key, version)
    return version


def _newest_of_branch(key: str, version: Version) -> Version:
    newest = _FACTS["newest"][key].get(version.branch)
    return Version(newest) if newest else version


def _with_versions(target: Target, versions: Mapping[str, Version]) -> Target:
    libraries = [key for key in LIBRARIES if key in versions]
    if len(libraries) > 1:
        raise TargetError(f"a target can name one TLS library, not {' and '.join(libraries)}")
    server = versions.get(target.server_kind)
    if server is not None:
        same = server == target.server
        target = replace(target, server=server, known=True, patches=target.patches if same else frozenset())
    if libraries == ["openssl"]:
        same = versions["openssl"] == target.openssl
        patched_level = target.legacy_tls_level if same else None
        return replace(target, openssl=versions["openssl"], legacy_tls_level=patched_level)
    if libraries:
        return _on_library(target, libraries[0], versions[libraries[0]])
    return target


def _on_library(target: Target, library: str, version: Version | None) -> Target:
    """The target on a TLS library that is not the platform's, about which levels and openssl.cnf say nothing."""
    is_openssl = library == "openssl"
    return replace(
        target,
        openssl=version if is_openssl else None,
        library=library,
        library_version=None if is_openssl else version,
        security_level=None,
        legacy_tls_level=None,
        openssl_conf=OpenSSLConf(),
    )


@cache
def _platform_target(name: str, kind: ServerKind) -> Target:
    platforms = _FACTS["platforms"]
    canonical = _FACTS["aliases"].get(name.lower(), name.lower())
    if canonical not in platforms:
        hint = _did_you_mean(name.lower(), (*platforms, *_FACTS["aliases"]))
        raise TargetError(f"unknown platform {name!r}{hint}; known are {', '.join(platform_names())}, and local")
    facts = platforms[canonical]
    server, openssl = facts[kind], facts["openssl"]
    return Target(
        server_kind=kind,
        server=Version(server) if server else None,
        openssl=Version(openssl) if openssl else None,
        platform=canonical,
        security_level=facts["security_level"],
        legacy_tls_level=facts.get("legacy_tls_level"),
        openssl_conf=_openssl_conf(facts["openssl_conf"]),
        patches=frozenset(facts.get("patches", {}).get(kind, ())),
        known=server is not None,
    )


def _openssl_conf(facts: Mapping[str, Any]) -> OpenSSLConf:
    return OpenSSLConf(**{**facts, "unknown": frozenset(facts.get("unknown", ()))})


def _did_you_mean(name: str, candidates: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only an error needs it

    close = get_close_matches(name, candidates, n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""


Ask = Callable[[tuple[str, ...]], str | None]
"""Runs a command and returns its output, or None when it cannot be run."""

LOCAL_TIMEOUT: Final = 5.0
"""Seconds that each installed binary has to tell its version."""

_LOCAL_COMMANDS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "nginx": (("nginx", "-V"),),
    "apache": (("apache2", "-v"), ("httpd", "-v")),
    "openssl": (("openssl", "version", "-a"),),
}


def local_target(server_kind: str, ask: Ask | None = None) -> Target:
    """The target of this machine, as its binaries tell it.

    They are `nginx -V`, `apache2 -v` or `httpd -v`, and `openssl version -a`; the default `ask` gives each at most
    `LOCAL_TIMEOUT` seconds. For httpd the library is the one of the `openssl` command, as httpd does not tell which it
    uses. Raises `TargetError` when no server of that kind is installed, or a fork that counts its own versions.
    """
    kind = _server_kind(server_kind)
    ask = ask or _run
    output = next(filter(None, map(ask, _LOCAL_COMMANDS[kind])), None)
    match = re.search(r"version: (?:nginx|openresty|Apache)/([\d.]+)", output or "")
    if match is None:
        commands = " or ".join(" ".join(command) for command in _LOCAL_COMMANDS[kind])
        raise TargetError(f"the target is local, but {commands} does not tell a version of it")
    server = Version(match[1])
    target = Target(server_kind=kind, server=server, known=True)
    target = _with_host_platform(target, "/etc/os-release")
    openssl_output = ask(_LOCAL_COMMANDS["openssl"][0]) or ""
    library, version = _library(output or "") if kind == "nginx" else ("openssl", None)
    command_version = _library(openssl_output)[1]
    if library != "openssl" or (version is not None and version != command_version):
        return _on_library(target, library, version)
    level = re.search(r"-DOPENSSL_TLS_SECURITY_LEVEL=(\d)", openssl_output)
    directory = re.search(r'OPENSSLDIR: "(.+)"', openssl_output)
    conf = openssl_conf_of(os.path.join(directory[1], "openssl.cnf")) if directory else None
    return replace(
        target,
        openssl=command_version,
        security_level=int(level[1]) if level else target.security_level,
        openssl_conf=conf or target.openssl_conf,
    )


def _run(command: tuple[str, ...]) -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOCAL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr


def _library(output: str) -> tuple[str, Version | None]:
    """The TLS library that a version output names; the one that runs counts, not the one that it was built with."""
    found = re.findall(r"\b(OpenSSL|LibreSSL|BoringSSL|AWS-LC)\b[ -]*(?:FIPS )?v?(\d[\w.]*)?", output)
    # BoringSSL and AWS-LC also give the OpenSSL release that they are compatible with
    others = [item for item in found if item[0] != "OpenSSL"]
    name, version = (others or [item for item in found if item[1]] or [("OpenSSL", "")])[-1]
    return name.lower(), Version(version) if version else None


def _with_host_platform(target: Target, os_release: str) -> Target:
    try:
        with open(os_release, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return target
    fields = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    name, release = fields.get("ID", ""), fields.get("VERSION_ID", "")
    for spelling in (
        f"{name}-{release}",
        f"{name}-{release.partition('.')[0]}",
        f"{name}-{'.'.join(release.split('.')[:2])}",
    ):
        canonical = _FACTS["aliases"].get(spelling, spelling)
        if canonical in _FACTS["platforms"]:
            packaged = _platform_target(canonical, target.server_kind)
            return replace(
                packaged,
                server=target.server,
                patches=packaged.patches if packaged.server == target.server else frozenset(),
            )
    return target


_CONF_FIELDS: Final = {
    "minprotocol": "min_protocol",
    "maxprotocol": "max_protocol",
    "cipherstring": "cipher_string",
    "ciphersuites": "ciphersuites",
    "groups": "groups",
    "curves": "groups",
    "signaturealgorithms": "signature_algorithms",
    "options": "options",
}


def openssl_conf_of(path: str | os.PathLike[str]) -> OpenSSLConf | None:
    """The TLS defaults of an openssl.cnf: `openssl_conf` -> `ssl_conf` -> `system_default`.

    None when it cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    sections = _conf_sections(text)
    name: str | None = sections.get("", {}).get("openssl_conf")
    for key in ("ssl_conf", "system_default"):
        name = sections.get(name, {}).get(key) if name else None
    commands = sections.get(name, {}) if name else {}
    known: dict[str, Any] = {}
    for key, value in commands.items():
        # "TLS.MinProtocol" is how newer crypto-policies spell MinProtocol
        attribute = _CONF_FIELDS.get(key.lower().removeprefix("tls."))
        if attribute is not None:
            known[attribute] = value
    return OpenSSLConf(**known)


def _conf_sections(text: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {"": {}}
    current = sections[""]
    for line in text.replace("\\\n", "").splitlines():
        content = line.partition("#")[0].strip()
        if content.startswith("["):
            current = sections.setdefault(content.strip("[] \t"), {})
        elif "=" in content:
            key, _, value = content.partition("=")
            current[key.strip()] = value.strip().strip("\"'")
    return sections
