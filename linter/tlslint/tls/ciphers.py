"""OpenSSL's cipher-string language: what a string like ``HIGH:!aNULL:@STRENGTH`` selects, in order, on a given library.

The behaviour was measured on five libraries (1.0.2e, 1.1.1w, 3.0, 3.5 and 4.0), which the tests compare it with
string by string.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from tlslint.record import dataclass, field
from tlslint.regex import regex
from tlslint.tls.suites import (
    BROKEN_ALIASES,
    GENERATIONS,
    KNOWN,
    OpenSSL,
    Suite,
    broken_reason,
    builds,
    by_standard_name,
    known_aliases,
    library,
)

__all__ = [
    "BROKEN_ALIASES",
    "GENERATIONS",
    "KNOWN",
    "CipherList",
    "OpenSSL",
    "Suite",
    "Token",
    "broken_reason",
    "builds",
    "by_standard_name",
    "evaluate",
    "evaluate_tls13",
    "known_aliases",
    "library",
    "listed",
    "security_level",
    "tls13_default",
    "tokens",
    "usable",
    "uses_system_profile",
]

INVALID_COMMAND = "invalid command"
NO_CIPHER_MATCH = "no cipher match"

SEPARATORS = ": ;,"
_REST_OF_TOKEN = regex(r"[^: ;,]*")
_NAME = regex(r"[A-Za-z0-9.=\-]+")
_NAME_1_0_2 = regex(r"[A-Za-z0-9.\-]+")  # no @SECLEVEL=n yet
_NAME_3_2 = regex(r"[A-Za-z0-9.=_\-]+")  # IANA's names
_LEVEL = regex(r"SECLEVEL=([0-5])")


@dataclass(frozen=True, slots=True)
class CipherList:
    """What a library makes of a cipher string."""

    suites: tuple[Suite, ...]
    """What is on, in order: TLS 1.2 and older from ``evaluate``, TLS 1.3 from ``evaluate_tls13``. Empty when there is
    an error."""
    security_level: int | None = None
    """What ``@SECLEVEL`` in the string sets, the last one counting; None when it sets none."""
    unknown: tuple[str, ...] = ()
    """Tokens with a name that the library does not know, as written, without operator. OpenSSL drops them without a
    word."""
    error: str | None = None
    """OpenSSL's reason to refuse the string: ``no cipher match`` or ``invalid command``."""
    only_groups: tuple[str, ...] = ()
    """The key exchange groups that a Suite B keyword leaves, in order; nothing else can set them then. Empty without
    it."""

    @property
    def names(self) -> list[str]:
        """OpenSSL's names of the suites, in order."""
        return [suite.name for suite in self.suites]


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a cipher string."""

    text: str
    """Without the operator: ``ECDHE+AESGCM``, ``SECLEVEL=1``."""
    start: int
    """Offset of ``text`` in the string, in characters; the operator, if any, is the character before it."""
    end: int
    """Offset of the character after ``text``."""
    operator: str
    """``""`` adds, ``+`` moves to the end, ``-`` removes, ``!`` removes for good, ``@`` commands."""
    unknown: bool = False
    """A name in it is not known, so that OpenSSL drops the token."""
    invalid: bool = False
    """OpenSSL refuses the whole string because of it."""


# -- a library's vocabulary --------------------------------------------------------------------------------------------

_PROPERTIES = ("kx", "auth", "enc", "mac", "protocol", "strength", "flag")
_PROTOCOL, _STRENGTH, _FLAG = 4, 5, 6
_EVERYTHING = -1

Masks = tuple[int, ...]
"""One set of values, as bits, for each of ``_PROPERTIES``; 0 means that the property does not matter."""


class _Bits:
    """Numbers for the values of one property."""

    def __init__(self) -> None:
        self.bits: dict[str, int] = {}

    def __call__(self, values: Iterable[str]) -> int:
        mask = 0
        for value in values:
            if value[0] == "!":
                mask |= _EVERYTHING ^ self.bits.setdefault(value[1:], 1 << len(self.bits))
            else:
                mask |= self.bits.setdefault(value, 1 << len(self.bits))
        return mask


@dataclass(slots=True, eq=False)
class _Vocabulary:
    """The words that one library knows, compiled for matching."""

    openssl: OpenSSL
    name_pattern: re.Pattern[str]
    any_case: bool
    """Whether upper and lower case are the same (since 4.0). If so, ``words`` are in upper case."""
    words: dict[str, tuple[Masks, int]]
    """A word's masks, and the suite's number when the word names a suite."""
    suites: list[Masks]
    """The masks of each suite of the library, in its order."""
    position: dict[int, int]
    """Where in ``suites`` the suite of a number is."""
    sslv2: int = 0
    export: int = 0
    any_export: int = 0
    selections: dict[tuple[Masks, int], frozenset[int]] = field(default_factory=dict)

    def spelled(self, text: str) -> str:
        """``text`` as ``words`` and keywords are spelled."""
        return text.upper() if self.any_case else text

    def select(self, masks: Masks, number: int) -> frozenset[int]:
        """Positions in the library's list of the suites that ``masks`` (and ``number``, if not 0) match."""
        key = (masks, number)
        found = self.selections.get(key)
        if found is None:
            found = self.selections[key] = frozenset(self._matches(masks, number))
        return found

    def _matches(self, masks: Masks, number: int) -> Iterator[int]:
        wanted = [(i, mask) for i, mask in enumerate(masks) if mask]
        candidates: Iterable[int] = (self.position[number],) if number else range(len(self.suites))
        for position in candidates:
            suite = self.suites[position]
            if all(suite[i] & mask for i, mask in wanted) or self._is_1_0_2_exception(masks, suite):
                yield position

    def _is_1_0_2_exception(self, masks: Masks, suite: Masks) -> bool:
        """1.0.2's COMPLEMENTOFDEFAULT has every export suite and all of SSLv2, whatever else is asked of them."""
        if not self.sslv2:
            return False
        export = masks[_FLAG] == self.any_export and not masks[_STRENGTH] and suite[_FLAG] & self.export
        return bool(export or (masks[_PROTOCOL] == ~self.sslv2 and suite[_PROTOCOL] == self.sslv2))


