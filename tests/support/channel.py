"""A TCP (or unix) connection that speaks in TLS records."""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from support.handshake import record

StartTls = Literal["smtp", "imap", "pop3"]

# (end of the greeting, the command, beginning of a positive answer)
STARTTLS: dict[StartTls, tuple[bytes, bytes]] = {
    "smtp": (b"STARTTLS\r\n", b"220"),
    "imap": (b"a STARTTLS\r\n", b"a OK"),
    "pop3": (b"STLS\r\n", b"+OK"),
}


class NotTlsError(Exception):
    """The peer answered with something that is no TLS record."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect, and what to say before TLS begins."""

    address: str
    """An IPv4 or IPv6 address, or `unix:` and a path."""
    port: int
    starttls: StartTls | None = None
    proxy_protocol: bool = False
    timeout: float = 5.0

    def connect(self) -> socket.socket:
        """A connected socket, ready for the first TLS record."""
        if self.address.startswith("unix:"):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            target: str | tuple[str, int] = self.address.removeprefix("unix:")
        else:
            made = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM)
            target = (self.address, self.port)
        try:
            made.settimeout(self.timeout)
            made.connect(target)
            if made.family != socket.AF_UNIX:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # reset instead of TIME_WAIT: thousands of scans must not use up the ephemeral ports
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._introduce(made)
        except BaseException:
            made.close()
            raise
        return made

    def _introduce(self, connected: socket.socket) -> None:
        if self.proxy_protocol:
            connected.sendall(b"PROXY TCP4 127.0.0.1 127.0.0.1 40000 443\r\n")
        if self.starttls:
            command, answer = STARTTLS[self.starttls]
            connected.recv(4096)
            if self.starttls == "smtp":
                connected.sendall(b"EHLO client.example.test\r\n")
                connected.recv(4096)
            connected.sendall(command)
            received = connected.recv(4096)
            if not received.startswith(answer):
                raise NotTlsError(f"no STARTTLS: {received[:80]!r}")


class Channel:
    """One connection, read and written record by record."""

    def __init__(self, place: Place) -> None:
        self._socket = place.connect()
        self._buffer = b""

    def send(self, content: int, version: int, data: bytes) -> None:
        # a server that has given up may close while we still write; its alert is what counts
        with suppress(ConnectionError):
            self._socket.sendall(record(content, version, data))

    def _receive(self, count: int) -> bool:
        while len(self._buffer) < count:
            try:
                received = self._socket.recv(65536)
            except ConnectionError:
                return False
            if not received:
                return False
            self._buffer += received
        return True

    def read(self) -> tuple[int, bytes, bytes] | None:
        """The next record as (content type, header, payload); None when the peer has closed.

        Raises `NotTlsError` for bytes that are no record, `TimeoutError` when nothing comes.
        """
        if not self._receive(5):
            if self._buffer:
                raise NotTlsError(repr(self._buffer))
            return None
        header = self._buffer[:5]
        if not (20 <= header[0] <= 23 and header[1] == 3):
            raise NotTlsError(repr(self._buffer[:80]))
        end = 5 + int.from_bytes(header[3:5])
        if not self._receive(end):
            return None
        payload, self._buffer = self._buffer[5:end], self._buffer[end:]
        return header[0], header, payload

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
