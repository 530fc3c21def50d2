"""Worker processes for what can be done while the run goes on: they take tasks one by one, and so does who waits.

Workers are forked, so a task may use all that was read before, and only results travel. Where a fork is not to be had
(no such call, or other threads that it would cut off), everything is done by the process itself, with the same result.
A worker that dies costs nothing but time: what it did not hand back is done again.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Generic, NoReturn, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MAX_JOBS = 16
MAX_TASKS = 4096
"""As many numbers as surely fit into a pipe that nobody reads yet."""
_NUMBER_BYTES = 4


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
        self._pending: list[Pending[Any, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in list(self._running):
            os.kill(worker, signal.SIGKILL)
            self.ended(worker)
        for pending in self._pending:
            pending.close()

    def start(self, tasks: Sequence[T], work: Callable[[T], R]) -> "Pending[T, R]":
        """Let the workers begin with the tasks; `Pending.results` has what comes of them."""
        if len(tasks) > MAX_TASKS:
            raise ValueError(f"more than {MAX_TASKS} tasks")
        pending = Pending(self, tasks, work)
        self._pending.append(pending)
        if self.jobs > 1 and len(tasks) > 1 and _may_fork():
            for _ in range(min(self.jobs - 1, len(tasks))):
                self._running.add(pending.fork())
        return pending

    def ended(self, worker: int) -> bool:
        """Wait for the end of a worker: whether it did all that it took."""
        _, status = os.waitpid(worker, 0)
        self._running.discard(worker)
        return status == 0


class Pending(Generic[T, R]):
    """Tasks that workers are at, each taken by whoever is free."""

    def __init__(self, workers: Workers, tasks: Sequence[T], work: Callable[[T], R]) -> None:
        self._workers = workers
        self._tasks = tasks
        self._work = work
        self._queue, end = os.pipe()
        os.write(end, b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in range(len(tasks))))
        os.close(end)
        self._handed_back: dict[int, IO[bytes]] = {}

    def fork(self) -> int:
        """Start a worker and return its number."""
        # only here: small runs start none
        from tempfile import TemporaryFile

        file = TemporaryFile()  # noqa: SIM115 - open as long as the worker lives
        worker = os.fork()
        if not worker:
            self._serve(file)
        self._handed_back[worker] = file
        return worker

    def _serve(self, file: IO[bytes]) -> NoReturn:
        """Be the worker: nothing of the parent's goes on here, neither its output nor what it does at its end."""
        done = False
        try:
            import pickle

            # interrupted together with its parent, which says so
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            for number in self._numbers():
                pickle.dump((number, self._work(self._tasks[number])), file, pickle.HIGHEST_PROTOCOL)
            file.flush()
            done = True
        finally:
            os._exit(not done)

    def _numbers(self) -> Iterator[int]:
        while number := os.read(self._queue, _NUMBER_BYTES):
            yield int.from_bytes(number, "big")

    def results(self) -> Iterator[R]:
        """Do what nobody has taken yet, wait for the workers, and yield the results in order of the tasks."""
        results: dict[int, R] = {number: self._work(self._tasks[number]) for number in self._numbers()}
        for worker, file in self._handed_back.items():
            if self._workers.ended(worker):
                results.update(_pickled(file))
        self.close()
        for number, task in enumerate(self._tasks):
            yield results[number] if number in results else self._work(task)

    def close(self) -> None:
        """Give back what the system lent; tasks that nobody took stay undone."""
        for file in self._handed_back.values():
            file.close()
        if self._queue >= 0:
            os.close(self._queue)
            self._queue = -1


def _pickled(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    import pickle

    file.seek(0)
    while True:
        try:
            # from a worker of our own, through a file that nobody else can open
            yield pickle.load(file)
        except (EOFError, pickle.UnpicklingError):  # the end, or where its writer was cut off
            return