_BITS = tuple(_Bits() for _ in _PROPERTIES)
"""The same numbers for all libraries, so that a suite that several have is compiled once."""


@cache
def _suite_masks(kx: str, auth: str, enc: str, mac: str, protocol: str, strength: str, flags: tuple[str, ...]) -> Masks:
    classes = (strength, *(flag for flag in flags if flag == "FIPS"))
    others = [flag for flag in flags if flag != "FIPS"]
    values: tuple[Iterable[str], ...] = ((kx,), (auth,), (enc,), (mac,), (protocol,), classes, others)
    return tuple(bit(of_property) for bit, of_property in zip(_BITS, values, strict=True))


@cache
def _vocabulary(openssl: OpenSSL) -> _Vocabulary:
    old = openssl.generation == "1.0.2"
    words: dict[str, tuple[Masks, int]] = {
        name: (tuple(bit(properties.get(key, ())) for key, bit in zip(_PROPERTIES, _BITS, strict=True)), 0)
        for name, properties in openssl.aliases.items()
    }
    suites = [
        _suite_masks(suite.kx, suite.auth, suite.enc, suite.mac, suite.min_protocol, suite.strength, suite.flags)
        for suite in openssl.suites
    ]
    for suite, of_suite in zip(reversed(openssl.suites), reversed(suites), strict=True):
        # A named suite does not ask for its protocol version. Since 1.1 it asks for its number.
        word = ((*of_suite[:_PROTOCOL], 0, *of_suite[_STRENGTH:]), 0 if old else suite.id)
        words[suite.name] = word
        if openssl.standard_names:
            words[suite.standard_name] = word
    pattern = _NAME_1_0_2 if old else _NAME_3_2 if openssl.standard_names else _NAME
    any_case = openssl.generation == "4.0"
    if any_case:
        words = {word.upper(): meaning for word, meaning in words.items()}
    position = {suite.id: i for i, suite in enumerate(openssl.suites)}
    vocabulary = _Vocabulary(openssl, pattern, any_case, words, suites, position)
    if old:
        vocabulary.sslv2 = _BITS[_PROTOCOL](("SSLv2",))
        vocabulary.export = _BITS[_FLAG](("EXPORT",))
        vocabulary.any_export = _BITS[_FLAG](("EXPORT", "NOT_EXP"))
    return vocabulary


