"""From governing settings to the `Handshake`: one object for all endpoints that answer alike.

Both resolvers end here. The settings have been worked out; what remains is which certificates OpenSSL keeps, and what
the library makes of it all.
"""

from collections.abc import Iterable
from operator import attrgetter

from tlslint.resolve.model import CertificatePair, Handshake, Setting, TlsSettings, Unknown, presented, why_unread
from tlslint.target import Target
from tlslint.tls.handshake import (
    UNKNOWN_KEY,
    KeyKind,
    Negotiation,
    groups_below_tls13,
    level_of,
    negotiate,
    opening_failure,
    tls13_suites,
)
from tlslint.tls.retry import Choice, retry_outcome

TICKETLESS_LEVEL = 3
"""From this security level on OpenSSL gives out no tickets up to TLS 1.2 (SSL_CTX_set_security_level(3))."""
ALL_KEYS_UNKNOWN: tuple[KeyKind, ...] = (UNKNOWN_KEY,)


def key_kinds(pairs: Iterable[CertificatePair]) -> tuple[KeyKind, ...]:
    """Return what the presented certificates' keys are; `UNKNOWN_KEY` for a file that could not be read."""
    kinds = []
    for pair in pairs:
        leaf = pair.leaf
        if leaf is None:
            kinds.append(UNKNOWN_KEY)
        else:
            kinds.append((leaf.key_type, leaf.key_bits or 0, leaf.curve or ""))
    return tuple(kinds)


