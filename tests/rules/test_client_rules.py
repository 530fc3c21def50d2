"""The workshop's client certificates and stapling through the pipeline: each fault by exactly its rules."""

from pathlib import Path

import pytest

from pki.workshop import FOLDER, Case, cases, manifest
from rules.test_certificate_rules import site
from tlslint.finding import Finding
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

OURS = {module.rule.code for module in RULES if module.rule.code[3] in "57"} - {"TLS702", "TLS704"}
"""The workshop's stapled hosts look like most: unverified, and with a responder that is an address."""
SERVERS = [name for name, case in cases().items() if case.settings.get("use") is None]


def found(path: Path, case: Case, **settings: object) -> list[Finding]:
    report = lint(
        [str(path)],
        Settings(
            root="/",
            now=case.now.isoformat(),
            trust_store=(str(FOLDER / manifest()["anchors"]),),
            select=tuple(sorted(OURS)),
            **settings,  # type: ignore[arg-type]
        ),
    )
    assert not report.failures
    assert not report.problems
    return report.findings


@pytest.mark.parametrize("name", SERVERS)
def test_exactly_its_rules_find_each_fault(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    findings = found(site(case, tmp_path), case)
    expected = case.rules & OURS
    # what is refused for its dates or depth has no list either, unless the case is about lists
    advice = set() if "crl" in case.files or not case.settings.get("ssl_verify_client") else {"TLS507"}
    assert {finding.code for finding in findings} - advice == expected - advice, findings
    assert expected <= {finding.code for finding in findings}


@pytest.mark.parametrize("certificate", ["public-client-certificate", "healthy", "healthy-private-root"])
def test_a_client_certificate_for_an_upstream(certificate: str, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text(
        "events {}\nhttp {\nserver {\nlisten 127.0.0.1:8080;\nlocation / {\nproxy_pass https://127.0.0.1:8443;\n"
        f"proxy_ssl_certificate {FOLDER}/{certificate}.pem;\nproxy_ssl_certificate_key {FOLDER}/keys/leaf.key;\n"
        "}\n}\n}\n",
        encoding="utf-8",
    )
    codes = [finding.code for finding in found(path, cases()["healthy"])]
    assert codes == ([] if certificate == "healthy-private-root" else ["TLS510"])


MTLS = (
    "events {{}}\nhttp {{\nserver {{\nlisten 127.0.0.1:8443 ssl;\nserver_name shop.example.test;\n"
    "ssl_certificate {folder}/healthy.pem;\nssl_certificate_key {folder}/keys/leaf.key;\n"
    "ssl_verify_client on;\nssl_client_certificate {ca};\nssl_crl {crl};\nssl_trusted_certificate {ca};\n}}\n}}\n"
)


def written(folder: Path, ca: Path) -> Path:
    path = folder / "nginx.conf"
    path.write_text(MTLS.format(folder=FOLDER, ca=ca, crl=ca), encoding="utf-8")
    return path


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 4000, b"-----BEGIN CERTIFICATE-----\n", b"text\n" * 1000])
def test_a_file_without_certificates_is_no_ca(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    codes = {finding.code for finding in found(written(tmp_path, tmp_path / "ca.pem"), cases()["healthy"])}
    assert "TLS501" in codes


def test_what_cannot_be_read_is_not_judged(tmp_path: Path) -> None:
    import os

    ca = tmp_path / "ca.pem"
    os.mkfifo(ca)
    assert found(written(tmp_path, ca), cases()["healthy"]) == []
    ca.unlink()
    ca.symlink_to(ca)
    assert found(written(tmp_path, ca), cases()["healthy"]) == []
    ca.unlink()
    assert found(written(tmp_path, ca), cases()["healthy"]) == []


def test_what_is_not_here_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path, Path("/elsewhere/ca.pem"))
    report = lint([str(path)], Settings(trust_store=("none",), select=tuple(sorted(OURS))))
    assert report.findings == []
    counted = [item.what for item in report.unknown if "/elsewhere/" in item.what]
    assert counted == ['ssl_client_certificate "/elsewhere/ca.pem" of 3 endpoints']


def test_a_system_bundle_is_public_and_a_private_root_is_not(tmp_path: Path) -> None:
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists():
        pytest.skip("no system bundle")
    path = written(tmp_path, bundle)
    path.write_text(path.read_text().replace(f"ssl_crl {bundle};\n", ""), encoding="utf-8")
    codes = {finding.code for finding in found(path, cases()["healthy"])}
    assert codes - {"TLS505"} == {"TLS504", "TLS507"}
