"""`listen` against what real nginx servers say of it when they test a configuration, and do when they run."""

import random
import re
import socket as sockets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.servers import (
    NGINX_NAMES,
    NginxBinary,
    NginxServer,
    ServerError,
    dotted,
    free_ports,
    has_ipv6_loopback,
    needed_nginx,
    nginx_test,
)
from tlslint.resolve.nginx_listen import (
    ListenSpec,
    Module,
    Socket,
    format_inet6_address,
    group_listens,
    implicit_listen,
    parse_inet6_address,
    parse_inet_address,
    parse_listen,
    start_problems,
)
from tlslint.target import Version

NEWEST = Version("1.31.3")
OLD = Version("1.22.1")


def parse(text: str, module: Module = "http", version: Version | None = NEWEST) -> ListenSpec:
    return parse_listen(text.split(), module, version)


def where(spec: ListenSpec) -> tuple[str, int | None]:
    return spec.address, spec.port


def messages(text: str, module: Module = "http", version: Version | None = NEWEST) -> list[str]:
    return [problem.message for problem in parse(text, module, version).errors]


def group(text: str, version: Version | None = NEWEST, module: Module = "http") -> list[Socket]:
    """`"443 ssl, 80 | 443"`: two hosts, the first with two lines."""
    lines = [
        (host, parse(line, module, version)) for host, lines in enumerate(text.split("|")) for line in lines.split(",")
    ]
    return group_listens(lines, module, version)


def said(found: list[Socket]) -> list[str]:
    return [problem.message for socket in found for problem in socket.errors]


# one line


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("443", "0.0.0.0", 443),
        ("*:443", "0.0.0.0", 443),
        ("0.0.0.0:443", "0.0.0.0", 443),
        ("*", "0.0.0.0", 80),
        ("0443", "0.0.0.0", 443),
        ("127.0.0.1", "127.0.0.1", 80),
        ("127.1:443", "127.0.0.1", 443),
        ("0x7f000001:443", "127.0.0.1", 443),
        ("[::]", "[::]", 80),
        ("[::]:443", "[::]", 443),
        ("[0:0::0]:443", "[::]", 443),
        ("[2001:DB8::0001]:443", "[2001:db8::1]", 443),
        ("[2001:db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]", 80),
        ("unix:/run/x.sock", "unix:/run/x.sock", None),
        ("unix:rel.sock", "unix:rel.sock", None),
        ("web.example.org:443", "web.example.org", 443),
        ("https", "https", 80),
    ],
)
def test_address(text: str, address: str, port: int | None) -> None:
    spec = parse(text)
    assert where(spec) == (address, port)
    assert spec.errors == []


def test_port_is_80_even_with_ssl() -> None:
    assert parse("127.0.0.1 ssl").port == 80


def test_stream_and_mail_leave_the_port_to_the_system() -> None:
    assert parse("127.0.0.1", "stream").port == 0
    assert parse("127.0.0.1", "mail", OLD).port == 0


def test_no_listen() -> None:
    assert where(implicit_listen("http")) == ("0.0.0.0", 80)
    assert implicit_listen("http").is_accepted()
    assert [problem.message for problem in implicit_listen("stream").errors] == ['no "listen" is defined for server']


def test_localhost_is_two_addresses() -> None:
    assert parse("localhost:443").addresses == (("inet", "127.0.0.1"), ("inet6", "[::1]"))


def test_port_range() -> None:
    assert list(parse("127.0.0.1:8000-8002").ports) == [8000, 8001, 8002]
    assert list(parse("8000-8002").ports) == [8000, 8001, 8002]
    assert len(group("8000-8002 | 8001")) == 3
    assert list(parse("8000-8002", version=Version("1.23.3")).ports) == [8000]
    assert messages("8000-8002", version=Version("1.14.2")) == [
        'host not found in "8000-8002" of the "listen" directive'
    ]


def test_dual_stack() -> None:
    assert parse("[::]:443 ipv6only=off").dual_stack
    assert not parse("[::]:443").dual_stack
    assert not parse("[::1]:443 ipv6only=off").dual_stack
    assert group("[::]:443 | [::]:443 ipv6only=off")[0].dual_stack


def test_flags() -> None:
    spec = parse("443 ssl default proxy_protocol reuseport ssl")
    assert spec.flags == {"ssl", "default_server", "proxy_protocol"}
    assert spec.socket_options == {"reuseport"}
    assert spec.tls
    assert parse("443 quic").transport == "quic"
    assert parse("443 udp", "stream").transport == "udp"


