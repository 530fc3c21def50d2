"""What nginx makes of `listen`: the address and options of one directive, and the sockets that all of them open.

Facts: the manual of ngx_http_core_module, ngx_stream_core_module and ngx_mail_core_module, nginx's own sources
(ngx_inet.c, ngx_http.c), and measurements on running servers; messages are in nginx's words. Names are never
resolved: a host name other than `localhost` is a socket of its own, whose address is not known.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache, lru_cache
from typing import Final, Literal

from tlslint.parse.tree import Argument
from tlslint.record import dataclass, field
from tlslint.regex import regex
from tlslint.target import Version

Module = Literal["http", "stream", "mail"]
Family = Literal["inet", "inet6", "unix", "name"]
Level = Literal["emerg", "warn"]

DEFAULT_HTTP_PORT: Final = 80
_MAX_UNIX_PATH: Final = 107
"""Bytes that fit into `sun_path` on Linux beside the final NUL."""


@dataclass(frozen=True, slots=True)
class ListenProblem:
    """What nginx says of a `listen` directive when it tests the configuration.

    `argument` is the index of the argument that it is about, in the directive. The problem exists from version
    `since` on, up to but without `until`; None = from the first, up to the newest.
    """

    argument: int
    message: str
    level: Level = "emerg"
    since: Version | None = None
    until: Version | None = None

    def applies(self, version: Version | None) -> bool:
        """Whether this version of nginx has the problem; True for some version if it is not known."""
        if version is None:
            return True
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)


@dataclass(slots=True)
class ListenSpec:
    """One `listen` directive as nginx understands it; with errors of level `emerg`, nginx does not start."""

    text: str
    """The address argument as written; `*:80` where there is no directive."""
    module: Module
    family: Family
    address: str
    """`0.0.0.0`, `127.0.0.1`, `[::1]` (canonical forms), `unix:/run/x.sock`, or a host name as written."""
    port: int | None
    """None for a unix socket; 0 where stream or mail leave the choice of a port to the system."""
    last_port: int | None = None
    """End of a port range, included."""
    flags: frozenset[str] = frozenset()
    """Parameters that say what is spoken: `ssl`, `http2`, `quic`, `udp`, `proxy_protocol`, `default_server`."""
    socket_options: frozenset[str] = frozenset()
    """Parameters that may be given once per socket only: `bind`, `backlog`, `reuseport`, `ipv6only` …"""
    ipv6only: bool = True
    errors: list[ListenProblem] = field(default_factory=list)

    @property
    def ports(self) -> range:
        """All ports, of a range or the one; empty for a unix socket."""
        if self.port is None:
            return range(0)
        return range(self.port, (self.last_port or self.port) + 1)

    @property
    def transport(self) -> str:
        """`tcp`, `quic`, or `udp` (stream)."""
        return "quic" if "quic" in self.flags else "udp" if "udp" in self.flags else "tcp"

    @property
    def tls(self) -> bool:
        """Whether this line asks for TLS; the socket speaks TLS if any of its lines does."""
        return "ssl" in self.flags or "quic" in self.flags

    def is_accepted(self, version: Version | None = None) -> bool:
        """Whether this version of nginx accepts the line; without a version: whether the newest does."""
        refusals = [problem for problem in self.errors if problem.level == "emerg"]
        if version is None:
            return all(problem.until is not None for problem in refusals)
        return not any(problem.applies(version) for problem in refusals)

    @property
    def addresses(self) -> tuple[tuple[Family, str], ...]:
        """The addresses that it opens: two for `localhost`, one otherwise."""
        if self.family == "name" and self.address.lower() == "localhost":
            return ("inet", "127.0.0.1"), ("inet6", "[::1]")
        return ((self.family, self.address),)

    @property
    def wildcard(self) -> bool:
        """Whether it takes connections to every address of its family."""
        return self.address in ("0.0.0.0", "[::]")

    @property
    def dual_stack(self) -> bool:
        """Whether it takes IPv4 connections on its IPv6 socket (`[::]` with `ipv6only=off`)."""
        return self.family == "inet6" and self.wildcard and not self.ipv6only


def implicit_listen(module: Module) -> ListenSpec:
    """What a server without `listen` does: `*:80`, in clear text; in stream and mail it is an error."""
    spec = ListenSpec("*:80", module, "inet", "0.0.0.0", DEFAULT_HTTP_PORT)
    if module != "http":
        spec.errors.append(ListenProblem(0, 'no "listen" is defined for server'))
    return spec


def parse_listen(arguments: Sequence[Argument | str], module: Module, version: Version | None = None) -> ListenSpec:
    """Read the arguments of one `listen` directive.

    With a version, only that version's problems are reported; without one, each problem says which versions have it.
    The first problem of level `emerg` is what nginx itself prints. Raises ValueError where there is no argument.
    """
    if not arguments:
        raise ValueError("listen has no argument")
    return _parse_listen(tuple(map(str, arguments)), module, version)


@lru_cache(maxsize=1024)
def _parse_listen(arguments: tuple[str, ...], module: Module, version: Version | None) -> ListenSpec:
    # thousands of servers have the same line
    spec = _parse_address(arguments[0], module)
    _parse_parameters(spec, list(arguments[1:]))
    if version is not None:
        spec.errors = [problem for problem in spec.errors if problem.applies(version)]
        if version == _V("1.23.3"):  # this release alone opens only the first port of a range
            spec.last_port = None
    return spec


@cache
def _V(text: str) -> Version:  # noqa: N802 - reads as a literal
    return Version(text)


# addresses


def _parse_address(text: str, module: Module) -> ListenSpec:
    spec = ListenSpec(text, module, "name", text, DEFAULT_HTTP_PORT if module == "http" else 0)
    if text[:5].lower() == "unix:":
        error = _parse_unix(text, spec)
    elif text.startswith("["):
        error = _parse_inet6(text, spec)
    else:
        error = _parse_inet(text, spec)
    if error:
        spec.errors.insert(0, ListenProblem(0, _address_message(error, text)))
    return spec


def _address_message(error: str, text: str) -> str:
    return f'{error} in "{text}" of the "listen" directive'


def _parse_unix(text: str, spec: ListenSpec) -> str | None:
    path = text[5:]
    spec.family, spec.address, spec.port = "unix", f"unix:{path}", None
    if not path:
        return "no path in the unix domain socket"
    if len(path.encode("utf-8", "surrogateescape")) > _MAX_UNIX_PATH:
        return "too long path in the unix domain socket"
    return None


def _parse_inet6(text: str, spec: ListenSpec) -> str | None:
    spec.family = "inet6"
    host, bracket, rest = text[1:].partition("]")
    if not bracket or "/" in rest:
        return "invalid host"
    if rest:
        if rest[0] != ":":
            return "invalid host"
        error = _parse_port(rest[1:], spec)
        if error:
            return error
    if not host:
        return "no host"
    words = parse_inet6_address(host)
    if words is None:
        return "invalid IPv6 address"
    spec.address = f"[{format_inet6_address(words)}]"
    return None


def _parse_inet(text: str, spec: ListenSpec) -> str | None:
    if "/" in text or "?" in text:
        return "invalid host"
    host, colon, port = text.partition(":")
    if colon:
        error = _parse_port(port, spec)
        if error:
            return error
    elif _is_port_only(text):
        error = _parse_port(text, spec)
        if error:
            return error
        spec.family, spec.address = "inet", "0.0.0.0"
        return None
    if not host:
        return "no host"
    spec.address = host
    if host == "*":
        spec.family, spec.address = "inet", "0.0.0.0"
        return None
    address = parse_inet_address(host)
    if address is not None:
        spec.family, spec.address = "inet", address
        return None
    return None if _may_be_host_name(host) else "host not found"


def _is_port_only(text: str) -> bool:
    """A number, or a range whose end and beginning are numbers, counts as a port even when it is out of range."""
    first, dash, last = text.partition("-")
    return _number(first) is not None and (not dash or _number(last) is not None)


def _parse_port(text: str, spec: ListenSpec) -> str | None:
    first, dash, last = text.partition("-")
    port, last_port = _port(first), _port(last)
    if port is None or (dash and last_port is None):
        return "invalid port"
    spec.port = port
    if dash:
        assert last_port is not None
        if port > last_port:
            return "invalid port range"
        spec.last_port = last_port
        message = "host not found" if text == spec.text else "invalid port"
        spec.errors.append(ListenProblem(0, _address_message(message, spec.text), until=_V("1.15.10")))
    return None


def _port(text: str) -> int | None:
    number = _number(text)
    return number if number is not None and 1 <= number <= 65535 else None


def _number(text: str) -> int | None:
    """What nginx reads as a number: ASCII digits that fit into 63 bits."""
    if not (text.isascii() and text.isdigit()) or len(text) > 4096:
        return None
    value = int(text)
    return value if value < 2**63 else None


_NAME: Final = regex(r"[A-Za-z0-9._-]+")


def _may_be_host_name(host: str) -> bool:
    """Whether a resolver could know the name; the last label of a name has a letter (RFC 3696, section 2)."""
    labels = host.rstrip(".").split(".")
    return _NAME.fullmatch(host) is not None and all(labels) and re.search("[A-Za-z]", labels[-1]) is not None


def parse_inet_address(text: str) -> str | None:
    """The IPv4 address that nginx or, failing that, the C library reads in the text, in canonical form, or None."""
    octets = text.split(".")
    if len(octets) == 4 and all(part.isascii() and (not part or part.isdigit()) for part in octets):
        # nginx's own reading: decimal even with leading zeros, nothing counts as zero
        values = [int(part or 0) for part in octets]
        if all(value < 256 for value in values):
            return ".".join(map(str, values))
    return _parse_inet_aton(octets)


def _parse_inet_aton(parts: list[str]) -> str | None:
    """The C library's reading: one to four decimal, octal or hexadecimal numbers, the last one filling the rest."""
    values = [_c_number(part) for part in parts]
    if len(values) > 4 or None in values:
        return None
    known = [value for value in values if value is not None]
    *leading, last = known
    rest = 4 - len(leading)
    if any(value > 255 for value in leading) or last >= 256**rest:
        return None
    whole = bytes(leading) + last.to_bytes(rest, "big")
    return ".".join(map(str, whole))


