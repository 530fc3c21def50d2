"""Requests for another host than the one that the connection was opened for: which ones a real Apache refuses."""

import socket
import ssl
from http.client import HTTPResponse
from pathlib import Path

import pytest

from support.apache import ApacheServer, needed_apache
from support.prediction import apache_deployment
from support.servers import free_ports
from tlslint.resolve.model import NO_SNI


def ask(port: int, sni: str | None, host: str) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    with context.wrap_socket(raw, server_hostname=sni) as channel:
        channel.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        response = HTTPResponse(channel)
        response.begin()
        return response.status


BOTH = "SSLCACertificateFile {0}/client-ca-1.pem"
CASES = {
    "alike": "",
    "certificate": "SSLCertificateFile {0}/b-ec256.pem\nSSLCertificateKeyFile {0}/b-ec256.key",
    "the same certificate, spelt otherwise": "SSLCertificateFile {0}/../certificates/a-ec256.pem",
    "protocol": "SSLProtocol TLSv1.3",
    "the default protocol by word": "SSLProtocol all -SSLv3",
    "ciphers": "SSLCipherSuite ECDHE+AESGCM",
    "suites": "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256",
    "verification": "SSLVerifyClient optional",
    "verification by word": "SSLVerifyClient none",
    "depth": "SSLVerifyDepth 3",
    "another CA": "SSLCACertificateFile {0}/client-ca-2.pem",
    "shown names": "SSLCADNRequestFile {0}/client-ca-2.pem",
    "revocation": "SSLCARevocationFile {0}/client-ca-1-crl.pem\nSSLCARevocationCheck leaf",
    "responder": "SSLOCSPEnable on",
    "a command": "SSLOpenSSLConfCmd NumTickets 1",
    "order": "SSLHonorCipherOrder on",
    "tickets": "SSLSessionTickets off",
    "timeout": "SSLSessionCacheTimeout 60",
    "renegotiation": "SSLInsecureRenegotiation on",
}
POLICIES = {"": CASES, "authonly": CASES, "strict": ["alike"], "insecure": ["alike", "certificate", "verification"]}


@pytest.mark.parametrize(("policy", "name"), [(policy, name) for policy, names in POLICIES.items() for name in names])
def test_hosts_are_compared_as_predicted(policy: str, name: str, certificates: Path) -> None:
    (port,) = free_ports(1)
    key = "SSLCertificateKeyFile {0}/a-ec256.key\n"
    first = "SSLEngine on\nSSLCertificateFile {0}/a-ec256.pem\n" + key
    more = CASES[name]
    second = first if "SSLCertificateFile" not in more else "SSLEngine on\n" + ("" if "KeyFile" in more else key)
    text = (
        f"ServerName main.test\nListen 127.0.0.1:{port}\nRedirect 204 /\n{BOTH}\n"
        + (f"SSLVHostSNIPolicy {policy}\n" if policy else "")
        + f"<VirtualHost *:{port}>\nServerName a.test\n{first}</VirtualHost>\n"
        + f"<VirtualHost *:{port}>\nServerName b.test\n{second}{more}\n</VirtualHost>\n"
    ).replace("{0}", str(certificates))
    server = ApacheServer(needed_apache(), text)
    deployment = apache_deployment(server.configuration)
    a, b = deployment.virtual_hosts
    with server:
        for opened, asked, sni in (
            (a, b, "a.test"),
            (b, a, "b.test"),
            (a, b, None),
            (a, a, "a.test"),
            (b, b, "b.test"),
        ):
            status = ask(port, sni, asked.label)
            refused = deployment.misdirected(opened, asked, sni is not None)
            assert status == (421 if refused else 204), (sni, asked.label, refused)


@pytest.mark.parametrize("where", ["main", "first", "second"])
def test_clients_without_sni_are_refused_where_the_check_is_strict(where: str, certificates: Path) -> None:
    (port,) = free_ports(1)
    strict = "SSLStrictSNIVHostCheck on\n"
    file = f"{certificates}/a-ec256"
    pair = f"SSLEngine on\nSSLCertificateFile {file}.pem\nSSLCertificateKeyFile {file}.key\n"
    hosts = [
        f"<VirtualHost *:{port}>\nServerName {name}.test\n{pair}{strict if where == place else ''}</VirtualHost>\n"
        for name, place in (("a", "first"), ("b", "second"))
    ]
    main = f"ServerName main.test\nListen 127.0.0.1:{port}\nRedirect 204 /\n"
    server = ApacheServer(needed_apache(), main + (strict if where == "main" else "") + "".join(hosts))
    deployment = apache_deployment(server.configuration)
    with server:
        (endpoint,) = [endpoint for endpoint in deployment.endpoints if endpoint.sni is NO_SNI]
        assert ask(port, None, "a.test") == (403 if endpoint.refused_by else 204)
        assert ask(port, "a.test", "a.test") == 204
        assert ask(port, "unknown.invalid", "a.test") == 204
