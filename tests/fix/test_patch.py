"""Patches: whatever the bytes and the names, `git apply` and `patch -p1` make of the old files the new ones."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tlslint.fix.engine import Change
from tlslint.fix.patch import base_of, patch

LINES = st.lists(
    st.sampled_from([b"a", b"b;", b"\tc", b"d # e", b"", b"\r", b"x\r", b"caf\xe9", b"-- a", b"+ b", b"@@ -1 +1 @@"]),
    max_size=14,
)


def text(lines: list[bytes], ended: bool) -> bytes:
    return b"\n".join(lines) + (b"\n" if ended and lines else b"")


CONTENTS = st.builds(text, LINES, st.booleans())


def applied(old: Mapping[str, bytes], new: Mapping[str, bytes], command: list[str]) -> dict[str, bytes]:
    """What a program makes of the old files with the patch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in old.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        changes = [Change(str(folder / path), path, old[path], new[path]) for path in old if old[path] != new[path]]
        text = patch(changes, base_of(changes, name))
        done = subprocess.run(command, cwd=folder, input=text, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr, text)
        return {path: (folder / path).read_bytes() for path in old}


COMMANDS = {
    "git": ["git", "apply", "--whitespace=nowarn", "-"],
    "patch": ["patch", "-p1", "--binary", "--no-backup-if-mismatch"],
}


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> list[str]:
    found = COMMANDS[request.param]
    if shutil.which(found[0]) is None:
        pytest.skip(f"{found[0]} is not installed")
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=CONTENTS.filter(bool), new=CONTENTS.filter(bool))
@example(old=b"a\n", new=b"a")
@example(old=b"a\r\nb\r\n", new=b"a\r\nc\r\n")
@example(old=b"a", new=b"b")
def test_a_patch_makes_of_the_old_file_the_new_one(old: bytes, new: bytes, command: list[str]) -> None:
    if old != new:
        assert applied({"nginx.conf": old}, {"nginx.conf": new}, command) == {"nginx.conf": new}


NAMES = ["conf.d/a b.conf", "sites/ü.conf", 'q"uote.conf', "back\\slash.conf", "-dash.conf", "deep/er/x.conf"]


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, command: list[str]) -> None:
    old, new = {name: b"a\nb\n", "other.conf": b"x\n"}, {name: b"a\nc\n", "other.conf": b"y\n"}
    assert applied(old, new, command) == new


def test_files_elsewhere_are_named_from_the_root(tmp_path: Path) -> None:
    inside, outside = tmp_path / "here" / "a.conf", tmp_path / "there" / "b.conf"
    changes = [Change(str(path), path.name, b"a\n", b"b\n") for path in (inside, outside)]
    assert base_of(changes[:1], str(tmp_path / "here")) == str(tmp_path / "here")
    assert base_of(changes, str(tmp_path / "here")) == "/"
    assert f"--- a{outside}\n".encode() in patch(changes, "/")
