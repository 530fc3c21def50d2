"""nginx's TLS directives: inheritance and defaults by version, and who decides what on a shared socket.

`TlsReader.settings` gives what a block asks for. `govern` gives what really answers when the socket's default server
(D) and the host that the name selects (S) disagree: nginx takes part of it from one and part from the other, and since
1.29.2 differently from before (measured on eleven versions; `ssl_protocols` in nginx's own documentation).
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from tlslint.parse.tree import Argument
from tlslint.regex import regex
from tlslint.resolve.include import Files
from tlslint.resolve.model import CertificatePair, ConfCommand, Place, Setting, Shadow, TlsSettings, Unknown
from tlslint.resolve.nginx_directives import directive as facts_of
from tlslint.resolve.nginx_scope import Scope
from tlslint.resolve.tls_settings import (
    COMMAND_PROTOCOLS,
    PROTOCOL_BY_SPELLING,
    PROTOCOLS,
    SettingsReader,
    changed,
    level_below,
    options_of,
    signed,
)
from tlslint.target import Target, Version

PER_NAME_PROTOCOLS_SINCE = Version("1.29.2")
"""Since then a host's own `ssl_protocols` counts on a shared socket (ClientHello callback, OpenSSL >= 1.1.1)."""

DEFAULT_SERVER_ALWAYS = ("groups", "ticket_keys", "session_cache", "session_timeout", "early_data")
"""What the socket's default server decides on every version."""
DEFAULT_SERVER_BEFORE_1_29_2 = ("protocols", "ciphersuites", "server_order_tls13", "session_tickets")
"""What the default server decides (for tickets: also decides) before `PER_NAME_PROTOCOLS_SINCE`."""

_TIME = regex(r"(?:(\d+)y)?\s*(?:(\d+)M)?\s*(?:(\d+)w)?\s*(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s?)?")
_SECONDS = (31_536_000, 2_592_000, 604_800, 86_400, 3600, 60, 1)


def seconds(text: str) -> int | None:
    """Return a time in nginx's notation (`5m`, `1h 30m`, `300`) in seconds, or None where nginx refuses it."""
    match = _TIME.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    return sum(int(number) * unit for number, unit in zip(match.groups(), _SECONDS, strict=True) if number)


def decides_by_name(target: Target) -> bool:
    """Whether the host that a name selects decides the protocol versions, instead of the default server."""
    if target.library == "libressl":
        return False
    if target.openssl is not None and target.openssl < Version("1.1.1"):
        return False
    return target.server is None or target.server >= PER_NAME_PROTOCOLS_SINCE


def default_protocols(target: Target, module: str = "http") -> dict[str, frozenset[str]]:
    """Return what nginx switches on where no `ssl_protocols` is in force, for each version that the target may be."""
    facts = facts_of("ssl_protocols", module)
    assert facts is not None
    return {str(version): frozenset((facts.default(version) or "").split()) for version in target.server_versions}


