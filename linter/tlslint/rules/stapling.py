"""What the rules about stapling share: which certificates are meant to be stapled, and what comes of it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.intention import SetValue
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve.model import Deployment, Endpoint, TlsSettings
from tlslint.rules.words import governing

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.resolve.certificates import Served

USUAL_CACHE = "shmcb:ssl_stapling(128000)"
"""In shared memory; the name is relative to the directory in which Apache keeps what it needs while it runs."""

_ADDRESS = regex(r"\d+\.\d+\.\d+\.\d+|\[.*\]")
_URL = regex(r"http://(\[[^\]]*\]|[^/:?#]*)", re.IGNORECASE)


@dataclass(slots=True, frozen=True)
class Stapling:
    """A served certificate with stapling on; `problem` is why the server staples nothing, as a clause."""

    served: "Served"
    endpoints: list[Endpoint]
    responder: str
    """The URL that is asked; empty where there is none, or where a file holds the response."""
    problem: str = ""
    lacks_issuer: bool = False

    @property
    def asks_https(self) -> bool:
        """Whether the responder is to be asked over https, which neither server does."""
        return bool(self.problem) and bool(self.responder) and not self.lacks_issuer

    @property
    def tls(self) -> TlsSettings:
        """The settings that these endpoints share."""
        return self.endpoints[0].tls

    @property
    def responder_host(self) -> str:
        """The name of the responder; empty for an address, which nobody must look up."""
        match = _URL.match(self.responder)
        return "" if match is None or _ADDRESS.fullmatch(match[1]) else match[1]


def staplings(deployment: Deployment) -> Iterator[Stapling]:
    """Yield each certificate that could be read with each way in which it is to be stapled."""
    if not any(endpoint.tls.stapling.known for endpoint in deployment.endpoints):
        return
    for served in deployment.certificates.served:
        leaf = served.leaf
        if leaf is None or served.bundle.server_verdict or not served.bundle.complete:
            continue
        groups: dict[tuple[int, ...], list[Endpoint]] = {}
        for endpoint in served.endpoints:
            tls = endpoint.tls
            if tls.stapling.known and endpoint.listener.module != "mail":
                settings = (tls.stapling, tls.stapling_file, tls.stapling_responder, tls.stapling_verify, tls.resolver,
                            tls.trusted_ca, tls.client_ca)  # fmt: skip
                groups.setdefault(tuple(map(id, settings)), []).append(endpoint)
        for endpoints in groups.values():
            if not _is_unknown(endpoints[0].tls):
                yield stapling_of(deployment, served, leaf, endpoints)


def cached(endpoints: list[Endpoint]) -> tuple[SetValue, ...]:
    """Return the intention that there be a cache for stapled responses, where the server needs one and has none."""
    cache = endpoints[0].tls.stapling_cache if endpoints else None
    if cache is None or cache.is_unknown or cache.known is not None:
        return ()
    return (SetValue("stapling_cache", USUAL_CACHE, cache, governing(endpoints, "stapling_cache")),)


def _is_unknown(tls: TlsSettings) -> bool:
    return tls.stapling_file.is_unknown or tls.stapling_responder.is_unknown


def stapling_of(deployment: Deployment, served: "Served", leaf: "Certificate", endpoints: list[Endpoint]) -> Stapling:
    """Return what comes of stapling this certificate for endpoints that share all settings of it, were it on."""
    tls = endpoints[0].tls
    if tls.stapling_file.known:
        return Stapling(served, endpoints, "")
    responder = tls.stapling_responder.known or next(iter(leaf.ocsp_urls), "")
    problem = ""
    lacks_issuer = _has_issuer(deployment, served, leaf, tls) is False
    if lacks_issuer:
        problem = "its issuer is neither in this file nor among the trusted ones"
    elif not responder:
        problem = "it names no OCSP responder"
    elif not responder.lower().startswith("http://"):
        problem = f'its responder "{responder}" is not asked over https'
    return Stapling(served, endpoints, responder, problem, lacks_issuer)


def _has_issuer(deployment: Deployment, served: "Served", leaf: "Certificate", tls: TlsSettings) -> bool | None:
    """Whether the server finds the issuer, by name and key identifier as X509_check_issued(3) does; None if unknown."""
    candidates = list(served.bundle.certificates[1:])
    for setting in (tls.trusted_ca, tls.client_ca):
        if setting.is_unknown:
            return None
        if setting.known:
            bundle = deployment.clients.bundle(setting)
            if bundle is None or not bundle.complete:
                return None
            candidates += bundle.all_certificates
    return any(
        issuer.subject_key == leaf.issuer_key and (not leaf.aki or not issuer.ski or leaf.aki == issuer.ski)
        for issuer in candidates
    )
