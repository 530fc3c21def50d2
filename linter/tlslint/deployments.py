"""Several deployments in one repository: which of them a run is about, and with which settings each is read.

Without paths all of them are linted. A path on the command line selects the deployments that it lies in, or that lie
below it; a path in none of them is linted with the settings at the top of the file. For a hook the paths are files that
changed: what may have to do with them is linted as it would be without any path.
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tlslint.finding import Finding
from tlslint.record import dataclass, replace
from tlslint.settings import DeploymentSettings, Settings

if TYPE_CHECKING:
    from tlslint.changed import Changed


@dataclass(frozen=True, slots=True)
class Part:
    """What is discovered together: the name of a deployment (or ""), its settings, and what is linted of it."""

    name: str
    settings: Settings
    paths: tuple[str, ...]
    changed: "Changed | None" = None
    """The files that changed, where only what concerns them is wanted."""

    def own(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Return findings with the name of the deployment."""
        if not self.name:
            return findings
        return (replace(finding, deployments=(self.name,)) for finding in findings)


def parts(paths: Sequence[str], settings: Settings) -> list[Part]:
    """Return the parts of a run, in the order of the settings; what belongs to no deployment comes last."""
    if settings.hook:
        return _parts_around(paths, settings)
    if not settings.deployments:
        return [Part("", settings, tuple(paths or settings.paths))]
    found = []
    unclaimed = dict.fromkeys(paths)
    for deployment in settings.deployments:
        own = own_settings(deployment, settings)
        areas = areas_of(deployment, own)
        chosen = [(path, _location(path, settings)) for path in paths]
        if not paths or any(is_below(area, place) for _, place in chosen for area in areas):
            wanted = own.paths
        else:
            inside = [path for path, place in chosen if any(is_below(place, area) for area in areas)]
            if not inside:
                continue
            wanted = tuple(inside)
        for path, place in chosen:
            if any(is_below(area, place) or is_below(place, area) for area in areas):
                unclaimed.pop(path, None)
        found.append(Part(deployment.name, own, wanted))
    if unclaimed:
        found.append(Part("", replace(settings, deployments=()), tuple(unclaimed)))
    return found


def _parts_around(paths: Sequence[str], settings: Settings) -> list[Part]:
    """Return the parts that may have to do with files which changed, each as it is without any path."""
    from tlslint.changed import Changed

    found = []
    unclaimed = dict.fromkeys(paths)
    for deployment in settings.deployments:
        own = own_settings(deployment, settings)
        areas = [os.path.dirname(area) if os.path.isfile(area) else area for area in areas_of(deployment, own)]
        claimed = [
            path
            for path in paths
            if Changed((path,)).governs(own) or any(is_below(os.path.realpath(path), area) for area in areas)
        ]
        for path in claimed:
            unclaimed.pop(path, None)
        if claimed:
            found.append(Part(deployment.name, own, own.paths, Changed(paths)))
    if unclaimed:
        rest = all_around(replace(settings, deployments=()))
        found.append(Part("", rest, rest.paths, Changed(tuple(unclaimed))))
    return found


def all_around(settings: Settings) -> Settings:
    """Return the settings with which everything is linted that a hook has a look at."""
    if settings.deployments or settings.paths or settings.root or settings.path_map:
        return replace(settings, hook=False)
    return replace(settings, hook=False, paths=(_top(),))


def _top() -> str:
    """Return the top of the checkout that the current directory is in, as a relative path."""
    from tlslint.resolve.checkout import checkout_of

    top = checkout_of(os.path.join(os.path.realpath(os.curdir), "x"))
    return os.curdir if top is None else os.path.relpath(top)


def own_settings(deployment: DeploymentSettings, settings: Settings) -> Settings:
    """Return the settings with which a deployment is read."""
    return replace(settings, **deployment.changes, paths=deployment.paths, deployments=())


def areas_of(deployment: DeploymentSettings, settings: Settings) -> list[str]:
    """Return the real paths in which a deployment lies: what it lints, its root, what it maps."""
    own = list(deployment.paths)
    if "root" in deployment.changes and settings.root is not None:
        own.append(settings.root)
    if "path_map" in deployment.changes:
        own += settings.path_map.values()
    return [os.path.realpath(path) for path in own or [settings.base]]


def is_below(path: str, folder: str) -> bool:
    """Whether a real path is a directory or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _location(path: str, settings: Settings) -> str:
    return os.path.realpath(settings.stdin_filename if path == "-" else path)
