"""The generated pages are what their generators would write now."""

import re
from pathlib import Path

import docs_reference
import docs_rules
import pytest

from tlslint.cli import run
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
