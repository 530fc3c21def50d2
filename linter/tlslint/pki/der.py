"""The few steps through DER that are needed before, or instead of, handing the bytes to `cryptography`.

`cryptography` refuses what OpenSSL still serves (bytes after the certificate, RSA keys below its own minimum,
unusual curves). What the server does with such a file must be predicted all the same, so these readers take
just enough from the outer structure (X.690, RFC 5280 section 4.1) and leave everything else to the library.
"""

from functools import lru_cache
from typing import NamedTuple

_MAX_LENGTH_OCTETS = 4
_MAX_CHILDREN = 32  # none of the structures that are read here has more than ten

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
OBJECT_IDENTIFIER = 0x06
_VERSION = 0xA0  # of a certificate: explicit, and absent in version 1


class DerError(ValueError):
    """The bytes are not the DER structure that was asked for."""


class Element(NamedTuple):
    """One tag-length-value: `start` is the offset of the tag, `content` of the value, `end` just past it."""

    tag: int
    start: int
    content: int
    end: int


def element_at(data: bytes, offset: int, limit: int | None = None) -> Element:
    """Return the element that starts at `offset` and ends at or before `limit`.

    Raises `DerError` when the bytes end too early or the length is indefinite, which DER forbids.
    """
    limit = len(data) if limit is None else limit
    content = offset + 2
    if content > limit:
        raise DerError("the data ends inside an element")
    tag, length = data[offset], data[offset + 1]
    if tag & 0x1F == 0x1F:
        raise DerError("a tag number above 30 has no place here")
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= _MAX_LENGTH_OCTETS or content + octets > limit:
            raise DerError("the length of an element cannot be read")
        length = int.from_bytes(data[content : content + octets], "big")
        content += octets
    if content + length > limit:
        raise DerError("an element is longer than what holds it")
    return Element(tag, offset, content, content + length)


def children(data: bytes, parent: Element) -> list[Element]:
    """Return the elements inside a constructed element, in order; raises `DerError`."""
    found: list[Element] = []
    offset = parent.content
    while offset < parent.end:
        if len(found) == _MAX_CHILDREN:
            raise DerError("an element holds too many others")
        child = element_at(data, offset, parent.end)
        found.append(child)
        offset = child.end
    return found


def whole(data: bytes, element: Element) -> bytes:
    """Return the element's bytes, tag and length included."""
    return data[element.start : element.end]


def value(data: bytes, element: Element) -> bytes:
    """Return the element's value."""
    return data[element.content : element.end]


def integer(data: bytes, element: Element) -> int:
    """Return a non-negative INTEGER's value; raises `DerError` when the element is something else."""
    if element.tag != INTEGER:
        raise DerError("an INTEGER was expected")
    return int.from_bytes(value(data, element), "big")


def object_identifier(data: bytes, element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form; raises `DerError` when the element is something else."""
    if element.tag != OBJECT_IDENTIFIER or element.content == element.end:
        raise DerError("an OBJECT IDENTIFIER was expected")
    arcs: list[int] = []
    arc = 0
    for octet in value(data, element):
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise DerError("an OBJECT IDENTIFIER ends inside an arc")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def signed_object_end(data: bytes) -> int:
    """Return where the signed object (certificate, CRL) that `data` begins with ends.

    Only the outer shape is looked at: a SEQUENCE of a SEQUENCE, an algorithm and a BIT STRING. Raises `DerError`.
    """
    outer = element_at(data, 0)
    if outer.tag != SEQUENCE:
        raise DerError("a SEQUENCE was expected")
    if tuple(part.tag for part in children(data, outer)) != (SEQUENCE, SEQUENCE, BIT_STRING):
        raise DerError("this is not a signed object")
    return outer.end


def issuer_and_key(certificate: bytes) -> tuple[bytes, bytes]:
    """Return the issuer's Name and the SubjectPublicKeyInfo of a DER certificate; raises `DerError`."""
    outer = element_at(certificate, 0)
    to_be_signed = element_at(certificate, outer.content, outer.end)
    first = element_at(certificate, to_be_signed.content, to_be_signed.end)
    offset = first.end if first.tag == _VERSION else first.start
    fields = []
    for _ in ("serial number", "signature", "issuer", "validity", "subject", "public key"):
        fields.append(element_at(certificate, offset, to_be_signed.end))
        offset = fields[-1].end
    if fields[5].tag != SEQUENCE:
        raise DerError("this certificate has no public key")
    return whole(certificate, fields[2]), whole(certificate, fields[5])


def algorithm_of(key_info: bytes) -> tuple[str, str | None]:
    """Return the algorithm of a SubjectPublicKeyInfo, and of an EC key the curve: both as dotted identifiers.

    The curve is None for other keys and for curves that are spelled out instead of named. Raises `DerError`.
    """
    outer = element_at(key_info, 0)
    return _algorithm(whole(key_info, element_at(key_info, outer.content, outer.end)))


@lru_cache(maxsize=256)
def _algorithm(identifier: bytes) -> tuple[str, str | None]:
    parts = children(identifier, element_at(identifier, 0))
    if not parts:
        raise DerError("a public key without an algorithm")
    named = len(parts) > 1 and parts[1].tag == OBJECT_IDENTIFIER
    return object_identifier(identifier, parts[0]), object_identifier(identifier, parts[1]) if named else None


def is_plain_point(key_info: bytes) -> bool:
    """Whether an EC SubjectPublicKeyInfo names its curve and has its point uncompressed: DER allows no other bytes."""
    try:
        outer = element_at(key_info, 0)
        algorithm = element_at(key_info, outer.content, outer.end)
        point = element_at(key_info, algorithm.end, outer.end)
        _, curve = _algorithm(whole(key_info, algorithm))
    except DerError:
        return False
    return curve is not None and point.end == outer.end and value(key_info, point)[:2] == b"\0\x04"


def rsa_numbers(key_info: bytes) -> tuple[int, int]:
    """Return modulus and exponent of an RSA SubjectPublicKeyInfo; raises `DerError`."""
    parts = children(key_info, element_at(key_info, 0))
    if len(parts) != 2 or parts[1].tag != BIT_STRING:
        raise DerError("this is not a public key")
    key = value(key_info, parts[1])[1:]
    numbers = children(key, element_at(key, 0))
    if len(numbers) != 2:
        raise DerError("this is not an RSA public key")
    return integer(key, numbers[0]), integer(key, numbers[1])
