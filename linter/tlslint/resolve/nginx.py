"""nginx: from the entry file's tree to the `Deployment`.

The order is nginx's own: read everything, collect the `server` blocks in textual order, group their `listen` lines
into sockets, find each socket's default server, and work out for every name who answers it and with which settings.
"""

import posixpath
import sys
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tlslint.parse.tree import Tree
from tlslint.resolve.answer import Answers
from tlslint.resolve.model import (
    ANY_OTHER_NAME,
    NO_SNI,
    Deployment,
    Endpoint,
    Handshake,
    Listener,
    Place,
    Problem,
    ServerName,
    Shadow,
    TlsSettings,
    VirtualHost,
)
from tlslint.resolve.nginx_clients import ClientChecksReader
from tlslint.resolve.nginx_http import HttpReader
from tlslint.resolve.nginx_listen import ListenSpec, Module, Socket, group_listens, implicit_listen, parse_listen
from tlslint.resolve.nginx_names import HASH_BUCKET_SIZE, NameTable, classify
from tlslint.resolve.nginx_problems import name_problems
from tlslint.resolve.nginx_protocols import protocol_problems
from tlslint.resolve.nginx_scope import Scope, scopes_of
from tlslint.resolve.nginx_stream import preread_problems
from tlslint.resolve.nginx_successors import with_successors
from tlslint.resolve.nginx_tls import TlsReader, decides_by_name, default_protocols, shadows
from tlslint.resolve.nginx_upstream import UpstreamReader
from tlslint.resolve.nginx_verify import verify
from tlslint.target import Target, Version

if TYPE_CHECKING:
    from tlslint.discover import Root

MODULES: Final[tuple[Module, ...]] = ("http", "stream", "mail")
STREAM_NAMES_SINCE = Version("1.25.5")
MAIL_ALPN_SINCE = Version("1.21.4")
MAIL_PORTS = {"imap": (143, 993), "pop3": (110, 995), "smtp": (25, 465, 587)}
"""Where `protocol` is not set, the port decides (ngx_mail_core_module)."""


def resolve(root: "Root", tree: Tree, target: Target) -> Deployment:
    """Resolve the configuration whose entry file is `root.entry` into what its sockets answer for `target`."""
    return _Resolution(root, tree, target).deployment()


class _Line(NamedTuple):
    """A `listen` line: the index of its host in the module, what it says, where it stands (None: a default)."""

    host: int
    spec: ListenSpec
    place: Place | None


class _Answer(NamedTuple):
    """What connections to a host meet: who presents the certificate, which settings govern, and what comes of it."""

    answering: VirtualHost
    governing: TlsSettings
    handshake: Handshake
    shadowed: tuple[Shadow, ...] = ()


