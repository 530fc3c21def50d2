"""What the rules about client certificates and stapling claim, seen on real servers: who gets in, what the log says.

Each case is one configuration: tlslint must find exactly what the case names in it, and the server must show it.
"""

import re
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from support.clients import CERTIFICATES, DAY, Client, Pki
from support.prediction import target_of
from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.finding import Finding
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

A, B, D = "a.example.test", "b.example.test", "d.example.test"
UNCLAIMED = "z.example.test"
TLS13 = "ssl_protocols TLSv1.2 TLSv1.3;"
ON = "ssl_verify_client on;"
CODES = tuple(module.rule.code for module in RULES if module.rule.code[3] in "57")
NOT_ASKED = {"TLS507"}
"""Advice that most of these configurations deserve."""
NEW = (1, 29, 2)


def ca(name: str) -> str:
    return f"ssl_client_certificate {CERTIFICATES}/{name}.pem;"


CA1, CA2 = ca("client-ca-1"), ca("client-ca-2")


@dataclass
class Site:
    """A configuration on a port of its own, and its clients."""

    folder: Path
    servers: list[str] = field(default_factory=list)
    http: str = ""
    main: str = ""
    port: int = field(default_factory=lambda: free_ports(1)[0])

    def host(self, name: str, *lines: str, certificate: str = "a-rsa", listen: str = "") -> "Site":
        stem = CERTIFICATES / certificate
        pair = f"ssl_certificate {stem}.pem; ssl_certificate_key {stem}.key;"
        inner = "\n    ".join(lines)
        self.servers.append(
            f"server {{\n    listen 127.0.0.1:{self.port} ssl;\n    {listen}\n    server_name {name};\n    {pair}\n"
            f"    {inner}\n}}\n"
        )
        return self

    @property
    def text(self) -> str:
        return f"{self.main}\nevents {{}}\nhttp {{\n{self.http}\n{''.join(self.servers)}}}\n"

    def found(self, nginx: NginxBinary) -> set[str]:
        """The codes that tlslint reports, without advice."""
        return {finding.code for finding in self.findings(nginx)} - NOT_ASKED

    def findings(self, nginx: NginxBinary) -> list[Finding]:
        path = self.folder / "site.conf"
        path.write_text(self.text, encoding="utf-8")
        report = lint([str(path)], Settings(root="/", target=target_of(nginx), select=CODES, trust_store=("none",)))
        assert not report.failures
        assert not report.problems
        return list(report.findings)


def said(name: str) -> str:
    return f'return 200 "{name} $ssl_client_verify\\n";'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# -- other hosts' clients ----------------------------------------------------------------------------------------------


def test_without_a_name_the_default_servers_ca_decides(nginx: NginxBinary, site: Site) -> None:
    site.host(A, ON, CA1, said("A")).host(B, ON, CA2, said("B"))
    assert "TLS508" in site.found(nginx)
    with NginxServer(nginx, site.text):
        client = Client(site.port, "client-1")
        assert client.ask(None, B) == (200, "B SUCCESS")
        assert client.ask(UNCLAIMED, B) == (200, "B SUCCESS")
        assert client.ask(A, B)[0] == 421
        assert Client(site.port, "client-2").ask(None, B)[0] == 400


def test_a_rejecting_default_server_closes_that_way(nginx: NginxBinary, site: Site) -> None:
    site.host(D, "ssl_reject_handshake on;").host(A, ON, CA1, said("A")).host(B, ON, CA2, said("B"))
    assert site.found(nginx) == set()
    with NginxServer(nginx, site.text):
        with pytest.raises(ssl.SSLError):
            Client(site.port, "client-1").ask(None, B)
        assert Client(site.port, "client-1").ask(A, B)[0] == 421


