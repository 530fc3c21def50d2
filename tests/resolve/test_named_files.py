"""A file that is not there is either a finding or counted as not checked: it is never passed over."""

from pathlib import Path

import pytest

from tlslint.run import lint
from tlslint.settings import Settings

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
NGINX = """\
events {{}}
http {{
    server {{
        listen 127.0.0.1:8443 ssl;
        server_name a.example.test;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {lines}
    }}
}}
"""
APACHE = """\
LoadModule ssl_module modules/mod_ssl.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
Listen 127.0.0.1:8443
<VirtualHost 127.0.0.1:8443>
    ServerName a.example.test
    SSLEngine on
    SSLCertificateFile {certificate}
    SSLCertificateKeyFile {key}
    {lines}
</VirtualHost>
"""
UPSTREAM = "location / {{ proxy_pass https://192.0.2.1; {} }}"
TOWARDS = "SSLProxyEngine on\nProxyPass / https://192.0.2.1/\n{}"
NGINX_LINES = (
    "ssl_verify_client on; ssl_client_certificate FILE;",
    "ssl_trusted_certificate FILE;",
    "ssl_crl FILE;",
    "ssl_dhparam FILE;",
    "ssl_session_ticket_key FILE;",
    "ssl_stapling on; ssl_stapling_file FILE;",
    UPSTREAM.format("proxy_ssl_certificate FILE; proxy_ssl_certificate_key KEY;"),
    UPSTREAM.format("proxy_ssl_certificate CERTIFICATE; proxy_ssl_certificate_key FILE;"),
    UPSTREAM.format("proxy_ssl_verify on; proxy_ssl_trusted_certificate FILE;"),
    UPSTREAM.format("proxy_ssl_verify on; proxy_ssl_trusted_certificate CERTIFICATE; proxy_ssl_crl FILE;"),
)
APACHE_LINES = (
    "SSLVerifyClient require\nSSLCACertificatePath FILE",
    "SSLVerifyClient require\nSSLCACertificateFile CERTIFICATE\nSSLCACertificatePath FILE",
    "SSLCARevocationPath FILE",
    "SSLCARevocationCheck chain\nSSLCARevocationPath FILE",
    TOWARDS.format("SSLProxyMachineCertificatePath FILE"),
    TOWARDS.format("SSLProxyVerify require\nSSLProxyCACertificatePath FILE"),
    TOWARDS.format("SSLProxyCARevocationPath FILE"),
    "SSLVerifyClient require\nSSLCACertificateFile FILE",
    "SSLCARevocationFile FILE",
    "SSLCARevocationCheck chain\nSSLCARevocationFile FILE",
    "SSLSessionTicketKeyFile FILE",
    TOWARDS.format("SSLProxyMachineCertificateFile FILE"),
    TOWARDS.format("SSLProxyVerify require\nSSLProxyCACertificateFile FILE"),
    TOWARDS.format("SSLProxyCARevocationFile FILE"),
)
OWN = (("absent.pem", "a-rsa.key"), ("a-rsa.pem", "absent.key"))


def told(folder: Path, text: str, **options: object) -> tuple[list[str], list[str]]:
    """What is found to be missing, and what could not be checked."""
    (folder / "nginx.conf" if "events" in text else folder / "httpd.conf").write_text(text, encoding="utf-8")
    report = lint([str(folder)], Settings(now="2026-06-01", **options))  # type: ignore[arg-type]
    missing = [found.message for found in report.findings if found.code == "TLS301"]
    return missing, [item.what for item in report.unknown]


def written(folder: Path, template: str, lines: str, absent: str) -> str:
    """A configuration in which `FILE` is absent; certificate and key are copied beside it."""
    for name in ("a-rsa.pem", "a-rsa.key"):
        (folder / name).write_bytes((CERTIFICATES / name).read_bytes())
    lines = lines.replace("FILE", absent).replace("KEY", "a-rsa.key").replace("CERTIFICATE", "a-rsa.pem")
    return template.format(certificate="a-rsa.pem", key="a-rsa.key", lines=lines)


CASES = [*((NGINX, lines) for lines in NGINX_LINES), *((APACHE, lines) for lines in APACHE_LINES)]


@pytest.mark.parametrize(("template", "lines"), CASES)
@pytest.mark.parametrize("absent", ["absent.x", "elsewhere/absent.x", "/etc/absent.x"])
def test_other_files(template: str, lines: str, absent: str, tmp_path: Path) -> None:
    text = written(tmp_path, template, lines, absent)
    missing, unchecked = told(tmp_path, text)
    naming = [message for message in (*missing, *unchecked) if "absent.x" in message]
    assert len(naming) == 1, (missing, unchecked)
    if absent != "absent.x":
        assert not missing
    assert all("absent.x" not in message for message in told(tmp_path, text, require_certificates=True)[1])
    assert len(told(tmp_path, text, require_certificates=True)[0]) == 1


PLAIN_NGINX = "events {{}}\nhttp {{ server {{ listen 127.0.0.1:8080; {lines} }} }}\n"
PLAIN_APACHE = APACHE.replace("SSLEngine on", "").replace("    SSLCertificateFile {certificate}\n", "").replace(
    "    SSLCertificateKeyFile {key}\n", ""
)  # fmt: skip


@pytest.mark.parametrize(
    ("template", "lines"),
    [
        *((PLAIN_NGINX, lines) for lines in NGINX_LINES if "proxy_pass" in lines),
        *((PLAIN_APACHE, lines) for lines in APACHE_LINES),
    ],
)
def test_files_of_hosts_without_tls(template: str, lines: str, tmp_path: Path) -> None:
    text = written(tmp_path, template, lines, "/etc/absent.x")
    missing, unchecked = told(tmp_path, text)
    assert not missing
    assert len([what for what in unchecked if "absent.x" in what]) == 1
    assert len(told(tmp_path, text, require_certificates=True)[0]) == 1


@pytest.mark.parametrize("template", [NGINX, APACHE])
@pytest.mark.parametrize(("certificate", "key"), OWN)
@pytest.mark.parametrize("folder", ["", "elsewhere/", "/etc/"])
def test_certificates_and_keys(template: str, certificate: str, key: str, folder: str, tmp_path: Path) -> None:
    written(tmp_path, template, "", "")
    names = {name: f"{folder}{name}" if "absent" in name else name for name in (certificate, key)}
    text = template.format(certificate=names[certificate], key=names[key], lines="")
    missing, unchecked = told(tmp_path, text)
    assert len([message for message in (*missing, *unchecked) if "absent" in message]) == 1
    assert not missing, "certificates and keys are often kept apart"
    assert len(told(tmp_path, text, require_certificates=True)[0]) == 1


@pytest.mark.parametrize("template", [NGINX, APACHE])
def test_beside_others_of_its_kin(template: str, tmp_path: Path) -> None:
    written(tmp_path, template, "", "")
    second = template.partition("http {{" if template is NGINX else "Listen")[2]
    host = second.partition("\n")[2].replace("a.example", "b.example")
    host = host.rpartition("}}")[0] if template is NGINX else host
    for certificate, key in OWN:
        first = template.format(certificate="a-rsa.pem", key="a-rsa.key", lines="")
        text = first.rpartition("}")[0] if template is NGINX else first
        text += host.format(certificate=certificate, key=key, lines="") + ("}\n" if template is NGINX else "")
        missing, unchecked = told(tmp_path, text)
        assert len(missing) == 1, (missing, unchecked)
        assert "absent" in missing[0]
        assert not any("absent" in what for what in unchecked)