class TlsReader(SettingsReader):
    """Reads the TLS settings of nginx scopes for one target; settings that the same directives make are one object."""

    SERVER = "nginx"
    NOT_FILES = ("data:", "engine:", "store:")

    def __init__(self, target: Target, files: Files, base: str) -> None:
        super().__init__(target, files, base)
        self._by_scope: dict[int, TlsSettings] = {}
        self._effective: dict[tuple[int, int, int], Setting[frozenset[str]]] = {}
        self._governed: dict[tuple[int, int], TlsSettings] = {}
        self._surplus: dict[tuple[int, ...], tuple[Place, ...]] = {}

    def settings(self, scope: Scope) -> TlsSettings:
        """Return what a `server` block (or a block around it) asks for."""
        found = self._by_scope.get(id(scope))
        if found is None:
            found = self._by_scope[id(scope)] = self._read(scope)
        return found

    def _read(self, scope: Scope) -> TlsSettings:
        outer = scope.parent
        own = [_TOGETHER.get(name, name) for name in scope.own if name in _DIRECTIVES]
        if outer is None or outer.name == "main" or scope.incomplete or "ssl_conf_command" in own:
            return self._read_all(scope)
        inherited = self.settings(outer)
        if not own:
            return inherited
        # most hosts set little but their certificate
        values: dict[str, object] = {}
        for directive in dict.fromkeys(own):
            values.update(self._fields(directive, scope, inherited.conf_commands))
        # everything else follows from these
        key = (id(inherited), *[id(value) for value in values.values() if isinstance(value, Setting)])
        found = self._whole.get(key)
        if found is None:
            found = self._whole[key] = changed(inherited, values)
        return found

    def _read_all(self, scope: Scope) -> TlsSettings:
        commands = self.one("conf_commands", scope, ("ssl_conf_command",), self._commands, ())
        values: dict[str, Any] = {
            "conf_commands": commands,
            "ciphersuites": self._overridden(
                "ciphersuites", self._library("ciphersuites", self._constant(None), None), commands, ("ciphersuites",)
            ),
            "signature_algorithms": self._overridden(
                "signature_algorithms",
                self._library("signature_algorithms", self._constant(None), None),
                commands,
                ("signaturealgorithms",),
            ),
            "options": options_of(self.target.openssl_conf.options, commands),
        }
        for directive in _DECISIVE:
            values.update(self._fields(directive, scope, commands))
        return self._interned(TlsSettings(**values))

    def _fields(self, directive: str, scope: Scope, commands: Setting[tuple[ConfCommand, ...]]) -> Mapping[str, object]:
        """Return what one directive has a say in, by field of `TlsSettings`."""
        if directive in _PLAIN:
            field, convert, default = _PLAIN[directive]
            return {field: self.one(field, scope, (directive,), convert, default)}
        match directive:
            case "ssl_certificate":
                return self._certificate_fields(scope, commands)
            case "ssl_protocols":
                default = self._default_protocols(scope.module or "http")
                protocols = self.one("protocols", scope, (directive,), _protocols, default)
                effective = self._effective_protocols(protocols, commands, commands)
                return {"protocols": protocols, "effective_protocols": effective}
            case "ssl_ciphers":
                listed = self.one("ciphers", scope, (directive,), self._ciphers, "HIGH:!aNULL:!MD5")
                return {
                    "ciphers": self._overridden("ciphers", listed, commands, ("cipherstring",)),
                    "plain_ciphers": listed,
                    "security_level": level_below(listed, self.target.openssl_conf.security_level),
                }
            case "ssl_prefer_server_ciphers":
                order = self.one("server_order", scope, (directive,), _flag, False)
                order = self._option(self._library_option(order, "ServerPreference"), commands, "ServerPreference")
                return {"server_order": order, "server_order_tls13": order}
            case "ssl_ecdh_curve":
                groups = self._library("groups", self.one("groups", scope, (directive,), _text, "auto"), "auto")
                return {"groups": self._overridden("groups", groups, commands, ("groups", "curves", "ecdhparameters"))}
            case "ssl_dhparam":
                own = self.one("dh_params", scope, (directive,), _path, None)
                dh_params = self._overridden("dh_params", own, commands, ("dhparameters",))
                return {"dh_params": dh_params, "dh": self._dh_parameters(dh_params)}
            case "ssl_verify_client":
                check = self.one("verify_client", scope, (directive,), _verify_client, "none")
                return {"client_check": check, "verify_client": self._verify_mode(check, commands)}
            case "ssl_session_tickets":
                tickets = self.one("session_tickets", scope, (directive,), _flag, True)
                tickets = self._library_option(tickets, "SessionTicket")
                return {"session_tickets": self._option(tickets, commands, "SessionTicket")}
        raise ValueError(f"{directive} is not read here")

    def _ciphers(self, places: list[Place]) -> str | Unknown:
        return self._cipher_string(_text(places))

    # -- one setting -----------------------------------------------------------------------------------------------

    def one(
        self,
        field: str,
        scope: Scope,
        directives: tuple[str, ...],
        convert: Callable[[list[Place]], object],
        default: object,
    ) -> Setting[Any]:
        """Return the inherited value of one directive, its default, or why it is unknown."""
        level: Scope | None = scope
        while level is not None and level.name != "main":
            for name in directives:
                places = level.own.get(name)
                if places:
                    return self._placed(field, places, convert)
            if level.incomplete:
                return self._unknown(level.incomplete)
            level = level.parent
        return self._constant(default, field)

    def _default_protocols(self, module: str) -> frozenset[str]:
        facts = facts_of("ssl_protocols", module) or facts_of("ssl_protocols", "http")
        assert facts is not None
        assert self.target.server is not None
        return frozenset((facts.default(self.target.server) or "").split())

    # -- OpenSSL commands ------------------------------------------------------------------------------------------

    def _effective_protocols(
        self,
        protocols: Setting[frozenset[str]],
        commands: Setting[tuple[ConfCommand, ...]],
        bounds: Setting[tuple[ConfCommand, ...]],
    ) -> Setting[frozenset[str]]:
        """Apply the Protocol commands of one host and the MinProtocol and MaxProtocol of another (or the same) one."""
        key = (id(protocols), id(commands), id(bounds))
        found = self._effective.get(key)
        if found is None:
            found = self._effective[key] = _apply_protocol_commands(protocols, commands, bounds)
        return found

    # -- certificates ----------------------------------------------------------------------------------------------

    def _certificate_fields(self, scope: Scope, commands: Setting[tuple[ConfCommand, ...]]) -> Mapping[str, object]:
        files = self.one("certificate", scope, ("ssl_certificate",), list, ())
        keys = self.one("certificate_key", scope, ("ssl_certificate_key",), list, ())
        return {
            "certificates": self._certificates(files, keys, commands),
            "surplus_keys": self._surplus_keys(files.known or (), keys.known or ()),
        }

    def _certificates(
        self, files: Setting[list[Place]], keys: Setting[list[Place]], commands: Setting[tuple[ConfCommand, ...]]
    ) -> Setting[Any]:
        if files.is_unknown:
            return files
        own = [command for command in commands.known or () if command.name.lower() in ("certificate", "privatekey")]
        key = ("certificates", id(files), id(keys), *[id(command.place.directive) for command in own])
        found = self._settings.get(key)
        if found is None:
            places = tuple(files.known or ())
            value: object = self._pairs(list(places), list(keys.known or ()), own)
            found = self._settings[key] = Setting(value, places)
        return found

    def _surplus_keys(self, files: Sequence[Place], keys: Sequence[Place]) -> tuple[Place, ...]:
        if len(keys) <= len(files):
            return ()
        surplus = tuple(keys[len(files) :])
        return self._surplus.setdefault(tuple(id(place.directive) for place in surplus), surplus)

    def _pairs(
        self, files: list[Place], keys: list[Place], commands: list[ConfCommand]
    ) -> tuple[CertificatePair, ...] | Unknown:
        variable = next((place for place in (*files, *keys) if "$" in "".join(place.directive.arguments)), None)
        if variable is not None:
            return Unknown(f'"{variable.directive.arguments[0]}" holds a variable')
        pairs = [
            self._pair(place, keys[index] if index < len(keys) else None)
            for index, place in enumerate(files)
            if place.directive.arguments
        ]
        pairs.extend(self._pair_of_command(command) for command in commands)
        return tuple(pairs)

    def _pair(self, place: Place, key_place: Place | None) -> CertificatePair:
        file = str(place.directive.arguments[0])
        key_file = str(key_place.directive.arguments[0]) if key_place and key_place.directive.arguments else None
        return self._read_pair(file, place, key_file, key_place)

    # -- the default server and the named host -----------------------------------------------------------------------

    def govern(self, host: TlsSettings, default: TlsSettings) -> TlsSettings:
        """Return what governs connections that a name sends to `host` on a socket with this default server."""
        if host is default or _decided_by_default(host) == _decided_by_default(default):
            return host
        key = (id(host), id(default))
        found = self._governed.get(key)
        if found is not None:
            return found
        by_name = decides_by_name(self.target)
        values: dict[str, Any] = {name: getattr(default, name) for name in DEFAULT_SERVER_ALWAYS}
        if not by_name:
            for name in ("protocols", "ciphersuites", "server_order_tls13"):
                values[name] = getattr(default, name)
            if default.session_tickets.known is False:
                values["session_tickets"] = default.session_tickets
        values["effective_protocols"] = self._effective_protocols(
            (host if by_name else default).protocols,
            (host if by_name else default).conf_commands,
            default.conf_commands,
        )
        prioritize = _prioritize_chacha(host if by_name else default)
        values["options"] = (host.options - {"PrioritizeChaCha"}) | prioritize
        found = self._governed[key] = self._interned(changed(host, values))
        return found

    def borrow(self, host: TlsSettings, default: TlsSettings) -> TlsSettings:
        """Return what governs a name whose host has no certificate: the default server's handshake.

        Whether the host rejects the handshake, and whether it insists on a certificate that was asked for, is still its
        own.
        """
        key = (id(host), -id(default))
        found = self._governed.get(key)
        if found is None:
            values: dict[str, Any] = {"reject_handshake": host.reject_handshake, "client_check": host.client_check}
            if host.verify_client.known == "required" and default.verify_client.known not in (None, "none"):
                values["verify_client"] = host.verify_client
            elif default.verify_client.known == "required":
                # asked for in the handshake, but the host does not look at it
                values["verify_client"] = self._placed(
                    "asked only", list(default.verify_client.places), lambda _: "optional"
                )
            found = self._governed[key] = self._interned(changed(default, values))
        return found


