"""The certificate workshop through the pipeline: each fault is found by exactly its rules, the twins are silent."""

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.issue import issue, leaf
from pki.workshop import FOLDER, Case, cases, manifest
from tlslint.finding import Finding, Severity
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

CODES = {module.rule.code for module in RULES}
OURS = {code for code in CODES if code.startswith("TLS3")} | {"TLS401", "TLS402", "TLS406"}
SERVER = [name for name, case in cases().items() if case.settings.get("use") is None]
LONGER_THAN_THE_POLICY = "healthy-long-lived-by-the-old-rule"
AUTHORITIES_THAT_ARE_READ = {"client_ca": "ssl_client_certificate", "crl": "ssl_crl"}
APACHE_AUTHORITIES = {"client_ca": "SSLCACertificateFile", "crl": "SSLCARevocationFile"}
APACHE_SETTINGS = {
    "ssl_stapling": "SSLUseStapling {value}",
    "ssl_verify_client": "SSLVerifyClient require",
    "ssl_verify_depth": "SSLVerifyDepth {value}",
}
SERVERS = ("nginx", "apache")


NGINX_ONLY = {
    "regex-of-other-names": "Apache's names have no regular expressions",
}


def site(case: Case, folder: Path, server: str = "nginx") -> Path:
    """Write a small configuration around the files of a case, in a folder of their own."""
    names = [case.certificate, *([case.key] if case.key else []), *case.files.values()]
    for path in names:
        if path.exists():
            shutil.copy(path, folder / path.name)
            (folder / path.name).chmod(0o600)
    return nginx_site(case, folder) if server == "nginx" else apache_site(case, folder)


def apache_site(case: Case, folder: Path) -> Path:
    """The same faults in Apache's words."""
    first, *others = case.server_names
    lines = [f'ServerName "{first.lstrip(".")}"', *(f'ServerAlias "{name.lstrip(".")}"' for name in others)]
    lines += ["SSLEngine on", f"SSLCertificateFile {folder}/{case.certificate.name}"]
    lines += [f"SSLCertificateKeyFile {folder}/{case.key.name}"] if case.key else []
    lines += [f"{directive} {folder}/{case.files[name].name}" for name, directive in APACHE_AUTHORITIES.items()
              if name in case.files]  # fmt: skip
    lines += ["SSLCARevocationCheck chain"] if "crl" in case.files else []
    lines += [APACHE_SETTINGS[name].format(value=value) for name, value in case.settings.items()]
    main = ["LoadModule ssl_module modules/mod_ssl.so", "Listen 127.0.0.1:8443", "ServerName base.example.test"]
    main += [
        "LoadModule socache_shmcb_module modules/mod_socache_shmcb.so",
        "SSLStaplingCache shmcb:logs/stapling(32768)",
    ]
    path = folder / "httpd.conf"
    text = "\n".join([*main, "<VirtualHost 127.0.0.1:8443>", *lines, "</VirtualHost>", ""])
    path.write_text(text.replace('ServerName ""\n', "").replace('ServerAlias ""\n', ""), encoding="utf-8")
    return path


def nginx_site(case: Case, folder: Path) -> Path:
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


def found(
    case: Case, folder: Path, policy: str = "mozilla-intermediate", server: str = "nginx", *more: str
) -> list[Finding]:
    settings = Settings(
        root="/",
        now=case.now.isoformat(),
        trust_store=(str(FOLDER / manifest()["anchors"]),),
        select=(*sorted(OURS), *more),
        policy=policy,
        server=server,
    )
    report = lint([str(site(case, folder, server))], settings)
    assert not report.failures
    assert not report.problems
    return report.findings


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", SERVER)
def test_exactly_its_rules_find_each_fault(name: str, server: str, tmp_path: Path) -> None:
    if server == "apache" and name in NGINX_ONLY:
        pytest.skip(NGINX_ONLY[name])
    case = cases()[name]
    policy = "pci-dss-4" if name == LONGER_THAN_THE_POLICY else "mozilla-intermediate"
    # that the server does not start is said once
    findings = found(case, tmp_path, policy, server, "TLS006", "TLS7")
    ours = OURS | {code for code in CODES if code.startswith("TLS7")}
    findings = [finding for finding in findings if finding.severity is not Severity.INFO or finding.code in case.rules]
    assert {finding.code for finding in findings} == case.rules & ours, findings
    for finding in findings:
        line = finding.span.source.text.splitlines()[finding.span.line - 1]
        pointed_at = finding.span.source.text[finding.span.start : finding.span.end]
        assert pointed_at
        assert line.startswith(DIRECTIVES.get(finding.code, ("ssl_certificate ", "SSLCertificateFile ")))


