"""Client CAs: what is said of a CA file is what `openssl verify` does with it; what nginx takes as a CA file."""

import pickle
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.issue import Authority, issue
from pki.test_pki_pem import LEAF, ODDITIES
from pki.test_pki_served import key_file
from support.servers import NGINX_NAMES, NginxServer, needed_nginx
from tlslint.pki.bundle import read_bundle
from tlslint.pki.clients import client_authorities, without_current_crl

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = issue("Clients Root")
AUTHORITIES = [ROOT]
for level in range(3):
    AUTHORITIES.append(issue(f"Clients CA {level}", AUTHORITIES[-1]))
OTHER = issue("Clients Other Root")
CROSS = issue("Clients Root", OTHER)
POOL = (*AUTHORITIES, OTHER, CROSS)


def client(issuer: Authority) -> Authority:
    return issue("a client", issuer, is_ca=False, extensions=[])


CLIENTS = {authority: client(authority) for authority in POOL}


def crl(issuer: Authority, next_update: datetime, last_update: datetime = NOW - timedelta(days=30)) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(last_update)
        .next_update(next_update)
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def accepts(
    folder: Path, members: Sequence[Authority], presented: Authority, depth: int, crls: bytes | None = None
) -> bool:
    (folder / "ca").write_bytes(b"".join(member.pem for member in members))
    (folder / "client").write_bytes(presented.pem)
    command = (
        f"openssl verify -no-CApath -no-CAstore -CAfile ca -verify_depth {depth} -attime {NOW.timestamp():.0f}".split()
    )
    if crls is not None:
        (folder / "crl").write_bytes(crls)
        command += ["-crl_check_all", "-CRLfile", "crl"]
    done = subprocess.run([*command, "client"], cwd=folder, capture_output=True, timeout=20, check=False)
    return done.returncode == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(POOL), min_size=1, max_size=5, unique=True))
def test_depth_and_usability_agree_with_openssl(tmp_path: Path, members: list[Authority]) -> None:
    if ROOT in members and CROSS in members:
        members.remove(CROSS)  # OpenSSL may then follow either, and the depth depends on which
    found = client_authorities(member.read for member in members)
    results = {member: accepts(tmp_path, members, CLIENTS[member], 10) for member in members}
    assert {member.read for member, accepted in results.items() if accepted} == set(found.usable)
    usable = [member for member in members if member.read in found.usable]
    assert all(accepts(tmp_path, members, CLIENTS[member], found.depth) for member in usable)
    if found.depth:
        assert not all(accepts(tmp_path, members, CLIENTS[member], found.depth - 1) for member in usable)


def test_what_may_not_issue_is_no_ca() -> None:
    end = client(ROOT)
    found = client_authorities([ROOT.read, end.read])
    assert (found.roots, found.depth) == ((ROOT.read,), 0)


@pytest.mark.parametrize("missing", [None, 0, 1, 2])
@pytest.mark.parametrize("days", [30, -1])
def test_revocation_lists_agree_with_openssl(tmp_path: Path, missing: int | None, days: int) -> None:
    members = AUTHORITIES[:3]
    lists = [crl(member, NOW + timedelta(days=30)) for member in members]
    if missing is not None:
        lists[missing] = crl(members[missing], NOW + timedelta(days=days)) if days < 0 else b""
    data = b"".join(lists)
    lacking = without_current_crl([member.read for member in members], read_bundle(data, "crl.pem").crls, NOW)
    assert lacking == (() if missing is None else (members[missing].read,))
    assert accepts(tmp_path, members, CLIENTS[members[-1]], 10, data) == (not lacking)


def test_a_list_tells_who_is_revoked() -> None:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ROOT.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
    )
    revoked = x509.RevokedCertificateBuilder().serial_number(CLIENTS[ROOT].certificate.serial_number)
    builder = builder.add_revoked_certificate(revoked.revocation_date(NOW).build())
    data = builder.sign(ROOT.key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (found,) = read_bundle(data, "crl.pem").crls
    assert pickle.loads(pickle.dumps(found)).issuer_key == found.issuer_key
    assert found.revoked == 1
    assert found.revokes(CLIENTS[ROOT].read)
    assert not found.revokes(CLIENTS[AUTHORITIES[1]].read)
    assert (found.issued_by(ROOT.read), found.issued_by(CROSS.read), found.issued_by(OTHER.read)) == (True, True, False)


# OpenSSL 3.0 reads CA files through another function, which also decodes the private keys in them, and then once more
# to find the names to send, which sees no TRUSTED CERTIFICATE; nginx from 1.27.2 reads them as it reads chains
READ_OTHERWISE_BEFORE = {"only trusted", "key first", "key last"}


@pytest.mark.parametrize("binary", NGINX_NAMES)
def test_nginx_takes_and_refuses_the_same_files_as_client_cas(binary: str, tmp_path: Path) -> None:
    nginx = needed_nginx(binary)
    key, chain, authorities = key_file(tmp_path, LEAF), tmp_path / "chain.pem", tmp_path / "ca.pem"
    chain.write_bytes(LEAF.pem)
    server = NginxServer(
        nginx,
        f"events {{}} http {{ server {{ listen 127.0.0.1:1 ssl; ssl_certificate {chain}; ssl_certificate_key {key};"
        f" ssl_client_certificate {authorities}; ssl_verify_client on; }} }}",
    )
    disagreements = set()
    try:
        for name, data in ODDITIES.items():
            authorities.write_bytes(data)
            passed, _ = server.test()
            if passed != (read_bundle(data, name).server_verdict is None):
                disagreements.add(name)
    finally:
        server.stop()
    assert disagreements == (READ_OTHERWISE_BEFORE if nginx.version < (1, 27, 2) else set())
