"""How nginx chooses a virtual host by name: `server_name` patterns, their conflicts, and the lookup of an SNI.

Facts: the manual page "Server names", nginx's sources (ngx_hash.c, ngx_http.c, ngx_http_core_module.c,
ngx_http_request.c) and measurements on running servers; messages are in nginx's words.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.target import Version

if TYPE_CHECKING:
    from tlslint.resolve.nginx_regex import Regex

Kind = Literal["exact", "wildcard", "dotted", "regex", "empty"]


class Undecidable(enum.Enum):
    """The answer where a regular expression decides whose matches cannot be foretold."""

    UNDECIDED = "undecided"


UNDECIDED: Final = Undecidable.UNDECIDED


@dataclass(frozen=True, slots=True)
class NamePattern:
    """One argument of `server_name`."""

    text: str
    """As written."""
    kind: Kind
    error: str | None = None
    """Why nginx refuses the configuration, wherever the name stands."""
    shared_error: str | None = None
    """Why nginx refuses it as soon as the names of the socket are consulted; the socket's name is to be added."""
    warning: str | None = None
    """What nginx says of it and then accepts it."""
    dead: str | None = None
    """Why no client will ever ask for such a name, although nginx accepts it."""
    regex: "Regex | None" = None
    undecided: str | None = None
    """Why the matches of a regular expression cannot be foretold."""

    @property
    def captures(self) -> bool:
        """Whether it is a regular expression with groups (as far as is known)."""
        if self.regex is not None:
            return self.regex.captures
        return self.kind == "regex" and re.search(r"(?<!\\)\((?!\?)|\(\?P?<(?![=!])|\(\?'", self.text) is not None


@lru_cache(maxsize=65536)
def classify(text: str) -> NamePattern:
    """Say what nginx makes of one argument of `server_name`."""
    if not text:
        return NamePattern(text, "empty")
    if (text[0] == "*" and (len(text.encode("utf-8", "surrogateescape")) < 3 or text[1] != ".")) or text == ".":
        return NamePattern(text, "exact", error=f'server name "{text}" is invalid')
    warning = f'server name "{text}" has suspicious symbols' if "/" in text else None
    if text[0] == "~":
        return _classify_regex(text, warning)
    kind: Kind = "exact"
    if text[0] == ".":
        kind = "dotted"
    elif text.startswith("*.") or (len(text) > 2 and text.endswith(".*")):
        kind = "wildcard"
    shared = None
    if text.count("*") > 1 or ".." in text or ("*" in text and kind == "exact"):
        shared = f'invalid server name or wildcard "{text.lower()}"'
    return NamePattern(text, kind, shared_error=shared, warning=warning, dead=_why_dead(text, kind))


def _classify_regex(text: str, warning: str | None) -> NamePattern:
    if len(text) == 1:
        return NamePattern(text, "regex", error=f'empty regex in server name "{text}"')
    # most configurations have none, and the start is to be fast
    from tlslint.resolve.nginx_regex import Regex, RegexError, Unpredictable

    try:
        return NamePattern(text, "regex", warning=warning, regex=Regex(text[1:]))
    except RegexError as error:
        return NamePattern(text, "regex", error=f'pcre2_compile() failed: {error} in "{text[1:]}"')
    except Unpredictable as error:
        return NamePattern(text, "regex", warning=warning, undecided=str(error))


