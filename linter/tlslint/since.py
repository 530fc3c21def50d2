"""What a change introduces: the configuration of an earlier revision is linted as well, and what it had is left out.

The result is compared, not the text: a line in `nginx.conf` that weakens a host in a file that nobody touched is new
for that host. The revision is the one at which this branch began (the merge base of `HEAD` and what was named), the
other side is the files as they are now. It is read from git's objects and laid out in a temporary directory, with the
local git alone: no hook, no filter and no transport of it runs.

A finding was there if there was one of the same rule on the same words, that said the same, for the same endpoint;
where it stands does not matter, so that files may be renamed and directives moved.
"""

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tlslint.finding import Finding
from tlslint.parse.tree import MAX_SOURCE_BYTES
from tlslint.record import dataclass, replace
from tlslint.regex import regex
from tlslint.resolve.checkout import checkout_of
from tlslint.settings import DeploymentSettings, Settings, SettingsError

MAX_TOTAL_BYTES = 1 << 30
"""More than this is not taken out of a revision."""
BATCH_BYTES = 64 << 20
MAX_SECONDS = 120
"""Longer than this no git command may take."""

MAX_SUBMODULES = 8
"""Submodules in submodules are followed so deep."""

_SUBMODULE = "160000"
_LINK = "120000"
_NO_PROGRAMS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never")
_OF_ANOTHER_CHECKOUT = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_SHALLOW_FILE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
)  # fmt: skip
"""What git tells its hooks of the checkout for which they run."""
_FORBIDDEN_NAMES = ("", ".", "..", ".git")


