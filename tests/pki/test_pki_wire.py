"""What a client reports of a server that was started with the files of the workshop is what the manifest quotes."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from pki.workshop import FOLDER, Case, cases
from support.apache import ApacheServer, needed_apache
from support.servers import NGINX_NAMES, NginxServer, free_ports, needed_nginx

STARTED = [case for case in cases().values() if not case.refusal and not (case.key and "encrypted" in case.key.name)]


def asked_name(case: Case) -> str:
    """The name that a client asks for: the first plain server name, else the one that the certificates have."""
    names = [name.removeprefix(".") for name in case.server_names]
    plain = [name.encode("idna").decode() for name in names if re.fullmatch(r"\w[\w.-]+", name)]
    return next(iter(plain), "other.example.test" if "TLS401" in case.rules else "shop.example.test")


def report(case: Case, port: int) -> str:
    """The verdict of `openssl s_client` at the moment that the case is about."""
    name = asked_name(case)
    check = ["-verify_ip", name] if name[0].isdigit() else ["-verify_hostname", name]
    command = f"openssl s_client -connect 127.0.0.1:{port} -servername shop.example.test -no-CApath -no-CAstore".split()
    command += ["-CAfile", str(FOLDER / "anchors.pem"), "-attime", str(int(case.now.timestamp())), *check]
    command += ["-verify_return_error"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20, check=False)
    text = (done.stdout + done.stderr).decode(errors="replace")
    return text if done.returncode else ""


def server_block(case: Case, port: int) -> str:
    key = f"ssl_certificate_key {case.key};"
    return f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {case.certificate}; {key} }}\n"


@pytest.mark.parametrize("binary", NGINX_NAMES)
def test_clients_report_what_the_manifest_quotes(binary: str) -> None:
    nginx = needed_nginx(binary)
    ports = free_ports(len(STARTED))
    blocks = "".join(server_block(case, port) for case, port in zip(STARTED, ports, strict=True))
    with NginxServer(nginx, f"events {{}} http {{\n{blocks}}}\n"):
        wrong = list(disagreements(STARTED, ports))
    assert not wrong, "\n".join(map(repr, wrong))


def disagreements(asked: list[Case], ports: list[int]) -> Iterator[tuple[str, str, str]]:
    """Yield the cases for which the client reports something else than the manifest says."""
    for case, port in zip(asked, ports, strict=True):
        text = report(case, port)
        if bool(text) != bool(case.seen) or case.seen not in text:
            yield case.name, case.seen, text[-300:]


def test_clients_of_apache_report_the_same() -> None:
    started = [case for case in STARTED if not case.apache_refusal]
    ports = free_ports(len(started))
    hosts = "".join(
        f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nSSLEngine on\n"
        f"SSLCertificateFile {case.certificate}\nSSLCertificateKeyFile {case.key}\n</VirtualHost>\n"
        for case, port in zip(started, ports, strict=True)
    )
    with ApacheServer(needed_apache(), f"ServerName base.example.test\n{hosts}"):
        wrong = list(disagreements(started, ports))
    assert not wrong, "\n".join(map(repr, wrong))
