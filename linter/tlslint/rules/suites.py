"""What the rules about cipher suites share: which suites a list offers, to whom, and which of its words bring them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from tlslint.finding import Severity
from tlslint.intention import Fix, ReplacePart, Safety, SetValue
from tlslint.parse.tree import Argument, Span
from tlslint.policy import Policy
from tlslint.record import dataclass, field
from tlslint.resolve.model import Deployment, Endpoint, Handshake, Setting, VirtualHost
from tlslint.rules.words import counted, governing, listed, part_of, releases, value_argument
from tlslint.target import Target
from tlslint.tls.ciphers import (
    BROKEN_ALIASES,
    GENERATIONS,
    KNOWN,
    Suite,
    Token,
    broken_reason,
    by_standard_name,
    evaluate,
    library,
    tokens,
    usable,
)
from tlslint.tls.groups import evaluate_groups
from tlslint.tls.handshake import TLS13, build, level_of, negotiate
from tlslint.tls.protocols import negotiable

NAMED = 4
"""How many suites a message names before it counts the rest."""


@dataclass(slots=True)
class CipherUse:
    """A cipher list that is in force, and the suites for TLS 1.2 and older that clients can really get from it."""

    setting: Setting[str]
    handshakes: list[Handshake]
    reachable: dict[str, Suite]
    libraries: dict[str, list[str]]
    """With which of the OpenSSL releases that the target may have each suite is reachable."""
    releases: list[str]
    """The OpenSSL releases that the target may have and with which the server starts."""
    overrides: bool = False
    """Whether a command put this list in the place of another one that a directive names."""

    @property
    def endpoints(self) -> list[Endpoint]:
        """Everybody whom the list is in force for."""
        return [endpoint for handshake in self.handshakes for endpoint in handshake.endpoints]

    @property
    def labels(self) -> list[str]:
        """The labels of the endpoints."""
        return [endpoint.label for endpoint in self.endpoints]

    @property
    def span(self) -> Span:
        """The list, or the opening line of the first host that the default is in force for."""
        argument = value_argument(self.setting)
        if argument is not None:
            return argument.span
        return self.setting.span or self.endpoints[0].answering.span

    def with_libraries(self, names: Iterable[str]) -> str:
        """Say with which OpenSSL releases these suites are offered, where it is not with all; else an empty text."""
        found = {version for name in names for version in self.libraries.get(name, ())}
        if len(found) == len(self.releases):
            return ""
        return f"with OpenSSL {releases([version for version in self.releases if version in found], self.releases)}"

    def spans(self, names: Collection[str], targets: Iterable[Target]) -> list[Span]:
        """Return the words of the list that bring these suites, neighbours as one; the list itself where none does."""
        argument = value_argument(self.setting)
        if argument is None:
            return [self.span]
        spans: list[Span] = []
        last: Token | None = None
        for token in _bringing(str(argument), frozenset(names), tuple(targets)):
            if last is not None and not str(argument)[last.end : token.start].strip(": ,;"):
                spans[-1] = Span(argument.source, spans[-1].start, part_of(argument, token.start, token.end).end)
            else:
                spans.append(part_of(argument, token.start, token.end))
            last = token
        return list(dict.fromkeys(spans)) or [self.span]


@lru_cache(maxsize=1024)
def _bringing(value: str, names: frozenset[str], targets: tuple[Target, ...]) -> list[Token]:
    """Return the tokens of a list that put at least one of the suites on it first, in order."""
    found: dict[int, Token] = {}
    for target in targets:
        openssl = build(target)
        missing = set(names)
        for token in tokens(value, openssl):
            if token.operator or token.unknown or token.invalid or not missing:
                continue
            brought = missing & set(evaluate(token.text, openssl).names)
            if brought:
                missing -= brought
                found[token.start] = token
    return [found[start] for start in sorted(found)]


@lru_cache(maxsize=1)
def cipher_uses(deployment: Deployment) -> tuple[CipherUse, ...]:
    """Return every known cipher list that a negotiable version uses, with what it offers.

    A list that selects nothing for anybody is left out: that is unusable-cipher-list's subject.
    """
    return tuple(_cipher_uses(deployment))


def _cipher_uses(deployment: Deployment) -> Iterator[CipherUse]:
    groups: dict[int, list[Handshake]] = {}
    for handshake in deployment.handshakes:
        if handshake.keys and handshake.endpoints and not handshake.tls.ciphers.is_unknown:
            groups.setdefault(id(handshake.tls.ciphers), []).append(handshake)
    targets = deployment.targets()
    # many hosts have the same list, each written out anew
    known: dict[tuple[object, ...], Offer] = {}
    for handshakes in groups.values():
        alike = {decisive(handshake): handshake for handshake in handshakes}
        offer = known.get(tuple(alike))
        if offer is None:
            offer = known[tuple(alike)] = _offer(deployment, list(alike.values()), targets)
        if offer.reachable:
            use = CipherUse(handshakes[0].tls.ciphers, handshakes, offer.reachable, offer.libraries, offer.releases)
            use.overrides = _overrides(use, targets)
            yield use


@dataclass(slots=True)
class Offer:
    """What clients can get of a list, as in `CipherUse`."""

    reachable: dict[str, Suite] = field(default_factory=dict)
    libraries: dict[str, list[str]] = field(default_factory=dict)
    releases: list[str] = field(default_factory=list)


def _offer(deployment: Deployment, handshakes: Sequence[Handshake], targets: Iterable[Target]) -> Offer:
    offer = Offer()
    for target in targets:
        starting = [handshake for handshake in handshakes if groups_hold(handshake, target)]
        if starting:
            offer.releases.append(str(target.openssl))
        for name, suite in _certain(deployment, starting, target):
            offer.reachable.setdefault(name, suite)
            offer.libraries.setdefault(name, []).append(str(target.openssl))
    return offer


def decisive(handshake: Handshake) -> tuple[object, ...]:
    """Return all by which it is decided which suites are negotiated."""
    tls = handshake.tls
    return (
        *(setting.known for setting in (tls.effective_protocols, tls.ciphers, tls.ciphersuites, tls.groups)),
        tls.signature_algorithms.known,
        tls.security_level,
        (tls.has_dh_params, bool(tls.dh_params.known), tls.dh_auto),
        handshake.keys,
        handshake.quic,
        tuple(handshake.ciphers.items()),
    )


def _certain(deployment: Deployment, handshakes: Iterable[Handshake], target: Target) -> Iterable[tuple[str, Suite]]:
    """Return the suites that handshakes below TLS 1.3 offer for certain, in order, by name."""
    found: dict[str, Suite] = {}
    for handshake in handshakes:
        ciphers = suites_on(deployment, handshake, target)
        below = tuple([names for version, names in ciphers.items() if version != TLS13])
        dsa = any(kind == "dsa" for kind, _, _ in handshake.keys)
        parameters = bool(handshake.tls.dh_params.known) or handshake.tls.dh_auto
        found |= _judged(below, dsa, parameters, target)
    return found.items()


@lru_cache(maxsize=1024)
def _judged(below: tuple[tuple[str, ...], ...], dsa: bool, parameters: bool, target: Target) -> dict[str, Suite]:
    """Return the suites that are more than possible: nobody has DSA keys, and DHE needs parameters that are known."""
    table = {suite.name: suite for suite in build(target).suites}
    suites = (table[name] for names in below for name in names)
    return {suite.name: suite for suite in suites if (suite.auth != "DSS" or dsa) and (suite.kx != "DHE" or parameters)}


def _overrides(use: CipherUse, targets: Iterable[Target]) -> bool:
    plain, value = use.handshakes[0].tls.plain_ciphers, use.setting.known
    if plain is None or plain is use.setting or not plain.explicit or value is None:
        return False
    if plain.known is None:
        return True
    libraries = [build(target) for target in targets]
    return any(evaluate(plain.known, openssl).suites != evaluate(value, openssl).suites for openssl in libraries)


def offered_below_tls13(deployment: Deployment, handshake: Handshake, target: Target) -> list[str]:
    """Return the suites of TLS 1.2 and older that a client gets from an endpoint on one of the possible targets."""
    ciphers = suites_on(deployment, handshake, target)
    return list(dict.fromkeys(name for version, names in ciphers.items() if version != TLS13 for name in names))


def suites_on(deployment: Deployment, handshake: Handshake, target: Target) -> dict[str, tuple[str, ...]]:
    """Return what an endpoint negotiates on one of the possible targets, by version."""
    if target == deployment.target:
        return handshake.ciphers
    tls = handshake.tls
    enabled = tls.effective_protocols.known
    if enabled is None or tls.ciphers.known is None:
        return {}
    return dict(
        negotiate(
            enabled,
            tls.ciphers.known,
            tls.ciphersuites.known,
            tls.groups.known or "auto",
            handshake.keys,
            tls.has_dh_params,
            target,
            handshake.quic,
            tls.security_level,
            tls.signature_algorithms.known,
        ).ciphers
    )


def groups_hold(handshake: Handshake, target: Target) -> bool:
    """Whether the library takes the list of groups; a refused one is unsupported-group's subject."""
    value = handshake.tls.groups.known
    return value is None or value == "auto" or evaluate_groups(value, build(target)).error is None


