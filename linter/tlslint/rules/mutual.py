"""What the rules about client certificates share: who asks for one, what decides about it, how files are named."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from tlslint.resolve.model import ClientChecks, Deployment, Endpoint, Setting, TlsSettings
from tlslint.rules.served import quoted
from tlslint.rules.words import listed, negotiating, sharing

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate

VERIFYING = frozenset(("required", "optional"))
"""Where a client certificate, if there is one, must lead to a configured CA."""
ASKING = VERIFYING | {"optional_no_ca"}
RESULT = "ssl_client_verify"
MAX_NAMES = 3


@lru_cache(maxsize=1)
def _asking(deployment: Deployment) -> tuple[Endpoint, ...]:
    return tuple(
        endpoint
        for endpoint in negotiating(deployment)
        if endpoint.tls.client_check.known in ASKING and endpoint.answering is endpoint.virtual_host
    )


def asking(deployment: Deployment, checks: Iterable[str] = ASKING) -> Iterator[Endpoint]:
    """Yield the endpoints whose own host makes something of client certificates."""
    wanted = frozenset(checks)
    return (endpoint for endpoint in _asking(deployment) if endpoint.tls.client_check.known in wanted)


def verifying(deployment: Deployment, *fields: str) -> Iterator[list[Endpoint]]:
    """Yield the endpoints that verify client certificates, those together for which the same settings are in force."""
    return sharing(asking(deployment, VERIFYING), *fields)


def ca_setting(tls: TlsSettings) -> Setting[str | None]:
    """Return the setting that names the clients' CAs: where only the other file is there, that one."""
    return tls.client_ca if tls.client_ca.known or not tls.trusted_ca.known else tls.trusted_ca


def other_conditions(checks: ClientChecks) -> bool:
    """Whether a condition goes by more than the verification's result, so that it may tell one CA from another."""
    return any(use.condition and use.variables - {RESULT} for use in checks.uses)


def knows_more(endpoint: Endpoint) -> bool:
    """Whether the host learns more of a client than that its certificate was verified, or may."""
    checks = endpoint.virtual_host.client_checks
    return bool(checks.doubt) or any(use.variables - {RESULT, "ssl_server_name"} for use in checks.uses)


def names_of(certificates: "Iterable[Certificate]") -> str:
    """Write the names of certificates, the first few of them."""
    distinct = {certificate.label: certificate for certificate in certificates}
    return listed(quoted(distinct.values(), MAX_NAMES))
