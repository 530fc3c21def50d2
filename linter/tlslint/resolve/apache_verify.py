"""What httpd refuses: what `apache2 -t` says, and what the check passes and the start (or a graceful reload) does not.

`apache2 -t` ends before mod_ssl makes its contexts. So it sees names, contexts, counts, words of a list and files that
are not there; it does not see that no protocol is left, that a key is another one's, or that nothing in a cipher list
is known. A running server that is told to reload gracefully then ends. Messages are httpd's own, with the number under
which its log has them; tests hold each against a real server.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from tlslint.intention import Fix, RemoveArgument, RemoveDirective, Safety
from tlslint.parse.tree import Argument, Directive, Span
from tlslint.record import dataclass, replace
from tlslint.resolve.apache_modules import Modules
from tlslint.resolve.apache_protocols import protocol_problem
from tlslint.resolve.apache_scope import MAIN, VIRTUAL_HOST, Section
from tlslint.resolve.apache_tls import (
    DIRECTORY_SECTIONS,
    LEAST_DH_BITS,
    VERIFY_WORDS,
    TlsReader,
    guarded,
    protocols_of,
    too_weak,
)
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import CertificatePair, ConfCommand, Place, Problem, Setting, TlsSettings
from tlslint.target import Target, Version
from tlslint.tls.ciphers import evaluate, evaluate_tls13
from tlslint.tls.groups import evaluate_groups
from tlslint.tls.handshake import build, level_of

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle
    from tlslint.pki.certificate import Certificate

WILL_NOT_START: Final = "server-will-not-start"
SERVER, HOST, ANYWHERE, DIRECTORY, PROXY = "server", "host", "anywhere", "directory", "proxy"
"""Where a directive may stand: in the main server only; there and in virtual hosts; in sections for requests as well;
only in those; in the server, virtual hosts and `<Proxy>`."""

FLAG, ONE, TWO, ONE_OR_TWO, RAW, NONE = "flag", "one", "two", "one or two", "raw", "none"
_KINDS: Final = {
    "groups": "unsupported-group",
    "curves": "unsupported-group",
    "ecdhparameters": "unsupported-group",
    "cipherstring": "unusable-cipher-list",
}
"""Commands whose values rules of their own judge."""
TICKET_KEY_BYTES: Final = 48
LEAST_CACHE_BYTES: Final = 8192
_NO_PROVIDERS: Final = ("shm", "shmht")
CACHE_PROVIDERS: Final = ("shmcb", "dbm", "dc", "memcache", "redis")
MAX_WORDS: Final = 32
_ABOUT_FILES: Final = ("certificate-not-found", "malformed-certificate")


@dataclass(slots=True, frozen=True)
class _Facts:
    name: str
    takes: str
    where: str
    since: str = ""
    check: "Callable[[_Line], Iterator[tuple[Argument | None, str]]] | None" = None


@dataclass(slots=True, frozen=True)
class _Line:
    """A directive to be judged, and what its judgement depends on."""

    facts: _Facts
    place: Place
    version: Version
    verifier: "_Verifier"

    @property
    def words(self) -> tuple[Argument, ...]:
        return self.place.directive.arguments


def verify(
    main: Section,
    given: Target,
    reader: TlsReader,
    speaking: Iterable[Section],
    files: Files,
    server_root: str,
    is_whole: bool = True,
    modules: Modules | None = None,
) -> Iterator[Problem]:
    """Yield what the versions of httpd that the target may be refuse.

    `speaking` are the virtual hosts (and the main server) for which TLS is switched on: mod_ssl makes contexts for
    these only. `given` is the target as the user gave it. Unless the configuration `is_whole`, nothing is missing, and
    nothing outside of all sections is misplaced: it may be a part of something else. `modules` are those that httpd has
    in the end; None where nothing is known of them.
    """
    verifier = _Verifier(main, given, reader, files, server_root, is_whole, modules)
    yield from verifier.directives()
    for section in speaking:
        yield from verifier.host(section)
    yield from verifier.proxies()


class _Verifier:
    def __init__(
        self,
        main: Section,
        given: Target,
        reader: TlsReader,
        files: Files,
        server_root: str,
        is_whole: bool,
        modules: Modules | None,
    ) -> None:
        self.main = main
        self.modules = modules
        self.is_whole = is_whole
        self.given = given
        self.reader = reader
        self.files = files
        self.base = server_root
        self.target = reader.target
        self.version = reader.version
        self.libraries = (
            [replace(self.target, openssl=version) for version in given.openssl_versions]
            if given.library == "openssl"
            else []
        )
        self._said: set[tuple[str, int]] = set()
        self._refused: set[int] = set()
        """Sections with a directive that `apache2 -t` refuses: what follows from it is not said again."""

    def once(self, code: str, place: Place | None) -> bool:
        """Whether this is the first time that a directive is blamed for that."""
        key = (code, 0 if place is None else id(place.directive))
        if key in self._said:
            return False
        self._said.add(key)
        return True

    # -- what apache2 -t says -----------------------------------------------------------------------------------------

    def directives(self) -> Iterator[Problem]:
        """Yield what is wrong with directives by themselves."""
        seen: set[tuple[int, str]] = set()
        for section in self.main.walk():
            for name, places in section.own.items():
                facts = DIRECTIVES.get(name)
                if name in SUPERSEDED or name in IDLE:
                    yield from self._outdated(name, places, section, seen)
                if facts is None and name not in GONE:
                    continue
                for place in places:
                    identity = (id(place.directive), section.kind)
                    if identity in seen:
                        continue
                    seen.add(identity)
                    if facts is None:
                        self._refused.add(id(section))
                        problem = _refusal(f"Invalid command '{place.directive.name}'", place.directive.name.span,
                                           kind="removed-directive", advice=GONE[name])  # fmt: skip
                        title = f"remove {place.directive.name}"
                        fix = Fix(title, Safety.SAFE, (RemoveDirective(place),)) if name in DISPENSABLE else None
                        yield replace(problem, fix=fix)
                    else:
                        for problem in self._directive(place, facts, section):
                            self._refused.add(id(section))
                            yield problem

    def _outdated(
        self, name: str, places: Sequence[Place], section: Section, seen: set[tuple[int, str]]
    ) -> Iterator[Problem]:
        """Yield what works and has a successor, and what does nothing any more."""
        for place in places:
            identity = (id(place.directive), f"{section.kind}!")
            if identity in seen:
                continue
            seen.add(identity)
            written = place.directive.name
            if name in IDLE:
                yield Problem(
                    "removed-directive", f"{written} has had no effect since httpd {IDLE[name]}", written.span,
                    "warning", "accepted with a notice (AH00548)", "remove it",
                    fix=Fix(f"remove {written}", Safety.SAFE, (RemoveDirective(place),)),
                )  # fmt: skip
                continue
            since, advice = SUPERSEDED[name]
            versions = self.given.server_versions
            if all(version < Version(since) for version in versions):
                continue
            severity = "warning" if all(version >= Version(since) for version in versions) else "info"
            fix = _append_chain(place, section) if name == "sslcertificatechainfile" else None
            message = f"{written} is deprecated since httpd {since}"
            yield Problem("deprecated-directive", message, written.span, severity, "Apache takes it", advice, fix=fix)

    def _directive(self, place: Place, facts: _Facts, section: Section) -> Iterator[Problem]:
        directive = place.directive
        if facts.since and self.given.known and self.version < Version(facts.since):
            message = f"{facts.name} needs httpd {facts.since}"
            yield _refusal(message, directive.name.span, kind="directive-newer-than-target")
            return
        misplaced = _misplaced(facts, section)
        if misplaced and section.kind == MAIN and not self.is_whole:
            return
        if misplaced:
            yield _refusal(misplaced, directive.name.span)
            return
        if any("${" in word for word in directive.arguments):
            return  # what stands there is not known
        counted = _count_error(facts, directive)
        if counted:
            yield _refusal(counted, place.span)
            return
        in_directory = section.kind in DIRECTORY_SECTIONS
        if in_directory and facts.name == "SSLCipherSuite" and directive.arguments[:-1] == ("TLSv1.3",):
            yield _refusal("TLSv1.3 ciphers cannot be set inside a directory context", place.span)
            return
        if in_directory and facts.name.startswith("SSLCACertificate"):
            yield _refusal("Your SSL library does not have support for per-directory CA", place.span)
            return
        if facts.name in ("SSLProtocol", "SSLProxyProtocol"):
            problem = protocol_problem(place, facts.name, self.version, self.libraries)
            if problem is not None:
                yield problem
            return
        gone = next((word for word in directive.arguments if _bare(word).lower() == "compatenvvars"), None)
        if facts.name == "SSLOptions" and gone is not None:
            problem = _refusal(f"SSLOptions: Illegal option '{_bare(gone)}'", gone.span, kind="removed-directive",
                               advice="take it out: httpd 2.4 has no such option")  # fmt: skip
            yield replace(problem, fix=Fix("take it out", Safety.SAFE, (RemoveArgument(place, gone),)))
            return
        if facts.check is not None:
            for argument, message in facts.check(_Line(facts, place, self.version, self)):
                yields_to = _ABOUT_FILES if facts.check is _file else ()
                yield _refusal(message, place.span if argument is None else argument.span, yields_to=yields_to)
                return

    def file_error(self, name: str, words: str) -> str:
        """Say in httpd's words that a file is not there, where that can be known."""
        if not name or name.startswith(self.reader.NOT_FILES):
            return ""
        path = self.files.resolve(name, self.base)
        found = self.files.data(path)
        if isinstance(found, Unreadable):
            is_missing = found.kind in ("missing", "not-a-file") and self.files.whole_machine
        else:
            is_missing = not found
        return f"{words}: file '{path}' does not exist or is empty" if is_missing else ""

    def folder_error(self, name: str, words: str) -> str:
        """The same for a directory."""
        path = self.files.resolve(name, self.base)
        found = self.files.data(path)
        is_folder = isinstance(found, Unreadable) and not (found.kind == "missing" and self.files.whole_machine)
        return "" if is_folder else f"{words}: directory '{path}' does not exist"

    # -- what the start says -----------------------------------------------------------------------------------------

    def host(self, section: Section) -> Iterator[Problem]:
        """Yield why mod_ssl can make no context for a host."""
        if {id(section), id(self.main)} & self._refused:
            return
        tls = self.reader.settings(section)
        yield from self._protocols(tls.protocols)
        yield from self._authorities(section)
        yield from self._suites(tls)
        yield from self._revocation(section, tls)
        yield from self._certificates(section, tls)
        yield from self._commands(section, tls)
        yield from self._tickets(tls)
        yield from self._stapling(section, tls)

    def _protocols(self, protocols: Setting[frozenset[str]]) -> Iterator[Problem]:
        if protocols.known is None or protocols.known or not protocols.places:
            return
        place = protocols.places[-1]
        if self.once("AH02231", place):
            yield _refusal(
                "No SSL protocols available (AH02231)", place.span, kind="no-protocol",
                advice="name what is on, e.g. -all +TLSv1.2 +TLSv1.3: each line starts from nothing",
                at_start=True,
            )  # fmt: skip

    def _suites(self, tls: TlsSettings) -> Iterator[Problem]:
        listed = tls.plain_ciphers
        if listed is not None and listed.known is not None and listed.places:
            text = listed.known
            if self._refuses_ciphers(text) and self.once("AH01898", listed.places[-1]):
                yield _refusal(
                    f"Unable to configure permitted SSL ciphers: {self._reason(text)} (AH01898)",
                    listed.places[-1].argument(-1).span,
                    kind="unusable-cipher-list",
                    advice="correct the names: those that OpenSSL does not know are dropped, and none is left",
                    at_start=True,
                )
        suites = tls.ciphersuites
        place = suites.places[-1] if suites.places else None
        if suites.known is not None and place is not None and place.directive.name.lower() == "sslciphersuite":
            names = suites.known
            if self._all_refuse(lambda target: evaluate_tls13(names, build(target)).error) and self.once(
                "AH10127", place
            ):
                yield _refusal(
                    "Unable to configure permitted TLSv1.3 ciphers: no cipher match (AH10127)",
                    place.argument(-1).span,
                    advice="TLS 1.3 suites are named like TLS_AES_128_GCM_SHA256",
                    at_start=True,
                )

    def _all_refuse(self, error: Callable[[Target], str | None]) -> bool:
        return bool(self.libraries) and all(error(target) is not None for target in self.libraries)

    def _refuses_ciphers(self, text: str) -> bool:
        return self._all_refuse(lambda target: evaluate(text, build(target)).error)

    def _reason(self, text: str) -> str:
        return evaluate(text, build(self.libraries[-1])).error or ""

    def _authorities(self, section: Section) -> Iterator[Problem]:
        place = _nearest(section, self.main, "sslcacertificatefile")
        bundle = self._bundle_of(place)
        if bundle is None or place is None:
            return
        if not bundle.entries and not bundle.crls and bundle.complete and self.once("AH01895", place):
            yield _refusal(
                "Unable to configure verify locations for client authentication: no certificate or crl found (AH01895)",
                place.span,
                advice="name a file of PEM certificates",
                at_start=True,
                yields_to=("client-verification-without-ca",),
            )

    def _bundle_of(self, place: Place | None) -> "Bundle | None":
        if place is None or not place.directive.arguments:
            return None
        found = self.files.bundle(self.files.resolve(str(place.directive.arguments[0]), self.base))
        return None if isinstance(found, Unreadable) else found

    def _revocation(self, section: Section, tls: TlsSettings, kind: str = "ssl") -> Iterator[Problem]:
        file = _nearest(section, self.main, f"{kind}carevocationfile")
        folder = _nearest(section, self.main, f"{kind}carevocationpath")
        check = _nearest(section, self.main, f"{kind}carevocationcheck")
        checks = check is not None and [word.lower() for word in check.directive.arguments[:1]] in (["leaf"], ["chain"])
        incomplete = section.incomplete or self.main.incomplete
        if not self.is_whole:
            incomplete = incomplete or "it may be a part of something else"
        if checks and check is not None and not (file or folder or incomplete) and self.once("AH01899", check):
            names = ("SSLProxyCARevocationFile" if "proxy" in kind else "SSLCARevocationFile").removesuffix("File")
            yield _refusal(
                f"CRL checking has been enabled, but neither {names}File nor {names}Path is configured (AH01899)",
                check.span,
                advice=f"name a list with {names}File, or remove the check",
                at_start=True,
            )
        bundle = self._bundle_of(file)
        if bundle is None or file is None or bundle.crls or bundle.entries or not bundle.complete:
            return
        if self.once("AH01901", file):
            yield _refusal(
                "unable to configure X.509 CRL storage for certificate revocation: no certificate or crl found "
                "(AH01901)",
                file.span,
                advice="name a file of PEM revocation lists",
                at_start=True,
            )

    # -- certificates ------------------------------------------------------------------------------------------------

    def _certificates(self, section: Section, tls: TlsSettings) -> Iterator[Problem]:
        pairs = tls.certificates.known
        if pairs is None:
            return
        chain = _nearest(section, self.main, "sslcertificatechainfile")
        yield from self._chain_file(chain)
        commands = [
            command
            for command in tls.conf_commands.known or ()
            if command.name.lower() in ("certificate", "privatekey", "cipherstring")
        ]
        if not pairs and all(command.name.lower() == "cipherstring" for command in commands):
            if not tls.conf_commands.is_unknown and self.is_whole:
                yield from self._without_certificate(section)
            return
        level = self._level(tls)
        slots: dict[str, Certificate] = {}
        for pair in pairs:
            if pair.place.directive.name.lower() != "sslcertificatefile":
                continue
            problem = self._pair_problem(pair, slots, level, chain is not None)
            if problem is None:
                continue
            if isinstance(problem, str):
                return  # the rest is not known well enough
            if self.once("pair", pair.place):
                yield problem
            return
        yield from self._command_pairs(commands, slots, level)

    def _level(self, tls: TlsSettings) -> int | None:
        """Return the security level at which certificates are read: what commands set comes too late."""
        listed = tls.plain_ciphers.known if tls.plain_ciphers is not None else None
        conf = self.target.openssl_conf
        return None if listed is None else level_of(listed, conf.security_level, self.target)

    def _without_certificate(self, section: Section) -> Iterator[Problem]:
        place = section.place or section.last("sslengine")
        if place is None:
            return
        engine = _nearest(section, self.main, "sslengine")
        related = () if engine is None or engine is place else ((engine.span, "TLS is switched on here"),)
        message = "Failed to configure at least one certificate and key (AH02572)"
        if section.kind == MAIN:
            message = f"{message}: the main server has none, and SSLEngine stands outside of the virtual hosts"
        span = place.span if section.kind == MAIN else _start_tag(place)
        yield _refusal(
            message, span,
            advice="name a certificate with SSLCertificateFile, and its key with SSLCertificateKeyFile",
            related=related, at_start=True,
        )  # fmt: skip

    def _chain_file(self, place: Place | None) -> Iterator[Problem]:
        bundle = self._bundle_of(place)
        if bundle is None or place is None or bundle.server_verdict in (None, "no start line"):
            return
        if self.once("AH01903", place):
            yield _refusal(
                f"Failed to configure CA certificate chain: {bundle.server_verdict} (AH01903)", place.span,
                advice="move the certificates behind the one in SSLCertificateFile", at_start=True,
            )  # fmt: skip

    def _pair_problem(
        self, pair: CertificatePair, slots: "dict[str, Certificate]", level: int | None, has_chain_file: bool
    ) -> Problem | str | None:
        """Say what httpd refuses of a certificate and its key; a text where that cannot be known."""
        bundle, leaf = pair.bundle, pair.leaf
        if bundle is None:
            return pair.reason or "unread"
        code = "AH02561" if has_chain_file else "AH02562"
        what = "Failed to configure certificate" + ("" if has_chain_file else " (with chain)")
        if bundle.server_verdict is not None:
            return _refusal(
                f'{what} "{pair.file}": {bundle.server_verdict} ({code})', pair.place.span,
                advice="name a PEM file that begins with the server's own certificate", at_start=True,
                yields_to=("malformed-certificate",),
            )  # fmt: skip
        if leaf is None or not bundle.complete:
            return "unread"
        weak = self._too_weak(bundle, level, has_chain_file)
        if weak:
            return _refusal(
                f'{what} "{pair.file}": {weak} ({code})', pair.place.span,
                advice="have a new one issued for a longer key", at_start=True,
                yields_to=("weak-key", "weak-signature"),
            )  # fmt: skip
        slots[leaf.key_type] = leaf
        return self._key_problem(pair, slots)

    def _too_weak(self, bundle: "Bundle", level: int | None, only_leaf: bool) -> str:
        if level is None or not self.libraries:
            return ""
        return too_weak(bundle.certificates[:1] if only_leaf else bundle.certificates, level)

    def _key_problem(self, pair: CertificatePair, slots: "dict[str, Certificate]") -> Problem | str | None:
        from tlslint.pki.bundle import key_matches

        key, place = pair.key, pair.key_place or pair.place
        if key is None:
            return pair.key_reason or "unread"
        if not key.count:
            return _refusal(
                f'Failed to configure encrypted (?) private key "{pair.key_file}" (AH02564): Private key not found',
                place.span,
                advice="name the key with SSLCertificateKeyFile, or put it into the certificate's file",
                related=() if place is pair.place else ((pair.place.span, "the certificate"),),
                at_start=True,
                yields_to=("malformed-certificate", "incomplete-key-pair"),
            )
        if key.encrypted or key.key_type is None:
            return "encrypted"
        holder = slots.get(key.key_type)
        if holder is not None and key_matches(holder, key) is not False:
            return None
        return _refusal(
            f'Certificate and private key from "{pair.file}" and "{pair.key_file}" do not match (AH02565)',
            place.span,
            advice="name the key that belongs to the certificate; the lists are paired by their order",
            related=((pair.place.span, "the certificate"),),
            at_start=True,
            yields_to=("key-mismatch", "chain-order"),
        )

    def _command_pairs(
        self, commands: Sequence[ConfCommand], slots: "dict[str, Certificate]", level: int | None
    ) -> Iterator[Problem]:
        """Follow Certificate and PrivateKey commands: what was set last must have its other half."""
        from tlslint.pki.bundle import key_matches

        lacking: tuple[str, Place] | None = None
        for command in commands:
            if command.name.lower() == "cipherstring":
                level = evaluate(command.value, build(self.target)).security_level or level
                continue
            if command.name.lower() == "certificate":
                found = self.files.bundle(self.files.resolve(command.value, self.base))
                if isinstance(found, Unreadable) or found.server_verdict or not found.certificates:
                    return
                weak = self._too_weak(found, level, only_leaf=False)
                if weak:
                    if self.once("AH02407", command.place):
                        yield _refusal(_failed(command, weak), command.place.span, at_start=True)
                    return
                slots[found.certificates[0].key_type] = found.certificates[0]
                lacking = (found.certificates[0].key_type, command.place)
                continue
            key = self.reader.key_of(command.value)
            if key is None or key.key_type is None:
                return
            holder = slots.get(key.key_type)
            if holder is not None and key_matches(holder, key) is False:
                if self.once("AH02407", command.place):
                    yield _refusal(_failed(command, "key values mismatch"), command.place.span, at_start=True)
                return
            lacking = None if holder is not None else ("", command.place)
        if lacking is not None and self.once("AH02572", lacking[1]):
            yield _refusal(
                "Failed to configure at least one certificate and key (AH02572): this command replaced one half of "
                "the pair",
                lacking[1].span,
                at_start=True,
            )

    # -- commands, tickets, stapling ---------------------------------------------------------------------------------

    def _commands(self, section: Section, tls: TlsSettings) -> Iterator[Problem]:
        for command in tls.conf_commands.known or ():
            if "${" in command.value or len(command.place.directive.arguments) != 2:
                continue
            error = self._command_error(command, tls)
            if error is not None and self.once("AH02407", command.place):
                kind = _KINDS.get(command.name.lower(), WILL_NOT_START)
                yield _refusal(_failed(command, error), command.place.argument(1).span, kind=kind, at_start=True)

    def _command_error(self, command: ConfCommand, tls: TlsSettings) -> str | None:
        """Say why OpenSSL refuses the value of a command; an empty text where it gives no reason."""
        name, value = command.name.lower(), command.value
        if name in ("minprotocol", "maxprotocol"):
            return None if value in _BOUNDS else ""
        if name == "protocol":
            return None if all(_bare(word).lower() in _SWITCHABLE for word in value.split(",")) else ""
        if name == "options":
            return None if all(_bare(word).lower() in OPTIONS for word in value.split(",")) else ""
        if name == "verifymode":
            return None if all(word.lower() in _VERIFY_MODES for word in value.split(",")) else ""
        if name in ("groups", "curves"):
            refused = self._all_refuse(lambda target: evaluate_groups(value, build(target)).error)
            return "passed invalid argument" if refused else None
        if name == "ecdhparameters":
            if value.lower() in ("automatic", "+automatic") or value == "auto":
                return None if value != "auto" else "passed invalid argument"
            refused = ":" in value or self._all_refuse(lambda target: evaluate_groups(value, build(target)).error)
            return "passed invalid argument" if refused else None
        if name == "ciphersuites":
            refused = self._all_refuse(lambda target: evaluate_tls13(value, build(target)).error)
            return "no cipher match" if refused else None
        if name == "cipherstring":
            return "no cipher match" if self._refuses_ciphers(guarded(value, self.version)) else None
        if name == "dhparameters":
            found = self.files.bundle(self.files.resolve(value, self.base))
            level = self._level(tls)
            if isinstance(found, Unreadable) or not found.dh_params or level is None:
                return None
            return "dh key too small" if found.dh_params[0].bits < LEAST_DH_BITS[level] else None
        if name == "numtickets":
            return "" if value.startswith("-") else None
        if name == "recordpadding":
            return "" if value.isdecimal() and int(value) > MAX_PADDING else None
        return None

    def _tickets(self, tls: TlsSettings) -> Iterator[Problem]:
        for place in tls.ticket_keys.places:
            argument = place.argument(0)
            found = self.files.data(self.files.resolve(argument, self.base))
            if isinstance(found, Unreadable) or not found or len(found) >= TICKET_KEY_BYTES:
                continue
            if self.once("AH02287", place):
                yield _refusal(
                    f'Failed to read {TICKET_KEY_BYTES} bytes from "{argument}" (AH02287)', argument.span,
                    label=f"has {len(found)}",
                    advice="make it anew with: openssl rand -out FILE 48", at_start=True,
                )  # fmt: skip

    def _stapling(self, section: Section, tls: TlsSettings) -> Iterator[Problem]:
        if not (tls.stapling.known and self.is_whole) or self.main.last("sslstaplingcache") is not None:
            return
        place = tls.stapling.places[-1]
        if self.once("AH01958", place):
            yield _refusal(
                "SSLStapling: no stapling cache available (AH01958)", place.span,
                advice="add SSLStaplingCache outside of the virtual hosts, e.g. shmcb:logs/stapling(128000)",
                at_start=True, yields_to=("stapling-without-cache",),
            )  # fmt: skip

    # -- towards backends -------------------------------------------------------------------------------------------

    def proxies(self) -> Iterator[Problem]:
        """Yield why mod_ssl can make no context for the connections that a host itself opens."""
        for section in (self.main, *self.main.sections(VIRTUAL_HOST)):
            engine = _nearest(section, self.main, "sslproxyengine")
            if engine is None or [word.lower() for word in engine.directive.arguments[:1]] != ["on"]:
                continue
            place = _nearest(section, self.main, "sslproxyprotocol")
            if place is not None:
                enabled = protocols_of(place.directive.arguments, self.version)
                if not isinstance(enabled, str) and not enabled and self.once("AH02231", place):
                    yield _refusal("No SSL protocols available (AH02231)", place.span, at_start=True)
            place = _nearest(section, self.main, "sslproxyciphersuite")
            if place is not None and len(place.directive.arguments) == 1:
                text = guarded(str(place.argument(0)), self.version)
                if "$" not in text and self._refuses_ciphers(text) and self.once("AH01898", place):
                    message = f"Unable to configure permitted SSL ciphers: {self._reason(text)} (AH01898)"
                    yield _refusal(message, place.span, at_start=True)
            yield from self._revocation(section, self.reader.settings(section), "sslproxy")


