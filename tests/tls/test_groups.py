"""tlslint's evaluation of group lists against real OpenSSL libraries."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tlslint.tls.ciphers import library
from tlslint.tls.groups import evaluate_groups, groups, groups_default, usable_groups

Ask = Callable[[str, list[list[Any]]], list[dict[str, Any]]]
HelloWithConfig = Callable[[str, str], dict[str, Any]]

LIBRARIES = {
    "nassl-legacy": "1.0.2e",
    "nassl-modern": "1.1.1w",
    "system": "3.0.19",
    "cryptography-46": "3.5.6",
    "cryptography": "4.0.3",
}
#: Those whose binding has SSL_CTX_set1_groups_list.
ASKED = ("system", "cryptography")
NO_GROUP = "no ClientHello"


def compare(name: str, values: list[str], ask: Ask) -> int:
    """Check every value; the number of those that the library accepts."""
    openssl = library(LIBRARIES[name])
    accepted = 0
    for value, answer in zip(values, ask(name, [["groups", value] for value in values]), strict=True):
        result = evaluate_groups(value, openssl)
        refused = bool(answer["error"]) and answer["error"] != NO_GROUP
        assert bool(result.error) == refused, (value, result, answer)
        if answer["error"] is None:
            assert [group.id for group in result.groups] == answer["groups"], value
        accepted += not refused
    return accepted


class Lists:
    """Random lists in the grammar of a library."""

    def __init__(self, name: str) -> None:
        self.random = random.Random(name)
        self.tuples = name != "system"
        self.names = [group.name for group in groups(library(LIBRARIES[name]))]
        others = {group.name for version in LIBRARIES.values() for group in groups(library(version))}
        spellings = [
            "P-256",
            "P-384",
            "P-521",
            "secp256r1",
            "x25519",
            "x448",
            "p-256",
            "K-163",
            "B-571",
            "prime192v1",
            "SM2",
        ]
        self.rare = [
            *sorted(others),
            *spellings,
            "FOO",
            "DEFAULT",
            "default",
            "auto",
            "",
            "X25519 ",
            "\tX448",
            "P-256,P-384",
        ]

    def _element(self) -> str:
        name = self.random.choice(self.names if self.random.random() < 0.85 else self.rare)
        if self.random.random() > (0.5 if self.tuples else 0.05):
            return name
        prefixes = ("?", "*", "-", "?*", "*?", "-?", "?-", "*-", "**", "??")
        return self.random.choices(prefixes, (8, 8, 8, 2, 2, 2, 2, 1, 0.5, 0.5))[0] + name

    def value(self) -> str:
        separators = (":", "/", " : ", "::", ",")
        weights = (70, 15 if self.tuples else 1, 5, 1, 1)
        count = self.random.randint(1, 8)
        parts = [self._element() + self.random.choices(separators, weights)[0] for _ in range(count)]
        # A group that every client can offer a share of, so that there is a ClientHello to read.
        return "".join(parts) + "X25519" if self.random.random() < 0.8 else "".join(parts).rstrip(":/ ,")


@pytest.mark.parametrize("name", ASKED)
def test_random_lists(name: str, ask: Ask) -> None:
    lists = Lists(name)
    assert compare(name, [lists.value() for _ in range(2000)], ask) > 500


@pytest.mark.parametrize("name", ASKED)
def test_every_name(name: str, ask: Ask) -> None:
    names = sorted(
        {
            spelling
            for version in LIBRARIES.values()
            for group in groups(library(version))
            for spelling in (group.name, group.name.lower())
        }
    )
    compare(name, [*(f"{one}:X25519" for one in names if one.lower() != "x25519"), *names], ask)


@pytest.mark.parametrize("name", ASKED)
def test_edges(name: str, ask: Ask) -> None:
    values = [
        "X25519:",
        ":X25519",
        "X25519::P-256",
        "X25519:X25519",
        "P-256:prime256v1",
        "X25519,P-256",
        " X25519 ",
        "?FOO:X25519",
        "?FOO",
        "FOO:X25519",
        "*X25519:P-256",
        "X25519/P-256",
        "X25519//P-256",
        "/X25519",
        "-X25519",
        "X25519:-X25519",
        "X25519:P-256:-X25519",
        "DEFAULT",
        "?DEFAULT",
        "-DEFAULT:X25519",
        "*DEFAULT",
        "DEFAULT:-X25519",
        "X25519:DEFAULT",
        "-FOO:X25519",
        "-?FOO:X25519",
        f"{'a' * 63}:X25519",
        f"?{'a' * 63}:X25519",
        f"?{'a' * 64}:X25519",
        "*X25519:*P-256:*P-384:*P-521",
        "*X25519:*P-256:*P-384:*P-521:*X448",
        "P-256/-P-256/X25519",
        "X25519: ",
    ]
    compare(name, values, ask)


@pytest.mark.parametrize("name", LIBRARIES)
def test_defaults(name: str, ask: Ask) -> None:
    openssl = library(LIBRARIES[name])
    levels = range(5) if openssl.generation != "1.0.2" else [None]
    strings = ["ALL:!SSLv2" if level is None else f"ALL:@SECLEVEL={level}" for level in levels]
    for level, answer in zip(levels, ask(name, [["hello", string] for string in strings]), strict=True):
        expected = groups_default(openssl) if level is None else usable_groups(groups_default(openssl), level, openssl)
        assert [group.id for group in expected] == answer["groups"], level


@pytest.mark.parametrize(
    "value",
    [
        "X25519:P-256",
        "x25519mlkem768",
        "p-256:X25519",
        "PRIME256V1:X25519",
        "DEFAULT",
        "X25519:X25519",
        "?FOO:X25519",
        "P-256:sect163k1",
        "*P-256:*X25519:P-384",
        "MLKEM512:X25519",
        "secp160k1:X25519",
        "P-192:X25519",
        "DEFAULT:-X25519",
        "X25519:DEFAULT",
        "P-256/X25519",
        "SecP256r1MLKEM768:SecP384r1MLKEM1024",
        "FOO:X25519",
        "curveSM2:X25519",
        "X25519:",
        "?DEFAULT",
        "brainpoolP256r1tls13:X25519",
    ],
)
def test_openssl_3_5_by_configuration(value: str, hello_with_config: HelloWithConfig) -> None:
    """3.5's binding has no function for it, but its configuration file has. A list that it refuses leaves the
    default."""
    openssl = library(LIBRARIES["cryptography-46"])
    result = evaluate_groups(value, openssl)
    expected = groups_default(openssl) if result.error else result.groups
    commands = f"Groups = {value}\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0"
    answer = hello_with_config("cryptography-46", commands)
    assert [group.id for group in expected] == answer["groups"]


def test_names_by_release() -> None:
    """1.1.1 does not know secp256r1, 3.0 does; «?» and repetition came with 3.3, any case with 3.5."""
    assert evaluate_groups("secp256r1", library("1.1.1")).unknown == ("secp256r1",)
    assert evaluate_groups("secp256r1", library("3.0")).names == ["prime256v1"]
    assert evaluate_groups("X25519:P-256", library("1.0.2")).unknown == ("X25519",)
    for version, accepted in (("3.0.19", False), ("3.3.7", True), ("3.5.6", True)):
        assert (evaluate_groups("?FOO:X25519:X25519", library(version)).error is None) == accepted
    for version, accepted in (("3.0.19", False), ("3.3.7", False), ("3.5.6", True)):
        assert (evaluate_groups("p-256/x25519", library(version)).error is None) == accepted
    assert evaluate_groups("brainpoolP256r1tls13", library("3.0")).error
    assert not evaluate_groups("brainpoolP256r1tls13", library("3.3")).error


def test_parts_of_a_group() -> None:
    hybrid, classic = evaluate_groups("X25519MLKEM768:X25519", library("3.5")).groups
    assert (hybrid.id, hybrid.post_quantum, hybrid.tls12, hybrid.tls13) == (4588, True, False, True)
    assert (classic.id, classic.post_quantum, classic.tls12, classic.bits) == (29, False, True, 128)
