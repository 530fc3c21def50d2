"""The roots that clients trust: this machine's store, files that the user names, or nothing.

Reading a store of 150 roots takes longer than linting a site. So a root is parsed only when a certificate names an
issuer all of whose words stand in it.
"""

import binascii
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from tlslint.pki import der as asn1
from tlslint.pki.bundle import read_bounded
from tlslint.pki.certificate import Certificate, UnreadableCertificateError, certificate_from_der
from tlslint.pki.chain import SYSTEM_STORES, Authorities
from tlslint.regex import regex

SYSTEM = "system"
NONE = "none"

_CERTIFICATE = regex(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]*+(?:-(?!----END)[^-]*+)*+)-----END")


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
        self._blobs = tuple(blobs)
        self._names_asked: set[bytes] = set()

    @cached_property
    def _unparsed(self) -> dict[bytes, bytes]:
        """The certificates that were not asked for yet, each with its text in lower case to look words up in."""
        return {der: der.lower() for blob in self._blobs for der in _certificates(blob)}

    def issuers(self, certificate: Certificate) -> list[Certificate]:
        """Return the anchors that issued the certificate."""
        if certificate.issuer_der not in self._names_asked:
            self._names_asked.add(certificate.issuer_der)
            self._parse(_words(certificate.issuer_der))
        return super().issuers(certificate)

    def __contains__(self, certificate: object) -> bool:
        if isinstance(certificate, Certificate) and certificate.der in self._unparsed:
            return True
        return super().__contains__(certificate)

    def _parse(self, words: Sequence[bytes]) -> None:
        """Parse all anchors in which these words stand, wherever it is: which of them have the name is seen then."""
        for der, text in list(self._unparsed.items()):
            if all(word in text for word in words):
                del self._unparsed[der]
                try:
                    self.add(certificate_from_der(der))
                except UnreadableCertificateError:
                    continue


def _words(name: bytes) -> list[bytes]:
    """Return the words of a DER name in lower case, whatever string types they have: ASCII alone, to be sure."""
    try:
        return [
            word
            for part in asn1.children(name, asn1.element_at(name, 0))
            for pair in asn1.children(name, part)
            for word in asn1.value(name, asn1.children(name, pair)[1]).lower().split()
            if word.isascii()
        ]
    except (asn1.DerError, IndexError):
        return []


def _certificates(blob: bytes) -> Iterator[bytes]:
    for match in _CERTIFICATE.finditer(blob):
        try:
            der = binascii.a2b_base64(match[1])
            yield der[: asn1.element_at(der, 0).end]
        except (binascii.Error, asn1.DerError):
            continue
