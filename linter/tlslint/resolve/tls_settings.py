"""What the TLS readers of both servers share: provenance of settings, OpenSSL's commands, and certificate files.

Both servers hand their settings to the same library, so that what OpenSSL itself makes of them (its configuration
file, its command language, one slot for each type of key) is the same for both.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from tlslint.resolve.include import Files, Unreadable, key_facts
from tlslint.resolve.model import CertificatePair, ConfCommand, Place, Setting, TlsSettings, Unknown
from tlslint.target import Target

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, DhParameters, KeyFacts

REQUESTING = frozenset(("peer", "request", "once", "requestposthandshake", "requireposthandshake"))
"""Words of the command `VerifyMode` that have a certificate asked for and none required, at least not in TLS 1.3."""
PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
PROTOCOL_BY_SPELLING = {name.lower(): name for name in PROTOCOLS}
COMMAND_PROTOCOLS = {**PROTOCOL_BY_SPELLING, "tlsv1.0": "TLSv1"}


AUTOMATIC = ("automatic", "+automatic")
"""What `ECDHParameters` takes for the library's own choice of groups."""


def not_a_file(name: str) -> Unreadable:
    """Return why a name that is none of a file is not read."""
    return Unreadable("outside", f'"{name.partition(":")[0]}:" names are not read', name)


class SettingsReader:
    """Makes the settings of one target; settings that the same directives make are one object."""

    SERVER: ClassVar[str]
    """The server's name in the words for its defaults."""
    NOT_FILES: ClassVar[tuple[str, ...]]
    """What certificate and key names begin with that are no paths."""

    def __init__(self, target: Target, files: Files, base: str) -> None:
        self.target = target
        self.files = files
        self.base = base
        self._settings: dict[tuple[object, ...], Setting[object]] = {}
        self._whole: dict[tuple[object, ...], TlsSettings] = {}
        self._paths: dict[str, str] = {}

    # -- one setting -----------------------------------------------------------------------------------------------

    def _placed(self, field: str, places: list[Place], convert: Callable[[list[Place]], object]) -> Setting[Any]:
        key = (field, *[id(place.directive) for place in places])
        found = self._settings.get(key)
        if found is None:
            doubt = next((place.doubt for place in places if place.doubt), "")
            found = self._settings[key] = Setting(Unknown(doubt) if doubt else convert(places), tuple(places))
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
        """Return what openssl.cnf makes of a value that the server leaves to the library (measured)."""
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
        """Return what `Options` of openssl.cnf make of a flag: the server adds to them and takes nothing back."""
        # servers set an option for the first of these when it is on, for the other when it is off
        passive = option == "SessionTicket"
        if plain.known is not passive:
            return plain
        for sign, name in signed(self.target.openssl_conf.options or ""):
            if name.lower() == option.lower() and (sign != "-") is not passive:
                return self._constant(not passive, f"openssl.cnf {option}")
        return plain

    def _default_words(self, field: str) -> str:
        if field.startswith("openssl.cnf"):
            return "openssl.cnf"
        version = self.target.server
        known = version and field == "protocols"
        return f"{self.SERVER}'s default ({version})" if known else f"{self.SERVER}'s default"

    def _cipher_string(self, text: str | Unknown) -> str | Unknown:
        """Return a cipher string as it is, or why nothing can be said of it."""
        if isinstance(text, str) and text.startswith("PROFILE=") and self._takes_profiles():
            return Unknown(f'"{text}" leaves the list to the platform')
        if isinstance(text, str) and ("$" in text or "{{" in text):
            return Unknown(f'"{text}" holds a variable')
        return text

    def _takes_profiles(self) -> bool:
        """Whether the OpenSSL may be Red Hat's, which alone knows `PROFILE=`."""
        return self.target.platform is None or self.target.platform.startswith(("rhel", "fedora"))

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
                is_default = command.name.lower() == "ecdhparameters" and command.value.lower() in AUTOMATIC
                return self._decided(f"{field}!", command, "auto" if is_default else command.value)
        return plain

    def _option(self, plain: Setting[bool], commands: Setting[tuple[ConfCommand, ...]], option: str) -> Setting[bool]:
        """Apply `Options` commands, in which a leading minus switches an option off."""
        found = plain
        for command in commands.known or ():
            if command.name.lower() != "options":
                continue
            for sign, name in signed(command.value):
                if name.lower() == option.lower():
                    on = sign != "-"
                    found = self._decided(f"option {option} {on}", command, on)
        return found

    def _verify_mode(self, plain: Setting[str], commands: Setting[tuple[ConfCommand, ...]]) -> Setting[str]:
        for command in reversed(commands.known or ()):
            if command.name.lower() == "verifymode":
                words = {word.strip().lower() for word in command.value.split(",")}
                mode = "required" if "require" in words else "optional" if words & REQUESTING else "none"
                return self._decided(f"verify {mode}", command, mode)
        return plain

    # -- certificates ----------------------------------------------------------------------------------------------

    def _pair_of_command(self, command: ConfCommand) -> CertificatePair:
        if command.name.lower() == "privatekey":
            return self._read_pair("", command.place, command.value, command.place)
        return self._read_pair(command.value, command.place, None, None)

    def _read_pair(self, file: str, place: Place, key_file: str | None, key_place: Place | None) -> CertificatePair:
        path, key_path = self._path(file), self._path(key_file or "")
        return CertificatePair(file, place, key_file, key_place, self._read_files, path=path, key_path=key_path)

    def _read_files(self, pair: CertificatePair) -> "tuple[Bundle | Unreadable | None, KeyFacts | Unreadable | None]":
        bundle = self._bundle(pair.file) if pair.file else None
        return bundle, self._key(pair.key_file) if pair.key_file is not None else None

    def _path(self, file: str) -> str:
        """Return the server path that a name means, empty where it is none of a file."""
        found = self._paths.get(file)
        if found is None:
            is_file = file and not file.startswith(self.NOT_FILES)
            found = self._paths[file] = self.files.resolve(file, self.base) if is_file else ""
        return found

    def _is_inline(self, file: str) -> bool:
        """Whether a name is the contents themselves."""
        return file.startswith("data:") and "data:" in self.NOT_FILES

    def _bundle(self, file: str) -> "Bundle | Unreadable":
        if self._is_inline(file):
            from tlslint.pki.bundle import read_bundle

            return read_bundle(file[5:].encode("utf-8", "surrogateescape"), "data:")
        if file.startswith(self.NOT_FILES):
            return not_a_file(file)
        return self.files.bundle(self._path(file), awaited=True)

    def _key(self, file: str) -> "KeyFacts | Unreadable":
        if self._is_inline(file):
            return key_facts(file[5:].encode("utf-8", "surrogateescape"))
        if file.startswith(self.NOT_FILES):
            return not_a_file(file)
        return self.files.private_key(self._path(file), awaited=True)

    def _dh_parameters(self, setting: Setting[str | None]) -> "DhParameters | None":
        if not setting.known:
            return None
        bundle = self.files.bundle(self.files.resolve(setting.known, self.base))
        if isinstance(bundle, Unreadable) or not bundle.dh_params:
            return None
        return bundle.dh_params[0]

    def _interned(self, settings: TlsSettings) -> TlsSettings:
        key = (*map(id, _settings_of(settings)), settings.options, settings.security_level, settings.failure,
               settings.ticket_failure)  # fmt: skip
        return self._whole.setdefault(key, settings)


