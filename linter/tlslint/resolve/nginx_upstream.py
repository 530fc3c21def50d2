"""The connections that nginx itself makes: where requests are passed on to, and with which TLS settings.

`proxy_ssl_…`, `grpc_ssl_…` and `uwsgi_ssl_…` are inherited like other directives; a stream proxy speaks TLS where
`proxy_ssl` is on. nginx has no TLS towards FastCGI, SCGI, memcached, mail servers and `auth_http`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tlslint.regex import regex
from tlslint.resolve.model import Header, Place, Setting, Unknown, Upstream, VirtualHost
from tlslint.resolve.nginx_directives import directive as facts_of
from tlslint.resolve.nginx_http import assigned
from tlslint.resolve.nginx_scope import Scope
from tlslint.resolve.nginx_tls import PROTOCOLS, TlsReader

PASSES: Final = {
    "proxy_pass": ("proxy", "https://", "proxy_set_header"),
    "grpc_pass": ("grpc", "grpcs://", "grpc_set_header"),
    "uwsgi_pass": ("uwsgi", "suwsgi://", "uwsgi_param"),
    "fastcgi_pass": ("fastcgi", "", "fastcgi_param"),
    "scgi_pass": ("scgi", "", "scgi_param"),
}
"""For each directive that passes requests on: its family, the scheme that means TLS, and what sets request headers."""

SPELLINGS: Final = {
    "verify": "verify", "trusted_ca": "trusted_certificate", "server_name": "server_name", "name": "name",
    "protocols": "protocols", "ciphers": "ciphers", "verify_depth": "verify_depth", "certificate": "certificate",
    "session_reuse": "session_reuse", "crl": "crl", "key": "certificate_key",
}  # fmt: skip
"""Field names of `Upstream`, and the ends of the directives that set them."""

KEY_LOGS: Final = frozenset(("ssl_key_log", "proxy_ssl_key_log", "grpc_ssl_key_log", "uwsgi_ssl_key_log"))

_FAMILIES: Final = {
    family: {field: f"{family}_ssl_{end}" for field, end in SPELLINGS.items()} for family in ("proxy", "grpc", "uwsgi")
}
_INTERESTING: Final = frozenset((*PASSES, *KEY_LOGS))
_VARIABLE: Final = regex(r"\$(?:\{(\w+)\}|(\w+))")
_SCHEME: Final = regex(r"[^/:]*://")
_PATH: Final = regex(r"[/?]")
_LOCAL: Final = regex(r"localhost|127\.[\d.]+|\[?::1\]?|unix:.*", re.IGNORECASE)
_SPELT: Final = {name.lower(): name for name in PROTOCOLS}
_VERSION_COMMANDS: Final = ("protocol", "minprotocol", "maxprotocol")


class UpstreamReader:
    """Finds the upstream connections of a configuration; hosts that share a directive and its settings share one."""

    def __init__(self, reader: TlsReader, hosts: Iterable[VirtualHost]) -> None:
        self.reader = reader
        self.hosts = {id(host.scope): host for host in hosts}
        self.key_logging: list[Place] = []
        self._found: dict[tuple[object, ...], Upstream] = {}
        self._headers: dict[tuple[int, ...], tuple[Header, ...]] = {}
        self._seen_logs: set[int] = set()

    def read(self, main: Scope) -> list[Upstream]:
        """Return every upstream connection, in order; fills `key_logging` on the way."""
        for place in main.own.get("env", ()):
            if any(word.partition("=")[0] == "SSLKEYLOGFILE" for word in place.directive.arguments):
                self.key_logging.append(place)
        for module in main.children:
            if module.name in ("http", "stream"):
                groups = {
                    str(scope.place.directive.arguments[0]).lower(): scope
                    for scope in module.blocks("upstream")
                    if scope.place is not None and scope.place.directive.arguments
                }
                self._walk(module, None, groups)
        return list(self._found.values())

    def _walk(self, scope: Scope, host: VirtualHost | None, groups: dict[str, Scope]) -> None:
        pending = [(scope, host)]
        while pending:
            level, owner = pending.pop()
            owner = self.hosts.get(id(level), owner)
            if not _INTERESTING.isdisjoint(level.own):
                self._level(level, owner, groups)
            if level.children:
                pending.extend((child, owner) for child in reversed(level.children) if child.name != "upstream")

    def _level(self, scope: Scope, host: VirtualHost | None, groups: dict[str, Scope]) -> None:
        for name in KEY_LOGS & scope.own.keys():
            for place in scope.own[name]:
                if id(place.directive) not in self._seen_logs and "off" not in place.directive.arguments:
                    self._seen_logs.add(id(place.directive))
                    self.key_logging.append(place)
        for name, (family, scheme, header_name) in PASSES.items():
            for place in scope.own.get(name, ()):
                if place.directive.arguments:
                    self._add(scope, place, family, scheme, header_name, host, groups)

    def _add(
        self,
        scope: Scope,
        place: Place,
        family: str,
        scheme: str,
        header_name: str,
        host: VirtualHost | None,
        groups: dict[str, Scope],
    ) -> None:
        written = str(place.directive.arguments[0])
        target = expanded(written, scope)
        tls = self._speaks_tls(scope, target, scheme)
        address = _address(target)
        group = groups.get(address.lower())
        settings = self._settings(scope, family) if tls is not False else _NO_TLS
        headers = self._request_headers(scope, header_name)
        passing = scope.nearest(f"{family}_pass_request_headers")
        passes_headers = not passing or _flag(passing) is not False
        # the settings are one object for one set of directives, so their identities tell upstreams apart
        key = (id(place.directive), target, tls, *map(id, settings.values()), id(headers), id(group), passes_headers)
        found = self._found.get(key)
        if found is None:
            members = tuple(_members(group)) if group is not None else ()
            found = self._found[key] = Upstream(
                protocol=family,
                target=written,
                place=place,
                host=address,
                local=_is_local(address, group, members),
                tls=tls,
                **settings,
                group=group.place if group is not None else None,
                members=members,
                request_headers=headers,
                spellings=_FAMILIES.get(family, {}),
                passes_headers=passes_headers,
            )
        if host is not None and host not in found.virtual_hosts[-1:]:
            found.virtual_hosts.append(host)

    def _speaks_tls(self, scope: Scope, target: str, scheme: str) -> bool | None:
        if scope.module == "stream":
            if scope.doubt("proxy_ssl"):
                return None
            places = scope.nearest("proxy_ssl")
            return bool(places) and _flag(places) is True
        if not scheme:
            return False
        if "$" in target.partition("://")[0]:
            return None
        return target.lower().startswith(scheme)

    # -- settings ----------------------------------------------------------------------------------------------------

    def _settings(self, scope: Scope, family: str) -> dict[str, Any]:
        spelt = _FAMILIES[family]
        one = self.reader.one
        settings = {
            "verify": one(spelt["verify"], scope, (spelt["verify"],), _flag, False),
            "trusted_ca": one(spelt["trusted_ca"], scope, (spelt["trusted_ca"],), _text, None),
            "server_name": one(spelt["server_name"], scope, (spelt["server_name"],), _flag, False),
            "name": one(spelt["name"], scope, (spelt["name"],), _text, None),
            "protocols": one(spelt["protocols"], scope, (spelt["protocols"],), _protocols, self._default(spelt, scope)),
            "ciphers": one(spelt["ciphers"], scope, (spelt["ciphers"],), _text, "DEFAULT"),
            "verify_depth": one(spelt["verify_depth"], scope, (spelt["verify_depth"],), _integer, 1),
            "certificate": one(spelt["certificate"], scope, (spelt["certificate"],), _text, None),
            "key": one(spelt["key"], scope, (spelt["key"],), _text, None),
            "crl": one(spelt["crl"], scope, (spelt["crl"],), _text, None),
            "session_reuse": one(spelt["session_reuse"], scope, (spelt["session_reuse"],), _flag, True),
        }
        for place in scope.nearest(f"{family}_ssl_conf_command"):
            command = place.directive.arguments[0].lower() if place.directive.arguments else ""
            if command in _VERSION_COMMANDS:
                settings["protocols"] = one("upstream versions", scope, (place.directive.name,), _commanded, None)
            elif command == "cipherstring":
                settings["ciphers"] = one("upstream ciphers", scope, (place.directive.name,), _cipher_string, None)
        return settings

    def _default(self, spelt: dict[str, str], scope: Scope) -> frozenset[str]:
        facts = facts_of(spelt["protocols"], scope.module or "http") or facts_of("ssl_protocols", "http")
        assert facts is not None
        assert self.reader.target.server is not None
        return frozenset((facts.default(self.reader.target.server) or "").split())

    def _request_headers(self, scope: Scope, directive: str) -> tuple[Header, ...]:
        places = scope.nearest(directive)
        key = tuple([id(place.directive) for place in places])
        found = self._headers.get(key)
        if found is None:
            found = self._headers[key] = tuple(
                Header(str(words[0]), str(words[1]), True, place)
                for place in places
                if len(words := place.directive.arguments) > 1
            )
        return found


def expanded(text: str, scope: Scope) -> str:
    """Put the constants that `set` gives to variables in their place; other variables stay."""
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        found = assigned(scope, f"${match[1] or match[2]}")
        return match[0] if found is None else found

    return _VARIABLE.sub(value, text)


def _address(target: str) -> str:
    """Return the host of a target, without port and path; empty where a variable decides."""
    rest = _SCHEME.sub("", target, count=1)
    if rest.lower().startswith("unix:"):
        return rest
    address = _PATH.split(rest, maxsplit=1)[0]
    if "$" in rest.partition("/")[0]:
        name, _, port = address.rpartition(":")
        if not name or "$" in name or "$" not in port:
            return ""
        address = name  # only the port is variable
    if address.startswith("["):
        return address.partition("]")[0] + "]"
    return address.partition(":")[0]


def _members(group: Scope) -> Iterator[str]:
    for place in group.own.get("server", ()):
        if place.directive.arguments:
            yield str(place.directive.arguments[0])


def _is_local(address: str, group: Scope | None, members: tuple[str, ...]) -> bool:
    if group is None:
        return _LOCAL.fullmatch(address) is not None
    if group.incomplete or not members:
        return False
    return all(_LOCAL.fullmatch(_address(member)) for member in members)


def _flag(places: list[Place]) -> bool | Unknown:
    words = places[-1].directive.arguments
    word = words[0].lower() if words else ""
    return word == "on" if word in ("on", "off") else Unknown(f'"{word}" is neither on nor off')


def _text(places: list[Place]) -> str | Unknown:
    words = places[-1].directive.arguments
    return str(words[0]) if words else Unknown("the directive has no value")


def _integer(places: list[Place]) -> int | Unknown:
    word = _text(places)
    return int(word) if isinstance(word, str) and word.isdecimal() else Unknown(f'"{word}" is no number')


def _protocols(places: list[Place]) -> frozenset[str] | Unknown:
    words = [word.lower() for place in places for word in place.directive.arguments]
    strange = next((word for word in words if word not in _SPELT), None)
    return Unknown(f'"{strange}" is no version') if strange is not None else frozenset(_SPELT[word] for word in words)


def _commanded(places: list[Place]) -> Unknown:
    return Unknown(f"{places[-1].directive.name} changes the versions")


def _cipher_string(places: list[Place]) -> str | Unknown:
    for place in reversed(places):
        words = place.directive.arguments
        if len(words) == 2 and words[0].lower() == "cipherstring":
            return str(words[1])
    return Unknown("the directive has no value")


_NO_TLS: Final[dict[str, Any]] = {field: Setting(Unknown("the connection does not speak TLS")) for field in SPELLINGS}

__all__ = ["PASSES", "UpstreamReader", "expanded"]
