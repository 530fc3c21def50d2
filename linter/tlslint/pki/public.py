"""Which authorities are public ones: anybody who controls a name, or pays, gets a certificate from them."""

import json
from functools import cache
from pathlib import Path

from tlslint.pki.certificate import Certificate


@cache
def public_roots() -> frozenset[str]:
    """Return the SHA-256 digests (lower-case hex) of the roots that browsers trust, as far as they are listed here."""
    path = Path(__file__).parents[1] / "data" / "public_roots.json"
    return frozenset(json.loads(path.read_text(encoding="utf-8"))["sha256"])


def is_public(authority: Certificate) -> bool:
    """Whether a CA is a listed public root, or says that it issues what publicly trusted CAs do."""
    return authority.sha256 in public_roots() or authority.claims_public_trust
