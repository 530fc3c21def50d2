"""Apache: from what httpd has read to the `Deployment`.

The order is httpd's own: the sockets are those of the `Listen` lines; a connection goes, by the address that it came
to, to one chain of virtual hosts or to the main server; the first host of the chain opens it and says whether it is
TLS; a name chooses within the chain.
"""

import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tlslint.parse.tree import Argument, Directive, Source, Span
from tlslint.resolve.answer import Answers
from tlslint.resolve.apache_clients import ClientChecksReader
from tlslint.resolve.apache_hosts import (
    ANY_ADDRESS,
    ANY_PORT,
    Chain,
    Chains,
    HostAddress,
    Name,
    NameTable,
    alias,
    can_be_sent,
    parse_address,
    parse_server_name,
    why_never_sent,
)
from tlslint.resolve.apache_http import HttpReader
from tlslint.resolve.apache_listen import (
    ANY_INET6,
    HTTPS_PORT,
    Listen,
    canonical,
    conflicts,
    is_dual_stack,
    parse_listen,
)
from tlslint.resolve.apache_lost import lost
from tlslint.resolve.apache_misdirected import Comparison, strict_check
from tlslint.resolve.apache_problems import host_problems, socket_problems
from tlslint.resolve.apache_read import NOT_READ, read
from tlslint.resolve.apache_scope import VIRTUAL_HOST, Section
from tlslint.resolve.apache_tls import TlsReader, decides_by_name, default_protocols, shadows
from tlslint.resolve.apache_upstream import UpstreamReader
from tlslint.resolve.apache_variables import ENVIRONMENT_FILE, assignments
from tlslint.resolve.apache_verify import verify
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
    TlsSettings,
    Unknown,
    VirtualHost,
)
from tlslint.target import Target, Version

if TYPE_CHECKING:
    from tlslint.discover import Root

ALPN_SINCE: Final = Version("2.4.17")
AUTOMATIC_ENGINE_SINCE: Final = Version("2.4.10")
AUTOMATIC_ENGINE_NEEDS_CERTIFICATE_SINCE: Final = Version("2.4.34")
"""httpd's ssl_engine_init.c: a host on an `https` socket speaks TLS unasked, later only if it has a certificate."""
ENTRY_NAMES: Final = ("apache2.conf", "httpd.conf")
PART_FOLDERS: Final = frozenset(
    ("conf.d", "conf.modules.d", "modules.d", "vhosts.d", "extra", "sites-available", "sites-enabled", "conf-available",
     "conf-enabled", "mods-available", "mods-enabled")
)  # fmt: skip
"""Directories whose files are included by a main file, whatever else they load."""
FRAGMENT: Final = "server config"
KEY_LOG: Final = "SSLKEYLOGFILE"
KEY_LOG_SINCE: Final = Version("2.4.49")
IMPLIED_PORT: Final = 80
"""Where a host that names no port is assumed to be reached, in a file without `Listen`."""


TAKEN_BY_OTHERS: Final = "other hosts take all of its connections"


def resolve(root: "Root", target: Target) -> Deployment:
    """Resolve the configuration whose entry file is `root.entry` into what its sockets answer for `target`."""
    return _Resolution(root, target).deployment()


class _Socket:
    """A `Listen` line in force, or one that a fragment implies (then without a place)."""

    __slots__ = ("listen", "place")

    def __init__(self, listen: Listen, place: Place | None) -> None:
        self.listen = listen
        self.place = place


class _Host:
    """A virtual host or the main server, with what decides which connections it gets."""

    __slots__ = ("addresses", "engine", "host", "names", "section")

    def __init__(self, section: Section, host: VirtualHost, addresses: tuple[HostAddress, ...]) -> None:
        self.section = section
        self.host = host
        self.addresses = addresses
        self.names = tuple(
            Name(name.text, "wildcard" if name.kind == "wildcard" else "exact")
            for name in host.names
            if name.kind != "empty"
        )
        self.engine = False
        """Whether the host has TLS switched on, of itself or because its socket is meant for it."""


