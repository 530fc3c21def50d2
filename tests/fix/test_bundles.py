"""Certificate files: the blocks change places, keys and text stay, and what an ACME client keeps is left to it."""

import re
import stat
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from support.rule_fixtures import FIXTURES
from tlslint.fix.bundle import acme_client
from tlslint.fix.engine import Outcome
from tlslint.fix.write import write
from tlslint.fixing import fix
from tlslint.pki.bundle import read_bundle
from tlslint.run import lint
from tlslint.settings import Settings

WORKSHOP = FIXTURES / "certificates" / "workshop"
CONFIGURATION = """events {}
http {
    server {
        listen 127.0.0.1:8443 ssl;
        server_name shop.example.test;
        ssl_certificate chain.pem;
        ssl_certificate_key leaf.key;
    }
}
"""
SETTINGS = Settings(now="2026-06-01", trust_store=(str(WORKSHOP / "anchors.pem"),), select=("chain-order",))
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\r?\n?", re.DOTALL)


def fixed(folder: Path, chain: bytes) -> Outcome:
    (folder / "nginx.conf").write_text(CONFIGURATION)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "leaf.key").write_bytes((WORKSHOP / "keys" / "leaf.key").read_bytes())
    with chdir(folder):
        return fix(["nginx.conf"], SETTINGS)


def order(data: bytes) -> list[str]:
    return [certificate.label for certificate in read_bundle(data, "x").certificates]


DISORDER = (WORKSHOP / "out-of-order.pem").read_bytes()


@pytest.mark.parametrize("name", ["out-of-order.pem", "leaf-last.pem"])
def test_the_chain_is_put_in_order(name: str, tmp_path: Path) -> None:
    before = (WORKSHOP / name).read_bytes()
    outcome = fixed(tmp_path, before)
    (change,) = outcome.changes
    assert change.backup
    assert sorted(BLOCK.findall(change.after)) == sorted(BLOCK.findall(before))
    assert order(change.after) != order(before)
    assert outcome.report.findings == []


KEY = (WORKSHOP / "keys" / "leaf.key").read_bytes()
SURROUNDINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("a key behind", lambda chain: chain + KEY),
    ("a key before", lambda chain: KEY + chain),
    ("a comment at the end", lambda chain: chain + b"# the end\n"),
    ("no end of the last line", lambda chain: chain.rstrip(b"\n")),
    ("CRLF", lambda chain: chain.replace(b"\n", b"\r\n")),
]


@pytest.mark.parametrize(("what", "made"), SURROUNDINGS, ids=lambda value: value if isinstance(value, str) else "")
def test_all_else_in_the_file_stays(what: str, made: Callable[[bytes], bytes], tmp_path: Path) -> None:
    before = made(DISORDER)
    (change,) = fixed(tmp_path, before).changes
    assert BLOCK.sub(b"@", change.after).rstrip(b"\r\n") == BLOCK.sub(b"@", before).rstrip(b"\r\n")
    assert order(change.after) == order(fixed(tmp_path, DISORDER).changes[0].after)


def test_text_goes_along_with_its_certificate(tmp_path: Path) -> None:
    blocks = BLOCK.findall(DISORDER)
    titled = b"\n".join(b"subject=%d\n" % number + block for number, block in enumerate(blocks))
    (change,) = fixed(tmp_path, titled).changes
    title = re.compile(rb"subject=(\d)\n(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)", re.DOTALL)
    found = title.findall(change.after)
    assert sorted(number for number, _ in found) == [b"%d" % number for number in range(len(blocks))]
    assert all(blocks[int(number)] == block for number, block in found)


def test_the_file_as_it_was_is_kept_beside_it(tmp_path: Path) -> None:
    outcome = fixed(tmp_path, DISORDER + KEY)
    (tmp_path / "chain.pem").chmod(0o640)
    assert write(outcome.changes) == [str(tmp_path / "chain.pem.orig")]
    copy = tmp_path / "chain.pem.orig"
    assert copy.read_bytes() == DISORDER + KEY
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert fixed(tmp_path, (tmp_path / "chain.pem").read_bytes()).changes == []


