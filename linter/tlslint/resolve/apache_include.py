"""Which files an Apache `Include` means, in the order in which httpd reads them."""

import os
import posixpath
from collections.abc import Iterator
from typing import Final, NamedTuple

from tlslint.resolve.include import Files, Unreadable, compiled_mask

MAX_DIRECTORY_DEPTH: Final = 128
"""Directories below a directory that is included (AP_MAX_INCLUDE_DIR_DEPTH)."""
MAX_FILES: Final = 200_000
"""Files that one include may mean before the rest is left out."""


class Step(NamedTuple):
    """A file to be read, or (with a `failure`) something that cannot be."""

    path: str
    failure: Unreadable | None = None


def is_mask(path: str) -> bool:
    """Whether httpd takes a path for a pattern (apr_fnmatch_test): an open bracket alone does not make it one."""
    brackets = 0
    at = 0
    while at < len(path):
        char = path[at]
        if char in "*?":
            return True
        if char == "\\":
            at += 1
        elif char == "[":
            brackets += 1
        elif char == "]" and brackets:
            return True
        at += 1
    return False


def included(files: Files, path: str) -> Iterator[Step]:
    """Yield what an include of an absolute server path means; nothing at all for a pattern without a match.

    A pattern is matched component by component, each directory's names in the order of their bytes. In the middle of a
    path it matches directories but no links to any. A directory stands for all files in and below it, hidden ones too.
    """
    if not is_mask(path):
        yield from _file_or_folder(files, path, 0)
        return
    yield from _matched(files, "/", path.lstrip("/").split("/"))


def _matched(files: Files, folder: str, parts: list[str]) -> Iterator[Step]:
    while parts and not is_mask(parts[0]):
        folder = posixpath.join(folder, parts[0])
        parts = parts[1:]
        if not parts:
            yield from _file_or_folder(files, folder, 0)
            return
    names = files.names(folder)
    if isinstance(names, Unreadable):
        yield Step(folder, names)
        return
    pattern = compiled_mask(parts[0])
    for name in names:
        path = posixpath.join(folder, name)
        if not pattern.fullmatch(os.fsencode(name)):
            continue
        if len(parts) == 1:
            yield from _file_or_folder(files, path, 0)
        elif files.kind(path, follow=False) == "folder":
            yield from _matched(files, path, parts[1:])


def _file_or_folder(files: Files, path: str, depth: int) -> Iterator[Step]:
    kind = files.kind(path)
    if isinstance(kind, Unreadable):
        yield Step(path, kind)
    elif kind != "folder":
        yield Step(path)
    elif depth >= MAX_DIRECTORY_DEPTH:
        reason = f"has directories nested more than {MAX_DIRECTORY_DEPTH} deep"
        yield Step(path, Unreadable("too-deep", reason, path))
    else:
        names = files.names(path)
        if isinstance(names, Unreadable):
            yield Step(path, names)
            return
        for name in names:
            yield from _file_or_folder(files, posixpath.join(path, name), depth + 1)


__all__ = ["MAX_FILES", "Step", "included", "is_mask"]
