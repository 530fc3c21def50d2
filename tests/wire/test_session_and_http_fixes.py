"""Fixes of rules about sessions, HTTP and upstreams, before and after on real servers: what they announce happens."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.servers import NGINX_NAMES, NginxServer, free_ports, needed_nginx
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.settings import Settings

SEED = {"root": "/", "now": "2026-06-01", "trust_store": ("none",)}
MODULES = (*USUAL_MODULES, "proxy", "proxy_http", "http2")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
NO_TICKETS = '{"name": "no-tickets", "extends": "mozilla-intermediate", "session_tickets": false}'


@contextmanager
def connected(
    port: int, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, alpn: str = "", session: ssl.SSLSession | None = None
) -> Iterator[ssl.SSLSocket]:
    context = session_context(version, alpn)
    with open_with(context, port, session) as channel:
        yield channel


def session_context(version: ssl.TLSVersion, alpn: str = "") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


@contextmanager
def open_with(context: ssl.SSLContext, port: int, session: ssl.SSLSession | None = None) -> Iterator[ssl.SSLSocket]:
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    with context.wrap_socket(raw, server_hostname="a.example.test", session=session) as channel:
        yield channel


def answer(port: int, path: str = "/") -> HTTPResponse:
    with connected(port) as channel:
        channel.sendall(f"GET {path} HTTP/1.1\r\nHost: a.example.test\r\nConnection: close\r\n\r\n".encode())
        response = HTTPResponse(channel)
        response.begin()
        response.read()
        return response


def status(port: int) -> str:
    return str(answer(port).status)


def header(name: str, path: str = "/") -> Callable[[int], str]:
    return lambda port: str(answer(port, path).headers.get(name))


def ticket(port: int) -> str:
    with connected(port) as channel:
        return "ticket" if channel.session is not None and channel.session.has_ticket else "no ticket"


def resumption(port: int) -> str:
    context = session_context(ssl.TLSVersion.TLSv1_2)
    with open_with(context, port) as first:
        session = first.session
    with open_with(context, port, session) as second:
        return "resumed" if second.session_reused else "a full handshake"


def http2(port: int) -> str:
    """Speak HTTP/2, and tell by the frame that comes back whether the server goes along."""
    with connected(port, alpn="h2") as channel:
        assert channel.selected_alpn_protocol() == "h2"
        try:
            channel.sendall(PREFACE)
            frame = channel.recv(9)
        except (ssl.SSLError, ConnectionError):
            frame = b""
        is_settings = len(frame) == 9 and frame[3] == 4
        suite = channel.cipher()
        return f"{'settings' if is_settings else 'closed'} {'GCM' if suite and 'GCM' in suite[0] else 'CBC'}"


@dataclass(frozen=True, slots=True)
class Case:
    rule: str
    lines: str
    """In the host; `{backend}` is the port of another server, `{certificates}` the folder of certificates."""
    probe: Callable[[int], str]
    before: str
    after: str
    main: str = ""


APACHE = {
    "engine": Case(
        "proxy-engine-off",
        "SSLProxyVerify require\nSSLProxyVerifyDepth 5\nSSLProxyCACertificateFile {certificates}/root-rsa.pem\n"
        "SSLProxyCheckPeerName off\nProxyPass / https://127.0.0.1:{backend}/",
        status, "500", "204",
    ),
    "engine in the main server": Case(
        "proxy-engine-off", "SSLProxyCheckPeerName off", status, "500", "204",
        main="ProxyPass / https://127.0.0.1:{backend}/",
    ),
    "versions of upstreams": Case(
        "weak-upstream-protocol",
        "SSLProxyEngine on\nSSLProxyCheckPeerName off\nSSLProxyProtocol -all +TLSv1.1\n"
        "ProxyPass / https://127.0.0.1:{backend}/",
        status, "500", "204",
    ),
    "tickets": Case("session-tickets", "SSLSessionTickets on", ticket, "ticket", "no ticket"),
    "tickets by default": Case(
        "session-tickets", "", ticket, "ticket", "no ticket", main="SSLSessionCache shmcb:cache(512000)",
    ),
    "cache": Case("weak-session-cache", "SSLSessionTickets off", resumption, "a full handshake", "resumed"),
    "http2": Case(
        "http2-forbidden-cipher",
        "Protocols h2 http/1.1\nSSLCipherSuite ECDHE-RSA-AES128-SHA256", http2, "closed CBC", "settings GCM",
    ),
    "obsolete": Case(
        "obsolete-security-header", 'Header always set Expect-CT "max-age=1"', header("Expect-CT"), "max-age=1", "None",
    ),
    "short": Case(
        "short-hsts", 'Header always set Strict-Transport-Security "max-age=300; includeSubDomains"',
        header("Strict-Transport-Security"), "max-age=300; includeSubDomains", "max-age=63072000; includeSubDomains",
    ),
    "lost": Case(
        "lost-hsts",
        "Header always set Strict-Transport-Security max-age=63072000\n"
        "<Location /sub>\nHeader always unset Strict-Transport-Security\n</Location>",
        header("Strict-Transport-Security", "/sub/"), "None", "max-age=63072000",
    ),
}  # fmt: skip

NGINX = {
    "tickets": Case("session-tickets", "ssl_session_tickets on;", ticket, "ticket", "no ticket"),
    "cache": Case(
        "weak-session-cache", "ssl_session_tickets off; ssl_session_cache none;", resumption,
        "a full handshake", "resumed",
    ),
    "http2": Case(
        "http2-forbidden-cipher", "ssl_ciphers ECDHE-RSA-AES128-SHA256;", http2, "settings CBC", "settings GCM",
    ),
    "obsolete": Case(
        "obsolete-security-header",
        'add_header Expect-CT "max-age=1" always;', header("Expect-CT"), "max-age=1", "None",
    ),
    "short": Case(
        "short-hsts", 'add_header Strict-Transport-Security "max-age=300" always;',
        header("Strict-Transport-Security"), "max-age=300", "max-age=63072000",
    ),
    "lost": Case(
        "lost-hsts",
        "add_header Strict-Transport-Security max-age=63072000 always;\n"
        "location /sub/ {{ add_header X-Other a; root .; }}",
        header("Strict-Transport-Security", "/sub/"), "None", "max-age=63072000",
    ),
    "versions of upstreams": Case(
        "weak-upstream-protocol",
        "location / {{\nproxy_pass https://127.0.0.1:{backend};\nproxy_ssl_protocols TLSv1.1;\n}}",
        status, "502", "204",
    ),
    "suites of upstreams": Case(
        "weak-upstream-cipher",
        "location / {{\nproxy_pass https://127.0.0.1:{backend};\nproxy_ssl_protocols TLSv1.2;\n"
        "proxy_ssl_ciphers NULL-SHA256:@SECLEVEL=0;\n}}",
        status, "502", "204",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", name="backend")
def _backend(certificates: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    text = (
        f"ServerName a.example.test\nListen 127.0.0.1:{port}\nSSLEngine on\nSSLProtocol -all +TLSv1.2 +TLSv1.3\n"
        "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256\n"
        f"SSLCertificateFile {certificates}/a-rsa.pem\nSSLCertificateKeyFile {certificates}/a-rsa.key\nRedirect 204 /\n"
    )
    with ApacheServer(needed_apache(), text):
        yield port


def make_fixes(entry: Path, case: Case, server: str, target: str) -> None:
    (entry.parent / "no-tickets.json").write_text(NO_TICKETS)
    policy = "./no-tickets.json" if case.rule == "session-tickets" else "intermediate"
    settings = Settings(**SEED, server=server, target=target, policy=policy, fixable=(case.rule,))  # type: ignore[arg-type]
    with chdir(entry.parent):
        outcome = fix([entry.name], settings, unsafe=True)
        assert outcome.report.failures == []
        assert {finding.name for finding in outcome.fixed} == {case.rule}, [
            finding.message for finding in outcome.report.findings if finding.name == case.rule
        ]
        write(outcome.changes)


@pytest.mark.parametrize("name", APACHE)
def test_apache(name: str, backend: int, certificates: Path, tmp_path: Path) -> None:
    case = APACHE[name]
    apache = needed_apache()
    (port,) = free_ports(1)
    entry = tmp_path / "conf" / "apache2.conf"
    entry.parent.mkdir()
    lines, main = (text.format(backend=backend, certificates=certificates) for text in (case.lines, case.main))
    entry.write_text(
        f"{apache.load('socache_shmcb')}\n{apache.load('ssl')}\n{apache.load('headers')}\n{apache.load('proxy')}\n"
        f"{apache.load('proxy_http')}\n{apache.load('http2')}\n"
        f"Listen 127.0.0.1:{port}\nServerName main.test\nSSLProtocol -all +TLSv1.2\n{main}\n"
        f"<VirtualHost 127.0.0.1:{port}>\nServerName a.example.test\nSSLEngine on\n"
        f"SSLCertificateFile {certificates}/a-rsa.pem\nSSLCertificateKeyFile {certificates}/a-rsa.key\n"
        f"{lines}\n</VirtualHost>\n"
    )
    with ApacheServer(apache, entry.parent, modules=MODULES):
        assert case.probe(port) == case.before
    make_fixes(entry, case, "apache", "local")
    with ApacheServer(apache, entry.parent, modules=MODULES):
        assert case.probe(port) == case.after, entry.read_text()


@pytest.mark.parametrize("name", NGINX)
@pytest.mark.parametrize("binary", NGINX_NAMES)
def test_nginx(name: str, binary: str, backend: int, certificates: Path, tmp_path: Path) -> None:
    case = NGINX[name]
    nginx = needed_nginx(binary)
    (port,) = free_ports(1)
    entry = tmp_path / "conf" / "nginx.conf"
    entry.parent.mkdir()
    lines = case.lines.format(backend=backend, certificates=certificates)
    http2_on = "http2 on;" if nginx.version >= (1, 25, 1) else ""
    listen = f"127.0.0.1:{port} ssl{'' if http2_on or case.probe is not http2 else ' http2'}"
    entry.write_text(
        f"events {{}}\nhttp {{\nssl_protocols TLSv1.2;\nserver {{\nlisten {listen};\n"
        f"{http2_on if case.probe is http2 else ''}\nserver_name a.example.test;\n"
        f"ssl_certificate {certificates}/a-rsa.pem;\nssl_certificate_key {certificates}/a-rsa.key;\n{lines}\n}}\n}}\n"
    )
    with NginxServer(nginx, entry.parent):
        assert case.probe(port) == case.before
    make_fixes(entry, case, "nginx", nginx.target)
    with NginxServer(nginx, entry.parent):
        assert case.probe(port) == case.after, entry.read_text()


def apache_text(port: int, certificates: Path, lines: str = "") -> str:
    return (
        f"ServerName a.example.test\nListen 127.0.0.1:{port}\nSSLEngine on\n{lines}\n"
        f"SSLCertificateFile {certificates}/a-rsa.pem\nSSLCertificateKeyFile {certificates}/a-rsa.key\n"
    )


@pytest.mark.parametrize(
    ("in_environment", "line", "expected"),
    [(True, "", True), (False, "SetEnv SSLKEYLOGFILE {0}", False), (True, "SetEnv SSLKEYLOGFILE /nowhere", True)],
)
def test_apaches_own_keys_are_logged_by_its_environment_only(
    in_environment: bool, line: str, expected: bool, certificates: Path, tmp_path: Path
) -> None:
    log = tmp_path / "keys.log"
    (port,) = free_ports(1)
    text = apache_text(port, certificates, line.format(log))
    environment = {"SSLKEYLOGFILE": str(log)} if in_environment else None
    with ApacheServer(needed_apache(), text, environment=environment), connected(port) as channel:
        assert channel.version() == "TLSv1.2"
    assert (log.exists() and "CLIENT_RANDOM" in log.read_text()) is expected


def test_apache_makes_a_new_ticket_key_when_it_reads_its_configuration(certificates: Path) -> None:
    (port,) = free_ports(1)
    context = session_context(ssl.TLSVersion.TLSv1_2)
    with ApacheServer(needed_apache(), apache_text(port, certificates)) as server:
        with open_with(context, port) as channel:
            session = channel.session
        with open_with(context, port, session) as channel:
            assert channel.session_reused
        server.reload()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with open_with(context, port, session) as channel:
                if not channel.session_reused:
                    return
            time.sleep(0.1)
    pytest.fail("the key stayed")
