"""A whole TLS 1.3 handshake by hand, to see what the server encrypts: certificate, CertificateRequest, ALPN."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support import handshake as hs
from support.channel import Channel, Place
from support.handshake import ClientHello, MalformedMessageError, Reader, ServerHello, u16, vector

Aead = AESGCM | ChaCha20Poly1305 | AESCCM


@dataclass(frozen=True, slots=True)
class Suite:
    """The parts of a TLS 1.3 suite."""

    digest: str
    key_bytes: int
    aead: Callable[[bytes], Aead]
    tag_bytes: int = 16


SUITES: dict[int, Suite] = {
    0x1301: Suite("sha256", 16, AESGCM),
    0x1302: Suite("sha384", 32, AESGCM),
    0x1303: Suite("sha256", 32, ChaCha20Poly1305),
    0x1304: Suite("sha256", 16, AESCCM),
    0x1305: Suite("sha256", 16, lambda key: AESCCM(key, tag_length=8), 8),
}

CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {
    23: ec.SECP256R1,
    24: ec.SECP384R1,
    25: ec.SECP521R1,
    31: ec.BrainpoolP256R1,
    32: ec.BrainpoolP384R1,
    33: ec.BrainpoolP512R1,
}

# RFC 7919, appendix A: the prime is 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1
FFDHE = {256: (2048, 560316), 257: (3072, 2625351), 258: (4096, 5736041), 259: (6144, 15705020), 260: (8192, 10965728)}

KEY_SHARE_GROUPS = frozenset({29, 30, *CURVES, *FFDHE})


class HandshakeError(Exception):
    """The server ended the handshake; `alert` is its number, None when it just closed."""

    def __init__(self, alert: int | None, why: str = "") -> None:
        super().__init__(why or f"alert {alert}")
        self.alert = alert


@cache
def ffdhe_prime(group: int) -> int:
    bits, x = FFDHE[group]
    scale = bits + 64
    euler, term, k = 0, 1 << scale, 0
    while term:
        euler += term
        k += 1
        term //= k
    return (1 << bits) - (1 << (bits - 64)) + ((euler >> (scale - bits + 130)) + x) * (1 << 64) - 1


def key_share(group: int) -> tuple[bytes, Callable[[bytes], bytes]]:
    """A fresh public share for `group`, and the function from the peer's share to the shared secret."""
    if group == 29:
        x25519_key = x25519.X25519PrivateKey.generate()
        return (
            x25519_key.public_key().public_bytes_raw(),
            lambda peer: x25519_key.exchange(x25519.X25519PublicKey.from_public_bytes(peer)),
        )
    if group == 30:
        x448_key = x448.X448PrivateKey.generate()
        return (
            x448_key.public_key().public_bytes_raw(),
            lambda peer: x448_key.exchange(x448.X448PublicKey.from_public_bytes(peer)),
        )
    if group in CURVES:
        curve = CURVES[group]()
        ec_key = ec.generate_private_key(curve)
        return (
            ec_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
            lambda peer: ec_key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer)),
        )
    prime, size = ffdhe_prime(group), FFDHE[group][0] // 8
    # a test's secret need not be secret: a fixed short exponent keeps the 8192-bit group quick
    exponent = (1 << 255) + 12345
    return (
        pow(2, exponent, prime).to_bytes(size),
        lambda peer: pow(int.from_bytes(peer), exponent, prime).to_bytes(size),
    )


