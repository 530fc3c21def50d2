"""Words that are meant to be protocol versions, whichever way they are written."""

import re

from tlslint.regex import regex
from tlslint.resolve.tls_settings import PROTOCOLS

PLACEHOLDER = regex(r"[${}%@<>]")
"""What a variable or a template leaves in a word, which is not judged then."""
_VERSION = regex(r"(ssl|tls)[ _-]?v?[ _-]?(\d)(?:[._-]?(\d))?[,;|]?", re.IGNORECASE)
_SEPARATORS = ",;| "


def meant_by(word: str) -> tuple[str, ...]:
    """Return the versions that a misspelt word (`TLS1.2`, `TLSv1.2,TLSv1.3`) means; nothing where that is not clear."""
    meant = []
    for part in parts_of(word):
        match = _VERSION.fullmatch(part)
        if match is None:
            return ()
        family, major, minor = match.groups()
        family = "SSL" if family.lower() == "ssl" else "TLS"
        name = f"{family}v{major}.{minor}" if minor not in (None, "0") else f"{family}v{major}"
        if name not in PROTOCOLS:
            return ()
        meant.append(name)
    return tuple(meant)


def parts_of(word: str) -> list[str]:
    """Return the pieces of a word between separators that no server knows."""
    return re.split(r"[,;|\s]+", word.strip(_SEPARATORS))
