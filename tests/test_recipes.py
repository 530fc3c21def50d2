"""The recipes of docs/ci.md, action.yml and the Dockerfile: read by the schemas of those who run them, and run.

Lines that install tlslint are not run (CI installs it); all others are, with the tlslint of this environment.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tlslint.report.formats import FORMATS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", TEXT, flags=re.DOTALL))
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
SCHEMAS = {
    ".github/workflows/tlslint.yml": "vendor.github-workflows",
    ".github/workflows/tlslint-action.yml": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    "azure-pipelines.yml": "vendor.azure-pipelines",
}
INSTALL = re.compile(r'pip install (?:--quiet )?"git\+https://git\.example\.org/tools/tlslint@v\d+\.\d+\.\d+"')


def scripts(document: Any) -> list[str]:
    """Every shell script in a workflow, pipeline or job."""
    found: list[str] = []
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("run", "script"):
                found += [value] if isinstance(value, str) else value
            else:
                found += scripts(value)
    elif isinstance(document, list):
        for item in document:
            found += scripts(item)
    return found


def commands() -> dict[str, list[str]]:
    """The shell lines of each recipe that are not about installing."""
    found = {name: scripts(yaml.safe_load(text)) for name, text in RECIPES.items() if name.endswith(".yml")}
    found["Jenkinsfile"] = re.findall(r"\bsh '([^']*)'", RECIPES["Jenkinsfile"])
    for number, text in enumerate(SHELL):
        found[f"sh {number}"] = [line for line in text.splitlines() if not line.startswith("docker ")]
    return {name: [line for line in lines if not INSTALL.fullmatch(line)] for name, lines in found.items() if lines}


COMMANDS = commands()


def check_schema(schema: str, path: Path) -> None:
    # the schema for Azure has expressions that are none in Unicode mode
    arguments = ["--regex-variant", "nonunicode", "--builtin-schema", schema, str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with faults, and a place for tools that has tlslint and what is no part of a recipe's own work."""
    shutil.copytree(ROOT / "fixtures/sites/shop", tmp_path / "checkout/deploy/nginx")
    tools = tmp_path / "tools"
    tools.mkdir()
    executable(tools / "tlslint", f'exec "{sys.executable}" -m tlslint "$@"')
    # takes what it is given, as the real one
    executable(tools / "reviewdog", "cat > reviewdog.in")
    return tmp_path / "checkout"


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def shell(script: str, checkout: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{checkout.parent / 'tools'}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "linter"),
        "HOME": str(checkout.parent),
        **variables,
    }
    return subprocess.run(
        # as GitHub's runner starts it
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def reports_of(script: str) -> dict[str, str]:
    return dict(re.findall(r"--report (\w+)=\"?([^\s\"]+)", script))


# -- what the recipes are ------------------------------------------------------------------------------------------


def test_every_recipe_is_looked_at() -> None:
    assert set(RECIPES) == {*SCHEMAS, "Jenkinsfile", ".pre-commit-config.yaml"}
    blocks = re.findall(r"^```(\w+)$", TEXT, flags=re.MULTILINE)
    assert len(blocks) == len(RECIPES) + len(SHELL)
    assert set(COMMANDS) == {*SCHEMAS, "Jenkinsfile", "sh 0", "sh 1"} - {".github/workflows/tlslint-action.yml"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_recipe_is_valid(name: str, tmp_path: Path) -> None:
    path = tmp_path / Path(name).name
    path.write_text(RECIPES[name], encoding="utf-8")
    check_schema(SCHEMAS[name], path)


@pytest.mark.parametrize("name", [name for name in RECIPES if name.endswith(".yml") and "action" not in name])
def test_recipe_installs_tlslint_first(name: str) -> None:
    lines = scripts(yaml.safe_load(RECIPES[name]))
    assert INSTALL.fullmatch(lines[0]), lines[0]


def test_jenkinsfile_is_balanced_and_publishes_what_it_writes() -> None:
    text = RECIPES["Jenkinsfile"]
    without_strings = re.sub(r"'[^'\n]*'", "''", text)
    depth = 0
    for char in without_strings:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"junit '([^']*)'", text) == list(reports_of(COMMANDS["Jenkinsfile"][0]).values())


def test_pre_commit_takes_the_snippet(tmp_path: Path) -> None:
    path = tmp_path / ".pre-commit-config.yaml"
    path.write_text(RECIPES[".pre-commit-config.yaml"], encoding="utf-8")
    arguments = ["validate-config", str(path)]
    done = subprocess.run([sys.executable, "-m", "pre_commit", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    [repository] = yaml.safe_load(path.read_text(encoding="utf-8"))["repos"]
    assert {hook["id"] for hook in repository["hooks"]} <= offered


def test_what_is_published_is_what_is_written() -> None:
    workflow = yaml.safe_load(RECIPES[".github/workflows/tlslint.yml"])
    steps = workflow["jobs"]["tlslint"]["steps"]
    assert steps[-1]["with"]["sarif_file"] == reports_of(steps[-2]["run"])["sarif"]
    job = yaml.safe_load(RECIPES[".gitlab-ci.yml"])["tlslint"]
    written = reports_of(job["script"][-1])
    assert job["artifacts"]["reports"] == {"codequality": written["gitlab"], "junit": written["junit"]}
    steps = yaml.safe_load(RECIPES["azure-pipelines.yml"])["steps"]
    assert steps[-1]["inputs"]["testResultsFiles"] == reports_of(steps[-2]["script"])["junit"]
    assert f"sonar.externalIssuesReportPaths={reports_of(SHELL[0])['sonarqube']}" in TEXT


# -- what they do --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in COMMANDS.items() for line in lines])
def test_recipe_runs(name: str, line: str, checkout: Path) -> None:
    done = shell(line, checkout, GITHUB_STEP_SUMMARY=str(checkout.parent / "summary.md"))
    assert done.returncode == (0 if "--exit-zero" in line else 1), done.stderr
    for format_name, path in reports_of(line).items():
        assert format_name in FORMATS
        path = path.replace("$GITHUB_STEP_SUMMARY", str(checkout.parent / "summary.md"))
        assert "weak-protocol" in (checkout / path).read_text(encoding="utf-8")
    if "reviewdog" in line:
        assert json.loads((checkout / "reviewdog.in").read_text(encoding="utf-8"))["diagnostics"]
    elif "--output-format github" in line:
        assert "::error file=deploy/nginx/" in done.stdout
    elif "--output-format azure" in line:
        assert "##vso[task.logissue type=error;sourcepath=deploy/nginx/" in done.stdout


# -- the action ----------------------------------------------------------------------------------------------------

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def test_the_action_is_valid() -> None:
    check_schema("vendor.github-actions", ROOT / "action.yml")


def test_the_recipe_uses_inputs_that_the_action_has() -> None:
    workflow = yaml.safe_load(RECIPES[".github/workflows/tlslint-action.yml"])
    used = next(step for step in workflow["jobs"]["tlslint"]["steps"] if "/tlslint@" in step.get("uses", ""))
    assert set(used["with"]) <= set(ACTION["inputs"])


def test_inputs_are_never_read_as_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def action(checkout: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str, str]:
    """Run the action's last step with these inputs: what it did, its outputs, and the summary."""
    step = ACTION["runs"]["steps"][-1]
    given = {name: inputs.get(name, item["default"]) for name, item in ACTION["inputs"].items()}
    variables = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], value)
        for name, value in step["env"].items()
    }
    temporary = checkout.parent / "temporary"
    (temporary / "tlslint/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(checkout.parent / "tools/tlslint", temporary / "tlslint/bin/tlslint")
    outputs, summary = checkout.parent / "outputs", checkout.parent / "summary.md"
    for path in (outputs, summary):
        path.write_text("", encoding="utf-8")
    done = shell(
        step["run"], checkout,
        RUNNER_TEMP=str(temporary), GITHUB_OUTPUT=str(outputs), GITHUB_STEP_SUMMARY=str(summary), **variables,
    )  # fmt: skip
    return done, outputs.read_text(encoding="utf-8"), summary.read_text(encoding="utf-8")


def test_the_action_annotates_sums_up_and_writes_sarif(checkout: Path) -> None:
    done, outputs, summary = action(checkout, sarif="out.sarif", paths="deploy/nginx\n")
    assert done.returncode == 1, done.stderr
    assert "::error file=deploy/nginx/" in done.stdout
    assert outputs == "sarif=out.sarif\n"
    assert summary.startswith("## tlslint: ")
    assert json.loads((checkout / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_the_action_takes_arguments_as_they_are(checkout: Path) -> None:
    awkward = checkout / "a dir; touch $(pwned) `x`"
    shutil.copytree(checkout / "deploy", awkward)
    done, outputs, summary = action(
        checkout, arguments="--select=weak-protocol\n--exit-zero", paths=f"{awkward.name}\n\n", summary="false"
    )
    assert done.returncode == 0, done.stderr
    assert (outputs, summary) == ("", "")
    assert "weak-protocol" in done.stdout
    assert "unknown-cipher" not in done.stdout
    assert sorted(path.name for path in checkout.iterdir()) == sorted([awkward.name, "deploy"])


def test_the_action_fails_where_tlslint_does(checkout: Path) -> None:
    assert action(checkout, paths="no/such/path")[0].returncode == 2
    assert action(checkout, arguments="--no-such-option")[0].returncode == 2


# -- the image -----------------------------------------------------------------------------------------------------

INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT"}


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_built_of_what_there_is() -> None:
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert found[0][0] == "FROM"
    stages = [rest for name, rest in found if name == "FROM"]
    assert all(re.fullmatch(r"python:3\.\d+-slim(?: AS \w+)?", stage) for stage in stages)
    copied = set()
    for name, rest in found:
        if name == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            copied |= set(sources)
            assert all((ROOT / source).exists() for source in sources)
            assert target == "./" or sources == [target]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *(package.split("/")[0] for package in wheel["packages"]),
        *wheel["force-include"],
    }
    assert copied == needed
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


def test_the_image_runs_tlslint_and_not_as_root() -> None:
    last = instructions()
    last = last[max(index for index, (name, _) in enumerate(last) if name == "FROM") :]
    settings = dict(last)
    assert json.loads(settings["ENTRYPOINT"]) == ["tlslint"]
    user = re.fullmatch(r"(\d+):(\d+)", settings["USER"])
    assert user
    assert "0" not in user.groups()
    [installed] = [rest for name, rest in instructions() if name == "RUN"]
    place = re.search(r"python -m venv (\S+)", installed)
    assert place
    assert settings["COPY"] == f"--from=build {place[1]} {place[1]}"
    assert settings["ENV"] == f"PATH={place[1]}/bin:$PATH"
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("ENTRYPOINT")


def test_what_the_image_installs_is_complete(tmp_path: Path) -> None:
    """Everything that the package reads at run time is in what the image copies."""
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from="):
            for source in rest.split()[:-1]:
                path = ROOT / source
                if path.is_dir():
                    shutil.copytree(path, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(path, tmp_path / source)
    environment = {"PYTHONPATH": str(tmp_path / "linter"), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments in (["policy"], ["schema", "report"], ["check", str(ROOT / "fixtures/sites/shop"), "--exit-zero"]):
        done = subprocess.run(
            [sys.executable, "-m", "tlslint", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout
