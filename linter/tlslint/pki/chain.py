"""Whether the certificates that a server sends form the chain that a client needs.

A server sends its file verbatim. A client needs, besides the leaf, every intermediate up to a root that it trusts; it
does not need the root (RFC 8446 section 4.4.2, RFC 5246 section 7.4.2). Who issued whom is decided by the signature;
names only choose what is worth verifying. A root is a certificate that signs itself: the cross-signed version of a
root, which carries the root's name and key but another issuer, is an intermediate and belongs into the chain.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from tlslint.pki.certificate import Certificate
from tlslint.record import dataclass

MAX_PATH = 16
"""The longest path that is followed; real ones have two to four certificates, OpenSSL stops at 100."""

MAX_CANDIDATES = 16
"""Certificates of one name that are tried as an issuer, so that a file of namesakes cannot take for ever."""

MAX_REMEMBERED = 1 << 15
"""Certificates whose issuers a collection of authorities remembers; it may be there as long as the process."""

SYSTEM_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)
"""Where Debian, Fedora and RHEL, Alpine and the BSDs, and openSUSE keep the trusted roots."""


class Fault(Enum):
    """What can be wrong with a chain."""

    LEAF_NOT_FIRST = "the first certificate is not the leaf"
    OUT_OF_ORDER = "the intermediates are not in order"
    ROOT_SERVED = "a root is served"
    DUPLICATE = "a certificate is served twice"
    UNRELATED = "a certificate is no part of the chain"
    MISSING_INTERMEDIATE = "an intermediate is missing"
    PATH_TOO_LONG = "a CA has more CAs below it than it allows"


class Authorities:
    """Certificates to look issuers up in: trust anchors, or the other files of a tree. Build it once, use it often."""

    def __init__(self, certificates: Iterable[Certificate] = ()) -> None:
        self._by_subject: dict[tuple[object, ...], list[Certificate]] = {}
        self._known: dict[Certificate, int] = {}
        self._issuers: dict[Certificate, list[Certificate]] = {}
        for certificate in certificates:
            self.add(certificate)

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self._known)

    def __contains__(self, certificate: object) -> bool:
        return certificate in self._known

    def add(self, certificate: Certificate) -> None:
        """Add a certificate, unless it is there already."""
        if certificate not in self._known:
            self._known[certificate] = len(self._known)
            self._issuers.clear()
            self._by_subject.setdefault(certificate.subject_key, []).append(certificate)

    def position(self, certificate: Certificate) -> int:
        """Return when the certificate was added, counting from 0."""
        return self._known[certificate]

    def issuers(self, certificate: Certificate) -> list[Certificate]:
        """Return the other CAs that issued the certificate, those that its authority key identifier names first."""
        found = self._issuers.get(certificate)
        if found is None:
            found = self._find_issuers(certificate)
            if len(self._issuers) < MAX_REMEMBERED:
                self._issuers[certificate] = found
        return found

    def _find_issuers(self, certificate: Certificate) -> list[Certificate]:
        namesakes = self._by_subject.get(certificate.issuer_key, ())[:MAX_CANDIDATES]
        if not namesakes:
            return []
        found = [ca for ca in namesakes if ca != certificate and may_issue(ca) and _is_issued_by(certificate, ca)]
        if len(found) > 1 and certificate.aki is not None:
            found.sort(key=lambda ca: ca.ski != certificate.aki)
        return found


class JoinedAuthorities(Authorities):
    """Several collections, looked through one after the other."""

    def __init__(self, parts: Iterable[Authorities]) -> None:
        super().__init__()
        self._parts = tuple(parts)

    def _find_issuers(self, certificate: Certificate) -> list[Certificate]:
        return list(dict.fromkeys(issuer for part in self._parts for issuer in part.issuers(certificate)))


def may_issue(certificate: Certificate) -> bool:
    """Whether a client accepts it as an issuer: CA:TRUE (or a root too old for extensions), and allowed to sign."""
    if certificate.extensions_problem:
        return True
    if certificate.key_usage is not None and "keyCertSign" not in certificate.key_usage:
        return False
    return certificate.is_ca or (not certificate.has_basic_constraints and certificate.self_signed)


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """As `issued_by`; an unverifiable signature counts when the key identifiers agree."""
    verified = certificate.issued_by(issuer)
    if verified is None:
        return certificate.aki is not None and certificate.aki == issuer.ski
    return verified


@dataclass(frozen=True, slots=True)
class Missing:
    """The issuer that is neither served nor an anchor.

    `child` is the last served certificate, `issuer` the name it gives, `urls` where its authorityInfoAccess says the
    issuer's certificate can be had. `found` are the missing intermediates as far as the other files hold them, in
    order. `certain` is False when the missing issuer may well be a private root, which need not be served.
    """

    child: Certificate
    issuer: str
    urls: tuple[str, ...]
    found: tuple[Certificate, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """The analysis of what one server sends.

    `path` goes from the leaf through each issuer as far as the served certificates reach, roots left out;
    `alternatives` are served intermediates that lead from it to another root. `anchor` is the root or trust anchor
    where it ends, if one is known; `trusted` whether it is one of the given anchors (None when none were given).
    """

    certificates: tuple[Certificate, ...]
    leaf: Certificate
    path: tuple[Certificate, ...]
    alternatives: tuple[Certificate, ...]
    roots: tuple[Certificate, ...]
    duplicates: tuple[Certificate, ...]
    unrelated: tuple[Certificate, ...]
    missing: Missing | None
    anchor: Certificate | None
    trusted: bool | None
    faults: tuple[Fault, ...]
    overfull: tuple[Certificate, int] | None = None
    """The CA on the way to the anchor that has more CAs below it than it allows, and how many those are."""

    @property
    def proposed(self) -> tuple[Certificate, ...]:
        """What should be served, completed with what other files hold."""
        found = self.missing.found if self.missing else ()
        return (*self.path, *found, *self.alternatives)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


def analyse(
    certificates: Sequence[Certificate],
    others: Authorities | Iterable[Certificate] | None = None,
    anchors: Authorities | Iterable[Certificate] | None = None,
    key_sha256: str | None = None,
) -> Chain:
    """Return what is wrong with a served chain, and what should be served instead.

    `others` are certificates of other files, to complete a chain from. `anchors` are the roots that clients trust. None
    is when nothing is known of them. `key_sha256` is the digest of the private key's public half: with it the leaf is
    known for sure. `certificates` must not be empty (`ValueError`).
    """
    if not certificates:
        raise ValueError("a chain has at least one certificate")
    others = others if others is None or isinstance(others, Authorities) else Authorities(others)
    anchors = anchors if anchors is None or isinstance(anchors, Authorities) else Authorities(anchors)
    pool = Authorities(certificates)
    leaf = find_leaf(pool, key_sha256)
    related = _related(pool, leaf)
    path = _path(pool, leaf)
    rest = [certificate for certificate in pool if certificate not in path]
    roots = tuple([ca for ca in rest if ca in related and ca.self_signed])
    alternatives = tuple([ca for ca in rest if ca in related and ca not in roots])
    unrelated = tuple([certificate for certificate in rest if certificate not in related])
    duplicates = _duplicates(certificates)
    anchor, missing = _destination(path, roots, others, anchors)
    too_full = overfull(path if anchor is None or anchor in path or missing is not None else (*path, anchor))
    faults = (
        (Fault.LEAF_NOT_FIRST, certificates[0] != leaf),
        (Fault.OUT_OF_ORDER, _out_of_order(pool, path)),
        (Fault.ROOT_SERVED, bool(roots)),
        (Fault.DUPLICATE, bool(duplicates)),
        (Fault.UNRELATED, bool(unrelated)),
        (Fault.MISSING_INTERMEDIATE, missing is not None and missing.certain),
        (Fault.PATH_TOO_LONG, too_full is not None),
    )
    return Chain(
        certificates=tuple(certificates),
        leaf=leaf,
        path=path,
        alternatives=alternatives,
        roots=roots,
        duplicates=duplicates,
        unrelated=unrelated,
        missing=missing,
        anchor=anchor,
        trusted=None if anchors is None else anchor is not None and anchor in anchors,
        faults=tuple([fault for fault, present in faults if present]),
        overfull=too_full,
    )


def find_leaf(pool: Authorities, key_sha256: str | None = None) -> Certificate:
    """Return the certificate that the file is about.

    That is the one that belongs to the key; else the first, as the server sees it, unless that is a CA's and the file
    holds another certificate that this CA issued, directly or not, or that is no CA's.
    """
    served = list(pool)
    if key_sha256 is not None:
        for certificate in served:
            if certificate.public_key_sha256 == key_sha256 and not certificate.is_ca:
                return certificate
    if not served[0].is_ca:
        return served[0]
    ordinary = [certificate for certificate in served if not certificate.is_ca]
    if ordinary:
        return next((leaf for leaf in ordinary if served[0] in _related(pool, leaf)), ordinary[0])
    below = [ca for ca in served[1:] if ca != served[0] and served[0] in _related(pool, ca)]
    issuing = {issuer for ca in below for issuer in pool.issuers(ca)}
    return next((ca for ca in below if ca not in issuing), served[0])


def _related(pool: Authorities, leaf: Certificate) -> set[Certificate]:
    """The leaf and all served certificates from which it descends."""
    related, waiting = {leaf}, [leaf]
    while waiting and len(related) <= MAX_PATH * MAX_CANDIDATES:
        for issuer in pool.issuers(waiting.pop()):
            if issuer not in related:
                related.add(issuer)
                waiting.append(issuer)
    return related


def _path(pool: Authorities, leaf: Certificate) -> tuple[Certificate, ...]:
    """From the leaf, issuer by issuer, through served intermediates; where there are several, as the file goes on."""
    path = [leaf]
    while len(path) < MAX_PATH:
        current = pool.position(path[-1])
        issuers = [ca for ca in pool.issuers(path[-1]) if not ca.self_signed and ca not in path]
        if not issuers:
            break
        path.append(min(issuers, key=lambda ca: (pool.position(ca) < current, pool.position(ca))))
    return tuple(path)


def _duplicates(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    if len(set(certificates)) == len(certificates):
        return ()
    seen: set[Certificate] = set()
    repeated: dict[Certificate, None] = {}
    for certificate in certificates:
        if certificate in seen:
            repeated[certificate] = None
        seen.add(certificate)
    return tuple(repeated)


def _out_of_order(pool: Authorities, path: tuple[Certificate, ...]) -> bool:
    positions = [pool.position(certificate) for certificate in path[1:]]
    return positions != sorted(positions)


def _destination(
    path: tuple[Certificate, ...],
    roots: tuple[Certificate, ...],
    others: Authorities | None,
    anchors: Authorities | None,
) -> tuple[Certificate | None, Missing | None]:
    """Return the root or anchor where the path ends, and what is missing on the way there."""
    top = path[-1]
    anchor = _trusted_anchor(path, roots, anchors)
    if anchor is not None:
        return anchor, None
    if top.self_signed:
        return top, None
    served_root = next((root for root in roots if _is_issued_by(top, root)), None)
    if served_root is not None:
        return served_root, None
    found, anchor = _complete(path, others, anchors)
    if anchor is not None and not found:
        return anchor, None
    certain = bool(found) or _needs_intermediate(path, anchors)
    return anchor, Missing(top, top.issuer, top.ca_issuer_urls, found, certain)


def _trusted_anchor(
    path: tuple[Certificate, ...], roots: tuple[Certificate, ...], anchors: Authorities | None
) -> Certificate | None:
    if anchors is None:
        return None
    for certificate in (*path, *roots):
        if certificate in anchors:
            return certificate
        issuers = anchors.issuers(certificate)
        if issuers:
            return issuers[0]
    return None


def _complete(
    path: tuple[Certificate, ...], others: Authorities | None, anchors: Authorities | None
) -> tuple[tuple[Certificate, ...], Certificate | None]:
    """Return the intermediates above the path that other files hold, and the anchor that they lead to, if any."""
    found: list[Certificate] = []
    while len(path) + len(found) < MAX_PATH:
        top = found[-1] if found else path[-1]
        trusted = anchors.issuers(top) if anchors is not None else []
        if trusted:
            return tuple(found), trusted[0]
        known = others.issuers(top) if others is not None else []
        issuers = [ca for ca in known if ca not in path and ca not in found]
        root = next((ca for ca in issuers if ca.self_signed), None)
        if root is not None:
            return tuple(found), root
        if not issuers:
            break
        found.append(issuers[0])
    return tuple(found), None


def _needs_intermediate(path: tuple[Certificate, ...], anchors: Authorities | None) -> bool:
    """Whether an unknown issuer cannot be a root that clients have.

    Roots of public CAs issue no leaves (CA/Browser Forum baseline requirements, section 4.3.1.1), and where the public
    anchors are known, a public chain that reaches none of them lacks something. A private root may be anywhere.
    """
    if not path[0].claims_public_trust:
        return False
    return len(path) == 1 or anchors is not None


def overfull(path: Sequence[Certificate]) -> tuple[Certificate, int] | None:
    """Return the first CA of a path that has more CAs below it than its basicConstraints allow, and how many it has.

    CAs that are self-issued do not count (RFC 5280, section 6.1.4).
    """
    below = 0
    for certificate in path[1:]:
        if certificate.path_length is not None and below > certificate.path_length:
            return certificate, below
        below += not certificate.self_issued
    return None
