"""The assembly for Apache: sockets, who answers on them, and which settings govern."""

from pathlib import Path

import pytest

from support.apache import ask_apache
from support.prediction import apache_deployment
from tlslint.resolve.model import ANY_OTHER_NAME, Deployment, Endpoint

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
PAIR = f"SSLCertificateFile {CERTIFICATES}/a-ec256.pem\nSSLCertificateKeyFile {CERTIFICATES}/a-ec256.key\n"
TARGET = "apache=2.4.71,openssl=3.0.19"


def resolved(tmp_path: Path, text: str, target: str = TARGET) -> Deployment:
    entry = tmp_path / "apache2.conf"
    entry.write_text(text)
    return apache_deployment(entry, target)


def at(deployment: Deployment, sni: str | None, listen: str = "127.0.0.1:8443") -> Endpoint:
    (found,) = [e for e in deployment.endpoints if e.sni == sni and e.listener.label == listen]
    return found


def sockets(deployment: Deployment) -> dict[str, bool]:
    return {listener.label: listener.tls for listener in deployment.listeners}


TWO = (
    "Listen 127.0.0.1:8443\nServerName main.test\n"
    f"<VirtualHost *:8443>\nServerName a.test\nSSLEngine on\n{PAIR}</VirtualHost>\n"
    "<VirtualHost *:8443>\nServerName b.test\nServerAlias *.b.test a.test\n{more}</VirtualHost>\n"
)


def two(more: str) -> str:
    return TWO.replace("{more}", more)


def test_a_name_selects_and_the_first_host_answers_for_the_rest(tmp_path: Path) -> None:
    deployment = resolved(tmp_path, two(f"SSLEngine on\n{PAIR}SSLProtocol -all +TLSv1.3\n"))
    assert at(deployment, "b.test").virtual_host.label == "b.test"
    assert at(deployment, "b.test").handshake.protocols == ("TLSv1.3",)
    assert at(deployment, "*.b.test").virtual_host.label == "b.test"
    for sni in ("a.test", None, ANY_OTHER_NAME):
        assert at(deployment, sni).virtual_host.label == "a.test"
    (problem,) = [problem for problem in deployment.problems if problem.kind == "conflicting-server-name"]
    assert problem.endpoints == ("a.test on 127.0.0.1:8443",)
    assert problem.span.text == "a.test"


def test_a_host_without_tls_is_served_with_the_first_ones(tmp_path: Path) -> None:
    endpoint = at(resolved(tmp_path, two("SSLProtocol TLSv1.2\n")), "b.test")
    assert endpoint.virtual_host.label == "b.test"
    assert endpoint.answering.label == "a.test"
    assert endpoint.handshake.protocols == ("TLSv1.2", "TLSv1.3")


def test_addresses_that_hosts_have_for_themselves_are_sockets_of_their_own(tmp_path: Path) -> None:
    deployment = resolved(
        tmp_path,
        "Listen 443\nServerName main.test\n"
        f"<VirtualHost 192.0.2.1:443>\nServerName a.test\nSSLEngine on\n{PAIR}</VirtualHost>\n",
    )
    assert sockets(deployment) == {"192.0.2.1:443": True, "[::]:443": False}
    first, rest = deployment.listeners
    assert not first.is_remainder
    assert rest.is_remainder
    assert rest.default.is_main


@pytest.mark.parametrize(
    ("listen", "address", "tls"),
    [
        ("443", "*:443", True),
        ("443", "_default_:443", True),
        ("443", "192.0.2.1:443", False),
        ("192.0.2.1:443", "*:443", False),
        ("192.0.2.1:443", "192.0.2.1:443", True),
        ("443", "*", False),
        ("8443 https", "*:8443", True),
        ("8443", "*:8443", False),
        ("443 http", "*:443", False),
        ("0.0.0.0:443", "*:443", True),
        ("[::]:443", "0.0.0.0:443", True),
    ],
)
def test_tls_is_on_unasked_where_the_socket_is_for_https(tmp_path: Path, listen: str, address: str, tls: bool) -> None:
    text = f"Listen {listen}\nServerName main.test\n<VirtualHost {address}>\nServerName a.test\n{PAIR}</VirtualHost>\n"
    deployment = resolved(tmp_path, text)
    assert deployment.listeners[0].tls is tls
    assert not any(listener.tls for listener in deployment.listeners[1:])
    # before there was such a rule
    assert not any(sockets(resolved(tmp_path, text, "apache=2.4.9,openssl=1.0.2")).values())


