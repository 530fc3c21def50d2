"""Which virtual host answers where: `apache2 -S` is asked, and must say the same."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.apache import ask_apache, find_apache
from support.apache_map import VhostMap, parse_map
from support.servers import missing
from tlslint.resolve.apache_hosts import (
    ANY_PORT,
    Chains,
    HostAddress,
    Name,
    NameTable,
    alias,
    can_be_sent,
    host_map,
    parse_address,
    parse_server_name,
)


@pytest.fixture(scope="module", autouse=True)
def _apache() -> None:
    if find_apache() is None:
        missing("apache")


def written(hosts: list[tuple[list[str], str, list[str]]], before: str = "ServerName main.test") -> str:
    """The text of a configuration with these virtual hosts: addresses, name, aliases."""
    lines = ["Listen 127.0.0.1:1", before]
    for addresses, name, aliases in hosts:
        lines.append(f"<VirtualHost {' '.join(addresses)}>")
        lines += [f"ServerName {name}"] if name else []
        lines += [f"ServerAlias {' '.join(aliases)}"] if aliases else []
        lines.append("</VirtualHost>")
    return "\n".join([*lines, ""])


def asked(text: str) -> tuple[VhostMap | None, str]:
    """The map that Apache has of a configuration, None where it refuses it; and what it writes."""
    code, output = ask_apache(text, "-S")
    return (parse_map(output) if code == 0 else None), output


def predicted(hosts: list[tuple[list[str], str, list[str]]], port: int = ANY_PORT) -> dict[tuple[str, int], list[int]]:
    addresses = []
    for words, _, _ in hosts:
        parsed = [parse_address(word, port) for word in words]
        assert all(isinstance(each, HostAddress) for each in parsed), parsed
        addresses.append([each for each in parsed if isinstance(each, HostAddress)])
    return {(entry.address, entry.port): list(entry.hosts) for entry in host_map(Chains(addresses))}


def lines_of(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("<VirtualHost")]


def measured(text: str) -> dict[tuple[str, int], list[int]]:
    found, output = asked(text)
    assert found is not None, output
    starts = lines_of(text)
    # a host that names an address twice, with another one in between, is printed twice
    return {key: list(dict.fromkeys(starts.index(host.line) for host in hosts)) for key, hosts in found.items()}


WORDS = (
    "*:443", "*:80", "*", "*:*", "_default_:443", "_DEFAULT_:80", "_default_", "_default_:*", "0.0.0.0:443",
    "[::]:443", "[::]", "0.0.0.0", "127.0.0.1:443", "127.0.0.1", "127.0.0.1:*", "127.0.0.2:80", "[::1]:443", "[::1]",
    "[0:0::0:1]:443", "[::ffff:127.0.0.1]:443", "127.1:443", "localhost:443", "*:443/", "*:443,*:80", "*:https",
    "0x7f000001:443", "[::1]:*", "010.0.0.1:80",
)  # fmt: skip
LABELS = st.sampled_from(("a.test", "B.test", "c.test", "www.a.test", "a.test:443", "https://b.test", "x_y.test"))
ALIASES = st.sampled_from(("*.test", "?.test", "c.test", "*", "a.test", "www.*", "b.test,", "d.test:443"))
HOSTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), st.one_of(st.just(""), LABELS), st.lists(ALIASES)
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(hosts=HOSTS, port=st.sampled_from((0, 8080)))
def test_any_set_of_hosts_is_mapped_as_apache_maps_it(hosts: list[tuple[list[str], str, list[str]]], port: int) -> None:
    # a host without a name on an address of its own would have Apache ask for that address's name
    hosts = [(words, name or "unnamed.test", aliases) for words, name, aliases in hosts]
    text = written(hosts, f"ServerName main.test:{port}" if port else "ServerName main.test")
    assert predicted(hosts, port) == measured(text)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(hosts=HOSTS)
def test_names_are_read_as_apache_reads_them(hosts: list[tuple[list[str], str, list[str]]]) -> None:
    hosts = [(["*:443"], name, aliases) for _, name, aliases in hosts] * 2
    found, output = asked(written(hosts))
    assert found is not None, output
    for host, (_, name, aliases) in zip(found["*", 443], hosts, strict=True):
        parsed = parse_server_name(name) if name else ("main.test", 0)
        assert not isinstance(parsed, str)
        assert host.name == parsed[0]
        kinds = [alias(word) for word in aliases]
        assert host.aliases == [each.text for each in kinds if each.kind == "exact"]
        assert host.wild_aliases == [each.text for each in kinds if each.kind == "wildcard"]


@pytest.mark.parametrize(
    "word", ["", "443", ":443", "*:0", "127.0.0.1:0", "*:65536", "[::1", "[::1]x:443", "[::g]:443", "[::1]]:4", "0"]
)
def test_addresses_that_apache_refuses_or_knows_nothing_of(word: str) -> None:
    found, output = asked(written([([f'"{word}"'], "a.test", [])]))
    if word == "":
        # an empty word ends the list: a virtual host without address
        assert found == {}
        return
    message = parse_address(word)
    assert isinstance(message, str)
    assert found is None
    assert message in output


@pytest.mark.parametrize("word", ["*:443", "*:443,*:8443", "*:443/", "http://*:443", "*:https", "a b", "*:", "[::1]:"])
def test_addresses_that_apache_drops_with_a_warning(word: str) -> None:
    found, output = asked(written([([f'"{word}"'], "a.test", [])]))
    each = parse_address(word)
    if isinstance(each, str):
        assert found is None
        assert each in output
        return
    assert bool(each.dead) == ("AH00547" in output)
    assert bool(each.dead) == (found == {})


@pytest.mark.parametrize(
    "name",
    ["a.test", "a.test:443", "https://a.test", "HTTPS://a.test:8443", "https://a.test/", "a.test/x", "a.test.",
     "a.test:0", "a.test:x", "a.test:70000", "1http://a.test", "://a.test", "a.test:443/", "h+x://a.test",
     "a://b://c", "a_b://c", "a/b://c"],
)  # fmt: skip
def test_server_names_are_read_as_apache_reads_them(name: str) -> None:
    found, output = asked(written([(["*:443"], name, [])]))
    parsed = parse_server_name(name)
    if isinstance(parsed, str):
        assert found is None, name
        assert re.search(r"ServerName|Server name|port number|scheme", output)
        return
    assert found is not None, output
    assert found["*", 443][0].name == parsed[0]


def names(*words: str) -> list[Name]:
    first, *others = words
    return [Name(first), *map(alias, others)]


def test_the_first_host_that_knows_a_name_wins() -> None:
    table = NameTable([names("w.test", "*.example.test"), names("www.example.test"), names("z.test", "w?.test", "*")])
    assert table.select("www.example.test") == 0
    assert table.select("W.TEST") == 0
    assert table.select("wx.test") == 2
    assert table.select("z.test") == 2
    assert table.sample(Name("www.example.test"), 1) is None
    assert table.unclaimed() is None


def test_a_host_that_is_alone_answers_every_name() -> None:
    table = NameTable([names("a.test")])
    assert table.select("b.test") == 0
    assert table.unclaimed() is not None


def test_names_that_no_client_sends() -> None:
    assert can_be_sent("a.test")
    assert can_be_sent("*.a.test")
    for text in ("a.test:443", "a.test,", "b.test/", "#", "", "a.test."):
        assert not can_be_sent(text)