# -- words ---------------------------------------------------------------------------------------------------------


def _refusal(
    message: str,
    span: Span,
    *,
    kind: str = WILL_NOT_START,
    label: str = "",
    advice: str = "",
    related: tuple[tuple[Span, str], ...] = (),
    at_start: bool = False,
    yields_to: tuple[str, ...] = (),
) -> Problem:
    said = 'apache2 -t says "Syntax OK", and Apache does not start' if at_start else "apache2 -t refuses it"
    return Problem(kind, message, span, "error", label or said, advice, related, yields_to=yields_to)


def _failed(command: ConfCommand, reason: str) -> str:
    text = f'"SSLOpenSSLConfCmd {command.name} {command.value}" failed (AH02407)'
    return f"{text}: {reason}" if reason else text


def _append_chain(place: Place, section: Section) -> Fix | None:
    """Say how the certificates of a chain get into the certificate's file, where there is one."""
    certificates = section.own.get("sslcertificatefile", ())
    if len(certificates) != 1 or not certificates[0].directive.arguments or not place.directive.arguments:
        return None
    chain, own = (shlex.quote(str(line.directive.arguments[0])) for line in (place, certificates[0]))
    title = f"append its certificates to those of {certificates[0].directive.arguments[0]}, and remove the line"
    return Fix(title, Safety.MANUAL, commands=(f"cat {chain} >> {own}",))


