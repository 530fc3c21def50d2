"""What `apache2 -t` calls fine and the wire shows otherwise, row by row: what a client meets, and what is predicted.

The rows are numbered as in the reference that the project was built from (Apache, section H): suites and groups (C),
certificates (K), clients and their requests (M), stapling (O), mod_md (D). What does not start is in
`test_apache_verify`, and here only by its number.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.compare import Predicted, disagreements
from support.prediction import REFUSALS, apache_deployment, endpoints_of
from support.scanner import Observation, scan
from support.servers import free_ports
from tlslint.resolve.model import Deployment, TlsSettings

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
CURVE = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
A, B = "a.example.test", "b.example.test"
SIX_GROUPS = ("X25519", "prime256v1", "X448", "secp521r1", "secp384r1")
NEW_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
CLIENT_CA = f"SSLCACertificateFile {CERTIFICATES}/client-ca-1.pem"


def pair(name: str, key: str = "") -> str:
    return f"SSLCertificateFile {CERTIFICATES}/{name}.pem\nSSLCertificateKeyFile {CERTIFICATES}/{key or name}.key"


@dataclass
class Site:
    """Two virtual hosts on one address (or one, where `second` is None), in a folder."""

    folder: Path
    first: str = ""
    second: str | None = None
    main: str = ""
    certificate: str = pair("a-rsa")
    other_certificate: str = pair("b-rsa")
    modules: tuple[str, ...] = USUAL_MODULES
    plain: bool = False
    port: int = field(default_factory=lambda: free_ports(1)[0])
    log: str = ""

    def __post_init__(self) -> None:
        engine = "off" if self.plain else "on"
        blocks = [(A, self.certificate, self.first)]
        if self.second is not None:
            blocks.append((B, self.other_certificate, self.second))
        text = ""
        for name, certificate, lines in blocks:
            inside = f"ServerName {name}\nSSLEngine {engine}\n{certificate}\n{lines}\n"
            text += f"<VirtualHost *:{self.port}>\n{inside}</VirtualHost>\n"
        loads = "\n".join(map(needed_apache().load, self.modules))
        around = f"ServerRoot {self.folder}\nServerName main.test\nListen 127.0.0.1:{self.port}\n{loads}\n{self.main}\n"
        (self.folder / "apache2.conf").write_text(around + text, encoding="utf-8")

    @property
    def deployment(self) -> Deployment:
        return apache_deployment(self.folder / "apache2.conf")

    def predicted(self, name: str | None) -> Predicted:
        endpoints = endpoints_of(self.deployment)
        exact = [endpoint for endpoint in endpoints if endpoint["sni"] == name]
        return (exact or [endpoint for endpoint in endpoints if endpoint["sni"] == "*"])[0]

    def tls(self, name: str | None) -> TlsSettings:
        endpoints = self.deployment.endpoints
        exact = [endpoint for endpoint in endpoints if endpoint.sni == name]
        return (exact or [endpoint for endpoint in endpoints if endpoint.sni == "*"])[0].tls

    @contextmanager
    def running(self) -> Iterator[None]:
        server = ApacheServer(needed_apache(), self.folder, modules=self.modules)
        (server.root / "htdocs" / "index.html").write_text("content", encoding="utf-8")
        (server.root / "htdocs" / "in").mkdir()
        (server.root / "htdocs" / "in" / "index.html").write_text("inside", encoding="utf-8")
        with server:
            yield
            self.log = server.error_log

    def seen(self, name: str | None) -> Observation:
        """What a scanner sees, which must be what is predicted."""
        with self.running():
            found = scan("127.0.0.1", self.port, name)
        assert list(disagreements(self.predicted(name), found)) == []
        return found

    def ask(
        self,
        name: str | None,
        version: str,
        *,
        client: str = "",
        later: bool = False,
        path: str = "/",
        host: str | None = None,
    ) -> str:
        """The status of an answer to a request, or the alert that ends the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        number = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version = number
        context.post_handshake_auth = later
        if client:
            context.load_cert_chain(CERTIFICATES / f"{client}.pem", CERTIFICATES / f"{client}.key")
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=10) as raw,
                context.wrap_socket(raw, server_hostname=name) as channel,
            ):
                channel.sendall(f"GET {path} HTTP/1.1\r\nHost: {host or name}\r\nConnection: close\r\n\r\n".encode())
                reply = b""
                with suppress(ssl.SSLEOFError):
                    while part := channel.recv(4096):
                        reply += part
                return reply[9:12].decode() if reply else "closed"
        except ssl.SSLError as error:
            return (error.reason or "").lower().replace("_", " ")
        except ConnectionResetError:
            return "closed"


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    return lambda *args, **more: Site(tmp_path, *args, **more)


