"""Certificates and keys, read by worker processes while the configuration that names them is still being parsed.

What is worth reading is found by a search for the usual lines; a name that this misses, or misreads, is merely read
later or in vain. Nothing is read that `Files` would not read, and what it says is the same either way.
"""

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tlslint.regex import regex
from tlslint.resolve.include import Unreadable
from tlslint.workers import Pending, Workers

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, KeyFacts
    from tlslint.resolve.include import Files

_FILES_IN_A_TASK = 50
_MAX_TASKS = 2000

_NAMED = regex(r"""^[ \t]*ssl_certificate(_key)?[ \t]+(["']?)([^\s;"'{}$\\]+)\2[ \t]*;""", re.MULTILINE)


class Read(NamedTuple):
    """What was read for one task."""

    paths: set[str]
    """The server paths of the files that were to be read."""
    hosts: dict[str, str]
    """Where they are on the host, as far as they are there."""
    bundles: dict[str, "Bundle | Unreadable"]
    """What they hold, by host path."""
    keys: dict[str, "KeyFacts | Unreadable"]
    """The same of keys, by server path."""


def start(workers: Workers, files: "Files", paths: Sequence[str], base: str) -> Pending[Sequence[str], Read]:
    """Let workers read what these nginx files name, relative names being taken from `base`."""
    size = max(_FILES_IN_A_TASK, -(-len(paths) // _MAX_TASKS))
    tasks = [paths[start : start + size] for start in range(0, len(paths), size)]
    return workers.start(tasks, partial(_read, files, base))


def _read(files: "Files", base: str, paths: Sequence[str]) -> Read:
    """Read what some configuration files name, each file once in this process."""
    read = Read(set(), {}, {}, {})
    with files.newly_read(read):
        for path in paths:
            source = files.source(path)
            for is_key, _, name in _NAMED.findall("" if isinstance(source, Unreadable) else source.text):
                named = files.resolve(name, base)
                read.paths.add(named)
                if is_key:
                    files.private_key(named)
                elif not name.startswith(("data:", "engine:", "store:")):
                    _work_out(files.bundle(named))
    return read


def _work_out(bundle: "Bundle | Unreadable") -> None:
    """Work out what rules will surely ask for, so that it is handed over with the certificates."""
    if isinstance(bundle, Unreadable):
        return
    chain = bundle.certificates
    for certificate in chain:
        certificate.work_out()
    for certificate, issuer in pairwise(chain):
        certificate.issued_by(issuer)
