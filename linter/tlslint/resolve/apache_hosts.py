"""How Apache finds the virtual host of a connection: by address first, then, among those that share it, by name.

The first stage is the same for HTTP and TLS. All virtual hosts with one address and port are a chain, in the order of
the configuration; exactly one chain is chosen for a connection, and chains never mix. The first host of the chain
opens the connection; a name only chooses within the chain. A chain of one host answers every name.

Facts: httpd's vhost.c, ssl_engine_kernel.c, and `apache2 -S` of 2.4.71.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal

from tlslint.record import dataclass
from tlslint.resolve.apache_listen import ANY, canonical, split_address

ANY_PORT: Final = 0
ANY_ADDRESS: Final = "*"
PROBE: Final = "tlslint-probe"
"""A label that nobody uses, for names that match a pattern."""


class HostAddress:
    """One address in the start tag of a virtual host."""

    __slots__ = ("address", "dead", "port", "text")

    def __init__(self, text: str, address: str, port: int, dead: str = "") -> None:
        self.text = text
        self.address = address
        """`*` for every address, `127.0.0.1`, `[::1]`, or a name in lower case."""
        self.port = port
        """`ANY_PORT` for every port."""
        self.dead = dead
        """Why httpd drops this address, with a warning only; or empty."""

    @property
    def key(self) -> tuple[str, int]:
        """What makes virtual hosts share a chain."""
        return self.address, self.port

    @property
    def is_name(self) -> bool:
        """Whether the address is that of a host name, which only a resolver knows."""
        return not self.dead and self.address != ANY_ADDRESS and canonical(self.address.strip("[]"))[0] == "name"

    def __repr__(self) -> str:
        return f"HostAddress({self.text!r}, {self.address!r}, {self.port})"


def parse_address(word: str, default_port: int = ANY_PORT) -> HostAddress | str:
    """Read one word of a start tag; a message in httpd's words where it does not pass `-t`.

    `default_port` is the port of the main server's name, where that is known by then.
    """
    text, every_port = word, False
    if len(word) > 2 and word.endswith(":*"):
        word, every_port = word[:-2], True
    split = split_address(word)
    if split is None:
        return "The address or port is invalid"
    if split.host is None:
        return "Missing address for VirtualHost"
    port = split.port
    if not port and not every_port and text != ANY_ADDRESS:
        port = default_port
    if split.host == ANY_ADDRESS or split.host.lower() == "_default_":
        return HostAddress(text, ANY_ADDRESS, port)
    family, address = canonical(split.host)
    if family == "garbage":
        return HostAddress(text, split.host, port, f'"{text}" is no address and no host name')
    return HostAddress(text, ANY_ADDRESS if address in ANY else address, port)


class Chain:
    """The virtual hosts of one address and port, by index, in the order of the configuration."""

    __slots__ = ("address", "hosts", "port")

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.hosts: list[int] = []

    @property
    def is_name_based(self) -> bool:
        """Whether names play a part; the only host of a chain answers all of them."""
        return len(self.hosts) > 1

    def __repr__(self) -> str:
        return f"<Chain {self.address}:{self.port or '*'} {self.hosts}>"


class Chains:
    """All chains of a configuration."""

    def __init__(self, addresses: Sequence[Iterable[HostAddress]]) -> None:
        """Take the addresses of each virtual host, in the order of the configuration."""
        self._by_key: dict[tuple[str, int], Chain] = {}
        for index, words in enumerate(addresses):
            for each in words:
                if each.dead:
                    continue
                chain = self._by_key.get(each.key)
                if chain is None:
                    chain = self._by_key[each.key] = Chain(*each.key)
                if not chain.hosts or chain.hosts[-1] != index:
                    chain.hosts.append(index)

    def __iter__(self) -> Iterator[Chain]:
        return iter(self._by_key.values())

    def find(self, address: str, port: int) -> Chain | None:
        """Return the chain for a connection to a local address; None where the main server answers.

        `address` is one that no virtual host names for the answer of all other addresses.
        """
        for key in ((address, port), (address, ANY_PORT), (ANY_ADDRESS, port), (ANY_ADDRESS, ANY_PORT)):
            chain = self._by_key.get(key)
            if chain is not None:
                return chain
        return None

    def addresses(self, port: int) -> list[str]:
        """Return the addresses that virtual hosts name and that have a chain of their own for this port."""
        return list(
            dict.fromkeys(
                chain.address for chain in self if chain.address != ANY_ADDRESS and chain.port in (port, ANY_PORT)
            )
        )


NameKind = Literal["exact", "wildcard"]


class Name:
    """A name that a virtual host answers to."""

    __slots__ = ("kind", "text")

    def __init__(self, text: str, kind: NameKind = "exact") -> None:
        self.text = text
        self.kind = kind

    def matches(self, asked: str) -> bool:
        """Whether a name that a client sends is meant: case does not count, `*` is any text, `?` a character."""
        if self.kind == "exact":
            return self.text.lower() == asked.lower()
        return _pattern(self.text).fullmatch(asked) is not None


@lru_cache(maxsize=65536)
def _pattern(text: str) -> re.Pattern[str]:
    words = {"*": ".*", "?": "."}
    merged = re.sub(r"\*+", "*", text)
    return re.compile("".join(words.get(letter, re.escape(letter)) for letter in merged), re.IGNORECASE | re.DOTALL)


def alias(text: str) -> Name:
    """Return what one word of `ServerAlias` means."""
    return Name(text, "wildcard" if "*" in text or "?" in text else "exact")


def parse_server_name(text: str) -> tuple[str, int] | str:
    """Return name and port (0: none) of a `ServerName`; a message in httpd's words where it does not pass `-t`."""
    _, scheme, rest = text.partition("://")
    name = rest if scheme else text
    host, colon, number = name.partition(":")
    if not colon:
        return name, 0
    digits = re.match(r"[ \t]*\+?(\d{1,9})", number)
    port = int(digits[1]) if digits is not None else 0
    if not 0 < port < 65536:
        return f'The port number "{text}" is outside the appropriate range (i.e., 1..65535).'
    return host, port