def _c_number(text: str) -> int | None:
    if re.fullmatch(r"0[xX][0-9A-Fa-f]{1,16}", text):
        return int(text, 16)
    if re.fullmatch(r"0[0-7]{0,21}", text):
        return int(text, 8)
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,18}", text) else None


def parse_inet6_address(text: str) -> tuple[int, ...] | None:
    """The eight 16-bit words of an IPv6 address as nginx reads it (no zone, a single leading colon is ignored)."""
    text = text.removeprefix(":")
    words: list[int] = []
    gap: int | None = None
    pending = text.split(":")
    for index, part in enumerate(pending):
        is_last = index == len(pending) - 1
        if not part:
            if is_last:
                break  # an address may end in the gap
            if gap is not None:
                return None
            gap = len(words)
        elif is_last and "." in part:
            address = _embedded_inet(part) if index else None
            if address is None:
                return None
            words += address
        elif re.fullmatch(r"[0-9A-Fa-f]{1,4}", part):
            words.append(int(part, 16))
        else:
            return None
    if text.endswith(":") and gap != len(words):
        words.append(0)
    if gap is None:
        return tuple(words) if len(words) == 8 else None
    if len(words) > 7:
        return None
    return (*words[:gap], *[0] * (8 - len(words)), *words[gap:])


