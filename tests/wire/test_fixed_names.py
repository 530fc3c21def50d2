"""Fixes of the rules about names, ports and clients, seen by clients: before and after, on both servers.

The configurations name the ports that the rules are about; the servers get free ones in their place.
"""

import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.clients import CERTIFICATES, Client, Pki
from support.prediction import target_of
from support.scanner import Observation, scan
from support.servers import NGINX_NAMES, NginxServer, free_ports, needed_nginx
from tlslint.fixing import fix
from tlslint.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B = "a.example.test", "b.example.test"
STRANGERS = (None, "z.example.test")
FACTS = ("handshake", "protocols", "ciphers", "groups", "chains", "alpn", "server_order", "client_certificate")
SERVERS = (*NGINX_NAMES, "apache")


def nginx_host(name: str, listens: str, *lines: str, pair: str = "a-rsa") -> str:
    stem = CERTIFICATES / pair
    inside = "\n        ".join(
        (listens, f"server_name {name};", f"ssl_certificate {stem}.pem;", f"ssl_certificate_key {stem}.key;", *lines)
    )
    return f"    server {{\n        {inside}\n    }}\n"


def nginx_text(*hosts: str) -> str:
    return f"events {{}}\nhttp {{\n    ssl_protocols TLSv1.2 TLSv1.3;\n{''.join(hosts)}}}\n"


def apache_host(name: str, addresses: str, *lines: str, pair: str = "a-rsa", engine: bool = True) -> str:
    stem = CERTIFICATES / pair
    inside = "\n    ".join(
        (
            f"ServerName {name}", *(["SSLEngine on"] if engine else []), f"SSLCertificateFile {stem}.pem",
            f"SSLCertificateKeyFile {stem}.key", *lines,
        )
    )  # fmt: skip
    return f"<VirtualHost {addresses}>\n    {inside}\n</VirtualHost>\n"


def apache_text(*parts: str) -> str:
    return "\n".join([*map(needed_apache().load, USUAL_MODULES), "ServerName main.example.test", *parts])


class Case:
    """A configuration for one of the servers, and what its fixes make of it."""

    def __init__(self, server: str, text: str, folder: Path, code: str, *, unsafe: bool = False) -> None:
        self.server, self.before = server, text
        self.ports = dict(zip((80, 8443), free_ports(2), strict=True))
        path = folder / ("apache2.conf" if server == "apache" else "nginx.conf")
        path.write_text(text, encoding="utf-8")
        target = needed_apache().target if server == "apache" else target_of(needed_nginx(server))
        settings = Settings(root="/", target=target, select=(code,), trust_store=("none",))
        outcome = fix([str(path)], settings, unsafe=unsafe)
        assert outcome.refused == []
        (change,) = outcome.changes
        self.after = change.after.decode()

    @contextmanager
    def running(self, text: str) -> "Iterator[None]":
        for port, free in self.ports.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
        if self.server == "apache":
            server = ApacheServer(needed_apache(), text)
            (server.root / "htdocs" / "index.html").write_text("page", encoding="utf-8")
            with server:
                yield
        else:
            with NginxServer(needed_nginx(self.server), text):
                yield

    def tls(self, sni: str | None, host: str, certificate: Path | None = None) -> str:
        """The status of a request over TLS (1.2 with a certificate, which is refused at once), or the alert."""
        version = None if certificate is None else ssl.TLSVersion.TLSv1_2
        try:
            return str(Client(self.ports[8443], certificate, version).ask(sni, host)[0])
        except ssl.SSLError as error:
            return (error.reason or "").lower().replace("_", " ")

    def plain(self, host: str, port: int = 8443) -> str:
        """The status of a request in plain text."""
        return str(Client(self.ports[port]).ask_plain(host)[0])

    def seen(self, name: str) -> Observation:
        return scan("127.0.0.1", self.ports[8443], name)


def alike(one: Observation, other: Observation) -> bool:
    return all(getattr(one, fact) == getattr(other, fact) for fact in FACTS)


@pytest.mark.parametrize("server", SERVERS)
def test_tls_is_spoken_on_a_port_for_it(server: str, tmp_path: Path) -> None:
    if server == "apache":
        text = apache_text("Listen 127.0.0.1:8443", apache_host(A, "127.0.0.1:8443", engine=False))
    else:
        text = nginx_text(nginx_host(A, "listen 127.0.0.1:8443;", "return 200;"))
    case = Case(server, text, tmp_path, "TLS408")
    with case.running(case.before):
        assert case.plain(A) == "200"
        assert case.tls(A, A) == "wrong version number"
    with case.running(case.after):
        assert case.plain(A) == "400"
        assert case.tls(A, A) == "200"


