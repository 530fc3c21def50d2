"""Entry point of the `tlslint` command and of `python -m tlslint`."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    # importing makes no garbage that is worth looking for
    gc.disable()
    from tlslint.cli import run

    code = run(sys.argv[1:])
    # taking a large tree apart object by object is of use to nobody; output is flushed by now
    os._exit(code)


if __name__ == "__main__":
    main()
