"""Files, and lines, that another program writes: whatever is changed there by hand is lost or in that program's way."""

import re
from functools import lru_cache

from tlslint.parse.tree import Source
from tlslint.regex import regex

_HEAD_LINES = 25
_BY_OTHERS = regex(
    r"(?P<tool>ansible|puppet|chef|salt(?:stack)?|cfengine|terraform|certbot|cloud-init|kubernetes|consul-template)"
    r"[\s-]*managed\b"
    r"|(?:managed|maintained|controlled|written|generated|created|provisioned|rendered) "
    r"(?:automatically )?(?:by|with|using|from) "
    r"(?:the )?(?P<named>ansible|puppet|chef|salt(?:stack)?|cfengine|terraform|certbot|cloud-init|kubernetes"
    r"|consul-template|plesk|cpanel|directadmin|ispconfig|virtualmin|webmin|docker-gen|nginx-proxy|traefik|dehydrated)\b",
    re.IGNORECASE,
)  # fmt: skip
_BY_SOMETHING = regex(
    r"\bdo(?: not|n't) (?:edit|modify|change) (?:this file|the file|by hand|manually|directly)"
    r"|\bauto(?:matically)?[- ]generated\b|\b(?:this|the) file (?:is|was|has been) (?:generated|managed) by\b",
    re.IGNORECASE,
)
_CERTBOT = regex(r"Certbot will be unable to automatically provide future security updates", re.IGNORECASE)
_OF_LINE = regex(r"#\s*managed by (certbot)\b", re.IGNORECASE)
_NAMES = {"certbot": "Certbot", "ansible": "Ansible", "puppet": "Puppet", "chef": "Chef", "salt": "Salt"}


def manager_of(source: Source) -> str | None:
    """Return the program that a file says it is managed by, in the comments at its head, or None."""
    if source.managed_by is None:
        source.managed_by = _manager(source.text) or ""
    return source.managed_by or None


@lru_cache(maxsize=256)
def manager_of_line(line: str) -> str | None:
    """Return the program that the comment behind a directive names, or None."""
    found = _OF_LINE.search(line)
    return _named(found[1]) if found else None


def _manager(text: str) -> str | None:
    for line in text.split("\n", _HEAD_LINES)[:_HEAD_LINES]:
        stripped = line.lstrip("\ufeff \t")
        if not stripped.startswith("#"):
            continue
        if _CERTBOT.search(stripped):
            return "Certbot"
        found = _BY_OTHERS.search(stripped)
        if found:
            return _named(found["tool"] or found["named"])
        if _BY_SOMETHING.search(stripped):
            return "another program"
    return None


def _named(word: str) -> str:
    return _NAMES.get(word.lower(), word)
