"""What is read of certificates and keys by their bytes alone is what the library reads, or it is left to that."""

import hashlib
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tlslint.pki import bundle, pem, usual
from tlslint.pki.certificate import Certificate, _Extensions, _parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "certificates"
SYSTEM_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
FACTS = (
    "serial", "signature_algorithm", "signature_hash", "issuer", "issuer_key", "subject", "subject_key", "common_name",
    "not_before", "not_after", "key_type", "public_key_sha256", "key_bits", "curve", "label", "_extensions",
)  # fmt: skip
OCTETS = bytes.fromhex("00 02 0c 13 30 7f 80 81 ff")
"""Tags, lengths, signs, and what names may not hold."""
TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def blocks(label: str) -> Iterator[bytes]:
    for path in [*sorted(FIXTURES.rglob("*.pem")), *sorted(FIXTURES.rglob("*.key")), SYSTEM_ROOTS]:
        try:
            yield from (block.data for block in pem.blocks(path.read_bytes()) if block.label.endswith(label))
        except (pem.PemError, OSError):
            continue


@cache
def certificates() -> list[bytes]:
    return list(dict.fromkeys(blocks("CERTIFICATE")))


@cache
def private_keys() -> list[bytes]:
    return list(dict.fromkeys(der for der in blocks("PRIVATE KEY") if not is_encrypted(der)))


def is_encrypted(der: bytes) -> bool:
    try:
        serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        return True
    except ValueError:
        return False
    return False


def read_by_library(der: bytes) -> Certificate:
    """Return a certificate that knows nothing but what the library says of it."""
    certificate = Certificate(der, hashlib.sha256(der).hexdigest())
    certificate._x509 = _parse(der)
    return certificate


def public_key(certificate: Certificate) -> Any:
    """Return the library's object for the key, or None where there is none."""
    try:
        return certificate._x509.public_key()
    except ValueError:
        return None


def read_here(der: bytes) -> Certificate | None:
    """Return a certificate that was read by its bytes, or None where that is not certain."""
    try:
        facts, extensions = usual.certificate_facts(der)
    except ValueError:
        return None
    certificate = Certificate(der, hashlib.sha256(der).hexdigest())
    vars(certificate).update(facts, _extensions=_Extensions(**extensions))
    return certificate


def agree(der: bytes) -> bool:
    """Whether a certificate is read here; the library takes it and says the same of it, then."""
    mine = read_here(der)
    if mine is None:
        return False
    theirs = read_by_library(der)
    theirs._public_key = public_key(theirs)
    assert {name: getattr(mine, name) for name in FACTS} == {name: getattr(theirs, name) for name in FACTS}
    assert (mine.issuer_der, mine.public_key_der) == (theirs.issuer_der, theirs.public_key_der)
    signature = usual.signature(der)
    assert (signature.value, signature.signed) == (theirs._x509.signature, theirs._x509.tbs_certificate_bytes)
    assert "_x509" not in vars(mine)
    return True


def test_certificates_of_the_fixtures_and_the_system() -> None:
    found = [agree(der) for der in certificates()]
    assert len(found) > 60
    assert sum(found) > len(found) / 2


def changed(der: bytes) -> Iterator[bytes]:
    """Yield the bytes with one of them changed, missing, or there twice."""
    for at, octet in enumerate(der):
        for other in {*OCTETS, octet ^ 1, octet ^ 0x20} - {octet}:
            yield der[:at] + bytes((other,)) + der[at + 1 :]
        yield der[:at] + der[at + 1 :]
        yield der[: at + 1] + der[at:]


@pytest.mark.parametrize("name", ["a-ec256.pem", "a-rsa.pem", "a-ed25519.pem", "intermediate-ec.pem"])
def test_certificates_with_one_octet_changed(name: str) -> None:
    der = next(pem.blocks((FIXTURES / name).read_bytes())).data
    assert agree(der)
    assert sum(map(agree, changed(der))) > 100


# -- certificates of every shape ---------------------------------------------------------------------------------------


def octet_string(octets: bytes) -> bytes:
    return b"\x04" + (b"\x81" if len(octets) > 127 else b"") + bytes((len(octets),)) + octets


