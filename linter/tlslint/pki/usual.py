"""Reads certificates and private keys of the usual shape by their bytes alone.

`cryptography.x509` and `cryptography`'s readers of keys take longer to import than all else that linting a site takes,
and longer to ask for each certificate. What is here is certain: every part of a certificate has the one form that DER
has for it, and a form that most authorities use. Anything else is left to the library, which then says what is wrong
with it, if anything is: all functions raise a `ValueError` of some kind (`Unusual`, mostly) where they are not certain.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tlslint.record import dataclass

_BOOLEAN, _INTEGER, _BITS, _OCTETS, _NULL, _OID, _UTF8 = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C
_PRINTABLE, _UTC_TIME, _GENERAL_TIME, _SEQUENCE, _SET = 0x13, 0x17, 0x18, 0x30, 0x31
_TRUE = b"\xff"


class Unusual(ValueError):  # noqa: N818 - not an error
    """This is no certificate or key of the usual shape; it may be a good one all the same."""


# -- DER, in its only form -----------------------------------------------------------------------------------------


class Part:
    """One element inside some bytes: `start` is where its tag is, `content` where its value begins, `end` its end."""

    __slots__ = ("content", "data", "end", "start", "tag")

    def __init__(self, data: bytes, start: int, limit: int) -> None:
        content = start + 2
        if content > limit:
            raise Unusual
        tag, length = data[start], data[start + 1]
        if length > 0x7F:
            octets = length & 0x7F
            content += octets
            length = int.from_bytes(data[start + 2 : content], "big")
            if not 1 <= octets <= 3 or length < 0x80 or length >> 8 * (octets - 1) == 0:
                raise Unusual
        end = content + length
        if end > limit or tag & 0x1F == 0x1F:
            raise Unusual
        self.data, self.tag, self.start, self.content, self.end = data, tag, start, content, end

    def value(self, tag: int) -> bytes:
        """Return the value of an element that has this tag."""
        if self.tag != tag:
            raise Unusual
        return self.data[self.content : self.end]

    def whole(self) -> bytes:
        """Return its bytes, tag and length included."""
        return self.data[self.start : self.end]

    def parts(self, tag: int = _SEQUENCE) -> "list[Part]":
        """Return what is in an element that has this tag."""
        if self.tag != tag:
            raise Unusual
        data, at, end = self.data, self.content, self.end
        found = []
        while at < end:
            part = Part(data, at, end)
            found.append(part)
            at = part.end
        return found


def _only(data: bytes) -> Part:
    """Return the element that all of these bytes are."""
    part = Part(data, 0, len(data))
    if part.end != len(data):
        raise Unusual
    return part


def _natural(part: Part) -> int:
    """Return the value of an INTEGER that is not negative, and no longer than it has to be."""
    octets = part.value(_INTEGER)
    if not octets or octets[0] > 0x7F or (len(octets) > 1 and octets[0] == 0 and octets[1] < 0x80):
        raise Unusual
    return int.from_bytes(octets, "big")


@lru_cache(maxsize=256)
def _dotted(octets: bytes) -> str:
    """Return the value of an OBJECT IDENTIFIER in dotted form."""
    arcs, arc = [], None
    for octet in octets:
        if arc is None and octet == 0x80:
            raise Unusual  # an arc begins with a nought
        arc = (arc or 0) << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = None
    if not arcs or arc is not None:
        raise Unusual
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _identifier(part: Part) -> str:
    return _dotted(part.value(_OID))


# -- certificates --------------------------------------------------------------------------------------------------

_SIGNATURES = {
    bytes.fromhex("300d06092a864886f70d01010b0500"): ("rsa", "sha256", "sha256WithRSAEncryption"),
    bytes.fromhex("300d06092a864886f70d01010c0500"): ("rsa", "sha384", "sha384WithRSAEncryption"),
    bytes.fromhex("300d06092a864886f70d01010d0500"): ("rsa", "sha512", "sha512WithRSAEncryption"),
    bytes.fromhex("300a06082a8648ce3d040302"): ("ec", "sha256", "ecdsa-with-SHA256"),
    bytes.fromhex("300a06082a8648ce3d040303"): ("ec", "sha384", "ecdsa-with-SHA384"),
    bytes.fromhex("300a06082a8648ce3d040304"): ("ec", "sha512", "ecdsa-with-SHA512"),
    bytes.fromhex("300506032b6570"): ("ed25519", None, "ED25519"),
}
"""By AlgorithmIdentifier: the kind of key that signs so, the hash function, OpenSSL's name."""
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_ED25519 = bytes.fromhex("300506032b6570")
_CURVES = {
    bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"): ("SECP256R1", 32),
    bytes.fromhex("301006072a8648ce3d020106052b81040022"): ("SECP384R1", 48),
    bytes.fromhex("301006072a8648ce3d020106052b81040023"): ("SECP521R1", 66),
}
"""By AlgorithmIdentifier of the key: the library's name of the curve, and the octets of a coordinate."""

