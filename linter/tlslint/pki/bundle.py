"""What a certificate file holds: the chain that a server would send from it, and all else that is in it.

`read_bundle` predicts what nginx (`ngx_ssl_load_certificate`) and httpd (`SSL_CTX_use_certificate_chain_file`) make of
a file: the first `CERTIFICATE`, `X509 CERTIFICATE` or `TRUSTED CERTIFICATE` block is the leaf, every later
`CERTIFICATE` or `X509 CERTIFICATE` block follows it verbatim in file order, and whatever else stands in the file is
passed over. A block that OpenSSL cannot read is fatal to the server; one that it does not recognise is not mentioned.

No private key material is kept: keys are reduced to their kind and the digest of their public half.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tlslint.pki import der as asn1
from tlslint.pki import pem, usual
from tlslint.pki.certificate import (
    CURVES,
    KEY_TYPES,
    Certificate,
    UnreadableCertificateError,
    certificate_from_der,
    comparable_name,
    key_bits_of,
    name_text,
)
from tlslint.quiet import quietly
from tlslint.record import dataclass
from tlslint.regex import regex

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "MAX_BLOCKS",
    "MAX_FILE_BYTES",
    "Bundle",
    "BundleEntry",
    "BundleProblem",
    "Certificate",
    "CertificateRevocationList",
    "DhParameters",
    "FileRefusedError",
    "KeyFacts",
    "Problem",
    "certificate_from_der",
    "key_matches",
    "read_bounded",
    "read_bundle",
    "read_private_key_facts",
    "rebuilt",
]

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Larger files are refused: the largest public CA bundle is a quarter of a megabyte, 10,000 certificates are 20."""

MAX_BLOCKS = 20_000
"""Blocks of one file that are looked at."""

_MAX_RESUMPTIONS = 4
"""How often the search for keys goes on after a damaged block; each may read the file to its end."""

_LEAF_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_CHAIN_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_ASN1_ERROR = "ASN1 lib"
_PRIVATE_KEY_LABELS = {
    "PRIVATE KEY": None,
    "ENCRYPTED PRIVATE KEY": None,
    "RSA PRIVATE KEY": "rsa",
    "EC PRIVATE KEY": "ec",
    "DSA PRIVATE KEY": "dsa",
    "OPENSSH PRIVATE KEY": None,
}
_CERTIFICATE_MARK = regex(rb"^(.*?)-----(BEGIN|END) ((?:X509 |TRUSTED )?CERTIFICATE)-----(.*)$", re.MULTILINE)
_BEGIN_MARK = regex(rb"-----BEGIN [A-Z0-9 ]*-----")


class FileRefusedError(OSError):
    """The file is not one that may be read: no regular file, or too large. `strerror` says which."""