def expand_label(digest: str, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1)."""
    info = u16(length) + vector(1, b"tls13 " + label.encode()) + vector(1, context)
    made, block, counter = b"", b"", 1
    while len(made) < length:
        block = hmac.digest(secret, block + info + bytes([counter]), digest)
        made += block
        counter += 1
    return made[:length]


class Keys:
    """One direction's record protection."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self._aead = suite.aead(expand_label(suite.digest, secret, "key", b"", suite.key_bytes))
        self._iv = int.from_bytes(expand_label(suite.digest, secret, "iv", b"", 12))
        self._tag_bytes = suite.tag_bytes
        self._sequence = 0

    def _nonce(self) -> bytes:
        nonce = (self._iv ^ self._sequence).to_bytes(12)
        self._sequence += 1
        return nonce

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """The inner content type and plaintext of a record."""
        try:
            inner = self._aead.decrypt(self._nonce(), payload, header).rstrip(b"\0")
        except InvalidTag as error:
            raise MalformedMessageError("a record does not decrypt") from error
        return inner[-1], inner[:-1]

    def seal(self, content: int, data: bytes) -> bytes:
        inner = data + bytes([content])
        header = bytes([hs.APPLICATION_DATA]) + u16(0x0303) + u16(len(inner) + self._tag_bytes)
        return self._aead.encrypt(self._nonce(), inner, header)


@dataclass(slots=True)
class Finished13:
    """What a finished TLS 1.3 handshake showed."""

    suite: int
    group: int
    alpn: str | None = None
    chain: tuple[bytes, ...] = ()
    is_stapled: bool = False
    authorities: tuple[bytes, ...] | None = None
    """CA names of the CertificateRequest; None when the server asks for no certificate."""
    signature: int = 0
    tickets: int = 0
    lifetime: int | None = None
    """The lifetime of the last ticket in seconds."""
    early_data: bool = False
    """Whether the last ticket allows early data."""
    reply: bytes = b""
    """What the server answered to the request; empty when it closed without a word."""
    closed_by: int | None = field(default=None)
    """The alert after our Finished, when there was one."""


