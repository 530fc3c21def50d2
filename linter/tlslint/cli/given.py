"""From what the command line gives to the settings of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tlslint.cli.ending import Failure

if TYPE_CHECKING:
    from tlslint.settings import Settings


def settings_for(config: str | None, isolated: bool, **given: object) -> "Settings":
    """Return the settings of the file that counts, with what the command line gives in place of theirs."""
    from tlslint.settings import Settings, SettingsError, load_settings

    try:
        os.getcwd()
    except OSError as error:
        raise Failure(f"the current directory: {error.strerror}") from error
    if isolated and config is not None:
        raise Failure("--isolated and --config exclude each other")
    try:
        settings = Settings() if isolated else load_settings(file=config)
    except SettingsError as error:
        raise Failure(str(error)) from error
    path_map = given.pop("path_map", None)
    if path_map:
        assert isinstance(path_map, list)
        given["path_map"] = _path_map(path_map)
    defines = given.pop("apache_defines", None)
    if defines:
        assert isinstance(defines, list)
        given["apache_defines"] = tuple(defines)
    root = given.get("root")
    if isinstance(root, str) and not os.path.isdir(root):
        raise Failure(f"--root {root}: no such directory")
    return settings.overridden({name: value for name, value in given.items() if value is not None})


def _path_map(items: list[str]) -> dict[str, str]:
    mapped = {}
    for item in items:
        server, equals, here = item.partition("=")
        if not equals or not server.startswith("/") or not here:
            raise Failure(f"--path-map {item}: write it as /path/on/the/server=path/here")
        if not os.path.exists(here):
            raise Failure(f"--path-map {item}: {here} does not exist")
        mapped[server] = here
    return mapped


def moment(text: str | None) -> str | None:
    """Return what follows `--now`, if it is a date."""
    if text is None:
        return None
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise Failure(f"--now {text}: not a date such as 2026-03-01") from error
    return text


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what is wrong with the settings into a message."""
    from tlslint.policy import PolicyError
    from tlslint.selection import SelectorError
    from tlslint.settings import SettingsError
    from tlslint.target import TargetError

    try:
        yield
    except (PolicyError, SelectorError, SettingsError, TargetError) as error:
        raise Failure(str(error)) from error
