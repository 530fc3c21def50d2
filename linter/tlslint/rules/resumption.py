"""What the rules about sessions share."""

from collections.abc import Iterable

from tlslint.resolve.model import Endpoint


def exposed_to_ticket_key(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints whose recorded sessions the key of a ticket opens.

    Up to TLS 1.2 that is all of them. A resumption of TLS 1.3 makes new keys; only early data is protected by the old
    session alone (RFC 8446, section 2.3).
    """
    return [item for item in endpoints if item.handshake.negotiates_tls12 or item.tls.early_data.known]
