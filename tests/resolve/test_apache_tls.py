"""mod_ssl's merge of main server and virtual host, its grammars, and who decides on a shared address."""

from dataclasses import replace
from pathlib import Path

import pytest

from tlslint.discover import discover
from tlslint.resolve.apache_read import read
from tlslint.resolve.apache_scope import Section
from tlslint.resolve.apache_tls import TlsReader, protocols_of, shadows
from tlslint.resolve.include import Files
from tlslint.resolve.model import CertificatePair, Place, Setting, TlsSettings, Unknown, presented
from tlslint.settings import Settings
from tlslint.target import Version, parse_target

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
TARGET = "apache=2.4.71,openssl=3.0.19"
GUARD = ":!aNULL:!eNULL:!EXP"
LATEST = Version("2.4.71")


def sections(text: str, target: str = TARGET) -> Section:
    """The main server of a configuration."""
    (root,) = discover(["-"], Settings(root=None, server="apache"), text.encode()).roots
    return read(replace(root, context="main"), parse_target(target, "apache")).main


def reader_of(main: Section, target: str = TARGET) -> TlsReader:
    return TlsReader(parse_target(target, "apache").concrete(), Files(root="/"), str(CERTIFICATES), main)


def hosts(text: str, target: str = TARGET) -> tuple[TlsReader, list[TlsSettings]]:
    """The settings of each virtual host in order, and the reader that made them."""
    main = sections(text, target)
    reader = reader_of(main, target)
    return reader, [reader.settings(section) for section in main.sections("virtualhost")]


def host(text: str, before: str = "", target: str = TARGET) -> TlsSettings:
    """The settings of the one virtual host with these lines."""
    return hosts(f"{before}\n<VirtualHost *:443>\n{text}\n</VirtualHost>\n", target)[1][0]


def two(first: str, second: str, before: str = "", target: str = TARGET) -> TlsSettings:
    """What governs the second of two virtual hosts."""
    text = f"{before}\n<VirtualHost *:443>\n{first}\n</VirtualHost>\n<VirtualHost *:443>\n{second}\n</VirtualHost>\n"
    reader, (one, other) = hosts(text, target)
    return reader.govern(other, one)


def files_of(tls: TlsSettings) -> list[tuple[str, str | None]]:
    return [(pair.file, pair.key_file) for pair in tls.certificates.known or ()]


def enabled(tls: TlsSettings) -> str:
    return " ".join(sorted(tls.effective_protocols.known or ())).replace("TLSv1.", "1.").replace("TLSv1", "1.0")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("all", "1.0 1.1 1.2 1.3"),
        ("all -SSLv3", "1.0 1.1 1.2 1.3"),
        ("all -SSLv3 -TLSv1 -TLSv1.1", "1.2 1.3"),
        ("TLSv1.2 +TLSv1.3", "1.2 1.3"),
        ("-all +TLSv1.2 +TLSv1.3", "1.2 1.3"),
        ("TLSv1.3 TLSv1.2", "1.2"),
        ("all TLSv1.2", "1.2"),
        ("TLSv1.2 TLSv1.3", "1.3"),
        ("+TLSv1.2 TLSv1.3", "1.3"),
        ("all -TLSv1", "1.1 1.2 1.3"),
        ("all -TLSv1.1", "1.2 1.3"),
        ("all -TLSv1.2", "1.3"),
        ("ALL -tlsV1.3", "1.0 1.1 1.2"),
        ("+TLSv1 +TLSv1.2", "1.2"),
        ("+TLSv1 +TLSv1.1 +TLSv1.3", "1.3"),
        ("-SSLv3", ""),
        ("-all", ""),
        ("-SSLv2", ""),
    ],
)
def test_protocols_start_from_nothing_and_have_no_holes(line: str, expected: str) -> None:
    assert enabled(host(f"SSLProtocol {line}")).replace("SSLv3 ", "").removeprefix("SSLv3") == expected


@pytest.mark.parametrize("word", ["SSLv2", "TLSv1.0", "TLSv12", "Any", "+", "all,-SSLv3", "#", ""])
def test_words_that_are_no_protocol(word: str) -> None:
    assert protocols_of(["all", word], LATEST) == word


def test_what_all_means_depends_on_the_version() -> None:
    assert protocols_of(["all"], Version("2.4.35")) == frozenset(("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"))
    assert protocols_of(["TLSv1.3"], Version("2.4.35")) == "TLSv1.3"
    assert "SSLv3" in (host("", target="apache=2.4.16,openssl=1.0.2").protocols.known or ())
    assert "SSLv3" not in (host("").protocols.known or ())


