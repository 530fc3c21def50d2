"""`dataclass` as the standard library has it, made quickly.

Up to Python 3.12 the standard library compiles up to eight functions for each dataclass, one at a time, which for all
of this package takes longer than linting a file. This one compiles `__init__` only; all other methods are shared code
over the fields. Type checkers are shown the original.
"""

import dataclasses
from collections.abc import Callable, Iterator
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool = False, eq: bool = True, order: bool = False, slots: bool = False):
        """Make a class a dataclass; the options are those that this package uses, and mean the same."""

        def decorate(cls: Any) -> Any:
            defined = frozenset(cls.__dict__)
            # without a docstring the standard library makes one of the signature, which takes long
            cls.__doc__ = cls.__doc__ or cls.__name__
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            for name, method in _methods(made, frozen, eq, order):
                if name not in defined:
                    setattr(made, name, method)
            return made

        return decorate


def _methods(cls: Any, frozen: bool, eq: bool, order: bool) -> Iterator[tuple[str, Any]]:
    fields = dataclasses.fields(cls)
    yield "__init__", _initializer(cls, fields, frozen)
    yield "__repr__", _representation([field.name for field in fields if field.repr])
    if eq:
        values = _values([field.name for field in fields if field.compare])
        yield "__eq__", _comparison(values, lambda mine, other: mine == other)
        yield "__hash__", _hash(fields) if frozen else None
        if order:
            yield "__lt__", _comparison(values, lambda mine, other: mine < other)
            yield "__le__", _comparison(values, lambda mine, other: mine <= other)
            yield "__gt__", _comparison(values, lambda mine, other: mine > other)
            yield "__ge__", _comparison(values, lambda mine, other: mine >= other)
    if frozen:
        yield "__setattr__", _refuse_assignment
        yield "__delattr__", _refuse_deletion
        yield "__getstate__", _state
        yield "__setstate__", _set_state


def _initializer(cls: Any, fields: tuple[dataclasses.Field[Any], ...], frozen: bool) -> Any:
    names: dict[str, Any] = {"missing": dataclasses.MISSING, "assign": object.__setattr__}
    parameters, lines = ["self"], []
    for field in fields:
        name, value = field.name, field.name
        if field.default is not dataclasses.MISSING:
            names[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            names[f"make_{name}"] = field.default_factory
            parameters.append(f"{name}=missing")
            value = f"make_{name}() if {name} is missing else {name}"
        else:
            parameters.append(name)
        lines.append(f"assign(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    # the text holds names of fields only
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), names)
    initializer = names["__init__"]
    initializer.__qualname__ = f"{cls.__qualname__}.__init__"
    return initializer


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function from an object to the values of these fields."""
    if not names:
        return lambda instance: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda instance: (get(instance),)


def _representation(names: list[str]) -> Any:
    @recursive_repr()
    def represent(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return represent


def _comparison(values: Callable[[Any], tuple[Any, ...]], compare: Callable[[Any, Any], bool]) -> Any:
    def method(self: Any, other: Any) -> Any:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return method


def _hash(fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    values = _values([field.name for field in fields if (field.compare if field.hash is None else field.hash)])
    return lambda self: hash(values(self))


def _refuse_assignment(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
