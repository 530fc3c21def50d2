"""The system's OpenSSL, called the way nginx and httpd call it, as the truth that the PEM reader is held to."""

import ctypes
import ctypes.util
import tempfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

ERR_LIB_PEM = 9
PEM_R_NO_START_LINE = 108


@dataclass(frozen=True, slots=True)
class Served:
    """The certificates (SHA-256 of the DER) that a server would send, or OpenSSL's reason for refusing the file."""

    certificates: tuple[str, ...]
    refused: bool
    reason: str = ""


@cache
def library() -> Any:
    """libcrypto with the few prototypes that are needed, or None when this machine has none."""
    name = ctypes.util.find_library("crypto")
    if name is None:
        return None
    crypto = ctypes.CDLL(name)
    for function in ("BIO_new_file", "PEM_read_bio_X509_AUX", "PEM_read_bio_X509", "ERR_reason_error_string"):
        getattr(crypto, function).restype = ctypes.c_void_p
    crypto.BIO_new_file.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    for function in ("PEM_read_bio_X509_AUX", "PEM_read_bio_X509"):
        getattr(crypto, function).argtypes = [ctypes.c_void_p] * 4
    crypto.i2d_X509.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p)]
    crypto.X509_free.argtypes = crypto.BIO_free.argtypes = [ctypes.c_void_p]
    crypto.ERR_peek_last_error.restype = crypto.ERR_peek_error.restype = ctypes.c_ulong
    crypto.ERR_reason_error_string.argtypes = [ctypes.c_ulong]
    return crypto


def _der(crypto: Any, certificate: int) -> bytes:
    length = crypto.i2d_X509(certificate, None)
    buffer = ctypes.create_string_buffer(length)
    pointer = ctypes.cast(buffer, ctypes.c_char_p)
    crypto.i2d_X509(certificate, ctypes.byref(pointer))
    crypto.X509_free(certificate)
    return buffer.raw[:length]


def _reason(crypto: Any, code: int) -> str:
    text = crypto.ERR_reason_error_string(code)
    return (ctypes.string_at(text) if text else b"").decode()


def served(data: bytes) -> Served:
    """What `ngx_ssl_load_certificate` makes of a file with these bytes."""
    crypto = library()
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(data)
        file.flush()
        crypto.ERR_clear_error()
        bio = crypto.BIO_new_file(file.name.encode(), b"r")
        try:
            return _read(crypto, bio)
        finally:
            crypto.BIO_free(bio)


def _read(crypto: Any, bio: int) -> Served:
    found: list[str] = []
    certificate = crypto.PEM_read_bio_X509_AUX(bio, None, None, None)
    while certificate:
        found.append(sha256(_der(crypto, certificate)).hexdigest())
        certificate = crypto.PEM_read_bio_X509(bio, None, None, None)
    code = crypto.ERR_peek_last_error()
    is_end = (code >> 23) & 0xFF == ERR_LIB_PEM and code & 0x7FFFFF == PEM_R_NO_START_LINE
    return Served(tuple(found), not (found and is_end), _reason(crypto, code))
