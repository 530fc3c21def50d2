"""What the rules about client certificates claim of Apache, seen on the real server: who gets in, what the log says."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.clients import CERTIFICATES, DAY, Client, Pki
from support.servers import free_ports
from tlslint.finding import Finding
from tlslint.fixing import fix
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

A, B = "a.example.test", "b.example.test"
CODES = tuple(module.rule.code for module in RULES if module.rule.code[3] == "5")
NOT_ASKED = {"TLS507"}
"""Advice that most of these configurations deserve."""
REQUIRE = "SSLVerifyClient require"


def ca(name: str) -> str:
    return f"SSLCACertificateFile {CERTIFICATES}/{name}.pem"


CA1, CA2 = ca("client-ca-1"), ca("client-ca-2")


@dataclass
class Site:
    """Hosts on one address, each with a page that says its name."""

    folder: Path
    main: str = ""
    hosts: list[str] = field(default_factory=list)
    port: int = field(default_factory=lambda: free_ports(1)[0])
    log: str = ""
    fixed: str = ""
    """The file after its fixes, where they were made."""

    def host(self, name: str, *lines: str, certificate: str = "a-rsa") -> "Site":
        stem = CERTIFICATES / certificate
        inside = "\n    ".join(
            (
                f"ServerName {name}", "SSLEngine on", f"SSLCertificateFile {stem}.pem",
                f"SSLCertificateKeyFile {stem}.key", *lines,
            )
        )  # fmt: skip
        self.hosts.append(f"<VirtualHost 127.0.0.1:{self.port}>\n    {inside}\n</VirtualHost>\n")
        return self

    @property
    def text(self) -> str:
        if self.fixed:
            return self.fixed
        loads = "\n".join(map(needed_apache().load, USUAL_MODULES))
        start = f"{loads}\nLogLevel info\nServerName main.test\nListen 127.0.0.1:{self.port}\n"
        return f"{start}{self.main}\n{''.join(self.hosts)}"

    def findings(self) -> list[Finding]:
        path = self.folder / "apache2.conf"
        path.write_text(self.text, encoding="utf-8")
        target = needed_apache().target
        report = lint([str(path)], Settings(root="/", target=target, select=CODES, trust_store=("none",)))
        assert not report.failures
        assert not report.problems
        return list(report.findings)

    def found(self) -> set[str]:
        """The codes that tlslint reports, without advice."""
        return {finding.code for finding in self.findings()} - NOT_ASKED

    def fix(self) -> None:
        """Make the fixes of these rules, and go on with what the file then holds."""
        self.findings()
        path = self.folder / "apache2.conf"
        settings = Settings(root="/", target=needed_apache().target, select=CODES, trust_store=("none",))
        outcome = fix([str(path)], settings, unsafe=True)
        assert outcome.refused == []
        (change,) = outcome.changes
        self.fixed = change.after.decode()

    def ask(self, client: Client, sni: str | None, host: str, path: str = "/") -> str:
        """The status that a client gets, or the alert that ends its handshake."""
        server = ApacheServer(needed_apache(), self.text)
        page = server.root / "htdocs" / "in" / "index.html"
        for file in (page, page.parent.parent / "index.html"):
            file.parent.mkdir(exist_ok=True)
            file.write_text("page", encoding="utf-8")
        client.port = self.port
        with server:
            try:
                status = str(client.ask(sni, host, path=path)[0])
            except ssl.SSLError as error:
                status = (error.reason or "").lower().replace("_", " ")
            except (ConnectionResetError, IndexError):
                status = "closed"
            self.log = server.error_log
        return status


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# -- depth, dates and lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "status"),
    [
        ("SSLVerifyDepth 0", "tlsv1 alert internal error"),
        ("", "tlsv1 alert internal error"),
        ("SSLVerifyDepth 2", "tlsv1 alert internal error"),
        ("SSLVerifyDepth 3", "200"),
    ],
)
def test_depth_counts_the_root(site: Site, tmp_path: Path, depth: str, status: str) -> None:
    pki = Pki(tmp_path)
    site.host(A, REQUIRE, depth, f"SSLCACertificateFile {pki.file(pki.issuing, pki.upper, pki.root)}")
    assert site.found() == (set() if status == "200" else {"TLS503"})
    assert site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A) == status
    assert ("AH02040" in site.log) == (status != "200")


def test_a_root_alone_is_beyond_depth_0(site: Site) -> None:
    site.host(A, REQUIRE, CA1, "SSLVerifyDepth 0")
    assert site.found() == {"TLS503"}
    assert site.ask(Client(0, "client-1", ssl.TLSVersion.TLSv1_2), A, A) == "tlsv1 alert internal error"


def test_an_intermediate_alone_lets_nobody_in(site: Site, tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    site.host(A, REQUIRE, "SSLVerifyDepth 5", f"SSLCACertificateFile {pki.file(pki.upper)}")
    assert site.found() == {"TLS503"}
    assert site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A) == "tlsv1 alert unknown ca"
    assert "AH02276: Certificate Verification: Error (2): unable to get issuer certificate" in site.log


def test_an_expired_ca(site: Site, tmp_path: Path) -> None:
    pki = Pki(tmp_path, upper=-DAY)
    names = pki.file(pki.issuing, pki.upper, pki.root)
    site.host(A, REQUIRE, "SSLVerifyDepth 5", f"SSLCACertificateFile {names}")
    assert site.found() == {"TLS505"}
    assert site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A) == "sslv3 alert certificate expired"
    assert "AH02276: Certificate Verification: Error (10): certificate has expired" in site.log


EXPIRED, MISSING = "Error (12): CRL has expired", "Error (3): unable to get certificate CRL"
ALL = {"root": 30 * DAY, "upper": 30 * DAY, "issuing": 30 * DAY}


@pytest.mark.parametrize(
    ("check", "change", "log"),
    [
        ("leaf", {}, ""),
        ("leaf", {"issuing": -DAY}, EXPIRED),
        ("leaf", {"upper": -DAY}, ""),
        ("leaf", {"root": None}, ""),
        ("leaf", {"issuing": None}, MISSING),
        ("chain", {}, ""),
        ("chain", {"upper": -DAY}, EXPIRED),
        ("chain", {"root": None}, MISSING),
        ("chain no_crl_for_cert_ok", {"issuing": -DAY}, EXPIRED),
        ("chain no_crl_for_cert_ok", {"root": None, "issuing": None}, ""),
    ],
)
def test_lists(site: Site, tmp_path: Path, check: str, change: dict[str, timedelta | None], log: str) -> None:
    pki = Pki(tmp_path)
    lists = {name: end for name, end in {**ALL, **change}.items() if end is not None}
    site.host(
        A, REQUIRE, "SSLVerifyDepth 5", f"SSLCACertificateFile {pki.file(pki.issuing, pki.upper, pki.root)}",
        f"SSLCARevocationFile {pki.file(*(pki.revocation_list(name, end) for name, end in lists.items()))}",
        f"SSLCARevocationCheck {check}",
    )  # fmt: skip
    assert site.found() == ({"TLS505"} if log else set())
    status = site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A)
    assert (status == "200") == (not log)
    assert log in site.log


def test_a_list_that_is_loaded_and_not_looked_at(site: Site) -> None:
    site.host(A, REQUIRE, CA1, f"SSLCARevocationFile {CERTIFICATES}/client-ca-1-crl-later.pem")
    (finding,) = site.findings()
    assert (finding.code, finding.severity.label) == ("TLS507", "warning")
    assert site.ask(Client(0, "client-1"), A, A) == "200"
    assert "AH01902" in site.log
    site.fix()
    assert site.findings() == []
    assert site.ask(Client(0, "client-1", ssl.TLSVersion.TLSv1_2), A, A) != "200"


# -- directories -------------------------------------------------------------------------------------------------------


@pytest.fixture
def searched() -> Iterator[Path]:
    """A directory that the server's workers can read: OpenSSL looks into it when a client is there, as their user."""
    with TemporaryDirectory(prefix="tlslint-authorities-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def hashed(folder: Path, file: Path, kind: str = "", option: str = "x509") -> None:
    """Make a file known to OpenSSL in a directory, under the hash of its subject, or of its issuer for a list."""
    command = ["openssl", option, "-in", str(file), "-noout", "-hash"]
    digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copyfile(file, folder / f"{digest}.{kind}0")


@pytest.mark.parametrize("client", ["client-1", "client-2"])
def test_a_directory_of_authorities(site: Site, searched: Path, client: str) -> None:
    hashed(searched, CERTIFICATES / "client-ca-1.pem")
    shutil.copy(CERTIFICATES / "client-ca-2.pem", searched)
    site.host(A, REQUIRE, f"SSLCACertificatePath {searched}")
    assert site.found() == set()
    version = ssl.TLSVersion.TLSv1_2
    status = site.ask(Client(0, client, version), A, A)
    assert status == ("200" if client == "client-1" else "tlsv1 alert unknown ca")


def test_an_expired_ca_in_a_directory(site: Site, tmp_path: Path, searched: Path) -> None:
    pki = Pki(tmp_path, upper=-DAY)
    for certificate in (pki.issuing, pki.upper, pki.root):
        hashed(searched, pki.file(certificate))
    site.host(A, REQUIRE, "SSLVerifyDepth 5", f"SSLCACertificatePath {searched}")
    assert site.found() == {"TLS505"}
    assert site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A) == "sslv3 alert certificate expired"


