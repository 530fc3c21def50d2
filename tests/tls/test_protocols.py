"""Protocol versions: what a library has, what a security level leaves, what a client and a server agree on."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.tls.ciphers import KNOWN, library
from tlslint.tls.protocols import (
    PROTOCOLS,
    Protocol,
    chosen,
    compiled,
    has_suite,
    negotiable,
    without_holes,
)

Ask = Callable[[str, list[list[Any]]], list[dict[str, Any]]]
NUMBERS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}

sets = st.sets(st.sampled_from(PROTOCOLS))


def test_order_is_age() -> None:
    assert list(PROTOCOLS) == sorted(PROTOCOLS)
    assert Protocol("TLSv1.2") is Protocol.TLSv1_2
    with pytest.raises(ValueError, match="is not a valid Protocol"):
        negotiable(["TLSv1.4"], library("3.0"), 2)


@pytest.mark.parametrize(
    ("version", "level", "expected"),
    [
        ("1.0.2e", 0, "SSLv2 SSLv3 TLSv1 TLSv1.1 TLSv1.2"),
        ("1.0.2k", 0, "SSLv3 TLSv1 TLSv1.1 TLSv1.2"),
        ("1.1.0", 1, "TLSv1 TLSv1.1 TLSv1.2"),
        ("1.1.1", 1, "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        ("1.1.1", 3, "TLSv1.1 TLSv1.2 TLSv1.3"),
        ("1.1.1", 4, "TLSv1.2 TLSv1.3"),
        ("3.0.19", 0, "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        ("3.0.19", 1, "TLSv1.2 TLSv1.3"),
        ("3.3.7", 2, "TLSv1.2 TLSv1.3"),
        ("4.0.3", 2, "TLSv1.2 TLSv1.3"),
    ],
)
def test_negotiable(version: str, level: int, expected: str) -> None:
    assert " ".join(negotiable(PROTOCOLS, library(version), level)) == expected


def test_ecdsa_before_tls12_in_1_1_1() -> None:
    openssl = library("1.1.1")
    assert negotiable(["TLSv1", "TLSv1.2"], openssl, 2, "rsa") == ("TLSv1", "TLSv1.2")
    assert negotiable(["TLSv1", "TLSv1.2"], openssl, 2, "ecdsa") == ("TLSv1.2",)


@pytest.mark.parametrize("name", ["nassl-modern", "cryptography-46", "cryptography"])
def test_versions_a_client_offers(name: str, ask: Ask) -> None:
    """The levels that forbid versions, by the versions in a ClientHello. (3.0 offers what it cannot complete.)"""
    openssl = library({"nassl-modern": "1.1.1", "cryptography-46": "3.5", "cryptography": "4.0"}[name])
    for level, answer in enumerate(ask(name, [["hello", f"ALL:@SECLEVEL={level}"] for level in range(5)])):
        offered = [NUMBERS[number] for number in reversed(answer["versions"])]
        assert offered == list(negotiable(PROTOCOLS, openssl, level)), level


def test_holes() -> None:
    old = [Protocol.TLSv1, Protocol.TLSv1_2]
    assert chosen(old, [Protocol.TLSv1_1]) is None
    assert chosen(old, [Protocol.TLSv1, Protocol.TLSv1_1]) == "TLSv1"
    assert chosen(old, [Protocol.TLSv1, Protocol.TLSv1_1, Protocol.TLSv1_2]) == "TLSv1.2"
    gap = [Protocol.TLSv1, Protocol.TLSv1_3]
    assert chosen(gap, [Protocol.TLSv1_2]) is None
    assert chosen(gap, [Protocol.TLSv1, Protocol.TLSv1_1, Protocol.TLSv1_2]) == "TLSv1"
    assert chosen(gap, [Protocol.TLSv1_2, Protocol.TLSv1_3]) == "TLSv1.3"
    assert without_holes(gap) == ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    assert without_holes([]) == ()


@given(sets, sets)
def test_chosen_is_common(server: set[Protocol], client: set[Protocol]) -> None:
    answer = chosen(server, client)
    assert answer is None or answer in server & client


@given(sets)
def test_without_holes_has_none(enabled: set[Protocol]) -> None:
    full = without_holes(enabled)
    assert set(full) >= enabled
    assert chosen(full, full) == max(enabled, default=None)


@pytest.mark.parametrize(
    ("version", "protocol", "suite", "expected"),
    [
        ("3.0", "TLSv1.3", "TLS_AES_128_GCM_SHA256", True),
        ("3.0", "TLSv1.2", "TLS_AES_128_GCM_SHA256", False),
        ("3.0", "TLSv1.3", "AES128-SHA", False),
        ("3.0", "TLSv1.1", "AES128-SHA", True),
        ("3.0", "TLSv1.1", "AES128-GCM-SHA256", False),
        ("1.1.1", "TLSv1.2", "IDEA-CBC-SHA", False),
        ("1.1.1", "TLSv1.1", "IDEA-CBC-SHA", True),
        ("1.0.2", "TLSv1.2", "IDEA-CBC-SHA", True),
    ],
)
def test_has_suite(version: str, protocol: str, suite: str, expected: bool) -> None:
    assert has_suite(protocol, KNOWN[suite], library(version)) is expected


def test_compiled() -> None:
    assert compiled(library("1.0.2k"))[0] == "SSLv3"
    assert compiled(library("3.5"))[-1] == "TLSv1.3"
