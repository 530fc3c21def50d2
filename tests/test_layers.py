"""Who may know whom: each stage of the pipeline imports only those that stand before it, and slow libraries late."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tlslint

PACKAGE = Path(tlslint.__file__).parent
EVERYBODYS = {"facts", "record", "regex"}
WORDS = {"target", "finding", "intention", "parse.tree", "resolve.model"}
KNOWLEDGE = {"target", "tls", "pki"}
DISCOVERY = {"settings", "resolve.include", "resolve.apache_include"}
MAY_IMPORT = {
    "facts": set[str](),
    "record": set[str](),
    "regex": set[str](),
    "target": set(),
    "toml_places": set[str](),
    "settings": {"toml_places"},
    "policy": set(),
    "intention": set(),
    "finding": {"intention", "parse.tree"},
    "parse": {"parse"},
    "tls": {"target", "tls"},
    "pki": {"quiet", "pki"},
    "quiet": set(),
    "handover": set(),
    "workers": {"handover"},
    "sniff": {"parse"},
    "discover": {"workers", *DISCOVERY, "globs", "changed", "sniff", "parse"},
    "resolve": {"workers", *KNOWLEDGE, "intention", "parse", "resolve"},
    "check": {"finding", "intention", "policy", "resolve.model"},
    "asked": {"settings", "finding", "policy", "target", "pki", "resolve.certificates", "resolve.model"},
    "collector": set(),
    "fixing": {"finding", "fix.engine", "intention", "rules", "run", "selection", "settings"},
    "judging": {"workers", *WORDS, "check", "policy", "fix.spelling"},
    "gaps": {"finding", "resolve.model"},
    "globs": set[str](),
    "changed": {"finding", "settings", "parse.tree", "resolve.include", "resolve.model"},
    "deployments": {"settings", "finding", "changed", "resolve.checkout"},
    "selection": {"finding", "intention", "settings", "globs"},
    "writing": set[str](),
    "progress": {"report.text"},
    "completion": {"rules", "policy", "target", "report.formats"},
    "settings_text": {"settings"},
    "initial": {*DISCOVERY, "settings_text", "baseline", "target", "discover", "parse.tree"},
    "fingerprint": {"finding", "sniff", "parse"},
    "accept": {"baseline", "gaps", "finding", "fingerprint", "parse.tree", "selection", "settings", "suppress"},
    "since": {"finding", "parse.tree", "resolve.checkout", "settings"},
    "annotate": {"finding", "fix", "parse", "selection", "settings", "suppress"},
    "baseline": {"check", "finding", "fingerprint", "selection", "settings", "writing"},
    "suppress": {*WORDS, "check", "fix.managed", "intention", "rules", "selection"},
    "rules": {*WORDS, *KNOWLEDGE, "check", "policy", "rules"},
    "fix": {*WORDS, *KNOWLEDGE, "parse", "resolve", "settings", "fix"},
    "inventory": {*WORDS, *KNOWLEDGE, "policy", "resolve.include"},
    "report": {*WORDS, *KNOWLEDGE, "check", "policy", "inventory", "fingerprint", "report", "__version__"},
}
"""The parts of the package, and which others each may import beside those for all; `run` and `cli` join them."""
TYPERS = ("typer", "click", "rich")
LATE = ("cryptography", "jsonschema", "importlib.metadata", "tomllib")
"""Slow to import, and most runs need none of them: only inside functions."""


def part_of(path: Path) -> str:
    """The folder of the package, or the module itself where it lies in none."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(node: ast.AST, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the dotted names that are imported, and whether within a function; types are everybody's."""
    for child in ast.iter_child_nodes(node):
        if is_for_types(child):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((f"{child.module}.{alias.name}", inside) for alias in child.names)
        else:
            yield from imports(child, inside or isinstance(child, ast.FunctionDef))


MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imported_by(path: Path) -> list[tuple[str, bool]]:
    return list(imports(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> tuple[str, list[tuple[str, bool]]]:
    path = MODULES[request.param]
    return part_of(path), imported_by(path)


def test_a_part_imports_only_what_stands_before_it(module: tuple[str, list[tuple[str, bool]]]) -> None:
    part, found = module
    if part in ("__init__", "__main__", "cli", "run"):
        return
    allowed = MAY_IMPORT[part] | EVERYBODYS
    for name, _ in found:
        own = name.removeprefix("tlslint.")
        if own != name:
            assert any(own == other or own.startswith(f"{other}.") for other in allowed), f"{part} imports {own}"


def test_only_one_module_of_the_command_line_knows_typer() -> None:
    knowing = {
        name for name, path in MODULES.items() for found, _ in imported_by(path) if found.split(".")[0] in TYPERS
    }
    assert knowing == {"cli/full.py"}


def test_slow_libraries_are_imported_where_they_are_needed(module: tuple[str, list[tuple[str, bool]]]) -> None:
    _, found = module
    at_start = [name for name, inside in found if not inside]
    assert not [name for name in at_start if name.startswith(LATE)]


def test_dataclasses_are_made_quickly(module: tuple[str, list[tuple[str, bool]]]) -> None:
    part, found = module
    slow = {f"dataclasses{name}" for name in ("", ".dataclass", ".field", ".replace")}
    assert part == "record" or not slow & {name for name, _ in found}


def test_rules_share_modules_and_not_each_other() -> None:
    rules = [path for path in MODULES.values() if path.parent.parent == PACKAGE / "rules" and path.stem != "__init__"]
    assert rules
    for path in rules:
        for name, _ in imported_by(path):
            if name.startswith("tlslint.rules."):
                assert (PACKAGE / "rules" / f"{name.split('.')[2]}.py").is_file(), f"{path.name} imports {name}"