_HOST_NAME: Final = regex(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_BRACKETED: Final = regex(r"\[[0-9a-f:.]+\]")


def _why_dead(text: str, kind: Kind) -> str | None:
    """Clients ask for ASCII host names without port and final dot (RFC 6066, section 3; RFC 9110, section 7.2)."""
    if text.lower() == "$hostname":
        return None
    name = text.lower()
    if kind == "dotted":
        name = name[1:]
    elif kind == "wildcard":
        name = name.removeprefix("*.").removesuffix(".*")
    if _HOST_NAME.fullmatch(name):
        return None
    if kind == "exact" and _BRACKETED.fullmatch(name):
        return None
    return _first_obstacle(name)


def _first_obstacle(name: str) -> str:
    if not name.isascii():
        return "clients send international names in their ASCII form (xn--…)"
    if "*" in name:
        return "an asterisk stands for something only as the first or the last label"
    if name.startswith("$") or "${" in name:
        return "variables are not expanded here"
    if name.endswith(".") and ".." not in name:
        return "the final dot of what a client asks for is removed before comparing"
    if re.search(r":\d*$", name):
        return "the port of what a client asks for is removed before comparing"
    if "," in name:
        return "names are separated by spaces, the comma is taken for a part of the name"
    odd = re.search(r"[^a-z0-9_.-]", name)
    return f'no host name has "{odd[0]}" in it' if odd else "a label of it is empty"


# what a client asks for

_STRICT_SINCE: Final = Version("1.29.4")
_STREAM_NAMES_SINCE: Final = Version("1.25.5")
_STRICT_HOST: Final = regex(r"([a-z0-9._~!$&'()*+,;=%-]*|\[[a-z0-9:._~!$&'()*+,;=-]*\])(?::([0-9]*))?")
_CONTROL: Final = regex("[\x00-\x20/\x7f]")


def normalise(asked: str, version: Version | None = None) -> str | None:
    """The name that nginx looks up when a client asks for this one; None where it is treated as if none was sent."""
    if not asked.isascii():
        asked = asked.encode("utf-8", "surrogateescape").decode("latin-1")
        lowered = "".join(character.lower() if character.isascii() else character for character in asked)
        found = _normalise(lowered, version)
        return None if found is None else found.encode("latin-1").decode("utf-8", "surrogateescape")
    return _normalise(asked.lower(), version)


def _normalise(asked: str, version: Version | None) -> str | None:
    if ".." in asked:
        return None
    if version is None or version >= _STRICT_SINCE:
        found = _STRICT_HOST.fullmatch(asked)
        if found is None or int(found[2] or 0) > 65535:
            return None
        host, rest = found[1], ""
    elif _CONTROL.search(asked):
        return None
    else:
        host, rest = _without_port(asked)
    if "." not in rest:  # nginx only remembers the last dot
        host = host.removesuffix(".")
    return host or None


def _without_port(asked: str) -> tuple[str, str]:
    if asked.startswith("["):
        literal, bracket, rest = asked.partition("]")
        return literal + bracket, rest
    host, _, rest = asked.partition(":")
    return host, rest


# one socket

_MAX_NAME: Final = 255
"""Length of the longest name that a client asks for (RFC 1035, section 2.3.4)."""
HASH_BUCKET_SIZE: Final = 64
"""nginx's default for `server_names_hash_bucket_size` where a cache line has 64 bytes."""


@dataclass(frozen=True, slots=True)
class NameProblem:
    """What nginx says of a name on this socket: `emerg` or `warn`, and where (`host`, `name`: indexes)."""

    host: int
    name: int
    message: str
    level: Literal["emerg", "warn"] = "emerg"


class NameTable:
    """The names of one socket's virtual hosts, as nginx looks them up.

    `hosts` has the names of each host in textual order, each as written; a host without names has the empty name.
    `default` is the index of the default server. `hostname` is what `$hostname` stands for; where it is not known,
    such a name is taken for one that no other host has and nobody asks for. `label` is the socket in messages.
    """

    def __init__(
        self,
        hosts: Sequence[Sequence[str]],
        *,
        default: int = 0,
        label: str = "",
        version: Version | None = None,
        module: str = "http",
        hostname: str | None = None,
        bucket_size: int = HASH_BUCKET_SIZE,
    ) -> None:
        self.hosts = [list(names) or [""] for names in hosts]
        self.default = default
        self.label = label
        self.version = version
        self.module = module
        self.hostname = hostname.lower() if hostname else None
        self.conflicts: list[tuple[int, int, int]] = []
        """(host, name, earlier host): names that nginx ignores because an earlier host has them."""
        self.problems: list[NameProblem] = []
        """What nginx says of these names, in its order; only where names are consulted."""
        self._exact: dict[str, int] = {}
        self._dotted: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._tails: dict[str, int] = {}
        self._regexes: list[tuple[int, NamePattern]] = []
        self._taken_exact: dict[str, int] = {}
        self._taken_heads: dict[str, int] = {}
        self.consulted = self._consults()
        """Whether nginx looks at names at all: not with one host, unless its last regular expression captures.

        Nor in mail, nor in stream before 1.25.5.
        """
        if self.consulted:
            self._fill(bucket_size)

    def _consults(self) -> bool:
        is_too_old = self.version is not None and self.version < _STREAM_NAMES_SINCE
        if self.module == "mail" or (self.module == "stream" and is_too_old):
            return False
        if len(self.hosts) != 1:
            return bool(self.hosts)
        regexes = [text for text in self.hosts[0] if text.startswith("~")]
        return bool(regexes) and classify(regexes[-1]).captures

    def _fill(self, bucket_size: int) -> None:
        for host, names in enumerate(self.hosts):
            for index, text in enumerate(names):
                pattern = classify(text)
                if pattern.error is not None:
                    continue
                if pattern.kind == "regex":
                    self._regexes.append((host, pattern))
                elif pattern.shared_error is not None:
                    self.problems.append(NameProblem(host, index, f"{pattern.shared_error} on {self.label}"))
                else:
                    self._add(host, index, self._resolved(text), bucket_size)

    def _resolved(self, text: str) -> str:
        if text.lower() == "$hostname" and self.hostname is not None:
            return self.hostname
        return text.lower() if text.isascii() else _lower_ascii(text)

    def _add(self, host: int, index: int, name: str, bucket_size: int) -> None:
        first = self._place(host, name)
        if first is not None:
            self.conflicts.append((host, index, first))
            message = f'conflicting server name "{name}" on {self.label}, ignored'
            self.problems.append(NameProblem(host, index, message, "warn"))
        elif not _fits(name, bucket_size):
            message = (
                f"could not build server_names_hash, you should increase server_names_hash_bucket_size: {bucket_size}"
            )
            self.problems.append(NameProblem(host, index, message))

    def _place(self, host: int, name: str) -> int | None:
        """Enter the name for the host; return the host that has it already, if one has."""
        if len(name) > 1 and name[0] == ".":
            return self._place_dotted(host, name[1:])
        if name.startswith("*.") and len(name) > 2:
            return _enter(self._taken_heads, self._heads, name[2:], host)
        if name.endswith(".*") and len(name) > 2:
            return _enter(self._tails, self._tails, name[:-2], host)
        return _enter(self._taken_exact, self._exact, name, host)

    def _place_dotted(self, host: int, name: str) -> int | None:
        first = self._taken_exact.get(name)
        if first is not None:
            return first
        # taken even if the other half then turns out to be in conflict: nobody answers for the bare name
        self._taken_exact[name] = host
        first = _enter(self._taken_heads, self._heads, name, host)
        if first is None:
            self._dotted[name] = host
        return first

    def lookup(self, sni: str | None) -> int | Undecidable | None:
        """The index of the host that a client gets who asks for this name, or None for the default server.

        None also for no SNI, for one that nginx does not accept as a host name, and where names are not consulted.
        """
        if sni is None or not self.consulted:
            return None
        name = normalise(sni, self.version)
        if name is None:
            return None
        found = self._lookup_hashed(name)
        return self._lookup_regex(name) if found is None else found

    def _lookup_hashed(self, name: str) -> int | None:
        found = self._exact.get(name)
        if found is None:
            found = self._dotted.get(name)
        if found is None and self._heads:
            found = next((self._heads[rest] for rest in _suffixes(name) if rest in self._heads), None)
        if found is None and self._tails:
            found = next((self._tails[rest] for rest in _prefixes(name) if rest in self._tails), None)
        return found

    def _lookup_regex(self, name: str) -> int | Undecidable | None:
        for host, pattern in self._regexes:
            if pattern.regex is None:
                return UNDECIDED
            if pattern.regex.matches(name):
                return host
        return None

    def answering(self, sni: str | None) -> int | Undecidable:
        """Like `lookup`, with the index of the default server instead of None."""
        found = self.lookup(sni)
        return self.default if found is None else found

    def unclaimed(self) -> str | Undecidable | None:
        """A name that no host claims; None if every name that was tried is claimed, as by `~.`."""
        undecided = False
        for name in _strange_names():
            found = self.lookup(name)
            if found is None:
                return name
            undecided |= found is UNDECIDED
        return UNDECIDED if undecided else None

    def sample(self, text: str, host: int | None = None) -> str | Undecidable | None:
        """A name that a client could ask for, that matches this pattern, and that this host then answers.

        `host` is the host that has the pattern, by default the first one. None if the pattern is shadowed, dead or
        invalid there; undecided where regular expressions do not show it.
        """
        if host is None:
            host = next((index for index, names in enumerate(self.hosts) if text in names), None)
        pattern = classify(text)
        if host is None or pattern.error or pattern.dead or (self.consulted and pattern.shared_error):
            return None
        if pattern.kind == "regex" and pattern.regex is None:
            return UNDECIDED
        undecided = pattern.kind == "regex"
        for name in self._candidates(pattern):
            found = self.answering(name)
            if found == host and (pattern.kind != "regex" or not self._lookup_is_other(name, host)):
                return name
            undecided |= found is UNDECIDED
        return UNDECIDED if undecided and not self._is_shadowed(pattern, host) else None

    def _lookup_is_other(self, name: str, host: int) -> bool:
        """Whether the host answers only because it is the default server."""
        return self.consulted and self.lookup(name) != host

    def _is_shadowed(self, pattern: NamePattern, host: int) -> bool:
        """Whether an earlier regular expression is the same or matches every name."""
        for other, earlier in self._regexes:
            if other == host and earlier.text == pattern.text:
                return False
            if earlier.text == pattern.text or (earlier.regex is not None and earlier.regex.matches_everything):
                return pattern.kind == "regex"
        return False

    def _candidates(self, pattern: NamePattern) -> Iterator[str]:
        """Names that match the pattern, each of them one that a client could ask for."""
        text = self._resolved(pattern.text)
        match pattern.kind:
            case "exact":
                if text != "$hostname":
                    yield text
            case "dotted":
                yield text[1:]
                yield from (label + text for label in _LABELS)
            case "wildcard" if text.startswith("*."):
                yield from (label + text[1:] for label in _LABELS)
            case "wildcard":
                yield from (text[:-1] + label for label in _TOP_LABELS)
            case "regex":
                assert pattern.regex is not None
                for name in pattern.regex.samples():
                    if _HOST_NAME.fullmatch(name) and len(name) <= _MAX_NAME and pattern.regex.matches(name):
                        yield name


_LABELS: Final = ("www", "a", "sample", "sample-7f3a", "x.sample-7f3a", "q9.x.sample-7f3a")
_TOP_LABELS: Final = ("com", "net", "example", "sample-7f3a", "sample.test", "q9.sample-7f3a.test")


def _lower_ascii(text: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in text)


def _enter(taken: dict[str, int], table: dict[str, int], name: str, host: int) -> int | None:
    first = taken.get(name)
    if first is None:
        taken[name] = host
        table[name] = host
    return first


def _suffixes(name: str) -> Iterator[str]:
    """What follows each dot of the name, the longest first."""
    at = name.find(".")
    while at >= 0:
        yield name[at + 1 :]
        at = name.find(".", at + 1)


def _prefixes(name: str) -> Iterator[str]:
    """What precedes each dot of the name, the longest first."""
    at = name.rfind(".")
    while at >= 0:
        yield name[:at]
        at = name.rfind(".", 0, at)


def _fits(name: str, bucket_size: int) -> bool:
    """Whether each key of the name fits into one bucket of nginx's hash, on a machine with 8-byte pointers."""
    if _entry_bytes(name) <= bucket_size:
        return True
    is_wildcard = name.startswith((".", "*.")) or name.endswith(".*")
    return is_wildcard and max(map(_entry_bytes, name.split("."))) <= bucket_size


def _entry_bytes(key: str) -> int:
    """What a key takes up in a bucket: two pointers around its length and text, filled up to whole pointers."""
    return 16 + (len(key.encode("utf-8", "surrogateescape")) + 2 + 7) // 8 * 8


def _strange_names() -> Iterator[str]:
    """Names of many shapes that hardly any configuration means."""
    stems = ("unclaimed-5c1e", "unclaimed", "5117", "u_5c1e", "x.unclaimed-5c1e", "a.b.c.unclaimed", "u" * 60, "zq")
    for top in ("invalid", "test", "example", "com", "local"):
        yield from (f"{stem}.{top}" for stem in stems)
    yield from ("unclaimed", "zq-5c1e", "5117", "u_")


__all__ = [
    "HASH_BUCKET_SIZE", "UNDECIDED", "NamePattern", "NameProblem", "NameTable", "Undecidable", "classify", "normalise",
]  # fmt: skip