_decided_by_default: Callable[[TlsSettings], tuple[object, ...]] = attrgetter(
    *DEFAULT_SERVER_BEFORE_1_29_2, *DEFAULT_SERVER_ALWAYS, "conf_commands"
)
"""What the default server has a say in; settings are compared by identity, most hosts inherit the very same ones."""


def shadows(host: TlsSettings, governing: TlsSettings, default: TlsSettings, version_known: bool) -> tuple[Shadow, ...]:
    """Return what a host sets itself, with a known other value than the one that governs its connections.

    Where the version is not known, what only older versions take from the default server is named with them.
    """
    if _decided_by_default(host) == _decided_by_default(governing) == _decided_by_default(default):
        return ()
    found = []
    for name in (*DEFAULT_SERVER_BEFORE_1_29_2, *DEFAULT_SERVER_ALWAYS):
        if _differs(host.setting(name), governing.setting(name)):
            found.append(Shadow(name, host.setting(name), governing.setting(name)))
        elif (
            not version_known
            and name in DEFAULT_SERVER_BEFORE_1_29_2
            and _differs(host.setting(name), default.setting(name))
        ):
            found.append(
                Shadow(name, host.setting(name), default.setting(name), f"nginx before {PER_NAME_PROTOCOLS_SINCE}")
            )
    return tuple(found)


