"""The files that a configuration names: where they are, which ones a pattern means, each read and parsed once.

Two spaces of paths meet here. A *server path* is what the configuration calls a file, absolute as on the server
(`/etc/nginx/conf.d/a.conf`); a *host path* is where that file is on this machine. Nothing but `Files` touches the file
system while a configuration is resolved, and it reads nothing outside of what tlslint was pointed at.
"""

import errno
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from tlslint.parse.nginx import parse
from tlslint.parse.template import template_engine
from tlslint.parse.tree import MAX_SOURCE_BYTES, Source, Tree, read_file
from tlslint.parse.tree import Unreadable as ReadError
from tlslint.regex import regex

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, KeyFacts
    from tlslint.resolve.ahead import Read, Task
    from tlslint.workers import Pending, Workers

MAX_LINKS = 40
"""Symbolic links that Linux follows in one path before it gives up."""

MIN_FILES_TO_READ_AHEAD = 256
"""Fewer configuration files are parsed sooner than a worker has begun."""

MAX_HASHED_FILES = 2000
"""Certificates in a directory that are looked at; systems trust a few hundred."""
_HASHED_NAME = regex(r"[0-9a-f]{8}\.r?\d+")

_OUTSIDE = "lies outside of what tlslint was pointed at (--root or path-map says where it is)"
_MAGIC = regex(r"[*?[]")
_ESCAPED = regex(r"\\(.)", re.DOTALL)
_FILE_TYPES = {
    stat.S_IFDIR: "is a directory",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}


class Unreadable:
    """Why the content of a server path is not known.

    `kind` is `missing` (the server would not find it here either), `outside` (tlslint may not look there), `unreadable`
    (refused by the system), `not-a-file`, `too-large` or `template` (to be filled in by another program first);
    `reason` is a clause for the reader.
    """

    __slots__ = ("kind", "path", "reason")

    def __init__(self, kind: str, reason: str, path: str) -> None:
        self.kind = kind
        self.reason = reason
        self.path = path

    def __repr__(self) -> str:
        return f"Unreadable({self.kind!r}, {self.reason!r}, {self.path!r})"


class _Area(NamedTuple):
    """A part of the server's file system that tlslint may see: its server path, host path, and name for the user."""

    server: str
    host: str
    shown: str


class _Found(NamedTuple):
    """Where a server path is on the host, links resolved, and what is there."""

    host: str
    status: os.stat_result


class Contents(NamedTuple):
    """What certificate and key files hold."""

    hosts: dict[str, str]
    """Where they are, by server path, as far as they are there."""
    bundles: dict[str, "Bundle | Unreadable"]
    """Certificates, by host path."""
    keys: dict[str, "KeyFacts | Unreadable"]
    """Keys, by server path."""


