"""Settings files: which one counts, what they mean, and what is said about wrong ones."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tlslint
from tlslint.settings import (
    _DEPLOYMENT_KEYS,
    _KEYS,
    DeploymentSettings,
    Settings,
    SettingsError,
    _field,
    find_settings,
    load_settings,
)

COMPLETE = """\
policy = "policies/ours.json"
target = "nginx=1.22.1,openssl=3.0.19"
root = "rootfs"
server = "nginx"
apache-defines = ["SSL"]
paths = ["deploy/nginx", "/etc/nginx"]
exclude = ["vendor/**"]
select = ["TLS1", "weak-protocol"]
ignore = ["hsts-missing"]
fail-on = "error"
baseline = "known.json"
unsuppressable = ["weak-protocol"]
trust-store = ["system", "roots.pem"]
weak-key-lists = ["lists", "/usr/share/openssl-blacklist"]
require-certificates = true
expiry-warning-days = 20
expiry-error-days = 3

[path-map]
"/etc/nginx" = "deploy/nginx"

[apache-environment]
APACHE_LOG_DIR = "/var/log/apache2"

[severity]
weak-protocol = "info"

[per-file-ignores]
"legacy/**" = ["TLS1", "missing-hsts"]

[[deployment]]
name = "shop"
paths = ["deploy/shop"]
root = "shop"
policy = "old"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "deploy" / "nginx").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def test_every_key(project: Path) -> None:
    (project / "tlslint.toml").write_text(COMPLETE)
    settings = load_settings("deploy/nginx")
    assert settings == Settings(
        policy=f"{project}/policies/ours.json",
        target="nginx=1.22.1,openssl=3.0.19",
        root=f"{project}/rootfs",
        path_map={"/etc/nginx": f"{project}/deploy/nginx"},
        apache_defines=("SSL",),
        apache_environment={"APACHE_LOG_DIR": "/var/log/apache2"},
        server="nginx",
        paths=(f"{project}/deploy/nginx", "/etc/nginx"),
        exclude=("vendor/**",),
        select=("TLS1", "weak-protocol"),
        ignore=("hsts-missing",),
        fail_on="error",
        baseline=f"{project}/known.json",
        unsuppressable=("weak-protocol",),
        severity={"weak-protocol": "info"},
        per_file_ignores={"legacy/**": ("TLS1", "missing-hsts")},
        deployments=(
            DeploymentSettings("shop", (f"{project}/deploy/shop",), {"root": f"{project}/shop", "policy": "old"}),
        ),
        trust_store=("system", f"{project}/roots.pem"),
        weak_key_lists=(f"{project}/lists", "/usr/share/openssl-blacklist"),
        require_certificates=True,
        expiry_warning_days=20,
        expiry_error_days=3,
        file=f"{project}/tlslint.toml",
        base=str(project),
    )
    assert replace(settings, fail_on="info").fail_on == "info"


def test_the_readme_shows_keys_that_there_are(project: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"(?ms)^```toml\n(.*?)^```", readme)
    assert shown is not None
    assert set(tomllib.loads(shown[1])) <= set(_KEYS)
    (project / "tlslint.toml").write_text(shown[1], encoding="utf-8")
    assert load_settings().severity == {"missing-hsts": "info"}


SCHEMA = json.loads((Path(tlslint.__file__).parent / "data" / "settings.schema.json").read_text(encoding="utf-8"))


def test_the_schema_has_every_key() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == set(_KEYS)
    assert set(SCHEMA["properties"]["deployment"]["items"]["properties"]) == {"name", *_DEPLOYMENT_KEYS}
    jsonschema.validate(tomllib.loads(COMPLETE), SCHEMA)
    assert all(entry["description"].endswith(".") for entry in SCHEMA["properties"].values())


@pytest.mark.parametrize("key", _KEYS)
def test_the_schema_and_the_reader_agree(key: str, project: Path) -> None:
    """Each example of the schema is read, its default is the field's, and other types are refused by both."""
    entry = SCHEMA["properties"][key]
    if "default" in entry:
        default = getattr(Settings(), _field(key))
        assert entry["default"] == (list(default) if isinstance(default, tuple) else default)
    examples = [*entry.get("examples", entry.get("enum", [])), *([entry["default"]] if "default" in entry else [])]
    assert examples
    for example in examples:
        jsonschema.validate({key: example}, SCHEMA)
        (project / "tlslint.toml").write_text(f"{key} = {as_toml(example)}\n")
        load_settings()
    for wrong in (7.5, [8.5], {"x": [True]}):
        (project / "tlslint.toml").write_text(f"{key} = {as_toml(wrong)}\n")
        with pytest.raises(SettingsError):
            load_settings()
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: wrong}, SCHEMA)


