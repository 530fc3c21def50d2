"""Fixed configurations on real servers: what started before starts, and clients meet what the prediction says."""

import random
from contextlib import chdir
from pathlib import Path

import pytest

from support.apache import ApacheServer, needed_apache
from support.compare import disagreements, predicted_for
from support.prediction import apache_deployment, endpoints_of, predict, target_of
from support.random_apache import generate as generate_apache
from support.random_nginx import generate as generate_nginx
from support.scanner import scan
from support.servers import NGINX_NAMES, NginxServer, ServerError, free_ports, needed_nginx
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.settings import Settings

SEEDS = range(6)
MODEST = {"root": "/", "now": "2026-06-01", "trust_store": ("none",)}


def make_fixes(entry: Path, server: str, target: str) -> int:
    """Make all fixes but those of certificates, which are the checkout's; how many files changed."""
    settings = Settings(**MODEST, server=server, target=target, unfixable=("TLS3",))  # type: ignore[arg-type]
    with chdir(entry.parent):
        outcome = fix([entry.name], settings, unsafe=True)
        assert outcome.report.failures == []
        write(outcome.changes)
        assert fix([entry.name], settings, unsafe=True).changes == []
    return len(outcome.changes)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NGINX_NAMES)
def test_nginx(name: str, seed: int, certificates: Path, tmp_path: Path) -> None:
    nginx = needed_nginx(name)
    rng = random.Random(f"fixed {seed}")
    made = generate_nginx(rng, certificates, free_ports(2), nginx.version, nginx.openssl)
    entry = made.write(tmp_path / "conf")
    try:
        with NginxServer(nginx, entry.parent):
            before = {asked: scan(asked.address, asked.port, asked.sni) for asked in made.endpoints}
    except ServerError:
        pytest.skip("this one does not start")
    make_fixes(entry, "nginx", target_of(nginx))
    endpoints = predict(nginx, entry)
    with NginxServer(nginx, entry.parent):
        for asked, seen_before in before.items():
            seen = scan(asked.address, asked.port, asked.sni)
            predicted = predicted_for(endpoints, asked)
            assert predicted is not None
            assert list(disagreements(predicted, seen)) == [], made.text
            if seen_before.handshake == "completes" and seen.handshake != "completes":
                # only where there was nothing that the policy has
                assert asked.written in (None, "*") or not {"TLSv1.2", "TLSv1.3"} & set(seen_before.protocols)


@pytest.mark.parametrize("seed", SEEDS)
def test_apache(seed: int, certificates: Path, tmp_path: Path) -> None:
    apache = needed_apache()
    made = generate_apache(random.Random(f"fixed {seed}"), certificates, free_ports(2), apache.modules)
    entry = made.write(tmp_path / "conf")
    try:
        with ApacheServer(apache, entry.parent):
            pass
    except ServerError:
        pytest.skip("this one does not start")
    make_fixes(entry, "apache", "local")
    endpoints = endpoints_of(apache_deployment(entry))
    with ApacheServer(apache, entry.parent):
        for asked in made.endpoints:
            predicted = predicted_for(endpoints, asked)
            assert predicted is not None
            seen = scan(asked.address, asked.port, asked.sni)
            assert list(disagreements(predicted, seen)) == [], made.text
