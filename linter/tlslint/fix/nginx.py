"""nginx's dialect: which directive makes a setting, how words are quoted, and where a new line belongs."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tlslint.fix.dialect import Dialect, as_list, as_versions, as_word, siblings_of
from tlslint.fix.text import CannotSpell, after, before, inside, padded, unit
from tlslint.intention import AddRejectingHost, Edit
from tlslint.parse.nginx import decode
from tlslint.parse.nginx import parse as parse_nginx
from tlslint.parse.tree import Argument, Directive, Source, Tree
from tlslint.record import dataclass
from tlslint.resolve.model import Listener, Upstream, VirtualHost
from tlslint.resolve.nginx_directives import Status
from tlslint.resolve.nginx_directives import directive as facts_of

_SWITCHES = {
    "server_order": "ssl_prefer_server_ciphers",
    "session_tickets": "ssl_session_tickets",
    "early_data": "ssl_early_data",
    "stapling": "ssl_stapling",
    "stapling_verify": "ssl_stapling_verify",
    "reject_handshake": "ssl_reject_handshake",
    "client_ocsp": "ssl_ocsp",
}
_TEXTS = {
    "client_ca": "ssl_client_certificate",
    "trusted_ca": "ssl_trusted_certificate",
    "crl": "ssl_crl",
    "dh_params": "ssl_dhparam",
    "stapling_file": "ssl_stapling_file",
    "stapling_responder": "ssl_stapling_responder",
    "verify_depth": "ssl_verify_depth",
}
_VERIFY = {"none": "off", "required": "on"}
_COMMANDS = {"ciphersuites": "Ciphersuites", "signature_algorithms": "SignatureAlgorithms"}

_NEEDS_QUOTES = re.compile(r"""[\s;{}"'#]|^$""")
_ONCE_PER_SOCKET = re.compile(
    r"(?:default|default_server|bind|deferred|reuseport|(?:backlog|rcvbuf|sndbuf|setfib|fastopen|accept_filter|ipv6only"
    r"|so_keepalive|multipath)(?:=.*)?)"
)
_DECIDED_BY_DEFAULT = (
    "ssl_protocols",
    "ssl_conf_command",
    "ssl_prefer_server_ciphers",
    "ssl_ecdh_curve",
    "ssl_session_tickets",
    "ssl_session_ticket_key",
    "ssl_session_cache",
    "ssl_session_timeout",
    "ssl_early_data",
)
"""What the default server of a socket decides for all of its hosts, on some version at least."""


@dataclass(frozen=True, slots=True)
class _Home:
    """A block (None: the file's own top level) whose directives a new one joins."""

    source: Source
    block: Directive | None


