"""Reads the usual command lines without a library: importing one takes longer than linting a file.

What is not certain is left to `full`, which knows how to complain: options that are not known, values that are missing,
wrong or look like an option, several short options in one word.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from tlslint.cli.options import Option


class _NotCertain(Exception):  # noqa: N818 - not an error
    """What is said here may mean something else than it seems to."""


def values(command: Callable[..., object], words: Sequence[str]) -> dict[str, Any] | None:
    """Return what the words behind a command's name give its parameters, or None where that is not certain."""
    try:
        return _Reader(command).read(words)
    except _NotCertain:
        return None


class _Reader:
    """Reads the words for one command, which has at most one argument."""

    def __init__(self, command: Callable[..., object]) -> None:
        self._options: dict[str, tuple[str, Any, Option]] = {}
        """Parameter, type and description by name of the option."""
        self._argument: tuple[str, Any] | None = None
        """Parameter and type."""
        for parameter, annotation in command.__annotations__.items():
            if parameter == "return":
                continue
            kind, item = get_args(annotation)
            if isinstance(item, Option):
                self._options.update(dict.fromkeys(filter(None, (item.name, item.short)), (parameter, kind, item)))
            else:
                self._argument = parameter, kind

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        arguments: list[str] = []
        left = iter(words)
        for word in left:
            if word == "--":
                arguments += left
            elif word == "-" or not word.startswith("-"):
                arguments.append(word)
            else:
                self._read_option(word, left, given)
        self._read_arguments(arguments, given)
        return given

    def _read_option(self, word: str, left: Iterator[str], given: dict[str, Any]) -> None:
        name, equals, text = word.partition("=")
        if name not in self._options or (equals and not name.startswith("--")):
            raise _NotCertain
        parameter, kind, option = self._options[name]
        if kind is bool:
            if equals:
                raise _NotCertain
            given[parameter] = True
            return
        if not equals:
            text = next(left, "-")
            if text.startswith("-"):
                raise _NotCertain
        if _repeatable(kind):
            given.setdefault(parameter, []).append(text)
        else:
            given[parameter] = _value(kind, text, option.minimum)

    def _read_arguments(self, arguments: list[str], given: dict[str, Any]) -> None:
        if self._argument is None:
            if arguments:
                raise _NotCertain
            return
        parameter, kind = self._argument
        if _repeatable(kind):
            given[parameter] = arguments
        elif len(arguments) == 1:
            given[parameter] = _value(kind, arguments[0])
        else:
            raise _NotCertain


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types of which the type is the union, or itself."""
    return (kind,) if isinstance(kind, type) or get_origin(kind) is Literal else get_args(kind)


def _repeatable(kind: Any) -> bool:
    return any(get_origin(alternative) is list for alternative in _alternatives(kind))


def _value(kind: Any, text: str, minimum: int | None = None) -> str | int:
    for alternative in _alternatives(kind):
        if alternative is str or (get_origin(alternative) is Literal and text in get_args(alternative)):
            return text
        if alternative is int and text.isascii() and text.isdecimal() and int(text) >= (minimum or 0):
            return int(text)
    raise _NotCertain
