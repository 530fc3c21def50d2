"""The command line: options in, exit code out. The only module that knows typer.

Commands import what they need when they run, so that each starts quickly.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import copy
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TextIO

import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.models import CommandInfo

from tlslint import __version__

if TYPE_CHECKING:
    from tlslint.finding import Report
    from tlslint.fix.engine import Change, Outcome
    from tlslint.inventory import Inventory
    from tlslint.report.formats import View
    from tlslint.report.text import Palette
    from tlslint.settings import Settings

FINDINGS = 1
FAILED = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
DEFAULT_COMMAND = "check"


class Failure(Exception):  # noqa: N818 - not an error of tlslint
    """tlslint cannot do what it was asked to do; the message is for the user."""


EPILOG = """\b
Without a command the paths are checked:
  tlslint                         everything below this directory
  tlslint deploy/nginx --root deploy/rootfs
  nginx -T | tlslint - --target local

`tlslint check --help` has all options. A file that is called like a command is written `./rule`.

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 tlslint could not do its job.
"""


class OutputClosed(Exception):  # noqa: N818 - not an error at all
    """Whoever reads the output has seen enough (`tlslint | head`)."""


OWN_OPTIONS = ("--help", "-h", "--version", "--install-completion", "--show-completion")


def command_names() -> dict[str, CommandInfo]:
    """Return the commands by name."""
    return {info.name or info.callback.__name__: info for info in app.registered_commands if info.callback}


def asks_for(arguments: Sequence[str]) -> str | None:
    """Return the command that the arguments ask for, or None where they ask for what concerns all of them."""
    if arguments and arguments[0] in command_names():
        return arguments[0]
    own = bool(arguments) and arguments[0].partition("=")[0] in OWN_OPTIONS
    return None if own else DEFAULT_COMMAND


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

        close = get_close_matches(word, command_names(), n=1)
        if close:
            raise Failure(f'"{word}" is neither a command nor a file (did you mean "{close[0]}"?)')


app = typer.Typer(
    name="tlslint",
    cls=CheckByDefault,
    help="Predicts what an nginx or Apache configuration does on the wire, and says what is wrong with its TLS.",
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code: 0 fine, 1 findings, 2 tlslint could not do its job."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # paths and configurations may hold what the terminal's encoding does not
            stream.reconfigure(errors="backslashreplace")
    try:
        get_command(_with_command(asks_for(arguments))).main(list(arguments), prog_name="tlslint")
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else FAILED if leave.code else 0
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
    return 0


def _with_command(name: str | None) -> typer.Typer:
    """Return the app with that command alone: making the others ready would take as long as linting a file."""
    if name is None or "_TLSLINT_COMPLETE" in os.environ:
        return app
    only = copy(app)
    only.registered_commands = [command_names()[name]]
    return only


def _refuse(message: str) -> int:
    from tlslint.report.text import visible

    print("\n".join(f"error: {visible(line)}" for line in message.split("\n")), file=sys.stderr, flush=True)
    return FAILED


def _completing(what: str) -> Callable[[str], list[tuple[str, str]]]:
    """Return the function that completes one of what `tlslint.completion` knows, without loading it now."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        from tlslint import completion

        return list(getattr(completion, what)(incomplete))

    return complete


