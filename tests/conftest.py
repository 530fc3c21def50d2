"""A program of the system that a test runs and that is not installed: the test is skipped by the program's name."""

from collections.abc import Generator

import pytest

from support.servers import missing

PROGRAMS = frozenset(("openssl", "curl", "git", "apache2", "nginx"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Skip, or fail where nothing may be skipped, in the test itself."""
    return (yield from _needing_programs())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """The same in its fixtures."""
    return (yield from _needing_programs())


def _needing_programs() -> Generator[None, object, object]:
    try:
        return (yield)
    except FileNotFoundError as error:
        if error.filename not in PROGRAMS:
            raise
        missing(error.filename)
