"""Each rule that offers fixes shows in `fixed.conf` beside `bad.conf` what they make of it.

`TLSLINT_UPDATE=1` writes these files: read the difference, it must be what a careful person would have written. The
real server has to take the fixed file where it took the bad one.
"""

import os
import re
from pathlib import Path

import pytest

from support.apache import ask_apache
from support.rule_fixes import FixedFixture, fixed_copy
from support.rule_fixtures import ENTRIES, RULE_FIXTURES, SERVERS, Fixture, fixtures, has_resolver
from support.servers import NGINX_NAMES, NginxBinary, needed_nginx, nginx_test
from tlslint.finding import Finding
from tlslint.intention import Safety
from tlslint.rules import RULES
from tlslint.target import parse_target

OFFERED = {module.rule.name: module.rule.fix for module in RULES if module.rule.fix in (Safety.SAFE, Safety.UNSAFE)}
BAD = [fixture for fixture in fixtures() if fixture.rule in OFFERED and fixture.is_bad and has_resolver(fixture.server)]


@pytest.fixture
def fixed(fixture: Fixture, tmp_path: Path) -> FixedFixture:
    return fixed_copy(fixture, tmp_path)


def is_fixable(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicable


@pytest.mark.parametrize("fixture", BAD, ids=str)
def test_fixes(fixture: Fixture, fixed: FixedFixture) -> None:
    if os.environ.get("TLSLINT_UPDATE") == "1":
        fixed.keep()
    assert fixed.read_kept() == fixed.changed
    remaining = [finding for finding in fixed.outcome.report.findings if finding.name == fixture.rule]
    assert not [finding for finding in remaining if is_fixable(finding)]
    assert fixed.again.changes == []
    offered = OFFERED[fixture.rule]
    assert all(finding.fix and offered and finding.fix.safety <= offered for finding in fixed.outcome.fixed)


FAMILIES = {
    "1": {"protocols", "ciphers", "groups", "server_order", "sessions", "alpn", "hello_retry"},
    "2": {"protocols", "ciphers", "groups", "server_order", "sessions", "hello_retry"},
    "3": {"certificates", "ciphers", "protocols", "groups"},
    "5": {"client_certificate", "sessions"},
    "6": {"sessions"},
    "7": set[str](),
    "8": {"alpn", "ciphers"},
    "9": set[str](),
}
"""What of an endpoint's answer the fixes of each family of rules may change: the other families are about sockets."""


@pytest.mark.parametrize("fixture", BAD, ids=str)
def test_clients_meet_nothing_else_that_is_new(fixture: Fixture, fixed: FixedFixture) -> None:
    code = next(module.rule.code for module in RULES if module.rule.name == fixture.rule)
    allowed = FAMILIES.get(code[3])
    if allowed is None:
        pytest.skip("it is about who answers at all")
    assert fixed.after.keys() == fixed.before.keys()
    for name, before in fixed.before.items():
        after = fixed.after[name]
        if before["handshake"] != "completes":
            continue  # nobody met anything
        changed = {key for key in before if before[key] != after[key]} - {"settings", "virtual_host", "unknown"}
        assert changed <= allowed, name
        assert after["handshake"] == "completes", name


@pytest.mark.parametrize("fixture", [fixture for fixture in BAD if fixture.server == "nginx"], ids=str)
@pytest.mark.parametrize("name", NGINX_NAMES)
def test_nginx_takes_what_it_took(fixture: Fixture, fixed: FixedFixture, name: str) -> None:
    nginx = needed_nginx(name)
    if not fixed.outcome.changes or not fixture.accepted_by(nginx):
        pytest.skip("nothing changed, or it was not taken before")
    root = next(folder for folder in fixed.entry.parents if (folder / "certificates").is_dir())
    absolute(fixed, root)
    text = fixed.entry.read_text(encoding="utf-8", errors="surrogateescape")
    if ("mail {" in text and not nginx.has_mail) or ("stream {" in text and not nginx.has_stream):
        pytest.skip(f"{nginx.name} lacks a module")
    passed, messages = nginx_test(nginx, fixed.entry.parent, fixed.entry.name)
    if not passed and is_another(fixture.options.target, nginx):
        pytest.skip("the fix is for another server")
    assert passed, messages


def is_another(spec: str | None, nginx: NginxBinary) -> bool:
    """Whether a target has another nginx or OpenSSL than this one."""
    target = parse_target(spec, "nginx")
    versions = ((target.server, nginx.version), (target.openssl, nginx.openssl))
    return any(wanted is not None and wanted.numbers[:2] != own[:2] for wanted, own in versions)


@pytest.mark.parametrize("fixture", [fixture for fixture in BAD if fixture.server == "apache"], ids=str)
def test_apache_takes_what_it_took(fixture: Fixture, fixed: FixedFixture, tmp_path: Path) -> None:
    if not fixed.outcome.changes:
        pytest.skip("nothing changed")
    after = ask_apache(fixed.entry.parent, "-t", entry=fixed.entry.name)
    before = ask_apache(fixture.folder, "-t", entry=fixture.entry.name)
    assert after[0] == 0 or before[0] != 0, after[1]


def absolute(fixed: FixedFixture, root: Path) -> None:
    """Name the copied certificates by their whole path: the server under test has its files elsewhere."""
    for path in fixed.entry.parent.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            text = re.sub(r"(?:\.\./)+certificates/", f"{root}/certificates/", text)
            path.write_text(text, encoding="utf-8", errors="surrogateescape")


ONE_SERVER = {"no-revocation-check": "apache", "deprecated-directive": "nginx"}
"""Rules whose faults can be mended with one of the servers only: a list that Apache has and does not look at; a chain
file of Apache, whose certificates somebody has to move."""


@pytest.mark.parametrize("rule", OFFERED)
@pytest.mark.parametrize("server", SERVERS)
def test_what_a_rule_offers_is_shown(rule: str, server: str) -> None:
    if not any(fixture.rule == rule and fixture.server == server for fixture in BAD):
        pytest.skip(f"{rule} has no bad fixture for {server}")
    if ONE_SERVER.get(rule, server) != server:
        pytest.skip(f"what {server} lacks for {rule} nobody can add")
    assert list((RULE_FIXTURES / rule / server).glob("fixed*")), "no fixture shows its fix"


def test_every_fixed_file_belongs_to_a_bad_one() -> None:
    known = {(fixture.rule, fixture.server, fixture.name) for fixture in BAD}
    for path in RULE_FIXTURES.glob("*/*/fixed*"):
        name = f"bad{path.name.removesuffix('.conf').removeprefix('fixed')}"
        assert (path.parents[1].name, path.parent.name, name) in known
        assert path.parent.name in ENTRIES
