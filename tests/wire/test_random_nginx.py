"""Random configurations on real servers: what the scanner reports must make sense."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from support.random_nginx import GeneratedConfig, generate
from support.scanner import Observation, scan
from support.servers import NginxBinary, NginxServer, free_ports, nginx_test

CONFIGURATIONS = int(os.environ.get("TLSLINT_RANDOM_CONFIGURATIONS", "4"))


def accepted(
    nginx: NginxBinary, certificates: Path, folder: Path, count: int
) -> Iterator[tuple[str, Path, GeneratedConfig]]:
    """The first `count` random configurations that pass `nginx -t`, with the seed and the folder of each."""
    number = 0
    while count:
        seed = f"{nginx.name} {number}"
        made = generate(random.Random(seed), certificates, free_ports(2), nginx.version, nginx.openssl)
        place = made.write(folder / str(number)).parent
        if nginx_test(nginx, place)[0]:
            count -= 1
            yield seed, place, made
        number += 1


def contradictions(seen: Observation) -> Iterator[str]:
    """What cannot all be true in one observation."""
    if seen.handshake != "completes":
        if seen.protocols or seen.ciphers or seen.chains:
            yield "something is accepted without a handshake that completes"
        return
    if seen.protocols != seen.confirmed:
        yield f"accepted but not finished: {seen.unconfirmed}"
    for protocol in seen.protocols:
        names = seen.ciphers[protocol]
        if not names or len(set(names)) < len(names):
            yield f"{protocol}: no suite, or one twice"
        if {name.startswith("TLS_") for name in names} != {protocol == "TLSv1.3"}:
            yield f"{protocol}: suites of another version"
        if protocol < "TLSv1.2" and any("GCM" in name or "SHA256" in name or "SHA384" in name for name in names):
            yield f"{protocol}: suites of TLS 1.2"
        if protocol == "TLSv1.3" and not seen.groups[protocol]:
            yield "TLS 1.3 without a group"
        if protocol == "TLSv1.2" and any("ECDHE" in name for name in names) and not seen.groups[protocol]:
            yield "ECDHE without a group"
        types = seen.chains_by_protocol.get(protocol, {}).keys()
        if not types and any("ADH" not in name and "AECDH" not in name for name in names):
            yield f"{protocol}: no certificate"
        if protocol == "TLSv1.2" and any("ECDSA" in name for name in names) and not types & {"ec", "ed25519", "ed448"}:
            yield "ECDSA suites without such a certificate"
    for kind, chain in seen.chains.items():
        if any(by_type.get(kind, chain) != chain for by_type in seen.chains_by_protocol.values()):
            yield f"{kind}: another chain in another protocol"
    if any("DHE-RSA" in name and "ECDHE" not in name for names in seen.ciphers.values() for name in names):
        if not seen.dh_bits:
            yield "DHE without a prime"
    elif seen.dh_bits and not any("ADH" in name for names in seen.ciphers.values() for name in names):
        yield "a DH prime without DHE"
    if seen.authorities and seen.client_certificate == "none":
        yield "CA names without a CertificateRequest"


def test_observations_are_consistent(nginx: NginxBinary, certificates: Path, tmp_path: Path) -> None:
    outcomes = set()
    for seed, place, made in accepted(nginx, certificates, tmp_path, CONFIGURATIONS):
        with NginxServer(nginx, place):
            for asked in made.endpoints:
                seen = scan(asked.address, asked.port, asked.sni)
                outcomes.add(seen.handshake)
                assert list(contradictions(seen)) == [], f"seed {seed!r}, {asked}\n{seen}\n{made.text}"
    assert "completes" in outcomes


def test_the_seed_decides_everything(certificates: Path) -> None:
    first, second, other = (
        generate(random.Random(seed), certificates, [20001, 20002], (1, 31, 3), (3, 3, 7)) for seed in (5, 5, 6)
    )
    assert first == second
    assert first != other


def test_only_loopback_addresses_are_bound(certificates: Path) -> None:
    for seed in range(200):
        made = generate(random.Random(seed), certificates, [20001, 20002], (1, 22, 1), (3, 0, 19))
        listens = [line.split()[1].rstrip(";") for line in made.text.splitlines() if line.strip().startswith("listen ")]
        assert listens
        assert all(value.startswith(("127.0.0.", "[::1]:")) for value in listens)
        assert {asked.listen for asked in made.endpoints} == set(listens)


def test_names_are_examples_of_what_is_written(certificates: Path) -> None:
    unclaimed, claimed = 0, 0
    for seed in range(50):
        for asked in generate(random.Random(seed), certificates, [20001], (1, 22, 1), (3, 0, 19)).endpoints:
            unclaimed += asked.written == "*"
            claimed += asked.written not in (None, "*")
            assert (asked.sni is None) == (asked.written is None)
    assert unclaimed
    assert claimed