def test_holes_are_honoured_by_old_libraries() -> None:
    assert enabled(host("SSLProtocol +TLSv1 +TLSv1.2", target="apache=2.4.29,openssl=1.0.2")) == "1.0 1.2"


def test_scalars_of_a_host_replace_those_of_the_main_server() -> None:
    before = "SSLProtocol +TLSv1.2\nSSLCipherSuite AES256-SHA\nSSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"
    found = host("SSLCipherSuite HIGH\nSSLProtocol +TLSv1.3", before)
    assert enabled(found) == "1.3"
    assert found.ciphers.value == f"HIGH{GUARD}"
    assert found.ciphersuites.value == "TLS_AES_128_GCM_SHA256"
    assert [place.directive.line for place in found.ciphersuites.places] == [3]


def test_the_main_server_may_come_after_the_host() -> None:
    _, (found,) = hosts("<VirtualHost *:443>\n</VirtualHost>\nSSLProtocol TLSv1.3\n")
    assert enabled(found) == "1.3"


def test_the_last_line_wins() -> None:
    assert host("SSLCipherSuite HIGH\nSSLCipherSuite SSL AES128").ciphers.value == f"AES128{GUARD}"


@pytest.mark.parametrize(
    ("version", "given", "expected"),
    [
        ("2.4.71", "SSLCipherSuite HIGH", f"HIGH{GUARD}"),
        ("2.4.16", "SSLCipherSuite HIGH", "!aNULL:!eNULL:!EXP:HIGH"),
        ("2.4.6", "SSLCipherSuite HIGH", "HIGH"),
        ("2.4.71", "", f"DEFAULT{GUARD}"),
        ("2.4.16", "", "DEFAULT"),
        ("2.4.71", "SSLOpenSSLConfCmd CipherString AES128-SHA", f"AES128-SHA{GUARD}"),
    ],
)
def test_what_httpd_adds_to_cipher_strings(version: str, given: str, expected: str) -> None:
    assert host(given, target=f"apache={version},openssl=1.1.1").ciphers.value == expected


def test_one_word_is_always_a_list() -> None:
    assert host("SSLCipherSuite TLSv1.3").ciphers.value == f"TLSv1.3{GUARD}"


def test_commands_append_and_the_last_wins() -> None:
    found = host(
        "SSLOpenSSLConfCmd Curves P-384\nSSLProtocol TLSv1.3\nSSLOpenSSLConfCmd minprotocol TLSv1",
        "SSLOpenSSLConfCmd Curves P-256\nSSLOpenSSLConfCmd MaxProtocol TLSv1.2",
    )
    assert found.groups.value == "P-384"
    assert enabled(found) == "1.0 1.1 1.2"
    assert [command.name for command in found.conf_commands.known or ()] == [
        *("Curves", "MaxProtocol", "Curves", "minprotocol"),
    ]


def test_the_protocol_command_only_takes_away() -> None:
    assert enabled(host("SSLProtocol TLSv1.3\nSSLOpenSSLConfCmd Protocol TLSv1.2")) == "1.3"
    assert enabled(host("SSLOpenSSLConfCmd Protocol -ALL,TLSv1.2")) == "1.2"


def test_lists_of_certificates_are_merged_by_index() -> None:
    both = "".join(
        f"SSLCertificateFile {name}.pem\nSSLCertificateKeyFile {name}.key\n" for name in ("a-rsa", "a-ec256")
    )
    own = "SSLCertificateFile b-rsa.pem\nSSLCertificateKeyFile b-rsa.key"
    found = host(own, both)
    assert files_of(found) == [("b-rsa.pem", "b-rsa.key"), ("a-ec256.pem", "a-ec256.key")]
    assert [pair.key_type for pair in presented(found.certificates.known or ())] == ["rsa", "ec"]


def test_a_key_may_stand_in_the_certificate_file(tmp_path: Path) -> None:
    combined = tmp_path / "all.pem"
    combined.write_bytes((CERTIFICATES / "a-rsa.key").read_bytes() + (CERTIFICATES / "a-rsa.pem").read_bytes())
    found = host(f"SSLCertificateFile {combined}")
    (pair,) = found.certificates.known or ()
    assert pair.key is not None
    assert pair.key.key_type == "rsa"
    assert presented((pair,)) == (pair,)