def test_problems_know_their_versions() -> None:
    spec = parse("443 quic", version=None)
    assert [(problem.message, str(problem.until)) for problem in spec.errors] == [
        ('invalid parameter "quic"', "1.25.0")
    ]
    assert spec.is_accepted()
    assert not spec.is_accepted(OLD)
    assert messages("443 http2", version=Version("1.25.0")) == []
    assert len(messages("443 http2", version=Version("1.25.1"))) == 1


@pytest.mark.parametrize(
    "name", ["ssl", "http2", "proxy_protocol", "fastopen=5", "backlog=5", "deferred", "so_keepalive=on", "multipath"]
)
def test_quic_goes_with_few_parameters(name: str) -> None:
    word = name.partition("=")[0]
    assert f'"listen" directive "{word}" parameter is incompatible with "quic"' in messages(f"443 quic {name}")


def test_problem_points_at_its_argument() -> None:
    assert [problem.argument for problem in parse("443 ssl foo bar=1").errors] == [2, 3]


@given(st.lists(st.integers(0, 0xFFFF) | st.just(0), min_size=8, max_size=8))
def test_inet6_text_is_read_back(words: list[int]) -> None:
    text = format_inet6_address(words)
    assert parse_inet6_address(text) == tuple(words)
    assert sockets.inet_pton(sockets.AF_INET6, text) == b"".join(word.to_bytes(2, "big") for word in words)


@given(st.text("0123456789abcx.", max_size=15))
def test_inet_text_is_read_as_the_c_library_does(text: str) -> None:
    ours = parse_inet_address(text)
    strict = re.fullmatch(r"\d*\.\d*\.\d*\.\d*", text)
    if strict:
        return  # nginx has a reading of its own
    try:
        theirs = sockets.inet_ntoa(sockets.inet_aton(text))
    except OSError:
        theirs = None
    assert ours == theirs


# sockets


def test_spellings_of_one_address_are_one_socket() -> None:
    (found,) = group("443 | *:443 | 0.0.0.0:443")
    assert (found.label, found.hosts, found.default) == ("0.0.0.0:443", [0, 1, 2], 0)
    (found,) = group("[::1]:443 | [0::1]:443")
    assert found.hosts == [0, 1]


def test_families_addresses_and_transports_are_apart() -> None:
    found = group("443 default_server, [::]:443 | [::]:443, 443, 127.0.0.1:443 | 443 quic")
    assert [(socket.label, socket.transport, socket.default) for socket in found] == [
        ("0.0.0.0:443", "tcp", 0),
        ("[::]:443", "tcp", 0),
        ("127.0.0.1:443", "tcp", 1),
        ("0.0.0.0:443", "quic", 2),
    ]


def test_default_server() -> None:
    (found,) = group("443 | 443 default_server | 443")
    assert (found.default, found.explicit_default) == (1, 1)
    assert said(group("443 default_server | 443 default")) == ["a duplicate default server for 0.0.0.0:443"]


def test_flags_belong_to_the_socket() -> None:
    (found,) = group("443 | 443 ssl | 443 http2 proxy_protocol")
    assert (found.tls, found.http2, found.proxy_protocol) == (True, True, True)


@pytest.mark.parametrize(
    ("lines", "warns"),
    [
        ("ssl | -", False),
        ("- | ssl", False),
        ("ssl | - | -", False),
        ("- | ssl | -", False),
        ("ssl http2 | ssl | ssl", False),
        ("ssl | ssl http2 | ssl", False),
        ("ssl proxy_protocol | ssl", False),
        ("ssl reuseport | -", False),
        ("- | ssl reuseport", False),
        ("ssl | - | ssl", True),
        ("- | ssl | ssl", True),
        ("ssl | ssl http2 | ssl http2", True),
        ("ssl | proxy_protocol", True),
        ("ssl http2 | ssl proxy_protocol", True),
        ("reuseport | ssl", True),
        ("ssl | reuseport", True),
    ],
)
def test_redefined_protocols(lines: str, warns: bool) -> None:
    text = "|".join(f"443 {line.strip().removeprefix('-')}" for line in lines.split("|"))
    found = said(group(text, Version("1.24.0")))
    assert ("protocol options redefined for 0.0.0.0:443" in found) == warns
    assert said(group(text, OLD)) == []


def test_ssl_on_counts_for_the_default_server_only() -> None:
    lines = [(0, parse("443", version=OLD)), (1, parse("443", version=OLD)), (1, parse("444", version=OLD))]
    assert [found.tls for found in group_listens(lines, "http", OLD, ssl_on={1})] == [False, True]


