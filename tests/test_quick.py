"""Command lines are read without typer, or not at all: what is read is what typer would have read."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tlslint.cli import COMMANDS, full, run
from tlslint.cli.commands import command
from tlslint.cli.quick import values

NAMES = tuple(
    name
    for annotation in command("check").__annotations__.values()
    if hasattr(annotation, "__metadata__")
    for item in annotation.__metadata__
    for name in (getattr(item, "name", None), getattr(item, "short", None))
    if name
)
UNUSUAL = ("-qv", "-vq", "-j4", "-Dx", "-j=4", "--", "--version", "--help", "-h", "--polic", "--fi", "--no-such", "-x")
TEXTS = (
    "a.conf",
    "-",
    "",
    " 3",
    "1",
    "0",
    "-1",
    "4",
    "٣",
    "²",
    "1_0",
    "error",
    "Error",
    "json",
    "nginx",
    "a=b",
    "system",
)
words = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(TEXTS),
    st.sampled_from(UNUSUAL),
    st.builds("{}={}".format, st.sampled_from(NAMES), st.sampled_from(TEXTS)),
    st.text(max_size=3),
)
with_value = st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS))
command_lines = st.lists(st.one_of(words.map(lambda word: (word,)), with_value), max_size=6).map(
    lambda groups: [word for group in groups for word in group]
)

USUAL = (
    (),
    ("nginx.conf",),
    ("-",),
    ("deploy/nginx", "--root", "deploy/rootfs"),
    ("-", "--target", "local"),
    ("-q", "-v", "-j", "2", "--jobs=3", "--color=never", "a", "b"),
    ("--output-format", "json", "--fail-on=info", "--exit-zero", "."),
    ("--hook", "--fix", "a.conf", "sites/b.conf"),
    ("--report", "sarif=a.sarif", "--report=junit=b.xml", "-D", "A", "-D", "B", "--", "-odd"),
    ("--policy", "modern", "--select=TLS1,TLS2", "--ignore", "", "--now=2026-03-01"),
)


def read_by_typer(name: str, line: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | None:
    """Return what typer gives the command, or None where it gives it nothing."""
    taken: list[dict[str, Any]] = []

    @functools.wraps(command(name))
    def take(**given: Any) -> int:
        taken.append(given)
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(full, "command", lambda asked: take)
        full.run([name, *line], name)
    return taken[0] if taken else None


def complete(function: Callable[..., int], given: dict[str, Any]) -> dict[str, Any]:
    """Return what a command is given with its defaults; an empty list is as good as None everywhere."""
    defaults = function.__defaults__ or ()
    parameters = [name for name in function.__annotations__ if name != "return"]
    filled = {**dict(zip(reversed(parameters), reversed(defaults), strict=False)), **given}
    return {name: None if value == [] else value for name, value in filled.items()}


def agree(name: str, line: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a line is read here; it is as typer reads it, then."""
    function = command(name)
    quickly = values(function, line)
    if quickly is None:
        return False
    fully = read_by_typer(name, line, monkeypatch)
    assert fully is not None
    assert complete(function, quickly) == complete(function, fully)
    return True


@pytest.fixture(scope="module")
def patching() -> pytest.MonkeyPatch:
    return pytest.MonkeyPatch()


@settings(max_examples=400, deadline=None)
@given(line=command_lines)
@example(line=["--jobs", "0"])
@example(line=["--jobs", "٣"])
@example(line=["--root", "--fix"])
@example(line=["--report"])
@example(line=["--fix=yes"])
def test_check_is_read_as_typer_reads_it(line: list[str], patching: pytest.MonkeyPatch) -> None:
    agree("check", line, patching)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "check"])
@settings(max_examples=60, deadline=None)
@given(line=command_lines)
def test_other_commands_are_read_as_typer_reads_them(name: str, line: list[str], patching: pytest.MonkeyPatch) -> None:
    agree(name, line, patching)


@pytest.mark.parametrize("line", USUAL, ids=" ".join)
def test_usual_lines_are_read(line: tuple[str, ...], patching: pytest.MonkeyPatch) -> None:
    assert agree("check", list(line), patching)


@pytest.mark.parametrize("line", UNUSUAL[:5] + UNUSUAL[6:])
def test_unusual_lines_are_left_to_typer(line: str) -> None:
    assert values(command("check"), ["a.conf", line]) is None


def test_a_misspelt_command_is_left_to_typer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inventry"]) == 2
    assert 'did you mean "inventory"?' in capsys.readouterr().err


def test_completion_is_left_to_typer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_TLSLINT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "tlslint ch")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run([]) == 0
    assert "check" in capsys.readouterr().out
