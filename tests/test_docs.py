"""The generated pages are what their generators would write now."""

import re
import shlex
from pathlib import Path
from typing import Any

import docs_reference
import docs_rules
import pytest

from tlslint import cli
from tlslint.cli import run
from tlslint.cli.full import app
from tlslint.rules import RULES
from tlslint.settings import load_settings

ROOT = Path(__file__).parents[1]

PAGES = docs_rules.pages()


@pytest.mark.parametrize("name", PAGES)
def test_rule_page_is_fresh(name: str) -> None:
    path = ROOT / "docs" / "rules" / name
    assert path.read_text(encoding="utf-8") == PAGES[name], "run tools/docs_rules.py"


def test_no_page_without_a_rule() -> None:
    assert {path.name for path in (ROOT / "docs" / "rules").glob("*.md")} == set(PAGES)


REFERENCE = docs_reference.pages()


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_page_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == REFERENCE[name], "run tools/docs_reference.py"


def test_all_formats_are_described() -> None:
    docs_reference.check_formats()


@pytest.mark.parametrize("name", [module.rule.name for module in RULES])
def test_the_command_line_shows_the_page(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["rule", name, "--color", "never"]) == 0
    assert capfd.readouterr().out == PAGES[f"{name}.md"]


def links(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "`", text)))


PAGES_OF_DOCS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "docs/rules/README.md", ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES_OF_DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            text = target.read_text(encoding="utf-8")
            heads = {
                re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text, re.M)
            }
            assert anchor in heads, link


EXAMPLES = re.findall(r"```toml\n(.*?)```", REFERENCE["settings.md"], flags=re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_settings_of_the_page_can_be_used(text: str, tmp_path: Path) -> None:
    for line in text.splitlines():
        (tmp_path / "tlslint.toml").write_text(line.removeprefix("# "), encoding="utf-8")
        load_settings(file=str(tmp_path / "tlslint.toml"))


def command_lines(page: Path) -> set[str]:
    """What a page says to type: lines of code blocks, and code within sentences, up to a pipe or redirection."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)).replace("\\\n", " ")
    sentences = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", sentences)]
    found = re.findall(r"(?:^|[$|] |- |script: |run: |sh ')(tlslint(?: [^\n]*)?)$", blocks, flags=re.MULTILINE)
    found += [span for span in spans if span.startswith("tlslint ")]
    return {re.split(r" (?:\\?\||2?>|&&|#) ?", line.rstrip("'"))[0].strip() for line in found}


MEANT_IN_GENERAL = {"tlslint COMMAND --help", "tlslint check [OPTIONS] [PATHS]..."}


def documented() -> list[tuple[str, str]]:
    pages = [*PAGES_OF_DOCS, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/rules").glob("*.md"))]
    lines = {(str(page.relative_to(ROOT)), line) for page in pages for line in command_lines(page)}
    return sorted(item for item in lines if "[OPTIONS]" not in item[1] and item[1] not in MEANT_IN_GENERAL)


def test_command_lines_are_found() -> None:
    found = {line for _, line in documented()}
    assert {"tlslint schema report", "tlslint --exit-zero --report sonarqube=tlslint-sonarqube.json"} <= found
    assert len(found) > 15


@pytest.mark.parametrize(("page", "line"), documented())
def test_what_a_page_says_to_type_can_be_typed(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    group: Any = app()
    if not cli.asks_for(words):
        assert words[0].partition("=")[0] in cli.OWN_OPTIONS
        return
    name = cli.asks_for(words) or ""
    rest = words[1:] if words[:1] == [name] else words
    parse(group.commands[name], rest)


def parse(command: Any, words: list[str]) -> None:
    """Read a command's words without asking what the values mean; raises where an option is unknown or lacks one."""
    command.make_parser(command.context_class(command)).parse_args(args=list(words))


def test_an_unknown_option_is_noticed() -> None:
    group: Any = app()
    with pytest.raises(Exception, match="--no-such-option"):
        parse(group.commands["check"], ["nginx/", "--no-such-option"])