texts = st.one_of(
    st.text(string.ascii_letters + string.digits + " .,-*'&/", min_size=1, max_size=12),
    st.text(min_size=1, max_size=6),
).filter(lambda text: "\0" not in text)
attributes = st.builds(
    lambda oid, text: (oid, "GB" if oid == NameOID.COUNTRY_NAME else text),
    st.sampled_from(
        [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME, NameOID.LOCALITY_NAME,
         NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.STATE_OR_PROVINCE_NAME, NameOID.EMAIL_ADDRESS, NameOID.USER_ID]
    ),
    texts,
)  # fmt: skip
relative_names = st.lists(attributes, min_size=1, max_size=2, unique_by=lambda item: item[0])
names = st.lists(relative_names, max_size=4)
host_names = st.from_regex(r"(\*\.)?[a-z0-9_-]{1,8}(\.[a-z]{2,5}){0,2}", fullmatch=True)
urls = st.builds("http://{}/{}".format, host_names, st.text(string.ascii_letters + " ~%", max_size=4))
general_names = st.one_of(
    host_names.map(x509.DNSName),
    st.ip_addresses().map(lambda address: x509.IPAddress(ip_address(address))),
    urls.map(x509.UniformResourceIdentifier),
)
purposes = st.sampled_from(
    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]
)
identifiers = st.sampled_from(["2.23.140.1.2.1", "1.3.6.1.4.1.44947.1.1.1", "2.999.1"]).map(x509.ObjectIdentifier)
qualifiers = st.one_of(st.none(), st.just(["http://cps.example/"]))
extensions = st.one_of(
    st.lists(general_names, min_size=1, max_size=4).map(x509.SubjectAlternativeName),
    st.lists(purposes, min_size=1, max_size=3, unique=True).map(x509.ExtendedKeyUsage),
    st.builds(
        lambda flags: x509.KeyUsage(*[*flags, False, False]),
        st.lists(st.booleans(), min_size=7, max_size=7).filter(any),
    ),
    st.one_of(
        st.just(x509.BasicConstraints(False, None)),
        st.builds(lambda length: x509.BasicConstraints(True, length), st.one_of(st.none(), st.integers(0, 300))),
    ),
    st.binary(max_size=21).map(x509.SubjectKeyIdentifier),
    st.binary(min_size=1, max_size=21).map(lambda octets: x509.AuthorityKeyIdentifier(octets, None, None)),
    st.binary(min_size=1, max_size=4).map(
        lambda octets: x509.AuthorityKeyIdentifier(octets, [x509.DNSName("a.example")], 7)
    ),
    st.lists(st.builds(x509.PolicyInformation, identifiers, qualifiers), min_size=1, max_size=2).map(
        x509.CertificatePolicies
    ),
    st.lists(
        st.builds(
            x509.AccessDescription,
            st.sampled_from([AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS]),
            urls.map(x509.UniformResourceIdentifier),
        ),
        min_size=1,
        max_size=3,
    ).map(x509.AuthorityInformationAccess),
    st.lists(urls, min_size=1, max_size=2).map(
        lambda found: x509.CRLDistributionPoints(
            [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in found]
        )
    ),
    st.sampled_from([x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2]).map(
        lambda feature: x509.TLSFeature([feature])
    ),
    st.just(x509.OCSPNoCheck()),
    st.binary(max_size=60).map(lambda octets: x509.UnrecognizedExtension(TIMESTAMPS, octet_string(octets))),
)
moments = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


@cache
def keys() -> tuple[Any, ...]:
    return (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(3, 2048),
    )


def name_of(parts: list[list[tuple[x509.ObjectIdentifier, str]]]) -> x509.Name:
    relative = [[x509.NameAttribute(oid, text, _validate=False) for oid, text in items] for items in parts]
    return x509.Name([x509.RelativeDistinguishedName(items) for items in relative])


@st.composite
def made_certificates(draw: st.DrawFn) -> bytes:
    key = draw(st.integers(0, len(keys()) - 1).map(lambda index: keys()[index]))
    begin = draw(moments)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(draw(names)))
        .issuer_name(name_of(draw(names)))
        .public_key(key.public_key())
        .serial_number(draw(st.one_of(st.integers(1, 300), st.integers(1, (1 << 159) - 1))))
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(draw(st.integers(0, 4000))))
    )
    for extension in draw(st.lists(extensions, max_size=5, unique_by=lambda item: item.oid.dotted_string)):
        builder = builder.add_extension(extension, draw(st.booleans()))
    functions = st.sampled_from([hashes.SHA256(), hashes.SHA384(), hashes.SHA512(), hashes.SHA224()])
    function: Any = None if isinstance(key, ed25519.Ed25519PrivateKey) else draw(functions)
    return builder.sign(key, function).public_bytes(serialization.Encoding.DER)


