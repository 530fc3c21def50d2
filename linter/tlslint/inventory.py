"""The inventory: every certificate, client CA and CRL that a deployment uses, and every handshake that it offers.

The certificates are what has to be renewed in time; protocols and suites are the inventory that PCI DSS 4.0.1 asks for
(requirement 12.3.3). What could not be read is a part of the inventory, with the reason. Private keys are not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from tlslint.pki.dates import Life, life
from tlslint.policy import Policy
from tlslint.record import dataclass, field
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import (
    CertificatePair,
    Deployment,
    Endpoint,
    Handshake,
    Place,
    Setting,
    TlsSettings,
    Unknown,
    Upstream,
    presented,
)
from tlslint.target import Target

if TYPE_CHECKING:
    from tlslint.pki.bundle import Bundle, CertificateRevocationList
    from tlslint.pki.certificate import Certificate

LEAST_RSA_BITS = 2048
LEAST_CURVE_BITS = 224
LEAST_STRENGTH = 112
"""Below these keys and groups are disallowed for everyone (NIST SP 800-131A revision 2, sections 3 and 5)."""

_INLINE = ("data:", "engine:", "store:")
"""What names of certificates begin with that are no paths; what follows may be a certificate, or a PIN."""
_PLACED = {
    "protocols": "effective_protocols", "ciphers": "ciphers", "ciphersuites": "ciphersuites", "groups": "groups",
    "certificates": "certificates", "client_certificate": "verify_client",
}  # fmt: skip
"""The settings whose places an answer tells, and their names in `TlsSettings`."""


class Role(Enum):
    """What a certificate or CRL is used for."""

    SERVER = "server"
    CHAIN = "chain"
    """Sent to clients or upstreams after a certificate."""
    CLIENT_CA = "client-ca"
    TRUSTED_CA = "trusted-ca"
    CRL = "crl"
    UPSTREAM_CLIENT = "upstream-client"
    UPSTREAM_CA = "upstream-ca"


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Naming:
    """A directive that names a file, or makes a setting: where it stands."""

    directive: str
    file: str
    line: int

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{self.directive} at {place}" if self.directive else place


class _Named:
    """What is named by directives and used by somebody: each of them once, in order."""

    __slots__ = ()
    _namings: dict[Naming, None]
    _users: dict[str, None]

    @property
    def namings(self) -> list[Naming]:
        """The directives that name it."""
        return list(self._namings)

    @property
    def users(self) -> list[str]:
        """Labels of the endpoints, or of the upstream connections, that use it; none for one that is only named."""
        return list(self._users)


@dataclass(slots=True, eq=False)
class NamedFile(_Named):
    """A file of certificates or CRLs, who names it, and who uses what is in it."""

    file: str
    """The path as the user knows it; `data:` where the certificate stands in the configuration itself."""
    _namings: dict[Naming, None] = field(default_factory=dict)
    _users: dict[str, None] = field(default_factory=dict)

    def add(self, places: Iterable[Place], users: Iterable[str]) -> None:
        """Note further directives and users."""
        self._namings.update(dict.fromkeys(map(naming_of, places)))
        self._users.update(dict.fromkeys(users))


@dataclass(slots=True, eq=False)
class CertificateEntry:
    """A certificate in one role: each is there once, however many files hold it."""

    role: Role
    certificate: "Certificate"
    life: Life
    chain: tuple["Certificate", ...] = ()
    """What is sent after it, in order."""
    _files: dict[NamedFile, None] = field(default_factory=dict)

    @property
    def files(self) -> list[NamedFile]:
        """The files that hold it."""
        return list(self._files)

    @property
    def users(self) -> list[str]:
        """Labels of everybody who uses it, through whichever file."""
        return _users_of(self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """The subject alternative names with their kinds: `DNS:a.example`, `IP:192.0.2.1`, `URI:…`."""
        certificate = self.certificate
        return (
            *(f"DNS:{name}" for name in certificate.dns_names),
            *(f"IP:{address}" for address in certificate.ip_addresses),
            *certificate.other_names,
        )

    @property
    def key(self) -> str:
        """Type and size of the key in words: `RSA 2048`, `EC prime256v1`."""
        return key_text(self.certificate.key_type, self.certificate.key_bits or 0, self.certificate.curve or "")


@dataclass(slots=True, eq=False)
class CrlEntry:
    """A certificate revocation list, as of a moment."""

    crl: "CertificateRevocationList"
    sha256: str
    """Of its DER, in lower-case hexadecimal."""
    now: datetime
    _files: dict[NamedFile, None] = field(default_factory=dict)

    @property
    def files(self) -> list[NamedFile]:
        """The files that hold it."""
        return list(self._files)

    @property
    def users(self) -> list[str]:
        """Labels of everybody who uses it, through whichever file."""
        return _users_of(self.files)

    @property
    def days_left(self) -> int | None:
        """Whole days until the next update is due, rounded down; None where the list does not say."""
        return None if self.crl.next_update is None else (self.crl.next_update - self.now).days

    @property
    def state(self) -> str:
        """`valid`, `expired` or `not yet valid`."""
        if self.crl.last_update > self.now:
            return "not yet valid"
        return "expired" if self.crl.next_update is not None and self.crl.next_update < self.now else "valid"


def _users_of(files: Sequence[NamedFile]) -> list[str]:
    if len(files) == 1:
        return files[0].users
    return list(dict.fromkeys(label for file in files for label in file.users))


@dataclass(slots=True, eq=False)
class Unread(_Named):
    """Something that could not be read, or not all of it: an inventory without it would look complete."""

    role: Role | None
    file: str
    """The file's path, or its name as written where there is none; empty where it is not known which file it is."""
    why: str
    _namings: dict[Naming, None] = field(default_factory=dict)
    _users: dict[str, None] = field(default_factory=dict)


class Verdict(Enum):
    """What the policy makes of a part of a handshake."""

    ALLOWED = "allowed"
    OMITTED = "omitted"
    """A version that is sound in itself and not in the policy."""
    OUTSIDE = "outside"
    """Not in the policy."""
    WEAK = "weak"
    """Not in the policy, and nobody should use it."""
    UNJUDGED = "unjudged"
    """The policy has no opinion, or it is unknown."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A protocol version, suite, group or key, the verdict, and in a word what speaks against it."""

    name: str
    verdict: Verdict
    reason: str = ""


@dataclass(slots=True, eq=False)
class Answer:
    """What a client meets, and who answers so: everything that a client cannot tell apart is one answer."""

    entry: str
    """The configuration: path of its entry file."""
    target: Target
    policy: Policy
    """The policy that judges it."""
    outcome: str
    """`completes`, `rejected`, `plaintext` or `unknown`."""
    reason: str
    protocols: tuple[Judged, ...]
    suites: dict[str, tuple[Judged, ...]]
    """By protocol version, in the server's order."""
    groups: tuple[Judged, ...]
    keys: tuple[Judged, ...]
    """Of the certificates that are presented."""
    client_certificate: str
    unknown: tuple[tuple[str, str], ...]
    """What could not be decided, and why."""
    endpoints: list[Endpoint]
    _settings: dict[str, dict[Naming | str, None]]

    @property
    def users(self) -> list[str]:
        """Labels of the endpoints."""
        return [endpoint.label for endpoint in self.endpoints]

    @property
    def configured(self) -> dict[str, list[Naming | str]]:
        """By setting: the directives that make it, or in words the default that it is."""
        return {name: list(places) for name, places in self._settings.items()}


