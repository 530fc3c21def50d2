"""`tlslint schema`: the JSON schemas of what tlslint reads and writes."""

import os
from typing import Annotated, Literal

from tlslint.cli.options import Argument
from tlslint.cli.streams import write


def command(
    name: Annotated[
        Literal["baseline", "inventory", "policy", "report", "report-line", "settings", "show"],
        Argument(help="Which schema."),
    ],
) -> int:
    """Print the JSON schema of one of the formats."""
    import tlslint
    from tlslint.policy import policies_directory

    folder = policies_directory() if name == "policy" else os.path.join(os.path.dirname(tlslint.__file__), "data")
    with open(os.path.join(folder, f"{name}.schema.json"), encoding="utf-8") as file:
        write([file.read()])
    return 0
