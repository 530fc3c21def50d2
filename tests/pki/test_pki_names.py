"""Names: against cryptography's and OpenSSL's matching, and against regular expressions that really are run."""

import ipaddress
import re

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.issue import NOT_BEFORE, issue, leaf
from tlslint.pki.certificate import Certificate
from tlslint.pki.names import Coverage, coverage, covers, is_never_asked_for, normalise, uncovered
from tlslint.pki.patterns import ANYTHING, LABEL_PART, meets, words_of_regex

ROOT = issue("Names Root")


def certificate(*names: str, cn: str = "names.example.test") -> Certificate:
    entries: list[x509.GeneralName] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(name))
    return leaf(cn, ROOT, names=entries).read


LABELS = st.sampled_from(["a", "b", "www", "example", "test", "xn--bcher-kva", "x-y"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ENTRIES = st.one_of(HOSTS, HOSTS.map("*.{}".format))


@settings(max_examples=150, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=3), st.lists(HOSTS, min_size=1, max_size=4))
def test_cryptography_agrees(entries: list[str], hosts: list[str]) -> None:
    read = certificate(*entries)
    parsed = x509.load_der_x509_certificate(read.der)
    store = Store([ROOT.certificate])
    for host in hosts:
        if any(entry == f"*.{host.partition('.')[2]}" and host.count(".") < 2 for entry in entries):
            continue  # unlike browsers and OpenSSL, that library takes a wildcard directly below a top-level domain
        verifier = PolicyBuilder().store(store).time(NOT_BEFORE).build_server_verifier(x509.DNSName(host))
        try:
            verifier.verify(parsed, [])
        except VerificationError:
            assert not covers(read, host), (entries, host)
        else:
            assert covers(read, host), (entries, host)


@pytest.mark.parametrize(
    ("entries", "name", "expected"),
    [
        (("example.org",), "example.org", True),
        (("example.org",), "EXAMPLE.org", True),
        (("EXAMPLE.org",), "example.org", True),
        (("example.org",), "example.org.", True),
        (("example.org",), "www.example.org", False),
        (("*.example.org",), "www.example.org", True),
        (("*.example.org",), "example.org", False),
        (("*.example.org",), "a.b.example.org", False),
        (("w*.example.org",), "www.example.org", False),
        (("www.*.org",), "www.example.org", False),
        (("*.org",), "example.org", False),
        (("xn--bcher-kva.example",), "bücher.example", True),
        (("xn--bcher-kva.example",), "BÜCHER.example", True),
        (("xn--bcher-kva.example",), "xn--bcher-kva.example", True),
        (("*.xn--bcher-kva.example",), "shop.bücher.example", True),
        (("*.example.org",), "xn--bcher-kva.example.org", True),
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.2", False),
        (("2001:db8::1",), "2001:DB8:0::1", True),
        (("2001:db8::1",), "[2001:db8::1]", True),
        (("example.org",), "", False),
        (("example.org",), "exa mple.org", False),
        (("my_host.example.org",), "my_host.example.org", True),
    ],
)
def test_covers(entries: tuple[str, ...], name: str, expected: bool) -> None:
    assert covers(certificate(*entries), name) is expected


def test_a_common_name_is_not_a_name() -> None:
    assert not covers(certificate(cn="example.org"), "example.org")


YES, NO, MAYBE = Coverage.COVERED, Coverage.UNCOVERED, Coverage.UNKNOWN


@pytest.mark.parametrize(
    ("entries", "name", "expected"),
    [
        (("*.example.org",), "*.example.org", YES),
        (("a.example.org",), "*.example.org", MAYBE),
        (("example.net",), "*.example.org", NO),
        (("*.example.org", "example.org"), ".example.org", YES),
        (("*.example.org",), ".example.org", NO),
        (("www.example.org",), "www.example.*", MAYBE),
        (("mail.example.org",), "www.example.*", NO),
        (("www.example.org",), "www*.example.org", MAYBE),
        (("*.example.org",), "www*.example.org", YES),
        (("*.example.org",), "www?.example.org", YES),
        (("shop.example.org", "www.shop.example.org"), r"~^(www\.)?shop\.example\.org$", YES),
        (("shop.example.org",), r"~^(www\.)?shop\.example\.org$", NO),
        (("*.example.org",), r"~^(?<site>[a-z0-9-]+)\.example\.org$", YES),
        (("*.example.org",), r"~^.+\.example\.org$", YES),
        (("*.example.org",), r"~^(.+\.)?example\.org$", NO),
        (("a.example.org",), r"~^(?<site>.+)\.example\.org$", MAYBE),
        (("a.example.net",), r"~^(?<site>.+)\.example\.org$", NO),
        (("*.example.org",), r"~^www\d+\.example\.org$", YES),
        (("*.example.org",), r"~^a.b\.example\.org$", NO),
        (("example.org",), r"~^(?!www).+\.org$", MAYBE),
        (("example.org",), r"~^example.org$", YES),
        (("example.org",), "~.", YES),
        (("example.org",), "~^.*$", YES),
        (("example.org",), "_", YES),
        (("example.org",), "", YES),
        (("example.org",), "__default__", YES),
        (("example.org",), "*", YES),
        (("example.org",), "localhost", NO),
        (("example.org",), "$host", MAYBE),
        (("example.org",), "192.0.2.1", NO),
        (("192.0.2.1",), "192.0.2.1", YES),
    ],
)
def test_coverage_of_server_names(entries: tuple[str, ...], name: str, expected: Coverage) -> None:
    assert coverage(certificate(*entries), name).coverage is expected


def test_uncovered_says_which_names_are_missing() -> None:
    verdicts = uncovered(
        certificate("shop.example.org"), ["shop.example.org", r"~^(www\.)?shop\.example\.org$", "a.example"]
    )
    assert [(verdict.name, verdict.missing) for verdict in verdicts] == [
        (r"~^(www\.)?shop\.example\.org$", ("www.shop.example.org",)),
        ("a.example", ("a.example",)),
    ]


def test_names_that_cannot_be_read_are_unknown() -> None:
    not_ascii = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes.fromhex("30038201ff"))
    malformed = leaf("x.example.test", ROOT, names=[], extensions=[not_ascii]).read
    assert malformed.extensions_problem
    assert coverage(malformed, "example.org").coverage is MAYBE
    assert coverage(malformed, "_").coverage is YES


