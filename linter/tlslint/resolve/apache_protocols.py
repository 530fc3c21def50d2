"""Words in lists of protocol versions that httpd refuses, as problems for a rule to report."""

from collections.abc import Sequence

from tlslint.intention import Fix, ReplaceArguments, Safety
from tlslint.parse.tree import Argument
from tlslint.resolve.apache_tls import TLS13_SINCE, protocols_of
from tlslint.resolve.model import Place, Problem
from tlslint.resolve.protocol_words import PLACEHOLDER, meant_by, parts_of
from tlslint.resolve.tls_settings import PROTOCOL_BY_SPELLING
from tlslint.target import Target, Version
from tlslint.tls.handshake import build

_REFUSED = "apache2 -t refuses it"
_SSLV3 = ("sslv3", "+sslv3")


def protocol_problem(place: Place, name: str, version: Version, libraries: Sequence[Target]) -> Problem | None:
    """Return what httpd says of the first word that it refuses, with what was probably meant."""
    words = place.directive.arguments
    if any(PLACEHOLDER.search(word) for word in words):
        return None
    wrong = protocols_of(words, version)
    if not isinstance(wrong, str):
        return _without_sslv3(place, words, libraries)
    argument = next(word for word in words if word == wrong)
    bare = _bare(wrong)
    if bare.lower() == "sslv2":
        return _problem(place, argument, f"{name}: SSLv2 is no longer supported", _dropped(place, ("sslv2", "+sslv2")))
    known = PROTOCOL_BY_SPELLING.get(bare.lower())
    if known is not None:
        message = f"{name}: Illegal protocol '{bare}': it needs httpd {TLS13_SINCE}"
        return Problem("directive-newer-than-target", message, argument.span, label=_REFUSED)
    return _problem(place, argument, f"{name}: Illegal protocol '{bare}'", _respelt(place, words, version))


def _without_sslv3(place: Place, words: Sequence[Argument], libraries: Sequence[Target]) -> Problem | None:
    if not libraries or any(build(target).generation == "1.0.2" for target in libraries):
        return None
    word = next((word for word in words if word.lower() in _SSLV3), None)
    if word is None:
        return None
    return _problem(place, word, "SSLv3 not supported by this version of OpenSSL", _dropped(place, _SSLV3))


def _problem(place: Place, word: Argument, message: str, fix: Fix | None) -> Problem:
    return Problem("unknown-protocol", message, word.span, label=_REFUSED, help=fix.title if fix else "", fix=fix)


def _dropped(place: Place, words: Sequence[str]) -> Fix | None:
    """Leave words out, where others that are added stay: what the line comes to is the same without them."""
    left = tuple(str(word) for word in place.directive.arguments if word.lower() not in words)
    if not any(word[:1] != "-" for word in left):
        return None
    return Fix(f"write {' '.join(left)}", Safety.SAFE, (ReplaceArguments(place, left),))


def _respelt(place: Place, words: Sequence[Argument], version: Version) -> Fix | None:
    """Write every word as httpd knows it; versions that stand side by side are all meant, so that each is added."""
    written: list[str] = []
    for word in words:
        meant = _meant(word)
        if not meant:
            return None
        written += meant
    bare = [word for word in written if word[0] not in "+-" and word != "all"]
    if len(bare) > 1:
        written = [f"+{word}" if word in bare else word for word in written]
        if written[0] not in ("all", "-all"):
            written.insert(0, "-all")
    unique = tuple(dict.fromkeys(written))
    if isinstance(protocols_of(unique, version), str):
        return None
    return Fix(f"write {' '.join(unique)}", Safety.SAFE, (ReplaceArguments(place, unique),))


def _meant(word: str) -> list[str]:
    """Return the words that httpd knows for one that it may not know; nothing where that is not clear."""
    found = []
    for part in parts_of(word):
        bare = _bare(part)
        sign = part[: len(part) - len(bare)]
        if bare.lower() == "all":
            found.append(f"{sign}{bare}" if part == word else f"{sign}all")
        elif bare.lower() in PROTOCOL_BY_SPELLING:
            found.append(f"{sign}{bare}" if part == word else f"{sign}{PROTOCOL_BY_SPELLING[bare.lower()]}")
        elif len(meant := meant_by(bare)) == 1:
            found.append(f"{sign}{meant[0]}")
        else:
            return []
    return found


def _bare(word: str) -> str:
    return word[1:] if word[:1] in ("+", "-") else word
