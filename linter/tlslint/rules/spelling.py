"""Which known word a misspelt one was probably meant to be."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the one known word that is a single edit (or only case) away; empty where none or several are."""
    words = set(known)
    same = [candidate for candidate in words if candidate.lower() == word.lower()]
    if same:
        return same[0] if len(same) == 1 else ""
    found = [candidate for candidate in words if _one_edit(word, candidate)]
    return found[0] if len(found) == 1 else ""


def _one_edit(one: str, other: str) -> bool:
    """Whether inserting, removing, replacing or swapping neighbouring characters once makes one word the other."""
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 3:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (len(rest) > 1 and rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])
    )
