"""The inventory for people: what expires first comes first, and what could not be read is said at the end."""

from collections.abc import Iterator, Sequence

from tlslint.inventory import (
    Answer,
    CertificateEntry,
    CrlEntry,
    Inventory,
    Judged,
    NamedFile,
    Naming,
    Role,
    Unread,
    Verdict,
)
from tlslint.pki.dates import State
from tlslint.report.inventory_words import HEADINGS, days_left, key_and_signature, lifetime, unread_what
from tlslint.report.show import versions, wrapped
from tlslint.report.text import PLAIN, Palette, counted, few, visible

MAX_AUTHORITIES = 12
"""CAs of one role that are listed: a public bundle has 150 of them."""
MAX_NAMES = 12
MAX_USERS = 4
MAX_FILES = 3
MAX_UNREAD = 20
LABEL = 16
INDENT = 4

_COLOURS = {
    State.EXPIRED.value: "error",
    State.EXPIRING_SOON.value: "error",
    State.NOT_YET_VALID.value: "error",
    State.EXPIRING.value: "warning",
}
_VERDICT_COLOURS = {Verdict.WEAK: "error", Verdict.OUTSIDE: "warning", Verdict.OMITTED: "warning"}
_LISTED_IN_FULL = (Role.SERVER, Role.CHAIN, Role.UPSTREAM_CLIENT)
_FIELDS = {
    "protocols": "protocols", "groups": "groups", "keys": "certificates", "client cert": "client_certificate",
}  # fmt: skip


def render(
    inventory: Inventory,
    palette: Palette = PLAIN,
    columns: int = 100,
    *,
    certificates: bool = True,
    protocols: bool = True,
) -> Iterator[str]:
    """Yield the inventory as text, at most `columns` wide where words allow."""
    page = _Page(inventory, palette, columns)
    blocks: list[Iterator[str]] = []
    if certificates:
        blocks += [page.certificates(role) for role in Role if role is not Role.CRL]
        blocks += [page.crls()]
    if protocols:
        blocks += [page.answers()]
    blocks += [page.unread()]
    yield from (f"{line}\n" for block in blocks for line in block)


