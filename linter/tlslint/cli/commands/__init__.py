"""The commands: one file each, in which the function `command` takes what the command line gives and does the work.

Commands import what they need when they run, so that each starts quickly.
"""

from collections.abc import Callable
from importlib import import_module


def command(name: str) -> Callable[..., int]:
    """Return a command by its name: its parameters say what it takes (`cli.options`), it returns the exit code."""
    function: Callable[..., int] = import_module(f"{__name__}.{name}").command
    return function