@dataclass(slots=True, eq=False)
class Inventory:
    """All of it. Certificates and CRLs are sorted by the moment at which they expire."""

    now: datetime
    policy: Policy
    """The policy of deployments that have none of their own."""
    own_policies: Mapping[str, Policy]
    """By the name of a deployment."""
    certificates: list[CertificateEntry]
    crls: list[CrlEntry]
    answers: list[Answer]
    unread: list[Unread]
    deployments: list[Deployment]

    def policy_of(self, deployment: Deployment) -> Policy:
        """Return the policy that judges a deployment."""
        return self.own_policies.get(deployment.name, self.policy)

    @property
    def policies(self) -> list[Policy]:
        """The policies of all deployments, each once."""
        found = {policy.spelling: policy for policy in map(self.policy_of, self.deployments)}
        return list(found.values()) or [self.policy]


def take_inventory(
    deployments: Sequence[Deployment],
    policy: Policy,
    left_out: Iterable[tuple[str, str]] = (),
    own_policies: Mapping[str, Policy] | None = None,
) -> Inventory:
    """Return the inventory of all deployments together, as of the moment for which they judge dates.

    `left_out` are configuration files that are in none of the deployments, each with the reason. `own_policies` are
    those of named deployments, which `policy` does not judge.
    """
    now = deployments[0].now if deployments else datetime.now(UTC)
    collector = _Collector(now)
    for deployment in deployments:
        collector.collect(deployment)
    for file, why in left_out:
        collector.leave_out(file, why)
    own = own_policies or {}
    return Inventory(
        now=now,
        policy=policy,
        own_policies=own,
        certificates=sorted(collector.certificates.values(), key=_expiry),
        crls=sorted(collector.crls.values(), key=_crl_expiry),
        answers=[
            answer for deployment in deployments for answer in _answers(deployment, own.get(deployment.name, policy))
        ],
        unread=list(collector.unread.values()),
        deployments=list(deployments),
    )


def _expiry(entry: CertificateEntry) -> tuple[object, ...]:
    certificate = entry.certificate
    return certificate.not_after, _RANK[entry.role], certificate.subject, certificate.sha256


def _crl_expiry(entry: CrlEntry) -> tuple[object, ...]:
    return entry.crl.next_update or datetime.max.replace(tzinfo=UTC), entry.crl.issuer, entry.sha256


def naming_of(place: Place) -> Naming:
    """Return where a directive stands."""
    directive = place.directive
    return Naming(str(directive.name), directive.source.path, directive.line)


def key_text(key_type: str, bits: int, curve: str) -> str:
    """Return a key in words: `RSA 2048`, `EC prime256v1`, `ED25519`."""
    if key_type == "ec":
        return f"EC {curve or bits or 'of an unnamed curve'}"
    return f"{key_type.upper()} {bits}" if key_type in ("rsa", "dsa") and bits else key_type.upper()


# -- certificates and CRLs ---------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Use:
    """A setting that names a file, and who uses that file."""

    role: Role
    setting: Setting[str | None]
    with_crls: bool
    """Whether CRLs count that stand in the file besides certificates: only if revocation is checked at all."""
    users: list[str] = field(default_factory=list)