class Files:
    """The files of one or more configurations, as far as they may be seen.

    `allowed` are host paths that may be read (a directory with all below it, or one file); `root` is the host directory
    that stands for the server's `/`; `path_map` gives host directories for server paths, the longest match wins.
    `dump` holds the configuration files by server path (from `nginx -T`): configuration then comes from there alone.
    `overlay` has the contents, by host path, that files are to have instead of their own.
    `workers` may read certificates while configuration is being parsed.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[str] = (),
        root: str | None = None,
        path_map: Mapping[str, str] | None = None,
        dump: Mapping[str, Source] | None = None,
        overlay: Mapping[str, bytes] | None = None,
        workers: "Workers | None" = None,
    ) -> None:
        self.reads = 0
        """How many files were read from the file system so far."""
        self.whole_machine = root is not None and os.path.realpath(root) == "/"
        """Whether `/` is this machine's own: what is missing then is known to be missing on the server."""
        self._current = os.getcwd()
        self._dump = None if dump is None else {_normal(path): source for path, source in dump.items()}
        self._mapped: list[_Area] = []
        self._areas: dict[str, _Area] = {}
        self._assumed: list[str] = []
        self._map(root, path_map or {})
        for path in allowed:
            self.allow(path)
        self._shown: dict[str, str] = {}
        """How the names of files in a server directory begin for the user."""
        self._folders: dict[str, str | Unreadable] = {}
        self._expanded: dict[str, list[str] | Unreadable] = {}
        self._included: dict[tuple[str, str], list[str] | Unreadable] = {}
        self._entries: dict[str, dict[str, bool] | Unreadable] = {}
        self._plain: dict[str, str] = {}
        self._sources: dict[str, Source | Unreadable] = {}
        self._trees: dict[str, Tree | Unreadable] = {}
        self._apache_trees: dict[str, Tree | Unreadable] = {}
        self._bundles: dict[str, Bundle | Unreadable] = {}
        self._hashed: dict[str, Bundle | Unreadable] = {}
        self._keys: dict[str, KeyFacts | Unreadable] = {}
        self._workers = workers
        self._ahead: Pending[Task, Read] | None = None
        self._read_by_workers: set[str] = set()
        self._certificate_sources: dict[str, Source] = {}
        self._overlay = overlay or {}
        self._hosts: dict[int, str] = {}
        self._hosted = 0
        self._added: set[str] = set()

    def _map(self, root: str | None, path_map: Mapping[str, str]) -> None:
        pairs = [(_normal(server), host) for server, host in path_map.items()]
        if root is not None and all(server != "/" for server, _ in pairs):
            pairs.append(("/", root))
        self._mapped = [_Area(server, os.path.abspath(host), host) for server, host in pairs]
        self._areas = {area.server: area for area in self._mapped}

    def allow(self, host_path: str) -> None:
        """Let a host path be read, with all below it if it is a directory."""
        host = os.path.abspath(host_path)
        server = self.server_path(host)
        if self._mapping_of(host) is not None:
            # seen already, and by another name
            return
        self._areas[server] = _Area(server, host, host_path)
        real = os.path.realpath(host)
        if os.path.isdir(real):
            # absolute links inside may use the real name of a directory that was named through a link
            self._areas.setdefault(real, _Area(real, real, real))

    def assume(self, server_folder: str, host_folder: str) -> bool:
        """Take a directory that may be read for one that the configuration names; False where that one is known."""
        if self._dump is not None or self._area_of(server_folder) is not None:
            return False
        host = os.path.abspath(host_folder)
        self._areas[server_folder] = _Area(server_folder, host, host_folder)
        self._assumed.append(server_folder)
        for remembered in (self._folders, self._entries, self._expanded, self._included):
            remembered.clear()  # as out of sight
        return True

    def is_assumed(self, server_path: str) -> bool:
        """Whether a server path was only taken for one that may be read, so that its absence proves nothing."""
        return any(_is_below(server_path, folder) for folder in self._assumed)

    # paths

    def server_path(self, host_path: str) -> str:
        """Return what the server calls a host path: undoes `path_map` and `root`."""
        host = os.path.abspath(host_path)
        area = self._mapping_of(host)
        return _normal(host if area is None else area.server + "/" + host[len(area.host) :])

    def _mapping_of(self, host: str) -> _Area | None:
        areas = [area for area in self._mapped if _is_below(host, area.host)]
        return max(areas, key=lambda area: len(area.host), default=None)

    def resolve(self, name: str, base: str) -> str:
        """Return the server path that a name in a configuration means, relative names being taken from `base`."""
        path = posixpath.join(base, name)
        mask = _MAGIC.search(path) if "/.." in path else None
        if mask is None:
            return _normal(path)
        # what comes after a mask is the file system's to say
        folder, _, rest = path[: mask.start()].rpartition("/")
        return f"{_normal(folder).rstrip('/')}/{rest}{path[mask.start() :]}"

    def display_path(self, server_path: str) -> str:
        """Return a server path as the user knows it: below the current directory relative, else as it was given."""
        folder, _, name = server_path.rpartition("/")
        if server_path in self._areas or not name:
            return self._display(server_path)
        shown = self._shown.get(folder)
        if shown is None:
            shown = self._display(folder or "/")
            shown = self._shown[folder] = "" if shown == "." else os.path.join(shown, "")
        return shown + name

    def _display(self, server_path: str) -> str:
        area = self._area_of(server_path)
        if area is None:
            return server_path
        rest = server_path[len(area.server) :].lstrip("/")
        host = os.path.join(area.host, rest) if rest else area.host
        if _is_below(host, self._current):
            return os.path.relpath(host, self._current)
        return os.path.join(area.shown, rest) if rest else area.shown

    def _area_of(self, server_path: str) -> _Area | None:
        areas = self._areas
        path = server_path
        while path not in areas:
            if path == "/":
                return None
            path = posixpath.dirname(path)
        return areas[path]

    def _locate(self, path: str) -> _Found | Unreadable:
        """Find the host path of a server path, following links as the server would if `/` were where we see it."""
        parent, _, name = path.rpartition("/")
        if path not in self._areas and name not in ("", ".", ".."):
            folder = self._folder(parent or "/")
            if isinstance(folder, Unreadable):
                return Unreadable(folder.kind, folder.reason, path)
            host = f"{folder.rstrip('/')}/{name}"
            status = _status(host, path)
            if isinstance(status, Unreadable) or not stat.S_ISLNK(status.st_mode):
                return status if isinstance(status, Unreadable) else _Found(host, status)
        return self._follow(path, path, 0)

    def _folder(self, path: str) -> str | Unreadable:
        """Find the host directory of a server directory; remembered, since files share their directories."""
        known = self._folders.get(path)
        if known is None:
            found = self._follow(path, path, 0)
            if isinstance(found, Unreadable):
                known = found
            elif not stat.S_ISDIR(found.status.st_mode):
                known = Unreadable("missing", f"{path} is not a directory", path)
            else:
                known = found.host
            self._folders[path] = known
        return known

    def _follow(self, path: str, asked: str, links: int) -> _Found | Unreadable:
        path = _normal(path)
        area = self._area_of(path)
        if area is None:
            reason = _OUTSIDE if path == asked else f"a symbolic link to {path}, which is {_OUTSIDE}"
            return Unreadable("outside", reason, asked)
        host, server = area.host, area.server
        status = _status(host, asked, follow=True)
        names = path[len(area.server) :].strip("/").split("/")
        for index, name in enumerate(names if names != [""] else []):
            if isinstance(status, Unreadable):
                break
            here, server = host, _normal(f"{server}/{name}")
            host = os.path.join(host, name)
            status = _status(host, asked)
            if not isinstance(status, Unreadable) and stat.S_ISLNK(status.st_mode):
                if links == MAX_LINKS:
                    return Unreadable("missing", "symbolic links that lead in a circle", asked)
                target = self._link_target(host, here, posixpath.dirname(server))
                return self._follow(_normal("/".join([target, *names[index + 1 :]])), asked, links + 1)
        if isinstance(status, Unreadable):
            if links and status.kind == "missing":
                return Unreadable("missing", f"a symbolic link to {path}, which does not exist", asked)
            return status
        return _Found(host, status)

    def _link_target(self, link: str, host_folder: str, server_folder: str) -> str:
        """Return the server path that a link means: as in a chroot, else as where the link lies on this machine."""
        target = os.readlink(link)
        meant = _normal(posixpath.join(server_folder, target))
        if not posixpath.isabs(target) and self._area_of(meant) is None:
            return self.server_path(os.path.join(host_folder, target))
        return meant

    # patterns

    def expand(self, server_pattern: str) -> list[str] | Unreadable:
        """Return the server paths that an include means, in the order in which nginx reads them.

        A name without `*`, `?` and `[` is that file, or `Unreadable` if it does not exist. Anything else is matched as
        glob(3) does in the C locale: sorted by bytes, hidden files only where a dot is spelt out, nothing at all is
        fine. `Unreadable` when the directory that the pattern starts from cannot be seen, so that nobody can know.
        """
        known = self._expanded.get(server_pattern)
        if known is None:
            known = self._expanded[server_pattern] = self._expand(server_pattern)
        return known

    def included(self, name: str, base: str) -> list[str] | Unreadable:
        """Return the server paths that an include means, as `expand` does, relative names being taken from `base`."""
        known = self._included.get((name, base))
        if known is None:
            # all hosts of a tree include the same few snippets
            known = self._included[str(name), base] = self.expand(self.resolve(name, base))
        return known

    def _expand(self, server_pattern: str) -> list[str] | Unreadable:
        if not _MAGIC.search(server_pattern):
            return self._exists(server_pattern)
        parts = server_pattern.lstrip("/").split("/")
        fixed = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
        folder = "/" + "/".join(map(_unescaped, parts[:fixed]))
        if self._dump is not None:
            matches = self._glob_dump(folder, parts[fixed:])
        else:
            seen = self._list(folder)
            if isinstance(seen, Unreadable):
                return [] if seen.kind == "missing" and self.whole_machine else seen
            matches = list(self._glob(folder, parts[fixed:]))
        return [_normal(path) for path in sorted(matches, key=os.fsencode)]

    def _exists(self, path: str) -> list[str] | Unreadable:
        if self._dump is not None:
            return [path] if path in self._dump else _not_in_dump(path)
        found = self._locate(path)
        return found if isinstance(found, Unreadable) else [path]

    def _glob(self, folder: str, parts: Sequence[str]) -> Iterator[str]:
        part, rest = parts[0], parts[1:]
        entries = self._list(_normal(folder))
        if isinstance(entries, Unreadable):
            if entries.kind == "outside":
                # whatever is there, it stays unknown: reading this path will say so
                yield "/".join([folder, *parts])
            return
        if not _MAGIC.search(part):
            names = [name for name in [_unescaped(part)] if name in entries]
        else:
            pattern = compiled_mask(part)
            names = [name for name in (".", "..", *entries) if pattern.fullmatch(os.fsencode(name))]
        host = str(self._folder(_normal(folder)))
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            if rest:
                yield from self._glob(path, rest)
            else:
                if entries.get(name):
                    self._plain[path] = os.path.join(host, name)
                yield path

    def _glob_dump(self, folder: str, parts: Sequence[str]) -> list[str]:
        patterns = [compiled_mask(part) for part in parts]
        prefix = folder.rstrip("/") + "/"
        matches = []
        for path in self._dump or ():
            names = path[len(prefix) :].split("/") if path.startswith(prefix) else []
            if len(names) == len(patterns) and all(
                pattern.fullmatch(os.fsencode(name)) for pattern, name in zip(patterns, names, strict=True)
            ):
                matches.append(path)
        return matches

    def names(self, folder: str) -> list[str] | Unreadable:
        """Return the names in a server directory, hidden ones too, sorted by bytes."""
        entries = self._list(_normal(folder))
        return entries if isinstance(entries, Unreadable) else sorted(entries, key=os.fsencode)

    def kind(self, path: str, *, follow: bool = True) -> str | Unreadable:
        """Tell whether a server path is a `folder`, a `file`, a `link` (where those are not followed) or `other`."""
        if follow:
            found = self._locate(path)
            if isinstance(found, Unreadable):
                return found
            mode = found.status.st_mode
        else:
            parent, name = posixpath.split(path)
            folder = self._folder(parent)
            if isinstance(folder, Unreadable):
                return folder
            status = _status(os.path.join(folder, name), path)
            if isinstance(status, Unreadable):
                return status
            mode = status.st_mode
        kinds = {stat.S_IFDIR: "folder", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
        return kinds.get(stat.S_IFMT(mode), "other")

    def _list(self, folder: str) -> dict[str, bool] | Unreadable:
        """List the names in a server directory, each with whether it is certainly a regular file (and no link)."""
        known = self._entries.get(folder)
        if known is None:
            host = self._folder(folder)
            known = host if isinstance(host, Unreadable) else _entries_of(host, folder)
            self._entries[folder] = known
        return known

    # contents

    def source(self, server_path: str) -> Source | Unreadable:
        """Return the text of a configuration file, read once; its `path` is the one that the user knows."""
        known = self._sources.get(server_path)
        if known is None:
            if self._dump is not None:
                known = self._dump.get(server_path) or _not_in_dump(server_path)
            else:
                known = self._read(server_path)
            self._sources[server_path] = known
        return known

    def tree(self, server_path: str, server: str = "nginx") -> Tree | Unreadable:
        """Return the configuration file as that server's parser reads it: once, however often it is included.

        A template is `Unreadable`: what the server will read in its place is not known.
        """
        trees = self._trees if server == "nginx" else self._apache_trees
        known = trees.get(server_path)
        if known is None:
            source = self.source(server_path)
            known = source if isinstance(source, Unreadable) else _parse(source, server_path, server)
            trees[server_path] = known
        return known

    @property
    def located(self) -> Iterable[str]:
        """The host paths of the files that were looked for and found."""
        return self._plain.values()

    def trees(self) -> Iterator[Tree]:
        """Yield the configuration files that were parsed so far."""
        every = (*self._trees.values(), *self._apache_trees.values())
        return (tree for tree in every if isinstance(tree, Tree))

    def sources(self) -> Iterator[Source]:
        """Yield the texts of all configuration files that were read so far."""
        return (source for source in self._sources.values() if isinstance(source, Source))

    @property
    def parsed(self) -> int:
        """How many configuration files were parsed so far."""
        return sum(1 for _ in self.trees())

    def add(self, server_path: str, source: Source) -> None:
        """Let a text that is not in any file (standard input) stand for a configuration file."""
        self._sources[server_path] = source
        self._added.add(server_path)

    def forget(self, server_path: str) -> None:
        """Let go of a file that turned out not to be configuration."""
        self._sources.pop(server_path, None)

    def real_path(self, server_path: str) -> str:
        """Return what two names of one file have in common: where it is on the host, or the path if it cannot be read.

        For a configuration that does not come from files that is the server path.
        """
        if self._dump is not None:
            return server_path
        host = self._regular_file(server_path)
        return server_path if isinstance(host, Unreadable) else host

    def data(self, server_path: str) -> bytes | Unreadable:
        """Return the bytes of a file that is not configuration, such as a certificate; never taken from the dump."""
        host = self._regular_file(server_path)
        return host if isinstance(host, Unreadable) else self._data(host, server_path)

    def bundle(self, server_path: str, *, awaited: bool = False) -> "Bundle | Unreadable":
        """Return the certificates in a file; a file is read once by however many names and links it is reached.

        `awaited` is whether a worker may be at it.
        """
        if awaited and self._ahead is not None:
            self._await(server_path)
        host = self._regular_file(server_path)
        if isinstance(host, Unreadable):
            return host
        known = self._bundles.get(host)
        if known is None:
            # most configurations name certificates that are not here
            from tlslint.pki.bundle import read_bundle

            data = self._data(host, server_path)
            known = data if isinstance(data, Unreadable) else read_bundle(data, self.display_path(server_path))
            self._bundles[host] = known
        return known

    def authorities(self, server_path: str) -> "Bundle | Unreadable":
        """Return the CAs and revocation lists in a file, or in a directory as OpenSSL searches it.

        There it opens what is named by the hash of a subject (`5ed36f99.0`) or of a list's issuer (`5ed36f99.r0`), and
        nothing else (X509_LOOKUP_hash_dir(3)); that the hash is the right one is not looked at. A directory without
        such names is a bundle without entries.
        """
        if self.kind(server_path) != "folder":
            return self.bundle(server_path)
        path = _normal(server_path)
        known = self._hashed.get(path)
        if known is None:
            known = self._hashed[path] = self._all_hashed(path)
        return known

    def _all_hashed(self, path: str) -> "Bundle | Unreadable":
        names = self.names(path)
        if isinstance(names, Unreadable):
            return names
        from tlslint.pki.bundle import Bundle

        hashed = [name for name in names if _HASHED_NAME.fullmatch(name)][:MAX_HASHED_FILES]
        bundles = [(name, self.bundle(f"{path}/{name}")) for name in hashed]
        read = [(".r" in name, found) for name, found in bundles if not isinstance(found, Unreadable)]
        return Bundle(
            path=self.display_path(path),
            size=sum(found.size for _, found in read),
            entries=tuple(entry for is_list, found in read if not is_list for entry in found.entries),
            crls=tuple(crl for is_list, found in read if is_list for crl in found.crls),
            problems=tuple(problem for _, found in read if not found.complete for problem in found.problems),
        )

    def private_key(self, server_path: str, *, awaited: bool = False) -> "KeyFacts | Unreadable":
        """Return what may be said of the private keys in a file, read once; `awaited` as for `bundle`."""
        if awaited and self._ahead is not None:
            self._await(server_path)
        known = self._keys.get(server_path)
        if known is None:
            data = self.data(server_path)
            known = self._keys[server_path] = data if isinstance(data, Unreadable) else key_facts(data)
        return known

    # ahead

    def read_ahead(self, server_paths: Sequence[str], base: str) -> None:
        """Let workers read the certificates that these nginx files name, if there are enough files to be worth it."""
        if self._workers is None or self._ahead is not None or self._workers.jobs == 1 or self._dump is not None:
            return
        if len(server_paths) >= MIN_FILES_TO_READ_AHEAD:
            # only here: small runs have nothing to read ahead
            from tlslint.resolve.ahead import start

            self._ahead = start(self._workers, self, server_paths, base)

    def _await(self, server_path: str) -> None:
        """Take what workers have read until a file is among it, or until there is no more."""
        while server_path not in self._read_by_workers and self._ahead is not None:
            self._take_what_is_there()

    def await_all(self) -> None:
        """Take all that workers have read and found out about it."""
        while self._ahead is not None:
            self._take_what_is_there()

    def _take_what_is_there(self) -> None:
        assert self._ahead is not None
        # only in runs that read ahead
        from tlslint.pki.certificate import learn

        there = self._ahead.more()
        if not there:
            self._ahead = None
        for read in there:
            self._read_by_workers.update(read.paths)
            self._plain.update(read.files.hosts)
            for host, bundle in read.files.bundles.items():
                self._bundles.setdefault(host, bundle)
            for path, key in read.files.keys.items():
                self._keys.setdefault(path, key)
            learn(read.facts)

    def contents(self, server_paths: Sequence[str]) -> Contents:
        """Return what has been read of certificates and keys."""
        hosts = {path: self._plain[path] for path in server_paths if path in self._plain}
        return Contents(
            hosts,
            {host: self._bundles[host] for host in hosts.values() if host in self._bundles},
            {path: self._keys[path] for path in server_paths if path in self._keys},
        )

    def _read(self, server_path: str) -> Source | Unreadable:
        data = self.data(server_path)
        return data if isinstance(data, Unreadable) else Source.from_bytes(self.display_path(server_path), data)

    def _data(self, host: str, server_path: str) -> bytes | Unreadable:
        self.reads += 1
        if host in self._overlay:
            return self._overlay[host]
        try:
            return read_file(host, server_path)
        except ReadError as error:
            return _read_error(error, server_path)

    def host_path(self, source: Source) -> str | None:
        """Return where on this machine (links resolved) a source was read; `-` for a text that was given instead.

        None where it comes from no file, as from a dump.
        """
        found = next((host for host, known in self._certificate_sources.items() if known is source), None)
        if found is not None or self._dump is not None:
            return found
        if self._hosted != len(self._sources):
            self._hosted = len(self._sources)
            self._hosts = {id(known): path for path, known in self._sources.items() if isinstance(known, Source)}
        path = self._hosts.get(id(source))
        if path is None or path in self._added:
            return path and "-"
        host = self._regular_file(path)
        return None if isinstance(host, Unreadable) else host

    def certificate_source(self, server_path: str) -> Source | Unreadable:
        """Return a certificate file as text that can be edited, one object for all of its names."""
        host = self._regular_file(server_path)
        if isinstance(host, Unreadable):
            return host
        known = self._certificate_sources.get(host)
        if known is None:
            source = self._read(server_path)
            if isinstance(source, Unreadable):
                return source
            known = self._certificate_sources[host] = source
        return known

    def _regular_file(self, server_path: str) -> str | Unreadable:
        """Find the host path of a file that can be opened without waiting or side effects."""
        plain = self._plain.get(server_path)
        if plain is not None:
            return plain
        found = self._locate(server_path)
        if isinstance(found, Unreadable):
            return found
        kind = stat.S_IFMT(found.status.st_mode)
        if kind != stat.S_IFREG:
            return Unreadable("not-a-file", _FILE_TYPES.get(kind, "is not a regular file"), server_path)
        if found.status.st_size > MAX_SOURCE_BYTES:
            return Unreadable("too-large", f"is larger than {MAX_SOURCE_BYTES >> 20} MiB", server_path)
        self._plain[server_path] = found.host
        return found.host


def key_facts(data: bytes) -> "KeyFacts":
    """Return what may be said of the private keys in a file."""
    # most configurations name keys that are not here
    from tlslint.pki.bundle import read_private_key_facts

    return read_private_key_facts(data)


def _parse(source: Source, server_path: str, server: str) -> Tree | Unreadable:
    engine = template_engine(source)
    if engine is not None and source.masked is None:
        return Unreadable("template", f"is a template ({engine})", server_path)
    if server == "nginx":
        return parse(source)
    # most runs have no Apache configuration
    from tlslint.parse import apache

    return apache.parse(source)


def _normal(path: str) -> str:
    """Return an absolute POSIX path without empty, `.` and `..` parts."""
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _status(host: str, server_path: str, follow: bool = False) -> os.stat_result | Unreadable:
    try:
        return os.stat(host, follow_symlinks=follow)
    except OSError as error:
        return _system_error(error, server_path)
    except ValueError:  # a NUL byte, or a character that no file name can have
        return Unreadable("missing", "not a possible file name", server_path)


def _system_error(error: OSError, server_path: str) -> Unreadable:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Unreadable("missing", "does not exist", server_path)
    if error.errno == errno.ELOOP:
        return Unreadable("missing", "symbolic links that lead in a circle", server_path)
    return Unreadable("unreadable", (error.strerror or str(error)).lower(), server_path)


def _read_error(error: ReadError, server_path: str) -> Unreadable:
    if isinstance(error.__cause__, OSError):
        return _system_error(error.__cause__, server_path)
    kind = "too-large" if error.reason.startswith("larger") else "not-a-file"
    return Unreadable(kind, f"is {error.reason}", server_path)


def _not_in_dump(server_path: str) -> Unreadable:
    return Unreadable("missing", "not among the files that nginx -T printed", server_path)


def _entries_of(host: str, server_path: str) -> dict[str, bool] | Unreadable:
    try:
        with os.scandir(host) as entries:
            return {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    except OSError as error:
        return _system_error(error, server_path)


def _unescaped(part: str) -> str:
    return _ESCAPED.sub(r"\1", part)


@lru_cache(maxsize=256)
def compiled_mask(part: str) -> re.Pattern[bytes]:
    """Translate one path component of a pattern, as glob(3) and httpd read it, for the bytes of a name."""
    text = os.fsencode(part)
    segments = [b""]
    at = 0
    while at < len(text):
        char = text[at : at + 1]
        at += 1
        if char == b"*":
            segments.append(b"")
        elif char == b"?":
            segments[-1] += b"."
        elif char == b"[" and (found := _bracket(text, at)):
            expression, at = found
            segments[-1] += expression
        else:
            if char == b"\\" and at < len(text):
                char = text[at : at + 1]
                at += 1
            segments[-1] += re.escape(char)
    hidden = b"" if part.startswith((".", "\\.")) else rb"(?!\.)"
    first, *middle = segments
    expression = hidden + first
    if middle:
        # the leftmost match of a segment is as good as any later one: atomic groups keep many stars from being slow
        expression += b"".join(b"(?>.*?" + segment + b")" for segment in middle[:-1] if segment)
        expression += b".*" + middle[-1]
    return re.compile(expression, re.DOTALL)


_CLASSES: dict[str, Callable[[str], bool]] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "blank": lambda char: char in " \t",
    "cntrl": lambda char: ord(char) < 32 or ord(char) == 127,
    "digit": str.isdigit,
    "graph": lambda char: 32 < ord(char) < 127,
    "lower": str.islower,
    "print": lambda char: 32 <= ord(char) < 127,
    "punct": lambda char: 32 < ord(char) < 127 and not char.isalnum(),
    "space": lambda char: char in " \t\n\v\f\r",
    "upper": str.isupper,
    "xdigit": lambda char: char in "0123456789abcdefABCDEF",
}
_NAMED_CLASS = regex(rb"\[:([a-z]+):\]")


def _bracket(text: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a bracket expression after its `[`: a regular expression and where it ends; None if it is never closed."""
    negated = text[at : at + 1] in (b"!", b"^")
    at += negated
    start = at
    members: set[int] = set()
    while True:
        if at >= len(text):
            return None
        if text[at : at + 1] == b"]" and at > start:
            break
        named = _NAMED_CLASS.match(text, at)
        if named:
            belongs = _CLASSES.get(named[1].decode())
            members.update(code for code in range(128) if belongs and belongs(chr(code)))
            at = named.end()
            continue
        low, at = _bracket_member(text, at)
        high = low
        if text[at : at + 1] == b"-" and text[at + 1 : at + 2] not in (b"]", b""):
            high, at = _bracket_member(text, at + 1)
        members.update(range(low, high + 1))
    if negated:
        members = set(range(256)) - members
    if not members:
        return b"(?!)", at + 1
    return b"[" + b"".join(b"\\x%02x" % member for member in sorted(members)) + b"]", at + 1


def _bracket_member(text: bytes, at: int) -> tuple[int, int]:
    if text[at : at + 1] == b"\\" and at + 1 < len(text):
        at += 1
    return text[at], at + 1
