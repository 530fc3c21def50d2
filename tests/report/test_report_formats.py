"""What the reports print, against stored texts (`TLSLINT_UPDATE=1` rewrites them: read the difference)."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.cli import run
from tlslint.finding import CouldNotCheck, Finding, Related, Report, Severity
from tlslint.parse.tree import Source, Span
from tlslint.report import concise, full, json_report, statistics, summary
from tlslint.report.text import COLOURED, PLAIN, cells, visible, width

SNAPSHOTS = Path(__file__).parent / "snapshots"
ROOT = Path(__file__).parents[2]
SHOP = ["fixtures/sites/shop", "--isolated", "--target", "nginx=1.22.1,openssl=3.0.19"]


def compare(name: str, text: str) -> None:
    path = SNAPSHOTS / name
    if os.environ.get("TLSLINT_UPDATE") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def schema(name: str) -> dict[str, Any]:
    text = (ROOT / "linter/tlslint/data" / f"{name}.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(document)
    return document


def finding(file: Source, text: str, *, last: str | None = None, **fields: Any) -> Finding:
    """A finding at the first occurrence of a text, or from there to the end of another."""
    start = file.text.index(text)
    end = file.text.index(last, start) + len(last) if last is not None else start + len(text)
    given: dict[str, Any] = {
        "code": "TLS101",
        "name": "weak-protocol",
        "severity": Severity.ERROR,
        "message": "TLSv1 is switched on",
        "span": Span(file, start, end),
    }
    return Finding(**{**given, **fields})


def rendered(*findings: Finding, **fields: Any) -> str:
    return "".join(full.render(Report(findings=list(findings), **fields), PLAIN))


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


# -- a whole tree --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("shop-full.txt", ["--select", "weak-protocol,shadowed-protocols,unknown-cipher"]),
        ("shop-concise.txt", ["--output-format", "concise", "--select", "TLS1,unknown-cipher"]),
        ("shop-statistics.txt", ["--statistics", "--select", "TLS1,unknown-cipher"]),
        ("shop-colour.txt", ["--color", "always", "--select", "weak-protocol"]),
        ("shop.json", ["--output-format", "json", "--select", "weak-protocol,shadowed-protocols"]),
    ],
)
def test_shop(name: str, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *SHOP, *arguments]) == 1
    compare(name, capfd.readouterr().out)


def test_shop_prediction(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["show", *SHOP]) == 0
    out, err = capfd.readouterr()
    compare("shop-show.txt", out)
    assert err == ""


def test_shop_prediction_as_json_follows_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["show", *SHOP, "--output-format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    jsonschema.validate(document, schema("show"))
    [deployment] = document["deployments"]
    assert deployment["target"] == {"nginx": "1.22.1", "openssl": "3.0.19"}
    answers = {(item["listen"], item["sni"]): item for item in deployment["endpoints"]}
    api = answers["0.0.0.0:8443", "api.w.example.test"]
    # the default server's, on this version
    assert api["protocols"] == ["TLSv1.2", "TLSv1.3"]
    assert api["client_certificate"] == "required"
    assert api["virtual_host"]["file"] == "fixtures/sites/shop/sites-enabled/api.conf"
    assert [len(item["chain"]) for item in api["certificates"]] == [2]
    assert answers["0.0.0.0:8443", None]["settings"]["protocols"] == {
        "value": "TLSv1.2 TLSv1.3",
        "file": "fixtures/sites/shop/snippets/modern.conf",
        "line": 1,
        "directive": "ssl_protocols",
    }


@pytest.mark.parametrize("paths", [["fixtures/rules"], ["fixtures/sites"], ["fixtures/rules", "--root", "/"]])
def test_reports_follow_the_contract(paths: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    run(["check", *paths, "--isolated", "--output-format", "json"])
    document = json.loads(capfd.readouterr().out)
    jsonschema.validate(document, schema("report"))
    assert document["failures"] == []
    counted = [item["severity"] for item in document["findings"]]
    assert all(counted.count(level) == document["summary"][level] for level in ("error", "warning", "info"))


def test_predictions_follow_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    run(["show", "fixtures/rules", "--isolated", "--output-format", "json"])
    jsonschema.validate(json.loads(capfd.readouterr().out), schema("show"))


# -- snippets ------------------------------------------------------------------------------------------------------


def test_carets_stand_under_the_span_behind_tabs_and_wide_characters() -> None:
    source = Source.from_text("a.conf", "server {\n\tssl_protocols\tTLSv1;\n# 漢字 e\u0301 TLSv1.1\n}\n")
    text = rendered(finding(source, "TLSv1;", message="m"), finding(source, "TLSv1.1", message="m"))
    assert "2 |     ssl_protocols   TLSv1;\n  |                     ^^^^^^\n" in text
    line, carets = [row for row in text.splitlines() if "漢" in row or "^^^^^^^" in row]
    assert width(line[: line.index("TLSv1.1")]) == carets.index("^")
    assert carets.count("^") == len("TLSv1.1")


def test_a_span_of_several_lines_is_underlined_without_indentation() -> None:
    source = Source.from_text("a.conf", "ssl_ciphers 'A:\n    B:\n    C';\n")
    compare("lines.txt", rendered(finding(source, "'A", last="C'", label="all of it")))


def test_a_long_span_shows_its_beginning_and_its_end() -> None:
    source = Source.from_text("a.conf", "".join(f"line {number}\n" for number in range(1, 31)))
    text = rendered(finding(source, "line 3\n", last="line 27"))
    shown = [row for row in text.splitlines() if "| line" in row]
    assert shown[0].startswith(" 3 |")
    assert shown[-1].startswith("27 |")
    assert len(shown) < 7


def test_a_long_line_is_cut_around_the_span() -> None:
    source = Source.from_text("a.conf", "x" * 100_000 + " here " + "y" * 100_000)
    text = rendered(finding(source, "here", label="this"))
    [line] = [row for row in text.splitlines() if "here" in row]
    [carets] = [row for row in text.splitlines() if "^" in row]
    assert len(line) < 200
    assert line.startswith("1 | …x")
    assert line.endswith("y…")
    assert line.index("here") == carets.index("^")
    assert carets.endswith("^^^^ this")


def test_a_span_longer_than_the_window_is_cut_as_well() -> None:
    source = Source.from_text("a.conf", "ssl_ciphers " + "A:" * 5000 + ";")
    text = rendered(finding(source, "A:" * 5000, label="too long"))
    assert max(map(len, text.splitlines())) < 200


def test_a_span_at_the_end_of_the_file_has_a_caret() -> None:
    source = Source.from_text("a.conf", "http {")
    text = rendered(replace(finding(source, "{"), span=Span(source, 6, 6)))
    assert "1 | http {\n  |       ^\n" in text


def test_nothing_in_a_file_reaches_the_terminal_raw() -> None:
    source = Source.from_bytes("evil\x1b[2J.conf", b"a \x1b[31m \xff \xe2\x80\xae TLSv1\x07;\n")
    text = rendered(finding(source, "TLSv1", message="\x1b]0;title\x07", endpoints=("a\r\nb", "c")))
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    assert r"a \x1b[31m \xff \u202e TLSv1\x07;" in text
    assert r"evil\x1b[2J.conf" in text
    text.encode("utf-8")


@given(st.text(st.characters(), max_size=30))
def test_cells_agree_with_what_is_shown(line: str) -> None:
    shown = list(cells(line))
    assert len(shown) == len(line)
    assert sum(columns for _, columns in shown) == width("".join(text for text, _ in shown))
    assert visible("".join(text for text, _ in shown)) == "".join(text for text, _ in shown)


@given(st.text(st.characters(), max_size=60), st.data())
def test_any_span_of_any_text_can_be_shown(text: str, data: st.DataObject) -> None:
    source = Source("a.conf", text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    item = Finding("TLS101", "weak-protocol", Severity.INFO, "m", Span(source, start, end), label="l")
    block = rendered(item)
    assert "^ l" in block
    assert all(line == "" or width(line) < 400 for line in block.split("\n"))


# -- notes ---------------------------------------------------------------------------------------------------------


def test_notes_are_told_once() -> None:
    source = Source.from_text("a.conf", "TLSv1 x TLSv1.1\n")
    items = [
        finding(source, word, why="it is old", seen="nothing", source="a policy", help="remove it")
        for word in ("TLSv1", "TLSv1.1")
    ]
    text = rendered(*items)
    counts = {note: text.count(f"= {note}:") for note in ("why", "seen", "from", "help", "more")}
    assert counts == {"why": 1, "seen": 1, "from": 2, "help": 2, "more": 1}


def test_endpoints_related_places_and_includes() -> None:
    source = Source.from_text("conf.d/tls.conf", "ssl_protocols TLSv1;\n")
    entry = Source.from_text("nginx.conf", "http {\n    include conf.d/*.conf;\n}\n")
    include = Span(entry, entry.text.index("include"), entry.text.index(";"))
    item = finding(
        source,
        "TLSv1",
        endpoints=tuple(f"{name}.example.org on [::]:443" for name in "abcdefg"),
        related=(Related(include, "takes effect through this include"), *[Related(include, "again")] * 4),
    )
    compare("notes.txt", rendered(item, included_through={"conf.d/tls.conf": (include,)}))


# -- the other formats ---------------------------------------------------------------------------------------------


def test_concise_is_one_line_for_each_finding_whatever_is_in_it() -> None:
    source = Source.from_text("a\nb.conf", "\tTLSv1;\n")
    item = finding(source, "TLSv1", message="two\nlines")
    assert list(concise.render([item], PLAIN)) == ["a\\x0ab.conf:1:2: error TLS101 weak-protocol: two\\x0alines\n"]


def test_statistics_count_by_rule_and_severity() -> None:
    source = Source.from_text("a.conf", "TLSv1;\n")
    items = [finding(source, "TLSv1")] * 11 + [finding(source, "TLSv1", severity=Severity.INFO)]
    assert "".join(statistics.render(items, PLAIN)) == (
        "11  error    TLS101  weak-protocol\n 1  info     TLS101  weak-protocol\n"
    )


def test_json_is_valid_unicode_whatever_the_files_hold() -> None:
    source = Source.from_bytes("caf\udce9.conf", b"\xff TLSv1;\n")
    report = Report(findings=[finding(source, "TLSv1", message="\udcff \U0001f600 \ud800")], policy="p")
    text = json_report.render(report)
    document = json.loads(text)
    jsonschema.validate(document, schema("report"))
    text.encode("ascii")
    assert document["findings"][0]["message"] == "\ufffd \U0001f600 \ufffd"
    json.dumps(document, ensure_ascii=False).encode("utf-8")


# -- the summary ---------------------------------------------------------------------------------------------------


def total(report: Report) -> str:
    return "".join(summary.total(report, PLAIN))


def reports_in_doubt() -> Iterator[Report]:
    yield Report(files=2, deployments=1, policy="p", unknown=[CouldNotCheck("x", "y")])
    yield Report(files=2, deployments=1, policy="p", skipped=[("x", "a template")])
    yield Report(files=2, deployments=1, policy="p", problems=[("x", "missing")])
    yield Report(files=2, deployments=1, policy="p", failures=[ValueError("x")])
    yield Report(policy="p")


def test_no_issues_is_said_only_where_everything_was_checked() -> None:
    assert total(Report(files=2, deployments=1, endpoints=3, policy="p")) == "no issues in 2 files (3 endpoints, p)\n"
    for report in reports_in_doubt():
        assert "no issues" not in total(report)


def test_totals_count() -> None:
    source = Source.from_text("a.conf", "TLSv1;\n")
    levels = [Severity.ERROR, Severity.WARNING, Severity.WARNING, Severity.INFO]
    items = [finding(source, "TLSv1", severity=level) for level in levels]
    assert total(Report(findings=items, files=1, endpoints=1, deployments=1, policy="p")) == (
        "1 error, 2 warnings and 1 info in 1 file (1 endpoint, p)\n"
    )


def test_gaps_with_the_same_reason_stand_together_unless_all_are_asked_for() -> None:
    report = Report(unknown=[CouldNotCheck(f"file {number}", "outside") for number in range(1, 9)])
    assert list(summary.gaps(report, PLAIN)) == ["could not check: file 1, and 7 more: outside\n"]
    assert len(list(summary.gaps(report, PLAIN, verbose=True))) == 8
    many = Report(unknown=[CouldNotCheck(f"file {number}", f"reason {number}") for number in range(1, 9)])
    assert list(summary.gaps(many, PLAIN))[-1] == "could not check: 3 more (-v lists them)\n"


def test_errors_are_coloured_only_where_colour_is_wanted() -> None:
    report = Report(problems=[("a", "missing")])
    assert list(summary.errors(report, PLAIN)) == ["error: a: missing\n"]
    assert list(summary.errors(report, COLOURED)) == ["\x1b[1;31merror:\x1b[0m a: missing\n"]
