"""Where keys stand in a TOML text: by hand, and for made-up documents in every notation."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlslint.toml_places import Path, places


def place(text: str, *path: str | int) -> tuple[int, int]:
    offset = places(text)[path]
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


@pytest.mark.parametrize(
    ("text", "path", "line_column"),
    [
        ("a = 1\n  b = 2", ("b",), (2, 3)),
        ("# a = 0\n\ta=1", ("a",), (2, 2)),
        ("[a]\nb = 1\n[c]\nb = 2\n", ("c", "b"), (4, 1)),
        ('[a . "b.c"]\nd = 1\n', ("a", "b.c", "d"), (2, 1)),
        ('a."b\\u0041".c = 1\n', ("a", "bA", "c"), (1, 13)),
        ("[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 1\n", ("a", 1, "c", "d"), (5, 1)),
        ("[[a.b]]\n[[a.b]]\nc = 1\n[[a.b.d]]\n[[a.b.d]]\ne = 1\n", ("a", "b", 1, "d", 1, "e"), (6, 1)),
        ("x = [\n 1, # [[,\n 'a]', {y = [2, 3]}\n]\nz = 1\n", ("x", 2, "y", 1), (3, 17)),
        ("x = [\n 1, # [[,\n 'a]', {y = [2, 3]}\n]\nz = 1\n", ("z",), (5, 1)),
        ('x = """\ny = 1\n\\""""""\ny = 2\n', ("y",), (4, 1)),
        ("x = '''\ny = 1\n'''''\ny = 2\n", ("y",), (4, 1)),
        ("d = 2026-01-01 10:00:00 # t\ny = 2\n", ("y",), (2, 1)),
        ("d = 1\r\ny = 2\r\n", ("y",), (2, 1)),
    ],
)
def test_by_hand(text: str, path: Path, line_column: tuple[int, int]) -> None:
    tomllib.loads(text)
    assert place(text, *path) == line_column


KEYS = st.one_of(st.from_regex(r"[a-z0-9-]{1,4}", fullmatch=True), st.text("ab.\"'# =[]é\t\\", min_size=1, max_size=4))
SCALARS = st.one_of(
    st.integers(-9, 99).map(str),
    st.booleans().map(lambda flag: str(flag).lower()),
    st.text("ab]}'\"#,=\\\n\té", max_size=6).map(json.dumps),
    st.text('ab]}"#,=\\[', max_size=6).map(lambda text: f"'{text}'"),
    st.text('ab]}"#,=[\n', max_size=6).map(lambda text: f"'''{text}'''"),
    st.text("ab]}'#,=[\n", max_size=6).map(lambda text: f'"""{text}"""'),
    st.just("1979-05-27T07:32:00Z"),
)
GAPS = st.sampled_from(["", " ", "\t "])
BREAKS = st.sampled_from(["", " ", "\n", " # ]},'\n", "\r\n\t"])


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kind: str = draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
    if kind == "scalar":
        scalar: str = draw(SCALARS)
        return scalar
    if kind == "array":
        items = draw(st.lists(values(depth - 1), max_size=3))
        inside = ",".join(f"{draw(BREAKS)}{item}{draw(BREAKS)}" for item in items)
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return f"[{inside}{comma}{draw(BREAKS)}]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    return "{" + ",".join(f"{draw(GAPS)}{draw(pairs(key, depth - 1))}{draw(GAPS)}" for key in keys) + "}"


@st.composite
def pairs(draw: st.DrawFn, key: str, depth: int = 2) -> str:
    return f"{spelt(key)}{draw(GAPS)}={draw(GAPS)}{draw(values(depth))}"


def spelt(key: str) -> str:
    return key if all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in key) else json.dumps(key)


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = [draw(pairs(key)) for key in draw(st.lists(KEYS, max_size=3, unique=True))]
    for name in draw(st.lists(st.sampled_from(["t1", "t2"]), max_size=2, unique=True)):
        keys = draw(st.lists(KEYS, max_size=3, unique=True))
        lines += [f"[ {name}.{spelt(draw(KEYS))} ]", *(draw(pairs(key)) for key in keys)]
    for _ in range(draw(st.integers(0, 2))):
        keys = draw(st.lists(KEYS.filter(lambda key: key != "sub"), max_size=2, unique=True))
        lines += ["[[many]]", *(draw(pairs(key)) for key in keys)]
        lines += ["[many.sub]", draw(pairs("x"))] if draw(st.booleans()) else []
    return "\n".join(f"{draw(GAPS)}{line}{draw(st.sampled_from(['', ' # c']))}" for line in lines) + "\n"


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name)
            yield from paths_of(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*path, index)
            yield from paths_of(item, (*path, index))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_key_of_a_made_up_document_is_found_where_it_is_spelt(text: str) -> None:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # a key that happens to be there already
        return
    found = places(text)
    assert set(found) == set(paths_of(read))
    for path, offset in found.items():
        if isinstance(path[-1], str):
            assert text.startswith((spelt(path[-1]), f"'{path[-1]}'"), offset)
