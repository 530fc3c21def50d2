"""Every row of the table has a fixture that nginx takes, shows on the wire what it claims, and is seen by tlslint."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.coverage import (
    COVERAGE,
    Case,
    Row,
    assert_shown,
    can_bind,
    contradictions,
    prepare,
    running,
    verdict,
)
from support.coverage_nginx import ROWS
from support.prediction import deployment_of, endpoints_of, target_of
from support.servers import NginxBinary, NginxServer, ServerError, has_ipv6_loopback
from tlslint.check import check
from tlslint.policy import load_policy
from tlslint.rules import RULES
from tlslint.target import Target, openssl_conf_of, parse_target

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COVERED = [row for row in ROWS if row.fixture]
SHOWN = [row for row in COVERED if row.shows or row.absent]
RULED = [row for row in COVERED if row.finds]


def label(row: Row) -> str:
    return row.fixture or str(row.number)


def case_of(row: Row, nginx: NginxBinary, folder: Path) -> Case:
    """The row's fixture for a server that can read it; skipped by name for another."""
    case = prepare(row.fixture, folder)
    for module, present in (("mail", nginx.has_mail), ("stream", nginx.has_stream)):
        if re.search(rf"(?m)^{module} ", case.text) and not present:
            pytest.skip(f"{nginx.name} has no {module} module")
    if "[::1]" in case.text and not has_ipv6_loopback():
        pytest.skip("no IPv6 loopback address")
    return case


def need_its_socket(row: Row) -> None:
    """Skip where the one port that the row is about is taken, or for the superuser alone."""
    if row.binds and not can_bind(*row.binds):
        pytest.skip(f"{row.binds} cannot be bound")


def target(row: Row, nginx: NginxBinary, case: Case) -> Target:
    found = parse_target(row.targets[nginx.version >= (1, 29, 2)] or target_of(nginx), "nginx")
    if row.openssl_conf:
        conf = openssl_conf_of(case.folder / "openssl.cnf")
        assert conf is not None
        found = replace(found, openssl_conf=conf)
    return found


def test_every_row_is_there_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, 99))


def test_every_row_is_covered_or_waits() -> None:
    for row in ROWS:
        assert bool(row.fixture) != bool(row.later), row
        if row.fixture:
            assert row.fixture.startswith(f"{row.number:02}-"), row
            assert row.shows or row.absent or row.finds, f"row {row.number} is shown by nothing"
    assert {row.fixture for row in COVERED} == {path.name for path in (COVERAGE / "nginx").iterdir()}
    # what no configuration shows is the exception
    assert Counter(row.kind for row in ROWS)["later"] <= 3


@pytest.mark.parametrize("row", COVERED, ids=label)
def test_nginx_takes_the_fixture_without_a_warning(row: Row, nginx: NginxBinary, tmp_path: Path) -> None:
    if any(row.targets):
        pytest.skip(row.read_only)
    need_its_socket(row)
    passes, messages = verdict(nginx, case_of(row, nginx, tmp_path))
    assert passes, messages
    warnings = [line for line in messages.splitlines() if "[warn]" in line]
    assert [line for line in warnings if not any(part in line for part in row.warns)] == []


@pytest.mark.parametrize("row", SHOWN, ids=label)
def test_show(row: Row, nginx: NginxBinary, tmp_path: Path) -> None:
    case = case_of(row, nginx, tmp_path)
    if any(row.targets):
        for is_old, spelled in zip((True, False), row.targets, strict=True):
            endpoints = endpoints_of(deployment_of(parse_target(spelled, "nginx"), case.entry))
            assert_shown(row, case, endpoints, is_old)
        return
    endpoints = endpoints_of(deployment_of(target(row, nginx, case), case.entry))
    assert_shown(row, case, endpoints, nginx.version < (1, 29, 2))


@pytest.mark.parametrize("row", RULED, ids=label)
def test_rules(row: Row, nginx: NginxBinary, tmp_path: Path) -> None:
    # ports matter to rules, so the fixture is read as it stands
    entry = COVERAGE / "nginx" / row.fixture / "nginx.conf"
    deployment = deployment_of(target(row, nginx, Case(entry.parent, {})), entry)
    deployment.now, deployment.trust_store = NOW, ("none",)
    found = {
        (finding.name, finding.span.source.text.splitlines()[finding.span.line - 1].strip())
        for finding in check(deployment, load_policy("mozilla-intermediate"), RULES)
    }
    for expected in row.finds:
        applies = expected.since <= nginx.version < expected.until
        hits = [line for name, line in found if name == expected.rule and expected.line in line]
        assert bool(hits) == applies, f"{expected.rule} at {expected.line!r}; found {sorted(found)}"


@pytest.mark.parametrize("row", [row for row in COVERED if not row.read_only], ids=label)
def test_the_wire(row: Row, nginx: NginxBinary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_its_socket(row)
    case = case_of(row, nginx, tmp_path)
    if row.openssl_conf:
        monkeypatch.setenv("OPENSSL_CONF", str(case.folder / "openssl.cnf"))
    if row.refuses_to_start:
        with pytest.raises(ServerError, match=row.refuses_to_start), NginxServer(nginx, case.folder):
            pass
        return
    endpoints = endpoints_of(deployment_of(target(row, nginx, case), case.entry))
    with running(nginx, case) as live:
        if not row.unscanned:
            wrong = contradictions(live, endpoints, row)
            assert wrong == []
        if row.claim:
            row.claim(live)