class _Resolution:
    """The resolution of one deployment: what the steps share."""

    def __init__(self, root: "Root", target: Target) -> None:
        self.root = root
        self.given = target
        self.target = target.concrete()
        self.reading = read(root, target)
        self.main = self.reading.main
        self.reader = TlsReader(self.target, root.files, self.reading.server_root, self.main)
        self.answers = Answers(self.target)
        self.by_name = decides_by_name(self.target)
        self.http = HttpReader()
        self.clients = ClientChecksReader(self.main)
        self.problems: list[Problem] = list(self.reading.problems)
        self.listeners: list[Listener] = []
        self.endpoints: list[Endpoint] = []

    def deployment(self) -> Deployment:
        self.sockets = list(self._listen_lines())
        self.is_fragment = bool(self.reading.fragment) or not (self.sockets or self.main.incomplete)
        if self.is_fragment:
            # what nobody says here may be said where the file is included
            self.main.incomplete = self.main.incomplete or NOT_READ
        hosts = [self._virtual_host(section) for section in self.main.sections(VIRTUAL_HOST)]
        self.hosts = hosts
        self.chains = Chains([host.addresses for host in hosts])
        if not self.sockets:
            self.sockets = list(self._implied_sockets())
        for host in hosts:
            host.engine = self._engine(host)
            host.host.is_without_tls = not host.engine and not self._may_be_switched_on(host)
        for socket in self._bound():
            self._listeners_of(socket)
        self._loose_settings()
        self.problems.extend(lost(self.reading, self.given, self.root.files))
        self.problems.extend(socket_problems(self.main))
        self.problems.extend(host_problems(self.main))
        self.problems.extend(self._refusals())
        for host in hosts:
            if not host.host.listeners:
                host.host.unreachable = host.host.place.doubt or self._why_unreachable(host)
        answering = self._answering_hosts()
        return Deployment(
            server="apache",
            entry=self.root.display,
            target=self.target,
            listeners=self.listeners,
            virtual_hosts=answering,
            endpoints=self.endpoints,
            handshakes=self.answers.all,
            upstreams=UpstreamReader(self.reader, self.main, answering).read(),
            problems=self.problems,
            directives=[],
            unknown=list(self.reading.unknown),
            fragment=FRAGMENT if self.is_fragment else "",
            default_protocols=default_protocols(self.given),
            given=self.given,
            complete=not any(section.incomplete for section in self.main.walk()),
            notes=tuple(self.reading.notes),
            assumed_modules=self.reading.assumed_modules,
            files=self.root.files,
            base=self.reading.server_root,
            misdirected=Comparison(self.main, self.target.server).misdirected,
            name_policy=self.main.last("sslvhostsnipolicy"),
            document_roots=self._document_roots,
            key_logging=list(self._key_logging()),
            key_logging_environment=list(self._key_logging_environment()),
            modules=frozenset(self.reading.modules.loaded),
        )

    def _key_logging(self) -> Iterator[Place]:
        """Lines that give programs behind httpd the name of a key log; mod_ssl itself does not see them (measured)."""
        for section in self.main.walk():
            for name in ("setenv", "passenv"):
                for place in section.own.get(name, ()):
                    words = place.directive.arguments
                    if KEY_LOG in (words if name == "passenv" else words[:1]):
                        yield place

    def _key_logging_environment(self) -> Iterator[Span]:
        """Where the environment has mod_ssl write its keys."""
        value = self.reading.variables.environment.get(KEY_LOG)
        if not isinstance(value, str) or not value or self.is_fragment or self._version < KEY_LOG_SINCE:
            return
        source = self.root.files.source(posixpath.join(posixpath.dirname(self.root.entry), ENVIRONMENT_FILE))
        if isinstance(source, Source):
            for start, end in assignments(source.text, KEY_LOG):
                yield Span(source, start, end)

    @property
    def _version(self) -> Version:
        assert self.target.server is not None  # a concrete target
        return self.target.server

    def _document_roots(self) -> list[tuple[str, Place]]:
        """The directories from which Apache serves files."""
        return [
            (posixpath.normpath(posixpath.join(self.reading.server_root, path)), place)
            for section in self.main.walk()
            for place in section.items
            if (path := _published(place))
        ]

    def _refusals(self) -> Iterator[Problem]:
        """What httpd does not start with: every host with TLS counts, whether or not anything reaches it."""
        hosts = [] if self.is_fragment else [*self.hosts, self.main_host]
        speaking = [host.section for host in hosts if host.engine]
        return verify(
            self.main, self.given, self.reader, speaking, self.root.files, self.reading.server_root, self._is_whole,
            self.reading.modules,
        )  # fmt: skip

    @property
    def _is_whole(self) -> bool:
        """Whether this is surely all that httpd reads: what is missing here may stand in another file otherwise."""
        if self.is_fragment or self.main.incomplete:
            return False
        name = self.root.display.rpartition("/")[2]
        if name in ENTRY_NAMES:
            return True
        if posixpath.basename(posixpath.dirname(self.root.entry)) in PART_FOLDERS:
            return False
        return any(place.directive.name.lower() == "loadmodule" for place in self.reading.executed)

    def _answering_hosts(self) -> list[VirtualHost]:
        found = [host.host for host in self.hosts]
        return [*found, self.main_host.host] if self.main_host.host.listeners else found

    # -- hosts -------------------------------------------------------------------------------------------------------

    @cached_property
    def main_host(self) -> _Host:
        """The main server, as far as it answers connections itself."""
        names = tuple(_server_names(self.main))
        place = (
            next((places[0] for name in ("servername", "listen") if (places := self.main.own.get(name))), None)
            or self._first_place()
        )
        host = self._model(self.main, names, place)
        host.is_main = True
        found = _Host(self.main, host, ())
        found.engine = self._engine(found)
        host.is_without_tls = not found.engine and not self._may_be_switched_on(found)
        return found

    def _first_place(self) -> Place:
        """Where to point for a main server that neither has a name nor opens a socket: the first that it has."""
        for section in self.main.walk():
            if section.items:
                return section.items[0]
        source = self.root.files.source(self.root.entry)
        assert isinstance(source, Source)
        return Place(Directive(Argument("", source, 0, 0), (), None, source, 0, 0))

    def _virtual_host(self, section: Section) -> _Host:
        assert section.place is not None
        addresses = tuple(self._addresses(section))
        names = tuple(_server_names(section))
        if not any(place.directive.arguments for place in section.own.get("servername", ())):
            names = (*self._inherited_name(addresses), *names)
        host = self._model(section, names or (ServerName("", None, None, "empty"),), section.place)
        return _Host(section, host, addresses)

    def _inherited_name(self, addresses: tuple[HostAddress, ...]) -> Iterator[ServerName]:
        """A host without a name that takes every address has the main server's."""
        place = self.main.last("servername")
        if place is None or not place.directive.arguments:
            return
        if any(each.address == ANY_ADDRESS and not each.dead for each in addresses):
            argument = place.argument(0)
            parsed = parse_server_name(argument)
            if not isinstance(parsed, str):
                yield ServerName(parsed[0], argument, place, "inherited")

    def _model(self, section: Section, names: tuple[ServerName, ...], place: Place) -> VirtualHost:
        return VirtualHost(
            names=names,
            place=place,
            module="http",
            tls=self.reader.settings(section),
            scope=section,
            incomplete=section.incomplete,
            read_web=self.http.read,
            read_client_checks=self.clients.read,
        )

    def _addresses(self, section: Section) -> Iterator[HostAddress]:
        assert section.place is not None
        default = self._default_port(section)
        for word in () if section.place.doubt else section.place.directive.arguments:
            if not word:
                return  # httpd stops here
            address = parse_address(word, default)
            if isinstance(address, HostAddress):
                yield address

    def _default_port(self, section: Section) -> int:
        """The port of the main server's name, where httpd has read it before the host."""
        port = ANY_PORT
        for place in self.main.items[: section.before]:
            if place.directive.name.lower() == "servername" and place.directive.arguments:
                parsed = parse_server_name(place.argument(0))
                port = parsed[1] if not isinstance(parsed, str) else port
        return port

    def _engine(self, host: _Host) -> bool:
        """Whether TLS is switched on: by word, or because the socket with the host's own address is for HTTPS."""
        place = host.section.last("sslengine") or self.main.last("sslengine")
        host.host.tls_switch = place
        if place is not None:
            words = place.directive.arguments
            # "optional" began with plain HTTP, as long as there was such a thing
            return bool(words) and words[0].lower() == "on"
        version = self.target.server
        if version is None or version < AUTOMATIC_ENGINE_SINCE or self._protocol(host) != "https":
            return False
        certificates = host.host.tls.certificates
        if version < AUTOMATIC_ENGINE_NEEDS_CERTIFICATE_SINCE:
            return True
        return certificates.is_unknown or bool(certificates.known)

    def _may_be_switched_on(self, host: _Host) -> bool:
        """Whether something that was not read may switch TLS on for a host."""
        switch = host.host.tls_switch
        if switch is not None:
            return bool(switch.doubt)
        return self.is_fragment or bool(host.section.incomplete or self.main.incomplete)

    def _protocol(self, host: _Host) -> str:
        place = host.section.last("protocol") or self.main.last("protocol")
        if place is not None and place.directive.arguments:
            return place.argument(0).lower()
        for each in host.addresses:
            for socket in self.sockets:
                bound = ANY_ADDRESS if socket.listen.wildcard else socket.listen.address.lower()
                if not each.dead and each.key == (bound, socket.listen.port):
                    return socket.listen.protocol
        return ""

    def _why_unreachable(self, host: _Host) -> str:
        if not any(not each.dead for each in host.addresses):
            return next((each.dead for each in host.addresses), "it has no address")
        for each in host.addresses:
            open_ports = {socket.listen.port for socket in self.sockets}
            if not each.dead and each.port in open_ports | {ANY_PORT}:
                # a name may be that of any address
                return "" if any(other.is_name for other in host.addresses) else TAKEN_BY_OTHERS
        return "no Listen line opens its port"

    # -- sockets -----------------------------------------------------------------------------------------------------

    def _listen_lines(self) -> Iterator[_Socket]:
        for place in self.main.own.get("listen", ()):
            listen = parse_listen(place.directive.arguments)
            if isinstance(listen, Listen):
                yield _Socket(listen, place)

    def _implied_sockets(self) -> Iterator[_Socket]:
        """The `Listen` lines that a file without any needs: one for each port, or for all if an address is given."""
        ports = {each.port or IMPLIED_PORT for host in self.hosts for each in host.addresses if not each.dead}
        for port in sorted(ports):
            yield _Socket(Listen(ANY_INET6, port, "https" if port == HTTPS_PORT else "http", "any"), None)

    def _bound(self) -> Iterator[_Socket]:
        """Yield the sockets that there will be: a line that clashes with an earlier one opens none."""
        listens = [socket.listen for socket in self.sockets]
        lost: set[int] = set()
        for conflict in conflicts(listens):
            if conflict.first not in lost:
                lost.add(conflict.second)
        for index, socket in enumerate(self.sockets):
            if index not in lost:
                yield socket

    def _listeners_of(self, socket: _Socket) -> None:
        listen = socket.listen
        if not listen.wildcard:
            self._listener(socket, listen.address, self.chains.find(listen.address.lower(), listen.port))
            return
        others = {other.listen.address for other in self.sockets if other.listen.port == listen.port}
        own = [address for address in self.chains.addresses(listen.port) if self._takes(listen, address, others)]
        for address in own:
            self._listener(socket, address, self.chains.find(address, listen.port))
        rest = self.chains.find("", listen.port)
        if rest is None and self.is_fragment and own:
            return  # whether the server has further addresses is not for a fragment to say
        self._listener(socket, listen.address, rest, is_remainder=bool(own))

    def _takes(self, listen: Listen, address: str, others: set[str]) -> bool:
        """Whether connections to an address come in through a wildcard socket."""
        if address in others:
            return False
        family, _ = canonical(address.strip("[]"))
        if family == "inet":
            both = is_dual_stack(listen, [socket.listen for socket in self.sockets])
            return both or listen.address not in (ANY_INET6,)
        return family == "name" or (family == "inet6" and listen.address == ANY_INET6)

    def _listener(self, socket: _Socket, address: str, chain: Chain | None, is_remainder: bool = False) -> None:
        hosts = [self.hosts[index] for index in chain.hosts] if chain is not None else [self.main_host]
        first = hosts[0]
        listener = Listener(
            address=address,
            port=socket.listen.port,
            transport="tcp",
            module="http",
            tls=first.engine,
            default=first.host,
            explicit_default=None,
            virtual_hosts=[host.host for host in hosts],
            places=[(first.host, socket.place)] if socket.place is not None else [],
            incomplete=self._doubt(socket.listen),
            is_remainder=is_remainder,
        )
        self.listeners.append(listener)
        for host in hosts:
            host.host.listeners.append(listener)
        self.endpoints.extend(self._endpoints(listener, hosts))

    def _doubt(self, listen: Listen) -> str:
        """Why other hosts may answer on a socket."""
        if self.main.incomplete:
            return self.main.incomplete
        named = next((each for host in self.hosts for each in host.addresses if each.is_name), None)
        if named is not None and named.port in (ANY_PORT, listen.port) and not listen.wildcard:
            return f"what address {named.address} has is not known here"
        return ""

    # -- endpoints ---------------------------------------------------------------------------------------------------

    def _endpoints(self, listener: Listener, hosts: list[_Host]) -> Iterator[Endpoint]:
        default = hosts[0]
        if not listener.tls:
            handshake = self.answers.plaintext(default.host.tls)
            if default.host.is_main and self.main.incomplete:
                handshake = self.answers.unknown(default.host.tls, self.main.incomplete)
            yield self._endpoint(listener, NO_SNI, None, default, default, handshake, default.host.tls)
            return
        table = NameTable([host.names for host in hosts])
        self.problems.extend(_hidden_names(listener, hosts, table))
        self.problems.extend(_dead_names(listener, hosts))
        for position, host in enumerate(hosts):
            seen: set[str] = set()
            for name in host.host.names:
                if name.text.lower() in seen or not can_be_sent(name.text):
                    continue
                seen.add(name.text.lower())
                meant = Name(name.text, "wildcard" if name.kind == "wildcard" else "exact")
                if table.sample(meant, position) is not None:
                    yield self._answer(listener, name.text, name, host, default)
        yield self._answer(listener, NO_SNI, None, default, default)
        if table.unclaimed() is not None:
            yield self._answer(listener, ANY_OTHER_NAME, None, default, default)

    def _answer(
        self, listener: Listener, sni: str | None, name: ServerName | None, host: _Host, default: _Host
    ) -> Endpoint:
        # a host without TLS of its own is served with the certificate and the settings of the first one
        answering = host if host.engine else default
        if host.engine:
            governing = self.reader.govern(host.host.tls, default.host.tls)
        else:
            governing = self.reader.borrow(host.host.tls, default.host.tls)
        pairs = answering.host.tls.certificates
        if not pairs.is_unknown and not pairs.known:
            handshake = self.answers.rejected(governing, "AH02572: there is no certificate, so Apache does not start")
        else:
            handshake = self.answers.answer(
                governing,
                opening=default.host.tls,
                taking_over=None if self.by_name or answering is default else host.host.tls,
                version_level=0 if self.by_name else self.answers.level(default.host.tls),
                alpn=self._alpn(host.section, governing),
                undecided=self._doubts(host.section),
            )
        return self._endpoint(listener, sni, name, host, answering, handshake, governing)

    def _endpoint(
        self,
        listener: Listener,
        sni: str | None,
        name: ServerName | None,
        host: _Host,
        answering: _Host,
        handshake: Handshake,
        governing: TlsSettings,
    ) -> Endpoint:
        endpoint = Endpoint(listener, sni, name, host.host, answering.host, governing, handshake)
        default = listener.default
        if host.host is not default and sni not in (NO_SNI, ANY_OTHER_NAME):
            endpoint.shadowed = shadows(host.host.tls, governing, default.tls, self.given.known)
        if sni is NO_SNI and listener.tls and len(listener.virtual_hosts) > 1:
            endpoint.refused_by = strict_check(host.section, self.main)
        handshake.endpoints.append(endpoint)
        return endpoint

    def _alpn(self, section: Section, tls: TlsSettings | None = None) -> tuple[str, ...]:
        """The protocols that can be agreed on; HTTP/1.1 always can, whatever `Protocols` says."""
        version = self.target.server
        if version is None or version < ALPN_SINCE:
            return ()
        has_h2 = (
            "h2" in self._protocols_of(section)
            and not self._is_prefork
            and self.reading.modules.has("http2_module") is not False
            and (tls is None or self._is_modern(section, tls))
        )
        return ("h2", "http/1.1") if has_h2 else ("http/1.1",)

    def _is_modern(self, section: Section, tls: TlsSettings) -> bool:
        """Whether some version is on with which HTTP/2 is offered: mod_http2 offers it with TLS 1.2 and later."""
        place = section.last("h2moderntlsonly") or self.main.last("h2moderntlsonly")
        if place is not None and [word.lower() for word in place.directive.arguments[:1]] == ["off"]:
            return True
        enabled = tls.effective_protocols.known
        return enabled is None or not enabled.isdisjoint(("TLSv1.2", "TLSv1.3"))

    def _doubts(self, section: Section) -> tuple[tuple[str, str], ...]:
        loaded = self.reading.modules.has("http2_module") if "h2" in self._protocols_of(section) else True
        return (("alpn", f"whether there is HTTP/2: {loaded.reason}"),) if isinstance(loaded, Unknown) else ()

    def _protocols_of(self, section: Section) -> list[str]:
        places = section.own.get("protocols") or self.main.own.get("protocols") or ()
        # httpd compares the names with their case
        return [str(word) for place in places for word in place.directive.arguments]

    @cached_property
    def _is_prefork(self) -> bool:
        """Whether connections are handled by processes without threads, with which there is no HTTP/2."""
        return "mpm_prefork_module" in self.reading.modules.loaded

    # -- settings that no socket here uses -----------------------------------------------------------------------------

    def _loose_settings(self) -> None:
        """Give settings that no socket here uses (a snippet that other files include) an endpoint."""
        if not (self.is_fragment or self.main.incomplete) or any(listener.tls for listener in self.listeners):
            return
        if not any(name.startswith("ssl") and not name.startswith("sslproxy") for name in self.main.own):
            return
        host = self.main_host
        listener = Listener(
            *("", None, "tcp", "http", True, host.host, None, [host.host], []),
            incomplete="the socket is not in this file",
            stands_for="every server that includes this file",
        )
        host.host.listeners.append(listener)
        self.listeners.append(listener)
        handshake = self.answers.answer(host.host.tls, alpn=self._alpn(self.main))
        tls = host.host.tls
        self.endpoints.append(self._endpoint(listener, ANY_OTHER_NAME, None, host, host, handshake, tls))