def test_a_public_ca_in_a_directory(site: Site, searched: Path) -> None:
    hashed(searched, CERTIFICATES / "public-ca.pem")
    site.host(A, REQUIRE, f"SSLCACertificatePath {searched}")
    assert site.found() == {"TLS504"}


def test_the_public_cas_of_a_system(site: Site) -> None:
    """Some of them have expired, which is nobody's trouble here."""
    site.host(A, REQUIRE, "SSLCACertificatePath /etc/ssl/certs/")
    assert site.found() == {"TLS504"}


@pytest.mark.parametrize(("end", "log"), [(30 * DAY, ""), (-DAY, EXPIRED), (None, MISSING)])
def test_a_directory_of_lists(site: Site, tmp_path: Path, searched: Path, end: timedelta | None, log: str) -> None:
    pki = Pki(tmp_path)
    for name, until in {**ALL, "issuing": end}.items():
        if until is not None:
            hashed(searched, pki.file(pki.revocation_list(name, until)), "r", "crl")
    site.host(
        A, REQUIRE, "SSLVerifyDepth 5", f"SSLCACertificateFile {pki.file(pki.issuing, pki.upper, pki.root)}",
        f"SSLCARevocationPath {searched}", "SSLCARevocationCheck chain",
    )  # fmt: skip
    assert site.found() == ({"TLS505"} if log else set())
    status = site.ask(Client(0, pki.client, ssl.TLSVersion.TLSv1_2), A, A)
    assert (status == "200") == (not log)
    assert log in site.log


