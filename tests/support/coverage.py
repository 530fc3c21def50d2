"""The fixtures of `fixtures/coverage` on real servers: free ports instead of those written, and clients that ask.

`coverage_nginx` and `coverage_apache` have the tables, whose rows are described here.
"""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest

from support.apache import USUAL_MODULES, ApacheBinary, ApacheServer
from support.channel import StartTls
from support.compare import Predicted, disagreements
from support.random_nginx import UNKNOWN_NAME
from support.scanner import Observation, scan
from support.servers import NginxBinary, NginxServer, free_ports

FIXTURES = Path(__file__).parents[2] / "fixtures"
COVERAGE = FIXTURES / "coverage"
PORT = re.compile(r"\b8\d{3}\b")
"""A port as the fixtures write it."""
NO_TEXT = (".key", ".der", ".bin")
"""Endings of files in fixtures that are copied as they are."""
ENTRIES = {"nginx": "nginx.conf", "apache": "apache2.conf"}
PER_NAME_SINCE = (1, 29, 2)


@dataclass(frozen=True, slots=True)
class Case:
    """A fixture put into a folder of its own, with ports that are free now."""

    folder: Path
    ports: dict[str, int]
    """Real port by the one that the fixture writes."""
    server: str = "nginx"

    @property
    def entry(self) -> Path:
        return self.folder / ENTRIES[self.server]

    @property
    def text(self) -> str:
        return self.entry.read_text(encoding="utf-8")

    def written(self, listen: str) -> str:
        """A socket as the fixture writes it."""
        for port, real in self.ports.items():
            listen = re.sub(rf":{real}$", f":{port}", listen)
        return listen


def prepare(name: str, folder: Path, server: str = "nginx") -> Case:
    """Copy a fixture, with absolute paths of certificates and free ports."""
    # a folder called `conf` would be taken for one below a server root
    place = folder / "site"
    shutil.copytree(COVERAGE / server / name, place)
    files = [path for path in place.rglob("*") if path.is_file() and path.suffix not in NO_TEXT]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    found = sorted({port for text in texts.values() for port in PORT.findall(text)})
    ports = dict(zip(found, free_ports(len(found)), strict=True))
    for path, text in texts.items():
        text = text.replace("../../../certificates/", f"{FIXTURES}/certificates/")
        path.write_text(PORT.sub(lambda match: str(ports[match[0]]), text), encoding="utf-8")
    return Case(place, ports, server)


def verdict(nginx: NginxBinary, case: Case) -> tuple[bool, str]:
    """Run `nginx -t`: whether it passes, and its messages.

    No wildcard address is bound, not even for a moment: there nginx is stopped, after it has read everything, by a
    process file that it cannot write.
    """
    server = NginxServer(nginx, case.folder)
    try:
        if not binds_wildcard(case):
            return server.test()
        blocked = server.root / "nginx.pid"
        blocked.mkdir()
        _, messages = server.test()
        last = f'nginx: [emerg] open() "{blocked}" failed (21: Is a directory)\n'
        assert last in messages, messages
        rest = messages.replace(last, "")
        rest = re.sub(r"nginx: (the configuration file|configuration file) \S+ (syntax is ok|test failed)\n", "", rest)
        return "[emerg]" not in rest, rest
    finally:
        server.stop()


def binds_wildcard(case: Case) -> bool:
    """Whether a server listens on all addresses, said or unsaid."""
    if re.search(r"(?m)^\s*listen (\d+|\[::\]\S*|\*\S*)[ ;]", case.text):
        return True
    return any("listen " not in block for block in re.findall(r"(?ms)^    server \{.*?^    \}", case.text))


