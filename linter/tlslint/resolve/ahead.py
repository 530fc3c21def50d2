"""Certificates and keys, read by worker processes while the configuration that names them is still being parsed.

What is worth reading is found by a search for the usual lines; a name that this misses, or misreads, is merely read
later or in vain. Nothing is read that `Files` would not read, and what it says is the same either way.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tlslint.regex import regex
from tlslint.resolve.include import Unreadable
from tlslint.workers import Pending, Workers

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, KeyFacts
    from tlslint.resolve.include import Files

_FILES_IN_A_TASK = 50
_MAX_TASKS = 1000

_NAMED = regex(r"""^[ \t]*ssl_certificate(_key)?[ \t]+(["']?)([^\s;"'{}$\\]+)\2[ \t]*;""", re.MULTILINE)


class Task(NamedTuple):
    """Configuration files, and whether what they name is to be read, or to be looked at closely.

    Everything is read first: what kind of key a certificate has is asked soon, whatever else it says much later.
    """

    paths: Sequence[str]
    closely: bool


class Read(NamedTuple):
    """What came of one task."""

    paths: set[str]
    """The server paths of the files that were to be read."""
    hosts: dict[str, str]
    """Where they are on the host, as far as they are there."""
    bundles: dict[str, "Bundle | Unreadable"]
    """What they hold, by host path."""
    keys: dict[str, "KeyFacts | Unreadable"]
    """The same of keys, by server path."""
    facts: dict[str, dict[str, Any]]
    """What was found out about certificates by looking closely, by SHA-256."""


def start(workers: Workers, files: "Files", paths: Sequence[str], base: str) -> Pending[Task, Read]:
    """Let workers read what these nginx files name, relative names being taken from `base`."""
    size = max(_FILES_IN_A_TASK, -(-len(paths) // _MAX_TASKS))
    parts = [paths[start : start + size] for start in range(0, len(paths), size)]
    tasks = [Task(part, closely) for closely in (False, True) for part in parts]
    return workers.start(tasks, _Reader(files, base).do)


class _Reader:
    """Does tasks; what one process has read, or found in a file, it does not read or look for again."""

    def __init__(self, files: "Files", base: str) -> None:
        self._files = files
        self._base = base
        self._names: dict[str, tuple[list[str], list[str]]] = {}

    def do(self, task: Task) -> Read:
        read = Read(set(), {}, {}, {}, {})
        with self._files.newly_read(read):
            for path in task.paths:
                certificates, keys = self._named(path)
                read.paths.update(certificates, keys)
                bundles = [self._files.bundle(name) for name in certificates]
                if task.closely:
                    read.facts.update(_facts(bundles))
                else:
                    for name in keys:
                        self._files.private_key(name)
                    _tell_kinds(bundles)
        return read

    def _named(self, path: str) -> tuple[list[str], list[str]]:
        """Return the server paths of the certificates and of the keys that a configuration file names."""
        found = self._names.get(path)
        if found is None:
            found = self._names[path] = [], []
            source = self._files.source(path)
            for is_key, _, name in _NAMED.findall("" if isinstance(source, Unreadable) else source.text):
                if not name.startswith(("data:", "engine:", "store:")):
                    found[bool(is_key)].append(self._files.resolve(name, self._base))
        return found


def _tell_kinds(bundles: Iterable["Bundle | Unreadable"]) -> None:
    """Have known what kinds of keys servers' own certificates have."""
    for bundle in bundles:
        for leaf in () if isinstance(bundle, Unreadable) else bundle.certificates[:1]:
            _ = leaf.key_type, leaf.key_bits, leaf.curve


def _facts(bundles: Iterable["Bundle | Unreadable"]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what rules will surely ask of certificates, by SHA-256."""
    for bundle in bundles:
        chain = () if isinstance(bundle, Unreadable) else bundle.certificates
        for certificate, issuer in pairwise(chain):
            certificate.issued_by(issuer)
        for certificate in chain:
            certificate.work_out()
            yield certificate.sha256, certificate.facts
