"""Ask a real httpd what it makes of a text, as far as its reading alone decides.

httpd reads everything before it looks at what ordinary directives mean, but it executes some while it reads. The main
file includes the text, and after that stands an end tag that closes nothing: that httpd complains about *this* tag says
that it has read the whole text. The words of a line are asked of ``Use``, which puts each into a line of its own of the
configuration that ``mod_info`` dumps.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.servers import require_servers

MODULE_FOLDERS = (Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules"), Path("/usr/libexec/apache2"))
MODULES = ("mpm_event", "authz_core", "macro", "info")
MAX_WORDS = 24

_SENTINEL = "</Sentinel>"
_READING = re.compile(
    r"""
      \S+ [ ]without[ ]matching[ ].*[ ]section
    | Expected[ ]</.*>[ ]but[ ]saw[ ].*>
    | Expected[ ]</.*>[ ]before[ ]end[ ]of[ ]configuration
    | .*>[ ]directive[ ]missing[ ]closing[ ]'>'
    | <\w+>[ ]directive[ ]requires[ ]additional[ ]arguments
    | .*[ ]was[ ]not[ ]closed\.
    | expected[ ]token[ ]not[ ]found:[ ]</Macro>
    | <Macro[ ]macro[ ]definition:[ ]empty[ ]name
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Httpd:
    """An httpd executable and where its modules are."""

    path: Path
    modules: Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What httpd says: ``message`` is ``None`` if it read all of the text."""

    message: str | None
    file: str = ""
    line: int = 0

    @property
    def is_about_reading(self) -> bool:
        """Whether reading decided, rather than the meaning of a directive."""
        return self.message is None or _READING.fullmatch(self.message) is not None


@cache
def _find() -> Httpd | None:
    for name in ("apache2", "httpd"):
        path = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
        folder = next((each for each in MODULE_FOLDERS if (each / "mod_macro.so").exists()), None)
        if path is not None and folder is not None:
            return Httpd(Path(path), folder)
    return None


@pytest.fixture(scope="session", name="httpd")
def find_httpd() -> Httpd:
    """The httpd of this machine; skipped by name where there is none."""
    found = _find()
    if found is None:
        (pytest.fail if require_servers() else pytest.skip)("no httpd on this machine")
    return found


@contextmanager
def _folder(httpd: Httpd, body: str, texts: Sequence[bytes]) -> Iterator[tuple[str, list[str]]]:
    """A folder with a main file (settings, then ``body``) and texts; gives its path and httpd's command."""
    with TemporaryDirectory(prefix="tlslint-") as folder:
        loads = [f"LoadModule {name}_module {httpd.modules}/mod_{name}.so" for name in MODULES]
        settings = [f"DefaultRuntimeDir {folder}", f"PidFile {folder}/pid", f"ErrorLog {folder}/log"]
        main = "\n".join([*loads, *settings, "ServerName localhost", "Listen 127.0.0.1:1", body, ""])
        (Path(folder) / "main.conf").write_text(main)
        for number, text in enumerate(texts):
            (Path(folder) / f"{number}.conf").write_bytes(text)
        yield folder, [str(httpd.path), "-t", "-d", folder, "-f", f"{folder}/main.conf"]


def _run(folder: str, command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    return output.replace(f"{folder}/", "").replace(folder, "")


def read(httpd: Httpd, *texts: bytes) -> Verdict:
    """What stops httpd when it reads these texts one after the other, each a file of its own ("0.conf" and so on)."""
    body = "".join(f"Include {number}.conf\n" for number in range(len(texts))) + _SENTINEL
    with _folder(httpd, body, texts) as (folder, command):
        output = _run(folder, command)
    if output.rstrip().endswith(f"main.conf: {_SENTINEL} without matching <Sentinel> section"):
        return Verdict(None)
    found = re.search(r"Syntax error on line (\d+) of (\d+\.conf): ((?:.|\n)*)\Z", output)
    assert found is not None, output
    message = found[3].rstrip("\n")
    message = message.partition("contents error: ")[2] or message
    message = re.sub(r"^\d+\.conf:\d+: ", "", re.split(r"\\n|\n", message)[0])
    return Verdict(message, found[2], int(found[1]))


def check(httpd: Httpd, text: bytes) -> str | None:
    """The error message of ``httpd -t`` on a text, if there is one; what httpd only warns of is left out."""
    with _folder(httpd, "Include 0.conf", [text]) as (folder, command):
        output = _run(folder, command)
    if "Syntax OK" in output:
        return None
    return output.partition("Syntax error on line ")[2].rstrip("\n").rpartition(".conf:")[2].strip()


def used_words(httpd: Httpd, uses: Sequence[tuple[int, str]]) -> list[str]:
    """What httpd makes of the words of texts; for each text it must be said how many words it has."""
    macros = [
        f"<Macro m{count} {' '.join(f'%%{n}%%' for n in range(count))}>\n"
        + "".join(f"ServerAlias [[%%{n}%%]]\n" for n in range(count))
        + "ServerAlias end\n</Macro>\n"
        for count in range(MAX_WORDS + 1)
    ]
    return aliases(httpd, "".join(macros) + "".join(f"Use m{count} {use}\n" for count, use in uses))


def aliases(httpd: Httpd, text: str) -> list[str]:
    """The arguments of every ``ServerAlias`` that httpd finds in a text that stands in a ``<VirtualHost>``."""
    body = "<VirtualHost *:1>\nInclude 0.conf\n</VirtualHost>"
    with _folder(httpd, body, [text.encode("utf-8", "surrogateescape")]) as (folder, command):
        output = _run(folder, [*command, "-D", "DUMP_CONFIG"])
    assert "Syntax OK" in output, output
    return re.findall(r"^ *ServerAlias (.*)$", output, re.MULTILINE)
