"""Targets: version order, spellings, platforms, and what the installed binaries tell."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.servers import missing
from tlslint import target as module
from tlslint.target import (
    CURRENT,
    SUPPORTED,
    OpenSSLConf,
    Target,
    TargetError,
    Version,
    local_target,
    openssl_conf_of,
    parse_target,
    platform_names,
)

FACTS = json.loads(Path(module.__file__).with_name("data").joinpath("platforms.json").read_text(encoding="utf-8"))

numbers = st.lists(st.integers(0, 40), min_size=1, max_size=4).map(tuple)


class TestVersion:
    @pytest.mark.parametrize(
        "ascending",
        [
            ["1.9.15", "1.10.0", "1.22.1", "1.31.3"],
            ["1.0.1", "1.0.2", "1.0.2a", "1.0.2e", "1.0.2z", "1.0.2za", "1.1.0", "1.1.0h", "1.1.1", "1.1.1w", "3.0"],
            ["2.2.34", "2.4", "2.4.9", "2.4.10", "2.4.71"],
        ],
    )
    def test_releases_are_ordered_as_they_came_out(self, ascending: list[str]) -> None:
        versions = [Version(text) for text in ascending]
        assert sorted(set(versions)) == versions
        for earlier, later in pairwise(versions):
            assert earlier < later
            assert not later <= earlier

    @given(numbers, numbers)
    def test_numbers_compare_as_tuples_padded_with_zeros(self, one: tuple[int, ...], two: tuple[int, ...]) -> None:
        first, second = (Version(".".join(map(str, parts))) for parts in (one, two))
        width = max(len(one), len(two))
        padded = [parts + (0,) * (width - len(parts)) for parts in (one, two)]
        assert (first < second) == (padded[0] < padded[1])
        assert (first == second) == (padded[0] == padded[1])
        assert first != second or hash(first) == hash(second)

    @given(numbers)
    def test_str_gives_back_what_was_written(self, parts: tuple[int, ...]) -> None:
        text = ".".join(map(str, parts))
        assert str(Version(text)) == text

    @pytest.mark.parametrize("text", ["1.22.1-9+deb12u11", "1.0.2k-fips", "3.0.19~rc1"])
    def test_a_packagers_suffix_does_not_count(self, text: str) -> None:
        assert Version(text) == Version(re.split("[-~]", text)[0])
        assert str(Version(text)) == text

    @pytest.mark.parametrize("text", ["", "x", "1.", ".1", "1..2", "v1", "1.2 3", "1.2.3Z", "one.two", "١.٢"])
    def test_anything_else_is_not_a_version(self, text: str) -> None:
        with pytest.raises(ValueError):
            Version(text)

    def test_a_version_is_not_a_text(self) -> None:
        assert Version("1.2") != "1.2"
        with pytest.raises(TypeError):
            assert Version("1.2") < "1.3"  # type: ignore[operator]


class TestParseTarget:
    def test_without_a_spec_nothing_is_known(self) -> None:
        for spec in (None, "", " , "):
            target = parse_target(spec, "nginx")
            assert target == Target("nginx")
            assert not target.known

    def test_one_spec_serves_both_servers(self) -> None:
        spec = "nginx=1.22.1,apache=2.4.71,openssl=3.0.19"
        nginx, apache = parse_target(spec, "nginx"), parse_target(spec, "apache")
        assert (str(nginx.server), str(apache.server)) == ("1.22.1", "2.4.71")
        assert nginx.openssl == apache.openssl == Version("3.0.19")
        assert nginx.known
        assert apache.known

    def test_the_other_servers_version_says_nothing(self) -> None:
        target = parse_target("apache=2.4.71,openssl=3.0", "nginx")
        assert target.server is None
        assert not target.known
        assert str(target.openssl) == "3.0"

    @pytest.mark.parametrize("name", ["apache", "httpd", "apache2", "Apache"])
    def test_httpd_has_several_names(self, name: str) -> None:
        assert parse_target(f" {name} = 2.4.52 ", "apache").server == Version("2.4.52")

    @pytest.mark.parametrize(
        ("spec", "kind", "expected"),
        [("nginx=1.22", "nginx", "1.22.1"), ("apache=2.4", "apache", "2.4.71"), ("nginx=1.99", "nginx", "1.99")],
    )
    def test_a_branch_means_its_newest_known_release(self, spec: str, kind: str, expected: str) -> None:
        assert str(parse_target(spec, kind).server) == expected

    def test_a_platform_gives_versions_level_and_patches(self) -> None:
        target = parse_target("debian-12", "nginx")
        assert target.platform == "debian-12"
        assert target.server == Version("1.22.1")
        assert target.security_level == 2
        assert target.has_patch("CVE-2025-23419")
        assert target.known

    def test_a_written_version_wins_over_the_platforms(self) -> None:
        target = parse_target("debian-12,nginx=1.24", "nginx")
        assert target.server == Version("1.24.0")
        assert target.platform == "debian-12"
        assert target.security_level == 2
        assert not target.patches
        assert parse_target("nginx=1.22.1,debian-12", "nginx").patches

    @pytest.mark.parametrize(
        ("alias", "name"),
        [
            ("rocky-9", "rhel-9"),
            ("ALMA-9", "rhel-9"),
            ("bookworm", "debian-12"),
            ("nginx:stable", "docker-nginx-stable"),
        ],
    )
    def test_platforms_have_aliases(self, alias: str, name: str) -> None:
        assert parse_target(alias, "nginx") == parse_target(name, "nginx")

    @pytest.mark.parametrize(
        ("spec", "library"), [("libressl=4.0.0", "libressl"), ("boringssl=1", "boringssl"), ("aws-lc=1.50.0", "aws-lc")]
    )
    def test_another_library_has_no_openssl_version(self, spec: str, library: str) -> None:
        target = parse_target(f"debian-12,{spec}", "nginx")
        assert target.library == library
        assert target.library_version == Version(spec.partition("=")[2])
        assert target.openssl is None
        assert target.concrete().openssl is None
        assert target.openssl_versions == ()
        assert target.effective_security_level == 0

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("debain-12", "did you mean debian-12?"),
            ("rhel-99", "known are"),
            ("ngin=1.22", "did you mean nginx?"),
            ("nginx=latest", "'latest' is not a version of nginx; write it like nginx=1.22.1"),
            ("nginx=", "'' is not a version of nginx"),
            ("nginx=1.22.1,nginx=1.24.0", "names nginx twice"),
            ("debian-12,ubuntu-24.04", "'ubuntu-24.04' is the second"),
            ("openssl=3.0,libressl=4.0.0", "one TLS library, not openssl and libressl"),
        ],
    )
    def test_a_mistake_is_named(self, spec: str, message: str) -> None:
        with pytest.raises(TargetError, match=re.escape(message)):
            parse_target(spec, "nginx")

    def test_an_unknown_server_kind_is_named(self) -> None:
        with pytest.raises(TargetError, match="unknown server 'caddy'"):
            parse_target(None, "caddy")


class TestGaps:
    def test_unknown_versions_are_the_current_stable_ones(self) -> None:
        for kind in ("nginx", "apache"):
            target = parse_target(None, kind).concrete()
            assert target.server == CURRENT[kind]
            assert target.openssl == CURRENT["openssl"]
            assert not target.known

    def test_an_unknown_version_ranges_over_the_supported_ones(self) -> None:
        unknown, known = parse_target(None, "nginx"), parse_target("nginx=1.22.1", "nginx")
        assert unknown.server_versions == SUPPORTED["nginx"]
        assert known.server_versions == (Version("1.22.1"),)
        assert unknown.openssl_versions == SUPPORTED["openssl"]

    def test_the_supported_versions_cover_every_platform_and_the_current_releases(self) -> None:
        for kind in ("nginx", "apache", "openssl"):
            assert list(SUPPORTED[kind]) == sorted(SUPPORTED[kind])
            assert CURRENT[kind] in SUPPORTED[kind]
        assert CURRENT["nginx-mainline"] in SUPPORTED["nginx"]
        branches = {kind: {version.branch for version in SUPPORTED[kind]} for kind in ("nginx", "openssl")}
        for name in platform_names():
            target = parse_target(name, "nginx")
            assert target.server is None or target.server.branch in branches["nginx"], name
            assert target.openssl is None or target.openssl.branch in branches["openssl"], name
            apache = parse_target(name, "apache").server
            assert apache is None or apache in SUPPORTED["apache"], name


class TestPlatforms:
    def test_every_platform_says_where_its_facts_are_from(self) -> None:
        for name, facts in FACTS["platforms"].items():
            assert re.search(r"https://|Packages index of", facts["source"]), name
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", facts["looked_at"]), name
            missing = [key for key in ("nginx", "apache", "openssl") if facts[key] is None]
            explained = facts.get("notes", "") or name.startswith("docker-")
            assert not missing or explained, name

    def test_every_platform_can_be_parsed_for_both_servers(self) -> None:
        for name in (*platform_names(), *FACTS["aliases"]):
            for kind in ("nginx", "apache"):
                target = parse_target(name, kind)
                assert target.platform in platform_names()
                assert target.known == (target.server is not None)
                assert target.openssl_conf.unknown <= set(OpenSSLConf.__dataclass_fields__)

    def test_every_branch_is_completed_within_itself(self) -> None:
        for kind in ("nginx", "apache"):
            for branch, newest in FACTS["newest"][kind].items():
                assert Version(newest).branch == branch
            for version in SUPPORTED[kind]:
                assert version <= Version(FACTS["newest"][kind][version.branch])


class TestSecurityLevel:
    @pytest.mark.parametrize(
        ("spec", "level"),
        [
            ("openssl=1.0.2u", 0),
            ("openssl=1.1.1w", 1),
            ("openssl=3.0.19", 1),
            ("openssl=3.2.0", 2),
            ("openssl=4.0", 2),
            ("debian-12", 2),
            ("debian-11", 2),
            ("ubuntu-20.04", 2),
            ("rhel-9", 2),
        ],
    )
    def test_it_comes_from_the_configuration_the_platform_or_the_library(self, spec: str, level: int) -> None:
        assert parse_target(spec, "nginx").effective_security_level == level

    def test_the_configuration_wins(self) -> None:
        target = replace(parse_target("debian-12", "nginx"), openssl_conf=OpenSSLConf(cipher_string="ALL:@SECLEVEL=0"))
        assert target.effective_security_level == 0


class TestProtocolBounds:
    CONF = OpenSSLConf(min_protocol="TLSv1.2", max_protocol="TLSv1.3")

    @pytest.mark.parametrize(
        ("spec", "kind", "bound"),
        [
            ("nginx=1.15.2,openssl=1.1.1", "nginx", True),
            ("nginx=1.15.3,openssl=1.1.1", "nginx", False),
            ("nginx=1.15.5,openssl=1.1.0h", "nginx", True),
            ("nginx=1.15.6,openssl=1.1.0h", "nginx", False),
            ("openssl=3.0", "nginx", False),
            ("apache=2.4.25,openssl=1.1.1", "apache", True),
            ("apache=2.4.26,openssl=1.1.1", "apache", False),
        ],
    )
    def test_servers_ignore_the_bounds_of_openssl_cnf_since_some_version(
        self, spec: str, kind: str, bound: bool
    ) -> None:
        target = replace(parse_target(spec, kind), openssl_conf=self.CONF)
        assert target.protocol_bounds == (("TLSv1.2", "TLSv1.3") if bound else (None, None))


class TestOpenSSLConf:
    def read(self, folder: Path, text: str) -> OpenSSLConf | None:
        path = folder / "openssl.cnf"
        path.write_text(text, encoding="utf-8")
        return openssl_conf_of(path)

    def test_the_system_defaults_are_followed_through_the_sections(self, tmp_path: Path) -> None:
        text = """
        openssl_conf = main   # the start
        [ main ]
        ssl_conf = tls
        [tls]
        system_default = everyone
        [everyone]
        TLS.MinProtocol = TLSv1.2
        CipherString = "DEFAULT:@SECLEVEL=2"
        Groups = X25519:\\
