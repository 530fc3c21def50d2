"""What the fixes of a rule make of its bad fixtures: `fixed[-<case>].conf`, or a folder with the files that change.

The fixture is copied with the certificates, so that a fix may rewrite them; what is kept beside the fixture is what
the copy holds afterwards.
"""

import json
import os
import shutil
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.rule_fixtures import FIXTURES, RULE_FIXTURES, Fixture, settings_of
from tlslint.fix.engine import Outcome
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.report import show
from tlslint.run import predict
from tlslint.settings import Settings

Endpoint = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FixedFixture:
    """A copy of a bad fixture to which the fixes of its rule were applied."""

    fixture: Fixture
    entry: Path
    """The main file of the copy."""
    outcome: Outcome
    again: Outcome
    """What fixing the fixed copy once more comes to."""
    before: dict[str, Endpoint]
    """What each endpoint of the bad fixture answers."""
    after: dict[str, Endpoint]
    """The same of the fixed copy."""

    @property
    def changed(self) -> dict[str, bytes]:
        """The new content of each file that changed, by its path from the fixture's folder or from `certificates`."""
        found = {}
        for change in self.outcome.changes:
            name = os.path.relpath(change.file, self.entry.parent)
            found[name.lstrip("./")] = change.after
        return found

    @property
    def kept(self) -> Path:
        """Where the result is kept: a file where nothing but the main file changed, else a folder."""
        name = f"fixed{self.fixture.name.removeprefix('bad')}"
        is_file = set(self.changed) == {self.fixture.entry.name} and self.fixture.entry.suffix == ".conf"
        return self.fixture.beside("").parent / (f"{name}.conf" if is_file and not self._is_tree else name)

    @property
    def _is_tree(self) -> bool:
        return self.fixture.entry.parent != self.fixture.beside("").parent

    def read_kept(self) -> dict[str, bytes]:
        """Read what is kept, in the form of `changed`."""
        if self.kept.is_file():
            return {self.fixture.entry.name: self.kept.read_bytes()}
        files = sorted(path for path in self.kept.rglob("*") if path.is_file())
        return {str(path.relative_to(self.kept)): path.read_bytes() for path in files}

    def keep(self) -> None:
        """Write what is to be kept."""
        name = self.kept.name.removesuffix(".conf")
        shutil.rmtree(self.kept.parent / name, ignore_errors=True)
        (self.kept.parent / f"{name}.conf").unlink(missing_ok=True)
        if self.kept.suffix == ".conf":
            self.kept.write_bytes(self.changed[self.fixture.entry.name])
            return
        for path, data in self.changed.items():
            (self.kept / path).parent.mkdir(parents=True, exist_ok=True)
            (self.kept / path).write_bytes(data)


def fixed_copy(fixture: Fixture, folder: Path) -> FixedFixture:
    """Copy a fixture into an empty folder, and make all fixes there that its rule offers."""
    shutil.copytree(FIXTURES / "certificates", folder / "certificates", symlinks=True)
    entry = folder / "rules" / fixture.entry.relative_to(RULE_FIXTURES)
    shutil.copytree(fixture.folder, entry.parent, symlinks=True)
    for path in entry.parent.glob("fixed*"):
        # the results of earlier runs
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    # a comment is superfluous where all rules ran
    select = ("ALL",) if fixture.rule == "unused-ignore" else (fixture.rule,)
    settings = replace(settings_of(fixture), select=select, fixable=(fixture.rule,))
    with chdir(entry.parent):
        before = _shown(entry.name, settings)
        outcome = fix([entry.name], settings, unsafe=True)
        write(outcome.changes)
        again = fix([entry.name], settings, unsafe=True)
        after = _shown(entry.name, settings)
    return FixedFixture(fixture, entry, outcome, again, before, after)


def _shown(entry: str, settings: Settings) -> dict[str, Endpoint]:
    """What `tlslint show` says of each endpoint, by socket and name."""
    shown: Endpoint = json.loads(show.to_json(predict([entry], settings)[0]))
    return {
        " ".join(str(endpoint[key]) for key in ("listen", "transport", "module", "sni")): endpoint
        for deployment in shown["deployments"]
        for endpoint in deployment["endpoints"]
    }
