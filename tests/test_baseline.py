"""The baseline: what it absorbs, what it never does, and that edits around a finding change neither."""

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlslint.baseline import BaselineError, read_baseline
from tlslint.cli import run
from tlslint.finding import Report
from tlslint.run import lint
from tlslint.settings import Settings

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "fixtures" / "sites" / "shop"
DATA = ROOT / "linter" / "tlslint" / "data"
BASELINE = "tlslint-baseline.json"
Keys = list[tuple[str, str]]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the site with many findings, as the current directory."""
    shutil.copytree(SHOP, tmp_path / "shop", symlinks=True)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def linted(*paths: str, **given: object) -> Report:
    report = lint(paths or ["."], Settings(now="2026-06-01", trust_store=("none",), **given))  # type: ignore[arg-type]
    assert not report.failures
    return report


def keys(report: Report) -> Keys:
    return sorted((finding.span.source.path, finding.name) for finding in report.findings)


def write_baseline(**given: object) -> Report:
    report = linted(write_baseline=True, **given)
    assert report.new_baseline is not None
    Path(BASELINE).write_text(report.new_baseline, encoding="ascii")
    return report


def test_everything_of_today_is_absorbed(shop: Path) -> None:
    before = linted()
    assert len(before.findings) > 10
    report = write_baseline()
    assert report.findings == []
    again = linted(baseline=BASELINE)
    assert again.findings == []
    assert again.stale == []
    assert again.baselined == len(before.findings)
    assert {item.by for item in again.hidden} == {"baseline"}
    assert keys(linted(baseline=BASELINE, no_ignores=True)) == keys(before)
    assert linted(write_baseline=True).new_baseline == Path(BASELINE).read_text(encoding="ascii")


def test_what_is_new_is_reported_and_nothing_else(shop: Path) -> None:
    before = keys(linted())
    write_baseline()
    path = shop / "conf.d" / "tls.conf"
    path.write_text("sendfile_max_chunk 2m;\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert keys(linted(baseline=BASELINE)) == []
    main = shop / "nginx.conf"
    text = main.read_text(encoding="utf-8")
    pair = "ssl_certificate /elsewhere/a.pem; ssl_certificate_key /elsewhere/a.key;"
    host = f"server {{ listen 9444 ssl; server_name new.example.test; ssl_protocols TLSv1 TLSv1.2; {pair} }}"
    main.write_text(text.replace("http {", f"http {{ {host}", 1), encoding="utf-8")
    now = linted()
    new = [key for key in keys(now) if key not in before]
    assert new
    assert keys(linted(baseline=BASELINE)) == sorted(new)


def test_what_is_solved_is_stale_until_it_is_written_anew(shop: Path) -> None:
    write_baseline()
    path = shop / "conf.d" / "tls.conf"
    before = {key for key in keys(linted()) if key[0] == "conf.d/tls.conf"}
    path.write_text("", encoding="utf-8")
    report = linted(baseline=BASELINE)
    assert {(item.file, item.rule) for item in report.stale if item.file == "conf.d/tls.conf"} == before
    after = linted(write_baseline=True)
    assert after.stale == []
    assert "conf.d/tls.conf" not in json.loads(after.new_baseline or "")["files"]


def test_a_file_that_is_gone_is_stale(shop: Path) -> None:
    write_baseline()
    text = Path(BASELINE).read_text(encoding="ascii")
    Path(BASELINE).write_text(text.replace("conf.d/tls.conf", "conf.d/gone.conf"), encoding="ascii")
    report = linted(baseline=BASELINE)
    assert {item.file for item in report.stale} == {"conf.d/gone.conf"}
    assert {path for path, _ in keys(report)} == {"conf.d/tls.conf"}


def test_entries_of_what_was_not_checked_are_kept(shop: Path) -> None:
    write_baseline()
    everything = Path(BASELINE).read_text(encoding="ascii")
    for chosen in ({"select": ("TLS1",)}, {"ignore": ("TLS2",)}):
        report = linted(write_baseline=True, **chosen)
        assert report.new_baseline == everything
        assert linted(baseline=BASELINE, **chosen).stale == []
    (shop / "other").mkdir()
    (shop / "other" / "nginx.conf").write_text("events {}\nhttp { server { listen 80; } }\n", encoding="utf-8")
    assert linted("other/nginx.conf", baseline=BASELINE).stale == []


def test_what_may_not_be_hidden_is_neither_absorbed_nor_written(shop: Path) -> None:
    names = {name for _, name in keys(linted())}
    name = sorted(names)[0]
    write_baseline()
    report = linted(baseline=BASELINE, unsuppressable=(name,))
    assert {key[1] for key in keys(report)} == {name}
    report = linted(write_baseline=True, unsuppressable=(name,))
    assert {key[1] for key in keys(report)} == {name}
    assert name not in (report.new_baseline or "")
    main = shop / "nginx.conf"
    main.write_text(main.read_text(encoding="utf-8") + "\n}", encoding="utf-8")
    report = write_baseline()
    assert {key[1] for key in keys(report)} == {"syntax-error"}


def test_paths_count_from_the_baseline(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_baseline()
    monkeypatch.chdir(shop.parent)
    report = linted("shop", baseline=f"shop/{BASELINE}")
    assert report.findings == []
    assert report.stale == []


def test_the_file_fits_its_schema_and_is_in_order(shop: Path) -> None:
    write_baseline()
    content = json.loads(Path(BASELINE).read_text(encoding="ascii"))
    schema = json.loads((DATA / "baseline.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)
    assert list(content["files"]) == sorted(content["files"])
    for rules in content["files"].values():
        assert list(rules) == sorted(rules)
        assert all(listed == sorted(listed) for listed in rules.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1:1: Expecting value"),
        ('{"schema": "tlslint-baseline/1",\n oops}', ":2:2: "),
        ("[]", "not a baseline"),
        ('{"schema": "tlslint-report/1"}', "not a baseline"),
        ('{"schema": "tlslint-baseline/1", "fingerprints": "x"}', "another version"),
        ('{"schema": "tlslint-baseline/1", "fingerprints": "tlslint/1", "files": []}', "files is not an object"),
        (
            '{"schema": "tlslint-baseline/1", "fingerprints": "tlslint/1", "files": {"a": 1}}',
            "files.a is not an object",
        ),
        (
            '{"schema": "tlslint-baseline/1", "fingerprints": "tlslint/1", "files": {"a": {"b": [1]}}}',
            "files.a.b is not",
        ),
        ("\udcff", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BaselineError) as refused:
        read_baseline(str(path))
    assert str(refused.value).startswith(str(path))
    assert message in str(refused.value)


def test_the_command_line(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    common = ["--isolated", "--now", "2026-06-01", "--trust-store", "none", "--color", "never"]
    assert run([*common, "--baseline", BASELINE]) == 2
    assert "--write-baseline makes it" in capfd.readouterr().err
    assert run([*common, "--write-baseline"]) == 0
    assert "added, 0 removed" in capfd.readouterr().err
    modified = os.stat(BASELINE).st_mtime_ns
    assert run([*common, "--write-baseline"]) == 0
    assert os.stat(BASELINE).st_mtime_ns == modified, "nothing to write"
    assert run([*common, "--baseline", BASELINE]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "in the baseline" in err
    (shop / "conf.d" / "tls.conf").write_text("", encoding="utf-8")
    run([*common, "--baseline", BASELINE, "--exit-zero"])
    assert "no longer there" in capfd.readouterr().err
    assert run([*common, "--baseline", BASELINE, "--exit-zero", "--fail-on-stale"]) == 1
    assert run([*common, "--write-baseline", "--no-ignores"]) == 2
    (shop / BASELINE).write_text("{}", encoding="ascii")
    assert run([*common, "--write-baseline"]) == 2, "this is somebody else's file"
    assert (shop / BASELINE).read_text(encoding="ascii") == "{}"


def test_settings_name_the_baseline(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "tlslint.toml").write_text('baseline = "known/tls.json"\n', encoding="utf-8")
    (shop / "known").mkdir()
    assert run(["--now", "2026-06-01", "--write-baseline"]) == 0
    assert (shop / "known" / "tls.json").is_file()
    assert run(["--now", "2026-06-01"]) == 0
    capfd.readouterr()


HARMLESS = ["", "   ", "\t", "# a comment", "# server { ssl_protocols SSLv3; }", "\r"]


@st.composite
def edited(draw: st.DrawFn, text: str) -> str:
    """The same configuration with lines that mean nothing put between its lines, and other indentation."""
    lines = []
    for line in text.split("\n"):
        lines += draw(st.lists(st.sampled_from(HARMLESS), max_size=2))
        lines.append(draw(st.sampled_from(["", "  ", "\t"])) + line + draw(st.sampled_from(["", " ", " # behind"])))
    return "\n".join(lines) + "\n"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_edits_around_findings_change_nothing(data: st.DataObject, shop: Path) -> None:
    """Whatever is added above and below: the baseline absorbs the same findings, and no entry becomes stale."""
    for path in SHOP.rglob("*.conf"):
        shutil.copy(path, shop / path.relative_to(SHOP))
    write_baseline()
    known = keys(linted())
    for path in shop.rglob("*.conf"):
        path.write_text(data.draw(edited(path.read_text(encoding="utf-8"))), encoding="utf-8")
    report = linted(baseline=BASELINE)
    assert report.findings == []
    assert report.stale == []
    assert sorted((item.finding.span.source.path, item.finding.name) for item in report.hidden) == known