class NameTable:
    """Who is chosen by name in a chain: a host's names in their order, the hosts in the order of the configuration."""

    def __init__(self, names: Sequence[Sequence[Name]]) -> None:
        self._names = names
        self._exact: dict[str, int] = {}
        self._wild: list[tuple[int, Name]] = []
        for index, own in enumerate(names):
            for name in own:
                if name.kind == "exact":
                    self._exact.setdefault(name.text.lower(), index)
                else:
                    self._wild.append((index, name))

    def select(self, asked: str) -> int:
        """Return which host (by its position in the chain) answers a name; the first one where nobody claims it."""
        return self.claims(asked) or 0

    def claims(self, asked: str) -> int | None:
        """Return which host claims a name, if any."""
        if len(self._names) < 2:
            return 0
        exact = self._exact.get(asked.lower())
        for index, name in self._wild:
            if exact is not None and index >= exact:
                break
            if name.matches(asked):
                return index
        return exact

    def sample(self, name: Name, position: int) -> str | None:
        """Return a name that is meant by `name` and that leads to this host; None where another host takes them all."""
        return next((asked for asked in _samples(name) if self.select(asked) == position), None)

    def unclaimed(self) -> str | None:
        """Return a name that nobody claims; None where a pattern takes every name."""
        asked = f"{PROBE}.invalid"
        return asked if len(self._names) < 2 or self.claims(asked) is None else None


def _samples(name: Name) -> Iterator[str]:
    if name.kind == "exact":
        yield name.text
        return
    for many, one in ((PROBE, "q"), (f"{PROBE}.{PROBE}", "7"), ("", "q"), ("q", "z")):
        yield name.text.replace("*", many).replace("?", one)


_NEVER_SENT: Final = re.compile(r"[^A-Za-z0-9._*?-]")


def can_be_sent(text: str) -> bool:
    """Whether a client's SNI can be that name or match that pattern: a host name without port or final dot."""
    return bool(text) and not text.endswith(".") and _NEVER_SENT.search(text) is None


def why_never_sent(text: str) -> str:
    """Say why no client's SNI is that name, for a name that `can_be_sent` denies."""
    if not text.isascii():
        return "clients send international names in their ASCII form (xn--…)"
    if text.startswith("#"):
        return "a comment has a line of its own; here each word is a name"
    if "," in text:
        return "names are separated by spaces, the comma is taken for a part of the name"
    if "$" in text:
        return "a variable that is not defined stays as it is written"
    if "/" in text:
        return "no host name has a path"
    if re.search(r":\d*$", text):
        return "the port of an alias is taken for a part of the name"
    if text.endswith("."):
        return "clients send names without the final dot"
    odd = _NEVER_SENT.search(text)
    return f'no host name has "{odd[0]}" in it' if odd else "a label of it is empty"


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A line of the virtual host map, as `apache2 -S` prints it: for tests and messages."""

    address: str
    port: int
    hosts: tuple[int, ...]


def host_map(chains: Chains) -> list[MapEntry]:
    """Return which hosts (by index) answer on which address, in a fixed order."""
    entries = [MapEntry(chain.address, chain.port, tuple(chain.hosts)) for chain in chains]
    return sorted(entries, key=lambda entry: (entry.address, entry.port))