ATOMS = r"a b \. . - (a|b) (?:www\.)? [ab] [a-c] [^.] \d \w [^a] [.-] [\w.-] (a|^b) (a$|b) ^ $ (?i)"
REPEATED = r"x? a+ b* .* .+ (a(b|c)?)+ a{2} b{1,2} (?:a|\.)*"
PARTS = st.sampled_from(f"{ATOMS} {REPEATED}".split())
EXPRESSIONS = st.tuples(
    st.sampled_from(["", "^"]), st.lists(PARTS, max_size=5).map("".join), st.sampled_from(["", "$"])
)


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS.map("".join), st.lists(st.text("abc.-w1x", max_size=7), max_size=8))
def test_words_stand_for_all_that_an_expression_matches(expression: str, names: list[str]) -> None:
    words = words_of_regex(expression)
    compiled = re.compile(re.sub(r"\(\?i\)", "", expression), re.IGNORECASE)
    if words is None:
        return
    for name in names:
        # an unescaped dot is taken for the dot that was meant
        if compiled.search(name) and "." not in re.sub(r"\\.|\[.*?\]|\.[*+]", "", expression):
            assert any(meets(word, tuple(name)) for word in words), (expression, name, words)


@settings(max_examples=300, deadline=None)
@given(st.text(r"ab.*+?()[]{}|^$\<>:=!-0123456789P'", max_size=25))
def test_any_expression_is_unfolded_or_given_up(expression: str) -> None:
    words = words_of_regex(expression)
    assert words is None or len(words) <= 64


WORDS = st.lists(st.sampled_from(["a", "b", ".", ANYTHING, LABEL_PART]), max_size=6).map(tuple)


@settings(max_examples=500, deadline=None)
@given(WORDS, st.text("ab.", max_size=6))
def test_meeting_a_name_is_matching_it(word: tuple[str, ...], name: str) -> None:
    pattern = "".join({ANYTHING: ".*", LABEL_PART: "[^.]*"}.get(part, re.escape(part)) for part in word)
    assert meets(word, tuple(name)) == bool(re.fullmatch(pattern, name))


@given(WORDS, WORDS, st.text("ab.", max_size=5))
def test_words_with_a_common_name_meet(one: tuple[str, ...], other: tuple[str, ...], name: str) -> None:
    if meets(one, tuple(name)) and meets(other, tuple(name)):
        assert meets(one, other)
        assert meets(other, one)


@pytest.mark.parametrize("name", ["", "_", "__", "*", "a b", "a.test:443", "a,b", "!"])
def test_placeholders(name: str) -> None:
    assert is_never_asked_for(name)


@pytest.mark.parametrize(
    "name", ["a.test", "localhost", "*.a.test", ".a.test", "www.*", "~^a$", "192.0.2.1", "bücher.de"]
)
def test_real_names(name: str) -> None:
    assert not is_never_asked_for(name)


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    normalise(text)
    coverage(certificate_once(), text)


def certificate_once() -> Certificate:
    return SHARED


SHARED = certificate("example.org", "*.example.net")
