"""`tlslint init`: settings to begin with."""

import os
from typing import Annotated

from tlslint.cli.ending import Failure
from tlslint.cli.options import Option
from tlslint.cli.streams import tell, write


def command(
    show: Annotated[bool, Option("--print", help="Print it instead of writing it.")] = False,
) -> int:
    """Write a commented tlslint.toml for what is found here; one that is there stays as it is."""
    from tlslint.initial import look_around, settings_text
    from tlslint.settings import SETTINGS_FILE, find_settings

    here = find_settings()
    if not show and here is not None and os.path.dirname(here) == os.getcwd():
        raise Failure(f"{os.path.basename(here)} has settings already; --print shows what would be written")
    text = settings_text(look_around())
    if show:
        write([text])
        return 0
    try:
        with open(SETTINGS_FILE, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"{SETTINGS_FILE}: {error.strerror or error}") from error
    tell([f"{SETTINGS_FILE} is written; `tlslint` uses it from now on\n"])
    return 0
