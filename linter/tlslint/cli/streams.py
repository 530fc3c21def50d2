"""Standard input, output and error: what is read and written, in which encoding, colour and width."""

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from tlslint.cli.ending import Failure, OutputClosed

if TYPE_CHECKING:
    from tlslint.finding import Report
    from tlslint.report.text import Palette


def standard_input(paths: Sequence[str]) -> bytes | None:
    """Return what is on standard input where the paths ask for it."""
    from tlslint.parse.tree import MAX_SOURCE_BYTES

    if "-" not in paths:
        return None
    if sys.stdin is None:
        raise Failure("standard input is closed")
    data = sys.stdin.buffer.read(MAX_SOURCE_BYTES + 1)
    if len(data) > MAX_SOURCE_BYTES:
        raise Failure(f"standard input is larger than {MAX_SOURCE_BYTES >> 20} MiB")
    return data


def write(blocks: Iterable[str]) -> None:
    """Write text to standard output."""
    text = "".join(blocks)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure(f"standard output: {error.strerror or error}") from error


def write_bytes(data: bytes) -> None:
    """Write bytes to standard output."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure(f"standard output: {error.strerror or error}") from error


def tell(blocks: Iterable[str]) -> None:
    """Write text to standard error, if anybody reads it."""
    with suppress(BrokenPipeError):
        sys.stderr.writelines(blocks)
        sys.stderr.flush()


def print_anything() -> None:
    """Have both streams show what their encoding does not have: paths and configurations may hold it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_utf8() -> None:
    """Write UTF-8: what other programs read does not depend on the terminal's encoding."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def palette_for(colour: str, stream: TextIO) -> "Palette":
    """Return the colours for a stream: `always`, `never`, or `auto` as fits what it is connected to."""
    from tlslint.report.text import COLOURED, PLAIN

    if colour == "auto":
        colour = "always" if _wants_colour(stream) else "never"
    return COLOURED if colour == "always" else PLAIN


def _wants_colour(stream: TextIO) -> bool:
    """Follow no-color.org and force-color.org, then ask whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Return how wide tables may be: as the terminal, or enough for a line of an e-mail or log."""
    from shutil import get_terminal_size

    return max(60, min(get_terminal_size((100, 24)).columns, 160))


def watched(quiet: bool) -> AbstractContextManager[None]:
    """Show on the terminal how far a long run is."""
    from tlslint.progress import shown

    return shown(sys.stderr, wanted=not quiet)


def remark(report: "Report", colour: str, quiet: bool, verbose: bool, total: bool = True) -> None:
    """Say on standard error what there is to say of a run besides its findings."""
    from tlslint.report import summary

    palette = palette_for(colour, sys.stderr)
    if not quiet:
        tell(summary.gaps(report, palette, verbose=verbose))
        if total:
            tell(summary.total(report, palette))
            tell(summary.fixable(report, palette))
    tell(summary.errors(report, palette))
    if verbose:
        from traceback import print_exception

        for failure in report.failures:
            print_exception(failure)
