"""Runs Python and tlslint in processes of their own: a test runner has threads, beside which nothing is forked."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRELUDE = """
import os, signal, sys, threading, time
from tlslint.workers import Workers, usual_jobs
main = os.getpid()
def all_of(pending):
    results = []
    while more := pending.more():
        results += more
    assert pending.more() == []
    return results
"""


def python(script: str, *arguments: str, timeout: float = 100) -> str:
    """Run a script after the prelude, and return what it prints."""
    done = _run(["-c", PRELUDE + textwrap.dedent(script), *arguments], timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tlslint(*arguments: str) -> tuple[int, str, str]:
    """Run tlslint: exit code, standard output and standard error."""
    done = _run(["-m", "tlslint", *arguments], timeout=100)
    return done.returncode, done.stdout, done.stderr


def _run(arguments: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """The environment in which this package is imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "linter"), str(ROOT / "tests")])}


def generate_tree(folder: Path, hosts: int) -> None:
    """Write a tree of many hosts with a certificate each, as the benchmarks have it."""
    script = str(ROOT / "benchmarks" / "tree.py")
    subprocess.run([sys.executable, script, str(folder), f"--hosts={hosts}", "--certificates=distinct"], check=True)
