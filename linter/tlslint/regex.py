"""Regular expressions that are compiled when they are first used: most of them are not in a short run."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # noqa: N801 - stands where `re.compile` would
        """A pattern as `re.compile` returns it, for one that stands outside of any function."""

        def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
            self._arguments = pattern, flags

        def __getattr__(self, name: str) -> Any:
            # from now on found without asking here
            value = self.__dict__[name] = getattr(re.compile(*self._arguments), name)
            return value


__all__ = ["regex"]