def test_a_lone_site_file_has_the_sockets_that_its_hosts_need(tmp_path: Path) -> None:
    deployment = resolved(
        tmp_path, f"<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n{PAIR}</VirtualHost>\n"
        "<VirtualHost 192.0.2.1:80>\nServerName a.test\n</VirtualHost>\n"
    )  # fmt: skip
    assert deployment.fragment
    assert sockets(deployment) == {"192.0.2.1:80": False, "[::]:443": True}


def test_a_snippet_without_hosts_is_judged_for_whoever_includes_it(tmp_path: Path) -> None:
    deployment = resolved(tmp_path, "SSLProtocol -all +TLSv1.2\nSSLHonorCipherOrder on\n")
    (endpoint,) = deployment.endpoints
    assert endpoint.label == "every server that includes this file"
    assert endpoint.handshake.protocols == ("TLSv1.2",)


def test_hosts_that_no_connection_reaches(tmp_path: Path) -> None:
    deployment = resolved(
        tmp_path,
        "Listen 127.0.0.1:8443\nServerName main.test\n"
        "<VirtualHost *:444>\nServerName a.test\n</VirtualHost>\n"
        "<VirtualHost *:8443/>\nServerName b.test\n</VirtualHost>\n"
        "<VirtualHost *>\nServerName c.test\n</VirtualHost>\n"
        "<VirtualHost 127.0.0.1:8443>\nServerName d.test\n</VirtualHost>\n",
    )
    assert [host.unreachable for host in deployment.virtual_hosts] == [
        "no Listen line opens its port",
        '"*:8443/" is no address and no host name',
        "other hosts take all of its connections",
        "",
    ]


def test_http2_needs_its_module_and_threads(tmp_path: Path) -> None:
    text = two("SSLEngine on\n" + PAIR + "Protocols h2\n")
    load = "LoadModule http2_module modules/mod_http2.so\n"
    assert at(resolved(tmp_path, load + text), "b.test").handshake.alpn == ("h2", "http/1.1")
    assert at(resolved(tmp_path, load + text), "a.test").handshake.alpn == ("http/1.1",)
    prefork = "LoadModule mpm_prefork_module modules/mod_mpm_prefork.so\n"
    assert at(resolved(tmp_path, load + prefork + text), "b.test").handshake.alpn == ("http/1.1",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Listen 127.0.0.1:8443\nListen 127.0.0.1:8443\n", "Cannot define multiple Listeners on the same IP:port"),
        ("Listen 8443\nListen 127.0.0.1:8443\n", "could not bind to address 127.0.0.1:8443 (AH00072)"),
        ("Listen 8443\nListen *\n", "Port must be specified"),
        ("Listen 8443\n<VirtualHost :443>\n</VirtualHost>\n", "The address or port is invalid (:443)"),
        ("Listen 8443\n<VirtualHost 443>\n</VirtualHost>\n", "Missing address for VirtualHost (443)"),
        ("Listen 8443\nServerName a:x\n", 'The port number "a:x" is outside the appropriate range (i.e., 1..65535).'),
    ],
)
def test_what_apache_refuses(tmp_path: Path, text: str, message: str) -> None:
    found = [problem for problem in resolved(tmp_path, text).problems if problem.kind == "server-will-not-start"]
    assert [problem.message for problem in found] == [message]
    code, output = ask_apache(f"ServerName main.test\n{text}", "-t")
    assert (code == 0) is ("AH00072" in message)
    assert code == 0 or message.partition(" (")[0] in output