def _differs(own: Setting[object], real: Setting[object]) -> bool:
    return own is not real and own.explicit and not own.is_unknown and not real.is_unknown and own.value != real.value


def _prioritize_chacha(settings: TlsSettings) -> frozenset[str]:
    return settings.options & {"PrioritizeChaCha"}


def _apply_protocol_commands(
    protocols: Setting[frozenset[str]],
    commands: Setting[tuple[ConfCommand, ...]],
    bounds: Setting[tuple[ConfCommand, ...]],
) -> Setting[frozenset[str]]:
    if protocols.known is None:
        return protocols
    for setting in (commands, bounds):
        if isinstance(setting.value, Unknown) and not protocols.explicit:
            return Setting(setting.value)
    enabled = set(protocols.known)
    places: list[Place] = []
    for command in commands.known or ():
        if command.name.lower() == "protocol":
            changed = _after_protocol_command(enabled, command.value)
            if changed != enabled:
                places.append(command.place)
            enabled = changed
    low, high = PROTOCOLS[0], PROTOCOLS[-1]
    for command in bounds.known or ():
        name = command.name.lower()
        if name in ("minprotocol", "maxprotocol"):
            bound = COMMAND_PROTOCOLS.get(command.value.lower())
            if name == "minprotocol":
                low = bound or PROTOCOLS[0]
            else:
                high = bound or PROTOCOLS[-1]
            places.append(command.place)
    bounded = frozenset(name for name in enabled if low_index(low) <= low_index(name) <= low_index(high))
    if bounded == protocols.known:
        return protocols
    return Setting(bounded, (*protocols.places, *places))


def low_index(protocol: str) -> int:
    """Return the rank of a protocol version, oldest first."""
    return PROTOCOLS.index(protocol)


def _after_protocol_command(enabled: set[str], value: str) -> set[str]:
    """`Protocol` switches versions on and off, one after the other, starting from what the plain directive left.

    OpenSSL's `ALL` has had no SSLv2 since 1.0.2g.
    """
    result = set(enabled)
    for sign, name in signed(value):
        named = set(PROTOCOLS[1:]) if name.lower() == "all" else {COMMAND_PROTOCOLS.get(name.lower(), "")} - {""}
        result = result - named if sign == "-" else result | named
    return result


