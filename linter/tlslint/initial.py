"""What `tlslint init` writes: settings for what is found in a directory, each with the reason why it is there.

What is known for sure is set; what is only likely stands in a comment.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tlslint.baseline import USUAL_NAME
from tlslint.discover import USUAL_ENTRIES, Root, discover
from tlslint.parse.tree import Tree, walk
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve.include import Unreadable
from tlslint.settings import Settings
from tlslint.settings_text import quoted
from tlslint.target import Target, TargetError, parse_target, platform_names

MAX_FILES: Final = 20_000
"""Files of a directory that are looked at for a hint which versions run."""
MAX_HINT_BYTES: Final = 100_000

_IMAGE_FILE: Final = regex(
    r"(?:Docker|Container)file(?:\..*)?|.*\.(?:docker|container)file|(?:docker-)?compose(?:\..*)?\.ya?ml"
)
_IMAGE: Final = regex(
    r"^[ \t-]*(?:FROM(?:[ \t]+--\S+)*|image:)[ \t]+[\"']?"
    r"(?:(?:docker\.io|public\.ecr\.aws/docker|mirror\.gcr\.io)/)?(?:(?:library|nginxinc|nginx)/)?"
    r"(?P<name>nginx-unprivileged|nginx|httpd|debian|ubuntu|alpine|rockylinux|almalinux)"
    r":(?P<tag>[\w.-]+)",
    re.MULTILINE,
)
_VERSION: Final = regex(r"\d+\.\d+(?:\.\d+)?")
_SKIPPED: Final = frozenset((".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox"))
_CERTIFICATE_WORDS: Final = frozenset(("ssl_certificate", "sslcertificatefile"))
_SERVER_NAMES: Final = {"nginx": "nginx", "apache": "Apache"}
_LAYOUTS: Final = (
    ("nginx", ("sites-enabled", "sites-available"), "debian-12"),
    ("apache", ("mods-enabled", "sites-enabled"), "debian-12"),
    ("apache", ("conf.modules.d",), "rhel-9"),
)
"""Directories beside a main file that only some distributions have, and one of their releases."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A version that a file names: what `target` would say, for which server, and which line says so."""

    target: str
    server: str
    """Empty for a distribution, which may run either."""
    image: str
    place: str
    folder: str


@dataclass(slots=True)
class Found:
    """One server's configuration: its main file, and what there is to settle for it."""

    server: str
    entry: str
    name: str = ""
    root: str = ""
    path_map: tuple[str, str] | None = None
    target: Hint | None = None
    layout: str = ""

    @property
    def folder(self) -> str:
        """The directory of the main file."""
        return os.path.dirname(self.entry) or "."


@dataclass(frozen=True, slots=True)
class Overview:
    """What is in a directory."""

    found: tuple[Found, ...]
    fragments: int
    named: int
    absent: int
    """How many certificates the configuration names, and how many of them are not here."""


def look_around() -> Overview:
    """Find out what the current directory has."""
    discovered = discover(["."], Settings())
    mains = [root for root in discovered.roots if root.context == "main"]
    hints = list(_hints("."))
    found = [_described(root) for root in mains]
    for one in found:
        one.target = _hint_for(one, hints, found)
    _name_apart(found)
    named, absent = _certificates(discovered.roots)
    return Overview(tuple(found), len(discovered.roots) - len(mains), named, absent)


# --- what a configuration shows -----------------------------------------------------------------------------------