# -- what the commands share ---------------------------------------------------------------------------------------

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Files and directories (default: `.`); `-` is standard input, also from `nginx -T`.",
        show_default=False,
    ),
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME|FILE",
        help="The policy to compare with (default: intermediate).",
        autocompletion=_completing("policies"),
    ),
]
TargetName = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="SPEC",
        help="Versions to predict for: `nginx=1.22.1,openssl=3.0.19`, `debian-12`, `local`.",
        autocompletion=_completing("targets"),
    ),
]
RootFolder = Annotated[str | None, typer.Option("--root", metavar="DIR", help="What `/` means in absolute paths.")]
PathMap = Annotated[
    list[str] | None,
    typer.Option("--path-map", metavar="FROM=TO", help="Where a directory of the server is here; repeatable."),
]
Server = Annotated[
    Literal["auto", "nginx", "apache"] | None,
    typer.Option("--server", help="How files are read (default: by their content)."),
]
Defines = Annotated[
    list[str] | None,
    typer.Option(
        "--define", "-D", metavar="NAME", help="Apache: a name for `<IfDefine>`, as in `httpd -D`; repeatable."
    ),
]
Now = Annotated[str | None, typer.Option("--now", metavar="DATE", help="Judge dates as of this day: `2026-03-01`.")]
StdinFilename = Annotated[
    str | None, typer.Option("--stdin-filename", metavar="PATH", help="The file that standard input stands for.")
]
ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Settings file, instead of the nearest tlslint.toml.")
]
Isolated = Annotated[bool, typer.Option("--isolated", help="Ignore all settings files.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes at work on large trees (default: one a CPU)."),
]
Colour = Annotated[Literal["auto", "always", "never"], typer.Option("--color", help="When to use colour.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Findings and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="List everything that could not be checked.")]
FindingsFormat = Annotated[
    Literal[
        "full", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "checkstyle", "rdjson", "azure",
        "sonarqube", "markdown",
    ],
    typer.Option(
        "--output-format", metavar="FORMAT", help="How to print findings (default: full).", show_default=False
    ),
]  # fmt: skip
ReportFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=FILE",
        help="Also write the findings to a file; repeatable.",
        autocompletion=_completing("reports"),
    ),
]
TableFormat = Annotated[Literal["table", "json"], typer.Option("--output-format", help="How to print it.")]


def _settings(config: str | None, isolated: bool, **given: object) -> "Settings":
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


def _standard_input(paths: Sequence[str]) -> bytes | None:
    from tlslint.parse.tree import MAX_SOURCE_BYTES

    if "-" not in paths:
        return None
    if sys.stdin is None:
        raise Failure("standard input is closed")
    data = sys.stdin.buffer.read(MAX_SOURCE_BYTES + 1)
    if len(data) > MAX_SOURCE_BYTES:
        raise Failure(f"standard input is larger than {MAX_SOURCE_BYTES >> 20} MiB")
    return data


def _palette(colour: str, stream: TextIO) -> "Palette":
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


def _columns() -> int:
    """Return how wide tables may be: as the terminal, or enough for a line of an e-mail or log."""
    from shutil import get_terminal_size

    return max(60, min(get_terminal_size((100, 24)).columns, 160))


def _write(blocks: Iterable[str]) -> None:
    text = "".join(blocks)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure(f"standard output: {error.strerror or error}") from error


def _tell(blocks: Iterable[str]) -> None:
    with suppress(BrokenPipeError):
        sys.stderr.writelines(blocks)
        sys.stderr.flush()


def _show_version(wanted: bool) -> None:
    if wanted:
        _write([f"tlslint {__version__}\n"])
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


@app.callback()
def _main(version: Version = False) -> None:
    pass


# -- check ---------------------------------------------------------------------------------------------------------


