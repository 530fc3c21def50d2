"""Rules as their own documentation: a table, the pages, and the catalogue as data (`tlslint-rules/1`)."""

from collections.abc import Iterator, Sequence
from inspect import getdoc
from typing import Any

from tlslint.check import RuleModule
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
    """Yield the documentation of one rule."""
    rule = module.rule
    level = rule.severity.label
    yield f"{palette.paint(f'{rule.code} {rule.name}', 'strong')} ({palette.paint(level, level)})\n\n"
    for line in documentation(module).splitlines():
        yield f"{palette.paint(line, 'frame') if line.startswith('## ') else line}\n"
    if rule.sources:
        yield f"\n{palette.paint('## Sources', 'frame')}\n"
        yield from (f"- {source}\n" for source in rule.sources)


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
        "sources": list(rule.sources),
        "documentation": documentation(module),
    }


def documentation(module: RuleModule) -> str:
    """Return the docstring of a rule's file, as Markdown."""
    return (getdoc(module) or "").strip()
