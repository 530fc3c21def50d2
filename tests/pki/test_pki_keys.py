"""Private keys, weak keys and dates."""

import os
import pickle
import random
import subprocess
from datetime import UTC, datetime, timedelta
from math import isqrt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from pki.issue import issue, key, leaf
from pki.workshop import FOLDER, cases
from tlslint.pki import bundle as bundles
from tlslint.pki.bundle import FileRefusedError, key_matches, read_bounded, read_bundle, read_private_key_facts
from tlslint.pki.dates import State, excess_lifetime, life, maximum_lifetime
from tlslint.pki.keys import Weakness, has_close_primes, is_roca, key_flaws, rsa_flaws, security_bits

KINDS = ("rsa", "ec", "p384", "ed25519", "ed448", "ml-dsa-65")


def pem_of_key(kind: str, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    written: bytes = key("facts", kind).private_bytes(Encoding.PEM, form, protection)
    return written


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_matches_its_certificate_and_no_other(kind: str) -> None:
    own = issue("facts", kind=kind).read
    other = issue("other facts", kind=kind).read
    facts = read_private_key_facts(pem_of_key(kind))
    assert (facts.key_type, facts.encrypted, facts.count, facts.problem) == (own.key_type, False, 1, None)
    assert (facts.key_bits, facts.curve) == (own.key_bits, own.curve)
    assert key_matches(own, facts) is True
    assert key_matches(other, facts) is False


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_traditional_forms_are_read(kind: str) -> None:
    facts = read_private_key_facts(pem_of_key(kind, PrivateFormat.TraditionalOpenSSL))
    assert key_matches(issue("facts", kind=kind).read, facts) is True


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_encrypted_keys_are_recognised_and_left_alone(form: PrivateFormat) -> None:
    facts = read_private_key_facts(pem_of_key("ec", form, b"secret"))
    assert facts.encrypted
    assert facts.public_key_sha256 is None
    assert key_matches(issue("facts").read, facts) is None


def test_the_type_of_an_encrypted_key_may_already_tell() -> None:
    facts = read_private_key_facts(pem_of_key("ec", PrivateFormat.TraditionalOpenSSL, b"secret"))
    assert key_matches(issue("facts", kind="rsa").read, facts) is False


def test_openssh_keys_are_not_for_servers() -> None:
    facts = read_private_key_facts(pem_of_key("ed25519", PrivateFormat.OpenSSH))
    assert facts.unsupported
    assert facts.problem


def test_the_first_of_several_keys_counts() -> None:
    facts = read_private_key_facts(b"text\n" + pem_of_key("rsa") + pem_of_key("ec"))
    assert (facts.key_type, facts.count, facts.line) == ("rsa", 2, 2)


@pytest.mark.parametrize("data", [b"", b"x", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_says_so(data: bytes) -> None:
    facts = read_private_key_facts(data)
    assert facts.problem
    assert facts.public_key_sha256 is None


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_no_error(noise: bytes, at: int) -> None:
    pem = pem_of_key("ec")
    read_private_key_facts(pem[:at] + noise + pem[at:])
    read_private_key_facts(noise)


def test_no_key_material_is_shown_or_kept() -> None:
    pem = pem_of_key("ec")
    secret = key("facts").private_numbers().private_value
    certificate = issue("facts")
    bundle = read_bundle(certificate.pem + pem, "both.pem")
    assert bundle.keys.count == 1
    shown = pickle.dumps((bundle.keys, bundle.problems, bundle.entries)) + repr(bundle).encode()
    assert secret.to_bytes(32, "big") not in shown
    for line in pem.splitlines()[1:-1]:
        assert line not in shown
    assert str(secret).encode() not in shown


def test_openssl_agrees_on_the_public_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of_key("ec"))
    public = subprocess.run(
        ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], capture_output=True, check=True
    )
    import hashlib

    assert read_private_key_facts(path.read_bytes()).public_key_sha256 == hashlib.sha256(public.stdout).hexdigest()


# weak keys


def test_the_infineon_fingerprint() -> None:
    roca = cases()["roca"].bundle.certificates[0]
    assert [flaw.weakness for flaw in key_flaws(roca)] == [Weakness.ROCA]
    assert not any(is_roca(random.Random(seed).getrandbits(2048) | 1) for seed in range(2000))


def test_short_keys_and_weak_curves() -> None:
    for name, weakness in (("rsa-1024", Weakness.SHORT), ("weak-curve", Weakness.WEAK_CURVE)):
        assert [flaw.weakness for flaw in key_flaws(cases()[name].bundle.certificates[0])] == [weakness]


def test_strengths() -> None:
    strengths = {"healthy": 128, "healthy-rsa": 112, "healthy-p384": 192, "healthy-ed25519": 128, "rsa-1024": 80}
    for name, bits in strengths.items():
        assert security_bits(cases()[name].bundle.certificates[0]) == bits


P, Q = 2**127 - 1, 2**89 - 1


@pytest.mark.parametrize(
    ("modulus", "exponent", "weakness"),
    [
        (P * Q, 65537, None),
        (P * Q, 1, Weakness.EXPONENT),
        (P * Q, 65536, Weakness.EXPONENT),
        (P * 743, 65537, Weakness.FACTORABLE),
        (P * P, 65537, Weakness.CLOSE_PRIMES),
    ],
)
def test_flawed_numbers(modulus: int, exponent: int, weakness: Weakness | None) -> None:
    flaws = {flaw.weakness for flaw in rsa_flaws(modulus, exponent, minimum_bits=0)}
    assert flaws == ({weakness} if weakness else set())


@given(st.integers(2, 10**6), st.integers(0, 20))
def test_neighbouring_factors_are_close(number: int, distance: int) -> None:
    odd = number | 1
    assert has_close_primes(odd * (odd + 2 * distance))


@given(st.integers(3, 2**80), st.integers(0, 200))
def test_closeness_is_what_fermat_finds(number: int, rounds: int) -> None:
    modulus = number | 1
    root = isqrt(modulus - 1) + 1
    squares = (candidate * candidate - modulus for candidate in range(root, root + rounds))
    assert has_close_primes(modulus, rounds) == any(isqrt(square) ** 2 == square for square in squares)


# dates

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("lived", "left", "state"),
    [
        (60, 30.1, State.VALID),
        (60, 29.9, State.EXPIRING),
        (60, 6.9, State.EXPIRING_SOON),
        (60, 0, State.EXPIRING_SOON),
        (60, -0.01, State.EXPIRED),
        (-1, 89, State.NOT_YET_VALID),
        (3, 3, State.VALID),
        (4.1, 1.9, State.EXPIRING_SOON),
        (30, 16, State.VALID),
        (33, 15, State.EXPIRING),
    ],
)
def test_states(lived: float, left: float, state: State) -> None:
    assert life(NOW - lived * DAY, NOW + left * DAY, NOW).state is state


