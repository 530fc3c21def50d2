"""Server names against what real nginx servers say of them, and whom they choose by Host and by SNI."""

import random
import re
import socket as sockets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.servers import NGINX_NAMES, NginxBinary, NginxServer, dotted, needed_nginx, nginx_test
from tlslint.resolve.nginx_names import UNDECIDED, NameTable, classify, normalise
from tlslint.resolve.nginx_regex import Regex, RegexError, Unpredictable
from tlslint.target import Version

OLD = Version("1.22.1")
NEW = Version("1.29.4")


def table(text: str) -> NameTable:
    """`"a b | c"`: two hosts, the first with two names."""
    return NameTable([host.split() for host in text.split(" | ")], label="0.0.0.0:443")


def said(names: NameTable) -> list[str]:
    return [problem.message for problem in names.problems]


# one name


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a.test", "exact"),
        ("_", "exact"),
        ("$hostname", "exact"),
        ("*.a.test", "wildcard"),
        ("www.a.*", "wildcard"),
        (".a.test", "dotted"),
        (r"~^(?<name>\w+)\.a\.test$", "regex"),
        ("", "empty"),
        ("10.0.0.1", "exact"),
        ("[::1]", "exact"),
    ],
)
def test_names_that_work(text: str, kind: str) -> None:
    pattern = classify(text)
    assert pattern.kind == kind
    assert (pattern.error, pattern.shared_error, pattern.warning, pattern.dead) == (None, None, None, None)


@pytest.mark.parametrize("text", ["*", "*.", "*x", "."])
def test_names_that_nginx_refuses(text: str) -> None:
    assert classify(text).error == f'server name "{text}" is invalid'


def test_regular_expressions_that_nginx_refuses() -> None:
    assert classify("~").error == 'empty regex in server name "~"'
    assert (classify("~(").error or "").startswith("pcre2_compile() failed: missing closing parenthesis")


@pytest.mark.parametrize("text", ["www.*.com", "a*.b", "a..b", "*.x.*"])
def test_names_that_nginx_refuses_beside_others(text: str) -> None:
    message = f'invalid server name or wildcard "{text}" on 0.0.0.0:443'
    assert classify(text).error is None
    assert said(table(text)) == []
    assert message in said(table(f"{text} | b"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.test:443", "port"),
        ("a.test,", "comma"),
        ("a.test,b.test", "comma"),
        ("a.test.", "final dot"),
        ("!x", "no host name"),
        ("@x", "no host name"),
        ("a b", "no host name"),
        ("$host", "variables"),
        ("${host}.test", "variables"),
        ("тест.test", "xn--"),
        ("www.*.com", "asterisk"),
        (".a.test:443", "port"),
        ("*.a.test,", "comma"),
    ],
)
def test_names_that_nobody_asks_for(text: str, reason: str) -> None:
    assert reason in (classify(text).dead or "")
    assert NameTable([[text], ["b"]]).sample(text) is None


def test_suspicious_name() -> None:
    assert classify("a/b").warning == 'server name "a/b" has suspicious symbols'


# lookup


@pytest.mark.parametrize(
    ("hosts", "sni", "expected"),
    [
        ("other | a.test", "a.test", 1),
        ("other | A.Test", "a.tEST.", 1),
        ("other | a.test", "a.test:443", 1),
        ("other | a.test", None, None),
        ("other | a.test", "b.test", None),
        ("*.a.test | www.a.test", "www.a.test", 1),
        ("*.test | *.a.test", "x.a.test", 1),
        ("www.* | www.a.*", "www.a.test", 1),
        ("www.a.* | *.test", "www.a.test", 1),
        ("~^www | www.a.*", "www.a.test", 1),
        ("~a | ~^www", "www.a.test", 0),
        ("other | *.a.test", "a.test", None),
        ("other | *.a.test", "x.y.a.test", 1),
        ("other | .a.test", "a.test", 1),
        ("other | .a.test", "x.a.test", 1),
        ("other | www.a.*", "www.a", None),
        ("other | ~^WWW", "www.a", 1),
        ("other | ~ww.a", "xwww.a.test", 1),
        ("other | _", "a.test", None),
        ("other | _", "_", 1),
        ("a.test | a.test", "a.test", 0),
        ("a.test", "b.test", None),
        ("other | ~^(?<n>[\\w-]+\\.)+a\\.test$", "x-y.z.a.test", 1),
        ("other | ~^(?!www\\.).*\\.a\\.test$", "www.a.test", None),
    ],
)
def test_lookup(hosts: str, sni: str | None, expected: int | None) -> None:
    assert table(hosts).lookup(sni) == expected


