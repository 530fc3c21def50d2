"""Find out what a TLS endpoint answers, by asking it.

Everything is enumerated with hand-made ClientHellos, so that no library's own limits stand between the question and
the server; `support.confirm` then finishes a handshake per protocol with a real library.
"""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from support import handshake as hs
from support import tls13
from support.channel import Channel, NotTlsError, Place, StartTls
from support.confirm import LIBRARY_GROUPS, Confirmation, confirm
from support.handshake import ClientHello, MalformedMessageError, Reader, ServerHello
from support.suites import ALERTS, GROUPS, SIGNATURES, SUITES, TLS13_SUITES

Outcome = Literal["completes", "rejected", "plaintext"]
"""`completes` also when all that is missing is a client certificate."""
INTERNAL_ERROR = 80

OLD_PROTOCOLS = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2")
ALL_SIGNATURES = tuple(number for numbers in SIGNATURES.values() for number in numbers)
CHACHA = frozenset(number for number, name in (SUITES | TLS13_SUITES).items() if "CHACHA20" in name)
# every OpenSSL knows these; one that the server does not accept goes in front of an offer without changing the answer
WELL_KNOWN = (0x002F, 0x0035, 0x009C, 0x009D, 0xC02F, 0xC02B, 0xC030, 0xC02C, 0x1302, 0x1301, 0x1304)
MOST_CONNECTIONS = 600


def suites_by_kind() -> tuple[tuple[int, ...], ...]:
    """The suites up to TLS 1.2, by what they need of the server: kind of certificate and of key exchange."""
    kinds: dict[str, list[int]] = {}
    for number, name in SUITES.items():
        first, _, rest = name.removeprefix("EXP-").partition("-")
        kind = f"{first} {rest.split('-')[0]}" if first in ("ECDHE", "DHE", "EDH") else first
        # kRSA suites are named after their cipher alone, and two ECDHE ones leave RSA out
        kind = kind if kind.startswith(("ECDHE", "DHE", "EDH", "ADH", "AECDH")) else "RSA"
        kinds.setdefault("ECDHE RSA" if kind.startswith("ECDHE ARIA") else kind, []).append(number)
    return tuple(map(tuple, kinds.values()))


SUITE_KINDS = suites_by_kind()


