"""One X.509 certificate: the facts that rules ask for, each worked out when it is first asked for."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

from tlslint.pki import der as asn1
from tlslint.pki import usual
from tlslint.quiet import quietly

if TYPE_CHECKING:
    from cryptography import x509

KEY_TYPES = {
    "1.2.840.113549.1.1.1": "rsa",
    "1.2.840.113549.1.1.10": "rsa",  # RSASSA-PSS keys
    "1.2.840.10045.2.1": "ec",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
    "1.2.840.10040.4.1": "dsa",
    "2.16.840.1.101.3.4.3.17": "ml-dsa-44",
    "2.16.840.1.101.3.4.3.18": "ml-dsa-65",
    "2.16.840.1.101.3.4.3.19": "ml-dsa-87",
}
"""Public key algorithms (RFC 3279, 5480, 8410, 9881) under the names that tlslint uses; others are `unknown`."""

CURVES = {
    "1.2.840.10045.3.1.1": ("prime192v1", 192),
    "1.3.132.0.33": ("secp224r1", 224),
    "1.2.840.10045.3.1.7": ("prime256v1", 256),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
    "1.2.156.10197.1.301": ("SM2", 256),
    "1.3.132.0.8": ("secp160r1", 160),
    "1.3.132.0.31": ("secp192k1", 192),
    "1.3.132.0.32": ("secp224k1", 224),
}
"""Named curves (RFC 5480, SEC 2, RFC 5639) with OpenSSL's names and the size of the field in bits."""

_FIXED_SIZES = {"ed25519": 256, "ed448": 456}

SIGNATURES = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.3.14.3.2.29": "sha1WithRSA",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.2.840.10040.4.3": "dsaWithSHA1",
    "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
"""Signature algorithms under the names that `openssl x509 -text` prints; others keep their dotted identifier."""

_KEY_PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}

_KEY_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}

# crypto/x509/v3_purp.c; extendedKeyUsage "any" is not enough for either purpose
_SERVER_KEY_USAGES = frozenset({"digitalSignature", "keyEncipherment", "keyAgreement"})
_CLIENT_KEY_USAGES = frozenset({"digitalSignature", "keyAgreement"})

_CA_BROWSER_FORUM_POLICIES = "2.23.140.1."


class UnreadableCertificateError(ValueError):
    """These bytes are no certificate, or one that `cryptography` cannot parse."""


class _Extensions(NamedTuple):
    """What the extensions say; `problem` is why they could not be read, and then everything else is empty."""

    problem: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    has_san: bool = False
    has_basic_constraints: bool = False
    is_ca: bool = False
    path_length: int | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    ocsp_urls: tuple[str, ...] = ()
    ca_issuer_urls: tuple[str, ...] = ()
    must_staple: bool = False
    ski: str | None = None
    aki: str | None = None
    policies: tuple[str, ...] = ()
    has_scts: bool = False


