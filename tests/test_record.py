"""Records behave as the standard library's dataclasses do."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlslint.record import FEW
from tlslint.record import dataclass as quick
from tlslint.record import field as quick_field

OPTIONS: list[dict[str, bool]] = [
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True},
    {"slots": True},
    {"slots": True, "eq": False},
    {},
]


def define(decorator: Callable[..., Any], options: dict[str, bool]) -> Any:
    field: Any = quick_field if decorator is quick else dataclasses.field

    class Record:
        """A record."""

        left: int
        right: str = "x"
        items: list[int] = field(default_factory=list, hash=False)
        note: str = field(default="", compare=False, repr=False)

        @property
        def both(self) -> str:
            """Left and right."""
            return f"{self.left}{self.right}"

    return decorator(**options)(Record)


@quick(frozen=True, slots=True)
class Pickled:
    """Pickle finds classes by their name."""

    left: int
    right: str = "x"


@quick(slots=True)
class Changeable:
    left: int


def outcome(function: Callable[[], object]) -> object:
    try:
        return function()
    except AttributeError:
        return AttributeError
    except TypeError:
        return TypeError


VALUES = st.tuples(
    st.integers(0, 2), st.sampled_from("ab"), st.lists(st.integers(0, 1), max_size=2), st.text(max_size=1)
)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@settings(max_examples=25, deadline=None)
@given(one=VALUES, other=VALUES)
def test_same_behaviour(
    options: dict[str, bool],
    one: tuple[int, str, list[int], str],
    other: tuple[int, str, list[int], str],
) -> None:
    def behaviour(decorator: Callable[..., Any]) -> list[object]:
        record = define(decorator, options)
        first, second = record(*one), record(*other)
        return [
            outcome(lambda: repr(first)),
            outcome(lambda: first == second),
            outcome(lambda: first == one),
            outcome(lambda: first < second),
            outcome(lambda: first >= second),
            outcome(lambda: (hash(first) == hash(second)) is (hash(one[:2]) == hash(other[:2]))),
            outcome(lambda: setattr(first, "left", 7)),
            outcome(lambda: delattr(second, "left")),
            # the standard library raises a TypeError by mistake where there are slots
            outcome(lambda: setattr(first, "unheard_of", 7)) in (None, TypeError, AttributeError),
            outcome(lambda: first.both),
            outcome(lambda: dataclasses.asdict(first)),
            outcome(lambda: dataclasses.astuple(dataclasses.replace(first, right="z"))),
            outcome(lambda: dataclasses.astuple(copy.deepcopy(first))),
        ]

    assert behaviour(quick) == behaviour(dataclasses.dataclass)


@pytest.mark.parametrize("before", [0, FEW], ids=["the first objects", "objects after many"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_same_construction(options: dict[str, bool], before: int) -> None:
    def results(decorator: Callable[..., Any]) -> list[object]:
        record = define(decorator, options)
        for _ in range(before):
            record(1)
        return [
            outcome(lambda: dataclasses.astuple(record(1))),
            outcome(lambda: dataclasses.astuple(record(right="q", left=2, items=[3]))),
            outcome(lambda: record()),
            outcome(lambda: record(1, 2, 3, 4, 5)),
            outcome(lambda: record(right="q")),
            outcome(lambda: record(1, left=2)),
            outcome(lambda: record(1, unheard_of=2)),
            outcome(lambda: record(1).items is record(1).items),
            record.__match_args__,
            record.__doc__,
            [str(field) for field in dataclasses.fields(record)],
            hasattr(record(1), "__dict__"),
            record.__hash__ is None,
        ]

    assert results(quick) == results(dataclasses.dataclass)


def test_pickling() -> None:
    record = Pickled(1, "y")
    assert pickle.loads(pickle.dumps(record)) == record
    assert pickle.loads(pickle.dumps(Changeable(1))) == Changeable(1)


def test_a_record_that_holds_itself() -> None:
    record: Any = Changeable(1)
    record.left = record
    assert repr(record) == "Changeable(left=...)"
