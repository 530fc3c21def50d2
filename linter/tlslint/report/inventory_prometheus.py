"""The inventory in Prometheus' text exposition format, for the textfile collector of node_exporter.

Moments are Unix times in seconds, so that an alert reads `tlslint_certificate_not_after_seconds - time() < 30 * 86400`.
A certificate that no endpoint uses has a series too: `tlslint_certificate_endpoints` tells.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tlslint.inventory import CertificateEntry, CrlEntry, Inventory, NamedFile
from tlslint.report.text import visible

Labels = tuple[tuple[str, str], ...]
Series = tuple[Labels, int]


def render(inventory: Inventory, *, certificates: bool = True, protocols: bool = True) -> Iterator[str]:
    """Yield the metrics of the inventory, or of one part of it."""
    if certificates:
        yield from _certificates(inventory.certificates)
        yield from _crls(inventory.crls)
    if protocols:
        yield from _protocols(inventory)
        yield from _suites(inventory)
    yield from _unread(inventory)


def _certificates(entries: Sequence[CertificateEntry]) -> Iterator[str]:
    labelled = [(_certificate_labels(entry), entry) for entry in entries]
    yield from _family(
        "tlslint_certificate_not_after_seconds",
        "Last second of a certificate's validity, as Unix time.",
        [(labels, _unix(entry.certificate.not_after)) for labels, entry in labelled],
    )
    yield from _family(
        "tlslint_certificate_not_before_seconds",
        "First second of a certificate's validity, as Unix time.",
        [(labels, _unix(entry.certificate.not_before)) for labels, entry in labelled],
    )
    yield from _family(
        "tlslint_certificate_endpoints",
        "Endpoints or upstream connections that use a certificate.",
        [(labels, len(entry.users)) for labels, entry in labelled],
    )


def _certificate_labels(entry: CertificateEntry) -> Labels:
    certificate = entry.certificate
    return (
        ("role", entry.role.value),
        ("file", _first(entry.files)),
        ("subject", certificate.subject),
        ("issuer", certificate.issuer),
        ("sha256", certificate.sha256),
    )


def _crls(entries: Sequence[CrlEntry]) -> Iterator[str]:
    labelled = [(_crl_labels(entry), entry.crl) for entry in entries]
    yield from _family(
        "tlslint_crl_next_update_seconds",
        "When the successor of a certificate revocation list is due, as Unix time.",
        [(labels, _unix(crl.next_update)) for labels, crl in labelled if crl.next_update is not None],
    )
    yield from _family(
        "tlslint_crl_last_update_seconds",
        "When a certificate revocation list was issued, as Unix time.",
        [(labels, _unix(crl.last_update)) for labels, crl in labelled],
    )


def _crl_labels(entry: CrlEntry) -> Labels:
    return ("file", _first(entry.files)), ("issuer", entry.crl.issuer), ("sha256", entry.sha256)


def _protocols(inventory: Inventory) -> Iterator[str]:
    yield from _family(
        "tlslint_endpoint_protocol_info",
        "A protocol version that an endpoint negotiates, and the verdict of the policy; sni is empty without SNI.",
        (
            (
                (
                    ("entry", answer.entry),
                    ("listen", endpoint.listener.label.removesuffix(" (quic)")),
                    ("transport", endpoint.listener.transport),
                    ("sni", endpoint.sni or ""),
                    ("protocol", protocol.name),
                    ("verdict", protocol.verdict.value),
                ),
                1,
            )
            for answer in inventory.answers
            if answer.outcome == "completes"
            for endpoint in answer.endpoints
            for protocol in answer.protocols
        ),
    )


def _suites(inventory: Inventory) -> Iterator[str]:
    counts: dict[Labels, int] = {}
    for answer in inventory.answers:
        for protocol, suites in answer.suites.items() if answer.outcome == "completes" else ():
            for suite in suites:
                labels = (
                    ("entry", answer.entry),
                    ("protocol", protocol),
                    ("suite", suite.name),
                    ("verdict", suite.verdict.value),
                )
                counts[labels] = counts.get(labels, 0) + len(answer.endpoints)
    yield from _family(
        "tlslint_cipher_suite_endpoints",
        "Endpoints that negotiate a cipher suite, and the verdict of the policy.",
        counts.items(),
    )


def _unread(inventory: Inventory) -> Iterator[str]:
    labelled = (
        (("role", item.role.value if item.role is not None else ""), ("file", item.file), ("reason", item.why))
        for item in inventory.unread
    )
    yield from _family(
        "tlslint_unread_info",
        "Something that belongs to the inventory and could not be read, or not all of it.",
        ((labels, 1) for labels in labelled),
    )
    yield from _family(
        "tlslint_unread_items",
        "How much belongs to the inventory and could not be read, or not all of it.",
        [((), len(inventory.unread))],
    )


def _family(name: str, help_text: str, series: Iterable[Series]) -> Iterator[str]:
    """Yield a metric with its help and type; of series with the same labels the first."""
    distinct: dict[Labels, int] = {}
    for labels, value in series:
        distinct.setdefault(labels, value)
    if distinct:
        yield f"# HELP {name} {help_text}\n# TYPE {name} gauge\n"
    for labels, value in distinct.items():
        text = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels)
        yield f"{name}{{{text}}} {value}\n" if text else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')


def _first(files: Sequence[NamedFile]) -> str:
    return files[0].file if files else ""


def _unix(moment: datetime) -> int:
    return round(moment.timestamp())
