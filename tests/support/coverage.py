"""The fixtures of `fixtures/coverage` on real servers: free ports instead of those written, and clients that ask."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from support.channel import StartTls
from support.compare import Predicted
from support.random_nginx import UNKNOWN_NAME
from support.scanner import Observation, scan
from support.servers import NginxBinary, NginxServer, free_ports

FIXTURES = Path(__file__).parents[2] / "fixtures"
COVERAGE = FIXTURES / "coverage"
PORT = re.compile(r"\b8\d{3}\b")
"""A port as the fixtures write it."""
PER_NAME_SINCE = (1, 29, 2)


@dataclass(frozen=True, slots=True)
class Case:
    """A fixture put into a folder of its own, with ports that are free now."""

    folder: Path
    ports: dict[str, int]
    """Real port by the one that the fixture writes."""

    @property
    def entry(self) -> Path:
        return self.folder / "nginx.conf"

    @property
    def text(self) -> str:
        return self.entry.read_text(encoding="utf-8")

    def written(self, listen: str) -> str:
        """A socket as the fixture writes it."""
        for port, real in self.ports.items():
            listen = re.sub(rf":{real}$", f":{port}", listen)
        return listen


def prepare(name: str, folder: Path) -> Case:
    """Copy a fixture, with absolute paths of certificates and free ports."""
    place = folder / "conf"
    shutil.copytree(COVERAGE / name, place)
    files = [path for path in place.rglob("*") if path.is_file() and path.suffix != ".key"]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    found = sorted({port for text in texts.values() for port in PORT.findall(text)})
    ports = dict(zip(found, free_ports(len(found)), strict=True))
    for path, text in texts.items():
        text = text.replace("../../certificates/", f"{FIXTURES}/certificates/")
        path.write_text(PORT.sub(lambda match: str(ports[match[0]]), text), encoding="utf-8")
    return Case(place, ports)


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


class Live:
    """A running server and what its clients see; sockets are named as the fixture writes them."""

    def __init__(self, nginx: NginxBinary, case: Case, server: NginxServer) -> None:
        self.nginx = nginx
        self.case = case
        self.server = server

    @cached_property
    def is_old(self) -> bool:
        """Whether the default server decides the protocol versions of all names."""
        return self.nginx.version < PER_NAME_SINCE

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


Claim = Callable[[Live], None]