Make = Callable[..., Site]


# -- suites, groups, tickets -----------------------------------------------------------------------------------------


def test_c1_names_of_tls13_in_a_cipher_string_change_nothing(site: Make) -> None:
    seen = site("SSLCipherSuite TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256").seen(A)
    assert sorted(seen.ciphers["TLSv1.3"]) == sorted(NEW_SUITES)
    assert seen.ciphers["TLSv1.2"] == ("ECDHE-RSA-AES128-GCM-SHA256",)


def test_c2_misspelt_suites_are_dropped(site: Make) -> None:
    seen = site("SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA265:AES128-SHA:AES256SHA").seen(A)
    assert seen.ciphers["TLSv1.2"] == ("AES128-SHA",)


def test_c5_suites_that_the_key_cannot_serve(site: Make) -> None:
    seen = site("SSLProtocol TLSv1.2\nSSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256").seen(A)
    assert seen.handshake == "rejected"


def test_c6_suites_that_the_versions_do_not_have(site: Make) -> None:
    seen = site("SSLProtocol +TLSv1 +TLSv1.1\nSSLCipherSuite ECDHE+AESGCM:@SECLEVEL=0").seen(A)
    assert seen.handshake == "rejected"


def test_c7_the_order_of_the_first_host_stays(site: Make) -> None:
    seen = site("SSLHonorCipherOrder on", "SSLHonorCipherOrder off").seen(B)
    assert seen.server_order == {"TLSv1.2": True, "TLSv1.3": True}


def test_c8_the_groups_are_the_first_hosts(site: Make) -> None:
    seen = site("", "SSLOpenSSLConfCmd Curves P-384").seen(B)
    assert set(seen.groups["TLSv1.2"]) == set(SIX_GROUPS)


def test_c9_tickets_switched_off_stay_off(site: Make) -> None:
    assert site("SSLSessionTickets off", "SSLSessionTickets on").seen(B).tickets["TLSv1.2"] is False


def test_c10_tls13_sends_tickets_all_the_same(site: Make) -> None:
    assert site("SSLSessionTickets off").seen(A).tickets == {"TLSv1.2": False, "TLSv1.3": True}


def test_c11_a_curve_left_in_the_certificate_file(site: Make, tmp_path: Path) -> None:
    text = (CERTIFICATES / "a-ec384.pem").read_text(encoding="utf-8")
    (tmp_path / "left.pem").write_text(CURVE + text, encoding="utf-8")
    lines = f"SSLCertificateFile left.pem\nSSLCertificateKeyFile {CERTIFICATES}/a-ec384.key"
    assert site(certificate=lines).seen(A).groups["TLSv1.3"] == ("secp384r1",)


def test_c12_words_behind_a_flag_are_ignored(site: Make) -> None:
    assert site("SSLSessionTickets off on # x").seen(A).tickets["TLSv1.2"] is False


def test_c13_the_command_for_parameters_has_no_effect(site: Make) -> None:
    made = site(f"SSLOpenSSLConfCmd DHParameters {CERTIFICATES}/dhparam-1024.pem\nSSLCipherSuite DHE:@SECLEVEL=0")
    assert made.seen(A).dh_bits == 2048
    assert made.tls(A).dh is None


def test_c14_the_last_list_wins(site: Make) -> None:
    assert site("SSLCipherSuite AES256-SHA\nSSLCipherSuite AES128-SHA").seen(A).ciphers["TLSv1.2"] == ("AES128-SHA",)


def test_c15_a_command_replaces_the_list(site: Make) -> None:
    seen = site("SSLOpenSSLConfCmd CipherString AES128-SHA\nSSLCipherSuite ECDHE+AESGCM").seen(A)
    assert seen.ciphers["TLSv1.2"] == ("AES128-SHA",)