def _described(root: Root) -> Found:
    found = Found(root.server, root.display)
    tree = root.files.tree(root.entry, root.server)
    folder = f"/{found.folder}".replace("/./", "/")
    for entry, server in USUAL_ENTRIES:
        if server == root.server and f"/{root.display}".endswith(entry):
            # a copy of the server's file system
            found.root = f"/{root.display}".removesuffix(entry).lstrip("/") or "."
            return _with_layout(found)
    homes = [posixpath.dirname(entry) for entry, server in USUAL_ENTRIES if server == root.server]
    homes = [posixpath.dirname(home) if posixpath.basename(home) == "conf" else home for home in homes]
    if isinstance(tree, Tree):
        named = [str(word) for directive in walk(tree.directives) for word in directive.arguments]
        used = [home for home in homes if any(word.startswith(f"{home}/") or word == home for word in named)]
        if used:
            below = posixpath.basename(used[0])
            here = found.folder
            # Apache's main file stands in a directory of its own there
            if root.server == "apache" and os.path.basename(folder) == "conf" and below == "httpd":
                here = os.path.dirname(here) or "."
            found.path_map = (used[0], here)
    return _with_layout(found)


def _with_layout(found: Found) -> Found:
    for server, folders, platform in _LAYOUTS:
        places = (found.folder, os.path.dirname(found.folder))
        beside = any(os.path.isdir(os.path.join(place, name)) for place in places for name in folders)
        if server == found.server and beside and not found.layout:
            found.layout = platform
    return found


def _name_apart(found: Sequence[Found]) -> None:
    """Name each by the part of its path that no other has."""
    paths = [[part for part in one.entry.split("/") if part] for one in found]
    for one, parts in zip(found, paths, strict=True):
        others = [other for other in paths if other is not parts]
        own = [part for part in parts[:-1] if not any(part in other for other in others)]
        one.name = own[0] if own else "/".join(parts)


def _certificates(roots: Iterable[Root]) -> tuple[int, int]:
    """Count the certificate files that are named, and those that are not here."""
    named: dict[str, bool] = {}
    views = {(id(root.files), root.base): root for root in roots}
    for root in views.values():
        for tree in list(root.files.trees()):
            for directive in walk(tree.directives):
                if directive.name.lower() in _CERTIFICATE_WORDS and directive.arguments:
                    name = str(directive.arguments[0])
                    if not name.startswith(("data:", "engine:", "store:")) and "$" not in name:
                        data = root.files.data(root.files.resolve(name, root.base))
                        named[name] = named.get(name, False) or not isinstance(data, Unreadable)
    return len(named), sum(not here for here in named.values())


# --- which versions run -------------------------------------------------------------------------------------------


def _hints(top: str) -> Iterator[Hint]:
    """Yield the images of nginx, httpd and distributions that files for container builds name."""
    seen = 0
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        seen += len(names)
        if seen > MAX_FILES:
            return
        for name in sorted(names):
            if _IMAGE_FILE.fullmatch(name):
                yield from _hints_in(os.path.normpath(os.path.join(folder, name)))


def _hints_in(path: str) -> Iterator[Hint]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_HINT_BYTES)
    except OSError:
        return
    for found in _IMAGE.finditer(text):
        line = text.count("\n", 0, found.start("name")) + 1
        target, server = _target_of(found["name"], found["tag"])
        if target:
            image = f"{found['name']}:{found['tag']}"
            yield Hint(target, server, image, f"{path}:{line}", os.path.dirname(path))


def _target_of(name: str, tag: str) -> tuple[str, str]:
    """Return the target of an image, and the server that it has; empty for one that is not known."""
    version = _VERSION.match(tag)
    if name.startswith("nginx") or name == "httpd":
        server = "apache" if name == "httpd" else "nginx"
        target = f"{server}={version[0]}" if version else f"nginx:{tag}" if server == "nginx" else ""
        return (target, server) if _is_known(target, server) else ("", server)
    words = {"rockylinux": "rocky", "almalinux": "alma"}
    release = tag.partition("-")[0] if name in ("debian", "ubuntu") else tag
    for target in (f"{words.get(name, name)}-{release}", release):
        if _is_known(target, "nginx"):
            return target, ""
    return "", ""


def _is_known(target: str, server: str) -> Target | None:
    try:
        return parse_target(target, server) if target else None
    except TargetError:
        return None


