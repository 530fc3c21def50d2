"""nginx's TLS directives: inheritance and defaults by version, and who decides what on a shared socket.

`TlsReader.settings` gives what a block asks for. `govern` gives what really answers when the socket's default server
(D) and the host that the name selects (S) disagree: nginx takes part of it from one and part from the other, and since
1.29.2 differently from before (measured on eleven versions; `ssl_protocols` in nginx's own documentation).
"""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from tlslint.parse.tree import Argument
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import CertificatePair, ConfCommand, Place, Setting, Shadow, TlsSettings, Unknown
from tlslint.resolve.nginx_directives import directive as facts_of
from tlslint.resolve.nginx_scope import Scope
from tlslint.target import Target, Version

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, DhParameters, KeyFacts

PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_PROTOCOL_BY_SPELLING = {name.lower(): name for name in PROTOCOLS}
_COMMAND_PROTOCOLS = {**_PROTOCOL_BY_SPELLING, "tlsv1.0": "TLSv1"}

PER_NAME_PROTOCOLS_SINCE = Version("1.29.2")
"""Since then a host's own `ssl_protocols` counts on a shared socket (ClientHello callback, OpenSSL >= 1.1.1)."""

DEFAULT_SERVER_ALWAYS = ("groups", "ticket_keys", "session_cache", "session_timeout", "early_data")
"""What the socket's default server decides on every version."""
DEFAULT_SERVER_BEFORE_1_29_2 = ("protocols", "ciphersuites", "server_order_tls13", "session_tickets")
"""What the default server decides (for tickets: also decides) before `PER_NAME_PROTOCOLS_SINCE`."""

_CERTIFICATE_DIRECTIVES = frozenset(("ssl_certificate", "ssl_certificate_key"))

_TIME = re.compile(r"(?:(\d+)y)?\s*(?:(\d+)M)?\s*(?:(\d+)w)?\s*(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s?)?")
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


_NOT_FILES = ("data:", "engine:", "store:")
"""What certificate and key names begin with that are no paths."""


def _not_a_file(name: str) -> Unreadable:
    return Unreadable("outside", f'"{name.partition(":")[0]}:" names are not read', name)


