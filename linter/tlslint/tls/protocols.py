"""The protocol versions, and which of them a library can speak.

The rules were measured with nginx on OpenSSL 3.0 and 3.3 and with the ClientHello of the libraries; those of 1.1.1
below level 3 are from its source (``ssl_security_default_callback``).
"""

import enum
from collections.abc import Iterable

from tlslint.tls.suites import OpenSSL, Suite


class Protocol(enum.StrEnum):
    """A protocol version, spelled as nginx and httpd spell it. Versions compare in order of age, as their names do."""

    SSLv2 = "SSLv2"
    SSLv3 = "SSLv3"
    TLSv1 = "TLSv1"
    TLSv1_1 = "TLSv1.1"
    TLSv1_2 = "TLSv1.2"
    TLSv1_3 = "TLSv1.3"


#: All versions, oldest first.
PROTOCOLS = tuple(Protocol)


def compiled(openssl: OpenSSL) -> tuple[Protocol, ...]:
    """The versions that the library has code for, oldest first. SSLv2 left with 1.0.2g, SSLv3 with 1.1.0's default
    build."""
    oldest = Protocol.TLSv1
    if openssl.generation == "1.0.2":
        oldest = min(Protocol(suite.min_protocol) for suite in openssl.suites)
    newest = Protocol.TLSv1_3 if openssl.tls13 else Protocol.TLSv1_2
    return tuple(protocol for protocol in PROTOCOLS if oldest <= protocol <= newest)


def oldest_at_level(openssl: OpenSSL, level: int, key_type: str | None = None) -> Protocol:
    """The oldest version that a server can negotiate at security ``level``.

    Args:
        openssl: The server's library.
        level: 0 to 5.
        key_type: ``"rsa"`` or ``"ecdsa"`` for the answer with a certificate of that type; None for the best case.
    """
    if openssl.generation == "1.0.2" or level == 0:
        return Protocol.SSLv2
    if openssl.generation != "1.1.1":
        # 3.0 refuses the SHA-1 and MD5 signatures of TLS 1.0 and 1.1, 3.2 and later the versions themselves.
        return Protocol.TLSv1_2
    if level >= 4 or (level >= 2 and key_type == "ecdsa"):
        # ECDSA signs with SHA-1 before TLS 1.2: 80 bits in 1.1.1, while level 2 asks for 112.
        return Protocol.TLSv1_2
    return Protocol.TLSv1_1 if level == 3 else Protocol.TLSv1


def oldest_version(openssl: OpenSSL, level: int) -> Protocol:
    """The oldest version that the version check itself lets pass at security ``level``, whatever the signatures need.

    A server chooses the version before it looks at the name that the client asks for, so the default server is asked.
    """
    if openssl.generation == "1.0.2" or level == 0:
        return Protocol.SSLv2
    if openssl.release >= (3, 2, 0) or level >= 4:
        return Protocol.TLSv1_2
    return Protocol.TLSv1_1 if level == 3 else Protocol.TLSv1


def lowest_range(enabled: Iterable[str], openssl: OpenSSL, level: int) -> tuple[Protocol, ...]:
    """The lowest run of versions without a hole: what OpenSSL takes for its range when a handshake starts."""
    known, oldest, wanted = compiled(openssl), oldest_version(openssl, level), set(enabled)
    found: list[Protocol] = []
    for protocol in PROTOCOLS:
        if protocol in known and protocol in wanted and protocol >= oldest:
            found.append(protocol)
        elif found:
            break
    return tuple(found)


def negotiable(
    enabled: Iterable[str], openssl: OpenSSL, level: int, key_type: str | None = None
) -> tuple[Protocol, ...]:
    """Those of the ``enabled`` versions that the library speaks at security ``level``, oldest first.

    Raises:
        ValueError: ``enabled`` holds something that is no protocol version.
    """
    oldest = oldest_at_level(openssl, level, key_type)
    wanted = {Protocol(name) for name in enabled}
    return tuple(protocol for protocol in compiled(openssl) if protocol in wanted and protocol >= oldest)


def chosen(enabled: Iterable[Protocol], client: Iterable[Protocol]) -> Protocol | None:
    """The version that a handshake ends with, or None when it fails.

    A client before TLS 1.3 only says its highest version. The server takes its own highest one that is not above
    that, and the client aborts when it does not have it: with ``TLSv1 TLSv1.2`` on the server, a client that has TLS
    1.1 alone fails.
    """
    server, offered = set(enabled), set(client)
    if not offered:
        return None
    if Protocol.TLSv1_3 in offered:
        # It lists its versions, so there is nothing to guess.
        return max(server & offered, default=None)
    answer = max((protocol for protocol in server if protocol <= max(offered)), default=None)
    return answer if answer in offered else None


def without_holes(enabled: Iterable[Protocol]) -> tuple[Protocol, ...]:
    """All versions from the oldest to the newest of ``enabled``: what is on when a server sets a range, as httpd
    does."""
    wanted = sorted(enabled)
    return tuple(protocol for protocol in PROTOCOLS if wanted and wanted[0] <= protocol <= wanted[-1])


def has_suite(protocol: str, suite: Suite, openssl: OpenSSL) -> bool:
    """Whether ``suite`` can be used in ``protocol``: TLS 1.3 has its own, and newer suites need TLS 1.2."""
    if suite.tls13 or protocol == Protocol.TLSv1_3:
        return suite.tls13 and protocol == Protocol.TLSv1_3
    if (protocol == Protocol.SSLv2) != (suite.min_protocol == Protocol.SSLv2):
        return False
    if suite.enc == "IDEA" and protocol == Protocol.TLSv1_2:
        # TLS 1.2 dropped it (RFC 5469); OpenSSL follows since 1.1.0.
        return openssl.generation == "1.0.2"
    return protocol >= suite.min_protocol
