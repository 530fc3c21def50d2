"""Certificates and keys, read by worker processes while the configuration that names them is still being parsed.

What is worth reading is found by a search for the usual lines; a name that this misses, or misreads, is merely read
later or in vain. Nothing is read that `Files` would not read, and what it says is the same either way.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tlslint.regex import regex
from tlslint.resolve.include import Contents, Unreadable
from tlslint.workers import Pending, Workers

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle
    from tlslint.resolve.include import Files

_FILES_IN_A_TASK = 50
_MAX_TASKS = 1000

# found much sooner by the line end before it than by the start of its line
_NAMED = regex(r"""\n[ \t]*+ssl_certificate(_key)?[ \t]+(["']?)([^\s;"'{}$\\]+)\2[ \t]*;""")


class Task(NamedTuple):
    """Configuration files, and whether what they name is to be read, or to be looked at closely.

    Everything is read first: what kind of key a certificate has is asked soon, whatever else it says much later.
    """

    paths: Sequence[str]
    closely: bool


class Read(NamedTuple):
    """What came of one task."""

    paths: list[str]
    """The server paths of the files that were to be read."""
    files: Contents
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
        named = [self._named(path) for path in task.paths]
        certificates = list(chain.from_iterable(certificates for certificates, _ in named))
        keys = list(chain.from_iterable(keys for _, keys in named))
        bundles = [self._files.bundle(path) for path in certificates]
        if task.closely:
            return Read([], Contents({}, {}, {}), dict(_facts(bundles)))
        for path in keys:
            self._files.private_key(path)
        _tell_kinds(bundles)
        paths = [*certificates, *keys]
        return Read(paths, self._files.contents(paths), {})

    def _named(self, path: str) -> tuple[list[str], list[str]]:
        """Return the server paths of the certificates and of the keys that a configuration file names."""
        found = self._names.get(path)
        if found is None:
            found = self._names[path] = [], []
            source = self._files.source(path)
            text = "" if isinstance(source, Unreadable) else source.text
            for is_key, _, name in _NAMED.findall("\n" + text):
                if not name.startswith(("data:", "engine:", "store:")):
                    found[bool(is_key)].append(self._files.resolve(name, self._base))
        return found


def _tell_kinds(bundles: Iterable["Bundle | Unreadable"]) -> None:
    """Have known what kinds of keys servers' own certificates have."""
    for bundle in bundles:
        for leaf in () if isinstance(bundle, Unreadable) else bundle.certificates[:1]:
            _ = leaf.key_type, leaf.key_bits, leaf.curve


def _facts(bundles: Iterable["Bundle | Unreadable"]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what rules will surely ask of certificates and reading them did not tell yet, by SHA-256."""
    for bundle in bundles:
        served = () if isinstance(bundle, Unreadable) else bundle.certificates
        told = [certificate.facts.keys() - {"_signed_by"} for certificate in served]
        for certificate, issuer in pairwise(served):
            certificate.issued_by(issuer)
        for certificate, names in zip(served, told, strict=True):
            certificate.work_out()
            yield certificate.sha256, {name: fact for name, fact in certificate.facts.items() if name not in names}
