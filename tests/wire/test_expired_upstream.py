"""What is out of date towards an upstream is what requests fail with."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from support.clients import DAY, Client, Pki
from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.run import lint
from tlslint.settings import Settings

TEXT = """\
events {{}}
http {{
    server {{
        listen 127.0.0.1:{back} ssl;
        ssl_certificate {own};
        ssl_certificate_key {own};
        ssl_client_certificate {cas};
        ssl_verify_client optional;
        ssl_verify_depth 5;
        location / {{
            return 200 "$ssl_client_verify";
        }}
    }}
    server {{
        listen 127.0.0.1:{front};
        location / {{
            proxy_pass https://127.0.0.1:{back};
            proxy_ssl_certificate {own};
            proxy_ssl_certificate_key {own};
            proxy_ssl_verify {verify};
            proxy_ssl_verify_depth 5;
            proxy_ssl_name "the client";
            proxy_ssl_trusted_certificate {cas};
        }}
    }}
}}
"""


@pytest.mark.parametrize(
    ("ends", "verify", "status", "is_found"),
    [
        ({}, "on", 200, False),
        ({"client": -DAY}, "off", 400, True),
        ({"root": -DAY, "upper": -DAY, "issuing": -DAY}, "on", 502, True),
        ({"root": -DAY, "upper": -DAY, "issuing": -DAY}, "off", 400, False),
    ],
)
def test_requests(
    nginx: NginxBinary, tmp_path: Path, ends: dict[str, timedelta], verify: str, status: int, is_found: bool
) -> None:
    pki = Pki(tmp_path, **ends)
    front, back = free_ports(2)
    folder = tmp_path / "conf"
    folder.mkdir()
    cas = pki.file(pki.issuing, pki.upper, pki.root)
    text = TEXT.format(front=front, back=back, own=pki.client, cas=cas, verify=verify)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    settings = Settings(root="/", target=nginx.target, trust_store=("none",), select=("TLS908",))
    found = lint([str(folder / "nginx.conf")], settings).findings
    assert bool(found) == is_found
    with NginxServer(nginx, folder):
        assert Client(front, version=ssl.TLSVersion.TLSv1_2).ask_plain("front.test")[0] == status
