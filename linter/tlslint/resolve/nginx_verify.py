"""What nginx says of a configuration when it starts or reloads: what it refuses, and what it merely warns about.

The walk over the scopes compares every directive with the facts in `nginx_directives.json`; the rest is about what
directives, sockets and names do together. Messages are nginx's own; tests hold them against two real servers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Final, Protocol

from tlslint.parse.nginx import swallowed
from tlslint.parse.tree import Argument, Directive, Span
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve import nginx_directives as table
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import Listener, Place, Problem, TlsSettings, Unknown, VirtualHost
from tlslint.resolve.nginx_directives import ListenParameter, NginxDirective, Repeat, Status, ValueKind
from tlslint.resolve.nginx_listen import ListenSpec, Socket, start_problems
from tlslint.resolve.nginx_names import classify
from tlslint.resolve.nginx_scope import Scope
from tlslint.resolve.nginx_values import is_number, is_size, is_time, session_cache_error, size_of
from tlslint.target import Target, Version
from tlslint.tls.ciphers import evaluate_tls13
from tlslint.tls.handshake import build

WILL_NOT_START: Final = "server-will-not-start"

BLOCKS: Final = {
    "http": ("main",),
    "stream": ("main",),
    "mail": ("main",),
    "events": ("main",),
    "server": ("http", "stream", "mail"),
    "upstream": ("http", "stream"),
    "location": ("server", "location"),
}
"""Where blocks may stand."""

SINGLE_BLOCKS: Final = ("events", "http", "stream", "mail")
"""Blocks that may be there once."""

SSL_COMMANDS: Final = frozenset(
    name.lower()
    for name in (
        "SignatureAlgorithms", "ClientSignatureAlgorithms", "Curves", "Groups", "ECDHParameters", "CipherString",
        "Ciphersuites", "Protocol", "MinProtocol", "MaxProtocol", "Options", "VerifyMode", "Certificate", "PrivateKey",
        "ServerInfoFile", "ChainCAPath", "ChainCAFile", "ChainCAStore", "VerifyCAPath", "VerifyCAFile", "VerifyCAStore",
        "RequestCAFile", "ClientCAFile", "RequestCAPath", "ClientCAPath", "RequestCAStore", "ClientCAStore",
        "DHParameters", "RecordPadding", "NumTickets", "RxTicketKeys",
    )
)  # fmt: skip
"""What `SSL_CONF_cmd` knows in files, in any release (SSL_CONF_cmd(3))."""

_STREAM_NAMES_SINCE: Final = Version("1.25.5")
_ENGINES_REMOVED_SINCE: Final = Version("4.0")
_STORES_SINCE: Final = Version("1.29.0")
_CERTIFICATE_TESTED_SINCE: Final = Version("1.15.0")
_UNPREDICTABLE_BLOCKS: Final = ("types", "match", "upstream")
_OF_OTHER_MODULES_TOO: Final = ("pass", "protocol")
"""Names that third-party modules may give to directives of their own."""

SSL_OPTIONS: Final = frozenset(
    name.lower()
    for name in (
        "SessionTicket", "EmptyFragments", "Bugs", "Compression", "ServerPreference", "NoResumptionOnRenegotiation",
        "DHSingle", "ECDHSingle", "UnsafeLegacyRenegotiation", "UnsafeLegacyServerConnect", "ClientRenegotiation",
        "EncryptThenMac", "NoRenegotiation", "AllowNoDHEKEX", "PreferNoDHEKEX", "PrioritizeChaCha", "MiddleboxCompat",
        "AntiReplay", "ExtendedMasterSecret", "CANames", "KTLS", "StrictCertCheck", "TxCertificateCompression",
        "RxCertificateCompression", "KTLSTxZerocopySendfile", "IgnoreUnexpectedEOF", "LegacyECPointFormats",
    )
)  # fmt: skip
"""What the command `Options` knows, in any release (SSL_CONF_cmd(3)); a leading `+` or `-` may stand before each."""
_BOUNDS: Final = frozenset(("None", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv1", "DTLSv1.2"))


class ListenLine(Protocol):
    """A `listen` line: the index of its host in the module, what it says, and where (None: nginx's default)."""

    @property
    def host(self) -> int: ...
    @property
    def spec(self) -> ListenSpec: ...
    @property
    def place(self) -> Place | None: ...


def verify(
    main: Scope,
    given: Target,
    hosts: Sequence[VirtualHost],
    listeners: Sequence[Listener],
    lines: Sequence[tuple[str, Sequence[ListenLine]]],
    sockets: Sequence[tuple[Socket, Sequence[ListenLine]]],
    files: Files | None = None,
    base: str = "/",
) -> Iterator[Problem]:
    """Yield what the versions of nginx that the target may be say of a configuration.

    `given` is the target as the user gave it; where the server's version is unknown, what only some of the supported
    versions say is said with the version. `lines` are the `listen` lines of each module, `sockets` come with them too.
    With `files`, the files that nginx opens are looked for, relative names being taken from `base`.
    """
    verifier = _Verifier(given)
    yield from verifier.scopes(main)
    yield from verifier.listens(lines, sockets)
    yield from verifier.names(hosts)
    yield from verifier.hosts_without_socket(hosts)
    yield from verifier.sockets_without_certificate(listeners)
    yield from verifier.contexts(hosts, files, base)


@dataclass(slots=True)
class _Judge:
    """What can be said of one directive in one context, worked out once."""

    facts: NginxDirective
    lifetime: tuple[str, str, str, str, str] | None
    """Kind, severity, message, label and help where a version does not take the directive as it is."""
    misplaced: str
    is_single: bool
    value_error: Callable[[Directive], tuple[Argument, str] | None] | None
    is_quiet: bool = False
    """Whether nothing can be said where the number of arguments is right and none of them is a directive itself."""

    def counts(self, arguments: int) -> bool:
        """Whether the directive takes that many arguments."""
        facts = self.facts
        return facts.min_args <= arguments and (facts.max_args is None or arguments <= facts.max_args)

    def accepts(self, directive: Directive) -> bool:
        """Whether the number of arguments is right, and none of them is the directive below."""
        arguments = len(directive.arguments)
        return self.counts(arguments) and (arguments < 2 or next_directive(directive) is None)


class _Verifier:
    def __init__(self, given: Target) -> None:
        self.given = given
        self.target = given.concrete()
        assert self.target.server is not None
        self.version: Version = self.target.server
        self.versions = given.server_versions
        self.zones: dict[str, tuple[str, Argument]] = {}
        """Shared zones of sessions by name: the module and the word that declared each first."""
        self.is_guess = False
        """Whether it is only guessed in which module a file is included."""
        self.judges: dict[tuple[str, str], dict[str, _Judge | str]] = {}
        """By module and context, and then by the directive's name."""
        self.parameters: dict[tuple[str, str], tuple[str, str, str, str, str] | None] = {}

    # -- directives ------------------------------------------------------------------------------------------------

    def scopes(self, main: Scope) -> Iterator[Problem]:
        self.is_guess = any(child.place is None for child in main.children)
        yield from self._sections(main)
        seen: set[tuple[int, str]] = set()
        pending = [main]
        while pending:
            scope = pending.pop()
            yield from self._scope(scope, seen)
            for child in reversed(scope.children):
                problem = _misplaced_block(child)
                if problem is not None:
                    yield problem
                elif child.name not in _UNPREDICTABLE_BLOCKS:
                    pending.append(child)

    def _sections(self, main: Scope) -> Iterator[Problem]:
        for name in SINGLE_BLOCKS:
            places = main.own.get(name, [])
            for place in places[1:]:
                related = ((places[0].directive.name.span, "the first one"),)
                yield _refusal(f'"{name}" directive is duplicate', place.directive.name.span, related=related)
        has_servers = any(name in main.own for name in ("http", "stream", "mail"))
        if has_servers and not main.incomplete and "events" not in main.own:
            first = next(iter(main.own.values()))[0]
            # a file of another name may well be a part of a configuration whose main file is elsewhere
            if first.directive.source.path.rpartition("/")[2] == "nginx.conf":
                yield _refusal(
                    'no "events" section in configuration', first.directive.name.span, advice='add "events {}"'
                )

    def _scope(self, scope: Scope, seen: set[tuple[int, str]]) -> Iterator[Problem]:
        module = scope.module or "main"
        context = _context(scope)
        # the context of a fragment is a guess, and a guess refuses nothing
        is_made_up = scope.place is None and scope.name != "main"
        judges = self.judges.setdefault((module, context), {})
        for name, places in scope.own.items():
            judge = judges.get(name)
            if judge is None:
                judge = judges[name] = self._judge(name, module, context)
            if isinstance(judge, _Judge):
                if judge.is_single and len(places) > 1 and not judge.misplaced:
                    yield from _duplicates(name, places)
                for place in places:
                    if judge.is_quiet and judge.accepts(place.directive):
                        continue
                    identity = (id(place.directive), context)
                    if identity not in seen:
                        seen.add(identity)
                        yield from self._directive(place.directive, judge, is_made_up)
                        if name == "ssl_session_cache":
                            yield from self._zone(place.directive, module)
            elif judge and not self.is_guess:
                yield from (_refusal(judge, place.directive.name.span) for place in places)
            else:
                for place in places:
                    if len(place.directive.arguments) > 1:
                        yield from _swallowed(place.directive, None)

    def _zone(self, directive: Directive, module: str) -> Iterator[Problem]:
        for word in directive.arguments:
            _, _, rest = word.partition("shared:")
            name, _, size = rest.partition(":")
            if not name or session_cache_error(word):
                continue
            owner, first = self.zones.setdefault(name, (module, word))
            declared = first.rpartition(":")[2]
            if owner != module:
                message = f'the shared memory zone "{name}" is already declared for a different use'
            elif size_of(size) != size_of(declared):
                message = (
                    f'the size {size_of(size)} of shared memory zone "{name}" conflicts with already declared size '
                    f"{size_of(declared)}"
                )
            else:
                continue
            yield _refusal(message, word.span, related=((first.span, "declared here"),))

    def _judge(self, name: str, module: str, context: str) -> _Judge | str:
        facts = table.directive(name, module)
        if facts is None:
            return _foreign(name, module)
        lifetime = self._lifetime(facts, f'"{name}"')
        misplaced = ""
        if not facts.allowed_in(context) and not (self.is_guess and _is_allowed_somewhere(name, context)):
            misplaced = f'"{name}" directive is not allowed here'
        elif not facts.allowed_in(context, self.version) and self.given.known:
            since = facts.context_since[context]
            lifetime = lifetime or (
                "directive-newer-than-target", "error", f'"{name}" is allowed here since nginx {since} only', "", "",
            )  # fmt: skip
        if facts.status(self.version) is Status.OBSOLETE:  # nginx does not look at the arguments any more
            return _Judge(facts, lifetime, misplaced, is_single=False, value_error=None)
        check = _value_check(facts)
        is_quiet = lifetime is None and not misplaced and check is None
        return _Judge(facts, lifetime, misplaced, facts.repeat is Repeat.ERROR, check, is_quiet)

    def _directive(self, directive: Directive, judge: _Judge, is_made_up: bool) -> Iterator[Problem]:
        if judge.lifetime is not None:
            kind, severity, message, label, advice = judge.lifetime
            yield Problem(kind, message, directive.name.span, severity, label, advice)
            if severity == "error":
                return
        if judge.misplaced:
            if not is_made_up:
                yield _refusal(judge.misplaced, directive.name.span)
            return
        arguments = directive.arguments
        accepted = judge.counts(len(arguments))
        if len(arguments) > 1:
            refusing = not accepted or judge.facts.name == "listen" or judge.facts.value is ValueKind.SET
            found = next(_swallowed(directive, judge.facts if refusing else None), None)
            if found is not None:
                yield found
                return
        if not accepted:
            yield _refusal(f'invalid number of arguments in "{directive.name}" directive', directive.name.span)
        elif judge.value_error is not None:
            error = judge.value_error(directive)
            if error is not None and not _PLACEHOLDER.search(error[0]):
                argument, message = error
                yield _refusal(message, argument.span)

    def _lifetime(self, facts: NginxDirective | ListenParameter, what: str) -> tuple[str, str, str, str, str] | None:
        """What to say of a directive or parameter that not all versions take alike; None where nothing is."""
        statuses = [facts.status(version) for version in self.versions]
        advice = f"use {facts.successor} instead" if facts.successor else ""
        # as long as some supported version needs the old spelling, it cannot be called wrong
        severity = "warning" if len(set(statuses)) == 1 else "info"
        if Status.REMOVED in statuses:
            label = "nginx does not start" if self.given.known else f"nginx {facts.removed} and later do not start"
            return "removed-directive", "error", f"{what} was removed in nginx {facts.removed}", label, advice
        if Status.OBSOLETE in statuses:
            message = f"{what} has had no effect since nginx {facts.obsolete}"
            return "removed-directive", severity, message, "accepted with a warning", advice or "remove it"
        if Status.DEPRECATED in statuses:
            message = f"{what} is deprecated since nginx {facts.deprecated}"
            return "deprecated-directive", severity, message, "accepted with a warning", advice
        if all(status is Status.NOT_YET for status in statuses):
            label = f"nginx {self.version} does not start" if self.given.known else "no supported nginx knows it"
            message = f"{what} needs nginx {facts.since}"
            return "directive-newer-than-target", "error", message, label, ""
        return self._library_lifetime(facts, what) if isinstance(facts, NginxDirective) else None

    def _library_lifetime(self, facts: NginxDirective, what: str) -> tuple[str, str, str, str, str] | None:
        openssl = self.given.openssl
        if openssl is None:
            return None
        if facts.removed_with_openssl is not None and openssl >= facts.removed_with_openssl:
            message = f"{what} does not work since OpenSSL {facts.removed_with_openssl}"
            return "removed-directive", "error", message, "nginx does not start", "remove it"
        if facts.needs_openssl is not None and openssl < facts.needs_openssl:
            message = f"{what} needs OpenSSL {facts.needs_openssl}"
            return "directive-newer-than-target", "warning", message, f"no effect with OpenSSL {openssl}", ""
        return None

    # -- sockets ---------------------------------------------------------------------------------------------------

    def listens(
        self,
        lines: Sequence[tuple[str, Sequence[ListenLine]]],
        sockets: Sequence[tuple[Socket, Sequence[ListenLine]]],
    ) -> Iterator[Problem]:
        for module, module_lines in lines:
            for line in module_lines:
                yield from self._listen(line, module)
        for socket, socket_lines in sockets:
            yield from _socket_errors(socket, socket_lines)
        yield from _start_problems(sockets)

    def _listen(self, line: ListenLine, module: str) -> Iterator[Problem]:
        if line.place is None:
            return
        directive = line.place.directive
        if len(directive.arguments) > 1 and next_directive(directive) is not None:
            return  # reported where the directives are walked
        said: set[int] = set()
        for index, argument in enumerate(directive.arguments[1:], 1):
            lifetime = self._parameter(argument, module)
            if lifetime is not None:
                said.add(index)
                kind, severity, message, label, advice = lifetime
                yield Problem(kind, message, argument.span, severity, label, advice)
        for problem in line.spec.errors:
            if problem.argument in said or (problem.level == "emerg" and not problem.applies(self.version)):
                continue
            if problem.level == "emerg":
                yield _refusal(problem.message, directive.arguments[problem.argument].span)
                return

    def _parameter(self, argument: Argument, module: str) -> tuple[str, str, str, str, str] | None:
        key = (str(argument), module)
        if key not in self.parameters:
            facts = table.listen_parameter(argument, module)
            self.parameters[key] = None if facts is None else self._lifetime(facts, f'"listen … {argument}"')
        return self.parameters[key]

    def hosts_without_socket(self, hosts: Sequence[VirtualHost]) -> Iterator[Problem]:
        for host in hosts:
            scope = host.scope
            if host.module == "http" or host.incomplete or not isinstance(scope, Scope) or scope.place is None:
                continue
            if "listen" not in scope.own:
                yield _refusal('no "listen" is defined for server', host.span)

    # -- names -----------------------------------------------------------------------------------------------------

    def names(self, hosts: Sequence[VirtualHost]) -> Iterator[Problem]:
        for host in hosts:
            if host.module == "mail" or (host.module == "stream" and self.version < _STREAM_NAMES_SINCE):
                continue
            for name in host.names:
                if name.argument is None:
                    continue
                pattern = classify(name.text)
                if pattern.error is not None:
                    yield _refusal(pattern.error, name.argument.span)
                elif pattern.shared_error is not None:
                    # on a TLS socket the table of its names reports it
                    shared = next((item for item in host.listeners if len(item.virtual_hosts) > 1), None)
                    if shared is not None and not shared.tls:
                        yield _refusal(f"{pattern.shared_error} on {shared.label}", name.argument.span)
                elif pattern.dead is not None:
                    yield from _unmatchable(host, name.text, name.argument.span, pattern.dead)

    # -- TLS contexts ----------------------------------------------------------------------------------------------

    def sockets_without_certificate(self, listeners: Sequence[Listener]) -> Iterator[Problem]:
        if self.version < _CERTIFICATE_TESTED_SINCE:
            return
        for listener in listeners:
            starttls = listener.starttls != "off"
            if not listener.address or not (listener.tls or starttls):
                continue
            if listener.incomplete and listener.explicit_default is None:
                continue
            kind = "quic" if listener.transport == "quic" else "ssl"
            what = '"starttls" directive' if starttls else f'"listen ... {kind}" directive'
            for host in _without_context(listener):
                yield _refusal(
                    f'no "ssl_certificate" is defined for the {what}', host.span,
                    label="answers without a certificate",
                    endpoints=(listener.label,),
                    advice="name a certificate and its key, or reject handshakes with ssl_reject_handshake",
                )  # fmt: skip

    def contexts(self, hosts: Sequence[VirtualHost], files: Files | None, base: str) -> Iterator[Problem]:
        """Yield what is refused of the settings of hosts that have a certificate (the others get no context).

        Cipher lists and groups have rules of their own, which ask OpenSSL's description too.
        """
        seen: set[int] = set()
        for host in hosts:
            tls = host.tls
            if tls.certificates.is_unknown or not (tls.certificates.known or tls.reject_handshake.known):
                continue
            if tls.conf_commands.explicit and id(tls.conf_commands) not in seen:
                seen.add(id(tls.conf_commands))
                yield from self._command_problems(tls)
            scope = host.scope
            if isinstance(scope, Scope):
                yield from _incompatible(scope, tls)
            for pair in tls.certificates.known or ():
                if (
                    pair.key_place is not None
                    and pair.key_file is not None
                    and id(pair.key_place.directive) not in seen
                ):
                    seen.add(id(pair.key_place.directive))
                    yield from self._key_problem(pair.key_file, pair.key_place)
            if files is not None:
                yield from _ticket_keys(tls, files, base, seen)

    def _key_problem(self, key: str, place: Place) -> Iterator[Problem]:
        openssl = self.given.openssl
        if key.startswith("engine:") and openssl is not None and openssl >= _ENGINES_REMOVED_SINCE:
            message = f"keys in engines do not work since OpenSSL {_ENGINES_REMOVED_SINCE}"
            yield _refusal(message, place.span, kind="removed-directive", advice="use a provider, and store: keys")
        if key.startswith("store:") and all(version < _STORES_SINCE for version in self.versions):
            message = f'"store:" keys need nginx {_STORES_SINCE}'
            label = f"nginx {self.version} takes it for the name of a file"
            yield _refusal(message, place.span, kind="directive-newer-than-target", label=label)

    def _command_problems(self, tls: TlsSettings) -> Iterator[Problem]:
        for command in tls.conf_commands.known or ():
            name, value = command.place.directive.arguments
            if "$" in name + value:
                continue
            failed = f'SSL_CONF_cmd("{name}", "{value}") failed'
            if name.lower() not in SSL_COMMANDS:
                yield _refusal(f"{failed} (unknown cmd name)", name.span)
            elif name.lower() == "ciphersuites" and self._library_is_known:
                if evaluate_tls13(value, build(self.target)).error is not None:
                    yield _refusal(f"{failed} (no cipher match)", value.span)
            elif not _is_possible_value(name.lower(), value):
                yield _refusal(f"{failed} (bad value)", value.span)

    @property
    def _library_is_known(self) -> bool:
        return self.given.openssl is not None and self.given.library == "openssl"


# -- words ---------------------------------------------------------------------------------------------------------


def _refusal(
    message: str,
    span: Span,
    *,
    kind: str = WILL_NOT_START,
    label: str = "nginx does not start",
    advice: str = "",
    related: tuple[tuple[Span, str], ...] = (),
    endpoints: tuple[str, ...] = (),
) -> Problem:
    return Problem(kind, message, span, "error", label, advice, related, endpoints)


# -- directives ----------------------------------------------------------------------------------------------------


def _context(scope: Scope) -> str:
    """The block in the words of the table."""
    if scope.name == "if":
        parent = scope.parent
        return "if_in_server" if parent is not None and parent.name == "server" else "if_in_location"
    return scope.name


def _foreign(name: str, module: str) -> str:
    """Why a directive that the module does not know is refused there; empty where the table cannot tell."""
    known = any(table.directive(name, other) is not None for other in table.MODULES if other != module)
    return f'"{name}" directive is not allowed here' if known and name not in _OF_OTHER_MODULES_TOO else ""


def _is_allowed_somewhere(name: str, context: str) -> bool:
    found = (table.directive(name, module) for module in table.MODULES)
    return any(facts is not None and facts.allowed_in(context) for facts in found)


def _misplaced_block(scope: Scope) -> Problem | None:
    allowed = BLOCKS.get(scope.name)
    parent = scope.parent
    if allowed is None or parent is None or scope.place is None or parent.name in allowed:
        return None
    if parent.place is None and parent.name != "main":
        return None
    name = scope.place.directive.name
    related: tuple[tuple[Span, str], ...] = ()
    if parent.place is not None:
        related = ((parent.place.directive.name.span, "inside this block"),)
    return _refusal(f'"{name}" directive is not allowed here', name.span, related=related)


def _duplicates(name: str, places: Sequence[Place]) -> Iterator[Problem]:
    first = places[0].directive.name.span
    for place in places[1:]:
        yield _refusal(f'"{name}" directive is duplicate', place.directive.name.span, related=((first, "set here"),))


@cache
def _swallowable() -> frozenset[str]:
    """Directives whose name among arguments can only be a directive, since no value looks like it."""
    covered = {name for module in table.MODULES for name in table.names(module)}
    return frozenset(name for name in covered if "_" in name) | {"listen", "location", "root", "return", "include"}


def next_directive(directive: Directive) -> Argument | None:
    """Return the argument that is the name of the next directive, taken in because this one lacks its semicolon."""
    names = _swallowable()
    if names.isdisjoint(directive.arguments[1:]):
        return None
    argument = swallowed(directive, names)
    return None if argument is directive.arguments[0] else argument


def _swallowed(directive: Directive, refusing: NginxDirective | None) -> Iterator[Problem]:
    """Yield the next directive that this one takes for an argument, if any; `refusing`: nginx does not accept that."""
    argument = next_directive(directive)
    if argument is None:
        return
    arguments = directive.arguments
    before = arguments[arguments.index(argument) - 1]
    yield Problem(
        "swallowed-directive",
        f'"{argument}" is an argument of "{directive.name}" here, not a directive',
        argument.span,
        severity="error" if refusing is not None else "warning",
        label="nginx does not start" if refusing is not None else "never takes effect",
        help=f'end the line before it with ";" (after "{before}")',
        related=((directive.name.span, 'this directive has no ";" of its own'),),
    )


_PLACEHOLDER: Final = regex(r"[${}%@<>]")
"""What another program fills in before nginx reads the file; then the word says nothing yet."""


def _value_check(facts: NginxDirective) -> Callable[[Directive], tuple[Argument, str] | None] | None:
    """Return the test of a directive's value that nginx itself does, as far as it is known."""
    if facts.name == "ssl_session_cache":
        return _session_cache
    match facts.value:
        case ValueKind.FLAG:
            return _flag
        case ValueKind.ENUM:
            if facts.name in ("ssl_verify_client", "ssl_ocsp", "starttls", "satisfy"):
                return lambda directive: _enumerated(directive, facts)
        case ValueKind.NUMBER:
            return _number
        case ValueKind.SIZE:
            return _size
        case ValueKind.TIME if facts.max_args == 1:
            return _time
    return None


def _flag(directive: Directive) -> tuple[Argument, str] | None:
    (word,) = directive.arguments
    if word.lower() in ("on", "off"):
        return None
    return word, f'invalid value "{word}" in "{directive.name}" directive, it must be "on" or "off"'


def _enumerated(directive: Directive, facts: NginxDirective) -> tuple[Argument, str] | None:
    word = directive.arguments[0]
    return None if facts.canonical_value(word) is not None else (word, f'invalid value "{word}"')


def _number(directive: Directive) -> tuple[Argument, str] | None:
    (word,) = directive.arguments
    return None if is_number(word) else (word, f'"{directive.name}" directive invalid number')


def _size(directive: Directive) -> tuple[Argument, str] | None:
    (word,) = directive.arguments
    return None if is_size(word) else (word, f'"{directive.name}" directive invalid value')


def _time(directive: Directive) -> tuple[Argument, str] | None:
    (word,) = directive.arguments
    milliseconds = directive.name != "ssl_session_timeout"
    return None if is_time(word, milliseconds) else (word, f'"{directive.name}" directive invalid value')


def _session_cache(directive: Directive) -> tuple[Argument, str] | None:
    for word in directive.arguments:
        error = session_cache_error(word)
        if error:
            return word, error
    return None


# -- sockets -------------------------------------------------------------------------------------------------------


def _socket_errors(socket: Socket, lines: Sequence[ListenLine]) -> Iterator[Problem]:
    for error in socket.errors:
        place = lines[error.line].place
        if error.level != "emerg" or place is None:
            continue
        other = None if error.other is None else lines[error.other].place
        related = ((other.span, "clashes with this line"),) if other is not None and other is not place else ()
        kind = "duplicate-default-server" if "duplicate default server" in error.message else WILL_NOT_START
        span = place.span
        if kind == "duplicate-default-server":
            span = _parameter_span(place.directive, ("default_server", "default"))
            related = ((other.span, "the default server already"),) if other is not None else ()
        yield _refusal(error.message, span, kind=kind, related=related)


def _parameter_span(directive: Directive, words: tuple[str, ...]) -> Span:
    found = next((argument for argument in directive.arguments if argument in words), directive.arguments[0])
    return found.span


def _start_problems(sockets: Sequence[tuple[Socket, Sequence[ListenLine]]]) -> Iterator[Problem]:
    lines = {id(socket): lines for socket, lines in sockets}
    for problem in start_problems([socket for socket, _ in sockets]):
        place = _first_place(problem.socket, lines[id(problem.socket)])
        other = _first_place(problem.other, lines[id(problem.other)])
        if place is not None:
            related = ((other.span, "this socket is open already"),) if other is not None else ()
            yield _refusal(
                problem.message, place.span, label='nginx does not start, although "nginx -t" passes', related=related
            )


def _first_place(socket: Socket, lines: Sequence[ListenLine]) -> Place | None:
    return next((place for index in socket.lines if (place := lines[index].place) is not None), None)


# -- names ---------------------------------------------------------------------------------------------------------


def _unmatchable(host: VirtualHost, text: str, span: Span, reason: str) -> Iterator[Problem]:
    shared = [listener for listener in host.listeners if listener.tls and len(listener.virtual_hosts) > 1]
    if not shared:
        return  # names are not consulted on a socket with one host
    is_catch_all = len(host.names) == 1 and all(listener.default is host for listener in shared)
    if is_catch_all and reason.startswith("no host name has"):
        return  # an impossible name is a way to write a host that answers by default only
    yield Problem(
        "unmatchable-server-name",
        f'"{text}" is never what a client asks for',
        span,
        severity="warning",
        label=reason,
        endpoints=tuple(f"{text} on {listener.label}" for listener in shared),
    )


# -- contexts ------------------------------------------------------------------------------------------------------


def _is_possible_value(command: str, value: str) -> bool:
    """Whether some OpenSSL takes the value of a command, as far as that is known here."""
    if command in ("minprotocol", "maxprotocol"):
        return value in _BOUNDS
    if command == "options":
        return all(word.strip().lstrip("+-").lower() in SSL_OPTIONS for word in value.split(","))
    return True


def _has_context(tls: TlsSettings) -> bool:
    return isinstance(tls.certificates.value, Unknown) or bool(tls.certificates.known or tls.reject_handshake.known)


def _without_context(listener: Listener) -> Iterable[VirtualHost]:
    default = listener.default
    if default.incomplete:
        return ()
    if not _has_context(default.tls):
        return (default,)
    if default.tls.certificates.is_unknown or default.tls.certificates.known:
        return ()
    # nobody has a certificate to lend
    return [host for host in listener.virtual_hosts if not host.incomplete and not _has_context(host.tls)]


_TICKET_KEY_BYTES: Final = (48, 80)


def _ticket_keys(tls: TlsSettings, files: Files, base: str, seen: set[int]) -> Iterator[Problem]:
    for place in tls.ticket_keys.places:
        if id(place.directive) not in seen and len(place.directive.arguments) == 1:
            seen.add(id(place.directive))
            argument = place.directive.arguments[0]
            found = files.data(files.resolve(argument, base))
            if not isinstance(found, Unreadable) and len(found) not in _TICKET_KEY_BYTES:
                yield _refusal(f'"{argument}" must be 48 or 80 bytes', argument.span, label=f"has {len(found)}")


def _incompatible(scope: Scope, tls: TlsSettings) -> Iterator[Problem]:
    ocsp = scope.nearest("ssl_ocsp")
    if ocsp and tls.client_check.known == "optional_no_ca" and _word(ocsp) not in ("off", ""):
        yield _refusal(
            '"ssl_ocsp" is incompatible with "ssl_verify_client optional_no_ca"', ocsp[-1].span,
        )  # fmt: skip
    compression = scope.nearest("ssl_certificate_compression")
    if compression and tls.stapling.known and _word(compression) == "on":
        yield _refusal('"ssl_stapling" is incompatible with "ssl_certificate_compression"', compression[-1].span)


def _word(places: Sequence[Place]) -> str:
    arguments = places[-1].directive.arguments
    return arguments[0].lower() if arguments else ""


__all__ = ["next_directive", "verify"]
