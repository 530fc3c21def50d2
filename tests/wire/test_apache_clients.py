"""What the rules about client certificates claim of Apache, seen on the real server: who gets in, what the log says."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.clients import CERTIFICATES, DAY, Client, Pki
from support.servers import free_ports
from tlslint.finding import Finding
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