def test_one_host_answers_every_name() -> None:
    names = table("a.test")
    assert not names.consulted
    assert names.answering("b.test") == 0
    assert table("~^(?<x>a)").consulted
    assert not table("~^(?<x>a) ~^b").consulted, "only the last regular expression counts"


def test_earlier_host_keeps_a_name() -> None:
    names = table("a.test | a.test b.test | *.b.test .b.test")
    assert names.conflicts == [(1, 0, 0), (2, 1, 1)]
    assert said(names)[0] == 'conflicting server name "a.test" on 0.0.0.0:443, ignored'
    assert names.sample("a.test", 1) is None
    assert names.sample("a.test") == "a.test"


def test_lost_dotted_name_blocks_the_bare_one() -> None:
    names = table("*.b.test | .b.test | b.test")
    assert names.conflicts == [(1, 0, 0), (2, 0, 1)]
    assert names.lookup("b.test") is None


def test_no_name_is_the_empty_name() -> None:
    names = NameTable([[], []], label="0.0.0.0:80")
    assert said(names) == ['conflicting server name "" on 0.0.0.0:80, ignored']


def test_long_name_needs_a_larger_bucket() -> None:
    assert said(table(f"{'a' * 46} | b")) == []
    assert "server_names_hash_bucket_size: 64" in said(table(f"{'a' * 47} | b"))[0]
    assert said(table(f"*.{'a.' * 40}test | b")) == []


def test_hostname() -> None:
    hosts = [["a.test"], ["$hostname"]]
    assert NameTable(hosts, hostname="Web1").lookup("web1") == 1
    assert NameTable(hosts).sample("$hostname") is None


def test_undecidable() -> None:
    names = table("a.test | ~(?R) | ~b")
    assert names.lookup("a.test") == 0
    assert names.lookup("b.test") is UNDECIDED
    assert names.unclaimed() is UNDECIDED
    assert names.sample("~(?R)") is UNDECIDED


@pytest.mark.parametrize(
    ("hosts", "text", "expected"),
    [
        ("a | *.a.test", "*.a.test", "www.a.test"),
        ("www.a.test | *.a.test", "*.a.test", "a.a.test"),
        ("a | .a.test", ".a.test", "a.test"),
        ("a | www.a.*", "www.a.*", "www.a.com"),
        ("a | ~^(?<n>[\\w-]+)\\.a\\.test$", "~^(?<n>[\\w-]+)\\.a\\.test$", "a.a.test"),
        ("a | ~^(?:www|mail)\\.a\\.test$", "~^(?:www|mail)\\.a\\.test$", "www.a.test"),
        ("www.a.test | ~^(?:www|mail)\\.a\\.test$", "~^(?:www|mail)\\.a\\.test$", "mail.a.test"),
        ("a | ~. | ~b", "~b", None),
        ("a | ~^.*$ | ~b", "~b", None),
        ("a | ~b | ~b", "~b", "b"),
        ("*.a.test | *.a.test", "*.a.test", "www.a.test"),
    ],
)
def test_sample(hosts: str, text: str, expected: str | None) -> None:
    assert table(hosts).sample(text) == expected


def test_sample_of_a_pattern_that_might_be_shadowed() -> None:
    assert table("a | ~b.?c | ~bc").sample("~bc") is UNDECIDED
    assert table("a | ~b | ~b").sample("~b", 2) is None


def test_unclaimed() -> None:
    assert table("a | ~.").unclaimed() is None
    assert table("a | ~^[a-z.-]+$").unclaimed() is not None
    assert table("a | *.invalid *.test").unclaimed() is not None
    name = table("a | b").unclaimed()
    assert isinstance(name, str)


