"""Find a real Apache, ask it what it makes of a configuration, start it on loopback addresses and stop it again."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.servers import (
    START_SECONDS,
    STOP_SECONDS,
    RunningServer,
    ServerError,
    Version,
    dotted,
    missing,
    version_tuple,
)

FOLDERS = (Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules"), Path("/usr/libexec/apache2"))
USUAL_MODULES = (
    *("mpm_event", "authz_core", "authz_host", "authn_core", "alias", "dir", "headers", "rewrite", "setenvif", "env"),
    *("socache_shmcb", "macro", "ssl"),
)
"""What a test needs most often; a configuration may load more of its own."""
FEW_PROCESSES = ("StartServers 1", "ServerLimit 1", "ThreadsPerChild 8", "MaxRequestWorkers 8", "MinSpareThreads 1")


@dataclass(frozen=True, slots=True)
class ApacheBinary:
    """An httpd executable, where its modules are, its version and that of the OpenSSL that mod_ssl runs with."""

    path: Path
    modules: Path
    static: tuple[str, ...]
    version: Version
    openssl: Version

    @property
    def target(self) -> str:
        """The `--target` that describes this binary."""
        return f"apache={dotted(self.version)},openssl={dotted(self.openssl)}"

    def load(self, name: str) -> str:
        """The line that loads a module; empty for one that is compiled in."""
        return "" if f"mod_{name}.c" in self.static else f"LoadModule {name}_module {self.modules}/mod_{name}.so"


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout + done.stderr


@cache
def find_apache() -> ApacheBinary | None:
    """The Apache of this machine, or None when it has none."""
    for name in ("apache2", "httpd"):
        path = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
        modules = next((folder for folder in FOLDERS if (folder / "mod_ssl.so").exists()), None)
        if path is not None and modules is not None:
            version = re.search(r"version: Apache/([\d.]+)", _output(path, "-v"))
            openssl = re.search(r"OpenSSL ([\d.]+)", _output("openssl", "version"))
            if version is None or openssl is None:
                raise ServerError(f"cannot read the versions of {path}")
            static = tuple(re.findall(r"^\s+(\w+\.c)$", _output(path, "-l"), re.MULTILINE))
            return ApacheBinary(Path(path), modules, static, version_tuple(version[1]), version_tuple(openssl[1]))
    return None


def needed_apache() -> ApacheBinary:
    """As `find_apache`, for a test that is nothing without it."""
    return find_apache() or missing("apache")


class ApacheServer(RunningServer):
    """An Apache for one configuration, as a context manager that starts and stops it.

    `configuration` is the text of a main file, or a folder (its `entry` file is started). It is copied into a temporary
    folder `root/conf`, which is the server root. Modules, process file and error log are given on the command line, so
    that nothing in the text moves. `defines` are names for `-D`.

    Raises `ServerError` with the error log when Apache does not start.
    """

    def __init__(
        self,
        binary: ApacheBinary,
        configuration: str | bytes | Path,
        entry: str = "apache2.conf",
        modules: Sequence[str] = USUAL_MODULES,
        defines: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.binary = binary
        self._folder = tempfile.TemporaryDirectory(prefix="tlslint-apache-")
        self.root = Path(self._folder.name)
        # workers that are no longer root serve files from here
        self.root.chmod(0o755)
        self.configuration = self.root / "conf" / entry
        self._modules = modules
        self._defines = defines
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("logs", "run", "htdocs"):
            (self.root / name).mkdir()
        if isinstance(configuration, Path):
            shutil.copytree(configuration, self.root / "conf", symlinks=True)
        else:
            self.configuration.parent.mkdir(parents=True)
            data = (
                configuration if isinstance(configuration, bytes) else configuration.encode("utf-8", "surrogateescape")
            )
            self.configuration.write_bytes(data)

    @property
    def prelude(self) -> list[str]:
        """The directives that come before the configuration."""
        lines = [
            f"DefaultRuntimeDir {self.root}/run",
            f"PidFile {self.root}/run/pid",
            f"ErrorLog {self.root}/logs/error.log",
            f"DocumentRoot {self.root}/htdocs",
            *filter(None, map(self.binary.load, self._modules)),
        ]
        if any(name.startswith("mpm_") and name != "mpm_prefork" for name in self._modules):
            lines += FEW_PROCESSES
        if os.geteuid() == 0:
            lines += ["User nobody", "Group nogroup"]
        return lines

    def command(self, *more: str) -> list[str]:
        """The command that runs Apache on the configuration."""
        return [
            *(str(self.binary.path), "-d", str(self.root / "conf"), "-f", str(self.configuration)),
            *(word for line in self.prelude for word in ("-C", line)),
            *(word for name in self._defines for word in ("-D", name)),
            *more,
        ]

    def run(self, *more: str) -> tuple[int, str]:
        """Run Apache to its end (`-t`, `-S` …): its exit code, and all that it writes."""
        done = subprocess.run(
            self.command(*more), capture_output=True, timeout=60, check=False, env=self._environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")

    def test(self) -> tuple[bool, str]:
        """Run `apache2 -t`: whether it passes, and its messages."""
        code, output = self.run("-t")
        return code == 0, output

    @property
    def error_log(self) -> str:
        """What Apache has written to its error log so far."""
        path = self.root / "logs" / "error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start Apache; its sockets accept connections on return."""
        self._process = subprocess.Popen(
            self.command("-D", "FOREGROUND"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True, env=self._environment,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        # the process file is written after all sockets are open
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                messages = self._end()
                raise ServerError(f"Apache did not start:\n{self.error_log}{messages}")
            time.sleep(0.005)

    def _is_ready(self) -> bool:
        path = self.root / "run" / "pid"
        return path.exists() and path.stat().st_size > 0

    def reload(self) -> None:
        """Have Apache read its configuration again, as `apachectl graceful` does after its check."""
        if self._process is None:
            raise ServerError("Apache does not run")
        self._process.send_signal(signal.SIGUSR1)

    def has_ended(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether the server's main process ends within that time."""
        if self._process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None


def ask_apache(configuration: str | bytes | Path, *arguments: str, entry: str = "apache2.conf") -> tuple[int, str]:
    """Run the Apache of this machine on a configuration: its exit code and what it writes."""
    server = ApacheServer(needed_apache(), configuration, entry)
    try:
        return server.run(*arguments)
    finally:
        server.stop()