# -- other hosts' clients ----------------------------------------------------------------------------------------------

INSECURE = "SSLVHostSNIPolicy insecure"
WAYS = (A, None, "z.example.test")
ASK_ALL = ('<Location "/">', "Require ssl-verify-client", "</Location>")


@pytest.mark.parametrize("policy", ["", "SSLVHostSNIPolicy authonly"])
@pytest.mark.parametrize("sni", WAYS)
def test_hosts_are_compared(site: Site, policy: str, sni: str | None) -> None:
    site.main = policy
    site.host(A, REQUIRE, CA1, certificate="w-rsa").host(B, REQUIRE, CA2, certificate="w-rsa")
    assert site.found() == set()
    assert site.ask(Client(0, "client-1"), sni, B) == "421"


@pytest.mark.parametrize("sni", WAYS)
def test_hosts_are_not_compared_where_nobody_wants_it(site: Site, sni: str | None) -> None:
    site.main = INSECURE
    site.host(A, REQUIRE, CA1, certificate="w-rsa").host(B, REQUIRE, CA2, certificate="w-rsa")
    assert site.found() == {"TLS508"}
    assert site.ask(Client(0, "client-1"), sni, B) == "200"
    site.fix()
    assert site.found() == set()
    assert site.ask(Client(0, "client-1"), sni, B) == "421"
    for name, client in ((A, "client-1"), (B, "client-2")):
        assert site.ask(Client(0, client), name, name) == "200"


def test_a_result_of_another_host(site: Site) -> None:
    site.main = INSECURE
    site.host(A, REQUIRE, CA1).host(B, *ASK_ALL, certificate="b-rsa")
    assert site.found() == {"TLS508"}
    assert site.ask(Client(0, "client-1"), A, B) == "200"
    assert site.ask(Client(0, "client-1"), B, B) == "403"


# -- after the handshake -----------------------------------------------------------------------------------------------