def test_c16_a_group_that_few_clients_have(site: Make) -> None:
    assert site("SSLOpenSSLConfCmd Curves secp521r1").seen(A).groups["TLSv1.3"] == ("secp521r1",)


def test_c17_ticket_keys_of_the_first_host_alone_end_the_others_handshakes(site: Make, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"k" * 48)
    made = site("SSLSessionTicketKeyFile keys", "")
    assert made.predicted(A)["handshake"] == "completes"
    assert "internal_error" in made.predicted(B)["reason"]
    with made.running():
        assert [made.ask(A, version) for version in ("1.2", "1.3")] == ["200", "200"]
        assert [made.ask(B, version) for version in ("1.2", "1.3")] == ["tlsv1 alert internal error"] * 2


def test_c18_ticket_keys_of_another_host_are_ignored(site: Make, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"k" * 48)
    made = site("", "SSLSessionTicketKeyFile keys")
    assert made.tls(B).ticket_keys.value == ()
    assert made.seen(B).tickets == {"TLSv1.2": True, "TLSv1.3": True}


# -- certificates ----------------------------------------------------------------------------------------------------


def test_k1_a_leaf_alone(site: Make) -> None:
    assert len(site(certificate=pair("a-rsa-leaf", "a-rsa")).seen(A).chains["rsa"]) == 1


def test_k2_a_chain_file_outside_displaces_what_the_host_has(site: Make) -> None:
    made = site(main=f"SSLCertificateChainFile {CERTIFICATES}/intermediate-ec.pem")
    chain = made.seen(A).chains["rsa"]
    assert len(chain) == 2
    (certificate,) = made.tls(A).certificates.known or ()
    assert certificate.chain_file.endswith("intermediate-ec.pem")
    assert certificate.bundle is not None
    assert certificate.bundle.certificates[1].subject == "CN=intermediate-ec test CA"


def test_k3_the_second_certificate_comes_from_outside(site: Make) -> None:
    made = site(main=f"{pair('a-rsa')}\n{pair('a-ec256')}", certificate=pair("b-rsa"))
    assert set(made.seen(A).chains) == {"rsa", "ec"}
    subjects = [found.leaf.subject for found in made.tls(A).certificates.known or () if found.leaf]
    assert subjects == ["CN=b.example.test", "CN=a.example.test"]


def test_k7_an_expired_certificate_is_served_without_a_word(site: Make) -> None:
    made = site(certificate=pair("a-rsa-expired", "a-rsa"))
    assert made.seen(A).handshake == "completes"
    assert "expired" not in made.log


def test_k8_a_certificate_of_another_name_is_served(site: Make) -> None:
    made = site(certificate=pair("c-rsa"))
    assert made.seen(A).handshake == "completes"
    assert "AH01909" in made.log


def test_k11_the_last_of_a_type_wins(site: Make) -> None:
    made = site(certificate=f"{pair('c-rsa')}\n{pair('a-rsa')}")
    assert made.seen(A).chains["rsa"]
    assert [item["file"].rpartition("/")[2] for item in made.predicted(A)["certificates"]] == ["a-rsa.pem"]


# -- clients ---------------------------------------------------------------------------------------------------------


def test_m1_a_location_that_requires_a_certificate(site: Make) -> None:
    made = site(f"{CLIENT_CA}\n<Location /in>\nSSLVerifyClient require\n</Location>")
    assert made.predicted(A)["client_certificate"] == "none"
    (inside,) = made.tls(A).directories
    assert inside.verify_client is not None
    assert inside.verify_client.value == "required"
    with made.running():
        assert made.ask(A, "1.2", client="client-1", path="/in/") == "200"
        assert made.ask(A, "1.3", client="client-1", path="/in/") == "403"
        assert made.ask(A, "1.3", later=True, client="client-1", path="/in/") == "200"
        assert made.ask(A, "1.3") == "200"


def test_m2_a_location_does_not_relax_its_host(site: Make) -> None:
    made = site(f"{CLIENT_CA}\nSSLVerifyClient require\n<Location />\nSSLVerifyClient none\n</Location>")
    assert made.seen(A).client_certificate == "required"


