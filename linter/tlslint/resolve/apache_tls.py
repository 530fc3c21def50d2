"""mod_ssl's directives: how a virtual host is merged with the main server, and who decides what on a shared address.

`TlsReader.settings` gives what a virtual host has after the merge. `govern` gives what really answers when the first
virtual host of an address (D) and the one that the name selects (N) disagree. The connection is made from D's context;
the name then puts N's context in its place, which brings N's certificates, suites and trust, adds N's options to D's,
and leaves the groups, the session cache and the number of tickets as D has them (measured on 2.4.71; mod_ssl's
ssl_find_vhost, OpenSSL's SSL_set_SSL_CTX).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from tlslint.resolve.apache_scope import MAIN, Section
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import (
    CertificatePair,
    ConfCommand,
    DirectoryTls,
    Place,
    Setting,
    Shadow,
    TlsSettings,
    Unknown,
    presented,
)
from tlslint.resolve.tls_settings import (
    COMMAND_PROTOCOLS,
    PROTOCOL_BY_SPELLING,
    PROTOCOLS,
    SettingsReader,
    level_below,
    options_of,
    signed,
    values_of,
)
from tlslint.target import Target, Version
from tlslint.tls.ciphers import LEVEL_BITS
from tlslint.tls.handshake import level_of

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, KeyFacts
    from tlslint.pki.certificate import Certificate

PER_NAME_PROTOCOLS_SINCE = Version("2.4.42")
"""Since then a named host's own `SSLProtocol` counts (ClientHello callback, OpenSSL >= 1.1.1)."""
NO_HOLES_SINCE = Version("2.4.26")
"""Since then httpd sets a lowest and a highest version, with OpenSSL >= 1.1.0; before, it switched each off."""
TLS13_SINCE = Version("2.4.36")
SSLV3_OFF_SINCE = Version("2.4.17")
"""Since then the default is `all -SSLv3`, before that `all`."""
GUARD_APPENDED_SINCE = Version("2.4.17")
GUARD_PREPENDED_SINCE = Version("2.4.7")
CHAIN_IN_FILE_SINCE = Version("2.4.8")
COMPRESSION_ON = (Version("2.4.3"), Version("2.4.4"))
"""From the first to, but without, the second, compression was on by default."""

GUARD: Final = "!aNULL:!eNULL:!EXP"
"""What httpd adds to every cipher string."""
DEFAULT_LIST: Final = "DEFAULT"

FIRST_HOST_ALWAYS: Final = ("groups", "session_cache")
"""What the first host of an address decides on every version."""
FIRST_HOST_BEFORE_2_4_42: Final = ("protocols", "ciphersuites", "server_order_tls13")
"""What it decides as well before `PER_NAME_PROTOCOLS_SINCE`."""
EITHER_HOST: Final = ("server_order", "server_order_tls13", "session_tickets")
"""What is switched on (tickets: off) as soon as one of the two does so."""

_CERTIFICATE_DIRECTIVES: Final = frozenset(("sslengine", "sslcertificatefile", "sslcertificatekeyfile"))
GROUP_COMMANDS: Final = ("groups", "curves", "ecdhparameters")
"""OpenSSL commands that set the groups, in lower case."""
DIRECTORY_SECTIONS: Final = frozenset(
    ("directory", "directorymatch", "location", "locationmatch", "files", "filesmatch", "if", "elseif", "else",
     "limit", "limitexcept", "proxy", "proxymatch")
)  # fmt: skip
"""Sections that are decided for each request."""
_OFF_SETS_A_BIT: Final = frozenset(
    ("sessionticket", "emptyfragments", "compression", "encryptthenmac", "antireplay", "extendedmastersecret",
     "canames", "txcertificatecompression", "rxcertificatecompression")
)  # fmt: skip
"""Options that OpenSSL keeps as a bit for "not"; bits are only ever added when the context changes."""
OPENSSL_TIMEOUT: Final = 7200
"""Seconds that OpenSSL takes for 0."""
NO_STORE: Final = ("none", "nonenotnull")
LEAST_DH_BITS: Final = (0, 1024, 2048, 3072, 7680, 15360)
"""The size of Diffie-Hellman parameters that each security level asks for."""
MAX_CHAIN: Final = 16
_RED_HAT: Final = ("rhel", "fedora", "centos")


def decides_by_name(target: Target) -> bool:
    """Whether the host that a name selects decides the protocol versions, instead of the first one of the address."""
    if target.library == "libressl" or (target.openssl is not None and target.openssl < Version("1.1.1")):
        return False
    return target.server is None or target.server >= PER_NAME_PROTOCOLS_SINCE


def all_protocols(version: Version) -> frozenset[str]:
    """Return what `all` means to an httpd; whether the library has SSLv3 is not httpd's business."""
    return frozenset(PROTOCOLS[1:] if version >= TLS13_SINCE else PROTOCOLS[1:-1])


def protocols_of(words: Sequence[str], version: Version) -> frozenset[str] | str:
    """Read the words of one `SSLProtocol` line, or say which httpd refuses.

    A line starts from nothing, whatever came before it. A word with a sign adds or removes; a bare one replaces all
    that the line has so far.
    """
    every = all_protocols(version)
    enabled: frozenset[str] = frozenset()
    for word in words:
        sign, name = (word[0], word[1:]) if word[:1] in ("+", "-") else ("", word)
        found = PROTOCOL_BY_SPELLING.get(name.lower())
        if name.lower() == "all":
            named = every
        elif found == "SSLv2" and sign == "-":
            continue
        elif found is None or found == "SSLv2" or (found == "TLSv1.3" and version < TLS13_SINCE):
            return word
        else:
            named = frozenset((found,))
        enabled = enabled - named if sign == "-" else enabled | named if sign == "+" else named
    return enabled


def default_protocols(target: Target) -> dict[str, frozenset[str]]:
    """Return what httpd switches on where no `SSLProtocol` is in force, for each version that the target may be."""
    return {str(version): _default_protocols(version) for version in target.server_versions}


