"""tlslint's evaluation of cipher strings against five real OpenSSL libraries, and what needs no library to be true."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import cipher_strings
from tlslint.tls import ciphers, protocols
from tlslint.tls.ciphers import evaluate, evaluate_tls13, library, tokens

Ask = Callable[[str, list[list[Any]]], list[dict[str, Any]]]

LIBRARIES = {
    "nassl-legacy": "1.0.2e",
    "nassl-modern": "1.1.1w",
    "system": "3.0.19",
    "cryptography-46": "3.5.6",
    "cryptography": "4.0.3",
}
STRINGS = int(os.environ.get("TLSLINT_CIPHER_STRINGS", "20000"))
SEED = os.environ.get("TLSLINT_SEED", "1")

each_library = pytest.mark.parametrize("name", LIBRARIES)


def mine(string: str, openssl: ciphers.OpenSSL) -> dict[str, Any]:
    """tlslint's answer in the form of a library's."""
    names = [suite.name for suite in ciphers.listed(string, openssl)]
    return {"ciphers": names, "error": evaluate(string, openssl).error}


def differences(name: str, strings: list[str], ask: Ask) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    openssl = library(LIBRARIES[name])
    answers = ask(name, [["ciphers", string] for string in strings])
    assert len(answers) == len(strings)
    pairs = ((string, mine(string, openssl), answer) for string, answer in zip(strings, answers, strict=True))
    return [pair for pair in pairs if pair[1] != pair[2]]


# -- against the libraries ---------------------------------------------------------------------------------------------


@each_library
def test_random_strings(name: str, ask: Ask) -> None:
    strings = cipher_strings.Generator(library(LIBRARIES[name]), SEED).strings(STRINGS)
    assert differences(name, strings, ask)[:3] == []


@each_library
def test_strings_of_real_files(name: str, ask: Ask, corpus: Path) -> None:
    strings = list(cipher_strings.from_files(corpus))
    assert len(strings) > 50
    assert differences(name, strings, ask)[:3] == []


@each_library
def test_every_word_alone(name: str, ask: Ask) -> None:
    suites = [text for suite in ciphers.KNOWN.values() for text in (suite.name, suite.standard_name)]
    words = [*ciphers.known_aliases(), *suites]
    strings = [*words, *(word.lower() for word in words), *(f"ALL:COMPLEMENTOFALL:+{word}" for word in words)]
    # The character after a name that is known ends it and is no command; a name that is not known takes it along.
    strings += [f"{word}*:ALL" for word in words] + [f"ALL:!{word}" for word in words]
    assert differences(name, strings, ask)[:3] == []


@each_library
def test_edges(name: str, ask: Ask) -> None:
    strings = [
        "",
        ":",
        " ",
        "@",
        "!",
        "+",
        "-",
        "ALL:!",
        "ALL:@",
        "AES+",
        "AES+:RC4",
        "ALL:-",
        "FOO+",
        "DEFAULT",
        "DEFAULT+kRSA",
        "DEFAULT!RSA",
        "DEFAULTALL",
        "ALL:DEFAULT",
        "@STRENGTH",
        "ALL@STRENGTH",
        "ALL:@STRENGTH+FOO",
        "ALL:@STRENGTH=",
        "@SECLEVEL=",
        "ALL@SECLEVEL=2",
        "ALL:@SECLEVEL=10",
        "ALL:@SECLEVEL=-1",
        "ALL:@SECLEVEL=2!RSA",
        "SUITEB128",
        "SUITEB128C2",
        "SUITEB128ONLY",
        "SUITEB192",
        "SUITEB128X",
        "SUITEB128:!ALL",
        "ALL:SUITEB128",
        f"{'A' * 100_000}:AES128-SHA",
        f"{'A' * 100_000}",
        "AES128-SHA:" * 5000,
        "HIGH\nLOW",
        "HIGH;LOW",
        "AES128-SHA:é",
        "é:AES128-SHA",
        "FOO_BAR:AES128-SHA",
        "AES_FOO:AES128-SHA",
        "TLS_AES_128_GCM_SHA256",
        "HIGH:TLS_AES_128_GCM_SHA256",
        "ALL:-ALL:ALL",
        "ALL:!RSA:RSA",
        "ALL:-RSA:RSA",
        "COMPLEMENTOFDEFAULT+HIGH",
        "HIGH+COMPLEMENTOFDEFAULT",
        "COMPLEMENTOFDEFAULT+RC4",
        "AES128-SHA+RSA",
        "RSA+AES128-SHA",
        "AES128-SHA+AES256-SHA",
        "RC4:-SSLv2:RC4",
        "EXP:LOW:!SSLv2",
        "RC4-MD5:-SSLv2",
    ]
    assert differences(name, strings, ask) == []


@pytest.mark.parametrize("name", list(LIBRARIES)[1:])
def test_tls13_suites(name: str, ask: Ask) -> None:
    openssl = library(LIBRARIES[name])
    known = [suite.name for suite in openssl.tls13]
    strings = [
        *known,
        "",
        ":",
        " ",
        "FOO",
        "TLS_AES_128_GCM_SHA256:FOO",
        "FOO:TLS_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256::TLS_AES_256_GCM_SHA384",
        " TLS_AES_128_GCM_SHA256 :\tTLS_AES_256_GCM_SHA384\n",
        "tls_aes_128_gcm_sha256",
        "TLS_AES_128_GCM_SHA256:TLS_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384",
        f"{'A' * 90}:TLS_AES_128_GCM_SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ":".join(reversed(known)),
        "TLS_RSA_WITH_AES_128_CBC_SHA:TLS_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256:",
        ":TLS_AES_128_GCM_SHA256",
        "ALL",
    ]
    for string, answer in zip(strings, ask(name, [["ciphersuites", string] for string in strings]), strict=True):
        result = evaluate_tls13(string, openssl)
        assert (string, result.names, result.error) == (string, answer["ciphers"], answer["error"])


@pytest.mark.parametrize("build", ["upstream", "debian"])
def test_levels_that_a_string_sets(build: str) -> None:
    openssl = library("3.0", build=build)
    strings = [
        *cipher_strings.Generator(openssl, f"level {SEED}").strings(300),
        "DEFAULT",
        "SUITEB128",
        "suiteb128only",
    ]
    levels = [ciphers.level_set_by(string, openssl) for string in strings]
    assert levels == [evaluate(string, openssl).security_level for string in strings]
    assert len(set(levels)) > 3


@each_library
def test_security_levels(name: str, ask: Ask) -> None:
    """Which suites a client offers at each level, and that the default level is the build's."""
    openssl = library(LIBRARIES[name])
    levels = ["", *(f"@SECLEVEL={level}" for level in range(5) if openssl.generation != "1.0.2")]
    strings = [f"ALL:COMPLEMENTOFALL:!SSLv2:{level}" for level in levels]
    for string, answer in zip(strings, ask(name, [["hello", string] for string in strings]), strict=True):
        selected = evaluate(string, openssl)
        level = ciphers.security_level(selected, openssl)
        offered = ciphers.usable((*ciphers.tls13_default(openssl), *selected.suites), level, openssl)
        versions = [protocols.Protocol.TLSv1_2, protocols.Protocol.TLSv1_3]
        if openssl.generation == "1.0.2" or protocols.oldest_at_level(openssl, level) < versions[0] or level == 0:
            versions = list(protocols.PROTOCOLS)
        expected = [
            suite.id
            for suite in offered
            # A client without a key or a password to share offers no suite that needs one.
            if "PSK" not in suite.kx
            and suite.kx != "SRP"
            and any(protocols.has_suite(version, suite, openssl) for version in versions if version > "SSLv2")
        ]
        numbers = [number for number in answer["suites"] if number != 0x00FF]
        # 3.0 offers TLS 1.0 and 1.1 at levels at which it cannot complete them.
        assert numbers == expected, string


