"""`tlslint settings`: the settings that are in force."""

from tlslint.cli.given import settings_for
from tlslint.cli.options import ConfigFile, Isolated
from tlslint.cli.streams import write


def command(config: ConfigFile = None, isolated: Isolated = False) -> int:
    """Print the settings that are in force, as TOML, and where each was set."""
    from tlslint.settings_text import in_force

    write(in_force(settings_for(config, isolated)))
    return 0
