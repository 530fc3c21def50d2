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
from tlslint.resolve.nginx import resolve
from tlslint.rules import RULES
from tlslint.settings import Settings
from tlslint.target import Version, parse_target
from tlslint.tls.groups import evaluate_groups
from tlslint.tls.suites import library

CORPUS = corpus.CORPUS / "mozilla"
FAMILIES = [module for module in RULES if module.rule.code[3] in "12"]
OLDEST_LIBRARY = Version("1.0.2")

LOADABLE = 2148
REFUSED = {"the library does not know a group": 1232, "no protocol version is named": 680}
OLD = 1260


@pytest.fixture(autouse=True)
def _corpus_is_here() -> None:
    corpus.needed_corpus()


class Row(NamedTuple):
    file: str
    nginx: str
    openssl: str
    guideline: str
    profile: str

    @property
    def target(self) -> str:
        return f"nginx={self.nginx},openssl={self.openssl}"

    @property
    def policy(self) -> str:
        return f"mozilla-{self.profile}@{self.guideline}"


@cache
def rows() -> tuple[Row, ...]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        found = [
            Row(row["file"], row["server_version"], row["openssl_version"], row["guideline"], row["profile"])
            for row in csv.DictReader(file)
            if row["server"] == "nginx"
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
    _, tree = parsed(file)
    return {str(directive.name): tuple(map(str, directive.arguments)) for directive in walk(tree.directives)}


def findings(row: Row, policy: str) -> list[Finding]:
    root, tree = parsed(row.file)
    deployment = resolve(root, tree, parse_target(row.target, "nginx"))
    return [item for item in check(deployment, load_policy(policy), FAMILIES) if item.severity > Severity.INFO]


def refusal(row: Row) -> str:
    """Why nginx could not load the row's configuration, from the file and the library's own facts; empty if it can."""
    directives = written(row.file)
    if directives["ssl_protocols"] == ():
        return "no protocol version is named"
    groups = directives.get("ssl_ecdh_curve")
    openssl = library(str(max(Version(row.openssl), OLDEST_LIBRARY)))
    if groups and evaluate_groups(groups[0], openssl).error:
        return "the library does not know a group"
    return ""


def described(found: Iterator[tuple[Row, Finding]]) -> Counter[str]:
    return Counter(f"{row.policy} for {row.target}: {item.code} {item.message} ({item.label})" for row, item in found)


def test_every_loadable_output_is_clean_under_its_own_guideline() -> None:
    loadable = [row for row in rows() if not refusal(row)]
    assert described((row, item) for row in loadable for item in findings(row, row.policy)) == Counter()
    assert len(loadable) == LOADABLE


def test_outputs_that_no_server_loads_are_found_out() -> None:
    refused = [row for row in rows() if refusal(row)]
    assert Counter(refusal(row) for row in refused) == REFUSED
    for row in refused:
        codes = {item.code for item in findings(row, row.policy) if item.severity is Severity.ERROR}
        assert codes, row
        assert codes <= {"TLS105", "TLS223"}, row


def test_every_output_for_old_is_weak_under_intermediate() -> None:
    old = [row for row in rows() if row.profile == "old"]
    assert len(old) == OLD
    for row in old:
        assert "TLS101" in {item.code for item in findings(row, "mozilla-intermediate")}, row