class TlsReader:
    """Reads the TLS settings of nginx scopes for one target; settings that the same directives make are one object."""

    def __init__(self, target: Target, files: Files, base: str) -> None:
        self.target = target
        self.files = files
        self.base = base
        self._by_scope: dict[int, TlsSettings] = {}
        self._settings: dict[tuple[object, ...], Setting[object]] = {}
        self._whole: dict[tuple[object, ...], TlsSettings] = {}
        self._effective: dict[tuple[int, int, int], Setting[frozenset[str]]] = {}
        self._governed: dict[tuple[int, int], TlsSettings] = {}
        self._surplus: dict[tuple[int, ...], tuple[Place, ...]] = {}
        self._keys: dict[str, KeyFacts | Unreadable] = {}
        self._paths: dict[str, str] = {}

    def settings(self, scope: Scope) -> TlsSettings:
        """Return what a `server` block (or a block around it) asks for."""
        found = self._by_scope.get(id(scope))
        if found is None:
            found = self._by_scope[id(scope)] = self._read(scope)
        return found

    def _read(self, scope: Scope) -> TlsSettings:
        own = {name for name in scope.own if name.startswith("ssl_") or name == "resolver"}
        outer = scope.parent
        if outer is None or outer.name == "main" or scope.incomplete or not own <= _CERTIFICATE_DIRECTIVES:
            return self._read_all(scope)
        # most hosts set nothing but their certificate
        inherited = self.settings(outer)
        if not own:
            return inherited
        values = _values(inherited)
        values["certificates"] = self._certificates(scope, inherited.conf_commands)
        values["surplus_keys"] = self._surplus_keys(scope)
        return self._interned(TlsSettings(**values))

    def _read_all(self, scope: Scope) -> TlsSettings:
        module = scope.module or "http"
        commands = self.one("conf_commands", scope, ("ssl_conf_command",), self._commands, ())
        protocols = self.one("protocols", scope, ("ssl_protocols",), _protocols, self._default_protocols(module))
        order = self._library_option(self._flag(scope, "ssl_prefer_server_ciphers", "off"), "ServerPreference")
        listed = self.one("ciphers", scope, ("ssl_ciphers",), self._cipher_string, "HIGH:!aNULL:!MD5")
        dh_params = self._overridden(
            "dh_params", self.one("dh_params", scope, ("ssl_dhparam",), _path, None), commands, ("dhparameters",)
        )
        client_check = self.one("verify_client", scope, ("ssl_verify_client",), _verify_client, "none")
        settings = TlsSettings(
            protocols=protocols,
            effective_protocols=self._effective_protocols(protocols, commands, commands),
            ciphers=self._overridden("ciphers", listed, commands, ("cipherstring",)),
            ciphersuites=self._overridden(
                "ciphersuites", self._library("ciphersuites", self._constant(None), None), commands, ("ciphersuites",)
            ),
            server_order=self._option(order, commands, "ServerPreference"),
            server_order_tls13=self._option(order, commands, "ServerPreference"),
            groups=self._overridden(
                "groups",
                self._library("groups", self.one("groups", scope, ("ssl_ecdh_curve",), _text, "auto"), "auto"),
                commands,
                ("groups", "curves", "ecdhparameters"),
            ),
            certificates=self._certificates(scope, commands),
            dh_params=dh_params,
            conf_commands=commands,
            reject_handshake=self._flag(scope, "ssl_reject_handshake", "off"),
            verify_client=self._verify_mode(client_check, commands),
            client_check=client_check,
            client_ca=self.one("client_ca", scope, ("ssl_client_certificate",), _path, None),
            trusted_ca=self.one("trusted_ca", scope, ("ssl_trusted_certificate",), _path, None),
            crl=self.one("crl", scope, ("ssl_crl",), _path, None),
            client_ocsp=self.one("client_ocsp", scope, ("ssl_ocsp",), _ocsp, False),
            verify_depth=self.one("verify_depth", scope, ("ssl_verify_depth",), _integer, 1),
            session_tickets=self._option(
                self._library_option(self._flag(scope, "ssl_session_tickets", "on"), "SessionTicket"),
                commands,
                "SessionTicket",
            ),
            ticket_keys=self.one("ticket_keys", scope, ("ssl_session_ticket_key",), _texts, ()),
            session_cache=self.one("session_cache", scope, ("ssl_session_cache",), _joined, "none"),
            session_timeout=self.one("session_timeout", scope, ("ssl_session_timeout",), _seconds, 300),
            early_data=self._flag(scope, "ssl_early_data", "off"),
            signature_algorithms=self._overridden(
                "signature_algorithms",
                self._library("signature_algorithms", self._constant(None), None),
                commands,
                ("signaturealgorithms",),
            ),
            stapling=self._flag(scope, "ssl_stapling", "off"),
            stapling_verify=self._flag(scope, "ssl_stapling_verify", "off"),
            stapling_file=self.one("stapling_file", scope, ("ssl_stapling_file",), _path, None),
            stapling_responder=self.one("stapling_responder", scope, ("ssl_stapling_responder",), _text, None),
            resolver=self.one("resolver", scope, ("resolver",), bool, False),
            options=_options(self.target.openssl_conf.options, commands),
            security_level=_level_below(listed, self.target.openssl_conf.security_level),
            plain_ciphers=listed,
            dh=self._dh_parameters(dh_params),
            surplus_keys=self._surplus_keys(scope),
        )
        return self._interned(settings)

    def _cipher_string(self, places: list[Place]) -> str | Unknown:
        text = _text(places)
        if isinstance(text, str) and text.startswith("PROFILE=") and self._takes_profiles():
            return Unknown(f'"{text}" leaves the list to the platform')
        if isinstance(text, str) and ("$" in text or "{{" in text):
            return Unknown(f'"{text}" holds a variable')
        return text

    def _takes_profiles(self) -> bool:
        """Whether the OpenSSL may be Red Hat's, which alone knows `PROFILE=`."""
        return self.target.platform is None or self.target.platform.startswith(("rhel", "fedora"))

    def _dh_parameters(self, setting: Setting[str | None]) -> "DhParameters | None":
        if not setting.known:
            return None
        bundle = self.files.bundle(self.files.resolve(setting.known, self.base))
        if isinstance(bundle, Unreadable) or not bundle.dh_params:
            return None
        return bundle.dh_params[0]

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

    def _placed(self, field: str, places: list[Place], convert: Callable[[list[Place]], object]) -> Setting[Any]:
        key = (field, *[id(place.directive) for place in places])
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = Setting(convert(places), tuple(places))
        return found

    def _decided(self, field: str, command: ConfCommand, value: object) -> Setting[Any]:
        """Return what one OpenSSL command decides."""
        return self._placed(field, [command.place], lambda _: value)

    def _constant(self, value: object, field: str = "") -> Setting[Any]:
        key = ("default", field, value)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = Setting(value, (), self._default_words(field))
        return found

    def _unknown(self, reason: str) -> Setting[Any]:
        key = ("unknown", reason)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = Setting(Unknown(reason))
        return found

    def _library(self, field: str, setting: Setting[Any], default: object) -> Setting[Any]:
        """Return what openssl.cnf makes of a value that nginx leaves to the library (measured with OPENSSL_CONF)."""
        conf = self.target.openssl_conf
        if setting.is_unknown or setting.value != default:
            return setting
        if field in conf.unknown:
            return self._unknown(f"the platform's openssl.cnf may set {field.replace('_', ' ')}")
        value = getattr(conf, field)
        if value is None:
            return setting
        key = ("openssl.cnf", field, id(setting))
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = Setting(value, setting.places, "openssl.cnf")
        return found

    def _library_option(self, plain: Setting[bool], option: str) -> Setting[bool]:
        """Return what `Options` of openssl.cnf make of a flag: nginx adds to them and takes nothing back."""
        # nginx sets an option for the first of these when it is on, for the other when it is off
        passive = option == "SessionTicket"
        if plain.known is not passive:
            return plain
        for sign, name in _signed(self.target.openssl_conf.options or ""):
            if name.lower() == option.lower() and (sign != "-") is not passive:
                return self._constant(not passive, f"openssl.cnf {option}")
        return plain

    def _flag(self, scope: Scope, directive: str, default: str) -> Setting[bool]:
        return self.one(directive, scope, (directive,), _flag, default == "on")

    def _default_words(self, field: str) -> str:
        if field.startswith("openssl.cnf"):
            return "openssl.cnf"
        version = self.target.server
        return f"nginx's default ({version})" if version and field == "protocols" else "nginx's default"

    def _default_protocols(self, module: str) -> frozenset[str]:
        facts = facts_of("ssl_protocols", module) or facts_of("ssl_protocols", "http")
        assert facts is not None
        assert self.target.server is not None
        return frozenset((facts.default(self.target.server) or "").split())

    # -- OpenSSL commands ------------------------------------------------------------------------------------------

    @staticmethod
    def _commands(places: list[Place]) -> tuple[ConfCommand, ...]:
        return tuple(
            ConfCommand(str(place.directive.arguments[0]), str(place.directive.arguments[1]), place)
            for place in places
            if len(place.directive.arguments) == 2
        )

    def _overridden(
        self,
        field: str,
        plain: Setting[Any],
        commands: Setting[tuple[ConfCommand, ...]],
        names: tuple[str, ...],
    ) -> Setting[Any]:
        """Commands are applied after the plain directives, so the last one of its kind wins."""
        if commands.is_unknown:
            return plain if plain.explicit else commands
        for command in reversed(commands.known or ()):
            if command.name.lower() in names:
                return self._decided(f"{field}!", command, command.value)
        return plain

    def _option(self, plain: Setting[bool], commands: Setting[tuple[ConfCommand, ...]], option: str) -> Setting[bool]:
        """Apply `Options` commands, in which a leading minus switches an option off."""
        found = plain
        for command in commands.known or ():
            if command.name.lower() != "options":
                continue
            for sign, name in _signed(command.value):
                if name.lower() == option.lower():
                    on = sign != "-"
                    found = self._decided(f"option {option} {on}", command, on)
        return found

    def _verify_mode(self, plain: Setting[str], commands: Setting[tuple[ConfCommand, ...]]) -> Setting[str]:
        for command in reversed(commands.known or ()):
            if command.name.lower() == "verifymode":
                words = {word.strip().lower() for word in command.value.split(",")}
                mode = "required" if "require" in words else "optional" if words & {"peer", "request"} else "none"
                return self._decided(f"verify {mode}", command, mode)
        return plain

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

    def _certificates(
        self, scope: Scope, commands: Setting[tuple[ConfCommand, ...]]
    ) -> Setting[tuple[CertificatePair, ...]]:
        files = self.one("certificate", scope, ("ssl_certificate",), list, ())
        keys = self.one("certificate_key", scope, ("ssl_certificate_key",), list, ())
        if files.is_unknown:
            return files
        own = [command for command in commands.known or () if command.name.lower() in ("certificate", "privatekey")]
        key = ("certificates", id(files), id(keys), *[id(command.place.directive) for command in own])
        found = self._settings.get(key)
        if found is None:
            places = tuple(files.known or ())
            value: object = self._pairs(list(places), list(keys.known or ()), own)
            found = self._settings[key] = Setting(value, places)
        return cast("Setting[tuple[CertificatePair, ...]]", found)

    def _surplus_keys(self, scope: Scope) -> tuple[Place, ...]:
        files = self.one("certificate", scope, ("ssl_certificate",), list, ()).known or ()
        keys = self.one("certificate_key", scope, ("ssl_certificate_key",), list, ()).known or ()
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

    def _pair_of_command(self, command: ConfCommand) -> CertificatePair:
        if command.name.lower() == "privatekey":
            return self._read_pair("", command.place, command.value, command.place)
        return self._read_pair(command.value, command.place, None, None)

    def _read_pair(self, file: str, place: Place, key_file: str | None, key_place: Place | None) -> CertificatePair:
        bundle = self._bundle(file) if file else None
        key = self._key(key_file) if key_file is not None else None
        return CertificatePair(
            file, place, key_file, key_place,
            bundle=None if isinstance(bundle, Unreadable) else bundle,
            reason=f'"{file}" {bundle.reason}' if isinstance(bundle, Unreadable) else "",
            key=None if isinstance(key, Unreadable) else key,
            trouble=bundle.kind if isinstance(bundle, Unreadable) else "",
            key_reason=f'"{key_file}" {key.reason}' if isinstance(key, Unreadable) else "",
            key_trouble=key.kind if isinstance(key, Unreadable) else "",
            path=self._path(file),
            key_path=self._path(key_file or ""),
        )  # fmt: skip

    def _path(self, file: str) -> str:
        """Return the server path that a name means, empty where it is none of a file."""
        found = self._paths.get(file)
        if found is None:
            is_file = file and not file.startswith(_NOT_FILES)
            found = self._paths[file] = self.files.resolve(file, self.base) if is_file else ""
        return found

    def _bundle(self, file: str) -> "Bundle | Unreadable":
        if file.startswith("data:"):
            from tlslint.pki.bundle import read_bundle

            return read_bundle(file[5:].encode("utf-8", "surrogateescape"), "data:")
        if file.startswith(_NOT_FILES):
            return _not_a_file(file)
        return self.files.bundle(self._path(file))

    def _key(self, file: str) -> "KeyFacts | Unreadable":
        if file.startswith("data:"):
            return _key_facts(file[5:].encode("utf-8", "surrogateescape"))
        if file.startswith(_NOT_FILES):
            return _not_a_file(file)
        path = self._path(file)
        if path not in self._keys:
            data = self.files.data(path)
            self._keys[path] = data if isinstance(data, Unreadable) else _key_facts(data)
        return self._keys[path]

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
        values = _values(host)
        for name in DEFAULT_SERVER_ALWAYS:
            values[name] = getattr(default, name)
        if not by_name:
            for name in ("protocols", "ciphersuites", "server_order_tls13"):
                values[name] = getattr(default, name)
            if default.session_tickets.known is False:
                values["session_tickets"] = default.session_tickets
        values["effective_protocols"] = self._effective_protocols(
            values["protocols"], (host if by_name else default).conf_commands, default.conf_commands
        )
        prioritize = _prioritize_chacha(host if by_name else default)
        values["options"] = (host.options - {"PrioritizeChaCha"}) | prioritize
        found = self._governed[key] = self._interned(TlsSettings(**values))
        return found

    def borrow(self, host: TlsSettings, default: TlsSettings) -> TlsSettings:
        """Return what governs a name whose host has no certificate: the default server's handshake.

        Whether the host rejects the handshake, and whether it insists on a certificate that was asked for, is still its
        own.
        """
        key = (id(host), -id(default))
        found = self._governed.get(key)
        if found is None:
            values = _values(default)
            values["reject_handshake"] = host.reject_handshake
            values["client_check"] = host.client_check
            if host.verify_client.known == "required" and default.verify_client.known not in (None, "none"):
                values["verify_client"] = host.verify_client
            elif default.verify_client.known == "required":
                # asked for in the handshake, but the host does not look at it
                values["verify_client"] = self._placed(
                    "asked only", list(default.verify_client.places), lambda _: "optional"
                )
            found = self._governed[key] = self._interned(TlsSettings(**values))
        return found

    def _interned(self, settings: TlsSettings) -> TlsSettings:
        key = (*map(id, _settings_of(settings)), settings.options, settings.security_level)
        return self._whole.setdefault(key, settings)