def _embedded_inet(text: str) -> list[int] | None:
    octets = text.split(".")
    if len(octets) != 4 or not octets[0] or not all(part.isascii() and (not part or part.isdigit()) for part in octets):
        return None
    values = [int(part or 0) for part in octets]
    if any(value > 255 for value in values):
        return None
    return [values[0] << 8 | values[1], values[2] << 8 | values[3]]


def format_inet6_address(words: Sequence[int]) -> str:
    """The text of an IPv6 address as nginx writes it: RFC 5952, with a dotted end wherever that may be an IPv4 one."""
    start, length = _longest_zero_run(words)
    if length < 2:
        return ":".join(f"{word:x}" for word in words)
    before = ":".join(f"{word:x}" for word in words[:start])
    after = ":".join(f"{word:x}" for word in words[start + length :])
    if start == 0 and _ends_in_inet(words, length):
        dotted = ".".join(map(str, (words[6] >> 8, words[6] & 0xFF, words[7] >> 8, words[7] & 0xFF)))
        after = f"ffff:{dotted}" if length == 5 else dotted
    return f"{before}::{after}"


def _ends_in_inet(words: Sequence[int], zeros: int) -> bool:
    if zeros == 5:
        return words[5] == 0xFFFF
    return zeros == 6 or (zeros == 7 and words[7] > 0xFF and words[7] & 0xFF != 1)


