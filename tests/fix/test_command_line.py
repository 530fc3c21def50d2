"""`--fix`, `--diff`, `--patch-dir` and their kin: what is written, said and returned."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import needed_nginx
from tlslint.cli import run

TEXT = """events {}
http {
    server {
        listen 127.0.0.1:8443 ssl default_server; # first
        server_name a.example.test;
        ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;
        ssl_prefer_server_ciphers on;
    }
}
"""
FIXED = TEXT.replace("TLSv1.1 ", "").replace("ciphers on", "ciphers off")
OPTIONS = ["--isolated", "--now", "2026-06-01", "--trust-store", "none", "--color", "never"]
RULES = ["--select", "weak-protocol,cipher-order-preference"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nginx.conf").write_text(TEXT.replace("        ssl_prot", CERTIFICATE + "        ssl_prot"))
    return tmp_path


CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
CERTIFICATE = (
    f"        ssl_certificate {CERTIFICATES}/a-ec256.pem;\n        ssl_certificate_key {CERTIFICATES}/a-ec256.key;\n"
)


def text() -> str:
    return Path("nginx.conf").read_text().replace(CERTIFICATE, "")


def test_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "nginx.conf", "--fix", *RULES, *OPTIONS]) == 0
    output = capsys.readouterr()
    assert text() == FIXED
    assert output.out == ""
    assert "fixed 2 findings in 1 file\n" in output.err
    assert run(["check", "nginx.conf", "--fix", *RULES, *OPTIONS]) == 0
    assert text() == FIXED


def test_what_remains_decides_the_exit_code() -> None:
    assert run(["check", "nginx.conf", "--fix", "--unfixable", "weak-protocol", *RULES, *OPTIONS]) == 1
    assert text() == TEXT.replace("ciphers on", "ciphers off")


@pytest.mark.parametrize("option", [["--fixable", "weak-protocol"], ["--unfixable", "TLS209"]])
def test_rules_that_may_fix(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "nginx.conf", "--fix", *option, *RULES, *OPTIONS]) == 0
    assert text() == TEXT.replace("TLSv1.1 ", "")
    assert "1 fix held back" in capsys.readouterr().err


def test_settings_grade_fixes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tlslint.toml").write_text('extend-unsafe-fixes = ["weak-protocol"]\nunfixable = ["TLS2"]\n')
    options = [option for option in OPTIONS if option != "--isolated"]
    assert run(["check", "nginx.conf", "--fix", *RULES, *options]) == 1
    assert text() == TEXT
    assert "2 fixes held back" in capsys.readouterr().err
    assert run(["check", "nginx.conf", "--fix", "--unsafe-fixes", *RULES, *options]) == 0
    assert text() == TEXT.replace("TLSv1.1 ", "")


def test_diff(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    before = Path("nginx.conf").read_bytes()
    assert run(["check", "nginx.conf", "--diff", *RULES, *OPTIONS]) == 1
    output = capfdbinary.readouterr()
    assert Path("nginx.conf").read_bytes() == before
    assert b"would fix 2 findings in 1 file\n" in output.err
    subprocess.run(["git", "apply", "-"], input=output.out, check=True, timeout=30)
    assert text() == FIXED
    assert run(["check", "nginx.conf", "--diff", *RULES, *OPTIONS]) == 0
    assert capfdbinary.readouterr().out == b""


def test_diff_below_a_root(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    nginx = Path("rootfs/etc/nginx")
    nginx.mkdir(parents=True)
    (nginx / "sites-available").mkdir()
    (nginx / "sites-enabled").mkdir()
    site = TEXT.removeprefix("events {}\nhttp {\n").removesuffix("}\n")
    (nginx / "sites-available" / "a").write_text(site.replace("        ssl_prot", CERTIFICATE + "        ssl_prot"))
    (nginx / "sites-enabled" / "a").symlink_to("/etc/nginx/sites-available/a")
    (nginx / "nginx.conf").write_text("events {}\nhttp {\n    include /etc/nginx/sites-enabled/*;\n}\n")
    assert run(["check", "--root", "rootfs", "--diff", *RULES, *OPTIONS]) == 1
    patch = capfdbinary.readouterr().out
    assert b"--- a/rootfs/etc/nginx/sites-available/a\n" in patch
    subprocess.run(["patch", "-p1"], input=patch, check=True, timeout=30, stdout=subprocess.DEVNULL)
    assert run(["check", "--root", "rootfs", "--diff", *RULES, *OPTIONS]) == 0
    assert (nginx / "sites-enabled" / "a").is_symlink()


def test_a_patch_for_each_fix() -> None:
    assert run(["check", "nginx.conf", "--patch-dir", "patches", *RULES, *OPTIONS]) == 0
    names = sorted(os.listdir("patches"))
    assert names == ["0001-weak-protocol-nginx.conf.patch", "0002-cipher-order-preference-nginx.conf.patch"]
    results = []
    for name in names:
        # each is for the files as they are
        subprocess.run(["git", "apply", f"patches/{name}"], check=True, timeout=30)
        results.append(text())
        subprocess.run(["git", "apply", "--reverse", f"patches/{name}"], check=True, timeout=30)
    assert results == [TEXT.replace("TLSv1.1 ", ""), TEXT.replace("ciphers on", "ciphers off")]


def test_standard_input_is_printed_fixed(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    data = Path("nginx.conf").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(["check", "-", "--fix", *RULES, *OPTIONS]) == 0
    assert capfdbinary.readouterr().out.decode().replace(CERTIFICATE, "") == FIXED
    assert Path("nginx.conf").read_bytes() == data


def test_what_nginx_prints_is_no_file_to_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = b"# configuration file /etc/nginx/nginx.conf:\n" + Path("nginx.conf").read_bytes() + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(["check", "-", "--diff", *RULES, *OPTIONS]) == 0
    assert "the text comes from no file" in capsys.readouterr().err


def test_findings_tell_editors_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "nginx.conf", "--output-format", "json", *RULES, *OPTIONS])
    findings = json.loads(capsys.readouterr().out)["findings"]
    changed = Path("nginx.conf").read_text()
    edits = [edit for finding in findings for edit in finding["fix"]["edits"]]
    for edit in sorted(edits, key=lambda edit: -edit["start"]):
        line = Path("nginx.conf").read_text().splitlines()[edit["line"] - 1]
        assert changed[edit["start"] : edit["end"]] == line[edit["column"] - 1 : edit["end_column"] - 1]
        changed = changed[: edit["start"]] + edit["text"] + changed[edit["end"] :]
    assert changed.replace(CERTIFICATE, "") == FIXED


def test_the_reports_say_what_is_fixable(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "nginx.conf", *RULES, *OPTIONS])
    output = capsys.readouterr()
    assert "= fix: allow TLSv1.2 and TLSv1.3 only (safe)\n" in output.out
    assert "[*] 2 fixable with --fix\n" in output.err
    run(["check", "nginx.conf", "--output-format", "concise", *RULES, *OPTIONS])
    assert "weak-protocol: [*] TLSv1.1 is switched on" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--unsafe-fixes", "--verify-with-server"])
def test_options_that_need_another(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "nginx.conf", option, *OPTIONS]) == 2
    assert f"error: {option} goes with --fix" in capsys.readouterr().err


def test_a_file_that_cannot_be_replaced_is_said_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    os.link("nginx.conf", "twin.conf")
    assert run(["check", "nginx.conf", "--fix", *RULES, *OPTIONS]) == 2
    assert "error: nginx.conf: has other names (hard links)" in capsys.readouterr().err
    assert text() == TEXT


def fake_server(folder: Path, script: str) -> Path:
    program = folder / "bin" / "nginx"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program.parent


def test_the_server_takes_what_was_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = needed_nginx("nginx-system")
    monkeypatch.setenv("PATH", f"{Path(binary.path).parent}:{os.environ['PATH']}")
    options = ["--fix", "--verify-with-server", *RULES, *OPTIONS]
    assert run(["check", "nginx.conf", *options]) == 0
    assert text() == FIXED


def test_what_the_server_refuses_is_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # a server that cannot do without TLS 1.1
    script = 'grep -q TLSv1.1 "$4" || { echo "nginx: [emerg] no TLSv1.1" >&2; exit 1; }'
    monkeypatch.setenv("PATH", f"{fake_server(folder, script)}:{os.environ['PATH']}")
    assert run(["check", "nginx.conf", "--fix", "--verify-with-server", *RULES, *OPTIONS]) == 2
    assert "nginx: [emerg] no TLSv1.1; nothing was changed" in capsys.readouterr().err
    assert text() == TEXT


def test_a_server_that_refused_before_decides_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{fake_server(folder, 'exit 1')}:{os.environ['PATH']}")
    assert run(["check", "nginx.conf", "--fix", "--verify-with-server", *RULES, *OPTIONS]) == 0
    assert text() == FIXED