def test_stream_and_mail_share_no_socket() -> None:
    message = 'duplicate "0.0.0.0:443" address and port pair'
    assert said(group("443 | *:443", OLD, "stream")) == [message]
    assert said(group("443 | *:443", Version("1.25.5"), "stream")) == []
    assert said(group("443 | *:443", NEWEST, "mail")) == [message]


def test_ten_thousand_hosts_on_one_socket() -> None:
    spec = parse("443 ssl")
    (found,) = group_listens([(host, spec) for host in range(10_000)], "http", NEWEST)
    assert len(found.hosts) == 10_000


# against real servers

MODULES: tuple[Module, ...] = get_args(Module)
BODIES: dict[Module, str] = {"http": "", "stream": "return x;", "mail": "protocol imap;"}
HEADS: dict[Module, str] = {
    "http": "ssl_reject_handshake on;",
    "stream": "",
    "mail": "auth_http 127.0.0.1/a; server_name x;",
}


@pytest.fixture(params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


def modules_of(nginx: NginxBinary) -> list[Module]:
    has = {"http": True, "stream": nginx.has_stream, "mail": nginx.has_mail}
    return [module for module in MODULES if has[module]]


def version_of(nginx: NginxBinary) -> Version:
    return Version(dotted(nginx.version))


def nginx_says(nginx: NginxBinary, module: Module, hosts: list[list[str]]) -> list[str]:
    """The messages of `nginx -t` about servers with these `listen` lines, without places."""
    version = version_of(nginx)
    names = module == "http" or (module == "stream" and version >= Version("1.25.5"))
    servers = "\n".join(
        "server { "
        + (f"server_name h{index}; " if names else "")
        + "".join(f"listen {line}; " for line in lines)
        + BODIES[module]
        + " }"
        for index, lines in enumerate(hosts)
    )
    head = "ssl_reject_handshake on;" if module == "stream" and names else HEADS[module]
    _, output = nginx_test(nginx, f"events {{}}\n{module} {{\n{head}\n{servers}\n}}\n")
    found = re.findall(r"^nginx: \[(?:emerg|warn)\] (.*)$", output, re.MULTILINE)
    return [re.sub(r" in \S+:\d+$", "", message) for message in found if not message.startswith("bind() to")]


def predicted(module: Module, hosts: list[list[str]], version: Version) -> list[str]:
    """The same messages as foreseen: everything up to the first that makes nginx stop."""
    listens = [(host, parse_listen(split(line), module, version)) for host, lines in enumerate(hosts) for line in lines]
    found = [
        (line, 0, problem.level, problem.message)
        for line, (_, spec) in enumerate(listens)
        for problem in sorted(spec.errors, key=lambda problem: problem.argument)
    ]
    found += [
        (problem.line, socket.port or 1, problem.level, problem.message)
        for socket in group_listens(listens, module, version)
        for problem in socket.errors
    ]
    shown = []
    for _, _, level, message in sorted(found, key=lambda entry: entry[:2]):
        shown.append(message)
        if level == "emerg":
            break
    return shown


def split(line: str) -> list[str]:
    return [word.strip('"') for word in line.split()]


ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "8443", "*:8443", "0.0.0.0:8443", "*", "127.0.0.1", "127.0.0.1:8443", "127.1:8443", "0x7f.1:8443",
            "localhost:8443", "[::111]:8443", "[::101]:8443", "[1:0:2:3:4:5:6:7]:8443", "[::ffff:0:1]:8443",
            "0177.0.0.1:8443", "127..0.1:8443", "127.0.1.:8443", "[::1]", "[::1]:8443", "[0::0]:8443", "[::]",
            "[::ffff:1.2.3.4]:8443",
            "[1:2:3:4:5:6:7:8]", "[::1]x", "[::1", "[]", "[::1]:0", "[::1]:8443-8442", "[::1]:8443-8445", ":8443",
            "::1:8443", "0", "65536", "8443-8445", "8445-8443", "8443-", "-8443", "8443-70000", "127.0.0.1:",
            "127.0.0.1:-1",
            "127.0.0.1:8443-8444", "127.0.0.1:8443/x", "http://127.0.0.1", "127.0.0.1?x", "unix:", "unix:a.sock",
            f"unix:/tmp/{'x' * 110}", "127.0.0.1:$p", '""', '"127.0.0.1:8443"', "99999999999999999999",
            "[fe80::1%lo]:8443",
        ]
    ),
    st.integers(0, 70000).map(str),
    st.text("0123456789abf:.", max_size=14).map(lambda text: f"[{text}]:8443"),
    st.text(":12f.", max_size=20).map(lambda text: f"[::{text}]:8443"),
    st.text("12.", min_size=3, max_size=9).map(lambda text: f"{text}:8443"),
)  # fmt: skip

