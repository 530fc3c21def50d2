"""The corpus of real configurations that lies beside the project, where there is one: it is not a part of it."""

import os
from pathlib import Path

import pytest

GIVEN = os.environ.get("TLSLINT_CORPUS")
CORPUS = Path(GIVEN) if GIVEN else Path(__file__).parents[3] / "shared" / "corpus"


def needed_corpus() -> Path:
    """The folder of the corpus. Where there is none the test is skipped by name, unless `TLSLINT_CORPUS` says where."""
    if not (CORPUS / "MANIFEST.csv").is_file():
        (pytest.fail if GIVEN else pytest.skip)(f"the corpus of real configurations is not at {CORPUS}")
    return CORPUS
