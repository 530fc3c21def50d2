"""RSA keys that others can have: the list that comes with tlslint, how it is made, and lists that the user has."""

import os
import random
import shutil
import subprocess
import tomllib
from hashlib import sha1
from pathlib import Path

import pytest
from debian_keys.make import CLASSES, DATA, FLAGS, HERE, pack
from hypothesis import given
from hypothesis import strategies as st

from pki.issue import issue
from pki.workshop import FOLDER, cases
from tlslint.pki import known_keys
from tlslint.pki.keys import Weakness, key_flaws
from tlslint.pki.known_keys import KeyListError, PackedKeys, fingerprint, key_lists, listed, made_by_debian

SHIPPED = {
    2048: {"le64-rnd": 32768, "le64-noreadrnd": 32768, "le64-nornd": 32768, "le32-rnd": 32768, "le32-noreadrnd": 32768}
}
"""The classes of keys that come with tlslint, by size, and of how many process ids (from 0 on)."""
KNOWN = {
    (2048, "le64-rnd", 1234): "2fff3f6c9fc8171d1312283b5bbf7182c29630cd",
    (2048, "le64-noreadrnd", 1234): "99f0a5ae37b7b44e70467b8598425bc936132027",
    (2048, "le64-nornd", 1234): "bd372c75cb29bbfb9872ae7794d60a7542b8204f",
    (2048, "le32-rnd", 1234): "67e08a64f0222b4b94b1e6adf4808249454219f7",
    (2048, "le32-noreadrnd", 1234): "bb36563df9d4c3b57d6f6db2b877b92ef225c6af",
    (2048, "le32-nornd", 1234): "b69d34cda80db51357866d946995b2eafd7b3abe",
    (2048, "be32-rnd", 1234): "468bbc7bbdabaff8510863c9ed643d51db9c5b50",
    (2048, "be32-noreadrnd", 1234): "4bc40a7bd6cb5a25309c945ec991d1f4eabeab19",
    (2048, "be32-nornd", 1234): "475d1c29b34f69843661f822949c2798d6b3ad2d",
    (2048, "le64-rnd", 0): "1cce1a6c2254b2bcd5cebe7de9894f27392df9a6",
    (2048, "le64-rnd", 20001): "a1113db67ac76dd807ee26a966233e5e5d6ac366",
    (2048, "le32-rnd", 2877): "895c6002025c9f92ed881ea5be68b74ea12b10f0",
    (2048, "le32-rnd", 6561): "48f8be5fc314752b9fbb0b9999a15d73d79fd918",
    (1024, "le64-rnd", 1234): "677604f07f566076302834b7589fe9aa6de447c9",
    (1024, "le32-rnd", 1234): "a83bb2b899b8ce2d19a68574796d8e2741c3d89a",
    (1024, "be32-rnd", 1234): "0e41cd46614ef009799ad9beb8b385f5c07f6d8b",
    (1024, "le64-noreadrnd", 1234): "58dce70acfd4dc1a9d28722fc62edb8d30110778",
    (1024, "le64-nornd", 1234): "a0b16d36e7b18a6a0306d74e4517653b04f9b64b",
    (1024, "le32-noreadrnd", 1234): "a15406360db751b8150315ee271a776b34fd1337",
    (1024, "le32-nornd", 1234): "e79a1cf20b71669f232ad80b36ad3a9423a28a5d",
    (4096, "le64-rnd", 1234): "99539db7513873f9450d15355be7ce6fccc886ef",
    (4096, "be32-rnd", 1234): "00f45088aacd47b8f1c8a0e24cb69f385dd68c58",
}
"""What the keys are listed by that the original program made, by size, class and process id.

The search for the primes of 2877 and 6561 took so long that the pool was used up to its last byte. All are published:
those of HARICA (github.com/HARICA-official/debian-weak-keys, little-endian with 2048 bits and more) and of badkeys
(github.com/badkeys/debianopenssl, all others).
"""
NINE_KEYS_OF_PROCESS_32767 = "2a910e906624766546114d300ca6b671c7acc08c"
"""The SHA-1 of the nine sorted SHA-1s of 2048 bits, from the tests of github.com/CVE-2008-0166/key_generator."""
OF_OTHERS = {
    "00006aa0ce2cd60e6660": ("le64-rnd", 28003),
    "000169a60c9eb82a558b": ("le32-rnd", 3345),
    "70a40110ad60c7282f18": ("le32-rnd", 4488),
    "8df20e6961a16398b85a": ("le32-rnd", 4096),
}
"""Keys of 2048 bits in lists of others: of Debian's package `openssl-blacklist`, and (the last) of boulder's tests."""


# the list that comes with tlslint


@pytest.mark.parametrize("bits", SHIPPED)
def test_all_keys_of_the_classes_are_listed(bits: int) -> None:
    packed = PackedKeys((DATA / f"debian-rsa-{bits}.keys").read_bytes())
    assert len(packed) == sum(SHIPPED[bits].values())
    for (size, name, pid), digest in KNOWN.items():
        if size == bits:
            assert (bytes.fromhex(digest)[-10:] in packed) == (pid < SHIPPED[bits].get(name, 0))


