"""Asks the server of this machine, where the user wants it to be asked, whether it takes what was written."""

import shutil
import subprocess
from collections.abc import Sequence

from tlslint.fix.engine import Change
from tlslint.fix.write import write

TIMEOUT = 60
_PROGRAMS = {"nginx": (("nginx", "-t", "-q", "-c"),), "apache": (("apache2ctl", "-t", "-f"), ("httpd", "-t", "-f"))}


class ServerRefused(Exception):  # noqa: N818 - an answer, not an error of the program
    """Why what was written was undone, or was not written."""


def write_verified(changes: Sequence[Change], entries: Sequence[tuple[str, str]]) -> list[str]:
    """Write changes, and undo them where a server refuses a configuration that it took before.

    `entries` are the kinds of server and the main files on this machine. Raises `ServerRefused` and `WriteRefused`.
    """
    if not entries:
        raise ServerRefused("--verify-with-server: no main file is here that a server could test")
    commands = {entry: _command(*entry) for entry in entries}
    before = {entry: _verdict(command) for entry, command in commands.items()}
    backups = write(changes) if changes else []
    for entry, command in commands.items() if changes else ():
        passed, message = _verdict(command)
        if before[entry][0] and not passed:
            write([Change(one.file, one.shown, one.after, one.before) for one in changes])
            raise ServerRefused(f"{command[0]} takes {entry[1]} no longer: {_first_line(message)}")
    return backups


def _command(server: str, entry: str) -> list[str]:
    for program, *options in _PROGRAMS[server]:
        path = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
        if path is not None:
            return [path, *options, entry]
    raise ServerRefused(f"--verify-with-server: {_PROGRAMS[server][0][0]} is not on this machine")


def _verdict(command: Sequence[str]) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise ServerRefused(f"{command[0]} does not come to an end") from error
    except OSError as error:
        raise ServerRefused(f"{command[0]}: {error.strerror or error}") from error
    return done.returncode == 0, done.stderr or done.stdout


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "it says nothing")