# -- the language ------------------------------------------------------------------------------------------------------

_NOTHING: frozenset[int] = frozenset()


def _intersect(masks: Masks, other: Masks, *, old: bool) -> Masks | None:
    """Both conditions at once, or None when no suite can meet them."""
    result = []
    for mine, others in zip(masks, other, strict=True):
        both = mine & others if mine and others else mine | others
        if mine and others and not both:
            return None
        result.append(both)
    if not old and other[_STRENGTH] and not masks[_STRENGTH]:
        # Since 1.1.0 the first strength class in an intersection overwrites COMPLEMENTOFDEFAULT's condition before it.
        result[_FLAG] = other[_FLAG]
    return tuple(result)


def _scan(text: str, vocabulary: _Vocabulary, start: int = 0) -> Iterator[tuple[Token, frozenset[int]]]:
    """Each token from ``start`` on, and the positions of the suites that it selects."""
    at = start
    while at < len(text):
        if text[at] in SEPARATORS:
            at += 1
            continue
        operator = text[at] if text[at] in "+-!@" else ""
        at += len(operator)
        scan = _scan_command if operator == "@" else _scan_selection
        token, selected = scan(text, at, operator, vocabulary)
        yield token, selected
        at = token.end


def _scan_command(text: str, at: int, operator: str, vocabulary: _Vocabulary) -> tuple[Token, frozenset[int]]:
    match = vocabulary.name_pattern.match(text, at)
    word = match.group() if match else ""
    end = _end(text, at + len(word))
    word = vocabulary.spelled(word)
    level = _LEVEL.fullmatch(word) and vocabulary.openssl.generation != "1.0.2"
    return Token(text[at:end], at, end, operator, invalid=not (word == "STRENGTH" or level)), _NOTHING


def _scan_selection(text: str, start: int, operator: str, vocabulary: _Vocabulary) -> tuple[Token, frozenset[int]]:
    at, masks, number = start, (0,) * len(_PROPERTIES), 0
    match_name, words, spelled = vocabulary.name_pattern.match, vocabulary.words, vocabulary.spelled
    old = vocabulary.openssl.generation == "1.0.2"
    while True:
        match = match_name(text, at)
        if match is None:
            end = _end(text, min(at + 1, len(text)))
            return Token(text[start:end], start, end, operator, invalid=True), _NOTHING
        at = match.end()
        more = text.startswith("+", at)
        word = words.get(spelled(match.group()))
        both = _intersect(masks, word[0], old=old) if word else None
        if word is None or both is None:
            end = _end(text, at)
            return Token(text[start:end], start, end, operator, unknown=word is None), _NOTHING
        # Only the last name's number counts.
        masks, number = both, word[1]
        if not more:
            return Token(text[start:at], start, at, operator), vocabulary.select(masks, number)
        at += 1


def _end(text: str, at: int) -> int:
    match = _REST_OF_TOKEN.match(text, at)
    return match.end() if match else len(text)


