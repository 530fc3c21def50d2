"""`tlslint check`, which is also what a command line without a command means."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from tlslint.cli.ending import FAILED, FINDINGS, Failure, exit_code
from tlslint.cli.given import moment, refusing, settings_for
from tlslint.cli.options import (
    Colour,
    ConfigFile,
    Defines,
    FindingsFormat,
    Isolated,
    Jobs,
    Now,
    Option,
    PathMap,
    Paths,
    PolicyName,
    Quiet,
    ReportFiles,
    RootFolder,
    Server,
    StdinFilename,
    TargetName,
    Verbose,
)
from tlslint.cli.streams import palette_for, remark, standard_input, watched, write

if TYPE_CHECKING:
    from tlslint.finding import Report


def command(
    paths: Paths = None,
    policy: PolicyName = None,
    target: TargetName = None,
    root: RootFolder = None,
    path_map: PathMap = None,
    server: Server = None,
    define: Defines = None,
    select: Annotated[
        list[str] | None,
        Option(
            "--select",
            metavar="RULES",
            help="Codes, prefixes or names of the rules that run; `ALL`.",
            completes="selectors",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        Option(
            "--ignore",
            metavar="RULES",
            help="The same for rules that do not run.",
            completes="selectors",
        ),
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "info"] | None,
        Option("--fail-on", help="Lowest severity that makes the exit code 1 (default: warning)."),
    ] = None,
    exit_zero: Annotated[bool, Option("--exit-zero", help="Exit with 0 whatever was found.")] = False,
    hook: Annotated[
        bool,
        Option(
            "--hook",
            help="PATHS are files that changed: read all that has to do with them, report what concerns them.",
        ),
    ] = False,
    now: Now = None,
    trust_store: Annotated[
        list[str] | None,
        Option(
            "--trust-store", metavar="FILE", help="Roots that clients trust: a PEM file, `system`, `none`; repeatable."
        ),
    ] = None,
    require_certificates: Annotated[
        bool, Option("--require-certificates", help="A certificate or key that is not here is an error.")
    ] = False,
    fix: Annotated[bool, Option("--fix", help="Make the safe fixes, and report what remains.")] = False,
    unsafe_fixes: Annotated[
        bool, Option("--unsafe-fixes", help="With --fix, --diff or --patch-dir: the unsafe fixes as well.")
    ] = False,
    diff: Annotated[
        bool, Option("--diff", help="Print what --fix would change as a patch; nothing is written.")
    ] = False,
    patch_dir: Annotated[
        str | None,
        Option("--patch-dir", metavar="DIR", help="Write a patch for each fix there, each for the files as they are."),
    ] = None,
    fixable: Annotated[
        list[str] | None,
        Option(
            "--fixable",
            metavar="RULES",
            help="Rules whose fixes may be made; `ALL`.",
            completes="selectors",
        ),
    ] = None,
    unfixable: Annotated[
        list[str] | None,
        Option(
            "--unfixable",
            metavar="RULES",
            help="Rules whose fixes may not be made.",
            completes="selectors",
        ),
    ] = None,
    verify_with_server: Annotated[
        bool,
        Option(
            "--verify-with-server",
            help="With --fix: ask this machine's server (`nginx -t`) before and after; undo what it refuses.",
        ),
    ] = False,
    output_format: FindingsFormat = "full",
    report_files: ReportFiles = None,
    add_ignore: Annotated[
        bool, Option("--add-ignore", help="Write a comment for each finding that is left; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, Option("--reason", metavar="TEXT", help="With --add-ignore: why it is accepted.")
    ] = None,
    until: Annotated[
        str | None, Option("--until", metavar="DATE", help="With --add-ignore: the last day on which it is.")
    ] = None,
    baseline: Annotated[
        str | None, Option("--baseline", metavar="FILE", help="Findings that are known and accepted.")
    ] = None,
    write_baseline: Annotated[
        bool, Option("--write-baseline", help="Accept all findings that there are now, and forget solved ones.")
    ] = False,
    fail_on_stale: Annotated[
        bool, Option("--fail-on-stale", help="Exit with 1 where the baseline has what is no longer there.")
    ] = False,
    changed_since: Annotated[
        str | None, Option("--changed-since", metavar="REF", help="Report only what that revision did not have.")
    ] = None,
    show_ignored: Annotated[
        bool, Option("--show-ignored", help="Show what comments and the baseline hide, too.")
    ] = False,
    no_ignores: Annotated[bool, Option("--no-ignores", help="Report what comments and the baseline hide.")] = False,
    statistics: Annotated[bool, Option("--statistics", help="Print the number of findings by rule.")] = False,
    stdin_filename: StdinFilename = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    jobs: Jobs = None,
    color: Colour = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Report what is wrong (the default command)."""
    from tlslint.cli import reports
    from tlslint.run import lint

    paths = paths or []
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
    if changed_since is not None and "-" in paths:
        raise Failure("--changed-since compares files: standard input has no earlier revision")
    if hook and "-" in paths:
        raise Failure("--hook takes files, not standard input")
    if hook and write_baseline:
        raise Failure("--write-baseline needs all findings, and --hook has those of a few files")
    settings = settings_for(
        config, isolated, jobs=jobs, policy=policy, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, select=select, ignore=ignore, fail_on=fail_on, now=moment(now),
        stdin_filename=stdin_filename,
        trust_store=tuple(trust_store) if trust_store else None, require_certificates=require_certificates or None,
        show_ignored=show_ignored or None, no_ignores=no_ignores or None,
        baseline=baseline, write_baseline=write_baseline or None, changed_since=changed_since,
        fixable=fixable, unfixable=unfixable,
        hook=hook or None,
    )  # fmt: skip
    files = reports.wanted(report_files or [])

    def presented(report: "Report") -> Iterable[str]:
        view = reports.view(palette_for(color, sys.stdout), settings.fail_on)
        failed = reports.write(report, files, view)
        if failed and "-" not in paths:
            write(reports.rendered(report, output_format, statistics, view))
        if failed:
            raise Failure("\n".join(failed))
        return reports.rendered(report, output_format, statistics, view)

    if fix or diff or patch_dir is not None:
        from tlslint.cli.fixing import Wishes, fix_files

        wishes = Wishes(unsafe_fixes, diff, patch_dir, verify_with_server)
        return fix_files(paths, settings, wishes, presented, color, quiet, verbose, exit_zero)
    if unsafe_fixes or verify_with_server:
        option = "--unsafe-fixes" if unsafe_fixes else "--verify-with-server"
        raise Failure(f"{option} goes with --fix{', --diff or --patch-dir' if unsafe_fixes else ''}")
    if add_ignore:
        if "-" in paths or write_baseline or no_ignores:
            raise Failure("--add-ignore goes with files, and not with --write-baseline or --no-ignores")
        from tlslint.cli.accepting import add_ignores

        add_ignores(paths, settings, reason, until, quiet)
    elif reason is not None or until is not None:
        raise Failure("--reason and --until go with --add-ignore")
    with refusing(), watched(quiet):
        report = lint(paths, settings, standard_input(paths))
    write(presented(report))
    remark(report, color, quiet, verbose)
    code = exit_code(report, settings.fail_on, exit_zero)
    if report.new_baseline is not None and code != FAILED:
        from tlslint.baseline import write_baseline as save_baseline

        with refusing():
            save_baseline(report.baseline, report.new_baseline)
    return FINDINGS if fail_on_stale and report.stale and not code else code
