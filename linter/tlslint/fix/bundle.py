"""Certificate files in another order: the blocks change places, everything else in the file stays where it is."""

import os
from shlex import quote
from typing import TYPE_CHECKING

from tlslint.fix.text import CannotSpell
from tlslint.intention import Edit, RewriteBundle
from tlslint.parse.tree import Source
from tlslint.record import dataclass
from tlslint.regex import regex
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import Deployment

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate

_DEHYDRATED = regex(r"(?:fullchain|chain|cert|privkey)-\d+\.pem")
_CERTBOT = regex(r"(?:fullchain|chain|cert|privkey)\d*\.pem")


def bundle_edits(intention: RewriteBundle, deployment: Deployment) -> list[Edit]:
    """Return the edits that make a file hold these certificates in this order; raises `CannotSpell`."""
    pair = intention.pair
    files = deployment.files
    if files is None or not pair.path or pair.bundle is None:
        raise CannotSpell("the file is not at hand")
    name, path, wanted = pair.file, pair.path, intention.certificates
    if pair.chain_file:
        name, path = pair.chain_file, files.resolve(pair.chain_file, deployment.base)
        if wanted[:1] != pair.bundle.certificates[:1]:
            raise CannotSpell(f'"{name}" takes the place of what stands behind the first certificate')
        wanted = wanted if path == pair.path else wanted[1:]
    source = files.certificate_source(path)
    if isinstance(source, Unreadable):
        raise CannotSpell(f'"{name}" {source.reason}')
    client = acme_client(files.real_path(path))
    if client is not None:
        why = f'"{name}" is managed by {client.name}, which writes it anew with each certificate'
        raise CannotSpell(why, client.commands)
    return list(_rewritten(source, wanted))


def _rewritten(source: Source, wanted: "tuple[Certificate, ...]") -> list[Edit]:
    from tlslint.pki.bundle import read_bundle

    data = source.data
    if not data.isascii():
        raise CannotSpell("the file holds text that is not ASCII")
    bundle = read_bundle(data, source.path)
    entries = [entry for entry in bundle.entries if entry.label != "TRUSTED CERTIFICATE"]
    if len(entries) != len(bundle.entries) or not bundle.complete or bundle.server_verdict:
        raise CannotSpell("not all of the file could be read")
    starts = [_with_its_text(data, entry.start) for entry in entries]
    kept = _kept([entry.certificate for entry in entries], wanted)
    if kept is not None:
        ends = [_with_line_end(data, entry.end) for entry in entries]
        return [
            Edit(source, start, end, "", backup=True)
            for index, (start, end) in enumerate(zip(starts, ends, strict=True))
            if index not in kept
        ]
    texts: dict[Certificate, str] = {}
    for entry, start in zip(entries, starts, strict=True):
        text = data[start : entry.end].decode("ascii")
        texts.setdefault(entry.certificate, text if text.endswith("\n") else f"{text}\n")
    end = "\r\n" if b"\r\n" in data else "\n"
    new = [texts.get(certificate) or _pem(certificate, end) for certificate in wanted]
    slots = len(entries)
    edits = []
    for index, (entry, start) in enumerate(zip(entries, starts, strict=True)):
        text = new[index] if index < len(new) else ""
        if index == slots - 1 and len(new) > slots:
            text = "".join(new[index:])
        if text != source.text[start : entry.end]:
            edits.append(Edit(source, start, entry.end, text, backup=True))
    return edits


def _kept(held: "list[Certificate]", wanted: "tuple[Certificate, ...]") -> set[int] | None:
    """Return which of the certificates of a file stay, where all that is wanted is there already, in this order."""
    kept: set[int] = set()
    at = 0
    for certificate in wanted:
        if certificate not in held[at:]:
            return None
        at = held.index(certificate, at) + 1
        kept.add(at - 1)
    return kept


def _with_line_end(data: bytes, end: int) -> int:
    """Return where the line of an END mark ends, its line break included."""
    found = data.find(b"\n", max(end - 1, 0))
    return len(data) if found < 0 else found + 1


def _with_its_text(data: bytes, start: int) -> int:
    """Return where the lines begin that say what a certificate is: directly above it, after whatever comes before."""
    before = data.rfind(b"-----END ", 0, start)
    floor = data.find(b"\n", before) + 1 if before >= 0 else 0
    if floor <= 0 and before >= 0:
        return start
    while start > floor:
        above = data.rfind(b"\n", floor, start - 1) + 1 or floor
        if not data[above:start].strip():
            break
        start = above
    return start


def _pem(certificate: "Certificate", end: str) -> str:
    from base64 import b64encode

    text = b64encode(certificate.der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return end.join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


@dataclass(frozen=True, slots=True)
class AcmeClient:
    """A program that gets certificates and writes their files, and the commands with which it does so again."""

    name: str
    commands: tuple[str, ...] = ()


def acme_client(path: str) -> AcmeClient | None:
    """Return the ACME client that keeps a file of this machine (links resolved), told by what it keeps beside it."""
    folder, name = os.path.split(path)
    above = os.path.dirname(folder)
    top = os.path.dirname(above)
    stem = os.path.basename(folder)
    if _CERTBOT.fullmatch(name) and (
        _is_file(top, "renewal", f"{stem}.conf") or (_is_folder(top, "archive", stem) and _is_folder(top, "live", stem))
    ):
        return AcmeClient("certbot", (f"certbot renew --cert-name {quote(stem)} --force-renewal",))
    domain = stem.removesuffix("_ecc")
    if _is_file(folder, f"{domain}.conf") and _is_file(folder, f"{domain}.cer"):
        kind = " --ecc" if stem != domain else ""
        return AcmeClient("acme.sh", (f"acme.sh --renew -d {quote(domain)}{kind} --force",))
    if _DEHYDRATED.fullmatch(name) and (_is_folder(top, "accounts") or _is_file(top, "config")):
        return AcmeClient("dehydrated", (f"dehydrated --cron --force --domain {quote(stem)}",))
    domain = name.removesuffix(".issuer.crt").removesuffix(".crt")
    if domain != name and _is_file(folder, f"{domain}.json"):
        if stem == domain:
            return AcmeClient("Caddy")
        return AcmeClient("lego", (f"lego --path {quote(above)} --domains {quote(domain)} renew --days 90",))
    return None


def _is_file(*parts: str) -> bool:
    return os.path.isfile(os.path.join(*parts))


def _is_folder(*parts: str) -> bool:
    return os.path.isdir(os.path.join(*parts))