class _Page:
    def __init__(self, inventory: Inventory, palette: Palette, columns: int) -> None:
        self.inventory = inventory
        self.palette = palette
        self.columns = columns

    def certificates(self, role: Role) -> Iterator[str]:
        entries = [entry for entry in self.inventory.certificates if entry.role is role]
        if not entries:
            return
        yield self._heading(HEADINGS[role], len(entries))
        shown = entries
        if role not in _LISTED_IN_FULL and len(entries) > MAX_AUTHORITIES + 1:
            shown = entries[:MAX_AUTHORITIES]
        for entry in shown:
            yield from self._certificate(entry)
        if len(shown) < len(entries):
            yield f"  and {len(entries) - len(shown):,} more that expire later (json and csv have all)"
            yield ""

    def _certificate(self, entry: CertificateEntry) -> Iterator[str]:
        certificate = entry.certificate
        ends, left = certificate.not_after.date().isoformat(), days_left(entry.life.days_left)
        yield self._title(ends, left, entry.life.state.value, certificate.subject or "(no subject)")
        names = few([name.removeprefix("DNS:") for name in entry.names], MAX_NAMES, "name")
        yield from self._row("names", names)
        yield from self._row("issuer", certificate.issuer or "(no name)")
        yield from self._row("key", key_and_signature(entry))
        yield from self._row("life", f"from {certificate.not_before.date().isoformat()}, {lifetime(entry)}")
        yield from self._row("sent with", few([item.label for item in entry.chain], MAX_NAMES, "certificate"))
        if certificate.extensions_problem:
            yield from self._row("unreadable", f"the extensions: {certificate.extensions_problem}")
        yield from self._files(entry.files)
        yield from self._row(_users_label(entry.role), few(entry.users, MAX_USERS, "endpoint") or "nobody")
        yield ""

    def crls(self) -> Iterator[str]:
        entries = self.inventory.crls
        if not entries:
            return
        yield self._heading(HEADINGS[Role.CRL], len(entries))
        for entry in entries:
            yield from self._crl(entry)

    def _crl(self, entry: CrlEntry) -> Iterator[str]:
        crl = entry.crl
        ends = "no end    " if crl.next_update is None else crl.next_update.date().isoformat()
        left = "" if entry.days_left is None else days_left(entry.days_left)
        yield self._title(ends, left, entry.state, crl.issuer or "(no issuer)")
        yield from self._row("issued", f"{crl.last_update.date().isoformat()}, {crl.revoked:,} revoked")
        yield from self._files(entry.files)
        yield from self._row("endpoints", few(entry.users, MAX_USERS, "endpoint") or "nobody")
        yield ""

    def _files(self, files: Sequence[NamedFile]) -> Iterator[str]:
        for file in files[:MAX_FILES]:
            namings = few([str(naming) for naming in file.namings], 2, "directive")
            yield from self._row("file", f"{file.file} [{namings}]")
        if len(files) > MAX_FILES:
            yield from self._row("", f"and {counted(len(files) - MAX_FILES, 'more file')}")

    # protocols and suites

    def answers(self) -> Iterator[str]:
        answers = self.inventory.answers
        if not answers:
            return
        policies = self.inventory.policies
        judge = visible(policies[0].spelling) if len(policies) == 1 else "the policy of each deployment"
        yield self._heading(f"Protocols and cipher suites, judged by {judge}", None)
        entry = None
        for answer in answers:
            if answer.entry != entry:
                entry = answer.entry
                judged = f", judged by {visible(answer.policy.spelling)}" if len(policies) > 1 else ""
                yield f"  {self.palette.paint(visible(answer.entry), 'strong')} on {versions(answer.target)}{judged}"
            yield from self._answer(answer)
        yield ""

    def _answer(self, answer: Answer) -> Iterator[str]:
        yield ""
        words = visible(few(answer.users, MAX_USERS, "endpoint")).split(" ")
        for line in wrapped(words, self.columns - 2):
            yield f"  {self.palette.paint(line, 'strong')}"
        if answer.outcome != "completes":
            reason = f": {answer.reason}" if answer.reason and not answer.unknown else ""
            yield from self._row("handshake", f"{answer.outcome}{reason}")
        yield from self._judged("protocols", answer.protocols, answer)
        for protocol, suites in answer.suites.items():
            yield from self._judged(protocol, suites, answer)
        yield from self._judged("groups", answer.groups, answer)
        yield from self._judged("keys", answer.keys, answer)
        if answer.client_certificate != "none":
            yield from self._row("client cert", answer.client_certificate, self._places("client cert", answer))
        for what, why in answer.unknown:
            yield from self._row("unknown", f"{what.replace('_', ' ')}: {why}")

    def _judged(self, label: str, items: Sequence[Judged], answer: Answer) -> Iterator[str]:
        """Yield the items by verdict: what is allowed in one line, what is not with the reason."""
        places = self._places(label, answer)
        groups: dict[tuple[Verdict, str], list[str]] = {}
        for item in items:
            groups.setdefault((item.verdict, item.reason), []).append(item.name)
        for index, ((verdict, reason), names) in enumerate(groups.items()):
            word = f"{verdict.value}{f' ({reason})' if reason else ''}:"
            colour = _VERDICT_COLOURS.get(verdict, "")
            last = index == len(groups) - 1
            text = " ".join((word, *names))
            yield from self._row("" if index else label, text, places if last else "", colour)

    def _places(self, label: str, answer: Answer) -> str:
        name = _FIELDS.get(label, "ciphersuites" if label == "TLSv1.3" else "ciphers")
        return few([_place(place) for place in answer.configured.get(name, ())], 2, "place")

    # what could not be read

    def unread(self) -> Iterator[str]:
        unread = self.inventory.unread
        if not unread:
            return
        yield self._heading("Not read, or not all of it", len(unread))
        shown = unread if len(unread) <= MAX_UNREAD + 1 else unread[:MAX_UNREAD]
        for item in shown:
            yield from self._unread(item)
        if len(shown) < len(unread):
            yield f"  and {len(unread) - len(shown):,} more (json and csv have all)"
        yield ""

    def _unread(self, item: Unread) -> Iterator[str]:
        text = f"{unread_what(item)}: {item.why}"
        places = few([str(naming) for naming in item.namings], 2, "directive")
        users = f" ({counted(len(item.users), 'endpoint')})" if item.users else ""
        words = visible(f"{text}{users}{f' [{places}]' if places else ''}").split(" ")
        for index, line in enumerate(wrapped(words, self.columns - INDENT)):
            yield f"{'  ' if not index else '    '}{line}"

    # lines

    def _heading(self, text: str, number: int | None) -> str:
        return self.palette.paint(f"{text}{'' if number is None else f' ({number:,})'}", "strong")

    def _title(self, date: str, left: str, state: str, name: str) -> str:
        word = "" if state == State.VALID.value else f"  {state}"
        colour = _COLOURS.get(state, "")
        when = f"{date}  {left:>12}{word}"
        return (
            f"  {self.palette.paint(when, colour) if colour else when}  {self.palette.paint(visible(name), 'strong')}"
        )

    def _row(self, label: str, text: str, place: str = "", colour: str = "") -> Iterator[str]:
        if not text:
            return
        room = self.columns - INDENT - LABEL
        lines = list(wrapped(visible(text).split(" "), room))
        if colour:
            lines = [self.palette.paint(line, colour) for line in lines]
        if place:
            lines += [self.palette.paint(line, "faint") for line in wrapped(visible(f"[{place}]").split(" "), room)]
        for index, line in enumerate(lines):
            start = " " * LABEL if index else self.palette.paint(f"{label:<{LABEL}}", "info")
            yield f"{' ' * INDENT}{start}{line}".rstrip()


def _users_label(role: Role) -> str:
    return "upstreams" if role in (Role.UPSTREAM_CLIENT, Role.UPSTREAM_CA) else "endpoints"


def _place(place: Naming | str) -> str:
    return place if isinstance(place, str) else f"{place.file}:{place.line}"