class _Collector:
    """Collects what the files of several deployments hold, each file once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.certificates: dict[tuple[Role, str], CertificateEntry] = {}
        self.crls: dict[str, CrlEntry] = {}
        self.unread: dict[tuple[object, ...], Unread] = {}
        self._files: dict[tuple[object, ...], NamedFile] = {}
        self._taken: set[tuple[object, ...]] = set()

    def collect(self, deployment: Deployment) -> None:
        """Add everything that one deployment uses."""
        self._own(deployment)
        for use in (*_verifying(deployment), *_upstream_uses(deployment)):
            self._take_use(deployment, use)
        for what, why, span in deployment.unknown:
            place = Naming("", span.source.path, span.line) if span is not None else None
            self._note(None, "", f"{what}: {why}", [place] if place is not None else [], ())

    def leave_out(self, file: str, why: str) -> None:
        """Note a configuration file that was not read."""
        self._note(None, file, why, (), ())

    # certificates of the server itself

    def _own(self, deployment: Deployment) -> None:
        """Take the certificates of endpoints, and those of hosts that no client ever gets."""
        users: dict[int, list[str]] = {}  # by the identity of settings, bundles, and pairs that have none
        settings: dict[int, Setting[tuple[CertificatePair, ...]]] = {}
        served: dict[int, list[int]] = {}
        for endpoint in filter(_presents, deployment.endpoints):
            setting, label = endpoint.tls.certificates, endpoint.label
            key = id(setting)
            if key not in served:
                settings[key] = setting
                served[key] = [key, *(id(pair.bundle or pair) for pair in presented(setting.known or ()))]
            for user in served[key]:
                users.setdefault(user, []).append(label)
        settings |= {id(setting): setting for setting in deployment.certificates.sets}
        for key, setting in settings.items():
            if isinstance(setting.value, Unknown):
                namings = map(naming_of, setting.places)
                self._note(Role.SERVER, "", setting.value.reason, namings, users.get(key, ()))
            for pair in setting.known or ():
                self._take_pair(pair, users.get(id(pair.bundle or pair), ()), deployment)

    def _take_pair(self, pair: CertificatePair, users: Sequence[str], deployment: Deployment) -> None:
        if pair.bundle is not None:
            self._take_chain(Role.SERVER, pair.bundle, [pair.place], users, deployment)
        elif pair.file:
            self._note(Role.SERVER, shown_name(pair.file), _reason(pair), [naming_of(pair.place)], users)

    # files that others name

    def _take_use(self, deployment: Deployment, use: _Use) -> None:
        setting = use.setting
        if isinstance(setting.value, Unknown):
            self._note(use.role, "", setting.value.reason, map(naming_of, setting.places), use.users)
            return
        if not setting.value:
            return
        bundle = _bundle(deployment, setting.value)
        if isinstance(bundle, Unreadable):
            name = shown_name(setting.value)
            self._note(use.role, name, bundle.reason, map(naming_of, setting.places), use.users)
        elif use.role is Role.UPSTREAM_CLIENT:
            self._take_chain(use.role, bundle, setting.places, use.users, deployment)
        else:
            self._take_list(use, bundle, deployment)

    def _take_chain(
        self, role: Role, bundle: "Bundle", places: Sequence[Place], users: Iterable[str], deployment: Deployment
    ) -> None:
        """Take a file of which the first certificate is somebody's own and the others follow it."""
        file, is_new = self._file(role, bundle, places, users)
        if not is_new:
            return
        certificates = bundle.certificates
        for index, certificate in enumerate(certificates):
            entry = self._entry(Role.CHAIN if index else role, certificate, file, deployment)
            if not index:
                entry.chain = certificates[1:]
        for problem in bundle.problems:
            self._note(role, file.file, _at_line(problem.line, problem.message), file.namings, file.users)

    def _take_list(self, use: _Use, bundle: "Bundle", deployment: Deployment) -> None:
        """Take a file that is read for all certificates and CRLs in it, in whatever order."""
        file, _ = self._file(use.role, bundle, use.setting.places, use.users)
        key = (use.role, id(bundle), use.with_crls)
        if key in self._taken:
            return
        self._taken.add(key)
        # a file of CRLs is read for certificates as well
        role = Role.TRUSTED_CA if use.role is Role.CRL else use.role
        for certificate in bundle.all_certificates:
            self._entry(role, certificate, file, deployment)
        for crl in bundle.crls if use.with_crls else ():
            self._crl_entry(crl, file)
        for message in _list_problems(use.role, bundle):
            self._note(use.role, file.file, message, file.namings, file.users)

    # the entries

    def _file(
        self, role: Role, bundle: "Bundle", places: Sequence[Place], users: Iterable[str]
    ) -> tuple[NamedFile, bool]:
        key = (role, bundle.path, id(bundle) if bundle.path in _INLINE else 0)
        found = self._files.get(key)
        is_new = found is None
        if found is None:
            found = self._files[key] = NamedFile(bundle.path)
        found.add(places, users)
        return found, is_new

    def _entry(
        self, role: Role, certificate: "Certificate", file: NamedFile, deployment: Deployment
    ) -> CertificateEntry:
        key = (role, certificate.sha256)
        entry = self.certificates.get(key)
        if entry is None:
            warn, error = deployment.expiry_days
            span = life(certificate.not_before, certificate.not_after, self.now, warn_days=warn, error_days=error)
            entry = self.certificates[key] = CertificateEntry(role, certificate, span)
        entry._files[file] = None
        return entry

    def _crl_entry(self, crl: "CertificateRevocationList", file: NamedFile) -> None:
        from hashlib import sha256

        digest = sha256(crl.der).hexdigest()
        self.crls.setdefault(digest, CrlEntry(crl, digest, self.now))._files[file] = None

    def _note(self, role: Role | None, file: str, why: str, namings: Iterable[Naming], users: Iterable[str]) -> None:
        places = dict.fromkeys(namings)
        key = (role, file, why) if file else (role, why, *places)
        unread = self.unread.get(key)
        if unread is None:
            unread = self.unread[key] = Unread(role, file, why)
        unread._namings.update(places)
        unread._users.update(dict.fromkeys(users))