def test_a_chain_file_drops_what_the_certificate_file_has() -> None:
    found = host(
        "SSLCertificateFile a-rsa.pem\nSSLCertificateKeyFile a-rsa.key", "SSLCertificateChainFile intermediate-ec.pem"
    )
    (pair,) = found.certificates.known or ()
    assert pair.bundle is not None
    assert [certificate.subject for certificate in pair.bundle.certificates] == [
        *("CN=a.example.test", "CN=intermediate-ec test CA"),
    ]
    assert pair.chain_file == "intermediate-ec.pem"


def test_a_chain_is_completed_from_the_store_of_client_authorities(tmp_path: Path) -> None:
    store = tmp_path / "ca.pem"
    names = ("intermediate-rsa.pem", "root-rsa.pem", "client-ca-1.pem")
    store.write_bytes(b"".join((CERTIFICATES / name).read_bytes() for name in names))
    lines = f"SSLCertificateKeyFile a-rsa.key\nSSLCACertificateFile {store}\nSSLCertificateFile "
    for file, number in (("a-rsa-leaf.pem", 3), ("a-rsa.pem", 2)):
        (pair,) = host(lines + file).certificates.known or ()
        assert pair.bundle is not None
        assert len(pair.bundle.certificates) == number


def test_a_curve_in_the_first_certificate_file_is_the_only_group(tmp_path: Path) -> None:
    file = tmp_path / "ec.pem"
    parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
    file.write_text(parameters + (CERTIFICATES / "a-ec256.pem").read_text())
    assert host(f"SSLCertificateFile {file}").groups.value == "secp384r1"
    assert host(f"SSLCertificateFile a-rsa.pem\nSSLCertificateFile {file}").groups.value == "auto"
    assert host(f"SSLCertificateFile {file}\nSSLOpenSSLConfCmd Groups X25519").groups.value == "X25519"


def test_managed_domains_have_a_certificate_that_is_not_known() -> None:
    found = host("ServerName www.example.test\nSSLEngine on", "MDomain example.test www.example.test auto")
    assert isinstance(found.certificates.value, Unknown)
    assert found.certificates.places
    assert host("ServerName other.example.test", "MDomain example.test").certificates.known == ()


@pytest.mark.parametrize(
    ("first", "second", "before", "expected"),
    [
        ("SSLProtocol TLSv1.2", "", "", "1.2"),
        ("SSLProtocol TLSv1.2", "SSLProtocol TLSv1.3", "", "1.3"),
        ("SSLProtocol TLSv1.2", "", "SSLProtocol TLSv1.3", "1.3"),
        ("", "SSLOpenSSLConfCmd MinProtocol TLSv1.3", "", "1.0 1.1 1.2 1.3"),
        ("", "SSLOpenSSLConfCmd MinProtocol TLSv1.3", "SSLProtocol all", "1.3"),
        ("SSLOpenSSLConfCmd MinProtocol TLSv1.2", "", "", "1.2 1.3"),
        ("SSLOpenSSLConfCmd Protocol -TLSv1.3", "SSLProtocol +TLSv1.2 +TLSv1.3", "", "1.2"),
    ],
)
def test_versions_of_a_named_host(first: str, second: str, before: str, expected: str) -> None:
    assert enabled(two(first, second, before)) == expected


def test_older_servers_take_versions_from_the_first_host() -> None:
    found = two("SSLProtocol TLSv1.2", "SSLProtocol TLSv1.3", target="apache=2.4.41,openssl=1.1.1")
    assert enabled(found) == "1.2"


def test_flags_once_set_stay() -> None:
    assert two("SSLHonorCipherOrder on", "SSLHonorCipherOrder off").server_order.value is True
    assert two("", "SSLHonorCipherOrder on").server_order_tls13.value is True
    assert two("SSLSessionTickets off", "SSLSessionTickets on").session_tickets.value is False
    found = two("SSLOpenSSLConfCmd Options PrioritizeChaCha", "SSLOpenSSLConfCmd Options -PrioritizeChaCha")
    assert found.options == {"PrioritizeChaCha"}


def test_groups_are_those_of_the_first_host() -> None:
    assert two("", "SSLOpenSSLConfCmd Curves P-384").groups.value == "auto"
    assert two("SSLOpenSSLConfCmd Curves P-384", "").groups.value == "P-384"


def test_ticket_keys_only_in_the_first_host_break_the_others() -> None:
    keys = "SSLSessionTicketKeyFile tickets"
    assert "internal_error" in two(keys, "").failure
    assert not two(keys, "SSLSessionTickets off").failure
    assert not two(keys, keys.replace("tickets", "others")).failure
    assert not two("", "", keys).failure
    found = two("", keys)
    assert not found.failure
    assert found.ticket_keys.value == ()


