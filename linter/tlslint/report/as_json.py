"""JSON that every parser reads: ASCII only, and without the halves of characters that stand for bytes outside UTF-8."""

import json
from typing import Any


def dumped(document: dict[str, Any]) -> str:
    """Return a document as indented JSON with a final newline."""
    return _dumped(document, indent=2)


def dumped_line(document: dict[str, Any]) -> str:
    """Return a document as JSON on one line with a final newline."""
    return _dumped(document, indent=None)


def _dumped(document: dict[str, Any], indent: int | None) -> str:
    text = json.dumps(document, indent=indent)
    if "\\ud" in text:
        text = json.dumps(valid(document), indent=indent)
    return text + "\n"


def valid(value: Any) -> Any:
    """Return a value in whose texts each half of a character is the replacement character."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {valid(key): valid(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [valid(item) for item in value]
    return value