def _presents(endpoint: Endpoint) -> bool:
    """Whether clients of an endpoint are meant to get a certificate at all."""
    return endpoint.handshake.outcome != "plaintext" and not endpoint.tls.reject_handshake.known


def _verifying(deployment: Deployment) -> Iterator[_Use]:
    """Yield the files that endpoints verify clients and responders with, then those that are named in vain.

    nginx reads the client CAs only where it asks for certificates, and outside of http the other lists as well.
    """
    uses: dict[tuple[object, ...], _Use] = {}
    read: set[int] = set()
    for endpoint in filter(_presents, deployment.endpoints):
        label = endpoint.label
        for role, setting in _lists(endpoint.tls, endpoint.listener.module):
            with_crls = role is Role.CRL or endpoint.tls.crl.explicit
            key = (role, id(setting), with_crls)
            use = uses.get(key)
            if use is None:
                use = uses[key] = _Use(role, setting, with_crls)
                read.add(id(setting))
            use.users.append(label)
    yield from uses.values()
    for host in deployment.virtual_hosts:
        for role, setting in _named_lists(host.tls):
            if setting.explicit and id(setting) not in read:
                read.add(id(setting))
                yield _Use(role, setting, with_crls=role is Role.CRL)


def _lists(tls: TlsSettings, module: str) -> Iterator[tuple[Role, Setting[str | None]]]:
    verifies = tls.verify_client.known != "none"
    for role, setting in _named_lists(tls):
        if setting.explicit and (verifies or (module == "http" and role is not Role.CLIENT_CA)):
            yield role, setting


def _named_lists(tls: TlsSettings) -> tuple[tuple[Role, Setting[str | None]], ...]:
    return (Role.CLIENT_CA, tls.client_ca), (Role.TRUSTED_CA, tls.trusted_ca), (Role.CRL, tls.crl)


def _upstream_uses(deployment: Deployment) -> Iterator[_Use]:
    uses: dict[tuple[object, ...], _Use] = {}
    for upstream in deployment.upstreams:
        if upstream.tls is False:
            continue
        label = f"{upstream.target} ({naming_of(upstream.place)})"
        for role, setting, in_force in _upstream_files(upstream):
            if setting.explicit:
                with_crls = role is Role.CRL or upstream.crl.explicit
                use = uses.setdefault((role, id(setting), with_crls), _Use(role, setting, with_crls))
                use.users.extend([label] if in_force else [])
    yield from uses.values()


def _upstream_files(upstream: Upstream) -> Iterator[tuple[Role, Setting[str | None], bool]]:
    yield Role.UPSTREAM_CLIENT, upstream.certificate, True
    verifies = upstream.verify.known is not False
    yield Role.UPSTREAM_CA, upstream.trusted_ca, verifies
    yield Role.CRL, upstream.crl, verifies


