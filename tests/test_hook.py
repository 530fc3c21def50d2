"""What a hook reports for the files that it is given: the configuration around them is read, the rest stays silent."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.repository import PARTNER, SNIPPET, WEAK_LINE, WEAKNESS, build, commit, git, host, write
from tlslint.cli import run

Hook = Callable[..., list[dict[str, Any]]]
PAIR = "ssl_certificate a.pem; ssl_certificate_key a.key;"
SITES = Path(__file__).parents[1] / "fixtures" / "sites"


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Hook:
    """Run the hook for some files; returns the findings, and asserts on the exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*files: str, select: str = "ALL", code: int | None = None, said: str = "") -> list[dict[str, Any]]:
        exit_code = run(["--hook", "--select", select, "--now", "2026-03-01", "--output-format", "json", *files])
        printed = capfd.readouterr()
        findings: list[dict[str, Any]] = json.loads(printed.out)["findings"] if printed.out else []
        bad = any(finding["severity"] != "info" for finding in findings)
        assert exit_code == (int(bad) if code is None else code), printed.err
        assert said in printed.err
        return findings

    return call


def places(findings: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(finding["file"], finding["line"], finding["code"]) for finding in findings]


# --- five hundred hosts -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("many"))
    commit(folder)
    with (folder / SNIPPET).open("a", encoding="utf-8") as file:
        file.write(WEAKNESS)
    return folder