def test_the_openssl_command_agrees_with_its_library() -> None:
    """The library that the tests ask for 3.0 is the one behind the ``openssl`` command."""
    try:
        version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        if os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1":
            pytest.fail("the openssl command is not here")
        pytest.skip("the openssl command is not here")
    if not version.startswith("OpenSSL 3.0."):
        pytest.skip(f"the openssl command is {version}")
    openssl = library("3.0.19")
    for string in cipher_strings.Generator(openssl, f"command {SEED}").strings(60):
        # The separator in front keeps the command from taking the string for an option.
        done = subprocess.run(["openssl", "ciphers", f":{string}"], capture_output=True, text=True, check=False)
        expected = mine(f":{string}", openssl)
        assert done.returncode == (1 if expected["error"] else 0), string
        if not expected["error"]:
            assert done.stdout.strip().split(":") == expected["ciphers"], string


# -- tokens ------------------------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [*sorted(ciphers.known_aliases()), "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "FOO", "@STRENGTH", "*"]
)
_PIECES = st.one_of(_WORDS, st.sampled_from(list(":;, +-!@_=.")), st.text(max_size=3))
cipher_texts = st.lists(_PIECES, max_size=12).map("".join)
libraries = st.sampled_from([*LIBRARIES.values(), None])


@given(cipher_texts, libraries)
def test_token_offsets(text: str, version: str | None) -> None:
    found = tokens(text, library(version) if version else None)
    at = 0
    for token in found:
        assert text[token.start : token.end] == token.text
        assert token.operator == (text[token.start - len(token.operator) : token.start])
        assert at <= token.start - len(token.operator)
        assert set(text[at : token.start - len(token.operator)]) <= set(ciphers.SEPARATORS) or found[0].text.startswith(
            "SUITEB"
        )
        at = token.end


