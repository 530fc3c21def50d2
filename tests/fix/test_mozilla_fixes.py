"""From each of Mozilla's `old` outputs `--fix` under `intermediate` comes to what `intermediate` asks for.

And the server that took the old one takes what was made of it.
"""

import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from support.apache import ask_apache
from support.corpus import needed_corpus
from support.rule_fixtures import FIXTURES
from support.servers import NGINX_NAMES, needed_nginx, nginx_test
from tlslint.finding import Severity
from tlslint.fix.engine import Outcome
from tlslint.fixing import fix
from tlslint.settings import Settings

MADE_FOR = re.compile(r"(nginx|apache)([\d.]+)-openssl(\d+\.\d+\.\d+[a-z]?)")
CERTIFICATES = FIXTURES / "certificates"


def old_outputs(server: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((needed_corpus() / "mozilla" / server).glob("*-old-*.conf")):
        made_for = MADE_FOR.search(path.name)
        assert made_for
        yield path, f"{server}={made_for[2]},openssl={made_for[3]}"


def fixed(path: Path, server: str, target: str) -> Outcome:
    with chdir(path.parent):
        return fix([path.name], Settings(server=server, target=target, now="2026-06-01", trust_store=("none",)))


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_nothing_is_left_to_say_of_protocols_and_suites(server: str) -> None:
    number = 0
    for path, target in old_outputs(server):
        number += 1
        outcome = fixed(path, server, target)
        left = [
            f"{path.name}: {finding.name}: {finding.message}"
            for finding in outcome.report.findings
            if finding.code[3] in "12" and finding.severity > Severity.INFO
        ]
        assert left == []
        assert outcome.fixed
    assert number >= 100


def with_certificates(text: str) -> str:
    """Fill in what the generator leaves to its user."""
    text = re.sub(r"/path/to/\S*(?:key|privkey)\w*", f"{CERTIFICATES}/a-rsa.key", text)
    return re.sub(r"/path/to/(?:signed|ca|root|cert)[^\s;]*", f"{CERTIFICATES}/a-rsa.pem", text)


@pytest.mark.parametrize("name", NGINX_NAMES)
def test_nginx_takes_it(name: str, tmp_path: Path) -> None:
    nginx = needed_nginx(name)
    taken = 0
    for index, (path, target) in enumerate(old_outputs("nginx")):
        if index % 6:
            continue  # a server is asked twice for each
        entry = tmp_path / str(index) / "nginx.conf"
        entry.parent.mkdir()
        text = re.sub(r"listen (\[::\]:)?(443|80)", "listen 127.0.0.1:8\\2", path.read_text())
        text = re.sub(r"(listen 127\.0\.0\.1:8(?:443|80)[^\n]*\n)\s*\1", r"\1", with_certificates(text))
        text = re.sub(r"(?m)^\s*(ssl_dhparam|ssl_trusted_certificate|resolver)\b.*\n", "", text)
        entry.write_text(f"events {{}}\n{text}")
        if not nginx_test(nginx, entry.parent)[0]:
            continue
        (change,) = fixed(entry, "nginx", target).changes
        entry.write_bytes(change.after)
        passed, messages = nginx_test(nginx, entry.parent)
        assert passed, f"{path.name}: {messages}"
        taken += 1
    assert taken >= 5


def test_apache_takes_it(tmp_path: Path) -> None:
    taken = 0
    for index, (path, target) in enumerate(old_outputs("apache")):
        if index % 6:
            continue
        folder = tmp_path / str(index)
        folder.mkdir()
        text = with_certificates(path.read_text()).replace("*:443", "127.0.0.1:8443").replace("*:80", "127.0.0.1:8080")
        modules = "/usr/lib/apache2/modules"
        head = f"ServerRoot {folder}\nServerName x.example\nListen 127.0.0.1:8443\nListen 127.0.0.1:8080\n" + "".join(
            f"LoadModule {name}_module {modules}/mod_{name}.so\n"
            for name in ("mpm_event", "authz_core", "socache_shmcb", "ssl", "headers", "rewrite", "http2")
        )
        entry = folder / "apache2.conf"
        entry.write_text(head + text)
        if ask_apache(folder, "-t")[0] != 0:
            continue
        (change,) = fixed(entry, "apache", target).changes
        entry.write_bytes(change.after)
        code, messages = ask_apache(folder, "-t")
        assert code == 0, f"{path.name}: {messages}"
        taken += 1
    assert taken >= 5
