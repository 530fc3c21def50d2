"""Which names a certificate is good for, and whether a virtual host's names are among them.

Follows RFC 9525: only the subjectAltName counts; a wildcard is the whole leftmost label and stands for exactly one
label; internationalised names are compared as A-labels; IP addresses match IP entries only.
"""

import ipaddress
import unicodedata
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from tlslint.pki.certificate import Certificate
from tlslint.pki.patterns import ANYTHING, LABEL_PART, Word, meets, word_of_wildcard, words_of_regex
from tlslint.record import dataclass
from tlslint.regex import regex

_HOST_NAME = regex(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\Z")
_LONGEST_NAME = 253


class Coverage(Enum):
    """Whether a certificate is good for every name that a client may use under a server name."""

    COVERED = "covered"
    UNCOVERED = "uncovered"
    UNKNOWN = "unknown"
    """It depends on which of the names that a pattern matches clients really use, or nobody can tell."""


@dataclass(frozen=True, slots=True)
class NameCoverage:
    """The verdict on one server name as written; `missing` are the names or patterns under it that are not covered."""

    name: str
    coverage: Coverage
    missing: tuple[str, ...] = ()
    why: str = ""


def covers(certificate: Certificate, name: str) -> bool:
    """Whether a client that asks for `name`, a host name or an IP address, accepts the certificate's names."""
    address = _address(name)
    if address is not None:
        return address in certificate.ip_addresses
    host = normalise(name)
    return host is not None and _is_among(certificate.dns_name_set, host)


@lru_cache(maxsize=1 << 15)
def normalise(name: str) -> str | None:
    """Return a host name in the form in which it is compared, or None when it cannot be one.

    Lower case, A-labels, without the dot at its end.
    """
    host = name.removesuffix(".").lower()
    if not host.isascii():
        labels = unicodedata.normalize("NFC", host).split(".")
        try:
            host = ".".join(_a_label(label) for label in labels)
        except UnicodeError:
            return None
    return host if len(host) <= _LONGEST_NAME and _HOST_NAME.match(host) else None


def _a_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _address(name: str) -> str | None:
    if ":" not in name and not name[-1:].isdecimal():
        return None  # nearly all names: no need to ask
    try:
        return str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _is_among(presented: frozenset[str], host: str) -> bool:
    """Whether the DNS entries of a certificate, in lower case, cover a normalised host name."""
    first, dot, rest = host.partition(".")
    # clients refuse a wildcard directly below a top-level domain, and so does OpenSSL
    return host in presented or bool(first and dot and "." in rest and f"*.{rest}" in presented)


def coverage(certificate: Certificate, name: str) -> NameCoverage:
    """Return whether a certificate is good for a server name as nginx or httpd writes it.

    That is a name, an IP address, `*.example.org`, `.example.org`, `www.example.*`, a regular expression (`~…`), or a
    name that no client can ask for (`_`, the empty name), which needs no certificate and is covered.
    """
    host = None if certificate.extensions_problem else normalise(name)
    if host is not None and "." in host and _is_among(certificate.dns_name_set, host) and _address(name) is None:
        return NameCoverage(name, Coverage.COVERED)  # nearly all names
    if "$" in name and not name.startswith("~"):
        return NameCoverage(name, Coverage.UNKNOWN, why="the name holds a variable")
    if is_never_asked_for(name):
        return NameCoverage(name, Coverage.COVERED)
    if certificate.extensions_problem:
        return NameCoverage(name, Coverage.UNKNOWN, why="the certificate's names cannot be read")
    words = _words(name)
    if words is None:
        return NameCoverage(name, Coverage.UNKNOWN, why="the pattern cannot be followed")
    verdicts = [(word, _word_coverage(certificate, word)) for word in words]
    missing = tuple(_display(word) for word, verdict in verdicts if verdict is Coverage.UNCOVERED)
    if missing:
        return NameCoverage(name, Coverage.UNCOVERED, missing)
    if any(verdict is Coverage.UNKNOWN for _, verdict in verdicts):
        return NameCoverage(name, Coverage.UNKNOWN, why="the certificate covers some of the names of this pattern")
    return NameCoverage(name, Coverage.COVERED)


def uncovered(certificate: Certificate, names: Iterable[str]) -> list[NameCoverage]:
    """Return the names that the certificate does not cover, and those where that cannot be decided, in order."""
    verdicts = (coverage(certificate, name) for name in names)
    return [verdict for verdict in verdicts if verdict.coverage is not Coverage.COVERED]


def is_never_asked_for(name: str) -> bool:
    """Whether no client can ask for this name, so that it only serves as a catch-all or placeholder (`_`, `""`).

    Names below `invalid` are nobody's (RFC 6761, section 6.4).
    """
    if name.startswith("~") or _address(name) is not None:
        return False
    plain = normalise(name.removeprefix(".").replace("*", "x").replace("?", "x")) if name.strip("*?.") else None
    return plain is None or ("." not in plain and "_" in plain) or plain.endswith(".invalid")


def _words(name: str) -> tuple[Word, ...] | None:
    """Return what a server name stands for; None when that cannot be told."""
    if name.startswith("~"):
        return words_of_regex(name[1:])
    if name.startswith("."):  # nginx: the name itself and everything below it
        below = word_of_wildcard(f"*{name}", normalise)
        return (below[2:], below)
    return (word_of_wildcard(name, normalise),)


def _display(word: Word) -> str:
    return "".join("*" if part in (ANYTHING, LABEL_PART) else part for part in word)


def _word_coverage(certificate: Certificate, word: Word) -> Coverage:
    marks = [index for index, part in enumerate(word) if part in (ANYTHING, LABEL_PART)]
    if not set(word) - {ANYTHING, LABEL_PART, "."}:
        return Coverage.COVERED  # a catch-all: no name in particular
    if not marks:
        return Coverage.COVERED if covers(certificate, "".join(word)) else Coverage.UNCOVERED
    if _is_wildcard(certificate, word, marks[-1]):
        return Coverage.COVERED
    entries = (tuple(LABEL_PART if part == "*" else part for part in name.lower()) for name in certificate.dns_names)
    return Coverage.UNKNOWN if any(meets(word, entry) for entry in entries) else Coverage.UNCOVERED


def _is_wildcard(certificate: Certificate, word: Word, last_mark: int) -> bool:
    """Whether everything that varies in the word is left of a domain whose wildcard the certificate has.

    `*.example.org` as a server name also matches names of two more labels; what its author means is the wildcard.
    """
    dot = word.index(".") if "." in word else -1
    return dot > last_mark and "*" + "".join(word[dot:]) in certificate.dns_name_set
