"""The files that decide who is a client: CAs and revocation lists, each combination of them looked at once.

nginx and httpd put all CA files into one store, so the file that only completes chains lets clients in as well.
"""

from typing import TYPE_CHECKING

from tlslint.record import dataclass
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import Deployment, Setting, TlsSettings

if TYPE_CHECKING:
    # read only when there is a file to look at
    from tlslint.pki.bundle import Bundle, CertificateRevocationList
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.clients import ClientAuthorities

VERIFYING = ("required", "optional")
"""Where a client certificate, if there is one, must lead to a configured CA."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is a client for some set of files, all of which could be read.

    `announced` are the CAs whose names clients get, `silent` those of the file that only completes chains.
    `authorities` is what both amount to. `crls` is None where no list is configured.
    """

    announced: "tuple[Certificate, ...]"
    silent: "tuple[Certificate, ...]"
    authorities: "ClientAuthorities"
    crls: "tuple[CertificateRevocationList, ...] | None"

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
        found = files.bundle(files.resolve(setting.known, self.deployment.base))
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


__all__ = ["VERIFYING", "Clients", "Trust"]