CLIENTS = [
    ("archive/shop/chain1.pem", ["renewal/shop.conf"], "certbot", "certbot renew --cert-name shop --force-renewal"),
    ("shop.example/fullchain.cer", ["shop.example/shop.example.conf", "shop.example/shop.example.cer"], "acme.sh",
     "acme.sh --renew -d shop.example --force"),
    ("shop_ecc/fullchain.cer", ["shop_ecc/shop.conf", "shop_ecc/shop.cer"], "acme.sh",
     "acme.sh --renew -d shop --ecc --force"),
    ("certs/shop/fullchain-1700000000.pem", ["config"], "dehydrated",
     "dehydrated --cron --force --domain shop"),
    ("certificates/shop.crt", ["certificates/shop.json"], "lego", "--domains shop renew --days 90"),
    ("certificates/ca/shop/shop.crt", ["certificates/ca/shop/shop.json"], "Caddy", ""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "beside", "name", "command"), CLIENTS)
def test_acme_clients_are_known_by_their_state(
    path: str, beside: list[str], name: str, command: str, tmp_path: Path
) -> None:
    file = tmp_path / path
    for each in (path, *beside):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_bytes(DISORDER)
    found = acme_client(str(file))
    assert found is not None
    assert found.name == name
    assert command in " ".join(found.commands)
    for each in beside:
        (tmp_path / each).unlink()
        (tmp_path / each).parent.rmdir() if not any((tmp_path / each).parent.iterdir()) else None
    assert acme_client(str(file)) is None, "the name alone says nothing"


APACHE = """LoadModule ssl_module modules/mod_ssl.so
Listen 127.0.0.1:8443
ServerName base.example.test
<VirtualHost 127.0.0.1:8443>
    ServerName shop.example.test
    SSLEngine on
    SSLCertificateFile chain.pem
    SSLCertificateKeyFile leaf.key
</VirtualHost>
"""


@pytest.mark.parametrize("configuration", [CONFIGURATION, APACHE], ids=["nginx", "apache"])
def test_what_certbot_keeps_is_shown_not_written(configuration: str, tmp_path: Path) -> None:
    folder = tmp_path / "letsencrypt"
    for name in ("live/shop", "archive/shop", "renewal"):
        (folder / name).mkdir(parents=True)
    (folder / "renewal" / "shop.conf").write_text("version = 2.1.0\n")
    (folder / "archive" / "shop" / "fullchain1.pem").write_bytes(DISORDER)
    (folder / "archive" / "shop" / "privkey1.pem").write_bytes(KEY)
    for name in ("fullchain", "privkey"):
        (folder / "live" / "shop" / f"{name}.pem").symlink_to(f"../../archive/shop/{name}1.pem")
    entry = "httpd.conf" if configuration == APACHE else "nginx.conf"
    text = configuration.replace("chain.pem", "letsencrypt/live/shop/fullchain.pem")
    (tmp_path / entry).write_text(text.replace("leaf.key", "letsencrypt/live/shop/privkey.pem"))
    with chdir(tmp_path):
        outcome = fix([entry], SETTINGS, unsafe=True)
        (finding,) = lint([entry], SETTINGS).findings
    assert outcome.changes == []
    assert "managed by certbot" in outcome.refused[0][1]
    assert finding.fix is not None
    assert finding.fix.commands == ("certbot renew --cert-name shop --force-renewal",)


CHAINED = """LoadModule ssl_module modules/mod_ssl.so
Listen 127.0.0.1:8443
ServerName base.example.test
SSLCertificateChainFile chain.pem
<VirtualHost 127.0.0.1:8443>
    ServerName shop.example.test
    SSLEngine on
    SSLCertificateFile leaf.pem
    SSLCertificateKeyFile leaf.key
</VirtualHost>
"""


def with_chain_file(folder: Path, certificate: bytes, chain: bytes, rule: str, *, unsafe: bool = False) -> Outcome:
    (folder / "httpd.conf").write_text(CHAINED)
    (folder / "leaf.pem").write_bytes(certificate)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "leaf.key").write_bytes(KEY)
    with chdir(folder):
        return fix(["httpd.conf"], replace(SETTINGS, select=(rule,)), unsafe=unsafe)


def test_a_chain_file_is_put_in_order_without_the_leaf(tmp_path: Path) -> None:
    leaf, *rest = BLOCK.findall(DISORDER)
    (change,) = with_chain_file(tmp_path, leaf, b"".join(rest), "chain-order").changes
    assert change.file.endswith("chain.pem")
    assert BLOCK.findall(change.after) == rest[::-1]


