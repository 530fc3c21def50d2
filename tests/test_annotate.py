"""`--add-ignore`: a comment for each finding, above its statement, and not a byte else."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlslint.annotate import ReasonError, annotated, tail_of
from tlslint.cli import run
from tlslint.finding import Report
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.selection import Selection
from tlslint.settings import Settings

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "fixtures" / "sites" / "shop"
CERTIFICATES = ROOT / "fixtures" / "certificates"
TODAY = date(2026, 6, 1)
COMMON = [
    "--isolated",
    "--now",
    "2026-06-01",
    "--trust-store",
    "none",
    "--color",
    "never",
    "--output-format",
    "concise",
]
ADD = [*COMMON, "--add-ignore", "--reason", "as it was in 2026"]
WRITTEN = re.compile(rb"^[ \t]*# tlslint: ignore\[[a-z0-9, -]+\] -- as it was in 2026\r?\n", re.MULTILINE)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def stripped(found: dict[Path, bytes]) -> dict[Path, bytes]:
    """The files without the comments that were written."""
    return {path: WRITTEN.sub(b"", data) for path, data in found.items()}


def linted(path: str, **given: object) -> Report:
    report = lint([path], Settings(now="2026-06-01", trust_store=("none",), **given))  # type: ignore[arg-type]
    assert not report.failures
    return report


def test_a_site_with_many_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder, symlinks=True)
    monkeypatch.chdir(folder)
    before = contents(folder)
    number = len(linted(".").findings)
    assert number > 10
    assert run([*ADD, "--until", "2027-03-31"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert f"{number} ignored" in err
    assert re.search(r"note: \d+ comments written to \d+ files", err)
    after = contents(folder)
    assert stripped({path: data.replace(b", until=2027-03-31", b"") for path, data in after.items()}) == before
    assert run([*ADD]) == 0
    assert "written" not in capfd.readouterr().err
    assert contents(folder) == after
    assert run([*COMMON, "--now", "2027-04-01"]) == 1
    assert "expired-ignore" in capfd.readouterr().out


def test_apache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    pair = f"SSLCertificateFile {CERTIFICATES}/a-rsa.pem\r\n\tSSLCertificateKeyFile {CERTIFICATES}/a-rsa.key"
    text = (
        "Listen 443\nSSLCipherSuite \\\n    AES128-SHA\n"
        f"<VirtualHost *:443>\r\n\tServerName a.example.test\r\n\tSSLEngine on\r\n\t{pair}\r\n"
        "\tSSLProtocol \\\r\n\t\tTLSv1.2\r\n</VirtualHost>"
    )
    path = tmp_path / "httpd.conf"
    path.write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    assert run([*COMMON, "httpd.conf"]) == 1
    assert run([*ADD, "httpd.conf"]) == 0
    assert WRITTEN.sub(b"", path.read_bytes()) == text.encode()
    assert b"\r\n\t# tlslint: ignore[missing-protocol] -- as it was in 2026\r\n\tSSLProtocol" in path.read_bytes()
    assert re.search(rb"443\n# tlslint: ignore\[.*no-forward-secrecy.*\nSSLCipherSuite", path.read_bytes())
    capfd.readouterr()


def test_what_no_comment_may_suppress_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nginx.conf").write_text("events {}\nhttp {\n    server {\n", encoding="utf-8")
    assert run([*ADD, "nginx.conf"]) == 1
    assert "not ignored: nginx.conf:3: syntax-error: no comment may suppress it" in capfd.readouterr().err
    assert Path("nginx.conf").read_text(encoding="utf-8") == "events {}\nhttp {\n    server {\n"


def test_files_of_other_programs_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "# Ansible managed\nevents {}\nhttp {\n    ssl_protocols TLSv1.1 TLSv1.2;\n"
    text += "    server {\n        listen 443 ssl;\n"
    text += "        ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n    }\n}\n"
    Path("nginx.conf").write_text(text, encoding="utf-8")
    assert run([*ADD, "nginx.conf", "--select", "weak-protocol"]) == 1
    assert "Ansible manages the file" in capfd.readouterr().err
    assert Path("nginx.conf").read_text(encoding="utf-8") == text


def test_links_and_permissions_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "available").mkdir()
    (tmp_path / "enabled").mkdir()
    text = (
        "server {\n    listen 443 ssl;\n    ssl_protocols TLSv1.1;\n    ssl_certificate a; ssl_certificate_key b;\n}\n"
    )
    target = tmp_path / "available" / "a.conf"
    target.write_text(text, encoding="utf-8")
    target.chmod(0o640)
    (tmp_path / "enabled" / "a.conf").symlink_to("../available/a.conf")
    (tmp_path / "nginx.conf").write_text("events {}\nhttp {\n    include enabled/*.conf;\n}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run([*ADD, "."]) == 0
    assert (tmp_path / "enabled" / "a.conf").is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert b"# tlslint: ignore[" in target.read_bytes()
    capfd.readouterr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add-ignore"], "--reason TEXT"),
        (["--add-ignore", "--reason", "--"], "--reason TEXT"),
        (["--add-ignore", "--reason", "a\nb"], "one line"),
        (["--add-ignore", "--reason", "a\\"], "backslash"),
        (["--add-ignore", "--reason", "until=2027-01-01"], "--until DATE"),
        (["--add-ignore", "--reason", "x", "--until", "soon"], "not a date"),
        (["--add-ignore", "--reason", "x", "--until", "2026-05-31"], "is over"),
        (["--reason", "x"], "go with --add-ignore"),
        (["--add-ignore", "--reason", "x", "-"], "goes with files"),
        (["--add-ignore", "--reason", "x", "--fix"], "exclude each other"),
    ],
)
def test_what_is_refused(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("nginx.conf").write_text("events {}\n", encoding="utf-8")
    assert run([*arguments, "--now", "2026-06-01"]) == 2
    assert message in capfd.readouterr().err


def test_a_reason_is_read_back_as_it_was_given() -> None:
    assert tail_of("  OPS-411: terminals ", None, TODAY) == " -- OPS-411: terminals"
    assert tail_of("x", "2026-06-01", TODAY) == " -- x, until=2026-06-01"
    with pytest.raises(ReasonError):
        tail_of("x" * 501, None, TODAY)


# --- whatever the layout ------------------------------------------------------------------------------------------

NGINX = [
    ["events", "{", "}"],
    ["http", "{"],
    ["ssl_protocols", "TLSv1.1", "TLSv1.2", ";"],
    ["ssl_session_tickets", "on", ";"],
    ["server", "{"],
    ["listen", "127.0.0.1:8443", "ssl", ";"],
    ["server_name", "a.example.test", '"b.example.test"', ";"],
    ["ssl_ciphers", "'HIGH:!aNULL'", ";"],
    ["ssl_certificate", f"{CERTIFICATES}/a-rsa-expired.pem", ";"],
    ["ssl_certificate_key", f"{CERTIFICATES}/a-rsa.key", ";"],
    ["ssl_prefer_server_ciphers", "on", ";"],
    ["}"],
    ["server", "{"],
    ["listen", "127.0.0.1:8443", "ssl", ";"],
    ["server_name", "c.example.test", ";"],
    ["ssl_protocols", "TLSv1", ";"],
    ["ssl_certificate", f"{CERTIFICATES}/c-rsa.pem", ";"],
    ["ssl_certificate_key", f"{CERTIFICATES}/c-rsa.key", ";"],
    ["}"],
    ["}"],
]
GAPS = [" ", "\n", "\n    ", "\r\n\t", "\n\n", "\n# a comment\n", " # behind\n  ", "\t"]


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """The same configuration with any space, line ends and comments between its words."""
    text = draw(st.sampled_from(["", "\n", "# head\n"]))
    for statement in NGINX:
        for word in statement:
            text += word + draw(st.sampled_from(GAPS))
    return text.rstrip() if draw(st.booleans()) else text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=layouts())
def test_whatever_the_layout_all_is_suppressed_and_nothing_else_changes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_bytes(text.encode())
    selection = Selection([module.rule for module in RULES], Settings())
    before = linted(str(path), root="/", server="nginx")
    assert len(before.findings) > 5
    made = annotated(before.findings, before.trees, selection, " -- as it was in 2026")
    assert made.refused == ()
    (change,) = made.changes
    assert change.before == text.encode()
    assert WRITTEN.sub(b"", change.after) == change.before
    path.write_bytes(change.after)
    after = linted(str(path), root="/", server="nginx")
    assert after.findings == []
    assert sorted(item.finding.name for item in after.hidden) == sorted(item.name for item in before.findings)
    assert annotated(after.findings, after.trees, selection, " -- as it was in 2026").changes == ()