_ATTRIBUTES = {
    "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
}  # fmt: skip
"""Attributes of names, as RFC 4514 writes them."""
_LONGEST_VALUE = 64
_TO_ESCAPE = frozenset('\\"+;<>=#')
_PUNCTUATION = frozenset(" '()+,-./:=?")

_FULL_NAMES = ("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
               "keyCertSign", "cRLSign")  # fmt: skip
_OCSP, _CA_ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"


def certificate_facts(der: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a certificate says of itself, and what its extensions say, by the names of `Certificate`'s facts."""
    to_be_signed, signature, bits = _only(der).parts()
    _bits(bits)
    version, serial, algorithm, issuer, validity, subject, key, extensions = to_be_signed.parts()
    if algorithm.whole() != signature.whole() or version.data[version.start : version.end] != b"\xa0\x03\x02\x01\x02":
        raise Unusual
    number = _natural(serial)
    _, hash_name, name = _signature_algorithm(algorithm)
    begin, end = validity.parts()
    issuer_text, issuer_key, _ = _name(issuer.whole())
    subject_text, subject_key, common_name = _name(subject.whole())
    if not 0 < number < 1 << 159:
        raise Unusual
    public = key.whole()
    facts = {
        "serial": number,
        "signature_algorithm": name,
        "signature_hash": hash_name,
        "issuer": issuer_text,
        "issuer_key": issuer_key,
        "subject": subject_text,
        "subject_key": subject_key,
        "common_name": common_name,
        "not_before": _moment(begin),
        "not_after": _moment(end),
        "key_type": _key_type(public),
        "public_key_sha256": hashlib.sha256(public).hexdigest(),
        "_issuer_and_key": (issuer.whole(), public),
    }
    return facts, _extensions(extensions)


def _signature_algorithm(part: Part) -> tuple[str, str | None, str]:
    known = _SIGNATURES.get(part.whole())
    if known is None:
        raise Unusual
    return known


@lru_cache(maxsize=1024)
def _name(der: bytes) -> tuple[str, tuple[object, ...], str | None]:
    """Return a name as text, in the form in which names are compared, and its common name."""
    written, compared, common = [], [], None
    for relative in _only(der).parts():
        (attribute,) = relative.parts(_SET)
        kind, value = attribute.parts()
        identifier, text = _identifier(kind), _text(value)
        short = _ATTRIBUTES.get(identifier)
        if short is None or (short == "C" and len(text) != 2):
            raise Unusual
        if short == "CN":
            common = text
        escaped = text.replace(",", "\\,")
        written.append(f"{short}={escaped}")
        compared.append(((identifier, " ".join(text.lower().split())),))
    return ",".join(reversed(written)), tuple(compared), common


def _text(part: Part) -> str:
    if part.tag not in (_UTF8, _PRINTABLE):
        raise Unusual
    text = part.value(part.tag).decode()
    if part.tag == _PRINTABLE and not all(c.isascii() and (c.isalnum() or c in _PUNCTUATION) for c in text):
        raise Unusual
    plain = text.isprintable() and text == text.strip() and not _TO_ESCAPE & set(text)
    if not plain or not 0 < len(text.encode()) <= _LONGEST_VALUE:
        raise Unusual
    return text


def _moment(part: Part) -> datetime:
    general = part.tag == _GENERAL_TIME
    digits = part.value(_GENERAL_TIME if general else _UTC_TIME)
    length = 14 if general else 12
    if len(digits) != length + 1 or not digits[:length].isdigit() or digits[length:] != b"Z":
        raise Unusual
    if not general:
        digits = (b"19" if digits >= b"50" else b"20") + digits
    elif digits < b"2050":
        raise Unusual
    pairs = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(digits[:4]), *pairs, tzinfo=UTC)  # type: ignore[misc,arg-type]


