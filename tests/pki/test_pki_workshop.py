"""The workshop: each fault is what its case says, the twins have none, and OpenSSL, cryptography and nginx agree."""

import filecmp
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from pki.workshop import FOLDER, SCRIPT, Case, anchors, cases
from support.apache import ApacheServer, needed_apache
from support.servers import NGINX_NAMES, NginxServer, ServerError, free_ports, needed_nginx
from tlslint.pki import dates
from tlslint.pki.bundle import Certificate, key_matches, read_bundle, read_private_key_facts
from tlslint.pki.chain import Authorities, Chain, Fault, analyse
from tlslint.pki.clients import client_authorities, without_current_crl
from tlslint.pki.dates import State
from tlslint.pki.keys import key_flaws
from tlslint.pki.names import Coverage, coverage, covers

READABLE = [name for name, case in cases().items() if case.certificate.exists() and not case.bundle.server_verdict]
SERVED = [name for name in READABLE if cases()[name].bundle.certificates]
ANCHORS = Authorities(anchors().certificates)

CHAIN_RULES = {
    Fault.LEAF_NOT_FIRST: "TLS304",
    Fault.OUT_OF_ORDER: "TLS304",
    Fault.MISSING_INTERMEDIATE: "TLS305",
    Fault.ROOT_SERVED: "TLS306",
    Fault.DUPLICATE: "TLS307",
    Fault.UNRELATED: "TLS307",
    Fault.PATH_TOO_LONG: "TLS322",
}
DATE_RULES = {
    State.EXPIRED: "TLS308",
    State.EXPIRING: "TLS309",
    State.EXPIRING_SOON: "TLS309",
    State.NOT_YET_VALID: "TLS310",
}


def found(case: Case) -> Iterator[str]:
    """The codes that the facts of a case call for, by the plainest reading of the catalogue."""
    if not case.certificate.exists():
        yield "TLS301"
        return
    bundle = case.bundle
    if bundle.server_verdict:
        yield "TLS302"
    if bundle.keys.count:
        yield "TLS316"
    if bundle.server_verdict:
        return
    key = read_private_key_facts(case.key.read_bytes()) if case.key else bundle.keys
    chain = analyse(bundle.certificates, anchors=ANCHORS, key_sha256=key.public_key_sha256)
    if case.key is None:
        yield "TLS319"
    elif key_matches(chain.leaf, key) is False:
        yield "TLS303"
    yield from (CHAIN_RULES[fault] for fault in chain.faults)
    yield from served_faults(case, chain)
    yield from leaf_faults(case, chain.leaf)
    yield from client_faults(case)


def served_faults(case: Case, chain: Chain) -> Iterator[str]:
    for certificate in chain.path:
        state = dates.life(certificate.not_before, certificate.not_after, case.now).state
        if state in DATE_RULES:
            yield DATE_RULES[state]
        if certificate.signature_hash in ("sha1", "md5"):
            yield "TLS312"
        if key_flaws(certificate):
            yield "TLS313"


def leaf_faults(case: Case, leaf: Certificate) -> Iterator[str]:
    if leaf.claims_public_trust and dates.excess_lifetime(leaf.not_before, leaf.not_after):
        yield "TLS311"
    if leaf.is_ca or not leaf.allows_server_authentication:
        yield "TLS314"
    if leaf.self_signed:
        yield "TLS315"
    stapling = case.settings.get("ssl_stapling") == "on"
    if leaf.must_staple and not stapling:
        yield "TLS320"
    if stapling and not any(url.startswith("http://") for url in leaf.ocsp_urls):
        yield "TLS701"
    if not leaf.dns_names:
        yield "TLS402"
    elif any(coverage(leaf, name).coverage is Coverage.UNCOVERED for name in case.server_names):
        yield "TLS401"
    if case.settings.get("use") == "proxy_ssl_certificate" and leaf.claims_public_trust:
        yield "TLS510"


def client_faults(case: Case) -> Iterator[str]:
    if "ssl_verify_client" not in case.settings:
        return
    if "client_ca" not in case.files:
        yield "TLS501"
        return
    authorities = client_authorities(read_bundle(case.files["client_ca"].read_bytes(), "ca").all_certificates)
    lists = read_bundle(case.files["crl"].read_bytes(), "crl").crls if "crl" in case.files else ()
    if not lists:
        yield "TLS507"
    if authorities.rootless or authorities.depth > int(case.settings.get("ssl_verify_depth", "1")):
        yield "TLS503"
    if any(ca.not_after < case.now for ca in authorities.usable):
        yield "TLS505"
    if lists and without_current_crl(authorities.usable, lists, case.now):
        yield "TLS505"


