"""Patterns and targets of redirects, which both servers write alike."""

from typing import Final

from tlslint.regex import regex

_EVERY_PATH: Final = regex(
    r"\^?(?:/\??)?(?:(?:\.\*|\((?:\?P?<\w+>)?\.\*\??\))\$?)?|\^?\((?:/\.\*|\.\+)\)\$?|\^?\.\+\$?"
)
"""Patterns that match whatever the path is, as people write them: `^`, `^/`, `^(.*)$`, `^/(.*)$`, `^(.+)$`."""


def takes_every_path(pattern: str) -> bool:
    """Whether a regular expression is one of the usual ones that match whatever the path is."""
    return _EVERY_PATH.fullmatch(pattern) is not None


def both(one: bool | None, other: bool | None) -> bool | None:
    """Whether two conditions hold together; None where that depends on the request."""
    if one is False or other is False:
        return False
    return True if one and other else None


def either(one: bool | None, other: bool | None) -> bool | None:
    """Whether one of two conditions holds; None where that depends on the request."""
    if one is True or other is True:
        return True
    return False if one is False and other is False else None


def negated(condition: bool | None) -> bool | None:
    """The opposite of a condition; None stays None."""
    return None if condition is None else not condition
