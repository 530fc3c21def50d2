"""Reads what this package knows from the data files that lie beside its modules."""

import json
import os
from typing import Any


def read_facts(module: str, *names: str) -> Any:
    """Return what a JSON file holds; `module` is the `__file__` of the module beside which it lies."""
    with open(os.path.join(os.path.dirname(module), *names), "rb") as file:
        return json.load(file)
