"""Whether a file is tracked by git, told from the checkout's index: nothing is executed, no content is read.

The index's format is described in git's `Documentation/gitformat-index`.
"""

import mmap
import os
from functools import lru_cache

_HEADER_BYTES = 12
_FIXED_BYTES = 62
"""Of an entry: stat data, SHA-1 and flags, which stand before the path."""
_LENGTH_MASK = 0xFFF
_EXTENDED = 0x4000
_MAX_POINTER_BYTES = 4096


def checkout_of(path: str) -> str | None:
    """Return the top directory of the git checkout that holds a path of this machine (links resolved), or None."""
    return _checkout(os.path.dirname(path))


@lru_cache(maxsize=4096)
def _checkout(folder: str) -> str | None:
    if os.path.lexists(os.path.join(folder, ".git")):
        return folder
    parent = os.path.dirname(folder)
    return None if parent == folder else _checkout(parent)


def is_tracked(path: str) -> bool:
    """Whether the file is in the index of its checkout; False where there is none, or one that cannot be read."""
    top = checkout_of(path)
    if top is None:
        return False
    return _is_listed(os.path.join(_git_directory(top), "index"), os.fsencode(os.path.relpath(path, top)))


def _git_directory(top: str) -> str:
    """Return the directory that `.git` is, or that it names (in worktrees and submodules)."""
    directory = os.path.join(top, ".git")
    if os.path.isdir(directory):
        return directory
    # only here: most runs read no certificate
    from tlslint.pki.bundle import read_bounded

    try:
        pointer = read_bounded(directory, _MAX_POINTER_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return directory
    return os.path.join(top, pointer.removeprefix("gitdir:").strip())


def _is_listed(index: str, name: bytes) -> bool:
    try:
        with open(index, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            version = int.from_bytes(data[4:8], "big")
            if data[:4] != b"DIRC":
                return False
            if version == 4:
                return name in _compressed_names(data)
            return _finds(data, name)
    except (OSError, ValueError, IndexError):  # an empty or damaged index says nothing
        return False


def _finds(data: mmap.mmap, name: bytes) -> bool:
    """Versions 2 and 3 spell every path out, after its length: no need to walk through all of them."""
    length = min(len(name), _LENGTH_MASK)
    at = data.find(name + b"\0")
    while at >= 0:
        flags = int.from_bytes(data[at - 2 : at], "big")
        extended = int.from_bytes(data[at - 4 : at - 2], "big")
        if flags & _LENGTH_MASK == length or (extended & _EXTENDED and extended & _LENGTH_MASK == length):
            return True
        at = data.find(name + b"\0", at + 1)
    return False


def _compressed_names(data: mmap.mmap) -> set[bytes]:
    """Version 4 drops from each path what it has in common with the one before."""
    names = set()
    name, at = b"", _HEADER_BYTES
    for _ in range(int.from_bytes(data[8:12], "big")):
        flags = int.from_bytes(data[at + _FIXED_BYTES - 2 : at + _FIXED_BYTES], "big")
        at += _FIXED_BYTES + (2 if flags & _EXTENDED else 0)
        dropped = data[at] & 0x7F
        while data[at] & 0x80:
            at += 1
            dropped = (dropped + 1 << 7) | data[at] & 0x7F
        end = data.find(b"\0", at + 1)
        name = name[: len(name) - dropped] + data[at + 1 : end]
        names.add(name)
        at = end + 1
    return names
