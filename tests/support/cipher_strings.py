"""Cipher strings for the comparison with real libraries: random ones, and those of real configuration files."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from tlslint.tls import ciphers

_DIRECTIVE = re.compile(
    rb"""^[ \t]*(?:ssl_ciphers|proxy_ssl_ciphers|SSLCipherSuite|SSLProxyCipherSuite)[ \t]+(?:SSL[ \t]+)?"""
    rb"""("[^"]*"|'[^']*'|[^\s;]+)""",
    re.MULTILINE | re.IGNORECASE,
)
_NONSENSE = (
    "FOO",
    "aes128",
    "high",
    "default",
    "DEFAULT",
    "SUITEB128",
    "TLSv1.3",
    "TLS_AES_128_GCM_SHA256",
    "AES_128",
    "*",
    "",
)
_COMMANDS = (
    "@STRENGTH",
    "@STRENGTH",
    "@SECLEVEL=0",
    "@SECLEVEL=1",
    "@SECLEVEL=2",
    "@SECLEVEL=5",
    "@SECLEVEL=6",
    "@strength",
    "@FOO",
    "@",
)
_STARTS = ("", "", "", "", "ALL:", "DEFAULT:", "DEFAULT", "HIGH:", "ALL:COMPLEMENTOFALL:", "SUITEB192:", "DEFAULT+")
_SEPARATORS = (":", " ", ",", ";", "::", ", :", "", "\t", "_", "+", "\n", "é")
_SEPARATOR_WEIGHTS = (60, 8, 8, 3, 2, 3, 2, 0.2, 0.2, 0.2, 0.1, 0.1)


class Generator:
    """Cipher strings for one library, from its own words, those of other libraries, and things that are no words."""

    def __init__(self, openssl: ciphers.OpenSSL, seed: object) -> None:
        self.random = random.Random(f"{openssl.version} {seed}")
        self.aliases = sorted(ciphers.known_aliases())
        self.own_aliases = sorted(openssl.aliases)
        self.names = [suite.name for suite in openssl.suites]
        self.standard_names = [suite.standard_name for suite in openssl.suites]
        self.all_names = sorted(ciphers.KNOWN)

    def _word(self) -> str:
        kinds = (self.own_aliases, self.aliases, self.names, self.standard_names, self.all_names, _NONSENSE)
        return self.random.choice(self.random.choices(kinds, (40, 15, 30, 4, 5, 3))[0])

    def _token(self) -> str:
        if self.random.random() < 0.05:
            return self.random.choice(_COMMANDS)
        operator = self.random.choices(("", "+", "-", "!"), (6, 2, 2, 1))[0]
        words = self.random.choices((1, 2, 3), (6, 3, 1))[0]
        return operator + "+".join(self._word() for _ in range(words))

    def string(self) -> str:
        """One random string."""
        parts = [self.random.choice(_STARTS)]
        for _ in range(self.random.randint(1, 12)):
            parts += self._token(), self.random.choices(_SEPARATORS, _SEPARATOR_WEIGHTS)[0]
        return "".join(parts)

    def strings(self, count: int) -> list[str]:
        """``count`` random strings."""
        return [self.string() for _ in range(count)]


def from_files(folder: Path) -> Iterator[str]:
    """The cipher strings in all files below ``folder``, each once; variables and templates stay as they are written."""
    seen = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        for match in _DIRECTIVE.finditer(path.read_bytes()):
            text = match[1].decode("utf-8", "replace").strip("\"'")
            if text not in seen:
                seen.add(text)
                yield text
