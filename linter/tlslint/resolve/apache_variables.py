"""What httpd's `Define` and its environment hold: flags for `<IfDefine>`, values for `${NAME}`.

Values are found by name without regard to case, flags and the environment's variables with it. What may be set out of
sight (by an include that was not read, by the service manager) is not called undefined.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from tlslint.parse.apache import LogicalLine, fold
from tlslint.resolve.model import Unknown

VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")

MAX_REPLACED: Final = 1 << 20
"""Characters of a line after replacement; values that are made of values many times over would fill the memory."""

ENVIRONMENT_FILE: Final = "envvars"
"""Beside Debian's main file: the shell text that `apache2ctl` and the service read before they start httpd."""

SERVICE_FILES: Final = (
    (ENVIRONMENT_FILE, "APACHE_ARGUMENTS"),
    ("../../sysconfig/httpd", "OPTIONS"),
    ("../conf.d/apache2", "APACHE2_OPTS"),
)
"""Where Debian, Red Hat and Gentoo keep the arguments with which the service starts httpd, seen from the main file."""

_ASSIGNMENT: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(.*)", re.ASCII)
_UNSET: Final = re.compile(r"[ \t]*unset[ \t]+(\w+)")
_TEST: Final = re.compile(r"[ \t]*(if|fi|else|elif|case|esac|for|while|done)\b")
_SHELL_WORD: Final = re.compile(
    r"""(?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<bare>[^\s'"`;&|<>()\\]+) )""", re.VERBOSE
)
_SHELL_NAME: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+)|.?)")
_NOT_READ: Final = "it is set by the shell in a way that was not followed"


class Replacement(NamedTuple):
    """A line after replacement of its variables, and what stands in the way of knowing it."""

    line: LogicalLine
    undefined: tuple[tuple[str, int, int], ...]
    """Names for which there is no value, and where they stand in the line before replacement."""
    doubt: str
    """Why httpd may read something else here, or empty."""


class Variables:
    """The definitions that are in force at one moment of reading."""

    def __init__(self, flags: Iterable[str], environment: Mapping[str, str | Unknown], elsewhere: str) -> None:
        self.flags = set(flags)
        """What `<IfDefine>` finds, as written."""
        self.values: dict[str, str] = {}
        """What `${NAME}` gives, by name in lower case."""
        self.environment = environment
        self.elsewhere = elsewhere
        """Why there may be definitions that nobody saw, or empty."""
        self.environment_elsewhere = elsewhere
        """Why there may be further variables in the environment, or empty."""
        self._doubts: dict[str, str] = {}
        self._tainted: dict[str, str] = {}

    def define(self, name: str, value: str, doubt: str = "") -> None:
        """Set a flag, and its value if it is not empty; `doubt` is why the value may be another one."""
        self.flags.add(name)
        folded = fold(name)
        self._doubts.pop(folded, None)
        if value:
            self.values[folded] = value
            self._tainted.pop(folded, None)
            if doubt:
                self._tainted[folded] = doubt

    def undefine(self, name: str) -> None:
        """Take a flag and a value away."""
        self.flags.discard(name)
        folded = fold(name)
        self.values.pop(folded, None)
        self._tainted.pop(folded, None)
        self._doubts.pop(folded, None)

    def doubt(self, name: str, reason: str) -> None:
        """Note that a name may or may not be defined from here on."""
        self._doubts[fold(name)] = reason

    def is_defined(self, name: str) -> bool | Unknown:
        """Tell whether `<IfDefine>` holds for a name."""
        reason = self._doubts.get(fold(name))
        if reason:
            return Unknown(reason)
        if name in self.flags:
            return True
        return Unknown(self.elsewhere) if self.elsewhere else False

    def value(self, name: str) -> str | Unknown | None:
        """Return what `${NAME}` stands for; None where it is surely undefined."""
        folded = fold(name)
        reason = self._doubts.get(folded)
        if reason:
            return Unknown(reason)
        value = self.values.get(folded)
        if value is not None:
            return value
        if name in self.environment:
            return self.environment[name]
        reason = self.elsewhere or self.environment_elsewhere
        return Unknown(reason) if reason else None

    def replace(self, line: LogicalLine) -> Replacement:
        """Replace all variables of a line, once, as httpd does before it splits the words."""
        replacements: list[tuple[int, int, str]] = []
        length = len(line.text)
        undefined: list[tuple[str, int, int]] = []
        doubt = ""
        for match in VARIABLE.finditer(line.text):
            name = match[1]
            value = self.value(name)
            if isinstance(value, str):
                length += len(value)
                if length > MAX_REPLACED:
                    doubt = f"with the values of its variables it has more than {MAX_REPLACED >> 20} MiB"
                    break
                replacements.append((match.start(), match.end(), value))
                doubt = doubt or self._tainted.get(fold(name), "")
            elif ":" in name:
                continue  # never a variable's name: httpd itself says nothing
            elif isinstance(value, Unknown):
                doubt = doubt or f"the value of ${{{name}}} is not known: {value.reason}"
            else:
                undefined.append((name, match.start(), match.end()))
        return Replacement(line.replaced(replacements) if replacements else line, tuple(undefined), doubt)