class ScanError(Exception):
    """The endpoint could not be scanned: it does not listen, does not answer, or talks nonsense."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a TLS endpoint answered."""

    handshake: Outcome
    alert: str | None
    """Name of the alert for a client of today whose handshake is rejected; None when the server just closes."""
    protocols: tuple[str, ...] = ()
    """Accepted protocol versions, oldest first."""
    ciphers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Accepted suites by protocol (OpenSSL names); in the server's order where `server_order` is true."""
    server_order: dict[str, bool | None] = field(default_factory=dict)
    """By protocol: whether the server's order decides; None when fewer than two suites are accepted."""
    prioritises_chacha: dict[str, bool] = field(default_factory=dict)
    """By protocol with server order: whether a client that puts ChaCha20 first gets it against that order."""
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Accepted (EC)DHE groups by protocol, for TLS 1.2 and 1.3 (OpenSSL names)."""
    dh_bits: int | None = None
    """Size of the DH prime, when a DHE suite is accepted up to TLS 1.2."""
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """SHA-256 of each certificate in the order sent, by type of the leaf's key: rsa, ec, ed25519, ed448, dsa."""
    chains_by_protocol: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    client_certificate: Literal["none", "optional", "required"] = "none"
    """`required`: a client without a certificate is refused, in the handshake or after it."""
    authorities: tuple[bytes, ...] = ()
    """DER of the CA names in the CertificateRequest."""
    alpn: tuple[str, ...] = ()
    """Those of the offered application protocols that the server takes, each offered alone."""
    tickets: dict[str, bool] = field(default_factory=dict)
    """By protocol: whether the server promises (TLS 1.2) or sends (TLS 1.3) session tickets."""
    ticket_lifetime: int | None = None
    """Seconds, in TLS 1.3."""
    early_data: bool = False
    """Whether TLS 1.3 tickets allow early data."""
    is_stapled: bool = False
    alerts: dict[str, str | None] = field(default_factory=dict)
    """By refused protocol: the alert; None when the server just closes or answers with an older version."""
    retry_alert: str | None = None
    """The alert for a TLS 1.3 client whose first key share the server does not take (it gets a HelloRetryRequest, and
    a second choice that differs from the first ends the handshake); None when such a client gets through."""
    confirmed: tuple[str, ...] = ()
    """Protocols with a handshake that was finished and brought an answer: by a TLS library, or by our own TLS 1.3
    client when the library needs a HelloRetryRequest that the server fails at, or knows no group of the server."""
    unconfirmed: dict[str, str] = field(default_factory=dict)
    """Accepted protocols whose handshake was not finished, with what the library said."""
    replies: dict[str, bytes] = field(default_factory=dict)
    """By protocol: the beginning of what came back for the request."""
    connections: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Flight:
    """The server's first flight up to TLS 1.2, or the first ServerHello of TLS 1.3."""

    hello: ServerHello
    chain: tuple[bytes, ...]
    key_exchange: bytes | None
    authorities: tuple[bytes, ...] | None
    is_stapled: bool

    @property
    def suite_name(self) -> str:
        number = self.hello.suite
        return SUITES.get(number) or TLS13_SUITES.get(number) or f"{number:#06x}"

    @property
    def group(self) -> int | None:
        """The group of the key exchange."""
        if self.hello.version == 0x0304:
            return self.hello.group
        if self.key_exchange is None or "ECDH" not in self.suite_name:
            return None
        return int.from_bytes(self.key_exchange[1:3]) if self.key_exchange[0] == 3 else None

    @property
    def dh_bits(self) -> int | None:
        name = self.suite_name
        if self.key_exchange is None or "ECDH" in name or "DH" not in name:
            return None
        return int.from_bytes(Reader(self.key_exchange).vector(2)).bit_length()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server did not go on; `alert` is None when it closed without one."""

    alert: int | None

    @property
    def name(self) -> str | None:
        return None if self.alert is None else ALERTS.get(self.alert, str(self.alert))


def key_type(certificate: bytes) -> str:
    """The type of the key in a certificate."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    types = ((rsa.RSAPublicKey, "rsa"), (ec.EllipticCurvePublicKey, "ec"), (dsa.DSAPublicKey, "dsa"))
    edwards = ((ed25519.Ed25519PublicKey, "ed25519"), (ed448.Ed448PublicKey, "ed448"))
    return next((name for kind, name in (*types, *edwards) if isinstance(key, kind)), "unknown")


