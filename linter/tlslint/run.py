"""The pipeline on one screen: discover, parse, resolve, check. What comes out is a `Report`; printing is for others."""

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tlslint import progress
from tlslint.check import merge, told_once
from tlslint.deployments import Part, all_around, parts
from tlslint.discover import Discovered, Root, discover
from tlslint.finding import Finding, Report
from tlslint.gaps import Checked, undecided
from tlslint.parse.tree import Source, Span, Tree
from tlslint.policy import Policy, PolicyError, load_policy
from tlslint.quiet import quiet_certificates
from tlslint.record import replace
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import Deployment, TlsSettings
from tlslint.settings import TRUST_WORDS, Settings, SettingsError, where_set
from tlslint.target import Target, TargetError, parse_target
from tlslint.workers import Workers

if TYPE_CHECKING:
    from tlslint.changed import Changed
    from tlslint.fix.engine import Check, Outcome


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
    trees: list[Tree] = []
    views: dict[int, Files] = {}
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
            trees.extend(parsed_trees(discovered))
            views.update((id(root.files), root.files) for root in discovered.roots)

    def host_path(source: Source) -> str | None:
        """Return the file of this machine that a source was read from."""
        return next((path for view in views.values() if (path := view.host_path(source)) is not None), None)

    found = accept(found, trees, selection, settings, moment(settings), checked, report, host_path)
    read = {path for view in views.values() for path in view.located}
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


def fix(paths: Sequence[str], settings: Settings, stdin: bytes | None = None, *, unsafe: bool = False) -> "Outcome":
    """Lint, and make the fixes that are safe (or all of them): what files would hold then; nothing is written.

    Whatever rules the user selected, all of them watch over what a fix brings.
    """
    from tlslint.fix.engine import fixed
    from tlslint.intention import Safety
    from tlslint.rules import LISTED
    from tlslint.selection import Selection

    selection = Selection(LISTED, settings)
    return fixed(_views(paths, settings, stdin), Safety.UNSAFE if unsafe else Safety.SAFE, selection.fixes)


def single_fixes(
    paths: Sequence[str], settings: Settings, stdin: bytes | None = None, *, unsafe: bool = False
) -> "Iterator[tuple[Finding, Outcome]]":
    """Yield what each fix would make of the files if it were the only one, with the finding that it is for."""
    from tlslint.fix.engine import each_alone
    from tlslint.intention import Safety
    from tlslint.rules import LISTED
    from tlslint.selection import Selection

    selection = Selection(LISTED, settings)
    yield from each_alone(_views(paths, settings, stdin), Safety.UNSAFE if unsafe else Safety.SAFE, selection.fixes)


def _views(paths: Sequence[str], settings: Settings, stdin: bytes | None) -> "Check":
    from tlslint.fix.engine import Views

    everything = replace(
        settings, select=("ALL",), ignore=(), per_file_ignores={}, severity={}, unlimited=settings.hook
    )

    def look(overlay: Mapping[str, bytes]) -> Views:
        text = overlay.get("-", stdin)
        shown = lint(paths, settings, text, overlay)
        return Views(shown, shown if everything == settings else lint(paths, everything, text, overlay))

    return look


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
        progress.at(f"resolving {root.display}", lambda: report.files + count_files(discovered))
        if root.server not in targets:
            targets[root.server] = _target(settings, root.server)
        deployment = _resolve(root, targets[root.server], report)
        if deployment is not None:
            report.deployments += 1
            report.endpoints += len(deployment.endpoints)
            deployment.name = part.name
            report.notes.extend(note for note in deployment.notes if note not in report.notes)
            assumed |= deployment.assumed_modules
            if root.context == "main":
                report.entries.append((root.server, root.files.real_path(root.entry)))
            _add_settings(deployment, settings)
            deployment.weak_key_lists = lists
            progress.at(f"judging {root.display}", lambda: report.files + count_files(discovered))
            yield deployment
    if assumed:
        names = ", ".join(sorted(assumed))
        report.notes.append(f"modules taken to be loaded, as LoadModule lines may be out of sight: {names}")
    report.files += count_files(discovered)


def policy_of(settings: Settings) -> Policy:
    """Return the policy to compare with; raises `PolicyError`, or `SettingsError` with the place that names it."""
    try:
        return load_policy(settings.policy)
    except PolicyError as error:
        where = where_set(settings, "policy")
        if not where:
            raise
        raise SettingsError(f"{where}{error}") from error


def _target(settings: Settings, server: str) -> Target:
    try:
        return parse_target(settings.target, server)
    except TargetError as error:
        where = where_set(settings, "target")
        if not where:
            raise
        raise SettingsError(f"{where}{error}") from error


def _add_settings(deployment: Deployment, settings: Settings) -> None:
    """Tell what the judgement of certificates depends on besides the configuration."""
    if settings.now is not None:
        deployment.now = moment(settings)
    deployment.require_certificates = settings.require_certificates
    deployment.trust_store = settings.trust_store
    deployment.expiry_days = (settings.expiry_warning_days, settings.expiry_error_days)


def moment(settings: Settings) -> datetime:
    """Return the moment for which dates are judged."""
    if settings.now is None:
        return datetime.now(UTC)
    given = datetime.fromisoformat(settings.now)
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)


def check_trust_store(names: tuple[str, ...]) -> None:
    """Raise `SettingsError` where the roots that the user wants to trust cannot be had."""
    if all(name in TRUST_WORDS for name in names):
        return  # nothing that the user named
    from tlslint.pki.anchors import TrustStoreError
    from tlslint.resolve.certificates import trusted_roots

    try:
        trusted_roots(names)
    except TrustStoreError as error:
        raise SettingsError(f"trust-store: {error}") from error


def weak_key_lists(settings: Settings, report: Report) -> tuple[str, ...]:
    """Return the lists of weak keys to look into; raises `SettingsError` where one that the user named cannot be had.

    Where the configuration is judged for this machine, the lists that it has count too.
    """
    named = settings.weak_key_lists
    local = "local" in map(str.strip, (settings.target or "").lower().split(","))
    if not named and not local:
        return ()
    from tlslint.pki.known_keys import SYSTEM_LISTS, KeyListError, key_lists

    try:
        key_lists(named)
    except KeyListError as error:
        raise SettingsError(f"weak-key-lists: {error}") from error
    if not local or not os.path.isdir(SYSTEM_LISTS):
        return named
    try:
        key_lists((SYSTEM_LISTS,))
    except KeyListError as error:
        report.notes.append(f"this machine's lists of weak keys are left out: {error}")
        return named
    return (*named, SYSTEM_LISTS)


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


def include_chains(deployment: Deployment) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Yield each included file that sets something about TLS, and the includes through which it takes effect."""
    seen: set[int] = set()
    for handshake in deployment.handshakes:
        for name in TlsSettings.__match_args__:
            for place in getattr(getattr(handshake.tls, name), "places", ()):
                source = place.directive.source
                if place.includes and id(source) not in seen:
                    seen.add(id(source))
                    yield source.path, tuple(include.span for include in place.includes)


def parsed_trees(discovered: Discovered) -> Iterator[Tree]:
    """Yield every configuration file that was parsed, once."""
    views = {id(root.files): root.files for root in discovered.roots}
    return (tree for files in views.values() for tree in files.trees())


def count_files(discovered: Discovered) -> int:
    """Return how many configuration files were read, included ones too."""
    views = {id(root.files): root.files for root in discovered.roots}
    return sum(files.parsed for files in views.values())


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the cyclic garbage collector: it would look again and again at trees that all stay alive."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()