INSIDE = ('<Location "/in">', "SSLVerifyClient require", "</Location>")
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(
    ("version", "later", "host", "status"),
    [
        (V12, False, "", "200"),
        (V13, False, "", "403"),
        (V13, True, "", "200"),
        (V12, True, "SSLVerifyClient optional", "200"),
        (V13, True, "SSLVerifyClient optional", "403"),
    ],
)
def test_a_section_that_asks(site: Site, version: ssl.TLSVersion, later: bool, host: str, status: str) -> None:
    site.host(A, CA1, host, *INSIDE)
    assert site.found() == {"TLS506"}
    client = Client(0, "client-1", version)
    client.context.post_handshake_auth = later
    assert site.ask(client, A, A, "/in/") == status
    assert ("AH10158" in site.log) == (status == "403")


@pytest.mark.parametrize(("host", "status"), [("", "403"), ("SSLVerifyClient optional_no_ca", "200")])
def test_a_section_where_certificates_are_optional(site: Site, host: str, status: str) -> None:
    site.host(A, CA1, host, '<Location "/in">', "SSLVerifyClient optional", "</Location>")
    assert ("TLS506" in site.found()) == (status == "403")
    client = Client(0, None, V13)
    client.context.post_handshake_auth = False
    assert site.ask(client, A, A, "/in/") == status


@pytest.mark.parametrize("version", [V12, V13])
def test_a_host_that_asks_and_a_section_that_decides(site: Site, version: ssl.TLSVersion) -> None:
    site.host(A, CA1, "SSLVerifyClient optional", '<Location "/in">', "Require ssl-verify-client", "</Location>")
    assert site.found() == set()
    assert site.ask(Client(0, "client-1", version), A, A, "/in/") == "200"
    assert site.ask(Client(0, None, version), A, A, "/in/") == "403"


def test_nothing_looks_at_the_result(site: Site) -> None:
    site.host(A, CA1, "SSLVerifyClient optional", '<Location "/">', "Require all granted", "</Location>")
    assert site.found() == {"TLS502"}
    assert site.ask(Client(0), A, A) == "200"


def test_a_command_is_heeded(site: Site) -> None:
    site.host(A, CA1, "SSLVerifyClient none", "SSLOpenSSLConfCmd VerifyMode Require")
    assert site.found() == set()
    assert site.ask(Client(0, "client-2", V12), A, A) == "closed"
    assert "AH02010" in site.log


@pytest.mark.parametrize("mode", ["optional", "require"])
def test_without_a_ca_nobody_is_a_client(site: Site, mode: str) -> None:
    site.host(A, f"SSLVerifyClient {mode}", *(ASK_ALL if mode == "optional" else ()))
    assert site.found() == {"TLS501"}
    assert site.ask(Client(0, "client-1", V12), A, A) == "tlsv1 alert unknown ca"
    assert ("AH01897" in site.log) == (mode == "require")


# -- sessions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V12, V13])
@pytest.mark.parametrize(
    ("lines", "outlives"),
    [
        ("SSLSessionTicketKeyFile {folder}/keys", True),
        ("SSLSessionCache shmcb:{folder}/cache(512000)\nSSLSessionTickets off", False),
        ("", False),
    ],
    ids=["keys", "cache", "nothing"],
)
def test_sessions_of_clients_that_are_revoked(
    site: Site, tmp_path: Path, version: ssl.TLSVersion, lines: str, outlives: bool
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "keys").write_bytes(bytes(range(48)))
    crl = tmp_path / "clients.crl"
    shutil.copy(CERTIFICATES / "client-ca-1-crl.pem", crl)
    site.main = lines.format(folder=tmp_path)
    site.host(A, REQUIRE, CA1, f"SSLCARevocationFile {crl}", "SSLCARevocationCheck chain")
    assert site.found() == ({"TLS515"} if outlives else set())
    server = ApacheServer(needed_apache(), site.text)
    (server.root / "htdocs" / "index.html").write_text("page", encoding="utf-8")
    with server:
        client = Client(site.port, "client-1", version)
        assert client.ask(A, A)[0] == 200
        shutil.copy(CERTIFICATES / "client-ca-1-crl-later.pem", crl)
        server.reload()
        deadline = time.monotonic() + 20
        while is_let_in(Client(site.port, "client-1", version)):
            assert time.monotonic() < deadline, "the new list is not looked at"
            time.sleep(0.1)
        assert is_let_in(client, resume=True) == outlives


def is_let_in(client: Client, *, resume: bool = False) -> bool:
    try:
        return client.ask(A, A, resume=resume)[0] == 200
    except (ssl.SSLError, OSError, IndexError):
        return False
