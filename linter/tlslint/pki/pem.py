"""PEM as OpenSSL reads it: byte for byte what `PEM_read_bio_ex` makes of a file.

nginx and httpd hand certificate files to `PEM_read_bio_X509_AUX` and `PEM_read_bio_X509`, which skip whatever they do
not recognise. So a damaged BEGIN line drops a certificate without a word, while a damaged END line is fatal. Guessing
more kindly than the server would hide exactly the faults that matter; this module follows `crypto/pem/pem_lib.c` and
`crypto/evp/encode.c` of OpenSSL 3, including lines of at most 254 bytes, and a test compares it with the library.
"""

import binascii
import re
from collections.abc import Iterator

from tlslint.record import dataclass
from tlslint.regex import regex

NO_START_LINE = "no start line"
BAD_END_LINE = "bad end line"
BAD_BASE64 = "bad base64 decode"
NO_DATA = "no data"
"""A block without data, or an overlong line after a header: OpenSSL fails without giving a reason of its own."""

_LINE_BYTES = 254  # BIO_gets(…, 255) leaves room for the NUL
_ENCRYPTED_LINE_BYTES = 64
_BEGIN = b"-----BEGIN "
_END = b"-----END "
_DASHES = b"-----"
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# OpenSSL strips what compares below a space as a signed char, so bytes from 0x80 go too
_STRIPPED_AT_LINE_END = bytes((*range(0x21), *range(0x80, 0x100)))