# -- lists of which nothing is left ------------------------------------------------------------------------------------


def why_unused(deployment: Deployment, handshake: Handshake, value: str, target: Target) -> str:
    """Say why no suite is left for the versions below TLS 1.3 that are on, or return an empty text where one is."""
    tls, openssl = handshake.tls, build(target)
    enabled = (tls.effective_protocols.known or frozenset()) - {TLS13}
    level = level_of(value, tls.security_level, target)
    if not negotiable(enabled, openssl, level, None) or not groups_hold(handshake, target):
        return ""
    if offered_below_tls13(deployment, handshake, target):
        return ""
    suites = evaluate(value, openssl).suites
    permitted = usable(suites, level, openssl)
    if not suites:
        return ""
    if not permitted:
        return f"security level {level} forbids all of it"
    if all(suite.kx == "DHE" for suite in permitted) and not (tls.dh_params.known or tls.dh_auto):
        return "only DHE suites, which need DH parameters"
    kinds = sorted({kind.upper() for kind, _, _ in handshake.keys if kind != "unknown"})
    return f"nothing that {listed(kinds, 'or') or 'any'} keys can use"


@lru_cache(maxsize=1)
def _unusable(deployment: Deployment) -> frozenset[int]:
    """Return the settings whose cipher list nobody who has it can use, by identity."""
    used: set[int] = set()
    idle: set[int] = set()
    targets = deployment.targets()
    for handshake in deployment.handshakes:
        value = handshake.tls.ciphers.known
        if not handshake.keys or not handshake.endpoints or handshake.quic or value is None:
            continue
        unused = not handshake.negotiates_tls12
        unused = unused and all(why_unused(deployment, handshake, value, target) for target in targets)
        (idle if unused else used).add(id(handshake.tls.ciphers))
    return frozenset(idle - used)