def _longest_zero_run(words: Sequence[int]) -> tuple[int, int]:
    best = (0, 0)
    start = 0
    for index, word in enumerate([*words, 1]):
        if word:
            if index - start > best[1]:
                best = (start, index - start)
            start = index + 1
    return best


# parameters

_PROTOCOL_FLAGS: Final[dict[Module, dict[str, str]]] = {
    "http": {
        "default_server": "0",
        "default": "0",
        "ssl": "0",
        "http2": "1.9.5",
        "quic": "1.25.0",
        "proxy_protocol": "0",
    },
    "stream": {"default_server": "1.25.5", "ssl": "0", "udp": "1.9.13", "proxy_protocol": "1.11.4"},
    "mail": {"ssl": "0", "proxy_protocol": "1.19.8"},
}
"""Parameters without a value by module, with the version that introduced them."""

_SOCKET_OPTIONS: Final[dict[Module, dict[str, str]]] = {
    "http": {
        "bind": "0",
        "fastopen": "0",
        "backlog": "0",
        "rcvbuf": "0",
        "sndbuf": "0",
        "accept_filter": "0",
        "deferred": "0",
        "ipv6only": "0",
        "reuseport": "1.9.1",
        "multipath": "1.29.7",
        "so_keepalive": "0",
    },
    "stream": {
        "bind": "0",
        "fastopen": "1.21.0",
        "backlog": "1.9.2",
        "rcvbuf": "1.11.13",
        "sndbuf": "1.11.13",
        "accept_filter": "1.25.5",
        "deferred": "1.25.5",
        "ipv6only": "0",
        "reuseport": "1.9.1",
        "multipath": "1.29.7",
        "so_keepalive": "0",
    },
    "mail": {
        "bind": "0",
        "backlog": "1.9.2",
        "rcvbuf": "1.11.13",
        "sndbuf": "1.11.13",
        "ipv6only": "0",
        "so_keepalive": "0",
    },
}

_WITH_VALUE: Final = frozenset({"fastopen", "backlog", "rcvbuf", "sndbuf", "accept_filter", "ipv6only", "so_keepalive"})
_SIZE: Final = regex(r"[0-9]+[kKmM]?", re.ASCII)
_TIME: Final = regex(
    r"(?=[0-9])(?:[0-9]+y *)?(?:[0-9]+M *)?(?:[0-9]+w *)?(?:[0-9]+d *)?(?:[0-9]+h *)?(?:[0-9]+m *)?(?:[0-9]+s? *)?"
)


def _parse_parameters(spec: ListenSpec, parameters: list[str]) -> None:
    flags: set[str] = set()
    options: set[str] = set()
    for index, parameter in enumerate(parameters, 1):
        name, equals, value = parameter.partition("=")
        if not equals and name in _PROTOCOL_FLAGS[spec.module]:
            flags.add("default_server" if name == "default" else name)
            _require(spec, index, parameter, _PROTOCOL_FLAGS[spec.module][name])
        elif name in _SOCKET_OPTIONS[spec.module] and bool(equals) == (name in _WITH_VALUE):
            _parse_option(spec, index, name, value, options)
        else:
            _reject(spec, index, parameter)
    spec.flags = frozenset(flags)
    spec.socket_options = frozenset(options)
    if "http2" in flags:
        message = 'the "listen ... http2" directive is deprecated, use the "http2" directive instead'
        spec.errors.append(ListenProblem(parameters.index("http2") + 1, message, "warn", since=_V("1.25.1")))
    if "quic" in flags:
        _check_compatible(spec, parameters, "quic", _QUIC_EXCLUDES)
    if "udp" in flags:
        _check_compatible(spec, parameters, "udp", _UDP_EXCLUDES)


def _parse_option(spec: ListenSpec, index: int, name: str, value: str, options: set[str]) -> None:
    parameter = f"{name}={value}" if name in _WITH_VALUE else name
    if name == "ipv6only" and value not in ("on", "off"):
        # nginx compares the whole word up to the "o"; what else it begins with is told apart in its message
        message = f'invalid ipv6only flags "{value}"' if value.startswith("o") else None
        _reject(spec, index, parameter, message)
        return
    _require(spec, index, parameter, _SOCKET_OPTIONS[spec.module][name])
    if name == "accept_filter":  # FreeBSD's; elsewhere nginx only says that it is ignored
        message = f'accept filters "{parameter}" are not supported on this platform, ignored'
        spec.errors.append(ListenProblem(index, message, "warn", since=_since(_SOCKET_OPTIONS[spec.module][name])))
        return
    options.add(name)
    if name == "ipv6only":
        spec.ipv6only = value == "on"
    elif name == "so_keepalive":
        if not _is_keepalive(value):
            _reject(spec, index, parameter, f'invalid so_keepalive value: "{value}"')
    elif name in _WITH_VALUE and not _is_valid_number(name, value):
        _reject(spec, index, parameter, f'invalid {name} "{parameter}"')


