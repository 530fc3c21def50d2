"""Finish handshakes with real TLS libraries: a current OpenSSL through pyOpenSSL, older ones through nassl."""

import socket
import struct
from dataclasses import dataclass
from functools import lru_cache

from nassl._nassl import OpenSSLError
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum, SslClient
from OpenSSL import SSL

from support.channel import Place

EVERY_SUITE = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
EVERY_LEGACY_SUITE = "ALL:COMPLEMENTOFALL"
EVERY_13_SUITE = (
    b"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
    b":TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
)
# what a client of OpenSSL 4.0 offers unless told otherwise, which pyOpenSSL cannot
LIBRARY_GROUPS = frozenset(
    {"X25519MLKEM768", "X25519", "prime256v1", "X448", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072"}
)
PYOPENSSL_VERSIONS = {
    "TLSv1": SSL.TLS1_VERSION,
    "TLSv1.1": SSL.TLS1_1_VERSION,
    "TLSv1.2": SSL.TLS1_2_VERSION,
    "TLSv1.3": SSL.TLS1_3_VERSION,
}
NASSL_VERSIONS = {
    "SSLv3": OpenSslVersionEnum.SSLV3,
    "TLSv1": OpenSslVersionEnum.TLSV1,
    "TLSv1.1": OpenSslVersionEnum.TLSV1_1,
    "TLSv1.2": OpenSslVersionEnum.TLSV1_2,
}


# seconds after which a server that has not spoken is taken to wait for us
SILENCE = 0.3


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How a library's handshake went."""

    finished: bool
    error: str = ""
    reply: bytes = b""


def confirm(place: Place, protocol: str, sni: str | None, request: bytes, suites: tuple[str, ...] = ()) -> Confirmation:
    """Finish one handshake of `protocol` with a library, send `request` and read what comes back.

    OpenSSL 4.0 tries first; what it has dropped is left to the older ones. Every suite is offered, and where that
    fails only `suites` (up to TLS 1.2): a server may choose one that it then cannot serve.
    """
    confirmation = _confirm(place, protocol, sni, request, EVERY_SUITE)
    if confirmation.finished or protocol not in NASSL_VERSIONS or not suites:
        return confirmation
    return _confirm(place, protocol, sni, request, ":".join((*suites, "@SECLEVEL=0")))


def _confirm(place: Place, protocol: str, sni: str | None, request: bytes, ciphers: str) -> Confirmation:
    if protocol not in PYOPENSSL_VERSIONS:
        return _confirm_old(place, protocol, sni, request)
    confirmation, was_cut_off = _attempt(place, protocol, sni, request, ciphers, place.timeout)
    if was_cut_off:
        # a server that refuses our missing certificate may say so after we have finished, and unread bytes of ours
        # may cut its alert off: so listen once without a word
        confirmation, _ = _attempt(place, protocol, sni, b"", ciphers, SILENCE)
    if not confirmation.finished and protocol in NASSL_VERSIONS:
        older = _confirm_old(place, protocol, sni, request)
        return older if older.finished else confirmation
    return confirmation


@lru_cache(maxsize=64)
def _context(protocol: str, ciphers: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(PYOPENSSL_VERSIONS[protocol])
    context.set_max_proto_version(PYOPENSSL_VERSIONS[protocol])
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(ciphers.encode())
    context.set_tls13_ciphersuites(EVERY_13_SUITE)
    return context


def _attempt(
    place: Place, protocol: str, sni: str | None, request: bytes, ciphers: str, patience: float
) -> tuple[Confirmation, bool]:
    """One handshake, and whether the connection broke after it without a reason."""
    with place.connect() as connected:
        # pyOpenSSL wants a blocking socket, so the kernel keeps the time
        connected.settimeout(None)
        limit = struct.pack("ll", int(patience), int(patience % 1 * 1_000_000))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection = SSL.Connection(_context(protocol, ciphers), connected)
        connection.set_connect_state()
        if sni is not None:
            connection.set_tlsext_host_name(sni.encode("ascii"))
        try:
            connection.do_handshake()
        except (SSL.Error, OSError) as error:
            return Confirmation(False, f"{type(error).__name__}: {error}"), False
        try:
            if request:
                connection.sendall(request)
            return Confirmation(True, reply=connection.recv(4096)), False
        except (SSL.ZeroReturnError, SSL.WantReadError):
            return Confirmation(True), False
        except (SSL.SysCallError, OSError):
            return Confirmation(True), bool(request)
        except SSL.Error as error:
            return Confirmation(False, f"{type(error).__name__}: {error}"), False


def _confirm_old(place: Place, protocol: str, sni: str | None, request: bytes) -> Confirmation:
    kind = LegacySslClient if protocol == "SSLv3" else SslClient
    with place.connect() as connected:
        client = kind(
            underlying_socket=connected,
            ssl_version=NASSL_VERSIONS[protocol],
            ssl_verify=OpenSslVerifyEnum.NONE,
            ignore_client_authentication_requests=True,
        )
        client.set_cipher_list(EVERY_LEGACY_SUITE if protocol == "SSLv3" else EVERY_SUITE)
        if sni is not None and protocol != "SSLv3":
            client.set_tlsext_host_name(sni)
        try:
            client.do_handshake()
        except (OpenSSLError, OSError) as error:
            return Confirmation(False, f"{type(error).__name__}: {error}")
        try:
            if request:
                client.write(request)
            return Confirmation(True, reply=client.read(4096))
        except (OpenSSLError, OSError):
            return Confirmation(True)
