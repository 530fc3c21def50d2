"""Fingerprints: the same for the same finding, whatever is edited around it, and different for different ones."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.finding import Finding, Severity
from tlslint.fingerprint import LENGTH, fingerprints, relative_path
from tlslint.parse.tree import Source, Span
from tlslint.run import lint
from tlslint.settings import Settings

ROOT = Path(__file__).parents[1]

NGINX = """\
http {
    ssl_protocols TLSv1 TLSv1.2;
    server {
        listen 443 ssl;
        server_name shop.example.test;
        ssl_protocols TLSv1 TLSv1.2;
        location /admin/ {
            proxy_ssl_verify off;
        }
        location /api/ {
            proxy_ssl_verify off;
        }
    }
    server {
        listen 443 ssl;
        server_name api.example.test;
        ssl_protocols TLSv1 TLSv1.2;
    }
    server {
        listen 8443 ssl;
        ssl_protocols TLSv1 TLSv1.2;
    }
}
"""
APACHE = """\
SSLProtocol all
<IfModule mod_ssl.c>
  <VirtualHost *:443>
    ServerName shop.example.test
    SSLProtocol all
  </VirtualHost>
  <VirtualHost *:443>
    ServerName api.example.test
    SSLProtocol all
    <Location "/admin">
      SSLVerifyClient none
    </Location>
  </VirtualHost>
</IfModule>
"""


def found_in(text: str, pattern: str, path: str = "nginx.conf", code: str = "TLS101") -> list[Finding]:
    """A finding at each match of a pattern."""
    source = Source.from_text(path, text)
    return [
        Finding(code, "some-rule", Severity.ERROR, "a message", Span(source, *match.span()))
        for match in re.finditer(pattern, text)
    ]


def test_hosts_and_locations_tell_equal_directives_apart() -> None:
    made = fingerprints([*found_in(NGINX, r"TLSv1(?= )"), *found_in(NGINX, r"off(?=;)"), *found_in(APACHE, "all")])
    assert len(made) == 4 + 2 + 3
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(rf"[0-9a-f]{{{LENGTH}}}", item) for item in made)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "# a note\n\nuser www;\n" + text,
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("listen 443 ssl;", "listen 127.0.0.1:9443 ssl;"),
        lambda text: text.replace("shop.example.test;", "shop.example.test www.example.test;"),
        lambda text: text.replace("http {", "http {\n    server { server_name new; ssl_protocols TLSv1 TLSv1.2; }"),
        lambda text: text.replace("location /admin/ {", "location /admin/ {\n proxy_ssl_name x;\n"),
    ],
)
def test_edits_around_a_finding_leave_its_fingerprint(edit: Callable[[str], str]) -> None:
    patterns = [r"(?<=/admin/ \{\n            proxy_ssl_verify )off", r"(?<=proxy_ssl_verify )off", r"TLSv1(?= )"]
    before = {item for pattern in patterns for item in fingerprints(found_in(NGINX, pattern))}
    after = {item for pattern in patterns for item in fingerprints(found_in(edit(NGINX), pattern))}
    assert before <= after


def test_hosts_in_another_order_keep_their_fingerprints() -> None:
    hosts = [f"server {{ server_name {name}; ssl_protocols TLSv1; }}\n" for name in ("a", "b", "c")]
    before = fingerprints(found_in("".join(hosts), "TLSv1"))
    assert fingerprints(found_in("".join(reversed(hosts)), "TLSv1")) == before[::-1]


def test_an_apache_host_that_is_wrapped_stays_the_same_host() -> None:
    wrapped = APACHE.replace("<IfModule mod_ssl.c>", "<IfDefine TLS>\n<IfModule ssl_module>") + "</IfDefine>\n"
    wrapped = wrapped.replace("*:443", "192.0.2.1:443")
    assert fingerprints(found_in(wrapped, "all", "site.conf")) == fingerprints(found_in(APACHE, "all", "site.conf"))


@pytest.mark.parametrize(
    ("text", "pattern", "path", "code"),
    [
        (NGINX.replace("shop.", "other."), "TLSv1(?= )", "nginx.conf", "TLS101"),
        (NGINX.replace("TLSv1 ", "TLSv1.1 "), "TLSv1.1(?= )", "nginx.conf", "TLS101"),
        (NGINX, "TLSv1(?= )", "other.conf", "TLS101"),
        (NGINX, "TLSv1(?= )", "nginx.conf", "TLS102"),
        (NGINX.replace("ssl_protocols", "grpc_ssl_protocols"), "TLSv1(?= )", "nginx.conf", "TLS101"),
    ],
)
def test_another_host_text_directive_file_or_rule_is_another_finding(
    text: str, pattern: str, path: str, code: str
) -> None:
    mine = fingerprints(found_in(NGINX, r"TLSv1(?= )"))[1]
    assert mine not in fingerprints(found_in(text, pattern, path, code))


def test_equal_findings_are_numbered_by_place_however_they_are_sorted() -> None:
    found = found_in("ssl_ciphers A;\nssl_ciphers A;\nssl_ciphers A;\n", "A")
    made = fingerprints(found)
    assert len(set(made)) == 3
    assert fingerprints(found[::-1]) == made[::-1]
    # one more below: the ones before stay
    assert fingerprints(found_in("ssl_ciphers A;\n" * 4, "A"))[:3] == made


def test_paths_count_from_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deploy/nginx").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    from_root = fingerprints(found_in(NGINX, "TLSv1(?= )", "deploy/nginx/nginx.conf"))
    monkeypatch.chdir(tmp_path / "deploy/nginx")
    assert fingerprints(found_in(NGINX, "TLSv1(?= )", "nginx.conf"), base=str(tmp_path)) == from_root
    assert fingerprints(found_in(NGINX, "TLSv1(?= )", "nginx.conf")) != from_root


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        ("nginx.conf", None, "nginx.conf"),
        ("./a/../nginx.conf", None, "nginx.conf"),
        ("<stdin>", None, "<stdin>"),
        ("../nginx.conf", None, "../nginx.conf"),
        ("/etc/nginx/../nginx.conf", None, "/etc/nginx.conf"),
        ("/etc/nginx/conf.d/a.conf", "/etc/nginx", "conf.d/a.conf"),
        ("/etc/nginxs/a.conf", "/etc/nginx", "/etc/nginxs/a.conf"),
        ("/etc/nginx.conf", "/", "etc/nginx.conf"),
    ],
)
def test_relative_paths(path: str, base: str | None, expected: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert relative_path(path, base) == expected


def test_findings_of_real_trees_all_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    findings = lint(["fixtures/rules/weak-protocol", "fixtures/sites"], Settings()).findings
    made = fingerprints(findings)
    assert len(findings) > 20
    assert len(set(made)) == len(findings)


@given(st.text(), st.integers(min_value=0), st.sampled_from(["nginx.conf", "a\udcff.conf", os.sep + "x"]))
def test_any_text_has_fingerprints(text: str, at: int, path: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    start = at % (len(text) + 1)
    source = Source.from_text(path, text)
    found = [Finding("TLS001", "x", Severity.ERROR, "", Span(source, start, end)) for end in (start, len(text))]
    assert len(set(fingerprints(found))) == 2