def as_toml(value: object) -> str:
    """A value on one line of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {as_toml(item)}" for name, item in value.items()) + " }"
    return "[" + ", ".join(map(as_toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def test_the_command_line_goes_before_every_deployment(project: Path) -> None:
    (project / "tlslint.toml").write_text(
        "path-map = { '/a' = 'a' }\n"
        "[[deployment]]\nname = 'one'\ntarget = 'debian-12'\npath-map = { '/b' = 'b' }\n"
        "[[deployment]]\nname = 'two'\n"
    )
    settings = load_settings().overridden({"target": "local", "path_map": {"/c": "c"}})
    assert settings.target == "local"
    assert settings.path_map == {"/a": f"{project}/a", "/c": "c"}
    one, two = settings.deployments
    assert one.changes == {"target": "local", "path_map": {"/b": f"{project}/b", "/c": "c"}}
    assert two.changes == {}


def test_named_policies_are_not_paths(project: Path) -> None:
    (project / "tlslint.toml").write_text('policy = "mozilla-intermediate@5.7"\n')
    assert load_settings().policy == "mozilla-intermediate@5.7"


def test_pyproject_table(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.tlslint]\nroot = "rootfs"\n')
    assert load_settings("deploy").root == f"{project}/rootfs"
    (project / "tlslint.toml").write_text('root = "other"\n')
    assert load_settings("deploy").root == f"{project}/other"


def test_nearest_file_counts_and_search_ends_at_the_checkout(project: Path) -> None:
    (project.parent / "tlslint.toml").write_text('fail-on = "error"\n')
    assert find_settings() is None
    assert load_settings() == Settings()
    (project / "tlslint.toml").write_text("")
    (project / "deploy" / "pyproject.toml").write_text("[project]\nname = 'tlslint-user'\n")
    assert find_settings("deploy/nginx") == f"{project}/tlslint.toml"
    (project / "deploy" / "tlslint.toml").write_text("")
    assert find_settings("deploy/nginx") == f"{project}/deploy/tlslint.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('# x\nfail_on = "error"\n', 'tlslint.toml:2:1: unknown key "fail_on" (did you mean "fail-on"?)'),
        ("\n\npolcy = 1\n", 'tlslint.toml:3:1: unknown key "polcy" (did you mean "policy"?)'),
        ("zzz = 1\n", 'tlslint.toml:1:1: unknown key "zzz"'),
        ("root = 7\n", 'tlslint.toml:1:1: "root" must be a string, not a number'),
        ("root = true\n", 'tlslint.toml:1:1: "root" must be a string, not a boolean'),
        ("root = 2026-01-01\n", 'tlslint.toml:1:1: "root" must be a string, not a date'),
        ('exclude = "vendor"\n', 'tlslint.toml:1:1: "exclude" must be an array of strings'),
        ("exclude = [1]\n", 'tlslint.toml:1:12: "exclude" must be an array of strings'),
        (
            'server = "ngnix"\n',
            'tlslint.toml:1:1: "server" must be "auto", "nginx" or "apache", not "ngnix" (did you mean "nginx"?)',
        ),
        (
            '[severity]\n\nweak-protocol = "fatal"\n',
            'tlslint.toml:3:1: "weak-protocol" must be "error", "warning" or "info", not "fatal"',
        ),
        ("require-certificates = 1\n", 'tlslint.toml:1:1: "require-certificates" must be true or false, not a number'),
        ("expiry-warning-days = true\n", 'tlslint.toml:1:1: "expiry-warning-days" must be a number of days'),
        ("expiry-error-days = -1\n", 'tlslint.toml:1:1: "expiry-error-days" must be a number of days'),
        ("weak-key-lists = 'x'\n", 'tlslint.toml:1:1: "weak-key-lists" must be an array of strings'),
        ("trust-store = [1]\n", 'tlslint.toml:1:16: "trust-store" must be an array of strings'),
        ("severity = 1\n", 'tlslint.toml:1:1: "severity" must be a table, not a number'),
        (
            '[path-map]\n"etc/nginx" = "x"\n',
            'tlslint.toml:2:1: "etc/nginx" in "path-map" must be an absolute path on the server',
        ),
        ('path-map = { "/a" = 1 }\n', 'tlslint.toml:1:14: "/a" must be a string, not a number'),
        ("per-file-ignores = { 'a/**' = 'TLS1' }\n", 'tlslint.toml:1:22: "a/**" must be an array of strings'),
        ("[per-file-ignores]\n'a/**' = ['TLS1',\n 2]\n", 'tlslint.toml:3:2: "a/**" must be an array of strings'),
        ("deployment = {}\n", 'tlslint.toml:1:1: "deployment" must be an array of tables, as in [[deployment]]'),
        ("deployment = ['a']\n", 'tlslint.toml:1:15: "deployment" must be a table, not a string'),
        ("[[deployment]]\n", "tlslint.toml:1:3: a deployment needs a name"),
        ("[[deployment]]\nname = ''\n", "tlslint.toml:1:3: a deployment needs a name"),
        (
            "[[deployment]]\nname = 'a'\n[[deployment]]\nroot = 'x'\nname = 'a'\n",
            'tlslint.toml:5:1: two deployments are called "a"',
        ),
        (
            "[[deployment]]\nname = 'a'\n[[deployment]]\nname = 'b'\n  polcy = 'old'\n",
            'tlslint.toml:5:3: unknown key "polcy" (did you mean "policy"?)',
        ),
        (
            "deployment = [{ name = 'a' }, { name = 'b', path_map = {} }]\n",
            'tlslint.toml:1:45: unknown key "path_map" (did you mean "path-map"?)',
        ),
        (
            "[[deployment]]\nname = 'a'\n[deployment.path-map]\n'/etc' = 'etc'\n'etc/nginx' = 'x'\n",
            'tlslint.toml:5:1: "etc/nginx" in "path-map" must be an absolute path on the server',
        ),
        (
            "[[deployment]]\nname = 'a'\nfail-on = 'info'\n",
            'tlslint.toml:3:1: "fail-on" counts for all deployments: it belongs at the top of the file',
        ),
        ('root = "a\n', "tlslint.toml:1:"),
        ("root = 'x'\nroot = 'y'\n", "tlslint.toml"),
    ],
)
def test_what_is_wrong_and_where(project: Path, text: str, message: str) -> None:
    (project / "tlslint.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    if message.endswith((":", "toml")):
        assert str(raised.value).startswith(message)
    else:
        assert str(raised.value) == message


def test_errors_in_pyproject_name_the_line_there(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.tlslint]\nselekt = ['ALL']\n")
    with pytest.raises(SettingsError, match=r'^pyproject.toml:4:1: unknown key "selekt" \(did you mean "select"\?\)$'):
        load_settings()


def test_a_named_file_must_exist(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"^none.toml: No such file or directory$"):
        load_settings(file="none.toml")
    (project / "bytes.toml").write_bytes(b"policy = '\xff'\n")
    with pytest.raises(SettingsError, match=r"^bytes.toml: not UTF-8"):
        load_settings(file="bytes.toml")


def test_paths_of_a_named_file_are_relative_to_it(project: Path) -> None:
    (project / "deploy" / "strict.toml").write_text('root = "x"\n')
    settings = load_settings(file="deploy/strict.toml")
    assert (settings.root, settings.base) == ("deploy/x", "deploy")


@pytest.mark.parametrize("write_one", [True, False])
def test_tomllib_is_imported_only_for_a_settings_file(project: Path, write_one: bool) -> None:
    if write_one:
        (project / "tlslint.toml").touch()
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    code = "import sys; from tlslint.settings import load_settings; load_settings(); print('tomllib' in sys.modules)"
    linter = str(Path(__file__).parents[1] / "linter")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {linter!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == str(write_one)


WORDS = st.sampled_from(["nginx", "error", "ALL", "a/b", "/etc/nginx", "system", "x.json", "", "é\n", "name"])
VALUES = st.recursive(
    st.one_of(WORDS, st.integers(-3, 40), st.booleans(), st.just(0.5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
TABLES = st.dictionaries(st.sampled_from([*_DEPLOYMENT_KEYS, "name", "nam", "fail-on"]), VALUES, max_size=4)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=300
)
@given(key=st.sampled_from(list(_KEYS)), value=VALUES, deployments=st.lists(TABLES, max_size=2))
def test_whatever_is_written_the_reader_and_the_schema_agree(
    key: str, value: object, deployments: list[dict[str, object]], project: Path
) -> None:
    document = {key: value} if key != "deployment" else {key: deployments}
    (project / "tlslint.toml").write_text("\n".join(f"{name} = {as_toml(item)}" for name, item in document.items()))
    names = [str(item.get("name")) for item in deployments]
    twins = key == "deployment" and len(set(names)) < len(names)
    if jsonschema.Draft7Validator(SCHEMA).is_valid(document) and not twins:
        load_settings()
        return
    with pytest.raises(SettingsError, match=r"^tlslint\.toml:\d+:\d+: "):
        load_settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('fail-on = "error"\npolicy = "modrn"\n', "tlslint.toml:2:1: modrn: no such policy"),
        ('target = "debian-12x"\n', "tlslint.toml:1:1: unknown platform 'debian-12x'"),
        (
            'policy = "modern"\n[[deployment]]\nname = "a"\npaths = ["."]\npolicy = "mozilla-modern@1.0"\n',
            "tlslint.toml:5:1: mozilla-modern@1.0: mozilla-modern has no version '1.0'",
        ),
    ],
)
def test_an_unknown_policy_or_target_is_reported_where_it_is_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tlslint.cli import run

    (tmp_path / "tlslint.toml").write_text(text, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text("events {}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["nginx.conf"]) == 2
    assert message in capsys.readouterr().err
    assert run(["nginx.conf", "--policy", "modern", "--target", "debian-12"]) == 0
