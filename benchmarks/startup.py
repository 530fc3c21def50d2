"""Measures what a short run of tlslint costs: whole processes, in CPU time, beside an empty Python.

    python benchmarks/startup.py --rounds 30

The programs take turns, and the table has the median of the rounds.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from measure import LINTED, TLSLINT, python_version, run
from tree import write_tree

PLAIN = """\
events {}

http {
    include /etc/nginx/mime.types;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:SSL:10m;

    server {
        listen 80 default_server;
        server_name shop.example.test;
        location / {
            return 301 https://$host$request_uri;
        }
    }
}
"""
EMPTY = "python -c pass"


def commands(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the commands to measure by name; the files that they read are made in `folder`."""
    plain = folder / "plain.conf"
    plain.write_text(PLAIN)
    write_tree(folder / "tree", hosts=1, certificates="distinct")
    return {
        EMPTY: (sys.executable, "-c", "pass"),
        "tlslint --help": (sys.executable, "-m", "tlslint", "--help"),
        "a file without certificates": (*TLSLINT, str(plain)),
        "a site with a certificate": (*TLSLINT, str(folder / "tree/nginx.conf")),
    }


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description="Measure the start-up time of tlslint.")
    options.add_argument("--rounds", type=int, default=30)
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tlslint-benchmark-") as folder:
        programs = commands(Path(folder))
        spent: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(given.rounds + 1):
            for name, command in programs.items():
                usage, _ = run(command, LINTED)
                # the first turn writes byte code
                if turn:
                    spent[name].append(usage.cpu * 1000)
    empty = median(spent[EMPTY])
    print(f"Python {python_version()}, {os.cpu_count()} CPUs, {given.rounds} rounds")
    print(f"{'CPU of the whole process':<30}{'median ms':>10}{'least ms':>10}{'x empty':>9}")
    for name, values in spent.items():
        print(f"{name:<30}{median(values):>10.0f}{min(values):>10.0f}{median(values) / empty:>9.1f}")


if __name__ == "__main__":
    main()