# -- extensions ----------------------------------------------------------------------------------------------------


def _extensions(part: Part) -> dict[str, Any]:
    (every,) = part.parts(0xA3)
    facts: dict[str, Any] = {}
    seen = set()
    for extension in every.parts():
        kind, *critical, value = extension.parts()
        identifier = _identifier(kind)
        if identifier in seen or len(critical) > 1 or any(flag.value(_BOOLEAN) != _TRUE for flag in critical):
            raise Unusual
        seen.add(identifier)
        read = _READERS.get(identifier)
        if read is None:
            raise Unusual
        facts.update(read(_only(value.value(_OCTETS))))
    if not seen:
        raise Unusual
    return facts


def _subject_key_identifier(part: Part) -> dict[str, Any]:
    return {"ski": part.value(_OCTETS).hex()}


def _authority_key_identifier(part: Part) -> dict[str, Any]:
    (identifier,) = part.parts()
    octets = identifier.value(0x80)
    if not octets:
        raise Unusual
    return {"aki": octets.hex()}


def _key_usage(part: Part) -> dict[str, Any]:
    octets = part.value(_BITS)
    if len(octets) != 2 or not 0 < octets[0] < 8 or not octets[1] >> octets[0] & 1 or octets[1] & (1 << octets[0]) - 1:
        raise Unusual
    return {"key_usage": frozenset(name for at, name in enumerate(_FULL_NAMES) if octets[1] & 0x80 >> at)}


def _alternative_names(part: Part) -> dict[str, Any]:
    names, addresses = [], []
    for name in part.parts():
        if name.tag == 0x87:
            addresses.append(_address(name.value(0x87)))
        else:
            text = _ascii(name.value(0x82))
            if not text.replace("-", "").replace(".", "").replace("_", "").replace("*", "").isalnum():
                raise Unusual
            names.append(text)
    if not names and not addresses:
        raise Unusual
    return {"has_san": True, "dns_names": tuple(names), "ip_addresses": tuple(addresses)}


def _address(octets: bytes) -> str:
    from ipaddress import ip_address

    if len(octets) not in (4, 16):
        raise Unusual
    return str(ip_address(octets))


def _basic_constraints(part: Part) -> dict[str, Any]:
    facts: dict[str, Any] = {"has_basic_constraints": True, "is_ca": False, "path_length": None}
    match part.parts():
        case []:
            return facts
        case [authority]:
            length = None
        case [authority, most]:
            length = _natural(most)
        case _:
            raise Unusual
    if authority.value(_BOOLEAN) != _TRUE or (length or 0) > 100:
        raise Unusual
    return {**facts, "is_ca": True, "path_length": length}


_PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
}


def _extended_key_usage(part: Part) -> dict[str, Any]:
    purposes = [_PURPOSES.get(_identifier(purpose)) for purpose in part.parts()]
    if not purposes or None in purposes:
        raise Unusual
    return {"extended_key_usage": frozenset(purposes)}


def _policies(part: Part) -> dict[str, Any]:
    found = []
    for policy in part.parts():
        (identifier,) = policy.parts()
        found.append(_identifier(identifier))
    if not found or len(set(found)) != len(found):
        raise Unusual
    return {"policies": tuple(found)}


def _authority_access(part: Part) -> dict[str, Any]:
    urls: dict[str, list[str]] = {_OCSP: [], _CA_ISSUERS: []}
    for description in part.parts():
        method, location = description.parts()
        url = _ascii(location.value(0x86))
        known = urls.get(_identifier(method))
        if known is None or not url:
            raise Unusual
        known.append(url)
    if not any(urls.values()):
        raise Unusual
    return {"ocsp_urls": tuple(urls[_OCSP]), "ca_issuer_urls": tuple(urls[_CA_ISSUERS])}