def test_a_chain_that_is_in_the_way_is_no_longer_named(tmp_path: Path) -> None:
    foreign = (FIXTURES / "certificates" / "intermediate-rsa.pem").read_bytes()
    healthy = (WORKSHOP / "healthy.pem").read_bytes()
    (change,) = with_chain_file(tmp_path, healthy, foreign, "missing-intermediate", unsafe=True).changes
    assert change.after.decode() == CHAINED.replace("SSLCertificateChainFile chain.pem\n", "")


def test_the_chain_of_something_else_is_left_alone(tmp_path: Path) -> None:
    foreign = (FIXTURES / "certificates" / "intermediate-rsa.pem").read_bytes()
    (leaf, *_) = BLOCK.findall(DISORDER)
    (tmp_path / "intermediates.pem").write_bytes((WORKSHOP / "leaf-only.intermediates.pem").read_bytes())
    outcome = with_chain_file(tmp_path, leaf, foreign, "missing-intermediate", unsafe=True)
    assert outcome.changes == []
    assert outcome.report.findings


def test_a_full_chain_in_the_chain_file_becomes_the_certificate_file(tmp_path: Path) -> None:
    healthy = (WORKSHOP / "healthy.pem").read_bytes()
    (change,) = with_chain_file(tmp_path, BLOCK.findall(healthy)[0], healthy, "unrelated-certificate").changes
    text = CHAINED.replace("SSLCertificateChainFile chain.pem\n", "")
    assert change.after.decode() == text.replace("leaf.pem", "chain.pem")


ROOTED = (WORKSHOP / "with-root.pem").read_bytes()


@pytest.mark.parametrize(("what", "made"), SURROUNDINGS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_removed_goes_alone(what: str, made: Callable[[bytes], bytes], tmp_path: Path) -> None:
    before = made(ROOTED)
    (tmp_path / "nginx.conf").write_text(CONFIGURATION)
    (tmp_path / "chain.pem").write_bytes(before)
    (tmp_path / "leaf.key").write_bytes(KEY)
    with chdir(tmp_path):
        outcome = fix(["nginx.conf"], replace(SETTINGS, select=("root-in-chain",)))
    (change,) = outcome.changes
    assert change.after == before.replace(BLOCK.findall(before)[-1], b"")


def test_a_mended_order_keeps_what_other_rules_are_about(tmp_path: Path) -> None:
    blocks = BLOCK.findall(DISORDER)
    (change,) = fixed(tmp_path, b"".join([blocks[0], *BLOCK.findall(ROOTED)[:-4:-1], blocks[0]])).changes
    assert sorted(BLOCK.findall(change.after)) == sorted([blocks[0], *BLOCK.findall(ROOTED)[:-4:-1], blocks[0]])


@pytest.mark.parametrize("configuration", [CONFIGURATION, APACHE], ids=["nginx", "apache"])
def test_the_full_chain_that_certbot_wrote_is_named(configuration: str, tmp_path: Path) -> None:
    healthy = (WORKSHOP / "healthy.pem").read_bytes()
    folder = tmp_path / "letsencrypt"
    for name in ("live/shop", "archive/shop", "renewal"):
        (folder / name).mkdir(parents=True)
    (folder / "renewal" / "shop.conf").write_text("version = 2.1.0\n")
    for name, data in (("fullchain", healthy), ("cert", BLOCK.findall(healthy)[0]), ("privkey", KEY)):
        (folder / "archive" / "shop" / f"{name}1.pem").write_bytes(data)
        (folder / "live" / "shop" / f"{name}.pem").symlink_to(f"../../archive/shop/{name}1.pem")
    entry = "httpd.conf" if configuration == APACHE else "nginx.conf"
    text = configuration.replace("chain.pem", "letsencrypt/live/shop/cert.pem")
    (tmp_path / entry).write_text(text.replace("leaf.key", "letsencrypt/live/shop/privkey.pem"))
    with chdir(tmp_path):
        outcome = fix([entry], replace(SETTINGS, select=("missing-intermediate",)))
    (change,) = outcome.changes
    expected = configuration.replace("chain.pem", "letsencrypt/live/shop/fullchain.pem")
    assert change.after.decode() == expected.replace("leaf.key", "letsencrypt/live/shop/privkey.pem")
    assert not change.backup
    assert outcome.report.findings == []
