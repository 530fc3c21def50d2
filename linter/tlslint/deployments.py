"""Several deployments in one repository: which of them a run is about, and with which settings each is read.

Without paths all of them are linted. A path on the command line selects the deployments that it lies in, or that lie
below it; a path in none of them is linted with the settings at the top of the file.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tlslint.finding import Finding
from tlslint.record import dataclass
from tlslint.settings import DeploymentSettings, Settings


@dataclass(frozen=True, slots=True)
class Part:
    """What is discovered together: the name of a deployment (or ""), its settings, and what is linted of it."""

    name: str
    settings: Settings
    paths: tuple[str, ...]

    def own(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Return findings with the name of the deployment."""
        if not self.name:
            return findings
        return (replace(finding, deployments=(self.name,)) for finding in findings)


def parts(paths: Sequence[str], settings: Settings) -> list[Part]:
    """Return the parts of a run, in the order of the settings; what belongs to no deployment comes last."""
    if not settings.deployments:
        return [Part("", settings, tuple(paths or settings.paths))]
    found = []
    unclaimed = dict.fromkeys(paths)
    for deployment in settings.deployments:
        own = replace(settings, **deployment.changes, paths=deployment.paths, deployments=())
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
