"""The connections that Apache itself makes as a proxy: where requests are passed on to, and with which TLS settings.

`SSLProxy…` directives stand in the main server, in a virtual host, or in a `<Proxy>` section for a part of the targets,
which counts first. Without `SSLProxyEngine on` every request to a target that needs TLS ends with status 500. The
certificate's name and dates are checked by default, but not whether anybody known has signed it (measured on 2.4.71).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from tlslint.resolve.apache_scope import MAIN, VIRTUAL_HOST, Section
from tlslint.resolve.apache_tls import TlsReader, guarded, protocols_of
from tlslint.resolve.model import Header, Place, Setting, Unknown, Upstream, VirtualHost
from tlslint.target import Version

SPELLINGS: Final = {
    "verify": "SSLProxyVerify", "trusted_ca": "SSLProxyCACertificateFile", "protocols": "SSLProxyProtocol",
    "ciphers": "SSLProxyCipherSuite", "verify_depth": "SSLProxyVerifyDepth", "crl": "SSLProxyCARevocationFile",
    "certificate": "SSLProxyMachineCertificateFile", "engine": "SSLProxyEngine", "name_check": "SSLProxyCheckPeerName",
    "expiry_check": "SSLProxyCheckPeerExpire",
}  # fmt: skip
"""Field names of `Upstream`, and the directives that set them."""

TLS_SCHEMES: Final = frozenset(("https", "wss", "h2"))
PLAIN_SCHEMES: Final = frozenset(("http", "ws", "h2c", "fcgi", "scgi", "uwsgi", "ajp", "ftp", "unix"))
_TARGET: Final = re.compile(r"(?:unix:[^|]*\|)?([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_LOCAL: Final = re.compile(r"localhost|127\.[\d.]+|\[?::1\]?|unix:.*", re.IGNORECASE)
_PROXY_SECTIONS: Final = ("proxy", "proxymatch")
_SET_HEADERS: Final = frozenset(("set", "setifempty", "add", "append", "merge", "unset"))
SECTION_SINCE: Final = Version("2.4.30")
"""Since then `SSLProxy…` may stand in `<Proxy>`."""


class _Pass(NamedTuple):
    """A line that passes requests on, and the target as written."""

    place: Place
    target: str
    section: Section


class UpstreamReader:
    """Finds the upstream connections; hosts that share a line and its settings share one."""

    def __init__(self, reader: TlsReader, main: Section, hosts: Iterable[VirtualHost]) -> None:
        self.reader = reader
        self.main = main
        self.hosts = list(hosts)
        self._found: dict[tuple[object, ...], Upstream] = {}
        self._headers: dict[tuple[int, ...], tuple[Header, ...]] = {}

    def read(self) -> list[Upstream]:
        """Return every upstream connection, in order."""
        inherited = list(_passes(self.main))
        if not self.hosts:
            for each in inherited:
                self._add(each, self.main, None)
        for host in self.hosts:
            section = host.scope
            assert isinstance(section, Section)
            for each in [*inherited, *(_passes(section) if section is not self.main else ())]:
                self._add(each, section, host)
        return list(self._found.values())

    def _add(self, line: _Pass, level: Section, host: VirtualHost | None) -> None:
        scheme = _scheme(line.target)
        group = self._group(line.target, level) if scheme == "balancer" else None
        members = tuple(_members(group)) if group is not None else ()
        if scheme == "balancer":
            members = (*members, *self._members_outside(line.target, level))
        tls = self._speaks_tls(scheme, members)
        sections = self._sections(line.target, level, group)
        settings = self._settings(sections) if tls is not False else _NO_TLS
        headers = self._request_headers(level, line.section)
        key = (id(line.place.directive), line.target, *map(id, settings.values()), id(headers), id(group))
        found = self._found.get(key)
        if found is None:
            engine = settings["engine"]
            preserving = level.last("proxypreservehost") or self.main.last("proxypreservehost")
            found = self._found[key] = Upstream(
                protocol="proxy",
                target=line.target,
                place=line.place,
                host=_address(line.target),
                local=_is_local(line.target, members),
                tls=tls,
                **{name: value for name, value in settings.items() if name not in _MORE},
                server_name=Setting(True, default="always"),
                name=_name(preserving),
                session_reuse=Setting(True, default="always"),
                group=group.place if group is not None else None,
                members=members,
                request_headers=headers,
                spellings=SPELLINGS,
                name_check=settings["name_check"],
                expiry_check=settings["expiry_check"],
                failure=_failure(engine) if tls else "",
                engine=engine,
            )
        if host is not None and host not in found.virtual_hosts[-1:]:
            found.virtual_hosts.append(host)

    @staticmethod
    def _speaks_tls(scheme: str, members: tuple[str, ...]) -> bool | None:
        if scheme == "balancer":
            schemes = {_scheme(member) for member in members}
            if not schemes:
                return None
            return True if schemes & TLS_SCHEMES else False if schemes <= PLAIN_SCHEMES else None
        return True if scheme in TLS_SCHEMES else False if scheme in PLAIN_SCHEMES else None

    def _group(self, target: str, level: Section) -> Section | None:
        wanted = target.lower().partition("://")[2].partition("/")[0]
        for outer in (level, self.main):
            for section in outer.sections("proxy"):
                words = section.place.directive.arguments if section.place is not None else ()
                if words and words[0].lower().partition("://")[::2] == ("balancer", wanted):
                    return section
                if words and words[0].lower().rstrip("/*") == f"balancer://{wanted}":
                    return section
        return None

    def _members_outside(self, target: str, level: Section) -> Iterator[str]:
        """Yield the members of a group whose lines name it, outside of `<Proxy>`."""
        wanted = target.lower().partition("://")[2].partition("/")[0]
        for outer in (level, self.main) if level is not self.main else (level,):
            for place in outer.own.get("balancermember", ()):
                words = place.directive.arguments
                if len(words) > 1 and words[0].lower().rstrip("/") == f"balancer://{wanted}":
                    yield str(words[1])

    def _sections(self, target: str, level: Section, group: Section | None) -> list[Section]:
        """Return where settings count, the first one first."""
        found = [group] if group is not None else []
        for outer in (level, self.main) if level is not self.main else (level,):
            found += [section for section in outer.sections(*_PROXY_SECTIONS) if _covers(section, target)]
        if self.reader.version < SECTION_SINCE:
            found = []
        return [*found, level]

    def _settings(self, sections: list[Section]) -> dict[str, Any]:
        def one(field: str, name: str, convert: Callable[[Place], object], default: object) -> Setting[Any]:
            section = next((each for each in sections if each.last(name) is not None), sections[-1])
            return self.reader.one(f"upstream {field}", section, name, convert, default)

        suites = one("ciphers", "sslproxyciphersuite", self._ciphers, guarded("DEFAULT", self.reader.version))
        if suites.places and _is_for_tls13(suites.places[-1]):
            suites = self._older_ciphers(sections)
        name_check = one("name_check", "sslproxycheckpeername", _flag, True)
        if not name_check.explicit and name_check.known:
            # a word against the older check takes the newer one with it
            older = one("older name_check", "sslproxycheckpeercn", _flag, True)
            name_check = name_check if older.known else older
        ca_file = one("trusted_ca", "sslproxycacertificatefile", _text, None)
        ca_path = one("ca_path", "sslproxycacertificatepath", _text, None)
        crl_file = one("crl", "sslproxycarevocationfile", _text, None)
        crl_path = one("crl_path", "sslproxycarevocationpath", _text, None)
        own_file = one("certificate", "sslproxymachinecertificatefile", _text, None)
        own_path = one("certificates", "sslproxymachinecertificatepath", _directory_of_certificates, None)
        return {
            "verify": one("verify", "sslproxyverify", _verify, False),
            "trusted_ca": ca_file if ca_file.known or not ca_path.known else ca_path,
            "protocols": one("protocols", "sslproxyprotocol", self._protocols, self._default_protocols()),
            "ciphers": suites,
            "verify_depth": one("verify_depth", "sslproxyverifydepth", _integer, 1),
            "certificate": own_file if own_file.known or not own_path.explicit else own_path,
            "crl": crl_file if crl_file.known or not crl_path.known else crl_path,
            "engine": one("engine", "sslproxyengine", _flag, False),
            "name_check": name_check,
            "expiry_check": one("expiry_check", "sslproxycheckpeerexpire", _flag, True),
        }

    def _protocols(self, place: Place) -> frozenset[str] | Unknown:
        found = protocols_of(place.directive.arguments, self.reader.version)
        return Unknown(f'"{found}" is no version') if isinstance(found, str) else found

    def _ciphers(self, place: Place) -> str | Unknown:
        text = str(place.directive.arguments[-1]) if place.directive.arguments else ""
        return guarded(text, self.reader.version) if text else Unknown("the directive has no value")

    def _older_ciphers(self, sections: list[Section]) -> Setting[Any]:
        """Return the list for TLS 1.2 and older where the last line is one for TLS 1.3, which is merged apart."""
        levels = sections if self.main in sections else [*sections, self.main]
        places = (place for level in levels for place in reversed(level.own.get("sslproxyciphersuite", ())))
        place = next((place for place in places if not _is_for_tls13(place)), None)
        if place is None:
            default = guarded("DEFAULT", self.reader.version)
            return self.reader.one("upstream ciphers", self.main, "", self._ciphers, default)
        return self.reader.said("upstream ciphers", place, self._ciphers)

    def _default_protocols(self) -> frozenset[str]:
        every = protocols_of(["all", "-SSLv3"], self.reader.version)
        assert not isinstance(every, str)
        return every

    def _request_headers(self, *levels: Section) -> tuple[Header, ...]:
        sections: list[Section] = []
        for level in (self.main, *levels):
            if level not in sections:
                sections.append(level)
        places = [place for section in sections for place in section.own.get("requestheader", ())]
        key = tuple([id(place.directive) for place in places])
        found = self._headers.get(key)
        if found is None:
            found = self._headers[key] = tuple(header for place in places if (header := _request_header(place)))
        return found


_MORE: Final = ("engine", "name_check", "expiry_check")


def _passes(section: Section) -> Iterator[_Pass]:
    """Yield the lines that pass requests on, in a server and the sections inside it, but not in other hosts."""
    pending = [section]
    while pending:
        level = pending.pop()
        pending.extend(reversed(level.parts))
        for place in level.items:
            target = _target(place, level)
            if target and target != "!":
                yield _Pass(place, target, level)


def _target(place: Place, section: Section) -> str:
    name = place.directive.name.lower()
    words = [str(word) for word in place.directive.arguments]
    if name in ("proxypass", "proxypassmatch"):
        # in a section for a part of the URL space the path is the section's
        words = [word for word in words if not re.fullmatch(r"\w+=.*|interpolate|nocanon|noquery", word)]
        inside = section.kind not in (MAIN, VIRTUAL_HOST)
        return words[0] if inside and len(words) == 1 else words[1] if len(words) > 1 else ""
    if name == "sethandler":
        handler = words[0] if words else ""
        return handler[6:] if handler.lower().startswith("proxy:") else ""
    if name == "rewriterule" and len(words) > 2:
        flags = {flag.strip().lower() for flag in words[2].strip("[]").split(",")}
        return words[1] if flags & {"p", "proxy"} else ""
    return ""


def _scheme(target: str) -> str:
    match = _TARGET.match(target)
    return match[1].lower() if match is not None else ""


def _address(target: str) -> str:
    """Return the host of a target, without port and path; empty where a variable or a back reference decides."""
    if target.lower().startswith("unix:"):
        return target.partition("|")[0]
    rest = target.partition("://")[2]
    address = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[2]
    if address.startswith("["):
        return address.partition("]")[0] + "]"
    host = address.partition(":")[0]
    return "" if re.search(r"[%$]", host) else host


def _members(group: Section) -> Iterator[str]:
    for place in group.own.get("balancermember", ()):
        if place.directive.arguments:
            yield str(place.directive.arguments[0])


def _is_local(target: str, members: tuple[str, ...]) -> bool:
    if members:
        return all(_LOCAL.fullmatch(_address(member)) for member in members)
    return _LOCAL.fullmatch(_address(target)) is not None


def _covers(section: Section, target: str) -> bool:
    """Whether a `<Proxy>` section is about a target."""
    words = section.place.directive.arguments if section.place is not None else ()
    if not words:
        return False
    if section.kind == "proxymatch" or words[0] == "~":
        return words[-1] in (".*", "^", ".")
    wanted = words[0].lower()
    if any(letter in wanted for letter in "*?["):
        pattern = re.escape(wanted.rstrip("*")).replace(r"\*", ".*").replace(r"\?", ".")
        return re.match(pattern, target.lower()) is not None
    return target.lower().startswith(wanted)


def _failure(engine: Setting[bool]) -> str:
    return "SSLProxyEngine is not on" if engine.known is False else ""


def _name(preserving: Place | None) -> Setting[str | None]:
    words = preserving.directive.arguments if preserving is not None else ()
    if preserving is not None and words and words[0].lower() == "on":
        return Setting(Unknown("ProxyPreserveHost passes the client's name on"), (preserving,))
    return Setting(None, default="the target's host")


def _request_header(place: Place) -> Header | None:
    words = [str(word) for word in place.directive.arguments]
    action = words[0].lower() if words else ""
    if action not in _SET_HEADERS or len(words) < 2 or "early" in map(str.lower, words[2:]):
        return None
    value = "" if action == "unset" or len(words) < 3 else words[2]
    return Header(words[1].removesuffix(":"), value, True, place)


def _flag(place: Place) -> bool | Unknown:
    words = place.directive.arguments
    word = words[0].lower() if words else ""
    return word == "on" if word in ("on", "off") else Unknown(f'"{word}" is neither on nor off')


def _directory_of_certificates(place: Place) -> Unknown:
    # mod_ssl takes every file in it, and chooses one by what the upstream asks for
    return Unknown("the certificate is one of a directory")


def _text(place: Place) -> str | Unknown:
    words = place.directive.arguments
    return str(words[0]) if words else Unknown("the directive has no value")


def _is_for_tls13(place: Place) -> bool:
    return len(place.directive.arguments) == 2 and place.directive.arguments[0] == "TLSv1.3"


def _integer(place: Place) -> int | Unknown:
    word = _text(place)
    return int(word) if isinstance(word, str) and word.isdecimal() else Unknown(f'"{word}" is no number')


def _verify(place: Place) -> bool | Unknown:
    word = _text(place)
    if not isinstance(word, str):
        return word
    return word.lower() in ("require", "on", "optional")


_NO_TLS: Final[dict[str, Any]] = {field: Setting(Unknown("the connection does not speak TLS")) for field in SPELLINGS}

__all__ = ["SPELLINGS", "UpstreamReader"]