def _words(places: list[Place]) -> list[Argument]:
    return [argument for place in places for argument in place.directive.arguments]


def _protocols(places: list[Place]) -> frozenset[str] | Unknown:
    named = []
    for word in _words(places):
        name = PROTOCOL_BY_SPELLING.get(word.lower())
        if name is None:
            return Unknown(f'"{word}" holds a variable' if "$" in word else f'nginx does not know "{word}"')
        named.append(name)
    return frozenset(named)


def _text(places: list[Place]) -> str | Unknown:
    words = places[-1].directive.arguments
    return str(words[0]) if len(words) == 1 else Unknown(f"{places[-1].directive.name} takes one argument")


def _path(places: list[Place]) -> str | Unknown | None:
    text = _text(places)
    if isinstance(text, str) and "$" in text:
        return Unknown(f'"{text}" holds a variable')
    return text or None


def _texts(places: list[Place]) -> tuple[str, ...]:
    return tuple(str(word) for word in _words(places))


def _joined(places: list[Place]) -> str:
    return " ".join(places[-1].directive.arguments)


def _flag(places: list[Place]) -> bool | Unknown:
    word = _text(places)
    if isinstance(word, str) and word.lower() in ("on", "off"):
        return word.lower() == "on"
    return Unknown(f'{places[-1].directive.name} is neither "on" nor "off"')


def _verify_client(places: list[Place]) -> str | Unknown:
    word = _text(places)
    known = {"on": "required", "off": "none", "optional": "optional", "optional_no_ca": "optional_no_ca"}
    if isinstance(word, str) and word.lower() in known:
        return known[word.lower()]
    return Unknown("ssl_verify_client has a value that nginx refuses")


def _ocsp(places: list[Place]) -> bool | Unknown:
    word = _text(places)
    # "leaf" checks the client's certificate only
    return word.lower() != "off" if isinstance(word, str) else word


def _integer(places: list[Place]) -> int | Unknown:
    word = _text(places)
    return int(word) if isinstance(word, str) and word.isdecimal() else Unknown("not a number")


def _seconds(places: list[Place]) -> int | Unknown:
    word = _text(places)
    value = seconds(word) if isinstance(word, str) else None
    if value is None:
        return Unknown("not a time")
    # nginx hands 0 to OpenSSL, which then uses its own default (measured: lifetime hint 7200)
    return value or 7200


_PLAIN: Final[dict[str, tuple[str, Callable[[list[Place]], object], object]]] = {
    "ssl_reject_handshake": ("reject_handshake", _flag, False),
    "ssl_client_certificate": ("client_ca", _path, None),
    "ssl_trusted_certificate": ("trusted_ca", _path, None),
    "ssl_crl": ("crl", _path, None),
    "ssl_ocsp": ("client_ocsp", _ocsp, False),
    "ssl_verify_depth": ("verify_depth", _integer, 1),
    "ssl_session_ticket_key": ("ticket_keys", _texts, ()),
    "ssl_session_cache": ("session_cache", _joined, "none"),
    "ssl_session_timeout": ("session_timeout", _seconds, 300),
    "ssl_early_data": ("early_data", _flag, False),
    "ssl_stapling": ("stapling", _flag, False),
    "ssl_stapling_verify": ("stapling_verify", _flag, False),
    "ssl_stapling_file": ("stapling_file", _path, None),
    "ssl_stapling_responder": ("stapling_responder", _text, None),
    "resolver": ("resolver", bool, False),
}
"""Directives that decide one field and nothing else: the field, what their words mean, and the default."""
_TOGETHER: Final = {"ssl_certificate_key": "ssl_certificate"}
"""Directives that are read together with another one."""
_DECISIVE: Final = (
    *_PLAIN, "ssl_certificate", "ssl_protocols", "ssl_ciphers", "ssl_prefer_server_ciphers", "ssl_ecdh_curve",
    "ssl_dhparam", "ssl_verify_client", "ssl_session_tickets",
)  # fmt: skip
_DIRECTIVES: Final = frozenset((*_DECISIVE, *_TOGETHER, "ssl_conf_command"))
"""All directives that are read."""

__all__ = ["PROTOCOLS", "TlsReader", "decides_by_name", "seconds", "shadows"]
