"""The certificate workshop through the pipeline: each fault is found by exactly its rules, the twins are silent."""

import shutil
from pathlib import Path

import pytest

from pki.workshop import FOLDER, Case, cases, manifest
from tlslint.finding import Finding
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

CODES = {module.rule.code for module in RULES}
OURS = {code for code in CODES if code.startswith("TLS3")} | {"TLS401", "TLS402", "TLS406"}
SERVER = [name for name, case in cases().items() if case.settings.get("use") is None]
LONGER_THAN_THE_POLICY = "healthy-long-lived-by-the-old-rule"
AUTHORITIES_THAT_ARE_READ = {"client_ca": "ssl_client_certificate", "crl": "ssl_crl"}


def site(case: Case, folder: Path) -> Path:
    """Write a small configuration around the files of a case, in a folder of their own."""
    names = [case.certificate, *([case.key] if case.key else []), *case.files.values()]
    for path in names:
        if path.exists():
            shutil.copy(path, folder / path.name)
            (folder / path.name).chmod(0o600)
    key = f"ssl_certificate_key {case.key.name};" if case.key else ""
    extra = [f"{directive} {case.files[name].name};" for name, directive in AUTHORITIES_THAT_ARE_READ.items()
             if name in case.files]  # fmt: skip
    extra += [f"{name} {value};" for name, value in case.settings.items()]
    server_names = " ".join(f'"{name}"' for name in case.server_names)
    text = (
        "events {}\nhttp {\nserver {\nlisten 127.0.0.1:8443 ssl;\n"
        f"server_name {server_names};\nssl_certificate {case.certificate.name};\n{key}\n"
        + "\n".join(extra)
        + "\n}\n}\n"
    )
    path = folder / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    return path


def found(case: Case, folder: Path, policy: str = "mozilla-intermediate") -> list[Finding]:
    settings = Settings(
        root="/",
        now=case.now.isoformat(),
        trust_store=(str(FOLDER / manifest()["anchors"]),),
        select=tuple(sorted(OURS)),
        policy=policy,
    )
    report = lint([str(site(case, folder))], settings)
    assert not report.failures
    assert not report.problems
    return report.findings


@pytest.mark.parametrize("name", SERVER)
def test_exactly_its_rules_find_each_fault(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    policy = "pci-dss-4" if name == LONGER_THAN_THE_POLICY else "mozilla-intermediate"
    findings = found(case, tmp_path, policy)
    assert {finding.code for finding in findings} == case.rules & OURS, findings
    for finding in findings:
        line = finding.span.source.text.splitlines()[finding.span.line - 1]
        pointed_at = finding.span.source.text[finding.span.start : finding.span.end]
        assert pointed_at
        if finding.code in ("TLS401",):
            assert line.startswith("server_name")
        elif finding.code == "TLS303":
            assert line.startswith("ssl_certificate_key")
        else:
            assert line.startswith("ssl_certificate ")


@pytest.mark.parametrize("name", [name for name in SERVER if cases()[name].rules & OURS])
def test_what_is_seen_is_what_was_observed(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    said = " ".join(finding.seen for finding in found(case, tmp_path))
    for observed in (case.refusal, case.seen):
        words = "no alternative certificate subject name matches" if observed.endswith("mismatch") and (
            "TLS401" in case.rules
        ) else observed  # fmt: skip
        assert words.lower() in said.lower(), (name, observed, said)


def test_the_policy_may_allow_shorter_lives_than_the_forum(tmp_path: Path) -> None:
    (finding,) = found(cases()[LONGER_THAN_THE_POLICY], tmp_path)
    assert finding.code == "TLS311"
    assert "maximum_certificate_lifespan" in finding.source
