"""Every row of Apache's table has a fixture that `apache2 -t` takes, shows what it claims, and is seen by tlslint."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.apache import needed_apache
from support.coverage import (
    COVERAGE,
    FIXTURES,
    Case,
    LiveApache,
    Row,
    apache_server,
    assert_shown,
    contradictions,
    prepare,
)
from support.coverage_apache import ROWS
from support.prediction import apache_deployment, endpoints_of
from support.servers import ServerError
from tlslint.check import check
from tlslint.finding import Finding
from tlslint.policy import load_policy
from tlslint.rules import RULES
from tlslint.rules.web import final_hsts_headers

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COUNTS = {"P": 15, "C": 18, "K": 11, "V": 23, "S": 11, "M": 13, "O": 3, "F": 7, "R": 4, "H": 4, "D": 1}
"""How many rows of each kind the reference has."""
COVERED = [row for row in ROWS if row.fixture]
SHOWN = [row for row in COVERED if row.kind == "prediction"]
RULED = [row for row in COVERED if row.finds]
DOWN = [row for row in COVERED if row.refuses_to_start]


def label(row: Row) -> str:
    return row.fixture or str(row.number)


def prepared(row: Row, folder: Path) -> Case:
    return prepare(row.fixture, folder, "apache")


def findings(row: Row, folder: Path) -> list[Finding]:
    """What all rules find in a row's fixture as it stands, because ports matter to them."""
    entry = COVERAGE / "apache" / row.fixture / "apache2.conf"
    if row.public:
        text = entry.read_text(encoding="utf-8").replace("Listen 127.0.0.1:8080", "Listen 80").replace("*:8080", "*:80")
        entry = folder / "apache2.conf"
        entry.write_text(text.replace("../../../certificates/", f"{FIXTURES}/certificates/"), encoding="utf-8")
    deployment = apache_deployment(entry)
    deployment.now, deployment.trust_store = NOW, ("none",)
    return check(deployment, load_policy("mozilla-intermediate"), RULES)


def line_of(finding: Finding) -> str:
    return finding.span.source.text.splitlines()[finding.span.line - 1].strip()


def test_every_row_is_there_once() -> None:
    assert [row.number for row in ROWS] == [
        f"{kind}{number}" for kind, count in COUNTS.items() for number in range(1, count + 1)
    ]


def test_every_row_is_covered_or_waits() -> None:
    for row in ROWS:
        assert row.fixture.startswith(f"{row.number}-"), row
        assert bool(row.kind == "prediction" or row.finds) != bool(row.later), f"row {row.number} is shown by nothing"
    assert {row.fixture for row in COVERED} == {path.name for path in (COVERAGE / "apache").iterdir()}
    # what no configuration shows is the exception
    assert Counter(row.kind for row in ROWS)["later"] <= 1


@pytest.mark.parametrize("row", COVERED, ids=label)
def test_apache_takes_the_fixture_without_a_warning(row: Row, tmp_path: Path) -> None:
    server = apache_server(needed_apache(), prepared(row, tmp_path), row.environment)
    try:
        passes, messages = server.test()
    finally:
        server.stop()
    assert passes, messages
    lines = [line for line in messages.splitlines() if line != "Syntax OK"]
    assert [line for line in lines if not any(part in line for part in row.warns)] == []


@pytest.mark.parametrize("row", SHOWN, ids=label)
def test_show(row: Row, tmp_path: Path) -> None:
    case = prepared(row, tmp_path)
    deployment = apache_deployment(case.entry)
    assert_shown(row, case, endpoints_of(deployment), is_old=False)
    if row.sends is not None:
        sent = [header.over_tls for header in final_hsts_headers(deployment.virtual_hosts[0])]
        assert sent == [(value,) for value in row.sends]


@pytest.mark.parametrize("row", RULED, ids=label)
def test_rules(row: Row, tmp_path: Path) -> None:
    found = findings(row, tmp_path)
    for expected in row.finds:
        hits = [
            finding
            for finding in found
            if finding.name == expected.rule
            and expected.line in line_of(finding)
            and expected.message in f"{finding.message} {finding.seen}"
        ]
        assert hits, f"{expected}; found {[(finding.name, line_of(finding), finding.message) for finding in found]}"


@pytest.mark.parametrize("row", [row for row in COVERED if not row.refuses_to_start], ids=label)
def test_the_wire(row: Row, tmp_path: Path) -> None:
    case = prepared(row, tmp_path)
    deployment = apache_deployment(case.entry)
    # it starts, and nothing says that it does not
    assert not [problem for problem in deployment.problems if re.search(r"AH\d{5}", problem.message)]
    assert "server-will-not-start" not in {problem.kind for problem in deployment.problems}
    endpoints = endpoints_of(deployment)
    with apache_server(needed_apache(), case, row.environment) as server:
        live = LiveApache(case, server)
        if not row.unscanned:
            assert contradictions(live, endpoints, row) == []
        if row.claim:
            row.claim(live)


# -- what does not start, and what ends at the next reload ---------------------------------------------------------


@pytest.mark.parametrize("row", DOWN, ids=label)
def test_what_does_not_start_is_found_with_its_number(row: Row, tmp_path: Path) -> None:
    deployment = apache_deployment(COVERAGE / "apache" / row.fixture / "apache2.conf")
    numbers = {number for problem in deployment.problems for number in re.findall(r"AH\d{5}", problem.message)}
    assert numbers == {row.refuses_to_start}
    server = apache_server(needed_apache(), prepared(row, tmp_path), row.environment)
    with pytest.raises(ServerError, match=row.refuses_to_start), server:
        pass


@pytest.mark.parametrize("row", DOWN, ids=label)
def test_the_next_graceful_reload_ends_the_server(row: Row, tmp_path: Path) -> None:
    """A server that runs well gets the row's configuration, `-t` is content with it, and all sites are gone."""
    case = prepared(row, tmp_path)
    server = apache_server(needed_apache(), case)
    fatal = server.configuration.read_text(encoding="utf-8")
    server.configuration.write_text(re.sub(r"(?m)^ *SSL.*\n", "", fatal), encoding="utf-8")
    with server:
        server.configuration.write_text(fatal, encoding="utf-8")
        assert server.test()[0]
        server.reload()
        assert server.has_ended()
