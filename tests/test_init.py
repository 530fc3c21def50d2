"""`tlslint init` and `tlslint settings`: what is written for a directory, and what is in force."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tlslint
from tlslint.cli import run
from tlslint.settings import _KEYS, load_settings

Cli = Callable[..., tuple[int, str, str]]
SCHEMA = json.loads((Path(tlslint.__file__).parent / "data" / "settings.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def cli(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return code, *capfd.readouterr()

    return call


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def nginx(*includes: str) -> str:
    lines = "".join(f"    include {name};\n" for name in includes)
    return f"events {{}}\nhttp {{\n{lines}}}\n"


SITE = """\
server {
    listen 443 ssl;
    server_name a.example.org;
    ssl_protocols TLSv1.1 TLSv1.2;
    ssl_certificate /etc/ssl/a.pem;
    ssl_certificate_key /etc/ssl/a.key;
}
"""
APACHE = "LoadModule ssl_module modules/mod_ssl.so\nListen 443 https\n"
VIRTUAL_HOST = """\
<VirtualHost *:443>
    ServerName a.example.org
    SSLEngine on
    SSLCertificateFile /etc/ssl/a.pem
</VirtualHost>
"""

LAYOUTS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "empty": ({}, {}),
    "a folder with relative includes": ({"nginx/nginx.conf": nginx("sites/*.conf"), "nginx/sites/a.conf": SITE}, {}),
    "what lies in /etc/nginx": (
        {"nginx/nginx.conf": nginx("/etc/nginx/sites/*.conf"), "nginx/sites/a.conf": SITE},
        {"path-map": {"/etc/nginx": "nginx"}},
    ),
    "at the top": (
        {"nginx.conf": nginx("/etc/nginx/conf.d/*.conf"), "conf.d/a.conf": SITE},
        {"path-map": {"/etc/nginx": "."}},
    ),
    "a copy of the file system": (
        {"rootfs/etc/nginx/nginx.conf": nginx("/etc/nginx/sites/*"), "rootfs/etc/nginx/sites/a": SITE},
        {"root": "rootfs"},
    ),
    "a copy of the file system at the top": (
        {"etc/nginx/nginx.conf": nginx("/etc/nginx/sites/*"), "etc/nginx/sites/a": SITE},
        {"root": "."},
    ),
    "besides a copy something else": (
        {"rootfs/etc/nginx/nginx.conf": nginx("/etc/nginx/sites/*"), "rootfs/etc/nginx/sites/a": SITE, "b.conf": SITE},
        {"root": "rootfs", "paths": ["."]},
    ),
    "an image of nginx": (
        {"Dockerfile": "FROM nginx:1.27.4-alpine AS web\nCOPY . /\n", "nginx.conf": nginx(), "sites/a.conf": SITE},
        {"target": "nginx=1.27.4"},
    ),
    "an image of nginx by a word": (
        {"docker-compose.yml": "services:\n  web:\n    image: 'nginx:stable'\n", "nginx.conf": nginx()},
        {"target": "nginx:stable"},
    ),
    "an image of Debian": (
        {"web/Dockerfile": "FROM --platform=linux/amd64 debian:bookworm-slim\n", "nginx.conf": nginx()},
        {"target": "bookworm"},
    ),
    "two images": (
        {"a/Dockerfile": "FROM nginx:1.26\n", "b/Dockerfile": "FROM nginx:1.28\n", "nginx.conf": nginx()},
        {},
    ),
    "an image of nobody knows what": ({"Dockerfile": "FROM example.org/nginx:7\n", "nginx.conf": nginx()}, {}),
    "Debian's Apache": (
        {"apache2/apache2.conf": APACHE + "IncludeOptional sites-enabled/*.conf\n", "apache2/mods-enabled/ssl.load": "",
         "apache2/sites-enabled/a.conf": VIRTUAL_HOST},
        {},
    ),
    "Apache in an image": (
        {"Dockerfile": "FROM httpd:2.4.62\n", "httpd.conf": APACHE + VIRTUAL_HOST},
        {"target": "apache=2.4.62"},
    ),
    "several": (
        {"shop/nginx/nginx.conf": nginx("/etc/nginx/sites/*"), "shop/nginx/sites/a.conf": SITE,
         "shop/Dockerfile": "FROM nginx:1.26\n", "blog/etc/nginx/nginx.conf": nginx("/etc/nginx/sites/*"),
         "blog/etc/nginx/sites/a": SITE},
        {"deployment": [
            {"name": "blog", "root": "blog"},
            {"name": "shop", "paths": ["shop/nginx"], "target": "nginx=1.26", "path-map": {"/etc/nginx": "shop/nginx"}},
        ]},
    ),
}  # fmt: skip


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    files, expected = LAYOUTS[request.param]
    write(tmp_path, files)
    return expected


def findings(cli: Cli) -> set[tuple[str, int, str]]:
    code, out, err = cli("--output-format", "json", "--select", "TLS1")
    assert code in (0, 1), err
    return {(item["file"], item["line"], item["code"]) for item in json.loads(out)["findings"]}


def test_what_is_written_for_a_layout(cli: Cli, layout: dict[str, Any], tmp_path: Path) -> None:
    code, _, err = cli("init")
    assert code == 0, err
    assert err == "tlslint.toml is written; `tlslint` uses it from now on\n"
    values = tomllib.loads((tmp_path / "tlslint.toml").read_text())
    jsonschema.validate(values, SCHEMA)
    assert values.pop("policy") == "mozilla-intermediate"
    assert values.pop("fail-on") == "warning"
    assert values == layout
    load_settings()


def test_what_is_linted_stays_the_same(cli: Cli, layout: dict[str, Any], tmp_path: Path) -> None:
    """Settings say how things are; they hide nothing."""
    if not any(path.suffix == ".conf" for path in tmp_path.rglob("*")):
        return
    before = findings(cli) if "deployment" not in layout else set()
    assert cli("init")[0] == 0
    after = findings(cli)
    assert before <= after
    assert all((tmp_path / file).is_file() for file, _, _ in after)


def test_what_stands_in_comments_can_be_switched_on(cli: Cli, layout: dict[str, Any], tmp_path: Path) -> None:
    text = cli("init", "--print")[1]
    commented = re.findall(r"^# ([a-z-]+) = .*$", text, re.MULTILINE)
    assert {"ignore", "per-file-ignores", "baseline"} <= set(commented) <= set(_KEYS)
    (tmp_path / "tlslint.toml").write_text(re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.MULTILINE))
    load_settings()


def test_nothing_is_overwritten(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, {"tlslint.toml": "# mine\n"})
    code, out, err = cli("init")
    assert (code, out) == (2, "")
    assert err == "error: tlslint.toml has settings already; --print shows what would be written\n"
    assert (tmp_path / "tlslint.toml").read_text() == "# mine\n"
    assert cli("init", "--print")[0] == 0
    (tmp_path / "tlslint.toml").unlink()
    write(tmp_path, {"pyproject.toml": "[tool.tlslint]\n"})
    assert "pyproject.toml has settings already" in cli("init")[2]
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "tlslint.toml").symlink_to("nowhere")
    assert cli("init")[0] == 2
    assert not (tmp_path / "nowhere").exists()


def test_reasons_are_given(cli: Cli, tmp_path: Path) -> None:
    files = {"nginx/nginx.conf": nginx("/etc/nginx/sites-enabled/*"), "nginx/sites-enabled/a": SITE}
    write(tmp_path, {**files, "docker/Dockerfile": "# a\nFROM nginx:1.27\n"})
    text = cli("init", "--print")[1]
    assert "# Found here: nginx (nginx/nginx.conf).\n" in text
    assert "# The versions to predict for: docker/Dockerfile:2 starts from nginx:1.27.\n" in text
    assert "# Where /etc/nginx is here, which nginx/nginx.conf names.\n" in text
    assert "names and that are not here: 1 of 1." in text
    (tmp_path / "docker/Dockerfile").unlink()
    assert '# target = "debian-12"' in cli("init", "--print")[1]


def test_settings_in_force(cli: Cli, tmp_path: Path) -> None:
    write(
        tmp_path,
        {"tlslint.toml": "policy = 'old'\n\nseverity = { missing-hsts = 'info' }\n[[deployment]]\nname = 'a'\n"},
    )
    code, out, err = cli("settings")
    assert code == 0, err
    assert out.startswith(f"# {tmp_path}/tlslint.toml\n")
    assert 'policy = "old"  # line 1\n' in out
    assert 'severity = { "missing-hsts" = "info" }  # line 3\n' in out
    assert 'fail-on = "warning"  # default\n' in out
    assert "# target is not set\n" in out
    values = tomllib.loads(out)
    jsonschema.validate(values, SCHEMA)
    assert values["deployment"] == [{"name": "a"}]
    assert all(re.search(rf"(?m)^(# )?{key} (=|is not set)", out) for key in _KEYS if key != "deployment")
    assert cli("settings", "--isolated")[1].startswith("# the defaults: there is no settings file\n")
    write(tmp_path, {"tlslint.toml": "polcy = 'old'\n"})
    assert cli("settings")[0] == 2


def test_settings_of_a_project_file(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[project]\nname = 'x'\n\n[tool.tlslint]\nfail-on = 'error'\n"})
    assert 'fail-on = "error"  # line 5\n' in cli("settings")[1]


def test_the_schema_is_printed(cli: Cli) -> None:
    code, out, _ = cli("schema", "settings")
    assert code == 0
    assert json.loads(out) == SCHEMA
