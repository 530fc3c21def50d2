"""The line that says how far a long run is: on terminals only, and gone when the run ends."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tlslint import progress
from tlslint.progress import CLEAR

ROOT = Path(__file__).parents[1]
SCRIPT = """\
import sys
from tlslint import progress
from tlslint.cli import run
progress.FIRST_AFTER = progress.EVERY = 0.01
sys.exit(run(sys.argv[1:]))
"""
ARGUMENTS = ("fixtures/sites", "fixtures/rules/weak-protocol", "--isolated", "--exit-zero")


def on_a_terminal(*arguments: str, script: str = SCRIPT, term: str = "xterm") -> tuple[int, str]:
    """The exit code, and what came to a terminal on standard error, line ends as they were written."""
    terminal, end = pty.openpty()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "linter"), "TERM": term, "LC_ALL": "C.UTF-8"}
    child = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=end,
    )  # fmt: skip
    os.close(end)
    written = b""
    try:
        while piece := os.read(terminal, 65536):
            written += piece
    except OSError:
        pass  # how Linux says that nobody has the other end any more
    finally:
        os.close(terminal)
    return child.wait(timeout=60), written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("command", ["check", "show", "inventory"])
def test_a_terminal_sees_how_far_the_run_is_and_then_only_the_outcome(command: str) -> None:
    arguments = ARGUMENTS if command == "check" else ARGUMENTS[:-1]
    code, text = on_a_terminal(command, *arguments)
    assert code == 0
    *lines, rest = text.split(CLEAR)
    assert lines[0] == ""
    shown = lines[1:]
    assert shown
    assert all(line.startswith("tlslint: ") and "\n" not in line for line in shown)
    assert any(" files read, " in line and (" judging " in line or " resolving " in line) for line in shown)
    assert "tlslint: " not in rest
    assert rest or command != "check"


def test_worker_processes_leave_the_line_alone() -> None:
    code, text = on_a_terminal("check", *ARGUMENTS, "--jobs", "2")
    assert code == 0
    assert "Traceback" not in text
    assert "tlslint: " not in text.rpartition(CLEAR)[2]


def test_a_short_run_shows_nothing() -> None:
    code, text = on_a_terminal("check", *ARGUMENTS, script=SCRIPT.replace("= 0.01", "= 3600"))
    assert code == 0
    assert CLEAR not in text


@pytest.mark.parametrize(("arguments", "term"), [(("--quiet",), "xterm"), ((), "dumb")])
def test_who_does_not_want_it_sees_nothing(arguments: tuple[str, ...], term: str) -> None:
    code, text = on_a_terminal("check", *ARGUMENTS, *arguments, term=term)
    assert code == 0
    assert CLEAR not in text
    assert "tlslint:" not in text


def test_what_is_no_terminal_gets_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "check", *ARGUMENTS],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "linter"), "TERM": "xterm"},
    )  # fmt: skip
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
    assert "tlslint:" not in done.stderr


def test_an_interruption_leaves_no_line_behind() -> None:
    script = SCRIPT.replace(
        "progress.FIRST_AFTER",
        "import os, signal, time\n"
        "from tlslint import judging\n"
        "def judged(*_):\n"
        "    time.sleep(0.1)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(60)\n"
        "judging.judged = judged\n"
        "progress.FIRST_AFTER",
        1,
    )
    code, text = on_a_terminal("check", *ARGUMENTS, script=script)
    assert code == 130
    assert text.count(CLEAR) > 1
    assert text.endswith(CLEAR)


def test_the_line_fits() -> None:
    progress.at("judging \x1b[31m" + "x" * 200, lambda: 12345)
    text = progress.line(3.4, 60)
    assert text.startswith("tlslint: 12,345 files read, 3 s, judging \\x1b[31mx")
    assert len(text) == 59
    assert text.endswith("…")
    progress.at("looking for configuration")
    assert progress.line(2, 80) == "tlslint: 2 s, looking for configuration"
