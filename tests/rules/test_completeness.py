"""Every rule is documented, registered, numbered, kept apart from text, and has fixtures for each of its servers."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import tlslint.rules
from support.rule_fixtures import ENTRIES, RULE_FIXTURES, SERVERS, fixtures, has_resolver
from tlslint.check import RuleModule
from tlslint.finding import Rule
from tlslint.rules import RULES

FOLDER = Path(tlslint.rules.__file__).parent
HEADINGS = [
    "## What it finds",
    "## Why it matters",
    "## What clients see",
    "## How to fix it",
    "## False alarms that it avoids",
]
FAMILIES = {
    "configuration": 0,
    "protocols": 1,
    "ciphers": 2,
    "certificates": 3,
    "names": 4,
    "clients": 5,
    "sessions": 6,
    "revocation": 7,
    "http": 8,
    "upstream": 9,
}
FORBIDDEN = (
    "tlslint.parse", "tlslint.fix", "tlslint.report", "tlslint.run", "tlslint.cli", "tlslint.discover",
    "tlslint.settings", "tlslint.resolve", "tlslint.suppress", "tlslint.baseline", "os", "pathlib", "io", "subprocess",
    "socket", "glob", "shutil",
)  # fmt: skip
ALLOWED = {
    "tlslint.parse.tree": {"Argument", "Directive", "Source", "Span"},
    "tlslint.resolve.model": None,
}
"""What is allowed of the forbidden all the same: the model, and names of types."""


def module_path(module: RuleModule) -> Path:
    return Path(inspect.getfile(module))  # type: ignore[arg-type]


def is_rule(path: Path) -> bool:
    return bool(re.search(r"(?m)^rule = Rule\(", path.read_text(encoding="utf-8")))


def shared_modules() -> list[Path]:
    return [path for path in sorted(FOLDER.rglob("*.py")) if path.name != "__init__.py" and not is_rule(path)]


def test_every_rule_file_is_registered() -> None:
    assert sorted(map(module_path, RULES)) == [path for path in sorted(FOLDER.rglob("*.py")) if is_rule(path)]


@pytest.mark.parametrize("path", shared_modules(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_shared_modules_are_no_rules_and_look_at_the_model_only(path: Path) -> None:
    assert not re.search(r"(?m)^def check\(", path.read_text(encoding="utf-8")), "a check without its rule"
    assert_imports_are_allowed(path)


def test_contributors_are_told_of_every_shared_module() -> None:
    text = (FOLDER.parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [path.name for path in shared_modules() if f"`{path.name}`" not in text] == []


def test_codes_and_names_are_unique_and_in_order() -> None:
    codes = [module.rule.code for module in RULES]
    names = [module.rule.name for module in RULES]
    assert codes == sorted(set(codes))
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("module", RULES, ids=lambda module: module.rule.name)
class TestRule:
    def test_its_code_and_name_fit_its_file(self, module: RuleModule) -> None:
        path = module_path(module)
        assert re.fullmatch(r"TLS\d{3}", module.rule.code)
        assert int(module.rule.code[3]) == FAMILIES[path.parent.name]
        assert path.stem == module.rule.name.replace("-", "_")
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|[a-z]+", module.rule.name)

    def test_it_describes_itself(self, module: RuleModule) -> None:
        rule: Rule = module.rule
        assert rule.summary
        assert rule.why
        assert rule.sources
        assert rule.servers
        assert set(rule.servers) <= set(SERVERS)
        for line in (rule.summary, rule.why, rule.seen):
            assert "\n" not in line
            assert not line.endswith(".")

    def test_its_docstring_has_the_fixed_headings(self, module: RuleModule) -> None:
        text = import_module(module.__name__).__doc__ or ""  # type: ignore[attr-defined]
        first, _, rest = text.partition("\n")
        assert first.endswith(".")
        assert len(first) <= 120
        assert re.findall(r"(?m)^#.*$", text) == HEADINGS
        sections = re.split(r"(?m)^## .*$", rest)[1:]
        assert all(section.strip() for section in sections)

    def test_it_looks_at_the_model_only(self, module: RuleModule) -> None:
        assert_imports_are_allowed(module_path(module))

    def test_it_has_fixtures_for_each_server(self, module: RuleModule) -> None:
        shown = {(fixture.server, fixture.is_bad) for fixture in fixtures() if fixture.rule == module.rule.name}
        needed = {(server, bad) for server in module.rule.servers if has_resolver(server) for bad in (True, False)}
        assert needed <= shown


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """What stands below `if TYPE_CHECKING:`; a type of the model may be defined in any of the resolver's modules."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    guarded = [block for block in blocks if isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"]
    return {node for block in guarded for node in ast.walk(block)}


def assert_imports_are_allowed(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types = for_types_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            imported = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            imported = [(alias.name, "") for alias in node.names]
        else:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "__import__")
            continue
        for source, name in imported:
            if node in types and source.startswith("tlslint.resolve."):
                continue
            if source in ALLOWED:
                names = ALLOWED[source]
                assert names is None or name in names, f"{path.name} imports {name} from {source}"
                continue
            for forbidden in FORBIDDEN:
                assert source != forbidden, f"{path.name} imports {source}"
                assert not source.startswith(f"{forbidden}."), f"{path.name} imports {source}"


def test_every_fixture_is_named_after_a_rule() -> None:
    names = {module.rule.name for module in RULES}
    assert {folder.name for folder in RULE_FIXTURES.iterdir() if folder.is_dir()} <= names


def test_every_file_beside_a_fixture_belongs_to_one() -> None:
    for folder in RULE_FIXTURES.glob("*/*"):
        assert folder.name in SERVERS
        known = {fixture.name for fixture in fixtures() if fixture.beside("").parent == folder}
        for path in folder.iterdir():
            if path.name.startswith("fixed"):
                continue  # test_rule_fixes
            if path.is_dir() and path.name in known:
                assert (path / ENTRIES[folder.name]).is_file()
            elif path.suffix in (".conf", ".out", ".refused", ".down"):
                assert path.stem in known, f"{path} belongs to no fixture"
    for fixture in fixtures():
        assert fixture.beside(".out").exists() == fixture.is_bad
