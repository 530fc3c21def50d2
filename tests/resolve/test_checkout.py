"""What git tracks, as its index says it, held against git itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tlslint.resolve.checkout import checkout_of, is_tracked

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")
NAMES = ["a.key", "ssl/a.key", "ssl/very/deep/b.key", "ssl/very/deep/bc.key", "zoë.key", f"{'long-' * 40}.key"]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.test", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        [str(GIT), *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def repository(folder: Path, *names: str) -> Path:
    folder.mkdir()
    git(folder, "init", "-q")
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("key\n", encoding="utf-8")
        git(folder, "add", name)
    return folder


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_tracked_files_are_those_of_the_index(tmp_path: Path, version: str) -> None:
    top = repository(tmp_path / "site", *NAMES)
    for name in ("ssl/untracked.key", "b.key", "xa.key"):
        (top / name).write_text("key\n", encoding="utf-8")
    (top / "meant.key").write_text("key\n", encoding="utf-8")
    # an entry with extended flags makes the index one of version 3
    git(top, "add", "--intent-to-add", "meant.key")
    git(top, "update-index", "--index-version", version)
    listed = set(git(top, "ls-files", "-z").rstrip("\0").split("\0"))
    assert listed == {*NAMES, "meant.key"}
    for path in top.rglob("*.key"):
        name = str(path.relative_to(top))
        assert is_tracked(str(path)) == (name in listed), name


def test_a_file_that_is_ignored_is_not_tracked(tmp_path: Path) -> None:
    top = repository(tmp_path / "site", ".gitignore")
    (top / ".gitignore").write_text("*.key\n", encoding="utf-8")
    (top / "a.key").write_text("key\n", encoding="utf-8")
    assert not is_tracked(str(top / "a.key"))


def test_worktrees_have_an_index_of_their_own(tmp_path: Path) -> None:
    top = repository(tmp_path / "site", "a.key")
    git(top, "commit", "-q", "-m", "one")
    git(top, "worktree", "add", "-q", str(tmp_path / "other"))
    assert is_tracked(str(tmp_path / "other" / "a.key"))
    git(tmp_path / "other", "rm", "-q", "--cached", "a.key")
    assert not is_tracked(str(tmp_path / "other" / "a.key"))
    assert is_tracked(str(top / "a.key"))


def test_outside_of_checkouts_nothing_is_tracked(tmp_path: Path) -> None:
    (tmp_path / "a.key").write_text("key\n", encoding="utf-8")
    assert checkout_of(str(tmp_path / "a.key")) is None
    assert not is_tracked(str(tmp_path / "a.key"))


@pytest.mark.parametrize("index", [b"", b"DIRC", b"DIRC\0\0\0\4\0\0\0\7" + b"\0" * 64, b"other"])
def test_a_damaged_index_says_nothing(tmp_path: Path, index: bytes) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_bytes(index)
    (tmp_path / "a.key").write_text("key\n", encoding="utf-8")
    assert checkout_of(str(tmp_path / "a.key")) == str(tmp_path)
    assert not is_tracked(str(tmp_path / "a.key"))
