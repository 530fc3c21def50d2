"""What a finding is recognised by after the file around it was edited: never by its line.

A fingerprint is made of the rule, the file's path, the directive and the text that the finding points at, the blocks
around it by their own names (`server shop.example.org/location /admin/`), and a number among those that are equal in
all of this. So it stays when lines come and go above, when hosts are sorted anew, and when a host listens elsewhere.
"""

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tlslint.finding import Finding
from tlslint.parse.tree import Directive, Source, Tree

VERSION = "tlslint/1"
"""Changes when the same finding would get another fingerprint than before."""
LENGTH = 32
"""Hexadecimal digits: 128 bits, as most readers of fingerprints expect."""

_HOST_NAMES = {"server": ("server_name", "listen"), "virtualhost": ("servername", "serveralias")}
_WRAPPERS = frozenset(
    ["http", "stream", "mail", "ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"]
)
"""Blocks that say nothing about what is in them: wrapping a host in one makes it no other host."""


def fingerprints(findings: Iterable[Finding], base: str | None = None) -> list[str]:
    """Return the fingerprint of each finding; paths count from `base` (default: the current directory).

    Equal findings are numbered in order of their place, however the findings are sorted.
    """
    # slow to import, and most runs need none
    from hashlib import sha256

    listed = list(findings)
    contexts = _Contexts()
    known = [_identity(finding, contexts, base) for finding in listed]
    numbers = Counter[tuple[str, ...]]()
    made = [""] * len(listed)
    for index in sorted(range(len(listed)), key=lambda index: listed[index].sort_key):
        identity = known[index]
        numbers[identity] += 1
        text = "\0".join((VERSION, *identity, str(numbers[identity])))
        made[index] = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:LENGTH]
    return made


def relative_path(path: str, base: str | None = None) -> str:
    """Return a path as seen from `base`: relative if it lies below, else as it is; always with forward slashes."""
    if path.startswith("<"):
        return path  # standard input
    start = os.path.abspath(base or os.curdir)
    full = os.path.abspath(path)
    if full == start or full.startswith(start.rstrip(os.sep) + os.sep):
        return os.path.relpath(full, start).replace(os.sep, "/")
    if os.path.isabs(path):
        return os.path.normpath(path).replace(os.sep, "/")
    return os.path.relpath(full, start).replace(os.sep, "/")


def _identity(finding: Finding, contexts: "_Contexts", base: str | None) -> tuple[str, ...]:
    source = finding.span.source
    directive, blocks = contexts.around(source, finding.span.start)
    text = " ".join(finding.span.text.split())
    return finding.code, relative_path(source.path, base), blocks, directive, text


class _Contexts:
    """The blocks around any offset of any source; each source is parsed once."""

    def __init__(self) -> None:
        self._trees: dict[int, Tree] = {}

    def around(self, source: Source, offset: int) -> tuple[str, str]:
        """Return the name of the directive at an offset, and the names of the blocks that it stands in."""
        tree = self._trees.get(id(source))
        if tree is None:
            tree = self._trees[id(source)] = _parsed(source)
        path = list(_containing(tree.directives, offset))
        if not path:
            return "", ""
        last = path[-1]
        if last.block is not None and last.block_start is not None and offset > last.block_start:
            # in a block, but on none of its directives
            return "", "/".join(filter(None, map(_block_name, path)))
        inside = path if last.block is not None else path[:-1]
        return last.name.lower(), "/".join(filter(None, map(_block_name, inside)))


def _parsed(source: Source) -> Tree:
    from tlslint.sniff import server_kind

    if server_kind(source.parsed_text) == "apache":
        from tlslint.parse.apache import parse as parse_apache

        return parse_apache(source)
    from tlslint.parse.nginx import parse as parse_nginx

    return parse_nginx(source)


def _containing(directives: Sequence[Directive], offset: int) -> Iterator[Directive]:
    """Yield the directives around an offset, outermost first."""
    block: Sequence[Directive] | None = directives
    while block:
        at = bisect_right(block, offset, key=lambda directive: directive.start) - 1
        if at < 0 or offset >= block[at].end:
            return
        yield block[at]
        block = block[at].block


def _block_name(directive: Directive) -> str:
    """Return what a block is called by whoever edits it; nothing for one that says nothing about what is in it."""
    name = directive.name.lower()
    if name in _WRAPPERS:
        return ""
    if name in _HOST_NAMES:
        return f"{name} {_host(directive, _HOST_NAMES[name])}".rstrip()
    return " ".join([name, *directive.arguments])


def _host(directive: Directive, named_by: tuple[str, ...]) -> str:
    for wanted in named_by:
        for inner in directive.block or ():
            if inner.name.lower() == wanted and inner.arguments and inner.arguments[0]:
                return inner.arguments[0]
    return " ".join(directive.arguments)
