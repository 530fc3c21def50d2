"""Apache's `Listen` lines: addresses and ports as httpd reads them, and which lines get in each other's way.

Facts: httpd's listen.c and vhost.c, apr_sockaddr_parse_addr_port, and measurements on httpd 2.4.71. Names are never
looked up: what address they have is not in the configuration.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from socket import AF_INET, AF_INET6, inet_aton, inet_ntop, inet_pton
from typing import Final, Literal, NamedTuple

Family = Literal["any", "inet", "inet6", "name", "garbage"]

ANY_INET: Final = "0.0.0.0"
ANY_INET6: Final = "[::]"
ANY: Final = (ANY_INET, ANY_INET6)
LOCALHOST: Final = "127.0.0.1"
"""What `localhost` is taken for (RFC 6761, section 6.3); no other name is known without asking."""
HTTPS_PORT: Final = 443
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")


class AddressPort(NamedTuple):
    """What httpd takes a word for: the host as written (None: a port alone), and the port (0: none)."""

    host: str | None
    port: int


def split_address(word: str) -> AddressPort | None:
    """Split a word as apr_parse_addr_port does; None where httpd calls it invalid."""
    digits = len(word) - len(word.rstrip("0123456789"))
    host, number = word[: len(word) - digits], word[len(word) - digits :]
    if not host and number:
        return AddressPort(None, int(number)) if _is_port(number) else None
    port = 0
    if number and host.endswith(":"):
        host = host[:-1]
        if not host or not _is_port(number):
            return None
        port = int(number)
    else:
        host = word
    if host.startswith("["):
        if not host.endswith("]") or host.index("]") != len(host) - 1:
            return None
        host = host[1:-1]
        zone = host.find("%")
        if zone == len(host) - 1 or _packed(AF_INET6, _short(host if zone < 0 else host[:zone])) is None:
            return None
    return AddressPort(host, port)


def _short(address: str) -> str:
    """Drop leading zeros, of which APR reads any number; the C library, which is asked later, reads four digits."""
    return ":".join(part if "." in part else re.sub(r"^0+(?=.)", "", part) for part in address.split(":"))


def _is_port(number: str) -> bool:
    return len(number) <= 12 and 0 < int(number) <= 65535


def _packed(family: int, text: str) -> bytes | None:
    try:
        return inet_pton(family, text)
    except (OSError, UnicodeError, ValueError):
        return None


def canonical(host: str) -> tuple[Family, str]:
    """Return what kind of host this is, and one spelling for it: IPv6 in brackets, mapped IPv4 as IPv4, lower case."""
    packed = _packed(AF_INET6, host.partition("%")[0]) if ":" in host else None
    if packed is not None:
        if packed.startswith(b"\0" * 10 + b"\xff\xff"):
            return "inet", inet_ntop(AF_INET, packed[12:])
        return "inet6", f"[{inet_ntop(AF_INET6, packed)}]"
    try:
        # the C library's resolver reads short and octal forms too
        return "inet", inet_ntop(AF_INET, inet_aton(host)) if host.strip() == host and host else ""
    except (OSError, UnicodeError, ValueError):
        pass
    if host.lower() == "localhost":
        return "inet", LOCALHOST
    return ("name", host.lower()) if _HOST_NAME.fullmatch(host) else ("garbage", host)


class Listen(NamedTuple):
    """A `Listen` line: where it binds, and the protocol that the hosts on that very address speak."""

    address: str
    """`[::]`, `0.0.0.0`, `127.0.0.1`, or a name as written."""
    port: int
    protocol: str
    family: Family
    written: str = ""
    """The host as written; empty for a port alone, and for `*`."""

    @property
    def wildcard(self) -> bool:
        """Whether it takes connections to every address of the machine."""
        return self.address in ANY


def parse_listen(words: Sequence[str]) -> Listen | str:
    """Read the arguments of a `Listen` line; a message in httpd's words where it does not pass `-t`."""
    if not 1 <= len(words) <= 2:
        return "Listen requires 1 or 2 arguments."
    split = split_address(words[0])
    if split is None:
        return "Invalid address or port"
    if not split.port:
        return "Port must be specified"
    protocol = words[1].lower() if len(words) == 2 else "https" if split.port == HTTPS_PORT else "http"
    if split.host is None or split.host == "*":
        # one socket for both families, as long as nothing else takes IPv4
        return Listen(ANY_INET6, split.port, protocol, "any")
    family, address = canonical(split.host)
    if family == "garbage":
        return f"Listen setup failed: the host {split.host} cannot be found"
    return Listen(address, split.port, protocol, family, split.host)


class Conflict(NamedTuple):
    """Two `Listen` lines, by index, that cannot both be: `early` where already `-t` says so, which compares text."""

    first: int
    second: int
    early: bool


def conflicts(listens: Sequence[Listen]) -> Iterator[Conflict]:
    """Yield the pairs of lines that bind the same address; names may have any address, so that they are left out."""
    by_port: dict[int, list[int]] = {}
    for index, listen in enumerate(listens):
        if listen.family != "name":
            by_port.setdefault(listen.port, []).append(index)
    for indices in by_port.values():
        for first, second in combinations(indices, 2):
            one, other = listens[first], listens[second]
            if _clash(one, other):
                yield Conflict(first, second, one.written == other.written)


def _clash(one: Listen, other: Listen) -> bool:
    if one.address == other.address:
        return True
    if {one.address, other.address} == set(ANY):
        return False  # httpd then keeps the IPv6 socket to IPv6
    if not one.wildcard and not other.wildcard:
        return False
    wide, narrow = (one, other) if one.wildcard else (other, one)
    return wide.address == ANY_INET6 or narrow.family == "inet"


def is_dual_stack(listen: Listen, listens: Sequence[Listen]) -> bool:
    """Whether the socket of a line takes IPv4 connections besides those of IPv6."""
    return listen.address == ANY_INET6 and not any(
        other.address == ANY_INET and other.port == listen.port for other in listens
    )
