"""The files of the corpus, as parsers want them."""

import csv
from dataclasses import dataclass
from functools import cache

from support.corpus import CORPUS, needed_corpus
from tlslint.parse.tree import Source


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
    manifest = needed_corpus() / "MANIFEST.csv"
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