class Answers:
    """Makes the handshakes of one deployment; settings and certificates that act alike give the same object."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.all: list[Handshake] = []
        self._by_key: dict[tuple[object, ...], Handshake] = {}
        # by the identity of settings, which stay alive as long as this object
        self._choices: dict[int, Choice | None] = {}
        self._failures: dict[int, str] = {}
        self._keys: dict[int, tuple[KeyKind, ...]] = {}
        self._settings_of = attrgetter(*(name for name in TlsSettings.__match_args__ if name not in _NOT_IN_KEY))

    def plaintext(self, tls: TlsSettings) -> Handshake:
        """Return the answer of a socket that does not speak TLS."""
        return self._simple("plaintext", tls, "")

    def rejected(self, tls: TlsSettings, reason: str) -> Handshake:
        """Return the answer of a server that refuses every handshake."""
        return self._simple("rejected", tls, reason)

    def unknown(self, tls: TlsSettings, reason: str) -> Handshake:
        """Return the answer of a server of which too little is known."""
        return self._simple("unknown", tls, reason)

    def _simple(self, outcome: str, tls: TlsSettings, reason: str) -> Handshake:
        key = (outcome, reason)
        found = self._by_key.get(key)
        if found is None:
            found = Handshake(outcome, (), {}, False, (), "none", (), (), tls, self.target, reason)
            self._by_key[key] = found
            self.all.append(found)
        return found

    def answer(
        self,
        tls: TlsSettings,
        *,
        opening: TlsSettings | None = None,
        taking_over: TlsSettings | None = None,
        version_level: int = 0,
        alpn: tuple[str, ...] = (),
        quic: bool = False,
        undecided: tuple[tuple[str, str], ...] = (),
    ) -> Handshake:
        """Return the answer that these settings give to a client that connects with TLS (or QUIC).

        `opening` are the settings with which a connection starts, before a name is known: the default server's.
        `taking_over` are those of the named host, where they come into force only after the first ClientHello.
        `version_level` is the security level at which the version is chosen, where it is chosen before the name.
        `undecided` is what the server itself leaves to chance: what, and why.
        """
        failure = self.opening_failure(opening) if opening is not None else ""
        if failure:
            return self.rejected(tls, failure)
        if tls.reject_handshake.known:
            return self.rejected(tls, "the server rejects every handshake for this name")
        if tls.failure:
            return self.rejected(tls, tls.failure)
        kinds = self._kinds(tls.certificates)
        retry = self._retry(opening or tls, taking_over)
        silent = taking_over is not None and _withholds_tickets(opening or tls, taking_over)
        opening_level = self.level(opening) if opening is not None and taking_over is not None else 0
        key = (
            *map(id, self._settings_of(tls)), kinds, _troubles(tls.certificates, kinds), alpn, quic,
            version_level, tls.security_level, retry, silent, id((opening or tls).conf_commands), opening_level,
            undecided, tls.ticket_failure,
        )  # fmt: skip
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = self._make(tls, kinds, alpn, quic, version_level)
            self._add_sessions(found, opening or tls, opening_level, silent)
            if tls.ticket_failure and _ends_in_tickets(found):
                del found.ciphers["TLSv1.3"], found.tickets["TLSv1.3"]
                found.protocols = tuple(protocol for protocol in found.protocols if protocol != "TLSv1.3")
                found.groups = groups_below_tls13(found.groups, found.ciphers, self.target)
                if not found.protocols:
                    found.outcome, found.reason = "rejected", tls.ticket_failure
            found.unknown += undecided
            found.hello_retry = retry if "TLSv1.3" in found.protocols else ""
            self.all.append(found)
        return found

    def _kinds(self, certificates: Setting[tuple[CertificatePair, ...]]) -> tuple[KeyKind, ...]:
        """Return what the keys are of the certificates that these settings present."""
        found = self._keys.get(id(certificates))
        if found is None:
            pairs = certificates.known
            found = self._keys[id(certificates)] = ALL_KEYS_UNKNOWN if pairs is None else key_kinds(presented(pairs))
        return found

    def _retry(self, opening: TlsSettings, taking_over: TlsSettings | None) -> str:
        """Say what a client meets that needs a HelloRetryRequest; empty where it cannot be known."""
        if taking_over is None or taking_over is opening:
            return "works"
        first, second = self._choice(opening), self._choice(taking_over)
        return "" if first is None or second is None else retry_outcome(first, second)

    def _choice(self, tls: TlsSettings) -> Choice | None:
        """Return how these settings choose a TLS 1.3 suite."""
        if id(tls) not in self._choices:
            order = tls.server_order_tls13.known
            undecided = tls.ciphersuites.is_unknown or tls.ciphers.is_unknown or order is None
            suites = tls13_suites(tls.ciphersuites.known, self.target, self.level(tls))
            chacha = "PrioritizeChaCha" in tls.options
            self._choices[id(tls)] = None if undecided else Choice(suites, bool(order), chacha)
        return self._choices[id(tls)]

    def _add_sessions(self, handshake: Handshake, opening: TlsSettings, opening_level: int, silent: bool) -> None:
        tickets = handshake.tls.session_tickets.known
        level = max(handshake.security_level, opening_level)
        for protocol in handshake.protocols:
            if protocol != "TLSv1.3":
                if tickets is not None:
                    handshake.tickets[protocol] = tickets and level < TICKETLESS_LEVEL
            elif handshake.tls.session_tickets.known is not None and not opening.conf_commands.is_unknown:
                # without tickets OpenSSL sends ones that only name a session of the server's own cache
                handshake.tickets[protocol] = not silent and _ticket_count(opening) > 0

    def opening_failure(self, opening: TlsSettings) -> str:
        """Say why no handshake can start on a socket with such a default server; empty where it can."""
        found = self._failures.get(id(opening))
        if found is None:
            found = self._failures[id(opening)] = self._opening_failure(opening)
        return found

    def _opening_failure(self, opening: TlsSettings) -> str:
        enabled, ciphers = opening.effective_protocols.known, opening.ciphers.known
        if enabled is None or ciphers is None or opening.ciphersuites.is_unknown:
            return ""
        return opening_failure(enabled, ciphers, opening.ciphersuites.known, self.target, self.level(opening))

    def level(self, tls: TlsSettings) -> int:
        """Return the security level that these settings end up with."""
        return level_of(tls.ciphers.known or "DEFAULT", tls.security_level, self.target)

    def _make(
        self, tls: TlsSettings, kinds: tuple[KeyKind, ...], alpn: tuple[str, ...], quic: bool, version_level: int
    ) -> Handshake:
        unknown = [
            (what, setting.value.reason)
            for what, setting in (
                ("protocols", tls.effective_protocols),
                ("ciphers", tls.ciphers),
                ("ciphersuites", tls.ciphersuites),
                ("groups", tls.groups),
                ("certificates", tls.certificates),
                ("client_certificate", tls.verify_client),
            )
            if isinstance(setting.value, Unknown)
        ]
        if not tls.certificates.is_unknown and UNKNOWN_KEY in kinds:
            unknown.append(("certificates", why_unread(tls.certificates)))
        found = self._negotiate(tls, kinds, quic, version_level)
        if found.suite_b and found.protocols:
            unknown.append(("chain", "a Suite B word in the cipher list also judges every signature of the chain"))
        undecided = any(what in ("protocols", "ciphers", "ciphersuites") for what, _ in unknown)
        outcome = "completes" if found.protocols else "unknown" if undecided else "rejected"
        order = (
            tls.server_order if any(protocol != "TLSv1.3" for protocol in found.protocols) else tls.server_order_tls13
        )
        return Handshake(
            outcome=outcome,
            protocols=found.protocols,
            ciphers=dict(found.ciphers),
            server_order=bool(order.known) or found.suite_b,
            groups=found.groups,
            client_certificate=_request(tls.verify_client) if _authenticates(found) else "none",
            alpn=alpn,
            key_types=tuple(kind for kind, _, _ in kinds if kind != "unknown"),
            tls=tls,
            target=self.target,
            reason=_why(outcome, found, unknown),
            unknown=tuple(dict(unknown).items()),
            security_level=found.security_level,
            keys=kinds,
            quic=quic,
        )

    def _negotiate(self, tls: TlsSettings, kinds: tuple[KeyKind, ...], quic: bool, version_level: int) -> Negotiation:
        return negotiate(
            tls.effective_protocols.known or frozenset(),
            tls.ciphers.known if tls.ciphers.known is not None else "DEFAULT",
            tls.ciphersuites.known,
            tls.groups.known or "auto",
            kinds,
            tls.has_dh_params,
            self.target,
            quic,
            tls.security_level,
            tls.signature_algorithms.known,
            version_level,
        )


_NOT_IN_KEY = frozenset(
    (
        "certificates",
        "options",
        "security_level",
        "protocols",
        "dh",
        "surplus_keys",
        "failure",
        "directories",
        "switches",
    )
)


def _why(outcome: str, found: Negotiation, unknown: list[tuple[str, str]]) -> str:
    if outcome == "completes":
        return ""
    return found.reason if outcome == "rejected" else "; ".join(f"{what}: {why}" for what, why in unknown[:1])


def _withholds_tickets(opening: TlsSettings, taking_over: TlsSettings) -> bool:
    """Whether tickets are switched off after the connection began with them: TLS 1.3 then sends none at all."""
    return opening.session_tickets.known is True and taking_over.session_tickets.known is False


def _ends_in_tickets(handshake: Handshake) -> bool:
    """Whether TLS 1.3 is negotiated, and tickets are sent that hold the session themselves."""
    return bool(handshake.tls.session_tickets.known) and handshake.tickets.get("TLSv1.3", False)


def _ticket_count(opening: TlsSettings) -> int:
    """Return the number of tickets of a TLS 1.3 handshake, which OpenSSL fixes when the connection begins."""
    for command in reversed(opening.conf_commands.known or ()):
        if command.name.lower() == "numtickets" and command.value.isdecimal():
            return int(command.value)
    return 2


def _troubles(certificates: Setting[tuple[CertificatePair, ...]], kinds: tuple[KeyKind, ...]) -> frozenset[str] | None:
    """Return the kinds of reasons why keys are not known; None where the file is chosen during the handshake.

    Which file it is does not count: whole trees lack their certificates, and their endpoints still answer alike.
    """
    pairs = certificates.known
    if pairs is None or UNKNOWN_KEY not in kinds:
        return None if pairs is None else frozenset()
    return frozenset(pair.trouble for pair in pairs)


def _authenticates(found: Negotiation) -> bool:
    """An anonymous suite has no certificates on either side (RFC 5246, section 7.4.4)."""
    return any(not name.startswith(("ADH-", "AECDH-")) for _, suites in found.ciphers for name in suites)


def _request(verify: Setting[str]) -> str:
    return {"required": "required", "optional": "optional", "optional_no_ca": "optional"}.get(
        verify.known or "", "none"
    )