# -- the policy's view -------------------------------------------------------------------------------------------------


def is_allowed(name: str, policy: Policy) -> bool:
    """Whether the policy lists the suite."""
    return policy.ciphers is not None and name in policy.ciphers


def broken(use: CipherUse, policy: Policy) -> list[Suite]:
    """Return the offered suites that nobody should use and that the policy does not list."""
    return [suite for suite in use.reachable.values() if broken_reason(suite) and not is_allowed(suite.name, policy)]


def without_forward_secrecy(use: CipherUse, policy: Policy) -> list[Suite]:
    """Return the offered suites that use the certificate's key to exchange keys; broken ones are not among them."""
    return [
        suite
        for suite in use.reachable.values()
        if not suite.forward_secrecy and not broken_reason(suite) and not is_allowed(suite.name, policy)
    ]


def outside(use: CipherUse, policy: Policy) -> list[Suite]:
    """Return the other offered suites that the policy does not list.

    None where it has no opinion, or allows no version that such suites are for: then the version is the fault.
    """
    if not policy.ciphers:
        return []
    return [
        suite
        for suite in use.reachable.values()
        if suite.forward_secrecy and not broken_reason(suite) and not is_allowed(suite.name, policy)
    ]


def reason_outside(suite: Suite) -> str:
    """Say in a word what keeps a sound suite with forward secrecy out of a policy."""
    if not suite.aead:
        return "CBC mode with SHA-1" if suite.mac == "SHA1" else "CBC mode"
    if suite.kx == "DHE":
        return "finite-field Diffie-Hellman"
    if "CCM" in suite.enc:
        return "a short authentication tag" if "CCM8" in suite.enc else "CCM mode"
    return suite.enc.rstrip("GCM0123456789")


