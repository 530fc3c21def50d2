"""Ask a real httpd which directives it has after reading a tree of files, in its order, and ours the same."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from parse.apache_oracle import Httpd
from tlslint.discover import Root
from tlslint.parse.apache import split_words
from tlslint.resolve.apache_read import Reading, read
from tlslint.resolve.apache_scope import Section
from tlslint.resolve.include import Files
from tlslint.target import parse_target

MODULES = ("mpm_event", "authz_core", "macro", "info")
PRELUDE = "DefaultRuntimeDir {folder}\nPidFile {folder}/pid\nErrorLog {folder}/log\nServerName localhost\n"
PRELUDE += "Listen 127.0.0.1:1\n"

_UNDEFINED = re.compile(r"Config variable \$\{(.*)\} is not defined")
INDENT = 2
"""Columns by which mod_info indents what stands in a section."""

Line = tuple[int, str, tuple[str, ...]]
"""How deep a directive stands, its name in lower case, its words; an end tag is not told."""


def write(folder: Path, httpd: Httpd, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder; `main.conf` gets a prelude with which httpd can read it. Returns its path."""
    loads = "".join(f"LoadModule {name}_module {httpd.modules}/mod_{name}.so\n" for name in MODULES)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        if name == "main.conf":
            data = (loads + PRELUDE.format(folder=folder)).encode() + data
        path.write_bytes(data)
    return folder / "main.conf"


class Truth(NamedTuple):
    """What httpd has after reading (None if it refuses), and all that it says on the way."""

    lines: list[Line] | None
    messages: str

    @property
    def refusal(self) -> str:
        """Its last words; they begin with where it stopped."""
        return self.messages.splitlines()[-1].replace("\\\\", "\\")

    @property
    def undefined(self) -> set[str]:
        """The variables that it warns of."""
        return set(_UNDEFINED.findall(self.messages.replace("\\\\", "\\")))


def asked(httpd: Httpd, main: Path, defines: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Truth:
    """Let httpd read a configuration."""
    command = [str(httpd.path), "-t", "-d", str(main.parent), "-f", str(main), "-D", "DUMP_CONFIG"]
    for name in defines:
        command += ["-D", name]
    done = subprocess.run(
        command, capture_output=True, timeout=30, check=False, env={"PATH": "/usr/bin:/bin", **(environment or {})}
    )
    output = done.stdout.decode("utf-8", "surrogateescape")
    messages = done.stderr.decode("utf-8", "surrogateescape")
    if "Syntax OK" not in messages:
        return Truth(None, messages.strip() or output[-500:])
    return Truth(list(_dumped(output)), messages)


def _dumped(output: str) -> Iterator[Line]:
    """Depth is told by indentation: mod_info prints no end tag for a section without directives."""
    for raw in output.split("\n"):
        line = raw.lstrip(" ")
        if not line or line.startswith(("#", "</")) or line == "Syntax OK":
            continue
        depth = (len(raw) - len(line)) // INDENT
        if line.startswith("<"):
            line = line[1 : line.rfind(">")]
        words = [word.value for word in split_words(line)]
        yield depth, words[0].lower(), tuple(words[1:])


def predicted(
    main: Path, defines: Sequence[str] = (), environment: Mapping[str, str] | None = None, target: str | None = None
) -> tuple[list[Line], Reading]:
    """What our reading of the same main file gives, for the httpd of this machine or a target."""
    root = Root(
        str(main),
        "apache",
        "main",
        Files(root="/"),
        str(main),
        str(main.parent),
        defines=tuple(defines),
        environment=tuple({"PATH": "/usr/bin:/bin", **(environment or {})}.items()),
    )
    reading = read(root, parse_target(target or "debian-12", "apache"))
    return list(lines_of(reading.main)), reading


def undefined_in(reading: Reading) -> set[str]:
    """The variables that we warn of."""
    found = (problem.message for problem in reading.problems if problem.kind == "undefined-variable")
    return {name for message in found for name in _UNDEFINED.findall(message)}


def lines_of(section: Section, depth: int = 0) -> Iterator[Line]:
    """The directives of a section and of those inside, in order of execution."""
    for item in section.in_order():
        if isinstance(item, Section):
            assert item.place is not None
            yield depth, item.kind, tuple(map(str, item.place.directive.arguments))
            yield from lines_of(item, depth + 1)
        else:
            yield depth, item.directive.name.lower(), tuple(map(str, item.directive.arguments))


def without_prelude(lines: Sequence[Line]) -> list[Line]:
    """The lines but for those that `write` puts in front."""
    names = [*re.findall(r"^(\w+)", PRELUDE, re.MULTILINE)]
    wanted = [name.lower() for name in names if name != "DefaultRuntimeDir"]
    assert [name for _, name, _ in lines[: len(wanted)]] == wanted, lines[:6]
    return list(lines[len(wanted) :])


def asked_for_includes(httpd: Httpd, folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The files that httpd says it reads, in order, and those whose lines are in our reading of the same."""
    main = write(folder, httpd, files)
    command = [str(httpd.path), "-t", "-d", str(folder), "-f", str(main), "-D", "DUMP_INCLUDES"]
    output = subprocess.run(command, capture_output=True, timeout=30, check=False).stdout.decode()
    truth = re.findall(r"^ *\((?:\*|\d+)\) (/.*)$", output, re.MULTILINE)
    _, reading = predicted(main)
    return truth, [str(main), *reading.files]
