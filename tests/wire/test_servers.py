"""Starting and stopping real servers."""

import os
import socket
from pathlib import Path

import pytest

from support.servers import NginxBinary, NginxServer, ServerError, free_ports, nginx_test, read_version

GOOD = "events {{}}\nhttp {{\n    server {{ listen 127.0.0.1:{port}; return 200 ok; }}\n}}\n"


def test_serves_and_leaves_nothing_behind(nginx: NginxBinary) -> None:
    port = free_ports(1)[0]
    with NginxServer(nginx, GOOD.format(port=port)) as server:
        process = int((server.root / "nginx.pid").read_text())
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert not server.root.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_folder_is_served_with_its_includes(nginx: NginxBinary, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.conf").write_text(f"server {{ listen 127.0.0.1:{port}; return 204; }}\n")
    (tmp_path / "main.conf").write_text("events {}\nhttp {\n    include sites/*.conf;\n}\n")
    with (
        NginxServer(nginx, tmp_path, "main.conf"),
        socket.create_connection(("127.0.0.1", port), timeout=5) as client,
    ):
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 204")
    assert (tmp_path / "main.conf").read_text() == "events {}\nhttp {\n    include sites/*.conf;\n}\n"


def test_failing_to_start_shows_the_log(nginx: NginxBinary) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match="98: Address"), NginxServer(nginx, GOOD.format(port=port)):
            pass


def test_messages_of_the_configuration_test(nginx: NginxBinary) -> None:
    passes, _ = nginx_test(nginx, GOOD.format(port=free_ports(1)[0]))
    assert passes
    passes, messages = nginx_test(nginx, "events {}\nhttp {\n    server { listen nowhere.; }\n}\n")
    assert not passes
    # private paths are added without moving a line
    assert "nginx.conf:3" in messages


def test_versions_are_read() -> None:
    built = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.22 25 Aug 2026 (running with OpenSSL 3.0.19 27 Jan)\n"
    assert read_version(built) == ((1, 22, 1), (3, 0, 19))
    with pytest.raises(ServerError):
        read_version("nginx version: nginx/1.22.1\nTLS SNI support disabled\n")


def test_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