@pytest.mark.parametrize("digits", OF_OTHERS)
def test_keys_in_the_lists_of_others_are_listed(digits: str) -> None:
    packed = PackedKeys((DATA / "debian-rsa-2048.keys").read_bytes())
    name, pid = OF_OTHERS[digits]
    assert (bytes.fromhex(digits) in packed) == (pid < SHIPPED[2048].get(name, 0))


def test_the_lists_are_part_of_the_package() -> None:
    """What git ignores is left out of a wheel; all else beside the modules goes into it."""
    ignored = subprocess.run(["git", "check-ignore", *map(str, DATA.iterdir())], cwd=HERE, capture_output=True)
    assert ignored.stdout == b""
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["linter/tlslint"]
    assert not wheel.keys() & {"exclude", "only-include", "artifacts"}
    assert DATA.is_relative_to(HERE.parents[1] / "linter" / "tlslint")


def test_nothing_is_shipped_that_no_known_key_vouches_for() -> None:
    assert {f"debian-rsa-{bits}.keys" for bits in SHIPPED} == {path.name for path in DATA.iterdir()}
    assert {(bits, name, 1234) for bits in SHIPPED for name in SHIPPED[bits]} <= set(KNOWN)


@pytest.mark.parametrize("bits", SHIPPED)
def test_the_list_is_in_order_and_counted(bits: int) -> None:
    data = (DATA / f"debian-rsa-{bits}.keys").read_bytes()
    counts, keys = data[1024 : 1024 + 65536], data[1024 + 65536 :]
    at, expected = 0, []
    for prefix, count in enumerate(counts):
        if prefix % 256 == 0:
            assert int.from_bytes(data[prefix >> 6 : (prefix >> 6) + 4]) == at
        expected += [prefix.to_bytes(2) + keys[4 * index : 4 * index + 4] for index in range(at, at + count)]
        at += count
    assert expected == sorted(set(expected))
    assert len(expected) * 4 == len(keys)
    assert pack(expected) == data


def test_a_certificate_with_such_a_key() -> None:
    for name, at in (("debian-key", 0), ("debian-authority", 1)):
        certificate = cases()[name].bundle.certificates[at]
        (flaw,) = key_flaws(certificate)
        assert flaw.weakness is Weakness.DEBIAN
    assert not key_flaws(cases()["debian-authority"].bundle.certificates[0])


def test_other_keys_are_not_in_it() -> None:
    numbers = random.Random(166)
    assert not any(made_by_debian(numbers.getrandbits(2048) | 1 << 2047 | 1) for _ in range(2000))


@given(st.integers(1, 1 << 2048))
def test_any_number_can_be_asked_for(modulus: int) -> None:
    assert not made_by_debian(modulus)


def test_sizes_without_a_list_are_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "fingerprint", None)
    assert not made_by_debian((1 << 4095) + 1)


@pytest.mark.parametrize("path", ["keys/leaf-rsa.key", "keys/debian-leaf.key"])
def test_a_key_is_listed_by_what_openssl_prints(path: str) -> None:
    command = ["openssl", "rsa", "-modulus", "-noout", "-in", str(FOLDER / path)]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    modulus = int(printed.partition(b"=")[2], 16)
    assert fingerprint(modulus).hex() == sha1(printed).hexdigest()[20:]
    assert made_by_debian(modulus) == ("debian" in path)


# how it is packed

FINGERPRINTS = st.sets(
    st.binary(min_size=10, max_size=10) | st.integers(0, 9).map(lambda end: bytes([7, 7, *[end] * 8]))
)


@given(FINGERPRINTS, FINGERPRINTS)
def test_what_is_packed_is_found_and_nothing_else(members: set[bytes], others: set[bytes]) -> None:
    packed = PackedKeys(pack(members))
    kept = {one[:6] for one in members}
    assert len(packed) == len(kept)
    for one in members | others:
        assert (one in packed) == (one[:6] in kept)


# how it is made


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = str(tmp_path_factory.mktemp("generator") / "debian_keys")
    headers = [Path("/usr/include/openssl/sha.h"), *Path("/usr/include").glob("**/gmp.h")]
    processor = Path("/proc/cpuinfo")
    if not shutil.which("gcc") or len(headers) < 2 or not headers[0].exists():
        pytest.skip("the generator needs gcc, and the headers of OpenSSL and GMP")
    if not processor.exists() or "avx2" not in processor.read_text(encoding="ascii"):
        pytest.skip("the generator needs a processor with AVX2")
    flags = ["-mavx2" if flag == "-march=native" else flag for flag in FLAGS]
    source = str(HERE / "debian_keys.c")
    subprocess.run(["gcc", *flags, "-Werror", "-o", program, source, "-lgmp", "-lcrypto"], check=True)
    return program


def made(generator: str, bits: int, name: str, pid: int) -> str:
    command = [generator, str(bits), name, str(pid), str(pid)]
    line = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    own, digest = line.split()
    assert own == str(pid)
    return digest