def _is_valid_number(name: str, value: str) -> bool:
    if name in ("rcvbuf", "sndbuf"):
        return _SIZE.fullmatch(value) is not None
    number = _number(value)
    return number is not None and (name != "backlog" or number > 0)


def _is_keepalive(value: str) -> bool:
    if value in ("on", "off"):
        return True
    idle, interval, count = (*value.split(":", 2), "", "")[:3]
    if not all(not part or _TIME.fullmatch(part) for part in (idle, interval)):
        return False
    if count and _number(count) is None:
        return False
    return any(character in "123456789" for character in value)


def _since(version: str) -> Version | None:
    return None if version == "0" else _V(version)


def _require(spec: ListenSpec, index: int, parameter: str, introduced: str) -> None:
    """Note that versions before the one that introduced the parameter refuse it."""
    if introduced != "0":
        _reject(spec, index, parameter, until=_V(introduced))


def _reject(
    spec: ListenSpec, index: int, parameter: str, message: str | None = None, until: Version | None = None
) -> None:
    plain, formerly = f'invalid parameter "{parameter}"', f'the invalid "{parameter}" parameter'
    if message is not None:
        spec.errors.append(ListenProblem(index, message, until=until))
    elif spec.module == "http":
        spec.errors.append(ListenProblem(index, plain, until=until))
    elif spec.module == "mail":
        spec.errors.append(ListenProblem(index, formerly, until=until))
    else:
        change = _V("1.25.5")
        spec.errors.append(ListenProblem(index, formerly, until=min(until, change) if until else change))
        if until is None or until > change:
            spec.errors.append(ListenProblem(index, plain, since=change, until=until))


_QUIC_EXCLUDES: Final = (
    "fastopen", "backlog", "accept_filter", "deferred", "ssl", "http2", "so_keepalive", "proxy_protocol", "multipath",
)  # fmt: skip
_UDP_EXCLUDES: Final = (
    "backlog", "accept_filter", "deferred", "ssl", "so_keepalive", "proxy_protocol", "fastopen", "multipath",
)  # fmt: skip


def _check_compatible(spec: ListenSpec, parameters: list[str], flag: str, excluded: Sequence[str]) -> None:
    given = spec.flags | spec.socket_options
    for name in excluded:
        if name in given:
            index = next(at for at, text in enumerate(parameters, 1) if text.partition("=")[0] == name)
            message = f'"listen" directive "{name}" parameter is incompatible with "{flag}"'
            spec.errors.append(ListenProblem(index, message))


# sockets


@dataclass(frozen=True, slots=True)
class SocketProblem:
    """What nginx says of a socket, at the line that brings it about.

    `line` and `other` are indexes into the lines given to `group_listens`; `other` is the earlier line it clashes with.
    """

    line: int
    message: str
    level: Level = "emerg"
    other: int | None = None
    since: Version | None = None
    until: Version | None = None


@dataclass(slots=True)
class Socket:
    """A listening socket and who shares it: what one (family, transport, address, port) group of lines makes."""

    family: Family
    address: str
    port: int | None
    """None for a unix socket, 0 where the system chooses."""
    transport: str
    module: Module
    lines: list[int] = field(default_factory=list)
    """Indexes of the `listen` lines, in textual order."""
    hosts: list[int] = field(default_factory=list)
    """Indexes of the virtual hosts, each once, in textual order."""
    default: int = 0
    """Index of the virtual host that answers when no name matches."""
    explicit_default: int | None = None
    """Index of the line that says `default_server`, or None: the first host is the default."""
    tls: bool = False
    http2: bool = False
    proxy_protocol: bool = False
    dual_stack: bool = False
    """Whether IPv4 connections arrive here as well (`[::]` with `ipv6only=off`)."""
    bind: bool = False
    """Whether a line has a socket option: then it is bound by itself, also beside the wildcard of its port."""
    reuseport: bool = False
    errors: list[SocketProblem] = field(default_factory=list)

    @property
    def label(self) -> str:
        """`0.0.0.0:443`, `[::]:443`, `unix:/run/x.sock`, as nginx's messages have it."""
        return self.address if self.port is None else f"{self.address}:{self.port}"

    @property
    def wildcard(self) -> bool:
        """Whether it takes connections to every address of its family that has no socket of its own."""
        return self.address in ("0.0.0.0", "[::]")


