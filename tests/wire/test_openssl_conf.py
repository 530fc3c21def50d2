"""What an openssl.cnf does to nginx: predicted, and seen on a server that runs with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from support.compare import disagreements
from support.prediction import deployment_of, endpoints_of, target_of
from support.scanner import scan
from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.target import openssl_conf_of, parse_target

SECTIONS = "openssl_conf = start\n[start]\nssl_conf = tls\n[tls]\nsystem_default = everywhere\n[everywhere]\n"
LINES = (
    "Ciphersuites = TLS_AES_128_GCM_SHA256",
    "Groups = P-384:P-256",
    "Options = ServerPreference",
    "Options = -SessionTicket",
    "Options = ServerPreference,PrioritizeChaCha",
    "SignatureAlgorithms = ECDSA+SHA256",
    "CipherString = DEFAULT:@SECLEVEL=0",
    "CipherString = AES256-SHA",
    "MinProtocol = TLSv1.3",
    "MaxProtocol = TLSv1.2",
)
SETTINGS = (
    "ssl_protocols TLSv1 TLSv1.2 TLSv1.3;",
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve auto; ssl_prefer_server_ciphers off; ssl_session_tickets on;",
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519; ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;",
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_conf_command Options -ServerPreference,SessionTicket,-PrioritizeChaCha;",
)


@pytest.mark.parametrize("line", LINES)
def test_openssl_conf(
    nginx: NginxBinary, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    conf = tmp_path / "openssl.cnf"
    conf.write_text(SECTIONS + line + "\n", encoding="utf-8")
    ports = free_ports(len(SETTINGS))
    pairs = "".join(
        f"ssl_certificate {certificates}/{name}.pem; ssl_certificate_key {certificates}/{name}.key;"
        for name in ("a-rsa", "a-ec256")
    )
    servers = "".join(
        f"server {{ listen 127.0.0.1:{port} ssl; {settings} return 200 ok; }}\n"
        for port, settings in zip(ports, SETTINGS, strict=True)
    )
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "nginx.conf").write_text(f"events {{}}\nhttp {{ {pairs}\n{servers}}}\n", encoding="utf-8")
    found = openssl_conf_of(conf)
    assert found is not None
    target = replace(parse_target(target_of(nginx), "nginx"), openssl_conf=found)
    endpoints = endpoints_of(deployment_of(target, folder / "nginx.conf"))
    monkeypatch.setenv("OPENSSL_CONF", str(conf))
    wrong = []
    with NginxServer(nginx, folder):
        for predicted in endpoints:
            if predicted["sni"] is None:
                seen = scan("127.0.0.1", int(predicted["listen"].rpartition(":")[2]), None)
                wrong += [f"{predicted['virtual_host']['line']}: {point}" for point in disagreements(predicted, seen)]
    assert wrong == []