def test_ten_thousand_hosts() -> None:
    names = NameTable([[f"h{index}.test", f"*.h{index}.test"] for index in range(10_000)])
    assert all(names.lookup(f"x.h{index}.test") == index for index in range(10_000))


# regular expressions


@pytest.mark.parametrize("pattern", ["(", "a)", "[", "[a", "*a", "a{2,1}", "[b-a]", "\\", "(?<n>a)(?<n>b)", r"\1"])
def test_patterns_that_pcre_refuses(pattern: str) -> None:
    with pytest.raises(RegexError):
        Regex(pattern)


@pytest.mark.parametrize(
    "pattern", ["(?R)", r"\p{L}", r"\Qa\E", "(*ACCEPT)", "(?1)(a)", "(?|a|b)", r"\g{1}", "a{,3}", r"[\w-.]"]
)
def test_patterns_that_are_not_predicted(pattern: str) -> None:
    with pytest.raises(Unpredictable):
        Regex(pattern)


def test_matching_is_bounded() -> None:
    assert not Regex("^(a+)+$").matches("a" * 250 + "!")
    assert not Regex("(x+x+)+y").matches("x" * 250)
    with pytest.raises(Unpredictable):
        Regex(r"^(?=(a+)+$)(a+)+b\1")


@given(st.text("ab.-19", max_size=12))
def test_both_ways_of_matching_agree(name: str) -> None:
    simple, nested = Regex(r"^[ab]+\.[^a.]+"), Regex(r"^(?:[ab]+)+\.(?:[^a.]+)+")
    assert simple.matches(name) == nested.matches(name) == bool(re.search(r"^[ab]+\.[^a.]+", name))


# against real servers


@pytest.fixture(params=NGINX_NAMES, scope="module")
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


def version_of(nginx: NginxBinary) -> Version:
    return Version(dotted(nginx.version))


def quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def server_blocks(hosts: Sequence[Sequence[str]], listen: str) -> str:
    return "\n".join(
        f"server {{ listen {listen}; "
        + (f"server_name {' '.join(map(quoted, names))}; " if names else "")
        + f'return 200 "{index}"; }}'
        for index, names in enumerate(hosts)
    )


LABELS = ["a", "b", "www", "A"]
TAME_NAMES = st.builds(
    lambda front, labels, back: front + ".".join(labels) + back,
    st.sampled_from(["", "", "", "*.", "."]),
    st.lists(st.sampled_from(LABELS), min_size=1, max_size=3),
    st.sampled_from(["", "", "", ".*"]),
)
WILD_NAMES = st.one_of(
    TAME_NAMES, TAME_NAMES, st.text("ab.*~/$,:_!-", max_size=5), st.just("b" * 47), st.just("*.a..b")
)


def hosts_of(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(names, max_size=4), min_size=1, max_size=4)


def foreseen(hosts: list[list[str]], version: Version) -> list[str]:
    """What nginx prints of these names, up to the first that makes it stop."""
    shown: list[str] = []
    for names in hosts:
        for text in names:
            pattern = classify(text)
            if pattern.error:
                return [*shown, pattern.error]
            if pattern.warning:
                shown.append(pattern.warning)
    for problem in NameTable(hosts, label="127.0.0.1:8443", version=version).problems:
        if problem.message.startswith("could not build"):
            continue  # comes last, when all names are known
        shown.append(problem.message)
        if problem.level == "emerg":
            return shown
    problems = NameTable(hosts, version=version).problems
    return shown + [problem.message for problem in problems if problem.message.startswith("could not build")][:1]


def test_names_as_nginx_judges_them(nginx: NginxBinary) -> None:
    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(hosts_of(WILD_NAMES))
    def check(hosts: list[list[str]]) -> None:
        _, output = nginx_test(nginx, f"events {{}}\nhttp {{\n{server_blocks(hosts, '127.0.0.1:8443')}\n}}\n")
        found = re.findall(r"^nginx: \[(?:emerg|warn)\] (.*)$", output, re.MULTILINE)
        found = [re.sub(r" in \S+:\d+$", "", message) for message in found if "bind()" not in message]
        expected = foreseen(hosts, version_of(nginx))
        if found and "pcre" in found[-1]:  # its wording is PCRE's
            assert found.pop().startswith("pcre")
            assert expected.pop().startswith("pcre")
        assert found == expected

    check()


