"""Finish handshakes with real TLS libraries: OpenSSL through pyOpenSSL (TLS 1.3) and through nassl (before it)."""

import socket
import struct
from dataclasses import dataclass
from functools import cache

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


def confirm(place: Place, protocol: str, sni: str | None, request: bytes) -> Confirmation:
    """Finish one handshake of `protocol` with a library, send `request` and read what comes back."""
    if protocol == "TLSv1.3":
        return _confirm13(place, sni, request)
    return _confirm_old(place, protocol, sni, request)


@cache
def _context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(EVERY_SUITE.encode())
    context.set_tls13_ciphersuites(EVERY_13_SUITE)
    return context


def _confirm13(place: Place, sni: str | None, request: bytes) -> Confirmation:
    confirmation, was_cut_off = _attempt13(place, sni, request, place.timeout)
    if was_cut_off:
        # a server that refuses our missing certificate says so after we have finished, and unread bytes of ours may
        # cut its alert off: so listen once without a word
        confirmation, _ = _attempt13(place, sni, b"", SILENCE)
    return confirmation


def _attempt13(place: Place, sni: str | None, request: bytes, patience: float) -> tuple[Confirmation, bool]:
    """One handshake, and whether the connection broke after it without a reason."""
    with place.connect() as connected:
        # pyOpenSSL wants a blocking socket, so the kernel keeps the time
        connected.settimeout(None)
        limit = struct.pack("ll", int(patience), int(patience % 1 * 1_000_000))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection = SSL.Connection(_context(), connected)
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