def by_reason(suites: Iterable[Suite], reason: Callable[[Suite], str | None]) -> dict[str, list[str]]:
    """Group suites by what a function says of them."""
    groups: dict[str, list[str]] = {}
    for suite in suites:
        groups.setdefault(str(reason(suite)), []).append(suite.name)
    return groups


def keys_unknown(use: CipherUse) -> bool:
    """Whether no certificate of the endpoints could be read, so that RSA and ECDSA suites are both only possible."""
    return all(kind == "unknown" for handshake in use.handshakes for kind, _, _ in handshake.keys)


def brings(use: CipherUse, names: Collection[str]) -> str:
    """Say what a word of a list does, and with which libraries, as the label under it."""
    limits = use.with_libraries(names)
    return f"offered {limits}" if limits else f"brings {'it' if len(names) == 1 else 'them'} in"


def some(names: Iterable[str], most: int = NAMED) -> str:
    """Name the first few and count the rest: `A, B, C, D and 12 more`."""
    items = list(names)
    if len(items) <= most + 1:
        return listed(items)
    return f"{', '.join(items[:most])} and {len(items) - most} more"


def count(suites: Collection[object], what: str = "cipher suite") -> str:
    """Write a number of things: `1 cipher suite`, `12 cipher suites`."""
    return counted(len(suites), what)


def effect_of(use: CipherUse, policy: Policy) -> tuple[Severity, list[str]]:
    """Return how bad what a list offers is, and in words what is wrong with it."""
    kinds = (
        (broken(use, policy), "broken ", "", Severity.ERROR),
        (
            without_forward_secrecy(use, policy),
            "",
            " without forward secrecy",
            Severity.INFO if policy.ciphers is None else Severity.ERROR,
        ),
        (outside(use, policy), "", " outside the policy", Severity.WARNING),
    )
    found = [(suites, before, after, severity) for suites, before, after, severity in kinds if suites]
    words: list[str] = []
    for suites, before, after, _ in found:
        what = f"{'' if not words else 'other '}{before}cipher suite"
        words.append(f"{count(suites, what)}{after} ({some((suite.name for suite in suites), 2)})")
    return max((severity for *_, severity in found), default=Severity.INFO), words


# -- lists as they are written -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class WrittenList:
    """A cipher list that some host names, in force or not: the server hands it to OpenSSL when it starts."""

    setting: Setting[str]
    argument: Argument
    labels: list[str]
    in_force: bool = False
    """Whether it is the list of some host; a command may have put another one in its place."""

    @property
    def value(self) -> str:
        """The list as OpenSSL gets it, with what the server itself adds."""
        return self.setting.known or str(self.argument)


def lists_in_force(deployment: Deployment) -> Iterator[WrittenList]:
    """Yield the written cipher lists that are some host's and of some use, with an OpenSSL of the target."""
    unusable = _unusable(deployment)
    for written in written_lists(deployment):
        useless = id(written.setting) in unusable or refused_by_all(written.value, deployment)
        if written.in_force and not useless:
            yield written


@lru_cache(maxsize=1)
def written_lists(deployment: Deployment) -> tuple[WrittenList, ...]:
    """Return every cipher list that is written out and reaches a TLS library that is OpenSSL."""
    if deployment.target.library != "openssl":
        return ()
    found: dict[int, WrittenList] = {}
    for host, names in hosts_with_tls(deployment):
        for setting in (host.tls.plain_ciphers, host.tls.ciphers):
            argument = None if setting is None else value_argument(setting)
            if setting is None or argument is None or setting.is_unknown:
                continue
            written = found.setdefault(id(setting), WrittenList(setting, argument, []))
            written.labels.extend(names)
            written.in_force |= setting is host.tls.ciphers
    return tuple(found.values())


