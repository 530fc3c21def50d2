"""`dataclass`, `field` and `replace` as the standard library has them, made quickly.

The standard library compiles up to eight functions for each dataclass, one at a time, which for all of this package
takes longer than linting a file. Here a method is made when it is called for the first time: most classes are never
used in a short run. Its module is slow to import, too, and comes when somebody asks a class for its fields. Type
checkers are shown the originals.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

MISSING: Any = object()
"""Stands where no default is given."""
FEW = 16
"""So many objects of a class are made before it is worth while to compile an initializer."""


class Field:
    """What is said of a field beside its type."""

    __slots__ = ("compare", "default", "default_factory", "hash", "repr")

    def __init__(self, default: Any, default_factory: Any, repr_: bool, hash_: bool | None, compare: bool) -> None:
        self.default = default
        self.default_factory = default_factory
        self.repr = repr_
        self.hash = hash_
        self.compare = compare

    def standard(self) -> Any:
        """Return the standard library's object that says the same."""
        import dataclasses

        given = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not MISSING}
        return dataclasses.field(**given)


if TYPE_CHECKING:
    import dataclasses
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    def field(*, default=MISSING, default_factory=MISSING, repr=True, hash=None, compare=True):  # noqa: A002
        """Return what says more of a field than its type; the options are those that this package uses."""
        return Field(default, default_factory, repr, hash, compare)

    def dataclass(*, frozen: bool = False, eq: bool = True, order: bool = False, slots: bool = False):
        """Make a class a dataclass; the options are those that this package uses, and mean the same."""
        return lambda cls: _made(cls, frozen, eq, order, slots)

    def replace(record, /, **changes):
        """Return a record with other values for some fields."""
        for name in record.__match_args__:
            if name not in changes:
                changes[name] = getattr(record, name)
        return record.__class__(**changes)


def _made(cls: Any, frozen: bool, eq: bool, order: bool, slots: bool) -> Any:
    fields = _Fields(cls)
    added = {name: method for name, method in _methods(fields, frozen, eq, order) if name not in cls.__dict__}
    added["__dataclass_fields__"] = fields
    added["__match_args__"] = tuple(fields.all)
    if cls.__doc__ is None:
        # what the standard library makes of the signature takes long
        added["__doc__"] = cls.__name__
    if slots:
        namespace = {**cls.__dict__, **added, "__qualname__": cls.__qualname__}
        for name in (*fields.own, "__dict__", "__weakref__"):
            namespace.pop(name, None)
        taken = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
        namespace["__slots__"] = tuple(name for name in fields.own if name not in taken)
        fields.cls = type(cls)(cls.__name__, cls.__bases__, namespace)
        return fields.cls
    for name, default in fields.own.items():
        if isinstance(default, Field):
            if default.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, default.default)
    for name, value in added.items():
        setattr(cls, name, value)
    return cls


