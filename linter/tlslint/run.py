"""The pipeline on one screen: discover, parse, resolve, check. What comes out is a `Report`; printing is for others."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from tlslint.check import RuleError, findings_of, merge
from tlslint.discover import Discovered, Root, discover
from tlslint.finding import CouldNotCheck, Finding, Report
from tlslint.parse.tree import Span
from tlslint.policy import load_policy
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import CertificatePair, Deployment, TlsSettings
from tlslint.settings import TRUST_WORDS, Settings, SettingsError
from tlslint.target import Target, parse_target


class StageError(Exception):
    """A stage raised what it must not raise: tlslint is broken, not the configuration. The message names the stage."""


def lint(paths: Sequence[str], settings: Settings, stdin: bytes | None = None) -> Report:
    """Discover, parse, resolve, check.

    Raises `PolicyError`, `TargetError`, `SelectorError` and `SettingsError` for settings that cannot be used. Where
    tlslint itself fails the rest goes on, and the report has the failure.
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
    check_trust_store(settings.trust_store)
    targets: dict[str, Target] = {}
    for root in discovered.roots:
        if root.server not in targets:
            targets[root.server] = parse_target(settings.target, root.server)
        deployment = _resolve(root, targets[root.server], report)
        if deployment is not None:
            report.deployments += 1
            _add_settings(deployment, settings)
            yield deployment


def _add_settings(deployment: Deployment, settings: Settings) -> None:
    """Tell what the judgement of certificates depends on besides the configuration."""
    if settings.now is not None:
        moment = datetime.fromisoformat(settings.now)
        deployment.now = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    deployment.require_certificates = settings.require_certificates
    deployment.trust_store = settings.trust_store
    deployment.expiry_days = (settings.expiry_warning_days, settings.expiry_error_days)


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
        if not deployment.certificates.is_missing(pair.trouble, pair.path, pair.reason):
            what = f'certificate "{file}" of {_endpoints(endpoints[file])}'
            yield CouldNotCheck(what, _elsewhere(pair), pair.place.span)
    yield from _half_read(deployment)
    yield from _unread_authorities(deployment)
    for why, counts in settings.items():
        names = ", ".join(what.replace("_", " ") for what in counts)
        yield CouldNotCheck(f"{names} of {_endpoints(max(counts.values()))}", why)


NOT_HERE = "not here: --root or path-map says where it is, --require-certificates makes its absence an error"


def _elsewhere(pair: CertificatePair) -> str:
    """Say why a certificate could not be read; one reason for all that are not kept beside the configuration."""
    if pair.trouble in ("missing", "outside") and pair.path:
        return NOT_HERE
    return pair.reason.removeprefix(f'"{pair.file}" ')


def _unread_authorities(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield the files that decide who is a client and that could not be read."""
    for setting, failure, number in deployment.clients.unread():
        if not deployment.certificates.is_missing(failure.kind, failure.path, failure.reason):
            why = NOT_HERE if failure.kind in ("missing", "outside") else failure.reason
            directive = setting.places[-1].directive.name
            yield CouldNotCheck(f'{directive} "{setting.known}" of {_endpoints(number)}', why, setting.span)


def _half_read(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield the certificate files in which something stands that the server may take and that could not be read."""
    for served in deployment.certificates.served:
        pair = served.pairs[0]
        for problem in served.bundle.problems if not served.bundle.complete else ():
            if problem.kind.value == "unknown":
                where = f"line {problem.line} of certificate"
                yield CouldNotCheck(f'{where} "{pair.file}"', problem.message, pair.place.span)


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
