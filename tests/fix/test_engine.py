"""The passes: what is made, what waits, what is dropped and why; with a linter of a few words in place of the rules."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.finding import Finding, Report, Severity
from tlslint.fix.engine import Outcome, Views, _clash, _compatible, applied, each_alone, fixed
from tlslint.intention import Edit, Fix, Safety
from tlslint.parse.tree import Source, Span

Words = Mapping[str, str]


def finding(source: Source, start: int, word: str, fix: Fix | None, severity: Severity = Severity.ERROR) -> Finding:
    span = Span(source, start, start + len(word))
    return Finding(f"TLS{len(word)}00", word, severity, f"{word} is there", span, endpoints=("x",), fix=fix)


def words(source: Source) -> Iterator[tuple[int, str]]:
    start = 0
    for word in source.text.split(" "):
        yield start, word
        start += len(word) + 1


def linter(
    text: str, cures: Words, *, safety: Safety = Safety.SAFE, advice: str = "", start: str = ""
) -> Callable[[Mapping[str, bytes]], Views]:
    """Each word of `cures`, and each that begins with `bad`, is a finding; its cure takes its place."""

    def check(overlay: Mapping[str, bytes]) -> Views:
        source = Source.from_bytes("a.conf", overlay.get("/a.conf", text.encode()))
        report = Report()
        for at, word in words(source):
            if word in cures:
                edit = Edit(source, at, at + len(word), cures[word], file="/a.conf")
                report.findings.append(finding(source, at, word, Fix(f"write {cures[word]}", safety, edits=(edit,))))
            elif word.startswith("bad") or word == advice:
                level = Severity.INFO if word == advice else Severity.ERROR
                report.findings.append(finding(source, at, word, None, level))
        return Views(report, report)

    return check


def run(text: str, cures: Words, lowest: Safety = Safety.SAFE, **options: object) -> tuple[str, Outcome]:
    outcome = fixed(linter(text, cures, **options), lowest, lambda found: True)  # type: ignore[arg-type]
    changed = [change.after.decode() for change in outcome.changes]
    return changed[0] if changed else text, outcome


def test_all_is_fixed_in_as_many_passes_as_it_takes() -> None:
    text, outcome = run("one two", {"one": "1 two", "two": "3"})
    assert text == "1 3 3"
    assert outcome.report.findings == []
    assert len(outcome.fixed) == 3


def test_a_fix_that_brings_a_finding_is_dropped_and_the_others_are_made() -> None:
    text, outcome = run("a b c d e", {"a": "1", "b": "2", "c": "bad", "d": "4", "e": "5"})
    assert text == "1 2 c 4 5"
    assert [(found.name, why) for found, why in outcome.refused] == [("c", "it would bring TLS300 bad: bad is there")]


def test_a_finding_that_a_later_fix_makes_go_away_is_a_detour() -> None:
    assert run("a", {"a": "badly", "badly": "fine"})[0] == "fine"


def test_a_detour_that_leads_nowhere_is_not_taken() -> None:
    # the cure of the second word brings what nothing cures
    text, outcome = run("a b", {"a": "worse", "worse": "bad", "b": "2"})
    assert text == "a 2"
    assert [found.name for found, _ in outcome.refused] == ["a"]


def hiding_linter(hidden: str, endpoints: tuple[str, ...], cure: str) -> Callable[[Mapping[str, bytes]], Views]:
    """The word `dead` on the first line is a fault, with which nobody gets as far as `hidden` on the second."""

    def check(overlay: Mapping[str, bytes]) -> Views:
        source = Source.from_bytes("a.conf", overlay.get("/a.conf", f"dead\n{hidden}".encode()))
        report = Report()
        if source.text.startswith("dead"):
            edit = Edit(source, 0, 4, cure, file="/a.conf")
            fault = finding(source, 0, "dead", Fix("live", Safety.SAFE, edits=(edit,)))
            report.findings.append(replace(fault, code="TLS105"))
        else:
            start = source.text.index(hidden)
            found = finding(source, start, hidden, None, Severity.WARNING)
            report.findings.append(replace(found, endpoints=endpoints))
        return Views(report, report)

    return check


@pytest.mark.parametrize(
    ("endpoints", "cure", "refused"),
    [
        (("x",), "fine", False),
        (("x", "y"), "fine", True),  # another endpoint was well
        ((), "fine", True),
        (("x",), "weak!", True),  # what was written says it itself
    ],
)
def test_what_a_fault_hid_is_no_objection(endpoints: tuple[str, ...], cure: str, refused: bool) -> None:
    outcome = fixed(hiding_linter("weak", endpoints, cure), Safety.SAFE, lambda found: True)
    assert [why for _, why in outcome.refused] == (["it would bring TLS400 weak: weak is there"] if refused else [])


def test_advice_is_no_objection() -> None:
    text, outcome = run("a", {"a": "hint"}, advice="hint")
    assert text == "hint"
    assert [found.name for found in outcome.report.findings] == ["hint"]


def test_a_fix_after_which_its_finding_stays_is_dropped() -> None:
    text, outcome = run("a b", {"a": "a", "b": "2"})
    assert text == "a 2"
    assert [why for _, why in outcome.refused] == ["the finding would stay"]


@pytest.mark.parametrize(("lowest", "text"), [(Safety.SAFE, "a b"), (Safety.UNSAFE, "1 2")])
def test_unsafe_fixes_are_made_on_request(lowest: Safety, text: str) -> None:
    result, outcome = run("a b", {"a": "1", "b": "2"}, lowest, safety=Safety.UNSAFE)
    assert result == text
    assert len(outcome.held_back) == (2 if text == "a b" else 0)


def test_manual_fixes_are_never_made() -> None:
    assert run("a", {"a": "1"}, Safety.UNSAFE, safety=Safety.MANUAL)[0] == "a"


def test_fixes_of_rules_that_may_not_fix_are_held_back() -> None:
    outcome = fixed(linter("a b", {"a": "1", "b": "2"}), Safety.SAFE, lambda found: found.name != "a")
    assert [change.after for change in outcome.changes] == [b"a 2"]
    assert [found.name for found in outcome.held_back] == ["a"]


def test_what_goes_round_in_circles_ends() -> None:
    text, outcome = run("a", {"a": "b", "b": "a"})
    assert text in ("a", "b")
    assert outcome.refused


def test_what_comes_to_nothing_changes_no_file() -> None:
    source = Source("a.conf", "x")
    outcome = fixed(lambda overlay: Views(Report(), Report()), Safety.SAFE, lambda found: True)
    assert outcome.changes == []
    assert applied([Edit(source, 0, 1, "x")]) == b"x"


def test_a_failure_of_tlslint_itself_is_an_objection() -> None:
    def check(overlay: Mapping[str, bytes]) -> Views:
        views = linter("a", {"a": "1"})(overlay)
        if overlay:
            views.shown.failures.append(RuntimeError("broken"))
        return views

    outcome = fixed(check, Safety.SAFE, lambda found: True)
    assert outcome.changes == []
    assert "broken" in outcome.refused[0][1]


def test_each_fix_alone() -> None:
    found = list(each_alone(linter("a b c", {"a": "1", "b": "bad", "c": "3"}), Safety.SAFE, lambda one: True))
    assert [(one.name, outcome.changes[0].after) for one, outcome in found] == [("a", b"1 b c"), ("c", b"a b 3")]


def several(edits: list[tuple[int, int, str]]) -> Callable[[Mapping[str, bytes]], Views]:
    """A finding for each edit of `0123456789`, gone once its text is there."""

    def check(overlay: Mapping[str, bytes]) -> Views:
        source = Source.from_bytes("a.conf", overlay.get("/a.conf", b"0123456789"))
        report = Report()
        for number, (start, end, new) in enumerate(edits):
            if not overlay:
                edit = Edit(source, start, end, new, file="/a.conf")
                base = finding(source, start, "word", Fix(f"{number}", Safety.SAFE, edits=(edit,)))
                report.findings.append(replace(base, message=f"{number}"))
        return Views(report, report)

    return check


EDITS = [
    ([(1, 2, "x"), (1, 2, "x")], "0x23456789"),  # the same twice is one
    ([(1, 3, "x"), (2, 4, "y")], "0x3456789"),  # the second waits (and is then moot)
    ([(2, 2, "x"), (2, 2, "y")], "01xy23456789"),  # lines added at one place
    ([(2, 4, "x"), (4, 4, "y")], "01xy456789"),
    ([(2, 4, "x"), (2, 2, "y")], "01yx456789"),
    ([(2, 5, "x"), (3, 3, "y")], "01x56789"),
    ([(0, 1, ""), (9, 10, "")], "12345678"),
]


@pytest.mark.parametrize(("edits", "text"), EDITS)
def test_edits_of_one_pass(edits: list[tuple[int, int, str]], text: str) -> None:
    outcome = fixed(several(edits), Safety.SAFE, lambda found: True)
    assert outcome.changes[0].after.decode() == text


def test_edits_that_overlap_are_an_error() -> None:
    source = Source("a.conf", "0123")
    with pytest.raises(ValueError, match="overlap"):
        applied([Edit(source, 0, 2, ""), Edit(source, 1, 3, "")])


SPANS = st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from("xy"))


@given(st.lists(SPANS, max_size=8))
def test_what_is_chosen_is_what_comparing_all_with_all_gives(spans: list[tuple[int, int, str]]) -> None:
    source = Source("a.conf", "0123456789abcdef")
    found = []
    for start, length, new in spans:
        edit = Edit(source, start, start + length, new, file="/a.conf")
        found.append(finding(source, start, "word", Fix("try", Safety.SAFE, edits=(edit,))))
    expected: list[Finding] = []
    for one in found:
        if not any(_clash(edit_of(one), edit_of(other)) for other in expected):
            expected.append(one)
    assert _compatible(found) == expected
    unique = {(edit.start, edit.end, edit.text): edit for edit in map(edit_of, expected)}
    if unique:
        applied(list(unique.values()))


def edit_of(found: Finding) -> Edit:
    assert found.fix is not None
    return found.fix.edits[0]


def test_a_fix_whose_parts_overlap_is_refused() -> None:
    def check(overlay: Mapping[str, bytes]) -> Views:
        source = Source("a.conf", "0123")
        edits = (Edit(source, 0, 2, "", file="/a.conf"), Edit(source, 1, 3, "", file="/a.conf"))
        report = Report(findings=[finding(source, 0, "word", Fix("try", Safety.SAFE, edits=edits))])
        return Views(report, report)

    outcome = fixed(check, Safety.SAFE, lambda found: True)
    assert [why for _, why in outcome.refused] == ["its parts overlap"]
