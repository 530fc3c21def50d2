"""The hooks as pre-commit and prek run them: installed from a repository, with the files that changed.

They install tlslint into an environment of their own, for which pip needs a package index.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.repository import ENVIRONMENT, PARTNER, SNIPPET, WEAK_LINE, WEAKNESS, build, commit, git, host
from support.servers import missing
from tlslint import discover

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PACKAGED = ("linter", "policies", "pyproject.toml", "README.md", "LICENSE", HOOKS.name, "pre-commit-hooks.yaml")
INSTALLING_SECONDS = 400
NO_INDEX = re.compile(r"No matching distribution|Could not find a version|Connection|[Tt]emporary failure|dns error")
WEAK = f"{SNIPPET}:{WEAK_LINE}:15"


def manifest() -> list[dict[str, Any]]:
    hooks: list[dict[str, Any]] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    return hooks


# --- the manifest -------------------------------------------------------------------------------------------------


def test_the_file_without_a_dot_is_a_link_to_the_one_with() -> None:
    link = ROOT / "pre-commit-hooks.yaml"
    assert HOOKS.is_file()
    assert not HOOKS.is_symlink()
    assert link.read_bytes() == HOOKS.read_bytes()
    assert not link.is_symlink() or str(link.readlink()) == HOOKS.name


def test_pre_commit_accepts_the_manifest() -> None:
    if importlib.util.find_spec("pre_commit") is None:
        missing("pre-commit")
    from pre_commit.clientlib import load_manifest

    assert [hook["id"] for hook in load_manifest(str(HOOKS))] == ["tlslint", "tlslint-fix"]


@pytest.fixture(scope="module")
def pattern() -> re.Pattern[str]:
    plain, fixing = (hook["files"] for hook in manifest())
    assert plain == fixing
    return re.compile(plain)


@pytest.mark.parametrize(
    "name",
    [
        "nginx.conf", "deploy/nginx/nginx.conf", "conf.d/a.conf", "sites-enabled/default",
        "sites-available/a.example.org", "snippets/tls", "a.vhost", "httpd.conf", "apache2/apache2.conf",
        "apache2/mods-enabled/ssl.conf", "ports.conf",
        "conf.modules.d/00-ssl.conf", "roles/nginx/templates/site.conf.j2", "nginx.conf.template", "tls/a.pem",
        "ssl/a.crt", "ssl/private/a.key", "tlslint.toml", "deploy/tlslint.toml", "etc/logrotate.d/nginx",
    ],
)  # fmt: skip
def test_files_that_are_passed(name: str, pattern: re.Pattern[str]) -> None:
    assert pattern.search(name)


@pytest.mark.parametrize(
    "name",
    ["README.md", "src/main.py", "nginx/html/index.html", "package.json", "a.conform", "site/index.php", "keys.txt",
     "sites/shop/modules/index.js", "conf.py", "snippets.md", "monkey", "Makefile"],
)  # fmt: skip
def test_files_that_are_not(name: str, pattern: re.Pattern[str]) -> None:
    assert not pattern.search(name)


def test_what_is_looked_for_in_directories_is_passed_too(pattern: re.Pattern[str]) -> None:
    for folder in discover._FOLDERS:
        assert pattern.search(f"deploy/{folder}/example.org"), folder
    for name in (*discover._MAIN_NAMES, "a.conf", "a.vhost", "a.nginx", "a.ngx", "a.inc", "nginx", "vhost", "httpd"):
        assert discover._NAMES.fullmatch(name)
        assert pattern.search(name), name


# --- installed ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is packaged, as a repository to install the hooks from."""
    folder = tmp_path_factory.mktemp("project")
    for name in PACKAGED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, folder / name, follow_symlinks=False)
    commit(folder)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which one snippet was changed and staged."""
    folder = build(tmp_path / "repository", hosts=PARTNER + 3)
    commit(folder)
    with (folder / SNIPPET).open("a", encoding="utf-8") as file:
        file.write(WEAKNESS)
    git(folder, "add", "--all")
    return folder


def run(program: str, *arguments: str, repository: Path, home: Path) -> tuple[int, str]:
    """Run pre-commit or prek; returns the exit code and all that it printed."""
    if importlib.util.find_spec(program) is None:
        missing(program.replace("_", "-"))
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=repository,
        env={**ENVIRONMENT, "PRE_COMMIT_HOME": str(home), "PREK_HOME": str(home), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=INSTALLING_SECONDS,
    )
    if done.returncode and "hook id: tlslint" not in done.stdout and NO_INDEX.search(done.stdout):
        missing("a package index from which hooks are installed")
    return done.returncode, done.stdout


def assert_only_the_weak_host_is_named(printed: str) -> None:
    assert WEAK in printed
    assert "TLS101 weak-protocol" in printed
    assert set(re.findall(r"--> (\S+)", printed)) == {WEAK}
    assert set(re.findall(r"(?<=for )host\d+\.example\.org", printed)) == {host(PARTNER)}


def test_pre_commit_try_repo(project: Path, repository: Path, tmp_path: Path) -> None:
    """Both hooks: one reports the weak line, one repairs it and touches nothing else."""
    code, printed = run("pre_commit", "try-repo", str(project), repository=repository, home=tmp_path / "home")
    assert code == 1, printed
    assert_only_the_weak_host_is_named(printed)
    assert re.search(r"^tlslint\.+Failed\n- hook id: tlslint\n", printed, re.MULTILINE), printed
    assert re.search(r"^tlslint --fix\.+Failed\n- hook id: tlslint-fix\n", printed, re.MULTILINE), printed
    assert "files were modified by this hook" in printed
    changed = git(repository, "diff", "--unified=0", "--no-color").splitlines()
    assert [line for line in changed if line.startswith(("+", "-"))] == [
        f"--- a/{SNIPPET}",
        f"+++ b/{SNIPPET}",
        "-ssl_protocols TLSv1 TLSv1.2 TLSv1.3;",
        "+ssl_protocols TLSv1.2 TLSv1.3;",
    ]


def test_prek(project: Path, repository: Path, tmp_path: Path) -> None:
    """As configured in a repository: with the staged files, or with all of them."""
    revision = git(project, "rev-parse", "HEAD").strip()
    config = {"repos": [{"repo": str(project), "rev": revision, "hooks": [{"id": "tlslint"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    home = tmp_path / "home"
    code, printed = run("prek", "run", repository=repository, home=home)
    assert code == 1, printed
    assert_only_the_weak_host_is_named(printed)
    code, printed = run("prek", "run", "--all-files", repository=repository, home=home)
    assert code == 1, printed
    assert_only_the_weak_host_is_named(printed)
    git(repository, "checkout", "--quiet", "HEAD", SNIPPET)
    code, printed = run("prek", "run", "--all-files", repository=repository, home=home)
    assert code == 0, printed
    assert "Passed" in printed
