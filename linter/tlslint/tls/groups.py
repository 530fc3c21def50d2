"""Key exchange groups: the names that OpenSSL takes, what a list of them selects, and what is on by default.

The values of nginx's ``ssl_ecdh_curve`` and of the ``Groups`` and ``Curves`` commands go to
``SSL_CTX_set1_groups_list``; the word ``auto`` (nginx) or ``Automatic`` is the server's own and never reaches it.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from tlslint.facts import read_facts
from tlslint.record import dataclass
from tlslint.tls.suites import OpenSSL

__all__ = ["Group", "GroupList", "evaluate_groups", "groups", "groups_default", "usable_groups"]


# OpenSSL copies a name into a buffer of this size.
_MAX_NAME = 63
_MAX_KEY_SHARES = 4

UNKNOWN_GROUP = "unknown group"
EMPTY_NAME = "empty group name"
DUPLICATE = "group named twice"
TOO_MANY_KEY_SHARES = "more than four key shares"
DEFAULT_PREFIXED = "DEFAULT takes no prefix"


@dataclass(frozen=True, slots=True)
class Group:
    """One key exchange group."""

    name: str
    """The name that tlslint uses: ``X25519``, ``prime256v1``, ``X25519MLKEM768``."""
    id: int
    """IANA's number."""
    bits: int
    """Strength in bits, as OpenSSL counts it for security levels; a hybrid has its post-quantum part's."""
    tls12: bool
    """Whether TLS 1.2 and older can use it."""
    tls13: bool
    """Whether TLS 1.3 can use it."""

    @property
    def post_quantum(self) -> bool:
        """Whether traffic recorded today stays closed to a quantum computer (ML-KEM, alone or in a hybrid)."""
        return "MLKEM" in self.name


@dataclass(frozen=True, slots=True)
class GroupList:
    """What a library makes of a list of groups."""

    groups: tuple[Group, ...]
    """What is on, in order. It can be empty without an error: no handshake with (EC)DHE completes then."""
    unknown: tuple[str, ...] = ()
    """Names that the library does not know, as written, without prefix."""
    error: str | None = None
    """Why OpenSSL refuses the list. It says no more than «passed invalid argument» itself."""

    @property
    def names(self) -> list[str]:
        """tlslint's names of the groups, in order."""
        return [group.name for group in self.groups]


def _release(version: str) -> tuple[int, int, int]:
    parts = [int(part) for part in version.split(".")]
    return parts[0], parts[1], parts[2] if len(parts) > 2 else 0


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = read_facts(__file__, "data", "groups.json")
    return facts


@cache
def _vocabulary(openssl: OpenSSL) -> dict[str, Group]:
    """The names that the library knows; in lower case when it does not tell them apart."""
    release, any_case = openssl.release, _any_case(openssl)
    names: dict[str, Group] = {}
    for name, number, bits, tls12, tls13, since, until, modern, old in _facts()["groups"]:
        if release < _release(since) or (until and release >= _release(until)):
            continue
        group = Group(name, number, bits, tls12, tls13)
        for spelling in modern if release >= (3, 0, 0) else old:
            names[spelling.lower() if any_case else spelling] = group
    return names


def _any_case(openssl: OpenSSL) -> bool:
    return openssl.release >= (3, 5, 0)


def groups(openssl: OpenSSL) -> tuple[Group, ...]:
    """Every group that the library knows."""
    return tuple(dict.fromkeys(_vocabulary(openssl).values()))


@cache
def groups_default(openssl: OpenSSL) -> tuple[Group, ...]:
    """The groups that are on when nothing sets them, in order."""
    by_name = {group.name: group for group in groups(openssl)}
    defaults: dict[str, list[str]] = _facts()["default"]
    newest = max((version for version in defaults if _release(version) <= openssl.release), key=_release)
    return tuple(by_name[name] for name in defaults[newest])


def usable_groups(selected: tuple[Group, ...], level: int, openssl: OpenSSL) -> tuple[Group, ...]:
    """Those of ``selected`` that are strong enough for security ``level`` (0 to 5), in order."""
    least = (0, 80, 112, 128, 192, 256)[level] if openssl.generation != "1.0.2" else 0
    return tuple(group for group in selected if group.bits >= least)


@lru_cache(maxsize=1024)
def evaluate_groups(value: str, openssl: OpenSSL) -> GroupList:
    """What ``SSL_CTX_set1_groups_list`` makes of ``value``: names between colons, the first preferred.

    Since 3.3 ``?`` before a name forgives that it is unknown. Since 3.5 names may have any case, ``/`` begins a new
    tuple of groups, ``*`` asks a client for a key share, ``-`` takes a group away and ``DEFAULT`` stands for the
    default list. Naming a group twice is an error before 3.3 and means nothing since.
    """
    if openssl.release >= (3, 5, 0):
        return _evaluate_tuples(value, openssl)
    return _evaluate_list(value, openssl)


def _evaluate_list(value: str, openssl: OpenSSL) -> GroupList:
    vocabulary, forgiving = _vocabulary(openssl), openssl.release >= (3, 3, 0)
    selected: list[Group] = []
    unknown: list[str] = []
    error = None
    for element in value.split(":"):
        name = element.strip()
        optional = forgiving and name.startswith("?")
        name = name[1:] if optional else name
        group = vocabulary.get(name)
        if group is None:
            unknown += [name] if name else []
            error = error or (None if optional and name else UNKNOWN_GROUP if name else EMPTY_NAME)
        elif group not in selected:
            selected.append(group)
        elif not forgiving:
            error = error or DUPLICATE
    if not selected:
        error = error or UNKNOWN_GROUP
    return GroupList(() if error else tuple(selected), tuple(unknown), error)


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    key_share: bool
    optional: bool
    remove: bool


def _elements(value: str) -> Iterator[_Element | None]:
    """The elements of a list in 3.5's grammar; None for an empty one."""
    for one in value.split("/"):
        for element in one.split(":"):
            text = element.strip()
            name = text.lstrip("?*-")
            prefixes = text[: len(text) - len(name)]
            # A prefix that is written twice is no prefix.
            if not name or len(set(prefixes)) != len(prefixes):
                yield None
            else:
                yield _Element(name, "*" in prefixes, "?" in prefixes, "-" in prefixes)


def _evaluate_tuples(value: str, openssl: OpenSSL) -> GroupList:
    if not value:
        return GroupList(())
    vocabulary = _vocabulary(openssl)
    selected: list[Group] = []
    unknown: list[str] = []
    key_shares = 0
    for element in _elements(value):
        if element is None:
            return GroupList((), tuple(unknown), EMPTY_NAME)
        if element.name.lower() == "default":
            if element.key_share or element.optional or element.remove:
                return GroupList((), tuple(unknown), DEFAULT_PREFIXED)
            selected += [group for group in groups_default(openssl) if group not in selected]
            continue
        group = vocabulary.get(element.name.lower())
        if group is None:
            unknown.append(element.name)
            if not element.optional or len(element.name) > _MAX_NAME:
                return GroupList((), tuple(unknown), UNKNOWN_GROUP)
        elif element.remove:
            selected = [other for other in selected if other != group]
        elif group not in selected:
            selected.append(group)
            key_shares += element.key_share
            if key_shares > _MAX_KEY_SHARES:
                return GroupList((), tuple(unknown), TOO_MANY_KEY_SHARES)
    return GroupList(tuple(selected), tuple(unknown))