_FIELDS = tuple(TlsSettings.__dataclass_fields__)
_all_of: Callable[[TlsSettings], tuple[Any, ...]] = attrgetter(*_FIELDS)
_settings_of: Callable[[TlsSettings], tuple[object, ...]] = attrgetter(
    *(name for name in TlsSettings.__dataclass_fields__ if name not in ("options", "security_level", "dh"))
)
_decided_by_default: Callable[[TlsSettings], tuple[object, ...]] = attrgetter(
    *DEFAULT_SERVER_BEFORE_1_29_2, *DEFAULT_SERVER_ALWAYS, "conf_commands"
)
"""What the default server has a say in; settings are compared by identity, most hosts inherit the very same ones."""


def _key_facts(data: bytes) -> "KeyFacts":
    # only here: a configuration whose keys are not at hand starts without the certificate code
    from tlslint.pki.bundle import read_private_key_facts

    return read_private_key_facts(data)


def _values(settings: TlsSettings) -> dict[str, Any]:
    """Return all fields by name, to make others of them: `dataclasses.replace` takes twice as long."""
    return dict(zip(_FIELDS, _all_of(settings), strict=True))


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
            bound = _COMMAND_PROTOCOLS.get(command.value.lower())
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
    for sign, name in _signed(value):
        named = set(PROTOCOLS[1:]) if name.lower() == "all" else {_COMMAND_PROTOCOLS.get(name.lower(), "")} - {""}
        result = result - named if sign == "-" else result | named
    return result


