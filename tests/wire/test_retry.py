"""Clients that need a HelloRetryRequest: who gets through where a named host chooses its suites otherwise."""

from itertools import permutations
from pathlib import Path

import pytest

from support.channel import Place
from support.prediction import predict
from support.scanner import Refusal, Scan
from support.servers import NginxBinary, NginxServer, free_ports

NAME = "a.example.test"
SUITES = (0x1301, 0x1302, 0x1303)
OFFERS = [offer for count in (1, 2, 3) for offer in permutations(SUITES, count)]
GROUPS = (23, 24, 29)
ORDERED = "ssl_prefer_server_ciphers on;"

# settings of the default server and of the named one, and what `show` says before 1.29.2
CASES = {
    "the same": ("", "", "works"),
    "other protocols": ("", "ssl_protocols TLSv1.2;", "works"),
    "other groups": ("ssl_ecdh_curve X25519:prime256v1;", "ssl_ecdh_curve secp384r1;", "works"),
    "another order, the client's counts": (
        "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256;",
        "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384;",
        "works",
    ),
    "another order, the server's counts": (
        f"{ORDERED} ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256;",
        f"{ORDERED} ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384;",
        "depends",
    ),
    "the named server's order counts": ("", ORDERED, "depends"),
    "the default server's order counts": (ORDERED, "", "depends"),
    "ChaCha20 first for whom it is first": (
        ORDERED,
        f"{ORDERED} ssl_conf_command Options PrioritizeChaCha;",
        "depends",
    ),
    "fewer suites": ("", "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;", "depends"),
    "more suites": ("ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;", "", "depends"),
    "other suites": (
        "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;",
        "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;",
        "fails",
    ),
    "no suites": ("", 'ssl_conf_command Ciphersuites "";', "fails"),
}


def outcome_of(port: int) -> str | None:
    """What becomes of every client that gets through when its first key share fits; None where none does."""
    through = set()
    for offer in OFFERS:
        scan = Scan(Place("127.0.0.1", port), NAME, (), b"GET / HTTP/1.0\r\n\r\n")
        direct = scan.finish13(offer, GROUPS)
        if not isinstance(direct, Refusal):
            through.add(not isinstance(scan.finish13(offer, GROUPS, guess_group=False), Refusal))
    return {(True,): "works", (False,): "fails", (False, True): "depends"}.get(tuple(sorted(through)))


@pytest.mark.parametrize("case", CASES)
def test_retry(nginx: NginxBinary, certificates: Path, tmp_path: Path, case: str) -> None:
    port = free_ports(1)[0]
    default, named, expected = CASES[case]
    (tmp_path / "nginx.conf").write_text(
        f"""events {{}}
http {{
    ssl_certificate {certificates}/a-rsa.pem; ssl_certificate_key {certificates}/a-rsa.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:{port} ssl; {default} }}
    server {{ listen 127.0.0.1:{port} ssl; server_name {NAME}; {named} }}
}}
""",
        encoding="utf-8",
    )
    predicted = {endpoint["sni"]: endpoint["hello_retry"] for endpoint in predict(nginx, tmp_path / "nginx.conf")}
    if nginx.version < (1, 29, 2):
        assert predicted == {NAME: expected, None: "works", "*": "works"}
    with NginxServer(nginx, tmp_path):
        assert outcome_of(port) == predicted[NAME]
