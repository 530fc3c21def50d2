"""The whole command line, with typer: help, completion, complaints. The only module that knows typer."""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperGroup
from typer.main import get_command

from tlslint import __version__
from tlslint.cli import COMMANDS, DEFAULT_COMMAND, asks_for
from tlslint.cli.commands import command
from tlslint.cli.ending import FAILED, Failure
from tlslint.cli.options import Argument, Option
from tlslint.cli.streams import write

EPILOG = """\b
Without a command the paths are checked:
  tlslint                         everything below this directory
  tlslint deploy/nginx --root deploy/rootfs
  nginx -T | tlslint - --target local

`tlslint check --help` has all options. A file that is called like a command is written `./rule`.

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 tlslint could not do its job.
"""


def run(arguments: Sequence[str], name: str | None) -> int:
    """Run the command line and return the exit code; `name` is the command that it asks for, None asks for all."""
    try:
        app(COMMANDS if name is None else (name,)).main(list(arguments), prog_name="tlslint")
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else FAILED if leave.code else 0
    return 0


def app(names: Sequence[str] = COMMANDS) -> Any:
    """Return the command line with some commands alone: making all ready would take as long as linting a file."""
    made = typer.Typer(
        name="tlslint",
        cls=CheckByDefault,
        help="Predicts what an nginx or Apache configuration does on the wire, and says what is wrong with its TLS.",
        epilog=EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    made.callback()(_main)
    for name in names:
        made.command(name)(_callback(command(name), with_version=name == DEFAULT_COMMAND))
    return get_command(made)


class CheckByDefault(TyperGroup):
    """A group that takes arguments which begin with no command for those of `check`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front where none is named."""
        completing = ctx.resilient_parsing
        # what is being completed as the first word may become a command yet
        if asks_for(args) == DEFAULT_COMMAND and args[:1] != [DEFAULT_COMMAND] and not (completing and not args):
            if not completing and args and not args[0].startswith("-") and not os.path.lexists(args[0]):
                self._suggest(args[0])
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer the options of the default command where the command is not named."""
        offered = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            command = self.commands[DEFAULT_COMMAND]
            context = command.make_context(DEFAULT_COMMAND, [], parent=ctx, resilient_parsing=True)
            known = {item.value for item in offered}
            offered += [item for item in command.shell_complete(context, incomplete) if item.value not in known]
        return offered

    def _suggest(self, word: str) -> None:
        from difflib import get_close_matches

        close = get_close_matches(word, COMMANDS, n=1)
        if close:
            raise Failure(f'"{word}" is neither a command nor a file (did you mean "{close[0]}"?)')


def _show_version(wanted: bool) -> None:
    if wanted:
        write([f"tlslint {__version__}\n"])
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


def _main(version: _Version = False) -> None:
    pass


def _callback(function: Callable[..., int], *, with_version: bool) -> Callable[..., None]:
    """Return a command as typer takes one: with its own words for options, and raising the exit code."""

    def call(**given: Any) -> None:
        given.pop("version", None)
        raise typer.Exit(function(**given))

    signature = inspect.signature(function)
    parameters = [item.replace(annotation=_for_typer(item.annotation)) for item in signature.parameters.values()]
    if with_version:
        parameters += inspect.signature(_main).parameters.values()
    call.__doc__ = function.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {item.name: item.annotation for item in parameters}
    return call


def _for_typer(annotation: Any) -> Any:
    kind, item = get_args(annotation)
    common: dict[str, Any] = {"help": item.help, "metavar": item.metavar, "show_default": item.show_default}
    if item.completes is not None:
        common["autocompletion"] = _completing(item.completes)
    if isinstance(item, Argument):
        return Annotated[kind, typer.Argument(**common)]
    assert isinstance(item, Option)
    return Annotated[kind, typer.Option(*filter(None, (item.name, item.short)), min=item.minimum, **common)]


def _completing(what: str) -> Callable[[str], list[tuple[str, str]]]:
    """Return the function that completes one of what `tlslint.completion` knows, without loading it now."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        from tlslint import completion

        return list(getattr(completion, what)(incomplete))

    return complete