def curve_of(certificate: bytes) -> int | None:
    """The number of the curve of the key in a certificate, if it is on one that TLS names."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    return {"secp256r1": 23, "secp384r1": 24, "secp521r1": 25, "secp256k1": 22, "secp224r1": 21}.get(key.curve.name)


def fingerprints(chain: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(certificate).hexdigest() for certificate in chain)


class Scan:
    """One endpoint under examination."""

    def __init__(self, place: Place, sni: str | None, alpn: tuple[str, ...], request: bytes) -> None:
        self.place = place
        self.sni = sni
        self.alpn_offers = alpn
        self.request = request
        self.connections = 0
        self.chains: dict[str, dict[str, tuple[str, ...]]] = {}
        self.authorities: tuple[bytes, ...] | None = None
        self.is_stapled = False
        self.ticket_lifetime: int | None = None
        self.early_data = False
        self.dh_bits: int | None = None
        self.curves: dict[str, int | None] = {}

    # --- asking

    def _count(self) -> None:
        self.connections += 1
        if self.connections > MOST_CONNECTIONS:
            raise ScanError(f"more than {MOST_CONNECTIONS} connections")

    def hello(
        self,
        protocol: str,
        suites: Iterable[int],
        *,
        groups: Iterable[int] = tuple(GROUPS),
        signatures: Iterable[int] = ALL_SIGNATURES,
        alpn: tuple[str, ...] = (),
        key_shares: tuple[tuple[int, bytes], ...] = (),
    ) -> ClientHello:
        return ClientHello(
            version=hs.VERSION_NUMBERS[protocol],
            suites=tuple(suites),
            groups=tuple(groups),
            signatures=tuple(signatures),
            sni=self.sni,
            alpn=alpn,
            key_shares=key_shares,
        )

    def ask(self, hello: ClientHello) -> Flight | Refusal:
        """Send one ClientHello and read the first flight."""
        self._count()
        with Channel(self.place) as channel:
            channel.send(hs.HANDSHAKE, min(hello.version, 0x0301), hello.encode())
            answer = self._read_flight(channel)
        if isinstance(answer, Flight):
            wanted = hello.version
            if answer.hello.version != wanted and not hello.also_tls13:
                return Refusal(None)
            self._note(answer)
        return answer

    @staticmethod
    def _read_flight(channel: Channel) -> Flight | Refusal:
        waiting = b""
        hello: ServerHello | None = None
        chain: tuple[bytes, ...] = ()
        key_exchange: bytes | None = None
        authorities: tuple[bytes, ...] | None = None
        is_stapled = False
        while (received := channel.read()) is not None:
            content, _, payload = received
            if content == hs.ALERT:
                # warnings (such as unrecognized_name) do not end the handshake
                if payload[0] == 1 and payload[1] != 0:
                    continue
                return Refusal(payload[1])
            if content != hs.HANDSHAKE:
                raise MalformedMessageError(f"record of type {content} in the first flight")
            messages, waiting = hs.split_messages(waiting + payload)
            for kind, body in messages:
                if kind == hs.SERVER_HELLO:
                    hello = ServerHello.parse(body)
                    if hello.version == 0x0304:
                        return Flight(hello, (), None, None, False)
                elif kind == hs.CERTIFICATE:
                    chain = hs.parse_certificates(body)
                elif kind == hs.SERVER_KEY_EXCHANGE:
                    key_exchange = body
                elif kind == hs.CERTIFICATE_REQUEST and hello:
                    authorities = hs.parse_certificate_request(body, hello.version)
                elif kind == hs.CERTIFICATE_STATUS:
                    is_stapled = True
                elif kind == hs.SERVER_HELLO_DONE and hello:
                    return Flight(hello, chain, key_exchange, authorities, is_stapled)
        return Refusal(None)

    def _note(self, flight: Flight) -> None:
        if flight.hello.version == 0x0304:
            return
        self._note_chain(hs.VERSIONS[flight.hello.version], flight.chain)
        if flight.authorities is not None:
            self.authorities = flight.authorities
        self.is_stapled |= flight.is_stapled
        self.dh_bits = self.dh_bits or flight.dh_bits

    def _note_chain(self, protocol: str, chain: tuple[bytes, ...]) -> None:
        if chain:
            kind = key_type(chain[0])
            self.curves[kind] = curve_of(chain[0])
            self.chains.setdefault(protocol, {})[kind] = fingerprints(chain)

    # --- suites

    def accepted_suites(self, protocol: str) -> tuple[tuple[int, ...], Refusal]:
        """The suites that the server takes, in the order in which it chose them, and its last word."""
        if protocol == "TLSv1.3":
            return self._eliminate_suites(protocol, TLS13_SUITES)
        together, last = self._eliminate_suites(protocol, SUITES)
        if last.name in ("protocol_version", "unrecognized_name"):
            return together, last
        # a server may choose a suite that it then cannot serve (no signature algorithm for that certificate, say):
        # that hides the suites of the other kinds
        hidden: list[int] = []
        for kind in SUITE_KINDS:
            hidden += self._eliminate_suites(protocol, [number for number in kind if number not in together])[0]
        if not hidden:
            return together, last
        again, _ = self._eliminate_suites(protocol, [number for number in SUITES if number in {*together, *hidden}])
        rest = [number for number in (*together, *hidden) if number not in again]
        return (*again, *rest), last

    def _eliminate_suites(self, protocol: str, suites: Iterable[int]) -> tuple[tuple[int, ...], Refusal]:
        left = list(suites)
        accepted: list[int] = []
        while left:
            answer = self.ask(self.hello(protocol, left))
            if isinstance(answer, Refusal):
                return tuple(accepted), answer
            if answer.hello.suite not in left:
                raise ScanError(f"{answer.suite_name} was chosen but not offered")
            left.remove(answer.hello.suite)
            accepted.append(answer.hello.suite)
        return tuple(accepted), Refusal(None)

    def _chosen(self, protocol: str, suites: Iterable[int]) -> int | None:
        answer = self.ask(self.hello(protocol, suites))
        return answer.hello.suite if isinstance(answer, Flight) else None

    def order(self, protocol: str, accepted: tuple[int, ...]) -> tuple[bool | None, bool]:
        """Whether the server's order decides, and whether it puts ChaCha20 first for a client that does."""
        if len(accepted) < 2:
            return None, False
        # OpenSSL looks only at the first suite of the client to see whether it prefers ChaCha20
        known = TLS13_SUITES if protocol == "TLSv1.3" else SUITES
        in_front = [number for number in WELL_KNOWN if number in known and number not in accepted][:1]
        backwards = tuple(reversed(accepted))
        by_server = self._chosen(protocol, (*in_front, *backwards)) == accepted[0]
        if not by_server or accepted[0] in CHACHA:
            return by_server, False
        chacha = [number for number in accepted if number in CHACHA]
        others = [number for number in accepted if number not in CHACHA]
        return True, bool(chacha) and self._chosen(protocol, (*chacha, *others)) in CHACHA

    # --- groups

    def groups(self, protocol: str, suites: tuple[int, ...]) -> tuple[int, ...]:
        """The groups that the server takes, in the order in which it chose them."""
        if protocol == "TLSv1.3":
            return self._eliminate_groups(protocol, suites, None)
        # with an ECDSA certificate its curve must stay on offer: so ask with another kind of suite if there is one
        certificate_curve = self.curves.get("ec")
        for prefix, always in (
            ("ECDHE-RSA", None),
            ("ECDHE-ARIA", None),
            ("AECDH", None),
            ("ECDHE-ECDSA", certificate_curve),
        ):
            usable = tuple(number for number in suites if SUITES[number].startswith(prefix))
            if usable:
                return self._eliminate_groups(protocol, usable, always)
        return ()

    def _eliminate_groups(self, protocol: str, suites: tuple[int, ...], always: int | None) -> tuple[int, ...]:
        left = list(GROUPS)
        found: list[int] = []
        while left:
            offer = left if always is None or always in left else [*left, always]
            answer = self.ask(self.hello(protocol, suites, groups=offer))
            chosen = answer.group if isinstance(answer, Flight) else None
            # the curve that only the certificate needs came back: the server takes none of the others
            if chosen is None or chosen not in left:
                break
            left.remove(chosen)
            found.append(chosen)
        return tuple(found)

    # --- the encrypted part of TLS 1.3

    def finish13(
        self,
        suites: Iterable[int],
        groups: tuple[int, ...],
        *,
        kind: str | None = None,
        alpn: tuple[str, ...] = (),
        guess_group: bool = True,
    ) -> tls13.Finished13 | Refusal:
        """Finish a TLS 1.3 handshake; `kind` limits the signatures to those of one type of key.

        Without `guess_group` no key share is sent, so that the server has to ask for one.
        """
        self._count()
        usable = [group for group in groups if group in tls13.KEY_SHARE_GROUPS]
        hello = self.hello(
            "TLSv1.3",
            [number for number in suites if number in tls13.SUITES],
            groups=usable,
            signatures=ALL_SIGNATURES if kind is None else SIGNATURES[kind],
            alpn=alpn,
            key_shares=tuple((group, b"") for group in usable[:guess_group]),
        )
        try:
            done = tls13.finish(self.place, hello, self.request)
        except tls13.HandshakeError as failed:
            return Refusal(failed.alert)
        self._note_chain("TLSv1.3", done.chain)
        self.is_stapled |= done.is_stapled
        self.ticket_lifetime = done.lifetime or self.ticket_lifetime
        self.early_data |= done.early_data
        if done.authorities is not None:
            self.authorities = done.authorities
        return done