class RevisionError(SettingsError):
    """A revision that cannot be had; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A revision laid out in a directory: what to lint there, with which settings, and what to say of it."""

    top: str
    """The checkout as it is now."""
    folder: str
    """Where the revision is."""
    paths: tuple[str, ...] | None
    """What to lint; None where there was nothing of it."""
    settings: Settings
    note: str
    unchanged: bool
    """Whether all files are as they were, so that nothing can be new."""

    def introduced(self, findings: Sequence[Finding], earlier: Iterable[Finding]) -> list[Finding]:
        """Return the findings, each with the endpoints for which it was not there; neither list is merged yet."""
        exact, anywhere = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
        for path, key in self._occurrences(earlier, self.folder):
            exact[(path, *key)] += 1
            anywhere[key] += 1
        known: set[tuple[object, ...]] = set()
        moved: list[tuple[tuple[object, ...], tuple[str, ...]]] = []
        for place, path, key in self._places(findings, self.top):
            if exact[(path, *key)] > 0:
                exact[(path, *key)] -= 1
                anywhere[key] -= 1
                known.add(place)
            else:
                moved.append((place, key))
        for place, key in moved:
            if anywhere[key] > 0:
                anywhere[key] -= 1
                known.add(place)
        return list(self._remaining(findings, known))

    def _remaining(self, findings: Iterable[Finding], known: Collection[tuple[object, ...]]) -> Iterator[Finding]:
        for finding in findings:
            if not finding.endpoints:
                if _place(finding, "") not in known:
                    yield finding
                continue
            new = tuple(label for label in finding.endpoints if _place(finding, label) not in known)
            if new:
                yield finding if len(new) == len(finding.endpoints) else replace(finding, endpoints=new)

    def _occurrences(self, findings: Iterable[Finding], top: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        return ((path, key) for _, path, key in self._places(findings, top))

    def _places(
        self, findings: Iterable[Finding], top: str
    ) -> Iterator[tuple[tuple[object, ...], str, tuple[str, ...]]]:
        """Yield each place and endpoint once, with its path in the checkout and what it is recognised by."""
        seen: set[tuple[object, ...]] = set()
        paths: dict[str, str] = {}
        for finding in findings:
            shown = finding.span.source.path
            if shown not in paths:
                paths[shown] = os.path.relpath(os.path.realpath(shown), top)
            words = " ".join(finding.span.text.split())
            identity = (finding.code, words, _message(finding.message), *finding.deployments)
            for label in finding.endpoints or ("",):
                place = _place(finding, label)
                if place not in seen:
                    seen.add(place)
                    yield place, paths[shown], (*identity, label)


def _place(finding: Finding, label: str) -> tuple[object, ...]:
    span = finding.span
    return finding.code, span.source.path, span.start, span.end, finding.message, *finding.deployments, label


_LINE = regex(r"(?<=\bline )\d+|(?<=\bthe host at )(\S*):\d+")
_DETAILS = regex(r" \([^()]*\)")
_FOLDER = regex(r"""[^\s"'()]*/""")
_MORE = regex(r"\b[\d,]+ more\b")


def _message(text: str) -> str:
    """Return a message without what edits elsewhere change: lines, numbers of further things, examples, folders."""
    return _MORE.sub("more", _LINE.sub(r"\1", _FOLDER.sub("", _DETAILS.sub("", text))))


# --- git ----------------------------------------------------------------------------------------------------------


@contextmanager
def revision(name: str, paths: Sequence[str], settings: Settings, read: Iterable[str]) -> Iterator[Earlier]:
    """Lay out what is to be linted as it was at a revision; `read` are the host paths that the run has read.

    Raises `RevisionError`.
    """
    # only here, because few runs compare
    from tempfile import TemporaryDirectory

    places = _places_of(paths, settings)
    tops = [checkout_of(os.path.join(os.path.realpath(place), "x")) for place in places]
    top = next((top for top in tops if top is not None), None)
    if top is None:
        raise RevisionError("--changed-since: there is no git checkout here")
    git = Git(top)
    commit, note = git.base(name)
    with TemporaryDirectory(prefix="tlslint-") as temporary:
        folder = os.path.realpath(temporary)
        git.lay_out(commit, _scope(places, top), folder, read)
        moved = _Moved(top, folder)
        yield Earlier(top, folder, moved.paths(paths, settings), moved.settings(settings), note, not git.changed)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a revision."""

    mode: str
    name: str
    size: int


class Git:
    """The git of this machine, asked about one checkout."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.changed = False
        """Whether something that was laid out differs from what is there now, as far as that is known."""
        kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_CHECKOUT}
        own = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
        self.environment = {**kept, **own}

    def run(self, *arguments: str, data: bytes = b"", codes: Collection[int] = (0,), **environment: str) -> bytes:
        """Return what a git command prints; raises `RevisionError` with git's own words."""
        from subprocess import TimeoutExpired, run

        command = ["git", *_NO_PROGRAMS, "-C", self.top, *arguments]
        try:
            done = run(
                command, input=data, capture_output=True, check=False, timeout=MAX_SECONDS,
                env={**self.environment, **environment},
            )  # fmt: skip
        except FileNotFoundError as error:
            raise RevisionError("--changed-since needs git, which is not installed here") from error
        except TimeoutExpired as error:
            raise RevisionError(f"git {arguments[0]} took longer than {MAX_SECONDS} seconds") from error
        if done.returncode not in codes:
            words = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise RevisionError(f"git {arguments[0]}: {words or f'exit code {done.returncode}'}")
        return done.stdout

    def base(self, name: str) -> tuple[str, str]:
        """Return the commit to compare with, and how to tell of it."""
        commit = ""
        if name and not name.startswith("-"):
            commit = self._line("rev-parse", "--verify", "--quiet", name + "^{commit}", codes=(0, 1, 128))
        if not commit:
            raise RevisionError(f'--changed-since: no revision "{name}" in {self._shown}{self._shallow()}')
        base = self._line("merge-base", "HEAD", commit, codes=(0, 1, 128))
        if not base and self._shallow():
            raise RevisionError(f"--changed-since {name}: where this branch began is not known{self._shallow()}")
        base = base or commit
        where = f"{name} ({base[:10]})" if base == commit else f"{base[:10]}, where this branch left {name}"
        return base, f"only what is new since {where}"

    @property
    def _shown(self) -> str:
        relative = os.path.relpath(self.top)
        return "this checkout" if relative == "." or relative.startswith("..") else relative

    def _shallow(self) -> str:
        is_shallow = self._line("rev-parse", "--is-shallow-repository") == "true"
        return "; this clone is shallow (`git fetch --unshallow`, or fetch-depth: 0 in CI)" if is_shallow else ""

    def _line(self, *arguments: str, codes: Collection[int] = (0,)) -> str:
        return self.run(*arguments, codes=codes).decode("utf-8", "replace").strip().partition("\n")[0]

    def lay_out(self, commit: str, scope: Sequence[str], folder: str, read: Iterable[str], depth: int = 0) -> None:
        """Write a commit, its submodules included, into an empty directory."""
        os.mkdir(os.path.join(folder, ".git"))
        # who asks whether a file is tracked gets the answer of that revision
        self.run("read-tree", commit, GIT_INDEX_FILE=os.path.join(folder, ".git", "index"))
        entries = self.entries(commit, scope)
        modules = {path: entry for path, entry in entries.items() if entry.mode == _SUBMODULE}
        files = {path: entry for path, entry in entries.items() if entry.mode != _SUBMODULE}
        links = self._write_files(files, folder)
        inside = {os.path.relpath(os.path.realpath(path), self.top) for path in read}
        for path, entry in modules.items():
            own = {name for name in inside if name.startswith(path + "/")}
            inside -= own
            module = os.path.join(self.top, path)
            if os.path.lexists(os.path.join(module, ".git")) and depth < MAX_SUBMODULES:
                there = os.path.join(folder, path)
                os.makedirs(there)
                git = Git(module)
                git.lay_out(entry.name, [], there, [os.path.join(self.top, name) for name in own], depth + 1)
                self.changed = self.changed or git.changed
        self._add_ignored(inside, entries, folder)
        # last of all, so that nothing is written through one
        for path, target in links:
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            os.symlink(target, os.path.join(folder, path))

    def entries(self, commit: str, scope: Sequence[str]) -> dict[str, Entry]:
        """Return the files of a commit by path."""
        listing = self.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit, *(["--", *scope] if scope else []))
        found: dict[str, Entry] = {}
        for line in filter(None, listing.split(b"\0")):
            facts, _, name = line.partition(b"\t")
            mode, _, object_name, size = facts.decode("ascii").split()
            path = os.fsdecode(name)
            if not any(part in _FORBIDDEN_NAMES for part in path.split("/")):
                found[path] = Entry(mode, object_name, 0 if size == "-" else int(size))
        return found

    def _write_files(self, entries: Mapping[str, Entry], folder: str) -> list[tuple[str, str]]:
        """Write files into an empty directory; returns the links and where they lead."""
        wanted = {path: entry for path, entry in entries.items() if entry.size <= MAX_SOURCE_BYTES}
        if sum(entry.size for entry in wanted.values()) > MAX_TOTAL_BYTES:
            raise RevisionError("--changed-since: too much to compare; name the directories of the configuration")
        links: list[tuple[str, str]] = []
        for path, data in self._contents(wanted):
            self.changed = self.changed or data != self._now(path, is_link=entries[path].mode == _LINK)
            if entries[path].mode != _LINK:
                _write(os.path.join(folder, path), data, self._mode(path))
                continue
            target = os.fsdecode(data)
            links.append((path, folder + target[len(self.top) :] if target.startswith(self.top + "/") else target))
        for path in entries.keys() - wanted.keys():
            self.changed = True
            _write(os.path.join(folder, path), b"", self._mode(path))
            # only its size counts: it is not going to be read
            os.truncate(os.path.join(folder, path), entries[path].size)
        return links

    def _contents(self, entries: Mapping[str, Entry]) -> Iterator[tuple[str, bytes]]:
        batch: list[str] = []
        size = 0
        for path, entry in entries.items():
            batch.append(path)
            size += entry.size
            if size > BATCH_BYTES:
                yield from self._batch(batch, entries)
                batch, size = [], 0
        if batch:
            yield from self._batch(batch, entries)

    def _batch(self, paths: Sequence[str], entries: Mapping[str, Entry]) -> Iterator[tuple[str, bytes]]:
        asked = "".join(f"{entries[path].name}\n" for path in paths)
        data = self.run("cat-file", "--batch", data=asked.encode("ascii"))
        at = 0
        for path in paths:
            end = data.index(b"\n", at)
            words = data[at:end].split()
            if len(words) != 3:
                raise RevisionError(f"--changed-since: {path} is not in this clone{self._shallow()}")
            at = end + 1 + int(words[2])
            yield path, data[end + 1 : at]
            at += 1

    def _now(self, path: str, *, is_link: bool) -> bytes | None:
        """Return what a file or link of the checkout holds now; None where there is no such."""
        place = os.path.join(self.top, path)
        try:
            if is_link:
                return os.fsencode(os.readlink(place))
            if not stat.S_ISREG(os.lstat(place).st_mode):
                return None
            with open(place, "rb") as file:
                return file.read(MAX_SOURCE_BYTES + 1)
        except OSError:
            return None

    def _mode(self, path: str) -> int:
        """The permissions that a file has now: git keeps none, and a change of them is none of the content."""
        try:
            status = os.lstat(os.path.join(self.top, path))
        except OSError:
            return 0o644
        return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else 0o644

    def _add_ignored(self, read: Iterable[str], entries: Mapping[str, Entry], folder: str) -> None:
        """Add the files that git is told to ignore, such as certificates: no change adds or removes them."""
        asked = sorted({path for path in read if path.split("/")[0] not in ("..", ".git") and path not in entries})
        if not asked:
            return
        data = b"".join(os.fsencode(path) + b"\0" for path in asked)
        ignored = self.run("check-ignore", "-z", "--stdin", data=data, codes=(0, 1))
        self.changed = self.changed or ignored.count(b"\0") < len(asked)
        for name in filter(None, ignored.split(b"\0")):
            path = os.fsdecode(name)
            try:
                with open(os.path.join(self.top, path), "rb") as file:
                    content = file.read(MAX_SOURCE_BYTES + 1)
                _write(os.path.join(folder, path), content, self._mode(path))
            except OSError:
                continue  # gone meanwhile, or in the way of what was there: then it was not there