@contextmanager
def running(nginx: NginxBinary, groups: Sequence[Sequence[Sequence[str]]]) -> Iterator[list[Path]]:
    """nginx with a unix socket for each group of hosts; each host answers with its index."""
    with TemporaryDirectory(prefix="tlslint-") as folder:
        paths = [Path(folder) / f"{index}.sock" for index in range(len(groups))]
        servers = "\n".join(server_blocks(hosts, f"unix:{path}") for hosts, path in zip(groups, paths, strict=True))
        http = "keepalive_requests 100000; server_names_hash_bucket_size 128;"
        with NginxServer(nginx, f"events {{}}\nhttp {{\n{http}\n{servers}\n}}\n"):
            yield paths


def answers(path: Path, names: Iterable[str]) -> Iterator[int | None]:
    """The index of the host that answers for each Host header; None where nginx refuses the header."""
    connection: sockets.socket | None = None
    for name in names:
        if connection is None:
            connection = sockets.socket(sockets.AF_UNIX)
            connection.settimeout(5)
            connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: " + name.encode("utf-8", "surrogateescape") + b"\r\n\r\n")
        received = b""
        while b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < length(received):
            received += connection.recv(65536)
        if b"Connection: close" in received:
            connection.close()
            connection = None
        head, _, body = received.partition(b"\r\n\r\n")
        yield None if b" 400 " in head.partition(b"\r\n")[0] else int(body)
    if connection is not None:
        connection.close()


def length(response: bytes) -> int:
    found = re.search(rb"Content-Length: (\d+)", response)
    return int(found[1]) if found else 0


def check_choices(nginx: NginxBinary, groups: list[list[list[str]]], asked: Sequence[Sequence[str]]) -> int:
    """Compare all choices with the foreseen ones; return how many could be foreseen."""
    decided = 0
    with running(nginx, groups) as paths:
        for hosts, path, names in zip(groups, paths, asked, strict=True):
            names_of = NameTable(hosts, version=version_of(nginx))
            for name, answer in zip(names, answers(path, names), strict=True):
                if normalise(name, version_of(nginx)) is None:
                    assert answer is None, name
                    continue
                expected = names_of.answering(name)
                if expected is not UNDECIDED:
                    decided += 1
                    assert expected == answer, (hosts, name)
    return decided


def is_accepted(hosts: list[list[str]]) -> bool:
    names = NameTable(hosts, bucket_size=128)
    refused = any(classify(text).error for group in hosts for text in group)
    return not refused and all(problem.level == "warn" for problem in names.problems)


REGEX_NAMES = ["~^a", "~b$", r"~^(?<n>\w+)\.b", "~.", r"~^www\.(a|b)", "~A", r"~^([^.]+)\.([^.]+)$"]


def random_name(chance: random.Random) -> str:
    if chance.random() < 0.15:
        return chance.choice(REGEX_NAMES)
    labels = ".".join(chance.choice(LABELS) for _ in range(chance.randint(1, 4)))
    return chance.choice(["", "", "", "*.", "."]) + labels + chance.choice(["", "", "", ".*"])


def random_hosts(chance: random.Random) -> list[list[str]]:
    while True:
        hosts = [[random_name(chance) for _ in range(chance.randint(0, 4))] for _ in range(chance.randint(1, 6))]
        if is_accepted(hosts):
            return hosts


def all_names(labels: Sequence[str], depth: int) -> list[str]:
    names = list(labels)
    for _ in range(depth - 1):
        names += [f"{label}.{name}" for label in labels for name in names]
    return sorted(set(names))


def test_hosts_chosen_by_name(nginx: NginxBinary) -> None:
    chance = random.Random(11)
    groups = [random_hosts(chance) for _ in range(80)]
    names = [*all_names(["a", "b", "www"], 4)[:150], *all_names(["a", "B", "x"], 3), ".a", "a.", "b.a.", "x.b:80"]
    assert check_choices(nginx, groups, [names] * len(groups)) > 10_000


