"""Settings written as TOML: `tlslint settings` prints those in force, and where each was set."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tlslint.settings import _FIELDS, _KEYS, DEPLOYMENT, Settings, settings_lines


def in_force(settings: Settings) -> Iterator[str]:
    """Yield the lines of a settings file with every key: its value, and which line of which file sets it."""
    values, lines = ({}, {}) if settings.file is None else settings_lines(settings.file)
    yield f"# {'the defaults: there is no settings file' if settings.file is None else settings.file}\n"
    defaults = Settings()
    for key in _KEYS:
        if key == DEPLOYMENT:
            continue
        value = values.get(key, getattr(defaults, _FIELDS.get(key, key.replace("-", "_"))))
        origin = f"line {lines[key]}" if key in lines else "default"
        yield f"# {key} is not set\n" if value is None else f"{key} = {as_toml(value)}  # {origin}\n"
    for deployment in values.get(DEPLOYMENT, ()):
        yield f"\n[[{DEPLOYMENT}]]\n"
        for key, value in deployment.items():
            yield f"{key} = {as_toml(value)}\n"


def as_toml(value: Any) -> str:
    """Write a value of a setting on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{quoted(name)} = {as_toml(item)}" for name, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(as_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else quoted(value)


def quoted(text: str) -> str:
    """Write a string."""
    # TOML's basic strings are JSON's, but for the delete character
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