def _default_protocols(version: Version) -> frozenset[str]:
    return all_protocols(version) - ({"SSLv3"} if version >= SSLV3_OFF_SINCE else frozenset())


def guarded(text: str, version: Version) -> str:
    """Return a cipher string as httpd passes it on."""
    if version >= GUARD_APPENDED_SINCE:
        return f"{text}:{GUARD}"
    return f"{GUARD}:{text}" if version >= GUARD_PREPENDED_SINCE else text


_DIGEST_BITS: Final = {"md5": 39, "sha1": 63, "sha224": 112, "sha256": 128, "sha384": 192, "sha512": 256}
"""What OpenSSL takes the strength of a signature's digest for."""


def too_weak(certificates: "Sequence[Certificate]", level: int, first: int = 0) -> str:
    """Say in OpenSSL's words what a security level forbids of a chain, from the certificate at a position on."""
    if not 0 < level < len(LEVEL_BITS):
        return ""
    # only where there is a level and a certificate
    from tlslint.pki.keys import security_bits

    for index, certificate in enumerate(certificates[first:], first):
        bits = security_bits(certificate)
        if bits is not None and bits < LEVEL_BITS[level]:
            return "ee key too small" if index == 0 else "ca key too small"
        strength = _DIGEST_BITS.get(certificate.signature_hash or "")
        if strength is not None and strength < LEVEL_BITS[level] and not certificate.self_issued:
            return "ca md too weak"
    return ""


