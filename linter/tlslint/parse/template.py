"""Tell configuration that a template engine has yet to fill in from configuration that a server reads as it stands.

A server cannot read a template, and what it says is not about TLS: a template is to be named as such, not linted as
broken configuration. The names of the engines are for people. Comments are not looked at: a marker there changes
nothing in what the server would read, unless the file's name says that it is a template.
"""

from tlslint.parse.tree import Source
from tlslint.regex import regex

_AT_SIGNS = regex(r"@[A-Za-z]\w+@")
_ANY_SHELL_VARIABLE = regex(r"\$(?:\{|[A-Z][A-Z0-9_]+\b)")
SHELL_VARIABLE = regex(r"\$(?:\{[A-Z][A-Z0-9_]*\}|[A-Z][A-Z0-9_]+\b)")


def template_engine(source: Source) -> str | None:
    """The template engine that the file is written for, by name, or ``None`` if it is plain configuration."""
    if not _has_any_marker(source.text):
        return None
    # only here: its many patterns take long to compile, and nearly every file is plain
    from tlslint.parse.engines import engine_of

    return engine_of(source.text, source.path)


def _has_any_marker(text: str) -> bool:
    # nearly every file ends here; a sign that none of its text has is found out at once, hence the order
    return (
        "%" in text
        or "{{" in text
        or "__" in text
        or _ANY_SHELL_VARIABLE.search(text) is not None
        or ("@" in text and _AT_SIGNS.search(text) is not None)
    )
