"""`Listen` lines as Apache reads them: a real one is asked what it refuses, and what it cannot bind."""

from itertools import combinations_with_replacement

import pytest

from support.apache import ApacheServer, ask_apache, find_apache, needed_apache
from support.servers import ServerError, free_ports, has_ipv6_loopback, missing
from tlslint.resolve.apache_listen import Listen, canonical, conflicts, is_dual_stack, parse_listen


@pytest.fixture(scope="module", autouse=True)
def _apache() -> None:
    if find_apache() is None:
        missing("apache")


@pytest.mark.parametrize(
    "words",
    ["443", "*:443", "0.0.0.0:443", "[::]:443", "127.0.0.1:443", "localhost:443", "[::1]:443", "127.1:80", "8443 https",
     "8443 HTTPS", "443 http", "443 ssl", '"443"', "", "*", "127.0.0.1", "443 https x", "0", "65536", "*:0", ":443",
     "[::1", "[::1]", "[::g]:443", "a", "443/tcp", "::1:443", "[::ffff:127.0.0.1]:443"],
)  # fmt: skip
def test_what_apache_refuses_is_refused_in_its_words(words: str) -> None:
    code, output = ask_apache(f"ServerName a.test\nListen {words}\n", "-t")
    parsed = parse_listen(words.replace('"', "").split())
    if isinstance(parsed, str):
        assert code != 0, words
        assert parsed in output
    else:
        assert code == 0, output


def test_the_port_decides_the_protocol_where_nothing_else_does() -> None:
    for words, protocol in (("443", "https"), ("8443", "http"), ("8443 HTTPS", "https"), ("443 http", "http")):
        parsed = parse_listen(words.split())
        assert isinstance(parsed, Listen)
        assert parsed.protocol == protocol


FORMS = ("{}", "*:{}", "0.0.0.0:{}", "[::]:{}", "127.0.0.1:{}", "localhost:{}", "127.1:{}", "[::1]:{}")


@pytest.mark.parametrize("forms", list(combinations_with_replacement(FORMS, 2)), ids=" + ".join)
def test_lines_that_cannot_both_be(forms: tuple[str, str]) -> None:
    if not has_ipv6_loopback():
        missing("IPv6")
    port = free_ports(1)[0]
    lines = [form.format(port) for form in forms]
    parsed = [parse_listen([line]) for line in lines]
    found = list(conflicts([each for each in parsed if isinstance(each, Listen)]))
    text = "".join(f"Listen {line}\n" for line in lines) + "ServerName a.test\n"
    server = ApacheServer(needed_apache(), text)
    try:
        passes, message = server.test()
        assert passes is not any(conflict.early for conflict in found), message
        if found:
            with pytest.raises(ServerError, match=r"AH00072|Cannot define multiple Listeners"):
                server.start()
        else:
            server.start()
    finally:
        server.stop()


def test_one_spelling_for_each_address() -> None:
    assert canonical("0:0::1") == ("inet6", "[::1]")
    assert canonical("::ffff:192.0.2.1") == ("inet", "192.0.2.1")
    assert canonical("192.0.513") == ("inet", "192.0.2.1")
    assert canonical("Web.Example.Test") == ("name", "web.example.test")
    assert canonical("*:443/")[0] == "garbage"


def test_an_ipv6_socket_takes_ipv4_where_nothing_else_does() -> None:
    both, four = parse_listen(["443"]), parse_listen(["0.0.0.0:443"])
    assert isinstance(both, Listen)
    assert isinstance(four, Listen)
    assert is_dual_stack(both, [both])
    assert not is_dual_stack(both, [both, four])
    assert not is_dual_stack(four, [four])