@given(cipher_texts, st.sampled_from(list(LIBRARIES.values())))
def test_tokens_tell_what_evaluate_drops(text: str, version: str) -> None:
    openssl = library(version)
    found, result = tokens(text, openssl), evaluate(text, openssl)
    assert (result.error == ciphers.INVALID_COMMAND) == any(token.invalid for token in found)
    if result.error != ciphers.INVALID_COMMAND:
        assert set(result.unknown) == {token.text for token in found if token.unknown}


def test_an_unknown_token_can_be_underlined() -> None:
    text = "ECDHE+AESGCM:!RC5:HIHG"
    assert [(text[t.start : t.end], t.operator) for t in tokens(text) if t.unknown] == [("RC5", "!"), ("HIHG", "")]


def test_a_word_of_any_library_is_known() -> None:
    assert not any(
        token.unknown
        for token in tokens("RC4-SHA:!EXP:kECDHr:ARIA:EDH+3DES:TLS_RSA_WITH_RC4_128_SHA:DEFAULT")
        if token.text != "DEFAULT"
    )
    assert [token.text for token in tokens("RC4-SHA:AES128-SHA", library("3.0")) if token.unknown] == ["RC4-SHA"]


# -- libraries and suites ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("1.0.2k", "1.0.2"),
        ("1.1.0", "1.1.1"),
        ("1.1.1", "1.1.1"),
        ("3.0", "3.0"),
        ("3.1.4", "3.0"),
        ("3.3.7", "3.0"),
        ("3.5.6", "3.5"),
        ("3.6", "3.5"),
        ("4.0.3", "4.0"),
        ("4.2", "4.0"),
    ],
)
def test_generation(version: str, generation: str) -> None:
    assert library(version).generation == generation
    assert library(version) is library(version)


@pytest.mark.parametrize("version", ["", "latest", "1.0.1f", "0.9.8"])
def test_unknown_version(version: str) -> None:
    with pytest.raises(ValueError, match="OpenSSL"):
        library(version)


def test_unknown_build() -> None:
    with pytest.raises(ValueError, match="unknown build"):
        library("3.0", build="nobody")
    with pytest.raises(ValueError, match="has no OpenSSL 3"):
        library("3.0", build="nassl")


@pytest.mark.parametrize("build", ["debian", "ubuntu"])
def test_debians_build_is_the_one_that_was_measured(build: str) -> None:
    measured, debian = library("3.0.19"), library("3.0.19", build=build)
    assert (debian.suites, debian.aliases, debian.security_level) == (measured.suites, measured.aliases, 2)


def test_old_builds() -> None:
    """Upstream's 1.0.2 still has RC4 and 3DES; 1.1.1 knows the words but has no suites for them."""
    assert evaluate("RC4:3DES", library("1.0.2k", build="upstream")).names
    upstream = library("1.1.1", build="upstream")
    assert evaluate("HIGH:!RC4:!3DES", upstream).unknown == ()
    assert evaluate("RC4:3DES", upstream).error == ciphers.NO_CIPHER_MATCH
    assert evaluate("HIGH:!RC4:!3DES", library("3.5", build="upstream")).unknown == ("RC4",)


