"""The files that decide who is a client: CAs and revocation lists, each combination of them looked at once.

nginx and httpd put all CA files into one store, so the file that only completes chains lets clients in as well.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from tlslint.record import dataclass
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import Deployment, Setting, TlsSettings

if TYPE_CHECKING:
    # read only when there is a file to look at
    from tlslint.pki.bundle import Bundle, CertificateRevocationList
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.clients import ClientAuthorities


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is a client for some set of files, all of which could be read.

    `announced` are the CAs of the file that is there for clients, `silent` those of the one that only completes chains.
    `authorities` is what both amount to. `crls` is None where no list is configured.
    """

    announced: "tuple[Certificate, ...]"
    silent: "tuple[Certificate, ...]"
    authorities: "ClientAuthorities"
    crls: "tuple[CertificateRevocationList, ...] | None"

    @property
    def needed(self) -> "tuple[Certificate, ...]":
        """The announced CAs that lead to a root, and the CAs above them."""
        from tlslint.pki.chain import Authorities

        pool = Authorities(self.authorities.usable)
        level = [authority for authority in self.announced if authority in pool]
        found = dict.fromkeys(level)
        while level:
            level = [issuer for ca in level for issuer in pool.issuers(ca) if issuer not in found]
            found.update(dict.fromkeys(level))
        return tuple(found)

    def current(self, now: datetime) -> "tuple[Certificate, ...]":
        """Return the CAs that clients are accepted from when all that is out of date is left out."""
        from tlslint.pki.clients import client_authorities

        usable = self.authorities.usable
        return client_authorities(ca for ca in usable if ca.not_before <= now <= ca.not_after).usable

    def is_renewed(self, authority: "Certificate", current: "tuple[Certificate, ...]") -> bool:
        """Whether another of these certificates speaks for the same CA: its name and its key."""
        return any(
            ca.subject_key == authority.subject_key and ca.public_key_sha256 == authority.public_key_sha256
            for ca in current
        )

    def without_list(self, now: datetime) -> "tuple[Certificate, ...]":
        """Return the CAs that clients need and that no list in force covers."""
        from tlslint.pki.clients import without_current_crl

        return without_current_crl(self.needed, self.crls or (), now)

    def issuing(self, authorities: "tuple[Certificate, ...]") -> "tuple[Certificate, ...]":
        """Return those of the CAs that issue to no other CA here, so that clients' certificates are what they issue."""
        from tlslint.pki.chain import Authorities

        upper: set[Certificate] = set()
        for lower in self.authorities.usable:
            if not lower.self_signed:
                upper.update(Authorities(authorities).issuers(lower))
        return tuple(authority for authority in authorities if authority not in upper)

    @property
    def accepted(self) -> "frozenset[Certificate]":
        """The CAs whose clients can be accepted."""
        return frozenset(self.authorities.usable)


class Clients:
    """What the rules about client certificates look at."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._trust: dict[tuple[str | None, ...], Trust | None] = {}

    def bundle(self, setting: Setting[str | None]) -> "Bundle | None":
        """Return the file that a setting names as it is read; None where there is none or it could not be read."""
        files = self.deployment.files
        if not setting.known or files is None:
            return None
        found = files.authorities(files.resolve(setting.known, self.deployment.base))
        return None if isinstance(found, Unreadable) else found

    def trust(self, tls: TlsSettings) -> Trust | None:
        """Return who is a client; None where that is not known, or where there is no CA at all."""
        settings = (tls.client_ca, tls.trusted_ca, tls.crl)
        if any(setting.is_unknown for setting in settings):
            return None
        key = tuple([setting.known for setting in settings])
        if key not in self._trust:
            self._trust[key] = self._read(*settings)
        return self._trust[key]

    def _read(
        self, client_ca: Setting[str | None], trusted_ca: Setting[str | None], crl: Setting[str | None]
    ) -> Trust | None:
        named = [setting for setting in (client_ca, trusted_ca, crl) if setting.known]
        bundles = {id(setting): self.bundle(setting) for setting in named}
        if not (client_ca.known or trusted_ca.known) or any(
            bundle is None or not bundle.complete for bundle in bundles.values()
        ):
            return None
        # only where there is a file
        from tlslint.pki.clients import client_authorities

        announced, silent = _certificates(bundles.get(id(client_ca))), _certificates(bundles.get(id(trusted_ca)))
        if not client_ca.known:
            announced, silent = silent, ()
        lists = bundles.get(id(crl))
        others = [bundle for bundle in bundles.values() if bundle is not None and bundle is not lists]
        return Trust(
            announced=announced,
            silent=silent,
            # a list's file may hold certificates too: they join the store
            authorities=client_authorities((*announced, *silent, *_certificates(lists))),
            crls=None if lists is None else tuple(crl for bundle in (lists, *others) for crl in bundle.crls),
        )


def _certificates(bundle: "Bundle | None") -> "tuple[Certificate, ...]":
    return bundle.all_certificates if bundle is not None else ()


__all__ = ["Clients", "Trust"]