def _write(path: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)


# --- where things are in the revision -----------------------------------------------------------------------------


def _places_of(paths: Sequence[str], settings: Settings) -> list[str]:
    """Return the host paths that a run may read."""
    places = [*paths, *settings.paths, *settings.path_map.values()]
    if settings.root is not None:
        places.append(settings.root)
    for deployment in settings.deployments:
        changes = deployment.changes
        places += [*deployment.paths, *changes.get("path_map", {}).values(), changes.get("root") or settings.base]
    return places or ["."]


def _scope(places: Iterable[str], top: str) -> list[str]:
    """Return the directories of the checkout that matter; none means all of it."""
    scope = set()
    for place in places:
        real = os.path.realpath(place)
        inside = os.path.relpath(real if os.path.isdir(real) else os.path.dirname(real), top)
        if inside == ".":
            return []
        if inside.split("/")[0] != "..":
            scope.add(inside)
    return sorted(scope)


class _Moved:
    """Tells for a path in the checkout where it is in the revision."""

    def __init__(self, top: str, folder: str) -> None:
        self.top = top
        self.folder = folder

    def path(self, path: str) -> str:
        """Return where a path is; one outside of the checkout stays where it is."""
        for spelling in (os.path.abspath(path), os.path.realpath(path)):
            if spelling == self.top or spelling.startswith(self.top + "/"):
                return self.folder + spelling[len(self.top) :]
        return path

    def paths(self, paths: Sequence[str], settings: Settings) -> tuple[str, ...] | None:
        """Return what to lint, as far as it was there; None where nothing of it was."""
        if not paths:
            elsewhere = settings.paths or settings.deployments or settings.root is not None or settings.path_map
            paths = () if elsewhere else (".",)
        there = tuple(path for path in map(self.path, paths) if os.path.lexists(path))
        return None if paths and not there else there

    def settings(self, settings: Settings) -> Settings:
        """Return the settings for linting the revision: all that it had is wanted, whatever is accepted today."""
        return replace(
            settings, **self._fields({"root": settings.root, "path_map": settings.path_map}),
            base=self.path(settings.base), paths=self._existing(settings.paths), changed_since=None, baseline=None,
            write_baseline=False, unlimited=True, deployments=tuple(map(self._deployment, settings.deployments)),
        )  # fmt: skip

    def _deployment(self, deployment: DeploymentSettings) -> DeploymentSettings:
        changes = {**deployment.changes, **self._fields(deployment.changes)}
        return DeploymentSettings(deployment.name, self._existing(deployment.paths), changes)

    def _existing(self, paths: Iterable[str]) -> tuple[str, ...]:
        return tuple(path for path in map(self.path, paths) if os.path.lexists(path))

    def _fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        moved: dict[str, Any] = {}
        root, path_map = fields.get("root"), fields.get("path_map")
        if isinstance(root, str):
            moved["root"] = self.path(root)
        if isinstance(path_map, Mapping):
            moved["path_map"] = {server: self.path(host) for server, host in path_map.items()}
        return moved
