"""Patterns of files in the settings: `*`, `?` and `**`; without a slash, of names anywhere."""

import os
import re
from functools import lru_cache


def matches(path: str, pattern: str, base: str) -> bool:
    """Whether a file is meant by a pattern, which counts from `base`; below a matching directory everything is."""
    full = os.path.abspath(path)
    if pattern.startswith("/"):
        return bool(_compiled(pattern).fullmatch(full))
    return bool(_compiled(pattern).fullmatch(os.path.relpath(full, base)))


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    start = "/" if pattern.startswith("/") else "" if "/" in pattern.rstrip("/") else r"(?:.*/)?"
    parts = re.split(r"(\*\*/?|\*|\?)", pattern.strip("/"))
    words = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile(start + "".join(words.get(part) or re.escape(part) for part in parts) + r"(?:/.*)?", re.DOTALL)
