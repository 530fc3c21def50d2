"""Only what a change introduces: the resolved results of two revisions are compared, and git runs nothing for it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlslint.run
from support.repository import ENVIRONMENT, PARTNER, SNIPPET, WEAK_LINE, WEAKNESS, build, commit, git, host, write
from tlslint.cli import run
from tlslint.discover import Root
from tlslint.finding import Report
from tlslint.resolve.model import Deployment
from tlslint.target import Target

CERTIFICATES = Path(__file__).parents[1] / "fixtures" / "certificates"
Finding = dict[str, Any]
Since = Callable[..., list[Finding]]

MAIN = """\
events {}
http {
    ssl_session_tickets off;
    include conf.d/*.conf;
}
"""
HOST = """\
server {{
    listen 127.0.0.1:8443 ssl;
    server_name {name};
    ssl_certificate ../certificates/{certificate}.pem;
    ssl_certificate_key ../certificates/a-rsa.key;
    {more}
}}
"""
WEAK = "ssl_protocols TLSv1.1 TLSv1.2;"


def host_text(name: str, more: str = "", certificate: str = "a-rsa") -> str:
    return HOST.format(name=name, more=more, certificate=certificate).replace("../certificates", "certificates")


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep git, which tlslint starts, away from the user's settings."""
    for name, value in ENVIRONMENT.items():
        if name.startswith("GIT_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with findings in each of two hosts, committed."""
    folder = tmp_path / "repository"
    write(folder, "nginx.conf", MAIN)
    write(folder, "conf.d/a.conf", host_text("a.example.test", WEAK))
    write(folder, "conf.d/b.conf", host_text("b.example.test"))
    for name in ("a-rsa.pem", "a-rsa.key", "a-rsa-expired.pem"):
        (folder / "certificates").mkdir(exist_ok=True)
        shutil.copy(CERTIFICATES / name, folder / "certificates" / name)
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def since(capfd: pytest.CaptureFixture[str]) -> Since:
    """Report what is new since a revision."""

    def call(*paths: str, ref: str = "HEAD", options: tuple[str, ...] = ()) -> list[Finding]:
        common = ["--now", "2026-06-01", "--trust-store", "none", "--output-format", "json", "--exit-zero"]
        code = run([*paths, *common, "--changed-since", ref, *options])
        printed = capfd.readouterr()
        assert code == 0, printed.err
        assert "only what is new since" in printed.err
        findings: list[Finding] = json.loads(printed.out)["findings"]
        return findings

    return call


def places(findings: list[Finding]) -> set[tuple[str, int, str]]:
    return {(finding["file"], finding["line"], finding["name"]) for finding in findings}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- five hundred hosts -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("many"))
    commit(folder)
    with (folder / SNIPPET).open("a", encoding="utf-8") as file:
        file.write(WEAKNESS)
    return folder


def test_everyone_names_the_weakness_three_includes_away(
    many: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The SARIF file, the annotations of GitHub and the comparison say the same, and every other host is silent."""
    monkeypatch.chdir(many)
    options = ["--now", "2026-06-01", "--color", "never", "--changed-since", "HEAD"]
    assert run([*options, "--output-format", "github", "--report", f"sarif={many}/.git/out.sarif"]) == 1
    expected = {(SNIPPET, WEAK_LINE, "TLS101"), (SNIPPET, WEAK_LINE, "TLS107")}
    annotations = [line for line in capfd.readouterr().out.splitlines() if line.startswith("::")]
    assert len(annotations) == len(expected)
    assert all(f"file={SNIPPET}," in line and f"line={WEAK_LINE}," in line for line in annotations)
    assert all(host(PARTNER) in line for line in annotations)
    sarif = json.loads((many / ".git" / "out.sarif").read_text(encoding="utf-8"))
    results = sarif["runs"][0]["results"]
    found = set()
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        found.add((place["artifactLocation"]["uri"], place["region"]["startLine"], result["ruleId"]))
    assert found == expected
    assert "host001" not in json.dumps(results)


def test_one_line_in_the_main_file_is_new_for_every_host(
    many: Path, since: Since, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody touched the hosts' files, and yet each of them is weaker."""
    folder = tmp_path / "many"
    shutil.copytree(many, folder)
    git(folder, "checkout", "--quiet", ".")
    edit(folder / "nginx.conf", "    include sites", "    ssl_ecdh_curve secp224r1;\n    include sites")
    monkeypatch.chdir(folder)
    (finding,) = (item for item in since() if item["name"] == "weak-group")
    assert (finding["file"], finding["line"]) == ("nginx.conf", 9)
    assert len(finding["endpoints"]) >= 500


# --- what is new --------------------------------------------------------------------------------------------------


def test_what_was_there_is_not_reported(repository: Path, since: Since) -> None:
    assert since() == []
    edit(repository / "nginx.conf", "events {}", "# new lines\n\nevents {}\n")
    edit(repository / "conf.d" / "a.conf", "server {", "# more\nserver {\n    # and more")
    assert since() == []


def test_a_line_above_weakens_a_host_that_nobody_touched(repository: Path, since: Since) -> None:
    edit(repository / "nginx.conf", "http {", f"http {{\n    {WEAK}")
    found = [item for item in since() if item["name"] == "weak-protocol"]
    assert [(item["file"], item["line"]) for item in found] == [("nginx.conf", 3)]
    assert "b.example.test on 127.0.0.1:8443" in found[0]["endpoints"]
    assert "a.example.test on 127.0.0.1:8443" not in found[0]["endpoints"], "it has lines of its own"


def test_a_known_finding_is_new_for_a_host_that_begins_to_share_it(repository: Path, since: Since) -> None:
    write(repository, "snippets/weak.conf", WEAK)
    edit(repository / "conf.d" / "a.conf", WEAK, "include snippets/weak.conf;")
    commit(repository)
    edit(repository / "conf.d" / "b.conf", "server_name", "include snippets/weak.conf;\n    server_name")
    (found,) = (item for item in since() if item["name"] == "weak-protocol")
    assert (found["file"], found["line"]) == ("snippets/weak.conf", 1)
    assert found["endpoints"] == ["b.example.test on 127.0.0.1:8443"]
    assert "b.example.test" in found["message"]
    assert "more" not in found["message"]


def test_a_second_place_is_new_and_the_first_is_not(repository: Path, since: Since) -> None:
    edit(repository / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    assert ("conf.d/b.conf", 3, "weak-protocol") in places(since())
    assert not any(item["file"] == "conf.d/a.conf" for item in since())


def test_renamed_and_moved_is_not_new(repository: Path, since: Since) -> None:
    (repository / "conf.d" / "a.conf").rename(repository / "conf.d" / "c.conf")
    # who is the default server of the socket is another matter
    assert not any(item["name"] == "weak-protocol" for item in since(options=("--select", "TLS101")))
    git(repository, "checkout", "--quiet", ".")
    (repository / "conf.d" / "c.conf").unlink()
    edit(repository / "conf.d" / "a.conf", f"    {WEAK}\n", "")
    edit(repository / "conf.d" / "a.conf", "    listen", f"    {WEAK}\n    listen")
    assert since() == []
    git(repository, "mv", "conf.d", "hosts.d")
    edit(repository / "nginx.conf", "conf.d/", "hosts.d/")
    assert since() == []


def test_a_file_that_git_does_not_know_yet_is_new(repository: Path, since: Since) -> None:
    write(repository, "conf.d/c.conf", host_text("c.example.test", WEAK))
    assert ("conf.d/c.conf", 6, "weak-protocol") in places(since())
    assert all(item["file"] == "conf.d/c.conf" or "c.example.test" in item["message"] for item in since())


def test_certificates_are_compared_too(repository: Path, since: Since) -> None:
    certificate = repository / "certificates" / "a-rsa.pem"
    shutil.copy(repository / "certificates" / "a-rsa-expired.pem", certificate)
    assert ("conf.d/a.conf", 4, "expired-certificate") in places(since())
    commit(repository)
    assert since() == []
    assert since(ref="HEAD~1") != []


def test_what_git_is_told_to_ignore_was_there(repository: Path, since: Since) -> None:
    """Certificates that are kept out of the repository are no part of the change."""
    git(repository, "rm", "--quiet", "--cached", "-r", "certificates")
    write(repository, ".gitignore", "certificates/\n")
    edit(repository / "conf.d" / "a.conf", "a-rsa.pem", "a-rsa-expired.pem")
    commit(repository)
    assert since() == []
    edit(repository / "conf.d" / "b.conf", "a-rsa.pem", "a-rsa-expired.pem")
    (found,) = (item for item in since() if item["name"] == "expired-certificate")
    assert "b.example.test on 127.0.0.1:8443" in found["endpoints"]
    assert "a.example.test on 127.0.0.1:8443" not in found["endpoints"]


def test_a_private_key_is_new_where_it_is_committed_newly(repository: Path, since: Since) -> None:
    assert since() == [], "the key is in the repository already"
    for name in ("b-rsa.pem", "b-rsa.key"):
        shutil.copy(CERTIFICATES / name, repository / "certificates" / name)
    edit(repository / "conf.d" / "b.conf", "a-rsa.pem", "b-rsa.pem")
    edit(repository / "conf.d" / "b.conf", "a-rsa.key", "b-rsa.key")
    assert "committed-private-key" not in {item["name"] for item in since()}
    git(repository, "add", "certificates")
    assert "committed-private-key" in {item["name"] for item in since()}


def test_what_a_comment_no_longer_hides_is_new(repository: Path, since: Since) -> None:
    edit(repository / "conf.d" / "a.conf", WEAK, f"# tlslint: ignore[weak-protocol] -- OPS-411\n    {WEAK}")
    commit(repository)
    assert since() == []
    edit(repository / "conf.d" / "a.conf", "# tlslint: ignore[weak-protocol] -- OPS-411\n    ", "")
    assert places(since()) == {("conf.d/a.conf", 6, "weak-protocol")}


def test_what_the_baseline_has_is_not_new(repository: Path, since: Since) -> None:
    write(repository, "conf.d/c.conf", host_text("c.example.test", WEAK))
    assert run(["--write-baseline", "--now", "2026-06-01", "--trust-store", "none"]) in (0, 1)
    assert since(options=("--baseline", "tlslint-baseline.json")) == []


def test_apache_is_compared_as_well(tmp_path: Path, since: Since, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "httpd"
    write(
        folder, "httpd.conf", "ServerRoot /etc/httpd\nListen 443\nSSLProtocol TLSv1.2\nIncludeOptional sites/*.conf\n"
    )
    for name in ("a", "b"):
        pair = f"SSLCertificateFile {CERTIFICATES}/a-rsa.pem\n    SSLCertificateKeyFile {CERTIFICATES}/a-rsa.key"
        text = (
            f"<VirtualHost *:443>\n    ServerName {name}.example.test\n    SSLEngine on\n    {pair}\n</VirtualHost>\n"
        )
        write(folder, f"sites/{name}.conf", text)
    commit(folder)
    monkeypatch.chdir(folder)
    options = ("--path-map", f"/etc/httpd={folder}")
    assert since("httpd.conf", options=options) == []
    edit(folder / "httpd.conf", "SSLProtocol TLSv1.2", "SSLProtocol TLSv1.2\nSSLCipherSuite AES128-SHA")
    found = since("httpd.conf", options=(*options, "--select", "no-forward-secrecy"))
    assert places(found) == {("httpd.conf", 4, "no-forward-secrecy")}
    assert len([label for label in found[0]["endpoints"] if "b.example.test" in label]) == 1


# --- where it is called from --------------------------------------------------------------------------------------


def test_in_a_directory_of_the_checkout(repository: Path, since: Since, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(repository / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    expected = {item["message"] for item in since()}
    assert expected
    monkeypatch.chdir(repository / "conf.d")
    assert {item["message"] for item in since("..")} == expected
    monkeypatch.chdir("/")
    found = since(str(repository))
    assert {item["message"] for item in found} == expected
    link = repository.parent / "link"
    link.symlink_to(repository)
    monkeypatch.chdir(link)
    assert {item["message"] for item in since()} == expected


def test_with_a_root_in_the_checkout(tmp_path: Path, since: Since, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "repository"
    write(folder, "rootfs/etc/nginx/nginx.conf", MAIN.replace("conf.d/", "/etc/nginx/conf.d/"))
    write(folder, "rootfs/etc/nginx/conf.d/a.conf", host_text("a.example.test"))
    write(folder, "unrelated/large.bin", "x" * 100_000)
    commit(folder)
    monkeypatch.chdir(folder)
    assert since(options=("--root", "rootfs")) == []
    write(folder, "tlslint.toml", 'root = "rootfs"\nexclude = ["unrelated/**"]\n')
    assert since() == []
    edit(folder / "rootfs/etc/nginx/nginx.conf", "http {", f"http {{\n    {WEAK}")
    assert ("rootfs/etc/nginx/nginx.conf", 3, "weak-protocol") in places(since())


def test_several_deployments(tmp_path: Path, since: Since, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "repository"
    settings_file = ""
    for name in ("one", "two"):
        write(folder, f"{name}/nginx.conf", MAIN)
        write(folder, f"{name}/conf.d/a.conf", host_text("a.example.test"))
        settings_file += f'[[deployment]]\nname = "{name}"\npaths = ["{name}"]\n'
    write(folder, "tlslint.toml", settings_file)
    commit(folder)
    monkeypatch.chdir(folder)
    assert since() == []
    edit(folder / "two" / "nginx.conf", "http {", f"http {{\n    {WEAK}")
    assert ("two/nginx.conf", 3, "weak-protocol") in places(since())
    assert all(item["file"].startswith("two/") for item in since())


def test_a_branch_is_compared_with_where_it_began(repository: Path, since: Since) -> None:
    git(repository, "checkout", "--quiet", "-b", "topic")
    edit(repository / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    commit(repository)
    expected = places(since(ref="main"))
    assert ("conf.d/b.conf", 3, "weak-protocol") in expected
    git(repository, "checkout", "--quiet", "main")
    edit(repository / "conf.d" / "a.conf", WEAK, "")
    commit(repository)
    git(repository, "checkout", "--quiet", "topic")
    assert places(since(ref="main")) == expected, "what main solved meanwhile is not this branch's doing"


def test_a_directory_that_was_not_there(repository: Path, since: Since) -> None:
    write(repository, "new/nginx.conf", MAIN.replace("conf.d/*.conf", "*.inc"))
    write(repository, "new/a.inc", host_text("n.example.test", WEAK))
    assert ("new/a.inc", 6, "weak-protocol") in places(since("new"))


def test_links_are_laid_out_as_they_are(repository: Path, since: Since) -> None:
    (repository / "conf.d" / "z.conf").symlink_to("../available.conf")
    write(repository, "available.conf", host_text("z.example.test", WEAK))
    (repository / "conf.d" / "elsewhere.conf").symlink_to("/nowhere/at/all.conf")
    (repository / "conf.d" / "absolute.conf").symlink_to(repository / "available.conf")
    commit(repository)
    assert since() == []


def test_submodules_are_compared_at_their_own_revision(
    repository: Path, tmp_path: Path, since: Since, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    write(outer, "nginx.conf", MAIN.replace("conf.d/", "shared/conf.d/"))
    commit(outer)
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "shared")
    commit(outer)
    monkeypatch.chdir(outer)
    assert since("nginx.conf") == []
    edit(outer / "shared" / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    assert ("shared/conf.d/b.conf", 3, "weak-protocol") in places(since("nginx.conf"))
    commit(outer / "shared")
    assert ("shared/conf.d/b.conf", 3, "weak-protocol") in places(since("nginx.conf"))
    commit(outer)
    assert since("nginx.conf") == []
    assert since("nginx.conf", ref="HEAD~1") != []


def test_a_linked_working_tree(repository: Path, tmp_path: Path, since: Since, monkeypatch: pytest.MonkeyPatch) -> None:
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(linked))
    monkeypatch.chdir(linked)
    assert since() == []
    edit(linked / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    assert ("conf.d/b.conf", 3, "weak-protocol") in places(since())


# --- what is refused ----------------------------------------------------------------------------------------------


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments, "--now", "2026-06-01"]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "", "HEAD:nginx.conf", "HEAD~99"])
def test_a_revision_that_is_none(name: str, repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    message = refused(capfd, f"--changed-since={name}")
    assert f'no revision "{name}"' in message
    assert "shallow" not in message
    assert not (repository / "x").exists()


def test_outside_of_a_checkout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "nginx.conf", MAIN)
    assert "no git checkout" in refused(capfd, str(tmp_path / "nginx.conf"), "--changed-since", "HEAD")


def test_standard_input_has_no_revisions(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "standard input" in refused(capfd, "-", "--changed-since", "HEAD", "--stdin-filename", "nginx.conf")


def test_a_shallow_clone_says_so(
    repository: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], since: Since, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(repository / "nginx.conf", "events", "# second\nevents")
    commit(repository)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    monkeypatch.chdir(clone)
    assert since() == []
    message = refused(capfd, "--changed-since", "HEAD~1")
    assert "git fetch --unshallow" in message
    assert "fetch-depth: 0" in message


def test_without_git(repository: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert "git, which is not installed" in refused(capfd, "--changed-since", "HEAD")


def test_no_program_of_the_repository_runs(repository: Path, since: Since) -> None:
    """Hooks, filters, file system monitors and transports that a repository's settings name stay quiet."""
    trap = write(repository.parent, "trap", f"#!/bin/sh\ntouch {repository.parent}/caught\ncat\n")
    trap.chmod(0o755)
    write(repository, ".gitattributes", "*.conf filter=trap diff=trap export-subst\n")
    commit(repository)
    for name in ("post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(trap, repository / ".git" / "hooks" / name)
    for key in (
        "core.fsmonitor", "filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "diff.trap.command",
        "diff.trap.textconv", "core.sshCommand", "core.pager", "core.askPass", "diff.external",
    ):  # fmt: skip
        git(repository, "config", key, str(trap))
    (repository.parent / "caught").unlink(missing_ok=True)
    edit(repository / "conf.d" / "b.conf", "server_name", f"{WEAK}\n    server_name")
    index = (repository / ".git" / "index").read_bytes()
    assert since() != []
    assert not (repository.parent / "caught").exists()
    assert (repository / ".git" / "index").read_bytes() == index


def test_nothing_is_left_behind(
    repository: Path, since: Since, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = git(repository, "status", "--porcelain")
    since()
    assert list((tmp_path / "temporary").iterdir()) == []
    assert git(repository, "status", "--porcelain") == before


HARMLESS = ["", "# a comment", "# ssl_protocols SSLv3;", "    "]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_edits_that_mean_nothing_introduce_nothing(data: st.DataObject, repository: Path, since: Since) -> None:
    git(repository, "checkout", "--quiet", ".")
    for path in sorted(repository.rglob("*.conf")):
        lines = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            lines += data.draw(st.lists(st.sampled_from(HARMLESS), max_size=2))
            lines.append(data.draw(st.sampled_from(["", "\t"])) + line)
        path.write_text("\n".join(lines), encoding="utf-8")
    assert since() == []


def test_where_no_file_changed_nothing_is_linted_twice(
    repository: Path, since: Since, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "conf.d" / "z.conf").symlink_to("../available.conf")
    write(repository, "available.conf", host_text("z.example.test", WEAK))
    commit(repository)
    resolved: list[Root] = []
    resolve = tlslint.run._resolve

    def counted(root: Root, target: Target, report: Report) -> Deployment | None:
        resolved.append(root)
        return resolve(root, target, report)

    monkeypatch.setattr("tlslint.run._resolve", counted)

    def is_linted_twice() -> bool:
        resolved.clear()
        since()
        return len({id(root.files) for root in resolved}) == 2

    assert not is_linted_twice()
    write(repository, "notes.txt", "not read by any server\n")
    assert not is_linted_twice()
    write(repository, "conf.d/c.conf", host_text("c.example.test"))
    assert is_linted_twice()
    (repository / "conf.d" / "c.conf").unlink()
    assert not is_linted_twice()
    edit(repository / "conf.d" / "b.conf", "listen", " listen")
    assert is_linted_twice()
    git(repository, "checkout", "--quiet", ".")
    assert not is_linted_twice()
    (repository / "conf.d" / "z.conf").unlink()
    assert is_linted_twice()
    (repository / "conf.d" / "z.conf").symlink_to("../nowhere.conf")
    assert is_linted_twice()
