"""One fault is one finding: random protocol settings and cipher lists, each version and suite judged exactly once."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.apache import USUAL_MODULES, needed_apache
from support.rule_fixtures import Fixture, findings, fixtures
from tlslint.check import check
from tlslint.discover import discover
from tlslint.finding import Finding
from tlslint.parse.tree import Tree
from tlslint.policy import ProtocolVerdict, load_policy
from tlslint.resolve import apache, nginx
from tlslint.resolve.model import Deployment
from tlslint.rules import RULES
from tlslint.rules.suites import broken, cipher_uses, outside, without_forward_secrecy
from tlslint.run import lint
from tlslint.settings import Settings
from tlslint.target import parse_target
from tlslint.tls.ciphers import evaluate, tokens
from tlslint.tls.handshake import build

PROTOCOLS = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
TARGETS = {
    "nginx": [
        None, "debian-12", "nginx=1.18.0,openssl=1.1.1w", "nginx=1.31.3,openssl=3.3.7", "nginx=1.16.1,openssl=1.0.2",
    ],
    "apache": [
        None, "debian-12", "apache=2.4.41,openssl=1.1.1w", "apache=2.4.71,openssl=3.3.7",
        "apache=2.4.54,openssl=3.0.19",
    ],
}  # fmt: skip
POLICIES = ["intermediate", "modern", "old@5.8", "pci-dss-4", "nist-sp-800-52r2", "stig"]
WORDS = [
    "ALL", "HIGH", "DEFAULT", "ECDHE+AESGCM", "EECDH", "kRSA", "AES128-SHA", "DES-CBC3-SHA", "RC4-SHA", "3DES", "aNULL",
    "NULL-SHA256", "DHE+AES", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", "CAMELLIA", "SEED",
    "ECDHE-RSA-AES128-SHA", "AES256-GCM-SHA384", "!aNULL", "!3DES", "-kRSA", "!MD5", "@SECLEVEL=0", "@STRENGTH",
]  # fmt: skip
FAMILIES = [module for module in RULES if module.rule.code[3] in "12"]

protocol_lists = st.lists(st.sampled_from(PROTOCOLS), min_size=1, max_size=5, unique=True)
commands = st.one_of(
    st.tuples(st.sampled_from(["MinProtocol", "MaxProtocol"]), st.sampled_from(PROTOCOLS[1:])),
    st.tuples(st.just("Protocol"), st.sampled_from(["+TLSv1", "-TLSv1.3", "TLSv1.1", "ALL", "-ALL,TLSv1.2"])),
)


targets = st.one_of(*[st.tuples(st.just(server), st.sampled_from(known)) for server, known in TARGETS.items()])
"""A server and a target for it."""


def protocols_line(names: list[str], server: str) -> str:
    """Switch these versions on, and no other."""
    if server == "nginx":
        return f"ssl_protocols {' '.join(names)};"
    # without SSLv3 in its library, as everywhere today, httpd refuses the word itself
    return f"SSLProtocol -all {' '.join(f'+{name}' for name in names if name != 'SSLv3') or '+TLSv1.2'}"


def command_line(name: str, value: str, server: str) -> str:
    return f"ssl_conf_command {name} {value};" if server == "nginx" else f"SSLOpenSSLConfCmd {name} {value}"


def ciphers_line(words: list[str], server: str) -> str:
    return f"ssl_ciphers '{':'.join(words)}';" if server == "nginx" else f"SSLCipherSuite '{':'.join(words)}'"


def deployment_of(lines: list[str], where: tuple[str, str | None]) -> Deployment:
    server, target = where
    if server == "nginx":
        head = ["events {}", "http {", "server {", "listen 127.0.0.1:443 ssl;", "server_name a.example.test;"]
        tail = ["ssl_certificate absent.pem;", "ssl_certificate_key absent.key;", *lines, "}", "}"]
    else:
        head = ["LoadModule ssl_module modules/mod_ssl.so", "ServerName b.example.test", "Listen 127.0.0.1:443"]
        head += ["<VirtualHost 127.0.0.1:443>", "ServerName a.example.test", "SSLEngine on"]
        tail = ["SSLCertificateFile absent.pem", "SSLCertificateKeyFile absent.key", *lines, "</VirtualHost>"]
    text = "\n".join([*head, *tail, ""])
    (root,) = discover(["-"], Settings(root=None, server=server), text.encode()).roots
    if server == "apache":
        return apache.resolve(root, parse_target(target, "apache"))
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return nginx.resolve(root, tree, parse_target(target, "nginx"))


def offering(words: list[str], where: tuple[str, str | None]) -> Deployment:
    server = where[0]
    return deployment_of([protocols_line(["TLSv1.2", "TLSv1.3"], server), ciphers_line(words, server)], where)


def versions_in(item: Finding) -> list[str]:
    """The versions that a finding of one of the protocol rules says to be on."""
    text = item.message
    if item.code == "TLS108":
        text = " ".join(re.findall(r"switches ((?:(?!switches).)*?) on\b", text))
    elif item.code == "TLS106":
        text = text.partition("endpoints: ")[2]
    return re.findall(r"SSLv3|TLSv1(?:\.\d)?", text)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(protocol_lists, max_size=2),
    st.lists(commands, max_size=2),
    targets,
    st.sampled_from(POLICIES),
)
def test_each_version_outside_the_policy_is_reported_once(
    written: list[list[str]], given_commands: list[tuple[str, str]], where: tuple[str, str | None], policy_name: str
) -> None:
    lines = [protocols_line(names, where[0]) for names in written]
    lines += [command_line(name, value, where[0]) for name, value in given_commands]
    deployment = deployment_of(lines, where)
    policy = load_policy(policy_name)
    found = check(deployment, policy, [module for module in FAMILIES if module.rule.code[3] == "1"])
    tls = deployment.endpoints[0].tls
    enabled = tls.effective_protocols.known
    assert enabled is not None
    if any(item.code == "TLS105" for item in found):
        assert {item.code for item in found} <= {"TLS105"}
        return
    unwanted = {name for name in enabled if policy.judge_protocol(name) is not ProtocolVerdict.ALLOWED}
    told = Counter(
        name
        for item in found
        if item.code in ("TLS101", "TLS106", "TLS108")
        for name in versions_in(item)
        if name in unwanted
    )
    if not written:
        unwanted -= tls.protocols.known or frozenset()
        assert [item.code for item in found].count("TLS103") == 1
    assert told == Counter(dict.fromkeys(unwanted, 1))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), targets, st.sampled_from(POLICIES))
def test_each_offered_suite_is_judged_once(words: list[str], where: tuple[str, str | None], policy_name: str) -> None:
    deployment = offering(words, where)
    policy = load_policy(policy_name)
    for use in cipher_uses(deployment):
        parts = [[suite.name for suite in part(use, policy)] for part in (broken, without_forward_secrecy, outside)]
        judged = Counter(name for part in parts for name in part)
        assert set(judged.values()) <= {1}
        assert judged.keys() <= use.reachable.keys()
        if policy.ciphers:
            assert judged.keys() == use.reachable.keys() - set(policy.ciphers)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), targets)
def test_what_is_pointed_at_brings_the_suites(words: list[str], where: tuple[str, str | None]) -> None:
    deployment = offering(words, where)
    libraries = [build(possible) for possible in deployment.targets()]
    for use in cipher_uses(deployment):
        for name in use.reachable:
            pointed = [span.text for span in use.spans([name], deployment.targets())]
            assert pointed
            for text in pointed:
                assert text in ":".join(words)
                found = [token for openssl in libraries for token in tokens(text, openssl) if not token.operator]
                assert any(name in evaluate(token.text, openssl).names for token in found for openssl in libraries)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), targets)
def test_a_list_that_is_no_use_is_reported_alone(words: list[str], where: tuple[str, str | None]) -> None:
    deployment = offering(words, where)
    found = check(deployment, load_policy("intermediate"), FAMILIES)
    about_the_list = {item.code for item in found if item.span.text.strip("'") in ":".join(words)}
    errors = [item for item in found if item.code == "TLS206" and item.severity.label == "error"]
    if errors:
        assert about_the_list == {"TLS206"}


DEAD = [fixture for fixture in fixtures("apache") if fixture.downfall is not None or fixture.refusal is not None]
CERTIFICATES = Path(__file__).parents[2] / "fixtures" / "certificates"


def says_down(finding: Finding) -> bool:
    return finding.severity.label == "error" and ("does not start" in finding.seen or "apache2 -t" in finding.seen)


def assert_said_once(found: list[Finding]) -> None:
    told = [item for item in found if says_down(item)]
    for number, one in enumerate(told):
        for other in told[number + 1 :]:
            if one.span.source.path == other.span.source.path:
                assert one.span.end <= other.span.start or other.span.end <= one.span.start, (one, other)


@pytest.mark.parametrize("fixture", DEAD, ids=str)
def test_what_ends_apache_is_said_once(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixture.folder)
    assert_said_once(findings(fixture, RULES))


@pytest.mark.parametrize(
    ("lines", "rule", "number"),
    [
        ("SSLProtocol -SSLv3", "no-protocol", "AH02231"),
        ("SSLCipherSuite NOSUCH", "unusable-cipher-list", "AH01898"),
        ("SSLOpenSSLConfCmd Curves nosuch", "unsupported-group", "AH02407"),
        ("SSLOpenSSLConfCmd CipherString NOSUCH", "unusable-cipher-list", ""),
        ("SSLCertificateKeyFile CERTIFICATES/b-rsa.key", "key-mismatch", "AH02565"),
        ("SSLCertificateKeyFile CERTIFICATES/root-rsa.pem", "malformed-certificate", "AH02564"),
        ("SSLCertificateFile CERTIFICATES/a-rsa.key", "malformed-certificate", "AH02562"),
        ("SSLCertificateFile CERTIFICATES/nosuch.pem", "certificate-not-found", "does not exist or is empty"),
        ("SSLUseStapling on", "stapling-without-cache", "AH01958"),
        ("SSLOpenSSLConfCmd Options nosuch", "server-will-not-start", "AH02407"),
    ],
)
@pytest.mark.parametrize("is_reached", [True, False])
def test_the_rule_that_knows_most_says_it(lines: str, rule: str, number: str, is_reached: bool, tmp_path: Path) -> None:
    """It says it with the number that the log has; a host that nothing reaches ends Apache as well."""
    kind = lines.split()[0]
    pair = {"SSLCertificateFile": "a-rsa.pem", "SSLCertificateKeyFile": "a-rsa.key"}
    inside = "\n".join(f"{name} {CERTIFICATES}/{file}" for name, file in pair.items() if name != kind)
    port = 4443 if is_reached else 4444
    (tmp_path / "apache2.conf").write_text(
        "\n".join(map(needed_apache().load, USUAL_MODULES))
        + f"\nServerName main.test\nListen 127.0.0.1:4443\n<VirtualHost *:{port}>\nServerName a.example.test\n"
        + f"SSLEngine on\n{inside}\n{lines.replace('CERTIFICATES', str(CERTIFICATES))}\n</VirtualHost>\n",
        encoding="utf-8",
    )
    settings = Settings(root="/", server="apache", now="2026-06-01", trust_store=("none",))
    found = [item for item in lint([str(tmp_path / "apache2.conf")], settings).findings if says_down(item)]
    assert_said_once(found)
    if is_reached:
        assert [item.name for item in found if number in item.message + item.seen] == [rule]
    assert any(number in item.message + item.seen for item in found)