@pytest.mark.parametrize("default", ["", ON + CA1, ON + CA2], ids=["plain", "ca-1", "ca-2"])
def test_a_session_of_one_host_is_resumed_without_a_name(nginx: NginxBinary, site: Site, default: str) -> None:
    site.http = TLS13
    site.host(D, default, said("D")).host(A, ON, CA1, said("A")).host(B, ON, CA2, said("B"))
    old = nginx.version < NEW
    # newer servers are open to the default server's own clients all the same
    assert ("TLS508" in site.found(nginx)) == (old or bool(default))
    with NginxServer(nginx, site.text):
        for certificate, own, other in (("client-1", A, B), ("client-2", B, A)):
            client = Client(site.port, certificate, ssl.TLSVersion.TLSv1_3)
            assert client.ask(own, own)[0] == 200
            status, _ = client.ask(None, other, resume=True)
            is_default = default.endswith(CA1 if certificate == "client-1" else CA2)
            assert (status == 200) == (old or is_default)
            if default and old and not is_default:
                client = Client(site.port, certificate, ssl.TLSVersion.TLSv1_3)
                client.ask(own, own)
                assert client.ask(None, D, resume=True) == (200, "D SUCCESS")


def test_no_session_is_resumed_where_the_default_server_gives_no_tickets(nginx: NginxBinary, site: Site) -> None:
    site.http = TLS13
    site.host(D, "ssl_session_tickets off;", said("D")).host(A, ON, CA1, said("A")).host(B, ON, CA2, said("B"))
    assert site.found(nginx) == set()
    with NginxServer(nginx, site.text):
        client = Client(site.port, "client-1", ssl.TLSVersion.TLSv1_3)
        assert client.ask(A, A)[0] == 200
        assert client.ask(None, B, resume=True)[0] == 400


def test_a_comparison_holds_for_the_clients_of_other_hosts(nginx: NginxBinary, site: Site) -> None:
    refuse = "if ($ssl_client_verify != SUCCESS) { return 403; }"
    site.host(D, refuse, said("D")).host(B, ON, CA2, said("B"))
    assert site.found(nginx) == {"TLS508"}
    with NginxServer(nginx, site.text):
        assert Client(site.port, "client-2").ask(B, D) == (200, "D SUCCESS")
        assert Client(site.port).ask(D, D)[0] == 403


# -- asked for and not enforced ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "certificate"),
    [
        (("ssl_verify_client optional;", CA1), None),
        (("ssl_verify_client optional_no_ca;", CA1, "if ($ssl_client_verify = FAILED) { return 403; }"), "client-2"),
        (("ssl_verify_client optional_no_ca;", CA1, "if ($ssl_client_verify = NONE) { return 403; }"), "client-2"),
        (("ssl_conf_command VerifyMode Require;",), "client-2"),
        ((ON, CA1, "error_page 495 496 =200 @app;", "location @app { proxy_pass http://127.0.0.1:PORT; }"), None),
    ],
    ids=["optional", "failed", "none", "command", "error-page"],
)
def test_strangers_get_the_content(
    nginx: NginxBinary, site: Site, lines: tuple[str, ...], certificate: str | None
) -> None:
    (other,) = free_ports(1)
    site.servers.append(f'server {{ listen 127.0.0.1:{other}; return 200 "content\\n"; }}\n')
    place = "location / { proxy_pass http://127.0.0.1:PORT; }"
    site.host(A, *(line.replace("PORT", str(other)) for line in (*lines, place)))
    assert site.found(nginx) == {"TLS502"}
    with NginxServer(nginx, site.text):
        assert Client(site.port, certificate).ask(A, A) == (200, "content")


