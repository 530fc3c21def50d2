"""Writes files so that each is, at every moment, the old one or the new one, and whole.

All new files are written beside the old ones first, then each takes its place by a rename. A file that is no longer
what was read is not touched, and neither are the others then.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress

from tlslint.fix.engine import Change

MAX_BACKUPS = 100


class WriteRefused(Exception):  # noqa: N818 - an answer, not an error of the program
    """Why nothing was written; the message begins with the file."""


def write(changes: Sequence[Change]) -> list[str]:
    """Write all changes, or none; returns the copies that were made of files as they were. Raises `WriteRefused`."""
    ready: list[tuple[Change, str]] = []
    backups: list[str] = []
    try:
        for change in changes:
            _check_unchanged(change)
            ready.append((change, _beside(change.file, change.after)))
        for change, _ in ready:
            if change.backup:
                backups += _backed_up(change)
        for change, _ in ready:
            _check_unchanged(change)
        _put(ready)
    finally:
        for _, temporary in ready:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
    return backups


def _put(ready: Sequence[tuple[Change, str]]) -> None:
    done: list[Change] = []
    for change, temporary in ready:
        try:
            os.replace(temporary, change.file)
            _sync_folder(change.file)
        except OSError as error:
            for earlier in done:
                undo = _beside(earlier.file, earlier.before)
                os.replace(undo, earlier.file)
            raise WriteRefused(f"{change.shown}: {error.strerror or error}") from error
        done.append(change)


def _check_unchanged(change: Change) -> None:
    try:
        status = os.lstat(change.file)
        if not stat.S_ISREG(status.st_mode):
            raise WriteRefused(f"{change.shown}: is no longer a regular file")
        if status.st_nlink > 1:
            raise WriteRefused(f"{change.shown}: has other names (hard links), which would keep the old text")
        with open(change.file, "rb") as file:
            if file.read(len(change.before) + 1) != change.before:
                raise WriteRefused(f"{change.shown}: was changed since it was read")
    except OSError as error:
        raise WriteRefused(f"{change.shown}: {error.strerror or error}") from error


def _beside(path: str, data: bytes) -> str:
    """Write a new file in the directory of one, with its mode, owner and attributes; returns its path."""
    folder, name = os.path.split(path)
    status = os.stat(path)
    temporary = os.path.join(folder, f".{name[:200]}.{os.urandom(6).hex()}.tlslint")
    try:
        # nobody else may read it before it has its mode: it may hold a private key
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WriteRefused(f"{path}: no file can be made beside it: {error.strerror or error}") from error
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            own = os.fstat(descriptor)
            if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            _copy_attributes(path, descriptor)
            os.fsync(descriptor)
    except OSError as error:
        os.unlink(temporary)
        raise WriteRefused(f"{path}: owner, mode or content cannot be kept: {error.strerror or error}") from error
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _copy_attributes(path: str, descriptor: int) -> None:
    """Copy what file systems keep besides mode and owner, such as access lists and SELinux labels."""
    try:
        names = os.listxattr(path)
    except OSError:
        return  # a file system without any
    for name in names:
        value = os.getxattr(path, name)
        with suppress(OSError):
            if os.getxattr(descriptor, name) == value:
                continue
        os.setxattr(descriptor, name, value)


def _sync_folder(path: str) -> None:
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _backed_up(change: Change) -> list[str]:
    """Keep a copy of a file as it was, under a name that is free; nothing is done where there is such a copy."""
    for number in range(MAX_BACKUPS):
        path = f"{change.file}.orig" + (f".{number}" if number else "")
        try:
            with open(path, "rb") as file:
                if file.read(len(change.before) + 1) == change.before:
                    return []
            continue
        except FileNotFoundError:
            pass
        except OSError:
            continue
        temporary = _beside(change.file, change.before)
        try:
            os.link(temporary, path)  # unlike a rename this takes nobody's place
        except FileExistsError:
            continue
        except OSError as error:
            raise WriteRefused(f"{change.shown}: no copy can be kept: {error.strerror or error}") from error
        finally:
            os.unlink(temporary)
        _sync_folder(path)
        return [path]
    raise WriteRefused(f"{change.shown}: there are {MAX_BACKUPS} copies of it already")