def _start_tag(place: Place) -> Span:
    directive = place.directive
    end = directive.arguments[-1].end if directive.arguments else directive.name.end
    return Span(directive.source, directive.name.start, end)


def _nearest(section: Section, main: Section, name: str) -> Place | None:
    place = section.last(name)
    if place is None and section is not main:
        place = main.last(name)
    return place


def _bare(word: str) -> str:
    word = word.strip()
    return word[1:] if word[:1] in ("+", "-") else word


# -- contexts and counts ---------------------------------------------------------------------------------------------


def _misplaced(facts: _Facts, section: Section) -> str:
    where = "server" if section.kind == MAIN else "host" if section.kind == VIRTUAL_HOST else "directory"
    if where == "directory" and section.kind not in DIRECTORY_SECTIONS:
        return ""
    allowed = {
        SERVER: ("server",),
        HOST: ("server", "host"),
        ANYWHERE: ("server", "host", "directory"),
        DIRECTORY: ("directory",),
        PROXY: ("server", "host"),
    }[facts.where]
    if where in allowed or (facts.where == PROXY and section.kind in ("proxy", "proxymatch")):
        return ""
    if where == "server":
        return f"{facts.name} not allowed here"
    assert section.place is not None
    tag = f"<{section.place.directive.name}>"
    if facts.where == SERVER and where == "host":
        return f"{facts.name} cannot occur within {tag} section"
    return f"{facts.name} not allowed in {tag} context"


