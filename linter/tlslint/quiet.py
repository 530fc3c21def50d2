"""Keeps the remarks of `cryptography` about unusual certificates off standard error.

Entering a warnings filter for each certificate takes longer than reading it, so whoever reads many enters one around
all of them (`quiet_certificates`), and the filters inside then do nothing.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_SOURCES = r"(tlslint\.pki|cryptography)(\.|$)"
"""The modules that remarks are put down to: those that call the library, and its own."""

_depth = 0


@contextmanager
def quiet_certificates() -> Iterator[None]:
    """Ignore what the library remarks, and leave all other warnings alone."""
    global _depth
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=_SOURCES)
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1


class quietly:  # noqa: N801 - used as a statement
    """The same for one call, at no cost where it is quiet already. Used as a context."""

    __slots__ = ("_filter",)

    def __enter__(self) -> None:
        self._filter = None if _depth else quiet_certificates()
        if self._filter is not None:
            self._filter.__enter__()

    def __exit__(self, *exception: object) -> None:
        if self._filter is not None:
            self._filter.__exit__(*exception)  # type: ignore[arg-type]