@app.command()
def check(
    paths: Paths = None,
    policy: PolicyName = None,
    target: TargetName = None,
    root: RootFolder = None,
    path_map: PathMap = None,
    server: Server = None,
    define: Defines = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="RULES",
            help="Codes, prefixes or names of the rules that run; `ALL`.",
            autocompletion=_completing("selectors"),
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="RULES",
            help="The same for rules that do not run.",
            autocompletion=_completing("selectors"),
        ),
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "info"] | None,
        typer.Option("--fail-on", help="Lowest severity that makes the exit code 1 (default: warning)."),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever was found.")] = False,
    hook: Annotated[
        bool,
        typer.Option(
            "--hook",
            help="PATHS are files that changed: read all that has to do with them, report what concerns them.",
        ),
    ] = False,
    now: Now = None,
    trust_store: Annotated[
        list[str] | None,
        typer.Option(
            "--trust-store", metavar="FILE", help="Roots that clients trust: a PEM file, `system`, `none`; repeatable."
        ),
    ] = None,
    require_certificates: Annotated[
        bool, typer.Option("--require-certificates", help="A certificate or key that is not here is an error.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe fixes, and report what remains.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="With --fix, --diff or --patch-dir: the unsafe fixes as well.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print what --fix would change as a patch; nothing is written.")
    ] = False,
    patch_dir: Annotated[
        str | None,
        typer.Option(
            "--patch-dir", metavar="DIR", help="Write a patch for each fix there, each for the files as they are."
        ),
    ] = None,
    fixable: Annotated[
        list[str] | None,
        typer.Option(
            "--fixable",
            metavar="RULES",
            help="Rules whose fixes may be made; `ALL`.",
            autocompletion=_completing("selectors"),
        ),
    ] = None,
    unfixable: Annotated[
        list[str] | None,
        typer.Option(
            "--unfixable",
            metavar="RULES",
            help="Rules whose fixes may not be made.",
            autocompletion=_completing("selectors"),
        ),
    ] = None,
    verify_with_server: Annotated[
        bool,
        typer.Option(
            "--verify-with-server",
            help="With --fix: ask this machine's server (`nginx -t`) before and after; undo what it refuses.",
        ),
    ] = False,
    output_format: FindingsFormat = "full",
    report_files: ReportFiles = None,
    add_ignore: Annotated[
        bool, typer.Option("--add-ignore", help="Write a comment for each finding that is left; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="With --add-ignore: why it is accepted.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="With --add-ignore: the last day on which it is.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="FILE", help="Findings that are known and accepted.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept all findings that there are now, and forget solved ones.")
    ] = False,
    fail_on_stale: Annotated[
        bool, typer.Option("--fail-on-stale", help="Exit with 1 where the baseline has what is no longer there.")
    ] = False,
    changed_since: Annotated[
        str | None, typer.Option("--changed-since", metavar="REF", help="Report only what that revision did not have.")
    ] = None,
    show_ignored: Annotated[
        bool, typer.Option("--show-ignored", help="Show what comments and the baseline hide, too.")
    ] = False,
    no_ignores: Annotated[
        bool, typer.Option("--no-ignores", help="Report what comments and the baseline hide.")
    ] = False,
    statistics: Annotated[bool, typer.Option("--statistics", help="Print the number of findings by rule.")] = False,
    stdin_filename: StdinFilename = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    jobs: Jobs = None,
    color: Colour = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Version = False,
) -> None:
    """Report what is wrong (the default command)."""
    from tlslint.run import lint

    for other, given in (
        ("--no-ignores", no_ignores),
        ("--fix", fix),
        ("--diff", diff),
        ("--patch-dir", patch_dir),
        ("--changed-since", changed_since),
    ):
        if write_baseline and given:
            raise Failure(f"--write-baseline and {other} exclude each other")
    if add_ignore and (fix or diff or patch_dir is not None):
        raise Failure("--add-ignore and fixes exclude each other")
    if changed_since is not None and "-" in (paths or []):
        raise Failure("--changed-since compares files: standard input has no earlier revision")
    if hook and "-" in (paths or []):
        raise Failure("--hook takes files, not standard input")
    if hook and write_baseline:
        raise Failure("--write-baseline needs all findings, and --hook has those of a few files")
    settings = _settings(
        config, isolated, jobs=jobs, policy=policy, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, select=select, ignore=ignore, fail_on=fail_on, now=_moment(now),
        stdin_filename=stdin_filename,
        trust_store=tuple(trust_store) if trust_store else None, require_certificates=require_certificates or None,
        show_ignored=show_ignored or None, no_ignores=no_ignores or None,
        baseline=baseline, write_baseline=write_baseline or None, changed_since=changed_since,
        fixable=fixable, unfixable=unfixable,
        hook=hook or None,
    )  # fmt: skip
    files = _report_files(report_files or [])

    def presented(report: "Report") -> Iterable[str]:
        view = _view(_palette(color, sys.stdout), settings.fail_on)
        failed = _write_reports(report, files, view)
        if failed and "-" not in (paths or []):
            _write(_rendered(report, output_format, statistics, view))
        if failed:
            raise Failure("\n".join(failed))
        return _rendered(report, output_format, statistics, view)

    if fix or diff or patch_dir is not None:
        wishes = _FixWishes(unsafe_fixes, diff, patch_dir, verify_with_server)
        raise typer.Exit(_fix(paths or [], settings, wishes, presented, color, quiet, verbose, exit_zero))
    if unsafe_fixes or verify_with_server:
        option = "--unsafe-fixes" if unsafe_fixes else "--verify-with-server"
        raise Failure(f"{option} goes with --fix{', --diff or --patch-dir' if unsafe_fixes else ''}")
    if add_ignore:
        if "-" in (paths or []) or write_baseline or no_ignores:
            raise Failure("--add-ignore goes with files, and not with --write-baseline or --no-ignores")
        _add_ignores(paths or [], settings, reason, until, quiet)
    elif reason is not None or until is not None:
        raise Failure("--reason and --until go with --add-ignore")
    with _refusing(), _watched(quiet):
        report = lint(paths or [], settings, _standard_input(paths or []))
    _write(presented(report))
    _remarks(report, color, quiet, verbose)
    code = _exit_code(report, settings.fail_on, exit_zero)
    if report.new_baseline is not None and code != FAILED:
        from tlslint.baseline import write_baseline as save_baseline

        with _refusing():
            save_baseline(report.baseline, report.new_baseline)
    raise typer.Exit(FINDINGS if fail_on_stale and report.stale and not code else code)


def _add_ignores(paths: list[str], settings: "Settings", reason: str | None, until: str | None, quiet: bool) -> None:
    """Write comments that suppress what is found; what remains is for the run that follows."""
    from tlslint.annotate import annotated, tail_of
    from tlslint.fix.write import WriteRefused, write
    from tlslint.report.text import counted, visible
    from tlslint.rules import RULES
    from tlslint.run import lint, moment
    from tlslint.selection import Selection

    with _refusing(), _watched(quiet):
        tail = tail_of(reason or "", until, moment(settings).date())
        selection = Selection([module.rule for module in RULES], settings)
        report = lint(paths, settings)
    made = annotated(report.findings, report.trees, selection, tail)
    try:
        if made.changes:
            write(made.changes)
    except WriteRefused as refusal:
        raise Failure(f"{refusal}; nothing was changed") from refusal
    if not quiet:
        files = counted(len(made.changes), "file")
        _tell([f"note: {counted(made.comments, 'comment')} written to {files}\n"] if made.changes else [])
        for finding, why in made.refused:
            place = f"{finding.span.source.path}:{finding.span.line}"
            _tell([f"note: not ignored: {visible(place)}: {finding.name}: {visible(why)}\n"])


def _report_files(items: Sequence[str]) -> list[tuple[str, str]]:
    """Return format and path of each file that is wanted."""
    from tlslint.report.formats import FORMATS

    wanted: list[tuple[str, str]] = []
    for item in items:
        name, equals, path = item.partition("=")
        if not equals or not path:
            raise Failure(f"--report {item}: write it as FORMAT=FILE, such as sarif=tlslint.sarif")
        if path == "-":
            raise Failure(f"--report {item}: standard output is for --output-format")
        if path in (other for _, other in wanted):
            raise Failure(f"--report {item}: another report goes to that file")
        if name not in FORMATS:
            raise Failure(f'--report {item}: no format is called "{name}"; there are {", ".join(FORMATS)}')
        wanted.append((name, path))
    return wanted


def _view(palette: "Palette", fail_on: str) -> "View":
    from tlslint.finding import Severity
    from tlslint.report.formats import View
    from tlslint.rules import RULES

    return View({module.rule.code: module for module in RULES}, palette, Severity[fail_on.upper()])


def _write_reports(report: "Report", files: Iterable[tuple[str, str]], view: "View") -> list[str]:
    """Write the files that can be written, and return what is wrong with the others."""
    from tlslint.record import replace
    from tlslint.report.formats import FORMATS
    from tlslint.report.text import PLAIN
    from tlslint.writing import write_atomically

    failed = []
    for name, path in files:
        text = "".join(FORMATS[name].render(report, replace(view, palette=PLAIN)))
        try:
            write_atomically(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            failed.append(f"--report {name}={path}: {error.strerror or error}")
    return failed


class _FixWishes(NamedTuple):
    """What is to be done with fixes."""

    unsafe: bool
    diff: bool
    patch_dir: str | None
    ask_server: bool


def _fix(
    paths: list[str],
    settings: "Settings",
    wishes: _FixWishes,
    presented: Callable[["Report"], Iterable[str]],
    color: str,
    quiet: bool,
    verbose: bool,
    exit_zero: bool,
) -> int:
    """Make fixes, or show them, and report what remains; returns the exit code."""
    from tlslint.fix.patch import base_of
    from tlslint.run import fix

    stdin = _standard_input(paths)
    if wishes.patch_dir is not None:
        return _patches(paths, settings, wishes, stdin, color, quiet)
    with _refusing(), _watched(quiet):
        outcome = fix(paths, settings, stdin, unsafe=wishes.unsafe)
    palette = _palette(color, sys.stderr)
    if wishes.diff:
        changes = _diffable(outcome, stdin)
        base = base_of(changes, ".")
        _write_bytes(_patch_of(changes, base))
        _remarks(outcome.report, color, quiet, verbose, total=False)
        _tell_of_fixes(outcome, palette, quiet, verbose, "would fix")
        if base == "/" and changes and not quiet:
            _tell(["note: the patch is to be applied in /\n"])
        failed = _exit_code(outcome.report, "error", exit_zero=True)
        return failed or (FINDINGS if changes and not exit_zero else 0)
    backups = _made(outcome, settings, wishes.ask_server)
    report = presented(outcome.report)
    if stdin is None:
        _write(report)
    else:
        _write_bytes(next((one.after for one in outcome.changes if one.file == "-"), stdin))
        _tell(report)
    _remarks(outcome.report, color, quiet, verbose)
    _tell_of_fixes(outcome, palette, quiet, verbose, "fixed")
    if backups and not quiet:
        _tell(f"note: {path} has the file as it was\n" for path in backups)
    return _exit_code(outcome.report, settings.fail_on, exit_zero)


def _made(outcome: "Outcome", settings: "Settings", ask_server: bool) -> list[str]:
    """Write what fixes came to; returns the copies that were kept."""
    from tlslint.fix.server import ServerRefused, write_verified
    from tlslint.fix.write import WriteRefused, write

    changes = [change for change in outcome.changes if change.file != "-"]
    try:
        if ask_server:
            return write_verified(changes, outcome.report.entries)
        return write(changes) if changes else []
    except (WriteRefused, ServerRefused) as refusal:
        raise Failure(f"{refusal}; nothing was changed") from refusal


def _diffable(outcome: "Outcome", stdin: bytes | None) -> list["Change"]:
    from tlslint.fix.patch import holds_key

    found = []
    for change in outcome.changes:
        if change.file == "-":
            _tell(["note: standard input is no file that a patch could be for; --fix prints it fixed\n"])
        elif holds_key(change):
            _tell([f"note: {change.shown} is left out, because a patch could show its private key\n"])
        else:
            found.append(change)
    return found


def _patch_of(changes: "list[Change]", base: str) -> bytes:
    from tlslint.fix.patch import patch

    return patch(changes, base)


def _patches(
    paths: list[str], settings: "Settings", wishes: _FixWishes, stdin: bytes | None, color: str, quiet: bool
) -> int:
    """Write a patch for each fix into a directory; returns the exit code."""
    from tlslint.fix.patch import base_of
    from tlslint.run import single_fixes

    assert wishes.patch_dir is not None
    written = 0
    try:
        os.makedirs(wishes.patch_dir, exist_ok=True)
        with _refusing(), _watched(quiet):
            for finding, outcome in single_fixes(paths, settings, stdin, unsafe=wishes.unsafe):
                changes = _diffable(outcome, stdin)
                if not changes:
                    continue
                written += 1
                name = f"{written:04}-{finding.name}-{os.path.basename(changes[0].file)}.patch"
                with open(os.path.join(wishes.patch_dir, name), "xb") as file:
                    file.write(_patch_of(changes, base_of(changes, ".")))
    except OSError as error:
        raise Failure(f"--patch-dir: {error.filename or wishes.patch_dir}: {error.strerror or error}") from error
    if not quiet:
        _tell([f"{written} patch{'' if written == 1 else 'es'} in {wishes.patch_dir}\n"])
    return 0


def _tell_of_fixes(outcome: "Outcome", palette: "Palette", quiet: bool, verbose: bool, verb: str) -> None:
    from tlslint.report import fixes

    if not quiet:
        _tell(fixes.render(outcome.fixed, outcome.held_back, outcome.refused, palette, verb=verb, verbose=verbose))


def _write_bytes(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure(f"standard output: {error.strerror or error}") from error


def _moment(text: str | None) -> str | None:
    from datetime import datetime

    if text is not None:
        try:
            datetime.fromisoformat(text)
        except ValueError as error:
            raise Failure(f"--now {text}: not a date such as 2026-03-01") from error
    return text


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what is wrong with the settings into a message."""
    from tlslint.policy import PolicyError
    from tlslint.selection import SelectorError
    from tlslint.settings import SettingsError
    from tlslint.target import TargetError

    try:
        yield
    except (PolicyError, SelectorError, SettingsError, TargetError) as error:
        raise Failure(str(error)) from error


def _watched(quiet: bool) -> AbstractContextManager[None]:
    """Show on the terminal how far a long run is."""
    from tlslint.progress import shown

    return shown(sys.stderr, wanted=not quiet)


def _rendered(report: "Report", output_format: str, statistics: bool, view: "View") -> Iterable[str]:
    from tlslint.report.formats import FORMATS

    chosen = FORMATS[output_format]
    if statistics and chosen.for_people:
        from tlslint.report import statistics as counts

        return counts.render(report.findings, view.palette)
    if not chosen.for_people and isinstance(sys.stdout, TextIOWrapper):
        # what other programs read does not depend on the terminal's encoding
        sys.stdout.reconfigure(encoding="utf-8")
    return chosen.render(report, view)


def _remarks(report: "Report", colour: str, quiet: bool, verbose: bool, total: bool = True) -> None:
    from tlslint.report import summary

    palette = _palette(colour, sys.stderr)
    if not quiet:
        _tell(summary.gaps(report, palette, verbose=verbose))
        if total:
            _tell(summary.total(report, palette))
            _tell(summary.fixable(report, palette))
    _tell(summary.errors(report, palette))
    if verbose:
        from traceback import print_exception

        for failure in report.failures:
            print_exception(failure)


def _exit_code(report: "Report", fail_on: str, exit_zero: bool) -> int:
    from tlslint.finding import Severity

    if report.problems or report.failures:
        return FAILED
    if not report.deployments and not report.partial and any("template" not in why for _, why in report.skipped):
        return FAILED
    limit = Severity[fail_on.upper()]
    return FINDINGS if not exit_zero and any(finding.severity >= limit for finding in report.findings) else 0


# -- show ----------------------------------------------------------------------------------------------------------


@app.command()
def show(
    paths: Paths = None,
    target: TargetName = None,
    root: RootFolder = None,
    path_map: PathMap = None,
    server: Server = None,
    define: Defines = None,
    output_format: TableFormat = "table",
    stdin_filename: StdinFilename = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    jobs: Jobs = None,
    color: Colour = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what every endpoint answers, and why."""
    from tlslint.report import show as report_show
    from tlslint.run import predict

    settings = _settings(
        config, isolated, jobs=jobs, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, stdin_filename=stdin_filename,
    )  # fmt: skip
    with _refusing(), _watched(quiet):
        deployments, report = predict(paths or [], settings, _standard_input(paths or []))
    if output_format == "json":
        _write([report_show.to_json(deployments)])
    else:
        _write(report_show.to_table(deployments, _palette(color, sys.stdout), _columns()))
    _remarks(report, color, quiet, verbose, total=not deployments)
    raise typer.Exit(_exit_code(report, "error", exit_zero=True))


# -- inventory -----------------------------------------------------------------------------------------------------


@app.command()
def inventory(
    paths: Paths = None,
    only: Annotated[
        Literal["certificates", "protocols"] | None,
        typer.Option("--only", help="One of both parts (default: both; csv has the certificates)."),
    ] = None,
    policy: PolicyName = None,
    target: TargetName = None,
    root: RootFolder = None,
    path_map: PathMap = None,
    server: Server = None,
    define: Defines = None,
    now: Now = None,
    output_format: Annotated[
        Literal["table", "json", "csv", "markdown", "prometheus"],
        typer.Option("--output-format", help="How to print it; `prometheus`: for node_exporter's textfile collector."),
    ] = "table",
    stdin_filename: StdinFilename = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    jobs: Jobs = None,
    color: Colour = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List every certificate, CA and CRL that is used, and the protocols and suites that are offered.

    Certificates are sorted by expiry; the exit code is 0 however old they are.
    """
    from tlslint.inventory import take_inventory
    from tlslint.run import policy_of, predict

    settings = _settings(
        config, isolated, jobs=jobs, policy=policy, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, now=_moment(now), stdin_filename=stdin_filename,
    )  # fmt: skip
    with _refusing(), _watched(quiet):
        rules = policy_of(settings)
        deployments, report = predict(paths or [], settings, _standard_input(paths or []))
    found = take_inventory(deployments, rules, [*report.skipped, *report.problems])
    _write(_rendered_inventory(found, output_format, only, color))
    _remarks(report, color, quiet, verbose, total=not deployments)
    raise typer.Exit(_exit_code(report, "error", exit_zero=True))


def _rendered_inventory(found: "Inventory", output_format: str, only: str | None, color: str) -> Iterable[str]:
    certificates, protocols = only != "protocols", only != "certificates"
    if output_format == "table":
        from tlslint.report import inventory_table

        palette = _palette(color, sys.stdout)
        return inventory_table.render(found, palette, _columns(), certificates=certificates, protocols=protocols)
    if isinstance(sys.stdout, TextIOWrapper):
        # what other programs read does not depend on the terminal's encoding
        sys.stdout.reconfigure(encoding="utf-8")
    if output_format == "json":
        from tlslint.report import inventory_json

        return [inventory_json.render(found, certificates=certificates, protocols=protocols)]
    if output_format == "csv":
        from tlslint.report import inventory_csv

        return inventory_csv.render(found, protocols=only == "protocols")
    if output_format == "markdown":
        from tlslint.report import inventory_markdown

        return inventory_markdown.render(found, certificates=certificates, protocols=protocols)
    from tlslint.report import inventory_prometheus

    return inventory_prometheus.render(found, certificates=certificates, protocols=protocols)


# -- what tlslint knows --------------------------------------------------------------------------------------------


@app.command()
def ciphers(
    string: Annotated[
        str,
        typer.Argument(
            metavar="STRING|-", help="A cipher string; `-` reads one a line and prints a line of JSON for each."
        ),
    ],
    policy: PolicyName = None,
    target: TargetName = None,
    output_format: TableFormat = "table",
    config: ConfigFile = None,
    isolated: Isolated = False,
    color: Colour = "auto",
) -> None:
    """Show what a cipher string selects, in order.

    A string that begins with a minus goes after `--`. The exit code is 1 where OpenSSL refuses the string.
    """
    from tlslint.policy import load_policy
    from tlslint.report import ciphers as report_ciphers
    from tlslint.report.as_json import dumped_line
    from tlslint.target import parse_target

    settings = _settings(config, isolated, policy=policy, target=target)
    with _refusing():
        rules = load_policy(settings.policy)
        versions = parse_target(settings.target, "nginx")
    if string == "-":
        for line in sys.stdin.buffer:
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            _write([dumped_line(report_ciphers.as_data(text, versions, rules))])
        return
    data = report_ciphers.as_data(string, versions, rules)
    if output_format == "json":
        _write([dumped_line(data)])
    else:
        _write(report_ciphers.render(string, versions, rules, _palette(color, sys.stdout)))
    raise typer.Exit(FINDINGS if data["error"] else 0)


@app.command()
def rule(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|CODE]", help="`weak-protocol` or `TLS101`.", autocompletion=_completing("rules")),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The documentation of all rules.")] = False,
    output_format: TableFormat = "table",
    color: Colour = "auto",
) -> None:
    """Explain a rule; without a name, list all rules."""
    from tlslint.report import rules as report_rules
    from tlslint.rules import RULES
    from tlslint.selection import find_rule

    palette = _palette(color, sys.stdout)
    chosen = list(RULES)
    if name is not None:
        if everything:
            raise Failure("--all and a name exclude each other")
        with _refusing():
            found = find_rule(name, [module.rule for module in RULES])
        chosen = [module for module in RULES if module.rule is found]
    if output_format == "json":
        _write([report_rules.as_json(chosen)])
    elif name is None and not everything:
        _write(report_rules.table(chosen, palette))
    else:
        for index, module in enumerate(chosen):
            _write([*(["\n"] if index else []), *report_rules.page(module, palette)])


@app.command()
def policy(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]",
            autocompletion=_completing("policies"),
            help="`intermediate`, `mozilla-modern@5.7`, `tls/policy.json`.",
        ),
    ] = None,
    output_format: TableFormat = "table",
    color: Colour = "auto",
) -> None:
    """Print or validate a policy; without a name, list all.

    A policy file that is invalid is reported with the JSON path of each fault and exit code 2.
    """
    from tlslint.policy import bundled_policies, load_policy
    from tlslint.report import policies as report_policies
    from tlslint.settings import Settings

    palette = _palette(color, sys.stdout)
    if name is None:
        known = bundled_policies()
        as_json = output_format == "json"
        _write(
            [report_policies.listing(known)] if as_json else report_policies.table(known, Settings().policy, palette)
        )
        return
    with _refusing():
        found = load_policy(name)
    if output_format == "json":
        _write([report_policies.as_json(found)])
    else:
        _write(report_policies.page(found, palette, _columns()))


@app.command()
def schema(
    name: Annotated[
        Literal["baseline", "inventory", "policy", "report", "report-line", "settings", "show"],
        typer.Argument(help="Which schema."),
    ],
) -> None:
    """Print the JSON schema of one of the formats."""
    from pathlib import Path

    from tlslint.policy import policies_directory

    folder = policies_directory() if name == "policy" else Path(__file__).parent / "data"
    _write([(folder / f"{name}.schema.json").read_text(encoding="utf-8")])


# -- settings ------------------------------------------------------------------------------------------------------


@app.command()
def init(
    show: Annotated[bool, typer.Option("--print", help="Print it instead of writing it.")] = False,
) -> None:
    """Write a commented tlslint.toml for what is found here; one that is there stays as it is."""
    from tlslint.initial import look_around, settings_text
    from tlslint.settings import SETTINGS_FILE, find_settings

    here = find_settings()
    if not show and here is not None and os.path.dirname(here) == os.getcwd():
        raise Failure(f"{os.path.basename(here)} has settings already; --print shows what would be written")
    text = settings_text(look_around())
    if show:
        _write([text])
        return
    try:
        with open(SETTINGS_FILE, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"{SETTINGS_FILE}: {error.strerror or error}") from error
    _tell([f"{SETTINGS_FILE} is written; `tlslint` uses it from now on\n"])


@app.command()
def settings(config: ConfigFile = None, isolated: Isolated = False) -> None:
    """Print the settings that are in force, as TOML, and where each was set."""
    from tlslint.settings_text import in_force

    _write(in_force(_settings(config, isolated)))
