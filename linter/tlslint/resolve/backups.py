"""Copies and switched-off files that a mask takes along: editors, package managers and people leave them behind."""

import posixpath
from collections.abc import Iterable, Iterator

from tlslint.parse.tree import Argument
from tlslint.resolve.model import Problem

_ENDINGS = (
    "~", ".bak", ".backup", ".old", ".orig", ".save", ".rej", ".swp", ".tmp", ".disabled", ".inactive", ".off",
    ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-bak", ".ucf-old", ".ucf-dist", ".ucf-new",
    ".rpmsave", ".rpmnew", ".rpmorig",
)  # fmt: skip
"""What editors (`~`, `.swp`), dpkg, ucf and rpm append to names, and what people do."""


def backups(argument: Argument, paths: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each file of an include's mask, given by server path, that nobody means to be read."""
    for path in paths:
        if path.endswith(_ENDINGS):
            name = posixpath.basename(path)
            yield Problem(
                "included-backup",
                f'"{name}" is read like every other file of "{argument}"',
                argument.span,
                "warning",
                label=f"takes {name} along",
                help="move it out of this directory, or include names with an ending: *.conf",
            )