@settings(max_examples=300, deadline=None)
@given(
    der=made_certificates(),
    place=st.floats(0, 1, exclude_max=True),
    inserted=st.binary(min_size=1, max_size=2),
    removed=st.integers(0, 2),
)
def test_certificates_of_every_shape(der: bytes, place: float, inserted: bytes, removed: int) -> None:
    agree(der)
    at = int(place * len(der))
    agree(der[:at] + inserted + der[at + removed :])


def test_timestamps_of_certificate_transparency() -> None:
    one = b"\0" + bytes(range(32)) + (1_700_000_000_000).to_bytes(8, "big") + b"\0\0\4\3\0\4abcd"
    entry = len(one).to_bytes(2, "big") + one
    good = len(entry * 2).to_bytes(2, "big") + entry * 2
    key = keys()[0]
    seen = set()
    bad = (good[:-1], good + b"\0", good.replace(b"\4\3", b"\4\2"), good.replace(b"\0\0\4", b"\0\1\4"), b"")
    for octets in (good, *bad):
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.Name([]))
            .public_key(key.public_key())
            .serial_number(5)
            .not_valid_before(datetime(2026, 1, 1))
            .not_valid_after(datetime(2026, 3, 1))
            .add_extension(x509.UnrecognizedExtension(TIMESTAMPS, octet_string(octets)), critical=False)
            .sign(key, hashes.SHA256())
        )
        seen.add((octets == good, agree(made.public_bytes(serialization.Encoding.DER))))
    assert (True, True) in seen
    assert (False, True) not in seen


# -- signatures and keys -----------------------------------------------------------------------------------------------


def test_signatures() -> None:
    here = [found for der in certificates() if (found := read_here(der)) is not None]
    verified = 0
    for child in here:
        for issuer in here:
            if issuer.subject_key == child.issuer_key:
                theirs = read_by_library(issuer.der)
                theirs._public_key = public_key(theirs)
                answer = child.signed_with_key_of(issuer)
                assert answer is theirs.signed(read_by_library(child.der)._x509)
                verified += bool(answer)
    assert verified > 20


def test_a_signature_by_another_kind_of_key() -> None:
    by_kind = {found.key_type: found for der in certificates() if (found := read_here(der)) is not None}
    assert len(by_kind) == 3
    for child in by_kind.values():
        for kind, issuer in by_kind.items():
            signer = usual.signature(child.der).key_type
            assert child.signed_with_key_of(issuer) is (issuer is child and child.self_signed) or signer == kind


def agree_on_key(der: bytes) -> bool:
    try:
        info, bits = usual.public_half(der)
    except ValueError:
        return False
    private: Any = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    public = private.public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert (info, bits) == (encoded, public.key_size)
    return True


def written(key: Any) -> Iterator[bytes]:
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        yield key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def test_private_keys_of_the_fixtures() -> None:
    found = [agree_on_key(der) for der in private_keys()]
    assert len(found) > 20
    assert sum(found) > len(found) / 2


def test_private_keys_of_every_kind() -> None:
    others = [key for key in keys() if not isinstance(key, ed25519.Ed25519PrivateKey)]
    read = [agree_on_key(der) for key in others for der in written(key)]
    assert read == [True, True, True, True, False, False, True, True, False, False]


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize("index", [0, 4])
def test_private_keys_with_one_octet_changed(index: int, form: int) -> None:
    der = list(written(keys()[index]))[form]
    assert agree_on_key(der)
    for other in changed(der):
        agree_on_key(other)


def test_the_usual_shape_is_usual() -> None:
    read = bundle.read_bundle((FIXTURES / "a-ec256.pem").read_bytes(), "a-ec256.pem")
    assert [certificate.label for certificate in read.certificates] == [
        "a.example.test",
        "intermediate-ec test CA",
    ]
    assert all("_x509" not in vars(certificate) for certificate in read.certificates)
