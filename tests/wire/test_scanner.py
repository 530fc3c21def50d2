"""The scanner against servers whose answers are known: `openssl s_server` and plain nginx configurations."""

import datetime
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp

from support.scanner import Observation, ScanError, scan
from support.servers import NginxBinary, NginxServer, OpensslServer, free_ports, has_ipv6_loopback
from support.suites import GROUPS
from support.tls13 import KEY_SHARE_GROUPS

NAME = "a.example.test"


def fingerprints(bundle: Path) -> tuple[str, ...]:
    return tuple(
        certificate.fingerprint(hashes.SHA256()).hex()
        for certificate in x509.load_pem_x509_certificates(bundle.read_bytes())
    )


def openssl_ciphers(string: str, protocol: str) -> list[str]:
    """What the openssl command says that `string` enables, in order."""
    done = subprocess.run(
        ["openssl", "ciphers", "-s", f"-{protocol}", string],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPENSSL_CONF": "/dev/null"},
    )
    return done.stdout.strip().split(":")


@pytest.fixture
def s_server(openssl: str, certificates: Path) -> Callable[..., OpensslServer]:
    """An `openssl s_server` with an RSA and an EC certificate."""

    def start(*arguments: str) -> OpensslServer:
        return OpensslServer(
            *("-cert", f"{certificates}/a-rsa.pem", "-key", f"{certificates}/a-rsa.key"),
            *("-dcert", f"{certificates}/a-ec256.pem", "-dkey", f"{certificates}/a-ec256.key"),
            *("-dhparam", f"{certificates}/dhparam-2048.pem", *arguments),
        )

    return start


@pytest.mark.parametrize(
    "string",
    [
        "DEFAULT",
        "HIGH:!aNULL:!MD5",
        "ECDHE+AESGCM:DHE+CHACHA20:AES256-SHA:@STRENGTH",
        "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
        "AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
        "aNULL:@SECLEVEL=0",
        "eNULL:@SECLEVEL=0",
    ],
)
def test_suites_and_order_are_those_that_openssl_lists(s_server: Callable[..., OpensslServer], string: str) -> None:
    with s_server("-cipher", string, "-serverpref", "-tls1_2") as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.protocols == seen.confirmed == ("TLSv1.2",)
    assert list(seen.ciphers["TLSv1.2"]) == [
        name for name in openssl_ciphers(string, "tls1_2") if "PSK" not in name and "DSS" not in name
    ]
    assert seen.server_order["TLSv1.2"] is True


@pytest.mark.parametrize(("flag", "protocol"), [("tls1", "TLSv1"), ("tls1_1", "TLSv1.1")])
def test_old_protocols(s_server: Callable[..., OpensslServer], flag: str, protocol: str) -> None:
    string = "ALL:@SECLEVEL=0"
    with s_server("-cipher", string, "-serverpref", f"-{flag}") as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.protocols == seen.confirmed == (protocol,)
    expected = [name for name in openssl_ciphers(string, flag) if "PSK" not in name and "DSS" not in name]
    assert list(seen.ciphers[protocol]) == expected
    assert seen.alerts["TLSv1.3"] == "protocol_version"
    # for TLS 1.2 the server answers with the older version: a choice for the client to refuse, not an alert
    assert seen.alerts["TLSv1.2"] is None


@pytest.mark.parametrize(
    "suites",
    [
        ["TLS_AES_128_GCM_SHA256"],
        ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"],
        ["TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_GCM_SHA256"],
    ],
)
def test_suites_of_tls13(s_server: Callable[..., OpensslServer], suites: list[str]) -> None:
    with s_server("-tls1_3", "-serverpref", "-ciphersuites", ":".join(suites), "-cipher", "ALL:@SECLEVEL=0") as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.protocols == seen.confirmed == ("TLSv1.3",)
    assert list(seen.ciphers["TLSv1.3"]) == suites
    assert seen.server_order["TLSv1.3"] is (True if len(suites) > 1 else None)
    assert seen.tickets == {"TLSv1.3": True}


