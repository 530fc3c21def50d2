"""Ask a real nginx what it makes of a text, as far as its tokenizer alone decides.

nginx stops at the first directive that it does not know, opens files and looks hosts up. So the text is put where
nothing of that happens: a file included in the body of ``types``, where every statement is a list of words without
meaning, or in a ``server``, made of directives that take anything. After the include stands a lone ``;``: nginx never
comes further than reading, and that it complains about *this* file says that it took the whole text.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from support.servers import NginxBinary

WORDS_ONLY = b"events {}\nhttp { types { include text.conf; } ; }\n"
"""Every statement of the text is a list of words; nginx allows no block here."""

IN_SERVER = b"events {}\nhttp { server { include text.conf; ; } }\n"
"""The text is made of ``SAFE_DIRECTIVE`` and ``SAFE_BLOCK``."""

SAFE_DIRECTIVE = "ssi_types"  # takes one or more arguments of any kind
SAFE_BLOCK = "location ~ x"  # may be nested and repeated

MAIN = b"include text.conf;\n;\n"
"""The text is the main configuration: what nginx says of the first directive can be asked here."""

_LEXICAL = re.compile(
    r'unexpected end of file, expecting (?:";" or )?"[;}]"|unexpected "(?:.|\n)"|too long parameter.*', re.DOTALL
)
_ERROR = re.compile(r"\[emerg\] [^:]*: (?P<message>.*?) in [^\n]*/(?P<file>text|main)\.conf:(?P<line>\d+)\n", re.DOTALL)
_DUPLICATE = re.compile(rb'duplicate extension "([^\n]*?)", content type: "(.*?)", previous content type: "', re.DOTALL)
_LOG_LINE = 2048  # NGX_MAX_ERROR_STR


@dataclass(frozen=True, slots=True)
class Verdict:
    """What nginx says of a text: ``message`` is ``None`` if it read all of it."""

    message: str | None
    line: int = 0

    @property
    def is_lexical(self) -> bool:
        """Whether the tokenizer decided, rather than the meaning of a directive."""
        return self.message is None or _LEXICAL.fullmatch(self.message) is not None


def ask(binary: NginxBinary, text: str, place: bytes) -> Verdict:
    """nginx's verdict on a text that stands in the given place."""
    output = _run(binary, text, place).decode("utf-8", "surrogateescape")
    error = _ERROR.search(output)
    if error is None:
        raise AssertionError(f"{binary.name} says something unforeseen: {output!r}")
    if error["file"] == "main":
        assert error["message"] == 'unexpected ";"', output
        return Verdict(None)
    return Verdict(error["message"], int(error["line"]))


def values(binary: NginxBinary, words: list[str]) -> list[bytes]:
    """What nginx makes of each word of source text: it names every content type that takes a known extension again."""
    assert all(len(word) < _LOG_LINE // 4 for word in words)
    text = "".join(f"{word} again;\n" for word in ["first", *words])
    output = _run(binary, text, WORDS_ONLY)
    assert b'unexpected ";" in' in output, output
    return [value for extension, value in _DUPLICATE.findall(output) if extension == b"again"]


def _run(binary: NginxBinary, text: str, place: bytes) -> bytes:
    with TemporaryDirectory(prefix="tlslint-") as folder:
        (Path(folder) / "main.conf").write_bytes(place)
        (Path(folder) / "text.conf").write_bytes(text.encode("utf-8", "surrogateescape"))
        command = [str(binary.path), "-t", "-q", "-p", folder, "-c", f"{folder}/main.conf", "-e", "stderr"]
        return subprocess.run(command, capture_output=True, timeout=20, check=False).stderr