def _signed(value: str) -> Iterable[tuple[str, str]]:
    for word in value.split(","):
        word = word.strip()
        if word[:1] in ("+", "-"):
            yield word[0], word[1:]
        elif word:
            yield "", word


def _options(library: str | None, commands: Setting[tuple[ConfCommand, ...]]) -> frozenset[str]:
    options: dict[str, bool] = {}
    own = [command.value for command in commands.known or () if command.name.lower() == "options"]
    for value in (library or "", *own):
        for sign, name in _signed(value):
            options[name.lower()] = sign != "-"
    spelled = {"prioritizechacha": "PrioritizeChaCha", "unsafelegacyrenegotiation": "UnsafeLegacyRenegotiation",
               "compression": "Compression"}  # fmt: skip
    return frozenset(spelled.get(name, name) if on else f"-{name}" for name, on in options.items())


def _level_below(listed: Setting[str], otherwise: int | None) -> int | None:
    """Return the level of `ssl_ciphers`, which stays in force under a CipherString command that names none."""
    levels = re.findall(r"@SECLEVEL=([0-5])", listed.known or "")
    return int(levels[-1]) if levels else otherwise


def _words(places: list[Place]) -> list[Argument]:
    return [argument for place in places for argument in place.directive.arguments]


def _protocols(places: list[Place]) -> frozenset[str] | Unknown:
    named = []
    for word in _words(places):
        name = _PROTOCOL_BY_SPELLING.get(word.lower())
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


__all__ = ["PROTOCOLS", "TlsReader", "decides_by_name", "seconds", "shadows"]
