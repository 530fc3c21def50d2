"""Which certificates are in use, whose keys fit, who can read keys, and what counts as missing."""

import os
import shutil
from pathlib import Path

import pytest

from support.rule_fixtures import FIXTURES
from support.servers import needed_nginx
from tlslint.finding import Finding, Report
from tlslint.pki import known_keys
from tlslint.pki.anchors import TrustStoreError, load_trust_store
from tlslint.pki.bundle import read_bundle
from tlslint.pki.chain import SYSTEM_STORES, Authorities
from tlslint.pki.known_keys import fingerprint
from tlslint.resolve.model import Deployment
from tlslint.run import lint, predict
from tlslint.settings import Settings, SettingsError

CERTIFICATES = FIXTURES / "certificates"
NOW = "2026-06-01"


def server(name: str, certificate: str, key: str, listen: str = "127.0.0.1:8443 ssl") -> str:
    return (
        f"server {{ listen {listen}; server_name {name}; ssl_certificate {certificate}; ssl_certificate_key {key}; }}\n"
    )


def write(folder: Path, *servers: str) -> str:
    path = folder / "nginx.conf"
    path.write_text("events {}\nhttp {\n" + "".join(servers) + "}\n", encoding="utf-8")
    return str(path)


def copy(folder: Path, *names: str, mode: int = 0o600) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = Path(shutil.copy(CERTIFICATES / name, folder))
        path.chmod(mode)


def resolved(path: str, **settings: object) -> Deployment:
    (deployment,), _ = predict([path], Settings(now=NOW, trust_store=("none",), **settings))  # type: ignore[arg-type]
    return deployment


def report(path: str, *codes: str, **settings: object) -> Report:
    settings.setdefault("trust_store", ("none",))
    return lint([path], Settings(now=NOW, select=codes, **settings))  # type: ignore[arg-type]


def found(path: str, *codes: str, **settings: object) -> list[Finding]:
    return report(path, *codes, **settings).findings


class TestServed:
    def test_hosts_that_share_files_read_and_judge_them_once(self, tmp_path: Path) -> None:
        copy(tmp_path, *(f"{name}.{kind}" for name in ("a-rsa", "b-rsa", "c-rsa") for kind in ("pem", "key")))
        hosts = [server(f"h{index}.test", f"{'abc'[index % 3]}-rsa.pem", f"{'abc'[index % 3]}-rsa.key")
                 for index in range(300)]  # fmt: skip
        deployment = resolved(write(tmp_path, *hosts))
        assert deployment.files is not None
        assert deployment.files.reads == 7  # three certificates, three keys, the configuration
        served = deployment.certificates.served
        assert [len(item.pairs) for item in served] == [100, 100, 100]
        assert sum(len(item.endpoints) for item in served) == len(deployment.endpoints)
        assert len({id(deployment.certificates.chain(item)) for item in served}) == 3

    def test_one_finding_for_a_file_that_many_hosts_name(self, tmp_path: Path) -> None:
        copy(tmp_path, "a-rsa-expired.pem", "a-rsa.key")
        hosts = [server(f"h{index}.test", "a-rsa-expired.pem", "a-rsa.key") for index in range(50)]
        (finding,) = found(write(tmp_path, *hosts), "TLS308")
        assert "and 51 more endpoints" in finding.message
        assert len(finding.related) == 3
        assert finding.related[-1].message == "named here as well, and in 46 more directives"

    def test_the_last_of_a_key_type_is_meant(self, tmp_path: Path) -> None:
        copy(tmp_path, "a-rsa-expired.pem", "a-rsa.pem", "a-rsa.key")
        text = (
            "server { listen 127.0.0.1:8443 ssl; ssl_certificate a-rsa-expired.pem; ssl_certificate_key a-rsa.key;"
            " ssl_certificate a-rsa.pem; ssl_certificate_key a-rsa.key; }\n"
        )
        assert found(write(tmp_path, text), "TLS308") == []


