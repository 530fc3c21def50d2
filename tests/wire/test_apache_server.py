"""The tests' own Apache: it starts, answers, says why it does not, and leaves nothing behind."""

import http.client

import pytest

from support.apache import ApacheServer, ask_apache, needed_apache
from support.servers import ServerError, free_ports


def test_starts_answers_and_stops() -> None:
    (port,) = free_ports(1)
    with ApacheServer(needed_apache(), f"Listen 127.0.0.1:{port}\nRedirect /a /b\n") as server:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/a")
        assert connection.getresponse().status == 302
        connection.close()
        root = server.root
    assert not root.exists()


def test_says_why_it_does_not_start() -> None:
    (port,) = free_ports(1)
    server = ApacheServer(needed_apache(), f"Listen 127.0.0.1:{port}\nSSLEngine on\n")
    try:
        assert server.test()[0]
        with pytest.raises(ServerError, match="AH02572"):
            server.start()
    finally:
        server.stop()


def test_what_it_is_asked_is_answered_with_the_main_files_lines() -> None:
    code, output = ask_apache("Listen 1\n\nNoSuchDirective\n", "-t")
    assert code == 1
    assert "line 3" in output