def test_the_plain_socket_of_a_verifying_host_asks_nobody(nginx: NginxBinary, site: Site) -> None:
    (other,) = free_ports(1)
    site.host(A, ON, CA1, 'return 200 "content\\n";', listen=f"listen 127.0.0.1:{other};")
    assert site.found(nginx) == {"TLS502"}
    with NginxServer(nginx, site.text):
        with socket.create_connection(("127.0.0.1", other), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: a.example.test\r\n\r\n")
            assert connection.makefile("rb").read().endswith(b"content\n")
        assert Client(site.port).ask(A, A)[0] == 400


# -- which CAs ---------------------------------------------------------------------------------------------------------


def test_a_file_for_chains_lets_clients_in(nginx: NginxBinary, site: Site) -> None:
    site.host(A, ON, CA1, f"ssl_trusted_certificate {CERTIFICATES}/client-ca-2.pem;", said("A"))
    assert site.found(nginx) == {"TLS511"}
    with NginxServer(nginx, site.text):
        assert Client(site.port, "client-2").ask(A, A) == (200, "A SUCCESS")


def test_an_intermediate_in_the_file_for_chains_lets_nobody_in(nginx: NginxBinary, site: Site, tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    site.host(A, ON, CA1, f"ssl_trusted_certificate {pki.file(pki.issuing)};", said("A"))
    assert site.found(nginx) == set()
    with NginxServer(nginx, site.text):
        assert Client(site.port, pki.client).ask(A, A)[0] == 400


def test_nobody_is_asked_where_verification_is_not_switched_on(nginx: NginxBinary, site: Site) -> None:
    site.host(A, CA1, said("A"))
    assert site.found(nginx) == {"TLS512"}
    with NginxServer(nginx, site.text):
        assert Client(site.port).ask(A, A) == (200, "A NONE")


def refusals(nginx: NginxBinary, site: Site, client: Client) -> str:
    """What the log says of a client that is refused; empty for one that is let in."""
    log = site.folder / "client.log"
    site.http += f" error_log {log} info;"
    with NginxServer(nginx, site.text):
        status, _ = client.ask(A, A)
        if status == 200:
            return ""
        assert status == 400
    return " ".join(re.findall(r"client SSL certificate verify error: (\(\d+:[^)]*\))", log.read_text()))


def assert_seen(nginx: NginxBinary, site: Site, code: str, log: str) -> None:
    """The rule finds it, and says what the log says."""
    findings = [finding for finding in site.findings(nginx) if finding.code == code]
    assert findings
    assert any(log in finding.seen for finding in findings), [finding.seen for finding in findings]


@pytest.mark.parametrize(
    ("depth", "log"),
    [
        ("ssl_verify_depth 0;", "(2:unable to get issuer certificate)"),
        ("", "(2:unable to get issuer certificate)"),
        ("ssl_verify_depth 2;", ""),
    ],
)
def test_depth(nginx: NginxBinary, site: Site, tmp_path: Path, depth: str, log: str) -> None:
    pki = Pki(tmp_path)
    site.host(A, ON, depth, f"ssl_client_certificate {pki.file(pki.issuing, pki.upper, pki.root)};", said("A"))
    assert site.found(nginx) == ({"TLS503"} if log else set())
    assert refusals(nginx, site, Client(site.port, pki.client)) == log
    if log:
        assert_seen(nginx, site, "TLS503", log)


def test_an_intermediate_alone_lets_nobody_in(nginx: NginxBinary, site: Site, tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    site.host(A, ON, "ssl_verify_depth 5;", f"ssl_client_certificate {pki.file(pki.upper)};", said("A"))
    assert site.found(nginx) == {"TLS503"}
    log = refusals(nginx, site, Client(site.port, pki.client))
    assert_seen(nginx, site, "TLS503", log)


def test_an_expired_ca(nginx: NginxBinary, site: Site, tmp_path: Path) -> None:
    pki = Pki(tmp_path, upper=-DAY)
    names = pki.file(pki.issuing, pki.upper, pki.root)
    site.host(A, ON, "ssl_verify_depth 5;", f"ssl_client_certificate {names};", said("A"))
    assert site.found(nginx) == {"TLS505"}
    log = refusals(nginx, site, Client(site.port, pki.client))
    assert log == "(10:certificate has expired)"
    assert_seen(nginx, site, "TLS505", log)


@pytest.mark.parametrize(
    ("lists", "log"),
    [
        ({"root": 30 * DAY, "upper": 30 * DAY, "issuing": 30 * DAY}, ""),
        ({"root": 30 * DAY, "upper": 30 * DAY, "issuing": -DAY}, "(12:CRL has expired)"),
        ({"root": 30 * DAY, "issuing": 30 * DAY}, "(3:unable to get certificate CRL)"),
        ({"upper": 30 * DAY, "issuing": 30 * DAY}, "(3:unable to get certificate CRL)"),
    ],
    ids=["all", "expired", "upper-missing", "root-missing"],
)
def test_lists(nginx: NginxBinary, site: Site, tmp_path: Path, lists: dict[str, timedelta], log: str) -> None:
    pki = Pki(tmp_path)
    crl = pki.file(*(pki.revocation_list(name, end) for name, end in lists.items()))
    names = pki.file(pki.issuing, pki.upper, pki.root)
    site.host(A, ON, "ssl_verify_depth 5;", f"ssl_client_certificate {names};", f"ssl_crl {crl};", said("A"))
    assert site.found(nginx) == ({"TLS505"} if log else set())
    assert refusals(nginx, site, Client(site.port, pki.client)) == log
    if log:
        assert_seen(nginx, site, "TLS505", log)


# -- stapling ----------------------------------------------------------------------------------------------------------

WORKSHOP = CERTIFICATES / "workshop"


def stapled(site: Site, certificate: str, *lines: str) -> None:
    pair = f"ssl_certificate {WORKSHOP}/{certificate}.pem; ssl_certificate_key {WORKSHOP}/keys/leaf.key;"
    inner = "\n    ".join(("ssl_stapling on;", *lines))
    site.servers.append(
        f"server {{\n    listen 127.0.0.1:{site.port} ssl;\n    server_name shop.example.test;\n    {pair}\n"
        f"    {inner}\n}}\n"
    )


@pytest.mark.parametrize(
    ("certificate", "lines", "warning"),
    [
        ("no-responder", (), "no OCSP responder URL in the certificate"),
        ("https-responder", (), "invalid URL prefix in OCSP responder"),
        ("healthy-stapling", ("ssl_stapling_responder https://127.0.0.1:9/;",), "invalid URL prefix in OCSP responder"),
        ("leaf-only", ("ssl_stapling_responder http://127.0.0.1:9/;",), "issuer certificate not found for certificate"),
        ("healthy-stapling", ("ssl_stapling_responder http://127.0.0.1:9/;",), ""),
        ("no-responder", ("ssl_stapling_responder http://127.0.0.1:9/;",), ""),
    ],
)
def test_stapling(nginx: NginxBinary, site: Site, certificate: str, lines: tuple[str, ...], warning: str) -> None:
    stapled(site, certificate, *lines)
    assert site.found(nginx) - {"TLS704"} == ({"TLS701"} if warning else set())
    server = NginxServer(nginx, site.text)
    try:
        passes, messages = server.test()
    finally:
        server.stop()
    assert passes
    assert (f'"ssl_stapling" ignored, {warning}' in messages) == bool(warning)
    assert ('"ssl_stapling" ignored' in messages) == bool(warning)


@pytest.mark.parametrize("resolver", ["", "resolver 127.0.0.1:9;"])
def test_the_address_of_the_responder(nginx: NginxBinary, site: Site, resolver: str) -> None:
    (closed,) = free_ports(1)
    log = site.folder / "stapling.log"
    site.main = f"error_log {log} warn;"
    stapled(site, "healthy-stapling", f"ssl_stapling_responder http://localhost:{closed}/;", resolver)
    assert site.found(nginx) == ({"TLS704"} if resolver else {"TLS702", "TLS704"})
    with NginxServer(nginx, site.text):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-status"]
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
        assert b"OCSP response: no response sent" in answer.stdout
        deadline = time.monotonic() + 5
        while "localhost" not in log.read_text() and not resolver and time.monotonic() < deadline:
            time.sleep(0.05)
        text = log.read_text()
    assert ("no resolver defined to resolve localhost" in text) == (not resolver)