def _hint_for(one: Found, hints: Sequence[Hint], found: Sequence[Found]) -> Hint | None:
    """Return the hint that is meant for a configuration: the only one, or the one in its own directory."""
    fitting = [hint for hint in hints if hint.server == one.server]
    fitting = fitting or [hint for hint in hints if not hint.server]
    if len(found) > 1:
        near = [hint for hint in fitting if hint.folder and f"{one.folder}/".startswith(f"{hint.folder}/")]
        fitting = near or [hint for hint in fitting if hint.folder == ""]
    targets = {hint.target for hint in fitting}
    return fitting[0] if len(targets) == 1 else None


# --- the file -----------------------------------------------------------------------------------------------------


def settings_text(overview: Overview) -> str:
    """Return a commented settings file."""
    return "\n".join(_lines(overview))


def _lines(overview: Overview) -> Iterator[str]:
    yield "# Settings of tlslint; `tlslint schema settings` has all keys, `tlslint settings` prints what is in force."
    yield f"# {_what_was_found(overview)}"
    yield ""
    yield "# What the configuration is compared with: a name that `tlslint policy` lists, or a file."
    yield f"policy = {quoted(Settings().policy)}"
    yield ""
    found = overview.found
    if len(found) == 1:
        yield from _own_keys(found[0])
    if len(found) == 1 and overview.fragments and (found[0].root or found[0].path_map):
        yield "# What is linted: all that is here, besides what the main file includes."
        yield 'paths = ["."]'
        yield ""
    if overview.absent:
        of = f"{overview.absent:,} of {overview.named:,}"
        yield f"# Certificates that the configuration names and that are not here: {of}. That is no finding, unless the"
        yield "# server runs where this configuration lies:"
        yield "# require-certificates = true"
        yield ""
    yield "# Rules that do not run, anywhere or in some files: names, codes, beginnings of codes (`tlslint rule`)."
    yield "# ignore = []"
    yield '# per-file-ignores = { "legacy/**" = ["TLS1", "missing-hsts"] }'
    yield ""
    yield "# What a repository starts with and nobody can solve at once: `tlslint --write-baseline` writes it down."
    yield f"# baseline = {quoted(USUAL_NAME)}"
    yield ""
    yield "# The lowest severity that makes the exit code 1: error, warning or info."
    yield f"fail-on = {quoted(Settings().fail_on)}"
    yield ""
    if len(found) > 1:
        for one in found:
            yield "[[deployment]]"
            yield f"name = {quoted(one.name)}"
            if not one.root:
                yield f"paths = [{quoted(one.folder)}]"
            yield from _own_keys(one)


def _what_was_found(overview: Overview) -> str:
    mains = [f"{_SERVER_NAMES[one.server]} ({one.entry})" for one in overview.found]
    fragments = overview.fragments
    if fragments:
        mains.append("a part of a configuration" if fragments == 1 else f"{fragments} parts of configurations")
    return f"Found here: {', '.join(mains) or 'no configuration yet'}."


def _own_keys(one: Found) -> Iterator[str]:
    yield from _target_lines(one)
    if one.root:
        yield "# What `/` is on the server: its main file lies where packages have it."
        yield f"root = {quoted(one.root)}"
        yield ""
    if one.path_map:
        server, here = one.path_map
        yield f"# Where {server} is here, which {one.entry} names."
        yield f"path-map = {{ {quoted(server)} = {quoted(here)} }}"
        yield ""


def _target_lines(one: Found) -> Iterator[str]:
    if one.target is not None:
        yield f"# The versions to predict for: {one.target.place} starts from {one.target.image}."
        yield f"target = {quoted(one.target.target)}"
    elif one.layout:
        family = one.layout.rpartition("-")[0]
        known = [name for name in platform_names() if name.startswith(f"{family}-")]
        kin = "Debian" if family == "debian" else "RHEL"
        yield f"# The versions to predict for. The directories are as on {kin} and its kin: {', '.join(known)}."
        yield f"# target = {quoted(one.layout)}"
    else:
        yield "# The versions to predict for, such as the platform; without them, the current stable releases."
        yield '# target = "debian-12"'
    yield ""
