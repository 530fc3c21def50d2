"""The promise for `stream` and `mail`: what `tlslint show` predicts is what a real nginx answers.

`TLSLINT_RANDOM_CONFIGURATIONS=300` is the long run.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from support.compare import disagreements, predicted_for
from support.prediction import predict
from support.random_nginx import Asked, GeneratedConfig
from support.random_others import AskedMail, generate_mail, generate_stream
from support.scanner import Observation, scan
from support.servers import NginxBinary, NginxServer, free_ports, nginx_test

CONFIGURATIONS = int(os.environ.get("TLSLINT_RANDOM_CONFIGURATIONS", "20"))
FIRST = int(os.environ.get("TLSLINT_RANDOM_FIRST", "0"))
MAIL_OFFERS = ("imap", "pop3", "smtp", "h2")


def contradictions(
    nginx: NginxBinary,
    certificates: Path,
    folder: Path,
    generate: Callable[..., GeneratedConfig],
    look: Callable[[Asked], Observation],
    offers: tuple[str, ...],
) -> Iterator[str | None]:
    """Each point in which the server contradicts the prediction, and None for each endpoint that was asked."""
    number = accepted = 0
    while accepted < CONFIGURATIONS:
        seed = f"{nginx.name} {generate.__name__} {FIRST} {number}"
        made = generate(random.Random(seed), certificates, free_ports(2), nginx.version, nginx.openssl)
        place = made.write(folder / str(number)).parent
        number += 1
        if not nginx_test(nginx, place)[0]:
            continue
        accepted += 1
        endpoints = predict(nginx, place / "nginx.conf")
        with NginxServer(nginx, place):
            for asked in made.endpoints:
                predicted = predicted_for(endpoints, asked)
                if predicted is None:
                    yield f"seed {seed!r}, {asked}: no prediction"
                    continue
                yield None
                for point in disagreements(predicted, look(asked), offers):
                    yield f"seed {seed!r}, {asked}: {point}"


def test_stream(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    def look(asked: Asked) -> Observation:
        return scan(asked.address, asked.port, asked.sni, request=b"")

    found = list(contradictions(nginx, certificates, tmp_path, generate_stream, look, ("h2", "http/1.1")))
    assert None in found
    assert [point for point in found if point] == []


def test_mail(nginx_mail: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    def look(asked: Asked) -> Observation:
        assert isinstance(asked, AskedMail)
        if asked.starttls:
            return scan(asked.address, asked.port, asked.sni, starttls=asked.protocol, alpn=MAIL_OFFERS)
        return scan(asked.address, asked.port, asked.sni, request=b"", alpn=MAIL_OFFERS)

    found = list(contradictions(nginx_mail, certificates, tmp_path, generate_mail, look, MAIL_OFFERS))
    assert None in found
    assert [point for point in found if point] == []