def _revocation_lists(part: Part) -> dict[str, Any]:
    """Nothing is told of them: only that they are written as usual."""
    points = part.parts()
    for point in points:
        (name,) = point.parts()
        (full,) = name.parts(0xA0)
        (location,) = full.parts(0xA0)
        if not _ascii(location.value(0x86)):
            raise Unusual
    if not points:
        raise Unusual
    return {}


def _features(part: Part) -> dict[str, Any]:
    (feature,) = part.parts()
    if _natural(feature) != 5:
        raise Unusual
    return {"must_staple": True}


def _timestamps(part: Part) -> dict[str, Any]:
    """Signed certificate timestamps (RFC 6962 section 3.3) of version 1, with signatures by ECDSA and SHA-256."""
    octets = part.value(_OCTETS)
    at, end = 2, len(octets)
    if end < 3 or int.from_bytes(octets[:2], "big") != end - 2:
        raise Unusual
    while at < end:
        length = int.from_bytes(octets[at : at + 2], "big")
        one = octets[at + 2 : at + 2 + length]
        signature = one[43:]
        plain = len(one) == length > 47 and one[0] == 0 and one[41:43] == b"\0\0" and signature[:2] == b"\4\3"
        # the first octets of the time in milliseconds are noughts for the next thousands of years
        if not plain or one[33:35] != b"\0\0" or int.from_bytes(signature[2:4], "big") != len(signature) - 4:
            raise Unusual
        at += 2 + length
    return {"has_scts": True}


def _ascii(octets: bytes) -> str:
    if not octets.isascii() or not octets.decode("ascii").isprintable():
        raise Unusual
    return octets.decode("ascii")


_READERS: dict[str, Callable[[Part], dict[str, Any]]] = {
    "2.5.29.14": _subject_key_identifier,
    "2.5.29.15": _key_usage,
    "2.5.29.17": _alternative_names,
    "2.5.29.19": _basic_constraints,
    "2.5.29.31": _revocation_lists,
    "2.5.29.32": _policies,
    "2.5.29.35": _authority_key_identifier,
    "2.5.29.37": _extended_key_usage,
    "1.3.6.1.5.5.7.1.1": _authority_access,
    "1.3.6.1.5.5.7.1.24": _features,
    "1.3.6.1.4.1.11129.2.4.2": _timestamps,
}


# -- keys and signatures -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a certificate: the kind of key that makes such, the hash function, and what was signed."""

    key_type: str
    hash_name: str | None
    value: bytes
    signed: bytes

    def verify(self, key_type: str, key: Any) -> None:
        """Raise what the library raises when `key` did not sign, a TypeError where it could not have."""
        if key_type != self.key_type:
            raise TypeError("the signature was made with another kind of key")
        if key_type == "ed25519":
            key.verify(self.value, self.signed)
            return
        from cryptography.hazmat.primitives import hashes

        function: hashes.HashAlgorithm = getattr(hashes, str(self.hash_name).upper())()
        if key_type == "rsa":
            from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

            key.verify(self.value, self.signed, PKCS1v15(), function)
        else:
            from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

            key.verify(self.value, self.signed, ECDSA(function))


def signature(der: bytes) -> Signature:
    """Return the signature of a certificate."""
    to_be_signed, algorithm, bits = _only(der).parts()
    parts = to_be_signed.parts()
    if len(parts) < 3 or parts[2].whole() != algorithm.whole():
        raise Unusual
    kind, hash_name, _ = _signature_algorithm(algorithm)
    return Signature(kind, hash_name, _bits(bits), to_be_signed.whole())


def _bits(part: Part) -> bytes:
    octets = part.value(_BITS)
    if octets[:1] != b"\0":
        raise Unusual
    return octets[1:]


def _key_type(key_info: bytes) -> str:
    """Return the kind of a public key that is written in the one way that there is for it."""
    algorithm, bits = _only(key_info).parts()
    kind, octets = algorithm.whole(), _bits(bits)
    if kind in _CURVES and octets[:1] == b"\4" and len(octets) == 1 + 2 * _CURVES[kind][1]:
        return "ec"
    if kind == _ED25519 and len(octets) == 32:
        return "ed25519"
    if kind == _RSA:
        _rsa_numbers(octets)
        return "rsa"
    raise Unusual


