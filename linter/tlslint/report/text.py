"""Text for terminals: nothing from a file reaches the screen raw, and columns are counted as they are shown."""

from collections.abc import Iterator, Sequence

from tlslint.record import dataclass

TAB_WIDTH = 4
_SAFE_FORMATS = frozenset("\u200d\ufe0f")


@dataclass(frozen=True, slots=True)
class Palette:
    """Escape sequences for the roles that text has in a report; all empty without colour."""

    error: str = ""
    warning: str = ""
    info: str = ""
    frame: str = ""
    strong: str = ""
    faint: str = ""
    good: str = ""
    end: str = ""

    def paint(self, text: str, role: str) -> str:
        """Return the text in the colour of a role (a field of this class)."""
        start: str = getattr(self, role)
        return f"{start}{text}{self.end}" if start and text else text


PLAIN = Palette()
COLOURED = Palette(
    error="\x1b[1;31m",
    warning="\x1b[1;33m",
    info="\x1b[1;36m",
    frame="\x1b[1;34m",
    strong="\x1b[1m",
    faint="\x1b[2m",
    good="\x1b[32m",
    end="\x1b[0m",
)


def is_plain(text: str) -> bool:
    """Whether a text is shown as it is, each character in one column."""
    return text.isascii() and text.isprintable()


def visible(text: str) -> str:
    """Return the text with everything escaped that a terminal would obey or hide: `\\x1b`, `\\u202e`, `\\xff`."""
    if is_plain(text):
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == " " or char.isprintable() or char in _SAFE_FORMATS:
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        # a byte that is not UTF-8
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cells(text: str) -> Iterator[tuple[str, int]]:
    """Yield what each character of a line is shown as, and how many columns that takes."""
    if is_plain(text):
        yield from ((char, 1) for char in text)
        return
    column = 0
    for char in text:
        shown = " " * (TAB_WIDTH - column % TAB_WIDTH) if char == "\t" else _shown(char)
        width = _width(char) if shown == char else len(shown)
        column += width
        yield shown, width


def width(text: str) -> int:
    """Return how many columns a text takes that is shown as it is."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if char.isascii():
        return 1
    # only here, because most configurations are ASCII
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 file`, `2 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def few(items: Sequence[str], most: int, noun: str) -> str:
    """Name the first few and count the rest: `a, b and 3 more names`; one item more than `most` is named as well."""
    if len(items) > most + 1:
        return f"{', '.join(items[:most])} and {counted(len(items) - most, f'more {noun}')}"
    return ", ".join(items)