class NginxDialect(Dialect):
    """nginx: directives end with a semicolon, blocks have braces, and an inner block inherits."""

    SETS = ("ssl_protocols", "proxy_ssl_protocols", "grpc_ssl_protocols", "uwsgi_ssl_protocols")
    CONF_COMMAND = "ssl_conf_command"

    def spelt(self, field: str, value: Any) -> tuple[str, tuple[str, ...]]:
        """Return the directive and its arguments that give a setting a value; raises `CannotSpell`."""
        if field in ("protocols", "effective_protocols"):
            return "ssl_protocols", as_versions(value)
        if field in ("ciphers", "plain_ciphers"):
            return "ssl_ciphers", (as_list(value),)
        if field == "groups":
            return "ssl_ecdh_curve", (as_list(value),)
        if field in _COMMANDS:
            return self.CONF_COMMAND, (_COMMANDS[field], as_list(value))
        if field in _SWITCHES:
            return _SWITCHES[field], ("on" if value else "off",)
        if field in _TEXTS:
            return _TEXTS[field], (str(value),)
        if field == "session_cache":
            return "ssl_session_cache", tuple(value.split())
        if field == "session_timeout":
            return "ssl_session_timeout", (_time(int(value)),)
        if field == "ticket_keys":
            raise CannotSpell("keys are made, not written")
        if field in ("verify_client", "client_check"):
            return "ssl_verify_client", (_VERIFY.get(value, value),)
        if field == "resolver":
            raise CannotSpell("the addresses of a resolver are not known")
        raise CannotSpell(f"nginx has no directive for {field.replace('_', ' ')}")

    def quoted(self, value: str, quote: str) -> str:
        """Return a word as it is written."""
        if not quote and _NEEDS_QUOTES.search(value):
            quote = '"' if '"' not in value else "'"
        if not quote:
            return value
        return quote + re.sub(rf"\\|{quote}", lambda found: "\\" + found[0], value) + quote

    def unquoted(self, argument: Argument) -> str:
        """Return what the server reads where this word stands, if nothing is replaced in it."""
        quotes = len(argument.quote)
        raw = argument.raw
        return decode(raw[quotes : len(raw) - quotes])

    def parse(self, source: Source) -> Tree:
        """Return the tree of a file."""
        return parse_nginx(source)

    def check_known(self, name: str, module: str) -> None:
        """Raise `CannotSpell` where a version that the target may be does not take a directive."""
        facts = facts_of(name, module)
        if facts is None:
            if facts_of(name, "http") is not None or name.startswith("ssl_"):
                raise CannotSpell(f"nginx has no {name} in {module}")
            return
        if self._is_in_use(name):
            return
        for version in self.versions:
            status = facts.status(version)
            if status in (Status.NOT_YET, Status.REMOVED, Status.COMMERCIAL):
                raise CannotSpell(f"nginx {version} does not know {name}")
        library = self.deployment.given or self.deployment.target
        for openssl in library.openssl_versions:
            if facts.needs_openssl is not None and openssl < facts.needs_openssl:
                raise CannotSpell(f"{name} needs OpenSSL {facts.needs_openssl}")

    def _is_in_use(self, name: str) -> bool:
        """Whether the configuration has the directive somewhere, so that its server must know it."""
        scopes = [host.scope for host in self.deployment.virtual_hosts]
        scopes += {id(outer): outer for scope in scopes if (outer := getattr(scope, "parent", None))}.values()
        return any(name in getattr(scope, "own", ()) for scope in scopes)

    def line(self, name: str, arguments: Sequence[str], siblings: Sequence[Directive]) -> str:
        """Return a whole directive."""
        return f"{padded(name, [self.quoted(word, '') for word in arguments], siblings)};"

    # -- where a line belongs ----------------------------------------------------------------------------------------

    def added(self, host: VirtualHost, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that gives a host a further directive."""
        return self.added_at(self._home(host), name, arguments)

    def _home(self, host: VirtualHost) -> _Home:
        directive = host.place.directive
        scope = host.scope
        place = getattr(scope, "place", None)
        if place is not None and place.directive.block is not None:
            return _Home(place.directive.source, place.directive)
        if getattr(scope, "name", "") not in ("server", "http", "stream", "mail"):
            raise CannotSpell("the block that it belongs to is not in this file")
        return _Home(directive.source, None)

    def homes(self, hosts: Sequence[VirtualHost], field: str, name: str) -> Iterator[_Home]:
        """Yield the places, as few as possible, where a directive serves all these hosts."""
        blocks: dict[tuple[int, int], _Home] = {}
        alone = len({id(host) for host in hosts}) == 1
        for host in hosts:
            home = self._home(host)
            outer = host.block.directive if host.block is not None else None
            commands = host.tls.conf_commands.places if name == self.CONF_COMMAND else ()
            if commands:
                # the lines of a block replace all those of the block around it
                directive = commands[-1].directive
                home = _Home(directive.source, _block_around(self.tree(directive.source), directive))
            elif outer is not None and outer.block is not None and not (alone and _has_settings_alone(home, outer)):
                home = _Home(outer.source, outer)
            start = -1 if home.block is None else home.block.start
            blocks.setdefault((id(home.source), start), home)
        yield from blocks.values()

    def added_at(self, home: _Home, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that writes a directive at one of those places."""
        children = self.tree(home.source).directives if home.block is None else home.block.block or ()
        prefix = f"{name.split('_', maxsplit=1)[0]}_"
        related = siblings_of(children, prefix)
        line = self.line(name, arguments, related)
        anchor = _anchor(children, related, name)
        if anchor is not None:
            return after(anchor, line)
        if home.block is None:
            raise CannotSpell("the file has no line beside which it could stand")
        return inside(home.block, line)

    # -- upstreams, default hosts --------------------------------------------------------------------------------------

    def upstream_arguments(self, field: str, value: Any) -> tuple[str, ...]:
        """Return the arguments that give a setting of connections to upstreams a value."""
        return as_versions(value) if field == "protocols" else (as_word(value),)

    def added_upstream(self, upstream: Upstream, field: str, name: str, arguments: tuple[str, ...]) -> list[Edit]:
        """Return the edits that write a directive beside its kin, in the block that passes requests on."""
        directive = self._directive(upstream.place)
        block = _block_around(self.tree(directive.source), directive)
        if block is not None and block.name in ("if", "limit_except"):
            raise CannotSpell(f'it may not stand in "{block.name}"')
        children = self.tree(directive.source).directives if block is None else block.block or ()
        related = siblings_of(children, name.partition("ssl_")[0] + "ssl_")
        line = self.line(name, arguments, related or [directive])
        return [after(related[-1] if related else directive, line)]

    def _rejecting_host(self, intention: AddRejectingHost) -> list[Edit]:
        listeners = intention.listeners
        if not listeners:
            raise CannotSpell("no socket needs it")
        for listener in listeners:
            self.check_known("ssl_reject_handshake", listener.module)
        first = listeners[0].default.place.directive
        if first.block is None or first.name != "server":
            raise CannotSpell("the block of the socket's default host is not in this file")
        inner = unit(first.source)
        lines = ["server {"]
        edits: list[Edit] = []
        for listener in listeners:
            lines.append(f"{inner}{self._listen(listener)}")
            marked = listener.explicit_default
            if marked is not None:
                word = next(word for word in marked.directive.arguments if word in ("default_server", "default"))
                edits.append(self._argument_removed(marked, word))
        kept = list(self._kept(listeners[0].default))
        if any(list(self._kept(listener.default)) != kept for listener in listeners[1:]):
            raise CannotSpell("the default hosts of the sockets decide different things")
        lines.append("")
        lines += [f"{inner}{line}" for line in kept]
        lines += [f"{inner}ssl_reject_handshake on;", "}"]
        if not any(line.strip().startswith("ssl_") for line in lines[1:-2]):
            lines.remove("")
        return [before(first, lines), *edits]

    def _listen(self, listener: Listener) -> str:
        place = next((place for _, place in listener.places), None)
        if place is None:
            raise CannotSpell("nothing says how the socket is opened")
        words = [self.quoted(str(word), word.quote) for word in self._directive(place).arguments]
        kept = [words[0], *(word for word in words[1:] if not _ONCE_PER_SOCKET.fullmatch(word))]
        return f"listen {' '.join([*kept, 'default_server'])};"

    def _kept(self, default: VirtualHost) -> Iterator[str]:
        """Yield what the present default host decides for the socket, so that nothing of it changes."""
        own: dict[str, Any] = getattr(default.scope, "own", {})
        for name in _DECIDED_BY_DEFAULT:
            for place in own.get(name, ()):
                words = [self.quoted(str(word), word.quote) for word in self._directive(place).arguments]
                yield f"{' '.join([name, *words])};"


def _anchor(children: Sequence[Directive], related: Sequence[Directive], name: str) -> Directive | None:
    """Return the directive below which a new one is written: of its family, or that opens the server, or the last."""
    if related:
        return related[-1]
    for wanted in ("listen", "server_name"):
        found = [child for child in children if child.name == wanted and child.block is None]
        if found and name.startswith("ssl_"):
            return found[-1]
    plain: Directive | None = None
    for child in children:
        is_mask = child.name == "include" and any(char in "".join(child.arguments) for char in "*?[")
        if child.block is not None and child.name in ("server", "location", "upstream", "if"):
            break
        if is_mask:
            break
        if child.block is None:
            plain = child
    return plain


def _has_settings_alone(home: _Home, outer: Directive) -> bool:
    """Whether the only host has TLS settings of its own besides its certificate, and the block around it has none."""
    if home.block is None or siblings_of(outer.block or (), "ssl_"):
        return False
    own = siblings_of(home.block.block or (), "ssl_")
    return any(not child.name.startswith("ssl_certificate") for child in own)


def _block_around(tree: Tree, directive: Directive) -> Directive | None:
    """Return the innermost block in which a directive stands in its file."""
    found: Directive | None = None
    inner: Sequence[Directive] = tree.directives
    while True:
        block = next(
            (child for child in inner if child.block is not None and child.start < directive.start < child.end), None
        )
        if block is None:
            return found
        found, inner = block, block.block or ()


def _time(seconds: int) -> str:
    for size, letter in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"
