"""How nginx reads numbers, sizes and times, and what it refuses in them (ngx_parse.c, ngx_string.c)."""

from typing import Final

from tlslint.regex import regex

_NUMBER: Final = regex(r"[0-9]{1,18}")
_SIZE: Final = regex(r"([0-9]{1,18})([kKmM]?)")
_PARTS: Final = regex(r"([0-9]{1,18})(ms|[yMwdhms]?)( *)")
_ORDER: Final = ("y", "M", "w", "d", "h", "m", "s", "ms")
_LEAST_CACHE_BYTES: Final = 8 * 4096
"""Eight pages; machines with larger pages ask for more."""


def is_number(text: str) -> bool:
    """Whether it is a number without sign."""
    return _NUMBER.fullmatch(text) is not None


def is_size(text: str) -> bool:
    """Whether it is a number of bytes, with `k` or `m` or nothing."""
    return _SIZE.fullmatch(text) is not None


def size_of(text: str) -> int | None:
    """Return a size in bytes, or None where nginx refuses it."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[found[2].lower()]


def is_time(text: str, milliseconds: bool) -> bool:
    """Whether it is a time such as `5m`, `1h 30m` or `300`.

    Units come from the greatest to the smallest. Where milliseconds are counted there are no years and months, where
    seconds are, no `ms`. A number without a unit may end it after anything, or stand before a space.
    """
    step = _ORDER.index("M") if milliseconds else -1
    position = 0
    while position < len(text):
        found = _PARTS.match(text, position)
        if found is None:
            return False
        position = found.end()
        unit = found[2]
        if not unit and not found[3]:
            return position == len(text)
        if unit == "ms" and not milliseconds:
            return False
        if step >= _ORDER.index(unit or "s"):
            return False
        step = _ORDER.index(unit) if unit else len(_ORDER)
    return bool(text)


def session_cache_error(word: str) -> str:
    """What nginx says of one argument of `ssl_session_cache`; empty where it takes it."""
    if word in ("off", "none", "builtin"):
        return ""
    if word.startswith("builtin:") and is_number(word[8:]):
        return ""
    name, colon, size = word[7:].partition(":")
    if word.startswith("shared:") and name and colon:
        number = size_of(size)
        if number is not None:
            return "" if number >= _LEAST_CACHE_BYTES else f'session cache "{word}" is too small'
    return f'invalid session cache "{word}"'


__all__ = ["is_number", "is_size", "is_time", "session_cache_error", "size_of"]
