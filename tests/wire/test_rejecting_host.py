"""A default host that rejects handshakes is added: strangers are refused, and whoever names a site meets the same."""

from contextlib import chdir
from pathlib import Path

import pytest

from support.scanner import scan
from support.servers import NGINX_NAMES, NginxServer, free_ports, needed_nginx
from tlslint.fix.engine import applied
from tlslint.fix.spelling import Speller
from tlslint.intention import AddRejectingHost, Fix, Safety
from tlslint.run import predict
from tlslint.settings import Settings

TEXT = """events {{}}
http {{
    # the shop
    server {{
        listen 127.0.0.1:{first} ssl{mark} backlog=64;
        listen 127.0.0.1:{second} ssl;
        server_name a.example.test;
        ssl_certificate {certificates}/a-ec256.pem;
        ssl_certificate_key {certificates}/a-ec256.key;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
    }}
    server {{
        listen 127.0.0.1:{first} ssl;
        server_name b.example.test;
        ssl_certificate {certificates}/b-rsa.pem;
        ssl_certificate_key {certificates}/b-rsa.key;
    }}
}}
"""
NAMES = ("a.example.test", "b.example.test")


@pytest.mark.parametrize("mark", ["", " default_server"])
@pytest.mark.parametrize("name", NGINX_NAMES)
def test_strangers_are_refused_and_guests_notice_nothing(
    name: str, mark: str, certificates: Path, tmp_path: Path
) -> None:
    nginx = needed_nginx(name)
    first, second = free_ports(2)
    entry = tmp_path / "conf" / "nginx.conf"
    entry.parent.mkdir()
    entry.write_text(TEXT.format(first=first, second=second, mark=mark, certificates=certificates))
    with NginxServer(nginx, entry.parent):
        before = {sni: scan("127.0.0.1", first, sni) for sni in (*NAMES, None)}
    with chdir(entry.parent):
        (deployment,), _ = predict([entry.name], Settings(root="/", target=nginx.target))
    fix = Fix("reject strangers", Safety.UNSAFE, (AddRejectingHost(tuple(deployment.listeners)),))
    spelt = Speller(deployment).spelt(fix)
    assert spelt.refusal == ""
    entry.write_bytes(applied(spelt.edits))
    with NginxServer(nginx, entry.parent):
        for port in (first, second):
            for sni in (None, "stranger.example.test"):
                assert scan("127.0.0.1", port, sni).handshake == "rejected"
        for sni in NAMES:
            after = scan("127.0.0.1", first, sni)
            assert after.handshake == "completes"
            for fact in ("protocols", "ciphers", "groups", "chains", "alpn", "server_order", "client_certificate"):
                assert getattr(after, fact) == getattr(before[sni], fact), (sni, fact)