def test_m3_nobody_is_trusted_without_a_ca(site: Make) -> None:
    made = site("SSLVerifyClient require")
    tls = made.tls(A)
    assert (tls.client_ca.value, tls.ca_path and tls.ca_path.value) == (None, None)
    with made.running():
        assert made.ask(A, "1.2", client="client-1") == "tlsv1 alert unknown ca"
        assert made.ask(A, "1.3", client="client-1") == "tlsv1 alert unknown ca"


def test_m4_a_directory_without_links_by_hash(site: Make, tmp_path: Path) -> None:
    (tmp_path / "cas").mkdir()
    (tmp_path / "cas" / "ca.pem").write_bytes((CERTIFICATES / "client-ca-1.pem").read_bytes())
    made = site("SSLVerifyClient require\nSSLCACertificatePath cas")
    tls = made.tls(A)
    assert not tls.client_ca.is_unknown
    assert tls.client_ca.value is None
    assert tls.ca_path is not None
    assert tls.ca_path.value == "cas"
    with made.running():
        assert made.ask(A, "1.3", client="client-1") == "tlsv1 alert unknown ca"


@pytest.mark.parametrize(
    ("check", "status"), [("", "200"), ("SSLCARevocationCheck leaf", "sslv3 alert certificate revoked")]
)
def test_m5_a_list_that_nobody_looks_at(site: Make, check: str, status: str) -> None:
    named = f"SSLCARevocationFile {CERTIFICATES}/client-ca-1-crl-later.pem"
    made = site(f"SSLVerifyClient require\n{CLIENT_CA}\n{named}\n{check}")
    tls = made.tls(A)
    assert tls.idle_crl is not None
    used, idle = (tls.crl, tls.idle_crl) if check else (tls.idle_crl, tls.crl)
    assert str(used.value).endswith("client-ca-1-crl-later.pem")
    assert idle.value is None
    with made.running():
        assert made.ask(A, "1.3", client="client-1") == status
    assert ("AH01902" in made.log) is (not check)


def test_m7_the_first_host_asks_clients_without_a_name(site: Make) -> None:
    made = site(f"SSLVerifyClient require\n{CLIENT_CA}", "")
    assert made.seen(None).client_certificate == "required"
    assert made.seen(B).client_certificate == "none"


def test_m8_any_certificate_will_do(site: Make) -> None:
    made = site(f"SSLVerifyClient optional_no_ca\n{CLIENT_CA}")
    assert made.tls(A).verify_client.value == "optional_no_ca"
    with made.running():
        assert made.ask(A, "1.3", client="client-2") == "200"


def test_m9_no_depth_at_all(site: Make) -> None:
    made = site(f"SSLVerifyClient require\n{CLIENT_CA}\nSSLVerifyDepth 0")
    assert made.tls(A).verify_depth.value == 0
    with made.running():
        assert made.ask(A, "1.3", client="client-1") != "200"


def test_m10_tls_is_required_of_plain_requests(site: Make) -> None:
    made = site("<Location />\nSSLRequireSSL\n</Location>", plain=True)
    assert made.predicted(None)["handshake"] == "plaintext"
    with made.running(), socket.create_connection(("127.0.0.1", made.port), timeout=10) as channel:
        channel.sendall(f"GET / HTTP/1.1\r\nHost: {A}\r\nConnection: close\r\n\r\n".encode())
        assert channel.recv(12).endswith(b"403")


def test_m11_suites_of_a_location_mean_nothing_to_tls13(site: Make) -> None:
    made = site("<Location /in>\nSSLCipherSuite AES256-SHA\n</Location>")
    (inside,) = made.tls(A).directories
    assert inside.ciphers is not None
    assert made.seen(A).protocols == ("TLSv1.2", "TLSv1.3")
    with made.running():
        assert made.ask(A, "1.3", path="/in/") == "200"


