"""Where a prediction is that no client can connect, there is an error that says so: nothing of this is passed over."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import random_apache, random_nginx
from support.rule_fixtures import FIXTURES
from tlslint.check import check
from tlslint.finding import Finding, Severity
from tlslint.policy import load_policy
from tlslint.resolve.model import Deployment, Handshake
from tlslint.rules import LISTED
from tlslint.rules.protocols import failing_handshake
from tlslint.run import predict
from tlslint.settings import Settings

CONFIGURATIONS = int(os.environ.get("TLSLINT_RANDOM_CONFIGURATIONS", "60"))
FIRST = int(os.environ.get("TLSLINT_RANDOM_FIRST", "0"))
CERTIFICATES = FIXTURES / "certificates"
MODULES = Path("/usr/lib/apache2/modules")
"""Whether it is there does not matter: nothing is started."""
TARGETS = {"nginx": "nginx=1.31.3,openssl=3.5.4", "apache": "apache=2.4.71,openssl=3.0.22"}
EXPLAINING = {*failing_handshake.EXPLAINING, "failing-handshake", "syntax-error"}
"""Rules that say why nobody can connect. Weak settings, and what is wrong for other reasons, explain nothing."""


def explained(handshake: Handshake, found: list[Finding]) -> bool:
    """Whether an error on one of these endpoints, or on their socket, says why they fail."""
    sockets = {endpoint.listener.label for endpoint in handshake.endpoints}
    return any(
        finding.severity >= Severity.ERROR
        and finding.name in EXPLAINING
        and (not finding.endpoints or any(label.rpartition(" on ")[2] in sockets for label in finding.endpoints))
        for finding in found
    )


def failing(deployments: list[Deployment]) -> Iterator[tuple[Handshake, list[Finding]]]:
    modules = [listed.module for listed in LISTED]
    for deployment in deployments:
        failed = [item for item in deployment.handshakes if item.outcome == "rejected"]
        failed = [item for item in failed if not item.tls.reject_handshake.known]
        found = check(deployment, load_policy("intermediate"), modules) if failed else []
        yield from ((handshake, found) for handshake in failed)


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_random_configurations(server: str, tmp_path: Path) -> None:
    seen = 0
    for seed in range(FIRST, FIRST + CONFIGURATIONS):
        chance = random.Random(f"silent {server} {seed}")
        if server == "nginx":
            entry = random_nginx.generate(chance, CERTIFICATES, [20001, 20002], (1, 31, 3), (3, 5, 4)).write(
                tmp_path / str(seed)
            )
        else:
            entry = random_apache.generate(chance, CERTIFICATES, [20001, 20002], MODULES).write(tmp_path / str(seed))
        settings = Settings(server=server, target=TARGETS[server], now="2026-06-01", trust_store=("none",))
        for handshake, found in failing(predict([str(entry)], settings)[0]):
            seen += 1
            names = {finding.name for finding in found}
            assert explained(handshake, found), f"seed {seed}: {handshake.reason}; found {sorted(names)}"
    assert seen