_BY_VALUE = ("options", "security_level", "failure", "ticket_failure", "dh")
FIELDS = tuple(TlsSettings.__match_args__)
_POSITIONS = {name: position for position, name in enumerate(FIELDS)}
_all_of: Callable[[TlsSettings], tuple[Any, ...]] = attrgetter(*FIELDS)
_settings_of: Callable[[TlsSettings], tuple[object, ...]] = attrgetter(
    *(name for name in TlsSettings.__match_args__ if name not in _BY_VALUE)
)


def values_of(settings: TlsSettings) -> dict[str, Any]:
    """Return all fields by name, to make others of them: `replace` takes twice as long."""
    return dict(zip(FIELDS, _all_of(settings), strict=True))


def changed(settings: TlsSettings, changes: Mapping[str, object]) -> TlsSettings:
    """Return settings with other values for some fields: `replace` takes several times as long."""
    values = list(_all_of(settings))
    for name, value in changes.items():
        values[_POSITIONS[name]] = value
    return TlsSettings(*values)


def signed(value: str) -> Iterable[tuple[str, str]]:
    """Yield the words of a list with commas, each with the sign in front of it."""
    for word in value.split(","):
        word = word.strip()
        if word[:1] in ("+", "-"):
            yield word[0], word[1:]
        elif word:
            yield "", word


def options_of(library: str | None, commands: Setting[tuple[ConfCommand, ...]]) -> frozenset[str]:
    """Return the options that openssl.cnf and then commands switch on, or with a minus off."""
    options: dict[str, bool] = {}
    own = [command.value for command in commands.known or () if command.name.lower() == "options"]
    for value in (library or "", *own):
        for sign, name in signed(value):
            options[name.lower()] = sign != "-"
    spelled = {"prioritizechacha": "PrioritizeChaCha", "unsafelegacyrenegotiation": "UnsafeLegacyRenegotiation",
               "compression": "Compression"}  # fmt: skip
    return frozenset(spelled.get(name, name) if on else f"-{name}" for name, on in options.items())


def level_below(listed: Setting[str], otherwise: int | None) -> int | None:
    """Return the level of the plain directive, which stays in force under a CipherString command that names none."""
    levels = re.findall(r"@SECLEVEL=([0-5])", listed.known or "")
    return int(levels[-1]) if levels else otherwise
