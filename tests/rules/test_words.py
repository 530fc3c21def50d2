"""The words that rules share: lists of releases, parts of arguments, and what a misspelt word was meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.parse.nginx import parse
from tlslint.parse.tree import Source
from tlslint.rules.spelling import nearest
from tlslint.rules.words import listed, part_of, releases

NAMES = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "aNULL", "eNULL")
VERSIONS = ["1.18.0", "1.20.1", "1.22.1", "1.28.3"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ECDHE-RSA-AES128-GCM-SHA265", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA25", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA2566", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("ecdhe-rsa-aes256-gcm-sha384", "ECDHE-RSA-AES256-GCM-SHA384"),
        ("aNUL", "aNULL"),
        ("AES-SHA", ""),  # two edits from either
        ("xNULL", ""),  # one edit from two
        ("CHACHA20", ""),
    ],
)
def test_the_nearest_word_is_the_only_one_a_single_edit_away(word: str, meant: str) -> None:
    assert nearest(word, NAMES) == meant


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (VERSIONS, "1.18.0 and later"),
        (VERSIONS[:2], "1.18.0 to 1.20.1"),
        (VERSIONS[:1], "1.18.0"),
        (VERSIONS[3:], "1.28.3 and later"),
        ([VERSIONS[0], VERSIONS[2]], "1.18.0 and 1.22.1"),
        ([], ""),
    ],
)
def test_releases_are_written_as_ranges(chosen: list[str], text: str) -> None:
    assert releases(chosen, VERSIONS) == text


def test_lists_are_written_as_people_write_them() -> None:
    assert [listed("a"), listed("ab"), listed("abc"), listed("ab", "or")] == ["a", "a and b", "a, b and c", "a or b"]


words = st.lists(st.text("AB12-+!@=", min_size=1, max_size=6), min_size=1, max_size=5)


@given(words, st.sampled_from(["'", '"']))
def test_a_part_of_an_argument_is_where_it_stands(parts: list[str], quote: str) -> None:
    value = ":".join(parts)
    (directive,) = parse(Source.from_text("x.conf", f"\tssl_ciphers {quote}{value}{quote};\n")).directives
    (argument,) = directive.arguments
    at = 0
    for part in parts:
        assert part_of(argument, at, at + len(part)).text == part
        at += len(part) + 1


def test_escapes_make_the_whole_argument_the_place() -> None:
    (directive,) = parse(Source.from_text("x.conf", 'ssl_ciphers "A\\"B:C";')).directives
    (argument,) = directive.arguments
    assert str(argument) == 'A"B:C'
    assert part_of(argument, 4, 5).text == argument.raw
