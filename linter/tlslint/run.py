"""The pipeline on one screen: discover, parse, resolve, check. What comes out is a `Report`; printing is for others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tlslint import progress
from tlslint.asked import check_trust_store, hand_on, moment, policy_of, target_of, weak_key_lists
from tlslint.check import merge, told_once
from tlslint.collector import paused_collector
from tlslint.deployments import Part, all_around, parts
from tlslint.discover import Discovered, Root, discover
from tlslint.finding import Finding, Report
from tlslint.gaps import Checked, undecided
from tlslint.parse.tree import Source
from tlslint.quiet import quiet_certificates
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.included import include_chains
from tlslint.resolve.model import Deployment
from tlslint.settings import Settings
from tlslint.target import Target
from tlslint.workers import Workers

if TYPE_CHECKING:
    from tlslint.changed import Changed


class StageError(Exception):
    """A stage raised what it must not raise: tlslint is broken, not the configuration. The message names the stage."""


def lint(
    paths: Sequence[str],
    settings: Settings,
    stdin: bytes | None = None,
    overlay: Mapping[str, bytes] | None = None,
) -> Report:
    """Discover, parse, resolve, check; `overlay` has other contents for some files (`Files`).

    Raises `PolicyError`, `TargetError`, `SelectorError` and `SettingsError` for settings that cannot be used. Where
    tlslint itself fails the rest goes on, and the report has the failure.
    """
    report = Report(policy=policy_of(settings).spelling)
    changed = _changed(paths) if settings.hook and not settings.unlimited else None
    with paused_collector(), quiet_certificates():
        found, read = _found(paths, settings, report, stdin, overlay, changed)
        if settings.changed_since is not None:
            found = _introduced(found, paths, settings, settings.changed_since, read, report)
        if changed is not None:
            found = changed.limit(found, report)
        report.findings = sorted(merge(found), key=lambda finding: finding.sort_key)
    return report


def _changed(paths: Sequence[str]) -> "Changed":
    from tlslint.changed import Changed

    return Changed(paths)


def _found(
    paths: Sequence[str],
    settings: Settings,
    report: Report,
    stdin: bytes | None = None,
    overlay: Mapping[str, bytes] | None = None,
    changed: "Changed | None" = None,
) -> tuple[list[Finding], set[str]]:
    """Return what there is to report, not merged yet, and the files of this machine that were read."""
    # only linting needs the rules
    from tlslint.accept import accept
    from tlslint.judging import judged
    from tlslint.rules import LISTED, concerning
    from tlslint.selection import Selection

    selection = Selection(LISTED, settings)
    found: list[Finding] = []
    views: list[Files] = []
    checked = Checked()
    with Workers(settings.jobs) as workers:
        for part in parts(paths, settings):
            policy = policy_of(part.settings)
            discovered = discover(
                part.paths, part.settings, stdin, settings.stdin_filename, overlay, part.changed, workers
            )
            for deployment in resolved(discovered, part, report):
                rules = [rule.module for rule in concerning(deployment) if selection.runs(rule)]
                found.extend(part.own(told_once(judged(deployment, policy, rules, report, workers))))
                gaps = list(undecided(deployment))
                report.unknown.extend(gaps)
                checked.add(deployment, gaps)
                if changed is not None:
                    changed.learn(deployment, part.settings)
                report.included_through.update(include_chains(deployment))
            views += discovered.views

    def host_path(source: Source) -> str | None:
        """Return the file of this machine that a source was read from."""
        return next((path for view in views if (path := view.host_path(source)) is not None), None)

    trees = [tree for view in views for tree in view.trees()]
    found = accept(found, trees, selection, settings, moment(settings), checked, report, host_path)
    read = {path for view in views for path in view.located}
    return [selection.graded(finding) for finding in found], read


def _introduced(
    found: list[Finding], paths: Sequence[str], settings: Settings, name: str, read: set[str], report: Report
) -> list[Finding]:
    """Leave out what was found at an earlier revision too."""
    from tlslint.since import revision

    if settings.hook:
        paths, settings = (), all_around(settings)
    with revision(name, paths, settings, read) as earlier:
        report.notes.append(earlier.note)
        if earlier.unchanged:
            return []
        before = Report()
        known = [] if earlier.paths is None else _found(earlier.paths, earlier.settings, before)[0]
        report.failures.extend(before.failures)
        return earlier.introduced(found, known)


def predict(paths: Sequence[str], settings: Settings, stdin: bytes | None = None) -> tuple[list[Deployment], Report]:
    """Discover, parse, resolve: the deployments, and what could not be had. Raises `TargetError`."""
    report = Report()
    deployments: list[Deployment] = []
    with paused_collector(), quiet_certificates(), Workers(settings.jobs) as workers:
        for part in parts(paths, settings):
            discovered = discover(part.paths, part.settings, stdin, settings.stdin_filename, workers=workers)
            deployments += resolved(discovered, part, report)
    return deployments, report


def resolved(discovered: Discovered, part: Part, report: Report) -> Iterator[Deployment]:
    """Yield the deployment of each root, one at a time; what has none, and what was read, goes into the report."""
    settings = part.settings
    report.skipped.extend(discovered.skipped)
    report.problems.extend(discovered.problems)
    report.notes.extend(discovered.notes)
    check_trust_store(settings.trust_store)
    lists = weak_key_lists(settings, report)
    targets: dict[str, Target] = {}
    assumed: set[str] = set()
    for root in discovered.roots:
        progress.at(f"resolving {root.display}", lambda: report.files + discovered.parsed)
        if root.server not in targets:
            targets[root.server] = target_of(settings, root.server)
        deployment = _resolve(root, targets[root.server], report)
        if deployment is not None:
            report.deployments += 1
            report.endpoints += len(deployment.endpoints)
            deployment.name = part.name
            report.notes.extend(note for note in deployment.notes if note not in report.notes)
            assumed |= deployment.assumed_modules
            if root.context == "main":
                report.entries.append((root.server, root.files.real_path(root.entry)))
            hand_on(settings, deployment)
            deployment.weak_key_lists = lists
            progress.at(f"judging {root.display}", lambda: report.files + discovered.parsed)
            yield deployment
    if assumed:
        names = ", ".join(sorted(assumed))
        report.notes.append(f"modules taken to be loaded, as LoadModule lines may be out of sight: {names}")
    report.files += discovered.parsed


def _resolve(root: Root, target: Target, report: Report) -> Deployment | None:
    known = root.files.source(root.entry) if root.server == "apache" else root.files.tree(root.entry)
    if isinstance(known, Unreadable):
        report.problems.append((root.display, known.reason))
        return None
    try:
        # only here, so that the search for files does not wait for it
        if isinstance(known, Source):
            from tlslint.resolve.apache import resolve as resolve_apache

            return resolve_apache(root, target)
        from tlslint.resolve.nginx import resolve

        return resolve(root, known, target)
    except Exception as error:
        failure = StageError(f"resolving {root.display} failed: {error!r}")
        failure.__cause__ = error
        report.failures.append(failure)
        return None
