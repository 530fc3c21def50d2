"""The corpus of real configurations that lies beside the project, where there is one."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from support.servers import require_servers
from tlslint.parse.tree import Source

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"


@dataclass(frozen=True)
class CorpusFile:
    """One file of the corpus, with what the manifest says of it."""

    name: str
    server: str
    is_template: bool
    notes: str
    source: Source


@cache
def corpus(server: str) -> tuple[CorpusFile, ...]:
    """The files of one server ("nginx" or "apache"); skips the test by name where there is no corpus."""
    manifest = CORPUS / "MANIFEST.csv"
    if not manifest.exists():
        (pytest.fail if require_servers() else pytest.skip)(f"no corpus at {CORPUS}")
    with manifest.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == server]
    return tuple(
        CorpusFile(
            row["local_path"].removeprefix(f"{server}/"),
            server,
            row["template"] == "yes",
            row["notes"],
            Source.read(str(CORPUS / row["local_path"]), row["local_path"]),
        )
        for row in rows
    )
