"""Virtual hosts that `apache2 -t` calls fine and that misbehave: each row shows in the prediction or in a finding.

The rows are numbered as in the reference that the project was built from (Apache, H4). What Apache does in these cases
is asked in `tests/wire/test_apache_hosts.py` and `tests/wire/test_apache_misdirected.py`.
"""

from pathlib import Path

import pytest

from support.prediction import apache_deployment
from tlslint.resolve.model import NO_SNI, Deployment
from tlslint.run import lint
from tlslint.settings import Settings

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
TARGET = "apache=2.4.71,openssl=3.0.19"
MAIN = "LoadModule ssl_module modules/mod_ssl.so\nServerName main.example.test\n"
ON = "SSLEngine on"


def host(address: str, letter: str, *lines: str, name: str | None = None) -> str:
    """A virtual host with the certificate of that letter, and with its name unless another is given."""
    named = f"{letter}.example.test" if name is None else name
    own = [f"ServerName {named}"] if named else []
    pair = [
        f"SSLCertificateFile {CERTIFICATES}/{letter}-rsa.pem",
        f"SSLCertificateKeyFile {CERTIFICATES}/{letter}-rsa.key",
    ]
    return "\n".join([f"<VirtualHost {address}>", *own, *pair, *lines, "</VirtualHost>", ""])


FOUND = {
    "V1": ("conflicting-server-name", "Listen 8443\n" + host("*:8443", "a", ON)
           + host("*:8443", "b", ON, name="a.example.test")),
    "V2": ("conflicting-server-name", "Listen 8443\n" + host("*:8443", "w", ON, "ServerAlias *.example.test")
           + host("*:8443", "b", ON)),
    "V3": ("unreachable-host", "Listen 8443\n" + host("*:8443,*:8444", "a", ON)),
    "V5": ("unreachable-host", "Listen 8443\n" + host("*", "b", ON) + host("*:8443", "a", ON)),
    "V8": ("unreachable-host", "Listen 8443\n" + host("*:8444", "a", ON)),
    "V9": ("plaintext-on-tls-port", "Listen 443\n<VirtualHost *:443>\nServerName p.test\n</VirtualHost>\n"
           + host("*:443", "b", ON)),
    "V10": ("borrowed-certificate", "Listen 443\n" + host("*:443", "a", ON)
            + "<VirtualHost *:443>\nServerName b.example.test\n</VirtualHost>\n"),
    "V11": ("tls-on-plaintext-port", "Listen 80\nSSLEngine on\n" + host("*:80", "a")),
    "V12": ("plaintext-on-tls-port", "Listen 443\n" + host("*:443", "a", "SSLEngine optional")),
    "V13": ("plaintext-on-tls-port", "Listen 443\n" + host("192.0.2.1:443", "a")),
    "V14": ("plaintext-on-tls-port", "Listen 192.0.2.1:443\n" + host("*:443", "a")),
    "V16": ("unreachable-host", "ServerName main.example.test:80\nListen 8443\n" + host("_default_", "a", ON)),
    "V22": ("unreachable-host", "Listen 8443\n" + host("*:8443/", "a", ON)),
    "V23": ("missing-server-name", "Listen 8443\n" + host("*:8443", "a", ON) + host("*:8443", "b", ON, name="")),
}  # fmt: skip


@pytest.mark.parametrize("row", FOUND)
def test_a_row_is_found(row: str, tmp_path: Path) -> None:
    rule, text = FOUND[row]
    entry = tmp_path / "apache2.conf"
    entry.write_text(MAIN + text)
    report = lint([str(entry)], Settings(root="/", server="apache", target=TARGET, now="2026-01-15"))
    assert report.failures == []
    assert rule in {finding.name for finding in report.findings}


def resolved(tmp_path: Path, text: str) -> Deployment:
    entry = tmp_path / "apache2.conf"
    entry.write_text(MAIN + text)
    return apache_deployment(entry, TARGET)


def answers(deployment: Deployment) -> dict[tuple[str, str | None], str]:
    return {(each.listener.address, each.sni): each.virtual_host.label for each in deployment.endpoints}


def test_v4_a_host_with_an_address_hides_all_others_there(tmp_path: Path) -> None:
    text = "Listen 8443\n" + host("*:8443", "a", ON) + host("192.0.2.1:8443", "b", ON)
    found = answers(resolved(tmp_path, text))
    assert {who for (address, _), who in found.items() if address == "192.0.2.1"} == {"b.example.test"}
    assert ("192.0.2.1", "a.example.test") not in found


def test_v6_v7_v20_what_stands_behind_a_name_is_a_name(tmp_path: Path) -> None:
    more = "ServerAlias c.example.test, d.example.test # e.example.test\nServerAlias f.example.test:443"
    found = answers(resolved(tmp_path, "Listen 8443\n" + host("*:8443", "a", ON) + host("*:8443", "b", ON, more)))
    names = {sni for _, sni in found if sni}
    assert {"d.example.test", "e.example.test"} <= names
    assert not {"c.example.test", "c.example.test,", "f.example.test", "f.example.test:443", "#"} & names


def test_v15_an_address_that_is_a_name_is_not_looked_up(tmp_path: Path) -> None:
    deployment = resolved(tmp_path, "Listen 192.0.2.1:8443\n" + host("no-such-host.invalid:8443", "a", ON))
    (listener,) = deployment.listeners
    assert listener.default.is_main
    assert "no-such-host.invalid" in listener.incomplete


def test_v17_requests_for_a_host_with_other_settings_are_misdirected(tmp_path: Path) -> None:
    deployment = resolved(tmp_path, "Listen 8443\n" + host("*:8443", "a", ON) + host("*:8443", "b", ON))
    first, second = deployment.virtual_hosts
    assert deployment.misdirected(first, second, True) == "SSLCertificateFile"
    assert deployment.misdirected(first, second, False) == "SSLCertificateFile"
    assert deployment.misdirected(first, first, False) == ""


def test_v18_the_first_file_by_bytes_has_the_default_host(tmp_path: Path) -> None:
    (tmp_path / "2-default.conf").write_text(host("*:8443", "a", ON))
    (tmp_path / "10-site.conf").write_text(host("*:8443", "b", ON))
    deployment = resolved(tmp_path, f'Listen 8443\nServerRoot "{tmp_path}"\nInclude [0-9]*.conf\n')
    assert answers(deployment)["[::]", NO_SNI] == "b.example.test"


def test_v19_a_name_with_a_path_is_nobodys(tmp_path: Path) -> None:
    text = host("*:8443", "a", ON) + host("*:8443", "b", ON, name="https://b.example.test/")
    assert {sni for _, sni in answers(resolved(tmp_path, "Listen 8443\n" + text))} == {"a.example.test", None, "*"}


def test_v21_a_strict_check_refuses_clients_without_sni_only(tmp_path: Path) -> None:
    text = "Listen 8443\nSSLStrictSNIVHostCheck on\n" + host("*:8443", "a", ON) + host("*:8443", "b", ON)
    refused = {each.sni for each in resolved(tmp_path, text).endpoints if each.refused_by is not None}
    assert refused == {NO_SNI}
