"""The inventory: complete, right about every certificate, and readable by the programs that each format is for."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from support.rule_fixtures import Fixture, deployments, fixtures
from tlslint.cli import run
from tlslint.inventory import Role, key_text, shown_name, take_inventory
from tlslint.policy import load_policy
from tlslint.report import inventory_csv, inventory_json, inventory_markdown, inventory_prometheus
from tlslint.report.show import deployment_data
from tlslint.report.text import visible
from tlslint.run import predict
from tlslint.settings import Settings

ROOT = Path(__file__).parents[1]
WORKSHOP = ROOT / "fixtures" / "certificates" / "workshop"
SHOP = ROOT / "fixtures" / "sites" / "shop"
SNAPSHOTS = Path(__file__).parent / "report" / "snapshots"
NOW = "2026-06-01"
FORMATS = ("table", "json", "csv", "markdown", "prometheus")
OPENSSL = shutil.which("openssl")

MTLS = """\
events {}
http {
    server {
        listen 443 ssl;
        server_name shop.example.test www.shop.example.test;
        ssl_certificate healthy-mtls.pem;
        ssl_certificate_key keys/leaf.key;
        ssl_client_certificate healthy-mtls.client_ca.pem;
        ssl_trusted_certificate anchors.pem;
        ssl_crl healthy-mtls.crl.pem;
        ssl_verify_client on;
        location / {
            proxy_pass https://backend.example.test:8443/;
            proxy_ssl_certificate public-client-certificate.pem;
            proxy_ssl_certificate_key keys/leaf.key;
            proxy_ssl_trusted_certificate expired-client-ca.client_ca.pem;
            proxy_ssl_crl expired-crl.crl.pem;
            proxy_ssl_verify on;
        }
    }
    server {
        listen 443 ssl;
        server_name old.example.test;
        ssl_certificate expired.pem;
        ssl_certificate_key keys/leaf.key;
    }
}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with everything that the workshop made; the current one."""
    shutil.copytree(WORKSHOP, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def written(tree: Path, text: str) -> Path:
    (tree / "nginx.conf").write_text(text, encoding="utf-8")
    return tree


def listing(*arguments: str, code: int = 0) -> str:
    """Standard output of the command; fails where its exit code is another one."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        found = run(["inventory", "--isolated", "--now", NOW, *arguments])
    assert found == code, err.getvalue()
    return out.getvalue()


