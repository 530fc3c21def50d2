"""Files are written whole or not at all: killed at any step, changed meanwhile, through links, with their modes."""

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tlslint.fix import write as writing
from tlslint.fix.engine import Change
from tlslint.fix.write import WriteRefused, write

OLD, NEW = b"old " * 5000, b"new " * 6000


def change(path: Path, before: bytes = OLD, after: bytes = NEW, backup: bool = False) -> Change:
    return Change(str(path), path.name, before, after, backup)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a.conf", tmp_path / "conf.d" / "b.conf"]
    found[1].parent.mkdir()
    for path in found:
        path.write_bytes(OLD)
    return found


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if "tlslint" in path.name)


def test_all_files_are_written(files: list[Path], tmp_path: Path) -> None:
    assert write([change(path) for path in files]) == []
    assert [path.read_bytes() for path in files] == [NEW, NEW]
    assert left_over(tmp_path) == []


def test_a_file_that_was_changed_meanwhile_keeps_all_as_they_are(files: list[Path], tmp_path: Path) -> None:
    files[1].write_bytes(OLD + b"\n")
    with pytest.raises(WriteRefused, match=r"b\.conf: was changed since it was read"):
        write([change(path) for path in files])
    assert files[0].read_bytes() == OLD
    assert files[1].read_bytes() == OLD + b"\n"
    assert left_over(tmp_path) == []


def test_a_file_that_changes_while_others_are_prepared(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = writing._beside

    def meddle(path: str, data: bytes) -> str:
        files[0].write_bytes(b"theirs")
        return beside(path, data)

    monkeypatch.setattr(writing, "_beside", meddle)
    with pytest.raises(WriteRefused, match="was changed since it was read"):
        write([change(files[0])])
    assert files[0].read_bytes() == b"theirs"
    assert left_over(tmp_path) == []


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(WriteRefused, match="No such file"):
        write([change(tmp_path / "gone.conf")])


def test_a_failing_rename_undoes_the_earlier_ones(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def failing(source: str, target: str) -> None:
        if target == str(files[1]):
            raise PermissionError(1, "Operation not permitted")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(WriteRefused, match="not permitted"):
        write([change(path) for path in files])
    assert [path.read_bytes() for path in files] == [OLD, OLD]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_mode_and_owner_stay(mode: int, files: list[Path]) -> None:
    files[0].chmod(mode)
    if os.geteuid() == 0:
        os.chown(files[0], 12345, 23456)
    before = files[0].stat()
    write([change(files[0])])
    after = files[0].stat()
    assert stat.S_IMODE(after.st_mode) == mode
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_attributes_stay(files: list[Path]) -> None:
    try:
        os.setxattr(files[0], "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write([change(files[0])])
    assert os.getxattr(files[0], "user.note") == b"mine"


def test_a_file_with_two_names_is_not_torn_apart(files: list[Path], tmp_path: Path) -> None:
    os.link(files[0], tmp_path / "other.conf")
    with pytest.raises(WriteRefused, match="hard links"):
        write([change(files[0])])
    assert files[0].samefile(tmp_path / "other.conf")


def test_a_copy_is_kept_once(files: list[Path]) -> None:
    files[0].chmod(0o600)
    copy = files[0].with_name("a.conf.orig")
    assert write([change(files[0], backup=True)]) == [str(copy)]
    assert copy.read_bytes() == OLD
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    files[0].write_bytes(OLD)
    assert write([change(files[0], backup=True)]) == []
    files[0].write_bytes(b"third")
    assert write([change(files[0], b"third", backup=True)]) == [f"{copy}.1"]
    assert copy.read_bytes() == OLD
    assert copy.with_name("a.conf.orig.1").read_bytes() == b"third"


STEPS = ("open", "fchmod", "fsync", "link", "replace", "unlink", "close")


def killed_at(step: str, number: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed when it calls a function of `os` for that time; whether it came so far."""
    child = os.fork()
    if child == 0:
        try:
            real = getattr(os, step)
            calls = 0

            def deadly(*arguments: object, **options: object) -> object:
                nonlocal calls
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)

            setattr(os, step, deadly)
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_each_file_is_the_old_one_or_the_new_one(step: str, files: list[Path]) -> None:
    changes = [change(path, backup=True) for path in files]
    number = 0
    while True:
        number += 1
        for path in files:
            path.write_bytes(OLD)
        killed = killed_at(step, number, lambda: write(changes))
        assert all(path.read_bytes() in (OLD, NEW) for path in files)
        for path in files:
            copy = path.with_name(f"{path.name}.orig")
            assert not copy.exists() or copy.read_bytes() == OLD
            copy.unlink(missing_ok=True)
        if not killed:
            break
    assert number > 2
    assert [path.read_bytes() for path in files] == [NEW, NEW]
