"""Requests that Apache refuses because they ask for another host than the one that the connection was opened for.

The handshake is made with the settings of the host that the server name selects, or of the first host without one. A
request whose `Host` leads to another virtual host is answered with 421 (or, long ago, 400) where the two hosts' TLS
settings differ in what mod_ssl compares. What that is depends on the version and, since 2.4.66, on `SSLVHostSNIPolicy`
(ssl_engine_kernel.c; measured on 2.4.71).
"""

from collections.abc import Callable
from typing import Final

from tlslint.resolve.apache_scope import Section
from tlslint.resolve.model import Place, VirtualHost
from tlslint.target import Version

NAMES_ALIKE_UNTIL: Final = Version("2.4.17")
"""Before this version the server name had to be the very name of the request."""
COMPARES_SINCE: Final = Version("2.4.18")
WITHOUT_SNI_SINCE: Final = Version("2.4.64")
"""Since then connections without a server name are compared too."""
POLICY_SINCE: Final = Version("2.4.66")
POLICIES: Final = ("strict", "secure", "authonly", "insecure")

Key = Callable[[VirtualHost, Section], object]


def _words(*names: str) -> Key:
    """What a host has after the merge, as text: httpd compares what is written."""

    def read(host: VirtualHost, main: Section) -> object:
        return [_merged(host, main, name) for name in names]

    return read


def _merged(host: VirtualHost, main: Section, name: str) -> tuple[str, ...]:
    section = host.scope
    assert isinstance(section, Section)
    place = section.last(name) or main.last(name)
    return tuple(str(word) for word in place.directive.arguments) if place is not None else ()


def _ciphers(host: VirtualHost, main: Section) -> object:
    section = host.scope
    assert isinstance(section, Section)
    lists = {"ssl": "", "tlsv1.3": ""}
    for level in (main, section):
        for place in level.own.get("sslciphersuite", ()):
            words = [str(word) for word in place.directive.arguments]
            kind = words[0].lower() if len(words) == 2 and words[0].lower() in lists else "ssl"
            lists[kind] = words[-1] if words else ""
    return lists


def _commands(host: VirtualHost, main: Section) -> object:
    section = host.scope
    assert isinstance(section, Section)
    levels = (main, section) if section is not main else (main,)
    return [
        (str(words[0]).lower(), str(words[1]))
        for level in levels
        for place in level.own.get("sslopensslconfcmd", ())
        if len(words := place.directive.arguments) == 2
    ]


def _certificates(host: VirtualHost, main: Section) -> object:
    pairs = host.tls.certificates.known
    return None if pairs is None else [(pair.path or pair.file, pair.key_path or pair.key_file) for pair in pairs]


def _protocols(host: VirtualHost, main: Section) -> object:
    return host.tls.protocols.known


def _verification(host: VirtualHost, main: Section) -> object:
    return host.tls.client_check.known


def _depth(host: VirtualHost, main: Section) -> object:
    return host.tls.verify_depth.known


_CONNECTION: Final[dict[str, Key]] = {
    "SSLCertificateFile": _certificates,
    "SSLProtocol": _protocols,
    "SSLCipherSuite": _ciphers,
}
_CLIENTS: Final[dict[str, Key]] = {
    "SSLVerifyClient": _verification,
    "SSLVerifyDepth": _depth,
    "SSLCACertificateFile": _words("sslcacertificatefile", "sslcacertificatepath"),
    "SSLCADNRequestFile": _words("sslcadnrequestfile", "sslcadnrequestpath"),
}
_LATER: Final[dict[str, Key]] = {
    "SSLCARevocationFile": _words("sslcarevocationfile", "sslcarevocationpath"),
    "SSLCARevocationCheck": _words("sslcarevocationcheck"),
    "SSLOCSPEnable": _words("sslocspenable"),
    "SSLOpenSSLConfCmd": _commands,
}


class Comparison:
    """Compares hosts as one version of httpd does, with the policy of one configuration."""

    def __init__(self, main: Section, version: Version | None) -> None:
        self.main = main
        self.version = version
        self.policy = _policy(main) if version is not None and version >= POLICY_SINCE else "secure"

    def misdirected(self, opened: VirtualHost, asked: VirtualHost, with_sni: bool = True) -> str:
        """Say in what the hosts differ, so that a request for `asked` is refused on a connection opened for the other.

        Empty where it is answered, or where that cannot be known.
        """
        if opened is asked or self.version is None or opened.incomplete or asked.incomplete:
            return ""
        if not with_sni and isinstance(asked.scope, Section) and strict_check(asked.scope, self.main):
            return "SSLStrictSNIVHostCheck"  # of the host that is asked for, whoever opened the connection
        if self.version < NAMES_ALIKE_UNTIL:
            return "the server name" if with_sni else ""
        if not with_sni and self.version < WITHOUT_SNI_SINCE:
            return ""
        if self.version < COMPARES_SINCE or self.policy == "strict":
            return "the virtual host"
        if self.policy == "insecure":
            return ""
        keys = dict(_CLIENTS)
        if self.policy == "secure":
            keys = {**_CONNECTION, **_CLIENTS}
        if self.version >= WITHOUT_SNI_SINCE:
            keys |= _LATER
        return next((name for name, key in keys.items() if self._differ(key, opened, asked)), "")

    def _differ(self, key: Key, one: VirtualHost, other: VirtualHost) -> bool:
        first, second = key(one, self.main), key(other, self.main)
        return first is not None and second is not None and first != second


def _policy(main: Section) -> str:
    place = main.last("sslvhostsnipolicy")
    word = place.argument(0).lower() if place is not None and place.directive.arguments else ""
    return word if word in POLICIES else "secure"


def strict_check(section: Section, main: Section) -> Place | None:
    """Return the `SSLStrictSNIVHostCheck` by which a host (of several) refuses requests without a server name."""
    place = section.last("sslstrictsnivhostcheck") or main.last("sslstrictsnivhostcheck")
    return place if place is not None and [word.lower() for word in place.directive.arguments[:1]] == ["on"] else None


__all__ = ["Comparison", "strict_check"]
