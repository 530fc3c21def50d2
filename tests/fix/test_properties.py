"""What holds of every fix, on generated configurations and on real ones: nothing else changes, and twice is once."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from support.corpus import needed_corpus
from support.random_nginx import GeneratedConfig, generate
from support.rule_fixtures import FIXTURES
from support.servers import NGINX_NAMES, NginxBinary, needed_nginx, nginx_test
from tlslint.fix.engine import Change, Outcome
from tlslint.fix.patch import patch
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.parse import apache, nginx
from tlslint.parse.tree import Source
from tlslint.resolve.model import Deployment
from tlslint.run import predict
from tlslint.settings import Settings

SEEDS = range(40)
TEST_SETTINGS = Settings(now="2026-06-01", trust_store=("none",), root="/")


def comments(data: bytes, server: str) -> list[str]:
    parse = apache.parse if server == "apache" else nginx.parse
    return [comment.text.strip() for comment in parse(Source.from_bytes("x", data)).comments]


def assert_only_announced_bytes_change(outcome: Outcome, server: str) -> None:
    for change in outcome.changes:
        if change.file.endswith((".pem", ".crt")):
            continue
        assert comments(change.before, server) == comments(change.after, server), change.shown
        # each line that changes is one that a fix names, or a new one
        old, new = change.before.splitlines(keepends=True), change.after.splitlines(keepends=True)
        touched = sum(
            max(old_end - old_start, new_end - new_start)
            for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, False).get_opcodes()
            if tag != "equal"
        )
        announced = sum(
            1 + edit.text.count("\n") + edit.source.text.count("\n", edit.start, edit.end)
            for finding in outcome.fixed
            if finding.fix
            for edit in finding.fix.edits
            if edit.file == change.file
        )
        assert touched <= announced, change.shown


@pytest.fixture(params=NGINX_NAMES)
def binary(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


def generated(seed: int, binary: NginxBinary) -> GeneratedConfig:
    rng = random.Random(f"fix {seed}")
    return generate(rng, FIXTURES / "certificates", [8443, 8444, 8445], binary.version, binary.openssl)


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_configurations(seed: int, binary: NginxBinary, tmp_path: Path) -> None:
    configuration = generated(seed, binary)
    entry = configuration.write(tmp_path / "conf")
    passed, _ = nginx_test(binary, entry.parent)
    settings = target_of(binary)
    with chdir(entry.parent):
        outcome = fix(["nginx.conf"], settings, unsafe=True)
        before = predict(["nginx.conf"], settings)[0]
        changed = {os.path.relpath(change.file): change for change in outcome.changes}
        assert_only_announced_bytes_change(outcome, "nginx")
        assert_patch_gives(outcome.changes, tmp_path / "patched", entry.parent)
        write([change for change in outcome.changes if not change.file.startswith(str(FIXTURES))])
        assert all(Path(name).read_bytes() == one.after for name, one in changed.items() if not name.startswith(".."))
        assert fix(["nginx.conf"], settings, unsafe=True).changes == outcome_of_certificates(outcome)
        after = predict(["nginx.conf"], settings)[0]
    if passed:
        assert nginx_test(binary, entry.parent)[0]
    assert len(names(after)) >= len(names(before))


def target_of(binary: NginxBinary) -> Settings:
    nginx_version, openssl = (".".join(map(str, version)) for version in (binary.version, binary.openssl))
    return Settings(
        target=f"nginx={nginx_version},openssl={openssl}", now="2026-06-01", trust_store=("none",), root="/"
    )


def outcome_of_certificates(outcome: Outcome) -> list[Change]:
    """What fixing again would do to the certificates of the checkout, which the test leaves alone."""
    return [change for change in outcome.changes if change.file.startswith(str(FIXTURES))]


def names(deployments: list[Deployment]) -> set[str]:
    return {endpoint.label for deployment in deployments for endpoint in deployment.endpoints}


def assert_patch_gives(changes: list[Change], folder: Path, base: Path) -> None:
    """A copy of the old files and the patch give what `--fix` writes."""
    own = [change for change in changes if change.file.startswith(f"{base}/")]
    if not own:
        return
    shutil.copytree(base, folder)
    text = patch(own, str(base))
    done = subprocess.run(["git", "apply", "-"], cwd=folder, input=text, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    for change in own:
        assert (folder / os.path.relpath(change.file, base)).read_bytes() == change.after


# -- real files --------------------------------------------------------------------------------------------------------


def corpus_files(server: str) -> Iterator[Path]:
    for path in sorted((needed_corpus() / server).rglob("*")):
        if path.is_file():
            yield path


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_real_files(server: str, tmp_path: Path) -> None:
    changed = 0
    settings = Settings(server=server, now="2026-06-01", trust_store=("none",))
    for number, path in enumerate(corpus_files(server)):
        outcome = fix([str(path)], settings, unsafe=True)
        assert outcome.report.failures == [], path
        assert_only_announced_bytes_change(outcome, server)
        if any(change.file == str(path) for change in outcome.changes):
            changed += 1
            # alone, so that its neighbours are not in play
            copy = tmp_path / str(number) / path.name
            copy.parent.mkdir()
            copy.write_bytes(path.read_bytes())
            first = fix([str(copy)], settings, unsafe=True)
            assert_patch_gives(first.changes, copy.parent / "patched", copy.parent)
            write(first.changes)
            assert fix([str(copy)], settings, unsafe=True).changes == [], path
    assert changed > (20 if server == "nginx" else 0)
