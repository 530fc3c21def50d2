"""Every real configuration of the corpus: who answers where, as `apache2 -S` prints it.

A real Apache cannot read these files as they are: certificates, modules and directories are not there. It is given
copies in which all lines are blanked that have no say in who answers where; the rest stands where it stood.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.apache import ApacheServer, needed_apache
from support.apache_map import MappedHost, parse_map
from support.corpus import CORPUS, needed_corpus
from tlslint.discover import Root, discover
from tlslint.parse.apache import fold, logical_lines, split_words
from tlslint.parse.tree import Source
from tlslint.resolve.apache import _Resolution
from tlslint.resolve.apache_hosts import host_map
from tlslint.resolve.apache_listen import canonical
from tlslint.resolve.apache_read import read
from tlslint.resolve.model import ServerName, VirtualHost
from tlslint.settings import Settings
from tlslint.target import parse_target

TARGET = parse_target("apache=2.4.71,openssl=3.0.19", "apache")
KEPT = frozenset(
    ("servername", "serveralias", "listen", "define", "undefine", "include", "includeoptional", "use", "undefmacro",
     "<virtualhost", "<ifdefine", "<ifmodule", "<ifversion", "<iffile", "<ifdirective", "<ifsection", "<macro",
     "</virtualhost>", "</ifdefine>", "</ifmodule>", "</ifversion>", "</iffile>", "</ifdirective>", "</ifsection>",
     "</macro>")
)  # fmt: skip
REPOSITORIES = sorted(path.name for path in (CORPUS / "apache").iterdir()) if (CORPUS / "apache").is_dir() else [""]

MACRO = "macro '"
"""How Apache begins the place of a host that a macro makes."""


def blanked(text: str) -> str:
    """The text without the lines that have no say; line numbers stay."""
    source = Source.from_text("x", text)
    pieces: list[str] = []
    position = 0
    for line in logical_lines(source):
        words = list(split_words(line.text, 0, min(len(line.text), 400)))
        name = fold(words[0].value) if words else ""
        if name not in KEPT and not name.startswith(("</ifmodule", "</virtualhost")):
            pieces.append(text[position : line.start])
            pieces.append(re.sub(r"[^\n]", " ", text[line.start : line.end]))
            position = line.end
        elif name == "include":
            # what is not in the corpus is not there for anybody
            start = line.start + line.text[words[0].start :].lower().index("include")
            pieces += [text[position:start], "IncludeOptional"]
            position = start + len("Include")
    return "".join([*pieces, text[position:]])


class Copies:
    """The blanked copies of a repository's files, where a real Apache can read them."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.repository = repository
        self.folder = folder / "copy"
        shutil.copytree(repository, self.folder, symlinks=True)
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                text = path.read_bytes().decode("utf-8", "surrogateescape")
                path.write_bytes(blanked(text).encode("utf-8", "surrogateescape"))

    def of(self, path: str) -> Path:
        """The copy of a file or folder of the repository."""
        return self.folder / Path(path).relative_to(self.repository)

    def original(self, path: str) -> str:
        """The file of which this is the copy."""
        found = Path(path)
        return str(self.repository / found.relative_to(self.folder)) if found.is_relative_to(self.folder) else path


def asked(root: Root, copies: Copies) -> tuple[int, str]:
    """What a real Apache prints of the map of a root."""
    reading = read(root, TARGET)
    modules = [name.removesuffix("_module") for name in [*reading.modules.loaded, *reading.modules.assumed]]
    apache = needed_apache()
    available = [name for name in modules if (apache.modules / f"mod_{name}.so").exists() and name != "ssl"]
    mpm = [] if any(name.startswith("mpm_") for name in available) else ["mpm_event"]
    loaded = [*mpm, "authz_core", "macro", "ssl", *available]
    # a server root that is not here may be taken for a folder that is
    base, entry = (copies.of(str(Path(root.files.display_path(path)).resolve())) for path in (root.base, root.entry))
    text = f'ServerRoot "{base}"\nServerName main.test\nInclude "{entry}"\nListen 127.0.0.1:1\n'
    modules = list(dict.fromkeys(loaded))
    server = ApacheServer(apache, text, modules=modules, environment=dict(root.environment))
    try:
        return server.run("-S")
    finally:
        server.stop()


def roots(repository: Path) -> Iterator[Root]:
    yield from (root for root in discover([str(repository)], Settings()).roots if root.server == "apache")


def lines_of(host: VirtualHost) -> range:
    directive = host.place.directive
    last = directive.source.line_column(directive.block_start or directive.start)[0]
    return range(directive.line, last + 1)


def differences(ours: list[VirtualHost], theirs: list[MappedHost], copies: Copies) -> Iterator[str]:
    """In what the hosts of one address differ."""
    # a host that names an address twice, with another one in between, is printed twice
    theirs = list({(mapped.file, mapped.line): mapped for mapped in theirs}.values())
    if len(ours) != len(theirs):
        yield f"{len(ours)} hosts, not {len(theirs)}"
        return
    for host, mapped in zip(ours, theirs, strict=True):
        if mapped.file.startswith(MACRO):
            known = host.label == mapped.name and bool(host.place.includes)
        else:
            file = str(Path(host.place.directive.source.path).resolve())
            known = copies.original(mapped.file) == file and mapped.line in lines_of(host)
        if not known:
            yield f"{host.label} at {host.place}, not {mapped}"
        # Apache prints the aliases only where names play a part
        exact = [name.text for name in host.names if name.kind == "exact" and _is_alias(name)]
        wild = [name.text for name in host.names if name.kind == "wildcard"]
        if len(ours) > 1 and (exact, wild) != (mapped.aliases, mapped.wild_aliases):
            yield f"{host.label}: {exact} {wild}, not {mapped}"


def _is_alias(name: ServerName) -> bool:
    return name.place is not None and name.place.directive.name.lower() == "serveralias"


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_hosts_are_mapped_as_apache_maps_them(repository: str, tmp_path: Path) -> None:
    folder = (needed_corpus() / "apache" / repository).resolve()
    copies = Copies(folder, tmp_path)
    for root in roots(folder):
        resolution = _Resolution(root, TARGET)
        resolution.deployment()
        if not resolution.hosts:
            continue
        code, output = asked(root, copies)
        assert code == 0, output
        theirs = parse_map(output)
        ours = {
            (entry.address, entry.port): [resolution.hosts[index].host for index in entry.hosts]
            for entry in host_map(resolution.chains)
            if not _is_name(entry.address)
        }
        assert list(theirs.keys() ^ ours.keys()) == [], root.entry
        for key, hosts in ours.items():
            assert list(differences(hosts, theirs[key], copies)) == [], root.entry


def _is_name(address: str) -> bool:
    """Whether Apache would have to ask for an address, which it gets no answer to here."""
    return address != "*" and canonical(address.strip("[]"))[0] == "name"
