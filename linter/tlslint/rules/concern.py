"""What the families ask of a deployment to know whether their rules have anything to judge there."""

from collections.abc import Iterator
from operator import attrgetter

from tlslint.resolve.model import Deployment, Setting, TlsSettings, VirtualHost


def any_tls(deployment: Deployment) -> bool:
    """Whether TLS may be spoken with clients or upstreams, or a host is made ready for it."""
    return (
        any(endpoint.handshake.outcome != "plaintext" for endpoint in deployment.endpoints)
        or any(host.tls.certificates.value or host.tls.reject_handshake.known for host in hosts(deployment))
        or any_upstream(deployment)
    )


def any_upstream(deployment: Deployment) -> bool:
    """Whether TLS may be spoken with upstreams."""
    return any(upstream.tls is not False for upstream in deployment.upstreams)


def hosts(deployment: Deployment) -> Iterator[VirtualHost]:
    """Yield all hosts, those that answer and belong to no socket included; some more than once."""
    yield from deployment.virtual_hosts
    for endpoint in deployment.endpoints:
        yield endpoint.answering


def any_set(deployment: Deployment, *fields: str) -> bool:
    """Whether any of these settings is made somewhere, or may be."""
    settings_of = attrgetter(*fields)
    # settings compare by identity, and most hosts inherit them
    distinct: set[Setting[object] | None] = set()
    for tls in _in_force(deployment):
        distinct.update(settings_of(tls))
    return any(setting is not None and _is_made(setting) for setting in distinct)


def _in_force(deployment: Deployment) -> Iterator[TlsSettings]:
    for endpoint in deployment.endpoints:
        yield endpoint.tls
    for host in deployment.virtual_hosts:
        yield host.tls


def _is_made(setting: Setting[object]) -> bool:
    return setting.explicit or setting.is_unknown
