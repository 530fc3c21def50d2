"""In stream the default server's demand for a client certificate counts for quick clients of every name."""

import ssl
import time
from pathlib import Path

import pytest

from support.coverage import Case, Live
from support.prediction import deployment_of, target_of
from support.servers import NginxBinary, NginxServer, free_ports
from tlslint.check import check
from tlslint.policy import load_policy
from tlslint.rules.clients import unreliable_stream_verification
from tlslint.target import parse_target

NAME = "b.example.test"
SECONDS = 30
"""For so long a client tries; a busy machine seldom lets one be quick enough."""
FEW = 20
PAUSE = 0.05
"""Seconds; who waits so long before the handshake is not quick."""

# what the default server and the named one say, and whether chance decides
CASES = {
    "neither": ("", "", False),
    "both": ("{verify}", "{verify}", False),
    "named": ("", "{verify}", True),
    "named, rejecting default": ("ssl_reject_handshake on;", "{verify}", True),
    "default": ("{verify}", "", True),
}


def answer(live: Live, listen: str, pause: float = 0) -> bytes:
    """What a client without a certificate gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = live.connect(listen)
    time.sleep(pause)
    try:
        with context.wrap_socket(plain, server_hostname=NAME) as connection:
            return connection.recv(100)
    except OSError:
        return b""
    finally:
        plain.close()


@pytest.mark.parametrize("case", CASES)
def test_chance_decides_where_the_rule_says_so(
    nginx: NginxBinary, certificates: Path, tmp_path: Path, case: str
) -> None:
    if nginx.version < (1, 25, 5):
        pytest.skip(f"{nginx.name} does not choose by name in stream")
    port = free_ports(1)[0]
    verify = f"ssl_verify_client on; ssl_client_certificate {certificates}/client-ca-1.pem;"
    default, named, left_to_chance = CASES[case]
    entry = tmp_path / "nginx.conf"
    entry.write_text(
        f"""events {{}}
stream {{
    ssl_certificate {certificates}/a-rsa.pem; ssl_certificate_key {certificates}/a-rsa.key;
    server {{ listen 127.0.0.1:{port} ssl default_server; {default.format(verify=verify)} return default; }}
    server {{ listen 127.0.0.1:{port} ssl; server_name {NAME}; {named.format(verify=verify)} return secret; }}
}}
""",
        encoding="utf-8",
    )
    deployment = deployment_of(parse_target(target_of(nginx), "nginx"), entry)
    found = check(deployment, load_policy("mozilla-intermediate"), [unreliable_stream_verification])
    assert bool(found) is left_to_chance
    listen = f"127.0.0.1:{port}"
    with NginxServer(nginx, tmp_path) as server:
        live = Live(nginx, Case(tmp_path, {}), server)
        patient = answer(live, listen, PAUSE)
        assert patient == (b"" if named == "{verify}" else b"secret")
        answers = {answer(live, listen) for _ in range(FEW)}
        end = time.monotonic() + SECONDS
        while left_to_chance and answers == {patient} and time.monotonic() < end:
            answers.add(answer(live, listen))
    assert (answers != {patient}) is left_to_chance
