"""What a file of client CAs lets in: which of its CAs can be used at all, how deep they lie, whose CRLs are missing.

nginx and httpd put the file into OpenSSL's store. There only a root that signs itself is an anchor; any other CA counts
as far as it leads to one. With CRLs configured, nginx demands a current one of every CA on the path (it sets
`X509_V_FLAG_CRL_CHECK_ALL`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tlslint.pki.bundle import CertificateRevocationList
from tlslint.pki.certificate import Certificate
from tlslint.pki.chain import MAX_PATH, Authorities, may_issue
from tlslint.record import dataclass


@dataclass(frozen=True, slots=True)
class ClientAuthorities:
    """The certificates of the files that decide who is a client (for nginx those of both CA directives together).

    `depth` is the least `ssl_verify_depth` that lets clients of every usable CA in: the number of intermediates
    between them and the root. `rootless` CAs lead to no root and accept nobody.
    """

    roots: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...]
    rootless: tuple[Certificate, ...]
    depth: int

    @property
    def usable(self) -> tuple[Certificate, ...]:
        """The CAs whose clients can be accepted."""
        return (*self.roots, *self.intermediates)


def client_authorities(certificates: Iterable[Certificate]) -> ClientAuthorities:
    """Return what the certificates of CA files amount to."""
    pool = Authorities(certificates)
    authorities = [certificate for certificate in pool if may_issue(certificate)]
    depths = {ca: _depth(ca, pool) for ca in authorities}
    return ClientAuthorities(
        roots=tuple(ca for ca in authorities if ca.self_signed),
        intermediates=tuple(ca for ca in authorities if depths[ca] is not None and not ca.self_signed),
        rootless=tuple(ca for ca in authorities if depths[ca] is None),
        depth=max((depth for depth in depths.values() if depth is not None), default=0),
    )


def _depth(authority: Certificate, pool: Authorities) -> int | None:
    """The number of intermediates from `authority` (included) to the nearest root; None when there is none."""
    level, seen = [authority], {authority}
    for depth in range(MAX_PATH):
        if any(ca.self_signed for ca in level):
            return depth
        level = [issuer for ca in level for issuer in pool.issuers(ca) if issuer not in seen]
        seen.update(level)
        if not level:
            return None
    return None


def without_current_crl(
    authorities: Sequence[Certificate], crls: Sequence[CertificateRevocationList], now: datetime
) -> tuple[Certificate, ...]:
    """Return the CAs that no CRL in force covers: nginx, given any CRL, refuses every client below them."""
    current = [crl for crl in crls if is_current(crl, now)]
    return tuple(ca for ca in authorities if not any(crl.issued_by(ca) is not False for crl in current))


def is_current(crl: CertificateRevocationList, now: datetime) -> bool:
    """Whether a CRL is in force."""
    return crl.last_update <= now and (crl.next_update is None or now <= crl.next_update)
