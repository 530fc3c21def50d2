"""Apache as a proxy towards https: what it accepts from a backend is what the settings that were read say."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.prediction import apache_deployment
from support.servers import free_ports
from tlslint.resolve.model import Upstream

MODULES = (*USUAL_MODULES, "proxy", "proxy_http", "slotmem_shm", "proxy_balancer", "lbmethod_byrequests")


@pytest.fixture(scope="module", name="backend")
def _backend(certificates: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    text = (
        f"ServerName c.example.test\nListen 127.0.0.1:{port}\nSSLEngine on\nSSLProtocol all\n"
        f"SSLCertificateFile {certificates}/c-ec256.pem\nSSLCertificateKeyFile {certificates}/c-ec256.key\n"
        "Redirect 204 /\n"
    )
    with ApacheServer(needed_apache(), text):
        yield port


ENGINE, ANY_NAME = "SSLProxyEngine on", "SSLProxyCheckPeerName off"
RIGHT, WRONG = "SSLProxyCACertificateFile {0}/root-ec.pem", "SSLProxyCACertificateFile {0}/root-rsa.pem"
REQUIRE = "SSLProxyVerify require\nSSLProxyVerifyDepth 5"
PASS = "ProxyPass / https://127.0.0.1:{1}/"

CASES = {
    "no engine": [PASS],
    "the name is checked": [ENGINE, PASS],
    "no check of the name": [ENGINE, ANY_NAME, PASS],
    "the older check switched off takes the newer one with it": [ENGINE, "SSLProxyCheckPeerCN off", PASS],
    "both checks by word": [ENGINE, "SSLProxyCheckPeerCN off", "SSLProxyCheckPeerName on", PASS],
    "the older check on": [ENGINE, "SSLProxyCheckPeerCN on", PASS],
    "a CA without verification": [ENGINE, ANY_NAME, WRONG, PASS],
    "verified": [ENGINE, ANY_NAME, RIGHT, REQUIRE, PASS],
    "not verified": [ENGINE, ANY_NAME, WRONG, REQUIRE, PASS],
    "verification is optional": [ENGINE, ANY_NAME, WRONG, "SSLProxyVerify optional\nSSLProxyVerifyDepth 5", PASS],
    "no CA is asked": [ENGINE, ANY_NAME, WRONG, "SSLProxyVerify optional_no_ca\nSSLProxyVerifyDepth 5", PASS],
    "settings of a section": [
        "<Proxy https://127.0.0.1:{1}/>", ENGINE, ANY_NAME, "</Proxy>", PASS,
    ],
    "settings of a section with a mask": ["<Proxy https://127.0.0.1:*>", ENGINE, ANY_NAME, "</Proxy>", PASS],
    "settings of another section": ["<Proxy https://127.0.0.2:{1}/>", ENGINE, ANY_NAME, "</Proxy>", PASS],
    "a section wins": [ENGINE, "<Proxy https://127.0.0.1:{1}/*>", ANY_NAME, "</Proxy>", PASS],
    "in a location": [ENGINE, ANY_NAME, "<Location /x>", "ProxyPass https://127.0.0.1:{1}/", "</Location>"],
    "a rewrite": [ENGINE, ANY_NAME, "RewriteEngine on", "RewriteRule ^/(.*) https://127.0.0.1:{1}/$1 [P,L]"],
    "a handler": [ENGINE, ANY_NAME, "<Location /x>", 'SetHandler "proxy:https://127.0.0.1:{1}/"', "</Location>"],
    "a balancer": [
        ENGINE, ANY_NAME, "<Proxy balancer://pool>", "BalancerMember https://127.0.0.1:{1}", "</Proxy>",
        "ProxyPass / balancer://pool/",
    ],
    "a balancer whose members stand outside of it": [
        ENGINE, ANY_NAME, "BalancerMember balancer://Pool https://127.0.0.1:{1}", "ProxyPass / balancer://pool/",
    ],
    "a balancer that is not trusted": [
        ENGINE, ANY_NAME, "<Proxy balancer://pool>", "BalancerMember https://127.0.0.1:{1}", REQUIRE, WRONG, "</Proxy>",
        "ProxyPass / balancer://pool/",
    ],
    "versions that do not meet": [ENGINE, ANY_NAME, "SSLProxyProtocol TLSv1.1", PASS],
}  # fmt: skip


def expected(upstream: Upstream) -> bool:
    """Whether requests are passed on, by the settings; the certificate names another host, the right CA is known."""
    assert upstream.tls
    assert upstream.name_check is not None
    trusted = "root-ec" in (upstream.trusted_ca.known or "")
    versions = upstream.protocols.known or frozenset()
    meets = bool(versions & {"TLSv1.2", "TLSv1.3"})
    return meets and not upstream.failure and not upstream.name_check.known and (not upstream.verify.known or trusted)


PLACES = [(name, "virtual host") for name in CASES] + [
    # a virtual host does not inherit what mod_rewrite does
    (name, "main server")
    for name in CASES
    if name != "a rewrite"
]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_backend_is_accepted_as_the_settings_say(name: str, place: str, backend: int, certificates: Path) -> None:
    (port,) = free_ports(1)
    lines = "\n".join(line.format(certificates, backend) for line in CASES[name])
    main = f"ServerName a.test\nListen 127.0.0.1:{port}\n"
    body = f"<VirtualHost *:{port}>\nServerName a.test\n{lines}\n</VirtualHost>\n"
    text = main + (body if place == "virtual host" else f"{lines}\n<VirtualHost *:{port}>\n</VirtualHost>\n")
    server = ApacheServer(needed_apache(), text, modules=MODULES)
    (upstream,) = apache_deployment(server.configuration).upstreams
    with server:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/x")
        status = connection.getresponse().status
        connection.close()
        log = server.error_log
    assert (status == 204) is expected(upstream), (status, log[-600:])
