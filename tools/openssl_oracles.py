"""The real OpenSSL libraries that the tests compare tlslint with.

``python tools/openssl_oracles.py`` makes sure that every one of them is there: the libraries that come with nassl,
Debian's libssl and the current cryptography are expected to be installed already; cryptography 46.0.7 (OpenSSL 3.5)
gets a virtual environment of its own, ``.venv-openssl35/``, because one interpreter can hold only one cryptography.

``python tools/openssl_oracles.py worker NAME`` answers questions with library NAME. Each line of standard input is a
JSON list ``[question, value]``, each line of standard output the JSON answer:

* ``["ciphers", "HIGH:!aNULL"]`` – what ``SSL_CTX_set_cipher_list`` makes of the string, TLS 1.3 suites included
* ``["ciphersuites", "TLS_AES_128_GCM_SHA256"]`` – the same for ``SSL_CTX_set_ciphersuites``
* ``["groups", "X25519:P-256"]`` – whether ``SSL_CTX_set1_groups_list`` takes the list, and what a client then offers
* ``["hello", "HIGH@SECLEVEL=1"]`` – the cipher suites (numbers) and groups in the ClientHello of a client with that
  string
* ``["bits", [49199, …]]`` – number, strength in bits and protocol version of cipher suites (cryptography's only)
* ``["version", null]`` – the library's version string

This file is read by interpreters that have neither tlslint nor its tests, so it imports the standard library only,
and the bindings inside the workers.
"""

import contextlib
import ctypes
import importlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OPENSSL35 = ROOT / ".venv-openssl35"
OPENSSL35_REQUIREMENTS = ("cryptography==46.0.7", "pyOpenSSL>=25,<27")
#: Names of the libraries, oldest first, with the generation that each one speaks for.
GENERATIONS = {
    "nassl-legacy": "1.0.2",
    "nassl-modern": "1.1.1",
    "system": "3.0",
    "cryptography-46": "3.5",
    "cryptography": "4.0",
}

Answer = dict[str, Any]


def python_for(name: str) -> Path:
    """The interpreter that has library ``name``; it may not exist."""
    return OPENSSL35 / "bin" / "python" if name == "cryptography-46" else Path(sys.executable)


def create_openssl35() -> None:
    """Create the virtual environment with OpenSSL 3.5, unless it is there and works.

    Raises:
        subprocess.CalledProcessError: pip could not install the packages.
    """
    if available("cryptography-46"):
        return
    venv.create(OPENSSL35, with_pip=True, clear=True)
    pip = [str(python_for("cryptography-46")), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *OPENSSL35_REQUIREMENTS], check=True)


def available(name: str) -> bool:
    """Whether library ``name`` is present and of the generation that it stands for."""
    if not python_for(name).exists():
        return False
    with contextlib.suppress(subprocess.SubprocessError, ValueError, IndexError, KeyError):
        version = ask(name, [["version", None]])[0]["version"]
        return bool(f"{version} ".split()[1].startswith(GENERATIONS[name]))
    return False


