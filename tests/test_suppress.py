"""Comments that suppress findings: what each form covers, what is wrong with one, and that nothing else changes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from tlslint.cli import run
from tlslint.finding import Finding, Report
from tlslint.gaps import Checked
from tlslint.parse.apache import parse as parse_apache
from tlslint.parse.nginx import parse as parse_nginx
from tlslint.parse.tree import Source, Span
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.selection import Selection, SelectorError
from tlslint.settings import Settings
from tlslint.suppress import Ignore, ignores_in, suppress

ROOT = Path(__file__).parents[1]
RULE = {module.rule.name: module.rule for module in RULES}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SELECTION = Selection([module.rule for module in RULES], Settings())

NGINX = """\
events {}
http {
    ABOVE
    ssl_protocols TLSv1
        TLSv1.1; ssl_session_tickets on; BEHIND
    OUTSIDE
    server { INSIDE
        listen 443 ssl;

        # another comment
        ssl_protocols TLSv1.1 TLSv1.2;
    }
}
"""
APACHE = """\
ABOVE
SSLProtocol all \\
    -SSLv3
<VirtualHost *:443>
    # another comment
    SSLEngine on
</VirtualHost>
"""


def covered(text: str, server: str = "nginx") -> set[int]:
    """The lines on which findings are suppressed by the one comment in a text."""
    source = Source.from_text("a.conf", text)
    tree = parse_nginx(source) if server == "nginx" else parse_apache(source)
    (ignore,) = ignores_in(tree, SELECTION)
    assert isinstance(ignore, Ignore)
    rule = RULE["weak-protocol"]
    return {
        source.line_column(offset)[0]
        for offset in range(len(text))
        if not text[offset].isspace() and ignore.covers(rule.finding("", Span(source, offset, offset + 1)))
    }


COMMENT = "# tlslint: {}[weak-protocol] -- why"
PLACES = ("ABOVE", "BEHIND", "OUTSIDE", "INSIDE")


@pytest.mark.parametrize(
    ("place", "form", "lines"),
    [
        ("ABOVE", "ignore", {4, 5}),
        ("BEHIND", "ignore", {4, 5}),
        ("OUTSIDE", "ignore", {7}),
        ("INSIDE", "ignore", {7}),
        ("OUTSIDE", "ignore-block", {7, 8, 10, 11, 12}),
        ("INSIDE", "ignore-block", {7, 8, 10, 11, 12}),
        ("OUTSIDE", "ignore-file", {1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13}),
    ],
)
def test_what_a_comment_covers(place: str, form: str, lines: set[int]) -> None:
    text = NGINX.replace(place, COMMENT.format(form))
    for other in PLACES:
        text = text.replace(other, "")
    assert covered(text) == lines
    assert covered(text.replace("\n", "\r\n")) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# tlslint: ignore[TLS1] -- x\n\n\n# y\nuser a;\n", {5}),
        ("user\n# tlslint: ignore[TLS1] -- x\na;\nuser b;\n", {1, 2, 3}),
        ("http {\n# tlslint: ignore[TLS1] -- x\n} user a; user\nb;\n", {3, 4}),
        ("# tlslint: ignore[TLS1] -- x\nserver { listen 443 ssl; ssl_protocols TLSv1; }\nuser a;\n", {2}),
        ("# tlslint: ignore[TLS1] -- x\nlua_block_by_lua_block {\n a = 1\n}\nuser a;", {2, 3, 4}),
        ("user a; # tlslint: ignore[TLS1] -- x", {1}),
    ],
)
def test_which_statement_is_meant(text: str, lines: set[int]) -> None:
    assert covered(text) == lines


def test_what_a_comment_covers_in_apache() -> None:
    plain = APACHE.replace("ABOVE", "{}")
    assert covered(plain.format(COMMENT.format("ignore")), "apache") == {2, 3}
    in_host = plain.format("").replace("# another", COMMENT.format("ignore") + " another")
    assert covered(in_host, "apache") == {6}
    above_host = plain.format("").replace("<Virtual", COMMENT.format("ignore") + "\n<Virtual", 1)
    assert covered(above_host, "apache") == {5}
    above_host = plain.format("").replace("<Virtual", COMMENT.format("ignore-block") + "\n<Virtual", 1)
    assert covered(above_host, "apache") == {5, 6, 7, 8}
    continued = plain.format(COMMENT.format("ignore") + " and \\\n a second line")
    assert covered(continued, "apache") == {3, 4}


@pytest.mark.parametrize(
    ("comment", "reason", "until"),
    [
        ("ignore[weak-protocol] -- payment terminals, OPS-411, until=2027-03-31", "payment terminals, OPS-411", 3),
        ("ignore[weak-protocol] -- until=2027-03-31, then never more", "then never more", 3),
        ("ignore[weak-protocol] -- reason (until = 2027-03-31)", "reason", 3),
        ("ignore [ TLS101,weak-protocol  TLS102 ] --reason", "reason", None),
        ("ignore[weak-protocol] until=2027-03-31", "", 3),
        ("ignore[weak-protocol]", "", None),
        ("ignore[weak-protocol] -- runtil=7 is no date", "runtil=7 is no date", None),
    ],
)
def test_reason_and_end(comment: str, reason: str, until: int | None) -> None:
    tree = parse_nginx(Source.from_text("a.conf", f"# tlslint: {comment}\nuser a;\n"))
    (ignore,) = ignores_in(tree, SELECTION)
    assert isinstance(ignore, Ignore)
    assert ignore.reason == reason
    assert (ignore.until and ignore.until.month) == until
    assert {code for name in ignore.names for code in name.codes} >= {"TLS101"}


# -- whole runs ----------------------------------------------------------------------------------------------------

HOST = """\
    server {
        listen 127.0.0.1:8443 ssl;
        server_name a.example.test;
        ssl_certificate CERTIFICATES/a-rsa.pem;
        ssl_certificate_key CERTIFICATES/a-rsa.key;
    }