def group_listens(
    listens: Sequence[tuple[int, ListenSpec]],
    module: Module,
    version: Version | None = None,
    ssl_on: Collection[int] = (),
) -> list[Socket]:
    """Put the `listen` lines of one module, in textual order, together to the sockets that nginx opens.

    Each line comes with the index of its virtual host. Lines with an `emerg` error are left out. `ssl_on` names the
    hosts for which the directive `ssl on` holds (nginx before 1.25.1): a socket whose default server is one of them
    speaks TLS. Sockets come in the order of their first line.
    """
    grouping = _Grouping(module, version)
    for line, (host, spec) in enumerate(listens):
        if spec.is_accepted(version):
            grouping.add(line, host, spec)
    sockets = [group.socket for group in grouping.groups.values()]
    for socket in sockets:
        if socket.default in ssl_on and socket.transport == "tcp":
            socket.tls = True
    if version is not None:
        for socket in sockets:
            socket.errors = [problem for problem in socket.errors if _holds(problem, version)]
    return sockets


def _holds(problem: SocketProblem, version: Version) -> bool:
    return ListenProblem(0, "", since=problem.since, until=problem.until).applies(version)


_SSL: Final = 1
_HTTP2: Final = 2
_PROXY_PROTOCOL: Final = 4


@dataclass(slots=True)
class _Group:
    """A socket while lines are added to it, with what nginx remembers to tell lines that disagree."""

    socket: Socket
    seen_hosts: set[int] = field(default_factory=set)
    protocols: int = 0
    """Union of the protocols of all lines so far."""
    options_line: int | None = None
    agreed: int | None = None
    changed: bool = False


class _Grouping:
    def __init__(self, module: Module, version: Version | None) -> None:
        self.module = module
        self.version = version
        self.groups: dict[tuple[str, Family, str, int | None], _Group] = {}

    def add(self, line: int, host: int, spec: ListenSpec) -> None:
        ports: Sequence[int | None] = (None,) if spec.port is None else spec.ports
        for family, address in spec.addresses:
            key_address = address.lower() if family == "name" else address
            for port in ports:
                key = (spec.transport, family, key_address, port)
                group = self.groups.get(key)
                if group is None:
                    self.groups[key] = self._open(line, host, spec, (family, address), port)
                else:
                    self._join(group, line, host, spec)

    def _open(self, line: int, host: int, spec: ListenSpec, address: tuple[Family, str], port: int | None) -> _Group:
        socket = Socket(*address, port, spec.transport, self.module, default=host)
        group = _Group(socket, protocols=_protocols(spec))
        self._record(group, line, host, spec)
        if spec.socket_options:
            group.options_line = line
        return group

    def _record(self, group: _Group, line: int, host: int, spec: ListenSpec) -> None:
        socket = group.socket
        socket.lines.append(line)
        if host not in group.seen_hosts:
            group.seen_hosts.add(host)
            socket.hosts.append(host)
        socket.tls |= spec.tls
        socket.http2 |= "http2" in spec.flags
        socket.proxy_protocol |= "proxy_protocol" in spec.flags
        socket.dual_stack |= spec.dual_stack
        socket.bind |= bool(spec.socket_options)
        socket.reuseport |= "reuseport" in spec.socket_options
        if "default_server" in spec.flags and socket.explicit_default is None:
            socket.explicit_default = line
            socket.default = host

    def _join(self, group: _Group, line: int, host: int, spec: ListenSpec) -> None:
        socket = group.socket
        since = _V("1.25.5") if self.module == "stream" else None
        if self.module != "http":
            message = f'duplicate "{socket.label}" address and port pair'
            socket.errors.append(SocketProblem(line, message, other=socket.lines[0], until=since))
        if self.module != "mail":
            self._check_shared(group, line, host, spec, since)
        self._record(group, line, host, spec)

    def _check_shared(self, group: _Group, line: int, host: int, spec: ListenSpec, since: Version | None) -> None:
        """The checks for a line that joins an open socket, in nginx's order."""
        socket = group.socket

        def report(message: str, other: int | None) -> None:
            socket.errors.append(SocketProblem(line, f"{message} {socket.label}", other=other, since=since))

        if host in group.seen_hosts:
            report("a duplicate listen", socket.lines[0])
        if spec.socket_options and group.options_line is not None:
            report("duplicate listen options for", group.options_line)
        if "default_server" in spec.flags and socket.explicit_default is not None:
            report("a duplicate default server for", socket.explicit_default)
        if _disagrees(group, spec):
            message = f"protocol options redefined for {socket.label}"
            warned = since or _V("1.23.4")
            socket.errors.append(SocketProblem(line, message, "warn", other=socket.lines[0], since=warned))
        if spec.socket_options and group.options_line is None:
            group.options_line = line


