"""What the rules about protocol versions share: which settings decide, and whether anything is left to negotiate."""

from collections.abc import Iterable
from functools import lru_cache

from tlslint.intention import Fix, Safety, SetValue
from tlslint.parse.tree import Argument
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.record import dataclass
from tlslint.resolve.model import Deployment, Endpoint, Setting
from tlslint.rules.words import governed_by, governing, listed, releases
from tlslint.target import Target, Version
from tlslint.tls.handshake import TLS13, build, level_of
from tlslint.tls.protocols import PROTOCOLS, compiled, negotiable

SERVERS_WITH_TLS13 = {"nginx": Version("1.13.0"), "apache": Version("2.4.36")}
"""Since when the servers have the version (their change logs)."""
_SPELLINGS = {str(name).lower(): str(name) for name in PROTOCOLS}
_ALL = frozenset(str(name) for name in PROTOCOLS[1:])
"""What `all` means to Apache: SSLv2 it does not have."""


@dataclass(slots=True)
class Use:
    """The protocol settings that govern some endpoints: what the directive says, and what commands leave of it."""

    plain: Setting[frozenset[str]]
    effective: Setting[frozenset[str]]
    endpoints: list[Endpoint]

    @property
    def enabled(self) -> frozenset[str]:
        """The versions that are switched on; empty where they are unknown."""
        return self.effective.known or frozenset()

    @property
    def listed(self) -> frozenset[str]:
        """The versions that the plain directive (or the default) switches on."""
        return self.plain.known or frozenset()

    @property
    def quic(self) -> list[Endpoint]:
        """The endpoints that speak QUIC."""
        return [endpoint for endpoint in self.endpoints if endpoint.listener.transport == "quic"]


@lru_cache(maxsize=1)
def uses(deployment: Deployment) -> tuple[Use, ...]:
    """Return the protocol settings that are in force and known."""
    return tuple(
        Use(endpoints[0].tls.protocols, endpoints[0].tls.effective_protocols, endpoints)
        for endpoints in governed_by(deployment, "protocols", "effective_protocols")
        if not endpoints[0].tls.effective_protocols.is_unknown
    )


@lru_cache(maxsize=1)
def serving(deployment: Deployment) -> tuple[Use, ...]:
    """Return the protocol settings with which something can be negotiated: the others are no-protocol's subject."""
    return tuple(use for use in uses(deployment) if not nothing_left(deployment, use))


def nothing_left(deployment: Deployment, use: Use) -> bool:
    """Whether no OpenSSL that the target may have negotiates any of the enabled versions."""
    return not any(_negotiable(use.enabled, target, _lowest_level(use, target)) for target in deployment.targets())


@lru_cache(maxsize=1024)
def _negotiable(enabled: frozenset[str], target: Target, level: int) -> tuple[str, ...]:
    return tuple(negotiable(enabled, build(target), level, None))


def _lowest_level(use: Use, target: Target) -> int:
    settings = {id(endpoint.tls.ciphers): endpoint.tls for endpoint in use.endpoints}
    return min(level_of(tls.ciphers.known or "DEFAULT", tls.security_level, target) for tls in settings.values())


def united_by_accident(use: Use) -> frozenset[str]:
    """Return the versions that an earlier line of the same block adds to what the last one says."""
    if len(use.plain.places) < 2:
        return frozenset()
    last = {word.lower() for word in use.plain.places[-1].directive.arguments}
    return frozenset(name for name in use.listed if name.lower() not in last)


def read_line(words: Iterable[Argument]) -> tuple[frozenset[str], frozenset[str], Argument | None]:
    """Read a line of Apache's: what it switches on, what of it an earlier part did in vain, and the word to blame.

    A word without a sign replaces all that stands before it.
    """
    enabled: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    by: Argument | None = None
    for word in words:
        sign, named = word[:1], _named(word)
        if sign == "-":
            enabled -= named
        elif sign == "+":
            enabled |= named
        else:
            if enabled - named:
                lost, by = lost | (enabled - named), word
            enabled = named
    lost -= enabled
    return enabled, lost, by if lost else None


def _named(word: str) -> frozenset[str]:
    name = word.lstrip("+-").lower()
    return _ALL if name == "all" else frozenset(filter(None, [_SPELLINGS.get(name)]))


def thrown_away(setting: Setting[frozenset[str]]) -> tuple[frozenset[str], Argument | None]:
    """Return the versions that an Apache's line names in vain, and the word that throws them away."""
    if setting.known is None or not setting.places:
        return frozenset(), None
    _, lost, word = read_line(setting.places[-1].directive.arguments)
    return lost, word


def asleep(deployment: Deployment, use: Use, names: list[str]) -> str:
    """Say which of these versions are switched on but not negotiated, and by which library; empty where all are."""
    targets = deployment.targets()
    sleeping: dict[str, list[str]] = {}
    for target in targets:
        awake = _negotiable(frozenset(names), target, _lowest_level(use, target))
        resting = [name for name in names if name not in awake]
        if resting:
            sleeping.setdefault(listed(resting, "or"), []).append(str(target.openssl))
    versions = [str(target.openssl) for target in targets]
    return "; ".join(
        f"OpenSSL {releases(libraries, versions)} {'does' if len(libraries) == 1 else 'do'} not negotiate {what}"
        for what, libraries in sleeping.items()
    )


def available(deployment: Deployment, name: str) -> bool:
    """Whether the target's server and TLS library have a protocol version at all."""
    server = deployment.target.server
    if name == TLS13 and server is not None and server < SERVERS_WITH_TLS13[deployment.server]:
        return False
    return any(name in compiled(build(target)) for target in deployment.targets())


def allowing(use: Use, versions: Iterable[str], title: str = "", safety: Safety = Safety.SAFE) -> Fix:
    """Return the fix that switches exactly these versions on where a setting is in force."""
    names = tuple(sorted(versions))
    intention = SetValue("protocols", names, use.plain, governing(use.endpoints, "protocols"))
    return Fix(title or f"allow {listed(names)} only", safety, (intention,))


def completed(deployment: Deployment, use: Use, missing: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Return the versions of a setting with further ones; where some are outside the policy, the policy's instead."""
    if any(policy.judge_protocol(name) is not ProtocolVerdict.ALLOWED for name in use.listed):
        return wanted_protocols(deployment, policy)
    return tuple(sorted(use.listed | set(missing)))


def wanted_protocols(deployment: Deployment, policy: Policy) -> tuple[str, ...]:
    """Return the versions that a fix writes: the policy's, as far as the target has them on every release."""
    targets = deployment.targets()
    has_tls13 = available(deployment, TLS13) and all(TLS13 in compiled(build(target)) for target in targets)
    return tuple(name for name in policy.protocols if name != TLS13 or has_tls13)