""".replace("CERTIFICATES", str(ROOT / "fixtures" / "certificates"))


def linted(folder: Path, text: str, **given: object) -> Report:
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    settings = Settings(root="/", now="2026-06-01", trust_store=("none",), **given)  # type: ignore[arg-type]
    report = lint([str(folder / "nginx.conf")], settings)
    assert not report.failures
    return report


def names(report: Report) -> list[str]:
    return sorted(finding.name for finding in report.findings)


def with_comment(comment: str, protocols: str = "TLSv1.1 TLSv1.2") -> str:
    return f"events {{}}\nhttp {{\n    {comment}\n    ssl_protocols {protocols};\n{HOST}}}\n"


@pytest.fixture
def plain(tmp_path: Path) -> list[str]:
    """What is found without any comment."""
    found = names(linted(tmp_path, with_comment("#")))
    assert "weak-protocol" in found
    assert "missing-protocol" in found
    return found


def test_a_comment_hides_one_finding_and_changes_no_other(tmp_path: Path, plain: list[str]) -> None:
    report = linted(tmp_path, with_comment("# tlslint: ignore[weak-protocol] -- OPS-411 until=2026-06-01"))
    assert names(report) == [name for name in plain if name != "weak-protocol"]
    (hidden,) = report.hidden
    assert (hidden.finding.name, hidden.by, hidden.reason, hidden.until) == (
        "weak-protocol", "comment", "OPS-411", "2026-06-01",
    )  # fmt: skip
    assert (report.ignored, report.baselined) == (1, 0)
    # the message is that of the whole finding, however many endpoints it has
    shown = linted(tmp_path, with_comment("#")).findings
    assert hidden.finding.message in [finding.message for finding in shown]


def test_no_ignores_reports_everything(tmp_path: Path, plain: list[str]) -> None:
    text = with_comment("# tlslint: ignore[weak-protocol, no-protocol] -- OPS-411")
    report = linted(tmp_path, text, no_ignores=True)
    assert names(report) == sorted([*plain, "unused-ignore"])
    assert report.hidden == []


def test_what_must_not_be_hidden_is_not(tmp_path: Path, plain: list[str]) -> None:
    comment = "# tlslint: ignore[weak-protocol] -- OPS-411"
    report = linted(tmp_path, with_comment(comment), unsuppressable=("weak-protocol",))
    assert names(report) == sorted([*plain, "malformed-ignore"])
    # a prefix means the others
    report = linted(tmp_path, with_comment("# tlslint: ignore[TLS1] -- x"), unsuppressable=("weak-protocol",))
    assert names(report) == [name for name in plain if name != "missing-protocol"]
    with pytest.raises(SelectorError, match="weak-protokol"):
        linted(tmp_path, "", unsuppressable=("weak-protokol",))


def test_what_cannot_be_parsed_is_reported_whatever_comments_say(tmp_path: Path) -> None:
    report = linted(tmp_path, "# tlslint: ignore-file[TLS0] -- x\nevents {}\nhttp {\n")
    assert "syntax-error" in names(report)
    report = linted(tmp_path, "# tlslint: ignore-file[syntax-error] -- x\nevents {}\nhttp {\n")
    assert {"syntax-error", "malformed-ignore"} <= set(names(report))


@pytest.mark.parametrize("selected", [("TLS2", "unused-ignore"), ("weak-protocol",), ("missing-hsts",)])
def test_unused_only_where_the_rule_ran_and_is_asked_for(tmp_path: Path, selected: tuple[str, ...]) -> None:
    text = with_comment("# tlslint: ignore[weak-protocol] -- solved", "TLSv1.2 TLSv1.3")
    assert "unused-ignore" in names(linted(tmp_path, text))
    assert "unused-ignore" not in names(linted(tmp_path, text, select=selected))


def test_unused_only_where_everything_could_be_read(tmp_path: Path) -> None:
    text = with_comment("# tlslint: ignore[weak-protocol] -- x\n# tlslint: ignore[expired-certificate] -- y", "TLSv1.3")
    assert names(linted(tmp_path, text)).count("unused-ignore") == 2
    out_of_sight = text.replace(str(ROOT / "fixtures"), "/nowhere")
    (tmp_path / "nginx.conf").write_text(out_of_sight, encoding="utf-8")
    report = lint([str(tmp_path)], Settings(now="2026-06-01", trust_store=("none",)))
    messages = [finding.message for finding in report.findings if finding.name == "unused-ignore"]
    assert len(messages) == 1
    assert "weak-protocol" in messages[0]
    (tmp_path / "nginx.conf").write_text(text.replace("http {", "http {\ninclude /nowhere/a.conf;"), encoding="utf-8")
    report = lint([str(tmp_path)], Settings(now="2026-06-01", trust_store=("none",)))
    assert "unused-ignore" not in names(report)


def test_unused_only_where_tlslint_did_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = with_comment("# tlslint: ignore[weak-protocol] -- solved", "TLSv1.2 TLSv1.3")
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    paths = [str(tmp_path / "nginx.conf"), str(tmp_path / "nowhere.conf")]
    given = Settings(root="/", now="2026-06-01", trust_store=("none",))
    assert "unused-ignore" in names(lint(paths[:1], given))
    assert "unused-ignore" not in names(lint(paths, given))

    def fails(*_: object) -> Iterator[Finding]:
        raise ZeroDivisionError

    module = next(module for module in RULES if module.rule.name == "weak-protocol")
    monkeypatch.setattr(module, "check", fails)
    report = lint(paths[:1], given)
    assert report.failures
    assert "unused-ignore" not in names(report)


def test_nothing_is_superfluous_in_conditional_sections_of_apache() -> None:
    comment = "# tlslint: ignore[weak-protocol] -- x\nSSLProtocol all\n"
    for text, expected in ((comment, ["unused-ignore"]), (f"<IfModule ssl>\n{comment}</IfModule>\n", [])):
        tree = parse_apache(Source.from_text("a.conf", text))
        kept, _ = suppress([], [tree], SELECTION, NOW, Checked())
        assert [finding.name for finding in kept] == expected


def test_the_block_form_is_named_where_it_is_meant(tmp_path: Path) -> None:
    block = HOST.replace("listen", "ssl_protocols TLSv1.1;\n        listen")
    report = linted(tmp_path, f"events {{}}\nhttp {{\n# tlslint: ignore[weak-protocol] -- x\n{block}}}\n")
    (unused,) = (finding for finding in report.findings if finding.name == "unused-ignore")
    assert "ignore-block" in unused.help


# -- the command line ----------------------------------------------------------------------------------------------


def test_what_is_hidden_is_counted_and_shown_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nginx.conf").write_text(with_comment("# tlslint: ignore[TLS1] -- OPS-411 until=2026-07-01"), encoding="utf-8")
    common = ["nginx.conf", "--isolated", "--now", "2026-06-01", "--select", "TLS1", "--color", "never"]
    assert run(common) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "2 ignored" in err
    assert run([*common, "--show-ignored", "--output-format", "concise"]) == 0
    shown = capfd.readouterr().out.splitlines()
    assert len(shown) == 2
    assert all(line.endswith("(line 3: OPS-411, until 2026-07-01)") and ": ignored TLS1" in line for line in shown)
    assert run([*common, "--show-ignored", "--output-format", "json"]) == 0
    report = json.loads(capfd.readouterr().out)
    schema = json.loads((ROOT / "linter" / "tlslint" / "data" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)
    assert [item["hidden_by"] for item in report["hidden"]] == ["comment", "comment"]
    assert report["summary"]["ignored"] == 2
    assert report["findings"] == []
    assert run([*common, "--no-ignores"]) == 1
    assert run([*common, "--now", "2026-07-02"]) == 1
    assert "expired-ignore" not in capfd.readouterr().out  # not selected here


def test_findings_are_told_apart_by_their_own_place() -> None:
    text = "user a; # tlslint: ignore[weak-protocol] -- x\nuser b;\n"
    tree = parse_nginx(Source.from_text("a.conf", text))
    first, second = (_at(tree.source, offset) for offset in (5, text.index("b;")))
    kept, hidden = suppress([first, second], [tree], SELECTION, NOW, Checked())
    assert kept == [second]
    assert [item.finding for item in hidden] == [first]


def _at(source: Source, offset: int) -> Finding:
    return RULE["weak-protocol"].finding("x", Span(source, offset, offset + 1))
