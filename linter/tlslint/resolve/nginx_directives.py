"""What nginx makes of a directive: where it may stand, how often, what it inherits, its default, and in which versions.

The facts are in `nginx_directives.json`, which covers every directive that decides about TLS and those that the
resolver and the rules read. Its history comes from nginx's change log, the rest from nginx's documentation; contexts,
argument counts and duplicates are tested against installed servers.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from tlslint.facts import read_facts
from tlslint.record import dataclass
from tlslint.target import Version

MODULES: Final = ("main", "http", "stream", "mail")
"""The configuration modules; "main" is the top level."""


class Status(Enum):
    """How a version of nginx takes a directive or parameter."""

    OK = "ok"
    NOT_YET = "not-yet"
    """Introduced later: the server does not start."""
    DEPRECATED = "deprecated"
    """Works, with a warning, and has a successor."""
    OBSOLETE = "obsolete"
    """Accepted with a warning and without any effect."""
    REMOVED = "removed"
    """No longer known: the server does not start."""
    COMMERCIAL = "commercial"
    """Known to NGINX Plus only."""
    UNKNOWN = "unknown"
    """Not in the table, or the answer depends on a version that is not known."""


class Repeat(Enum):
    """What a directive that stands twice in one block does."""

    ERROR = "error"
    """The server refuses: `directive is duplicate`."""
    ACCUMULATES = "accumulates"
    UNION = "union"
    """The values of all lines together."""
    FIRST_WINS = "first-wins"
    LAST_WINS = "last-wins"


class Inheritance(Enum):
    """What a block without the directive, or with it, gets from the enclosing block."""

    REPLACED = "replaced"
    """A value of its own replaces the inherited one."""
    ARRAY = "array"
    """One line of its own replaces all inherited lines."""
    PARTS = "parts"
    """Each part (of ssl_session_cache: builtin, shared) is inherited unless set."""
    NONE = "none"
    """Nothing is inherited."""


class ValueKind(Enum):
    """What the arguments are."""

    FLAG = "flag"
    """`on` or `off`, in any case."""
    ENUM = "enum"
    """One of `values`, in any case."""
    SET = "set"
    """Any of `values`, in any case."""
    FILE = "file"
    NUMBER = "number"
    SIZE = "size"
    TIME = "time"
    STRING = "string"
    """Anything else."""


@dataclass(frozen=True, slots=True, eq=False)
class _Lifetime:
    """The versions of nginx that know a directive or parameter; None = always, or never so far."""

    since: Version | None
    deprecated: Version | None
    obsolete: Version | None
    removed: Version | None
    successor: str | None
    """What to write instead, in nginx's words."""
    commercial: bool

    def status(self, version: Version | None) -> Status:
        """How that version takes it; a version of None gives UNKNOWN unless all versions agree."""
        if self.commercial:
            return Status.COMMERCIAL
        if version is None:
            gates = (self.since, self.deprecated, self.obsolete, self.removed)
            return Status.OK if not any(gates) else Status.UNKNOWN
        if self.since is not None and version < self.since:
            return Status.NOT_YET
        for gate, status in (
            (self.removed, Status.REMOVED),
            (self.obsolete, Status.OBSOLETE),
            (self.deprecated, Status.DEPRECATED),
        ):
            if gate is not None and version >= gate:
                return status
        return Status.OK


@dataclass(frozen=True, slots=True, eq=False)
class NginxDirective(_Lifetime):
    """One directive in one module."""

    name: str
    module: str
    contexts: tuple[str, ...]
    """Block names; also "if_in_server", "if_in_location", "limit_except" and "main"."""
    context_since: Mapping[str, Version]
    """Contexts that came later than the directive itself."""
    min_args: int
    max_args: int | None
    """None = no limit."""
    repeat: Repeat
    inherit: Inheritance
    value: ValueKind
    values: Mapping[str, Version | None]
    """The fixed words it takes, with the version that introduced each (None = with the directive)."""
    defaults: tuple[tuple[Version | None, str], ...]
    """Since when which default applies, oldest first."""
    variables: Version | None
    """Since when variables are expanded; None = never, version 0 = always."""
    needs_openssl: Version | None
    removed_with_openssl: Version | None
    source: str
    """The documentation of the directive."""

    @property
    def arity(self) -> tuple[int, int | None]:
        """The least and the greatest number of arguments; None = no limit."""
        return self.min_args, self.max_args

    def default(self, version: Version) -> str | None:
        """The value in force where nothing sets it; None when there is none."""
        current = None
        for since, value in self.defaults:
            if since is None or version >= since:
                current = value
        return current

    def introduced(self) -> Version | None:
        """The version that introduced it in this module; None when it is older than the change log tells."""
        return self.since

    def allowed_in(self, context: str, version: Version | None = None) -> bool:
        """Whether it may stand in that block; with a version, whether it may already."""
        since = self.context_since.get(context)
        return context in self.contexts and (since is None or version is None or version >= since)

    def canonical_value(self, word: str) -> str | None:
        """The word as documented ("tlsv1.2" gives "TLSv1.2"), or None when it is not one of `values` ("on" and "off" of
        a flag).

        nginx compares the words of flags, enumerations and sets without regard to case, all others exactly.
        """
        words = ("on", "off") if self.value is ValueKind.FLAG else tuple(self.values)
        if self.value not in (ValueKind.FLAG, ValueKind.ENUM, ValueKind.SET):
            return word if word in words else None
        folded = word.lower()
        return next((candidate for candidate in words if candidate.lower() == folded), None)

    def value_status(self, word: str, version: Version | None) -> Status:
        """How that version takes one of `values`: OK, NOT_YET, or UNKNOWN for a word that is not among them."""
        canonical = self.canonical_value(word)
        if canonical is None:
            return Status.UNKNOWN
        since = self.values.get(canonical)
        if since is None:
            return Status.OK
        if version is None:
            return Status.UNKNOWN
        return Status.OK if version >= since else Status.NOT_YET


