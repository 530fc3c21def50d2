"""Certificates that are damaged or unusual: every fact is given or said to be unreadable, and nothing breaks."""

import subprocess
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.issue import issue, leaf
from tlslint.pki.certificate import Certificate, UnreadableCertificateError, certificate_from_der
from tlslint.pki.chain import analyse
from tlslint.pki.dates import life
from tlslint.pki.keys import key_flaws, security_bits
from tlslint.pki.names import uncovered

ROOT = issue("Certificate Root", kind="rsa")
END = leaf(
    "damaged.example.test",
    ROOT,
    kind="rsa",
    extensions=[x509.TLSFeature([x509.TLSFeatureType.status_request])],
)
FACTS = [name for name, member in vars(Certificate).items() if not name.startswith("_") and not callable(member)]


def ask_everything(certificate: Certificate) -> None:
    for name in FACTS:
        getattr(certificate, name)
    repr(certificate)
    analyse([certificate, ROOT.read], anchors=[ROOT.read])
    key_flaws(certificate)
    security_bits(certificate)
    uncovered(certificate, ["a.example.test", "*.example.test", "~^a", "192.0.2.1"])
    life(certificate.not_before, certificate.not_after, certificate.not_before)


def test_the_facts_are_all_asked_for() -> None:
    assert {"subject", "dns_names", "key_bits", "not_after", "must_staple", "self_signed"} <= set(FACTS)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(END.der) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_damaged_certificates_break_nothing(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(END.der)
    for at, octet in changes:
        damaged[at] = octet
    try:
        certificate = certificate_from_der(bytes(damaged))
    except UnreadableCertificateError:
        return
    ask_everything(certificate)
    if certificate.der != END.der:
        assert certificate.signed_with_key_of(ROOT.read) is not True


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_no_certificate_or_one(noise: bytes, cut: int) -> None:
    for data in (noise, END.der[:cut], END.der[:cut] + noise):
        try:
            ask_everything(certificate_from_der(data))
        except UnreadableCertificateError:
            continue


def test_bytes_after_a_certificate_are_ignored() -> None:
    assert certificate_from_der(END.der + b"more") is END.read
    assert END.read.sha256 == sha256(END.der).hexdigest()


@pytest.mark.parametrize("bits", [512, 768, 1024])
def test_the_size_of_any_rsa_key_is_told(bits: int) -> None:
    command = f"openssl req -x509 -newkey rsa:{bits} -nodes -keyout /dev/null -subj /CN=small -outform DER".split()
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    certificate = certificate_from_der(done.stdout)
    assert (certificate.key_type, certificate.key_bits) == ("rsa", bits)
    assert [flaw.weakness.value for flaw in key_flaws(certificate)] == ["short"]


@pytest.mark.parametrize("curve", ["prime192v1", "secp224r1", "secp256k1", "brainpoolP256r1", "secp521r1", "sect233r1"])
def test_curves_have_openssl_names(curve: str) -> None:
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes -keyout /dev/null -subj /CN=c".split()
    )
    done = subprocess.run([*command, "-outform", "DER"], capture_output=True, timeout=30, check=True)
    certificate = certificate_from_der(done.stdout)
    assert certificate.key_type == "ec"
    known = {"sect233r1": "1.3.132.0.27"}
    assert certificate.curve == known.get(curve, curve)


def test_explicit_curve_parameters_are_no_named_curve() -> None:
    command = ["openssl", "ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout"]
    key = subprocess.run(command, capture_output=True, timeout=30, check=True).stdout
    request = ["openssl", "req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=explicit", "-outform", "DER"]
    certificate = certificate_from_der(subprocess.run(request, input=key, capture_output=True, check=True).stdout)
    assert certificate.curve is None
    assert [flaw.weakness.value for flaw in key_flaws(certificate)] == ["unnamed-curve"]


def test_names_compare_as_openssl_compares_them() -> None:
    upper = issue("Some  CA ")
    lower = issue("some ca", key_name="Some  CA ")
    below = leaf("compared.example.test", lower)
    assert below.read.issued_by(upper.read) is True
    assert upper.certificate.public_bytes(Encoding.DER) != lower.certificate.public_bytes(Encoding.DER)