def test_m12_a_second_request_for_a_certificate_fails_in_tls13(site: Make) -> None:
    made = site(f"{CLIENT_CA}\nSSLVerifyClient optional\n<Location /in>\nSSLVerifyClient require\n</Location>")
    assert made.predicted(A)["client_certificate"] == "optional"
    assert [inside.verify_client and inside.verify_client.value for inside in made.tls(A).directories] == ["required"]
    with made.running():
        assert made.ask(A, "1.2", client="client-1", path="/in/") == "200"
        assert made.ask(A, "1.3", later=True, client="client-1", path="/in/") == "403"


def test_m13_the_result_is_required_instead(site: Make) -> None:
    made = site(f"{CLIENT_CA}\nSSLVerifyClient optional\n<Location /in>\nRequire ssl-verify-client\n</Location>")
    assert made.tls(A).directories == ()
    with made.running():
        for version in ("1.2", "1.3"):
            assert made.ask(A, version, client="client-1", path="/in/") == "200"
            assert made.ask(A, version, path="/in/") == "403"


# -- stapling and mod_md ---------------------------------------------------------------------------------------------

CACHE = "SSLStaplingCache shmcb:stapling(32768)"


def test_o2_a_certificate_without_a_responder(site: Make) -> None:
    made = site("SSLUseStapling on", main=CACHE)
    assert made.tls(A).stapling.value is True
    assert not made.seen(A).is_stapled
    assert "AH02218" in made.log


