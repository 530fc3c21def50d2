"""What is predicted of nginx's own TLS connections is what an upstream sees: SNI, verification, protocol versions."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.check import check
from tlslint.discover import discover
from tlslint.parse.tree import Tree
from tlslint.policy import load_policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.resolve.nginx import resolve
from tlslint.rules.upstream import unverified_upstream
from tlslint.rules.upstreams import is_address
from tlslint.settings import Settings
from tlslint.target import parse_target

NAME = "a.example.test"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nStrict-Transport-Security: max-age=7\r\n\r\nok"
CASES = {
    "defaults": "proxy_pass https://127.0.0.1:{port};",
    "named": "proxy_pass https://localhost:{port}; proxy_ssl_server_name on;",
    "sni": f"proxy_pass https://127.0.0.1:{{port}}; proxy_ssl_server_name on; proxy_ssl_name {NAME};",
    "block": "proxy_pass https://block; proxy_ssl_server_name on;",
    "block-silent": "proxy_pass https://block;",
    "verified": f"proxy_pass https://block; proxy_ssl_verify on; proxy_ssl_trusted_certificate {{ca}}; "
    f"proxy_ssl_name {NAME}; proxy_ssl_server_name on;",
    "other-name": "proxy_pass https://block; proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca}; "
    "proxy_ssl_name b.example.test;",
    "other-ca": f"proxy_pass https://block; proxy_ssl_verify on; proxy_ssl_trusted_certificate {{other}}; "
    f"proxy_ssl_name {NAME};",
    "ca-unused": "proxy_pass https://block; proxy_ssl_trusted_certificate {other};",
    "set": f"set $to 127.0.0.1; proxy_pass https://$to:{{port}}; proxy_ssl_server_name on; proxy_ssl_name {NAME};",
    "old": "proxy_pass https://127.0.0.1:{port}; proxy_ssl_protocols TLSv1.2;",
}
ACCEPTED = {"other-name": False, "other-ca": False}
"""What a verified connection makes of the upstream's certificate, where it does not pass."""


@dataclass
class Seen:
    """What the upstream has seen of its clients."""

    names: list[str | None] = field(default_factory=list)
    versions: list[str | None] = field(default_factory=list)


@contextmanager
def upstream(certificates: Path, least: ssl.TLSVersion) -> Iterator[tuple[int, Seen]]:
    """A TLS server on 127.0.0.1 that answers every request with 200."""
    seen = Seen()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "a-rsa.pem", certificates / "a-rsa.key")
    context.minimum_version = least

    def on_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        seen.names.append(name)

    context.sni_callback = on_name
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                raw, _ = listener.accept()
                raw.settimeout(3)
                with raw, context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    seen.versions.append(connection.version())
                    connection.sendall(ANSWER)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        stopping.set()
        thread.join(5)
        listener.close()


def configuration(locations: dict[str, str], port: int, front: int, certificates: Path, reuse: str = "on") -> str:
    facts = {"port": port, "ca": certificates / "root-rsa.pem", "other": certificates / "root-ec.pem"}
    lines = ["worker_processes 1;", "events {}", "http {", f"    upstream block {{ server 127.0.0.1:{port}; }}"]
    # a resumed session of TLS 1.2 shows the name of the first handshake
    lines += [f"    proxy_ssl_session_reuse {reuse};"]
    lines += ["    server {", f"        listen 127.0.0.1:{front};"]
    lines += [f"        location /{name} {{ {text.format(**facts)} }}" for name, text in locations.items()]
    return "\n".join([*lines, "    }", "}", ""])


def resolved(text: str, target: str, folder: Path) -> Deployment:
    entry = folder / "nginx.conf"
    entry.write_text(text, encoding="utf-8")
    (root,) = discover([str(entry)], Settings(root="/", target=target)).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return resolve(root, tree, parse_target(target, "nginx"))


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def sent_name(item: Upstream) -> str | None:
    """The SNI that is predicted."""
    if not item.server_name.known:
        return None
    if item.name.known is not None:
        return item.name.known
    return None if is_address(item) else item.host


@pytest.mark.parametrize("least", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls12", "tls13-only"])
def test_upstream_connections_are_as_predicted(
    nginx: NginxBinary, certificates: Path, tmp_path: Path, least: ssl.TLSVersion
) -> None:
    (front,) = free_ports(1)
    with upstream(certificates, least) as (port, seen):
        text = configuration(CASES, port, front, certificates, reuse="off")
        deployment = resolved(text, nginx.target, tmp_path)
        assert len(deployment.upstreams) == len(CASES)
        with NginxServer(nginx, text):
            for name, item in zip(CASES, deployment.upstreams, strict=True):
                assert item.tls
                assert item.local
                seen.names.clear()
                answer = status(front, f"/{name}")
                has_version = least != ssl.TLSVersion.TLSv1_3 or "TLSv1.3" in (item.protocols.known or ())
                passes = not item.verify.known or ACCEPTED.get(name, True)
                assert answer == (200 if has_version and passes else 502), name
                if has_version:
                    assert seen.names[:1] == [sent_name(item)], name


def test_sessions_are_shared_between_places(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    verified = CASES["verified"]
    foreign = verified.replace("{ca}", "{other}")
    (front,) = free_ports(1)
    with upstream(certificates, ssl.TLSVersion.TLSv1_2) as (port, _):
        text = configuration({"right": verified, "wrong": foreign}, port, front, certificates)
        deployment = resolved(text, nginx.target, tmp_path)
        found = check(deployment, load_policy("intermediate"), [unverified_upstream])
        assert [finding.span.text for finding in found] == [f"{certificates}/root-ec.pem"]
        with NginxServer(nginx, text):
            assert status(front, "/right") == 200
            assert status(front, "/wrong") == 200  # resumed, and not checked
        alone = configuration({"wrong": foreign}, port, front, certificates)
        with NginxServer(nginx, alone):
            assert status(front, "/wrong") == 502


def test_an_applications_header_comes_beside_the_servers_own(
    nginx: NginxBinary, certificates: Path, tmp_path: Path
) -> None:
    adding = 'add_header Strict-Transport-Security "max-age=8"; ' + CASES["defaults"]
    hiding = adding + " proxy_hide_header strict-transport-SECURITY;"
    (front,) = free_ports(1)
    with upstream(certificates, ssl.TLSVersion.TLSv1_2) as (port, _):
        text = configuration({"adding": adding, "hiding": hiding}, port, front, certificates)
        deployment = resolved(text, nginx.target, tmp_path)
        locations = {location.path: location for location in deployment.virtual_hosts[0].locations}
        with NginxServer(nginx, text):
            for path in ("/adding", "/hiding"):
                location = locations[path]
                assert location.application is not None
                passed = [] if "strict-transport-security" in location.hidden_headers else ["max-age=7"]
                expected = passed + [header.value for header in location.headers]
                connection = http.client.HTTPConnection("127.0.0.1", front, timeout=10)
                connection.request("GET", path)
                headers = connection.getresponse().headers
                connection.close()
                assert headers.get_all("Strict-Transport-Security") == expected