def _count_error(facts: _Facts, directive: Directive) -> str:
    words = directive.arguments
    match facts.takes:
        case "flag":
            right = bool(words) and words[0].lower() in ("on", "off")
            return "" if right else f"{facts.name} must be On or Off"
        case "one":
            return "" if len(words) == 1 and words[0] else f"{facts.name} takes one argument"
        case "two":
            return "" if len(words) == 2 and all(words) else f"{facts.name} takes two arguments"
        case "one or two":
            return "" if len(words) in (1, 2) and words[0] else f"{facts.name} takes 1-2 arguments"
        case "none":
            return f"{facts.name} takes no arguments" if words else ""
    return ""


# -- values --------------------------------------------------------------------------------------------------------

Errors = Iterator[tuple[Argument | None, str]]


def _cipher_words(line: _Line) -> Errors:
    if len(line.words) == 2 and line.words[0] not in ("SSL", "TLSv1.3"):
        yield line.words[0], f"protocol '{line.words[0]}' not supported"


def _one_of(*known: str) -> Callable[[_Line], Errors]:
    def check(line: _Line) -> Errors:
        if line.words[0].lower() not in known:
            yield line.words[0], f"{line.facts.name}: Invalid argument '{line.words[0]}'"

    return check


def _engine(line: _Line) -> Errors:
    if line.words[0].lower() not in ("on", "off", "optional"):
        yield line.words[0], "Argument must be On or Off"


