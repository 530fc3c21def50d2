"""Who answers, and whether with TLS: what is predicted for each endpoint is what a real Apache does there."""

import hashlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.apache import ApacheServer, needed_apache
from support.prediction import apache_deployment
from support.servers import free_ports, has_ipv6_loopback, missing
from tlslint.resolve.model import ANY_OTHER_NAME, Deployment, Endpoint

UNCLAIMED = "nobody.invalid"


@dataclass
class Seen:
    """What a client met: whether TLS, the certificate's digest, the host that answered the request, and its status."""

    tls: bool
    certificate: str = ""
    host: str = ""
    status: int = 0


def look(address: str, port: int, sni: str | None, host: str) -> Seen:
    """Connect with TLS, else plainly; ask for a page of `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection((address, port), timeout=10)
    try:
        channel = context.wrap_socket(raw, server_hostname=sni)
    except ssl.SSLError:
        raw.close()
        with socket.create_connection((address, port), timeout=10) as plain:
            return _ask(plain, host, Seen(tls=False))
    with channel:
        der = channel.getpeercert(binary_form=True) or b""
        return _ask(channel, host, Seen(tls=True, certificate=hashlib.sha256(der).hexdigest()))


def _ask(channel: socket.socket, host: str, seen: Seen) -> Seen:
    channel.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    response = HTTPResponse(channel)
    response.begin()
    seen.status, seen.host = response.status, response.headers.get("X-Host", "")
    return seen


def block(addresses: str, name: str, *lines: str, mark: str = "") -> str:
    own = [f"ServerName {name}"] if name else []
    text = "\n".join([*own, f"Header always set X-Host {mark or name}", *lines])
    return f"<VirtualHost {addresses}>\n{text}\n</VirtualHost>\n"


def pair(certificates: Path, name: str) -> str:
    return (
        f"SSLCertificateFile {certificates}/{name}-ec256.pem\nSSLCertificateKeyFile {certificates}/{name}-ec256.key\n"
    )


def contradictions(deployment: Deployment, samples: dict[str, str]) -> list[str]:
    """Each endpoint that is predicted otherwise than it is met."""
    found = []
    for endpoint in deployment.endpoints:
        address = endpoint.listener.address
        # connections to any other address of this machine
        address = {"[::]": "127.0.0.3", "0.0.0.0": "127.0.0.3"}.get(address, address.strip("[]"))
        port = endpoint.listener.port
        assert port is not None
        sni = UNCLAIMED if endpoint.sni == ANY_OTHER_NAME else samples.get(endpoint.sni or "", endpoint.sni)
        asked = sni or UNCLAIMED
        seen = look(address, port, sni, asked)
        found += [f"{endpoint.label}: {point}" for point in _disagreements(endpoint, seen)]
    return found


def _disagreements(endpoint: Endpoint, seen: Seen) -> list[str]:
    points = []
    predicted = endpoint.handshake.outcome == "completes"
    if predicted is not seen.tls:
        return [f"TLS is {predicted}, seen {seen.tls}"]
    host = "main" if endpoint.virtual_host.is_main else mark_of(endpoint)
    if seen.host != host:
        points.append(f"the host is {host}, seen {seen.host!r} (status {seen.status})")
    if predicted:
        leaf = (endpoint.tls.certificates.known or ())[0].leaf
        assert leaf is not None
        if leaf.sha256 != seen.certificate:
            points.append("another certificate")
    return points


def mark_of(endpoint: Endpoint) -> str:
    """What the host that is selected sends in its header."""
    (header,) = endpoint.virtual_host.locations[0].headers
    return header.value


PLAIN, ON = "SSLEngine off", "SSLEngine on"
NAMES = {"*.a.example.test": "x.a.example.test", "?.test": "q.test", "*": "anything.invalid", "*.test": "b.test"}

CASES: dict[str, Callable[[str, str, str, str], str]] = {
    "names and aliases": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", ON, a, "ServerAlias www.a.test *.a.example.test")
        + block(f"*:{p}", "b.test", ON, b, "ServerAlias A.TEST ?.test") + block(f"*:{p}", "c.test", ON, c)
    ),
    "a wildcard alias takes a later host's name": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "w.invalid", ON, a, "ServerAlias *.test")
        + block(f"*:{p}", "b.test", ON, b)
    ),
    "a duplicate name": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", ON, a) + block(f"*:{p}", "a.test", ON, b, mark="second")
    ),
    "an address of its own hides all names": lambda a, b, c, p: (
        f"Listen {p}\n" + block(f"*:{p}", "a.test", ON, a) + block(f"*:{p}", "c.test", ON, c)
        + block(f"127.0.0.1:{p}", "b.test", ON, b)
    ),
    "a host on every port hides behind one on this port": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block("*", "b.test", ON, b) + block(f"*:{p}", "a.test", ON, a)
    ),
    "a comma and a colon in aliases": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", ON, a)
        + block(f"*:{p}", "b.test", ON, b, "ServerAlias c.test, d.test:443 # e.test")
    ),
    "the first host is plain": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test") + block(f"*:{p}", "b.test", ON, b)
    ),
    "a later host is plain": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", ON, a) + block(f"*:{p}", "b.test", PLAIN, b)
    ),
    "TLS for all": lambda a, b, c, p: (
        f"SSLEngine on\n{c}Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test") + block(f"*:{p}", "b.test", b)
    ),
    "an https socket": lambda a, b, c, p: (
        f"Listen 0.0.0.0:{p} https\n" + block(f"*:{p}", "a.test", a) + block(f"127.0.0.1:{p}", "b.test", b)
    ),
    "an https socket of one address": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p} HTTPS\nListen 127.0.0.2:{p} https\n" + block(f"*:{p}", "a.test", a)
        + block(f"127.0.0.1:{p}", "b.test", b)
    ),
    "an https socket and no certificate": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p} https\n" + block(f"127.0.0.1:{p}", "a.test")
    ),
    "one host with two addresses, one of them for https": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p} https\nListen 127.0.0.2:{p}\n"
        + block(f"127.0.0.2:{p} 127.0.0.1:{p}", "a.test", a)
    ),
    "one host with two addresses, the other one first": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p} https\nListen 127.0.0.2:{p}\n"
        + block(f"127.0.0.9:{p} 127.0.0.1:{p} 127.0.0.2:{p}", "a.test", a)
    ),
    "the protocol by word": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\nProtocol https\n{c}" + block(f"*:{p}", "a.test", a)
    ),
    "optional": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", "SSLEngine optional", a)
    ),
    "addresses that httpd drops": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p},*:81", "a.test", ON, a) + block(f"*:{p}/", "b.test", ON, b)
    ),
    "no host for the address": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\nListen 127.0.0.2:{p}\n" + block(f"127.0.0.1:{p}", "a.test", ON, a)
    ),
    "the main server speaks TLS": lambda a, b, c, p: (
        f"SSLEngine on\n{c}Listen 127.0.0.1:{p}\nListen 127.0.0.2:{p}\n" + block(f"127.0.0.1:{p}", "a.test", a)
    ),
    "a host without a name": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "a.test", ON, a) + block(f"*:{p}", "", ON, b, mark="nameless")
    ),
    "names with schemes, ports and paths": lambda a, b, c, p: (
        f"Listen 127.0.0.1:{p}\n" + block(f"*:{p}", "x.invalid", ON, a)
        + block(f"*:{p}", "https://b.test:443", ON, b, mark="b")
        + block(f"*:{p}", "https://c.test/", ON, c, "ServerAlias c.example.test", mark="c")
    ),
    "the main server's port": lambda a, b, c, p: (
        f"ServerName main.test:{p}\nListen 127.0.0.1:{p}\n" + block("_default_", "a.test", ON, a)
        + block("*", "b.test", ON, b)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hosts_are_chosen_as_predicted(name: str, certificates: Path) -> None:
    apache = needed_apache()
    port = free_ports(1)[0]
    a, b, c = (pair(certificates, letter) for letter in "abc")
    main = "ServerName main.test\nHeader always set X-Host main\n"
    server = ApacheServer(apache, main + CASES[name](a, b, c, str(port)))
    deployment = apache_deployment(server.configuration)
    with server:
        assert deployment.endpoints
        assert contradictions(deployment, NAMES) == []


def test_both_families(certificates: Path) -> None:
    if not has_ipv6_loopback():
        missing("IPv6")
    apache = needed_apache()
    port = free_ports(1)[0]
    a, b = pair(certificates, "a"), pair(certificates, "b")
    text = (
        f"ServerName main.test\nListen {port}\n"
        + block(f"[::1]:{port}", "a.test", ON, a)
        + block(f"*:{port}", "b.test", ON, b)
        + block(f"[::ffff:127.0.0.2]:{port}", "c.test", ON, pair(certificates, "c"))
    )
    server = ApacheServer(apache, text)
    deployment = apache_deployment(server.configuration)
    with server:
        assert {listener.address for listener in deployment.listeners} == {"[::1]", "127.0.0.2", "[::]"}
        assert contradictions(deployment, NAMES) == []


ADDRESSES = (
    "*:{p}",
    "*:{p}",
    "*",
    "127.0.0.1:{p}",
    "127.0.0.1",
    "127.0.0.2:{p}",
    "_default_:{p}",
    "*:{p} 127.0.0.1:{p}",
)
SAMPLES = {"*.w.test": "v.w.test", "?.q.test": "y.q.test"}
RANDOM_HOSTS = st.lists(
    st.tuples(
        st.sampled_from(ADDRESSES),
        st.sampled_from(("a.test", "b.test", "c.test", "x.w.test", "https://d.test:443", "A.TEST")),
        st.lists(st.sampled_from(("*.w.test", "?.q.test", "a.test", "b.test,", "e.test", "z.q.test")), max_size=2),
        st.sampled_from((ON, ON, "", PLAIN, "SSLEngine optional")),
    ),
    min_size=1,
    max_size=5,
)
RANDOM_LISTENS = st.sampled_from(
    (("{p}",), ("{p} https",), ("0.0.0.0:{p}",), ("127.0.0.1:{p}", "127.0.0.2:{p} https"), ("127.0.0.1:{p} https",))
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(hosts=RANDOM_HOSTS, listens=RANDOM_LISTENS, engine=st.booleans())
def test_random_hosts(hosts: list[tuple[str, str, list[str], str]], listens: tuple[str, ...], engine: bool) -> None:
    port = str(free_ports(1)[0])
    folder = Path(__file__).parents[2] / "fixtures" / "certificates"
    text = "ServerName main.test\nHeader always set X-Host main\n"
    text += "".join(f"Listen {listen}\n" for listen in listens)
    text += f"SSLEngine on\n{pair(folder, 'd')}" if engine else ""
    for index, (addresses, name, aliases, switch) in enumerate(hosts):
        more = [f"ServerAlias {' '.join(aliases)}"] if aliases else []
        text += block(addresses, name, switch, pair(folder, "abcd"[index % 4]), *more, mark=f"host{index}")
    server = ApacheServer(needed_apache(), text.replace("{p}", port))
    deployment = apache_deployment(server.configuration)
    with server:
        assert contradictions(deployment, SAMPLES) == [], text


@pytest.mark.parametrize(
    "protocols", ["", "h2", "h2 http/1.1", "http/1.1 h2", "http/1.1", "h2c", "H2", "h2\nProtocols h2c"]
)
@pytest.mark.parametrize("module", ["http2", ""])
def test_application_protocols(protocols: str, module: str, certificates: Path) -> None:
    apache = needed_apache()
    port = free_ports(1)[0]
    load = f"LoadModule http2_module {apache.modules}/mod_http2.so\n" if module else ""
    line = f"Protocols {protocols}\n" if protocols else ""
    text = (
        f"{load}ServerName main.test\nListen 127.0.0.1:{port}\nProtocols http/1.1\n"
        + block(f"*:{port}", "a.test", ON, pair(certificates, "a"), line)
        + block(f"*:{port}", "b.test", ON, pair(certificates, "b"))
    )
    server = ApacheServer(apache, text)
    deployment = apache_deployment(server.configuration)
    with server:
        for endpoint in deployment.endpoints:
            sni = UNCLAIMED if endpoint.sni == ANY_OTHER_NAME else endpoint.sni
            for offer in ("h2", "http/1.1"):
                agreed = agree(port, sni, offer)
                assert agreed == (offer if offer in endpoint.handshake.alpn else "BAD_EXTENSION"), endpoint.label


def agree(port: int, sni: str | None, offer: str) -> str | None:
    """What a server agrees to that is offered one application protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([offer])
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        channel = context.wrap_socket(raw, server_hostname=sni)
    except ssl.SSLError as error:
        raw.close()
        # Apache answers "http/1.1" even to clients that did not offer it, and they end the handshake
        return error.reason
    with channel:
        return channel.selected_alpn_protocol()
