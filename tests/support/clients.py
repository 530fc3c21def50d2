"""Clients with certificates, and the authorities that vouch for them: for tests that ask servers who gets in."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
DAY = timedelta(days=1)


@dataclass
class Client:
    """A client that believes every server; `session` is that of its last connection."""

    port: int
    certificate: str | Path | None = None
    version: ssl.TLSVersion | None = None
    session: ssl.SSLSession | None = None
    resumed: bool = False

    def __post_init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        if isinstance(self.certificate, Path):
            self.context.load_cert_chain(self.certificate)
        elif self.certificate:
            self.context.load_cert_chain(
                CERTIFICATES / f"{self.certificate}.pem", CERTIFICATES / f"{self.certificate}.key"
            )
        if self.version:
            self.context.minimum_version = self.context.maximum_version = self.version

    def ask(self, sni: str | None, host: str, *, resume: bool = False, path: str = "/") -> tuple[int, str]:
        """Return status and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
            session = self.session if resume else None
            with self.context.wrap_socket(plain, server_hostname=sni, session=session) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while received := connection.recv(65536):
                    answer += received
                self.session, self.resumed = connection.session, bool(connection.session_reused)
        return _read(answer)

    def ask_plain(self, host: str, *, path: str = "/") -> tuple[int, str]:
        """The same without TLS."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
            plain.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while received := plain.recv(65536):
                answer += received
        return _read(answer)


def _read(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode().strip()


class Pki:
    """A root, two intermediates, a client of the lower one, and revocation lists; `dates` move the end of some."""

    def __init__(self, folder: Path, **ends: timedelta) -> None:
        self.folder = folder
        self.ends = ends
        self.keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "upper", "issuing", "client")}
        self.root = self.issue("root", "root")
        self.upper = self.issue("upper", "root")
        self.issuing = self.issue("issuing", "upper")
        leaf = self.issue("client", "issuing")
        key = self.keys["client"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.client = folder / "client-with-chain.pem"
        self.client.write_bytes(key + leaf + self.issuing + self.upper)

    def issue(self, name: str, issuer: str) -> bytes:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(self._name(name))
            .issuer_name(self._name(issuer))
            .public_key(self.keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + self.ends.get(name, 30 * DAY))
            .add_extension(x509.BasicConstraints(ca=name != "client", path_length=None), critical=True)
            .sign(self.keys[issuer], hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )

    def revocation_list(self, issuer: str, end: timedelta = 30 * DAY) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name(issuer))
        builder = builder.last_update(now - 20 * DAY).next_update(now + end)
        return builder.sign(self.keys[issuer], hashes.SHA256()).public_bytes(Encoding.PEM)

    def file(self, *blocks: bytes) -> Path:
        path = self.folder / f"{abs(hash(blocks)):x}.pem"
        path.write_bytes(b"".join(blocks))
        return path

    @staticmethod
    def _name(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"the {name}")])
