"""Findings that are one have one fix: all of its parts, as safe as the least safe, and none where a part has none."""

from collections.abc import Sequence

import pytest

from tlslint.check import merge
from tlslint.finding import Finding, Severity
from tlslint.intention import Edit, Fix, Safety
from tlslint.parse.tree import Source, Span

SOURCE = Source("nginx.conf", "0123456789")


def finding(fix: Fix | None, endpoint: str) -> Finding:
    return Finding(
        "TLS101", "weak-protocol", Severity.ERROR, "of {endpoint}", Span(SOURCE, 0, 1), endpoints=(endpoint,), fix=fix
    )


def fix(at: int, safety: Safety = Safety.SAFE, refusal: str = "", source: Source = SOURCE) -> Fix:
    return Fix("try", safety, edits=(Edit(source, at, at + 1, "x", file="/nginx.conf"),), refusal=refusal)


CASES: list[tuple[Sequence[Fix | None], tuple[list[int], Safety] | None]] = [
    ([fix(1), fix(1)], ([1], Safety.SAFE)),
    ([fix(1), fix(2)], ([1, 2], Safety.SAFE)),
    ([fix(1), fix(2, Safety.UNSAFE)], ([1, 2], Safety.UNSAFE)),
    ([fix(1), None], None),
    ([None, fix(1)], None),
    # the same file, read by another deployment
    ([fix(1), fix(1, source=Source("nginx.conf", "0123456789"))], ([1], Safety.SAFE)),
]


@pytest.mark.parametrize(("fixes", "expected"), CASES)
def test_fixes_of_one_finding(fixes: Sequence[Fix | None], expected: tuple[list[int], Safety] | None) -> None:
    (merged,) = merge([finding(one, f"host {number}") for number, one in enumerate(fixes)])
    found = merged.fix and ([edit.start for edit in merged.fix.edits], merged.fix.safety)
    assert found == expected


def test_a_part_that_cannot_be_written_keeps_all_from_being_made() -> None:
    (merged,) = merge([finding(fix(1), "a"), finding(fix(2, refusal="a macro"), "b")])
    assert merged.fix is not None
    assert not merged.fix.applicable
    assert merged.fix.refusal == "a macro"
