"""The table of nginx directives against two real servers: Debian's nginx 1.22.1 and the wheel's 1.31.3.

Each question is one `nginx -t`. The servers answer from their own tables: "unknown directive", "is not allowed here",
"invalid number of arguments", "is duplicate". Contradictions must be zero.
"""

import re
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.servers import NGINX_NAMES, NginxBinary, NginxServer, dotted, free_ports, needed_nginx
from tlslint.resolve import nginx_directives as table
from tlslint.resolve.nginx_directives import NginxDirective, Repeat, Status, ValueKind
from tlslint.target import Version

ABSENT_FROM_BUILD = re.compile(r"http3|quic")
"""Directives of a module that neither server was built with."""

CONTEXTS = {
    "main": {"main": "%s"},
    "http": {
        "http": "http { %s }",
        "server": "http { server { %s } }",
        "location": "http { server { location / { %s } } }",
        "if_in_server": "http { server { if ($uri) { %s } } }",
        "if_in_location": "http { server { location / { if ($uri) { %s } } } }",
        "limit_except": "http { server { location / { limit_except GET { %s } } } }",
        "upstream": "http { upstream u { server 127.0.0.1:1; %s } }",
    },
    "stream": {
        "stream": "stream { %s }",
        "server": "stream { server { %s } }",
        "upstream": "stream { upstream u { server 127.0.0.1:1; %s } }",
    },
    "mail": {"mail": "mail { %s }", "server": "mail { server { %s } }"},
}

BY_KIND = {
    ValueKind.FLAG: "on",
    ValueKind.NUMBER: "1",
    ValueKind.SIZE: "64k",
    ValueKind.TIME: "10s",
    ValueKind.FILE: "a-file",
    ValueKind.STRING: "a-word",
    ValueKind.SET: "TLSv1.2",
}
BY_NAME = {
    "listen": "127.0.0.1:1",
    "ssl_session_cache": "shared:a:1m",
    "ssl_ocsp_cache": "shared:o:1m",
    "error_page": "404 /x",
    "resolver": "127.0.0.1",
    "add_header": "X y",
    "add_trailer": "X y",
    "return": "404",
    "rewrite": "^ /x",
    "set": "$x y",
    "access_log": "off",
    "log_format": "name format",
    "error_log": "stderr",
    "expires": "1d",
    "try_files": "$uri =404",
    "internal": "",
    "pass": "127.0.0.1:1",
    "protocol": "imap",
    "auth_http": "127.0.0.1:1/x",
    "user": "root",
    "early_hints": "$uri",
    "ssl_engine": "dynamic",
    "env": "A",
}
BY_NAME_AND_MODULE = {
    ("http", "proxy_pass"): "http://127.0.0.1:1",
    ("http", "grpc_pass"): "grpc://127.0.0.1:1",
    ("stream", "return"): "text",
}
BY_ENDING = {
    "_pass": "127.0.0.1:1",
    "_set_header": "X y",
    "_conf_command": "Options -SessionTicket",
    "_certificate_cache": "max=10",
    "_password_file": "passwords",
}


def sample(facts: NginxDirective) -> str:
    """Arguments that the directive accepts."""
    exact = BY_NAME_AND_MODULE.get((facts.module, facts.name), BY_NAME.get(facts.name))
    if exact is not None:
        return exact
    for ending, arguments in BY_ENDING.items():
        if facts.name.endswith(ending):
            return arguments
    return next(iter(facts.values)) if facts.value is ValueKind.ENUM else BY_KIND[facts.value]


