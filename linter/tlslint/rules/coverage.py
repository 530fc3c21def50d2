"""What the rules about names in certificates share."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from tlslint.resolve.model import Deployment, Endpoint, Listener, ServerName
from tlslint.rules.served import chains

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from tlslint.pki.certificate import Certificate
    from tlslint.resolve.certificates import Served

MAX_NAMES = 3


def asked_for(name: ServerName | None) -> bool:
    """Whether clients may ask for the name and expect it in the certificate: not `_`, `localhost` or a catch-all."""
    if name is None or name.kind == "empty" or name.text.lower() in ("localhost", "localhost.localdomain"):
        return False
    # only where there is a certificate
    from tlslint.pki.names import is_never_asked_for

    return not is_never_asked_for(name.text)


def is_single_label(name: str) -> bool:
    """Whether a name has no domain: one of a local network."""
    return "." not in name and ":" not in name


def address_in(name: str) -> "IPv4Address | IPv6Address | None":
    """Return the IP address that a name is, or None."""
    if ":" not in name and not name[-1:].isdecimal():
        return None
    import ipaddress

    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def is_address(name: str) -> bool:
    """Whether a name is an IP address, for which clients send no SNI (RFC 6066, section 3)."""
    return address_in(name) is not None


@lru_cache(maxsize=1)
def presented(deployment: Deployment) -> tuple[tuple[Endpoint, ServerName, "Served", "Certificate"], ...]:
    """Return each name with each certificate that clients get who ask for it; not for hosts that borrow one.

    Who connects to an address sends no name, and gets what the socket's default server presents.
    """
    return tuple(_presented(deployment))


def _presented(deployment: Deployment) -> Iterator[tuple[Endpoint, ServerName, "Served", "Certificate"]]:
    addresses: dict[Listener, list[ServerName]] | None = None
    for served, chain in chains(deployment):
        if addresses is None:
            addresses = _addresses(deployment)
        for endpoint in served.endpoints:
            name = endpoint.name
            if name is None:
                for address in addresses.get(endpoint.listener, ()) if endpoint.sni is None else ():
                    yield endpoint, address, served, chain.leaf
            elif endpoint.answering is endpoint.virtual_host and not is_address(name.text) and asked_for(name):
                yield endpoint, name, served, chain.leaf


def _addresses(deployment: Deployment) -> dict[Listener, list[ServerName]]:
    """Return the server names that are IP addresses, by the socket on which they stand."""
    found: dict[Listener, list[ServerName]] = {}
    for host in deployment.virtual_hosts:
        for name in host.names:
            if is_address(name.text):
                for listener in host.listeners:
                    found.setdefault(listener, []).append(name)
    return found


def names_in(certificate: "Certificate") -> str:
    """Write the names of a certificate, the first few of them."""
    names = (*certificate.dns_names, *certificate.ip_addresses)
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