def _bundle(deployment: Deployment, name: str) -> "Bundle | Unreadable":
    if name.startswith("data:"):
        from tlslint.pki.bundle import read_bundle

        return read_bundle(name[len("data:") :].encode("utf-8", "surrogateescape"), "data:")
    if name.startswith(_INLINE):
        return Unreadable("outside", "such names are not read", name)
    if "$" in name:
        return Unreadable("outside", "holds a variable", name)
    files = deployment.files
    if files is None:
        return Unreadable("outside", "there are no files to be read", name)
    return files.authorities(files.resolve(name, deployment.base))


def _list_problems(role: Role, bundle: "Bundle") -> Iterator[str]:
    """Yield what is wrong with a file of CAs or CRLs, which are read by other rules than a server's certificate."""
    held = bundle.crls if role is Role.CRL else bundle.all_certificates
    trusted = {entry.line for entry in bundle.entries if not entry.served}
    for problem in bundle.problems:
        if problem.kind.value == "silent" and problem.line in trusted:
            continue  # counts here like any other
        if problem.server_says != "no start line":
            yield _at_line(problem.line, problem.message)
        elif not held and role is not Role.CRL:
            yield problem.message
    if role is Role.CRL and not held:
        yield "there is no CRL in this file"


def _at_line(line: int, message: str) -> str:
    return message if line <= 1 else f"line {line}: {message}"


def _reason(pair: CertificatePair) -> str:
    return pair.reason.removeprefix(f'"{pair.file}" ')


def shown_name(name: str) -> str:
    """Return the name of a certificate as it may be shown: of `data:…` and `engine:…` only the kind."""
    return next((kind for kind in _INLINE if name.startswith(kind)), name)


# -- protocols and suites ----------------------------------------------------------------------------------------------


def _answers(deployment: Deployment, policy: Policy) -> Iterator[Answer]:
    judge = _Judge(policy, deployment.target)
    groups: dict[tuple[object, ...], list[Handshake]] = {}
    for handshake in deployment.handshakes:
        if handshake.endpoints:
            groups.setdefault((handshake.endpoints[0].outcome, *_seen(handshake)), []).append(handshake)
    for (outcome, *_), alike in groups.items():
        yield _answer(deployment, judge, str(outcome), alike)


def _seen(handshake: Handshake) -> tuple[object, ...]:
    """Return what a client can tell of a handshake, and the auditor of its keys."""
    return (
        handshake.reason, handshake.protocols, tuple(handshake.ciphers.items()), handshake.groups, handshake.keys,
        handshake.client_certificate, *_unknown([handshake]),
    )  # fmt: skip


def _answer(deployment: Deployment, judge: "_Judge", outcome: str, alike: Sequence[Handshake]) -> Answer:
    handshake = alike[0]
    return Answer(
        entry=deployment.entry,
        target=handshake.target,
        policy=judge.policy,
        outcome=outcome,
        reason=handshake.reason,
        protocols=tuple(map(judge.protocol, handshake.protocols)),
        suites={protocol: tuple(map(judge.suite, names)) for protocol, names in handshake.ciphers.items()},
        groups=tuple(map(judge.group, handshake.groups)),
        keys=tuple(judge.key(*key) for key in dict.fromkeys(handshake.keys)),
        client_certificate=handshake.client_certificate,
        unknown=tuple(_unknown(alike)),
        endpoints=[endpoint for item in alike for endpoint in item.endpoints],
        _settings={} if outcome == "plaintext" else _configured(alike),
    )


def _unknown(alike: Sequence[Handshake]) -> Iterator[tuple[str, str]]:
    """Yield what could not be decided; which certificates were not read, and why, is listed apart for each file."""
    for what, why in alike[0].unknown:
        yield what, "not all of them were read" if what == "certificates" else why


