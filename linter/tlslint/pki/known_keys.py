"""RSA keys whose private half is no secret: told by lists, of which one comes with tlslint and others the user has.

A key is looked for by the last twenty hexadecimal digits of the SHA-1 of the line that `openssl rsa -modulus` prints,
as in Debian's `openssl-blacklist`. The exponent does not matter: it has no part in how the primes were found.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha1
from typing import Final

from tlslint.pki.bundle import read_bounded
from tlslint.record import dataclass
from tlslint.regex import regex

SYSTEM_LISTS: Final = "/usr/share/openssl-blacklist"
"""Where Debian's package put its lists."""

_LIST_FILES = "blacklist.RSA-*"
_FINGERPRINT_BYTES = 10
_COMMENT = regex(rb"#[^\n]*")
_ENTRY = regex(rb"[0-9a-f]{20}")
_DIGITS = 2 * _FINGERPRINT_BYTES


class KeyListError(Exception):
    """A list of keys that cannot be used; the message starts with the file and, where it can be told, the line."""


def fingerprint(modulus: int) -> bytes:
    """Return by what a key is listed."""
    return sha1(b"Modulus=%X\n" % modulus, usedforsecurity=False).digest()[-_FINGERPRINT_BYTES:]


# the list that comes with tlslint


def made_by_debian(modulus: int) -> bool:
    """Whether a key is among those that Debian's OpenSSL made, as far as they are listed here (CVE-2008-0166).

    The list has the first 48 bits of each fingerprint: another key stands in it with a chance of one in a thousand
    million.
    """
    path = _shipped_list(modulus.bit_length())
    return path is not None and fingerprint(modulus) in _packed(path)


@cache
def _shipped_list(bits: int) -> str | None:
    path = os.path.join(os.path.dirname(__file__), "data", f"debian-rsa-{bits}.keys")
    return path if os.path.isfile(path) else None


@cache
def _packed(path: str) -> "PackedKeys":
    with open(path, "rb") as file:
        return PackedKeys(file.read())


class PackedKeys:
    """Many fingerprints, cut off after six bytes, in a file that is searched as it is.

    First come 256 numbers of four bytes: how many keys there are before those with this first byte. Then 65536 bytes:
    how many keys have these two first bytes. Then four bytes of each key, in order.
    """

    __slots__ = ("_data",)

    _STARTS, _COUNTS, _KEPT = 4 * 256, 1 << 16, 4

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return (len(self._data) - self._STARTS - self._COUNTS) // self._KEPT

    def __contains__(self, wanted: bytes) -> bool:
        data, counts = self._data, self._STARTS
        first, second = wanted[0], wanted[1]
        page = counts + (first << 8)
        start = int.from_bytes(data[4 * first : 4 * first + 4]) + sum(data[page : page + second])
        keys = counts + self._COUNTS + self._KEPT * start
        tail = wanted[2 : 2 + self._KEPT]
        return any(data[at : at + self._KEPT] == tail for at in range(keys, keys + 4 * data[page + second], 4))


# lists that the user has


@dataclass(frozen=True, slots=True)
class KeyList:
    """A file with fingerprints, each of ten bytes, in order."""

    name: str
    entries: bytes

    def __len__(self) -> int:
        return len(self.entries) // _FINGERPRINT_BYTES

    def __contains__(self, wanted: bytes) -> bool:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self.entries[middle * _FINGERPRINT_BYTES : (middle + 1) * _FINGERPRINT_BYTES]
            if found == wanted:
                return True
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return False


@cache
def key_lists(names: tuple[str, ...]) -> tuple[KeyList, ...]:
    """Return the lists in files and directories; raises `KeyListError`."""
    return tuple(_list(path) for name in names for path in _files(name))


def listed(modulus: int, lists: Sequence[KeyList]) -> str | None:
    """Return the name of the first list that has a key, or None."""
    wanted = fingerprint(modulus) if lists else b""
    return next((one.name for one in lists if wanted in one), None)


def _files(name: str) -> list[str]:
    # few runs have lists of their own
    from pathlib import Path

    folder = Path(name)
    try:
        if not folder.is_dir():
            return [name]
        found = sorted(str(path) for path in folder.glob(_LIST_FILES))
    except OSError as error:
        raise KeyListError(f"{name}: {error.strerror or error}") from error
    if not found:
        raise KeyListError(f"{name}: there is no list of keys ({_LIST_FILES}) in this directory")
    return found


def _list(name: str) -> KeyList:
    try:
        data = read_bounded(name)
    except OSError as error:
        raise KeyListError(f"{name}: {error.strerror or error}") from error
    words = _COMMENT.sub(b"", data.lower()).split()
    digits = b"".join(sorted(words))
    if not set(map(len, words)) <= {_DIGITS} or digits.strip(b"0123456789abcdef"):
        raise KeyListError(next(_wrong_lines(name, data)))
    return KeyList(name, bytes.fromhex(digits.decode()))


def _wrong_lines(name: str, data: bytes) -> Iterator[str]:
    for number, line in enumerate(data.split(b"\n"), 1):
        for word in line.partition(b"#")[0].split():
            if not _ENTRY.fullmatch(word.lower()):
                column = line.index(word) + 1
                yield f"{name}:{number}:{column}: a key is listed by 20 hexadecimal digits, not by {_shown(word)}"


def _shown(word: bytes) -> str:
    text = word[:40].decode(errors="replace")
    return f'"{text}"' if text.isprintable() else "these bytes"