@pytest.mark.parametrize("name", cases())
def test_each_fault_is_found_by_exactly_its_rules(name: str) -> None:
    assert set(found(cases()[name])) == cases()[name].rules


def test_every_faulty_case_has_a_healthy_twin() -> None:
    for case in cases().values():
        assert (case.twin is not None) == bool(case.rules)
        if case.twin:
            assert not cases()[case.twin].rules


def test_the_script_writes_the_same_files_again(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    shutil.copytree(FOLDER / "keys", tmp_path / "workshop" / "keys")
    subprocess.run([sys.executable, tmp_path / SCRIPT.name], check=True, timeout=60)
    compared = filecmp.dircmp(FOLDER, tmp_path / "workshop")
    assert not compared.left_only + compared.right_only + compared.funny_files
    _, different, broken = filecmp.cmpfiles(FOLDER, tmp_path / "workshop", compared.common_files, shallow=False)
    assert not different + broken


def openssl(*arguments: str, data: bytes) -> str:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=20, check=False)
    return done.stdout.decode() + done.stderr.decode()


def pem(certificate: Certificate) -> bytes:
    return x509.load_der_x509_certificate(certificate.der).public_bytes(Encoding.PEM)


def distinct() -> dict[str, Certificate]:
    """Every certificate of the workshop, once."""
    return {
        certificate.sha256: certificate for name in READABLE for certificate in cases()[name].bundle.all_certificates
    }


DISTINCT = distinct()


@pytest.mark.parametrize("digest", DISTINCT, ids=[f"{c.label}-{c.sha256[:8]}" for c in DISTINCT.values()])
def test_openssl_reads_the_same_facts(digest: str) -> None:
    certificate = DISTINCT[digest]
    options = [
        "-noout",
        "-startdate",
        "-enddate",
        "-dateopt",
        "iso_8601",
        "-serial",
        "-fingerprint",
        "-sha256",
        "-subject",
        "-issuer",
    ]
    text = openssl("x509", "-nameopt", "RFC2253", *options, "-text", data=pem(certificate))
    fields = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w[\w ]*=", line))
    assert datetime.fromisoformat(fields["notBefore"].replace("Z", "+00:00")) == certificate.not_before
    assert datetime.fromisoformat(fields["notAfter"].replace("Z", "+00:00")) == certificate.not_after
    assert int(fields["serial"], 16) == certificate.serial
    assert fields["sha256 Fingerprint"].replace(":", "").lower() == certificate.sha256
    assert (fields["subject"], fields["issuer"]) == (certificate.subject, certificate.issuer)
    assert f"Signature Algorithm: {certificate.signature_algorithm}\n" in text
    assert tuple(re.findall(r"DNS:([^,\s]+)", text)) == certificate.dns_names
    assert ("CA:TRUE" in text) == certificate.is_ca
    assert tuple(re.findall(r"OCSP - URI:(\S+)", text)) == certificate.ocsp_urls
    assert ("status_request" in text) == certificate.must_staple
    assert ("TLS Web Server Authentication" in text) == ("serverAuth" in (certificate.extended_key_usage or ()))
    if certificate.curve:
        assert f"ASN1 OID: {certificate.curve}\n" in text
    if certificate.key_type == "rsa":
        assert f"({certificate.key_bits} bit)" in text


@pytest.mark.parametrize("name", SERVED)
def test_chain_verdict_agrees_with_openssl_verify(name: str) -> None:
    case = cases()[name]
    certificates = case.bundle.certificates
    chain = analyse(certificates, anchors=ANCHORS)
    time = str(int(case.now.timestamp()))
    command = (
        f"verify -no-CApath -no-CAstore -attime {time} -purpose sslserver -CAfile {FOLDER / 'anchors.pem'}".split()
    )
    untrusted = Path(FOLDER, case.certificate.name)
    verdict = openssl(*command, "-untrusted", str(untrusted), data=pem(chain.leaf))
    assert verdict.startswith("stdin: OK") == _predicts_ok(case, chain), verdict


def _predicts_ok(case: Case, chain: Chain) -> bool:
    valid = all(certificate.not_before <= case.now <= certificate.not_after for certificate in chain.path)
    return bool(chain.trusted) and valid and chain.overfull is None and chain.leaf.allows_server_authentication


