"""A line on the terminal that says how far a long run is; it is gone when the run ends.

A timer's signal writes it, so a run that is watched works as one that is not, and nothing is written before it takes
long. Signals reach the main thread only, and forked workers have no timer.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

FIRST_AFTER = 2.0
"""Seconds; whoever waits less long has no use for a line."""
EVERY = 0.25
CLEAR = "\r\x1b[K"


_stage = "looking for configuration"
_files: Callable[[], int] | None = None
# one for the process, as the signal and the terminal are


def at(stage: str, files: Callable[[], int] | None = None) -> None:
    """Say what the run is at, in a clause, and who knows how many files it has read so far."""
    global _stage, _files
    _stage, _files = stage, files


def line(seconds: float, columns: int) -> str:
    """Return what stands on the terminal, cut to its width."""
    from tlslint.report.text import counted, visible

    read = f"{counted(_files(), 'file')} read, " if _files is not None else ""
    text = f"tlslint: {read}{seconds:.0f} s, {visible(_stage)}"
    return text if len(text) < columns else f"{text[: max(columns - 2, 0)]}…"


@contextmanager
def shown(stream: TextIO, wanted: bool = True) -> Iterator[None]:
    """Show on a terminal how far the run is, as long as the context lasts."""
    at("looking for configuration")
    if wanted and stream.isatty() and os.environ.get("TERM") != "dumb":
        with _timer(stream):
            yield
    else:
        yield
    # what it would hold on to is large
    at("done")


@contextmanager
def _timer(stream: TextIO) -> Iterator[None]:
    import signal
    import threading
    from shutil import get_terminal_size
    from time import monotonic

    taken = signal.getsignal(signal.SIGALRM) not in (signal.SIG_DFL, signal.SIG_IGN, None)
    if taken or threading.current_thread() is not threading.main_thread():
        yield
        return
    descriptor = stream.fileno()
    start = monotonic()
    written = False

    def write(text: str) -> None:
        # not by way of the stream, which may be in the middle of a write
        with suppress(OSError):
            os.write(descriptor, text.encode(stream.encoding, "backslashreplace"))

    def tell(*_: object) -> None:
        nonlocal written
        written = True
        write(CLEAR + line(monotonic() - start, get_terminal_size().columns))

    before = signal.signal(signal.SIGALRM, tell)
    signal.setitimer(signal.ITIMER_REAL, FIRST_AFTER, EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if written:
            write(CLEAR)