def _rsa_numbers(octets: bytes) -> tuple[int, int]:
    modulus, exponent = map(_natural, _only(octets).parts())
    if not 2048 <= modulus.bit_length() <= 8192 or not modulus & 1 or exponent != 65537:
        raise Unusual
    return modulus, exponent


def public_key(key_info: bytes) -> Any:
    """Return the library's object for a SubjectPublicKeyInfo, if it takes it."""
    kind = _key_type(key_info)
    algorithm, bits = _only(key_info).parts()
    octets = _bits(bits)
    try:
        if kind == "ec":
            from cryptography.hazmat.primitives.asymmetric import ec

            curve = getattr(ec, _CURVES[algorithm.whole()][0])
            return ec.EllipticCurvePublicKey.from_encoded_point(curve(), octets)
        if kind == "rsa":
            from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

            modulus, exponent = _rsa_numbers(octets)
            return RSAPublicNumbers(exponent, modulus).public_key()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(octets)
    except Exception as refusal:
        raise Unusual from refusal


def public_half(private_key: bytes) -> tuple[bytes, int]:
    """Return the SubjectPublicKeyInfo that belongs to a private key in PKCS #8, PKCS #1 or SEC 1, and its size."""
    parts = _only(private_key).parts()
    version = _natural(parts[0]) if parts else None
    if version == 1:
        return _public_half_ec(parts, None)
    if version != 0:
        raise Unusual
    if len(parts) == 9:
        return _public_half_rsa(parts)
    _, algorithm, inner = parts
    kind, inside = algorithm.whole(), _only(inner.value(_OCTETS))
    if kind == _RSA:
        return _public_half_rsa(inside.parts())
    if kind in _CURVES:
        return _public_half_ec(inside.parts(), kind)
    raise Unusual


def _public_half_ec(parts: list[Part], algorithm: bytes | None) -> tuple[bytes, int]:
    """Return the public half that is written in a key (RFC 5915), if it is the right one."""
    from cryptography.hazmat.primitives.asymmetric import ec

    version, secret, *others = parts
    named = [part for part in others if part.tag == 0xA0]
    (shown,) = (part for part in others if part.tag == 0xA1)
    if len(others) != len(named) + 1 or others[-1] is not shown or _natural(version) != 1:
        raise Unusual
    (bits,) = shown.parts(0xA1)
    if named:
        (curve,) = named[0].parts(0xA0)
        found = next((kind for kind in _CURVES if kind.endswith(curve.whole())), None)
        if len(named) > 1 or found is None or algorithm not in (None, found):
            raise Unusual
        algorithm = found
    if algorithm is None:
        raise Unusual
    name, size = _CURVES[algorithm]
    octets, point = secret.value(_OCTETS), _bits(bits)
    if len(octets) != size:
        raise Unusual
    try:
        private = ec.derive_private_key(int.from_bytes(octets, "big"), getattr(ec, name)())
        numbers = private.public_key().public_numbers()
    except Exception:
        # the library's own words might quote what it read
        raise Unusual from None
    if point != b"\4" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big"):
        raise Unusual
    return _element(_SEQUENCE, algorithm + _element(_BITS, b"\0" + point)), private.key_size


def _public_half_rsa(parts: list[Part]) -> tuple[bytes, int]:
    version, modulus, exponent, private, p, q, first, second, coefficient = map(_natural, parts)
    agree = (
        version == 0
        and p * q == modulus
        and private * exponent % (p - 1) == private * exponent % (q - 1) == 1
        and (first, second) == (private % (p - 1), private % (q - 1))
        and coefficient * q % p == 1
    )
    if not agree:
        raise Unusual
    info = _element(_SEQUENCE, parts[1].whole() + parts[2].whole())
    _rsa_numbers(info)
    return _element(_SEQUENCE, _RSA + _element(_BITS, b"\0" + info)), modulus.bit_length()


def _element(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length < 0x80:
        return bytes((tag, length)) + value
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + value
