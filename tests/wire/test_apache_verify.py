"""What Apache refuses: the verdicts of `apache2 -t` and of the real start, and what tlslint says of each."""

import re
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.apache import ApacheServer, needed_apache
from support.prediction import REFUSALS, apache_deployment
from support.servers import ServerError, free_ports
from tlslint.resolve.model import Problem

CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"
PAIR = f"SSLCertificateFile {CERTIFICATES}/NAME.pem\nSSLCertificateKeyFile {CERTIFICATES}/NAME.key\n"
GOOD = PAIR.replace("NAME", "a-rsa")
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"


def pem(name: str) -> str:
    return (CERTIFICATES / f"{name}.pem").read_text(encoding="utf-8")


FILES = {
    "garbage.pem": b"hello\n",
    "empty.pem": b"",
    "damaged.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "short": b"k" * 47,
    "long": b"k" * 80,
    "leaf.der": ssl.PEM_cert_to_DER_cert(pem("a-rsa-leaf")),
    "weak-chain.pem": (pem("a-ec256").partition("-----END")[0] + "-----END CERTIFICATE-----\n"
                       + pem("intermediate-rsa")).encode(),
    "combined.pem": (pem("a-rsa") + (CERTIFICATES / "a-rsa.key").read_text(encoding="utf-8")).encode(),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A virtual host (and lines outside of it) and what is expected: `ok`, `test` or the number of the log message."""

    host: str
    expected: str
    main: str = ""
    certificate: str = GOOD
    engine: str = "SSLEngine on"
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        text = " | ".join(filter(None, (self.main, self.engine, self.certificate, self.host)))
        return re.sub(r"\s+", " ", text.replace(f"{CERTIFICATES}/", ""))[-90:]

    def text(self, port: int) -> str:
        inside = f"ServerName a.test\n{self.engine}\n{self.certificate}{self.host}\n"
        around = f"ServerName main.test\nListen 127.0.0.1:{port}\n{self.main}\n"
        return f"{around}<VirtualHost 127.0.0.1:{port}>\n{inside}</VirtualHost>\n"


def hosts() -> Iterator[Case]:
    """Cases that differ in the lines of the virtual host."""
    for line, expected in (
        ("", "ok"),
        ("SSLProtocol -SSLv3 -TLSv1 -TLSv1.1", "AH02231"),
        ("SSLProtocol", "AH02231"),
        ("SSLProtocol TLSv1.2 TLSv1.3", "ok"),
        ("SSLProtocol TLSv1.0", "test"),
        ("SSLProtocol SSLv2", "test"),
        ("SSLProtocol -SSLv2 +TLSv1.2", "ok"),
        ("SSLProtocol +SSLv3", "test"),
        ('SSLProtocol "all -SSLv3"', "test"),
        ("SSLProtocol + TLSv1.2", "test"),
        ("SSLProtocol all # not a comment", "test"),
        ("SSLCipherSuite NOSUCH", "AH01898"),
        ("SSLCipherSuite NOSUCH:AES128-SHA", "ok"),
        ("SSLCipherSuite TLSv1.3", "AH01898"),
        ("SSLCipherSuite aNULL", "AH01898"),
        ("SSLCipherSuite +HIGH", "AH01898"),
        ("SSLCipherSuite HIGH:@SECLEVEL=9", "AH01898"),
        ("SSLCipherSuite HIGH:@NOSUCH", "AH01898"),
        ("SSLCipherSuite HIGH:@SECLEVEL=3", "AH02562"),
        ('SSLCipherSuite ""', "test"),
        ("SSLCipherSuite TLSv1.3 NOSUCH", "AH10127"),
        ("SSLCipherSuite TLSv1.3 NOSUCH:TLS_AES_128_GCM_SHA256", "ok"),
        ("SSLCipherSuite TLSv1.2 HIGH", "test"),
        ("SSLCipherSuite tlsv1.3 TLS_AES_128_GCM_SHA256", "test"),
        ("SSLCipherSuite a b c", "test"),
        ("SSLHonorCipherOrder yes", "test"),
        ("SSLHonorCipherOrder", "test"),
        ("SSLHonorCipherOrder on # x", "ok"),
        ("SSLSessionTickets x", "test"),
        ("SSLStrictSNIVHostCheck x", "test"),
        ("SSLCompression on", "test"),
        ("SSLVerifyClient required", "test"),
        ("SSLVerifyClient require x", "test"),
        ("SSLVerifyClient", "test"),
        ("SSLVerifyClient require", "ok"),
        ("SSLVerifyDepth x", "ok"),
        ("SSLVerifyDepth -1", "test"),
        ("SSLSessionCacheTimeout x", "ok"),
        ("SSLSessionCacheTimeout -5", "test"),
        ("SSLCARevocationCheck on", "test"),
        ("SSLCARevocationCheck", "test"),
        ("SSLCARevocationCheck chain nosuch", "test"),
        ("SSLCARevocationCheck chain no_crl_for_cert_ok", "AH01899"),
        (f"SSLCARevocationCheck chain\nSSLCACertificateFile {CERTIFICATES}/client-ca-1.pem", "AH01899"),
        (f"SSLCARevocationCheck leaf\nSSLCARevocationFile {CERTIFICATES}/client-ca-1-crl.pem", "ok"),
        ("SSLCARevocationCheck leaf\nSSLCARevocationFile garbage.pem", "AH01901"),
        ("SSLCARevocationFile garbage.pem", "AH01901"),
        (f"SSLCARevocationFile {CERTIFICATES}/client-ca-1.pem", "ok"),
        ("SSLCARevocationPath nosuch", "test"),
        ("SSLOCSPEnable x", "test"),
        ("SSLOCSPEnable", "test"),
        ("SSLOCSPEnable leaf", "ok"),
        ("SSLOCSPEnable on no_ocsp_for_cert_ok", "ok"),
        ("SSLOptions NoSuch", "test"),
        ("SSLOptions CompatEnvVars", "test"),
        ("SSLOptions +StdEnvVars -StrictRequire", "ok"),
        ("SSLOptions", "ok"),
        ("SSLUseStapling on", "AH01958"),
        ("SSLUseStapling off", "ok"),
        ("SSLSessionTicketKeyFile short", "AH02287"),
        ("SSLSessionTicketKeyFile long", "ok"),
        ("SSLSessionTicketKeyFile nosuch", "test"),
        ("SSLCACertificateFile nosuch", "test"),
        ("SSLCACertificateFile garbage.pem", "AH01895"),
        (f"SSLCACertificateFile {CERTIFICATES}/a-rsa.key", "AH01895"),
        ("SSLCACertificatePath nosuch", "test"),
        (f"SSLCACertificatePath {CERTIFICATES}/a-rsa.pem", "test"),
        (f"SSLVerifyClient require\nSSLCACertificatePath {CERTIFICATES}", "ok"),
        ("SSLCADNRequestFile garbage.pem", "ok"),
        (f"SSLCertificateChainFile {CERTIFICATES}/dhparam-2048.pem", "ok"),
        ("SSLCertificateChainFile damaged.pem", "AH01903"),
        ("SSLCertificateChainFile nosuch", "test"),
        # contexts
        ("SSLSessionCache none", "test"),
        ("SSLStaplingCache shmcb:x", "test"),
        ("SSLVHostSNIPolicy secure", "test"),
        ("SSLPassPhraseDialog builtin", "test"),
        ("SSLRequireSSL", "test"),
        ("SSLRequire true", "test"),
        ("SSLRenegBufferSize 10", "test"),
        ("<Location />\nSSLProtocol all\n</Location>", "test"),
        ("<Directory />\nSSLEngine on\n</Directory>", "test"),
        ('<If "true">\nSSLProtocol all\n</If>', "test"),
        ("<Files x>\nSSLHonorCipherOrder on\n</Files>", "test"),
        ("<LocationMatch x>\nSSLSessionCache none\n</LocationMatch>", "test"),
        (
            "<Location />\nSSLCipherSuite HIGH\nSSLVerifyClient optional\nSSLVerifyDepth 2\nSSLRequireSSL\n</Location>",
            "ok",
        ),
        ("<Location />\nSSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256\n</Location>", "test"),
        (f"<Location />\nSSLCACertificateFile {CERTIFICATES}/client-ca-1.pem\n</Location>", "test"),
        (f"<Location />\nSSLCertificateFile {CERTIFICATES}/a-rsa.pem\n</Location>", "test"),
        ("<Location />\n<Limit GET>\nSSLVerifyClient none\n</Limit>\n</Location>", "ok"),
        ("<Location />\nSSLProxyProtocol all\n</Location>", "test"),
        ("SSLPolicy modern", "test"),
        ("SSLProxyProtocol -all", "ok"),
        ("SSLProxyEngine on\nSSLProxyProtocol -all", "AH02231"),
        ("SSLProxyEngine on\nSSLProxyCipherSuite NOSUCH", "AH01898"),
        ("SSLProxyEngine on\nSSLProxyCARevocationCheck chain", "AH01899"),
        ("SSLProxyCACertificateFile nosuch", "test"),
        ("SSLProxyVerify sometimes", "test"),
        ("SSLProxyCheckPeerName x", "test"),
    ):
        yield Case(line, expected, files=FILES)


def commands() -> Iterator[Case]:
    """Cases that are one OpenSSL command."""
    for words, expected in (
        ("NoSuch x", "test"),
        ("min_protocol TLSv1.2", "test"),
        ("MinProtocol", "test"),
        ("MinProtocol TLSv1.2 x", "test"),
        ("MinProtocol TLSv1.9", "AH02407"),
        ("MinProtocol tlsv1.2", "AH02407"),
        ("MinProtocol None", "ok"),
        ("MinProtocol none", "AH02407"),
        ("MaxProtocol TLSv1.0", "AH02407"),
        ("MinProtocol DTLSv1.2", "ok"),
        ("minprotocol TLSv1.2", "ok"),
        ("Protocol TLSv1.2", "ok"),
        ('Protocol "TLSv1.2 TLSv1.3"', "AH02407"),
        ("Protocol -ALL,tlsv1.2", "ok"),
        ("Protocol TLSv1.9", "AH02407"),
        ("Protocol TLSv1.0", "AH02407"),
        ("Curves nosuch", "AH02407"),
        ("Curves P-256:nosuch", "AH02407"),
        ("Curves auto", "AH02407"),
        ('Curves ""', "test"),
        ("Groups X25519:P-256", "ok"),
        ("ECDHParameters auto", "AH02407"),
        ("ECDHParameters Automatic", "ok"),
        ("ECDHParameters secp384r1", "ok"),
        ("ECDHParameters P-256:P-384", "AH02407"),
        ("CipherString NOSUCH", "AH02407"),
        ("CipherString aNULL", "AH02407"),
        ("CipherString HIGH", "ok"),
        ("Ciphersuites NOSUCH", "AH02407"),
        ("Ciphersuites NOSUCH:TLS_AES_128_GCM_SHA256", "ok"),
        ("Options NoSuch", "AH02407"),
        ("Options serverpreference,-SessionTicket", "ok"),
        ('Options "ServerPreference -SessionTicket"', "AH02407"),
        ("SignatureAlgorithms RSA+SHA256:ECDSA+SHA256", "ok"),
        ("VerifyMode Require", "ok"),
        ("VerifyMode nosuch", "AH02407"),
        ("VerifyMode Peer", "AH02407"),
        ("VerifyMode Request,Once", "ok"),
        ("DHParameters nosuch", "test"),
        (f"DHParameters {CERTIFICATES}/dhparam-2048.pem", "ok"),
        (f"DHParameters {CERTIFICATES}/dhparam-1024.pem", "AH02407"),
        ("NumTickets 0", "ok"),
        ("NumTickets x", "ok"),
        ("NumTickets -1", "AH02407"),
        ("RecordPadding 100", "ok"),
        ("RecordPadding 99999", "AH02407"),
        (f"Certificate {CERTIFICATES}/b-rsa.pem", "AH02572"),
        ("Certificate nosuch", "test"),
        (f"PrivateKey {CERTIFICATES}/b-rsa.key", "AH02407"),
        (f"PrivateKey {CERTIFICATES}/a-rsa.key", "ok"),
        (f"PrivateKey {CERTIFICATES}/a-ec256.key", "AH02572"),
        ("VerifyCAFile nosuch", "test"),
        (f"VerifyCAFile {CERTIFICATES}/client-ca-1.pem", "ok"),
        ("VerifyCAPath nosuch", "test"),
    ):
        yield Case(f"SSLOpenSSLConfCmd {words}", expected)


def pairs() -> Iterator[Case]:
    """Cases that differ in certificates and keys."""
    weak = PAIR.replace("NAME", "weak-rsa1024")
    command = f"SSLOpenSSLConfCmd Certificate {CERTIFICATES}/b-rsa.pem\n"
    own_key = f"SSLOpenSSLConfCmd PrivateKey {CERTIFICATES}/b-rsa.key\n"
    file, key = f"SSLCertificateFile {CERTIFICATES}/", f"SSLCertificateKeyFile {CERTIFICATES}/"
    for lines, expected in (
        (f"{file}a-rsa.pem\n{key}b-rsa.key\n", "AH02565"),
        (f"{file}a-rsa-intermediate-first.pem\n{key}a-rsa.key\n", "AH02565"),
        (f"{file}a-rsa.pem\n{key}a-ec256.key\n", "AH02565"),
        (f"{file}a-rsa.pem\n{key}a-ec256.key\n{file}a-ec256.pem\n{key}a-rsa.key\n", "AH02565"),
        (f"{file}a-rsa.pem\n{key}a-rsa.key\n{file}a-ec256.pem\n{key}a-rsa.key\n", "ok"),
        (f"{file}a-ec256.pem\n{key}a-ec256.key\n{GOOD}", "ok"),
        (f"{file}a-rsa.pem\n{file}b-rsa.pem\n{key}a-rsa.key\n{key}b-rsa.key\n", "ok"),
        (f"SSLCertificateFile leaf.der\n{key}a-rsa.key\n", "AH02562"),
        (f"SSLCertificateFile garbage.pem\n{key}a-rsa.key\n", "AH02562"),
        (f"SSLCertificateFile damaged.pem\n{key}a-rsa.key\n", "AH02562"),
        (f"{file}a-rsa.key\n{key}a-rsa.key\n", "AH02562"),
        (weak, "AH02562"),
        (f"{weak}SSLCipherSuite HIGH:@SECLEVEL=1\n", "ok"),
        (f"{weak}SSLOpenSSLConfCmd CipherString HIGH:@SECLEVEL=1\n", "AH02562"),
        (f"{weak}SSLCertificateChainFile {CERTIFICATES}/intermediate-rsa.pem\n", "AH02561"),
        (f"{GOOD}SSLOpenSSLConfCmd CipherString HIGH:@SECLEVEL=3\n", "ok"),
        (f"{file}a-ec256.pem\n{key}a-ec256.key\nSSLCipherSuite HIGH:@SECLEVEL=3\n", "ok"),
        (f"{file}a-ec256.pem\n{key}a-ec256.key\nSSLCipherSuite HIGH:@SECLEVEL=4\n", "AH02562"),
        (f"{file}a-ec384.pem\n{key}a-ec384.key\nSSLCipherSuite HIGH:@SECLEVEL=4\n", "AH02562"),
        (f"{file}a-ed25519.pem\n{key}a-ed25519.key\nSSLCipherSuite HIGH:@SECLEVEL=3\n", "ok"),
        (f"SSLCertificateFile weak-chain.pem\n{key}a-ec256.key\nSSLCipherSuite HIGH:@SECLEVEL=3\n", "AH02562"),
        (f"{file}root-rsa.pem\n{key}root-rsa.key\n", "ok"),
        (f"{file}a-rsa.pem\n", "AH02564"),
        (f"{file}a-rsa.pem\n{key}root-rsa.pem\n", "AH02564"),
        ("SSLCertificateFile combined.pem\n", "ok"),
        ("", "AH02572"),
        (f"{key}a-rsa.key\n", "AH02572"),
        (command + own_key, "ok"),
        (f"{PAIR.replace('NAME', 'a-ec256')}SSLCipherSuite HIGH:@SECLEVEL=3\n{command}{own_key}", "AH02407"),
        (f"SSLOpenSSLConfCmd CipherString HIGH:@SECLEVEL=3\n{command}{own_key}", "AH02407"),
        (command, "AH02572"),
        ("SSLCertificateFile nosuch.pem\n", "test"),
        ("SSLCertificateFile empty.pem\n", "test"),
        (f"SSLCertificateFile {CERTIFICATES}\n", "test"),
        (f"{file}a-rsa.pem x\n", "test"),
        ("SSLCertificateFile\n", "test"),
    ):  # fmt: skip
        yield Case("", expected, certificate=lines, files=FILES)


def others() -> Iterator[Case]:
    """Cases that differ outside of the host, or in whether it has TLS."""
    bad = "SSLProtocol -all\nSSLCipherSuite NOSUCH\nSSLUseStapling on"
    yield Case(bad, "ok", engine="SSLEngine off")
    yield Case(bad, "ok", engine="")
    yield Case(bad, "ok", engine="SSLEngine optional")
    yield Case("", "ok", certificate="", engine="SSLEngine off")
    yield Case(f"{GOOD}SSLOptions +NoSuch", "test", engine="SSLEngine off")
    yield Case("", "test", engine="SSLEngine yes")
    yield Case("", "test", engine="SSLEngine on off")
    yield Case("", "AH02572", main="SSLEngine on", engine="")
    yield Case("", "AH02572", main="SSLEngine on", engine="SSLEngine off")
    yield Case("", "ok", main=f"SSLEngine on\n{GOOD}", engine="", certificate="")
    yield Case("SSLProtocol all", "ok", main="SSLProtocol -all")
    yield Case("", "AH02231", main="SSLProtocol -all")
    yield Case("SSLUseStapling off", "ok", main="SSLUseStapling on")
    yield Case("SSLUseStapling on", "ok", main="SSLStaplingCache shmcb:stapling(32768)")
    yield Case("", "test", main="SSLSessionCache shm:x")
    yield Case("", "test", main="SSLSessionCache shmcb:x(100)")
    yield Case("", "test", main="SSLStaplingCache shm:x(32768)")
    yield Case("", "test", main="SSLStaplingCache shmcb:x(100)")
    yield Case("", "ok", main="SSLSessionCache nonenotnull")
    yield Case("", "test", main="SSLVHostSNIPolicy x")
    yield Case("", "test", main="SSLRequireSSL")
    yield Case("", "test", main="SSLMutex default")
    yield Case(
        "", "AH02565", main=GOOD.replace("a-rsa", "b-rsa"), certificate=f"SSLCertificateFile {CERTIFICATES}/a-rsa.pem\n"
    )
    yield Case("", "ok", main=f"SSLCertificateKeyFile {CERTIFICATES}/a-rsa.key",
               certificate=f"SSLCertificateFile {CERTIFICATES}/a-rsa.pem\n")  # fmt: skip


CASES = [*hosts(), *commands(), *pairs(), *others()]


def said(entry: Path) -> list[Problem]:
    return [problem for problem in apache_deployment(entry).problems if problem.kind in REFUSALS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_refused(case: Case, tmp_path: Path) -> None:
    (tmp_path / "apache2.conf").write_text(f"ServerRoot {tmp_path}\n{case.text(free_ports(1)[0])}", encoding="utf-8")
    for name, data in case.files.items():
        (tmp_path / name).write_bytes(data)
    problems = said(tmp_path / "apache2.conf")
    server = ApacheServer(needed_apache(), tmp_path)
    try:
        passed, messages = server.test()
        seen = "test"
        if passed:
            seen = "ok"
            try:
                server.start()
            except ServerError as error:
                numbers = re.findall(r":emerg\][^\n]* (AH\d+):", str(error))
                seen = next(number for number in numbers if number != "AH02312")
    finally:
        server.stop()
    assert seen == case.expected, messages
    texts = [problem.message for problem in problems]
    if seen == "ok":
        assert texts == []
    elif seen == "test":
        assert len(texts) == 1, messages
        assert "apache2 -t" in problems[0].label
        assert "Syntax OK" not in problems[0].label
        assert first_words(texts[0]) in messages
    else:
        assert len(texts) == 1
        assert f"({seen})" in texts[0]
        assert "Syntax OK" in problems[0].label or "has 47" in problems[0].label


def first_words(message: str) -> str:
    """Enough of a message to know it by: what httpd has more of is a help text."""
    return message.partition(", ")[0]


@pytest.mark.parametrize("directive", ["SSLSessionCache", "SSLStaplingCache"])
def test_a_cache_needs_its_module(directive: str, tmp_path: Path) -> None:
    binary = needed_apache()
    case = Case("", "test", main=f"{binary.load('ssl')}\n{directive} dbm:cache")
    (tmp_path / "apache2.conf").write_text(case.text(free_ports(1)[0]), encoding="utf-8")
    server = ApacheServer(binary, tmp_path)
    try:
        passed, messages = server.test()
    finally:
        server.stop()
    assert not passed
    (problem,) = said(tmp_path / "apache2.conf")
    assert problem.message in messages
    text = (tmp_path / "apache2.conf").read_text(encoding="utf-8")
    (tmp_path / "apache2.conf").write_text(f"{binary.load('socache_dbm')}\n{text}", encoding="utf-8")
    assert said(tmp_path / "apache2.conf") == []


@pytest.mark.parametrize(
    ("before", "after", "number"),
    [
        ("a-rsa.key", "b-rsa.key", "AH02565"),
        ("SSLEngine on", "SSLEngine on\nSSLProtocol -SSLv3", "AH02231"),
        ("SSLEngine on", "SSLEngine on\nSSLCipherSuite ECDHE-RSA-AES128-GCM-SHA265", "AH01898"),
        ("SSLEngine on", "SSLEngine on\nSSLUseStapling on", "AH01958"),
    ],
)
def test_a_graceful_reload_ends_the_server(before: str, after: str, number: str) -> None:
    """`apache2 -t` is content, and all sites are gone."""
    case = Case("", "ok")
    with ApacheServer(needed_apache(), case.text(free_ports(1)[0])) as server:
        text = server.configuration.read_text(encoding="utf-8")
        server.configuration.write_text(text.replace(before, after))
        assert [number in problem.message for problem in said(server.configuration)] == [True]
        assert server.test()[0]
        server.reload()
        assert server.has_ended()
        assert number in server.error_log


@pytest.mark.parametrize(
    "hosts",
    [
        "<VirtualHost *:1>\nHOST</VirtualHost>",
        "<VirtualHost nosuch.invalid:PORT>\nHOST</VirtualHost>",
        '<VirtualHost "" *:PORT>\nHOST</VirtualHost>',
        "HOST<VirtualHost *:PORT>\nServerName b\nSSLProtocol all\n</VirtualHost>",
    ],
)
def test_a_host_that_nothing_reaches_ends_the_server_as_well(hosts: str, tmp_path: Path) -> None:
    for engine, is_up in (("on", False), ("off", True)):
        port = free_ports(1)[0]
        inside = f"ServerName a.test\nSSLEngine {engine}\nSSLProtocol -all\n{GOOD}"
        text = f"Listen 127.0.0.1:{port}\n{hosts.replace('PORT', str(port)).replace('HOST', inside)}\n"
        server = ApacheServer(needed_apache(), text)
        try:
            problems = [problem.message for problem in said(server.configuration)]
            assert server.test()[0]
            if is_up:
                server.start()
            else:
                with pytest.raises(ServerError, match="AH02231"):
                    server.start()
        finally:
            server.stop()
        assert ["AH02231" in problem for problem in problems] == ([] if is_up else [True])


def test_an_encrypted_key_is_no_certain_refusal(tmp_path: Path) -> None:
    """Somebody may sit at the terminal and type the pass phrase."""
    encrypted = subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", str(CERTIFICATES / "a-rsa.key")],
        capture_output=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    (tmp_path / "encrypted.key").write_bytes(encrypted)
    pair = f"SSLCertificateFile {CERTIFICATES}/a-rsa.pem\nSSLCertificateKeyFile {tmp_path}/encrypted.key\n"
    (tmp_path / "apache2.conf").write_text(Case("", "", certificate=pair).text(free_ports(1)[0]), encoding="utf-8")
    assert said(tmp_path / "apache2.conf") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".htaccess", "SSLRequireSSL\nSSLRequire true\n"),
        ("snippet.conf", "SSLRequireSSL\nSSLCARevocationCheck chain\nSSLUseStapling on\n"),
        ("ssl.conf", "Listen 443 https\n<VirtualHost *:443>\nSSLEngine on\nSSLUseStapling on\n</VirtualHost>\n"),
        (
            "conf.d/ssl.conf",
            (
                "LoadModule ssl_module modules/mod_ssl.so\nListen 443\nSSLSessionCache shmcb:x(512000)\n"
                "<VirtualHost *:443>\nSSLEngine on\nSSLUseStapling on\n</VirtualHost>\n"
            ),
        ),
        ("apache2.conf", "Include gone.conf\nListen 443\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n"),
    ],
)
def test_nothing_is_missing_from_a_part_of_a_configuration(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    problems = apache_deployment(tmp_path / name).problems
    assert not [problem for problem in problems if re.search("AH0|allowed|supported", problem.message)]


def test_what_is_wrong_in_a_part_is_wrong_in_the_whole(tmp_path: Path) -> None:
    text = "SSLProtocol TLSv1.0\n<VirtualHost *:443>\nSSLEngine on\nSSLSessionCache none\n</VirtualHost>\n"
    (tmp_path / "site.conf").write_text(text, encoding="utf-8")
    messages = [problem.message for problem in said(tmp_path / "site.conf")]
    assert messages == [
        "SSLProtocol: Illegal protocol 'TLSv1.0'",
        "SSLSessionCache cannot occur within <VirtualHost> section",
    ]


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (("a-rsa", "a-ec256"), [True]),
        (("a-rsa", "a-rsa", "a-ec256", "a-rsa"), [False]),
        (("a-rsa", "b-rsa"), [True]),
        (("a-rsa", "a-rsa", "a-ec256", "a-ec256"), []),
    ],
)
def test_the_server_notices_a_key_of_another_type(tmp_path: Path, lines: tuple[str, ...], refused: list[bool]) -> None:
    """Unlike nginx, unless that other type has its certificate already."""
    certificate = "".join(
        f"SSLCertificate{kind} {CERTIFICATES}/{name}.{ending}\n"
        for name, (kind, ending) in zip(lines, (("File", "pem"), ("KeyFile", "key")) * 2, strict=False)
    )
    (tmp_path / "apache2.conf").write_text(Case("", "", certificate=certificate).text(8443), encoding="utf-8")
    found = apache_deployment(tmp_path / "apache2.conf").certificates.mismatches()
    assert [mismatch.refused for mismatch in found] == refused