class TestMissing:
    def test_what_is_not_kept_here_is_counted(self, tmp_path: Path) -> None:
        path = write(tmp_path, *(server(f"h{index}.test", f"/etc/ssl/{index}.pem", "x.key") for index in range(9)))
        result = report(path, "TLS3")
        assert result.findings == []
        assert len(result.unknown) == 9
        assert len({item.why for item in result.unknown}) == 1  # which makes it one line
        assert "--root" in result.unknown[0].why

    def test_required_certificates_are_missed(self, tmp_path: Path) -> None:
        path = write(tmp_path, server("a.test", "/etc/ssl/absent.pem", "x.key"))
        findings = found(path, "TLS3", require_certificates=True)
        assert [finding.code for finding in findings] == ["TLS301", "TLS301"]
        assert report(path, "TLS3", require_certificates=True).unknown == []

    def test_a_file_is_missed_beside_others(self, tmp_path: Path) -> None:
        copy(tmp_path, "a-rsa.pem", "a-rsa.key")
        path = write(tmp_path, server("a.test", "a-rsa.pem", "a-rsa.key"), server("b.test", "b-rsa.pem", "b-rsa.key"))
        assert [finding.code for finding in found(path, "TLS301")] == ["TLS301", "TLS301"]

    @pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink(path, path)], ids=["fifo", "loop"])
    def test_strange_files_are_findings_or_counted(self, tmp_path: Path, make: object) -> None:
        make(tmp_path / "a.pem")  # type: ignore[operator]
        result = report(write(tmp_path, server("a.test", "a.pem", "a.key")), "TLS3")
        assert not result.failures
        assert bool(result.findings) != bool(result.unknown)