# Ordinary blocks, whose meaning does not depend on any of the oddities; everything else takes the long way
_ORDINARY = regex(
    rb"-----BEGIN ([A-Z0-9 ]{1,60})-----\r?\n(?=[A-Za-z0-9+/])"
    rb"((?:[A-Za-z0-9+/]{1,200}+\r?\n){0,20000}+(?:[A-Za-z0-9+/]{1,200}+={1,2}\r?\n)?+)"
    rb"-----END \1-----(?:\r?\n|\Z)"
)


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block: its label, its header lines (encryption) and decoded data.

    `start` and `end` are byte offsets of the block including its last line's end; `line` is 1-based.
    """

    label: str
    header: bytes
    data: bytes
    start: int
    end: int
    line: int


class PemError(ValueError):
    """OpenSSL stops reading here. `reason` is its own text; `offset` is where the block, or the search, began."""

    def __init__(self, reason: str, offset: int, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.line = line


@dataclass(slots=True)
class _Lines:
    """Reads as `fgets` does: at most 254 bytes at a time, and nothing after a NUL."""

    data: bytes
    offset: int
    line: int = 1

    def next(self) -> tuple[bytes, bool]:
        """Return the next piece (empty when OpenSSL takes it for the end of the file), and whether its line goes on."""
        newline = self.data.find(b"\n", self.offset, self.offset + _LINE_BYTES)
        end = newline + 1 if newline >= 0 else min(self.offset + _LINE_BYTES, len(self.data))
        piece = self.data[self.offset : end]
        self.offset = end
        self.line += newline >= 0
        text = piece.partition(b"\0")[0]
        return text, len(text) == _LINE_BYTES and newline < 0


def blocks(data: bytes, offset: int = 0, line: int = 1) -> Iterator[Block]:
    """Yield the blocks in the order in which OpenSSL sees them.

    Reading begins at `offset`, on the 1-based `line`. It ends by raising `PemError`: with the reason `no start line` at
    the end of the file, as OpenSSL itself ends every file, or with another at the first block that cannot be read.
    """
    end = len(data)
    while offset < end:
        block = _ordinary_block(data, offset, line)
        if block is not None:
            offset, line = block.end, line_after(data, offset, block.end, line)
        else:
            block, offset, line = _read_block(data, offset, line)
        yield block
    raise PemError(NO_START_LINE, offset, line)


def _read_block(data: bytes, offset: int, line: int) -> tuple[Block, int, int]:
    """Return the next block, read line by line as OpenSSL does, and the offset and line after it."""
    lines = _Lines(data, offset, line)
    name, start, start_line = _find_begin(lines)
    header, body = _read_body(lines, name, start, start_line)
    if not body:
        raise PemError(NO_DATA, start, start_line)
    decoded = decode_base64(body)
    if decoded is None:
        raise PemError(BAD_BASE64, start, start_line)
    if not decoded:  # nothing before a dash
        raise PemError(NO_DATA, start, start_line)
    block = Block(name.decode("latin-1"), header, decoded, start, lines.offset, start_line)
    return block, lines.offset, lines.line


def line_after(data: bytes, start: int, end: int, line: int) -> int:
    """Return the 1-based line number at `end`, when `start` is on `line`."""
    return line + data.count(b"\n", start, end)


def _ordinary_block(data: bytes, offset: int, line: int) -> Block | None:
    match = _ORDINARY.match(data, offset)
    if match is None:
        return None
    label, body = match.groups()
    text = body.translate(None, b"\r\n")
    if len(text) % 4:
        return None
    return Block(label.decode("ascii"), b"", binascii.a2b_base64(text), offset, match.end(), line)


def _skip_text(lines: _Lines) -> bool:
    """Move to the next line that holds a BEGIN at all, or to the end; returns whether any line was skipped.

    This is what reading line by line comes to, unless there is a NUL, which may end the file early.
    """
    begin = lines.data.find(_BEGIN, lines.offset)
    end = len(lines.data) if begin < 0 else lines.data.rfind(b"\n", lines.offset, begin) + 1
    if end <= lines.offset or (begin >= 0 and lines.data.find(b"\0", lines.offset, end) >= 0):
        return False
    lines.line = line_after(lines.data, lines.offset, end, lines.line)
    lines.offset = end
    return True


def _find_begin(lines: _Lines) -> tuple[bytes, int, int]:
    began, began_line = lines.offset, lines.line
    first = not _skip_text(lines)
    while True:
        start, start_line = lines.offset, lines.line
        piece, _ = lines.next()
        if not piece:
            raise PemError(NO_START_LINE, began, began_line)
        if first and len(piece) > len(_BOM) and piece.startswith(_BOM):
            piece = piece[len(_BOM) :]
        first = False
        text = piece.rstrip(_STRIPPED_AT_LINE_END)
        if text.startswith(_BEGIN) and text.endswith(_DASHES):
            # "-----BEGIN -----" shares no dashes between both ends, "-----BEGIN-----" is no BEGIN line
            return text[len(_BEGIN) : -len(_DASHES)], start, start_line


def _read_body(lines: _Lines, name: bytes, start: int, start_line: int) -> tuple[bytes, bytes]:
    """Return header and data text of the block whose BEGIN line was just read."""
    expected_end = name + _DASHES
    before: list[bytes] = []  # becomes the header when a blank line follows, and is the data otherwise
    after: list[bytes] = []
    header_seen = header_over = short_line = line_goes_on = False
    while True:
        line_went_on = line_goes_on
        piece, line_goes_on = lines.next()
        if not piece:
            raise PemError(BAD_END_LINE, start, start_line)
        if not header_seen and not header_over and b":" in piece:
            header_seen = True
        text = piece.rstrip(_STRIPPED_AT_LINE_END)
        if not text:
            if not line_went_on:
                if header_over:
                    raise PemError(BAD_END_LINE, start, start_line)
                header_over = True
            continue
        if text.startswith(_END):
            if text[len(_END) :] != expected_end:
                raise PemError(BAD_END_LINE, start, start_line)
            break
        if short_line:
            raise PemError(BAD_END_LINE, start, start_line)
        if not header_over:
            before.append(text)
            continue
        after.append(text)
        if len(text) > _ENCRYPTED_LINE_BYTES:
            raise PemError(NO_DATA, start, start_line)
        short_line = len(text) < _ENCRYPTED_LINE_BYTES
    if header_seen or header_over:
        return b"".join(text + b"\n" for text in before), b"".join(text + b"\n" for text in after)
    return b"", b"".join(text + b"\n" for text in before)


def decode_base64(text: bytes) -> bytes | None:
    """Return what `EVP_DecodeUpdate` and `EVP_DecodeFinal` make of base64 text, or None where they fail.

    A dash ends the data: at a BEGIN line inside a block (because the END line before it is missing) OpenSSL stops.
    """
    text = text.partition(b"-")[0].translate(None, _BLANK)
    unpadded = text.rstrip(b"=")
    if len(text) % 4 or len(text) - len(unpadded) > 2 or unpadded.translate(None, _ALPHABET):
        return None
    return binascii.a2b_base64(text)


def header_problem(header: bytes) -> str | None:
    """Return OpenSSL's objection to the header of a block that must not be encrypted, or None.

    Follows `PEM_get_EVP_CIPHER_INFO`. An encrypted block gives `bad password read`, for there is nobody to ask.
    """
    if not header or header.startswith(b"\n"):
        return None
    if not header.startswith(b"Proc-Type:"):
        return "not proc type"
    if not re.match(rb"Proc-Type:[ \t]*4,[ \t]*ENCRYPTED[ \t\r]*\n", header):
        return "not encrypted"
    return "bad password read"
