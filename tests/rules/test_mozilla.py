"""What Mozilla's generator writes is clean under its own guideline, and what it writes for `old` is weak under today's.

Each row of the corpus's index is judged with its own policy and target. Rows that the server could not load are left
out by asking what makes them so, and counted: the generator names no protocol version where the server or library lacks
the ones of the profile, and names groups (X25519, secp256r1) that the library of the row does not know.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from support import corpus
from tlslint.check import check
from tlslint.discover import Root, discover
from tlslint.finding import Finding, Severity
from tlslint.parse.tree import Tree, walk
from tlslint.policy import load_policy
from tlslint.resolve import apache, nginx
from tlslint.resolve.model import Deployment
from tlslint.rules import RULES
from tlslint.settings import Settings
from tlslint.target import Version, parse_target
from tlslint.tls.groups import evaluate_groups
from tlslint.tls.suites import library

CORPUS = corpus.CORPUS / "mozilla"
FAMILIES = [module for module in RULES if module.rule.code[3] in "12"]
OLDEST_LIBRARY = Version("1.0.2")

SERVERS = ("nginx", "apache")
LOADABLE = {"nginx": 2148, "apache": 1760}
REFUSED = {
    "nginx": {"the library does not know a group": 1232, "no protocol version is named": 680},
    "apache": {"the library does not know a group": 880, "no protocol version is named": 840},
}
OLD = {"nginx": 1260, "apache": 1080}


@pytest.fixture(autouse=True)
def _corpus_is_here() -> None:
    corpus.needed_corpus()


class Row(NamedTuple):
    server: str
    file: str
    version: str
    openssl: str
    guideline: str
    profile: str

    @property
    def target(self) -> str:
        return f"{self.server}={self.version},openssl={self.openssl}"

    @property
    def policy(self) -> str:
        return f"mozilla-{self.profile}@{self.guideline}"


@cache
def rows(server: str = "nginx") -> tuple[Row, ...]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        found = [
            Row(server, row["file"], row["server_version"], row["openssl_version"], row["guideline"], row["profile"])
            for row in csv.DictReader(file)
            if row["server"] == server
        ]
    return tuple(dict.fromkeys(found))


@cache
def parsed(file: str) -> tuple[Root, Tree]:
    (root,) = discover([str(CORPUS / file)], Settings(root=None)).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return root, tree


@cache
def written(file: str) -> dict[str, tuple[str, ...]]:
    """The last arguments of each directive of a file; every directive that matters here stands once."""
    if file.startswith("apache/"):
        lines = [line.split() for line in (CORPUS / file).read_text(encoding="utf-8").splitlines()]
        return {line[0]: tuple(line[1:]) for line in lines if line}
    _, tree = parsed(file)
    return {str(directive.name): tuple(map(str, directive.arguments)) for directive in walk(tree.directives)}


def resolved(row: Row) -> Deployment:
    root, tree = parsed(row.file)
    target = parse_target(row.target, row.server)
    return nginx.resolve(root, tree, target) if row.server == "nginx" else apache.resolve(root, target)


def findings(row: Row, policy: str) -> list[Finding]:
    deployment = resolved(row)
    return [item for item in check(deployment, load_policy(policy), FAMILIES) if item.severity > Severity.INFO]


def refusal(row: Row) -> str:
    """Why the server could not load the configuration, from the file and the library's own facts; empty if it can."""
    directives = written(row.file)
    if row.server == "nginx":
        versions, groups = directives["ssl_protocols"], directives.get("ssl_ecdh_curve")
    else:
        # the generator adds nothing to an empty list
        versions = tuple(word for word in directives["SSLProtocol"] if word not in ("-all", "+"))
        groups = directives.get("SSLOpenSSLConfCmd")
    if not versions:
        return "no protocol version is named"
    openssl = library(str(max(Version(row.openssl), OLDEST_LIBRARY)))
    if groups and evaluate_groups(groups[-1], openssl).error:
        return "the library does not know a group"
    return ""


def described(found: Iterator[tuple[Row, Finding]]) -> Counter[str]:
    return Counter(f"{row.policy} for {row.target}: {item.code} {item.message} ({item.label})" for row, item in found)


@pytest.mark.parametrize("server", SERVERS)
def test_every_loadable_output_is_clean_under_its_own_guideline(server: str) -> None:
    loadable = [row for row in rows(server) if not refusal(row)]
    assert described((row, item) for row in loadable for item in findings(row, row.policy)) == Counter()
    assert len(loadable) == LOADABLE[server]


@pytest.mark.parametrize("server", SERVERS)
def test_outputs_that_no_server_loads_are_found_out(server: str) -> None:
    refused = [row for row in rows(server) if refusal(row)]
    assert Counter(refusal(row) for row in refused) == REFUSED[server]
    for row in refused:
        codes = {item.code for item in findings(row, row.policy) if item.severity is Severity.ERROR}
        assert codes, row
        assert codes <= {"TLS105", "TLS109", "TLS223"}, row


@pytest.mark.parametrize("server", SERVERS)
def test_every_output_for_old_is_weak_under_intermediate(server: str) -> None:
    old = [row for row in rows(server) if row.profile == "old"]
    assert len(old) == OLD[server]
    for row in old:
        assert "TLS101" in {item.code for item in findings(row, "mozilla-intermediate")}, row
