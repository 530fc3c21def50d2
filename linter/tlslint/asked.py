"""What the settings ask for, made ready: the policy, the target, the moment, the roots, the lists of weak keys."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tlslint.finding import Report
from tlslint.policy import Policy, PolicyError, load_policy
from tlslint.resolve.model import Deployment
from tlslint.settings import TRUST_WORDS, Settings, SettingsError, where_set
from tlslint.target import Target, TargetError, parse_target


def policy_of(settings: Settings) -> Policy:
    """Return the policy to compare with; raises `PolicyError`, or `SettingsError` with the place that names it."""
    with _said_where(settings, "policy"):
        return load_policy(settings.policy)


def target_of(settings: Settings, server: str) -> Target:
    """Return the versions to predict for; raises `TargetError`, or `SettingsError` with the place that names them."""
    with _said_where(settings, "target"):
        return parse_target(settings.target, server)


@contextmanager
def _said_where(settings: Settings, key: str) -> Iterator[None]:
    """Say of a value that cannot be used where it was set, if a settings file has it."""
    try:
        yield
    except (PolicyError, TargetError) as error:
        where = where_set(settings, key)
        if not where:
            raise
        raise SettingsError(f"{where}{error}") from error


def hand_on(settings: Settings, deployment: Deployment) -> None:
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