def choose_alpn(scan: Scan, protocol: str, suites: tuple[int, ...], groups: tuple[int, ...]) -> tuple[str, ...]:
    """The offered application protocols that the server takes, each offered alone."""
    taken = []
    for name in scan.alpn_offers:
        if protocol == "TLSv1.3":
            done = scan.finish13(suites, groups, alpn=(name,))
            answer = None if isinstance(done, Refusal) else done.alpn
        else:
            flight = scan.ask(scan.hello(protocol, suites, alpn=(name,)))
            answer = None if isinstance(flight, Refusal) else flight.hello.alpn
        if answer == name:
            taken.append(name)
    return tuple(taken)


def default_request(sni: str | None, starttls: StartTls | None) -> bytes:
    """Something that the server answers."""
    if starttls:
        return b"a LOGOUT\r\n" if starttls == "imap" else b"QUIT\r\n"
    # an empty Host is refused before anything else is looked at
    return f"GET / HTTP/1.1\r\nHost: {sni or 'unnamed.invalid'}\r\nConnection: close\r\n\r\n".encode()


def is_plaintext(place: Place) -> bool:
    """Whether the endpoint answers a ClientHello with something else than TLS."""
    with Channel(place) as channel:
        channel.send(hs.HANDSHAKE, 0x0301, ClientHello(0x0303, (0xC02F, 0x002F), (23,), ALL_SIGNATURES).encode())
        try:
            channel.read()
        except NotTlsError:
            return True
    return False


