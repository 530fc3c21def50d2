"""Sources, spans and words."""

import copy
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.parse import tree as tree_module
from tlslint.parse.nginx import parse
from tlslint.parse.tree import Argument, Source, Span, Unreadable, walk


@given(st.binary())
def test_bytes_come_back(data: bytes) -> None:
    source = Source.from_bytes("a", data)
    assert source.data == data
    assert Source.from_text("a", source.text).data == data


@given(st.text(alphabet="ab\n\r\u00e9\ufeff"))
def test_lines_and_columns(text: str) -> None:
    source = Source.from_text("a", text)
    for offset in range(len(text) + 1):
        line, column = source.line_column(offset)
        assert line == text.count("\n", 0, offset) + 1
        assert column == offset - text.rfind("\n", 0, offset)
        assert source.line_start(line) + column - 1 == offset
    assert [source.line_text(number + 1) for number in range(text.count("\n") + 1)] == [
        line.removesuffix("\r") for line in text.split("\n")
    ]


@pytest.mark.parametrize("line", [0, -1, 3])
def test_no_such_line(line: int) -> None:
    with pytest.raises(IndexError):
        Source.from_text("a", "b\nc").line_text(line)


def test_text_that_no_bytes_give_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        Source.from_text("a", "\ud800")


def test_masked_text_must_be_of_equal_length() -> None:
    with pytest.raises(ValueError, match="as long as"):
        Source("a", "ab", masked="a")


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    path.write_bytes(b"\xef\xbb\xbfa \xff\r\n")
    source = Source.read(str(path), "shown.conf")
    assert (source.path, source.text, source.data) == ("shown.conf", "\ufeffa \udcff\r\n", b"\xef\xbb\xbfa \xff\r\n")
    assert Source.read(str(path)).path == str(path)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    reasons = {
        str(pipe): "not a regular file",
        "/dev/zero": "not a regular file",
        str(tmp_path): "Is a directory",
        str(tmp_path / "absent"): "No such file or directory",
        str(tmp_path / "dangling"): "No such file or directory",
        str(tmp_path / "loop"): "Too many levels of symbolic links",
        "a\0b": "embedded null byte",
    }
    before = len(os.listdir("/proc/self/fd"))
    for path, reason in reasons.items():
        with pytest.raises(Unreadable) as caught:
            Source.read(path, "shown")
        assert (caught.value.path, caught.value.reason) == ("shown", reason)
        assert str(caught.value) == f"shown: {reason}"
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "MAX_SOURCE_BYTES", 2**20)
    path = tmp_path / "large.conf"
    path.write_bytes(b"#" * 2**20)
    assert len(Source.read(str(path)).text) == 2**20
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(Unreadable, match="larger than 1 MiB"):
        Source.read(str(path))


def test_spans_sort_by_path_and_position() -> None:
    first, second = Source.from_text("a", "x" * 9), Source.from_text("b", "x" * 9)
    spans = [Span(second, 0, 1), Span(first, 5, 6), Span(first, 1, 9), Span(first, 1, 2)]
    assert sorted(spans) == [Span(first, 1, 2), Span(first, 1, 9), Span(first, 5, 6), Span(second, 0, 1)]
    assert Span(first, 0, 1) != Span(second, 0, 1)
    assert len({Span(first, 0, 1), Span(first, 0, 1)}) == 1


def test_an_argument_is_its_value() -> None:
    source = Source.from_text("a", 'x "b\\"c";')
    argument = parse(source).directives[0].arguments[0]
    assert isinstance(argument, Argument)
    assert argument == 'b"c'
    assert argument in {'b"c'}
    assert argument.raw == '"b\\"c"'
    assert argument.span == Span(source, 2, 8)
    assert not hasattr(argument, "__dict__")


def test_trees_can_be_sent_to_another_process() -> None:
    tree = parse(Source.from_text("a.conf", "http { listen 80 'b'; } # c\n}"))
    for copied in (pickle.loads(pickle.dumps(tree)), copy.deepcopy(tree)):
        assert [(each.name, each.arguments, each.start, each.end) for each in walk(copied.directives)] == [
            (each.name, each.arguments, each.start, each.end) for each in walk(tree.directives)
        ]
        _, listen = walk(copied.directives)
        assert listen.arguments[1].raw == "'b'"
        assert listen.source is copied.source
        assert copied.problems[0].message == 'unexpected "}"'
    error = pickle.loads(pickle.dumps(Unreadable("a", "b")))
    assert (error.path, error.reason) == ("a", "b")


def test_walk_goes_depth_first_in_file_order() -> None:
    tree = parse(Source.from_text("a.conf", "a { b { c; } d; } e { } f;"))
    assert [directive.name for directive in walk(tree.directives)] == list("abcdef")