def test_a_weakness_three_includes_away_is_named_where_it_is(
    hook: Hook, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(many)
    changed = git(many, "diff", "--name-only").split()
    assert changed == [SNIPPET]
    findings = hook(*changed, select="TLS1")
    assert places(findings) == [(SNIPPET, WEAK_LINE, "TLS101"), (SNIPPET, WEAK_LINE, "TLS107")]
    assert {name for finding in findings for name in finding["endpoints"]} == {f"{host(PARTNER)} on 0.0.0.0:443"}
    # and nothing else of what the settings find
    assert hook(*changed) == findings


def test_every_other_host_is_silent(hook: Hook, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(many)
    others = [f"sites/{path.name}" for path in sorted((many / "sites").iterdir()) if path.stem != host(PARTNER)]
    assert len(others) == 500
    assert hook(*others, "nginx.conf") == []
    # the line that takes effect instead, where it is shadowed, is the finding's second place
    assert places(hook("snippets/tls.conf")) == [(SNIPPET, WEAK_LINE, "TLS107")]


def test_the_host_that_includes_it_by_name_hears_of_it(hook: Hook, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that begins to include a weak file changed what its clients meet."""
    monkeypatch.chdir(many)
    for changed in (f"sites/{host(PARTNER)}.conf", "snippets/partners.conf", "snippets/partners/connection.conf"):
        assert places(hook(changed, select="TLS1")) == [(SNIPPET, WEAK_LINE, "TLS101"), (SNIPPET, WEAK_LINE, "TLS107")]


def test_the_whole_repository_names_the_same_line_in_every_format(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What CI runs: SARIF, annotations, and what is new since the last commit."""
    monkeypatch.chdir(many)
    sarif = tmp_path / "tlslint.sarif"
    for since in ((), ("--changed-since", "HEAD")):
        assert run([*since, "--output-format", "github", "--report", f"sarif={sarif}", "--now", "2026-03-01"]) == 1
        annotations = [line for line in capfd.readouterr().out.splitlines() if line.startswith("::")]
        assert [line.partition("::")[2].partition(",endLine")[0] for line in annotations] == [
            f"error file={SNIPPET},line={WEAK_LINE}",
            f"warning file={SNIPPET},line={WEAK_LINE}",
        ]
        results = json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"]
        found = [result["locations"][0]["physicalLocation"] for result in results]
        assert {
            (place["artifactLocation"]["uri"], place["region"]["startLine"], place["region"]["startColumn"])
            for place in found
        } == {(SNIPPET, WEAK_LINE, 15)}
        assert [result["ruleId"] for result in results] == ["TLS101", "TLS107"]


def test_in_a_folder_of_the_checkout_the_whole_of_it_is_read(
    hook: Hook, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(many / "snippets" / "partners")
    (weak, _) = hook("upload.conf", select="TLS1")
    assert (weak["file"], weak["line"]) == ("upload.conf", WEAK_LINE)
    assert weak["endpoints"] == [f"{host(PARTNER)} on 0.0.0.0:443"]


# --- which findings concern a file --------------------------------------------------------------------------------


def server(name: str, *lines: str) -> str:
    body = "".join(f"    {line}\n" for line in (f"listen 443 ssl; server_name {name};", PAIR, *lines))
    return f"server {{\n{body}}}\n"


def main(*lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"events {{}}\nhttp {{\n{body}}}\n"


def test_a_shared_snippet_names_the_hosts_of_the_file_that_changed(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    write(tmp_path, "tls.conf", "ssl_protocols TLSv1 TLSv1.2;\n")
    for name in "abc":
        write(tmp_path, f"sites/{name}.conf", server(f"{name}.example.org", "include tls.conf;"))
    (finding,) = hook("sites/b.conf", select="weak-protocol")
    assert (finding["file"], finding["line"]) == ("tls.conf", 1)
    assert finding["endpoints"] == ["b.example.org on 0.0.0.0:443"]
    assert "b.example.org on 0.0.0.0:443" in finding["message"]
    assert "more" not in finding["message"]
    (finding,) = hook("tls.conf", select="weak-protocol")
    assert len(finding["endpoints"]) == 5


def test_a_mask_makes_no_cause(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    write(tmp_path, "sites/a.conf", server("a.example.org", "ssl_protocols TLSv1;"))
    assert hook("nginx.conf", select="weak-protocol") == []
    write(tmp_path, "nginx.conf", main("include sites/a.conf;"))
    assert places(hook("nginx.conf", select="weak-protocol")) == [("sites/a.conf", 4, "TLS101")]


def test_the_second_place_of_a_finding_counts(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    write(tmp_path, "sites/a.conf", server("a.example.org", "ssl_protocols TLSv1.2;"))
    write(tmp_path, "sites/b.conf", server("b.example.org", "ssl_protocols TLSv1.3;"))
    write(tmp_path, "sites/c.conf", server("c.example.org"))
    (finding,) = hook("sites/a.conf", select="shadowed-protocols")
    assert finding["file"] == "sites/b.conf"
    assert "sites/a.conf" in {place["file"] for place in finding["related"]}
    assert hook("sites/c.conf", select="shadowed-protocols") == []


def test_a_certificate_is_judged_where_it_is_named(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main(server("a.example.org").replace("a.pem", "tls/a.pem"), server("b.example.org")))
    write(tmp_path, "tls/a.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    write(tmp_path, "a.pem", "nothing\n")
    assert {(file, code) for file, _, code in places(hook("tls/a.pem", select="TLS3"))} == {("nginx.conf", "TLS302")}
    assert "tls/a.pem" in hook("tls/a.pem", select="TLS3")[0]["message"]
    # named as well, by another host
    assert "tls/a.pem" not in str(hook("a.pem", select="TLS3"))
    write(tmp_path, "tls/unused.pem", "nothing\n")
    assert hook("tls/unused.pem") == []


def test_files_that_are_gone_are_missed_where_they_are_named(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include tls.conf;", "include sites/*.conf;", "include other.conf;"))
    write(tmp_path, "sites/a.conf", server("a.example.org"))
    assert places(hook("tls.conf")) == [("nginx.conf", 3, "TLS002")]
    assert hook("sites/gone.conf") == []


def test_files_that_nothing_includes_are_read_as_they_are(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites-enabled/*;"))
    write(tmp_path, "sites-enabled/a", server("a.example.org"))
    write(tmp_path, "sites-available/b", server("b.example.org", "ssl_protocols TLSv1.1;"))
    assert places(hook("sites-available/b", select="weak-protocol")) == [("sites-available/b", 4, "TLS101")]
    # the same one switched on: the link is the name that counts for the server
    (tmp_path / "sites-enabled/b").symlink_to("../sites-available/b")
    assert places(hook("sites-available/b", select="weak-protocol")) == [("sites-enabled/b", 4, "TLS101")]


APACHE = """\
ServerRoot /etc/apache2
LoadModule ssl_module modules/mod_ssl.so
Listen 443
IncludeOptional sites-enabled/*.conf
"""
APACHE_HOST = """\
<VirtualHost *:443>
    ServerName {name}.example.org
    SSLEngine on
    SSLProtocol {protocols}
    SSLCertificateFile /etc/ssl/{name}.pem
</VirtualHost>
"""


def test_a_host_of_apache(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "apache2/apache2.conf", APACHE)
    for name, protocols in (("a", "all -SSLv3"), ("b", "-all +TLSv1.2 +TLSv1.3"), ("c", "all -SSLv3")):
        text = APACHE_HOST.format(name=name, protocols=protocols)
        write(tmp_path, f"apache2/sites-available/{name}.conf", text)
    (tmp_path / "apache2/sites-enabled").mkdir()
    (tmp_path / "apache2/sites-enabled/a.conf").symlink_to("../sites-available/a.conf")
    (tmp_path / "apache2/sites-enabled/b.conf").symlink_to("../sites-available/b.conf")
    (finding,) = hook("apache2/sites-available/a.conf", select="weak-protocol")
    assert (finding["file"], finding["line"]) == ("apache2/sites-enabled/a.conf", 4)
    assert hook("apache2/sites-available/b.conf", select="weak-protocol") == []
    # not enabled, and changed all the same
    assert places(hook("apache2/sites-available/c.conf", select="weak-protocol")) == [
        ("apache2/sites-available/c.conf", 4, "TLS101")
    ]


def test_what_is_no_configuration_is_no_trouble(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main(server("a.example.org", "ssl_protocols TLSv1.1;")))
    (tmp_path / "a.inc").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "huge.conf").write_bytes(b"\0" * 100_000)
    write(tmp_path, "page.inc", "<?php echo 'server { listen 443 ssl; }';\n")
    write(tmp_path, "my.conf", "[mysqld]\nssl-ca = ca.pem\n")
    (tmp_path / "empty.conf").touch()
    (tmp_path / "dangling.conf").symlink_to("nowhere")
    assert hook("a.inc", "huge.conf", "page.inc", "my.conf", "empty.conf", "dangling.conf", "gone.conf") == []
    assert hook() == []


def test_a_template_is_said_not_to_be_checked(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "site.conf.j2", "server {\n    listen {{ port }} ssl;\n{% if x %}\n{% endif %}\n}\n")
    write(tmp_path, "other.conf.j2", "server {\n    listen {{ port }} ssl;\n{% if x %}\n{% endif %}\n}\n")
    assert hook("site.conf.j2", said="not checked: site.conf.j2: template") == []
    with pytest.raises(AssertionError):
        hook("site.conf.j2", said="other.conf.j2")


def test_a_syntax_error_is_found_in_the_file_that_has_it(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    write(tmp_path, "sites/a.conf", "server {\n    listen 443 ssl\n}\n")
    write(tmp_path, "sites/b.conf", server("b.example.org"))
    assert [item for item in places(hook("sites/a.conf")) if item[2] == "TLS001"] == [("sites/a.conf", 2, "TLS001")]
    assert [item for item in places(hook("sites/b.conf")) if item[2] == "TLS001"] == []


def test_comments_are_judged_in_changed_files_only(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    comment = "# tlslint: ignore[weak-protocol] -- the terminals"
    write(tmp_path, "sites/a.conf", server("a.example.org", comment, "ssl_protocols TLSv1.1 TLSv1.2;"))
    write(
        tmp_path, "sites/b.conf", server("b.example.org", "# tlslint: ignore[no-such] -- x", "ssl_protocols TLSv1.2;")
    )
    assert hook("sites/a.conf", select="weak-protocol,TLS09") == []
    assert [code for _, _, code in places(hook("sites/b.conf", select="weak-protocol,TLS09"))] != []


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_and_policy_concern_everything(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "nginx.conf", main(server("a.example.org", "ssl_protocols TLSv1.1;")))
    write(tmp_path, "tlslint.toml", "policy = 'tls/ours.json'\nweak-key-lists = ['tls/keys']\n")
    write(tmp_path, "tls/ours.json", '{"name": "ours", "extends": "mozilla-intermediate"}\n')
    write(tmp_path, "tls/keys/blacklist.RSA-4096", "# none yet\n")
    for changed in ("tlslint.toml", "tls/ours.json", "tls/keys/blacklist.RSA-4096"):
        assert places(hook(changed, select="weak-protocol")) == [("nginx.conf", 6, "TLS101")]
    assert hook("README.md", select="weak-protocol") == []


def test_the_deployment_of_a_file_is_read_with_its_settings(hook: Hook, tmp_path: Path) -> None:
    settings = "[[deployment]]\nname = 'one'\nroot = 'one'\n[[deployment]]\nname = 'two'\nroot = 'two'\n"
    write(tmp_path, "tlslint.toml", settings)
    for name in ("one", "two", "three"):
        write(tmp_path, f"{name}/etc/nginx/nginx.conf", main("include /etc/nginx/sites/*;"))
        write(tmp_path, f"{name}/etc/nginx/sites/a", server(f"{name}.example.org", "ssl_protocols TLSv1.1;"))
    (finding,) = hook("two/etc/nginx/sites/a", select="weak-protocol")
    assert finding["deployments"] == ["two"]
    assert finding["endpoints"][0].endswith(" on 0.0.0.0:443")
    (finding,) = hook("three/etc/nginx/sites/a", select="weak-protocol")
    assert "deployments" not in finding
    assert len(hook("tlslint.toml", select="weak-protocol")) == 2


def test_with_a_revision_only_what_a_change_brings(hook: Hook, tmp_path: Path) -> None:
    """What `args: [--changed-since, HEAD]` makes of the hook."""
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    old = "ssl_protocols TLSv1.1 TLSv1.2;"
    write(tmp_path, "sites/a.conf", server("a.example.org", old))
    write(tmp_path, "sites/b.conf", server("b.example.org"))
    commit(tmp_path)
    write(tmp_path, "sites/a.conf", "# a comment\n" + server("a.example.org", old))
    assert places(hook("sites/a.conf", select="weak-protocol")) == [("sites/a.conf", 5, "TLS101")]
    assert hook("--changed-since", "HEAD", "sites/a.conf", select="weak-protocol") == []
    write(tmp_path, "sites/b.conf", server("b.example.org", old))
    both = ("sites/a.conf", "sites/b.conf")
    assert places(hook("--changed-since", "HEAD", *both, select="weak-protocol")) == [("sites/b.conf", 4, "TLS101")]
    assert hook("--changed-since", "HEAD", "sites/a.conf", select="weak-protocol") == []


def test_with_a_revision_in_a_deployment(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "tlslint.toml", "[[deployment]]\nname = 'one'\nroot = 'one'\n")
    write(tmp_path, "one/etc/nginx/nginx.conf", main("include /etc/nginx/sites/*;"))
    write(tmp_path, "one/etc/nginx/sites/a", server("a.example.org", "ssl_protocols TLSv1.1;"))
    write(tmp_path, "one/etc/nginx/sites/b", server("b.example.org"))
    commit(tmp_path)
    assert hook("--changed-since", "HEAD", "one/etc/nginx/sites/a", select="weak-protocol") == []
    write(tmp_path, "one/etc/nginx/sites/b", server("b.example.org", "ssl_protocols TLSv1.1;"))
    (finding,) = hook("--changed-since", "HEAD", "one/etc/nginx/sites/b", select="weak-protocol")
    assert finding["deployments"] == ["one"]


def test_a_baseline_loses_nothing_to_a_hook(hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    for name in "ab":
        write(tmp_path, f"sites/{name}.conf", server(f"{name}.example.org", "ssl_protocols TLSv1.1;"))
    write(tmp_path, "other/nginx.conf", main(server("c.example.org", "ssl_protocols TLSv1.1;")))
    write(tmp_path, "tlslint.toml", "baseline = 'known.json'\n")
    assert run(["--write-baseline", "--select", "weak-protocol"]) == 0
    capfd.readouterr()
    write(tmp_path, "sites/b.conf", server("b.example.org", "ssl_protocols TLSv1.2;"))
    known = (tmp_path / "known.json").read_text()
    assert hook("sites/a.conf", select="weak-protocol") == []
    assert run(["--hook", "sites/a.conf"]) in (0, 1)
    assert "known.json" not in capfd.readouterr().out
    assert (tmp_path / "known.json").read_text() == known
    assert hook("--write-baseline", "sites/a.conf", code=2, said="--write-baseline needs all findings") == []


def test_a_hook_fixes_the_files_that_it_is_given(tmp_path: Path, hook: Hook) -> None:
    """Not a snippet that other hosts share, though a host that is given includes it."""
    write(tmp_path, "nginx.conf", main("include sites/*.conf;"))
    write(tmp_path, "tls.conf", "ssl_protocols TLSv1.1 TLSv1.2;\n")
    write(tmp_path, "sites/a.conf", server("a.example.org", "include tls.conf;").replace("443", "444"))
    write(tmp_path, "sites/b.conf", server("b.example.org", "ssl_protocols TLSv1.1 TLSv1.2;"))
    write(tmp_path, "sites/c.conf", server("c.example.org", "ssl_protocols TLSv1.1 TLSv1.2;").replace("443", "445"))
    before = {path: path.read_text() for path in tmp_path.rglob("*.conf")}
    hook("--fix", "sites/a.conf", "sites/b.conf", select="weak-protocol", code=1)
    changed = {path.relative_to(tmp_path).as_posix() for path, text in before.items() if path.read_text() != text}
    assert changed == {"sites/b.conf"}
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in (tmp_path / "sites/b.conf").read_text()
    hook("--fix", "tls.conf", select="weak-protocol")
    assert (tmp_path / "tls.conf").read_text() == "ssl_protocols TLSv1.2 TLSv1.3;\n"


def test_excluded_files_stay_excluded(hook: Hook, tmp_path: Path) -> None:
    write(tmp_path, "tlslint.toml", "exclude = ['vendor/**']\n")
    write(tmp_path, "vendor/a.conf", server("a.example.org", "ssl_protocols TLSv1.1;"))
    assert hook("vendor/a.conf") == []


def test_standard_input_is_no_file(hook: Hook) -> None:
    assert hook("-", code=2, said="--hook takes files, not standard input") == []


# --- beside a run of everything -----------------------------------------------------------------------------------


@pytest.mark.parametrize("site", sorted(path.name for path in SITES.iterdir() if path.is_dir()))
def test_a_hook_says_what_a_run_of_everything_says_of_the_file(
    site: str, hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """File by file: each finding in a file is found when it is passed; and nothing that there is not."""
    shutil.copytree(SITES / site, tmp_path, dirs_exist_ok=True, symlinks=True)
    run(["--now", "2026-03-01", "--output-format", "json"])
    everything = [identity(finding) for finding in json.loads(capfd.readouterr().out)["findings"]]
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    together = [identity(finding) for finding in hook(*files)]
    assert together == everything
    for file in {finding[0] for finding in everything}:
        found = [identity(finding) for finding in hook(file)]
        assert [finding for finding in found if finding[0] == file] == [item for item in everything if item[0] == file]
        places_of_all = {finding[:3] for finding in everything}
        assert {finding[:3] for finding in found} <= places_of_all


def identity(finding: dict[str, Any]) -> tuple[str, int, str, str, str]:
    return (finding["file"], finding["line"], finding["code"], finding["severity"], finding["message"])