PARAMETERS = st.sampled_from(
    [
        "ssl", "default_server", "default", "proxy_protocol", "bind", "backlog=0", "backlog=5", "backlog=x", "backlog=",
        "rcvbuf=8k", "rcvbuf=8x", "sndbuf=1m", "sndbuf=", "fastopen=5", "fastopen=x", "deferred", "ipv6only=on",
        "ipv6only=off", "ipv6only=maybe", "ipv6only", "ipv6only=of", "reuseport", "reuseport=1", "multipath", "http2",
        "so_keepalive=on", "so_keepalive=off", "so_keepalive=30m::10", "so_keepalive=::", "so_keepalive=x",
        "so_keepalive=1h30m:5:", "so_keepalive=5", "so_keepalive=", "spdy", "SSL", "foo", "ssl=on", "udp",
        "setfib=1", "accept_filter=x", '""',
    ]
)  # fmt: skip


def is_predictable(line: str) -> bool:
    """Names other than localhost are up to the resolver, which tests do not ask."""
    spec = parse_listen(split(line), "http")
    resolves = spec.family == "name" and not any("host not found" not in problem.message for problem in spec.errors)
    return not resolves or spec.address == "localhost"


LINES = st.builds(
    lambda address, parameters: " ".join([address, *parameters]), ADDRESSES, st.lists(PARAMETERS, max_size=3)
).filter(is_predictable)