def _configured(alike: Sequence[Handshake]) -> dict[str, dict[Naming | str, None]]:
    found: dict[str, dict[Naming | str, None]] = {name: {} for name in _PLACED}
    for handshake in alike:
        # hosts with certificates of their own have settings of their own
        distinct = {id(endpoint.tls): endpoint.tls for endpoint in handshake.endpoints}
        for tls in distinct.values():
            for name, field_name in _PLACED.items():
                setting = tls.setting(field_name)
                if setting.places:
                    found[name].update(dict.fromkeys(map(naming_of, setting.places)))
                elif setting.default:
                    found[name][setting.default] = None
    return found


class _Judge:
    """What a policy makes of protocol versions, suites, groups and keys; each is judged once."""

    def __init__(self, policy: Policy, target: Target) -> None:
        self.policy = policy
        self.target = target
        self._known: dict[object, Judged] = {}

    def protocol(self, name: str) -> Judged:
        return Judged(name, Verdict(self.policy.judge_protocol(name).value))

    def suite(self, name: str) -> Judged:
        return self._once(name, self._suite)

    def group(self, name: str) -> Judged:
        return self._once(("group", name), lambda _: self._group(name))

    def _once(self, key: object, judge: Callable[[str], Judged]) -> Judged:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = judge(str(key))
        return found

    def _suite(self, name: str) -> Judged:
        from tlslint.tls.suites import KNOWN, broken_reason

        suite = KNOWN[name]
        allowed = self.policy.tls13_ciphers if suite.tls13 else self.policy.ciphers
        if allowed is not None and name in allowed:
            return Judged(name, Verdict.ALLOWED)
        broken = broken_reason(suite)
        if broken is not None:
            words = {"NULL": "no encryption", "anonymous": "no authentication"}
            return Judged(name, Verdict.WEAK, words.get(broken, broken))
        reason = "no forward secrecy" if not suite.forward_secrecy else "" if suite.aead else "CBC mode"
        return Judged(name, Verdict.UNJUDGED if allowed is None else Verdict.OUTSIDE, reason)

    def _group(self, name: str) -> Judged:
        from tlslint.tls.groups import groups
        from tlslint.tls.handshake import build

        allowed = self.policy.groups
        if allowed is not None and name in allowed:
            return Judged(name, Verdict.ALLOWED)
        strength = next((group.bits for group in groups(build(self.target)) if group.name == name), None)
        if strength is not None and strength < LEAST_STRENGTH:
            return Judged(name, Verdict.WEAK, f"{strength} bits of strength")
        return Judged(name, Verdict.UNJUDGED if allowed is None else Verdict.OUTSIDE)

    def key(self, key_type: str, bits: int, curve: str) -> Judged:
        policy, name = self.policy, key_text(key_type, bits, curve)
        if key_type == "unknown":
            return Judged("unknown", Verdict.UNJUDGED, "no certificate was read")
        least = {"rsa": LEAST_RSA_BITS, "dsa": LEAST_RSA_BITS, "ec": LEAST_CURVE_BITS}.get(key_type, 0)
        if 0 < bits < least:
            return Judged(name, Verdict.WEAK, f"fewer than {least} bits")
        kind = "ecdsa" if key_type == "ec" else key_type
        if policy.certificate_key_types is not None and kind not in policy.certificate_key_types:
            return Judged(name, Verdict.OUTSIDE, f"no {kind} keys")
        minimum = {"rsa": policy.minimum_rsa_bits, "ec": policy.minimum_ecdsa_bits}.get(key_type)
        if minimum is not None and bits < minimum:
            return Judged(name, Verdict.OUTSIDE, f"fewer than {minimum} bits")
        if key_type == "ec" and policy.certificate_curves is not None and curve not in policy.certificate_curves:
            return Judged(name, Verdict.OUTSIDE, f"not on {', '.join(policy.certificate_curves)}")
        opinions = (policy.certificate_key_types, minimum, policy.certificate_curves if key_type == "ec" else None)
        return Judged(name, Verdict.UNJUDGED if all(item is None for item in opinions) else Verdict.ALLOWED)