def _sni_policy(line: _Line) -> Errors:
    if line.words[0].lower() not in ("strict", "secure", "authonly", "insecure"):
        yield line.words[0], f"Invalid SSLVhostSNIPolicy argument '{line.words[0]}'"


def _at_least_zero(line: _Line) -> Errors:
    if re.match(r"\s*-0*[1-9]", line.words[0]):
        shown = "" if line.facts.name == "SSLSessionCacheTimeout" else f" '{line.words[0]}'"
        yield line.words[0], f"{line.facts.name}: Invalid argument{shown}"


def _words_of(first: Sequence[str], *others: str) -> Callable[[_Line], Errors]:
    def check(line: _Line) -> Errors:
        if not line.words or line.words[0].lower() not in first:
            word = line.words[0] if line.words else ""
            yield (line.words[0] if line.words else None), f"{line.facts.name}: Invalid argument '{word}'"
            return
        for word in line.words[1:]:
            if word.lower() not in others:
                yield word, f"{line.facts.name}: Invalid argument '{word}'"
                return

    return check


def _option_words(line: _Line) -> Errors:
    for word in line.words:
        if _bare(word).lower() not in _SSL_OPTIONS:
            yield word, f"SSLOptions: Illegal option '{_bare(word)}'"
            return


def _file(line: _Line) -> Errors:
    error = line.verifier.file_error(line.words[0], line.facts.name)
    if error:
        yield line.words[0], error