def test_what_a_host_sets_in_vain() -> None:
    text = "<VirtualHost *>\n</VirtualHost>\n<VirtualHost *>\nSSLOpenSSLConfCmd Curves P-384\nSSLProtocol TLSv1.3\n"
    reader, (first, second) = hosts(f"SSLHonorCipherOrder on\n{text}</VirtualHost>\n")
    governing = reader.govern(second, first)
    assert [shadow.field for shadow in shadows(second, governing, first, version_known=True)] == ["groups"]
    assert [shadow.field for shadow in shadows(second, governing, first, version_known=False)] == [
        "protocols",
        "groups",
    ]


def test_lists_of_revoked_certificates_need_a_check() -> None:
    named = "SSLCARevocationFile client-ca-1-crl.pem"
    idle = host(named)
    assert (idle.crl.value, idle.idle_crl and idle.idle_crl.value) == (None, "client-ca-1-crl.pem")
    used = host(f"{named}\nSSLCARevocationCheck leaf")
    assert (used.crl.value, used.idle_crl and used.idle_crl.value) == ("client-ca-1-crl.pem", None)


def test_sections_that_ask_for_certificates() -> None:
    found = host("<Location /in>\nSSLVerifyClient require\nSSLCipherSuite AES128-SHA\n</Location>\n"
                 "<Directory /x>\nSetEnv a b\n</Directory>",
                 "<If true>\nSSLVerifyDepth 3\n</If>")  # fmt: skip
    asked = [(item.place.directive.name, item.verify_client and item.verify_client.value) for item in found.directories]
    assert asked == [("If", None), ("Location", "required")]


def test_what_cannot_be_seen_is_unknown() -> None:
    main = sections("<VirtualHost *:443>\nSSLHonorCipherOrder on\n</VirtualHost>\n")
    main.children[0].incomplete = "a file is not here"
    found = reader_of(main).settings(main.children[0])
    assert found.server_order.value is True
    assert isinstance(found.protocols.value, Unknown)
    assert isinstance(found.certificates.value, Unknown)


def test_settings_of_hosts_that_are_alike_are_one_object() -> None:
    _, (first, second) = hosts("SSLProtocol TLSv1.2\n" + "<VirtualHost *:443>\nServerName a\n</VirtualHost>\n" * 2)
    assert first is second


def test_a_host_with_nothing_but_a_certificate_has_the_rest_of_the_main_server(tmp_path: Path) -> None:
    """The short way of reading such hosts ends where the long one does, which any other directive takes."""
    file = tmp_path / "all.pem"
    file.write_bytes((CERTIFICATES / "dhparam-2048.pem").read_bytes() + (CERTIFICATES / "a-rsa.pem").read_bytes())
    mains = (
        "",
        "SSLProtocol +TLSv1.2\nSSLOpenSSLConfCmd Curves P-384\nSSLVerifyClient require\nSSLHonorCipherOrder on",
        f"SSLCertificateFile a-ec256.pem\nSSLCertificateFile {file}\nSSLCACertificateFile root-rsa.pem",
        "SSLCertificateChainFile intermediate-ec.pem\nSSLCipherSuite HIGH:@SECLEVEL=3",
    )
    pair = f"SSLCertificateFile {file}\nSSLCertificateKeyFile a-rsa.key\nSSLCertificateKeyFile b-rsa.key"
    for main in mains:
        for lines in ("SSLEngine on", pair, "<Location /in>\nSSLVerifyClient require\n</Location>"):
            blocks = [f"<VirtualHost *>\n{more}\n{lines}\n</VirtualHost>\n" for more in ("", "SSLUserName X")]
            _, (short, long) = hosts(f"{main}\n{''.join(blocks)}")
            for name in TlsSettings.__dataclass_fields__:
                assert described(getattr(short, name)) == described(getattr(long, name)), name


def described(value: object) -> object:
    """What a field says, for the comparison of two hosts with lines of their own."""
    if isinstance(value, Setting):
        value = value.value
    if isinstance(value, tuple):
        return [described(item) for item in value]
    if isinstance(value, CertificatePair):
        return (value.file, value.key_file, value.chain_file, value.bundle)
    if isinstance(value, Place):
        return str(value.directive)[:30].partition(" at ")[0]
    return value if not hasattr(value, "place") else str(value.place.directive.arguments)
