"""The regular expressions of `server_name ~…`: PCRE as far as it can be predicted, matched in bounded time.

A pattern is parsed by PCRE's grammar into a small tree. From the tree comes either an expression for Python's `re`,
where that has the same meaning and cannot take long, or a set of states that are followed all at once. Whatever has
neither (recursion, callouts, Unicode properties …) raises `Unpredictable`; nothing is guessed.

Facts: the manual pages pcre2pattern and pcre2syntax. nginx matches bytes, without PCRE's UTF mode, against the
lower-cased name, and ignores case where the pattern has an upper-case letter (ngx_http_core_server_name).
"""

import math
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice, product
from typing import Final

from tlslint.record import dataclass
from tlslint.regex import regex

MAX_NAME: Final = 255
"""Length of the longest name that a client asks for (RFC 1035, section 2.3.4)."""
_FEW_STEPS: Final = MAX_NAME**2
_MANY_STEPS: Final = MAX_NAME**3
"""A pattern that could backtrack more often is never given to `re`; between the two, only if nothing else can do it."""
_MAX_STATES: Final = 20_000
_MAX_SAMPLES: Final = 200


class RegexError(ValueError):
    """A pattern that PCRE refuses to compile; the message is PCRE2's."""


class Unpredictable(ValueError):  # noqa: N818 - not an error of the pattern
    """A pattern whose matches cannot be foretold here; the message says because of what."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One byte out of a set."""

    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Assert:
    """A condition on a position, in `re`'s spelling: `^`, `$`, `\\b`, `\\B`, `\\A`, `\\Z`."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Reference:
    group: int


@dataclass(frozen=True, slots=True)
class _Look:
    """A look ahead (`=`, `!`) or behind (`<=`, `<!`)."""

    kind: str
    body: "_Node"


@dataclass(frozen=True, slots=True)
class _Group:
    """A capturing group (`number`) or an atomic one (None)."""

    number: int | None
    body: "_Node"


@dataclass(frozen=True, slots=True)
class _Repeat:
    body: "_Node"
    least: int
    most: int | None
    suffix: str
    """`?` lazy, `+` possessive, or empty."""


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Choice:
    options: "tuple[_Node, ...]"


_Node = _Set | _Assert | _Reference | _Look | _Group | _Repeat | _Sequence | _Choice

_ALL: Final = frozenset(range(256))
_DIGIT: Final = frozenset(b"0123456789")
_LOWER: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz")
_UPPER: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD: Final = _DIGIT | _LOWER | _UPPER | frozenset(b"_")
_SPACE: Final = frozenset(b"\t\n\v\f\r ")
_HORIZONTAL: Final = frozenset(b"\t \xa0")
_VERTICAL: Final = frozenset(b"\n\v\f\r\x85")
_PRINT: Final = frozenset(range(0x20, 0x7F))
_CLASSES: Final = {
    "d": _DIGIT, "D": _ALL - _DIGIT, "w": _WORD, "W": _ALL - _WORD, "s": _SPACE, "S": _ALL - _SPACE,
    "h": _HORIZONTAL, "H": _ALL - _HORIZONTAL, "v": _VERTICAL, "V": _ALL - _VERTICAL, "N": _ALL - {10},
}  # fmt: skip
_POSIX: Final = {
    "alpha": _LOWER | _UPPER, "lower": _LOWER, "upper": _UPPER, "alnum": _LOWER | _UPPER | _DIGIT,
    "ascii": frozenset(range(128)), "blank": frozenset(b" \t"), "cntrl": frozenset(range(32)) | {127},
    "digit": _DIGIT, "graph": _PRINT - {32}, "print": _PRINT, "space": _SPACE, "word": _WORD,
    "punct": _PRINT - _LOWER - _UPPER - _DIGIT - {32}, "xdigit": frozenset(b"0123456789abcdefABCDEF"),
}  # fmt: skip
_CONTROLS: Final = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_ASSERTIONS: Final = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\Z", "Z": "$"}
_QUANTIFIER: Final = regex(r"\{([0-9]{1,5})(?:(,)([0-9]{1,5})?)?\}")
_UNCERTAIN_BRACE: Final = regex(r"\{ *(?:[0-9]+ *(?:, *[0-9]*)? *|, *[0-9]+ *)\}")
_GROUP_NAME: Final = regex(r"[A-Za-z_][A-Za-z0-9_]{0,31}")


class _Parser:
    """Recursive descent over the pattern, one character for each byte."""

    def __init__(self, pattern: str, caseless: bool) -> None:
        self.text = pattern.encode("utf-8", "surrogateescape").decode("latin-1")
        self.at = 0
        self.caseless = caseless
        self.dot_all = False
        self.names: dict[str, int] = {}
        self.groups = 0
        self.references: list[int | str] = []

    def parse(self) -> _Node:
        self._leading_options()
        node = self._choice(0)
        if self.at < len(self.text):
            raise RegexError("unmatched closing parenthesis")
        if any(isinstance(target, int) and target > self.groups for target in self.references):
            raise RegexError("reference to non-existent subpattern")
        return node

    def _leading_options(self) -> None:
        found = re.match(r"\(\?([is]+)\)", self.text)
        if found:
            self.at = found.end()
            self.caseless |= "i" in found[1]
            self.dot_all |= "s" in found[1]

    def _take(self, text: str) -> bool:
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _choice(self, depth: int) -> _Node:
        if depth > 100:
            raise Unpredictable("groups nested too deeply")
        options = [self._sequence(depth)]
        while self._take("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else _Choice(tuple(options))

    def _sequence(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            atom = self._atom(depth)
            if atom is not None:
                parts.append(self._quantified(atom))
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _quantified(self, atom: _Node) -> _Node:
        while True:
            bounds = self._quantifier()
            if bounds is None:
                return atom
            if isinstance(atom, _Assert | _Look):
                raise Unpredictable("a quantified assertion")
            suffix = next((mark for mark in "?+" if self._take(mark)), "")
            atom = _Repeat(atom, *bounds, suffix)

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        found = _QUANTIFIER.match(self.text, self.at)
        if found is None:
            if _UNCERTAIN_BRACE.match(self.text, self.at):
                raise Unpredictable("a quantifier that PCRE versions read differently")
            return None
        self.at = found.end()
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if max(least, most or 0) > 65535:
            raise RegexError("number too big in {} quantifier")
        if most is not None and most < least:
            raise RegexError("numbers out of order in {} quantifier")
        return least, most

    def _atom(self, depth: int) -> _Node | None:
        character = self.text[self.at]
        if character in "*+?" or _QUANTIFIER.match(self.text, self.at):
            raise RegexError("quantifier does not follow a repeatable item")
        self.at += 1
        match character:
            case "(":
                return self._group(depth)
            case "[":
                return self._class()
            case ".":
                return _Set(_ALL if self.dot_all else _ALL - {10})
            case "^" | "$":
                return _Assert(character)
            case "\\":
                return self._escape()
        if character == "{" and _UNCERTAIN_BRACE.match(self.text, self.at - 1):
            raise Unpredictable("a quantifier that PCRE versions read differently")
        return self._literal(ord(character))

    def _literal(self, byte: int) -> _Set:
        return _Set(self._folded(frozenset({byte})))

    def _folded(self, members: frozenset[int]) -> frozenset[int]:
        if not self.caseless:
            return members
        return members | {byte ^ 0x20 for byte in members & (_LOWER | _UPPER)}

    def _group(self, depth: int) -> _Node | None:
        if self._take("*"):
            raise Unpredictable("a backtracking verb")
        if not self._take("?"):
            return self._capturing(depth)
        if self._take("#"):
            end = self.text.find(")", self.at)
            if end < 0:
                raise RegexError("missing ) after (?# comment")
            self.at = end + 1
            return None
        if self._take(":"):
            return self._closed(self._choice(depth + 1))
        if self._take(">"):
            return _Group(None, self._closed(self._choice(depth + 1)))
        for kind in ("=", "!", "<=", "<!"):
            if self._take(kind):
                return self._look(kind, depth)
        for opening, closing in (("P<", ">"), ("<", ">"), ("'", "'")):
            if self._take(opening):
                return self._named(depth, closing)
        if self._take("i:"):
            return self._caseless(depth)
        raise Unpredictable(f"the group (?{self.text[self.at : self.at + 1]}")

    def _look(self, kind: str, depth: int) -> _Node:
        body = self._closed(self._choice(depth + 1))
        options = body.options if isinstance(body, _Choice) else (body,)
        if kind.startswith("<") and None in map(_width, options):
            raise Unpredictable("a look behind of varying length")
        return _Look(kind, body)

    def _caseless(self, depth: int) -> _Node:
        before, self.caseless = self.caseless, True
        body = self._closed(self._choice(depth + 1))
        self.caseless = before
        return body

    def _named(self, depth: int, closing: str) -> _Node:
        found = _GROUP_NAME.match(self.text, self.at)
        if found is None or not self.text.startswith(closing, found.end()):
            raise Unpredictable("a group name that PCRE may refuse")
        if found[0] in self.names:
            raise RegexError("two named subpatterns have the same name (PCRE2_DUPNAMES not set)")
        self.at = found.end() + 1
        self.names[found[0]] = self.groups + 1
        return self._capturing(depth)

    def _capturing(self, depth: int) -> _Node:
        self.groups += 1
        number = self.groups
        return _Group(number, self._closed(self._choice(depth + 1)))

    def _closed(self, body: _Node) -> _Node:
        if not self._take(")"):
            raise RegexError("missing closing parenthesis")
        return body

    def _escape(self) -> _Node | None:
        if self.at >= len(self.text):
            raise RegexError("\\ at end of pattern")
        character = self.text[self.at]
        if character in "Q":
            raise Unpredictable("a quoted stretch")
        if character in _ASSERTIONS:
            self.at += 1
            return _Assert(_ASSERTIONS[character])
        if character in _CLASSES:
            self.at += 1
            return _Set(_CLASSES[character])
        if character in "123456789":
            return self._numbered_reference()
        if character == "k":
            return self._named_reference()
        return self._literal(self._escaped_byte())

    def _escaped_byte(self) -> int:
        """The byte that an escape stands for; the backslash is read already."""
        if self.at >= len(self.text):
            raise RegexError("\\ at end of pattern")
        character = self.text[self.at]
        self.at += 1
        if character == "x":
            found = re.compile(r"[0-9A-Fa-f]{0,2}(?!\{)").match(self.text, self.at)
            if found is None or not found[0]:
                raise Unpredictable("the escape \\x")
            self.at = found.end()
            return int(found[0], 16)
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isalnum() or ord(character) > 127:
            raise Unpredictable(f"the escape \\{character}")
        return ord(character)

    def _numbered_reference(self) -> _Node:
        found = re.compile("[0-9]+").match(self.text, self.at)
        assert found is not None
        number = int(found[0])
        if number > 9:
            raise Unpredictable("an escape that may be a reference or an octal number")
        self.at = found.end()
        self.references.append(number)
        return _Reference(number)

    def _named_reference(self) -> _Node:
        found = re.compile(r"k(?:<(\w+)>|'(\w+)'|\{(\w+)\})", re.ASCII).match(self.text, self.at)
        name = next(filter(None, found.groups()), None) if found else None
        if found is None or name not in self.names:
            raise Unpredictable("a reference to a group that is not known yet")
        self.at = found.end()
        return _Reference(self.names[name])

    def _class(self) -> _Node:
        negated = self._take("^")
        members: set[int] = set()
        first = True
        while first or not self._take("]"):
            if self.at >= len(self.text):
                raise RegexError("missing terminating ] for character class")
            low = self._class_item()
            first = False
            if isinstance(low, frozenset):
                members |= low
            else:
                members |= self._class_range(low)
        chosen = self._folded(frozenset(members))
        return _Set(_ALL - chosen if negated else chosen)

    def _class_range(self, low: int) -> frozenset[int]:
        if not self.text.startswith("-", self.at) or self.text.startswith("-]", self.at):
            return frozenset({low})
        self.at += 1
        if self.at >= len(self.text):
            raise RegexError("missing terminating ] for character class")
        high = self._class_item()
        if isinstance(high, frozenset):
            raise Unpredictable("a hyphen beside a class, which PCRE libraries read differently")
        if high < low:
            raise RegexError("range out of order in character class")
        return frozenset(range(low, high + 1))

    def _class_item(self) -> int | frozenset[int]:
        found = re.compile(r"\[:(\^?)([a-z]+):\]").match(self.text, self.at)
        if found:
            if found[2] not in _POSIX:
                raise RegexError("unknown POSIX class name")
            self.at = found.end()
            return _ALL - _POSIX[found[2]] if found[1] else _POSIX[found[2]]
        if re.compile(r"\[[.=:]").match(self.text, self.at):
            raise Unpredictable("a collating element")
        character = self.text[self.at]
        self.at += 1
        if character != "\\":
            return ord(character)
        if self.at < len(self.text):
            escaped = self.text[self.at]
            if escaped == "b":
                self.at += 1
                return 8
            if escaped in _CLASSES and escaped != "N":
                self.at += 1
                if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                    raise Unpredictable("a hyphen beside a class, which PCRE libraries read differently")
                return _CLASSES[escaped]
        return self._escaped_byte()


# what follows from the tree


def _cost(node: _Node) -> float:
    """How many ways there are to match, at most, on a name of full length."""
    match node:
        case _Set() | _Assert() | _Reference():
            return 1
        case _Look(_, body) | _Group(_, body):
            return _cost(body)
        case _Sequence(parts):
            return _capped_product(map(_cost, parts))
        case _Choice(options):
            return sum(map(_cost, options))
        case _Repeat(body, least, most, _):
            most = MAX_NAME if most is None else min(most, MAX_NAME)
            repeated = math.exp(min(most * math.log(max(1.0, _cost(body))), 40))
            return repeated * (1 + max(0, most - least))


def _capped_product(factors: Iterator[float]) -> float:
    whole = 1.0
    for factor in factors:
        whole = min(whole * factor, 1e18)
    return whole


def _width(node: _Node) -> int | None:
    """How many bytes the node matches, if that is always the same number."""
    match node:
        case _Set():
            return 1
        case _Assert() | _Look():
            return 0
        case _Group(_, body):
            return _width(body)
        case _Sequence(parts):
            widths = [_width(part) for part in parts]
            known = [width for width in widths if width is not None]
            return sum(known) if len(known) == len(widths) else None
        case _Choice(options):
            found = {_width(option) for option in options}
            return found.pop() if len(found) == 1 else None
        case _Repeat(body, least, most, _):
            width = _width(body)
            return width * least if width is not None and least == most else None
    return None


def _is_anchored(node: _Node) -> bool:
    match node:
        case _Assert(kind):
            return kind in ("^", r"\A")
        case _Sequence(parts):
            return bool(parts) and _is_anchored(parts[0])
        case _Group(_, body):
            return _is_anchored(body)
        case _Choice(options):
            return all(map(_is_anchored, options))
    return False


def _spell(node: _Node) -> str:
    """The node as an expression for `re` over Latin-1 text."""
    match node:
        case _Set(members):
            return _spell_set(members)
        case _Assert(kind):
            return kind
        case _Reference(group):
            return f"(?:\\{group})"
        case _Look(kind, body):
            return f"(?{kind}{_spell(body)})"
        case _Group(number, body):
            return f"({'?>' if number is None else ''}{_spell(body)})"
        case _Sequence(parts):
            return "".join(f"(?:{_spell(part)})" if isinstance(part, _Choice) else _spell(part) for part in parts)
        case _Choice(options):
            return "|".join(map(_spell, options))
        case _Repeat(body, least, most, suffix):
            return f"(?:{_spell(body)}){{{least},{'' if most is None else most}}}{suffix}"


def _spell_set(members: frozenset[int]) -> str:
    if not members:
        return r"(?!)"
    return "[" + "".join(f"\\x{byte:02x}" for byte in sorted(members)) + "]"


@dataclass(slots=True)
class _States:
    """A nondeterministic automaton: for each state what it consumes, or where it goes without consuming."""

    consumes: list[frozenset[int] | None]
    follow: list[tuple[int, ...]]
    condition: "list[str | _LookCondition]"

    def add(
        self, consumes: frozenset[int] | None, follow: tuple[int, ...], condition: "str | _LookCondition" = ""
    ) -> int:
        if len(self.consumes) >= _MAX_STATES:
            raise Unpredictable("a pattern that is too large")
        self.consumes.append(consumes)
        self.follow.append(follow)
        self.condition.append(condition)
        return len(self.consumes) - 1


def _build(states: _States, node: _Node, then: int) -> int:
    """Add the states of the node, which go on to `then`; return the first."""
    match node:
        case _Set(members):
            return states.add(members, (then,))
        case _Assert(kind):
            return states.add(None, (then,), kind)
        case _Look(kind, body):
            return states.add(None, (then,), _LookCondition(kind, _Automaton(body)))
        case _Group(number, body) if number is not None:
            return _build(states, body, then)
        case _Sequence(parts):
            for part in reversed(parts):
                then = _build(states, part, then)
            return then
        case _Choice(options):
            return states.add(None, tuple(_build(states, option, then) for option in options))
        case _Repeat(body, least, most, suffix) if suffix != "+":
            return _build_repeat(states, body, least, most, then)
    raise Unpredictable("a pattern that could take too long to match")


def _build_repeat(states: _States, body: _Node, least: int, most: int | None, then: int) -> int:
    if most is None:
        loop = states.add(None, ())
        states.follow[loop] = (_build(states, body, loop), then)
        then = loop
    else:
        for _ in range(most - least):
            then = states.add(None, (_build(states, body, then), then))
    for _ in range(least):
        then = _build(states, body, then)
    return then


class _Automaton:
    """Follows all states at once: time grows with the length of the name times the number of states."""

    def __init__(self, node: _Node) -> None:
        self._states = _States([], [], [])
        self._final = self._states.add(None, ())
        self._start = _build(self._states, node, self._final)

    def search(self, subject: str) -> bool:
        """Whether the pattern matches somewhere in the subject (Latin-1 text)."""
        return next(self._ends(subject, range(len(subject) + 1)), None) is not None

    def matches_at(self, subject: str, start: int) -> bool:
        """Whether it matches from this position on."""
        return next(self._ends(subject, range(start, start + 1)), None) is not None

    def matches_up_to(self, subject: str, end: int) -> bool:
        """Whether it matches some stretch that ends at this position."""
        return end in self._ends(subject, range(len(subject) + 1))

    def _ends(self, subject: str, starts: range) -> Iterator[int]:
        """The positions at which a match ends that begins at one of the starts."""
        current: set[int] = set()
        for at in range(starts.start, len(subject) + 1):
            if at in starts:
                current.add(self._start)
            elif not current:
                return
            closed = self._closure(current, subject, at)
            if self._final in closed:
                yield at
            if at < len(subject):
                current = self._step(closed, ord(subject[at]))

    def _closure(self, current: set[int], subject: str, at: int) -> set[int]:
        states = self._states
        seen = set(current)
        pending = list(current)
        while pending:
            state = pending.pop()
            if states.consumes[state] is not None or not _holds(states.condition[state], subject, at):
                continue
            for following in states.follow[state]:
                if following not in seen:
                    seen.add(following)
                    pending.append(following)
        return seen

    def _step(self, closed: set[int], byte: int) -> set[int]:
        states = self._states
        reached: set[int] = set()
        for state in closed:
            members = states.consumes[state]
            if members is not None and byte in members:
                reached.update(states.follow[state])
        return reached


@dataclass(frozen=True, slots=True)
class _LookCondition:
    kind: str
    automaton: _Automaton


def _holds(condition: str | _LookCondition, subject: str, at: int) -> bool:
    if isinstance(condition, _LookCondition):
        behind, wanted = condition.kind.startswith("<"), condition.kind.endswith("=")
        automaton = condition.automaton
        return (automaton.matches_up_to if behind else automaton.matches_at)(subject, at) == wanted
    match condition:
        case "":
            return True
        case "^" | r"\A":
            return at == 0
        case r"\Z":
            return at == len(subject)
        case "$":
            return at == len(subject) or (at == len(subject) - 1 and subject[at] == "\n")
    before = at > 0 and ord(subject[at - 1]) in _WORD
    after = at < len(subject) and ord(subject[at]) in _WORD
    return (before != after) == (condition == r"\b")


def _compile(node: _Node) -> re.Pattern[str] | None:
    """The node for `re`, or None where `re` does not take it."""
    try:
        return re.compile(_spell(node))
    except (re.error, OverflowError):
        return None


class Regex:
    """A compiled pattern of `server_name` (without its `~`).

    Raises `RegexError` where PCRE refuses the pattern and `Unpredictable` where its matches cannot be foretold.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parser = _Parser(pattern, caseless=re.search("[A-Z]", pattern) is not None)
        try:
            self._tree = parser.parse()
        except RecursionError as error:
            raise Unpredictable("groups nested too deeply") from error
        self.captures = parser.groups > 0
        """Whether it has capturing groups, named or not."""
        self._automaton: _Automaton | None = None
        self._expression: re.Pattern[str] | None = None
        steps = _cost(self._tree) * (1 if _is_anchored(self._tree) else MAX_NAME)
        if steps <= _FEW_STEPS:
            self._expression = _compile(self._tree)
            if self._expression is not None:
                return
        try:
            self._automaton = _Automaton(self._tree)
        except Unpredictable:
            self._expression = _compile(self._tree) if steps <= _MANY_STEPS else None
            if self._expression is None:
                raise

    def matches(self, name: str) -> bool:
        """Whether the pattern matches somewhere in the (lower-cased) name."""
        subject = name.encode("utf-8", "surrogateescape").decode("latin-1")
        if self._expression is not None:
            return self._expression.search(subject) is not None
        assert self._automaton is not None
        return self._automaton.search(subject)

    @cached_property
    def matches_everything(self) -> bool:
        """Whether it is plain that every name matches (`.`, `^.*$`, `(.+)` …); False says nothing."""
        parts = self._tree.parts if isinstance(self._tree, _Sequence) else (self._tree,)
        body = [part for part in map(_without_group, parts) if not (isinstance(part, _Assert) and part.kind in "^$")]
        if not body:
            return len(parts) < 2
        if len(body) > 1:
            return False
        only = body[0]
        if isinstance(only, _Set):
            return len(parts) == 1 and only.members >= _PRINT
        if not isinstance(only, _Repeat) or only.most is not None or only.least > 1:
            return False
        inner = _without_group(only.body)
        return isinstance(inner, _Set) and inner.members >= _PRINT

    def samples(self) -> Iterator[str]:
        """Yield names, the likeliest first, that are worth trying; not all of them need match."""
        for text in islice(_examples(self._tree), _MAX_SAMPLES):
            yield text
            if not _is_anchored(self._tree):
                yield f"a.{text.lstrip('.')}"
                yield f"{text}.test"


def _without_group(node: _Node) -> _Node:
    while isinstance(node, _Group):
        node = node.body
    return node


_PREFERRED: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-_.~"


def _examples(node: _Node) -> Iterator[str]:
    match node:
        case _Set(members):
            chosen = [chr(byte) for byte in _PREFERRED if byte in members]
            yield from chosen[:1]
            yield from chosen[-4:-1]
        case _Assert() | _Look() | _Reference():
            yield ""
        case _Group(_, body):
            yield from _examples(body)
        case _Choice(options):
            for option in options:
                yield from _examples(option)
        case _Sequence(parts):
            limited = [list(islice(_examples(part), 4)) for part in parts]
            yield from islice(map("".join, product(*limited)), _MAX_SAMPLES)
        case _Repeat(body, least, most, _):
            for count in (max(least, 1), least, least + 1, least + 7):
                if most is None or count <= most:
                    yield from (text * count for text in islice(_examples(body), 4))


__all__ = ["MAX_NAME", "Regex", "RegexError", "Unpredictable"]
