"""The PEM reader against OpenSSL itself: which certificates are served, and what is refused with which words."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from pki.issue import issue, leaf
from pki.libcrypto import library, served
from tlslint.pki.bundle import read_bundle
from tlslint.pki.pem import NO_DATA

ROOT = issue("PEM Root")
CA = issue("PEM CA", ROOT)
LEAF = leaf("pem.example.test", CA)
L, M, R = LEAF.pem, CA.pem, ROOT.pem
KEY = b"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n"


def relabel(pem: bytes, label: bytes) -> bytes:
    return pem.replace(b"CERTIFICATE-----", label + b"-----")


def body(pem: bytes) -> bytes:
    return pem.split(b"-----\n")[1].removesuffix(b"-----END CERTIFICATE")


def one_line(pem: bytes) -> bytes:
    text = body(pem).replace(b"\n", b"")
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"\n-----END CERTIFICATE-----\n"


ODDITIES: dict[str, bytes] = {
    "plain chain": L + M,
    "with root": L + M + R,
    "twice the same": L + L,
    "text around": b"subject=/CN=x\n" + L + b"some text: with a colon\n\n" + M + b"the end",
    "crlf": (L + M).replace(b"\n", b"\r\n"),
    "bom": b"\xef\xbb\xbf" + L + M,
    "bom before the second block": L + b"\xef\xbb\xbf" + M,
    "trailing blanks": (L + M).replace(b"\n", b"  \t\n"),
    "trailing no-break space": (L + M).replace(b"-----\n", b"-----\xc2\xa0\n"),
    "no final newline": (L + M).rstrip(b"\n"),
    "old label": relabel(L, b"X509 CERTIFICATE") + relabel(M, b"X509 CERTIFICATE"),
    "trusted leaf": relabel(L, b"TRUSTED CERTIFICATE") + M,
    "trusted intermediate": L + relabel(M, b"TRUSTED CERTIFICATE"),
    "only trusted": relabel(L, b"TRUSTED CERTIFICATE"),
    "glued": L.rstrip(b"\n") + M,
    "cr only": (L + M).replace(b"\n", b"\r"),
    "cr only leaf": L.replace(b"\n", b"\r") + M,
    "indented": (L + M).replace(b"\n", b"\n ").replace(b"-----BEGIN", b" -----BEGIN"),
    "indented body": (L + M).replace(b"\n", b"\n  ").replace(b"\n  -----", b"\n-----"),
    "second indented": L + b"  " + M.replace(b"\n", b"\n  "),
    "der": LEAF.der,
    "empty": b"",
    "blank": b"\n\n  \n",
    "key first": KEY + L + M,
    "key last": L + M + KEY,
    "damaged key first": KEY.replace(b"END PRIVATE", b"END PRIVAT") + L + M,
    "damaged key last": L + M + KEY.replace(b"MIGH", b"M*GH"),
    "damaged first BEGIN": L.replace(b"-----BEGIN", b"----BEGIN") + M,
    "damaged second BEGIN": L + M.replace(b"-----BEGIN", b"----BEGIN"),
    "damaged second BEGIN with a third": L + M.replace(b"-----BEGIN", b"----BEGIN") + R,
    "commented second BEGIN": L + b"#" + M,
    "commented second block": L + b"".join(b"# " + line for line in M.splitlines(keepends=True)),
    "second BEGIN with a short tail": L + M.replace(b"CERTIFICATE-----\n", b"CERTIFICATE----\n", 1),
    "second BEGIN with a longer tail": L + M.replace(b"CERTIFICATE-----\n", b"CERTIFICATE------\n", 1),
    "lower case": L + M.replace(b"BEGIN", b"begin").replace(b"END", b"end"),
    "damaged second END": L + M.replace(b"-----END", b"----END"),
    "missing first END": L.replace(b"-----END CERTIFICATE-----\n", b"") + M,
    "missing second END": L + M.replace(b"-----END CERTIFICATE-----\n", b""),
    "missing second END with a third": L + M.replace(b"-----END CERTIFICATE-----\n", b"") + R,
    "wrong END label": L + M.replace(b"END CERTIFICATE", b"END X509 CRL"),
    "bad character": L + M.replace(b"MII", b"M*I"),
    "truncated body": L + M[: len(M) // 2],
    "truncated data": L + M[:120] + b"\n-----END CERTIFICATE-----\n",
    "truncated to a multiple of four": L + M[: 28 + 64] + b"\n-----END CERTIFICATE-----\n",
    "no data": L + b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "no data first": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" + L,
    "blank line after BEGIN": L.replace(b"-----\n", b"-----\n\n", 1) + M,
    "blank line inside": L[:100] + b"\n" + L[100:] + M,
    "blank line at a line's end": L + M.replace(b"\n", b"\n\n", 3),
    "blank line before END": L.replace(b"-----END", b"\n-----END") + M,
    "two blank lines": L.replace(b"-----END", b"\n\n-----END") + M,
    "one long line": one_line(L) + M,
    "one long line second": L + one_line(M),
    "header": L.replace(b"-----\n", b"-----\nComment: x\n\n", 1) + M,
    "header without blank line": L.replace(b"-----\n", b"-----\nComment: x\n", 1) + M,
    "encrypted header": L.replace(
        b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1
    ),
    "nul in text": b"text\0more\n" + L + M,
    "nul first in line": b"\0text\n" + L + M,
    "nul between": L + b"\0\n" + M,
    "long text line": b"x" * 253 + b"\n" + b"y" * 1000 + b"-----BEGIN CERTIFICATE-----\n" + L + M,
    "begin at a buffer's edge": b"y" * 254 + L + M,
    "utf-16": (L + M).decode().encode("utf-16"),
    "bytes after the leaf": b"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n" + L,
    "other block between": L + relabel(M, b"SOMETHING ELSE") + R,
    "certificate request": relabel(L, b"CERTIFICATE REQUEST"),
    "pkcs7 label": relabel(L, b"PKCS7") + L,
    "padding too early": L + M.replace(b"MII", b"M=I", 1),
    "dash in the data": L + M.replace(b"MII", b"MI-", 1),
    "crlf with blank lines": (L + b"\r\n\r\n" + M).replace(b"\n", b"\r\n"),
    "wrapped at 76": b"".join(
        b"-----BEGIN CERTIFICATE-----\n"
        + b"\n".join(text[i : i + 76] for i in range(0, len(text), 76))
        + b"\n-----END CERTIFICATE-----\n"
        for text in (body(L).replace(b"\n", b""), body(M).replace(b"\n", b""))
    ),
}


@pytest.fixture(autouse=True)
def _libcrypto() -> None:
    if library() is None:
        if os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1":
            pytest.fail("libcrypto is not installed")
        pytest.skip("libcrypto is not installed")


def assert_agrees(data: bytes) -> None:
    truth = served(data)
    bundle = read_bundle(data, "chain.pem")
    assert (bundle.server_verdict is not None) == truth.refused, (truth, bundle.problems)
    if truth.refused:
        assert bundle.server_verdict == (truth.reason or NO_DATA)
    else:
        assert tuple(certificate.sha256 for certificate in bundle.certificates) == truth.certificates


@pytest.mark.parametrize("name", ODDITIES)
def test_openssl_agrees_on_oddity(name: str) -> None:
    assert_agrees(ODDITIES[name])


@pytest.mark.parametrize("name", ODDITIES)
def test_current_openssl_takes_and_refuses_the_same_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    path.write_bytes(ODDITIES[name])
    verdict = read_bundle(ODDITIES[name], "chain.pem").server_verdict
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    if verdict is None:
        context.use_certificate_chain_file(str(path))
    else:
        with pytest.raises(SSL.Error) as refusal:
            context.use_certificate_chain_file(str(path))
        assert verdict in (NO_DATA, "ASN1 lib") or verdict in str(refusal.value)


PIECES = st.sampled_from(
    [
        L,
        M,
        R,
        KEY,
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b"-----",
        b"-",
        b"=",
        b":",
        b"\0",
        b"\xef\xbb\xbf",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----END CERTIFICATE-----\n",
        b"-----BEGIN TRUSTED CERTIFICATE-----\n",
        b"-----END TRUSTED CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"-----END PRIVATE KEY-----\n",
        b"Proc-Type: 4,ENCRYPTED\n",
        body(L),
        body(M),
        body(L)[:64] + b"\n",
        b"MIIB\n",
        b"x" * 200,
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=8).map(b"".join))
@example(L.replace(b"-----BEGIN", b"\n-----BEGIN"))
def test_openssl_agrees_on_pieces(data: bytes) -> None:
    assert_agrees(data)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes removed, added or changed."""
    data = bytearray(draw(st.sampled_from([L + M, L + KEY + M, L + M + R, (L + M).replace(b"\n", b"\r\n")])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        new = draw(
            st.one_of(st.just(b""), st.sampled_from([b"\n", b"-", b" ", b"=", b":", b"\0", b"A", b"\r", b"\xff"]))
        )
        data[at : at + draw(st.integers(0, 3))] = new
        if not data:
            break
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_openssl_agrees_on_damage(data: bytes) -> None:
    truth = served(data)
    bundle = read_bundle(data, "chain.pem")
    if not bundle.complete:
        return  # the damage lies inside a certificate: what OpenSSL makes of its contents is said to be unknown
    assert (bundle.server_verdict is not None) == truth.refused, (truth, bundle.problems)
    if not truth.refused:
        assert tuple(certificate.sha256 for certificate in bundle.certificates) == truth.certificates


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    bundle = read_bundle(data, "x")
    assert bundle.server_verdict is not None or bundle.entries or not bundle.complete


SILENT: dict[str, Callable[[], bytes]] = {
    "damaged BEGIN": lambda: L + M.replace(b"-----BEGIN", b"----BEGIN"),
    "commented BEGIN": lambda: L + b"#" + M,
    "indented block": lambda: L + b"  " + M.replace(b"\n", b"\n  "),
    "trusted intermediate": lambda: L + relabel(M, b"TRUSTED CERTIFICATE"),
    "missing END": lambda: L.replace(b"-----END CERTIFICATE-----\n", b"") + M,
}


@pytest.mark.parametrize("name", SILENT)
def test_a_certificate_that_is_dropped_without_a_word_is_reported(name: str) -> None:
    bundle = read_bundle(SILENT[name](), "chain.pem")
    assert bundle.certificates == (LEAF.read,)
    assert bundle.server_verdict is None
    assert [problem.kind.value for problem in bundle.problems] == ["silent"]


@pytest.mark.parametrize("name", ["commented second block", "text around", "key last", "other block between", "crlf"])
def test_what_is_meant_to_be_passed_over_is_not_reported(name: str) -> None:
    assert read_bundle(ODDITIES[name], "chain.pem").problems == ()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("der", "DER"),
        ("cr only", "CR alone"),
        ("empty", "empty"),
        ("utf-16", "UTF-16"),
        ("indented", "stands alone"),
        ("certificate request", "only other PEM blocks"),
    ],
)
def test_a_file_without_a_certificate_is_explained(name: str, hint: str) -> None:
    (problem, *_) = read_bundle(ODDITIES[name], "chain.pem").problems
    assert hint in problem.message
    assert problem.server_says == "no start line"
    assert (problem.line, problem.offset) == (1, 0)


def test_positions_are_those_of_the_blocks() -> None:
    data = b"text\n" + L + b"\n# more\n" + M
    entries = read_bundle(data, "chain.pem").entries
    assert [data[entry.start : entry.end] for entry in entries] == [L, M]
    assert [entry.line for entry in entries] == [2, data[: data.index(M)].count(b"\n") + 1]