def read_environment(text: str) -> dict[str, str | Unknown]:
    """Read Debian's `envvars`: assignments of simple words, without running anything.

    What stands in a branch is unknown, as is what the shell would have to work out. `SUFFIX` is empty but for a second
    instance of httpd on the same machine.
    """
    found: dict[str, str | Unknown] = {"SUFFIX": ""}
    depth = 0
    for line in text.replace("\\\n", "").split("\n"):
        test = _TEST.match(line)
        if test:
            depth += test[1] in ("if", "case", "for", "while")
            depth -= test[1] in ("fi", "esac", "done")
            continue
        unset = _UNSET.match(line)
        if unset:
            found[unset[1]] = Unknown(_NOT_READ)
        assignment = _ASSIGNMENT.match(line)
        if assignment is None or assignment[1] == "SUFFIX":
            continue
        name, value = assignment[1], _shell_value(assignment[2], found)
        found[name] = value if depth <= 0 or found.get(name) == value else Unknown(_NOT_READ)
    del found["SUFFIX"]
    return found


def assignments(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where `envvars` gives a variable a value: the offsets of each assignment, without `export`."""
    at = 0
    for line in text.split("\n"):
        found = _ASSIGNMENT.match(line)
        if found is not None and found[1] == name:
            yield at + found.start(1), at + len(line.rstrip())
        at += len(line) + 1


def command_line_flags(text: str, name: str) -> tuple[str, ...] | Unknown:
    """Return what `-D` gives httpd in a variable of a service's settings (`OPTIONS="-D PROD"`), as written there."""
    value = read_environment(text).get(name, "")
    if isinstance(value, Unknown):
        return value
    flags: list[str] = []
    words = iter(value.split())
    for word in words:
        if word == "-D":
            flags.extend(flag for flag in [next(words, "")] if flag)
        elif word.startswith("-D"):
            flags.append(word[2:])
    return tuple(flags)


def _shell_value(text: str, known: Mapping[str, str | Unknown]) -> str | Unknown:
    parts: list[str] = []
    at = 0
    while match := _SHELL_WORD.match(text, at):
        at = match.end()
        if match["single"] is not None:
            parts.append(match["single"])
            continue
        part = match["double"] if match["double"] is not None else match["bare"]
        for name in _SHELL_NAME.finditer(part):
            if not isinstance(known.get(name[1] or name[2] or ""), str):
                return Unknown(_NOT_READ)
        if "`" in part or "\\" in part:
            return Unknown(_NOT_READ)
        parts.append(_SHELL_NAME.sub(lambda name: str(known[name[1] or name[2]]), part))
    rest = text[at:].strip()
    if rest and not rest.startswith(("#", ";")):
        return Unknown(_NOT_READ)
    return "".join(parts)


__all__ = [
    "ENVIRONMENT_FILE", "SERVICE_FILES", "VARIABLE", "Replacement", "Variables", "assignments", "command_line_flags",
    "read_environment",
]  # fmt: skip
