"""`tlslint inventory`: certificates, protocols and suites."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from tlslint.cli.ending import exit_code
from tlslint.cli.given import moment, refusing, settings_for
from tlslint.cli.options import (
    Colour,
    ConfigFile,
    Defines,
    Isolated,
    Jobs,
    Now,
    Option,
    PathMap,
    Paths,
    PolicyName,
    Quiet,
    RootFolder,
    Server,
    StdinFilename,
    TargetName,
    Verbose,
)
from tlslint.cli.streams import columns, palette_for, print_utf8, remark, standard_input, watched, write

if TYPE_CHECKING:
    from tlslint.inventory import Inventory


def command(
    paths: Paths = None,
    only: Annotated[
        Literal["certificates", "protocols"] | None,
        Option("--only", help="One of both parts (default: both; csv has the certificates)."),
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
        Option("--output-format", help="How to print it; `prometheus`: for node_exporter's textfile collector."),
    ] = "table",
    stdin_filename: StdinFilename = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    jobs: Jobs = None,
    color: Colour = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """List every certificate, CA and CRL that is used, and the protocols and suites that are offered.

    Certificates are sorted by expiry; the exit code is 0 however old they are.
    """
    from tlslint.asked import policy_of
    from tlslint.deployments import parts
    from tlslint.inventory import take_inventory
    from tlslint.run import predict

    settings = settings_for(
        config, isolated, jobs=jobs, policy=policy, target=target, root=root, path_map=path_map, server=server,
        apache_defines=define, now=moment(now), stdin_filename=stdin_filename,
    )  # fmt: skip
    with refusing(), watched(quiet):
        general = policy_of(settings)
        own = {part.name: policy_of(part.settings) for part in parts(paths or [], settings) if part.name}
        deployments, report = predict(paths or [], settings, standard_input(paths or []))
    found = take_inventory(deployments, general, [*report.skipped, *report.problems], own)
    write(_rendered_inventory(found, output_format, only, color))
    remark(report, color, quiet, verbose, total=not deployments)
    return exit_code(report, "error", exit_zero=True)


def _rendered_inventory(found: "Inventory", output_format: str, only: str | None, color: str) -> Iterable[str]:
    certificates, protocols = only != "protocols", only != "certificates"
    if output_format == "table":
        from tlslint.report import inventory_table

        palette = palette_for(color, sys.stdout)
        return inventory_table.render(found, palette, columns(), certificates=certificates, protocols=protocols)
    print_utf8()
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