ODD = [
    "a..b",
    ".",
    "a.b.:80",
    "a:80.",
    "a.:8.",
    "[::1]",
    "[::1",
    "[a.b]",
    "[A]:8",
    "[::1]x",
    "[a..b]",
    "a:x",
    "a:99999",
]
ODD += ["a:", ":80", "%", "[]", "[.]", "a]b", "é.test", "x_y", "a:0000080", "a:65535", "a:65536", "[::1].", "[a].:8"]
ODD += [f"a{chr(byte)}b" for byte in range(0x21, 0x7F)]
ODD += [f"[a{chr(byte)}b]" for byte in range(0x21, 0x7F)]


def test_odd_names_in_the_host_header(nginx: NginxBinary) -> None:
    claimed = sorted(
        {name for odd in ODD for version in (OLD, NEW) if (name := normalise(odd, version)) and "*" not in name}
    )
    hosts = [["default"], *([name] for name in claimed if not name.startswith((".", "~", "$hostname")))]
    assert check_choices(nginx, [hosts], [ODD]) > 50


def random_regex(chance: random.Random, depth: int = 0) -> str:
    atoms = [
        "a",
        "b",
        r"\.",
        ".",
        r"\w",
        r"[ab-]",
        r"[^.]",
        r"\d",
        r"[\w-]",
        "x",
        r"[[:alpha:]]",
        "^",
        "$",
        r"\b",
        "B",
        r"\h",
    ]
    parts: list[str] = []
    for _ in range(chance.randint(1, 4)):
        part = chance.choice(atoms)
        if depth < 2 and chance.random() < 0.35:
            opening = chance.choice(
                ["(", "(?:", f"(?<n{depth}{len(parts)}{chance.randint(0, 999)}>", "(?=", "(?!", "(?<!", "(?>"]
            )
            inner = "[ab]" if opening == "(?<!" else random_regex(chance, depth + 1)
            part = f"{opening}{inner})"
        if part not in ("^", "$", r"\b") and not part.startswith(("(?=", "(?!", "(?<!")):
            part += chance.choice(["", "", "*", "+", "?", "{2}", "{1,2}", "+?", "*+", "{0}"])
        parts.append(part)
    pattern = "".join(parts)
    return f"{pattern}|{random_regex(chance, 2)}" if chance.random() < 0.2 else pattern


FIXED_REGEXES = r"""
^(?<sub>[\w-]+)\.a\.b$  ^(?P<sub>.+)\.b$  ^(?'sub'.+)\.b$  ^(?!www\.)(.+)$  ^([a-z]+\.)+b$  ^(www\.)?(.+)$  (?i)^A
^(a|b)\.\1$  ^(?<n>a|b)\.\k<n>$  ^[a\-.]+$  ^[]a.]+$  ^[^]a]  \Aa\.  b\z  b\Z  ^.{3}$  ^a{2}  a{  a{x}
^\x61\.  ^[[:alnum:].]+$  ^[[:^alpha:]]  ^(?:a++)\.  ^(?>a|aa)\.b  (?#x)b$  ^(?i:A)\.b$  (?<=a)\.b  (?<!a)\.b  ^\S+$
^[^\W_]+  |a  ^(|a)\.b  ^a.*b.*a.*b.*a  (a+)+\.(b+)+$  ^~  ^(\w+)\.(\w+)\.(\w+)\.(\w+)$  ^a$|^b$  [.]a[.]  ^(?=.*b)a
^\w{1,63}$  x{0}a  ^(a?){5}$  ^[a-b-x]+$  ^((a|b)\.)*www$  ^(?:(?:a|b)+\.?)+$  ^(a\.|b\.)+(?!b)  (a|ab)(b|\.)+$
""".split()  # noqa: SIM905 - easier to read


def regex_kind(pattern: str) -> str:
    try:
        Regex(pattern)
    except RegexError:
        return "refused"
    except Unpredictable:
        return "undecided"
    return "decided"


