"""Sockets of every kind: what `show` says of each endpoint is what a real nginx answers there."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.channel import Place
from support.compare import Predicted, disagreements
from support.confirm import confirm
from support.coverage import Case, Live
from support.prediction import predict
from support.scanner import ScanError
from support.servers import NginxBinary, NginxServer, free_ports, has_ipv6_loopback

NAMES = {".b.example.test": "x.b.example.test", "mail.*": "mail.example.net"}


def contradictions(nginx: NginxBinary, folder: Path) -> Iterator[str]:
    """Each point in which the server contradicts what is shown of its endpoints."""
    endpoints = predict(nginx, folder / "nginx.conf")
    assert endpoints
    with NginxServer(nginx, folder) as server:
        live = Live(nginx, Case(folder, {}), server)
        for predicted in endpoints:
            who = f"{predicted['sni']} on {predicted['listen']}"
            try:
                seen = live.look(predicted, NAMES)
            except ScanError as error:
                yield f"{who}: {error}"
                continue
            yield from (f"{who}: {point}" for point in disagreements(predicted, seen))


def pair(certificates: Path, name: str) -> str:
    return f"ssl_certificate {certificates}/{name}.pem; ssl_certificate_key {certificates}/{name}.key;"


def listens(endpoints: list[Predicted]) -> set[str]:
    return {endpoint["listen"] for endpoint in endpoints}


HTTP = {
    "IPv6 beside IPv4": """
        {a} ssl_protocols TLSv1.2 TLSv1.3;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; }}
        server {{ listen [::1]:{0} ssl; listen 127.0.0.1:{0}; server_name b.example.test; {b} ssl_protocols TLSv1.3; }}
        server {{ listen [0:0:0::1]:{0} default_server; server_name c.example.test; }}
    """,
    "unix sockets": """
        {a}
        server {{ listen unix:{folder}/s ssl; server_name a.example.test; }}
        server {{ listen unix:{folder}/s default_server; server_name b.example.test; {b} ssl_protocols TLSv1.2; }}
        server {{ listen unix:{folder}/p; }}
    """,
    "PROXY protocol": """
        {a}
        server {{ listen 127.0.0.1:{0} ssl proxy_protocol; listen 127.0.0.1:{1} ssl; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{0} ssl; listen 127.0.0.1:{1} ssl; server_name b.example.test; {b} }}
    """,
    "HTTP/2 on the socket": """
        {a}
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{0} ssl http2; listen 127.0.0.2:{0} ssl; server_name b.example.test; }}
    """,
    "a range of ports": """
        {a}
        server {{ listen 127.0.0.1:{0}-{0}2 ssl; server_name a.example.test; }}
    """,
    "spellings of an address": """
        {a}
        server {{ listen 127.1:{0} ssl; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{0}; server_name b.example.test; {b} }}
        server {{ listen "127.0.0.2:{0}" "ssl"; server_name .b.example.test mail.*; {b} }}
    """,
    "a snippet in several contexts": """
        {a} include tls.conf;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; ssl_protocols TLSv1.3; }}
        server {{ listen 127.0.0.1:{1} ssl; server_name b.example.test; include tls.conf; ssl_protocols TLSv1.3; }}
        server {{ listen 127.0.0.2:{0} ssl; include t?s.conf; include more.conf; }}
    """,
    "names without a default": """
        server {{ listen 127.0.0.1:{0} ssl; server_name .b.example.test; {b} }}
        server {{ listen 127.0.0.1:{0} ssl; server_name mail.* www.b.example.test; {a} ssl_protocols TLSv1.2; }}
        server {{ listen 127.0.0.1:{0} ssl; ssl_reject_handshake on; }}
    """,
    "parameters of Diffie and Hellman": """
        {a} ssl_protocols TLSv1.2; ssl_ciphers DHE+AESGCM:kRSA+AESGCM;
        server {{ listen 127.0.0.1:{0} ssl; ssl_dhparam {certificates}/dhparam-2048.pem; }}
        server {{ listen 127.0.0.1:{1} ssl; }}
        server {{ listen 127.0.0.2:{0} ssl; ssl_dhparam {certificates}/dhparam-1024.pem;
            ssl_ciphers DHE+AESGCM:kRSA+AESGCM:@SECLEVEL=1; }}
        server {{ listen 127.0.0.2:{1} ssl; ssl_dhparam {certificates}/dhparam-2048.pem;
            ssl_conf_command CipherString DHE+CHACHA20:DHE+AES; }}
    """,
    "levels of security": """
        {a} {ec} ssl_protocols TLSv1 TLSv1.2 TLSv1.3;
        server {{ listen 127.0.0.1:{0} ssl; ssl_ciphers ALL:@SECLEVEL=0; }}
        server {{ listen 127.0.0.1:{1} ssl; ssl_ciphers ALL:@SECLEVEL=1; }}
        server {{ listen 127.0.0.2:{0} ssl; ssl_ciphers ALL:!aNULL:@SECLEVEL=2; }}
        server {{ listen 127.0.0.2:{1} ssl; {ec384} ssl_ciphers ALL:@SECLEVEL=3; }}
    """,
    "a default server that cannot start a handshake": """
        {a} ssl_protocols TLSv1.2 TLSv1.3;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; ssl_protocols TLSv1 TLSv1.3;
            ssl_ciphers ECDHE+AESGCM:@SECLEVEL=0; }}
        server {{ listen 127.0.0.1:{0} ssl; server_name b.example.test; {b} }}
        server {{ listen 127.0.0.1:{1} ssl; server_name a.example.test; ssl_conf_command Ciphersuites ""; }}
        server {{ listen 127.0.0.1:{1} ssl; server_name b.example.test; {b} ssl_session_tickets off; }}
        server {{ listen 127.0.0.2:{0} ssl; server_name a.example.test;
            ssl_conf_command Protocol -TLSv1.3; ssl_conf_command MinProtocol TLSv1.3; }}
        server {{ listen 127.0.0.2:{0} ssl; server_name b.example.test; {b} ssl_ciphers DEFAULT; }}
    """,
    "the default server's level while the version is chosen": """
        {a} ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; {ec384} ssl_ciphers HIGH:@SECLEVEL=3; }}
        server {{ listen 127.0.0.1:{0} ssl; server_name b.example.test; {b} ssl_ciphers ALL:@SECLEVEL=0; }}
    """,
    "Suite B": """
        {ec} ssl_ecdh_curve X25519:secp521r1:prime256v1:secp384r1;
        server {{ listen 127.0.0.1:{0} ssl; ssl_ciphers SUITEB128; }}
        server {{ listen 127.0.0.1:{1} ssl; ssl_ciphers SUITEB192; }}
        server {{ listen 127.0.0.2:{0} ssl; ssl_ciphers SUITEB128ONLY:AES128-SHA; {a} }}
    """,
}
BEFORE_1_25_1 = {
    "ssl on": """
        {a}
        server {{ listen 127.0.0.1:{0}; ssl on; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{0}; server_name b.example.test; {b} }}
        server {{ listen 127.0.0.1:{1}; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{1}; ssl on; server_name b.example.test; {b} }}
        server {{ listen 127.0.0.2:{0} ssl; ssl off; server_name a.example.test; }}
    """,
    "ssl on, inherited": """
        {a} ssl on;
        server {{ listen 127.0.0.1:{0}; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{1}; ssl off; server_name b.example.test; {b} }}
    """,
}
SINCE_1_25_1 = {
    "HTTP/2 of a name": """
        {a} http2 on;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; }}
        server {{ listen 127.0.0.1:{0} ssl; server_name b.example.test; http2 off; }}
        server {{ listen 127.0.0.2:{0} ssl http2; server_name b.example.test; http2 off; }}
        server {{ listen 127.0.0.3:{0} ssl; http2 off; server_name b.example.test; }}
        server {{ listen 127.0.0.3:{0} ssl; server_name c.example.test; }}
    """,
}
STREAM = {
    "stream": """
        {a} ssl_protocols TLSv1.2 TLSv1.3; ssl_alpn h2;
        server {{ listen 127.0.0.1:{0} ssl; return hello; }}
        server {{ listen 127.0.0.1:{1}; ssl_preread on; return hello; }}
        server {{ listen unix:{folder}/s ssl proxy_protocol; {b} ssl_alpn h2 http/1.1; return hello; }}
        server {{ listen 127.0.0.2:{0} ssl; ssl_verify_client on; ssl_client_certificate {certificates}/client-ca-1.pem;
            return hello; }}
        server {{ listen 127.0.0.2:{1} ssl; ssl_session_tickets off; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
            return hello; }}
    """,
}
STREAM_WITH_NAMES = {
    "stream with names": """
        {a} ssl_protocols TLSv1.2 TLSv1.3;
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; ssl_protocols TLSv1.2; return a; }}
        server {{ listen 127.0.0.1:{0} ssl; server_name b.example.test; ssl_protocols TLSv1.3; {b} ssl_alpn h2;
            return b; }}
        server {{ listen 127.0.0.1:{0}; server_name mail.*; ssl_reject_handshake on; return c; }}
        server {{ listen 127.0.0.1:{1} ssl; ssl_reject_handshake on; return a; }}
        server {{ listen 127.0.0.1:{1} ssl; server_name .b.example.test; {b} return b; }}
    """,
}


def write(folder: Path, certificates: Path, module: str, body: str) -> None:
    ports = free_ports(2)
    if "{0}2" in body:
        body = body.replace("{0}2", str(ports[0] + 2))
    text = body.format(
        *ports,
        folder=folder,
        certificates=certificates,
        a=pair(certificates, "a-rsa"),
        b=pair(certificates, "b-rsa"),
        ec=pair(certificates, "a-ec256"),
        ec384=pair(certificates, "a-ec384"),
    )
    (folder / "nginx.conf").write_text(f"events {{}}\n{module} {{\n{textwrap.dedent(text)}}}\n", encoding="utf-8")
    (folder / "tls.conf").write_text("ssl_protocols TLSv1.2;\nssl_session_timeout 1h;\n", encoding="utf-8")
    (folder / "more.conf").write_text("ssl_prefer_server_ciphers on;\n", encoding="utf-8")


@pytest.mark.parametrize("title", [*HTTP, *BEFORE_1_25_1, *SINCE_1_25_1])
def test_http(nginx: NginxBinary, certificates: Path, tmp_path: Path, title: str) -> None:
    if title in (BEFORE_1_25_1 if nginx.version >= (1, 25, 1) else SINCE_1_25_1):
        pytest.skip(f"{nginx.name} has another spelling")
    body = {**HTTP, **BEFORE_1_25_1, **SINCE_1_25_1}[title]
    if "::1" in body and not has_ipv6_loopback():
        pytest.skip("no IPv6 loopback address")
    write(tmp_path, certificates, "http", body)
    assert list(contradictions(nginx, tmp_path)) == []


@pytest.mark.parametrize("title", [*STREAM, *STREAM_WITH_NAMES])
def test_stream(nginx: NginxBinary, certificates: Path, tmp_path: Path, title: str) -> None:
    if title in STREAM_WITH_NAMES and nginx.version < (1, 25, 5):
        pytest.skip(f"{nginx.name} has no names in stream")
    write(tmp_path, certificates, "stream", {**STREAM, **STREAM_WITH_NAMES}[title])
    assert list(contradictions(nginx, tmp_path)) == []


@pytest.mark.parametrize("kind", ["a-rsa", "a-ec256"])
def test_certificates_within_the_configuration(
    nginx: NginxBinary, certificates: Path, tmp_path: Path, kind: str
) -> None:
    words = [f'"data:{(certificates / f"{kind}.{suffix}").read_text(encoding="utf-8")}"' for suffix in ("pem", "key")]
    body = f"ssl_certificate {words[0]}; ssl_certificate_key {words[1]}; server {{{{ listen 127.0.0.1:{{0}} ssl; }}}}"
    write(tmp_path, certificates, "http", body)
    (predicted,) = [item for item in predict(nginx, tmp_path / "nginx.conf") if item["sni"] is None]
    assert len(predicted["certificates"][0]["chain"]) == 2
    assert list(contradictions(nginx, tmp_path)) == []


@pytest.mark.parametrize(
    "settings",
    [
        "ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key;",
        "ssl_certificate {certificates}/a-rsa.pem; ssl_certificate_key $ssl_server_name.key;",
        "{a} ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key;",
    ],
)
def test_variables_are_unknown(nginx: NginxBinary, certificates: Path, tmp_path: Path, settings: str) -> None:
    write(tmp_path, certificates, "http", f"server {{{{ listen 127.0.0.1:{{0}} ssl; {settings} }}}}")
    endpoints = predict(nginx, tmp_path / "nginx.conf")
    assert {endpoint["handshake"] for endpoint in endpoints} == {"unknown"}
    assert all(endpoint["certificates"] == [] for endpoint in endpoints)
    # and rightly so: what would decide are files that only a handshake looks for
    with NginxServer(nginx, tmp_path) as server:
        live = Live(nginx, Case(tmp_path, {}), server)
        assert live.look(endpoints[0], {}).handshake == "rejected"


def test_verification_of_a_name_in_stream_is_left_to_chance(
    nginx: NginxBinary, certificates: Path, tmp_path: Path
) -> None:
    if nginx.version < (1, 25, 5):
        pytest.skip(f"{nginx.name} has no names in stream")
    write(
        tmp_path,
        certificates,
        "stream",
        """
        {a} ssl_client_certificate {certificates}/client-ca-1.pem;
        server {{ listen 127.0.0.1:{0} ssl; return "default"; }}
        server {{ listen 127.0.0.1:{0} ssl; server_name a.example.test; ssl_verify_client on; return "named"; }}
        """,
    )
    endpoints = {endpoint["sni"]: endpoint for endpoint in predict(nginx, tmp_path / "nginx.conf")}
    assert [item["what"] for item in endpoints["a.example.test"]["unknown"]] == ["client_certificate"]
    assert endpoints[None]["unknown"] == []
    place = Place("127.0.0.1", int(endpoints[None]["listen"].rpartition(":")[2]))
    with NginxServer(nginx, tmp_path):
        # a client that is let in without a certificate, sooner or later
        replies = (confirm(place, "TLSv1.2", "a.example.test", b"").reply for _ in range(5000))
        assert b"named" in replies
