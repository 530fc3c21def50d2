"""Several processes come to the same result as one, whatever happens to them.

Everything runs in a process of its own: where there are other threads, as under a test runner, nothing is forked.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.corpus import needed_corpus
from support.processes import environment, generate_tree, python, tlslint

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_each_task_has_one_result(jobs: int) -> None:
    script = """
    tasks = list(range(300))
    with Workers(int(sys.argv[1])) as workers:
        pending = workers.start(tasks, lambda number: (number * number, os.getpid()))
        time.sleep(0.2)
        results = all_of(pending)
    assert sorted(square for square, _ in results) == [number * number for number in tasks]
    print(len({pid for _, pid in results} - {main}) > 0)
    """
    assert python(script, str(jobs)) == str(jobs > 1)


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "raise ValueError", "sys.exit(3)"]
)
def test_what_a_worker_did_not_hand_back_is_done_again(end: str) -> None:
    script = f"""
    def work(number):
        if os.getpid() != main and number > 2:
            {end}
        return number
    with Workers(3) as workers:
        pending = workers.start(list(range(40)), work)
        time.sleep(0.3)
        print(sorted(all_of(pending)) == list(range(40)))
    """
    assert python(script) == "True"


def test_an_error_is_raised_where_the_results_are_wanted() -> None:
    script = """
    def work(number):
        raise KeyError(number)
    with Workers(2) as workers:
        pending = workers.start([7, 8], work)
        try:
            all_of(pending)
        except KeyError as error:
            print(error)
    """
    assert python(script) in ("7", "8")


def test_results_are_to_be_had_before_the_workers_have_ended() -> None:
    script = """
    def work(number):
        if number:
            time.sleep(60)
        return os.getpid(), "x" * 100_000
    began = time.monotonic()
    with Workers(2) as workers:
        pending = workers.start([0, 1], work)
        time.sleep(0.5)
        [(worker, text)] = pending.more()
    print(worker != main, len(text), time.monotonic() - began < 30)
    """
    assert python(script) == "True 100000 True"


def test_the_tasks_of_one_are_not_taken_by_workers_for_another() -> None:
    script = """
    with Workers(2) as workers:
        first = workers.start(list(range(100)), lambda number: time.sleep(0.01) or number)
        second = workers.start([1, 2], lambda _: (os.getpid(), first.more()))
        time.sleep(0.3)
        theirs = [results for process, results in all_of(second) if process != main]
        print(theirs != [], any(theirs), sorted(all_of(first)) == list(range(100)))
    """
    assert python(script) == "True False True"


def test_leaving_ends_workers_that_are_still_at_it() -> None:
    script = """
    began = time.monotonic()
    try:
        with Workers(4) as workers:
            workers.start(list(range(8)), lambda _: time.sleep(60))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        print("none is left", time.monotonic() - began < 30, len(os.listdir("/proc/self/fd")) < 8)
    """
    assert python(script) == "none is left True True"


def test_nothing_is_forked_beside_other_threads() -> None:
    script = """
    stop = threading.Event()
    threading.Thread(target=stop.wait, daemon=True).start()
    with Workers(4) as workers:
        print(set(all_of(workers.start([1, 2, 3], lambda _: os.getpid()))) == {main})
    stop.set()
    """
    assert python(script) == "True"


def test_what_is_shared_is_not_copied() -> None:
    script = """
    class Thing:
        pass
    things = [Thing() for _ in range(5)]
    def work(number):
        own = Thing()
        return number, os.getpid(), things[number], {"again": [things[number], things[0]]}, own, [own]
    with Workers(2) as workers:
        pending = workers.start(list(range(5)), work, iter(things))
        time.sleep(0.2)
        results = all_of(pending)
    assert {pid for _, pid, *_ in results} - {main}
    for number, _, thing, again, own, copied in results:
        assert thing is things[number]
        assert again["again"][0] is things[number]
        assert again["again"][1] is things[0]
        assert own is copied[0]
        assert own not in things
    print(len(results))
    """
    assert python(script) == "5"


def test_done_tasks_are_let_go() -> None:
    """Else each deployment would stay in memory until the end."""
    script = """
    import gc, weakref
    class Large:
        def work(self, number):
            return number
    large = Large()
    with Workers(2) as workers:
        assert sorted(all_of(workers.start([1, 2, 3], large.work))) == [1, 2, 3]
        gone = weakref.ref(large)
        del large
        print(gone())
    """
    assert python(script) == "None"


def test_workers_print_nothing() -> None:
    script = """
    print("once", end="")
    with Workers(3) as workers:
        assert sorted(all_of(workers.start(list(range(9)), str))) == list("012345678")
    """
    assert python(script) == "once"


def test_the_usual_number_is_that_of_the_processors() -> None:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    assert python("print(usual_jobs())") == str(min(available, 16))


# --- the same output ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated tree that is large enough for workers, with files that cannot be read as they should."""
    folder = tmp_path_factory.mktemp("hosts") / "tree"
    generate_tree(folder, hosts=300)
    files = sorted((folder / "certificates").iterdir())
    by_suffix = {suffix: [path for path in files if path.suffix == suffix] for suffix in (".pem", ".key")}
    for suffix, paths in by_suffix.items():
        other = paths[-1].read_bytes()
        paths[0].write_bytes(b"")
        paths[1].write_bytes(b"\x00\xff" * 400)
        paths[2].write_bytes(paths[2].read_bytes()[:150])
        paths[3].unlink()
        paths[3].mkdir()
        paths[4].unlink()
        os.mkfifo(paths[4])
        paths[5].unlink()
        paths[5].symlink_to(paths[5].name)
        paths[6].unlink()
        paths[7].write_bytes(other)
        paths[8].unlink()
        paths[8].symlink_to("/etc/hostname")
        paths[9].write_bytes(paths[9].read_bytes().replace(b"-----\n", b"-----\r\n"))
        if suffix == ".pem":
            paths[10].write_bytes(b"".join(paths[10].read_bytes().partition(b"-----END CERTIFICATE-----\n")[::-1]))
    return folder