@pytest.mark.parametrize(("minutes", "skew"), [(1, True), (59, True), (61, False), (-1, False)])
def test_clock_skew_is_a_matter_of_minutes(minutes: int, skew: bool) -> None:
    found = life(NOW + timedelta(minutes=minutes), NOW + 90 * DAY, NOW)
    assert found.clock_skew is skew
    assert (found.state is State.NOT_YET_VALID) == (minutes > 0)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(4000)),
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),
)
def test_a_state_is_what_the_dates_say(begin: datetime, length: timedelta, at: datetime) -> None:
    begin, at = begin.replace(tzinfo=UTC), at.replace(tzinfo=UTC)
    state = life(begin, begin + length, at).state
    assert (state is State.EXPIRED) == (at > begin + length)
    assert (state is State.NOT_YET_VALID) == (at < begin)


@pytest.mark.parametrize(
    ("issued", "days"),
    [
        ("2018-02-28", None),
        ("2018-03-01", 825),
        ("2020-09-01", 398),
        ("2026-03-14", 398),
        ("2026-03-15", 200),
        ("2027-03-15", 100),
        ("2029-03-14", 100),
        ("2029-03-15", 47),
    ],
)
def test_maximum_lifetime(issued: str, days: int | None) -> None:
    maximum = maximum_lifetime(datetime.fromisoformat(issued).replace(tzinfo=UTC))
    assert maximum == (days and timedelta(days=days))


def test_the_last_second_counts() -> None:
    issued = datetime(2026, 4, 1, tzinfo=UTC)
    assert not excess_lifetime(issued, issued + 200 * DAY - timedelta(seconds=1))
    assert excess_lifetime(issued, issued + 200 * DAY) == timedelta(seconds=1)


# files


def test_files_that_are_no_files_are_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(FileRefusedError):
            read_bounded(path)


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert read_bounded(tmp_path / "link") == b"x"
    with pytest.raises(OSError, match="symbolic links"):
        read_bounded(tmp_path / "one")
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "absent")


def test_large_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(bundles.MAX_FILE_BYTES + 1)
    with pytest.raises(FileRefusedError, match="larger than"):
        read_bounded(path)
    assert read_bounded(FOLDER / "healthy.pem", limit=10_000).startswith(b"-----BEGIN")


def test_ten_thousand_certificates_in_one_file_are_read() -> None:
    end = leaf("many.example.test", None)
    bundle = read_bundle(end.pem * 10_000, "many.pem")
    assert len(bundle.certificates) == 10_000
    assert bundle.entries[-1].line == end.pem.count(b"\n") * 9_999 + 1


HOSTILE = {
    "begins": b"-----BEGIN PRIVATE KEY-----\n" * 100_000,
    "marks": b"-----BEGIN CERTIFICATE----- " * 100_000,
    "base64": b"-----BEGIN CERTIFICATE-----\n" + b"AAAA\n" * 500_000,
    "blank": b"\n" * 2_000_000,
    "one line": b"A" * 8_000_000,
    "nul": bytes(8_000_000),
    "elements": b"\x30\x83\x7f\xff\xfc" + b"\x05\x00" * 0x3FFFFE,
    "headers": b"-----BEGIN CERTIFICATE-----\n" + b"a: b\n" * 200_000 + b"-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_large_and_strange_files_come_to_an_end(name: str) -> None:
    assert read_bundle(HOSTILE[name], name).server_verdict
    assert read_private_key_facts(HOSTILE[name]).problem


def test_too_many_blocks_are_said_to_be_too_many() -> None:
    bundle = read_bundle(b"-----BEGIN X-----\nAAAA\n-----END X-----\n" * (bundles.MAX_BLOCKS + 5), "x")
    assert not bundle.complete


def test_a_certificate_is_one_object() -> None:
    pem = issue("facts").pem
    first, second = read_bundle(pem, "one").certificates[0], read_bundle(b"\n" + pem, "two").certificates[0]
    assert first is second
    assert pickle.loads(pickle.dumps(first)) is first


def test_importing_is_cheap() -> None:
    code = "import sys, tlslint.pki.bundle, tlslint.pki.chain, tlslint.pki.names, tlslint.pki.keys, tlslint.pki.dates;"
    code += "sys.exit(any(name.startswith('cryptography') for name in sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(Path(bundles.__file__).parents[2])}
    import sys

    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=30).returncode == 0