class _Resolution:
    """The resolution of one deployment: what the steps share."""

    def __init__(self, root: "Root", tree: Tree, target: Target) -> None:
        self.root = root
        self.target = target.concrete()
        self.given = target
        self.version_known = target.known
        self.by_name = decides_by_name(self.target)
        self.main, self.expansion = scopes_of(root.files, root.base, tree, root.context)
        self.reader = TlsReader(self.target, root.files, self.expansion.base)
        self.answers = Answers(self.target)
        self.http = HttpReader()
        self.clients = ClientChecksReader()
        self.problems: list[Problem] = self.expansion.problems
        self.hosts: list[VirtualHost] = []
        self.listeners: list[Listener] = []
        self.endpoints: list[Endpoint] = []
        self.sockets: list[tuple[Socket, list[_Line]]] = []
        self.lines: list[tuple[str, list[_Line]]] = []
        self.tree = tree

    def deployment(self) -> Deployment:
        for name in MODULES if self.tree.directives else ():
            for module in self.main.blocks(name):
                self._module(name, module)
        self.problems.extend(protocol_problems(self.main))
        self.problems.extend(preread_problems(self.listeners))
        files, base = self.root.files, self.expansion.base
        self.problems.extend(
            verify(self.main, self.given, self.hosts, self.listeners, self.lines, self.sockets, files, base)
        )
        self.problems = with_successors(self.problems, self.main, self.listeners, self.hosts)
        upstreams = UpstreamReader(self.reader, self.hosts)
        return Deployment(
            server="nginx",
            entry=self.root.display,
            target=self.target,
            listeners=self.listeners,
            virtual_hosts=self.hosts,
            endpoints=self.endpoints,
            handshakes=self.answers.all,
            upstreams=upstreams.read(self.main),
            problems=self.problems,
            directives=[],
            unknown=self.expansion.unknown,
            fragment="" if self.root.context == "main" else self.root.context,
            default_protocols=default_protocols(self.given),
            given=self.given,
            complete=self.expansion.complete,
            files=self.root.files,
            base=self.expansion.base,
            document_roots=cache(self._document_roots),
            key_logging=upstreams.key_logging,
        )

    def _document_roots(self) -> list[tuple[str, Place]]:
        """The directories from which nginx serves files; relative ones depend on how nginx was built."""
        return [found for module in self.main.blocks("http") for scope in module.walk() for found in _published(scope)]

    def _module(self, name: Module, module: Scope) -> None:
        scopes = list(module.blocks("server"))
        hosts = [self._host(scope) for scope in scopes]
        self.hosts.extend(hosts)
        lines = list(self._lines(name, scopes))
        self.lines.append((name, lines))
        ssl_on = {index for index, scope in enumerate(scopes) if _is(scope, "ssl", "on")}
        sockets = group_listens([(line.host, line.spec) for line in lines], name, self.target.server, ssl_on)
        for socket in sockets:
            self._socket(module, socket, hosts, lines)
        self.sockets.extend((socket, lines) for socket in sockets)
        self._loose_settings(module, hosts)

    def _lines(self, name: Module, scopes: list[Scope]) -> Iterator["_Line"]:
        for index, scope in enumerate(scopes):
            places = scope.own.get("listen", ())
            for place in places:
                if not place.directive.arguments:
                    continue  # nginx does not start
                spec = parse_listen(place.directive.arguments, name, self.target.server)
                yield _Line(index, spec, place)
            if not places and not scope.incomplete and name == "http":
                yield _Line(index, implicit_listen("http"), None)

    def _host(self, scope: Scope) -> VirtualHost:
        place = scope.place or self._fragment_place()
        return VirtualHost(
            names=tuple(_server_names(scope)),
            place=place,
            module=scope.module or "http",
            tls=self.reader.settings(scope),
            scope=scope,
            incomplete=scope.incomplete,
            block=scope.parent.place if scope.parent is not None else None,
            read_web=self.http.read,
            read_client_checks=self.clients.read,
        )

    def _fragment_place(self) -> Place:
        return Place(self.tree.directives[0])

    # -- sockets ---------------------------------------------------------------------------------------------------

    def _socket(self, module: Scope, socket: Socket, hosts: list[VirtualHost], lines: list["_Line"]) -> None:
        default = hosts[socket.default]
        members = [hosts[index] for index in socket.hosts]
        scope = default.scope
        assert isinstance(scope, Scope)
        listener = Listener(
            address=socket.address,
            port=socket.port,
            transport=socket.transport,
            module=module.name,
            tls=socket.tls,
            default=default,
            explicit_default=None if socket.explicit_default is None else lines[socket.explicit_default].place,
            virtual_hosts=members,
            places=[(hosts[lines[index].host], place) for index in socket.lines if (place := lines[index].place)],
            http2=socket.http2,
            proxy_protocol=socket.proxy_protocol,
            starttls=self._starttls(scope) if module.name == "mail" and not socket.tls else "off",
            incomplete=module.incomplete,
        )
        self.listeners.append(listener)
        for member in members:
            member.listeners.append(listener)
        self.endpoints.extend(self._endpoints(listener))

    @staticmethod
    def _starttls(scope: Scope) -> str:
        places = scope.nearest("starttls")
        word = str(places[-1].directive.arguments[0]).lower() if places and places[-1].directive.arguments else "off"
        return word if word in ("on", "only") else "off"

    def _endpoints(self, listener: Listener) -> Iterator[Endpoint]:
        default = listener.default
        if not listener.tls and listener.starttls == "off":
            answer = _Answer(default, default.tls, self.answers.plaintext(default.tls))
            yield self._endpoint(listener, NO_SNI, None, default, answer)
            return
        if listener.module == "mail":
            yield self._endpoint(listener, NO_SNI, None, default, self._answer(listener, default))
            return
        table = self._name_table(listener)
        for index, host in enumerate(listener.virtual_hosts):
            seen: set[str] = set()
            found: _Answer | None = None
            for name in () if self._nameless(listener) else host.names:
                if name.kind == "empty" or name.text in seen:
                    continue
                seen.add(name.text)
                if table.sample(name.text, index) is not None:
                    # the same for all names of a host
                    found = found or self._answer(listener, host)
                    yield self._endpoint(listener, name.text, name, host, found)
        answer = self._answer(listener, default)
        yield self._endpoint(listener, NO_SNI, None, default, answer)
        if table.unclaimed() is not None:
            yield self._endpoint(listener, ANY_OTHER_NAME, None, default, answer)

    def _name_table(self, listener: Listener) -> NameTable:
        hosts = listener.virtual_hosts
        nameless = self._nameless(listener)
        table = NameTable(
            [[] if nameless else [name.text for name in host.names] for host in hosts],
            default=hosts.index(listener.default),
            label=listener.label,
            version=self.target.server,
            bucket_size=self._names_bucket_size(listener),
        )
        self.problems.extend(name_problems(listener, table))
        return table

    @staticmethod
    def _names_bucket_size(listener: Listener) -> int:
        """The size of a bucket in bytes: what is configured, filled up to whole cache lines."""
        scope = listener.default.scope
        assert isinstance(scope, Scope)
        if listener.incomplete:
            return sys.maxsize  # it may be set where nobody could look
        places = scope.nearest("server_names_hash_bucket_size")
        words = places[-1].directive.arguments if places else ()
        size = int(words[0]) if len(words) == 1 and words[0].isdecimal() else HASH_BUCKET_SIZE
        return -(-size // 64) * 64

    def _nameless(self, listener: Listener) -> bool:
        """Whether names play no part: stream selects by name since 1.25.5 only."""
        assert self.target.server is not None
        return listener.module == "stream" and self.target.server < STREAM_NAMES_SINCE

    def _answer(self, listener: Listener, host: VirtualHost) -> "_Answer":
        """Work out what connections meet for which a name (or the lack of one) selects a host."""
        default = listener.default
        if _has_context(host.tls):
            answering, governing = host, self.reader.govern(host.tls, default.tls)
        else:
            answering, governing = default, self.reader.borrow(host.tls, default.tls)
        if _has_context(answering.tls):
            quic = listener.transport == "quic"
            handshake = self.answers.answer(
                governing,
                opening=None if default.tls.reject_handshake.known and answering is default else default.tls,
                taking_over=None if self.by_name or answering is default else host.tls,
                version_level=0 if self.by_name else self.answers.level(default.tls),
                # stream's names come with the SSL context, those of http from the server that the name selects
                alpn=self._alpn(listener, answering if listener.module == "stream" else host),
                quic=quic,
                undecided=_left_to_chance(listener, answering.tls),
            )
        else:
            handshake = self.answers.rejected(governing, 'no "ssl_certificate" is defined: nginx does not start')
        shadowed = () if host is default else shadows(host.tls, governing, default.tls, self.version_known)
        return _Answer(answering, governing, handshake, shadowed)

    @staticmethod
    def _endpoint(
        listener: Listener, sni: str | None, name: ServerName | None, host: VirtualHost, answer: "_Answer"
    ) -> Endpoint:
        endpoint = Endpoint(
            listener, sni, name, host, answer.answering, answer.governing, answer.handshake, answer.shadowed
        )
        answer.handshake.endpoints.append(endpoint)
        return endpoint

    def _alpn(self, listener: Listener, host: VirtualHost) -> tuple[str, ...]:
        scope = host.scope
        assert isinstance(scope, Scope)
        if listener.module == "stream":
            places = scope.nearest("ssl_alpn")
            return tuple(str(word) for word in places[-1].directive.arguments) if places else ()
        if listener.module == "mail":
            return self._mail_alpn(listener, scope)
        if listener.transport == "quic":
            return () if _is(scope, "http3", "off") else ("h3",)
        return ("h2", "http/1.1") if listener.http2 or _is(scope, "http2", "on") else ("http/1.1",)

    def _mail_alpn(self, listener: Listener, scope: Scope) -> tuple[str, ...]:
        """Return the one application protocol of a mail server: the one that it names, or that of its port."""
        assert self.target.server is not None
        if self.target.server < MAIL_ALPN_SINCE:
            return ()
        places = scope.nearest("protocol")
        if places and places[-1].directive.arguments:
            return (str(places[-1].directive.arguments[0]),)
        return tuple(name for name, ports in MAIL_PORTS.items() if listener.port in ports)

    def _loose_settings(self, module: Scope, hosts: list[VirtualHost]) -> None:
        """Give settings that no socket here uses (a snippet, http without its servers) an endpoint."""
        partial = self.root.context != "main" or module.incomplete
        for host in hosts:
            if not host.listeners and partial:
                self._loose(host)
        speaking = any(listener.tls or listener.starttls != "off" for host in hosts for listener in host.listeners)
        if partial and not speaking and any(name.startswith("ssl_") for name in module.own):
            place = module.place or self._fragment_place()
            tls = self.reader.settings(module)
            host = VirtualHost((), place, module.name, tls, scope=module, read_web=self.http.read)
            self._loose(host)

    def _loose(self, host: VirtualHost) -> None:
        scope = host.scope
        assert isinstance(scope, Scope)
        if not any(name.startswith("ssl_") for name in scope.own):
            return
        listener = Listener(
            *("", None, "tcp", host.module, True, host, None, [host], []),
            incomplete="the socket is not in this file",
            stands_for="every server that " + ("inherits it" if self.root.context == "main" else "includes this file"),
        )
        host.listeners.append(listener)
        self.listeners.append(listener)
        answer = _Answer(host, host.tls, self.answers.answer(host.tls, alpn=self._alpn(listener, host)))
        self.endpoints.append(self._endpoint(listener, ANY_OTHER_NAME, None, host, answer))


def _left_to_chance(listener: Listener, tls: TlsSettings) -> tuple[tuple[str, str], ...]:
    """Say what depends on how quick a client is.

    stream takes the settings for its check of the certificate before the handshake, when no name is known. It takes
    them anew only where it had to wait for the client's last message (measured on 1.31.3; ngx_stream_ssl_module).
    """
    default = listener.default.tls
    required = [settings.verify_client.known == "required" for settings in (default, tls)]
    if listener.module != "stream" or tls is default or required[0] is required[1]:
        return ()
    return (("client_certificate", "a quick client is judged by the ssl_verify_client of the default server"),)


def _has_context(tls: TlsSettings) -> bool:
    """Whether nginx makes an SSL context for the server: it has a certificate, or rejects every handshake."""
    return bool(tls.certificates.is_unknown or tls.certificates.known or tls.reject_handshake.known)


def _published(scope: Scope) -> Iterator[tuple[str, Place]]:
    if "root" not in scope.own and "alias" not in scope.own:
        return
    words = scope.place.directive.arguments if scope.place is not None and scope.name == "location" else ()
    prefix = str(words[-1]) if words else ""
    for place in scope.own.get("alias", ()) if not prefix.startswith("@") else ():
        yield from _absolute(place, "")
    for place in scope.own.get("root", ()) if len(words) < 2 or words[0] in ("^~", "=") else ():
        # a location serves what lies below its own prefix
        yield from _absolute(place, prefix.strip("/") if not prefix.startswith("@") else "")


def _absolute(place: Place, prefix: str) -> Iterator[tuple[str, Place]]:
    path = str(place.directive.arguments[0]) if place.directive.arguments else ""
    if path.startswith("/") and "$" not in path:
        yield posixpath.normpath(posixpath.join(path, prefix)), place


def _is(scope: Scope, directive: str, value: str) -> bool:
    places = scope.nearest(directive)
    words = places[-1].directive.arguments if places else ()
    return len(words) == 1 and words[0].lower() == value


def _server_names(scope: Scope) -> Iterator[ServerName]:
    found = False
    for place in scope.own.get("server_name", ()):
        for argument in place.directive.arguments:
            found = True
            yield ServerName(str(argument), argument, place, classify(str(argument)).kind)
    if not found:
        yield ServerName("", None, None, "empty")


__all__ = ["resolve"]