class _Fields:
    """The fields of a record, and `__dataclass_fields__` of its class when somebody asks for it."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        self.annotations = cls.__annotations__
        self.own = {name: cls.__dict__.get(name, MISSING) for name in self.annotations}
        """What stands behind the equals sign of each."""
        self.all: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited = base.__dict__.get("__dataclass_fields__")
            if isinstance(inherited, _Fields):
                self.all.update(inherited.own)
        self.all.update(self.own)

    def __get__(self, instance: object, owner: object = None) -> "dict[str, dataclasses.Field[Any]]":
        """Have the standard library make them of a class that has nothing else."""
        import dataclasses

        namespace = {
            name: value.standard() if isinstance(value, Field) else value
            for name, value in self.own.items()
            if value is not MISSING
        }
        bases: tuple[Any, ...] = tuple(base for base in self.cls.__bases__ if dataclasses.is_dataclass(base))
        alike: Any = type(self.cls.__name__, bases, {**namespace, "__annotations__": self.annotations, "__doc__": ""})
        made: dict[str, dataclasses.Field[Any]]
        made = dataclasses.dataclass(init=False, repr=False, eq=False)(alike).__dataclass_fields__
        return made

    def needed(self) -> set[str]:
        """Return the names of the fields that have no default."""
        return {name for name, default in self.all.items() if _has_none(default)}

    def named(self, wanted: Callable[[Any], bool] = lambda field: True) -> list[str]:
        """Return the names of those fields that are wanted; a field that says nothing of itself is."""
        return [name for name, value in self.all.items() if not isinstance(value, Field) or wanted(value)]


def _methods(fields: _Fields, frozen: bool, eq: bool, order: bool) -> Iterator[tuple[str, Any]]:
    yield "__init__", _first_initializer(fields, frozen)
    yield "__repr__", _represent
    if eq:
        yield "__eq__", _late(fields, "__eq__", lambda: _comparison(fields, lambda mine, other: mine == other))
        yield "__hash__", _late(fields, "__hash__", lambda: _hash(fields)) if frozen else None
        if order:
            yield "__lt__", _comparison(fields, lambda mine, other: mine < other)
            yield "__le__", _comparison(fields, lambda mine, other: mine <= other)
            yield "__gt__", _comparison(fields, lambda mine, other: mine > other)
            yield "__ge__", _comparison(fields, lambda mine, other: mine >= other)
    if frozen:
        yield "__setattr__", _refuse_assignment
        yield "__delattr__", _refuse_deletion
        yield "__getstate__", _state
        yield "__setstate__", _set_state


def _late(fields: _Fields, name: str, make: Callable[[], Any]) -> Any:
    """Return a method that makes the one which takes its place, and calls it."""

    def method(self: Any, *values: Any, **named: Any) -> Any:
        made = make()
        setattr(fields.cls, name, made)
        return made(self, *values, **named)

    return method


def _first_initializer(fields: _Fields, frozen: bool) -> Any:
    """Return the initializer of the first few objects, which is slower than one that is compiled, and not compiled.

    Most classes have few objects in a short run, and compiling takes as long as making dozens of them with this.
    """
    assign, made = object.__setattr__, 0

    def method(self: Any, *values: Any, **named: Any) -> None:
        nonlocal made
        made += 1
        given = dict(zip(fields.all, values, strict=False))
        usual = made <= FEW and len(given) == len(values) and given.keys().isdisjoint(named)
        given.update(named)
        if not usual or not given.keys() <= fields.all.keys() or not fields.needed() <= given.keys():
            # wrong arguments are for the compiled one to refuse
            initializer = _initializer(fields, frozen)
            fields.cls.__init__ = initializer
            initializer(self, *values, **named)
            return
        for name, default in fields.all.items():
            assign(self, name, given[name] if name in given else _made_default(default))

    return method


def _has_none(default: Any) -> bool:
    return default is MISSING or (isinstance(default, Field) and default.default is MISSING is default.default_factory)


def _made_default(default: Any) -> Any:
    if not isinstance(default, Field):
        return default
    return default.default if default.default_factory is MISSING else default.default_factory()


def _initializer(fields: _Fields, frozen: bool) -> Any:
    factory: Any
    names: dict[str, Any] = {"missing": MISSING, "assign": object.__setattr__}
    parameters, lines = ["self"], []
    for name, default in fields.all.items():
        value, factory = name, MISSING
        if isinstance(default, Field):
            factory = default.default_factory
            default = default.default
        if default is not MISSING:
            names[f"default_{name}"] = default
            parameters.append(f"{name}=default_{name}")
        elif factory is not MISSING:
            names[f"make_{name}"] = factory
            parameters.append(f"{name}=missing")
            value = f"make_{name}() if {name} is missing else {name}"
        else:
            parameters.append(name)
        lines.append(f"assign(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    # the text holds names of fields only
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), names)
    initializer = names["__init__"]
    initializer.__qualname__ = f"{fields.cls.__qualname__}.__init__"
    return initializer


@recursive_repr()
def _represent(self: Any) -> str:
    # not of a subclass that is no record
    names = _fields_of(self).named(lambda field: field.repr)
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _fields_of(record: Any) -> _Fields:
    fields = (cls.__dict__.get("__dataclass_fields__") for cls in type(record).__mro__)
    return next(found for found in fields if isinstance(found, _Fields))


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function from an object to the values of these fields."""
    if not names:
        return lambda instance: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda instance: (get(instance),)


def _comparison(fields: _Fields, compare: Callable[[Any, Any], bool]) -> Any:
    values = _values(fields.named(lambda field: field.compare))

    def method(self: Any, other: Any) -> Any:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return method


def _hash(fields: _Fields) -> Any:
    values = _values(fields.named(lambda field: field.compare if field.hash is None else field.hash))
    return lambda self: hash(values(self))


def _refuse_assignment(self: Any, name: str, value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__match_args__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)
