"""The generated pages are what their generators would write now."""

from pathlib import Path

import docs_rules
import pytest

ROOT = Path(__file__).parents[1]

PAGES = docs_rules.pages()


@pytest.mark.parametrize("name", PAGES)
def test_rule_page_is_fresh(name: str) -> None:
    path = ROOT / "docs" / "rules" / name
    assert path.read_text(encoding="utf-8") == PAGES[name], "run tools/docs_rules.py"


def test_no_page_without_a_rule() -> None:
    assert {path.name for path in (ROOT / "docs" / "rules").glob("*.md")} == set(PAGES)
