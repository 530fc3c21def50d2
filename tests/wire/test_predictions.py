"""The promise: what `tlslint show` predicts is what a real nginx answers, for every name, no name and unknown names.

`TLSLINT_RANDOM_CONFIGURATIONS=300` is the long run.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.compare import disagreements, predicted_for
from support.prediction import predict
from support.random_nginx import GeneratedConfig, generate
from support.scanner import scan
from support.servers import NginxBinary, NginxServer, free_ports, nginx_test

CONFIGURATIONS = int(os.environ.get("TLSLINT_RANDOM_CONFIGURATIONS", "40"))
FIRST = int(os.environ.get("TLSLINT_RANDOM_FIRST", "0"))
BATCHES = 8


def accepted(
    nginx: NginxBinary, certificates: Path, folder: Path, batch: int, count: int
) -> Iterator[tuple[str, Path, GeneratedConfig]]:
    """Random configurations that pass `nginx -t`, with the seed and the folder of each."""
    number = 0
    while count:
        seed = f"{nginx.name} {FIRST} {batch} {number}"
        made = generate(random.Random(seed), certificates, free_ports(2), nginx.version, nginx.openssl)
        place = made.write(folder / str(number)).parent
        number += 1
        if nginx_test(nginx, place)[0]:
            count -= 1
            yield seed, place, made


@pytest.mark.parametrize("batch", range(BATCHES))
def test_predictions(nginx: NginxBinary, certificates: Path, tmp_path: Path, batch: int) -> None:
    wrong: list[str] = []
    asked_for = 0
    for seed, place, made in accepted(nginx, certificates, tmp_path, batch, CONFIGURATIONS // BATCHES):
        endpoints = predict(nginx, place / "nginx.conf")
        with NginxServer(nginx, place):
            for asked in made.endpoints:
                predicted = predicted_for(endpoints, asked)
                if predicted is None:
                    wrong.append(f"seed {seed!r}, {asked}: no prediction")
                    continue
                asked_for += 1
                seen = scan(asked.address, asked.port, asked.sni)
                wrong += [f"seed {seed!r}, {asked}: {point}" for point in disagreements(predicted, seen)]
    assert asked_for
    assert wrong == [], "\n".join(wrong)
