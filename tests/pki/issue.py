"""Small certificates, made in memory: real signatures, quick keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tlslint.pki.certificate import Certificate, certificate_from_der

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2036, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def read(self) -> Certificate:
        return certificate_from_der(self.der)


@cache
def key(name: str, kind: str = "ec") -> Any:
    """One key per name and kind."""
    match kind:
        case "rsa":
            return rsa.generate_private_key(65537, 2048)
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "ed448":
            return ed448.Ed448PrivateKey.generate()
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ml-dsa-65":
            from cryptography.hazmat.primitives.asymmetric import mldsa

            return mldsa.MLDSA65PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def signing_hash(signer: Any) -> hashes.SHA256 | None:
    return hashes.SHA256() if isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def issue(
    name: str,
    issuer: Authority | None = None,
    *,
    kind: str = "ec",
    is_ca: bool = True,
    path_length: int | None = None,
    names: Sequence[x509.GeneralName] = (),
    extensions: Sequence[x509.ExtensionType] = (),
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    key_name: str | None = None,
) -> Authority:
    """A certificate called `name`, signed by `issuer` or by itself."""
    own = key(key_name or name, kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else own
    unused = "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only"
    usage = dict.fromkeys(unused.split(), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(is_ca, path_length if is_ca else None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Authority(builder.sign(signer, signing_hash(signer)), own)


def leaf(name: str, issuer: Authority | None, **options: Any) -> Authority:
    """A server certificate for a DNS name."""
    options.setdefault("names", [x509.DNSName(name)])
    return issue(name, issuer, is_ca=False, **options)
