"""`tlslint rule`: the documentation of rules."""

import sys
from typing import Annotated

from tlslint.cli.ending import Failure
from tlslint.cli.given import refusing
from tlslint.cli.options import Argument, Colour, Option, TableFormat
from tlslint.cli.streams import palette_for, write


def command(
    name: Annotated[
        str | None,
        Argument(metavar="[NAME|CODE]", help="`weak-protocol` or `TLS101`.", completes="rules"),
    ] = None,
    everything: Annotated[bool, Option("--all", help="The documentation of all rules.")] = False,
    output_format: TableFormat = "table",
    color: Colour = "auto",
) -> int:
    """Explain a rule; without a name, list all rules."""
    from tlslint.report import rules as report_rules
    from tlslint.rules import LISTED, RULES
    from tlslint.selection import find_rule

    palette = palette_for(color, sys.stdout)
    chosen = list(RULES)
    if name is not None:
        if everything:
            raise Failure("--all and a name exclude each other")
        with refusing():
            chosen = [find_rule(name, LISTED).module]
    if output_format == "json":
        write([report_rules.as_json(chosen)])
    elif name is None and not everything:
        write(report_rules.table(chosen, palette))
    else:
        for index, module in enumerate(chosen):
            write([*(["\n"] if index else []), *report_rules.page(module, palette)])
    return 0
