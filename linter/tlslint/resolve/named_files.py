"""The files of TLS settings besides certificates and their keys: lists of CAs, revocation lists, parameters, tickets.

The server opens them at its start, and does not start where one is not there.
"""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from tlslint.record import dataclass, field
from tlslint.resolve.certificates import Kin
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import Deployment, Place, Setting, TlsSettings, Unknown, Upstream, VirtualHost

if TYPE_CHECKING:
    from tlslint.resolve.include import Files

_INLINE = ("data:", "engine:", "store:")


class Content(Enum):
    """What a file is read for, in words that follow "file of"."""

    CLIENT_CAS = "client CAs"
    TRUSTED_CAS = "trusted CAs"
    CRL = "revocation lists"
    DH_PARAMETERS = "DH parameters"
    TICKET_KEY = "session ticket keys"
    STAPLED_RESPONSE = "the stapled response"
    UPSTREAM_CERTIFICATE = "the certificate for the upstream"
    UPSTREAM_KEY = "the key for the upstream"
    UPSTREAM_CAS = "CAs of the upstream"
    UPSTREAM_CRL = "revocation lists for the upstream"


_KIN: dict[Content, Kin] = {
    Content.CRL: "made",
    Content.UPSTREAM_CRL: "made",
    Content.DH_PARAMETERS: "made",
    Content.STAPLED_RESPONSE: "made",
    Content.TICKET_KEY: "secret",
    Content.UPSTREAM_KEY: "secret",
}
_FOR_UPSTREAMS = (Content.UPSTREAM_CERTIFICATE, Content.UPSTREAM_KEY, Content.UPSTREAM_CAS, Content.UPSTREAM_CRL)
_ONLY_BYTES = frozenset((Content.TICKET_KEY, Content.STAPLED_RESPONSE))


@dataclass(slots=True, eq=False)
class NamedFile:
    """A file that the server opens, as one or more directives name it; `users` are endpoints or upstreams."""

    content: Content
    name: str
    """As written."""
    path: str
    """On the server."""
    places: list[Place] = field(default_factory=list)
    users: dict[str, None] = field(default_factory=dict)
    doubt: str = ""
    """Why it is not known what the server finds there although it could be read."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return _names_folder(self.places[0])

    @property
    def is_for_upstreams(self) -> bool:
        """Whether it is used for connections that the server itself makes."""
        return self.content in _FOR_UPSTREAMS


class NamedFiles:
    """All of them for one deployment, each once; one that is read for several things counts as the first."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._found: dict[str, NamedFile] = {}
        self._settings: dict[tuple[Content, int], list[NamedFile]] = {}
        for host in deployment.virtual_hosts:
            self._add_host(host)
        for endpoint in deployment.endpoints:
            for content, setting in self._of_host(endpoint.tls, endpoint.listener.module):
                if setting.places:  # most are not made, and labels take time
                    self._add(content, setting, endpoint.label)
        for upstream in deployment.upstreams:
            for content, setting in self._of_upstream(upstream):
                self._add(content, setting, upstream.target)

    def unread(self) -> Iterator[tuple[NamedFile, Unreadable, bool]]:
        """Yield each file of which it is not known what the server finds there, and why.

        The last of the three is whether the file is missing, in the sense of `Certificates.is_missing`.
        """
        files, certificates = self.deployment.files, self.deployment.certificates
        for named in self._found.values() if files is not None else ():
            assert files is not None
            found = self._read(files, named)
            if isinstance(found, Unreadable):
                kin = _KIN.get(named.content, "certificate")
                yield named, found, certificates.is_missing(found.kind, named.path, found.reason, kin)
            elif named.doubt:
                yield named, Unreadable("unreadable", named.doubt, named.path), False

    @staticmethod
    def _read(files: "Files", named: NamedFile) -> object:
        if named.content in _ONLY_BYTES:
            return files.data(named.path)
        return files.private_key(named.path) if named.content is Content.UPSTREAM_KEY else files.authorities(named.path)

    def _add_host(self, host: VirtualHost) -> None:
        """Note what is opened for a host that no client gets as well."""
        for content, setting in self._of_host(host.tls, host.module):
            self._add(content, setting, "")

    def _add(self, content: Content, setting: Setting[str | None] | Setting[tuple[str, ...]], user: str) -> None:
        if not setting.known and not (setting.is_unknown and setting.places):
            return
        key = (content, id(setting))
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = list(self._named(content, setting))
        for named in found if user else ():
            named.users[user] = None

    def _named(self, content: Content, setting: Setting[str | None] | Setting[tuple[str, ...]]) -> Iterator[NamedFile]:
        files = self.deployment.files
        for name in _names(setting) if files is not None else ():
            assert files is not None
            places = [place for place in setting.places if place.directive.arguments[-1:] == (name,)]
            if not places or "$" in name or name.startswith(_INLINE):
                continue
            path = files.resolve(name, self.deployment.base)
            named = self._found.setdefault(path, NamedFile(content, name, path))
            if isinstance(setting.value, Unknown):
                named.doubt = setting.value.reason
            named.places += [place for place in places if place not in named.places]
            yield named

    def _of_host(
        self, tls: TlsSettings, module: str
    ) -> Iterator[tuple[Content, Setting[str | None] | Setting[tuple[str, ...]]]]:
        """Yield the settings whose files are opened.

        nginx opens nothing for a host without certificates, the client CAs only where it asks for certificates, and
        outside of http the other lists as well (measured on 1.22.1 and 1.31.3). httpd opens whatever is named.
        """
        is_apache = self.deployment.server == "apache"
        if not is_apache and not tls.certificates.known:
            return
        verifies = is_apache or tls.client_check.known not in (None, "none")
        if verifies:
            yield Content.CLIENT_CAS, tls.client_ca
        if verifies or module == "http":
            yield Content.TRUSTED_CAS, tls.trusted_ca
            yield Content.CRL, tls.crl
        if tls.idle_crl is not None:
            yield Content.CRL, tls.idle_crl
        yield Content.DH_PARAMETERS, tls.dh_params
        yield Content.TICKET_KEY, tls.ticket_keys
        if tls.stapling.known:
            yield Content.STAPLED_RESPONSE, tls.stapling_file

    def _of_upstream(self, upstream: Upstream) -> Iterator[tuple[Content, Setting[str | None]]]:
        """Yield the same for a connection to an upstream: nginx reads lists only where it verifies."""
        if upstream.tls is False:
            return
        yield Content.UPSTREAM_CERTIFICATE, upstream.certificate
        if upstream.key is not None and upstream.certificate.known:
            yield Content.UPSTREAM_KEY, upstream.key
        if self.deployment.server == "apache" or upstream.verify.known is not False:
            yield Content.UPSTREAM_CAS, upstream.trusted_ca
            yield Content.UPSTREAM_CRL, upstream.crl


def _names_folder(place: Place) -> bool:
    """Whether a directive names a directory; only httpd has such."""
    directive = place.directive
    return directive.name.lower().endswith("path") and bool(directive.arguments)


def _names(setting: Setting[str | None] | Setting[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names as written; of a directory also where it is unknown what can be found in it."""
    known = setting.known
    if setting.is_unknown and setting.places and _names_folder(setting.places[-1]):
        return (str(setting.places[-1].directive.arguments[-1]),)
    return (known,) if isinstance(known, str) else known or ()


__all__ = ["Content", "NamedFile", "NamedFiles"]
