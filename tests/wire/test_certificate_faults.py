"""What tlslint says of a certificate is what curl says of the running server, and the rule quotes curl's own words."""

import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.issue import Authority, issue, leaf
from support.apache import ApacheServer, needed_apache
from support.servers import NginxBinary, NginxServer, free_ports, missing
from tlslint.finding import Severity
from tlslint.run import lint
from tlslint.settings import Settings

HOST = "shop.example.test"
NOW = datetime.now(UTC).replace(microsecond=0)
ROOT = issue("Wire Root", not_before=NOW - timedelta(days=900), not_after=NOW + timedelta(days=900))
ISSUING = issue("Wire Issuing CA", ROOT, not_before=NOW - timedelta(days=800), not_after=NOW + timedelta(days=800))
VALID: dict[str, Any] = {"not_before": NOW - timedelta(days=10), "not_after": NOW + timedelta(days=80)}
OTHER = issue("Wire Other CA", ROOT, not_before=NOW - timedelta(days=800), not_after=NOW + timedelta(days=800))
NARROW = issue("Wire Narrow CA", ROOT, path_length=0, **VALID)
BELOW = issue("Wire Below Narrow CA", NARROW, **VALID)


@dataclass(frozen=True)
class Fault:
    """A chain to serve, the rule that must find it and a part of curl's message; an empty one where curl is content."""

    chain: tuple[Authority, ...]
    code: str = ""
    curl: str = ""
    key: Authority | None = None
    beside: tuple[Authority, ...] = field(default=())


GOOD = leaf(HOST, ISSUING, **VALID)
UNABLE = "unable to get local issuer certificate"
FAULTS = {
    "healthy": Fault((GOOD, ISSUING)),
    "expired": Fault(
        (leaf(HOST, ISSUING, not_before=NOW - timedelta(days=90), not_after=NOW - timedelta(days=1)), ISSUING),
        "TLS308", "certificate has expired",
    ),
    "expired-intermediate": Fault(
        (
            leaf(HOST, issue("Wire Stale CA", ROOT, not_before=NOW - timedelta(days=800),
                             not_after=NOW - timedelta(days=1)), **VALID),
            issue("Wire Stale CA", ROOT, not_before=NOW - timedelta(days=800), not_after=NOW - timedelta(days=1)),
        ),
        "TLS308", "certificate has expired",
    ),
    "expiring": Fault(
        (leaf(HOST, ISSUING, not_before=NOW - timedelta(days=80), not_after=NOW + timedelta(days=3)), ISSUING), "TLS309"
    ),
    "future": Fault(
        (leaf(HOST, ISSUING, not_before=NOW + timedelta(days=2), not_after=NOW + timedelta(days=90)), ISSUING),
        "TLS310", "certificate is not yet valid",
    ),
    "leaf-only": Fault((GOOD,), "TLS305", UNABLE, beside=(ISSUING,)),
    "wrong-intermediate": Fault((GOOD, OTHER), "TLS305", UNABLE, beside=(ISSUING,)),
    "out-of-order": Fault(
        (
            leaf(HOST, issue("Wire Lower CA", ISSUING, **VALID), **VALID),
            ISSUING,
            issue("Wire Lower CA", ISSUING, **VALID),
        ),
        "TLS304",
    ),
    "with-root": Fault((GOOD, ISSUING, ROOT), "TLS306"),
    "twice": Fault((GOOD, GOOD, ISSUING), "TLS307"),
    "path-too-long": Fault((leaf(HOST, BELOW, **VALID), BELOW, NARROW), "TLS322", "path length constraint exceeded"),
    "self-signed": Fault((leaf(HOST, None, **VALID),), "TLS315", "self-signed certificate"),
    "other-name": Fault(
        (leaf("other.example.test", ISSUING, **VALID), ISSUING),
        "TLS401", "no alternative certificate subject name matches target host name",
    ),
    "wildcard-too-deep": Fault(
        (leaf("Wire Wildcard", ISSUING, names=[x509.DNSName("*.test")], **VALID), ISSUING),
        "TLS401", "no alternative certificate subject name matches target host name",
    ),
    "key-of-another-type": Fault(
        (GOOD, ISSUING), "TLS303", "handshake failure", key=leaf(HOST, ISSUING, kind="rsa", **VALID)
    ),
}  # fmt: skip


def key_text(authority: Authority) -> bytes:
    pem: bytes = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def write(folder: Path, fault: Fault, port: int, server: str = "nginx") -> Path:
    (folder / "site.pem").write_bytes(b"".join(authority.pem for authority in fault.chain))
    (folder / "site.key").write_bytes(key_text(fault.key or fault.chain[0]))
    (folder / "site.key").chmod(0o600)
    (folder / "root.pem").write_bytes(ROOT.pem)
    for index, authority in enumerate(fault.beside):
        (folder / f"beside-{index}.pem").write_bytes(authority.pem)
    path = folder / ("nginx.conf" if server == "nginx" else "apache2.conf")
    path.write_text(
        f"events {{}}\nhttp {{\nserver {{\nlisten 127.0.0.1:{port} ssl;\nserver_name {HOST};\n"
        "ssl_certificate site.pem;\nssl_certificate_key site.key;\n}\n}\n"
        if server == "nginx"
        else f"Listen 127.0.0.1:{port}\nServerName base.example.test\n<VirtualHost 127.0.0.1:{port}>\n"
        f"ServerName {HOST}\nSSLEngine on\nSSLCertificateFile {folder}/site.pem\n"
        f"SSLCertificateKeyFile {folder}/site.key\n</VirtualHost>\n",
        encoding="utf-8",
    )
    return path


def curl(port: int, roots: Path) -> str:
    """Ask the server once; returns curl's message, empty when it is content."""
    program = shutil.which("curl") or missing("curl")
    done = subprocess.run(
        [program, "-sS", "-o", "/dev/null", "--noproxy", "*", "--max-time", "10", "--cacert", str(roots),
         "--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.stderr.strip()


@pytest.mark.parametrize("name", FAULTS)
def test_curl_says_what_the_rule_says(name: str, nginx: NginxBinary, tmp_path: Path) -> None:
    fault = FAULTS[name]
    (port,) = free_ports(1)
    path = write(tmp_path, fault, port)
    with NginxServer(nginx, tmp_path):
        heard = curl(port, tmp_path / "root.pem")
    agree(fault, path, heard)


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "key-of-another-type"])
def test_curl_says_the_same_of_apache(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    (port,) = free_ports(1)
    path = write(tmp_path, fault, port, "apache")
    with ApacheServer(needed_apache(), tmp_path):
        heard = curl(port, tmp_path / "root.pem")
    agree(fault, path, heard)


def agree(fault: Fault, path: Path, heard: str) -> None:
    """Hold what is found against what curl said."""
    roots = (str(path.parent / "root.pem"),)
    server = "nginx" if path.name == "nginx.conf" else "apache"
    settings = Settings(select=("TLS3", "TLS401", "TLS402", "TLS406"), trust_store=roots, server=server)
    report = lint([str(path)], settings)
    findings = {finding.code: finding for finding in report.findings}
    assert (fault.code in findings) == bool(fault.code), findings
    assert fault.curl in heard
    # curl refuses exactly where an error, or a self-signed certificate, is found
    assert bool(heard) == any(
        finding.code == "TLS315" or (finding.severity is Severity.ERROR and finding.code != "TLS309")
        for finding in report.findings
    )
    if fault.curl:
        assert fault.curl in findings[fault.code].seen
