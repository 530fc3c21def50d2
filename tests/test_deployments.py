"""Several deployments in one repository: which are linted, with which settings, and who says so."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tlslint.cli import run
from tlslint.deployments import parts
from tlslint.settings import load_settings

SETTINGS = """\
policy = "old"
fail-on = "error"

[[deployment]]
name = "shop"
paths = ["shop/nginx.conf", "shared"]
policy = "modern"

[[deployment]]
name = "blog"
root = "blog"
path-map = { "/etc/nginx/shared" = "shared" }
target = "debian-12"
"""
MAIN = """\
events {{}}
http {{
    server {{
        listen 443 ssl;
        server_name {name}.example.org;
        ssl_certificate a.pem;
        ssl_certificate_key a.key;
        include {shared}/tls.conf;
    }}
}}
"""

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return code, *capfd.readouterr()

    return call


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = {
        ".git/HEAD": "",
        "tlslint.toml": SETTINGS,
        "shop/nginx.conf": MAIN.format(name="shop", shared="../shared"),
        "blog/etc/nginx/nginx.conf": MAIN.format(name="blog", shared="/etc/nginx/shared"),
        "shared/tls.conf": "ssl_protocols TLSv1.2;\n",
        "elsewhere/nginx.conf": MAIN.format(name="else", shared="none"),
    }
    write(tmp_path, **files)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((), {"shop": ("shop/nginx.conf", "shared"), "blog": ()}),
        ((".",), {"shop": ("shop/nginx.conf", "shared"), "blog": ()}),
        (("shop",), {"shop": ("shop/nginx.conf", "shared")}),
        (("blog",), {"blog": ()}),
        (("blog/etc/nginx/nginx.conf",), {"blog": ("blog/etc/nginx/nginx.conf",)}),
        # lies in both
        (("shared/tls.conf",), {"shop": ("shared/tls.conf",), "blog": ("shared/tls.conf",)}),
        (("elsewhere",), {"": ("elsewhere",)}),
        (("elsewhere", "blog"), {"blog": (), "": ("elsewhere",)}),
    ],
)
def test_which_are_selected(
    paths: tuple[str, ...], expected: dict[str, tuple[str, ...]], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    found = parts(paths, load_settings())
    assert {part.name: tuple(str(path).removeprefix(f"{repository}/") for path in part.paths) for part in found} == (
        expected
    )


def test_without_deployments_there_is_one_part(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    (repository / "tlslint.toml").write_text('paths = ["shop"]\n')
    settings = load_settings()
    assert [part.paths for part in parts((), settings)] == [(f"{repository}/shop",)]
    assert [part.paths for part in parts(("blog",), settings)] == [("blog",)]


def test_each_is_judged_by_its_own_policy_and_findings_say_where(cli: Cli, repository: Path) -> None:
    code, out, _ = cli("--select", "weak-protocol", "--output-format", "json")
    (finding,) = [item for item in json.loads(out)["findings"] if item["file"] == "shared/tls.conf"]
    assert finding["deployments"] == ["shop"], "TLS 1.2 is fine for the blog, whose policy is the old one"
    assert set(finding["endpoints"]) == {
        f"{who} on 0.0.0.0:443" for who in ("a client without SNI", "shop.example.org", "any other name")
    }
    code, out, _ = cli("--select", "weak-protocol", "--policy", "modern", "--output-format", "concise")
    assert code == 0, "only errors fail here"
    (line,) = [line for line in out.splitlines() if "shared/tls.conf" in line]
    assert line.endswith(" (shop, blog)")
    assert " = in: shop, blog\n" in cli("--select", "weak-protocol", "--policy", "modern")[1]


@pytest.mark.parametrize("form", ["sarif", "markdown", "github", "gitlab", "junit", "rdjson", "azure", "jsonl", "json"])
def test_every_format_with_room_for_it_says_where(cli: Cli, repository: Path, form: str) -> None:
    out = cli("--select", "weak-protocol", "--policy", "modern", "--output-format", form)[1]
    assert re.search(r"shop[\W\\n]+blog", out), out


def test_show_names_them_and_their_targets(cli: Cli, repository: Path) -> None:
    code, out, err = cli("show", "--output-format", "json")
    assert code == 0, err
    shown = {item["name"]: item for item in json.loads(out)["deployments"]}
    assert list(shown) == ["shop", "blog"]
    assert shown["blog"]["target"]["platform"] == "debian-12"
    assert "platform" not in shown["shop"]["target"]
    assert {item["entry"] for item in shown.values()} == {"shop/nginx.conf", "blog/etc/nginx/nginx.conf"}
    out = cli("show")[1]
    assert "shop: shop/nginx.conf on nginx" in out
    assert "blog: blog/etc/nginx/nginx.conf on nginx" in out


def test_the_inventory_judges_each_by_its_own_policy(cli: Cli, repository: Path) -> None:
    code, out, err = cli("inventory", "--output-format", "json")
    assert code == 0, err
    inventory = json.loads(out)
    judged = {item["name"]: item["policy"].partition("@")[0] for item in inventory["deployments"]}
    assert judged == {"shop": "mozilla-modern", "blog": "mozilla-old"}
    assert inventory["policy"].startswith("mozilla-old@")
    verdicts = {
        item["entry"]: {protocol["name"]: protocol["verdict"] for protocol in item["protocols"]}
        for item in inventory["handshakes"]
    }
    assert verdicts["shop/nginx.conf"]["TLSv1.2"] == "omitted"
    assert verdicts["blog/etc/nginx/nginx.conf"]["TLSv1.2"] == "allowed"
    table = cli("inventory")[1]
    assert "Protocols and cipher suites, judged by the policy of each deployment\n" in table
    assert ", judged by mozilla-modern@" in table
    markdown = cli("inventory", "--output-format", "markdown")[1]
    assert "judged by the policy of each deployment." in markdown
    assert "; policy mozilla-modern@" in markdown


def test_ignores_by_file(cli: Cli, repository: Path) -> None:
    write(
        repository, **{"tlslint.toml": 'per-file-ignores = { "shared/**" = ["TLS1"], "*.conf" = ["missing-hsts"] }\n'}
    )
    broken = {"legacy/a.conf": "server { listen 443 ssl; ssl_protocols TLSv1; }\n}\n"}
    write(repository, **broken)
    arguments = ("shop", "shared", "legacy", "--policy", "modern", "--output-format", "json")
    codes = {(item["file"], item["code"]) for item in json.loads(cli(*arguments)[1])["findings"]}
    everything = {(item["file"], item["code"]) for item in json.loads(cli(*arguments, "--isolated")[1])["findings"]}
    assert ("shared/tls.conf", "TLS101") in everything - codes
    assert ("legacy/a.conf", "TLS001") in codes
    assert {name for name, code in everything - codes if code.startswith("TLS1")} == {"shared/tls.conf"}
    write(repository, **{"tlslint.toml": 'per-file-ignores = { "**" = ["TLS0"] }\n'})
    assert ("legacy/a.conf", "TLS001") in {
        (item["file"], item["code"]) for item in json.loads(cli(*arguments)[1])["findings"]
    }, "what cannot be switched off stays"
    write(repository, **{"tlslint.toml": 'per-file-ignores = { "**" = ["syntax-error"] }\n'})
    assert "per-file-ignores: TLS001 syntax-error cannot be switched off" in cli(*arguments)[2]


def test_patterns_count_from_the_settings_file(cli: Cli, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = {"nginx/a.conf": MAIN.format(name="a", shared=".").replace("include", "ssl_protocols TLSv1; #")}
    write(repository, **weak)
    arguments = ("--select", "weak-protocol", "--output-format", "concise")
    for pattern, silent in (
        ("nginx/*", True),
        ("a.conf", True),
        ("*/nginx/*", False),
        (f"{repository}/ngin?/**", True),
    ):
        write(repository, **{"tlslint.toml": f"per-file-ignores = {{ '{pattern}' = ['weak-protocol'] }}\n"})
        monkeypatch.chdir(repository)
        assert (cli("nginx", *arguments)[1] == "") == silent, pattern
        monkeypatch.chdir(repository / "nginx")
        assert (cli("a.conf", *arguments)[1] == "") == silent, pattern


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("select = ['ALL']\nignore = ['TLS1',\n  'no-such']\n", 'tlslint.toml:3:3: no rule "no-such"'),
        ("[severity]\nweak-protocl = 'info'\n", 'tlslint.toml:2:1: no rule "weak-protocl" (did you mean'),
        ("per-file-ignores = { 'a' = ['TLS1, no-such'] }\n", 'tlslint.toml:1:29: no rule "no-such"'),
        ("ignore = ['syntax-error']\n", "tlslint.toml:1:11: ignore: TLS001 syntax-error cannot be switched off"),
    ],
)
def test_wrong_words_are_said_to_be_where_they_are(settings: str, message: str, cli: Cli, repository: Path) -> None:
    write(repository, **{"tlslint.toml": settings})
    code, out, err = cli()
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}"), err


def test_what_the_command_line_says_stands_in_no_file(cli: Cli, repository: Path) -> None:
    write(repository, **{"tlslint.toml": "ignore = ['no-such', 'TLS1']\n"})
    assert cli("--ignore", "no-such")[2].startswith('error: no rule "no-such"')