class Certificate:
    """A certificate. There is one object per distinct DER, so that comparing objects compares certificates.

    Where the extensions cannot be read, `extensions_problem` says why and what depends on them is empty:
    a rule must then report that it could not check.
    """

    der: bytes
    sha256: str

    def __init__(self, der: bytes, sha256: str) -> None:
        self.der = der
        self.sha256 = sha256
        self._signed_by: dict[str, bool | None] = {}
        """By SHA-256 of the certificate whose key may have signed this one: whether it did."""

    def __repr__(self) -> str:
        return f"<Certificate {self.label} {self.sha256[:12]}>"

    def __reduce__(self) -> tuple[Callable[..., "Certificate"], tuple[bytes, str, dict[str, Any]]]:
        return _restored, (self.der, self.sha256, self.facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What has been worked out, for `learn` in another process; nothing of the library's."""
        return {name: value for name, value in vars(self).items() if name not in _OF_THE_LIBRARY}

    def learn(self, facts: dict[str, Any]) -> None:
        """Take over what was worked out of the same certificate elsewhere."""
        signed_by = self._signed_by
        signed_by.update(facts["_signed_by"])
        vars(self).update(facts)
        self._signed_by = signed_by

    def work_out(self) -> None:
        """Work out now what is asked of most certificates, so that `facts` has it."""
        _ = self.label, self.dns_name_set, self.subject_key, self.issuer_key, self.not_before, self.not_after
        _ = self.public_key_sha256, self.key_bits, self.curve, self.signature_algorithm, self.signature_hash
        _ = self.self_signed

    @cached_property
    def _x509(self) -> "x509.Certificate":
        return _parse(self.der)

    @cached_property
    def label(self) -> str:
        """A short name for messages: the common name, else the first name it covers, else the subject."""
        return self.common_name or next(iter(self.dns_names + self.ip_addresses), "") or self.subject or "(no subject)"

    @property
    def public_key_der(self) -> bytes:
        """The SubjectPublicKeyInfo as it stands in the certificate (DER)."""
        return self._issuer_and_key[1]

    @cached_property
    def _issuer_and_key(self) -> tuple[bytes, bytes]:
        return asn1.issuer_and_key(self.der)

    @cached_property
    def public_key_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in the form that `KeyFacts.public_key_sha256` has too."""
        if self.key_type == "ec" and asn1.is_plain_point(self.public_key_der):
            return hashlib.sha256(self.public_key_der).hexdigest()
        return canonical_public_key_sha256(self._public_key, self.public_key_der)

    @cached_property
    def _public_key(self) -> Any:
        """The key as a `cryptography` object, or None where the library does not take it."""
        try:
            return usual.public_key(self.public_key_der)
        except ValueError:
            pass
        with quietly():
            try:
                return self._x509.public_key()
            except Exception:  # any refusal, whatever its type, means the same here
                return None

    @cached_property
    def key_type(self) -> str:
        """`rsa`, `ec`, `ed25519`, `ed448`, `dsa`, `ml-dsa-44`, `ml-dsa-65`, `ml-dsa-87` or `unknown`."""
        return KEY_TYPES.get(self._x509.public_key_algorithm_oid.dotted_string, "unknown")

    @cached_property
    def key_bits(self) -> int | None:
        """The size of the key in bits: modulus, field of the curve; None where a size says nothing."""
        if self.key_type == "ec" and self._curve_identifier in CURVES:
            return CURVES[self._curve_identifier][1]
        size = key_bits_of(self._public_key, self.key_type)
        if size is None and self.key_type == "rsa":  # a size that the library refuses
            return self.rsa_numbers[0].bit_length() if self.rsa_numbers else None
        return size

    @cached_property
    def curve(self) -> str | None:
        """OpenSSL's name of an EC key's curve (`prime256v1`); the dotted identifier of one that is not known here."""
        if self.key_type != "ec":
            return None
        identifier = self._curve_identifier
        return CURVES[identifier][0] if identifier in CURVES else identifier

    @cached_property
    def _curve_identifier(self) -> str | None:
        try:
            return asn1.algorithm_of(self.public_key_der)[1]
        except asn1.DerError:
            return None

    @cached_property
    def rsa_numbers(self) -> tuple[int, int] | None:
        """Modulus and public exponent of an RSA key."""
        if self.key_type != "rsa":
            return None
        try:
            return asn1.rsa_numbers(self.public_key_der)
        except asn1.DerError:
            return None

    @cached_property
    def signature_algorithm(self) -> str:
        """How the issuer signed it, in OpenSSL's words: `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, …."""
        identifier = self._x509.signature_algorithm_oid.dotted_string
        return SIGNATURES.get(identifier, identifier)

    @cached_property
    def signature_hash(self) -> str | None:
        """The hash function of the signature (`sha256`); None for algorithms without one, and for unknown ones."""
        with quietly():
            try:
                algorithm = self._x509.signature_hash_algorithm
            except Exception:  # unsupported algorithms and parameters alike
                return None
        return algorithm.name if algorithm else None

    @cached_property
    def subject(self) -> str:
        """The subject as RFC 4514 writes it, most specific part first."""
        return name_text(self._subject)

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 writes it, most specific part first."""
        return name_text(self._issuer)

    @cached_property
    def _subject(self) -> "x509.Name | None":
        return _name(lambda: self._x509.subject)

    @cached_property
    def _issuer(self) -> "x509.Name | None":
        return _name(lambda: self._x509.issuer)

    @property
    def issuer_der(self) -> bytes:
        """The issuer's name as it stands in the certificate (DER)."""
        return self._issuer_and_key[0]

    @cached_property
    def subject_key(self) -> tuple[object, ...]:
        """The subject in the form in which names are compared (case and runs of blanks do not count)."""
        return comparable_name(self._subject)

    @cached_property
    def issuer_key(self) -> tuple[object, ...]:
        """The issuer in the form in which names are compared."""
        known = _issuer_keys.get(self.issuer_der)
        if known is None:
            known = comparable_name(self._issuer)
            if self._issuer is not None and len(_issuer_keys) < _MAX_ISSUERS:
                _issuer_keys[self.issuer_der] = known
        return known

    @cached_property
    def common_name(self) -> str | None:
        """The subject's most specific common name."""
        from cryptography.x509.oid import NameOID

        names = self._subject.get_attributes_for_oid(NameOID.COMMON_NAME) if self._subject is not None else []
        return str(names[-1].value) if names else None

    @cached_property
    def serial(self) -> int:
        """The serial number."""
        with quietly():
            return self._x509.serial_number

    @cached_property
    def not_before(self) -> datetime:
        """The first second of its life (aware, UTC)."""
        return self._x509.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        """The last second of its life (aware, UTC)."""
        return self._x509.not_valid_after_utc

    @cached_property
    def _extensions(self) -> _Extensions:
        with quietly():
            try:
                return _read_extensions(self._x509.extensions)
            except Exception as problem:  # every way in which an extension may be malformed
                return _Extensions(problem=str(problem) or type(problem).__name__)

    @property
    def extensions_problem(self) -> str | None:
        """Why the extensions cannot be read, or None."""
        return self._extensions.problem

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The DNS names of the subjectAltName extension, as written there."""
        return self._extensions.dns_names

    @cached_property
    def dns_name_set(self) -> frozenset[str]:
        """The same in lower case, to look names up in."""
        return frozenset(name.lower() for name in self.dns_names)

    @property
    def ip_addresses(self) -> tuple[str, ...]:
        """The IP addresses of the subjectAltName extension, in compressed form."""
        return self._extensions.ip_addresses

    @property
    def other_names(self) -> tuple[str, ...]:
        """The other names of the subjectAltName extension, each with its kind: `URI:…`, `email:…`, `other`."""
        return self._extensions.other_names

    @property
    def has_san(self) -> bool:
        """Whether there is a subjectAltName extension at all, whatever is in it."""
        return self._extensions.has_san

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says CA:TRUE."""
        return self._extensions.is_ca

    @property
    def has_basic_constraints(self) -> bool:
        """Whether there is a basicConstraints extension at all."""
        return self._extensions.has_basic_constraints

    @property
    def path_length(self) -> int | None:
        """How many further CAs may follow below this one; None when it does not say."""
        return self._extensions.path_length

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Key usages (`digitalSignature`, …); None without the extension, which allows all."""
        return self._extensions.key_usage

    @property
    def extended_key_usage(self) -> frozenset[str] | None:
        """Extended key usages (`serverAuth`, … or dotted); None without the extension, which allows all."""
        return self._extensions.extended_key_usage

    @property
    def allows_server_authentication(self) -> bool:
        """Whether its usages let it be a TLS server's, as OpenSSL's purpose `sslserver` has it."""
        return self._allows("serverAuth", _SERVER_KEY_USAGES)

    @property
    def allows_client_authentication(self) -> bool:
        """Whether its usages let it be a TLS client's, as OpenSSL's purpose `sslclient` has it."""
        return self._allows("clientAuth", _CLIENT_KEY_USAGES)

    def _allows(self, purpose: str, usages: frozenset[str]) -> bool:
        by_purpose = self.extended_key_usage is None or purpose in self.extended_key_usage
        return by_purpose and (self.key_usage is None or bool(self.key_usage & usages))

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """OCSP responders named by authorityInfoAccess."""
        return self._extensions.ocsp_urls

    @property
    def ca_issuer_urls(self) -> tuple[str, ...]:
        """Where authorityInfoAccess says that the issuer's certificate can be had."""
        return self._extensions.ca_issuer_urls

    @property
    def must_staple(self) -> bool:
        """Whether the TLS feature extension demands a stapled OCSP response (RFC 7633)."""
        return self._extensions.must_staple

    @property
    def ski(self) -> str | None:
        """The subject key identifier (lower-case hex)."""
        return self._extensions.ski

    @property
    def aki(self) -> str | None:
        """The authority key identifier (lower-case hex)."""
        return self._extensions.aki

    @property
    def policies(self) -> tuple[str, ...]:
        """Certificate policies (dotted identifiers)."""
        return self._extensions.policies

    @property
    def claims_public_trust(self) -> bool:
        """Whether it carries what publicly trusted certificates must: a CA/Browser Forum policy, or embedded SCTs."""
        return self._extensions.has_scts or any(p.startswith(_CA_BROWSER_FORUM_POLICIES) for p in self.policies)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject_key == self.issuer_key

    @cached_property
    def self_signed(self) -> bool:
        """Whether it is a root: self-issued, and its signature verifies with its own key."""
        return self.self_issued and self.signed_with_key_of(self) is True

    def issued_by(self, issuer: "Certificate") -> bool | None:
        """Whether `issuer` has the name that this certificate gives its issuer, and the key that signed it.

        None when the names agree and the signature cannot be verified here (an unknown algorithm).
        """
        return self.signed_with_key_of(issuer) if self.issuer_key == issuer.subject_key else False

    def signed_with_key_of(self, issuer: "Certificate") -> bool | None:
        """Whether the issuer's key made this certificate's signature; None when that cannot be computed."""
        if issuer.sha256 not in self._signed_by:
            self._signed_by[issuer.sha256] = issuer.signed(self._signed_object)
        return self._signed_by[issuer.sha256]

    @property
    def _signed_object(self) -> "usual.Signature | x509.Certificate":
        try:
            return usual.signature(self.der)
        except ValueError:
            return self._x509

    def signed(
        self, signed_object: "usual.Signature | x509.Certificate | x509.CertificateRevocationList"
    ) -> bool | None:
        """Whether this certificate's key signed a certificate or CRL; None when that cannot be computed."""
        from cryptography.exceptions import InvalidSignature

        key = self._public_key
        if key is None:
            return None
        with quietly():
            try:
                _verify(self.key_type, key, signed_object)
            except (InvalidSignature, TypeError):  # a TypeError: the parameters are those of another kind of key
                return False
            except Exception:  # the library refuses the algorithm or the key
                return None
        return True


@lru_cache(maxsize=64)
def _signer(algorithm: str) -> str:
    """Return the kind of key that makes signatures of this algorithm."""
    name = SIGNATURES.get(algorithm, "")
    for mark, kind in (("RSA", "rsa"), ("rsa", "rsa"), ("ecdsa", "ec"), ("dsa", "dsa")):
        if mark in name:
            return kind
    return KEY_TYPES.get(algorithm, "unknown")  # EdDSA and ML-DSA name key and signature alike


def _verify(
    key_type: str, key: Any, signed_object: "usual.Signature | x509.Certificate | x509.CertificateRevocationList"
) -> None:
    """Raise what the library raises when `key` did not sign."""
    if isinstance(signed_object, usual.Signature):
        signed_object.verify(key_type, key)
        return
    parameters: Any = signed_object.signature_algorithm_parameters
    if _signer(signed_object.signature_algorithm_oid.dotted_string) != key_type:
        raise TypeError("the signature was made with another kind of key")
    signature, signed = signed_object.signature, _signed_bytes(signed_object)
    match key_type:
        case "rsa":
            from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

            # the library names no padding for hashes that it has given up (MD5), and still verifies them
            key.verify(signature, signed, parameters or PKCS1v15(), signed_object.signature_hash_algorithm)
        case "ec":
            key.verify(signature, signed, parameters)
        case "dsa":
            key.verify(signature, signed, signed_object.signature_hash_algorithm)
        case _:
            key.verify(signature, signed)


def _signed_bytes(signed_object: "x509.Certificate | x509.CertificateRevocationList") -> bytes:
    from cryptography.x509 import CertificateRevocationList

    if isinstance(signed_object, CertificateRevocationList):
        return signed_object.tbs_certlist_bytes
    return signed_object.tbs_certificate_bytes


_OF_THE_LIBRARY = frozenset(("_x509", "_public_key", "_subject", "_issuer", "der", "sha256"))
"""What is not pickled with a certificate: objects of the library, and what it is made again from."""

_MAX_ISSUERS = 1024
_issuer_keys: dict[bytes, tuple[object, ...]] = {}
"""By DER: a few authorities issue most certificates."""

_certificates: WeakValueDictionary[bytes, Certificate] = WeakValueDictionary()


def certificate_from_der(der: bytes) -> Certificate:
    """Return the certificate that `der` begins with; bytes after it are ignored, as OpenSSL does.

    Raises `UnreadableCertificateError`.
    """
    digest = hashlib.sha256(der)
    known = _certificates.get(digest.digest())
    if known is not None:
        return known
    try:
        facts = _read(der)
    except UnreadableCertificateError:
        # also when there is more behind the certificate
        alone = _certificate_alone(der)
        if len(alone) == len(der):
            raise
        return certificate_from_der(alone)
    known = _certificates[digest.digest()] = Certificate(der, digest.hexdigest())
    vars(known).update(facts)
    return known


def _read(der: bytes) -> dict[str, Any]:
    """Return the facts that reading a certificate gives at once; raises `UnreadableCertificateError`."""
    try:
        facts, extensions = usual.certificate_facts(der)
    except ValueError:
        return {"_x509": _parse(der)}
    return {**facts, "_extensions": _Extensions(**extensions)}


def _certificate_alone(der: bytes) -> bytes:
    try:
        return der[: asn1.signed_object_end(der)]
    except asn1.DerError as problem:
        raise UnreadableCertificateError(str(problem)) from problem


def _restored(der: bytes, sha256: str, facts: dict[str, Any]) -> Certificate:
    """Return the certificate that was pickled, and that could be read then."""
    digest = bytes.fromhex(sha256)
    known = _certificates.get(digest)
    if known is None:
        known = _certificates[digest] = Certificate(der, sha256)
    known.learn(facts)
    return known


def learn(facts: Mapping[str, dict[str, Any]]) -> None:
    """Take over what was worked out elsewhere of certificates, by SHA-256, as far as they are known here."""
    for sha256, found in facts.items():
        known = _certificates.get(bytes.fromhex(sha256))
        if known is not None:
            known.learn(found)


def _parse(der: bytes) -> "x509.Certificate":
    from cryptography import x509

    with quietly():
        try:
            parsed = x509.load_der_x509_certificate(der)
            # dates are the one field that the library parses late and that nobody can do without
            _ = parsed.not_valid_after_utc, parsed.not_valid_before_utc
        except Exception as problem:
            raise UnreadableCertificateError(str(problem) or type(problem).__name__) from problem
    return parsed


def key_bits_of(key: Any, key_type: str) -> int | None:
    """Return the size in bits of a `cryptography` public key of this type; None where there is none to tell."""
    size: int | None = getattr(key, "key_size", None)
    return _FIXED_SIZES.get(key_type) if size is None else size


def canonical_public_key_sha256(key: Any, otherwise: bytes) -> str:
    """Return the SHA-256 of a public key's DER as `cryptography` writes it, so that equal keys give equal digests.

    Where the library does not know the key (None), the digest is that of `otherwise`.
    """
    if key is not None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        otherwise = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(otherwise).hexdigest()


def _name(read: "Callable[[], x509.Name]") -> "x509.Name | None":
    with quietly():
        try:
            return read()
        except Exception:  # names with characters that their string type does not allow
            return None


def name_text(name: "x509.Name | None") -> str:
    """Return a name as RFC 4514 writes it; empty when there is none."""
    return name.rfc4514_string() if name is not None else ""


def comparable_name(name: "x509.Name | None") -> tuple[object, ...]:
    """Return a name in the form in which names are compared (RFC 5280 section 7.1, as OpenSSL does it).

    Letter case, runs of blanks and the string type do not count.
    """
    if name is None:
        return (object(),)  # unlike any other name
    return tuple(
        tuple(sorted((part.oid.dotted_string, " ".join(_text(part.value).lower().split())) for part in rdn))
        for rdn in name.rdns
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _read_extensions(extensions: "Iterable[x509.Extension[x509.ExtensionType]]") -> _Extensions:
    facts: dict[str, Any] = {}
    for extension in extensions:
        read = _EXTENSION_READERS.get(extension.oid.dotted_string)
        if read is not None:
            facts.update(read(extension.value))
    return _Extensions(**facts)


def _read_names(names: Any) -> dict[str, Any]:
    from cryptography.x509 import DNSName, IPAddress

    dns_names, addresses, others = [], [], []
    for name in names:
        if isinstance(name, DNSName):
            dns_names.append(name.value)
        elif isinstance(name, IPAddress):
            addresses.append(str(name.value))
        else:
            others.append(_other_name(name))
    return {
        "has_san": True,
        "dns_names": tuple(dns_names),
        "ip_addresses": tuple(addresses),
        "other_names": tuple(others),
    }


def _other_name(name: Any) -> str:
    from cryptography import x509

    match name:
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case x509.DirectoryName():
            return f"DirName:{name_text(name.value)}"
        case x509.RegisteredID():
            return f"RID:{name.value.dotted_string}"
    return "other"


def _read_key_usage(usage: Any) -> dict[str, Any]:
    return {"key_usage": frozenset(name for field, name in _KEY_USAGES.items() if getattr(usage, field))}


def _read_purposes(purposes: Any) -> dict[str, Any]:
    identifiers = (purpose.dotted_string for purpose in purposes)
    return {"extended_key_usage": frozenset(_KEY_PURPOSES.get(name, name) for name in identifiers)}


def _read_authority_access(access: Any) -> dict[str, Any]:
    from cryptography.x509.oid import AuthorityInformationAccessOID as Method

    return {"ocsp_urls": _urls(access, Method.OCSP), "ca_issuer_urls": _urls(access, Method.CA_ISSUERS)}


def _read_features(features: Any) -> dict[str, Any]:
    from cryptography import x509

    return {"must_staple": x509.TLSFeatureType.status_request in features}


_EXTENSION_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "2.5.29.14": lambda value: {"ski": value.digest.hex()},
    "2.5.29.15": _read_key_usage,
    "2.5.29.17": _read_names,
    "2.5.29.19": lambda value: {"has_basic_constraints": True, "is_ca": value.ca, "path_length": value.path_length},
    "2.5.29.32": lambda value: {"policies": tuple(policy.policy_identifier.dotted_string for policy in value)},
    "2.5.29.35": lambda value: {"aki": value.key_identifier.hex() if value.key_identifier else None},
    "2.5.29.37": _read_purposes,
    "1.3.6.1.5.5.7.1.1": _read_authority_access,
    "1.3.6.1.5.5.7.1.24": _read_features,
    "1.3.6.1.4.1.11129.2.4.2": lambda _: {"has_scts": True},
}
"""What each extension (RFC 5280 section 4.2, RFC 6962, RFC 7633) adds to the facts."""


def _urls(access: "x509.AuthorityInformationAccess", method: "x509.ObjectIdentifier") -> tuple[str, ...]:
    from cryptography import x509

    return tuple(
        description.access_location.value
        for description in access
        if description.access_method == method
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    )