P-256
        Options = -SessionTicket
        [unused]
        MinProtocol = TLSv1
        """
        assert self.read(tmp_path, text) == OpenSSLConf(
            min_protocol="TLSv1.2",
            cipher_string="DEFAULT:@SECLEVEL=2",
            groups="X25519:P-256",
            options="-SessionTicket",
        )

    @pytest.mark.parametrize(
        "text", ["", "[everyone]\nMinProtocol = TLSv1.2\n", "openssl_conf = main\n[main]\nssl_conf = missing\n"]
    )
    def test_without_the_chain_of_sections_nothing_is_set(self, tmp_path: Path, text: str) -> None:
        assert self.read(tmp_path, text) == OpenSSLConf()

    def test_a_missing_file_gives_none(self, tmp_path: Path) -> None:
        assert openssl_conf_of(tmp_path / "openssl.cnf") is None


NGINX_ON_OPENSSL = """nginx version: nginx/1.28.0
built with OpenSSL 3.5.0 8 Apr 2025 (running with OpenSSL 3.5.1 1 Jul 2025)
"""
OPENSSL_COMMAND = """OpenSSL 3.5.1 1 Jul 2025 (Library: OpenSSL 3.5.1 1 Jul 2025)
compiler: gcc -DOPENSSL_TLS_SECURITY_LEVEL=3 -DNDEBUG
OPENSSLDIR: "/nonexistent/ssl"
"""


class TestLocal:
    def ask(self, nginx: str = "", apache2: str = "", httpd: str = "", openssl: str = "") -> module.Ask:
        outputs = {"nginx": nginx, "apache2": apache2, "httpd": httpd, "openssl": openssl}
        return lambda command: outputs[command[0]] or None

    def test_the_library_that_runs_counts(self) -> None:
        target = local_target("nginx", self.ask(nginx=NGINX_ON_OPENSSL, openssl=OPENSSL_COMMAND))
        assert (str(target.server), str(target.openssl)) == ("1.28.0", "3.5.1")
        assert target.security_level == 3
        assert target.known

    def test_a_server_with_a_library_of_its_own_takes_nothing_from_the_openssl_command(self) -> None:
        nginx = "nginx version: nginx/1.31.3\nbuilt with OpenSSL 3.3.7 7 Apr 2026\n"
        target = local_target("nginx", self.ask(nginx=nginx, openssl=OPENSSL_COMMAND))
        assert str(target.openssl) == "3.3.7"
        assert target.security_level is None
        assert target.openssl_conf == OpenSSLConf()

    @pytest.mark.parametrize(
        ("line", "library", "version"),
        [
            ("built with LibreSSL 4.1.0", "libressl", "4.1.0"),
            ("built with AWS-LC 1.50.1", "aws-lc", "1.50.1"),
            ("built with OpenSSL 1.1.1 (compatible; BoringSSL)", "boringssl", None),
        ],
    )
    def test_other_libraries_are_recognised(self, line: str, library: str, version: str | None) -> None:
        target = local_target("nginx", self.ask(nginx=f"nginx version: nginx/1.28.0\n{line} (running with it)\n"))
        assert target.library == library
        assert target.library_version == (Version(version) if version else None)
        assert target.openssl is None

    def test_openresty_counts_as_the_nginx_that_it_is_built_from(self) -> None:
        target = local_target("nginx", self.ask(nginx="nginx version: openresty/1.27.1.2\nbuilt with OpenSSL 3.4.1\n"))
        assert Version("1.27.1") < Version(str(target.server)) < Version("1.27.2")

    def test_a_fork_with_versions_of_its_own_is_an_error(self) -> None:
        with pytest.raises(TargetError):
            local_target("nginx", self.ask(nginx="Tengine version: Tengine/3.1.0\n"))

    def test_httpd_answers_where_apache2_is_absent(self) -> None:
        target = local_target("apache", self.ask(httpd="Server version: Apache/2.4.62 (Red Hat)\n"))
        assert target.server == Version("2.4.62")

    def test_without_a_server_it_is_an_error(self) -> None:
        with pytest.raises(TargetError, match="apache2 -v or httpd -v does not tell a version of it"):
            local_target("apache", self.ask())

    @pytest.mark.parametrize(("kind", "command"), [("nginx", ["nginx", "-v"]), ("apache", ["apache2", "-v"])])
    def test_the_installed_server_is_asked(self, kind: str, command: list[str]) -> None:
        if shutil.which(command[0]) is None:
            missing(command[0])
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        told = re.search(r"/([\d.]+)", done.stdout + done.stderr)
        assert told is not None
        target = parse_target("local", kind)
        assert str(target.server) == told[1]
        assert target.known