def test_system_profile() -> None:
    assert ciphers.uses_system_profile("PROFILE=SYSTEM")
    assert evaluate("PROFILE=SYSTEM", library("3.5")).unknown == ("PROFILE=SYSTEM",)


def test_between_two_tables() -> None:
    old, new, debian = library("3.0.19"), library("3.3.7"), library("3.5", build="debian")
    standard = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert evaluate(standard, old).error == ciphers.NO_CIPHER_MATCH
    assert evaluate(standard, new).names == ["ECDHE-RSA-AES128-GCM-SHA256"]
    assert (old.security_level, new.security_level, library("3.0", build="upstream").security_level) == (2, 2, 1)
    assert evaluate("SEED:IDEA", debian).error == ciphers.NO_CIPHER_MATCH
    assert evaluate("HIGH:3DES", library("1.0.2k")).names[-1] == "PSK-3DES-EDE-CBC-SHA"
    assert evaluate("HIGH", library("1.0.2k")).names.count("DES-CBC3-SHA") == 0
    assert evaluate("HIGH", library("1.0.2e")).names.count("DES-CBC3-SHA") == 1
    assert not evaluate("EXP:LOW:SSLv2", library("1.0.2k")).names
    assert not library("1.1.0").tls13
    assert evaluate_tls13("TLS_AES_128_GCM_SHA256", library("1.1.0")).error


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NULL-SHA256", "NULL"),
        ("AECDH-NULL-SHA", "NULL"),
        ("ADH-AES256-GCM-SHA384", "anonymous"),
        ("EXP-RC4-MD5", "EXPORT"),
        ("DES-CBC-SHA", "DES"),
        ("RC4-SHA", "RC4"),
        ("RC2-CBC-MD5", "RC2"),
        ("RC4-MD5", "RC4"),
        ("DES-CBC3-SHA", "3DES"),
        ("IDEA-CBC-SHA", "IDEA"),
        ("SEED-SHA", "SEED"),
        ("DES-CBC3-MD5", "MD5"),
        ("AES128-SHA", None),
        ("ECDHE-RSA-AES128-GCM-SHA256", None),
        ("TLS_AES_128_GCM_SHA256", None),
    ],
)
def test_broken_reason(name: str, reason: str | None) -> None:
    assert ciphers.broken_reason(ciphers.KNOWN[name]) == reason


@pytest.mark.parametrize("alias", ciphers.BROKEN_ALIASES)
def test_broken_aliases_select_only_broken_suites(alias: str) -> None:
    selected = [suite for version in LIBRARIES.values() for suite in evaluate(alias, library(version)).suites]
    assert selected or alias == "EXPORT56"
    assert all(ciphers.broken_reason(suite) for suite in selected)


def test_parts_of_a_suite() -> None:
    suite = ciphers.KNOWN["ECDHE-RSA-AES128-GCM-SHA256"]
    assert (suite.id, suite.standard_name) == (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    assert (suite.kx, suite.auth, suite.enc, suite.mac, suite.min_protocol, suite.bits) == (
        "ECDHE",
        "RSA",
        "AES128GCM",
        "AEAD",
        "TLSv1.2",
        128,
    )
    assert suite.forward_secrecy
    assert suite.aead
    assert not ciphers.KNOWN["AES128-SHA"].forward_secrecy
    assert ciphers.by_standard_name()["TLS_RSA_WITH_RC4_128_MD5"].name == "RC4-MD5"


def test_import_reads_no_file() -> None:
    """Tables are read when a library is asked for; the start of a program does not pay for them."""
    code = (
        "import sys, builtins, io\n"
        "import json, dataclasses, functools, pathlib, re, collections.abc, typing, enum\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import tlslint.tls.ciphers, tlslint.tls.groups, tlslint.tls.protocols\n"
        "print([name for name in opened if name.endswith('.json')], 'cryptography' in sys.modules)\n"
    )
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stdout.strip() == "[] False"