@pytest.mark.parametrize(("fake", "stapled"), [("", True), ("SSLStaplingFakeTryLater off", False)])
def test_o3_a_responder_that_is_not_there(site: Make, fake: str, stapled: bool) -> None:
    """Clients get an answer that says "try later"."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}/"
    made = site(f"SSLUseStapling on\nSSLStaplingForceURL {url}\nSSLStaplingResponderTimeout 1\n{fake}", main=CACHE)
    assert made.tls(A).stapling_responder.value == url
    assert made.seen(A).is_stapled is stapled


def test_d1_a_managed_host_starts_without_a_certificate(site: Make) -> None:
    """Nothing is fetched here: renewal is by hand, and the authority would be on this machine."""
    lines = f"MDomain {A} manual\nMDRenewMode manual\nMDStoreDir md\nMDCertificateAuthority http://127.0.0.1:1/\n"
    made = site(main=lines, certificate="", modules=(*USUAL_MODULES, "md"))
    predicted = made.predicted(A)
    assert predicted["handshake"] == "unknown"
    assert [item["what"] for item in predicted["unknown"]] == ["certificates"]
    assert not [problem for problem in made.deployment.problems if problem.kind in REFUSALS]
    with made.running():
        assert made.ask(A, "1.3") == "503"


@pytest.mark.parametrize(
    ("own", "outside"),
    [("", ""), ("SSLSessionTicketKeyFile keys", ""), ("", "SSLSessionTicketKeyFile keys")],
)
def test_c17_also_holds_for_a_host_that_borrows_the_first_ones_tls(
    site: Make, tmp_path: Path, own: str, outside: str
) -> None:
    """No file of keys is read for a host whose TLS is off."""
    (tmp_path / "keys").write_bytes(b"k" * 48)
    made = site("" if outside else "SSLSessionTicketKeyFile keys", f"SSLEngine off\n{own}", main=outside)
    assert "internal_error" in made.predicted(B)["reason"]
    with made.running():
        assert made.ask(B, "1.3") == "tlsv1 alert internal error"


def test_the_session_store_gives_the_named_hosts_time(site: Make) -> None:
    for main, seconds in (("", 300), ("SSLSessionCache shmcb:sessions(64000)", 3600)):
        made = site("", "SSLSessionCacheTimeout 3600", main=main)
        assert made.tls(B).session_timeout.value == seconds
        assert made.seen(B).ticket_lifetime in (seconds - 1, seconds)


def test_a_curve_in_front_of_the_parameters_ends_dhe(site: Make, tmp_path: Path) -> None:
    blocks = [
        CURVE,
        *((CERTIFICATES / f"{name}.pem").read_text(encoding="utf-8") for name in ("a-rsa", "dhparam-2048")),
    ]
    for order, has_dhe in ((blocks, False), (blocks[::-1], True)):
        (tmp_path / "left.pem").write_text("".join(order), encoding="utf-8")
        lines = f"SSLCertificateFile left.pem\nSSLCertificateKeyFile {CERTIFICATES}/a-rsa.key"
        found = site(certificate=lines).seen(A).ciphers["TLSv1.2"]
        assert any(name.startswith("DHE") for name in found) is has_dhe


def test_parameters_below_the_security_level_are_passed_over(site: Make, tmp_path: Path) -> None:
    texts = [(CERTIFICATES / f"{name}.pem").read_text(encoding="utf-8") for name in ("a-rsa", "dhparam-1024")]
    (tmp_path / "short.pem").write_text("".join(texts), encoding="utf-8")
    lines = f"SSLCertificateFile short.pem\nSSLCertificateKeyFile {CERTIFICATES}/a-rsa.key"
    for ciphers, bits in (("", 2048), ("SSLCipherSuite DEFAULT:@SECLEVEL=0", 1024)):
        made = site(ciphers, certificate=lines)
        assert made.seen(A).dh_bits == bits
        found = made.tls(A).dh
        assert (found.bits if found else 2048) == bits


def test_http2_is_not_offered_with_old_versions(site: Make) -> None:
    lines = "Protocols h2 http/1.1\nSSLProtocol +TLSv1.1\nSSLCipherSuite DEFAULT:@SECLEVEL=0"
    for more, offered in (("", ("http/1.1",)), ("H2ModernTLSOnly off", ("h2", "http/1.1"))):
        assert site(f"{lines}\n{more}", modules=(*USUAL_MODULES, "http2")).seen(A).alpn == offered


def test_what_is_required_stays_required(site: Make) -> None:
    made = site(f"{CLIENT_CA}\nSSLVerifyClient require\nSSLOpenSSLConfCmd VerifyMode Request")
    assert made.seen(A).client_certificate == "required"


def test_a_host_without_tls_of_its_own_requires_what_the_first_one_asks_for(site: Make) -> None:
    first = f"{CLIENT_CA}\nSSLVerifyClient "
    for asked, own, expected in (
        ("optional", "require", "required"),
        ("require", "none", "required"),
        ("optional", "none", "optional"),
        ("none", "require", "none"),
    ):
        made = site(f"{first}{asked}", f"SSLEngine off\nSSLVerifyClient {own}")
        assert made.predicted(B)["client_certificate"] == expected
        assert made.tls(B).client_check.value == {"require": "required"}.get(own, own)
        with made.running():
            assert (made.ask(B, "1.3") == "200") is (own == "none" and asked != "require")


def test_the_store_takes_the_time_of_a_host_without_tls_of_its_own(site: Make) -> None:
    made = site("SSLSessionCacheTimeout 600", "SSLEngine off", main="SSLSessionCache shmcb:sessions(64000)")
    assert made.tls(B).session_timeout.value == 300
    assert made.seen(B).ticket_lifetime in (299, 300)


def test_a_command_names_the_store_that_completes_chains(site: Make) -> None:
    leaf = pair("a-rsa-leaf", "a-rsa")
    command = f"SSLOpenSSLConfCmd ChainCAFile {CERTIFICATES}/"
    assert len(site(f"{command}intermediate-rsa.pem", certificate=leaf).seen(A).chains["rsa"]) == 2
    other = f"{command}client-ca-1.pem\nSSLCACertificateFile {CERTIFICATES}/intermediate-rsa.pem"
    assert len(site(other, certificate=leaf).seen(A).chains["rsa"]) == 1


def test_a_command_replaces_the_authorities_of_clients(site: Make) -> None:
    command = f"SSLOpenSSLConfCmd VerifyCAFile {CERTIFICATES}/client-ca-2.pem"
    made = site(f"SSLVerifyClient require\n{CLIENT_CA}\n{command}")
    assert str(made.tls(A).client_ca.value).endswith("client-ca-2.pem")
    with made.running():
        assert made.ask(A, "1.3", client="client-1") == "tlsv1 alert unknown ca"
        assert made.ask(A, "1.3", client="client-2") == "200"


def test_a_chain_file_is_judged_in_the_handshake(site: Make) -> None:
    lines = f"{pair('a-ec256')}\nSSLCertificateChainFile {CERTIFICATES}/intermediate-rsa.pem"
    assert site(certificate=lines).seen(A).handshake == "completes"
    made = site("SSLCipherSuite HIGH:@SECLEVEL=3", certificate=lines)
    assert "ca key too small" in made.predicted(A)["reason"]
    assert made.seen(A).handshake == "rejected"


@pytest.mark.parametrize("own", ["", pair("b-rsa")])
def test_a_managed_domain_with_files_of_its_own(site: Make, own: str) -> None:
    files = pair("a-rsa").replace("SSLCertificate", "MDCertificate")
    lines = f"MDRenewMode manual\nMDStoreDir md\nMDCertificateAuthority http://127.0.0.1:1/\n<MDomain {A}>\n{files}\n"
    made = site(main=f"{lines}</MDomain>", certificate=own, modules=(*USUAL_MODULES, "md"))
    assert [item["file"].rpartition("/")[2] for item in made.predicted(A)["certificates"]] == ["a-rsa.pem"]
    assert made.seen(A).handshake == "completes"


@pytest.mark.parametrize(
    ("first", "second", "main", "first_refuses", "second_refuses"),
    [
        ("on", "", "", True, True),
        ("", "on", "", False, True),
        ("", "", "on", True, True),
        ("off", "", "on", False, True),
        ("", "off", "on", True, True),
    ],
)
def test_clients_without_a_name_are_refused_by_the_first_host_or_by_the_one_they_ask_for(
    site: Make, first: str, second: str, main: str, first_refuses: bool, second_refuses: bool
) -> None:
    words = [f"SSLStrictSNIVHostCheck {word}" if word else "" for word in (first, second, main)]
    made = site(words[0], words[1], main=words[2], other_certificate=pair("a-rsa"))
    deployment = made.deployment
    nameless = next(endpoint for endpoint in deployment.endpoints if endpoint.sni is None)
    opened, asked = deployment.virtual_hosts
    assert bool(nameless.refused_by) is first_refuses
    assert bool(nameless.refused_by or deployment.misdirected(opened, asked, False)) is second_refuses
    with made.running():
        for host, refuses in ((A, first_refuses), (B, second_refuses)):
            assert (made.ask(None, "1.3", host=host) == "403") is refuses


@pytest.mark.parametrize(
    ("first", "second", "main", "first_ends", "second_ends"),
    [
        ("", "SSLSessionCacheTimeout 0", "", False, True),
        ("", "SSLEngine off\nSSLSessionCacheTimeout 0", "", False, True),
        ("SSLSessionCacheTimeout x", "", "", True, False),
        ("", "", "SSLSessionCacheTimeout 0", True, True),
        ("SSLSessionTickets off", "SSLSessionCacheTimeout 0", "", False, False),
        ("SSLOpenSSLConfCmd NumTickets 0", "SSLSessionCacheTimeout 0", "", False, False),
        ("SSLOpenSSLConfCmd Options -SessionTicket", "SSLSessionCacheTimeout 0", "", False, False),
        ("SSLCipherSuite HIGH:@SECLEVEL=3", "SSLSessionCacheTimeout 0", "", False, True),
        ("SSLProtocol +TLSv1.3", "SSLSessionCacheTimeout 0", "", False, True),
        ("", "SSLSessionCacheTimeout 1", "", False, False),
    ],
)
def test_no_time_for_sessions_in_a_store_ends_tls13(
    site: Make, first: str, second: str, main: str, first_ends: bool, second_ends: bool
) -> None:
    store = "SSLSessionCache shmcb:sessions(64000)"
    pairs = {"certificate": pair("a-ec384"), "other_certificate": pair("b-ec256")}
    made = site(first, second, main=f"{store}\n{main}", **pairs)
    for name, ends in ((A, first_ends), (B, second_ends)):
        predicted = made.predicted(name)
        assert ("TLSv1.3" not in predicted["protocols"]) is ends
        # groups of finite fields count for TLS 1.3 alone
        assert any(group.startswith("ffdhe") for group in predicted["groups"]) is not ends
        made.seen(name)
    with made.running():
        for name, ends in ((A, first_ends), (B, second_ends)):
            assert (made.ask(name, "1.3") == "200") is not ends
    assert made.predicted(B)["handshake"] == ("rejected" if second_ends and "1.3" in first else "completes")
