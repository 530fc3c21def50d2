"""Real nginx: which oddities of PEM it refuses and with which words, and which chain it sends from the others."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from pki.issue import Authority
from pki.test_pki_pem import LEAF, ODDITIES
from support.servers import NGINX_NAMES, NginxBinary, NginxServer, free_ports, needed_nginx
from tlslint.pki.bundle import read_bundle
from tlslint.pki.pem import NO_DATA

VERDICTS = {name: read_bundle(data, name).server_verdict for name, data in ODDITIES.items()}
TAKEN = [
    name
    for name, verdict in VERDICTS.items()
    if not verdict and read_bundle(ODDITIES[name], name).certificates[0] == LEAF.read
]
REFUSED = [name for name, verdict in VERDICTS.items() if verdict]


@pytest.fixture(params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


def key_file(folder: Path, identity: Authority) -> Path:
    path = folder / "leaf.key"
    path.write_bytes(identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def host(index: int) -> str:
    return f"host-{index}.example.test"


def server_block(port: int, name: str, certificate: Path, key: Path) -> str:
    return (
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {name};"
        f" ssl_certificate {certificate}; ssl_certificate_key {key}; }}\n"
    )


def chain_sent(port: int, name: str) -> Iterator[str]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), plain)
        connection.set_tlsext_host_name(name.encode())
        connection.set_connect_state()
        connection.do_handshake()
        for certificate in connection.get_peer_cert_chain() or []:
            yield certificate.digest("sha256").decode().replace(":", "").lower()


def test_nginx_sends_the_predicted_chains(nginx: NginxBinary, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    key = key_file(tmp_path, LEAF)
    blocks = []
    for index, name in enumerate(TAKEN):
        path = tmp_path / f"{index}.pem"
        path.write_bytes(ODDITIES[name])
        blocks.append(server_block(port, host(index), path, key))
    assert len(blocks) > 20
    with NginxServer(nginx, "events {} http {\n" + "".join(blocks) + "}\n"):
        for index, name in enumerate(TAKEN):
            predicted = [certificate.sha256 for certificate in read_bundle(ODDITIES[name], name).certificates]
            assert list(chain_sent(port, host(index))) == predicted, name


def test_nginx_refuses_with_the_predicted_words(nginx: NginxBinary, tmp_path: Path) -> None:
    key = key_file(tmp_path, LEAF)
    path = tmp_path / "chain.pem"
    server = NginxServer(nginx, "events {} http {" + server_block(1, "a.example.test", path, key) + "}\n")
    try:
        for name in REFUSED:
            path.write_bytes(ODDITIES[name])
            passed, messages = server.test()
            assert not passed, name
            verdict = VERDICTS[name]
            assert "PEM_read_bio_X509" in messages, (name, messages)
            assert verdict == NO_DATA or f"{verdict}" in messages, (name, verdict, messages)
    finally:
        server.stop()