class _Selection:
    """The list while a string is worked through: what is on, in order, and what could be put on, in order."""

    def __init__(self, vocabulary: _Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.on: list[int] = []
        self.off = list(range(len(vocabulary.suites)))
        self.security_level: int | None = None
        self.unknown: list[str] = []

    def apply(self, text: str, start: int = 0) -> bool:
        """Work through the string; False when OpenSSL refuses it."""
        for token, selected in _scan(text, self.vocabulary, start):
            if token.invalid:
                return False
            if token.unknown:
                self.unknown.append(token.text)
            elif token.operator == "@":
                self._command(token.text)
            elif selected:
                self._rule(token.operator, selected)
        return True

    def _command(self, text: str) -> None:
        level = _LEVEL.match(text.upper())
        if level:
            self.security_level = int(level[1])
        else:
            suites = self.vocabulary.openssl.suites
            self.on.sort(key=lambda position: -suites[position].bits)

    def _rule(self, operator: str, selected: frozenset[int]) -> None:
        if operator == "":
            added = [i for i in self.off if i in selected]
            if added:
                self.off = [i for i in self.off if i not in selected]
                self.on += added
            return
        moved = [i for i in self.on if i in selected]
        if moved:
            self.on = [i for i in self.on if i not in selected]
        if operator == "+":
            self.on += moved
        elif operator == "-":
            # What was removed last is first in line to come back.
            self.off = moved + self.off
        else:
            self.off = [i for i in self.off if i not in selected]


_SUITE_B = {
    "SUITEB128ONLY": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "SUITEB128C2": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "SUITEB128": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
    "SUITEB192": "ECDHE-ECDSA-AES256-GCM-SHA384",
}


_SUITE_B_GROUPS = {
    "SUITEB128ONLY": ("prime256v1",),
    "SUITEB128C2": ("prime256v1", "secp384r1"),
    "SUITEB128": ("prime256v1", "secp384r1"),
    "SUITEB192": ("secp384r1",),
}


def _suite_b(text: str, vocabulary: _Vocabulary) -> str | None:
    """The Suite B keyword that ``text`` begins with; all that follows it is ignored."""
    spelled = vocabulary.spelled(text[:13])
    return next((word for word in _SUITE_B if spelled.startswith(word)), None)


def _default_length(text: str, vocabulary: _Vocabulary) -> int:
    """How much of ``text`` a leading ``DEFAULT`` takes; what follows it need not be separated."""
    if vocabulary.spelled(text[:7]) != "DEFAULT":
        return 0
    return 8 if text.startswith(":", 7) else 7


@lru_cache(maxsize=4096)
def evaluate(cipher_string: str, openssl: OpenSSL) -> CipherList:
    """What ``SSL_CTX_set_cipher_list`` makes of ``cipher_string``: the suites for TLS 1.2 and older, in order.

    The suites are those on the list; which of them a server can use depends on the security level (see ``usable``),
    on its certificates and on its protocols. A character string stands for the bytes of a C string: it ends at the
    first NUL.
    """
    text = cipher_string.partition("\0")[0]
    vocabulary = _vocabulary(openssl)
    keyword = _suite_b(text, vocabulary)
    if keyword:
        text = _SUITE_B[keyword]
    selection = _Selection(vocabulary)
    start = _default_length(text, vocabulary)
    if start:
        selection.apply(openssl.default_string)
    accepted = selection.apply(text, start)
    suites = tuple(openssl.suites[position] for position in selection.on) if accepted else ()
    error = INVALID_COMMAND if not accepted else None if suites else NO_CIPHER_MATCH
    only_groups = _SUITE_B_GROUPS[keyword] if keyword else ()
    return CipherList(suites, selection.security_level, tuple(dict.fromkeys(selection.unknown)), error, only_groups)


def level_set_by(cipher_string: str, openssl: OpenSSL) -> int | None:
    """The security level that ``cipher_string`` sets, or None."""
    # only commands and Suite B set one: most strings need not be worked through
    if "@" not in cipher_string + openssl.default_string and "SUITEB" not in cipher_string.upper():
        return None
    return evaluate(cipher_string, openssl).security_level


def listed(cipher_string: str, openssl: OpenSSL) -> tuple[Suite, ...]:
    """What ``openssl ciphers`` lists for ``cipher_string``: TLS 1.3's suites first. Empty when OpenSSL refuses the
    string."""
    result = evaluate(cipher_string, openssl)
    return () if result.error else (*openssl.tls13_default, *result.suites)


def uses_system_profile(cipher_string: str) -> bool:
    """Whether the string asks for the machine's crypto policy, which only Fedora's and RHEL's patched OpenSSL knows.

    ``evaluate`` takes ``PROFILE=SYSTEM`` for an unknown name, as every other OpenSSL does.
    """
    return cipher_string.startswith("PROFILE=SYSTEM")


def tokens(cipher_string: str, openssl: OpenSSL | None = None) -> tuple[Token, ...]:
    """The tokens of ``cipher_string`` with their offsets, as ``openssl`` splits them.

    Without a library a name is unknown when no library knows it, so that a token is not taken for a typing error
    because one build lacks it. After a Suite B keyword at the start there is nothing: OpenSSL reads no further.
    """
    text = cipher_string.partition("\0")[0]
    vocabulary = _vocabulary(openssl) if openssl else _every_word()
    keyword = _suite_b(text, vocabulary)
    if keyword:
        return (Token(text[: len(keyword)], 0, len(keyword), ""),)
    start = _default_length(text, vocabulary)
    default = (Token(text[:7], 0, 7, ""),) if start else ()
    return (*default, *(token for token, _ in _scan(text, vocabulary, start)))


@cache
def _every_word() -> _Vocabulary:
    """A vocabulary with the words of every library. Intersections are of the words only: none is empty."""
    newest = _vocabulary(library(GENERATIONS[-1]))
    anything = ((0,) * len(_PROPERTIES), 0)
    words = dict.fromkeys([*known_aliases(), *KNOWN, *by_standard_name()], anything)
    for keyword in ("DEFAULT", *_SUITE_B):
        del words[keyword]
    return _Vocabulary(newest.openssl, newest.name_pattern, any_case=False, words=words, suites=[], position={})


# -- TLS 1.3 -----------------------------------------------------------------------------------------------------------


def tls13_default(openssl: OpenSSL) -> tuple[Suite, ...]:
    """The TLS 1.3 suites that are on when nothing sets them; cipher strings never change them."""
    return openssl.tls13_default


@lru_cache(maxsize=1024)
def evaluate_tls13(ciphersuites: str, openssl: OpenSSL) -> CipherList:
    """What ``SSL_CTX_set_ciphersuites`` makes of ``ciphersuites``: the TLS 1.3 suites, in order.

    1.1.1 refuses a list with a name that it does not know; since 3.0 such names are ignored, unless none is left. The
    empty string is valid and leaves TLS 1.3 without a suite. Before 4.0 a standard name of an older suite is accepted
    too: that suite then stands on the list before those of the cipher string, and is among the suites here
    (``Suite.tls13`` tells them apart).
    """
    if not openssl.tls13:
        return CipherList((), error="no TLS 1.3")
    text = ciphersuites.partition("\0")[0]
    if not text:
        return CipherList(())
    newest = openssl.generation == "4.0"
    known = _by_standard_name(openssl)
    names = [name.strip(" \t\n\v\f\r") for name in text.split(":")]
    found = [known.get(name.upper() if newest else name) for name in names]
    suites = [suite for suite in found if suite]
    if newest:
        suites = list(dict.fromkeys(suites))
    unknown = tuple(dict.fromkeys(name for name, suite in zip(names, found, strict=True) if not suite and name))
    if not suites or (openssl.generation == "1.1.1" and len(suites) < len(names)):
        return CipherList((), unknown=unknown, error=NO_CIPHER_MATCH)
    return CipherList(tuple(suites), unknown=unknown)


@cache
def _by_standard_name(openssl: OpenSSL) -> dict[str, Suite]:
    suites = openssl.tls13 if openssl.generation == "4.0" else (*openssl.tls13, *openssl.suites)
    return {suite.standard_name: suite for suite in suites}


# -- security levels ---------------------------------------------------------------------------------------------------

#: The least strength in bits at each security level (OpenSSL's SSL_CTX_set_security_level manual).
LEVEL_BITS = (0, 80, 112, 128, 192, 256)


def security_level(ciphers: CipherList, openssl: OpenSSL) -> int:
    """The security level that counts after a cipher string was set."""
    return openssl.security_level if ciphers.security_level is None else ciphers.security_level


def usable(suites: Sequence[Suite], level: int, openssl: OpenSSL) -> tuple[Suite, ...]:
    """Those of ``suites`` that OpenSSL negotiates at security ``level``, in order.

    It counts what the level forbids. Pre-shared key and SRP suites also need an application that offers them, which
    nginx and httpd do not; certificates and protocols are the caller's business.
    """
    if openssl.generation == "1.0.2" or level == 0:
        return tuple(suites)
    return tuple(suite for suite in suites if _level_allows(suite, level))


def _level_allows(suite: Suite, level: int) -> bool:
    if suite.bits < LEVEL_BITS[level] or suite.auth == "NULL" or suite.mac == "MD5":
        return False
    if suite.mac == "SHA1" and LEVEL_BITS[level] > 160:
        return False
    if level >= 2 and suite.enc == "RC4":
        return False
    return level < 3 or suite.tls13 or suite.kx in ("DHE", "ECDHE")