def test_openssl_refuses_a_path_that_is_too_long() -> None:
    bundle = cases()["path-too-long"].bundle
    time = str(int(cases()["path-too-long"].now.timestamp()))
    command = ["verify", "-no-CApath", "-no-CAstore", "-attime", time, "-CAfile", str(FOLDER / "anchors.pem")]
    verdict = openssl(*command, "-untrusted", str(FOLDER / "path-too-long.pem"), data=pem(bundle.certificates[0]))
    assert "error 25 at" in verdict
    assert "path length constraint exceeded" in verdict


# that verifier also judges algorithms and the presence of names
ONLY_CHAINS = [
    name
    for name in SERVED
    if not cases()[name].rules & {"TLS312", "TLS313", "TLS314", "TLS402"} and name != "healthy-ed25519"
]


@pytest.mark.parametrize("name", ONLY_CHAINS)
def test_chain_verdict_agrees_with_cryptography(name: str) -> None:
    case = cases()[name]
    certificates = case.bundle.certificates
    chain = analyse(certificates, anchors=ANCHORS)
    store = Store([x509.load_der_x509_certificate(anchor.der) for anchor in ANCHORS])
    host = next(entry.replace("*", "any") for entry in chain.leaf.dns_names)
    verifier = PolicyBuilder().store(store).time(case.now.astimezone(UTC)).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(
            x509.load_der_x509_certificate(chain.leaf.der),
            [x509.load_der_x509_certificate(c.der) for c in certificates if c != chain.leaf],
        )
    except VerificationError:
        assert not _predicts_ok(case, chain)
    else:
        assert _predicts_ok(case, chain)


HOSTS = (
    "shop.example.test",
    "www.shop.example.test",
    "example.test",
    "a.example.test",
    "a.b.example.test",
    "other.test",
)


# without names OpenSSL falls back to the common name, which other clients do not
NAMED = [name for name in SERVED if cases()[name].bundle.certificates[0].dns_names]


@pytest.mark.parametrize("name", NAMED)
def test_names_agree_with_openssl(name: str) -> None:
    leaf = cases()[name].bundle.certificates[0]
    for host in HOSTS:
        verdict = openssl("x509", "-noout", "-checkhost", host, data=pem(leaf))
        assert ("does match certificate" in verdict) == covers(leaf, host), (host, verdict)


# an encrypted key makes nginx ask for its password; the faults of the others lie outside the certificate and key
STARTED = [
    name
    for name, case in cases().items()
    if not (case.key and "encrypted" in case.key.name) and not case.rules & {"TLS501", "TLS510"}
]


@pytest.mark.parametrize("binary", NGINX_NAMES)
@pytest.mark.parametrize("name", STARTED)
def test_nginx_refuses_with_the_words_of_the_manifest(name: str, binary: str) -> None:
    nginx = needed_nginx(binary)
    case = cases()[name]
    key = f"ssl_certificate_key {case.key};" if case.key else ""
    text = (
        "events {} http { server { listen 127.0.0.1:1 ssl; server_name shop.example.test;"
        f" ssl_certificate {case.certificate}; {key} }} }}"
    )
    server = NginxServer(nginx, text)
    try:
        passed, messages = server.test()
    finally:
        server.stop()
    if not case.refusal:
        assert "emerg" not in messages, messages
        assert passed or "bind()" in messages
    else:
        assert not passed
        assert case.refusal in messages
    verdict = _verdict(case)
    if verdict is not None:
        assert verdict in messages


@pytest.mark.parametrize("name", [name for name in STARTED if cases()[name].apache_refusal])
def test_apache_refuses_with_the_words_of_the_manifest(name: str) -> None:
    case = cases()[name]
    (port,) = free_ports(1)
    key = f"SSLCertificateKeyFile {case.key}\n" if case.key else ""
    text = (
        f"ServerName base.example.test\nListen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nSSLEngine on\n"
        f"SSLCertificateFile {case.certificate}\n{key}</VirtualHost>\n"
    )
    server = ApacheServer(needed_apache(), text)
    try:
        passed, messages = server.test()
        assert passed == case.apache_refusal.startswith("AH"), "what is there is looked at when the server starts"
        with pytest.raises(ServerError) as error:
            server.start()
    finally:
        server.stop()
    assert case.apache_refusal in messages + str(error.value)
    verdict = _verdict(case)
    if verdict is not None and passed:
        assert verdict in str(error.value)


def _verdict(case: Case) -> str | None:
    return case.bundle.server_verdict if case.certificate.exists() else None