def read_bounded(path: str | os.PathLike[str], limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the bytes of a regular file, following symbolic links.

    Raises `FileRefusedError` for directories, FIFOs, sockets, devices and files of more than `limit` bytes, and other
    `OSError`s (missing, no permission, a loop of links) as the system gives them. Never blocks on a FIFO.
    """
    name = os.fspath(path)
    # looked at before opening, because opening some devices has effects; and again after, because names can change
    _refuse_irregular(os.stat(name), name, limit)
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _refuse_irregular(os.fstat(descriptor), name, limit)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise FileRefusedError(errno.EFBIG, f"larger than {limit} bytes", name)
    return data


def _refuse_irregular(status: os.stat_result, name: str, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileRefusedError(errno.EISDIR, "a directory, not a file", name)
    if not stat.S_ISREG(status.st_mode):
        raise FileRefusedError(errno.EINVAL, "not a regular file", name)
    if status.st_size > limit:
        raise FileRefusedError(errno.EFBIG, f"larger than {limit} bytes", name)


class Problem(Enum):
    """What a `BundleProblem` means for the server."""

    FATAL = "fatal"
    """The server refuses the file and does not start."""
    SILENT = "silent"
    """The server passes over something that was probably meant, without a word."""
    UNKNOWN = "unknown"
    """The server may take it; tlslint cannot read it, so what it says about this file is incomplete."""


class BundleProblem(NamedTuple):
    """Something wrong in a certificate file.

    `server_says` is OpenSSL's own text (`no start line`), where there is one. `line` is 1-based, `offset` in bytes.
    """

    kind: Problem
    message: str
    line: int
    offset: int
    server_says: str = ""


class BundleEntry(NamedTuple):
    """A certificate at its place in a file: byte offsets of its block, 1-based line of its BEGIN.

    `served` is whether the server sends it (a `TRUSTED CERTIFICATE` block counts only as the leaf).
    """

    certificate: Certificate
    label: str
    line: int
    start: int
    end: int
    served: bool


@dataclass(frozen=True, slots=True)
class DhParameters:
    """Diffie-Hellman parameters: bits of the prime, and its SHA-256 (big-endian, no leading zero) to know it by."""

    bits: int
    prime_sha256: str
    line: int


class KeyFacts(NamedTuple):
    """What may be said of the private keys in a file; never any of their material.

    `key_type`, `key_bits`, `curve` and `public_key_sha256` describe the first key, the one that a server would use;
    they are None where the key is encrypted or not readable. `count` is how many keys there are. `problem` says why
    the first key cannot be used, `unsupported` that it is in OpenSSH's own format, which no TLS server reads.
    """

    key_type: str | None = None
    key_bits: int | None = None
    curve: str | None = None
    public_key_sha256: str | None = None
    encrypted: bool = False
    count: int = 0  # type: ignore[assignment]  # not what tuples call so
    line: int = 0
    problem: str | None = None
    unsupported: bool = False


class CertificateRevocationList:
    """A CRL: who issued it and until when it holds."""

    def __init__(self, der: bytes, parsed: "x509.CertificateRevocationList", line: int) -> None:
        self.der = der
        self.line = line
        self._x509 = parsed

    def __repr__(self) -> str:
        return f"<CertificateRevocationList of {self.issuer} at line {self.line}>"

    def __reduce__(self) -> tuple[Callable[[bytes, int], "CertificateRevocationList"], tuple[bytes, int]]:
        return revocation_list_from_der, (self.der, self.line)

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 writes it."""
        return name_text(self._x509.issuer)

    @cached_property
    def issuer_key(self) -> tuple[object, ...]:
        """The issuer in the form in which names are compared; equals a CA certificate's `subject_key`."""
        return comparable_name(self._x509.issuer)

    @property
    def last_update(self) -> datetime:
        """When it was issued (aware, UTC)."""
        return self._x509.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When it ends being valid (aware, UTC); None when it does not say."""
        return self._x509.next_update_utc

    @cached_property
    def revoked(self) -> int:
        """How many certificates it revokes."""
        return len(self._x509)

    def revokes(self, certificate: Certificate) -> bool:
        """Whether it lists the certificate (which must have the same issuer)."""
        if certificate.issuer_key != self.issuer_key:
            return False
        return self._x509.get_revoked_certificate_by_serial_number(certificate.serial) is not None

    def issued_by(self, issuer: Certificate) -> bool | None:
        """Whether `issuer` has the right name and signed it; None when the signature cannot be verified here."""
        if issuer.subject_key != self.issuer_key:
            return False
        return issuer.signed(self._x509)


def revocation_list_from_der(der: bytes, line: int) -> CertificateRevocationList:
    """Return the CRL that `der` begins with, found on `line`; raises `ValueError` of some kind when it is none."""
    from cryptography import x509

    der = der[: asn1.signed_object_end(der)]
    with quietly():
        parsed = x509.load_der_x509_crl(der)
        # parsed late by the library, and nobody can do without them
        _ = parsed.last_update_utc, parsed.next_update_utc, parsed.issuer
    return CertificateRevocationList(der, parsed, line)


class Bundle(NamedTuple):
    """A file as a server reads it.

    `certificates` are those that the server sends, in that order. `entries` are all certificates with their places.
    `server_verdict` is OpenSSL's reason for refusing the file, or None when it takes it; with a verdict, `certificates`
    are those before the fault. `complete` is False when something in the file could not be read here.
    """

    path: str
    size: int
    entries: tuple[BundleEntry, ...] = ()
    keys: KeyFacts = KeyFacts()
    dh_params: tuple[DhParameters, ...] = ()
    ec_params: tuple[str, ...] = ()
    crls: tuple[CertificateRevocationList, ...] = ()
    problems: tuple[BundleProblem, ...] = ()
    curve_comes_first: bool = False
    """Whether the file's first block of parameters of any kind is that of a curve."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The chain that the server sends: leaf first, then file order."""
        return tuple([entry.certificate for entry in self.entries if entry.served])

    @property
    def all_certificates(self) -> tuple[Certificate, ...]:
        """Every certificate of the file: what counts when it is a file of CAs."""
        return tuple([entry.certificate for entry in self.entries])

    @property
    def server_verdict(self) -> str | None:
        """OpenSSL's reason for refusing the file as a server's certificate, or None."""
        return next((problem.server_says for problem in self.problems if problem.kind is Problem.FATAL), None)

    @property
    def complete(self) -> bool:
        """Whether everything that the server may take from the file could be read."""
        return not any(problem.kind is Problem.UNKNOWN for problem in self.problems)


def read_bundle(data: bytes, path: str) -> Bundle:
    """Return what a server finds in the bytes of a certificate file; raises nothing."""
    reader = _Reader(data)
    reader.read()
    return Bundle(
        path=path,
        size=len(data),
        entries=tuple(reader.entries),
        keys=_key_facts(data) if b"PRIVATE KEY-----" in data else KeyFacts(),
        dh_params=tuple(reader.dh_params),
        ec_params=tuple(reader.ec_params),
        curve_comes_first=reader.curve_comes_first,
        crls=tuple(reader.crls),
        problems=tuple(
            sorted(reader.problems, key=lambda problem: (problem.offset, problem.kind is not Problem.FATAL))
        ),
    )


def rebuilt(bundle: Bundle, chain: Sequence[Certificate]) -> Bundle:
    """Return the bundle as it is sent where its first certificate counts only, with others behind it.

    What is wrong in the file behind its first certificate is then no matter.
    """
    leaf = next((entry for entry in bundle.entries if entry.served), None)
    if leaf is None:
        return bundle
    others = [BundleEntry(certificate, "CERTIFICATE", 0, 0, 0, True) for certificate in chain]
    return Bundle(
        path=bundle.path,
        size=bundle.size,
        entries=(leaf, *others),
        keys=bundle.keys,
        dh_params=bundle.dh_params,
        ec_params=bundle.ec_params,
        curve_comes_first=bundle.curve_comes_first,
        crls=bundle.crls,
        problems=tuple(problem for problem in bundle.problems if problem.offset < leaf.end),
    )


class _Reader:
    """Collects what the blocks of one file hold."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.entries: list[BundleEntry] = []
        self.dh_params: list[DhParameters] = []
        self.ec_params: list[str] = []
        self.curve_comes_first = False
        self.crls: list[CertificateRevocationList] = []
        self.problems: list[BundleProblem] = []
        self._leaf_read = False
        self._covered = 0
        """Everything before is a block, or text that was looked at."""
        self._last: pem.Block | None = None

    def read(self) -> None:
        count = 0
        try:
            for block in pem.blocks(self.data):
                self._look_between(block.start)
                self._covered, self._last = block.end, block
                count += 1
                if count > MAX_BLOCKS:
                    self._problem(Problem.UNKNOWN, f"more than {MAX_BLOCKS} blocks: the rest was not read", block)
                    return
                if not self._take(block):
                    return
        except pem.PemError as end:
            self._end(end)

    def _end(self, end: pem.PemError) -> None:
        if end.reason != pem.NO_START_LINE:
            message = f"the PEM block cannot be read: {end.reason}"
            self.problems.append(BundleProblem(Problem.FATAL, message, end.line, end.offset, end.reason))
            return
        self._look_between(len(self.data))
        if not self._leaf_read:
            message = f"there is no certificate in this file{_explain_absence(self.data)}"
            self.problems.append(BundleProblem(Problem.FATAL, message, 1, 0, pem.NO_START_LINE))

    def _take(self, block: pem.Block) -> bool:
        """Note what a block holds; returns False where the server stops reading."""
        served = block.label in (_CHAIN_LABELS if self._leaf_read else _LEAF_LABELS)
        if block.label in _LEAF_LABELS:
            return self._take_certificate(block, served)
        if block.label == "X509 CRL":
            self._take_crl(block)
        elif block.label in ("DH PARAMETERS", "X9.42 DH PARAMETERS"):
            self._take_dh_parameters(block)
        elif block.label == "EC PARAMETERS":
            self.curve_comes_first = not self.dh_params
            self._take_ec_parameters(block)
        return True

    def _take_certificate(self, block: pem.Block, served: bool) -> bool:
        objection = pem.header_problem(block.header) if served else None
        if objection:
            self._problem(Problem.FATAL, f"the PEM block cannot be read: {objection}", block, objection)
            return False
        is_leaf = served and not self._leaf_read
        try:
            certificate = certificate_from_der(block.data)
        except UnreadableCertificateError as problem:
            return self._unreadable(block, served, problem)
        if is_leaf and not _trust_settings_hold(block.data, len(certificate.der)):
            self._problem(Problem.FATAL, "bytes follow the certificate inside its block", block, _ASN1_ERROR)
            return False
        self._leaf_read = self._leaf_read or served
        self.entries.append(BundleEntry(certificate, block.label, block.line, block.start, block.end, served))
        if not served:
            message = "the server passes over this TRUSTED CERTIFICATE block: only the first certificate may be one"
            self._problem(Problem.SILENT, message, block)
        self._look_for_swallowed(block)
        return True

    def _unreadable(self, block: pem.Block, served: bool, problem: Exception) -> bool:
        try:
            asn1.signed_object_end(block.data)
        except asn1.DerError:
            if served:
                self._problem(Problem.FATAL, "this block does not hold a certificate", block, _ASN1_ERROR)
                return False
            return True
        self._leaf_read = self._leaf_read or served
        self._problem(Problem.UNKNOWN, f"this certificate cannot be read here: {problem}", block)
        return True

    def _take_crl(self, block: pem.Block) -> None:
        try:
            self.crls.append(revocation_list_from_der(block.data, block.line))
        except Exception as problem:
            self._problem(Problem.UNKNOWN, f"this CRL cannot be read: {problem}", block)

    def _take_dh_parameters(self, block: pem.Block) -> None:
        try:
            numbers = asn1.children(block.data, asn1.element_at(block.data, 0))
            prime = asn1.integer(block.data, numbers[0])
        except (asn1.DerError, IndexError):
            self._problem(Problem.UNKNOWN, "these DH parameters cannot be read", block)
            return
        digest = hashlib.sha256(prime.to_bytes((prime.bit_length() + 7) // 8, "big")).hexdigest()
        self.dh_params.append(DhParameters(prime.bit_length(), digest, block.line))

    def _take_ec_parameters(self, block: pem.Block) -> None:
        try:
            identifier = asn1.object_identifier(block.data, asn1.element_at(block.data, 0))
        except asn1.DerError:
            self._problem(Problem.UNKNOWN, "these EC parameters cannot be read", block)
            return
        self.ec_params.append(CURVES[identifier][0] if identifier in CURVES else identifier)

    def _look_for_swallowed(self, block: pem.Block) -> None:
        """Report a missing END line: OpenSSL takes the next block for the rest of this one and ends at its dashes."""
        inside = block.start + len("-----BEGIN ")
        if self.data.find(b"-----BEGIN ", inside, block.end) < 0:
            return
        inner = _BEGIN_MARK.search(self.data, inside, block.end)
        if inner:
            line = pem.line_after(self.data, block.start, inner.start(), block.line)
            message = f"the END line of the block that begins on line {block.line} is missing: this block is dropped"
            self.problems.append(BundleProblem(Problem.SILENT, message, line, inner.start()))

    def _look_between(self, end: int) -> None:
        """Report marks of certificates in the text between blocks, where the server does not look for any."""
        if end == self._covered:
            return
        pending: re.Match[bytes] | None = None
        text = self.data[self._covered : end]
        for mark in _CERTIFICATE_MARK.finditer(text):
            before, kind = mark.group(1, 2)
            # a comment that mentions the line, such as one that disables a whole block, is meant to be passed over
            if kind == b"BEGIN":
                pending = mark
            elif not before.strip() or (pending and not pending[1].strip()):
                self._skipped(mark, pending)
                pending = None
        if pending and not pending[1].strip() and not pending[4].strip() and pending[1]:
            self._skipped(pending, pending)

    def _skipped(self, mark: re.Match[bytes], pending: re.Match[bytes] | None) -> None:
        at = self._covered + (pending or mark).start()
        start, line = (0, 1) if self._last is None else (self._last.start, self._last.line)
        line = pem.line_after(self.data, start, at, line)
        if pending is None:
            message = "an END line whose BEGIN line is damaged or missing: the server drops this certificate"
        elif pending[1] and not pending[1].strip():
            message = "the BEGIN line is indented, so the server does not see it and drops this certificate"
        else:
            message = "the BEGIN line is damaged or commented out, so the server drops this certificate"
        self.problems.append(BundleProblem(Problem.SILENT, message, line, at))

    def _problem(self, kind: Problem, message: str, block: pem.Block, server_says: str = "") -> None:
        self.problems.append(BundleProblem(kind, message, block.line, block.start, server_says))


def _trust_settings_hold(data: bytes, end: int) -> bool:
    """Whether what follows the first certificate inside its block is nothing, or OpenSSL's trust settings."""
    if end == len(data):
        return True
    try:
        return asn1.element_at(data, end).tag == asn1.SEQUENCE
    except asn1.DerError:
        return False


def _explain_absence(data: bytes) -> str:
    """Say what a file without a PEM certificate seems to be."""
    if not data.strip():
        return ": it is empty"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ": it is UTF-16 text, save it as plain ASCII"
    if b"-----BEGIN" in data:
        if b"\r" in data and b"\n" not in data:
            return ": its lines end in CR alone, and to OpenSSL the whole file is one line"
        if b"CERTIFICATE-----" in data:
            return ": no BEGIN line stands alone at the start of its line"
        return ", only other PEM blocks"
    try:
        certificate_from_der(data)
    except UnreadableCertificateError:
        return _explain_der(data)
    return ": it is DER (binary), and the server reads PEM"


def _explain_der(data: bytes) -> str:
    try:
        outer = asn1.element_at(data, 0)
        first = asn1.children(data, outer)[0]
    except (asn1.DerError, IndexError):
        return ""
    if outer.tag == asn1.SEQUENCE and first.tag == asn1.INTEGER:
        return ": it looks like a PKCS#12 or key file in binary form"
    if first.tag == asn1.OBJECT_IDENTIFIER:
        return ": it looks like PKCS#7 in binary form"
    return ""


def read_private_key_facts(data: bytes) -> KeyFacts:
    """Return what may be said of the private keys in a file: PKCS#1, PKCS#8, SEC 1, encrypted or not.

    Encrypted keys are recognised and never decrypted. Raises nothing.
    """
    facts = _key_facts(data)
    if facts.count or not data.startswith(b"\x30"):
        return facts
    return KeyFacts(problem="it is binary (DER), and the server reads PEM")


def key_matches(certificate: Certificate, key: KeyFacts) -> bool | None:
    """Whether the key belongs to the certificate; None when the key is encrypted or cannot be read."""
    if key.public_key_sha256 is not None:
        return key.public_key_sha256 == certificate.public_key_sha256
    if key.key_type is not None and certificate.key_type not in (key.key_type, "unknown"):
        return False
    return None


def _key_facts(data: bytes) -> KeyFacts:
    keys = [block for block in _lenient_blocks(data) if block.label in _PRIVATE_KEY_LABELS]
    if not keys:
        return KeyFacts(problem="there is no private key in this file")
    first = keys[0]
    key_type = _PRIVATE_KEY_LABELS[first.label]
    if first.label == "OPENSSH PRIVATE KEY":
        return KeyFacts(count=len(keys), line=first.line, unsupported=True, problem="it is in OpenSSH's own format")
    if first.label == "ENCRYPTED PRIVATE KEY" or first.header.startswith(b"Proc-Type:"):
        return KeyFacts(key_type=key_type, encrypted=True, count=len(keys), line=first.line)
    return _public_facts(first, len(keys), key_type)


def _public_facts(block: pem.Block, count: int, key_type: str | None) -> KeyFacts:
    try:
        info, bits = _public_half(block.data)
    except Exception:
        # the library's own words might quote what it read
        return KeyFacts(key_type=key_type, count=count, line=block.line, problem="the private key cannot be read")
    algorithm, curve = asn1.algorithm_of(info)
    return KeyFacts(
        key_type=KEY_TYPES.get(algorithm, "unknown"),
        key_bits=bits,
        curve=CURVES[curve][0] if curve in CURVES else curve,
        public_key_sha256=hashlib.sha256(info).hexdigest(),
        count=count,
        line=block.line,
    )


def _public_half(private_key: bytes) -> tuple[bytes, int | None]:
    """Return the SubjectPublicKeyInfo that belongs to a private key, and its size in bits; raises what comes."""
    try:
        return usual.public_half(private_key)
    except ValueError:
        pass
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    with quietly():
        private = load_der_private_key(private_key, password=None, unsafe_skip_rsa_key_validation=True)
        public = private.public_key()
        info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return info, key_bits_of(public, KEY_TYPES.get(asn1.algorithm_of(info)[0], "unknown"))


def _lenient_blocks(data: bytes) -> Iterator[pem.Block]:
    """Yield the blocks that can be read, also after a few that cannot."""
    offset, line, left = 0, 1, MAX_BLOCKS
    for _ in range(_MAX_RESUMPTIONS + 1):
        try:
            for block in pem.blocks(data, offset, line):
                yield block
                left -= 1
                if not left:
                    return
        except pem.PemError as end:
            newline = data.find(b"\n", end.offset)
            if newline < 0 or data.find(b"PRIVATE KEY-----", newline) < 0:
                return
            offset, line = newline + 1, end.line + 1