def _folder(line: _Line) -> Errors:
    error = line.verifier.folder_error(line.words[0], line.facts.name)
    if error:
        yield line.words[0], error


def _command(line: _Line) -> Errors:
    name, value = line.words
    lower = name.lower()
    if lower not in COMMANDS:
        yield name, f"'{name}': invalid OpenSSL configuration command"
    elif lower in _FILE_COMMANDS:
        error = line.verifier.file_error(value, "SSLOpenSSLConfCmd")
        if error:
            yield value, error
    elif lower in _FOLDER_COMMANDS:
        error = line.verifier.folder_error(value, "SSLOpenSSLConfCmd")
        if error:
            yield value, error


def _cache(line: _Line) -> Errors:
    size = re.fullmatch(r"shmcb:.*\((\d+)\)", line.words[0], re.IGNORECASE)
    if size is not None and int(size[1]) < LEAST_CACHE_BYTES:
        yield line.words[0], f"{line.facts.name}: Invalid argument: size has to be >= {LEAST_CACHE_BYTES} bytes"
        return
    provider = line.words[0].partition(":")[0]
    if provider.lower() in _NO_PROVIDERS or _is_absent(provider, line.verifier):
        what = "stapling" if line.facts.name == "SSLStaplingCache" else "session"
        yield line.words[0], f"{line.facts.name}: '{provider}' {what} cache not supported"


