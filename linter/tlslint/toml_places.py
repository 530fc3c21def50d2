"""Where in a TOML text each key and each item of an array stands: `tomllib` does not tell, and errors need it."""

import re
from typing import Final

from tlslint.regex import regex

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value: `("deployment", 0, "root")`."""

_SPACE: Final = regex(r"(?:[ \t\r\n\ufeff]|#[^\n]*)*")
_BLANK: Final = regex(r"[ \t]*")
_KEY: Final = regex(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_SCALAR: Final = regex(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|[^,\]}#\n]+",
    re.DOTALL,
)


def places(text: str) -> dict[Path, int]:
    """Return the offset of every key and array item of a text that `tomllib` accepts, by its path."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}
        """How many tables each array of tables (`[[name]]`) has so far."""

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self.skip(_SPACE) < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> int:
        """Move past what a pattern matches, and return where that is."""
        found = pattern.match(self.text, self.at)
        assert found is not None, f"not TOML at offset {self.at}"
        self.at = found.end()
        return self.at

    def take(self, mark: str) -> bool:
        """Move past a mark if it comes next."""
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`, and return the path of the table that it opens."""
        array = self.take("[[")
        if not array:
            self.take("[")
        path = self.dotted((), through_arrays=not array)
        if array:
            index = self.tables.get(path, -1) + 1
            self.tables[path] = index
            path = (*path, index)
            self.found[path] = self.found[path[:-1]]
        self.skip(_BLANK)
        self.take("]]" if array else "]")
        return path

    def dotted(self, table: Path, *, through_arrays: bool = True) -> Path:
        """Read a key such as `a."b c".d`, and return its path below a table."""
        path = table
        while True:
            self.skip(_BLANK)
            start = self.at
            path = (*path, _name(self.text[start : self.skip(_KEY)]))
            self.found[path] = start
            self.skip(_BLANK)
            last = not self.take(".")
            # what stands below an array of tables belongs to its latest one
            if path in self.tables and (through_arrays or not last):
                path = (*path, self.tables[path])
            if last:
                return path

    def pair(self, table: Path) -> None:
        path = self.dotted(table)
        self.take("=")
        self.skip(_BLANK)
        self.value(path)

    def value(self, path: Path) -> None:
        if self.take("["):
            index = 0
            while self.skip(_SPACE) and not self.take("]"):
                self.found[(*path, index)] = self.at
                self.value((*path, index))
                index += 1
                self.skip(_SPACE)
                self.take(",")
        elif self.take("{"):
            while self.skip(_SPACE) and not self.take("}"):
                self.pair(path)
                self.skip(_SPACE)
                self.take(",")
        else:
            self.skip(_SCALAR)


def _name(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        return key
    # only here: keys with escapes are rare
    import tomllib

    return next(iter(tomllib.loads(f"{key} = 0")))
