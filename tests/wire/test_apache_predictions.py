"""The promise for Apache: what `tlslint show` predicts is what a real httpd answers, for every name, none and unknown.

And whether it answers at all: a configuration that does not start is one that is said not to, with the same number.
`TLSLINT_RANDOM_CONFIGURATIONS=300` is the long run.
"""

import os
import random
import re
from pathlib import Path

import pytest

from support.apache import ApacheServer, needed_apache
from support.compare import disagreements, predicted_for
from support.prediction import REFUSALS, apache_deployment, endpoints_of
from support.random_apache import ApacheConfig, generate
from support.scanner import scan
from support.servers import ServerError, free_ports
from tlslint.resolve.model import Deployment

CONFIGURATIONS = int(os.environ.get("TLSLINT_RANDOM_CONFIGURATIONS", "40"))
FIRST = int(os.environ.get("TLSLINT_RANDOM_FIRST", "0"))
BATCHES = 8


def refusals(deployment: Deployment) -> list[str]:
    return [problem.message for problem in deployment.problems if problem.kind in REFUSALS]


def fatal_number(messages: str) -> str | None:
    """The number of the message with which Apache gives up."""
    numbers = re.findall(r":emerg\][^\n]* (AH\d+):", messages)
    return next((number for number in numbers if number != "AH02312"), None)


def compare(seed: str, made: ApacheConfig, folder: Path) -> tuple[list[str], bool]:
    """What the server contradicts, and whether it runs at all."""
    deployment = apache_deployment(made.write(folder))
    refused = refusals(deployment)
    server = ApacheServer(needed_apache(), folder)
    try:
        passed, messages = server.test()
        assert passed, f"{seed}: {messages}"
        server.start()
    except ServerError as error:
        number = fatal_number(str(error))
        if number is None or not any(number in message for message in refused):
            return [f"{seed}: does not start ({error}), predicted {refused}"], False
        return [], False
    else:
        wrong = [f"{seed}: starts, predicted {refused}"] if refused else []
        endpoints = endpoints_of(deployment)
        for asked in made.endpoints:
            predicted = predicted_for(endpoints, asked)
            if predicted is None:
                wrong.append(f"{seed}, {asked}: no prediction")
                continue
            seen = scan(asked.address, asked.port, asked.sni)
            wrong += [f"{seed}, {asked}: {point}" for point in disagreements(predicted, seen)]
        return wrong, True
    finally:
        server.stop()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_predictions(certificates: Path, tmp_path: Path, batch: int) -> None:
    apache = needed_apache()
    wrong: list[str] = []
    number = running = 0
    while running < CONFIGURATIONS // BATCHES:
        seed = f"apache {FIRST} {batch} {number}"
        made = generate(random.Random(seed), certificates, free_ports(2), apache.modules)
        contradictions, runs = compare(seed, made, tmp_path / str(number))
        wrong += contradictions
        running += runs
        number += 1
    assert wrong == [], "\n".join(wrong)


def test_the_seed_decides_everything(certificates: Path) -> None:
    first, second, other = (
        generate(random.Random(seed), certificates, [20001, 20002], Path("modules")) for seed in (5, 5, 6)
    )
    assert first == second
    assert first != other


def test_only_loopback_addresses_are_bound(certificates: Path) -> None:
    for seed in range(200):
        made = generate(random.Random(seed), certificates, [20001, 20002], Path("modules"))
        listens = re.findall(r"^Listen (\S+)", made.text, re.MULTILINE)
        assert listens
        assert all(value.startswith(("127.0.0.", "[::1]:")) for value in listens)
        assert {asked.listen for asked in made.endpoints} == set(listens)
