"""`tlslint policy`: what the policies ask for."""

import sys
from typing import Annotated

from tlslint.cli.given import refusing
from tlslint.cli.options import Argument, Colour, TableFormat
from tlslint.cli.streams import columns, palette_for, write


def command(
    name: Annotated[
        str | None,
        Argument(
            metavar="[NAME|FILE]",
            completes="policies",
            help="`intermediate`, `mozilla-modern@5.7`, `tls/policy.json`.",
        ),
    ] = None,
    output_format: TableFormat = "table",
    color: Colour = "auto",
) -> int:
    """Print or validate a policy; without a name, list all.

    A policy file that is invalid is reported with the JSON path of each fault and exit code 2.
    """
    from tlslint.policy import bundled_policies, load_policy
    from tlslint.report import policies as report_policies
    from tlslint.settings import Settings

    palette = palette_for(color, sys.stdout)
    if name is None:
        known = bundled_policies()
        as_json = output_format == "json"
        write([report_policies.listing(known)] if as_json else report_policies.table(known, Settings().policy, palette))
        return 0
    with refusing():
        found = load_policy(name)
    if output_format == "json":
        write([report_policies.as_json(found)])
    else:
        write(report_policies.page(found, palette, columns()))
    return 0