NOW = ("--now", "2026-11-23")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "-v", *NOW), ("check", "--output-format", "json", *NOW), ("show", "--output-format", "json"),
        ("inventory", "--output-format", "json", *NOW), ("check", "--require-certificates", *NOW),
        ("check", "--unsafe-fixes", "--diff", *NOW),
    ],
    ids=" ".join,
)  # fmt: skip
def test_output_is_the_same_byte_for_byte(arguments: tuple[str, ...], tree: Path) -> None:
    given = (*arguments, "--isolated", str(tree / "nginx.conf"))
    alone = tlslint(*given, "--jobs", "1")
    assert alone[0] == (0 if arguments[0] != "check" else 1), alone[2]
    assert ("shop00290.example.test" if "--diff" in arguments else "shop00299.example.test") in alone[1]
    for jobs in ("2", "3"):
        assert tlslint(*given, "--jobs", jobs) == alone


def test_workers_read_what_is_read_once(tree: Path) -> None:
    """The files are opened by the workers, and what they found is what the run has."""
    script = """
    from tlslint.resolve.include import Files
    from tlslint.settings import Settings
    from tlslint.run import predict
    import tlslint.resolve.include as include
    files = []
    class Watched(Files):
        def __init__(self, **given):
            super().__init__(**given)
            files.append(self)
    import tlslint.discover
    tlslint.discover.Files = Watched
    deployments, report = predict([sys.argv[1]], Settings(jobs=int(sys.argv[2])))
    assert not report.failures
    print(files[0].reads, len(files[0]._bundles), len(files[0]._keys))
    """
    alone, together = (python(script, str(tree / "nginx.conf"), jobs).split() for jobs in ("1", "3"))
    assert alone[1:] == together[1:]
    assert int(together[0]) < int(alone[0]), "the workers have read nothing"


def test_an_interruption_ends_everything(tree: Path) -> None:
    command = [sys.executable, "-m", "tlslint", "check", "--isolated", "--jobs", "4", str(tree / "nginx.conf")]
    for delay in (0.25, 0.6):
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            start_new_session=True,
        )
        time.sleep(delay)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


def test_the_trees_of_the_corpus_come_out_the_same() -> None:
    corpus = needed_corpus()
    script = """
    from tlslint.resolve import ahead, include
    from tlslint.run import lint
    from tlslint.settings import Settings
    include.MIN_FILES_TO_READ_AHEAD, ahead._FILES_IN_A_TASK = 1, 1
    folders = sorted({os.path.dirname(os.path.join(folder, name)) for folder, _, names in os.walk(sys.argv[1])
                      for name in names if name == "nginx.conf"})
    def outcome(folder, jobs):
        report = lint([folder], Settings(jobs=jobs, now="2026-11-23"))
        assert not report.failures
        return (
            [(f.code, f.message, f.span.source.path, f.span.start, f.endpoints) for f in report.findings],
            [(u.what, u.why) for u in report.unknown], report.skipped, report.problems, report.files, report.endpoints,
        )
    for folder in folders:
        assert outcome(folder, 1) == outcome(folder, 3), folder
    print(len(folders))
    """
    assert int(python(script, str(corpus))) > 5
