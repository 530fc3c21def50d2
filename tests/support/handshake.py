"""Handshake messages as bytes: ClientHello out, the server's first flight in (RFC 5246, RFC 8446)."""

import os
from dataclasses import dataclass, field
from typing import Self

VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
VERSION_NUMBERS = {name: number for number, name in VERSIONS.items()}

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, SESSION_TICKET, ENCRYPTED_EXTENSIONS = 1, 2, 4, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, FINISHED, CERTIFICATE_STATUS = 15, 20, 22

# RFC 8446, 4.1.3: this value of random says that the message is a HelloRetryRequest
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class MalformedMessageError(Exception):
    """The peer's bytes are not the TLS message that they should be."""


class Reader:
    """Takes integers and length-prefixed vectors off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise MalformedMessageError(f"{count} bytes expected, {len(taken)} left")
        self._at += count
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def __bool__(self) -> bool:
        return self._at < len(self._data)


def vector(width: int, *parts: bytes) -> bytes:
    """`parts` behind their length in `width` bytes."""
    joined = b"".join(parts)
    return len(joined).to_bytes(width) + joined


def u16(number: int) -> bytes:
    return number.to_bytes(2)


def u16s(numbers: tuple[int, ...]) -> bytes:
    return vector(2, *map(u16, numbers))


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(3, body)


def record(content: int, version: int, data: bytes) -> bytes:
    return bytes([content]) + u16(version) + vector(2, data)


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What the client offers. Numbers are those on the wire."""

    version: int
    suites: tuple[int, ...]
    groups: tuple[int, ...]
    signatures: tuple[int, ...]
    sni: str | None = None
    alpn: tuple[str, ...] = ()
    key_shares: tuple[tuple[int, bytes], ...] = ()
    cookie: bytes | None = None
    also_tls13: bool = False
    random: bytes = field(default_factory=lambda: os.urandom(32))

    def _extensions(self) -> bytes:
        made: list[tuple[int, bytes]] = []
        if self.sni is not None:
            made.append((0, vector(2, b"\0", vector(2, self.sni.encode("ascii")))))
        made.append((5, b"\x01\0\0\0\0"))  # please staple an OCSP response
        made.append((10, u16s(self.groups)))
        made.append((11, b"\x01\0"))  # uncompressed points
        if self.version >= 0x0303:
            made.append((13, u16s(self.signatures)))
        if self.alpn:
            made.append((16, vector(2, *(vector(1, name.encode()) for name in self.alpn))))
        if self.version <= 0x0303:
            made.append((23, b""))  # extended master secret
            made.append((35, b""))  # session tickets
        if self.version == 0x0304 or self.also_tls13:
            versions = (0x0304, 0x0303) if self.also_tls13 else (0x0304,)
            made.append((43, vector(1, *map(u16, versions))))
            made.append((45, b"\x01\x01"))  # resumption with (EC)DHE
            made.append((51, vector(2, *(u16(group) + vector(2, share) for group, share in self.key_shares))))
        if self.cookie is not None:
            made.append((44, vector(2, self.cookie)))
        made.append((0xFF01, b"\0"))  # secure renegotiation
        return vector(2, *(u16(number) + vector(2, data) for number, data in made))

    def encode(self) -> bytes:
        """The handshake message."""
        body = u16(min(self.version, 0x0303)) + self.random + b"\0" + u16s(self.suites) + b"\x01\0"
        # an SSL 3.0 client knows no extensions
        return message(CLIENT_HELLO, body + (self._extensions() if self.version > 0x0300 else b""))


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The server's choice; `version` is the negotiated one."""

    version: int
    suite: int
    is_retry: bool
    extensions: dict[int, bytes]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        reader = Reader(body)
        version = reader.number(2)
        random = reader.take(32)
        reader.vector(1)
        suite = reader.number(2)
        reader.take(1)
        extensions = parse_extensions(reader.vector(2)) if reader else {}
        if 43 in extensions:
            version = int.from_bytes(extensions[43])
        return cls(version, suite, random == RETRY_RANDOM, extensions)

    @property
    def group(self) -> int | None:
        """The group in the key share of TLS 1.3."""
        share = self.extensions.get(51)
        return int.from_bytes(share[:2]) if share else None

    @property
    def alpn(self) -> str | None:
        return parse_alpn(self.extensions)


def parse_extensions(data: bytes) -> dict[int, bytes]:
    reader = Reader(data)
    found = {}
    while reader:
        number = reader.number(2)
        found[number] = reader.vector(2)
    return found


def parse_alpn(extensions: dict[int, bytes]) -> str | None:
    if 16 not in extensions:
        return None
    return Reader(Reader(extensions[16]).vector(2)).vector(1).decode()


def parse_certificates(body: bytes) -> tuple[bytes, ...]:
    """DER of each certificate in a Certificate message up to TLS 1.2."""
    reader = Reader(Reader(body).vector(3))
    found = []
    while reader:
        found.append(reader.vector(3))
    return tuple(found)


def parse_certificates13(body: bytes) -> tuple[tuple[bytes, ...], bool]:
    """DER of each certificate in a Certificate message of TLS 1.3, and whether an OCSP response is stapled."""
    reader = Reader(body)
    reader.vector(1)
    entries = Reader(reader.vector(3))
    found, is_stapled = [], False
    while entries:
        found.append(entries.vector(3))
        is_stapled |= 5 in parse_extensions(entries.vector(2))
    return tuple(found), is_stapled


def parse_authorities(data: bytes) -> tuple[bytes, ...]:
    """DER of each distinguished name in a list of certification authorities."""
    reader = Reader(data)
    found = []
    while reader:
        found.append(reader.vector(2))
    return tuple(found)


def parse_certificate_request(body: bytes, version: int) -> tuple[bytes, ...]:
    """The CA names of a CertificateRequest up to TLS 1.2."""
    reader = Reader(body)
    reader.vector(1)
    if version == 0x0303:
        reader.vector(2)
    return parse_authorities(reader.vector(2))


def parse_certificate_request13(body: bytes) -> tuple[bytes, ...]:
    """The CA names of a CertificateRequest of TLS 1.3."""
    reader = Reader(body)
    reader.vector(1)
    authorities = parse_extensions(reader.vector(2)).get(47)
    return parse_authorities(Reader(authorities).vector(2)) if authorities else ()


def split_messages(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The complete handshake messages in `data` as (type, body), and what is left."""
    found = []
    while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[1:4]):
        end = 4 + int.from_bytes(data[1:4])
        found.append((data[0], data[4:end]))
        data = data[end:]
    return found, data
