"""Every real file of the shared corpus is linted without a crash, and what nginx cannot read is a syntax error."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.corpus import needed_corpus
from tlslint.parse.nginx import parse
from tlslint.parse.template import template_engine
from tlslint.parse.tree import Source
from tlslint.run import lint
from tlslint.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def corpus() -> Path:
    return needed_corpus()


def nginx_files(corpus: Path) -> Iterator[Path]:
    with (corpus / "MANIFEST.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            path = corpus / row["local_path"]
            if row["kind"] == "nginx" and path.is_file():
                yield path


def test_each_file_alone(corpus: Path) -> None:
    settings = Settings(server="nginx")
    broken = linted = templates = 0
    for path in nginx_files(corpus):
        source = Source.read(str(path))
        report = lint([str(path)], settings)
        assert report.failures == [], path
        if template_engine(source):
            templates += 1
            assert [reason for _, reason in report.skipped if "not checked" in reason], path
            continue
        linted += 1
        problems = parse(source).problems
        # an included file may be broken as well
        own = [finding for finding in report.findings if finding.span.source.path == source.path]
        errors = [finding for finding in own if finding.code == "TLS001"]
        assert bool(errors) == bool(problems), path
        for problem, error in zip(problems, errors, strict=True):
            assert error.span.start == (problem.origin or problem.span).start, path
            assert problem.message in error.message
        broken += bool(problems)
    assert (linted, templates) > (300, 30)
    assert broken > 20


def test_each_tree_as_its_owner_would(corpus: Path) -> None:
    for tree in sorted((corpus / "nginx").iterdir()):
        command = [sys.executable, "-m", "tlslint", "check", "--isolated", "--output-format", "concise", tree.name]
        done = subprocess.run(
            command,
            cwd=tree.parent,
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT / "linter")},
        )
        errors = done.stderr.decode(errors="replace")
        assert "Traceback" not in errors, errors
        if done.returncode == 2:
            # nothing but templates: said, and not passed
            assert "template" in errors or "no nginx or Apache configuration" in errors, errors
        else:
            assert done.returncode in (0, 1), errors
