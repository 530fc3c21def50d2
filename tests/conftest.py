"""What holds for all tests: no test asserts a time, and a program that is not installed skips its test by name."""

from collections.abc import Generator

import pytest
from hypothesis import settings

from support.servers import missing

# a machine that is busy is no reason to fail
settings.register_profile("tlslint", deadline=None)
settings.load_profile("tlslint")

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
