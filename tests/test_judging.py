"""Rules come to the same whether one process runs them or several do, whatever happens to the others."""

import os

import pytest

from support.processes import generate_tree, python
from tlslint.judging import ABOUT_CERTIFICATES, OTHER_FAMILIES
from tlslint.rules import RULES

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")

LINT = '''
import contextlib, json, select
from tlslint import judging
from tlslint.report.json_report import as_data
from tlslint.rules import RULES
from tlslint.run import lint
from tlslint.settings import Settings

judging.MIN_ENDPOINTS_TO_SHARE = 0

def rule(name):
    return next(module for module in RULES if module.rule.name == name)

def outcome(path, jobs, **given):
    report = lint([path], Settings(jobs=jobs, now="2026-06-01", **given))
    return json.dumps(as_data(report)), report

def have_worker_run(name, before=lambda: None):
    """Let the main process wait until a worker has come to a rule; what the worker does before it runs it."""
    arrived, tell = os.pipe()
    real, first = rule(name).check, rule("chain-order").check
    def in_worker(deployment, policy):
        if os.getpid() != main:
            os.write(tell, b"x")
            before()
        return real(deployment, policy)
    def in_main(deployment, policy):
        assert select.select([arrived], [], [], 60)[0], "no worker has come to it"
        return first(deployment, policy)
    rule(name).check, rule("chain-order").check = in_worker, in_main
'''


def lints(script: str, *arguments: str) -> str:
    return python(LINT + script, *arguments, timeout=300)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hosts") / "tree"
    generate_tree(folder, hosts=60)
    return str(folder / "nginx.conf")


def test_each_rule_is_run_once() -> None:
    begins = (*ABOUT_CERTIFICATES, *OTHER_FAMILIES)
    for module in RULES:
        families = [begin for begin in OTHER_FAMILIES if module.rule.code.startswith(begin)]
        assert module.rule.code.startswith(begins)
        assert len(families) == 1 or module.rule.code.startswith(ABOUT_CERTIFICATES)


@forks
@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_workers_find_the_same_in_a_fixture_of_each_rule(server: str) -> None:
    """In the same places of the same sources: findings and fixes compare equal."""
    script = """
from support.rule_fixtures import deployments, fixtures
from tlslint.finding import Report
from tlslint.judging import judged
from tlslint.policy import load_policy
number = 0
first = {fixture.rule: fixture for fixture in reversed(fixtures(sys.argv[1])) if fixture.is_bad}
for fixture in first.values():
    with contextlib.chdir(fixture.folder):
        for deployment in deployments(fixture):
            policy, reports = load_policy(fixture.options.policy), [Report(), Report()]
            with Workers(2) as two, Workers(1) as one:
                together = judged(deployment, policy, RULES, reports[0], two)
                alone = judged(deployment, policy, RULES, reports[1], one)
            assert together == alone, fixture
            assert not reports[0].failures and not reports[1].failures
            number += len(alone)
print(number)
"""
    assert int(lints(script, server)) > 100


@forks
def test_a_tree_with_all_its_fixes_comes_out_the_same(tree: str) -> None:
    script = """
from tlslint.fixing import fix
def fixed(jobs):
    outcome = fix([sys.argv[1]], Settings(jobs=jobs, now="2026-06-01"), unsafe=True)
    return [(change.file, change.after) for change in outcome.changes], len(outcome.fixed), len(outcome.refused)
alone = fixed(1)
assert fixed(2) == fixed(3) == alone
print(alone[1])
"""
    assert int(lints(script, tree)) > 10


@forks
def test_findings_of_workers_refer_to_the_files_that_were_read(tree: str) -> None:
    script = """
have_worker_run("weak-protocol")
data, report = outcome(sys.argv[1], 2)
sources = {id(tree.source) for tree in report.trees}
assert any(finding.name == "weak-protocol" and finding.fix.edits for finding in report.findings)
for finding in report.findings:
    spans = [finding.span, *(place.span for place in finding.related)]
    assert {id(span.source) for span in spans} <= sources, finding
    assert {id(edit.source) for edit in (finding.fix.edits if finding.fix else ())} <= sources, finding
print("same")
"""
    assert lints(script, tree) == "same"


@forks
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "1 / 0", "sys.exit(3)"])
def test_a_worker_that_fails_changes_nothing(end: str, tree: str) -> None:
    script = f"""
expected, _ = outcome(sys.argv[1], 1)
have_worker_run("missing-hsts", lambda: {end})
print(outcome(sys.argv[1], 2)[0] == expected)
"""
    assert lints(script, tree) == "True"


@forks
def test_a_rule_that_fails_is_reported_with_its_traceback(tree: str) -> None:
    script = """
import traceback
def failing(deployment, policy):
    raise KeyError("what is this")
    yield
rule("missing-hsts").check = rule("key-mismatch").check = failing
shown = []
for jobs in (1, 2, 3):
    data, report = outcome(sys.argv[1], jobs)
    shown.append((data, ["".join(traceback.format_exception(failure)) for failure in report.failures]))
assert shown[0][0] == shown[1][0] == shown[2][0]
for _, traces in shown:
    assert len(traces) == 2
    assert "rule key-mismatch failed on" in traces[0]
    assert "rule missing-hsts failed on" in traces[1]
    assert all("in failing" in trace for trace in traces)
print("shown")
"""
    assert lints(script, tree) == "shown"


@forks
def test_an_interruption_ends_the_workers(tree: str) -> None:
    script = """
have_worker_run("missing-hsts", lambda: os.kill(main, signal.SIGINT) or time.sleep(60))
rule("key-mismatch").check = lambda deployment, policy: time.sleep(60)
began = time.monotonic()
try:
    outcome(sys.argv[1], 2)
except KeyboardInterrupt:
    pass
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("none is left", time.monotonic() - began < 30)
"""
    assert lints(script, tree) == "none is left True"


def test_what_is_left_to_workers_looks_at_no_certificate_and_reads_nothing() -> None:
    """What they read would not be known to the rest of the run; and what they worked out, it would work out again."""
    script = """
from support.rule_fixtures import deployments, fixtures
from tlslint.judging import ABOUT_CERTIFICATES
from tlslint.policy import load_policy
from tlslint.resolve.include import Files
from tlslint.resolve.model import Deployment
from tlslint.check import findings_of
from tlslint.fix.spelling import Speller
left = [module for module in RULES if not module.rule.code.startswith(ABOUT_CERTIFICATES)]
def refuse(*_):
    raise AssertionError("not for workers")
policy, number, failures = load_policy("mozilla-intermediate"), 0, []
usual = Deployment.certificates, Deployment.clients, Files._read, Files.bundle
for fixture in fixtures():
    with contextlib.chdir(fixture.folder):
        for deployment in deployments(fixture):
            known = set(deployment.files.located)
            Deployment.certificates = Deployment.clients = property(refuse)
            Files._read = Files.bundle = refuse
            for module in left:
                number += len(list(Speller(deployment).findings(findings_of(deployment, policy, [module]), failures)))
            Deployment.certificates, Deployment.clients, Files._read, Files.bundle = usual
            assert set(deployment.files.located) == known, fixture
assert not failures, failures[0].__cause__
print(number)
"""
    assert int(lints(script)) > 100