def scan(
    address: str,
    port: int,
    sni: str | None,
    *,
    alpn: tuple[str, ...] = ("h2", "http/1.1"),
    request: bytes | None = None,
    starttls: StartTls | None = None,
    proxy_protocol: bool = False,
    timeout: float = 5.0,
) -> Observation:
    """What the endpoint at `address` (IPv4, IPv6 or `unix:` and a path) and `port` answers for the name `sni`.

    `request` is sent once a handshake is finished; by default an HTTP request for `sni`, or a farewell after
    STARTTLS; empty for a server that speaks first. Raises `ScanError` when the endpoint cannot be examined.
    """
    place = Place(address, port, starttls, proxy_protocol, timeout)
    started = time.perf_counter()
    examined = Scan(place, sni, alpn, default_request(sni, starttls) if request is None else request)
    try:
        if is_plaintext(place):
            return Observation("plaintext", None, connections=1, seconds=time.perf_counter() - started)
        return _observe(examined, started)
    except (OSError, MalformedMessageError, NotTlsError) as error:
        raise ScanError(f"{address}:{port} for {sni!r}: {type(error).__name__}: {error}") from error


def _observe(examined: Scan, started: float) -> Observation:
    suites: dict[str, tuple[int, ...]] = {}
    alerts: dict[str, str | None] = {}
    groups: dict[str, tuple[int, ...]] = {}
    for protocol in OLD_PROTOCOLS:
        accepted, last = examined.accepted_suites(protocol)
        if accepted:
            suites[protocol] = accepted
        else:
            alerts[protocol] = last.name
    if "TLSv1.2" in suites:
        groups["TLSv1.2"] = examined.groups("TLSv1.2", suites["TLSv1.2"])
    accepted, last = examined.accepted_suites("TLSv1.3")
    if accepted:
        groups["TLSv1.3"] = examined.groups("TLSv1.3", accepted)
        accepted, last = _finishing13(examined, accepted, groups["TLSv1.3"])
    if accepted:
        suites["TLSv1.3"] = accepted
    else:
        groups.pop("TLSv1.3", None)
        alerts["TLSv1.3"] = last.name
    return _conclude(examined, started, suites, groups, alerts)


def _finishing13(examined: Scan, suites: tuple[int, ...], groups: tuple[int, ...]) -> tuple[tuple[int, ...], Refusal]:
    """Those of `suites` with which a handshake really ends, and the server's last word.

    A HelloRetryRequest promises nothing: the server looks for a certificate only afterwards.
    """
    finishing, last = [], Refusal(None)
    for number in suites:
        done = examined.finish13((number,), groups) if number in tls13.SUITES else None
        if isinstance(done, Refusal):
            last = done
        elif done is not None and done.closed_by == INTERNAL_ERROR:
            last = Refusal(done.closed_by)  # the server's tickets are still a part of the handshake
        else:
            finishing.append(number)
    return tuple(finishing), last