def test_regular_expressions_as_pcre_matches_them(nginx: NginxBinary) -> None:
    chance = random.Random(5)
    assert {regex_kind(pattern) for pattern in FIXED_REGEXES} == {"decided"}
    strange = [random_regex(chance) for _ in range(180)]
    decided = [pattern for pattern in strange if regex_kind(pattern) == "decided"]
    assert len(decided) > 100
    usable = [*FIXED_REGEXES, *decided]
    names = [*all_names(["a", "b", "www"], 3), "aa.b", "a-b.x", "ab", "x1.b", "1", "aab.b", "b.aa.b", "_", "-", "~a"]
    groups = [[["other"], [f"~{pattern}"]] for pattern in usable]
    assert check_choices(nginx, groups, [names] * len(groups)) > 5_000


def test_refused_patterns_are_refused(nginx: NginxBinary) -> None:
    for pattern in ["(", "a)", "[a", "*a", "a{2,1}", "[b-a]", "(?<n>a)(?<n>b)"]:
        passed, output = nginx_test(
            nginx, f"events {{}}\nhttp {{ server {{ server_name {quoted('~' + pattern)}; }} }}\n"
        )
        assert not passed
        assert "compile() failed" in output


def test_long_names_as_nginx_hashes_them(nginx: NginxBinary) -> None:
    for size in (46, 47):
        hosts = [["a" * size], ["*." + "b" * size + ".test"], ["c"]]
        passed, _ = nginx_test(nginx, f"events {{}}\nhttp {{\n{server_blocks(hosts, '127.0.0.1:8443')}\n}}\n")
        assert passed == all(problem.level == "warn" for problem in NameTable(hosts).problems)


# SNI

SNI = [
    "a.test",
    "A.TEST",
    "a.test.",
    "a.test:443",
    "a.test:x",
    "a.test:99999",
    "b.test",
    "a..test",
    "a.test/",
    "a .test",
    ".a.test",
]
SNI += [
    "x.w.test",
    "w.test",
    "é.test",
    "a,test",
    "[::1]",
    "a.test:443.",
    "a.test..",
    "u\x7f.test",
    "a%b.test",
    "r7.test",
]


def self_signed(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "default.test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    certificate = builder.sign(key, hashes.SHA256())
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, layout = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "k.pem").write_bytes(key.private_bytes(encoding, layout, serialization.NoEncryption()))


def completes(path: Path, sni: bytes) -> bool:
    """Whether the handshake with this SNI, byte for byte, completes."""
    from OpenSSL import SSL

    with sockets.socket(sockets.AF_UNIX) as plain:
        plain.settimeout(5)
        plain.connect(str(path))
        plain.setblocking(True)
        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), plain)
        connection.set_tlsext_host_name(sni)
        connection.set_connect_state()
        try:
            connection.do_handshake()
        except SSL.Error:
            return False
        return True


@pytest.mark.parametrize("module", ["http", "stream"])
def test_hosts_chosen_by_sni(nginx: NginxBinary, module: str) -> None:
    if module == "stream" and version_of(nginx) < Version("1.25.5"):
        pytest.skip("its stream module knows no server names")
    claimed = ["a.test", ".a.test", "*.w.test", "é.test", "a,test", "[::1]", "a.test/", "a%b.test", r"~^r\d\.test$"]
    hosts = [["default.test"], claimed]
    body = "return 200 x;" if module == "http" else "return x;"
    with TemporaryDirectory(prefix="tlslint-") as folder:
        self_signed(Path(folder))
        path = Path(folder) / "s.sock"
        # whoever has the second host is turned away
        configuration = f"""events {{}}
{module} {{
ssl_certificate {folder}/c.pem;
ssl_certificate_key {folder}/k.pem;
server {{ listen unix:{path} ssl; server_name default.test; {body} }}
server {{ listen unix:{path} ssl; server_name {" ".join(map(quoted, claimed))}; ssl_reject_handshake on; {body} }}
}}
"""
        names = NameTable(hosts, version=version_of(nginx))
        with NginxServer(nginx, configuration):
            for sni in SNI:
                chosen = 0 if completes(path, sni.encode()) else 1
                assert chosen == names.answering(sni), sni
