"""Headers and redirects of a real Apache, over TLS and over plain HTTP, against what is predicted of them."""

import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from http.client import HTTPResponse
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.apache import ApacheServer, needed_apache
from support.prediction import apache_deployment
from support.servers import free_ports
from tlslint.resolve.model import Location, Unknown, VirtualHost

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
PAIR = (
    f"SSLEngine on\nSSLCertificateFile {CERTIFICATES}/a-ec256.pem\nSSLCertificateKeyFile {CERTIFICATES}/a-ec256.key\n"
)
PAGES = ("/index.html", "/sub/page.html", "/missing")


def ask(port: int, path: str, tls: bool, host: str = "a.test") -> tuple[int, list[str], str]:
    """Ask for a page: its status, the values of X-T, and where a redirect leads."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(raw, server_hostname=host) if tls else raw as channel:
        channel.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        response = HTTPResponse(channel)
        response.begin()
        return response.status, response.headers.get_all("X-T") or [], response.headers.get("Location", "")


class Site:
    """One configuration with a host on a TLS socket and the same lines in one on a plain socket."""

    def __init__(self, main: Sequence[str], host: Sequence[str], names: str = "ServerName a.test") -> None:
        self.ports = free_ports(2)
        lines = [f"Listen 127.0.0.1:{port}" for port in self.ports]
        lines += ["ServerName main.test", *main]
        for port, start in zip(self.ports, (PAIR, ""), strict=True):
            lines += [f"<VirtualHost *:{port}>", names, start, *host, "</VirtualHost>"]
        self.server = ApacheServer(needed_apache(), "\n".join([*lines, ""]))
        (self.server.root / "htdocs" / "sub").mkdir()
        for name in ("index.html", "sub/page.html"):
            (self.server.root / "htdocs" / name).write_text("x")
        hosts = apache_deployment(self.server.configuration).virtual_hosts
        self.hosts: dict[bool, VirtualHost] = {True: hosts[0], False: hosts[1]}

    def ask(self, path: str, tls: bool, host: str = "a.test") -> tuple[int, list[str], str]:
        return ask(self.ports[0 if tls else 1], path, tls, host)

    def top(self, tls: bool) -> Location:
        return self.hosts[tls].locations[0]


def values(location: Location, tls: bool, everywhere: bool) -> Counter[str] | None:
    """The values of X-T that clients get, of those that come with errors too only; None where that depends."""
    found: Counter[str] = Counter()
    for header in location.headers:
        sent = header.over_tls if tls else header.over_plain
        if header.name.lower() != "x-t" or (everywhere and not header.always):
            continue
        if isinstance(sent, Unknown) or len(set(sent)) > 1:
            return None
        found.update([sent[0]] if sent and sent[0] else [])
    return found


EARLY = "Header set X-T one early"


@pytest.mark.parametrize(
    ("main", "host", "expected"),
    [
        ([EARLY], [], ["one"]),
        ([], [EARLY], ["one"]),
        ([EARLY], ["Header set X-T two"], ["two"]),
        (["Header set X-T one"], ["Header set X-T two early"], ["one"]),
        ([], ["Header add X-T two", EARLY], ["one", "two"]),
        ([], [EARLY, "Header unset X-T"], []),
        ([], ["Header set X-T one", "Header unset X-T early"], ["one"]),
        ([], ["<Location />", EARLY, "</Location>"], []),
        ([], ["<Directory />", EARLY, "</Directory>"], []),
        ([], ["Header always set X-T one early"], ["one"]),
        ([], ["Header append X-T two", "Header append X-T one early"], ["one, two"]),
        # what goes by what is there goes by the first of that name
        ([], ["Header add X-T one", "Header add X-T two", "Header append X-T three"], ["one, three", "two"]),
        ([], ["Header add X-T one", "Header add X-T two", "Header merge X-T two"], ["one, two", "two"]),
        ([], ["Header add X-T one", "Header add X-T two", "Header merge X-T one"], ["one", "two"]),
        ([], ["Header add X-T one", "Header add X-T two", "Header setifempty X-T three"], ["one", "two"]),
        (["Header set X-T one", "Header add X-T two"], ["Header append X-T one"], ["one, one", "two"]),
    ],
)
def test_lines_in_the_order_of_httpd(main: list[str], host: list[str], expected: list[str]) -> None:
    site = Site(main, host)
    assert values(site.top(True), True, False) == Counter(expected)
    with site.server:
        assert site.ask("/index.html", True)[1] == expected


def test_an_early_line_decides_about_errors() -> None:
    site = Site([], ["Header always set X-T one early", "Header always unset X-T"])
    assert values(site.top(True), True, False) is None
    with site.server:
        assert site.ask("/index.html", True)[1] == []
        assert site.ask("/missing", True)[1] == ["one"]


TABLES = st.sampled_from(("", "always ", "onsuccess "))
CONDITIONS = st.sampled_from(
    ("", "", "", " env=HTTPS", " env=!HTTPS", " \"expr=%{HTTPS} == 'on'\"", " \"expr=%{REQUEST_SCHEME} != 'https'\"",
     " early", " \"expr=!(%{HTTPS} == 'on') && true\"")
)  # fmt: skip
LINES = st.one_of(
    st.builds("Header {}{} X-T {}{}".format, TABLES, st.sampled_from(("set", "add", "append", "merge", "setifempty")),
              st.sampled_from(("one", "two", '"max-age=1; x"', "100%%")), CONDITIONS),
    st.builds("Header {}unset {}{}".format, TABLES, st.sampled_from(("X-T", "x-t", "X-T:")), CONDITIONS),
)  # fmt: skip
BLOCKS = st.one_of(
    LINES.map(lambda line: [line]),
    LINES.map(lambda line: ["<If \"%{HTTPS} == 'on'\">", line, "</If>"]),
    LINES.map(lambda line: ["<Location />", line, "</Location>"]),
    LINES.map(lambda line: ["<LocationMatch ^/>", line, "</LocationMatch>"]),
    LINES.map(lambda line: ["<Directory />", line, "</Directory>"]),
)
SETS = st.lists(BLOCKS, max_size=5).map(lambda blocks: [line for block in blocks for line in block])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(main=SETS, host=SETS)
def test_headers_are_sent_as_predicted(main: list[str], host: list[str]) -> None:
    site = Site(main, host)
    with site.server:
        for tls in (True, False):
            for path in PAGES:
                expected = values(site.top(tls), tls, path == "/missing")
                seen = site.ask(path, tls)[1]
                assert expected is None or expected == Counter(seen), (path, tls, seen)


REDIRECTS = {
    "permanent": ["Redirect permanent / https://x.test/"],
    "by its own directive": ["RedirectPermanent / https://x.test/"],
    "temporary": ["Redirect / https://x.test/"],
    "by number": ["Redirect 308 / https://x.test/"],
    "by pattern": ["RedirectMatch 301 ^/(.*)$ https://x.test/$1"],
    "for one path": ["Redirect /sub https://x.test/"],
    "gone": ["Redirect gone /"],
    "by rewriting": ["RewriteEngine On", "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]"],
    "by rewriting without a flag": ["RewriteEngine On", "RewriteRule ^/?(.*) https://x.test/$1"],
    "rewriting that is off": ["RewriteRule ^ https://x.test/ [R]"],
    "by rewriting of what is plain": [
        "RewriteEngine On", "RewriteCond %{HTTPS} off", "RewriteRule (.*) https://x.test$1 [R=301]",
    ],
    "by rewriting of what is not TLS": [
        "RewriteEngine On", "RewriteCond %{HTTPS} !=on", "RewriteRule ^/?(.*) https://x.test/$1 [R,L]",
    ],
    "by rewriting of a scheme": [
        "RewriteEngine On", "RewriteCond %{REQUEST_SCHEME} =http", "RewriteRule .* https://x.test/ [redirect=307]",
    ],
    "certbot's": [
        "RewriteEngine on", "RewriteCond %{SERVER_NAME} =a.test [OR]", "RewriteCond %{SERVER_NAME} =www.a.test",
        "RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [END,NE,R=permanent]",
    ],
    "all but challenges": [
        "RewriteEngine On", r"RewriteCond %{REQUEST_URI} !^/\.well-known/acme-challenge/",
        "RewriteRule ^ https://x.test%{REQUEST_URI} [R=301]",
    ],
    "for one host name": [
        "RewriteEngine On", "RewriteCond %{HTTP_HOST} ^www", "RewriteRule ^ https://x.test/ [R]",
    ],
    "two conditions": [
        "RewriteEngine On", "RewriteCond %{HTTPS} off", "RewriteCond %{SSL:HTTPS} =off [NC]",
        "RewriteRule ^ https://x.test/ [R]",
    ],
    "one of two conditions": [
        "RewriteEngine On", "RewriteCond %{HTTPS} =on [OR]", "RewriteCond %{REQUEST_SCHEME} =http",
        "RewriteRule ^ https://x.test/ [R]",
    ],
    "in a condition": ["<If \"%{HTTPS} != 'on'\">", "Redirect permanent / https://x.test/", "</If>"],
    "in a location": ["<Location />", "Redirect permanent / https://x.test/", "</Location>"],
    "in a location of its own": ["<Location /sub>", "Redirect permanent / https://x.test/", "</Location>"],
    "in a directory, with a slash": [
        "<Directory />", "RewriteEngine On", "RewriteRule ^/(.*) https://x.test/$1 [R]", "</Directory>",
    ],
    "in a directory": [
        "<Directory />", "RewriteEngine On", "RewriteRule ^(.*)$ https://x.test/$1 [R]", "</Directory>",
    ],
    "forbidden by rewriting": ["RewriteEngine On", "RewriteRule ^ - [F]"],
    "another status by rewriting": ["RewriteEngine On", "RewriteRule ^ - [R=404]"],
    "to plain HTTP": ["Redirect / http://x.test/"],
    "within the site": ["RedirectMatch ^/sub/(.*)$ /index.html"],
    "nobody": ["<Location />", "Require all denied", "</Location>"],
    "inherited rules": ["RewriteEngine On", "RewriteOptions Inherit"],
    "rules before its own": ["RewriteEngine On", "RewriteOptions InheritBefore", "RewriteRule ^ - [F]"],
}  # fmt: skip
MAIN = {
    "inherited rules": ["RewriteEngine On", "RewriteRule ^ https://x.test/ [R]"],
    "rules before its own": ["RewriteEngine On", "RewriteRule ^ https://x.test/ [R=303]"],
}
INHERITED = {
    "a redirect of the main server": ["Redirect 301 / https://x.test/"],
    "rewriting in the main server": ["RewriteEngine On", "RewriteRule ^ https://x.test/ [R]"],
}


@pytest.mark.parametrize("name", [*REDIRECTS, *INHERITED])
def test_redirects_are_sent_as_predicted(name: str) -> None:
    main = MAIN.get(name, INHERITED.get(name, []))
    site = Site(main, REDIRECTS.get(name, []), "ServerName a.test\nServerAlias www.a.test")
    with site.server:
        for tls in (True, False):
            top = site.top(tls)
            redirect = top.redirect(tls)
            seen = [site.ask(path, tls) for path in PAGES]
            if redirect is not None:
                for status, _, target in seen:
                    assert status == redirect.status
                    assert redirect.scheme in ("", target.partition(":")[0])
            elif top.returns is not None:
                assert {status for status, _, _ in seen} == {top.returns}
            else:
                # some path is answered with something else
                assert any(status in (200, 404) for status, _, _ in seen)
            if not any(item.over_tls is not False if tls else item.over_plain is not False for item in top.redirects):
                inner = [place for place in site.hosts[tls].locations[1:] if place.redirects]
                assert inner or not any(300 <= status < 400 for status, _, _ in seen)


@pytest.mark.parametrize(("named", "flags", "status"), [(True, "", 200), (True, " [R]", 302), (False, "", 302)])
def test_a_rule_that_leads_to_its_own_host_redirects_only_if_the_port_is_another(
    named: bool, flags: str, status: int
) -> None:
    """mod_rewrite makes a path of a URL whose port is that of `ServerName`: nothing certain can be said of it."""
    rules = ["RewriteEngine on", f"RewriteRule ^ https://%{{HTTP_HOST}}/index.html{flags}"]
    site = Site([], rules)
    port = site.ports[0]
    if named:
        text = site.server.configuration.read_text(encoding="utf-8")
        site.server.configuration.write_text(text.replace("ServerName a.test", f"ServerName a.test:{port}"))
    (redirect,) = apache_deployment(site.server.configuration).virtual_hosts[0].locations[0].redirects
    assert redirect.over_tls is (None if status == 200 else True)
    with site.server:
        assert site.ask("/sub/page.html", True, f"a.test:{port}")[0] == status
