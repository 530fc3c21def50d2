"""The benchmarks run and print their tables. What the figures are is nobody's business here."""

import re
import subprocess
import sys
from pathlib import Path

from support.servers import NGINX_NAMES, find_nginx

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def benchmark(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hosts_are_linted_beside_crossplane(tmp_path: Path) -> None:
    for certificates in ("shared", "distinct"):
        printed = benchmark(
            "hosts.py", "--sizes=2,20", "--rounds=1", f"--trees={tmp_path}", f"--certificates={certificates}"
        )
        names = re.findall(r"^ +(\d+)  (\S+(?: -t [\d.]+)?) +\d+\.\d\d +\d+\.\d\d +\d+", printed, re.MULTILINE)
        assert ("2", "tlslint") in names
        assert ("20", "crossplane.parse") in names
        for nginx in filter(None, map(find_nginx, NGINX_NAMES)):
            assert ("20", f"nginx -t {'.'.join(map(str, nginx.version))}") in names
        # two hosts of two server blocks each, every one with two names; a client without SNI, any other name
        assert re.search(r"tlslint says: .* in 5 files \(8 endpoints", printed)
        assert len(list((tmp_path / f"{certificates}-20" / "sites").iterdir())) == 20


def test_the_trees_have_faults_to_find(tmp_path: Path) -> None:
    printed = benchmark("hosts.py", "--sizes=20", "--rounds=1", f"--trees={tmp_path}", "--only=tlslint")
    assert re.search(r"tlslint says: .*\d+ warnings", printed)


def test_start_up_is_compared_with_an_empty_python() -> None:
    printed = benchmark("startup.py", "--rounds=1")
    rows = re.findall(r"^(.+?) +\d+ +\d+ +(\d+\.\d)$", printed, re.MULTILINE)
    assert [name for name, _ in rows] == [
        "python -c pass",
        "tlslint --help",
        "a file without certificates",
        "a site with a certificate",
    ]
    assert rows[0][1] == "1.0"


def test_the_hook_is_measured_on_one_changed_file() -> None:
    printed = benchmark("hook.py", "--hosts=5", "--rounds=1")
    rows = re.findall(r"^(tlslint\b.*?) +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$", printed, re.MULTILINE)
    assert rows == ["tlslint --hook SNIPPET", "tlslint --hook HOST", "tlslint"]
    assert "1 error and 1 warning in 11 files" in printed
