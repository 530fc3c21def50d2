"""The command line: options in, exit code out.

Each command is a file in `commands`. What it takes is said in `options`, and read in one of two ways: `quick` has the
usual command lines and needs nothing for it, `full` has everything, with typer, which takes longer to import than
linting a file takes.
"""

import os
import sys
from collections.abc import Sequence

from tlslint.cli.ending import BROKEN_PIPE, FAILED, INTERRUPTED, Failure, OutputClosed
from tlslint.cli.streams import print_anything

COMMANDS = ("check", "show", "inventory", "ciphers", "rule", "policy", "schema", "init", "settings")
DEFAULT_COMMAND = "check"
OWN_OPTIONS = ("--help", "-h", "--version", "--install-completion", "--show-completion")
COMPLETION = "_TLSLINT_COMPLETE"
"""The variable of the environment by which a shell asks for completion."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code: 0 fine, 1 findings, 2 tlslint could not do its job."""
    print_anything()
    try:
        return _run(arguments)
    except Failure as failure:
        return _refuse(str(failure))
    except OutputClosed:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if "-v" in arguments or "--verbose" in arguments:
            from traceback import print_exception

            print_exception(error)
        return _refuse(f"internal error: {error!r} (-v shows where)")


def _run(arguments: Sequence[str]) -> int:
    name = asks_for(arguments)
    if name is not None and COMPLETION not in os.environ and _is_named_or_there(arguments):
        from tlslint.cli.commands import command
        from tlslint.cli.quick import values

        function = command(name)
        given = values(function, arguments[1:] if name in arguments[:1] else arguments)
        if given is not None:
            return function(**given)
    from tlslint.cli.full import run as run_full

    return run_full(arguments, None if COMPLETION in os.environ else name)


def asks_for(arguments: Sequence[str]) -> str | None:
    """Return the command that the arguments ask for, or None where they ask for what concerns all of them."""
    if arguments and arguments[0] in COMMANDS:
        return arguments[0]
    own = bool(arguments) and arguments[0].partition("=")[0] in OWN_OPTIONS
    return None if own else DEFAULT_COMMAND


def _is_named_or_there(arguments: Sequence[str]) -> bool:
    """Whether the first word is no misspelt command."""
    return not arguments or arguments[0].startswith("-") or arguments[0] in COMMANDS or os.path.lexists(arguments[0])


def _refuse(message: str) -> int:
    from tlslint.report.text import visible

    print("\n".join(f"error: {visible(line)}" for line in message.split("\n")), file=sys.stderr, flush=True)
    return FAILED