def _conclude(
    examined: Scan,
    started: float,
    suites: dict[str, tuple[int, ...]],
    groups: dict[str, tuple[int, ...]],
    alerts: dict[str, str | None],
) -> Observation:
    if not suites:
        # what a client of today meets: it offers 1.3 and 1.2, and OpenSSL judges the highest that both know
        newest = alerts["TLSv1.3"]
        alert = alerts["TLSv1.2"] if newest == "protocol_version" else newest
        return Observation(
            "rejected", alert, alerts=alerts, connections=examined.connections, seconds=time.perf_counter() - started
        )
    orders = {protocol: examined.order(protocol, accepted) for protocol, accepted in suites.items()}
    newest = max(suites, key=lambda protocol: hs.VERSION_NUMBERS[protocol])
    alpn_protocol = "TLSv1.2" if "TLSv1.2" in suites else newest
    alpn = choose_alpn(examined, alpn_protocol, suites[alpn_protocol], groups.get(alpn_protocol, ()))
    tickets = {}
    if "TLSv1.2" in suites:
        answer = examined.ask(examined.hello("TLSv1.2", suites["TLSv1.2"]))
        tickets["TLSv1.2"] = isinstance(answer, Flight) and 35 in answer.hello.extensions
    retry: Refusal | None = None
    confirmations = {
        protocol: confirm(
            examined.place,
            protocol,
            examined.sni,
            examined.request,
            tuple(SUITES[number] for number in accepted if number in SUITES),
        )
        for protocol, accepted in suites.items()
    }
    if "TLSv1.3" in suites:
        tickets["TLSv1.3"], retry = _conclude13(examined, suites["TLSv1.3"], groups["TLSv1.3"], confirmations)
    finished = any(made.finished for made in confirmations.values())
    return Observation(
        # where only our missing certificate stood in the way, a client with one gets through
        handshake="completes" if examined.authorities is not None or finished else "rejected",
        alert=None,
        protocols=tuple(suites),
        ciphers={
            protocol: tuple((SUITES | TLS13_SUITES)[number] for number in accepted)
            for protocol, accepted in suites.items()
        },
        server_order={protocol: by_server for protocol, (by_server, _) in orders.items()},
        prioritises_chacha={protocol: chacha for protocol, (_, chacha) in orders.items()},
        groups={protocol: tuple(GROUPS[number] for number in found) for protocol, found in groups.items()},
        dh_bits=examined.dh_bits,
        chains={kind: chain for by_type in examined.chains.values() for kind, chain in by_type.items()},
        chains_by_protocol=examined.chains,
        client_certificate=_client_certificate(examined, confirmations),
        authorities=examined.authorities or (),
        alpn=alpn,
        tickets=tickets,
        ticket_lifetime=examined.ticket_lifetime,
        early_data=examined.early_data,
        is_stapled=examined.is_stapled,
        alerts=alerts,
        retry_alert=retry.name or "closed" if retry else None,
        confirmed=tuple(protocol for protocol, made in confirmations.items() if made.finished),
        unconfirmed={protocol: made.error for protocol, made in confirmations.items() if not made.finished},
        replies={protocol: made.reply for protocol, made in confirmations.items()},
        connections=examined.connections + len(confirmations),
        seconds=time.perf_counter() - started,
    )


def _conclude13(
    examined: Scan, suites: tuple[int, ...], groups: tuple[int, ...], confirmations: dict[str, Confirmation]
) -> tuple[bool, Refusal | None]:
    """Whether the server sends tickets, and how it refuses a client that needs a HelloRetryRequest.

    Where the library failed for reasons of its own, our own handshake takes the place of its confirmation.
    """
    for kind in ("rsa", "ec", "ed25519"):
        if kind not in examined.chains["TLSv1.3"]:
            examined.finish13(suites, groups, kind=kind)
    again = examined.finish13(suites, groups, guess_group=False)
    done = examined.finish13(suites, groups)
    if isinstance(done, Refusal):
        return False, done
    retry = again if isinstance(again, Refusal) else None
    library_knows = any(GROUPS[group] in LIBRARY_GROUPS for group in groups)
    # the library's own order of suites may fail where ours does not
    lost = retry or "illegal parameter" in confirmations["TLSv1.3"].error or not library_knows
    if not confirmations["TLSv1.3"].finished and lost and (done.reply or done.tickets):
        confirmations["TLSv1.3"] = Confirmation(True, reply=done.reply)
    return done.tickets > 0, retry


def _client_certificate(
    examined: Scan, confirmations: dict[str, Confirmation]
) -> Literal["none", "optional", "required"]:
    if examined.authorities is None:
        return "none"
    refused = all(not made.finished or is_refusal(made.reply) for made in confirmations.values())
    return "required" if refused else "optional"


def is_refusal(reply: bytes) -> bool:
    """Whether a reply turns a client without a certificate away (nginx: 400; no word in stream, an error in mail)."""
    return not reply or b"No required SSL certificate" in reply
