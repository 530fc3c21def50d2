"""Policies: the list of those that come with tlslint, and one with its inheritance worked out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from typing import Any

from tlslint.policy import BundledPolicy, Policy
from tlslint.report.as_json import dumped
from tlslint.report.show import wrapped
from tlslint.report.text import Palette, visible

_HEAD = ("name", "version", "title")
_TAIL = ("sources", "notes", "citations", "oldest_clients")
LABEL = 30


def table(policies: Sequence[BundledPolicy], default: str, palette: Palette) -> Iterator[str]:
    """Yield a line for each policy; the newest of each name comes first and is what the name alone means."""
    width = max(len(f"{policy.name}@{policy.version}") for policy in policies)
    seen: set[str] = set()
    for policy in policies:
        newest = policy.name not in seen
        seen.add(policy.name)
        spelling = f"{f'{policy.name}@{policy.version}':<{width}}"
        note = "  (the default)" if newest and policy.name == default else ""
        yield f"{palette.paint(spelling, 'strong' if newest else 'faint')}  {policy.title}{note}\n"


def listing(policies: Sequence[BundledPolicy]) -> str:
    """Return the list as one JSON document."""
    return dumped(
        {"policies": [{"name": item.name, "version": item.version, "title": item.title} for item in policies]}
    )


def page(policy: Policy, palette: Palette, columns: int) -> Iterator[str]:
    """Yield what a policy asks for, each line with where that comes from."""
    yield f"{palette.paint(visible(policy.spelling), 'strong')}  {visible(policy.title)}\n\n"
    for field in fields(policy):
        value = getattr(policy, field.name)
        if value == getattr(policy, field.name.removeprefix("recommended_"), None) and "recommended" in field.name:
            continue
        if field.name not in (*_HEAD, *_TAIL) and value is not None and (value != field.default or value is True):
            yield from _row(field.name, _text(value), palette, columns)
            yield from _row(
                "", palette.paint(f"[{visible(policy.source_of(field.name))}]", "faint"), PLAIN_ROW, columns
            )
    if policy.oldest_clients:
        yield from _row("oldest_clients", ", ".join(policy.oldest_clients), palette, columns)
    for source in policy.sources:
        details = ", ".join(filter(None, (source.title, source.section, source.date, source.url)))
        yield from _row("source", details, palette, columns)
    for note in policy.notes:
        yield from _row("note", note, palette, columns)


PLAIN_ROW = Palette()


def _row(label: str, text: str, palette: Palette, columns: int) -> Iterator[str]:
    for index, line in enumerate(wrapped(text.split(" "), columns - LABEL - 2)):
        start = palette.paint(f"{label.replace('_', ' '):<{LABEL}}", "info") if index == 0 else " " * LABEL
        yield f"  {start}{line}\n"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return visible(" ".join(value)) or "none"
    return visible(str(value))


def as_json(policy: Policy) -> str:
    """Return the policy with its inheritance worked out as a policy file: it means the same, and extends nothing."""
    data: dict[str, Any] = {}
    for name, value in asdict(policy).items():
        if value is None or value == {} or (value == () and name in _TAIL):
            continue
        data[name] = value
    if "sources" in data:
        data["sources"] = [
            {key: item for key, item in source.items() if item is not None} for source in data["sources"]
        ]
    return dumped(data)
