"""`tlslint schema`: the JSON schemas of what tlslint reads and writes."""

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
    from pathlib import Path

    import tlslint
    from tlslint.policy import policies_directory

    folder = policies_directory() if name == "policy" else Path(tlslint.__file__).parent / "data"
    write([(folder / f"{name}.schema.json").read_text(encoding="utf-8")])
    return 0
