"""`tlslint ciphers`: what a cipher string means."""

import sys
from typing import Annotated

from tlslint.cli.ending import FINDINGS
from tlslint.cli.given import refusing, settings_for
from tlslint.cli.options import Argument, Colour, ConfigFile, Isolated, PolicyName, TableFormat, TargetName
from tlslint.cli.streams import palette_for, write


def command(
    string: Annotated[
        str,
        Argument(metavar="STRING|-", help="A cipher string; `-` reads one a line and prints a line of JSON for each."),
    ],
    policy: PolicyName = None,
    target: TargetName = None,
    output_format: TableFormat = "table",
    config: ConfigFile = None,
    isolated: Isolated = False,
    color: Colour = "auto",
) -> int:
    """Show what a cipher string selects, in order.

    A string that begins with a minus goes after `--`. The exit code is 1 where OpenSSL refuses the string.
    """
    from tlslint.policy import load_policy
    from tlslint.report import ciphers as report_ciphers
    from tlslint.report.as_json import dumped_line
    from tlslint.target import parse_target

    settings = settings_for(config, isolated, policy=policy, target=target)
    with refusing():
        rules = load_policy(settings.policy)
        versions = parse_target(settings.target, "nginx")
    if string == "-":
        for line in sys.stdin.buffer:
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            write([dumped_line(report_ciphers.as_data(text, versions, rules))])
        return 0
    data = report_ciphers.as_data(string, versions, rules)
    if output_format == "json":
        write([dumped_line(data)])
    else:
        write(report_ciphers.render(string, versions, rules, palette_for(color, sys.stdout)))
    return FINDINGS if data["error"] else 0