class Handshake13:
    """One handshake over one connection."""

    def __init__(self, channel: Channel, hello: ClientHello) -> None:
        self._channel = channel
        self._hello = hello
        self._transcript = b""
        self._opener: Keys | None = None

    def _records(self) -> Iterator[tuple[int, bytes]]:
        while (received := self._channel.read()) is not None:
            content, header, payload = received
            if content == 20:
                continue
            if content == hs.APPLICATION_DATA and self._opener:
                content, payload = self._opener.open(header, payload)
            if content == hs.ALERT:
                raise HandshakeError(payload[1])
            yield content, payload
        raise HandshakeError(None, "closed")

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        waiting = b""
        for content, payload in self._records():
            if content != hs.HANDSHAKE:
                raise MalformedMessageError(f"record of type {content} within the handshake")
            found, waiting = hs.split_messages(waiting + payload)
            yield from found

    def _say(self, hello: ClientHello) -> None:
        encoded = hello.encode()
        self._transcript += encoded
        self._channel.send(hs.HANDSHAKE, 0x0301, encoded)

    def _server_hello(self, messages: Iterator[tuple[int, bytes]]) -> ServerHello:
        kind, body = next(messages)
        if kind != hs.SERVER_HELLO:
            raise MalformedMessageError(f"message {kind} instead of ServerHello")
        answer = ServerHello.parse(body)
        if answer.version != 0x0304:
            raise HandshakeError(None, f"server chose version {answer.version:#06x}")
        if answer.is_retry:
            digest = hashlib.new(SUITES[answer.suite].digest, self._transcript).digest()
            self._transcript = hs.message(254, digest)
        self._transcript += hs.message(kind, body)
        return answer

    def run(self, request: bytes) -> Finished13:
        """Finish the handshake, send `request` and read an answer.

        Raises `HandshakeError` when the server refuses, `MalformedMessageError` when its bytes are wrong.
        """
        messages = self._messages()
        shares = {group: key_share(group) for group, _ in self._hello.key_shares}
        self._say(replace(self._hello, key_shares=tuple((group, made[0]) for group, made in shares.items())))
        answer = self._server_hello(messages)
        if answer.is_retry:
            group = answer.group
            if group is not None and group not in KEY_SHARE_GROUPS:
                raise MalformedMessageError(f"no key share for group {group}")
            if group is not None:
                shares = {group: key_share(group)}
            cookie = answer.extensions.get(44)
            again = replace(
                self._hello,
                key_shares=tuple((group, made[0]) for group, made in shares.items()),
                cookie=Reader(cookie).vector(2) if cookie else None,
            )
            self._say(again)
            answer = self._server_hello(messages)
        group = answer.group
        if group is None:
            raise MalformedMessageError("ServerHello without a key share")
        peer = Reader(answer.extensions[51][2:]).vector(2)
        return self._protected(messages, Finished13(answer.suite, group), shares[group][1](peer), request)

    def _protected(
        self, messages: Iterator[tuple[int, bytes]], seen: Finished13, shared: bytes, request: bytes
    ) -> Finished13:
        suite = SUITES[seen.suite]
        digest, size = suite.digest, hashlib.new(suite.digest).digest_size

        def transcript() -> bytes:
            return hashlib.new(digest, self._transcript).digest()

        def derive(secret: bytes, label: str, context: bytes) -> bytes:
            return expand_label(digest, secret, label, context, size)

        empty = hashlib.new(digest).digest()
        early = hmac.digest(bytes(size), bytes(size), digest)
        secret = hmac.digest(derive(early, "derived", empty), shared, digest)
        client, server = (derive(secret, f"{side} hs traffic", transcript()) for side in "cs")
        self._opener = Keys(suite, server)
        for kind, body in messages:
            if kind == hs.FINISHED:
                key = derive(server, "finished", b"")
                if body != hmac.digest(key, transcript(), digest):
                    raise MalformedMessageError("wrong server Finished")
            self._transcript += hs.message(kind, body)
            self._note(seen, kind, body)
            if kind == hs.FINISHED:
                break
        master = hmac.digest(derive(secret, "derived", empty), bytes(size), digest)
        client_data, server_data = (derive(master, f"{side} ap traffic", transcript()) for side in "cs")
        flight = b""
        if seen.authorities is not None:
            flight = hs.message(hs.CERTIFICATE, b"\0\0\0\0")  # no certificate
            self._transcript += flight
        flight += hs.message(hs.FINISHED, hmac.digest(derive(client, "finished", b""), transcript(), digest))
        self._channel.send(hs.APPLICATION_DATA, 0x0303, Keys(suite, client).seal(hs.HANDSHAKE, flight))
        if request:
            sealed = Keys(suite, client_data).seal(hs.APPLICATION_DATA, request)
            self._channel.send(hs.APPLICATION_DATA, 0x0303, sealed)
        self._opener = Keys(suite, server_data)
        self._read_reply(seen)
        return seen

    @staticmethod
    def _note(seen: Finished13, kind: int, body: bytes) -> None:
        if kind == hs.ENCRYPTED_EXTENSIONS:
            seen.alpn = hs.parse_alpn(hs.parse_extensions(Reader(body).vector(2)))
        elif kind == hs.CERTIFICATE_REQUEST:
            seen.authorities = hs.parse_certificate_request13(body)
        elif kind == hs.CERTIFICATE:
            seen.chain, seen.is_stapled = hs.parse_certificates13(body)
        elif kind == hs.CERTIFICATE_VERIFY:
            seen.signature = int.from_bytes(body[:2])

    @staticmethod
    def _note_ticket(seen: Finished13, body: bytes) -> None:
        """RFC 8446, 4.6.1."""
        reader = Reader(body)
        seen.tickets += 1
        seen.lifetime = reader.number(4)
        reader.number(4)
        reader.vector(1)
        reader.vector(2)
        seen.early_data = 42 in hs.parse_extensions(reader.vector(2))

    def _read_reply(self, seen: Finished13) -> None:
        try:
            for content, payload in self._records():
                if content == hs.APPLICATION_DATA:
                    seen.reply += payload
                    return
                found, _ = hs.split_messages(payload)
                for kind, body in found:
                    if kind == hs.SESSION_TICKET:
                        self._note_ticket(seen, body)
        except HandshakeError as failed:
            seen.closed_by = failed.alert


def finish(place: Place, hello: ClientHello, request: bytes) -> Finished13:
    """Run one TLS 1.3 handshake to its end; see `Handshake13.run` for what is raised."""
    with Channel(place) as channel:
        return Handshake13(channel, hello).run(request)
