"""Every documented way to every exit code, one by one: the table in docs/cli.md has no row without a run here."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docs_reference
import pytest

from tlslint.cli import run

ROOT = Path(__file__).parents[1]
TLSLINT = [sys.executable, "-m", "tlslint"]
WEAK = """\
events {}
http {
    server {
        listen 443 ssl;
        server_name a.example.test;
        ssl_certificate /nowhere/a.pem;
        ssl_certificate_key /nowhere/a.key;
        ssl_protocols TLSv1 TLSv1.2 TLSv1.3;
    }
}
"""
ONLY = ("--isolated", "--select", "weak-protocol")
INFO = ("--isolated", "--select", "unlogged-tls")


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nginx.conf").write_text(WEAK, encoding="utf-8")


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def a_broken_rule(monkeypatch: pytest.MonkeyPatch) -> int:
    from tlslint.rules.protocols import weak_protocol

    def check(*_: Any) -> None:
        raise RuntimeError("a fault of its own")

    monkeypatch.setattr(weak_protocol, "check", check)
    return run(["--isolated", "--exit-zero"])


def to_a_full_device() -> int:
    with open("/dev/full", "wb") as full:
        return subprocess.run([*TLSLINT, *ONLY], stdout=full, stderr=subprocess.PIPE, check=False).returncode


def to_a_reader_that_is_gone() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run([*TLSLINT, *ONLY], stdout=writing, stderr=subprocess.PIPE, check=False).returncode
    finally:
        os.close(writing)


def interrupted() -> int:
    """Interrupt a run that waits for its standard input."""
    os.mkfifo("started")
    script = (
        "import sys\n"
        "from tlslint.cli import run\n"
        "from tlslint.cli.commands import check\n"
        "read = check.standard_input\n"
        "check.standard_input = lambda paths: (open('started', 'w').close(), read(paths))[1]\n"
        "sys.exit(run(['-']))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with open("started", encoding="utf-8"):
            pass
        # it reads by now, or is about to
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        return child.wait(timeout=60)
    finally:
        child.kill()
        child.communicate()


def ignored() -> int:
    text = WEAK.replace(
        "        ssl_protocols", "        # tlslint: ignore[weak-protocol] -- old tills\n        ssl_protocols"
    )
    return run([write("nginx.conf", text), *ONLY])


def hidden_by_a_baseline() -> int:
    assert run([*ONLY, "--baseline", "known.json", "--write-baseline"]) == 0
    return max(run([*ONLY, "--baseline", "known.json"]), ignored())


def accepted_or_marked() -> int:
    known = run([*ONLY, "--baseline", "known.json", "--write-baseline"])
    return max(known, run([*ONLY, "--add-ignore", "--reason", "old tills"]))


def a_stale_baseline() -> int:
    assert run([*ONLY, "--baseline", "known.json", "--write-baseline"]) == 0
    write("nginx.conf", WEAK.replace("TLSv1 ", ""))
    assert run([*ONLY, "--baseline", "known.json"]) == 0
    return run([*ONLY, "--baseline", "known.json", "--fail-on-stale"])


def git(*arguments: str) -> None:
    own = ("-c", "user.name=tests", "-c", "user.email=tests@example.test", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *arguments], check=True, capture_output=True)


def nothing_new() -> int:
    git("init", "--quiet")
    git("add", "nginx.conf")
    git("commit", "--quiet", "--message", "as it was")
    write("nginx.conf", f"# a line\n{WEAK}")
    return run([*ONLY, "--changed-since", "HEAD"])


def no_such_revision() -> int:
    git("init", "--quiet")
    return run([*ONLY, "--changed-since", "no-such-branch"])


def settings_twice() -> int:
    assert run(["init"]) == 0
    return run(["init"])


def templates_only() -> int:
    os.remove("nginx.conf")
    write("site.conf.j2", "server {\n    listen {{ port }} ssl;\n    ssl_protocols {{ protocols }};\n}\n")
    return run(["site.conf.j2", *ONLY])


def documentation() -> int:
    return max(
        run(list(arguments))
        for arguments in (
            ("init",),
            ("settings",),
            ("rule",),
            ("rule", "TLS101"),
            ("policy",),
            ("policy", "modern"),
            ("schema", "report"),
            ("settings", "--isolated"),
            ("--help",),
            ("check", "--help"),
            ("--version",),
        )
    )


def show_and_inventory() -> int:
    return max(run(["show", "--isolated"]), run(["inventory", "--isolated"]))


def an_unreadable_path_and_a_good_one() -> int:
    return run(["none.conf", write("good.conf", WEAK.replace("TLSv1 ", "")), *ONLY])


def any_of(*runs: tuple[str, ...]) -> Callable[[], int]:
    """The exit code of several runs, which have to agree."""

    def call() -> int:
        [code] = {run(list(arguments)) for arguments in runs}
        return code

    return call


RUNS: dict[str, Callable[[], int]] = {
    "nothing was found": lambda: run([write("good.conf", WEAK.replace("TLSv1 ", "")), *ONLY]),
    "what was found is below `--fail-on`": any_of((*INFO,), (*INFO, "--fail-on", "error")),
    "there are findings, and `--exit-zero` was given": any_of((*ONLY, "--exit-zero"), (*INFO, "--exit-zero")),
    "all findings are hidden by comments or the baseline": hidden_by_a_baseline,
    "`--write-baseline` accepted, or `--add-ignore` marked, all that was found": accepted_or_marked,
    "`--changed-since` names a revision that had all findings already": nothing_new,
    "`--fix` left no finding at or above `--fail-on`": any_of(
        (*ONLY, "--fix"),
    ),
    "`--diff` has nothing to change": lambda: run([write("good.conf", WEAK.replace("TLSv1 ", "")), *ONLY, "--diff"]),
    "only templates were found, which are not checked": templates_only,
    "`--hook` was given nothing that is configuration, or that any names": lambda: run(
        [*ONLY, "--hook", write("page.inc", "<?php phpinfo();\n"), "gone.conf"]
    ),
    "`show` and `inventory`, whatever they show": show_and_inventory,
    "`init`, `settings`, `rule`, `policy`, `schema`, `--help` and `--version`": documentation,
    "a finding is at or above `--fail-on` (default: `warning`)": any_of(
        (*ONLY,), (*ONLY, "--fail-on", "error"), (*INFO, "--fail-on", "info"), (*ONLY, "--output-format", "sarif")
    ),
    "a file cannot be parsed: that is an error finding which nothing hides": lambda: run(
        [write("nginx.conf", "# tlslint: ignore-file[syntax-error] -- no\nhttp {"), "--isolated", "--ignore", "TLS0"]
    ),
    "`--diff` has something to change": any_of(
        (*ONLY, "--diff"),
    ),
    "`--fail-on-stale` was given, and the baseline has what is no longer there": a_stale_baseline,
    "`ciphers` with a string that OpenSSL refuses": any_of(("ciphers", "NO-SUCH-CIPHER"), ("ciphers", "")),
    "an option, or its value, that does not exist": any_of(
        ("--no-such-option",), ("--fail-on", "never"), ("--output-format", "yaml"), ("--now", "soon"), ("shwo",)
    ),
    "options that exclude each other, or go with one that was not given": any_of(
        ("--isolated", "--config", "x"),
        ("--unsafe-fixes",),
        ("--reason", "x"),
        ("--write-baseline", "--fix"),
        ("rule", "weak-protocol", "--all"),
    ),
    "settings that cannot be used": lambda: run([*ONLY[1:], "--config", write("own.toml", "polcy = 'modern'\n")]),
    "a policy, a baseline or a trust store that cannot be used": any_of(
        ("--isolated", "--policy", "no-such-policy"),
        ("--isolated", "--baseline", "nginx.conf"),
        ("--isolated", "--trust-store", "nginx.conf"),
        ("policy", "no/such.json"),
        ("policy", "no-such-policy"),
    ),
    "a target that means nothing": any_of(("--isolated", "--target", "nginx=x"), ("--isolated", "--target", "dos-6")),
    "`--changed-since` names no revision": no_such_revision,
    "`init` where there are settings already": settings_twice,
    "`--select` or `--ignore` name no rule": any_of(("--select", "TLS9999"), ("--ignore", "weak-protocols")),
    "no configuration was found": any_of(("--isolated", os.devnull), ("empty", "--isolated")),
    "a path that was named cannot be read; the others are checked all the same": an_unreadable_path_and_a_good_one,
    "`--report` cannot be written": any_of((*ONLY, "--report", "sarif=no/such/x"), (*ONLY, "--report", "yaml=x")),
    "standard output cannot be written": to_a_full_device,
    "interrupted (Ctrl-C)": interrupted,
    "whoever reads the output has gone (`tlslint | head`)": to_a_reader_that_is_gone,
}
BROKEN = "an internal error, also where `--exit-zero` was given; the other rules run all the same"


def test_every_row_has_a_run() -> None:
    assert {*RUNS, BROKEN} == {case for cases in docs_reference.EXIT_CODES.values() for case in cases}


@pytest.mark.parametrize(
    ("code", "case"), [(code, case) for code, cases in docs_reference.EXIT_CODES.items() for case in cases]
)
def test_exit_code(code: int, case: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkdir("empty")
    ended = a_broken_rule(monkeypatch) if case == BROKEN else RUNS[case]()
    assert ended == code
    out, err = capfd.readouterr()
    if code == 2 and "standard output" not in case:
        assert "rror" in err or "Try 'tlslint" in err, out
        assert "Traceback" not in err
