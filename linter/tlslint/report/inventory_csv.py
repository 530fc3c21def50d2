"""The inventory as CSV (RFC 4180, UTF-8): a line for each certificate, CRL and file that was not read, or each suite.

Cells with several values have them separated by "; ".
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from tlslint.inventory import Answer, CertificateEntry, CrlEntry, Inventory, Judged, NamedFile, Naming, Unread
from tlslint.report.inventory_words import moment, serial
from tlslint.report.text import visible

MAX_USERS = 100
"""Labels in one cell: a spreadsheet's cell holds 32,767 characters."""

CERTIFICATE_COLUMNS = (
    "role", "state", "days_left", "not_before", "not_after", "lifetime_days", "subject", "names", "issuer", "serial",
    "key", "signature", "sha256", "chain", "files", "directives", "endpoint_count", "endpoints", "problem",
)  # fmt: skip
PROTOCOL_COLUMNS = (
    "entry", "handshake", "outcome", "protocol", "protocol_verdict", "suite", "suite_verdict", "reason", "groups",
    "keys", "client_certificate", "protocols_set_by", "suites_set_by", "endpoint_count", "endpoints", "problem",
)  # fmt: skip


def render(inventory: Inventory, *, protocols: bool = False) -> Iterator[str]:
    """Yield the header and the records: certificates, or protocols and suites."""
    columns = PROTOCOL_COLUMNS if protocols else CERTIFICATE_COLUMNS
    rows = _protocol_rows(inventory) if protocols else _certificate_rows(inventory)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([visible(str(row.get(column, ""))) for column in columns])
    yield text.getvalue()


Row = dict[str, object]


def _certificate_rows(inventory: Inventory) -> Iterator[Row]:
    for entry in inventory.certificates:
        yield _certificate(entry)
    for crl in inventory.crls:
        yield _crl(crl)
    for item in inventory.unread:
        yield _unread(item)


def _certificate(entry: CertificateEntry) -> Row:
    certificate = entry.certificate
    return {
        "role": entry.role.value,
        "state": entry.life.state.value,
        "days_left": entry.life.days_left,
        "not_before": moment(certificate.not_before),
        "not_after": moment(certificate.not_after),
        "lifetime_days": round(entry.life.lifetime.total_seconds() / 86400, 2),
        "subject": certificate.subject,
        "names": _joined(entry.names),
        "issuer": certificate.issuer,
        "serial": serial(certificate.serial),
        "key": entry.key,
        "signature": certificate.signature_algorithm,
        "sha256": certificate.sha256,
        "chain": _joined(other.label for other in entry.chain),
        "problem": certificate.extensions_problem or "",
        **_files(entry.files),
        **_users(entry.users),
    }


def _crl(entry: CrlEntry) -> Row:
    crl = entry.crl
    return {
        "role": "crl",
        "state": entry.state,
        "days_left": "" if entry.days_left is None else entry.days_left,
        "not_before": moment(crl.last_update),
        "not_after": "" if crl.next_update is None else moment(crl.next_update),
        "issuer": crl.issuer,
        "sha256": entry.sha256,
        **_files(entry.files),
        **_users(entry.users),
    }


def _unread(item: Unread) -> Row:
    return {
        "role": "" if item.role is None else item.role.value,
        "state": "unread",
        "files": item.file,
        "directives": _joined(_named(item.namings)),
        "problem": item.why,
        **_users(item.users),
    }


def _files(files: Sequence[NamedFile]) -> Row:
    return {
        "files": _joined(file.file for file in files[:MAX_USERS]),
        "directives": _joined(_named([naming for file in files for naming in file.namings][:MAX_USERS])),
    }


def _protocol_rows(inventory: Inventory) -> Iterator[Row]:
    for number, answer in enumerate(inventory.answers, 1):
        yield from _answer(answer, number)
    for item in inventory.unread:
        if item.role is None:
            yield {"outcome": "unread", "entry": item.file, "problem": item.why, **_users(item.users)}


def _answer(answer: Answer, number: int) -> Iterator[Row]:
    shared: Row = {
        "entry": answer.entry,
        "handshake": number,
        "outcome": answer.outcome,
        "groups": _joined(map(_judged, answer.groups)),
        "keys": _joined(map(_judged, answer.keys)),
        "client_certificate": answer.client_certificate,
        "protocols_set_by": _joined(_named(answer.configured.get("protocols", ())[:MAX_USERS])),
        "problem": _joined([*filter(None, [answer.reason]), *(f"{what}: {why}" for what, why in answer.unknown)]),
        **_users(answer.users),
    }
    if not answer.protocols:
        yield shared
    for protocol in answer.protocols:
        setting = "ciphersuites" if protocol.name == "TLSv1.3" else "ciphers"
        places = _joined(_named(answer.configured.get(setting, ())[:MAX_USERS]))
        for suite in answer.suites.get(protocol.name, ()):
            yield {
                **shared,
                "protocol": protocol.name,
                "protocol_verdict": protocol.verdict.value,
                "suite": suite.name,
                "suite_verdict": suite.verdict.value,
                "reason": suite.reason,
                "suites_set_by": places,
            }


def _judged(item: Judged) -> str:
    return f"{item.name} ({item.verdict.value})"


def _named(places: Iterable[Naming | str]) -> Iterator[str]:
    return (str(place) for place in places)


def _users(labels: Sequence[str]) -> Row:
    return {"endpoint_count": len(labels), "endpoints": _joined(labels[:MAX_USERS])}


def _joined(items: Iterable[str]) -> str:
    return "; ".join(items)