DIRECTIVES = {
    "TLS401": ("server_name ", "ServerName "),
    "TLS303": ("ssl_certificate_key ", "SSLCertificateKeyFile "),
    "TLS701": ("ssl_stapling ", "SSLUseStapling "),
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", [name for name in SERVER if cases()[name].rules & OURS])
def test_what_is_seen_is_what_was_observed(name: str, server: str, tmp_path: Path) -> None:
    if server == "apache" and name in NGINX_ONLY:
        pytest.skip(NGINX_ONLY[name])
    case = cases()[name]
    said = " ".join(finding.seen for finding in found(case, tmp_path, server=server))
    refusal = case.refusal if server == "nginx" else case.apache_refusal
    for observed in (refusal, case.seen if not refusal else ""):
        words = "no alternative certificate subject name matches" if observed.endswith("mismatch") and (
            "TLS401" in case.rules
        ) else observed  # fmt: skip
        assert words.lower() in said.lower(), (name, observed, said)


def test_the_policy_may_allow_shorter_lives_than_the_forum(tmp_path: Path) -> None:
    (finding,) = found(cases()[LONGER_THAN_THE_POLICY], tmp_path)
    assert finding.code == "TLS311"
    assert "maximum_certificate_lifespan" in finding.source


@pytest.mark.parametrize("name", [name for name in SERVER if cases()[name].apache_refusal])
def test_where_nobody_else_says_it_the_server_will_not_start(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    settings = Settings(root="/", now=case.now.isoformat(), trust_store=("none",), select=("TLS006",), server="apache")
    (finding,) = lint([str(site(case, tmp_path, "apache"))], settings).findings
    assert set(finding.yields_to) & {module.rule.name for module in RULES if module.rule.code in case.rules}


AUTHORITY = issue("Town, Issuing CA")
ADDRESS = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example.test/it's.cer")
        )
    ]
)
PUBLIC = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)])


@pytest.mark.parametrize("server", SERVERS)
def test_what_has_to_be_fetched_is_for_the_reader_to_fetch(server: str, tmp_path: Path) -> None:
    bare = leaf("shop.example.test", issue("Town CA", AUTHORITY), extensions=[ADDRESS, PUBLIC])
    case = replace(cases()["leaf-only"], files={})
    path = site(case, tmp_path, server)
    (tmp_path / "leaf-only.pem").write_bytes(bare.pem)
    (tmp_path / "leaf.key").write_bytes(bare.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = Settings(root="/", now="2026-06-01", trust_store=("none",), select=("TLS305",), server=server)
    (finding,) = lint([str(path)], settings).findings
    assert finding.fix is not None
    assert finding.fix.safety.label == "manual"
    assert not finding.fix.applicable
    fetched, *others = finding.fix.commands
    assert shlex.split(fetched)[-1] == "http://ca.example.test/it's.cer"
    # what comes from there, in the form that it has there
    der = issue("Town CA", AUTHORITY).certificate.public_bytes(Encoding.DER)
    (tmp_path / "issuer").write_bytes(der)
    subprocess.run(" && ".join(others), shell=True, check=True, cwd=tmp_path, timeout=30)
    assert not [item for item in lint([str(path)], settings).findings if "Town CA" in item.message.partition("by")[2]]
    (tmp_path / "leaf-only.pem").write_bytes(bare.pem)
    (tmp_path / "issuer").write_bytes(AUTHORITY.certificate.public_bytes(Encoding.DER))
    done = subprocess.run(" && ".join(others), shell=True, check=False, cwd=tmp_path, timeout=30, capture_output=True)
    assert done.returncode, "a stranger is not appended"
    assert (tmp_path / "leaf-only.pem").read_bytes() == bare.pem


def test_names_with_commas_are_whole(tmp_path: Path) -> None:
    bare = leaf("shop.example.test", AUTHORITY, extensions=[PUBLIC])
    path = site(replace(cases()["leaf-only"], files={}), tmp_path)
    (tmp_path / "leaf-only.pem").write_bytes(bare.pem)
    settings = Settings(root="/", now="2026-06-01", trust_store=("none",), select=("TLS305",))
    (finding,) = lint([str(path)], settings).findings
    assert '"Town, Issuing CA"' in finding.message