@pytest.mark.parametrize("server", SERVERS)
def test_plain_text_is_spoken_on_port_80(server: str, tmp_path: Path) -> None:
    if server == "apache":
        stem = CERTIFICATES / "a-rsa"
        text = apache_text(
            "Listen 127.0.0.1:80", "Listen 127.0.0.1:8443", "SSLEngine on", f"SSLCertificateFile {stem}.pem",
            f"SSLCertificateKeyFile {stem}.key", "<VirtualHost 127.0.0.1:80>", f"ServerName {A}",
            f"Redirect permanent / https://{A}/", "</VirtualHost>", apache_host(A, "127.0.0.1:8443", engine=False),
        )  # fmt: skip
    else:
        listens = "listen 127.0.0.1:80 ssl;\n        listen 127.0.0.1:8443 ssl;"
        text = nginx_text(nginx_host(A, listens, "if ($scheme = http) { return 301 https://$host/; }", "return 200;"))
    case = Case(server, text, tmp_path, "TLS409")
    with case.running(case.before):
        assert case.plain(A, 80) == "400"
        seen = case.seen(A)
    with case.running(case.after):
        assert case.plain(A, 80) == "301"
        assert case.tls(A, A) == "200"
        assert alike(case.seen(A), seen)


@pytest.mark.parametrize("server", SERVERS)
def test_strangers_are_turned_away(server: str, tmp_path: Path) -> None:
    if server == "apache":
        text = apache_text(
            "SSLProtocol -all +TLSv1.2 +TLSv1.3",
            "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
            "Listen 127.0.0.1:8443",
            apache_host(A, "127.0.0.1:8443", "SSLHonorCipherOrder off", "SSLOpenSSLConfCmd Curves X25519:P-384"),
            apache_host(B, "127.0.0.1:8443", pair="b-ec256"),
        )
    else:
        text = nginx_text(
            nginx_host(A, "listen 127.0.0.1:8443 ssl;", "ssl_ecdh_curve X25519:secp384r1;", "return 200;"),
            nginx_host(B, "listen 127.0.0.1:8443 ssl;", "return 200;", pair="b-ec256"),
        )
    case = Case(server, text, tmp_path, "TLS404", unsafe=True)
    with case.running(case.before):
        seen = {name: case.seen(name) for name in (A, B)}
        assert [case.tls(sni, "z.example.test") for sni in STRANGERS] == ["200", "200"]
    with case.running(case.after):
        for name in (A, B):
            assert alike(case.seen(name), seen[name])
            assert case.tls(name, name) == "200"
        refused = "403" if server == "apache" else "tlsv1 unrecognized name"
        assert [case.tls(sni, "z.example.test") for sni in STRANGERS] == [refused] * 2


@pytest.mark.parametrize("server", SERVERS)
def test_clients_are_within_the_depth(server: str, tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    authorities = pki.file(pki.issuing, pki.upper, pki.root)
    if server == "apache":
        host = apache_host(A, "127.0.0.1:8443", "SSLVerifyClient require", f"SSLCACertificateFile {authorities}")
        text = apache_text("Listen 127.0.0.1:8443", host)
    else:
        lines = ("ssl_verify_client on;", f"ssl_client_certificate {authorities};", "return 200;")
        text = nginx_text(nginx_host(A, "listen 127.0.0.1:8443 ssl;", *lines))
    case = Case(server, text, tmp_path, "TLS503")
    with case.running(case.before):
        assert case.tls(A, A, certificate=pki.client) == ("tlsv1 alert internal error" if server == "apache" else "400")
    with case.running(case.after):
        assert case.tls(A, A, certificate=pki.client) == "200"


@pytest.mark.parametrize("cache", ["", "ssl_session_cache shared:all:1m;"])
def test_sessions_of_other_hosts_are_worth_nothing(cache: str, tmp_path: Path) -> None:
    nginx = needed_nginx("nginx-system")
    if nginx.version >= (1, 29, 2):
        pytest.skip("this nginx keeps sessions apart")
    hosts = [
        nginx_host(
            name, "listen 127.0.0.1:8443 ssl;", "ssl_verify_client on;",
            f"ssl_client_certificate {CERTIFICATES}/client-ca-{number}.pem;", "return 200;", pair=pair,
        )
        for name, number, pair in ((A, 1, "a-rsa"), (B, 2, "b-rsa"))
    ]  # fmt: skip
    default = nginx_host(
        "d.example.test", "listen 127.0.0.1:8443 ssl default_server;", cache, "return 200;", pair="d-rsa"
    )
    case = Case("nginx-system", nginx_text(default, *hosts), tmp_path, "TLS508")

    def crossing() -> int:
        client = Client(case.ports[8443], "client-1", ssl.TLSVersion.TLSv1_3)
        assert client.ask(A, A)[0] == 200
        return client.ask(None, B, resume=True)[0]

    with case.running(case.before):
        assert crossing() == 200
    with case.running(case.after):
        assert crossing() != 200
