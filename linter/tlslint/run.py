"""The pipeline on one screen: discover, parse, resolve, check. What comes out is a `Report`; printing is for others."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tlslint.check import RuleError, findings_of, merge
from tlslint.discover import Discovered, Root, discover
from tlslint.finding import CouldNotCheck, Finding, Report
from tlslint.parse.tree import Span
from tlslint.policy import load_policy
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import CertificatePair, Deployment, TlsSettings
from tlslint.settings import Settings
from tlslint.target import Target, parse_target


class StageError(Exception):
    """A stage raised what it must not raise: tlslint is broken, not the configuration. The message names the stage."""


def lint(paths: Sequence[str], settings: Settings, stdin: bytes | None = None) -> Report:
    """Discover, parse, resolve, check.

    Raises `PolicyError`, `TargetError` and `SelectorError` for settings that cannot be used. Where tlslint itself fails
    the rest goes on, and the report has the failure.
    """
    # only linting needs the rules
    from tlslint.rules import RULES
    from tlslint.selection import Selection

    policy = load_policy(settings.policy)
    selection = Selection([module.rule for module in RULES], settings)
    rules = [module for module in RULES if selection.runs(module.rule)]
    report = Report(policy=policy.spelling)
    found: list[Finding] = []
    with paused_collector():
        discovered = discover(paths, settings, stdin, settings.stdin_filename)
        for deployment in resolved(discovered, settings, report):
            for module in rules:
                try:
                    found.extend(findings_of(deployment, policy, [module]))
                except RuleError as error:
                    report.failures.append(error)
            report.unknown.extend(undecided(deployment))
            report.included_through.update(include_chains(deployment))
            report.endpoints += len(deployment.endpoints)
        report.findings = sorted(map(selection.graded, merge(found)), key=lambda finding: finding.sort_key)
    report.files = count_files(discovered)
    return report


def predict(paths: Sequence[str], settings: Settings, stdin: bytes | None = None) -> tuple[list[Deployment], Report]:
    """Discover, parse, resolve: the deployments, and what could not be had. Raises `TargetError`."""
    report = Report()
    with paused_collector():
        discovered = discover(paths, settings, stdin, settings.stdin_filename)
        deployments = list(resolved(discovered, settings, report))
    report.files = count_files(discovered)
    report.endpoints = sum(len(deployment.endpoints) for deployment in deployments)
    return deployments, report


def resolved(discovered: Discovered, settings: Settings, report: Report) -> Iterator[Deployment]:
    """Yield the deployment of each root, one at a time; what has none goes into the report."""
    report.skipped.extend(discovered.skipped)
    report.problems.extend(discovered.problems)
    report.notes.extend(discovered.notes)
    targets: dict[str, Target] = {}
    for root in discovered.roots:
        if root.server not in targets:
            targets[root.server] = parse_target(settings.target, root.server)
        deployment = _resolve(root, targets[root.server], report)
        if deployment is not None:
            report.deployments += 1
            yield deployment


def _resolve(root: Root, target: Target, report: Report) -> Deployment | None:
    if root.server != "nginx":
        report.skipped.append((root.display, "Apache configuration, not checked yet"))
        return None
    # only here, so that the search for files does not wait for it
    from tlslint.resolve.nginx import resolve

    tree = root.files.tree(root.entry)
    if isinstance(tree, Unreadable):
        report.problems.append((root.display, tree.reason))
        return None
    try:
        return resolve(root, tree, target)
    except Exception as error:
        failure = StageError(f"resolving {root.display} failed: {error!r}")
        failure.__cause__ = error
        report.failures.append(failure)
        return None


def include_chains(deployment: Deployment) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Yield each included file that sets something about TLS, and the includes through which it takes effect."""
    seen: set[int] = set()
    for handshake in deployment.handshakes:
        for name in TlsSettings.__dataclass_fields__:
            for place in getattr(getattr(handshake.tls, name), "places", ()):
                source = place.directive.source
                if place.includes and id(source) not in seen:
                    seen.add(id(source))
                    yield source.path, tuple(include.span for include in place.includes)


def undecided(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield what could not be decided: one item for each include and certificate file, one for settings alike."""
    for what, why, span in deployment.unknown:
        yield CouldNotCheck(what, why, span)
    unread: dict[str, CertificatePair] = {}
    endpoints: Counter[str] = Counter()
    settings: dict[str, dict[str, int]] = {}
    for handshake in deployment.handshakes:
        for what, why in handshake.unknown:
            if what == "certificates" and not handshake.tls.certificates.is_unknown:
                for endpoint in handshake.endpoints:
                    files = {pair.file: pair for pair in endpoint.tls.certificates.known or () if pair.bundle is None}
                    endpoints.update(files.keys())
                    unread.update(files)
            else:
                counts = settings.setdefault(why, {})
                counts[what] = counts.get(what, 0) + len(handshake.endpoints)
    for file, pair in unread.items():
        why = pair.reason.removeprefix(f'"{file}" ')
        yield CouldNotCheck(f'certificate "{file}" of {_endpoints(endpoints[file])}', why, pair.place.span)
    for why, counts in settings.items():
        names = ", ".join(what.replace("_", " ") for what in counts)
        yield CouldNotCheck(f"{names} of {_endpoints(max(counts.values()))}", why)


def _endpoints(number: int) -> str:
    return f"{number} endpoint{'' if number == 1 else 's'}"


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
