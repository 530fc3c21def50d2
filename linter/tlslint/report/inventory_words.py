"""Words that the formats of the inventory share."""

from datetime import UTC, datetime

from tlslint.inventory import CertificateEntry, Role, Unread

HEADINGS = {
    Role.SERVER: "Certificates of endpoints",
    Role.CHAIN: "Intermediates and others that are sent with them",
    Role.CLIENT_CA: "Authorities for client certificates",
    Role.TRUSTED_CA: "Other trusted authorities",
    Role.CRL: "Certificate revocation lists",
    Role.UPSTREAM_CLIENT: "Client certificates towards upstreams",
    Role.UPSTREAM_CA: "Authorities for upstreams",
}


def days_left(days: int) -> str:
    """Write how long is left: `12 days`, `-3 days`."""
    return f"{days:,} day{'' if abs(days) == 1 else 's'}"


def key_and_signature(entry: CertificateEntry) -> str:
    """Write key and signature: `RSA 2048, signed with sha256WithRSAEncryption`."""
    return f"{entry.key}, signed with {entry.certificate.signature_algorithm}"


def lifetime(entry: CertificateEntry) -> str:
    """Write how long a certificate lives in all."""
    days = entry.life.lifetime.total_seconds() / 86400
    return f"{round(days):,} days" if days >= 2 else f"{days * 24:.0f} hours"


def moment(time: datetime) -> str:
    """Write an aware moment in UTC as RFC 3339 does: `2026-06-01T00:00:00Z`."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def serial(number: int) -> str:
    """Write a serial number as `openssl x509 -serial` does: whole bytes in upper-case hexadecimal."""
    digits = f"{abs(number):X}"
    return f"{'-' if number < 0 else ''}{'0' * (len(digits) % 2)}{digits}"


def unread_what(item: Unread) -> str:
    """Say in words what could not be read."""
    what = _WHAT[item.role]
    return f'{what} "{item.file}"' if item.file else what


_WHAT = {
    Role.SERVER: "certificate",
    Role.CHAIN: "certificate",
    Role.CLIENT_CA: "client CAs",
    Role.TRUSTED_CA: "trusted CAs",
    Role.CRL: "CRL",
    Role.UPSTREAM_CLIENT: "upstream client certificate",
    Role.UPSTREAM_CA: "upstream CAs",
    None: "configuration",
}
