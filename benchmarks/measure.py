"""Runs a program to its end and says what it took; shared by the benchmarks."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


class BenchmarkError(Exception):
    """A program that is to be measured did not do its work."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Wall and CPU time (user and system) in seconds, peak resident memory in MB (10**6 bytes)."""

    wall: float
    cpu: float
    memory: float


def environment() -> dict[str, str]:
    """Return the environment for the programs: as users have it, so with byte code that is kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: Sequence[str], accepted: Sequence[int] = (0,)) -> tuple[Usage, str]:
    """Run a command: what it took, and what it wrote to standard error.

    Raises `BenchmarkError` unless it ends with one of the accepted exit codes: what failed early was not fast.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment()
        )
        # of this child alone; getrusage would add up all of them
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        messages = errors.read().decode(errors="replace")
    if process.returncode not in accepted:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{messages[-2000:]}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6), messages


def median_usage(usages: Iterable[Usage]) -> Usage:
    """Return the median of each figure by itself."""
    usages = list(usages)
    return Usage(
        median(usage.wall for usage in usages),
        median(usage.cpu for usage in usages),
        median(usage.memory for usage in usages),
    )


TLSLINT = (sys.executable, "-m", "tlslint", "check", "--isolated")
LINTED = (0, 1)
"""Exit codes of a check that was done, without and with findings."""


def python_version() -> str:
    return sys.version.partition(" ")[0]