def _protocols(spec: ListenSpec) -> int:
    return (
        _SSL * ("ssl" in spec.flags)
        | _HTTP2 * ("http2" in spec.flags)
        | _PROXY_PROTOCOL * ("proxy_protocol" in spec.flags)
    )


def _disagrees(group: _Group, spec: ListenSpec) -> bool:
    """Whether nginx calls the protocols of this line redefined; it lets two spellings pass, a full and a short one."""
    now, before = _protocols(spec), group.protocols
    sets_options = bool(spec.socket_options)
    differs_from_agreed = group.agreed is not None and now != group.agreed
    if now & ~before:
        has_options = sets_options or group.options_line is not None
        warns = (has_options and not sets_options) or group.changed or bool(before & ~now)
        group.agreed, group.changed = before, True
    elif before & ~now:
        warns = sets_options or differs_from_agreed
        group.agreed, group.changed = now, True
    else:
        warns = (sets_options and group.changed) or differs_from_agreed
        group.agreed = now
    group.protocols = now | before
    return warns


@dataclass(frozen=True, slots=True)
class StartProblem:
    """Two sockets that cannot be open together; nginx tries to open `socket` after `other` and gives up."""

    socket: Socket
    other: Socket
    message: str


def start_problems(sockets: Sequence[Socket]) -> Iterator[StartProblem]:
    """Sockets that cannot be open together on Linux, which nginx finds out when it starts, not when it tests.

    These are: an IPv6 socket that takes IPv4 as well, beside an IPv4 socket of the same port; an address that is to be
    bound by itself (any socket option does that) beside the wildcard of its family; and the same address in two of
    http, stream and mail, whose sockets are to be given together, in the order of the modules' blocks. Sockets that
    all have `reuseport` get along. (Measured on 1.22.1 and 1.31.3.)
    """
    by_port: dict[int, list[Socket]] = {}
    for socket in _opened(sockets):
        if socket.port and socket.family in ("inet", "inet6") and socket.transport == "tcp":
            by_port.setdefault(socket.port, []).append(socket)
    for group in by_port.values():
        for index, later in enumerate(group):
            earlier = next((socket for socket in group[:index] if _collide(socket, later)), None)
            if earlier:
                message = f"bind() to {later.label} failed (98: Address already in use)"
                yield StartProblem(later, earlier, message)


def _opened(sockets: Sequence[Socket]) -> Iterator[Socket]:
    """The sockets that nginx really opens, in its order: a wildcard comes last and stands in for those without bind."""
    ports: dict[tuple[Module, str, Family, int | None], list[Socket]] = {}
    for socket in sockets:
        ports.setdefault((socket.module, socket.transport, socket.family, socket.port), []).append(socket)
    for group in ports.values():
        wildcard = [socket for socket in group if socket.wildcard]
        specific = [socket for socket in group if not socket.wildcard]
        yield from (socket for socket in specific if socket.bind)
        if not wildcard:
            yield from (socket for socket in specific if not socket.bind)
        yield from wildcard


def _collide(first: Socket, second: Socket) -> bool:
    if first.reuseport and second.reuseport:
        return False
    if first.family != second.family:
        return (first.dual_stack and second.family == "inet") or (second.dual_stack and first.family == "inet")
    return first.address == second.address or first.wildcard or second.wildcard


__all__ = [
    "ListenProblem", "ListenSpec", "Socket", "SocketProblem", "StartProblem", "format_inet6_address", "group_listens",
    "implicit_listen", "parse_inet6_address", "parse_inet_address", "parse_listen", "start_problems",
]  # fmt: skip
