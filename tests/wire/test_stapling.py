"""What Apache makes of stapling, as clients that ask for a response meet it, and what is found of it."""

import re
import subprocess
from pathlib import Path

import pytest

from pki.workshop import FOLDER
from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.servers import ServerError, free_ports
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.run import lint
from tlslint.settings import Settings

CACHE = "SSLStaplingCache shmcb:stapling(32768)"
ON = "SSLUseStapling on"
ASKED = "SSLStaplingForceURL http://127.0.0.1:1/"
ASKED_OVER_HTTPS = "SSLStaplingForceURL https://127.0.0.1:1/"
TRUSTED = f"SSLCACertificateFile {FOLDER}/leaf-only.intermediates.pem"
SELECT = ("stapling-without-responder", "stapling-without-cache", "missing-must-staple", "server-will-not-start")


def configuration(port: int, certificate: str, lines: tuple[str, ...]) -> str:
    outside = "".join(f"{line}\n" for line in lines if line == CACHE)
    inside = "".join(f"{line}\n" for line in lines if line != CACHE)
    return (
        f"ServerName base.example.test\nListen 127.0.0.1:{port}\nSSLSessionCache shmcb:sessions(32768)\n{outside}"
        f"<VirtualHost 127.0.0.1:{port}>\nServerName shop.example.test\nSSLEngine on\n"
        f"SSLCertificateFile {FOLDER}/{certificate}.pem\nSSLCertificateKeyFile {FOLDER}/keys/leaf.key\n"
        f"{inside}</VirtualHost>\n"
    )


def stapled(port: int, *, asks: bool = True) -> str:
    """What a client hears that asks for a response (or does not): its status, `none`, or `alert`."""
    options = ["-status"] if asks else []
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "shop.example.test", *options],
        input=b"", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    if b"alert" in done.stderr:
        return "alert"
    status = re.search(rb"OCSP Response Status: (\w+)", done.stdout)
    return status[1].decode() if status else "none"


SETTINGS = Settings(root="/", server="apache", now="2026-06-01", trust_store=("none",), select=SELECT)
CASES = [
    # certificate, lines, what the start or the client says, what the log says, what is found
    ("healthy", (), "none", "", None),
    ("healthy", (CACHE, ON, ASKED), "trylater", "AH01941", None),
    ("healthy", (CACHE, ON), "none", "AH02218", ("TLS701", "warning")),
    ("healthy", (CACHE, ON, ASKED_OVER_HTTPS), "alert", "AH01940", ("TLS701", "error")),
    ("leaf-only", (CACHE, ON, ASKED), "none", "AH02217", ("TLS701", "warning")),
    ("leaf-only", (CACHE, ON, ASKED, TRUSTED), "trylater", "AH01941", None),
    ("self-signed", (CACHE, ON, ASKED), "none", "AH02217", ("TLS701", "warning")),
    ("healthy", (ON, ASKED), "down", "AH01958", ("TLS703", "error")),
    ("must-staple", (CACHE, ON, ASKED), "trylater", "AH01941", None),
    ("must-staple", (CACHE, ASKED), "none", "", ("TLS320", "error")),
    ("must-staple", (ASKED,), "none", "", ("TLS320", "error")),
]


@pytest.mark.parametrize(("certificate", "lines", "heard", "logged", "expected"), CASES)
def test_what_is_found_is_what_clients_meet(
    certificate: str, lines: tuple[str, ...], heard: str, logged: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    entry = tmp_path / "apache2.conf"
    entry.write_text(configuration(port, certificate, lines), encoding="utf-8")
    server = ApacheServer(needed_apache(), tmp_path)
    try:
        assert server.test()[0], "its own test says nothing of all that"
        if heard == "down":
            with pytest.raises(ServerError, match=logged):
                server.start()
        else:
            server.start()
            assert stapled(port) == heard
            assert stapled(port, asks=False) == "none"
            assert logged in server.error_log
    finally:
        server.stop()
    findings = lint([str(entry)], SETTINGS).findings
    assert [(finding.code, finding.severity.label) for finding in findings] == ([expected] if expected else [])
    if heard in ("alert", "down"):
        assert logged in findings[0].seen


@pytest.mark.parametrize(
    ("certificate", "lines", "heard"),
    [
        ("healthy", (CACHE, ON, ASKED_OVER_HTTPS), "none"),
        ("healthy", (CACHE, ON), "none"),
        ("healthy", (ON, ASKED), "trylater"),
        ("must-staple", (CACHE, ASKED), "trylater"),
        ("must-staple", (ASKED,), "trylater"),
    ],
)
def test_what_a_fix_makes_of_it(certificate: str, lines: tuple[str, ...], heard: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    entry = tmp_path / "apache2.conf"
    entry.write_text(configuration(port, certificate, lines), encoding="utf-8")
    outcome = fix([str(entry)], SETTINGS)
    assert outcome.refused == []
    assert outcome.report.findings == []
    write(outcome.changes)
    with ApacheServer(needed_apache(), tmp_path) as server:
        assert stapled(port) == heard
        assert "AH02218" not in server.error_log
    assert fix([str(entry)], SETTINGS).changes == []


def test_no_cache_is_added_that_apache_does_not_know(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    entry = tmp_path / "apache2.conf"
    text = configuration(port, "healthy", (ON, ASKED)).replace("SSLSessionCache shmcb:sessions(32768)\n", "")
    entry.write_text(f"{needed_apache().load('ssl')}\n{text}", encoding="utf-8")
    outcome = fix([str(entry)], SETTINGS)
    assert outcome.changes == []
    ((finding, why),) = outcome.refused
    assert finding.code == "TLS703"
    assert "'shmcb' stapling cache not supported" in why
    server = ApacheServer(needed_apache(), text.replace("Listen", "SSLStaplingCache shmcb:x(32768)\nListen"),
                          modules=tuple(name for name in USUAL_MODULES if name != "socache_shmcb"))  # fmt: skip
    try:
        assert "'shmcb' stapling cache not supported" in server.test()[1]
    finally:
        server.stop()
