"""`tlslint show`: what every endpoint answers."""

import sys

from tlslint.cli.ending import exit_code
from tlslint.cli.given import refusing, settings_for
from tlslint.cli.options import (
    Colour,
    ConfigFile,
    Defines,
    Isolated,
    Jobs,
    PathMap,
    Paths,
    Quiet,
    RootFolder,
    Server,
    StdinFilename,
    TableFormat,
    TargetName,
    Verbose,
)
from tlslint.cli.streams import columns, palette_for, remark, standard_input, watched, write


def command(
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
) -> int:
    """Show what every endpoint answers, and why."""
    from tlslint.report import show as report_show
    from tlslint.run import predict

    settings = settings_for(
        config, isolated, jobs=jobs, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, stdin_filename=stdin_filename,
    )  # fmt: skip
    with refusing(), watched(quiet):
        deployments, report = predict(paths or [], settings, standard_input(paths or []))
    if output_format == "json":
        write([report_show.to_json(deployments)])
    else:
        write(report_show.to_table(deployments, palette_for(color, sys.stdout), columns()))
    remark(report, color, quiet, verbose, total=not deployments)
    return exit_code(report, "error", exit_zero=True)
