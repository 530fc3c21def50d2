"""XML that every parser reads: what XML cannot hold is escaped as it is on a terminal."""

from collections.abc import Iterable, Iterator

from tlslint.report.text import visible

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def element(name: str, attributes: dict[str, object], content: Iterable[str] = (), text: str = "") -> Iterator[str]:
    """Yield the lines of an element, those of its content indented; attributes that are None are left out."""
    written = "".join(f' {key}="{escaped(str(value))}"' for key, value in attributes.items() if value is not None)
    if text:
        yield f"<{name}{written}>{_text(text)}</{name}>\n"
        return
    lines = [f"  {line}" for line in content]
    if not lines:
        yield f"<{name}{written}/>\n"
        return
    yield f"<{name}{written}>\n"
    yield from lines
    yield f"</{name}>\n"


def _text(text: str) -> str:
    return "\n".join(map(escaped, text.split("\n")))


def escaped(text: str) -> str:
    """Return one line of text for an attribute or an element."""
    text = visible(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text