@pytest.mark.parametrize("group", ["X25519", "X448", "prime256v1", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe8192"])
def test_each_group_finishes_tls13(s_server: Callable[..., OpensslServer], group: str) -> None:
    assert next(number for number, name in GROUPS.items() if name == group) in KEY_SHARE_GROUPS
    with s_server("-tls1_3", "-groups", group) as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.groups == {"TLSv1.3": (group,)}
    assert seen.chains.keys() == {"rsa", "ec"}
    assert seen.confirmed == ("TLSv1.3",)


def test_groups_in_the_order_of_the_server(s_server: Callable[..., OpensslServer]) -> None:
    with s_server("-serverpref", "-groups", "P-384:X25519:brainpoolP256r1:P-256") as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.groups["TLSv1.2"] == ("secp384r1", "X25519", "brainpoolP256r1", "prime256v1")
    assert seen.groups["TLSv1.3"] == ("secp384r1", "X25519", "prime256v1")


def test_groups_of_a_server_with_an_ec_certificate_only(openssl: str, certificates: Path) -> None:
    with OpensslServer(
        *("-cert", f"{certificates}/a-ec384.pem", "-key", f"{certificates}/a-ec384.key"),
        *("-tls1_2", "-groups", "X25519:P-521:P-384"),
    ) as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert set(seen.groups["TLSv1.2"]) == {"X25519", "secp521r1", "secp384r1"}


def test_dh_prime_and_tickets(s_server: Callable[..., OpensslServer]) -> None:
    with s_server("-tls1_2", "-no_ticket", "-cipher", "DHE-RSA-AES128-GCM-SHA256") as server:
        seen = scan("127.0.0.1", server.port, NAME)
    assert seen.dh_bits == 2048
    assert seen.tickets == {"TLSv1.2": False}
    assert seen.groups == {"TLSv1.2": ()}
    assert seen.server_order == {"TLSv1.2": None}


@pytest.mark.parametrize("protocol", ["tls1_2", "tls1_3"])
def test_application_protocols(s_server: Callable[..., OpensslServer], protocol: str) -> None:
    with s_server(f"-{protocol}", "-alpn", "h2,acme") as server:
        seen = scan("127.0.0.1", server.port, NAME, alpn=("acme", "http/1.1", "h2"))
    assert seen.alpn == ("acme", "h2")


@pytest.mark.parametrize("protocol", ["tls1_2", "tls1_3"])
def test_stapled_response(
    s_server: Callable[..., OpensslServer], certificates: Path, tmp_path: Path, protocol: str
) -> None:
    leaf, issuer = x509.load_pem_x509_certificates((certificates / "a-rsa.pem").read_bytes())
    key = serialization.load_pem_private_key((certificates / "intermediate-rsa.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    now = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            leaf, issuer, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, now, now + datetime.timedelta(days=7), None, None
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "response.der"
    file.write_bytes(response.public_bytes(serialization.Encoding.DER))
    with s_server(f"-{protocol}", "-status_file", str(file)) as server:
        assert scan("127.0.0.1", server.port, NAME).is_stapled
    with s_server(f"-{protocol}") as server:
        assert not scan("127.0.0.1", server.port, NAME).is_stapled


@pytest.mark.parametrize("protocol", ["tls1", "tls1_2", "tls1_3"])
@pytest.mark.parametrize("flag", ["-verify", "-Verify"])
def test_certificate_request(
    s_server: Callable[..., OpensslServer], certificates: Path, protocol: str, flag: str
) -> None:
    authorities = certificates / "client-ca-both.pem"
    with s_server(
        f"-{protocol}", "-cipher", "ALL:!aNULL:@SECLEVEL=0", flag, "1", "-CAfile", str(authorities)
    ) as server:
        seen = scan("127.0.0.1", server.port, NAME)
    subjects = {
        certificate.subject.public_bytes() for certificate in x509.load_pem_x509_certificates(authorities.read_bytes())
    }
    assert set(seen.authorities) == subjects
    assert seen.client_certificate == ("required" if flag == "-Verify" else "optional")
    # a server that insists ends the handshake: nothing is confirmed without a certificate
    assert bool(seen.confirmed) is (flag == "-verify")


def pair(certificates: Path, bundle: str, key: str | None = None) -> str:
    return f"ssl_certificate {certificates}/{bundle}.pem; ssl_certificate_key {certificates}/{key or bundle}.key;"


def observe(nginx: NginxBinary, settings: str, *, outside: str = "", sni: str | None = NAME) -> Observation:
    """What an nginx answers whose only server has `settings`."""
    port = free_ports(1)[0]
    text = (
        f"events {{}}\nhttp {{ {outside}\nserver {{ listen 127.0.0.1:{port} ssl; server_name {NAME};\n{settings}\n"
        "return 200 ok; }\n}\n"
    )
    with NginxServer(nginx, text):
        return scan("127.0.0.1", port, sni)


@pytest.mark.parametrize("bundle", ["a-rsa", "a-rsa-leaf", "a-rsa-reordered", "a-rsa-duplicate", "a-rsa-with-root"])
@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_chain_is_the_file(nginx: NginxBinary, certificates: Path, bundle: str, protocol: str) -> None:
    seen = observe(nginx, pair(certificates, bundle, "a-rsa") + f"ssl_protocols {protocol};")
    assert seen.chains == {"rsa": fingerprints(certificates / f"{bundle}.pem")}


@pytest.mark.parametrize("bundle", ["a-ec256", "a-ec384", "a-ec521", "a-ed25519"])
def test_chains_by_key_type(nginx: NginxBinary, certificates: Path, bundle: str) -> None:
    settings = pair(certificates, "a-rsa") + pair(certificates, bundle) + "ssl_protocols TLSv1.2 TLSv1.3;"
    seen = observe(nginx, settings)
    kind = "ed25519" if bundle == "a-ed25519" else "ec"
    both = {"rsa": fingerprints(certificates / "a-rsa.pem"), kind: fingerprints(certificates / f"{bundle}.pem")}
    assert seen.chains_by_protocol == {"TLSv1.2": both, "TLSv1.3": both}
    assert seen.confirmed == seen.protocols == ("TLSv1.2", "TLSv1.3")
    assert any("ECDSA" in name for name in seen.ciphers["TLSv1.2"])


def test_a_key_of_another_type_completes_nothing(nginx: NginxBinary, certificates: Path) -> None:
    seen = observe(nginx, pair(certificates, "a-rsa", "a-ec256") + "ssl_protocols TLSv1.2 TLSv1.3;")
    assert (seen.handshake, seen.alert, seen.protocols) == ("rejected", "handshake_failure", ())


def test_rejecting_server(nginx: NginxBinary) -> None:
    seen = observe(nginx, "ssl_reject_handshake on;")
    assert (seen.handshake, seen.alert) == ("rejected", "unrecognized_name")


@pytest.mark.parametrize(
    ("settings", "by_server", "chacha"),
    [
        ("", False, False),
        ("ssl_prefer_server_ciphers on;", True, False),
        ("ssl_prefer_server_ciphers on; ssl_conf_command Options PrioritizeChaCha;", True, True),
    ],
)
@pytest.mark.parametrize(
    "ciphers",
    [
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305",
    ],
)
def test_preference(
    nginx: NginxBinary, certificates: Path, settings: str, by_server: bool, chacha: bool, ciphers: str
) -> None:
    seen = observe(
        nginx, f"{pair(certificates, 'a-rsa')} ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {ciphers}; {settings}"
    )
    assert seen.server_order == {"TLSv1.2": by_server, "TLSv1.3": by_server}
    assert seen.prioritises_chacha == {"TLSv1.2": chacha, "TLSv1.3": chacha}
    if by_server:
        assert seen.ciphers["TLSv1.2"] == tuple(ciphers.split(":"))


def test_a_suite_that_the_server_chooses_and_cannot_serve_hides_no_other(
    nginx: NginxBinary, certificates: Path
) -> None:
    settings = pair(certificates, "a-rsa") + pair(certificates, "a-ec256") + "ssl_protocols TLSv1.2; "
    ciphers = "ssl_ciphers ECDHE+AESGCM:kRSA+AES128; ssl_prefer_server_ciphers on; "
    both = observe(nginx, settings + ciphers)
    seen = observe(nginx, settings + ciphers + "ssl_conf_command SignatureAlgorithms ECDSA+SHA256;")
    # the RSA certificate has no signature algorithm left, which takes even RSA key exchange away
    expected = {name for name in both.ciphers["TLSv1.2"] if "ECDSA" in name}
    assert len(expected) == 2 < len(both.ciphers["TLSv1.2"])
    assert set(seen.ciphers["TLSv1.2"]) == expected
    assert seen.server_order["TLSv1.2"] is True
    assert seen.chains.keys() == {"ec"}


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_a_certificate_demanded_in_the_handshake(nginx: NginxBinary, certificates: Path, protocol: str) -> None:
    settings = f"{pair(certificates, 'a-rsa')} ssl_protocols {protocol}; ssl_conf_command VerifyMode Require;"
    seen = observe(nginx, settings)
    assert (seen.handshake, seen.client_certificate) == ("completes", "required")
    assert seen.protocols == (protocol,)
    assert seen.confirmed == ()


def test_a_gap_between_protocols(nginx: NginxBinary, certificates: Path) -> None:
    seen = observe(nginx, pair(certificates, "a-rsa") + "ssl_protocols TLSv1 TLSv1.3; ssl_ciphers DEFAULT:@SECLEVEL=0;")
    assert seen.protocols == seen.confirmed == ("TLSv1", "TLSv1.3")


def test_a_second_choice_after_a_retry(nginx: NginxBinary, certificates: Path) -> None:
    """Up to 1.29.1 the first ClientHello is judged by the default server's suites, the second by the named server's."""
    port = free_ports(1)[0]
    text = f"""events {{}}
http {{
    {pair(certificates, "a-rsa")} ssl_protocols TLSv1.3;
    server {{ listen 127.0.0.1:{port} ssl; ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384; }}
    server {{
        listen 127.0.0.1:{port} ssl; server_name {NAME};
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    }}
}}
"""
    with NginxServer(nginx, text):
        seen = scan("127.0.0.1", port, NAME)
        default = scan("127.0.0.1", port, None)
    assert default.retry_alert is None
    assert default.ciphers == {"TLSv1.3": ("TLS_AES_256_GCM_SHA384",)}
    if nginx.version >= (1, 29, 2):
        assert (seen.ciphers, seen.retry_alert) == ({"TLSv1.3": ("TLS_AES_128_GCM_SHA256",)}, None)
    else:
        assert seen.ciphers == default.ciphers
        assert seen.retry_alert is not None
    assert seen.confirmed == ("TLSv1.3",)


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize(("mode", "expected"), [("on", "required"), ("optional", "optional"), ("off", "none")])
def test_client_verification_of_nginx(
    nginx: NginxBinary, certificates: Path, mode: str, expected: str, protocol: str
) -> None:
    authority = certificates / "client-ca-2.pem"
    seen = observe(
        nginx,
        f"{pair(certificates, 'a-rsa')} ssl_protocols {protocol}; ssl_verify_client {mode};"
        f"ssl_client_certificate {authority};",
    )
    assert seen.client_certificate == expected
    names = (x509.load_pem_x509_certificate(authority.read_bytes()).subject.public_bytes(),)
    assert seen.authorities == (() if mode == "off" else names)
    assert seen.confirmed == (protocol,)


def test_http2(nginx: NginxBinary, certificates: Path) -> None:
    port = free_ports(1)[0]
    has_directive = nginx.version >= (1, 25, 1)
    spelling = f"listen 127.0.0.1:{port} ssl; http2 on;" if has_directive else f"listen 127.0.0.1:{port} ssl http2;"
    text = f"events {{}} http {{ server {{ {spelling} {pair(certificates, 'a-rsa')} }} }}"
    with NginxServer(nginx, text):
        assert scan("127.0.0.1", port, NAME).alpn == ("h2", "http/1.1")
    assert observe(nginx, pair(certificates, "a-rsa")).alpn == ("http/1.1",)


def test_plaintext_and_other_ways_in(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    plain, proxied = free_ports(2)
    path = tmp_path / "s"
    text = f"""events {{}}
http {{
    {pair(certificates, "a-rsa")}
    server {{ listen 127.0.0.1:{plain}; return 200 ok; }}
    server {{ listen 127.0.0.1:{proxied} ssl proxy_protocol; return 200 ok; }}
    server {{ listen unix:{path} ssl; return 200 ok; }}
}}
"""
    with NginxServer(nginx, text):
        assert scan("127.0.0.1", plain, None).handshake == "plaintext"
        assert scan("127.0.0.1", proxied, None).handshake == "rejected"
        assert scan("127.0.0.1", proxied, None, proxy_protocol=True).handshake == "completes"
        assert scan(f"unix:{path}", 0, None).handshake == "completes"


def test_ipv6(nginx: NginxBinary, certificates: Path) -> None:
    if not has_ipv6_loopback():
        pytest.skip("no IPv6 loopback address")
    port = free_ports(1)[0]
    text = f"events {{}} http {{ server {{ listen [::1]:{port} ssl; {pair(certificates, 'a-ec256')} }} }}"
    with NginxServer(nginx, text):
        assert scan("::1", port, NAME).chains == {"ec": fingerprints(certificates / "a-ec256.pem")}


def test_stream(nginx: NginxBinary, certificates: Path) -> None:
    port = free_ports(1)[0]
    text = f"""events {{}}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl; {pair(certificates, "a-rsa")} ssl_protocols TLSv1.2 TLSv1.3;
        ssl_verify_client on; ssl_client_certificate {certificates}/client-ca-1.pem;
        return hello;
    }}
}}
"""
    with NginxServer(nginx, text):
        seen = scan("127.0.0.1", port, NAME, request=b"")
    assert seen.protocols == seen.confirmed == ("TLSv1.2", "TLSv1.3")
    assert seen.client_certificate == "required"


def test_mail(nginx_mail: NginxBinary, certificates: Path) -> None:
    smtp, imap, pop3, implicit = free_ports(4)
    text = f"""events {{}}
mail {{
    auth_http 127.0.0.1:9/; server_name mail.example.test; {pair(certificates, "a-rsa")} ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:{smtp}; protocol smtp; starttls on; smtp_greeting_delay 0; }}
    server {{ listen 127.0.0.1:{imap}; protocol imap; starttls on; }}
    server {{ listen 127.0.0.1:{pop3}; protocol pop3; starttls only; }}
    server {{ listen 127.0.0.1:{implicit} ssl; protocol imap; }}
}}
"""
    with NginxServer(nginx_mail, text):
        for seen in (
            scan("127.0.0.1", smtp, NAME, starttls="smtp", alpn=("smtp", "h2")),
            scan("127.0.0.1", imap, NAME, starttls="imap", alpn=("imap", "h2")),
            scan("127.0.0.1", pop3, NAME, starttls="pop3", alpn=("pop3", "h2")),
            scan("127.0.0.1", implicit, NAME, request=b"", alpn=("imap", "h2")),
        ):
            assert seen.confirmed == ("TLSv1.2", "TLSv1.3")
            assert seen.chains == {"rsa": fingerprints(certificates / "a-rsa.pem")}
            assert len(seen.alpn) == 1
        assert scan("127.0.0.1", smtp, NAME).handshake == "plaintext"


def test_nothing_listens() -> None:
    with pytest.raises(ScanError, match="ConnectionRefusedError"):
        scan("127.0.0.1", free_ports(1)[0], NAME)