class TlsReader(SettingsReader):
    """Reads mod_ssl's settings for one target; settings that the same directives make are one object.

    `main` is the main server's section, with which every virtual host is merged; `server_root` is the server path from
    which relative names of files are taken.
    """

    SERVER = "httpd"
    NOT_FILES = ("pkcs11:", "engine:")

    def __init__(self, target: Target, files: Files, server_root: str, main: Section) -> None:
        super().__init__(target, files, server_root)
        self.main = main
        assert target.server is not None
        self.version: Version = target.server
        self._by_section: dict[int, TlsSettings] = {}
        self._governed: dict[tuple[int, int], TlsSettings] = {}
        self._effective: dict[tuple[int, ...], Setting[frozenset[str]]] = {}
        self._bundles: dict[tuple[object, ...], Bundle] = {}
        self._kept: dict[tuple[object, ...], tuple[Any, ...]] = {}
        self._managed: dict[str, Place] | None = None

    # -- a virtual host ----------------------------------------------------------------------------------------------

    def settings(self, section: Section) -> TlsSettings:
        """Return what a virtual host (or the main server) has after it was merged with the main server."""
        found = self._by_section.get(id(section))
        if found is None:
            found = self._by_section[id(section)] = self._read(section)
        return found

    def _read(self, section: Section) -> TlsSettings:
        if section is self.main or section.incomplete or self.main.incomplete:
            return self._read_all(section)
        if not {name for name in section.own if name.startswith("ssl")} <= _CERTIFICATE_DIRECTIVES:
            return self._read_all(section)
        # most hosts set nothing but their certificate
        inherited = self.settings(self.main)
        commands, listed = inherited.conf_commands, inherited.plain_ciphers
        assert listed is not None
        assert inherited.ca_path is not None
        ca_file = self.one("client_ca", section, "sslcacertificatefile", _path, None)
        files, keys = self._files(section), self._key_files(section)
        values = values_of(inherited)
        values["certificates"] = self._certificates(section, files, keys, commands, ca_file, inherited.ca_path)
        values["groups"] = self._overridden("groups", self._groups(files), commands, GROUP_COMMANDS)
        values["dh_params"], values["dh_auto"] = self._dh(files, listed)
        values["dh"] = self._dh_parameters(values["dh_params"])
        values["surplus_keys"] = self._surplus_keys(files, keys)
        values["directories"] = self._keep("directories", tuple(self._directories(section)))
        settings = TlsSettings(**values)
        settings.failure = self._chain_failure(settings)
        return self._interned(settings)

    def _surplus_keys(self, files: Setting[tuple[Place, ...]], keys: Setting[tuple[Place, ...]]) -> tuple[Place, ...]:
        return self._keep("surplus", (keys.known or ())[len(files.known or ()) :])

    def _read_all(self, section: Section) -> TlsSettings:
        commands = self._commands_of(section)
        protocols = self._lines_replaced(
            section, self.one("protocols", section, "sslprotocol", self._protocols, self._protocols_default())
        )
        listed = self._listed_ciphers(section)
        listed13 = self._ciphersuites(section)
        order = self._library_option(self._flag(section, "sslhonorcipherorder", False), "ServerPreference")
        files, keys = self._files(section), self._key_files(section)
        check = self.one("verify_client", section, "sslverifyclient", _verify_client, "none")
        dh_params, dh_auto = self._dh(files, listed)
        ca_file = self.one("client_ca", section, "sslcacertificatefile", _path, None)
        ca_path = self.one("ca_path", section, "sslcacertificatepath", _path, None)
        crl_check = self.one("crl_check", section, "sslcarevocationcheck", _crl_check, "none")
        crl, idle = self._crls(section, crl_check)
        ciphers = self._overridden("ciphers", listed, commands, ("cipherstring",))
        settings = TlsSettings(
            protocols=protocols,
            effective_protocols=self._effective_protocols(protocols, commands, commands),
            ciphers=self._guarded_command(ciphers, listed),
            ciphersuites=self._overridden(
                "ciphersuites", self._library("ciphersuites", listed13, None), commands, ("ciphersuites",)
            ),
            server_order=self._option(order, commands, "ServerPreference"),
            server_order_tls13=self._option(order, commands, "ServerPreference"),
            groups=self._overridden("groups", self._groups(files), commands, GROUP_COMMANDS),
            certificates=self._certificates(section, files, keys, commands, ca_file, ca_path),
            dh_params=dh_params,
            conf_commands=commands,
            reject_handshake=self._constant(False, "reject_handshake"),
            # what mod_ssl itself requires it still looks at when the handshake is over
            verify_client=check if check.known == "required" else self._verify_mode(check, commands),
            client_check=check,
            client_ca=self._authorities(ca_file, ca_path, commands),
            trusted_ca=self._constant(None, "trusted_ca"),
            crl=crl,
            client_ocsp=self.one("client_ocsp", section, "sslocspenable", _ocsp, False),
            verify_depth=self.one("verify_depth", section, "sslverifydepth", _integer, 1),
            session_tickets=self._option(
                self._library_option(self._flag(section, "sslsessiontickets", True), "SessionTicket"),
                commands,
                "SessionTicket",
            ),
            ticket_keys=self.one("ticket_keys", section, "sslsessionticketkeyfile", _as_tuple, ()),
            session_cache=self.one("session_cache", self.main, "sslsessioncache", _joined, "none"),
            session_timeout=self.one("session_timeout", section, "sslsessioncachetimeout", _seconds, 300),
            early_data=self._constant(False, "early_data"),
            signature_algorithms=self._overridden(
                "signature_algorithms",
                self._library("signature_algorithms", self._constant(None), None),
                commands,
                ("signaturealgorithms",),
            ),
            stapling=self._flag(section, "sslusestapling", False),
            stapling_verify=self._constant(True, "stapling_verify"),
            stapling_file=self._constant(None, "stapling_file"),
            stapling_responder=self.one("stapling_responder", section, "sslstaplingforceurl", _text, None),
            resolver=self._constant(True, "resolver"),
            stapling_cache=self.one("stapling_cache", self.main, "sslstaplingcache", _text, None),
            options=self._options(section, commands),
            security_level=level_below(listed, self.target.openssl_conf.security_level),
            plain_ciphers=listed,
            dh=self._dh_parameters(dh_params),
            surplus_keys=self._surplus_keys(files, keys),
            dh_auto=dh_auto,
            ca_path=ca_path,
            ca_names=self._names_shown(section),
            idle_crl=idle,
            crl_check=crl_check,
            directories=self._keep("directories", tuple(self._directories(section))),
            switches=self._one_object(tuple(self._switches(section))),
        )
        settings.failure = self._chain_failure(settings)
        settings.ticket_failure = _time_failure(settings)
        return self._interned(settings)

    def _chain_failure(self, settings: TlsSettings) -> str:
        """Say why no certificate can be sent: what comes from another file is judged in the handshake only."""
        pairs = presented(settings.certificates.known or ())
        level = 0
        if settings.ciphers.known is not None:
            level = level_of(settings.ciphers.known, settings.security_level, self.target)
        if not pairs or level == 0:
            return ""
        reasons = [too_weak(_from_elsewhere(pair), level, 1) for pair in pairs]
        if not all(reasons):
            return ""
        return (
            f"security level {level} forbids the certificates that go with the server's own ({reasons[0]}): "
            "httpd ends the handshake with internal_error"
        )

    def _keep(self, what: str, items: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return one object for what the same places make, as settings are compared by identity."""
        key = (what, *[id(item.directive if isinstance(item, Place) else item.place.directive) for item in items])
        return self._kept.setdefault(key, items)

    # -- one setting ------------------------------------------------------------------------------------------------

    def one(
        self, field: str, section: Section, name: str, convert: Callable[[Place], object], default: object
    ) -> Setting[Any]:
        """Return what the last line of a virtual host says, else of the main server, else the default."""
        place = section.last(name)
        if place is None and section is not self.main:
            if section.incomplete:
                return self._unknown(section.incomplete)
            place = self.main.last(name)
        if place is not None:
            return self.said(field, place, convert)
        return self._unknown(self.main.incomplete) if self.main.incomplete else self._constant(default, field)

    def said(self, field: str, place: Place, convert: Callable[[Place], object]) -> Setting[Any]:
        """Return what one line says."""
        return self._placed(field, [place], lambda places: convert(places[-1]))

    def _flag(self, section: Section, name: str, default: bool) -> Setting[bool]:
        return self.one(name, section, name, _flag, default)

    # -- protocols --------------------------------------------------------------------------------------------------

    def _lines_replaced(self, section: Section, protocols: Setting[frozenset[str]]) -> Setting[frozenset[str]]:
        """Note the lines of the same section that the one in force replaces."""
        for level in (section, self.main):
            *earlier, last = level.own.get("sslprotocol", (None,))
            if last is not None and last in protocols.places:
                protocols.replaced = tuple(dict.fromkeys((*protocols.replaced, *filter(None, earlier))))
                break
        return protocols

    def _protocols(self, place: Place) -> frozenset[str] | Unknown:
        found = protocols_of(place.directive.arguments, self.version)
        if isinstance(found, str):
            variable = "holds a variable" if "$" in found else "is no protocol that httpd knows"
            return Unknown(f'"{found}" {variable}')
        return found

    def _protocols_default(self) -> frozenset[str] | Unknown:
        if (self.target.platform or "").startswith(_RED_HAT):
            return Unknown("Red Hat's httpd takes the versions from the system's crypto policy")
        return _default_protocols(self.version)

    @property
    def _sets_bounds(self) -> bool:
        """Whether httpd sets the lowest and the highest version, so that there are no holes."""
        old = self.target.library != "openssl" or (
            self.target.openssl is not None and self.target.openssl < Version("1.1.0")
        )
        return self.version >= NO_HOLES_SINCE and not old

    def _effective_protocols(
        self,
        protocols: Setting[frozenset[str]],
        bounds: Setting[tuple[ConfCommand, ...]],
        *switches: Setting[tuple[ConfCommand, ...]],
    ) -> Setting[frozenset[str]]:
        """Apply the MinProtocol and MaxProtocol commands of one host, and the Protocol commands of one or both."""
        key = (id(protocols), id(bounds), *map(id, switches))
        found = self._effective.get(key)
        if found is None:
            found = self._effective[key] = self._apply(protocols, bounds, switches)
        return found

    def _apply(
        self,
        protocols: Setting[frozenset[str]],
        bounds: Setting[tuple[ConfCommand, ...]],
        switches: Sequence[Setting[tuple[ConfCommand, ...]]],
    ) -> Setting[frozenset[str]]:
        enabled = protocols.known
        if enabled is None:
            return protocols
        for setting in (bounds, *switches):
            if isinstance(setting.value, Unknown) and not protocols.explicit:
                return Setting(setting.value)
        places: list[Place] = []
        if self._sets_bounds:
            low, high = _without_holes(enabled)
            for command in bounds.known or ():
                name = command.name.lower()
                if command.value.startswith("DTLS"):
                    continue  # taken, and of no effect on TLS
                if name == "minprotocol":
                    low = _rank(command.value, 0)
                elif name == "maxprotocol":
                    high = _rank(command.value, len(PROTOCOLS) - 1)
                else:
                    continue
                places.append(command.place)
            enabled = frozenset(PROTOCOLS[low : high + 1])
        for setting in switches:
            refused, changing = _switched_off(setting.known or (), enabled)
            enabled -= refused
            places += changing
        if enabled == protocols.known and not places:
            return protocols
        return Setting(enabled, (*protocols.places, *places), protocols.default)

    # -- suites -----------------------------------------------------------------------------------------------------

    def _listed_ciphers(self, section: Section) -> Setting[str]:
        place, missing = self._of_kind(section, lambda words: len(words) == 1 or words[:1] == ["SSL"])
        if place is not None:
            return self.said("ciphers", place, self._ciphers)
        if missing is not None:
            return missing
        if (self.target.platform or "").startswith(_RED_HAT):
            return self._unknown("Red Hat's httpd takes the suites from the system's crypto policy")
        has_guard = self.version >= GUARD_APPENDED_SINCE
        return self._constant(f"{DEFAULT_LIST}:{GUARD}" if has_guard else DEFAULT_LIST, "ciphers")

    def _ciphersuites(self, section: Section) -> Setting[str | None]:
        place, missing = self._of_kind(section, lambda words: len(words) == 2 and words[0] == "TLSv1.3")
        if place is not None:
            return self.said("ciphersuites", place, lambda place: str(place.directive.arguments[1]))
        return missing or self._constant(None, "ciphersuites")

    def _of_kind(
        self, section: Section, is_meant: Callable[[list[str]], bool]
    ) -> tuple[Place | None, Setting[Any] | None]:
        """Return the last `SSLCipherSuite` of a kind, or why it is not known: the two kinds are merged apart."""
        for level in (section, self.main):
            for place in reversed(level.own.get("sslciphersuite", ())):
                if is_meant([str(word) for word in place.directive.arguments]):
                    return place, None
            if level.incomplete:
                return None, self._unknown(level.incomplete)
        return None, None

    def _ciphers(self, place: Place) -> str | Unknown:
        text = self._cipher_string(str(place.directive.arguments[-1]))
        return text if isinstance(text, Unknown) else guarded(text, self.version)

    def _guarded_command(self, ciphers: Setting[str], listed: Setting[str]) -> Setting[str]:
        if ciphers is listed or ciphers.known is None:
            return ciphers
        value = guarded(ciphers.known, self.version)
        return self._placed("ciphers of a command", list(ciphers.places), lambda _: value)

    # -- groups and parameters ---------------------------------------------------------------------------------------

    def _first_bundle(self, files: Setting[tuple[Place, ...]]) -> "tuple[Place, Bundle] | None":
        if not files.known:
            return None
        place = files.known[0]
        bundle = self._bundle(str(place.directive.arguments[0]))
        return None if isinstance(bundle, Unreadable) else (place, bundle)

    def _groups(self, files: Setting[tuple[Place, ...]]) -> Setting[str]:
        """Return the curve that stands in the first certificate's file, which then is the only one."""
        first = self._first_bundle(files)
        if first is not None and first[1].ec_params:
            curve = first[1].ec_params[0]
            return self._placed("groups", [first[0]], lambda _: curve)
        return self._library("groups", self._constant("auto", "groups"), "auto")

    def _dh(self, files: Setting[tuple[Place, ...]], listed: Setting[str]) -> tuple[Setting[str | None], bool]:
        """Return the first certificate's file where its parameters count, and whether httpd makes up ones of its own.

        The first block of parameters is taken for Diffie-Hellman's, whatever it is: with a curve there, no DHE suite
        works. Parameters that the security level does not allow are passed over. The DHParameters command has no
        effect. (All measured.)
        """
        nothing: Setting[str | None] = self._constant(None, "dh_params")
        first = self._first_bundle(files)
        if first is None:
            return nothing, True
        place, bundle = first
        if bundle.curve_comes_first:
            return nothing, self.target.openssl is not None and self.target.openssl < Version("3.0")
        if not bundle.dh_params:
            return nothing, True
        if listed.known is not None:
            level = level_of(listed.known, self.target.openssl_conf.security_level, self.target)
            if bundle.dh_params[0].bits < LEAST_DH_BITS[level]:
                return nothing, True
        return self._placed("dh_params", [place], lambda places: str(places[0].directive.arguments[0])), False

    # -- OpenSSL commands --------------------------------------------------------------------------------------------

    def _commands_of(self, section: Section) -> Setting[tuple[ConfCommand, ...]]:
        """Return the commands in the order of execution: the main server's, then the virtual host's."""
        own = [section] if section is self.main else [self.main, section]
        places = [place for level in own for place in level.own.get("sslopensslconfcmd", ())]
        incomplete = next((level.incomplete for level in own if level.incomplete), "")
        if places:
            return self._placed("conf_commands", places, self._commands)
        return self._unknown(incomplete) if incomplete else self._constant((), "conf_commands")

    def _options(self, section: Section, commands: Setting[tuple[ConfCommand, ...]]) -> frozenset[str]:
        found = set(options_of(self.target.openssl_conf.options, commands))
        lower = {option.lower().lstrip("-") for option in found}
        if self._flag(section, "sslinsecurerenegotiation", False).known and "unsafelegacyrenegotiation" not in lower:
            found.add("UnsafeLegacyRenegotiation")
        by_default = COMPRESSION_ON[0] <= self.version < COMPRESSION_ON[1]
        if self._flag(section, "sslcompression", by_default).known and "compression" not in lower:
            found.add("Compression")
        return frozenset(found)

    def _switches(self, section: Section) -> Iterator[tuple[str, Place]]:
        for name, option in (
            ("sslinsecurerenegotiation", "UnsafeLegacyRenegotiation"),
            ("sslcompression", "Compression"),
        ):
            setting = self._flag(section, name, False)
            if setting.known and setting.places:
                yield option, setting.places[-1]

    def _one_object(self, switches: tuple[tuple[str, Place], ...]) -> tuple[tuple[str, Place], ...]:
        key = ("switches", *[id(place.directive) for _, place in switches])
        return self._kept.setdefault(key, switches)

    # -- certificates ------------------------------------------------------------------------------------------------

    def _files(self, section: Section) -> Setting[tuple[Place, ...]]:
        return self._by_index("certificate", section, "sslcertificatefile")

    def _key_files(self, section: Section) -> Setting[tuple[Place, ...]]:
        return self._by_index("certificate_key", section, "sslcertificatekeyfile")

    def _by_index(self, field: str, section: Section, name: str) -> Setting[tuple[Place, ...]]:
        """Merge a list: an own entry replaces the main server's at its place, surplus ones of that stay."""
        own = [place for place in section.own.get(name, ()) if place.directive.arguments]
        outer = [] if section is self.main else self.main.own.get(name, [])
        merged = [*own, *[place for place in outer[len(own) :] if place.directive.arguments]]
        incomplete = section.incomplete or self.main.incomplete
        if merged:
            return self._placed(field, merged, tuple)
        return self._unknown(incomplete) if incomplete else self._constant((), field)

    def _certificates(
        self,
        section: Section,
        files: Setting[tuple[Place, ...]],
        keys: Setting[tuple[Place, ...]],
        commands: Setting[tuple[ConfCommand, ...]],
        ca_file: Setting[str | None],
        ca_path: Setting[str | None],
    ) -> Setting[tuple[CertificatePair, ...]]:
        managed = self.managed_by(section)
        if managed is not None:
            return self._managed_certificates(managed)
        if files.is_unknown:
            return cast("Setting[tuple[CertificatePair, ...]]", files)
        chain = self._nearest(section, "sslcertificatechainfile")
        own = [command for command in commands.known or () if command.name.lower() in ("certificate", "privatekey")]
        for command in commands.known or ():
            # where there is such a store, chains are completed from it alone
            if command.name.lower() == "chaincafile":
                ca_file, ca_path = self._decided("chain store", command, command.value), self._constant(None, "ca_path")
            elif command.name.lower() == "chaincapath":
                ca_file, ca_path = self._constant(None, "ca_file"), self._decided("chain store", command, command.value)
        key = (
            "certificates", id(files), id(keys), id(chain.directive) if chain else 0, id(ca_file), id(ca_path),
            *[id(command.place.directive) for command in own],
        )  # fmt: skip
        found = self._settings.get(key)
        if found is None:
            value = self._pairs(files.known or (), keys.known or (), own, chain, (ca_file, ca_path))
            found = self._settings[key] = Setting(value, files.known or tuple(command.place for command in own))
        return cast("Setting[tuple[CertificatePair, ...]]", found)

    def _managed_certificates(self, managed: Place) -> Setting[tuple[CertificatePair, ...]]:
        """Return the certificates of a domain of mod_md: files of its own, where it has such, else nobody knows."""
        section = next((each for each in self.main.walk() if each.place is managed), None)
        files, keys = (
            [place for place in section.own.get(name, ()) if len(place.directive.arguments) == 1] if section else []
            for name in ("mdcertificatefile", "mdcertificatekeyfile")
        )
        if not files:
            return self._placed("managed", [managed], lambda _: Unknown("mod_md obtains the certificate"))
        stores: tuple[Setting[str | None], Setting[str | None]] = (
            self._constant(None, "ca_file"), self._constant(None, "ca_path")
        )  # fmt: skip
        return self._placed("managed", files, lambda _: self._pairs(files, keys, (), None, stores))

    def _nearest(self, section: Section, name: str) -> Place | None:
        return section.last(name) or self.main.last(name)

    def _pairs(
        self,
        files: Sequence[Place],
        keys: Sequence[Place],
        commands: Sequence[ConfCommand],
        chain: Place | None,
        stores: tuple[Setting[str | None], Setting[str | None]],
    ) -> tuple[CertificatePair, ...] | Unknown:
        variable = next((place for place in (*files, *keys) if "$" in str(place.directive.arguments[0])), None)
        if variable is not None:
            return Unknown(f'"{variable.directive.arguments[0]}" holds a variable')
        pairs = [self._pair(place, keys[index] if index < len(keys) else place) for index, place in enumerate(files)]
        for pair in pairs:
            self._with_chain(pair, chain, {str(place.directive.arguments[0]) for place in files})
        pairs += [self._pair_of_command(command) for command in commands]
        for pair in pairs:
            self._complete(pair, *stores)
        return tuple(pairs)

    def _pair(self, place: Place, key_place: Place) -> CertificatePair:
        file, key_file = str(place.directive.arguments[0]), str(key_place.directive.arguments[0])
        return self._read_pair(file, place, key_file, key_place)

    def _with_chain(self, pair: CertificatePair, chain: Place | None, files: set[str]) -> None:
        """Put the certificates of `SSLCertificateChainFile` in the place of those behind the first one of the file."""
        if chain is None or not chain.directive.arguments:
            if self.version < CHAIN_IN_FILE_SINCE and pair.bundle is not None:
                pair.bundle = self._rebuilt(pair.bundle, ())
            return
        name = str(chain.directive.arguments[0])
        pair.chain_file, pair.chain_place = name, chain
        bundle = self._bundle(name)
        if pair.bundle is None:
            return
        if isinstance(bundle, Unreadable):
            pair.reason, pair.trouble, pair.bundle = f'"{name}" {bundle.reason}', bundle.kind, None
            return
        others = [entry.certificate for entry in bundle.entries if entry.label != "TRUSTED CERTIFICATE"]
        pair.bundle = self._rebuilt(pair.bundle, others[1:] if name in files else others)

    def _rebuilt(self, bundle: "Bundle", chain: "Sequence[Certificate]", *, added: bool = False) -> "Bundle":
        """Return the bundle with other certificates behind its first one."""
        from tlslint.pki.bundle import rebuilt

        key = (id(bundle), added, *[certificate.sha256 for certificate in chain])
        found = self._bundles.get(key)
        if found is None:
            found = self._bundles[key] = rebuilt(bundle, chain)
        return found

    def _complete(self, pair: CertificatePair, ca_file: Setting[str | None], ca_path: Setting[str | None]) -> None:
        """Add what OpenSSL finds in the store of client CAs for a certificate that has nothing behind it."""
        bundle = pair.bundle
        if bundle is None or len(bundle.certificates) != 1 or not (ca_file.known or ca_path.known):
            return
        from tlslint.pki.chain import Authorities

        pool = Authorities(self._store(ca_file.known, ca_path.known))
        chain = [bundle.certificates[0]]
        while len(chain) < MAX_CHAIN and not chain[-1].self_issued:
            issuers = [issuer for issuer in pool.issuers(chain[-1]) if issuer not in chain]
            if not issuers:
                break
            chain.append(issuers[0])
        if len(chain) > 1:
            pair.bundle = self._rebuilt(bundle, chain[1:], added=True)

    def _store(self, *names: str | None) -> "Iterator[Certificate]":
        for name in filter(None, names):
            bundle = self.files.authorities(self.files.resolve(name, self.base))
            if not isinstance(bundle, Unreadable):
                yield from bundle.all_certificates

    def key_of(self, file: str) -> "KeyFacts | None":
        """Return what may be said of the key in a file; None where it could not be read."""
        found = self._key(file)
        return None if isinstance(found, Unreadable) else found

    def managed_by(self, section: Section) -> Place | None:
        """Return the directive that has mod_md obtain the certificate of a host, if one does."""
        if self._managed is None:
            self._managed = dict(_managed_domains(self.main))
        if not self._managed:
            return None
        if section.kind == MAIN and [word.lower() for word in self._words(section, "mdbaseserver")] != ["on"]:
            return None
        for name in _names(section, self.main):
            place = self._managed.get(name) or self._managed.get(f"*.{name.partition('.')[2]}")
            if place is not None:
                return place
        return None

    @staticmethod
    def _words(section: Section, name: str) -> tuple[str, ...]:
        place = section.last(name)
        return () if place is None else place.directive.arguments

    # -- clients -----------------------------------------------------------------------------------------------------

    def _authorities(
        self, file: Setting[str | None], folder: Setting[str | None], commands: Setting[tuple[ConfCommand, ...]]
    ) -> Setting[str | None]:
        """Return the CAs that clients are judged by; a command replaces all of them."""
        for command in reversed(commands.known or ()):
            name = command.name.lower()
            if name == "verifycafile":
                return self._decided("client_ca!", command, command.value)
            if name in ("verifycapath", "verifycastore"):
                return self._decided("client_ca!", command, Unknown("a command names a directory of CAs"))
        if folder.known:
            reason, is_empty = self._searched(folder.known, lambda found: bool(found.entries))
            if file.known:
                reason = "the CAs of clients lie in a file and in a directory"
            if reason:
                return self._placed("client_ca", list(folder.places), lambda _: Unknown(reason))
            return file if is_empty else folder
        return folder if folder.is_unknown and not file.explicit else file

    def _searched(self, folder: str, holds_some: "Callable[[Bundle], bool]") -> tuple[str, bool]:
        """Return why it is not known what OpenSSL finds in a directory, if it is not, and whether it finds nothing."""
        found = self.files.authorities(self.files.resolve(folder, self.base))
        if isinstance(found, Unreadable):
            return f"the directory {found.reason}", False
        is_empty = not holds_some(found)
        if is_empty and not self.files.whole_machine:
            return "no name in the directory is a hash, as OpenSSL needs it", False
        return "", is_empty

    def _names_shown(self, section: Section) -> Setting[str | None]:
        file = self.one("ca_names", section, "sslcadnrequestfile", _path, None)
        return file if file.explicit else self.one("ca_names", section, "sslcadnrequestpath", _path, None)

    def _crls(self, section: Section, check: Setting[str]) -> tuple[Setting[str | None], Setting[str | None]]:
        """Return the list that is looked at, and the one that is not."""
        file = self.one("crl", section, "sslcarevocationfile", _path, None)
        folder = self.one("crl_path", section, "sslcarevocationpath", _path, None)
        loaded = file if file.explicit or not folder.explicit else folder
        nothing: Setting[str | None] = self._constant(None, "crl")
        if check.known is None:
            return self._unknown("it is not known whether lists are looked at"), nothing
        if check.known == "none":
            return nothing, loaded
        if folder.known:
            reason, is_empty = self._searched(folder.known, lambda found: bool(found.crls))
            if file.known:
                reason = "the lists lie in a file and in a directory"
            if reason:
                return self._placed("crl", list(folder.places), lambda _: Unknown(reason)), nothing
            return file if is_empty else folder, nothing
        return file, nothing

    def _directories(self, section: Section) -> Iterator[DirectoryTls]:
        """Yield the sections of a host that ask for a certificate, or for other suites, when a request is there."""
        levels = [section] if section is self.main else [self.main, section]
        pending = [child for level in reversed(levels) for child in reversed(level.parts)]
        while pending:
            child = pending.pop()
            if child.kind not in DIRECTORY_SECTIONS or child.place is None:
                continue
            pending.extend(reversed(child.children))
            found = DirectoryTls(
                child.place,
                self._in_directory("verify_client", child, "sslverifyclient", _verify_client),
                self._in_directory("directory_ciphers", child, "sslciphersuite", self._ciphers),
                self._in_directory("verify_depth", child, "sslverifydepth", _integer),
            )
            if found.verify_client or found.ciphers or found.verify_depth:
                yield found

    def _in_directory(
        self, field: str, section: Section, name: str, convert: Callable[[Place], object]
    ) -> Setting[Any] | None:
        place = section.last(name)
        return None if place is None or not place.directive.arguments else self.said(field, place, convert)

    # -- the first host of an address and the named one ----------------------------------------------------------------

    def govern(self, host: TlsSettings, default: TlsSettings) -> TlsSettings:
        """Return what governs connections that a name sends to `host` on an address whose first host is `default`."""
        if host is default:
            return host
        key = (id(host), id(default))
        found = self._governed.get(key)
        if found is None:
            found = self._governed[key] = self._interned(TlsSettings(**self._mixed(host, default)))
        return found

    def borrow(self, host: TlsSettings, default: TlsSettings) -> TlsSettings:
        """Return what governs a name whose host has no TLS of its own: the handshake is the first host's.

        But the keys of tickets are looked for in the named host, the session store takes its time, and a certificate
        that it requires it looks for, whether or not the handshake asked for one.
        """
        if host is default:
            return default
        key = (id(host), -id(default))
        found = self._governed.get(key)
        if found is None:
            values = values_of(default)
            # no file of keys, not even the main server's, is read for a host whose TLS is off
            keys = self._constant((), "ticket_keys")
            broken = self._ticket_failure(keys, default.ticket_keys, default.session_tickets)
            values["failure"] = broken or default.failure
            values["session_timeout"] = _stored_time(host, default)
            values["ticket_failure"] = host.ticket_failure
            values["client_check"] = host.client_check
            if host.client_check.known == "required" and default.verify_client.known not in (None, "none"):
                values["verify_client"] = host.client_check
            found = self._governed[key] = self._interned(TlsSettings(**values))
        return found

    def _mixed(self, host: TlsSettings, default: TlsSettings) -> dict[str, Any]:
        by_name = decides_by_name(self.target)
        values = values_of(host)
        for name in (*FIRST_HOST_ALWAYS, *(() if by_name else FIRST_HOST_BEFORE_2_4_42)):
            values[name] = getattr(default, name)
        bounds = default
        if by_name and (host.protocols.explicit or host.protocols.is_unknown):
            bounds = host
        values["protocols"] = bounds.protocols
        # before there was a callback for the whole ClientHello, the version was chosen by then
        switches = (default.conf_commands, host.conf_commands) if by_name else (default.conf_commands,)
        values["effective_protocols"] = self._effective_protocols(bounds.protocols, bounds.conf_commands, *switches)
        values["server_order"] = _either(default.server_order, host.server_order, True)
        if by_name:
            values["server_order_tls13"] = _either(default.server_order_tls13, host.server_order_tls13, True)
        values["session_tickets"] = _either(default.session_tickets, host.session_tickets, False)
        values["session_timeout"] = _stored_time(host, default)
        values["options"] = _united(default.options, host.options)
        values["switches"] = self._one_object(tuple(dict.fromkeys((*default.switches, *host.switches))))
        values.update(self._ticket_keys(host, default, values["session_tickets"]))
        return values

    def _ticket_keys(self, host: TlsSettings, default: TlsSettings, tickets: Setting[bool]) -> dict[str, Any]:
        """The first host's context decides whether keys come from a file at all, and the named host has to have one."""
        keys = host.ticket_keys if default.ticket_keys.known else default.ticket_keys
        failure = self._ticket_failure(host.ticket_keys, default.ticket_keys, tickets)
        return {"ticket_keys": keys, "failure": failure} if failure else {"ticket_keys": keys}

    @staticmethod
    def _ticket_failure(own: Setting[tuple[str, ...]], first: Setting[tuple[str, ...]], tickets: Setting[bool]) -> str:
        if not first.known or own.known or own.is_unknown or tickets.known is False:
            return ""
        return (
            "the first virtual host of this address has an SSLSessionTicketKeyFile and this one has not: "
            "httpd ends the handshake with internal_error"
        )


def shadows(host: TlsSettings, governing: TlsSettings, default: TlsSettings, version_known: bool) -> tuple[Shadow, ...]:
    """Return what a host sets itself, with a known other value than the one that governs its connections.

    Where the version is not known, what only older versions take from the first host is named with them.
    """
    found = []
    for name in (
        *FIRST_HOST_BEFORE_2_4_42[:2],
        *EITHER_HOST[:1],
        EITHER_HOST[2],
        *FIRST_HOST_ALWAYS,
        "session_timeout",
        "ticket_keys",
    ):
        own = host.setting(name)
        if _differs(own, governing.setting(name)):
            found.append(Shadow(name, own, governing.setting(name)))
        elif not version_known and name in FIRST_HOST_BEFORE_2_4_42 and _differs(own, default.setting(name)):
            found.append(Shadow(name, own, default.setting(name), f"httpd before {PER_NAME_PROTOCOLS_SINCE}"))
    return tuple(found)


def _differs(own: Setting[object], real: Setting[object]) -> bool:
    return own is not real and own.explicit and not own.is_unknown and not real.is_unknown and own.value != real.value


def _either(first: Setting[bool], named: Setting[bool], sticky: bool) -> Setting[bool]:
    """Return the setting that decides where a flag once set is never taken back."""
    for setting in (named, first):
        if setting.known is sticky:
            return setting
    return first if first.is_unknown else named


def _time_failure(settings: TlsSettings) -> str:
    """Say why tickets of TLS 1.3 cannot be made: with a store httpd gives the session the time that is written.

    It does so before it makes the ticket, and the time is the named host's, whether or not that has TLS of its own.
    """
    has_store = settings.session_cache.known not in (None, *NO_STORE)
    place = settings.session_timeout.places[-1] if settings.session_timeout.places else None
    if not has_store or place is None or _integer(place) != 0:
        return ""
    return "SSLSessionCacheTimeout is 0, and there is a session cache: TLS 1.3 ends with internal_error"


def _stored_time(host: TlsSettings, default: TlsSettings) -> Setting[int]:
    """Return how long a session lasts: what puts it into a store gives it the named host's time."""
    has_store = default.session_cache.known not in (None, *NO_STORE)
    return (
        host.session_timeout if has_store and host.session_timeout.known != OPENSSL_TIMEOUT else default.session_timeout
    )


def _united(first: frozenset[str], named: frozenset[str]) -> frozenset[str]:
    """Unite the options of two contexts, whose bits are only added to."""
    by_name: dict[str, str] = {}
    for option in sorted((*first, *named)):
        name = option.lstrip("-").lower()
        sets_bit = option.startswith("-") == (name in _OFF_SETS_A_BIT)
        if sets_bit or name not in by_name:
            by_name[name] = option
    return frozenset(by_name.values())


def _without_holes(enabled: frozenset[str]) -> tuple[int, int]:
    """Return the ranks of the lowest and highest version that httpd sets: nothing below a gap counts."""
    ranks = [PROTOCOLS.index(name) for name in enabled]
    if not ranks:
        return 0, -1
    high = low = max(ranks)
    while low - 1 in ranks:
        low -= 1
    return low, high


def _rank(value: str, otherwise: int) -> int:
    name = COMMAND_PROTOCOLS.get(value.lower())
    return otherwise if name is None else PROTOCOLS.index(name)


def _switched_off(commands: Sequence[ConfCommand], enabled: frozenset[str]) -> tuple[frozenset[str], list[Place]]:
    """Return the versions that `Protocol` commands leave switched off, and those commands that change anything.

    A version that such a command names without a minus is merely not off: httpd sets bounds, and those stay.
    """
    off: set[str] = set()
    places: list[Place] = []
    for command in commands:
        if command.name.lower() != "protocol":
            continue
        before = set(off)
        for sign, name in signed(command.value):
            named = set(PROTOCOLS[1:]) if name.lower() == "all" else {COMMAND_PROTOCOLS.get(name.lower(), "")} - {""}
            off = off | named if sign == "-" else off - named
        if (off ^ before) & enabled:
            places.append(command.place)
    return frozenset(off), places


def _names(section: Section, main: Section) -> Iterator[str]:
    """Yield the names of a virtual host in lower case: its `ServerName` (else the main server's) and its aliases."""
    place = section.last("servername") or main.last("servername")
    if place is not None and place.directive.arguments:
        name = str(place.directive.arguments[0]).lower().rpartition("://")[2]
        yield name.partition(":")[0]
    for alias in section.own.get("serveralias", ()):
        yield from (str(word).lower() for word in alias.directive.arguments)


_MD_MODES: Final = frozenset(("auto", "manual", "renew", "norenew"))


def _from_elsewhere(pair: CertificatePair) -> "tuple[Certificate, ...]":
    """Return what is sent for a pair, where the certificates behind the first one do not come from its own file."""
    if pair.bundle is None or all(entry.line for entry in pair.bundle.entries[1:]):
        return ()
    return pair.bundle.certificates


def _managed_domains(main: Section) -> Iterator[tuple[str, Place]]:
    """Yield the names that mod_md obtains certificates for, and where each is given."""
    for section in main.walk():
        places = list(section.own.get("mdomain", ()))
        if section.kind in ("mdomain", "mdomainset") and section.place is not None:
            places.append(section.place)
            places += section.own.get("mdmember", [])
        for place in places:
            for word in place.directive.arguments:
                if word.lower() not in _MD_MODES:
                    yield str(word).lower().rstrip("."), place


# -- values --------------------------------------------------------------------------------------------------------


def _text(place: Place) -> str | Unknown:
    words = place.directive.arguments
    return str(words[0]) if words else Unknown(f"{place.directive.name} takes an argument")


def _path(place: Place) -> str | Unknown | None:
    text = _text(place)
    if isinstance(text, str) and "${" in text:
        return Unknown(f'"{text}" holds a variable')
    return text or None


def _as_tuple(place: Place) -> tuple[str, ...] | Unknown:
    text = _path(place)
    return text if isinstance(text, Unknown) else (text,) if text else ()


def _joined(place: Place) -> str:
    return " ".join(place.directive.arguments)


def _flag(place: Place) -> bool | Unknown:
    # words after the first are ignored
    word = _text(place)
    if isinstance(word, str) and word.lower() in ("on", "off"):
        return word.lower() == "on"
    return Unknown(f'{place.directive.name} is neither "on" nor "off"')


VERIFY_WORDS: Final = {
    "none": "none",
    "off": "none",
    "optional": "optional",
    "require": "required",
    "on": "required",
    "optional_no_ca": "optional_no_ca",
}
"""What `SSLVerifyClient` takes, and what it means."""


def _verify_client(place: Place) -> str | Unknown:
    word = _text(place)
    if isinstance(word, str) and word.lower() in VERIFY_WORDS:
        return VERIFY_WORDS[word.lower()]
    return Unknown("SSLVerifyClient has a value that httpd refuses")


def _crl_check(place: Place) -> str | Unknown:
    word = _text(place)
    if isinstance(word, str) and word.lower() in ("none", "leaf", "chain"):
        return word.lower()
    return Unknown("SSLCARevocationCheck has a value that httpd refuses")


def _ocsp(place: Place) -> bool | Unknown:
    word = _text(place)
    return word.lower() != "off" if isinstance(word, str) else word


def _integer(place: Place) -> int | Unknown:
    """Read a number as atoi does: what begins with none is 0."""
    word = _text(place)
    if isinstance(word, Unknown):
        return word
    number = re.match(r"\s*([+-]?\d{1,9})(?!\d)", word)
    if number is not None:
        return int(number[1])
    return Unknown(f'"{word}" is no number') if re.match(r"\s*[+-]?\d|.*\$", word) else 0


def _seconds(place: Place) -> int | Unknown:
    value = _integer(place)
    return value if isinstance(value, Unknown) else value or OPENSSL_TIMEOUT


__all__ = [
    "TlsReader", "all_protocols", "decides_by_name", "default_protocols", "guarded", "protocols_of", "shadows",
]  # fmt: skip