@dataclass(frozen=True)
class Server:
    binary: NginxBinary
    version: Version
    modules: tuple[str, ...]
    """Configuration modules that this build has."""
    prelude: str
    folder: Path

    def test(self, body: str, number: int = 0) -> str:
        """What `nginx -t` says about a configuration."""
        path = self.folder / f"{number}.conf"
        path.write_text(f"{self.prelude}pid nginx.pid; events {{}}\n{body}\n")
        command = [str(self.binary.path), "-t", "-p", str(self.folder), "-c", str(path), "-e", "stderr"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
        return done.stdout + done.stderr

    def test_all(self, bodies: list[str]) -> list[str]:
        """The same for many, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self.test, bodies, range(len(bodies))))

    def covered(self) -> Iterator[NginxDirective]:
        """The directives of the table that this build can know."""
        for module in self.modules:
            for name in table.names(module):
                facts = table.directive(name, module)
                assert facts is not None
                if not ABSENT_FROM_BUILD.match(name):
                    yield facts

    def known(self) -> list[NginxDirective]:
        """The directives that this server should know."""
        gone = (Status.NOT_YET, Status.REMOVED, Status.COMMERCIAL)
        return [facts for facts in self.covered() if facts.status(self.version) not in gone]


@pytest.fixture(scope="module", params=NGINX_NAMES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    binary = needed_nginx(request.param)
    modules = ["main", "http", *(["stream"] if binary.has_stream else []), *(["mail"] if binary.has_mail else [])]
    prelude = "".join(f"load_module {path}; " for path in binary.load_modules)
    with TemporaryDirectory() as folder:
        (Path(folder) / "passwords").write_text("secret\n")
        yield Server(binary, Version(dotted(binary.version)), tuple(modules), prelude, Path(folder))


ALL_DIRECTIVES = [
    facts for module in table.MODULES for name in table.names(module) if (facts := table.directive(name, module))
]


def test_every_history_goes_forward() -> None:
    for facts in ALL_DIRECTIVES:
        gates = [gate for gate in (facts.since, facts.deprecated, facts.obsolete, facts.removed) if gate is not None]
        assert gates == sorted(gates), facts
        versions = [since for since, _ in facts.defaults if since is not None]
        assert versions == sorted(versions), facts
        assert all(since is None for since, _ in facts.defaults[:1]), facts
        first = facts.since
        assert first is None or all(first < since for since in versions), facts
        assert first is None or all(since is None or first < since for since in facts.values.values()), facts


def test_every_default_is_a_value_that_its_versions_know() -> None:
    for facts in ALL_DIRECTIVES:
        if facts.value not in (ValueKind.FLAG, ValueKind.ENUM, ValueKind.SET):
            continue
        for since, default in facts.defaults:
            if since is None:
                continue
            for word in default.split():
                assert facts.value_status(word, since) is Status.OK, facts


def test_every_directive_names_its_documentation() -> None:
    for facts in ALL_DIRECTIVES:
        assert facts.source == f"https://nginx.org/en/docs/{facts.source[26:].partition('#')[0]}#{facts.name}"


@pytest.mark.parametrize(
    ("name", "module", "version", "expected"),
    [
        ("ssl", "http", "1.14.2", Status.OK),
        ("ssl", "http", "1.15.0", Status.DEPRECATED),
        ("ssl", "http", "1.25.0", Status.DEPRECATED),
        ("ssl", "http", "1.25.1", Status.REMOVED),
        ("http2", "http", "1.25.0", Status.NOT_YET),
        ("http2", "http", "1.25.1", Status.OK),
        ("http2_push", "http", "1.25.1", Status.OBSOLETE),
        ("ssl_reject_handshake", "stream", "1.25.4", Status.NOT_YET),
        ("ssl_reject_handshake", "http", "1.25.4", Status.OK),
        ("ssl_reject_handshake", "mail", "1.31.9", Status.UNKNOWN),
        ("ssl_key_log", "http", "1.31.9", Status.COMMERCIAL),
        ("spdy_headers_comp", "http", "1.9.5", Status.REMOVED),
        ("no_such_directive", "http", "1.31.9", Status.UNKNOWN),
        ("ssl_certificate", "http", None, Status.OK),
        ("http2", "http", None, Status.UNKNOWN),
    ],
)
def test_a_directive_has_the_status_that_the_change_log_gives_it(
    name: str, module: str, version: str | None, expected: Status
) -> None:
    assert table.status(name, module, Version(version) if version else None) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.8.1", "SSLv3 TLSv1 TLSv1.1 TLSv1.2"),
        ("1.23.3", "TLSv1 TLSv1.1 TLSv1.2"),
        ("1.23.4", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        ("1.27.2", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        ("1.27.3", "TLSv1.2 TLSv1.3"),
    ],
)
@pytest.mark.parametrize(
    ("name", "module"),
    [("ssl_protocols", "http"), ("proxy_ssl_protocols", "http"), ("proxy_ssl_protocols", "stream")],
)
def test_the_default_protocols_have_a_history(name: str, module: str, version: str, expected: str) -> None:
    facts = table.directive(name, module)
    assert facts is not None
    assert facts.default(Version(version)) == expected


def test_words_are_compared_as_nginx_compares_them() -> None:
    protocols, cache = table.directive("ssl_protocols"), table.directive("add_header")
    assert protocols is not None
    assert cache is not None
    assert protocols.canonical_value("tlsv1.3") == "TLSv1.3"
    assert protocols.canonical_value("TLS1.3") is None
    assert protocols.value_status("TLSv1.3", Version("1.12.2")) is Status.NOT_YET
    assert cache.canonical_value("Always") is None


def test_listen_parameters_are_found_with_their_values() -> None:
    backlog, h2 = table.listen_parameter("backlog=511"), table.listen_parameter("http2")
    assert backlog is not None
    assert h2 is not None
    assert backlog.name == "backlog="
    assert h2.status(Version("1.25.1")) is Status.DEPRECATED
    assert h2.successor == "http2 on"
    assert table.listen_parameter("spdy", "stream") is None


def line(facts: NginxDirective, count: int | None = None) -> str:
    if count is None:
        return f"{facts.name} {sample(facts)};"
    return f"{facts.name} {' '.join(['on'] * count)};"


def placed(facts: NginxDirective, context: str, text: str) -> str:
    return CONTEXTS[facts.module][context] % text


def home(facts: NginxDirective) -> str:
    """The context that shows the directive's arity and repetition best."""
    usual = [context for context in facts.contexts if context not in ("upstream", "limit_except")]
    return "server" if "server" in usual else usual[-1]


def assert_none(contradictions: list[str]) -> None:
    assert not contradictions, "\n".join(contradictions)


def test_the_servers_know_what_the_table_says(server: Server) -> None:
    directives = list(server.covered())
    answers = server.test_all([placed(facts, home(facts), line(facts)) for facts in directives])
    contradictions = []
    for facts, answer in zip(directives, answers, strict=True):
        refused = f'unknown directive "{facts.name}"', f'"{facts.name}" directive is not allowed here'
        known = not any(message in answer for message in refused)
        said = facts.status(server.version)
        if known != (said not in (Status.NOT_YET, Status.REMOVED, Status.COMMERCIAL)):
            contradictions.append(f"{facts.module} {facts.name}: table {said}, server: {answer.splitlines()[0]}")
        warns = f'"{facts.name}" directive is obsolete' in answer
        if warns != (said is Status.OBSOLETE):
            contradictions.append(f"{facts.module} {facts.name}: table {said}, server: {answer.splitlines()[0]}")
        deprecated = f'"{facts.name}" directive is deprecated' in answer
        if deprecated != (said is Status.DEPRECATED):
            contradictions.append(f"{facts.module} {facts.name}: table {said}, server: {answer.splitlines()[0]}")
    assert_none(contradictions)


def test_the_servers_allow_the_contexts_that_the_table_says(server: Server) -> None:
    cases = [(facts, context) for facts in server.known() for context in CONTEXTS[facts.module]]
    answers = server.test_all([placed(facts, context, line(facts)) for facts, context in cases])
    contradictions = []
    for (facts, context), answer in zip(cases, answers, strict=True):
        refused = f'"{facts.name}" directive is not allowed here' in answer
        if refused == facts.allowed_in(context, server.version):
            contradictions.append(f"{facts.module} {facts.name} in {context}: {answer.splitlines()[0]}")
    assert_none(contradictions)


def test_the_servers_take_the_number_of_arguments_that_the_table_says(server: Server) -> None:
    cases = []
    for facts in server.known():
        counts = {facts.min_args - 1, facts.min_args, facts.min_args + 8 if facts.max_args is None else facts.max_args}
        if facts.max_args is not None:
            counts.add(facts.max_args + 1)
        cases += [(facts, count) for count in sorted(counts) if count >= 0]
    answers = server.test_all([placed(facts, home(facts), line(facts, count)) for facts, count in cases])
    contradictions = []
    for (facts, count), answer in zip(cases, answers, strict=True):
        refused = f'invalid number of arguments in "{facts.name}" directive' in answer
        fits = facts.min_args <= count and (facts.max_args is None or count <= facts.max_args)
        if refused == fits:
            contradictions.append(f"{facts.module} {facts.name} with {count}: {answer.splitlines()[0]}")
    assert_none(contradictions)


def test_the_servers_refuse_the_duplicates_that_the_table_says(server: Server) -> None:
    directives = [facts for facts in server.known() if facts.name != "load_module"]
    answers = server.test_all([placed(facts, home(facts), line(facts) * 2) for facts in directives])
    contradictions = []
    for facts, answer in zip(directives, answers, strict=True):
        refused = f'"{facts.name}" directive is duplicate' in answer
        expected = facts.repeat is Repeat.ERROR and facts.status(server.version) is not Status.OBSOLETE
        invalid = "invalid" in answer and not refused
        if refused != expected or invalid:
            contradictions.append(f"{facts.module} {facts.name}: {facts.repeat}, server: {answer.splitlines()[0]}")
    assert_none(contradictions)


def test_the_servers_know_the_words_that_the_table_says(server: Server) -> None:
    cases = [
        (facts, word)
        for facts in server.known()
        if facts.value in (ValueKind.FLAG, ValueKind.ENUM, ValueKind.SET)
        for word in (*(facts.values or ("on", "off")), "no-such-word")
    ]
    spelled = [(facts, spelling) for facts, word in cases for spelling in dict.fromkeys((word, word.swapcase()))]
    answers = server.test_all([placed(facts, home(facts), f"{facts.name} {word};") for facts, word in spelled])
    contradictions = []
    for (facts, word), answer in zip(spelled, answers, strict=True):
        if facts.status(server.version) is Status.OBSOLETE:
            continue
        refused = f'invalid value "{word}"' in answer
        if refused == (facts.value_status(word, server.version) is Status.OK):
            contradictions.append(f"{facts.module} {facts.name} {word}: {answer.splitlines()[0]}")
    assert_none(contradictions)


def test_the_servers_know_the_listen_parameters_that_the_table_says(server: Server) -> None:
    values = {"setfib=": "1", "ipv6only=": "on", "so_keepalive=": "on", "accept_filter=": "x", "fastopen=": "1"}
    every = dict.fromkeys(word for module in ("http", "stream", "mail") for word in table.listen_parameters(module))
    cases = [(module, word) for module in server.modules if module != "main" for word in (*every, "no-such-word")]
    words = [word + values.get(word, "9" if "=" in word else "") for _, word in cases]
    bodies = [
        CONTEXTS[module]["server"] % f"listen 127.0.0.1:1 {word};"
        for (module, _), word in zip(cases, words, strict=True)
    ]
    # setfib and accept_filter exist on FreeBSD only, quic in builds with HTTP/3
    elsewhere = ("setfib=", "accept_filter=", "quic")
    contradictions = []
    for (module, word), answer in zip(cases, server.test_all(bodies), strict=True):
        if word in elsewhere:
            continue
        parameter = table.listen_parameter(word, module)
        said = Status.UNKNOWN if parameter is None else parameter.status(server.version)
        refused = re.search(r'invalid parameter "|the invalid "', answer) is not None
        if refused != (said in (Status.UNKNOWN, Status.NOT_YET, Status.REMOVED)):
            contradictions.append(f"{module} listen {word}: table {said}, server: {answer.splitlines()[0]}")
        if ("is deprecated" in answer) != (said is Status.DEPRECATED):
            contradictions.append(f"{module} listen {word}: table {said}, server: {answer.splitlines()[0]}")
    assert_none(contradictions)


PROTOCOLS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("pair")
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"),
            *("-keyout", key, "-out", certificate),
        ],
        capture_output=True,
        timeout=30,
        check=True,
    )
    return certificate, key


