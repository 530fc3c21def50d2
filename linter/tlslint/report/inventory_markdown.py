"""The inventory as Markdown tables (GitHub's dialect): a document to review, keep and compare."""

from collections.abc import Iterable, Iterator, Sequence

from tlslint.inventory import Answer, CertificateEntry, CrlEntry, Inventory, NamedFile, Naming, Role, Unread
from tlslint.regex import regex
from tlslint.report.inventory_words import HEADINGS, lifetime, moment, unread_what
from tlslint.report.show import versions
from tlslint.report.text import few, visible

MAX_NAMES = 20
MAX_USERS = 10
MAX_LISTED_USERS = 100

_SPECIAL = regex(r"[\\`*\[\]<>|~&]")

CERTIFICATE_COLUMNS = (
    "Expires", "Days left", "State", "Subject", "Names", "Issuer", "Key", "Signature", "Valid from", "Lifetime",
    "Files", "Named by", "Used by",
)  # fmt: skip
CRL_COLUMNS = ("Next update", "Days left", "State", "Issuer", "Issued", "Revoked", "Files", "Named by", "Used by")
UNREAD_COLUMNS = ("What", "Why", "Where", "Used by")
PROTOCOL_COLUMNS = ("Part", "Name", "Verdict", "Remark", "Set by")


def render(inventory: Inventory, *, certificates: bool = True, protocols: bool = True) -> Iterator[str]:
    """Yield the inventory, or one part of it, as a Markdown document."""
    yield "# TLS inventory\n\n"
    policies = inventory.policies
    judge = f"policy {_escaped(policies[0].spelling)}" if len(policies) == 1 else "the policy of each deployment"
    yield f"As of {moment(inventory.now)}, judged by {judge}.\n\n"
    for deployment in inventory.deployments:
        doubt = "" if deployment.complete else "; not all of it could be read"
        own = f"; policy {_escaped(inventory.policy_of(deployment).spelling)}" if len(policies) > 1 else ""
        yield f"- {_escaped(deployment.entry)}: {_escaped(versions(deployment.target))}{own}{doubt}\n"
    if certificates:
        for role in Role:
            entries = [entry for entry in inventory.certificates if entry.role is role]
            yield from _section(HEADINGS[role], CERTIFICATE_COLUMNS, map(_certificate, entries))
        yield from _section(HEADINGS[Role.CRL], CRL_COLUMNS, map(_crl, inventory.crls))
    if protocols:
        for number, answer in enumerate(inventory.answers, 1):
            yield from _answer(answer, number)
    yield from _section("Not read, or not all of it", UNREAD_COLUMNS, map(_unread, inventory.unread))


def _section(heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [_line(row) for row in rows]
    if lines:
        yield f"\n## {heading}\n\n"
        yield from _table(columns, lines)


def _table(columns: Sequence[str], lines: Iterable[str]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
    yield from lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |\n"


def _certificate(entry: CertificateEntry) -> tuple[str, ...]:
    certificate = entry.certificate
    return (
        moment(certificate.not_after), str(entry.life.days_left), entry.life.state.value, certificate.subject,
        few(entry.names, MAX_NAMES, "name"), certificate.issuer, entry.key, certificate.signature_algorithm,
        moment(certificate.not_before), lifetime(entry), *_files(entry.files),
        few(entry.users, MAX_USERS, "endpoint") or "nobody",
    )  # fmt: skip


def _crl(entry: CrlEntry) -> tuple[str, ...]:
    crl = entry.crl
    return (
        "" if crl.next_update is None else moment(crl.next_update),
        "" if entry.days_left is None else str(entry.days_left),
        entry.state, crl.issuer, moment(crl.last_update), str(crl.revoked), *_files(entry.files),
        few(entry.users, MAX_USERS, "endpoint") or "nobody",
    )  # fmt: skip


def _files(files: Sequence[NamedFile]) -> tuple[str, str]:
    namings = [str(naming) for file in files for naming in file.namings]
    return few([file.file for file in files], MAX_USERS, "file"), few(namings, MAX_USERS, "directive")


def _answer(answer: Answer, number: int) -> Iterator[str]:
    yield f"\n## Handshake {number}: {answer.outcome}\n\n"
    yield f"{_escaped(answer.entry)}: {_escaped(few(answer.users, MAX_LISTED_USERS, 'endpoint'))}.\n"
    if answer.reason:
        yield f"\n{_escaped(answer.reason)}.\n"
    for what, why in answer.unknown:
        yield f"\nUnknown: {_escaped(what.replace('_', ' '))}: {_escaped(why)}.\n"
    lines = [_line(row) for row in _parts(answer)]
    if lines:
        yield "\n"
        yield from _table(PROTOCOL_COLUMNS, lines)


def _parts(answer: Answer) -> Iterator[tuple[str, ...]]:
    suites = [
        (f"{protocol} suite", items, "ciphersuites" if protocol == "TLSv1.3" else "ciphers")
        for protocol, items in answer.suites.items()
    ]
    parts = (
        ("protocol", answer.protocols, "protocols"), *suites, ("group", answer.groups, "groups"),
        ("key", answer.keys, "certificates"),
    )  # fmt: skip
    for part, items, setting in parts:
        places = few([_place(place) for place in answer.configured.get(setting, ())], 2, "place")
        for item in items:
            yield part, item.name, item.verdict.value, item.reason, places
    if answer.client_certificate != "none":
        yield "client certificate", answer.client_certificate, "", "", ""


def _unread(item: Unread) -> tuple[str, ...]:
    return (
        unread_what(item),
        item.why,
        few([_place(naming) for naming in item.namings], MAX_USERS, "place"),
        few(item.users, MAX_USERS, "endpoint"),
    )


def _place(place: Naming | str) -> str:
    return place if isinstance(place, str) else f"{place.file}:{place.line}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", visible(text))
