"""Rules as their own documentation: a table, the pages, and the catalogue as data (`tlslint-rules/1`)."""

from collections.abc import Iterator, Sequence
from inspect import getdoc
from typing import Any

from tlslint.check import RuleModule
from tlslint.finding import Rule
from tlslint.intention import Safety
from tlslint.report.as_json import dumped
from tlslint.report.text import Palette

SCHEMA = "tlslint-rules/1"


def table(rules: Sequence[RuleModule], palette: Palette) -> Iterator[str]:
    """Yield a line for each rule."""
    width = max(len(module.rule.name) for module in rules)
    for module in rules:
        rule = module.rule
        level = palette.paint(f"{rule.severity.label:<7}", rule.severity.label)
        yield f"{rule.code}  {palette.paint(f'{rule.name:<{width}}', 'strong')}  {level}  {rule.summary}\n"


def page(module: RuleModule, palette: Palette) -> Iterator[str]:
    """Yield the documentation of one rule: the text of its page, its headings in colour."""
    for line in markdown_page(module).splitlines(keepends=True):
        role = "strong" if line.startswith("# ") else "frame" if line.startswith("## ") else ""
        yield f"{palette.paint(line.rstrip(), role)}\n" if role else line


def markdown_page(module: RuleModule) -> str:
    """Return a rule's page (`docs/rules/NAME.md`)."""
    rule = module.rule
    summary, _, text = documentation(module).partition("\n")
    sources = "".join(f"- {source}\n" for source in rule.sources)
    tail = f"\n## Sources\n\n{sources}" if sources else ""
    return f"# {rule.name}\n\n{facts(rule)}\n\n{summary}\n{text.rstrip()}\n{tail}"


def facts(rule: Rule) -> str:
    """Return the line below a page's heading: ``TLS101` · error · nginx and Apache · since 0.1`."""
    servers = " and ".join({"nginx": "nginx", "apache": "Apache"}[server] for server in rule.servers)
    items = [f"`{rule.code}`", rule.severity.label, servers, f"since {rule.since}"]
    if not rule.suppressible:
        items.append("cannot be switched off")
    if rule.fix is not None:
        items.append({Safety.SAFE: "fixable", Safety.UNSAFE: "fixable (unsafe)", Safety.MANUAL: "fix shown"}[rule.fix])
    return " · ".join(items)


def as_json(rules: Sequence[RuleModule]) -> str:
    """Return rules with their documentation as one JSON document."""
    return dumped({"schema": SCHEMA, "rules": [_data(module) for module in rules]})


def _data(module: RuleModule) -> dict[str, Any]:
    rule = module.rule
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.label,
        "summary": rule.summary,
        "why": rule.why or None,
        "seen": rule.seen or None,
        "servers": list(rule.servers),
        "since": rule.since,
        "suppressible": rule.suppressible,
        "fix": rule.fix.label if rule.fix else None,
        "sources": list(rule.sources),
        "documentation": documentation(module),
    }


def documentation(module: RuleModule) -> str:
    """Return the docstring of a rule's file, as Markdown."""
    return (getdoc(module) or "").strip()