def seeded(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


def check_line(nginx: NginxBinary, module: Module, line: str) -> None:
    # the repetition makes nginx say how it understands the address
    hosts = [[line, line]]
    assert nginx_says(nginx, module, hosts) == predicted(module, hosts, version_of(nginx))


def test_lines_as_nginx_reads_them(nginx: NginxBinary) -> None:
    @seeded(80)
    @given(LINES)
    def check(line: str) -> None:
        check_line(nginx, "http", line)

    check()


def test_lines_as_stream_and_mail_read_them(nginx: NginxBinary) -> None:
    modules = [module for module in modules_of(nginx) if module != "http"]
    assert modules

    @seeded(60)
    @given(st.sampled_from(modules), LINES)
    def check(module: Module, line: str) -> None:
        check_line(nginx, module, line)

    check()


def test_unknown_host_is_refused(nginx: NginxBinary) -> None:
    check_line(nginx, "http", "$port")


SHARED_ADDRESSES = ["8443", "*:8443", "127.0.0.1:8443", "[::1]:8443", "8444", "8443-8444"]
SHARED_PARAMETERS = ["ssl", "ssl", "http2", "default_server", "proxy_protocol", "reuseport", "backlog=9", "bind"]


def random_hosts(chance: random.Random, addresses: list[str], parameters: list[str]) -> list[list[str]]:
    def line() -> str:
        chosen = chance.sample(parameters, chance.choice([0, 0, 1, 1, 2]))
        return " ".join([chance.choice(addresses), *chosen])

    return [[line() for _ in range(chance.choice([1, 1, 1, 2]))] for _ in range(chance.randint(2, 4))]


@pytest.mark.parametrize("seed", range(30))
def test_shared_sockets_as_nginx_sees_them(nginx: NginxBinary, seed: int) -> None:
    chance = random.Random(seed)
    module = chance.choice(["http", "http", *modules_of(nginx)])
    allowed = [name for name in SHARED_PARAMETERS if module == "http" or name in ("backlog=9", "bind")]
    if module == "stream" and version_of(nginx) >= Version("1.25.5"):
        allowed = [name for name in SHARED_PARAMETERS if name != "http2"]
    hosts = random_hosts(chance, SHARED_ADDRESSES, allowed)
    assert nginx_says(nginx, module, hosts) == predicted(module, hosts, version_of(nginx))


# against running servers


@dataclass(frozen=True, slots=True)
class Group:
    """Random servers on one port, and what is foreseen of them."""

    port: int
    hosts: list[list[str]]
    found: list[Socket]

    def socket_for(self, address: str) -> Socket | None:
        """The socket that takes a connection to this address: its own, or else the wildcard of its family."""
        wildcard = "[::]" if ":" in address else "0.0.0.0"
        for wanted in (address, wildcard):
            for found in self.found:
                if found.address == wanted:
                    return found
        if wildcard == "0.0.0.0":
            return next((found for found in self.found if found.dual_stack), None)
        return None


def random_groups(nginx: NginxBinary, chance: random.Random, count: int) -> Iterator[Group]:
    addresses = ["127.0.0.1:P", "127.0.0.2:P", "P", "*:P"]
    if has_ipv6_loopback():
        addresses += ["[::1]:P", "[::]:P", "[::]:P ipv6only=off"]
    for port in free_ports(count):
        while True:
            hosts = random_hosts(chance, addresses, ["ssl", "default_server", "bind"])
            hosts = [[line.replace("P", str(port)) for line in lines] for lines in hosts]
            listens = [
                (host, parse_listen(line.split(), "http", version_of(nginx)))
                for host, lines in enumerate(hosts)
                for line in lines
            ]
            found = group_listens(listens, "http", version_of(nginx))
            refused = any(problem.level == "emerg" for socket in found for problem in socket.errors)
            if not refused and not list(start_problems(found)):
                yield Group(port, hosts, found)
                break


def answer(address: str, port: int) -> str | None:
    """What the server at this address answers to a plain request for a name that nobody has; None = no server."""
    try:
        with sockets.create_connection((address.strip("[]"), port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: nobody.test\r\n\r\n")
            received = b"".join(iter(lambda: connection.recv(65536), b""))
    except ConnectionRefusedError:
        return None
    head, _, body = received.decode().partition("\r\n\r\n")
    return "tls" if " 400 " in head.splitlines()[0] else body


def test_connections_reach_the_foreseen_default_server(nginx: NginxBinary) -> None:
    groups = list(random_groups(nginx, random.Random(7), 25))
    servers = "\n".join(
        f'server {{ server_name h{host}; {"".join(f"listen {line}; " for line in lines)} return 200 "{host}"; }}'
        for group in groups
        for host, lines in enumerate(group.hosts)
    )
    addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", *(["[::1]"] if has_ipv6_loopback() else [])]
    with NginxServer(nginx, f"events {{}}\nhttp {{\nssl_reject_handshake on;\n{servers}\n}}\n"):
        for group in groups:
            for address in addresses:
                found = group.socket_for(address)
                expected = None if found is None else "tls" if found.tls else str(found.default)
                assert answer(address, group.port) == expected, (group.hosts, address)


CLASHES = [
    ("P", "127.0.0.1:P", False),
    ("P", "127.0.0.1:P bind", True),
    ("[::]:P ipv6only=off", "127.0.0.1:P", True),
    ("P", "[::]:P ipv6only=off", True),
    ("P", "[::]:P", False),
    ("P reuseport", "127.0.0.1:P reuseport", False),
]


def test_sockets_that_cannot_be_open_together(nginx: NginxBinary) -> None:
    if not has_ipv6_loopback():
        pytest.skip("no IPv6 on this machine")

    def check(first: str, second: str, port: int) -> tuple[list[str], list[str]]:
        lines = [line.replace("P", str(port)) for line in (first, second)]
        found = group_listens([(host, parse(line)) for host, line in enumerate(lines)], "http", NEWEST)
        expected = [problem.message.partition(" (")[0] for problem in start_problems(found)]
        servers = "".join(f"server {{ listen {line}; }}" for line in lines)
        try:
            with NginxServer(nginx, f"events {{}}\nhttp {{ {servers} }}\n"):
                return expected, []
        except ServerError as error:
            return expected, sorted(set(re.findall(r"bind\(\) to \S+ failed", str(error))))

    with ThreadPoolExecutor(len(CLASHES)) as pool:
        clashes, ports = [clash[:2] for clash in CLASHES], free_ports(len(CLASHES))
        results = list(pool.map(check, *zip(*clashes, strict=True), ports))
    for (_, _, fails), (expected, happened) in zip(CLASHES, results, strict=True):
        assert expected == happened
        assert bool(happened) == fails


def test_same_address_in_two_modules() -> None:
    http = group("443 ssl")
    stream = group("*:443", module="stream")
    (clash,) = start_problems([*http, *stream])
    assert clash.socket is stream[0]
    assert clash.other is http[0]


def test_relative_unix_socket(nginx: NginxBinary, tmp_path: Path) -> None:
    passed, output = nginx_test(nginx, f"events {{}}\nhttp {{ server {{ listen unix:{tmp_path}/x.sock; }} }}\n")
    assert passed, output
