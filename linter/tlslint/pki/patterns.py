"""Which host names a regular expression can match, as far as that can be told without guessing.

A server name such as `~^(www\\.)?shop\\.example\\.org$` stands for two names; `~^.+\\.example\\.org$` for everything
below a domain. A pattern is unfolded into words: sequences of characters and of marks for a part that may be anything.
The words stand for at least the names that the pattern matches, so what no word meets the pattern does not match.
"""

import re
from collections.abc import Callable, Iterable

from tlslint.record import dataclass
from tlslint.regex import regex

ANYTHING = "\0"
"""Any run of characters, dots included."""
LABEL_PART = "\1"
"""Any run of characters without a dot."""
_START = "\2"
_END = "\3"
_MARKS = frozenset((ANYTHING, LABEL_PART))

Word = tuple[str, ...]

_MAX_WORDS = 64
_MAX_WORD_LENGTH = 300
_MAX_DEPTH = 20
_MAX_SMALL_CLASS = 8

_GROUP = regex(r"\(\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'|[imsx]*:|>)")
_OPTIONS = regex(r"\(\?[imsx]+\)")
_REPEAT = regex(r"\{(\d+)(?:(,)(\d*))?\}")
_SIMPLE_CLASS = regex(r"\[(\^?)((?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]")


class _NotFollowedError(Exception):
    """The expression uses something that is not unfolded here, or means too many words."""


def words_of_regex(expression: str) -> tuple[Word, ...] | None:
    """Return the words of a PCRE as nginx searches with it (unanchored unless it says otherwise), or None.

    None means that the expression uses what cannot be unfolded: look-around, back references, too many alternatives. An
    unescaped single dot is taken for the dot that its author meant; names that differ there are not asked for.
    """
    try:
        reader = _Reader(expression)
        words = reader.alternatives(0)
        if reader.position != len(expression):
            return None
        anchored = {_anchored(word) for word in words}
    except _NotFollowedError:
        return None
    return tuple(sorted(word for word in anchored if word is not None))


def meets(word: Word, other: Word) -> bool:
    """Whether some name belongs to both words (a mark may stand for nothing)."""
    waiting, seen = [(0, 0)], {(0, 0)}

    def reach(i: int, j: int) -> None:
        if (i, j) not in seen:
            seen.add((i, j))
            waiting.append((i, j))

    while waiting:
        i, j = waiting.pop()
        if i == len(word) and j == len(other):
            return True
        left, right = word[i] if i < len(word) else "", other[j] if j < len(other) else ""
        if left in _MARKS:
            reach(i + 1, j)
            if right and right not in _MARKS and _allows(left, right):
                reach(i, j + 1)
        if right in _MARKS:
            reach(i, j + 1)
            if left and left not in _MARKS and _allows(right, left):
                reach(i + 1, j)
        if left and left == right and left not in _MARKS:
            reach(i + 1, j + 1)
    return False


def _allows(mark: str, character: str) -> bool:
    return mark == ANYTHING or character != "."


def _anchored(word: Word) -> Word | None:
    """Resolve the anchors of a word; None when it can match nothing, because an anchor stands in its middle."""
    starts = [index for index, part in enumerate(word) if part == _START]
    ends = [index for index, part in enumerate(word) if part == _END]
    first, last = (max(starts) if starts else -1), (min(ends) if ends else len(word))
    if any(part not in (_START, ANYTHING, LABEL_PART) for part in word[: first + 1]):
        return None
    if any(part not in (_END, ANYTHING, LABEL_PART) for part in word[last:]):
        return None
    inner = tuple(part for part in word[first + 1 : last] if part not in (_START, _END))
    return _merged((*(() if starts else (ANYTHING,)), *inner, *(() if ends else (ANYTHING,))))


def _merged(word: Iterable[str]) -> Word:
    """Join marks that stand side by side."""
    merged: list[str] = []
    for part in word:
        if part in _MARKS and merged and merged[-1] in _MARKS:
            merged[-1] = min(part, merged[-1])  # ANYTHING wins
        else:
            merged.append(part)
    if len(merged) > _MAX_WORD_LENGTH:
        raise _NotFollowedError
    return tuple(merged)


def _joined(lefts: Iterable[Word], rights: set[Word]) -> set[Word]:
    words = {_merged((*left, *right)) for left in lefts for right in rights}
    if len(words) > _MAX_WORDS:
        raise _NotFollowedError
    return words