def ask(name: str, questions: list[list[Any]], timeout: float = 300, config: str = os.devnull) -> list[Answer]:
    """Put all ``questions`` to library ``name`` in one process; the answers come in the same order.

    ``config`` is the path of an openssl.cnf. An openssl.cnf of the machine never counts: it could set ciphers of its
    own.

    Raises:
        subprocess.SubprocessError: the worker failed, or took more than ``timeout`` seconds.
    """
    text = "".join(f"{json.dumps(question)}\n" for question in questions)
    command = [str(python_for(name)), str(Path(__file__).resolve()), "worker", name]
    environment = {**os.environ, "OPENSSL_CONF": config}
    done = subprocess.run(
        command, input=text, text=True, capture_output=True, timeout=timeout, check=True, env=environment
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def hello_with_config(name: str, commands: str) -> Answer:
    """The ClientHello of library ``name`` when ``commands`` are the ``system_default`` section of its openssl.cnf.

    A command that the library refuses leaves the defaults in place.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as file:
        file.write(f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{commands}\n")
        file.flush()
        return ask(name, [["hello", ""]], config=file.name)[0]


# -- ClientHello -----------------------------------------------------------------------------------------------------


def _read_hello(data: bytes) -> Answer:
    """Cipher suites and groups of the ClientHello in TLS records ``data``."""
    body, at = b"", 0
    while at + 5 <= len(data) and data[at] == 22:
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        body += data[at + 5 : at + 5 + length]
        at += 5 + length
    if not body or body[0] != 1:
        return {"error": "no ClientHello", "suites": [], "groups": []}
    at = 4 + 2 + 32
    at += 1 + body[at]
    length = int.from_bytes(body[at : at + 2], "big")
    suites = _numbers(body[at + 2 : at + 2 + length])
    at += 2 + length
    at += 1 + body[at]
    groups: list[int] = []
    shares: list[int] = []
    versions: list[int] = []
    at += 2
    while at + 4 <= len(body):
        kind, length = (int.from_bytes(body[at + i : at + i + 2], "big") for i in (0, 2))
        value = body[at + 4 : at + 4 + length]
        if kind == 10:
            groups = _numbers(value[2:])
        elif kind == 43:
            versions = _numbers(value[1:])
        elif kind == 51:
            shares = list(_share_groups(value[2:]))
        at += 4 + length
    return {"error": None, "suites": suites, "groups": groups, "key_shares": shares, "versions": versions}


def _numbers(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def _share_groups(data: bytes) -> Iterator[int]:
    at = 0
    while at + 4 <= len(data):
        yield int.from_bytes(data[at : at + 2], "big")
        at += 4 + int.from_bytes(data[at + 2 : at + 4], "big")


# -- the workers -----------------------------------------------------------------------------------------------------


#: The one suite of the cipher string while TLS 1.3 suites are asked for: it ends the list.
_LAST = "NULL-MD5"


def _reason(text: str) -> str:
    return next((word for word in ("invalid command", "no cipher match") if word in text), text)


class _Nassl:
    """OpenSSL 1.0.2e or 1.1.1w as nassl builds them."""

    def __init__(self, *, legacy: bool) -> None:
        self.binding = importlib.import_module("nassl._nassl_legacy" if legacy else "nassl._nassl")
        self.legacy = legacy

    def version(self, _: None) -> Answer:
        return {"version": "OpenSSL 1.0.2e" if self.legacy else "OpenSSL 1.1.1w"}

    def ciphers(self, value: str) -> Answer:
        connection = self.binding.SSL(self.binding.SSL_CTX(0))
        try:
            connection.set_cipher_list(value)
        except Exception as error:
            return {"ciphers": [], "error": _reason(str(error))}
        return {"ciphers": connection.get_cipher_list(), "error": None}

    def ciphersuites(self, value: str) -> Answer:
        connection = self.binding.SSL(self.binding.SSL_CTX(0))
        connection.set_cipher_list(_LAST)
        try:
            connection.set_ciphersuites(value)
        except Exception as error:
            return {"ciphers": [], "error": _reason(str(error))}
        return {"ciphers": connection.get_cipher_list()[:-1], "error": None}

    def hello(self, value: str) -> Answer:
        context = self.binding.SSL_CTX(0)
        connection = self.binding.SSL(context)
        inside, outside = self.binding.BIO(), self.binding.BIO()
        self.binding.BIO.make_bio_pair(inside, outside)
        connection.set_bio(inside)
        connection.set_network_bio_to_free_when_dealloc(outside)
        connection.set_connect_state()
        if value:
            try:
                connection.set_cipher_list(value)
            except Exception as error:
                return {"error": _reason(str(error)), "suites": [], "groups": []}
        with contextlib.suppress(Exception):
            connection.do_handshake()
        pending = outside.pending()
        return _read_hello(outside.read(pending) if pending else b"")


class _PyOpenSSL:
    """The OpenSSL inside the wheel of cryptography."""

    def __init__(self) -> None:
        from OpenSSL import SSL
        from OpenSSL._util import ffi, lib

        self.SSL, self.ffi, self.lib = SSL, ffi, lib

    def version(self, _: None) -> Answer:
        return {"version": self.SSL.SSLeay_version(0).decode()}

    def _context(self) -> Any:
        return self.SSL.Context(self.SSL.TLS_METHOD)

    def _error(self) -> str:
        try:
            self.SSL._raise_current_error()
        except self.SSL.Error as error:
            return _reason(str(error))
        return "unknown"

    def ciphers(self, value: str) -> Answer:
        context = self._context()
        if self.lib.SSL_CTX_set_cipher_list(context._context, value.encode()) != 1:
            return {"ciphers": [], "error": self._error()}
        return {"ciphers": self.SSL.Connection(context).get_cipher_list(), "error": None}

    def ciphersuites(self, value: str) -> Answer:
        context = self._context()
        self.lib.SSL_CTX_set_cipher_list(context._context, _LAST.encode())
        if self.lib.SSL_CTX_set_ciphersuites(context._context, value.encode()) != 1:
            return {"ciphers": [], "error": self._error()}
        return {"ciphers": self.SSL.Connection(context).get_cipher_list()[:-1], "error": None}

    def bits(self, numbers: list[int]) -> Answer:
        connection = self.SSL.Connection(self._context())
        found = {}
        for number in numbers:
            cipher = self.lib.SSL_CIPHER_find(connection._ssl, number.to_bytes(2, "big"))
            if cipher != self.ffi.NULL:
                name = self.ffi.string(self.lib.SSL_CIPHER_get_name(cipher)).decode()
                bits = self.lib.SSL_CIPHER_get_bits(cipher, self.ffi.NULL)
                found[name] = [number, bits, self.ffi.string(self.lib.SSL_CIPHER_get_version(cipher)).decode()]
        return {"bits": found}

    def groups(self, value: str) -> Answer:
        context = self._context()
        if self.lib.SSL_CTX_set1_curves_list(context._context, value.encode()) != 1:
            return {"error": self._error(), "groups": []}
        self.lib.SSL_CTX_set_cipher_list(context._context, b"DEFAULT:@SECLEVEL=0")
        return self._hello(context)

    def hello(self, value: str) -> Answer:
        context = self._context()
        if value and self.lib.SSL_CTX_set_cipher_list(context._context, value.encode()) != 1:
            return {"error": self._error(), "suites": [], "groups": []}
        return self._hello(context)

    def _hello(self, context: Any) -> Answer:
        connection = self.SSL.Connection(context)
        connection.set_connect_state()
        with contextlib.suppress(self.SSL.Error):
            connection.do_handshake()
        try:
            return _read_hello(connection.bio_read(65536))
        except self.SSL.WantReadError:
            return _read_hello(b"")


class _System:
    """Debian's libssl.so.3, the one that its ``openssl`` command uses."""

    def __init__(self) -> None:
        ssl, crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
        pointer = ctypes.c_void_p
        for library, names in (
            (ssl, "TLS_method SSL_CTX_new SSL_new SSL_get_ciphers SSL_get1_supported_ciphers"),
            (crypto, "OPENSSL_sk_value BIO_new BIO_s_mem SSL_CIPHER_get_name"),
        ):
            for name in names.split():
                with contextlib.suppress(AttributeError):
                    getattr(library, name).restype = pointer
        for name in ("SSL_CIPHER_get_name", "OpenSSL_version", "ERR_reason_error_string"):
            getattr(ssl if name.startswith("SSL") else crypto, name).restype = ctypes.c_char_p
        crypto.ERR_get_error.restype = ctypes.c_ulong
        self.ssl, self.crypto = ssl, crypto

    def version(self, _: None) -> Answer:
        return {"version": self.crypto.OpenSSL_version(0).decode()}

    @contextlib.contextmanager
    def _context(self) -> Iterator[Any]:
        self.crypto.ERR_clear_error()
        context = ctypes.c_void_p(self.ssl.SSL_CTX_new(ctypes.c_void_p(self.ssl.TLS_method())))
        try:
            yield context
        finally:
            self.ssl.SSL_CTX_free(context)

    @contextlib.contextmanager
    def _connection(self, context: Any) -> Iterator[Any]:
        connection = ctypes.c_void_p(self.ssl.SSL_new(context))
        try:
            yield connection
        finally:
            self.ssl.SSL_free(connection)

    def _error(self) -> str:
        text = self.crypto.ERR_reason_error_string(ctypes.c_ulong(self.crypto.ERR_get_error()))
        return _reason((text or b"unknown").decode())

    def _names(self, stack: Any) -> list[str]:
        stack = ctypes.c_void_p(stack)
        value, name = self.crypto.OPENSSL_sk_value, self.ssl.SSL_CIPHER_get_name
        count = self.crypto.OPENSSL_sk_num(stack)
        return [name(ctypes.c_void_p(value(stack, i))).decode() for i in range(count)]

    def _list(self, context: Any) -> list[str]:
        with self._connection(context) as connection:
            return self._names(self.ssl.SSL_get_ciphers(connection))

    def ciphers(self, value: str) -> Answer:
        with self._context() as context:
            if self.ssl.SSL_CTX_set_cipher_list(context, value.encode()) != 1:
                return {"ciphers": [], "error": self._error()}
            return {"ciphers": self._list(context), "error": None}

    def ciphersuites(self, value: str) -> Answer:
        with self._context() as context:
            self.ssl.SSL_CTX_set_cipher_list(context, _LAST.encode())
            if self.ssl.SSL_CTX_set_ciphersuites(context, value.encode()) != 1:
                return {"ciphers": [], "error": self._error()}
            return {"ciphers": self._list(context)[:-1], "error": None}

    def groups(self, value: str) -> Answer:
        with self._context() as context:
            # SSL_CTRL_SET_GROUPS_LIST
            if self.ssl.SSL_CTX_ctrl(context, 92, ctypes.c_long(0), value.encode()) != 1:
                return {"error": self._error(), "groups": []}
            self.ssl.SSL_CTX_set_cipher_list(context, b"DEFAULT:@SECLEVEL=0")
            return self._hello(context)

    def hello(self, value: str) -> Answer:
        with self._context() as context:
            if value and self.ssl.SSL_CTX_set_cipher_list(context, value.encode()) != 1:
                return {"error": self._error(), "suites": [], "groups": []}
            return self._hello(context)

    def _hello(self, context: Any) -> Answer:
        with self._connection(context) as connection:
            memory = ctypes.c_void_p(self.crypto.BIO_s_mem())
            incoming, outgoing = (ctypes.c_void_p(self.crypto.BIO_new(memory)) for _ in range(2))
            self.ssl.SSL_set_bio(connection, incoming, outgoing)
            self.ssl.SSL_connect(connection)
            buffer = ctypes.create_string_buffer(65536)
            count = self.crypto.BIO_read(outgoing, buffer, len(buffer))
            return _read_hello(buffer.raw[: max(count, 0)])


WORKERS: dict[str, Callable[[], Any]] = {
    "nassl-legacy": lambda: _Nassl(legacy=True),
    "nassl-modern": lambda: _Nassl(legacy=False),
    "system": _System,
    "cryptography-46": _PyOpenSSL,
    "cryptography": _PyOpenSSL,
}


def work(name: str) -> None:
    """Answer the questions on standard input with library ``name``."""
    worker = WORKERS[name]()
    for line in sys.stdin:
        question, value = json.loads(line)
        print(json.dumps(getattr(worker, question)(value)))


def main(arguments: list[str]) -> int:
    """Answer questions, or create what is missing and say what there is."""
    if arguments[:1] == ["worker"]:
        work(arguments[1])
        return 0
    create_openssl35()
    found = {name: available(name) for name in GENERATIONS}
    for name, is_there in found.items():
        print(f"{name:16} OpenSSL {GENERATIONS[name]}: {'ready' if is_there else 'MISSING'}")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