def _is_absent(provider: str, verifier: _Verifier) -> bool:
    """Whether the module that keeps such a cache is certainly not loaded."""
    modules = verifier.modules
    if (
        not verifier.is_whole
        or provider not in CACHE_PROVIDERS
        or modules is None
        or modules.elsewhere
        or "ssl_module" not in modules.loaded
    ):
        return False
    return modules.has(f"socache_{provider}_module") is False


def _compression(line: _Line) -> Errors:
    targets = line.verifier.libraries
    if line.words[0].lower() == "on" and targets and line.verifier.given.platform is not None:
        yield line.words[0], "This version of OpenSSL does not have any compression methods available"


MAX_PADDING: Final = 16384
_BOUNDS: Final = frozenset(("None", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv1", "DTLSv1.2"))
_SWITCHABLE: Final = frozenset(
    ("all", "sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3", "dtlsv1", "dtlsv1.2")
)
_VERIFY_MODES: Final = frozenset(("request", "require", "once", "requestposthandshake",
                                  "requireposthandshake"))  # fmt: skip
_SSL_OPTIONS: Final = frozenset(
    ("stdenvvars", "exportcertdata", "fakebasicauth", "strictrequire", "optrenegotiate", "legacydnstringformat",
     "exportbothcertdata")
)  # fmt: skip
OPTIONS: Final = frozenset(
    name.lower()
    for name in (
        "SessionTicket", "EmptyFragments", "Bugs", "Compression", "ServerPreference", "NoResumptionOnRenegotiation",
        "DHSingle", "ECDHSingle", "UnsafeLegacyRenegotiation", "UnsafeLegacyServerConnect", "ClientRenegotiation",
        "EncryptThenMac", "NoRenegotiation", "AllowNoDHEKEX", "PreferNoDHEKEX", "PrioritizeChaCha", "MiddleboxCompat",
        "AntiReplay", "ExtendedMasterSecret", "CANames", "KTLS", "StrictCertCheck", "TxCertificateCompression",
        "RxCertificateCompression", "KTLSTxZerocopySendfile", "IgnoreUnexpectedEOF", "LegacyECPointFormats",
    )
)  # fmt: skip
"""What the command `Options` knows, in any release (SSL_CONF_cmd(3))."""
_FILE_COMMANDS: Final = frozenset(
    ("certificate", "privatekey", "serverinfofile", "chaincafile", "verifycafile", "requestcafile", "clientcafile",
     "dhparameters")
)  # fmt: skip
_FOLDER_COMMANDS: Final = frozenset(("chaincapath", "verifycapath", "requestcapath", "clientcapath"))
COMMANDS: Final = (
    frozenset(
        ("signaturealgorithms", "clientsignaturealgorithms", "curves", "groups", "ecdhparameters", "cipherstring",
         "ciphersuites", "protocol", "minprotocol", "maxprotocol", "options", "verifymode", "recordpadding",
         "numtickets", "chaincastore", "verifycastore", "requestcastore", "clientcastore", "rxticketkeys")
    )
    | _FILE_COMMANDS
    | _FOLDER_COMMANDS
)  # fmt: skip
"""What `SSL_CONF_cmd` knows in files, in any release (SSL_CONF_cmd(3))."""

IDLE: Final = {"namevirtualhost": "2.4.0"}
"""Directives that do nothing any more, and since when."""
SUPERSEDED: Final = {
    "sslcertificatechainfile": ("2.4.8", "append its certificates to the file of SSLCertificateFile, and remove it"),
    "sslrequire": ("2.4.0", "write Require expr instead"),
}
"""Directives that work and have a successor: since when, and what to do."""
DISPENSABLE: Final = frozenset(("sslmutex", "ssllog", "sslloglevel"))
"""Of those that are gone, the ones that httpd does well without."""
GONE: Final = {
    "sslmutex": "use Mutex instead",
    "ssllog": "use ErrorLog instead",
    "sslloglevel": "use LogLevel instead",
    "sslpolicy": "httpd 2.4 has no policies: write the directives out",
    "sslecdhcurve": "use SSLOpenSSLConfCmd Curves instead",
    "ssldhparametersfile": "put the parameters into the first certificate's file",
}
"""Directives that no httpd 2.4 has, and what to do instead."""


def _facts() -> Iterator[_Facts]:
    """Every directive of mod_ssl: what it takes, where it may stand, since when, and what its values may be."""
    yield _Facts("SSLCACertificateFile", ONE, ANYWHERE, check=_file)
    yield _Facts("SSLCACertificatePath", ONE, ANYWHERE, check=_folder)
    for name in ("SSLCertificateFile", "SSLCertificateKeyFile", "SSLCertificateChainFile", "SSLSessionTicketKeyFile",
                 "SSLCADNRequestFile", "SSLCARevocationFile",
                 "SSLOCSPResponderCertificateFile"):  # fmt: skip
        yield _Facts(name, ONE, HOST, check=_file)
    for name in ("SSLCADNRequestPath", "SSLCARevocationPath"):
        yield _Facts(name, ONE, HOST, check=_folder)
    for name in ("SSLProxyCACertificateFile", "SSLProxyCARevocationFile", "SSLProxyMachineCertificateFile",
                 "SSLProxyMachineCertificateChainFile"):  # fmt: skip
        yield _Facts(name, ONE, PROXY, check=_file)
    for name in ("SSLProxyCACertificatePath", "SSLProxyCARevocationPath", "SSLProxyMachineCertificatePath"):
        yield _Facts(name, ONE, PROXY, check=_folder)
    for name, since in (
        ("SSLHonorCipherOrder", ""), ("SSLSessionTickets", "2.4.11"), ("SSLInsecureRenegotiation", ""),
        ("SSLStrictSNIVHostCheck", ""), ("SSLUseStapling", ""), ("SSLStaplingReturnResponderErrors", ""),
        ("SSLStaplingFakeTryLater", ""), ("SSLOCSPOverrideResponder", ""), ("SSLOCSPUseRequestNonce", ""),
        ("SSLOCSPNoVerify", "2.4.26"),
    ):  # fmt: skip
        yield _Facts(name, FLAG, HOST, since)
    yield _Facts("SSLCompression", FLAG, HOST, "2.4.3", _compression)
    yield _Facts("SSLFIPS", FLAG, SERVER)
    for name in ("SSLProxyEngine", "SSLProxyCheckPeerCN", "SSLProxyCheckPeerExpire"):
        yield _Facts(name, FLAG, PROXY)
    yield _Facts("SSLProxyCheckPeerName", FLAG, PROXY, "2.4.5")
    yield _Facts("SSLEngine", ONE, HOST, check=_engine)
    yield _Facts("SSLProtocol", RAW, HOST)
    yield _Facts("SSLProxyProtocol", RAW, PROXY)
    yield _Facts("SSLCipherSuite", ONE_OR_TWO, ANYWHERE, check=_cipher_words)
    yield _Facts("SSLProxyCipherSuite", ONE_OR_TWO, PROXY, check=_cipher_words)
    yield _Facts("SSLVerifyClient", ONE, ANYWHERE, check=_one_of(*VERIFY_WORDS))
    yield _Facts("SSLProxyVerify", ONE, PROXY, check=_one_of(*VERIFY_WORDS))
    yield _Facts("SSLVerifyDepth", ONE, ANYWHERE, check=_at_least_zero)
    yield _Facts("SSLProxyVerifyDepth", ONE, PROXY, check=_at_least_zero)
    yield _Facts("SSLSessionCacheTimeout", ONE, HOST, check=_at_least_zero)
    yield _Facts("SSLSessionCache", ONE, SERVER, check=_cache)
    yield _Facts("SSLStaplingCache", ONE, SERVER, check=_cache)
    yield _Facts("SSLVHostSNIPolicy", ONE, SERVER, "2.4.66", _sni_policy)
    yield _Facts("SSLPassPhraseDialog", ONE, SERVER)
    yield _Facts("SSLOpenSSLConfCmd", TWO, HOST, "2.4.8", _command)
    check = _words_of(("none", "leaf", "chain"), "no_crl_for_cert_ok")
    yield _Facts("SSLCARevocationCheck", RAW, HOST, check=check)
    yield _Facts("SSLProxyCARevocationCheck", RAW, PROXY, check=check)
    yield _Facts("SSLOCSPEnable", RAW, HOST, check=_words_of(("on", "off", "leaf"), "no_ocsp_for_cert_ok"))
    yield _Facts("SSLOptions", RAW, ANYWHERE, check=_option_words)
    yield _Facts("SSLRequireSSL", NONE, DIRECTORY)
    yield _Facts("SSLRequire", RAW, DIRECTORY)
    yield _Facts("SSLRenegBufferSize", ONE, DIRECTORY)
    yield _Facts("SSLUserName", ONE, ANYWHERE)
    for name in ("SSLStaplingForceURL", "SSLStaplingResponderTimeout", "SSLStaplingStandardCacheTimeout",
                 "SSLStaplingErrorCacheTimeout", "SSLStaplingResponseTimeSkew", "SSLStaplingResponseMaxAge",
                 "SSLOCSPDefaultResponder", "SSLOCSPResponderTimeout", "SSLOCSPResponseTimeSkew",
                 "SSLOCSPResponseMaxAge"):  # fmt: skip
        yield _Facts(name, ONE, HOST)


DIRECTIVES: Final = {facts.name.lower(): facts for facts in _facts()}

__all__ = ["verify"]
