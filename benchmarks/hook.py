"""Measures how long a commit waits for the hook when one file of a repository changed, beside a run of everything.

    python benchmarks/hook.py --hosts 500 --rounds 9 --gixy /path/to/gixy-next

The repository is that of the tests: hosts in files of their own, one of which is weak, three includes away from the
main file. `--gixy` names another linter of nginx configurations, which is given the same files.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from measure import LINTED, TLSLINT, Usage, median_usage, python_version, run  # noqa: E402
from support.repository import PARTNER, SNIPPET, WEAKNESS, build, commit, host  # noqa: E402


def programs(gixy: str | None, partner: int) -> dict[str, tuple[str, ...]]:
    """Return the commands by name."""
    site = f"sites/{host(partner + 1)}.conf"
    found = {
        "tlslint --hook SNIPPET": (*TLSLINT, "--hook", SNIPPET),
        "tlslint --hook HOST": (*TLSLINT, "--hook", site),
        "tlslint": TLSLINT,
    }
    if gixy is not None:
        found["gixy SNIPPET"] = (gixy, SNIPPET)
        found["gixy HOST"] = (gixy, site)
        found["gixy nginx.conf"] = (gixy, "nginx.conf")
    return found


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description="Measure the latency of the hook.")
    options.add_argument("--hosts", type=int, default=500)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--gixy")
    given = options.parse_args(arguments)
    partner = min(PARTNER, given.hosts - 1)
    gixy = None if given.gixy is None else os.path.abspath(given.gixy)
    with tempfile.TemporaryDirectory(prefix="tlslint-benchmark-") as folder:
        build(Path(folder), given.hosts, partner)
        commit(Path(folder))
        with (Path(folder) / SNIPPET).open("a", encoding="utf-8") as file:
            file.write(WEAKNESS)
        os.chdir(folder)
        spent: dict[str, list[Usage]] = {name: [] for name in programs(gixy, partner)}
        said: dict[str, str] = {}
        # the first turn fills caches and does not count
        for turn in range(given.rounds + 1):
            for name, command in programs(gixy, partner).items():
                usage, messages = run(command, LINTED)
                said[name] = next((line for line in messages.splitlines() if " files (" in line), "")
                if turn:
                    spent[name].append(usage)
        os.chdir(ROOT)
    print(f"{given.hosts} hosts, Python {python_version()}, {os.cpu_count()} CPUs, median of {given.rounds}")
    print(f"{'program':<24}{'wall s':>9}{'CPU s':>9}{'least CPU s':>13}")
    for name, usages in spent.items():
        middle = median_usage(usages)
        print(f"{name:<24}{middle.wall:>9.2f}{middle.cpu:>9.2f}{min(usage.cpu for usage in usages):>13.2f}")
        if said[name]:
            print(f"{'':<24}  {said[name]}")


if __name__ == "__main__":
    main()