@pytest.mark.parametrize(("bits", "name", "pid"), KNOWN)
def test_the_generator_makes_the_keys_that_are_known(generator: str, bits: int, name: str, pid: int) -> None:
    assert made(generator, bits, name, pid) == KNOWN[bits, name, pid]


def test_the_generator_makes_nine_more(generator: str) -> None:
    digests = sorted(made(generator, 2048, name, 32767) for name in CLASSES)
    assert sha1("".join(f"{digest}\n" for digest in digests).encode()).hexdigest() == NINE_KEYS_OF_PROCESS_32767


def test_the_generator_says_how_it_is_called(generator: str) -> None:
    for arguments in ([], ["2048", "le16-rnd", "1", "1"], ["2047", "le64-rnd", "1", "1"], ["2048", "le64-rnd", "1"]):
        refused = subprocess.run([generator, *arguments], capture_output=True, text=True, check=False)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("usage: ")


# lists that the user has

KEY = fingerprint(35)


def write(folder: Path, text: str | bytes, name: str = "blacklist.RSA-2048") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        f"{KEY.hex()}\n",
        KEY.hex().upper(),
        f"# a comment\r\n\r\n  {KEY.hex()} # ours\r\n",
        f"ffffffffffffffffffff\n{KEY.hex()}\n00000000000000000000\n",
        f"\n{KEY.hex()}\n{KEY.hex()}\n",
    ],
)
def test_a_list_has_its_keys(tmp_path: Path, text: str) -> None:
    name = write(tmp_path, text)
    assert listed(35, key_lists((name,))) == name
    assert listed(37, key_lists((name,))) is None
    assert listed(35, ()) is None


def test_a_directory_has_lists_for_several_sizes(tmp_path: Path) -> None:
    write(tmp_path, "", "blacklist.RSA-1024")
    name = write(tmp_path, KEY.hex(), "blacklist.RSA-4096")
    write(tmp_path, "a DSA key's are others", "blacklist.DSA-1024")
    write(tmp_path, "text", "README")
    lists = key_lists((str(tmp_path),))
    assert [Path(one.name).name for one in lists] == ["blacklist.RSA-1024", "blacklist.RSA-4096"]
    assert listed(35, lists) == name


@pytest.mark.parametrize(
    ("text", "where", "shown"),
    [
        ("1234\n", "1:1", '"1234"'),
        (f"# x\n{KEY.hex()}\n  {KEY.hex()} {KEY.hex()}0\n", "3:24", f'"{KEY.hex()}0"'),
        ("g" * 20, "1:1", f'"{"g" * 20}"'),
        (b"\x7fELF\0\1", "1:1", "these bytes"),
    ],
)
def test_what_is_no_list_says_where(tmp_path: Path, text: str | bytes, where: str, shown: str) -> None:
    name = write(tmp_path, text)
    with pytest.raises(KeyListError) as error:
        key_lists((name,))
    assert str(error.value) == f"{name}:{where}: a key is listed by 20 hexadecimal digits, not by {shown}"


def test_lists_that_cannot_be_had(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, message in (
        ("absent", "No such file or directory"),
        ("fifo", "not a regular file"),
        ("", "there is no list of keys (blacklist.RSA-*) in this directory"),
    ):
        with pytest.raises(KeyListError) as error:
            key_lists((str(tmp_path / name),))
        assert str(error.value) == f"{tmp_path / name}: {message}"


@given(st.binary(max_size=300) | st.text("0123456789abcdefABCDEF# \n", max_size=300).map(str.encode))
def test_any_bytes_are_a_list_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    name = write(tmp_path_factory.mktemp("lists"), data)
    words = b"\n".join(line.partition(b"#")[0] for line in data.split(b"\n")).lower().split()
    if all(len(word) == 20 and word.strip(b"0123456789abcdef") == b"" for word in words):
        (found,) = key_lists((name,))
        assert len(found) == len(words)
        assert all(bytes.fromhex(word.decode()) in found for word in words)
    else:
        with pytest.raises(KeyListError, match=r":\d+:\d+: a key is listed by"):
            key_lists((name,))


def test_a_listed_key_is_flawed(tmp_path: Path) -> None:
    certificate = issue("listed", kind="rsa").read
    assert certificate.rsa_numbers is not None
    name = write(tmp_path, fingerprint(certificate.rsa_numbers[0]).hex())
    assert not key_flaws(certificate)
    (flaw,) = key_flaws(certificate, key_lists((name,)))
    assert flaw.weakness is Weakness.LISTED
    assert flaw.message == f'others can have the private key, as it is in a list of known ones ("{name}")'


def test_a_key_of_debian_is_told_once(tmp_path: Path) -> None:
    certificate = cases()["debian-key"].bundle.certificates[0]
    assert certificate.rsa_numbers is not None
    name = write(tmp_path, fingerprint(certificate.rsa_numbers[0]).hex())
    assert [flaw.weakness for flaw in key_flaws(certificate, key_lists((name,)))] == [Weakness.DEBIAN]