class TestKeys:
    @pytest.mark.parametrize(
        ("mode", "folder_mode", "readers"),
        [(0o600, 0o755, ""), (0o644, 0o755, "every user"), (0o644, 0o700, ""), (0o604, 0o711, "every user"),
         (0o400, 0o755, "")],
    )  # fmt: skip
    def test_modes_count_with_those_of_the_directories(
        self, tmp_path_factory: pytest.TempPathFactory, mode: int, folder_mode: int, readers: str
    ) -> None:
        folder = Path("/tmp") / tmp_path_factory.mktemp("keys").name
        folder.mkdir()
        try:
            copy(folder, "a-rsa.pem", "a-rsa.key", mode=mode)
            folder.chmod(folder_mode)
            findings = found(write(folder, server("a.test", "a-rsa.pem", "a-rsa.key")), "TLS317")
        finally:
            shutil.rmtree(folder)
        assert bool(findings) == bool(readers)
        assert all(readers in finding.message for finding in findings)

    def test_a_shared_group_is_named(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = Path("/tmp") / tmp_path_factory.mktemp("keys").name
        folder.mkdir()
        try:
            copy(folder, "a-rsa.pem", "a-rsa.key", mode=0o640)
            if os.getuid() != 0:
                pytest.skip("only root may give files to other groups")
            os.chown(folder / "a-rsa.key", 0, 54321)
            folder.chmod(0o755)
            (finding,) = found(write(folder, server("a.test", "a-rsa.pem", "a-rsa.key")), "TLS317")
        finally:
            shutil.rmtree(folder)
        assert 'the group "54321"' in finding.message

    def test_a_checkout_has_no_modes(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        copy(tmp_path, "a-rsa.pem", "a-rsa.key", mode=0o644)
        assert found(write(tmp_path, server("a.test", "a-rsa.pem", "a-rsa.key")), "TLS317", "TLS318") == []


class TestTrustStore:
    def test_the_lazy_store_knows_what_the_whole_one_knows(self) -> None:
        lazy = load_trust_store(["system"])
        if lazy is None:
            pytest.skip("this machine has no store of roots")
        path = next(path for path in SYSTEM_STORES if Path(path).is_file())
        whole = Authorities(read_bundle(Path(path).read_bytes(), path).all_certificates)
        for root in whole:
            assert root in lazy
            assert lazy.issuers(root) == whole.issuers(root)

    def test_issuers_are_found_by_name(self) -> None:
        leaf, intermediate = read_bundle((CERTIFICATES / "a-rsa.pem").read_bytes(), "a").certificates
        lazy = load_trust_store([str(CERTIFICATES / "root-rsa.pem")])
        assert lazy is not None
        (root,) = lazy.issuers(intermediate)
        assert root.self_signed
        assert lazy.issuers(leaf) == []
        assert leaf not in lazy

    def test_none_means_not_knowing(self) -> None:
        assert load_trust_store(["none"]) is None

    def test_a_store_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TrustStoreError, match="No such file"):
            load_trust_store([str(tmp_path / "absent.pem")])
        (tmp_path / "empty.pem").touch()
        with pytest.raises(TrustStoreError, match="no certificate"):
            load_trust_store([str(tmp_path / "empty.pem")])
        path = write(tmp_path, server("a.test", "a.pem", "a.key"))
        with pytest.raises(SettingsError, match="trust-store"):
            lint([path], Settings(trust_store=(str(tmp_path / "absent.pem"),)))

    @pytest.mark.parametrize(("store", "codes"), [("none", []), ("anchors.pem", []), ("../root-rsa.pem", ["TLS305"])])
    def test_a_public_chain_without_an_anchor_lacks_something(
        self, tmp_path: Path, store: str, codes: list[str]
    ) -> None:
        copy(tmp_path, "workshop/healthy.pem", "workshop/keys/leaf.key")
        name = store if store == "none" else str(CERTIFICATES / "workshop" / store)
        path = write(tmp_path, server("shop.example.test", "healthy.pem", "leaf.key"))
        assert [finding.code for finding in found(path, "TLS305", trust_store=(name,))] == codes


class TestWeakKeyLists:
    @pytest.fixture
    def site(self, tmp_path: Path) -> str:
        copy(tmp_path, "workshop/healthy-rsa.pem", "workshop/keys/leaf-rsa.key")
        return write(tmp_path, server("shop.example.test", "healthy-rsa.pem", "leaf-rsa.key"))

    @pytest.fixture
    def lists(self, tmp_path: Path) -> Path:
        """A directory with a list of both keys of that chain."""
        folder = tmp_path / "lists"
        folder.mkdir()
        bundle = read_bundle((CERTIFICATES / "workshop" / "healthy-rsa.pem").read_bytes(), "both")
        numbers = [one.rsa_numbers[0] for one in bundle.certificates if one.rsa_numbers]
        lines = [f"{fingerprint(number).hex()}\n" for number in numbers]
        (folder / "blacklist.RSA-2048").write_text("# for tests\n" + "".join(lines), encoding="ascii")
        return folder

    def test_listed_keys_are_errors(self, site: str, lists: Path) -> None:
        assert not found(site, "weak-key")
        for name in (lists, lists / "blacklist.RSA-2048"):
            findings = found(site, "weak-key", weak_key_lists=(str(name),))
            assert [finding.severity.name for finding in findings] == ["ERROR", "ERROR"]
            for finding in findings:
                end = f'is broken: others can have the private key, as it is in a list of known ones ("{lists}'
                assert f'{end}/blacklist.RSA-2048")' in finding.message

    def test_lists_have_to_be_there(self, site: str, lists: Path) -> None:
        with pytest.raises(SettingsError, match=r"weak-key-lists: absent: No such file"):
            found(site, weak_key_lists=("absent",))
        (lists / "blacklist.RSA-4096").write_bytes(b"\n1\n")
        with pytest.raises(SettingsError, match=r"weak-key-lists: .*/blacklist.RSA-4096:2:1: a key is listed by"):
            found(site, weak_key_lists=(str(lists),))

    def test_those_of_this_machine_count_where_it_is_the_target(
        self, site: str, lists: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(known_keys, "SYSTEM_LISTS", str(lists))
        assert needed_nginx("nginx-system")
        assert not found(site, "weak-key")
        assert [finding.code for finding in found(site, "weak-key", target="local")] == ["TLS313", "TLS313"]

    def test_what_is_wrong_with_them_is_noted(self, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert needed_nginx("nginx-system")
        (tmp_path / "blacklist.RSA-1024").write_bytes(b"x")
        monkeypatch.setattr(known_keys, "SYSTEM_LISTS", str(tmp_path))
        made = report(site, "weak-key", target="local")
        assert not made.findings
        (note,) = [note for note in made.notes if "weak keys" in note]
        assert note.startswith(f"this machine's lists of weak keys are left out: {tmp_path}/blacklist.RSA-1024:1:1: ")


def test_days_before_expiry_can_be_set(tmp_path: Path) -> None:
    copy(tmp_path, "a-rsa-expired.pem", "a-rsa.key")  # until 2026-03-01
    path = write(tmp_path, server("a.test", "a-rsa-expired.pem", "a-rsa.key"))

    def severities(now: str, warn: int, error: int) -> list[str]:
        settings = Settings(
            now=now, select=("TLS309",), trust_store=("none",), expiry_warning_days=warn, expiry_error_days=error
        )
        return [finding.severity.label for finding in lint([path], settings).findings]

    assert severities("2026-02-10", 30, 7) == ["warning"]
    assert severities("2026-02-10", 10, 7) == []
    assert severities("2026-02-20", 30, 7) == ["warning"]
    assert severities("2026-02-20", 30, 15) == ["error"]


@pytest.mark.parametrize("text", ["2026-06-01", "2026-06-01T00:00Z", "2026-06-01T02:00+02:00"])
def test_the_moment_may_have_a_time_zone(tmp_path: Path, text: str) -> None:
    (deployment,), _ = predict([write(tmp_path, server("a.test", "a.pem", "a.key"))], Settings(now=text))
    assert deployment.now.isoformat() == "2026-06-01T00:00:00+00:00"


class TestUnread:
    @pytest.fixture
    def deployment(self, tmp_path: Path) -> Deployment:
        copy(tmp_path, "a-rsa.pem", "a-rsa.key")
        (tmp_path / "folder.pem").mkdir()
        names = {"chosen": "$ssl_server_name.pem", "other-choice": "$host.pem", "folder": "folder.pem"}
        absent = {f"absent-{index}": f"absent-{index}.pem" for index in range(5)}
        hosts = [server(f"{name}.test", file, "a-rsa.key") for name, file in (names | absent).items()]
        return resolved(write(tmp_path, server("here.test", "a-rsa.pem", "a-rsa.key"), *hosts))

    def test_each_endpoint_says_its_own_reason(self, deployment: Deployment) -> None:
        reasons = {
            str(endpoint.sni): dict(endpoint.unknown).get("certificates", "") for endpoint in deployment.endpoints
        }
        assert reasons["chosen.test"] == '"$ssl_server_name.pem" holds a variable'
        assert reasons["other-choice.test"] == '"$host.pem" holds a variable'
        assert reasons["folder.test"] == '"folder.pem" is a directory'
        for index in range(5):
            assert reasons[f"absent-{index}.test"].startswith(f'"absent-{index}.pem" ')
        assert reasons["here.test"] == ""

    def test_what_is_chosen_later_and_what_is_absent_are_no_one_answer(self, deployment: Deployment) -> None:
        for handshake in deployment.handshakes:
            assert len({endpoint.outcome for endpoint in handshake.endpoints}) == 1
        outcomes = {str(endpoint.sni): endpoint.outcome for endpoint in deployment.endpoints}
        assert outcomes["chosen.test"] == outcomes["other-choice.test"] == "unknown"
        assert outcomes["absent-0.test"] == outcomes["folder.test"] == outcomes["here.test"] == "completes"

    def test_absent_files_cost_no_answer_each(self, deployment: Deployment) -> None:
        assert len({endpoint.handshake for endpoint in deployment.endpoints if "absent" in str(endpoint.sni)}) == 1
