"""Worker processes for what can be done while the run goes on: they take tasks one by one, and so does who waits.

Workers are forked, so a task may use all that was read before, and only results travel. Where a fork is not to be had
(no such call, or other threads that it would cut off), everything is done by the process itself, with the same result.
A worker that dies costs nothing but time: what it did not hand back is done again.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Generic, NoReturn, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MAX_JOBS = 16
MAX_TASKS = 4096
"""As many numbers as surely fit into a pipe that nobody reads yet."""
_NUMBER_BYTES = 4
_LENGTH_BYTES = 8


def usual_jobs() -> int:
    """Return how many processes can work at the same time here."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # Apple's libraries do not take forks well
        return 1
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, MAX_JOBS)


def _may_fork() -> bool:
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() == 1)


class Workers:
    """The worker processes of one run. Leaving its context ends those that are still at work."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = usual_jobs() if jobs is None else min(jobs, MAX_JOBS)
        """How many processes work, the one that waits included; None is as many as there are processors."""
        self._running: set[int] = set()
        self._pending: set[Pending[Any, Any]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in list(self._running):
            os.kill(worker, signal.SIGKILL)
            self.ended(worker)
        for pending in list(self._pending):
            pending.close()

    def start(self, tasks: Sequence[T], work: Callable[[T], R], shared: Iterable[object] = ()) -> "Pending[T, R]":
        """Let the workers begin with the tasks; `Pending.more` has what comes of them.

        What is `shared` comes out of them as the object that it was, instead of as a copy.
        """
        if len(tasks) > MAX_TASKS:
            raise ValueError(f"more than {MAX_TASKS} tasks")
        pending = Pending(self, tasks, work, shared)
        self._pending.add(pending)
        if self.jobs > 1 and len(tasks) > 1 and _may_fork():
            for _ in range(min(self.jobs - 1, len(tasks))):
                self._running.add(pending.fork())
        return pending

    def ended(self, worker: int) -> None:
        """Wait for the end of a worker."""
        os.waitpid(worker, 0)
        self._running.discard(worker)

    def done(self, pending: "Pending[Any, Any]") -> None:
        """Let go of tasks, and of what they refer to."""
        self._pending.discard(pending)


class Pending(Generic[T, R]):
    """Tasks that workers are at, each taken by whoever is free."""

    def __init__(self, workers: Workers, tasks: Sequence[T], work: Callable[[T], R], shared: Iterable[object]) -> None:
        self._workers = workers
        self._tasks = tasks
        self._work = work
        self._shared = tuple(shared)
        self._queue, end = os.pipe()
        os.write(end, b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in range(len(tasks))))
        os.close(end)
        self._outlets: dict[int, _Outlet] = {}
        self._process = os.getpid()
        self._left = set(range(len(tasks)))
        """The tasks whose results were not returned yet."""

    def fork(self) -> int:
        """Start a worker and return its number."""
        # only here: small runs start none
        from tempfile import TemporaryFile

        file = TemporaryFile()  # noqa: SIM115 - open as long as the worker lives
        worker = os.fork()
        if not worker:
            self._serve(file)
        self._outlets[worker] = _Outlet(file, self._shared)
        return worker

    def _serve(self, file: IO[bytes]) -> NoReturn:
        """Be the worker: nothing of the parent's goes on here, neither its output nor what it does at its end."""
        try:
            from tlslint.handover import packed

            # interrupted together with its parent, which says so
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            while (number := self._taken()) is not None:
                result = packed((number, self._work(self._tasks[number])), self._shared)
                file.write(len(result).to_bytes(_LENGTH_BYTES, "big") + result)
                file.flush()
        finally:
            os._exit(0)

    def _taken(self) -> int | None:
        """Take a task, None where there is none left."""
        number = os.read(self._queue, _NUMBER_BYTES)
        return int.from_bytes(number, "big") if number else None

    def more(self) -> list[R]:
        """Return results that were not returned yet, in whatever order, those that are there; none once it was all.

        Where none is there yet, a task is done here, or the workers are waited for. Another worker, forked while these
        tasks are under way, gets none: they are its parent's.
        """
        if os.getpid() != self._process:
            return []
        while self._left:
            there = self._handed_back()
            if there:
                return there
            number = self._taken()
            if number is None:
                number = self._given_up()
            if number is not None:
                self._left.discard(number)
                return [self._work(self._tasks[number])]
        self.close()
        return []

    def _handed_back(self) -> list[R]:
        there = [pair for outlet in self._outlets.values() for pair in outlet.read()]
        self._left.difference_update(number for number, _ in there)
        return [result for _, result in there]

    def _given_up(self) -> int | None:
        """Wait for a worker to end; return a task that none of them has done, None where that is not known yet."""
        for worker, outlet in self._outlets.items():
            if not outlet.complete:
                self._workers.ended(worker)
                outlet.complete = True
                return None
        return min(self._left)

    def close(self) -> None:
        """Give back what the system lent; what was not returned yet never will be."""
        self._left.clear()
        for outlet in self._outlets.values():
            outlet.file.close()
        if self._queue >= 0:
            os.close(self._queue)
            self._queue = -1
        self._workers.done(self)


class _Outlet:
    """The file into which a worker writes its results, one after the other, each after its length."""

    def __init__(self, file: IO[bytes], shared: Sequence[object]) -> None:
        self.file = file
        self._shared = shared
        self.complete = False
        """Whether the worker has ended."""
        self._at = 0

    def read(self) -> Iterator[tuple[int, Any]]:
        """Yield number and result of what has been written to its end and was not read before."""
        # only here: small runs start no worker
        from tlslint.handover import unpacked

        # the worker's own position in the file is not to be moved
        descriptor = self.file.fileno()
        while len(length := os.pread(descriptor, _LENGTH_BYTES, self._at)) == _LENGTH_BYTES:
            start, size = self._at + _LENGTH_BYTES, int.from_bytes(length, "big")
            result = os.pread(descriptor, size, start)
            if len(result) < size:
                return
            self._at = start + size
            yield unpacked(result, self._shared)
