"""A rule that is not loaded for a deployment would have found nothing in it."""

import csv
import random
from pathlib import Path

import pytest

from support import random_apache, random_nginx
from support.corpus import needed_corpus
from support.rule_fixtures import FIXTURES, Fixture, deployments, fixtures, has_resolver
from tlslint.policy import load_policy
from tlslint.resolve.model import Deployment
from tlslint.rules import LISTED, concerning
from tlslint.run import predict
from tlslint.settings import Settings

CERTIFICATES = FIXTURES / "certificates"
MODULES = Path("/usr/lib/apache2/modules")
"""Whether it is there does not matter: nothing is started."""
POLICIES = [load_policy(name) for name in ("mozilla-modern", "mozilla-intermediate", "stig")]
PLAIN = "events {}\nhttp { server { listen 80; server_name a.example; location / { return 301 https://$host; } } }\n"
STREAM = "events {}\nstream { server { listen 443; proxy_pass 127.0.0.1:8443; } }\n"


def left_out(deployment: Deployment) -> set[str]:
    """Return the names of the rules that are not loaded, each of which was asked all the same."""
    loaded = concerning(deployment)
    assert loaded == [rule for rule in LISTED if rule in loaded]
    others = [rule for rule in LISTED if rule not in loaded]
    for rule in others:
        if deployment.server in rule.module.rule.servers:
            for policy in POLICIES:
                found = list(rule.module.check(deployment, policy))
                assert found == [], f"{rule.name} has something to say of {deployment.entry}"
    return {rule.name for rule in others}


@pytest.mark.parametrize("fixture", [item for item in fixtures() if has_resolver(item.server)], ids=str)
def test_in_every_fixture(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixture.folder)
    for deployment in deployments(fixture):
        left_out(deployment)


def test_in_random_configurations_of_nginx(tmp_path: Path) -> None:
    for seed in range(40):
        made = random_nginx.generate(random.Random(seed), CERTIFICATES, [20001, 20002], (1, 31, 3), (3, 3, 7))
        for deployment in resolved(made.write(tmp_path / str(seed)), "nginx"):
            left_out(deployment)


def test_in_random_configurations_of_apache(tmp_path: Path) -> None:
    for seed in range(40):
        made = random_apache.generate(random.Random(seed), CERTIFICATES, [20001, 20002], MODULES)
        for deployment in resolved(made.write(tmp_path / str(seed)), "apache"):
            left_out(deployment)


def test_in_real_configurations() -> None:
    corpus = needed_corpus()
    with (corpus / "MANIFEST.csv").open(encoding="utf-8") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["kind"] in ("nginx", "apache")]
    seen = 0
    for row in rows[::3]:
        for deployment in resolved(corpus / row["local_path"], row["kind"]):
            left_out(deployment)
            seen += 1
    assert seen > 50


def resolved(path: Path, server: str) -> list[Deployment]:
    return predict([str(path)], Settings(server=server, now="2026-06-01", trust_store=("none",)))[0]


@pytest.mark.parametrize(("text", "family"), [(PLAIN, "ciphers"), (PLAIN, "certificates"), (STREAM, "upstream")])
def test_what_does_not_concern_a_file_is_not_loaded(text: str, family: str, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    [deployment] = resolved(tmp_path / "nginx.conf", "nginx")
    assert {rule.name for rule in LISTED if rule.family == family} <= left_out(deployment)