def document(*arguments: str) -> dict[str, Any]:
    """The inventory as JSON, which its schema allows."""
    found: dict[str, Any] = json.loads(listing("--output-format", "json", *arguments))
    schema = json.loads((ROOT / "linter/tlslint/data/inventory.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def entries(found: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [entry for entry in found["certificates"] if entry["role"] == role]


def records(*arguments: str) -> list[dict[str, str]]:
    """The records of the CSV; strict about line ends, quotes and the number of fields (RFC 4180)."""
    text = listing("--output-format", "csv", *arguments)
    assert text.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n", text)
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


# -- complete ------------------------------------------------------------------------------------------------------


def test_every_role_is_there_with_its_users(tree: Path) -> None:
    found = document(str(written(tree, MTLS)))
    roles = Counter(entry["role"] for entry in found["certificates"])
    assert roles == {
        "server": 2, "chain": 2, "client-ca": 3, "trusted-ca": 2, "upstream-client": 1, "upstream-ca": 1,
    }  # fmt: skip
    server = {entry["files"][0]["file"]: entry for entry in entries(found, "server")}
    shop = server["healthy-mtls.pem"]
    assert shop["endpoints"] == [
        "shop.example.test on 0.0.0.0:443",
        "www.shop.example.test on 0.0.0.0:443",
        "a client without SNI on 0.0.0.0:443",
        "any other name on 0.0.0.0:443",
    ]
    assert shop["files"][0]["directives"] == [{"directive": "ssl_certificate", "file": "nginx.conf", "line": 6}]
    assert server["expired.pem"]["endpoints"] == ["old.example.test on 0.0.0.0:443"]
    upstream = "https://backend.example.test:8443/ (proxy_pass at nginx.conf:13)"
    for role in ("upstream-client", "upstream-ca"):
        assert all(entry["endpoints"] == [upstream] for entry in entries(found, role))
    assert {crl["files"][0]["file"] for crl in found["crls"]} == {"healthy-mtls.crl.pem", "expired-crl.crl.pem"}
    assert found["unread"] == []


def test_sorted_by_expiry(tree: Path) -> None:
    found = document(str(written(tree, MTLS)))
    ends = [entry["not_after"] for entry in found["certificates"]]
    assert ends == sorted(ends)
    assert len(set(ends)) > 2
    updates = [crl["next_update"] for crl in found["crls"]]
    assert updates == sorted(updates)
    assert (found["certificates"][0]["state"], found["crls"][0]["state"]) == ("expired", "expired")


def test_one_certificate_in_several_files_is_one_entry(tree: Path) -> None:
    shutil.copy(tree / "healthy.pem", tree / "copy.pem")
    hosts = "".join(
        f"server {{ listen 443 ssl; server_name {name}.example.test; ssl_certificate {file}.pem;"
        " ssl_certificate_key keys/leaf.key; }\n"
        for name, file in (("a", "healthy"), ("b", "copy"), ("c", "healthy"))
    )
    (entry,) = entries(document(str(written(tree, f"events {{}}\nhttp {{\n{hosts}}}\n"))), "server")
    assert [file["file"] for file in entry["files"]] == ["healthy.pem", "copy.pem"]
    assert [[place["line"] for place in file["directives"]] for file in entry["files"]] == [[3, 5], [4]]
    assert entry["endpoint_count"] == 5


def test_what_is_named_in_vain_is_listed_without_users(tree: Path) -> None:
    text = """\
events {}
http {
    server {
        listen 443 ssl;
        ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;
        ssl_reject_handshake on;
        ssl_client_certificate anchors.pem;
    }
}
"""
    found = document(str(written(tree, text)))
    assert {entry["role"] for entry in found["certificates"]} >= {"server", "client-ca"}
    assert {entry["endpoint_count"] for entry in found["certificates"]} == {0}
    assert "nobody" in listing(str(tree))


def test_client_cas_count_only_where_clients_are_asked(tree: Path) -> None:
    host = "server { listen 443 ssl; ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key; %s }"
    text = f"events {{}}\nhttp {{ ssl_client_certificate anchors.pem;\n{host}\n}}\n"
    quiet = document(str(written(tree, text % "")))
    assert {entry["endpoint_count"] for entry in entries(quiet, "client-ca")} == {0}
    asking = document(str(written(tree, text % "ssl_verify_client optional;")))
    assert {entry["endpoint_count"] for entry in entries(asking, "client-ca")} == {2}


def test_crls_beside_cas_count_only_where_revocation_is_checked(tree: Path) -> None:
    both = (tree / "healthy-mtls.client_ca.pem").read_bytes() + (tree / "expired-crl.crl.pem").read_bytes()
    (tree / "both.pem").write_bytes(both)
    host = (
        "server {{ listen 443 ssl; ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;"
        " ssl_verify_client on; ssl_client_certificate both.pem; {} }}"
    )
    text = f"events {{}}\nhttp {{\n{host}\n}}\n".replace("events {}", "events {{}}").replace("http {\n", "http {{\n")
    text = text.removesuffix("}\n") + "}}\n"
    assert document(str(written(tree, text.format(""))))["crls"] == []
    files = {
        file["file"]
        for crl in document(str(written(tree, text.format("ssl_crl healthy-mtls.crl.pem;"))))["crls"]
        for file in crl["files"]
    }
    assert files == {"both.pem", "healthy-mtls.crl.pem"}


@pytest.mark.parametrize(
    ("directive", "why"),
    [
        ("ssl_certificate absent.pem", "does not exist"),
        ("ssl_certificate der.pem", "DER"),
        ("ssl_certificate empty.pem", "it is empty"),
        ("ssl_certificate keys", "is a directory"),
        ("ssl_certificate $ssl_server_name.pem", "holds a variable"),
        ("ssl_certificate engine:pkcs11:1234", "names are not read"),
        ("ssl_certificate damaged-begin.pem", "drops this certificate"),
        ("ssl_certificate truncated.pem", "cannot be read"),
        ("ssl_certificate healthy.pem; ssl_verify_client on; ssl_client_certificate absent.pem", "does not exist"),
        ("ssl_certificate healthy.pem; ssl_trusted_certificate binary.pem", "no certificate"),
        ("ssl_certificate healthy.pem; ssl_crl anchors.pem", "there is no CRL in this file"),
        ("ssl_certificate healthy.pem; ssl_crl absent.pem", "does not exist"),
        ("include absent.conf; ssl_certificate healthy.pem", "absent.conf"),
    ],
)
def test_what_could_not_be_read_is_listed_in_every_format(directive: str, why: str, tree: Path) -> None:
    host = f"server {{ listen 443 ssl; {directive}; ssl_certificate_key keys/leaf.key; }}"
    path = str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n"))
    unread = document(path)["unread"]
    assert any(why in item["why"] for item in unread), unread
    assert all(place["line"] == 3 for item in unread for place in item["directives"])
    assert any(why in row["problem"] for row in records(path) if row["state"] == "unread")
    assert any(why in dict(labels)["reason"] for labels, _ in series(path)["tlslint_unread_info"])
    for name in ("table", "markdown"):
        text = listing(path, "--output-format", name)
        assert why in re.sub(r"\s+", " ", text).replace("\\", "")
    assert "1234" not in "".join(listing(path, "--output-format", name) for name in FORMATS)


def test_files_left_out_are_listed(tree: Path) -> None:
    written(tree, MTLS)
    (tree / "extra.conf").write_text("server { listen {{ port }} ssl; server_name {{ name }}; }\n", encoding="utf-8")
    assert any(item["file"] == "extra.conf" for item in document(".")["unread"])


def test_every_part_can_be_had_alone(tree: Path) -> None:
    path = str(written(tree, MTLS))
    assert "handshakes" not in document(path, "--only", "certificates")
    assert {"certificates", "crls"}.isdisjoint(document(path, "--only", "protocols"))
    for name in ("table", "markdown"):
        both = listing(path, "--output-format", name)
        alone = [listing(path, "--output-format", name, "--only", part) for part in ("certificates", "protocols")]
        assert all(line in both.split("\n") for text in alone for line in text.split("\n"))
        assert "TLSv1.2" not in alone[0]
        assert "Issuing CA" not in alone[1]


# -- right ---------------------------------------------------------------------------------------------------------


def openssl(*arguments: str, data: bytes = b"") -> str:
    if OPENSSL is None:
        if os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1":
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed")
    done = subprocess.run([OPENSSL, *arguments], input=data, capture_output=True, timeout=20, check=True)
    return done.stdout.decode()


def seconds(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)


NAME_OPTIONS = ("-nameopt", "RFC2253,-esc_msb,utf8")


def test_agrees_with_openssl_about_every_certificate_of_the_workshop(tree: Path) -> None:
    manifest = json.loads((WORKSHOP / "manifest.json").read_text(encoding="utf-8"))
    files = sorted({case["certificate"] for case in manifest["cases"]})
    hosts = "".join(
        f"server {{ listen 443 ssl; server_name h{index}.example.test;"
        f" ssl_certificate {file}; ssl_certificate_key keys/leaf.key; }}\n"
        for index, file in enumerate(files)
    )
    found = document(str(written(tree, f"events {{}}\nhttp {{\n{hosts}}}\n")))
    held = {file["file"] for entry in found["certificates"] for file in entry["files"]}
    unread = {item["file"] for item in found["unread"]}
    assert held | unread == set(files)
    asked = 0
    for entry in found["certificates"]:
        der = next(
            der for file in entry["files"] for der in ders(tree / file["file"]) if fingerprint(der) == entry["sha256"]
        )
        fields = ("-subject", "-issuer", "-serial", "-startdate", "-enddate", "-ext", "subjectAltName")
        text = openssl("x509", "-inform", "DER", "-noout", *fields, "-dateopt", "iso_8601", *NAME_OPTIONS, data=der)
        lines, _, names = text.partition("X509v3 Subject Alternative Name:")
        said = dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)
        assert entry["subject"] == said["subject"]
        assert entry["issuer"] == said["issuer"]
        assert entry["serial"] == said["serial"]
        assert datetime.fromisoformat(entry["not_before"]) == seconds(said["notBefore"])
        assert datetime.fromisoformat(entry["not_after"]) == seconds(said["notAfter"])
        left = (seconds(said["notAfter"]) - datetime.fromisoformat(found["now"])).days
        assert entry["days_left"] == left
        listed = [name.strip().replace("IP Address:", "IP:") for name in names.partition("\n")[2].split(",")]
        assert entry["names"] == list(filter(None, listed))
        asked += 1
    assert asked > 40


def ders(path: Path) -> Iterator[bytes]:
    """The certificates of a file, read by nothing of tlslint's."""
    pattern = rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s(.*?)-----"
    for body in re.findall(pattern, path.read_bytes(), re.DOTALL):
        try:
            certificate = x509.load_pem_x509_certificate(
                b"-----BEGIN CERTIFICATE-----\n" + body.strip() + b"\n-----END CERTIFICATE-----\n"
            )
        except ValueError:
            continue
        yield certificate.public_bytes(Encoding.DER)


def fingerprint(der: bytes) -> str:
    import hashlib

    return hashlib.sha256(der).hexdigest()


def test_names_of_every_kind_are_listed(tree: Path) -> None:
    names = [
        x509.DNSName("a.example.test"),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.UniformResourceIdentifier("spiffe://example.test/a"),
        x509.RFC822Name("a@example.test"),
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
    ]
    data = certificate("a", alternatives=names)
    (tree / "names.pem").write_bytes(data)
    host = "server { listen 443 ssl; ssl_certificate names.pem; ssl_certificate_key keys/leaf.key; }"
    (entry,) = entries(document(str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n"))), "server")
    assert entry["names"] == [
        "DNS:a.example.test", "IP:2001:db8::1", "URI:spiffe://example.test/a", "email:a@example.test", "DirName:CN=a",
        "RID:1.2.3.4", "other",
    ]  # fmt: skip
    said = openssl("x509", "-noout", "-ext", "subjectAltName", data=data)
    for name in ("DNS:a.example.test", "URI:spiffe://example.test/a", "email:a@example.test"):
        assert name in said


def test_what_nginx_prints_of_itself_can_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = f"# configuration file {tree}/nginx.conf:\n{MTLS}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(dump.encode())))
    found = document("-", "--root", "/")
    assert {Path(entry["files"][0]["file"]).name for entry in entries(found, "server")} == {
        "healthy-mtls.pem", "expired.pem",
    }  # fmt: skip


@pytest.mark.parametrize("role", ["ssl_certificate", "ssl_client_certificate", "ssl_crl"])
def test_files_of_every_bad_kind_are_listed(role: str, tree: Path) -> None:
    (tree / "giant.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 200_000)
    (tree / "noise.pem").write_bytes(bytes(range(256)) * 1000)
    (tree / "loop.pem").symlink_to("loop.pem")
    os.mkfifo(tree / "fifo.pem")
    (tree / "many.pem").write_bytes((tree / "healthy.pem").read_bytes() * 3000)
    for name in ("giant", "noise", "loop", "fifo", "many"):
        own = "" if role == "ssl_certificate" else "ssl_certificate healthy.pem; ssl_verify_client on;"
        host = f"server {{ listen 443 ssl; {own} {role} {name}.pem; ssl_certificate_key keys/leaf.key; }}"
        found = document(str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n")))
        if name == "many" and role != "ssl_crl":
            held = {file["file"] for entry in found["certificates"] for file in entry["files"]}
            assert "many.pem" in held
            assert len(found["certificates"]) < 20
        else:
            assert any(item["file"] == f"{name}.pem" for item in found["unread"]), (name, found["unread"])


def test_agrees_with_openssl_about_crls(tree: Path) -> None:
    for name in ("healthy-mtls.crl.pem", "expired-crl.crl.pem"):
        host = (
            "server { listen 443 ssl; ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;"
            f" ssl_verify_client on; ssl_client_certificate healthy-mtls.client_ca.pem; ssl_crl {name}; }}"
        )
        found = document(str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n")))
        blocks = re.findall(
            rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", (tree / name).read_bytes(), re.DOTALL
        )
        assert len(blocks) == len(found["crls"]) > 0
        said = set()
        for block in blocks:
            fields = ("-issuer", "-lastupdate", "-nextupdate")
            text = openssl("crl", "-noout", *fields, "-dateopt", "iso_8601", *NAME_OPTIONS, data=block)
            values = dict(line.split("=", 1) for line in text.splitlines())
            said.add((values["issuer"], seconds(values["lastUpdate"]), seconds(values["nextUpdate"])))
        dated = {
            (crl["issuer"], *(datetime.fromisoformat(crl[name]) for name in ("last_update", "next_update")))
            for crl in found["crls"]
        }
        assert dated == said


def test_now_decides_what_is_left(tree: Path) -> None:
    path = str(written(tree, MTLS))

    def life(now: str) -> tuple[int, str]:
        found = json.loads(listing(path, "--output-format", "json", "--now", now))
        shop = next(entry for entry in found["certificates"] if entry["files"][0]["file"] == "healthy-mtls.pem")
        return shop["days_left"], shop["state"]

    assert life("2026-05-15") == (75, "valid")
    assert life("2026-07-15")[1] == "expiring"
    assert life("2026-08-15") == (-17, "expired")
    assert life("2026-01-01")[1] == "not yet valid"


# -- protocols and suites ------------------------------------------------------------------------------------------


def test_agrees_with_show_about_every_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    arguments = ["fixtures/sites/shop", "--target", "debian-12"]
    with redirect_stdout(io.StringIO()) as out:
        assert run(["show", *arguments, "--isolated", "--output-format", "json"]) == 0
    (deployment,) = json.loads(out.getvalue())["deployments"]
    shown = {_address(endpoint): endpoint for endpoint in deployment["endpoints"]}
    found = document(*arguments)
    seen = set()
    for handshake in found["handshakes"]:
        for endpoint in handshake["endpoints"]:
            address = _address(endpoint)
            assert address not in seen
            seen.add(address)
            same = shown[address]
            assert handshake["handshake"] == same["handshake"]
            assert [item["name"] for item in handshake["protocols"]] == same["protocols"]
            assert [item["name"] for item in handshake["groups"]] == same["groups"]
            suites = {protocol: [item["name"] for item in items] for protocol, items in handshake["ciphers"].items()}
            assert suites == same["ciphers"]
    assert seen == set(shown)


def _address(endpoint: dict[str, Any]) -> tuple[object, ...]:
    return endpoint["listen"], endpoint["transport"], endpoint["sni"]


def fixtures_with_certificates() -> list[Fixture]:
    """The configurations of all rules, as far as they name certificates that the workshops made."""
    wanted = re.compile(r"certificates/(?!a-rsa\.pem|b-rsa\.pem)\S+\.pem")
    return [
        item for item in fixtures("nginx") if wanted.search(item.entry.read_text(encoding="utf-8", errors="replace"))
    ]


def test_every_endpoint_serves_what_show_predicts_and_every_format_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over every fixture: `show` is what real servers are compared with."""
    schema = json.loads((ROOT / "linter/tlslint/data/inventory.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    policy = load_policy("intermediate")
    compared = 0
    for fixture in fixtures_with_certificates():
        monkeypatch.chdir(fixture.folder)
        resolved = deployments(fixture)
        found = take_inventory(resolved, policy)
        served = {
            (label, entry.certificate.sha256)
            for entry in found.certificates
            if entry.role is Role.SERVER
            for label in entry.users
        }
        expected = set()
        for deployment in resolved:
            shown = deployment_data(deployment)["endpoints"]
            for endpoint, data in zip(deployment.endpoints, shown, strict=True):
                chains = [certificate["chain"] for certificate in data["certificates"]]
                expected |= {(endpoint.label, chain[0]) for chain in chains if chain}
        assert served == expected, fixture
        compared += len(expected)
        validator.validate(json.loads(inventory_json.render(found)))
        exposition("".join(inventory_prometheus.render(found)))
        for protocols in (False, True):
            rows = list(csv.reader(io.StringIO("".join(inventory_csv.render(found, protocols=protocols)), newline="")))
            assert len({len(row) for row in rows}) == 1
        tables("".join(inventory_markdown.render(found)))
    assert compared > 300


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    (handshake,) = (item for item in found["handshakes"] if item["handshake"] == "completes")
    items = [*handshake["protocols"], *handshake["groups"], *handshake["keys"]]
    items += [suite for suites in handshake["ciphers"].values() for suite in suites]
    return {item["name"]: item["verdict"] for item in items}


def test_verdicts_are_the_policys(tree: Path) -> None:
    text = """\
events {}
http {
    server {
        listen 443 ssl;
        ssl_certificate healthy-rsa.pem; ssl_certificate_key keys/leaf-rsa.key;
        ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:AES128-SHA:DES-CBC3-SHA:@SECLEVEL=0;
        ssl_ecdh_curve X25519:secp521r1;
    }
}
"""
    path = str(written(tree, text))
    target = ("--target", "nginx=1.18.0,openssl=1.1.1w")
    by_intermediate = verdicts(document(path, *target))
    assert by_intermediate["TLSv1.1"] == "weak"
    assert by_intermediate["TLSv1.2"] == by_intermediate["TLSv1.3"] == "allowed"
    assert by_intermediate["ECDHE-RSA-AES128-GCM-SHA256"] == "allowed"
    assert by_intermediate["ECDHE-RSA-AES128-SHA"] == by_intermediate["AES128-SHA"] == "outside"
    assert by_intermediate["TLS_AES_128_GCM_SHA256"] == by_intermediate["X25519"] == "allowed"
    assert by_intermediate["secp521r1"] == "outside"
    assert by_intermediate["RSA 2048"] == "allowed"
    by_modern = verdicts(document(path, *target, "--policy", "modern"))
    assert by_modern["TLSv1.2"] == "omitted"
    assert by_modern["RSA 2048"] == "outside"
    (tree / "none.json").write_text(
        json.dumps({"name": "none", "version": "1", "title": "No opinions", "protocols": ["TLSv1.2", "TLSv1.3"]})
    )
    by_none = verdicts(document(path, *target, "--policy", "./none.json"))
    assert by_none["ECDHE-RSA-AES128-SHA"] == by_none["secp521r1"] == by_none["RSA 2048"] == "unjudged"
    written(tree, text.replace("ssl_ecdh_curve X25519:secp521r1;", "").replace(":@SECLEVEL=0", ""))
    weak = document(path, "--target", "nginx=1.18.0,openssl=1.0.2u")
    assert verdicts(weak)["DES-CBC3-SHA"] == "weak"


def test_says_where_protocols_and_suites_are_configured(tree: Path) -> None:
    host = "server { listen 443 ssl; ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key; }"
    text = f"events {{}}\nhttp {{\nssl_protocols TLSv1.2;\nssl_ciphers HIGH;\n{host}\n}}\n"
    (handshake,) = document(str(written(tree, text)), "--target", "debian-12")["handshakes"]
    configured = handshake["configured"]
    assert configured["protocols"] == [{"directive": "ssl_protocols", "file": "nginx.conf", "line": 3}]
    assert configured["ciphers"] == [{"directive": "ssl_ciphers", "file": "nginx.conf", "line": 4}]
    assert list(configured["groups"][0]) == ["default"]


# -- every format --------------------------------------------------------------------------------------------------


def test_csv_holds_what_json_holds(tree: Path) -> None:
    path = str(written(tree, MTLS))
    found = document(path)
    rows = records(path)
    assert tuple(rows[0]) == inventory_csv.CERTIFICATE_COLUMNS
    held = [*found["certificates"], *found["crls"]]
    assert [row["sha256"] for row in rows] == [entry["sha256"] for entry in held]
    for row, entry in zip(rows, held, strict=True):
        assert row["role"] == entry["role"]
        assert row["state"] == entry["state"]
        assert row["days_left"] == str(entry["days_left"])
        assert row["not_after"] == entry.get("not_after", entry.get("next_update"))
        assert row["subject"] == entry.get("subject", "")
        assert row["names"] == "; ".join(entry.get("names", []))
        assert row["endpoint_count"] == str(entry["endpoint_count"])
        assert row["endpoints"] == "; ".join(entry["endpoints"])


def test_csv_of_suites_holds_what_json_holds(tree: Path) -> None:
    path = str(written(tree, MTLS))
    rows = records(path, "--only", "protocols")
    assert tuple(rows[0]) == inventory_csv.PROTOCOL_COLUMNS
    expected = [
        (str(number), protocol["name"], protocol["verdict"], suite["name"], suite["verdict"])
        for number, handshake in enumerate(document(path)["handshakes"], 1)
        for protocol in handshake["protocols"]
        for suite in handshake["ciphers"][protocol["name"]]
    ]
    columns = ("handshake", "protocol", "protocol_verdict", "suite", "suite_verdict")
    assert [tuple(row[column] for column in columns) for row in rows] == expected


def tables(text: str) -> dict[str, list[dict[str, str]]]:
    """The tables of a Markdown document by heading; fails where a row has more or fewer cells than the header."""
    found: dict[str, list[dict[str, str]]] = {}
    heading, header, rows = "", list[str](), list[list[str]]()
    for line in [*text.split("\n"), ""]:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            if header:
                assert rows[0] == ["---"] * len(header)
                found[heading] = [dict(zip(header, row, strict=True)) for row in rows[1:]]
            header, rows = [], []
            continue
        cells = [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if header:
            rows.append(cells)
        else:
            header = cells
    return found


def test_markdown_holds_what_json_holds(tree: Path) -> None:
    path = str(written(tree, MTLS))
    found = document(path)
    sections = tables(listing(path, "--output-format", "markdown"))
    server = sections["Certificates of endpoints"]
    assert tuple(server[0]) == inventory_markdown.CERTIFICATE_COLUMNS
    expected = entries(found, "server")
    assert [row["Subject"] for row in server] == [entry["subject"] for entry in expected]
    assert [row["Expires"] for row in server] == [entry["not_after"] for entry in expected]
    assert [row["Names"] for row in server] == [", ".join(entry["names"]) for entry in expected]
    assert [row["Used by"] for row in server] == [", ".join(entry["endpoints"]) for entry in expected]
    assert len(sections["Certificate revocation lists"]) == len(found["crls"])
    handshakes = [rows for heading, rows in sections.items() if heading.startswith("Handshake")]
    named = [(row["Part"], row["Name"], row["Verdict"]) for row in handshakes[0]]
    first = found["handshakes"][0]
    assert named[: len(first["protocols"])] == [
        ("protocol", item["name"], item["verdict"]) for item in first["protocols"]
    ]
    for protocol, suites in first["ciphers"].items():
        assert [row for row in named if row[0] == f"{protocol} suite"] == [
            (f"{protocol} suite", item["name"], item["verdict"]) for item in suites
        ]


def test_table_of_the_shop_is_as_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    text = listing("fixtures/sites/shop", "--target", "nginx=1.22.1,openssl=3.0.19")
    path = SNAPSHOTS / "shop-inventory.txt"
    if os.environ.get("TLSLINT_UPDATE") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_long_lists_of_authorities_are_cut_in_the_table_only(tree: Path) -> None:
    authorities = [certificate(f"CA {index:03}") for index in range(40)]
    (tree / "many.pem").write_bytes(b"".join(authorities))
    host = (
        "server { listen 443 ssl; ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;"
        " ssl_verify_client on; ssl_client_certificate many.pem; }"
    )
    path = str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n"))
    assert "and 28 more that expire later" in listing(path)
    assert len(entries(document(path), "client-ca")) == 40
    assert sum(row["role"] == "client-ca" for row in records(path)) == 40


# -- Prometheus ----------------------------------------------------------------------------------------------------

Labels = tuple[tuple[str, str], ...]
METRIC = re.compile(r"([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\d+)")
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
UNITS = ("minutes", "hours", "days", "weeks", "kelvins", "fahrenheit", "inches", "yards", "miles", "bits", "calories")
ABBREVIATIONS = ("s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d")
TYPES = ("counter", "gauge", "summary", "histogram")


def exposition(text: str) -> dict[str, list[tuple[Labels, int]]]:
    """Parse the text format strictly, with the checks of `promtool check metrics`."""
    assert text.endswith("\n")
    found: dict[str, list[tuple[Labels, int]]] = {}
    current, lines = "", iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("# HELP "):
            _, _, current, help_text = line.split(" ", 3)
            assert help_text.strip()
            assert "\\" not in help_text
            assert current not in found, "a metric is in one piece"
            found[current] = []
            assert next(lines) == f"# TYPE {current} gauge"
            continue
        match = METRIC.fullmatch(line)
        assert match is not None, line
        assert match[1] == current
        labels = tuple((name, unescaped(value)) for name, value in LABEL.findall(match[2] or ""))
        assert LABEL.sub("", match[2] or "") == "", line
        assert len(dict(labels)) == len(labels)
        assert not {"le", "quantile"} & dict(labels).keys()
        found[current].append((labels, int(match[3])))
    for name, samples in found.items():
        assert samples
        assert len({labels for labels, _ in samples}) == len(samples), "a series is there once"
        lint_name(name)
        assert len({tuple(label for label, _ in labels) for labels, _ in samples}) == 1
    return found


def unescaped(value: str) -> str:
    return re.sub(r'\\(["\\n])', lambda match: "\n" if match[1] == "n" else match[1], value)


def lint_name(name: str) -> None:
    """What the linter of Prometheus' own client library says of a gauge's name."""
    words = name.split("_")
    assert words[0] == "tlslint"
    assert not name.endswith(("_total", "_bucket", "_count", "_sum"))
    assert not any(word.endswith(unit) for word in words for unit in UNITS)
    assert not set(words) & {*ABBREVIATIONS, *TYPES}


def series(*arguments: str) -> dict[str, list[tuple[Labels, int]]]:
    text = listing("--output-format", "prometheus", *arguments)
    found = exposition(text)
    oracle = {
        family.name: [(tuple(sample.labels.items()), int(sample.value)) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }
    assert {name: [(dict(labels), value) for labels, value in samples] for name, samples in found.items()} == {
        name: [(dict(labels), value) for labels, value in samples] for name, samples in oracle.items()
    }
    return found


def test_prometheus_holds_what_json_holds(tree: Path) -> None:
    path = str(written(tree, MTLS))
    found = document(path)
    metrics = series(path)

    def by_certificate(name: str) -> dict[tuple[str, str], int]:
        return {(dict(labels)["role"], dict(labels)["sha256"]): value for labels, value in metrics[name]}

    def expected(of: Callable[[dict[str, Any]], int]) -> dict[tuple[str, str], int]:
        return {(entry["role"], entry["sha256"]): of(entry) for entry in found["certificates"]}

    def unix(field: str) -> Callable[[dict[str, Any]], int]:
        return lambda entry: int(datetime.fromisoformat(entry[field]).timestamp())

    assert by_certificate("tlslint_certificate_not_after_seconds") == expected(unix("not_after"))
    assert by_certificate("tlslint_certificate_not_before_seconds") == expected(unix("not_before"))
    assert by_certificate("tlslint_certificate_endpoints") == expected(lambda entry: int(entry["endpoint_count"]))
    assert sorted(value for _, value in metrics["tlslint_crl_next_update_seconds"]) == sorted(
        map(unix("next_update"), found["crls"])
    )
    protocols = {
        (dict(labels)["listen"], dict(labels)["sni"], dict(labels)["protocol"])
        for labels, _ in metrics["tlslint_endpoint_protocol_info"]
    }
    assert protocols == {
        (endpoint["listen"], endpoint["sni"] or "", protocol["name"])
        for handshake in found["handshakes"]
        for endpoint in handshake["endpoints"]
        for protocol in handshake["protocols"]
    }
    suites: Counter[tuple[str, str]] = Counter()
    for handshake in found["handshakes"]:
        for protocol, items in handshake["ciphers"].items():
            suites.update({(protocol, item["name"]): handshake["endpoint_count"] for item in items})
    assert suites == {
        (dict(labels)["protocol"], dict(labels)["suite"]): value
        for labels, value in metrics["tlslint_cipher_suite_endpoints"]
    }
    assert metrics["tlslint_unread_items"] == [((), 0)]


def test_prometheus_says_the_same_each_time(tree: Path) -> None:
    path = str(written(tree, MTLS))
    assert listing(path, "--output-format", "prometheus") == listing(path, "--output-format", "prometheus")


def test_two_deployments_with_the_same_sockets_make_different_series(tree: Path) -> None:
    for name in ("one", "two"):
        (tree / name).mkdir()
        (tree / name / "nginx.conf").write_text(MTLS, encoding="utf-8")
        for file in tree.glob("*.pem"):
            shutil.copy(file, tree / name)
    metrics = series(".", "--target", "debian-12")
    assert {dict(labels)["entry"] for labels, _ in metrics["tlslint_endpoint_protocol_info"]} == {
        "one/nginx.conf", "two/nginx.conf",
    }  # fmt: skip
    assert len(entries(document("."), "server")) == 2


# -- whatever certificates and keys hold -----------------------------------------------------------------------------

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def certificate(name: str, key: Any = EC_KEY, alternatives: Sequence[x509.GeneralName] = ()) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1)).not_valid_after(datetime(2027, 1, 1))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    signed = builder.sign(key, None if key is ED_KEY else hashes.SHA256())
    return signed.public_bytes(Encoding.PEM)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=30).filter(lambda text: len(text.encode("utf-8", "replace")) < 60))
@example(name='a|b"c\\d')
@example(name="*_`<b>`_* [x](y) \\|")
@example(name="line\nbreak\x1b[31m\u202e")
def test_any_subject_survives_every_format(name: str, tree: Path) -> None:
    try:
        (tree / "odd.pem").write_bytes(certificate(name))
    except (ValueError, UnicodeEncodeError):  # no name that a certificate can have
        return
    host = "server { listen 443 ssl; ssl_certificate odd.pem; ssl_certificate_key keys/leaf.key; }"
    path = str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n"))
    (entry,) = entries(document(path), "server")
    parsed = x509.load_pem_x509_certificate((tree / "odd.pem").read_bytes())
    assert entry["subject"] == parsed.subject.rfc4514_string()
    shown = visible(entry["subject"])
    assert [row["subject"] for row in records(path)] == [shown]
    labels, _ = series(path, "--only", "certificates")["tlslint_certificate_not_after_seconds"][0]
    assert dict(labels)["subject"] == shown
    markdown = listing(path, "--output-format", "markdown", "--only", "certificates")
    (row,) = tables(markdown)["Certificates of endpoints"]
    assert row["Subject"] == re.sub(r"\s+$", "", shown)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from([EC_KEY, RSA_KEY, ED_KEY]),
    form=st.sampled_from([PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH]),
    encrypted=st.booleans(),
    first=st.booleans(),
    damaged=st.booleans(),
    place=st.sampled_from(["file", "inline", "client CA", "trusted CA", "CRL", "upstream"]),
)
def test_nothing_of_a_private_key_is_ever_printed(
    key: Any, form: PrivateFormat, encrypted: bool, first: bool, damaged: bool, place: str, tree: Path
) -> None:
    if (key is ED_KEY and form is PrivateFormat.TraditionalOpenSSL) or (encrypted and form is PrivateFormat.OpenSSH):
        return  # there is no such thing, or not without another library
    protection = BestAvailableEncryption(b"secret") if encrypted else NoEncryption()
    block = key.private_bytes(Encoding.PEM, form, protection)
    if damaged:
        block = block.replace(b"-----BEGIN", b"----BEGIN", 1)
    public = certificate("key.example.test", key)
    both = block + public if first else public + block
    (tree / "both.pem").write_bytes(both)
    own = "ssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;"
    body = {
        "file": "ssl_certificate both.pem; ssl_certificate_key both.pem;",
        "inline": f'ssl_certificate "data:{both.decode()}"; ssl_certificate_key "data:{both.decode()}";',
        "client CA": f"{own} ssl_verify_client on; ssl_client_certificate both.pem;",
        "trusted CA": f"{own} ssl_trusted_certificate both.pem;",
        "CRL": f"{own} ssl_crl both.pem;",
        "upstream": f"{own} location / {{ proxy_pass https://b.example.test; proxy_ssl_certificate both.pem;"
        " proxy_ssl_trusted_certificate both.pem; proxy_ssl_verify on; }",
    }[place]
    path = str(written(tree, f"events {{}}\nhttp {{\nserver {{ listen 443 ssl; {body} }}\n}}\n"))
    secrets = [
        line.decode() for line in block.split(b"\n") if len(line) > 15 and b"--" not in line and b":" not in line
    ]
    numbers = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    secrets += [numbers.hex(), b64encode(numbers).decode()]
    assert secrets
    for name in FORMATS:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            run(["inventory", path, "--isolated", "--now", NOW, "--output-format", name, "-v"])
        printed = re.sub(r"\s+", "", out.getvalue() + err.getvalue())
        assert printed
        assert not [secret for secret in secrets if secret in printed]
        assert not re.search(r"[A-Za-z0-9+/]{65,}={0,2}", out.getvalue()), "no base64 of any kind"


def test_an_inline_certificate_is_listed_without_its_text(tree: Path) -> None:
    text = (tree / "healthy.pem").read_text(encoding="utf-8")
    host = f'server {{ listen 443 ssl; ssl_certificate "data:{text}"; ssl_certificate_key keys/leaf.key; }}'
    found = document(str(written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n")))
    (entry,) = entries(found, "server")
    assert [file["file"] for file in entry["files"]] == ["data:"]
    assert shown_name("data:-----BEGIN") == "data:"


# -- the command ---------------------------------------------------------------------------------------------------


def test_expired_certificates_do_not_matter_to_the_exit_code(tree: Path) -> None:
    assert "expired" in listing(str(written(tree, MTLS)), "--only", "certificates", code=0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent",),
        (".", "--now", "soon"),
        (".", "--policy", "none-such"),
        (".", "--target", "nginx=x"),
        (".", "--output-format", "xml"),
        (".", "--only", "keys"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_exits_with_2(arguments: tuple[str, ...], tree: Path) -> None:
    written(tree, MTLS)
    listing(*arguments, code=2)


def test_nothing_to_look_at_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(listing("--output-format", "json", code=2))["certificates"] == []


def test_schema_is_printed() -> None:
    with redirect_stdout(io.StringIO()) as out:
        assert run(["schema", "inventory"]) == 0
    assert json.loads(out.getvalue())["title"] == "tlslint-inventory/1"


@pytest.mark.parametrize("name", FORMATS)
def test_needs_no_certificate_code_without_certificates(name: str, tmp_path: Path) -> None:
    written(tmp_path, MTLS)
    script = (
        "import sys\nfrom tlslint.cli import run\nrun(sys.argv[1:])\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "inventory", ".", "--isolated", "--output-format", name],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        env={"PYTHONPATH": str(ROOT / "linter"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    modules = set(done.stderr.split())
    assert f"tlslint.report.inventory_{name}" in modules
    assert not [module for module in modules if module.split(".")[0] in ("cryptography", "jsonschema", "rich")]
    assert {name for name in modules if name.startswith("tlslint.pki.")} <= {"tlslint.pki.dates"}


def test_output_is_utf_8_whatever_the_terminal_has(tree: Path) -> None:
    (tree / "odd.pem").write_bytes(certificate("Ünïcode"))
    host = "server { listen 443 ssl; ssl_certificate odd.pem; ssl_certificate_key keys/leaf.key; }"
    written(tree, f"events {{}}\nhttp {{\n{host}\n}}\n")
    for name in ("csv", "markdown", "prometheus"):
        done = subprocess.run(
            [sys.executable, "-m", "tlslint", "inventory", ".", "--isolated", "--output-format", name],
            capture_output=True, check=True, timeout=60,
            env={"PYTHONPATH": str(ROOT / "linter"), "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "latin-1"},
        )  # fmt: skip
        assert "Ünïcode" in done.stdout.decode("utf-8")


def test_a_shared_file_is_read_once_and_work_grows_with_the_files(tree: Path) -> None:
    hosts = "".join(f"server {{ listen 443 ssl; server_name h{index}.example.test; }}\n" for index in range(300))
    text = (
        "events {}\nhttp {\nssl_certificate healthy.pem; ssl_certificate_key keys/leaf.key;\n"
        f"ssl_client_certificate anchors.pem; ssl_verify_client on;\n{hosts}}}\n"
    )
    (deployment,), _ = predict([str(written(tree, text))], Settings(now=NOW))
    assert deployment.files is not None
    reads = deployment.files.reads
    found = take_inventory([deployment], load_policy("intermediate"))
    assert deployment.files.reads - reads == 1
    (server,) = (entry for entry in found.certificates if entry.role is Role.SERVER)
    assert len(server.users) == len(deployment.endpoints) == 302
    assert len(found.answers) == 1


def test_keys_in_words() -> None:
    assert key_text("rsa", 2048, "") == "RSA 2048"
    assert key_text("ec", 256, "prime256v1") == "EC prime256v1"
    assert key_text("ed25519", 256, "") == "ED25519"
    assert key_text("ml-dsa-65", 0, "") == "ML-DSA-65"
