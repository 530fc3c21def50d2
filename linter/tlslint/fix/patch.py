"""Changes as a patch that `git apply` and `patch -p1` take, in the bytes of the files themselves."""

import os
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tlslint.fix.engine import Change
from tlslint.regex import regex

CONTEXT = 3
_SPECIAL = regex(r'[\x00-\x1f"\\\x7f-\udfff]')
_KEY = b"PRIVATE KEY-----"


def base_of(changes: Sequence[Change], current: str) -> str:
    """Return the directory in which a patch is to be applied: the current one, or `/` if a file lies elsewhere."""
    here = os.path.realpath(current)
    inside = all(change.file.startswith(here.rstrip("/") + "/") for change in changes)
    return here if inside else "/"


def holds_key(change: Change) -> bool:
    """Whether a patch could show a part of a private key."""
    return _KEY in change.before or _KEY in change.after


def patch(changes: Sequence[Change], base: str) -> bytes:
    """Return the patch of files, to be applied in `base`."""
    return b"".join(piece for change in sorted(changes, key=lambda one: one.file) for piece in _file(change, base))


def _file(change: Change, base: str) -> Iterator[bytes]:
    name = os.path.relpath(change.file, base)
    yield b"--- " + _name(f"a/{name}") + b"\n"
    yield b"+++ " + _name(f"b/{name}") + b"\n"
    old, new = _lines(change.before), _lines(change.after)
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield b"@@ -%s +%s @@\n" % (_range(first[1], last[2]), _range(first[3], last[4]))
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from map(_line, [b" "] * (old_end - old_start), old[old_start:old_end])
                continue
            yield from map(_line, [b"-"] * (old_end - old_start), old[old_start:old_end])
            yield from map(_line, [b"+"] * (new_end - new_start), new[new_start:new_end])


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    ended = [line + b"\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> bytes:
    length = end - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)


def _name(name: str) -> bytes:
    """Write a name as git does: in quotes with octal escapes where it holds anything unusual."""
    if not _SPECIAL.search(name):
        # a tab ends a name that has spaces
        return os.fsencode(name) + (b"\t" if " " in name else b"")
    quoted = b'"'
    for byte in os.fsencode(name):
        if byte in b'"\\':
            quoted += b"\\" + bytes([byte])
        elif byte < 0x20 or byte >= 0x7F:
            quoted += b"\\%03o" % byte
        else:
            quoted += bytes([byte])
    return quoted + b'"'
