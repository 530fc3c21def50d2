"""The roots that clients trust: this machine's store, files that the user names, or nothing.

Reading a store of 150 roots takes longer than linting a site. So only the names in it are read at first, straight from
the DER, and a root is parsed when a certificate names it as its issuer.
"""

import binascii
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tlslint.pki import der as asn1
from tlslint.pki.bundle import read_bounded
from tlslint.pki.certificate import Certificate, UnreadableCertificateError, certificate_from_der
from tlslint.pki.chain import SYSTEM_STORES, Authorities

SYSTEM = "system"
NONE = "none"

_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.*?)-----END", re.DOTALL)


class TrustStoreError(Exception):
    """A trust store that cannot be used; the message names the file and says why."""


def load_trust_store(names: Sequence[str]) -> Authorities | None:
    """Return the anchors of files (PEM) and, for `system`, of this machine; None for `none` alone, or no store at all.

    Raises `TrustStoreError` for a file that cannot be read or holds no certificate.
    """
    blobs = []
    for name in names:
        if name == SYSTEM:
            blobs += _system_store()
        elif name != NONE:
            blobs.append(_file(name))
    return LazyAuthorities(blobs) if blobs else None


def _system_store() -> list[bytes]:
    for path in SYSTEM_STORES:
        try:
            data = read_bounded(path)
        except OSError:
            continue
        if _CERTIFICATE.search(data):
            return [data]
    return []


def _file(name: str) -> bytes:
    try:
        data = read_bounded(name)
    except OSError as error:
        raise TrustStoreError(f"{name}: {error.strerror or error}") from error
    if not _CERTIFICATE.search(data):
        raise TrustStoreError(f"{name}: there is no certificate in this file")
    return data


class LazyAuthorities(Authorities):
    """Authorities that are parsed when a certificate names them as its issuer."""

    def __init__(self, blobs: Iterable[bytes]) -> None:
        super().__init__()
        self._blobs = list(blobs)
        self._unparsed: defaultdict[Name, list[bytes]] | None = None

    def issuers(self, certificate: Certificate) -> list[Certificate]:
        """Return the anchors that issued the certificate."""
        self._parse(_name(certificate.der, _ISSUER))
        return super().issuers(certificate)

    def __contains__(self, certificate: object) -> bool:
        if isinstance(certificate, Certificate):
            self._parse(_name(certificate.der, _SUBJECT))
        return super().__contains__(certificate)

    def _parse(self, name: "Name") -> None:
        if self._unparsed is None:
            self._unparsed = defaultdict(list)
            for der in (der for blob in self._blobs for der in _certificates(blob)):
                self._unparsed[_name(der, _SUBJECT)].append(der)
        for der in self._unparsed.pop(name, ()):
            try:
                self.add(certificate_from_der(der))
            except UnreadableCertificateError:
                continue


Name = tuple[tuple[bytes, bytes], ...]
"""Attribute types and values of a name, without their string types, letter case and runs of blanks."""

_ISSUER, _SUBJECT = 2, 4


@lru_cache(maxsize=1024)
def _name(der: bytes, field: int) -> Name:
    """Return the issuer or subject of a certificate; empty where the bytes are none."""
    try:
        to_be_signed = asn1.element_at(der, asn1.element_at(der, 0).content)
        fields = asn1.children(der, to_be_signed)
        if fields[0].tag == 0xA0:  # the version, absent in version 1
            del fields[0]
        return tuple(
            (asn1.value(der, kind), b" ".join(asn1.value(der, text).lower().split()))
            for part in asn1.children(der, fields[field])
            for kind, text in (asn1.children(der, pair)[:2] for pair in asn1.children(der, part))
        )
    except (asn1.DerError, IndexError, ValueError):
        return ()


def _certificates(blob: bytes) -> Iterator[bytes]:
    for match in _CERTIFICATE.finditer(blob):
        try:
            yield binascii.a2b_base64(match[1])
        except binascii.Error:
            continue