@lru_cache(maxsize=1)
def hosts_with_tls(deployment: Deployment) -> tuple[tuple[VirtualHost, list[str]], ...]:
    """Return the hosts for which the server sets TLS up when it starts, with the labels of their endpoints."""
    return tuple(_hosts_with_tls(deployment))


def _hosts_with_tls(deployment: Deployment) -> Iterator[tuple[VirtualHost, list[str]]]:
    own: dict[int, list[str]] = {}
    for endpoint in deployment.endpoints:
        own.setdefault(id(endpoint.virtual_host), []).append(endpoint.label)
    # messages name the first: one that clients reach over TLS, if there is any
    for host in sorted(deployment.virtual_hosts, key=lambda host: not any(socket.tls for socket in host.listeners)):
        tls = host.tls
        # a certificate that an unread file may hold is none where no socket of the host speaks TLS
        possible = tls.certificates.is_unknown and any(listener.tls for listener in host.listeners)
        if possible or tls.certificates.known or tls.reject_handshake.known:
            yield host, own.get(id(host)) or [host.label]
    for listener in deployment.listeners:
        if not listener.address:  # a fragment: its host is made up
            yield listener.default, own.get(id(listener.default)) or [listener.label]


def refused(value: str, targets: Iterable[Target]) -> dict[str, list[str]]:
    """Return why OpenSSL refuses a cipher list, with the releases that do; empty where all take it."""
    errors: dict[str, list[str]] = {}
    for target in targets:
        error = evaluate(value, build(target)).error
        if error is not None:
            errors.setdefault(error, []).append(str(target.openssl))
    return errors


def refused_by_all(value: str, deployment: Deployment) -> bool:
    """Whether no OpenSSL that the target may have takes the list: all else about it is moot."""
    return all(evaluate(value, build(target)).error for target in deployment.targets())


def names_tls13(token: Token) -> bool:
    """Whether a token names a suite of TLS 1.3."""
    suite = KNOWN.get(token.text)
    return suite is not None and suite.tls13


@lru_cache(maxsize=1024)
def named_on_any_build(value: str) -> list[tuple[Token, list[str]]]:
    """Return the tokens that name broken suites, with those that some build with everything in it would then serve.

    Words for many suites, such as `ALL`, do not name what they bring.
    """
    found = []
    named = [t for t in tokens(value) if not (t.operator or t.invalid) and _names_broken(t.text)]
    # most lists name none, and working through one takes its time
    richest = [library(generation) for generation in GENERATIONS] if named else []
    listed_by = [(openssl, frozenset(evaluate(value, openssl).names)) for openssl in richest]
    for token in named:
        names = {
            name
            for openssl, names in listed_by
            for name in names.intersection(evaluate(token.text, openssl).names)
            if broken_reason(KNOWN[name])
        }
        if names:
            found.append((token, sorted(names)))
    return found


def _names_broken(text: str) -> bool:
    suite = KNOWN.get(text) or by_standard_name().get(text)
    if suite is not None:
        return broken_reason(suite) is not None
    return any(word in BROKEN_ALIASES for word in text.split("+"))


def without(value: str, dropped: Iterable[Token]) -> str:
    """Return a cipher list without some of its words, each of which takes one separator along."""
    for token in sorted(dropped, key=lambda token: -token.start):
        start, end = token.start - len(token.operator), token.end
        if end < len(value):
            end += 1
        elif start:
            start -= 1
        value = value[:start] + value[end:]
    return value.rstrip(": ,;")


def rewritten(written: WrittenList, value: str, title: str) -> Fix:
    """Return the fix by which a list reads otherwise and selects the same, or what was meant."""
    place = written.setting.places[-1]
    return Fix(title, Safety.SAFE, (ReplacePart(place, written.argument.span, value),))


def policy_list(setting: Setting[str], endpoints: Iterable[Endpoint], policy: Policy) -> Fix | None:
    """Return the fix that puts the policy's suites for TLS 1.2 and older in the place of a list; None without any."""
    suites = policy.recommended_ciphers or policy.ciphers
    if not suites:
        return None
    intention = SetValue("ciphers", suites, setting, governing(endpoints, "ciphers"))
    return Fix(f'use the list of policy "{policy.name}"', Safety.SAFE, (intention,))
