"""Write docs/rules/: one page for each rule, from its docstring, and the table of all rules."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "linter"))

from tlslint.finding import Rule  # noqa: E402
from tlslint.report.rules import markdown_page  # noqa: E402
from tlslint.rules import RULES  # noqa: E402


def table() -> str:
    """Return the table of all rules in Markdown."""
    rows = "".join(
        f"| {module.rule.code} | [{module.rule.name}]({module.rule.name}.md) | {module.rule.severity.label} "
        f"| {_fix(module.rule)} | {' '.join(module.rule.servers)} | {module.rule.summary} |\n"
        for module in RULES
    )
    return (
        "# Rules\n\nGenerated from the rules themselves; `tlslint rule NAME` shows the same text. A `safe` fix is\n"
        "made with `--fix`, an `unsafe` one with `--fix --unsafe-fixes`; a `manual` one is only shown.\n\n"
        f"| code | name | severity | fix | servers | what it reports |\n|---|---|---|---|---|---|\n{rows}"
    )


def _fix(rule: Rule) -> str:
    return rule.fix.label if rule.fix is not None else ""


def pages() -> dict[str, str]:
    """Return the text of every file in docs/rules by name."""
    return {"README.md": table(), **{f"{module.rule.name}.md": markdown_page(module) for module in RULES}}


def main() -> None:
    """Write the pages, and remove those of rules that are gone."""
    folder = ROOT / "docs" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()


if __name__ == "__main__":
    main()