def accepts(port: int, version: ssl.TLSVersion) -> bool:
    """Whether a client that speaks that version only completes a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            context.wrap_socket(connection).close()
        except (ssl.SSLError, ConnectionError):
            return False
    return True


@pytest.mark.parametrize("module", ["http", "stream", "mail"])
def test_a_server_without_ssl_protocols_speaks_the_default_of_the_table(
    server: Server, pair: tuple[Path, Path], module: str
) -> None:
    if module not in server.modules:
        pytest.skip(f"{server.binary.name} is built without the {module} module")
    port = free_ports(1)[0]
    # level 0, as newer libraries would hide TLS 1.0 and 1.1 at any other
    tls = f"ssl_certificate {pair[0]}; ssl_certificate_key {pair[1]}; ssl_ciphers ALL:@SECLEVEL=0;"
    handler = {
        "http": "",
        "stream": "return ok;",
        "mail": "protocol imap; auth_http 127.0.0.1:1/; server_name localhost;",
    }[module]
    configuration = f"events {{}}\n{module} {{ server {{ listen 127.0.0.1:{port} ssl; {tls} {handler} }} }}\n"
    facts = table.directive("ssl_protocols", module)
    assert facts is not None
    with NginxServer(server.binary, configuration):
        spoken = [name for name, version in PROTOCOLS.items() if accepts(port, version)]
    assert " ".join(spoken) == facts.default(server.version)