def _published(place: Place) -> str:
    """Return the directory that a line opens to clients, or nothing."""
    name, words = place.directive.name.lower(), place.directive.arguments
    path = ""
    if name == "documentroot" and len(words) == 1:
        path = str(words[0])
    elif name == "alias" and words:
        path = str(words[-1])
    return "" if "%" in path or "$" in path or place.doubt else path


def _server_names(section: Section) -> Iterator[ServerName]:
    """Yield the names that a section gives its server: the last `ServerName`, and all of `ServerAlias`."""
    place = section.last("servername")
    if place is not None and place.directive.arguments:
        argument = place.argument(0)
        parsed = parse_server_name(argument)
        if not isinstance(parsed, str):
            yield ServerName(parsed[0], argument, place)
    for place in section.own.get("serveralias", ()):
        for argument in place.directive.arguments:
            if argument:
                yield ServerName(str(argument), argument, place, alias(argument).kind)


def _hidden_names(listener: Listener, hosts: list[_Host], table: NameTable) -> Iterator[Problem]:
    """Yield each name that an earlier host of the chain takes: httpd says nothing of it."""
    for position, host in enumerate(hosts):
        seen: set[str] = set()
        for name in host.host.names:
            if name.argument is None or name.kind == "inherited" or name.text.lower() in seen:
                continue
            seen.add(name.text.lower())
            meant = Name(name.text, "wildcard" if name.kind == "wildcard" else "exact")
            if not can_be_sent(name.text) or table.sample(meant, position) is not None:
                continue
            earlier = hosts[table.select(name.text.replace("*", "x").replace("?", "x"))]
            if earlier is not host and len(hosts) > 1:
                taken = _takers_name(earlier, meant)
                yield Problem(
                    "conflicting-server-name",
                    "{endpoint} is answered by an earlier host",
                    name.argument.span,
                    severity="warning",
                    label="ignored here",
                    help="keep the name in one of the hosts" if taken is None else "put this host before the other one",
                    related=((earlier.host.span, _reason(taken)),),
                    endpoints=(f"{name.text} on {listener.label}",),
                )


def _dead_names(listener: Listener, hosts: list[_Host]) -> Iterator[Problem]:
    """Yield each name that no client sends, where names choose; the only one of a first host says that it has none."""
    for host in hosts if len(hosts) > 1 else ():
        names = host.host.names
        if host is hosts[0] and not any(can_be_sent(name.text) for name in names):
            continue
        for name in names:
            doubt = name.place.doubt if name.place is not None else ""
            if name.argument is None or name.kind in ("inherited", "empty") or can_be_sent(name.text) or doubt:
                continue
            yield Problem(
                "unmatchable-server-name",
                f'"{name.text}" is never what a client asks for',
                name.argument.span,
                severity="warning",
                label=why_never_sent(name.text),
                endpoints=(f"{name.text} on {listener.label}",),
            )


def _takers_name(host: _Host, asked: Name) -> str | None:
    """Return the pattern with which an earlier host takes a name; None where it simply has it."""
    if any(name.text.lower() == asked.text.lower() for name in host.names):
        return None
    return next((name.text for name in host.names if name.matches(asked.text)), None)


def _reason(pattern: str | None) -> str:
    return "this host has the name already" if pattern is None else f'"{pattern}" of this host takes it'


__all__ = ["resolve"]