@dataclass(frozen=True, slots=True, eq=False)
class ListenParameter(_Lifetime):
    """One parameter of `listen`, spelled with its "=" when it takes a value."""

    name: str
    module: str


@cache
def directive(name: str, module: str = "http") -> NginxDirective | None:
    """The directive of that name in a module ("main", "http", "stream", "mail").

    None when the table does not cover it.
    """
    facts = _facts()["directives"][module].get(name)
    return None if facts is None else _directive(name, module, facts)


@cache
def listen_parameter(word: str, module: str = "http") -> ListenParameter | None:
    """The parameter that a word after the address of `listen` is ("ssl", "backlog=511").

    None when nginx never knew it.
    """
    name = word[: word.index("=") + 1] if "=" in word else word
    facts = _facts()["listen"][module].get(name)
    return None if facts is None else ListenParameter(**_lifetime(facts), name=name, module=module)


def status(name: str, module: str, version: Version | None) -> Status:
    """How that version of nginx takes the directive; UNKNOWN when the table does not cover it."""
    found = directive(name, module)
    return Status.UNKNOWN if found is None else found.status(version)


def names(module: str) -> tuple[str, ...]:
    """The directives that the table covers in a module, in alphabetical order."""
    return tuple(_facts()["directives"][module])


def listen_parameters(module: str) -> tuple[str, ...]:
    """The parameters of `listen` in a module."""
    return tuple(_facts()["listen"][module])


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = read_facts(__file__, "nginx_directives.json")
    return facts


def _version(text: str | None) -> Version | None:
    return Version(text) if text else None


def _lifetime(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "since": _version(facts.get("since")),
        "deprecated": _version(facts.get("deprecated")),
        "obsolete": _version(facts.get("obsolete")),
        "removed": _version(facts.get("removed")),
        "successor": facts.get("successor"),
        "commercial": facts.get("commercial", False),
    }


def _directive(name: str, module: str, facts: Mapping[str, Any]) -> NginxDirective:
    low, high = _argument_range(facts["args"])
    return NginxDirective(
        **_lifetime(facts),
        name=name,
        module=module,
        contexts=tuple(facts["contexts"].split()),
        context_since=MappingProxyType({key: Version(text) for key, text in facts.get("context_since", {}).items()}),
        min_args=low,
        max_args=high,
        repeat=Repeat(facts["repeat"]),
        inherit=Inheritance(facts.get("inherit", "replaced")),
        value=ValueKind(facts.get("value", "string")),
        values=MappingProxyType({word: _version(text) for word, text in facts.get("values", {}).items()}),
        defaults=_defaults(facts.get("default")),
        variables=Version(facts["variables"] or "0") if "variables" in facts else None,
        needs_openssl=_version(facts.get("needs_openssl")),
        removed_with_openssl=_version(facts.get("removed_with_openssl")),
        source=f"{_facts()['sources'][facts['source']]}#{name}",
    )


def _argument_range(text: str) -> tuple[int, int | None]:
    """("1", "1-2" or "1+") as numbers."""
    if text.endswith("+"):
        return int(text[:-1]), None
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def _defaults(facts: str | Mapping[str, str] | None) -> tuple[tuple[Version | None, str], ...]:
    if facts is None:
        return ()
    if isinstance(facts, str):
        return ((None, facts),)
    return tuple((_version(since), value) for since, value in facts.items())