@dataclass(slots=True)
class _Reader:
    """A recursive descent through the expression; each step returns the set of words that it may stand for."""

    text: str
    position: int = 0

    def alternatives(self, depth: int) -> set[Word]:
        if depth > _MAX_DEPTH:
            raise _NotFollowedError
        words = self._sequence(depth)
        while self._take("|"):
            words = words | self._sequence(depth)
            if len(words) > _MAX_WORDS:
                raise _NotFollowedError
        return words

    def _sequence(self, depth: int) -> set[Word]:
        words: set[Word] = {()}
        while self.position < len(self.text) and self.text[self.position] not in "|)":
            words = _joined(words, self._repeated(*self._atom(depth)))
        return words

    def _atom(self, depth: int) -> tuple[set[Word], bool]:
        """Return the words of one atom, and whether it is the bare dot."""
        character = self.text[self.position]
        if character == "(":
            return self._group(depth), False
        if character == "[":
            return self._class(), False
        self.position += 1
        if character == "\\":
            return self._escape(), False
        if character in "*+?":
            raise _NotFollowedError
        anchors = {"^": _START, "$": _END}
        return {(anchors.get(character, character.lower()),)}, character == "."

    def _group(self, depth: int) -> set[Word]:
        options = _OPTIONS.match(self.text, self.position)
        if options:
            self.position = options.end()
            return {()}
        opening = _GROUP.match(self.text, self.position)
        if not opening and self.text.startswith(("(?", "(*"), self.position):
            raise _NotFollowedError
        self.position = opening.end() if opening else self.position + 1
        words = self.alternatives(depth + 1)
        if not self._take(")"):
            raise _NotFollowedError
        return words

    def _class(self) -> set[Word]:
        match = _SIMPLE_CLASS.match(self.text, self.position)
        if not match or "[:" in match[2]:
            raise _NotFollowedError
        self.position = match.end()
        negated, body = match.groups()
        if re.search(r"\\[^.\-_wd]", body):
            return {(ANYTHING,)}
        plain = not negated and "\\w" not in body and "\\d" not in body
        if plain and "-" not in body.replace("\\", "")[1:-1] and len(body) <= _MAX_SMALL_CLASS:
            return {(character.lower(),) for character in body.replace("\\", "")}
        has_dot = "." in body or bool(re.search(r"[!-.]-[./-~]", body))
        return {(ANYTHING,)} if has_dot != bool(negated) else {(LABEL_PART,)}

    def _escape(self) -> set[Word]:
        character = self.text[self.position : self.position + 1]
        self.position += 1
        if character in ("A", "z", "Z"):
            return {(_START if character == "A" else _END,)}
        if character in ("d", "w"):
            return {(LABEL_PART,)}
        if character in ("D", "W", "S", "N"):
            return {(ANYTHING,)}
        if not character or character.isalnum():
            raise _NotFollowedError
        return {(character,)}

    def _repeated(self, words: set[Word], bare_dot: bool) -> set[Word]:
        quantifier = self._quantifier()
        if quantifier is None:
            return words
        self._take("?") or self._take("+")
        least, most = quantifier
        if bare_dot:
            words = {(ANYTHING,)}
        if most == 1:
            return words if least else {(), *words}
        has_dot = any(part in (ANYTHING, ".") for word in words for part in word)
        many: set[Word] = {(ANYTHING,)} if has_dot else {(LABEL_PART,)}
        if most is not None and most <= 3:
            return self._counted(words, least, most)
        return many

    def _counted(self, words: set[Word], least: int, most: int) -> set[Word]:
        power: set[Word] = {()}
        result: set[Word] = {()} if least == 0 else set()
        for count in range(1, most + 1):
            power = _joined(power, words)
            if count >= least:
                result |= power
        return result

    def _quantifier(self) -> tuple[int, int | None] | None:
        """Return the least and greatest number of repetitions (None: no limit), or None without a quantifier."""
        signs: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        sign = self.text[self.position : self.position + 1]
        if sign in signs:
            self.position += 1
            return signs[sign]
        match = _REPEAT.match(self.text, self.position)
        if not match:
            return None
        self.position = match.end()
        least = int(match[1])
        return least, least if not match[2] else int(match[3]) if match[3] else None

    def _take(self, character: str) -> bool:
        if not self.text.startswith(character, self.position):
            return False
        self.position += 1
        return True


def word_of_wildcard(name: str, normalise: Callable[[str], str | None]) -> Word:
    """Return the word of a name with `*` (any characters) and `?` (one character) in it, as httpd's aliases have."""
    if "*" not in name and "?" not in name:
        return tuple(normalise(name) or name)
    marks = {"*": ANYTHING, "?": LABEL_PART}
    return _merged(marks.get(character, character) for character in name.lower().removesuffix("."))