def can_bind(address: str, port: int) -> bool:
    """Whether this process may listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class Clients:
    """What clients see of a running server; sockets are named as the fixture writes them."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def place(self, listen: str) -> tuple[str, int]:
        """Address and real port of a socket."""
        if listen.startswith("unix:"):
            return listen, 0
        address, _, port = listen.rpartition(":")
        return address.strip("[]"), self.case.ports.get(port, int(port))

    def look(self, predicted: Predicted, samples: dict[str, str]) -> Observation:
        """Scan the endpoint that a prediction is about."""
        address, port = self.place(self.case.written(predicted["listen"]))
        sni = predicted["sni"]
        name = UNKNOWN_NAME if sni == "*" else samples.get(sni, sni) if sni else None
        starttls: StartTls | None = "imap" if predicted["starttls"] != "off" else None
        speaks_first = predicted["module"] != "http" and starttls is None
        return scan(
            address,
            port,
            name,
            request=b"" if speaks_first else None,
            starttls=starttls,
            proxy_protocol=predicted["proxy_protocol"],
            alpn=("imap", "h2") if predicted["module"] == "mail" else ("h2", "http/1.1"),
        )

    def connect(self, listen: str) -> socket.socket:
        """A plain connection."""
        address, port = self.place(listen)
        made = socket.create_connection((address, port), timeout=5)
        made.settimeout(5)
        return made

    def context(self, **options: Any) -> ssl.SSLContext:
        """The settings of a client that believes every certificate; options as for `tls`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        if "version" in options:
            with catch_warnings():
                # old versions are what is asked for
                simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = options["version"]
        if "certificate" in options:
            file = FIXTURES / "certificates" / options["certificate"]
            context.load_cert_chain(file.with_suffix(".pem"), file.with_suffix(".key"))
        if "alpn" in options:
            context.set_alpn_protocols(options["alpn"])
        return context

    def tls(self, listen: str, sni: str | None, **options: Any) -> ssl.SSLSocket:
        """A TLS connection that believes every certificate.

        `version` limits it to one version; `certificate` is the name of a client certificate; `alpn` is offered.
        Raises `ssl.SSLError` where the handshake fails.
        """
        context = self.context(**options)
        plain = self.connect(listen)
        try:
            return context.wrap_socket(plain, server_hostname=sni)
        except BaseException:
            plain.close()
            raise

    def ask(self, listen: str, sni: str | None, host: str | None = "", *, path: str = "/", **options: Any) -> str:
        """The whole answer to a request over TLS; `host` is the SNI unless given, None leaves the header out."""
        with self.tls(listen, sni, **options) as connection:
            return exchange(connection, sni if host == "" else host, path)

    def ask_plainly(self, listen: str, host: str) -> str:
        """The whole answer to a request without TLS."""
        with self.connect(listen) as connection:
            return exchange(connection, host, "/")

    def s_client(self, listen: str, sni: str, *options: str) -> str:
        """What the `openssl` command says of a handshake."""
        address, port = self.place(listen)
        command = ["openssl", "s_client", "-connect", f"{address}:{port}", "-servername", sni, *options]
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=10, check=False)
        return done.stdout + done.stderr

    def served(self, listen: str, sni: str | None) -> bytes:
        """The certificate that is presented for a name."""
        with self.tls(listen, sni) as connection:
            return connection.getpeercert(binary_form=True) or b""


class Live(Clients):
    """A running nginx and its clients."""

    def __init__(self, nginx: NginxBinary, case: Case, server: NginxServer) -> None:
        super().__init__(case)
        self.nginx = nginx
        self.server = server

    @cached_property
    def is_old(self) -> bool:
        """Whether the default server decides the protocol versions of all names."""
        return self.nginx.version < PER_NAME_SINCE


class LiveApache(Clients):
    """A running Apache and its clients."""

    def __init__(self, case: Case, server: ApacheServer) -> None:
        super().__init__(case)
        self.server = server


def exchange(connection: socket.socket, host: str | None, path: str) -> str:
    """Send a request and read all of the answer; HTTP/1.0 where no host is named."""
    lines = [f"GET {path} HTTP/1.0"] if host is None else [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    received = b""
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while part := connection.recv(65536):
            received += part
    except (ssl.SSLError, ConnectionError):
        pass
    return received.decode("latin-1")


@contextmanager
def running(nginx: NginxBinary, case: Case) -> Iterator[Live]:
    """The fixture on a real server."""
    with NginxServer(nginx, case.folder) as server:
        yield Live(nginx, case, server)


def apache_server(apache: ApacheBinary, case: Case, environment: Iterable[tuple[str, str]] = ()) -> ApacheServer:
    """An Apache for the fixture, with the usual modules besides those that it loads itself."""
    text = case.text
    # with the MPM that the fixture names, if it names one
    modules = [name for name in USUAL_MODULES if f"{name}_module " not in text]
    if "mpm_prefork_module " in text:
        modules.remove("mpm_event")
    case.entry.write_text(text.replace(" modules/mod_", f" {apache.modules}/mod_"), encoding="utf-8")
    server = ApacheServer(apache, case.folder, modules=modules, environment=dict(environment))
    (server.root / "htdocs" / "index.html").write_text("content", encoding="utf-8")
    (server.root / "htdocs" / "in").mkdir()
    (server.root / "htdocs" / "in" / "index.html").write_text("inside", encoding="utf-8")
    return server


def status(answer: str) -> int:
    """The status of an answer."""
    return int(answer.split(" ", 2)[1])


def headers(answer: str, name: str) -> list[str]:
    """The values of all headers of that name."""
    lines = answer.partition("\r\n\r\n")[0].split("\r\n")
    return [line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name.lower()}:")]


def fails(live: Clients, listen: str, sni: str | None, **options: Any) -> str:
    """Why a handshake fails, in the words of the library."""
    with pytest.raises(ssl.SSLError) as raised, live.tls(listen, sni, **options):
        pass
    return str(raised.value)


class At:
    """What `show` says of an endpoint: members of its JSON, with dots for inner ones, and some that are made up here.

    `old` is for versions on which the default server decides protocols (before 1.29.2), `new` for the others;
    `chain_lengths`, `files` (of certificates, without folder) and `host` (first name) are worked out.
    """

    def __init__(self, listen: str, sni: str | None, *, old: Any = None, new: Any = None, **both: Any) -> None:
        self.listen = listen
        self.sni = sni
        self.old: dict[str, Any] = {**both, **(old or {})}
        self.new: dict[str, Any] = {**both, **(new or {})}


@dataclass(frozen=True, slots=True)
class Finds:
    """A finding: the rule, and a part of the line that it points at."""

    rule: str
    line: str
    until: tuple[int, ...] = (999,)
    """It is found for versions of the server before this one."""
    since: tuple[int, ...] = ()
    message: str = ""
    """A part of what it says."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; without a fixture it is `later`, with the reason why neither a prediction nor a rule shows it."""

    number: int | str
    what: str
    fixture: str = ""
    shows: tuple[At, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    """Sockets and names that `show` has no endpoint for, because nobody can get there."""
    sends: tuple[str, ...] | None = None
    """The values of Strict-Transport-Security that the first host is predicted to send over TLS."""
    finds: tuple[Finds, ...] = ()
    claim: Callable[[Any], None] | None = None
    """What else is seen on the wire."""
    later: str = ""
    samples: tuple[tuple[str, str], ...] = ()
    """A name for each pattern that is asked for."""
    warns: tuple[str, ...] = ()
    """Parts of warnings that some version gives after all."""
    refuses_to_start: str = ""
    """A pattern in the message with which the server, although its test passes, does not start."""
    binds: tuple[str, int] | None = None
    """Address and port that it needs as they are written."""
    read_only: str = ""
    """Why the server is not started."""
    unscanned: bool = False
    """Whether the claim alone is asked of the server."""
    targets: tuple[str, str] = ("", "")
    """An old and a new target to predict for, where no server here can run it."""
    openssl_conf: bool = False
    """Whether the fixture brings an openssl.cnf."""
    environment: tuple[tuple[str, str], ...] = ()
    """What the server finds in its environment."""
    public: bool = False
    """Whether rules are asked with port 80 of all addresses in place of 127.0.0.1:8080."""

    @property
    def kind(self) -> str:
        if self.later:
            return "later"
        return "prediction" if self.shows or self.absent or self.sends is not None else "rule"


def value_of(predicted: Predicted, name: str) -> object:
    """A member of a prediction by its dotted name, or one that the table makes up."""
    if name == "chain_lengths":
        return [len(certificate["chain"]) for certificate in predicted["certificates"]]
    if name == "files":
        return [Path(certificate["file"]).name for certificate in predicted["certificates"]]
    if name == "host":
        return predicted["virtual_host"]["names"][0]
    if name == "unknown_what":
        return [item["what"] for item in predicted["unknown"]]
    found: object = predicted
    # versions have dots of their own
    for part in name.split(".", 1) if name.startswith("ciphers.") else name.split("."):
        assert isinstance(found, dict)
        found = found.get(part)
    return found


def shown(endpoints: list[Predicted], case: Case, expected: At) -> Predicted:
    """The endpoint that the table speaks of."""
    here = [
        endpoint
        for endpoint in endpoints
        if case.written(endpoint["listen"]) == expected.listen and endpoint["sni"] == expected.sni
    ]
    assert len(here) == 1, f"{expected.listen} {expected.sni}: {len(here)} endpoints"
    return here[0]


def assert_shown(row: Row, case: Case, endpoints: list[Predicted], is_old: bool) -> None:
    """What the table says of endpoints is what `show` says."""
    for expected in row.shows:
        predicted = shown(endpoints, case, expected)
        for name, value in (expected.old if is_old else expected.new).items():
            assert value_of(predicted, name) == value, f"{name} of {expected.sni} on {expected.listen}"
    there = {(case.written(endpoint["listen"]), endpoint["sni"]) for endpoint in endpoints}
    assert there.isdisjoint(row.absent)


def contradictions(live: Clients, endpoints: list[Predicted], row: Row) -> list[str]:
    """Each point in which the server contradicts what is shown."""
    found = []
    for predicted in endpoints:
        seen = live.look(predicted, dict(row.samples))
        who = f"{predicted['sni']} on {predicted['listen']}"
        found += [f"{who}: {point}" for point in disagreements(predicted, seen, ("h2", "http/1.1", "imap"))]
    return found
