"""Keep the generated tables of docs/policies.md in step with the policies and their schema.

``python tools/docs_policies.py`` rewrites what stands between the markers ``<!-- generated: NAME -->`` and
``<!-- end -->``; everything else in the page is written by hand.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "policies.md"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def render(page: str) -> str:
    """Return the page with its generated parts made anew.

    Raises:
        KeyError: the page names a part that does not exist.
    """
    parts = {"policies": _policies_table, "comparison": _comparison_table, "fields": _fields_table}
    return _BLOCK.sub(lambda block: f"{block[1]}{parts[block[2]]()}{block[3]}", page)


def _policies_table() -> str:
    from tlslint.policy import bundled_policies, load_policy

    versions: dict[str, list[str]] = {}
    for bundled in bundled_policies():
        versions.setdefault(bundled.name, []).append(bundled.version)
    rows = []
    for name, known in versions.items():
        sources = "; ".join(
            f"[{source.title}]({source.url})" + (f", {source.section}" if source.section else "")
            for source in load_policy(name).sources
        )
        rows.append((f"`{name}`", ", ".join(known), sources))
    return _table(("name", "versions, newest first", "follows"), rows)


def _comparison_table() -> str:
    from tlslint.policy import bundled_policies, load_policy

    names = list(dict.fromkeys(bundled.name for bundled in bundled_policies()))
    policies = [load_policy(name) for name in names]
    fields = [
        name
        for name in _schema_fields()
        if name not in ("oldest_clients",) and any(getattr(policy, name) for policy in policies)
    ]
    rows = [(f"`{name}`", *(_cell(getattr(policy, name)) for policy in policies)) for name in fields]
    return _table(("field", *(f"`{policy.spelling}`" for policy in policies)), rows)


def _fields_table() -> str:
    from tlslint.policy import schema

    properties = schema()["properties"]
    rows = [(f"`{name}`", _kind(definition), definition["description"]) for name, definition in properties.items()]
    return _table(("field", "value", "meaning"), rows)


def _schema_fields() -> list[str]:
    from tlslint.policy import schema

    names: list[str] = schema()["$defs"]["field"]["enum"]
    return names


def _kind(definition: dict[str, Any]) -> str:
    types = definition.get("type", "string")
    kinds = [types] if isinstance(types, str) else types
    words = {"array": "list", "integer": "number", "string": "text"}
    if "add" in definition.get("properties", {}):
        kinds = [kind for kind in kinds if kind != "object"]
        words["array"] = "list or edit"
    return ", ".join(words.get(kind, kind) for kind in kinds)


def _cell(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case tuple() if len(value) > 6:
            return f"{len(value)} names"
        case tuple():
            return ", ".join(value) or "none"
        case _:
            return str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> int:
    """Rewrite the page."""
    sys.path.insert(0, str(ROOT / "linter"))
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
