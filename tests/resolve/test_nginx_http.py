"""What nginx does with requests, as far as no server is needed to know it: logs, variables, scripts, targets."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlslint.discover import discover
from tlslint.parse.tree import Tree
from tlslint.resolve.model import Deployment, Unknown, VirtualHost
from tlslint.resolve.nginx import resolve
from tlslint.resolve.paths import takes_every_path
from tlslint.settings import Settings
from tlslint.target import parse_target

TARGET = "nginx=1.31.3,openssl=3.3.7"


def deployment(folder: Path, text: str, files: dict[str, str] | None = None) -> Deployment:
    for name, content in {"nginx.conf": text, **(files or {})}.items():
        (folder / name).write_text(content, encoding="utf-8")
    (root,) = discover([str(folder / "nginx.conf")], Settings(root="/", target=TARGET)).roots
    tree = root.files.tree(root.entry)
    assert isinstance(tree, Tree)
    return resolve(root, tree, parse_target(TARGET, "nginx"))


def host(folder: Path, server: str, http: str = "", files: dict[str, str] | None = None) -> VirtualHost:
    text = f"events {{}}\nhttp {{\n{http}\nserver {{\nlisten 8080;\n{server}\n}}\n}}\n"
    return deployment(folder, text, files).virtual_hosts[0]


def formats(item: VirtualHost) -> list[tuple[str, str | None]] | str:
    return item.logs.reason if isinstance(item.logs, Unknown) else [(log.format_name, log.text) for log in item.logs]


def test_a_log_is_written_by_default(tmp_path: Path) -> None:
    assert formats(host(tmp_path, "")) == [("combined", None)]


def test_an_inner_level_replaces_all_logs(tmp_path: Path) -> None:
    http = "log_format a 'x'\n 'y'; log_format b escape=json $ssl_cipher; access_log /l a; access_log /m buffer=1k;"
    assert formats(host(tmp_path, "", http)) == [("a", "xy"), ("combined", None)]
    assert formats(host(tmp_path, "access_log /l b if=$x;", http)) == [("b", "$ssl_cipher")]
    assert formats(host(tmp_path, "access_log off;", http)) == []
    assert formats(host(tmp_path, "access_log off; location /x { access_log /l b; }", http)) == [("b", "$ssl_cipher")]


def test_an_unread_include_makes_logs_unknown(tmp_path: Path) -> None:
    assert "could not be read" in str(formats(host(tmp_path, "include absent.conf;")))
    assert formats(host(tmp_path, "access_log off; include absent.conf;")) == []
    assert "absent.conf" in str(formats(host(tmp_path, "access_log /l mine;", "include absent.conf;")))


def values(folder: Path, value: str, server: str = "", http: str = "") -> tuple[object, object]:
    item = host(folder, f"{server} add_header X {value};", http)
    headers = item.locations[0].headers
    return headers[0].over_tls, headers[0].over_plain


def test_variables_are_resolved_where_they_are_constant(tmp_path: Path) -> None:
    assert values(tmp_path, "a") == (("a",), ("a",))
    assert values(tmp_path, "$v", "set $v b;") == (("b",), ("b",))
    assert values(tmp_path, "$v", http="map $scheme $v { https c; }") == (("c",), ("",))
    assert values(tmp_path, "${v}", http="map $https $v { default d; on e; }") == (("e",), ("d",))
    assert values(tmp_path, "$v", http="map $host $v { a.test f; b.test g; }") == (("f", "g", ""),) * 2


@pytest.mark.parametrize(
    ("value", "server", "http"),
    [
        ("$v", "set $v $arg_x;", ""),
        ("$v", "set $v a; set $v b;", ""),
        ("$v", "set $v a; if ($arg_q) { set $v b; }", ""),
        ("$v", "", "map $host $v { default $host; }"),
        ("$v", "", "map $host $v { include more.map; }"),
        ("max-age=$v", "set $v 1;", ""),
    ],
)
def test_other_variables_are_unknown(tmp_path: Path, value: str, server: str, http: str) -> None:
    assert all(isinstance(found, Unknown) for found in values(tmp_path, value, server, http))


def test_headers_more_adds_to_outer_levels(tmp_path: Path) -> None:
    http = "more_set_headers 'A: 1' 'B: 2';"
    item = host(tmp_path, "location /x { more_set_headers 'a: 3'; more_clear_headers B; add_header C 4; }", http)
    top, inner = item.locations
    assert [(header.name, header.value) for header in top.headers] == [("A", "1"), ("B", "2")]
    assert [(header.name, header.value) for header in inner.headers] == [("C", "4"), ("a", "3")]


def test_unread_includes_and_scripts_leave_headers_open(tmp_path: Path) -> None:
    inherited = "add_header B 2;"
    for item in (host(tmp_path, "include absent.conf;", inherited), host(tmp_path, "", "include absent.conf;")):
        assert item.locations[0].headers == ()
        assert "absent.conf" in item.locations[0].doubt
    own = host(tmp_path, "add_header A 1;", "include absent.conf;").locations[0]
    assert [header.name for header in own.headers] == ["A"]
    assert own.doubt == ""
    partly = host(tmp_path, "add_header A 1; include absent.conf;", inherited).locations[0]
    assert [header.name for header in partly.headers] == ["A"]
    assert "absent.conf" in partly.doubt
    assert "header_filter_by_lua_block" in host(tmp_path, "header_filter_by_lua_block { x }").locations[0].doubt


def test_places_that_no_request_reaches_are_not_final(tmp_path: Path) -> None:
    item = host(tmp_path, "location / { } location /a { rewrite ^ /b last; }")
    assert [(location.path, location.final) for location in item.locations] == [("", False), ("/", True), ("/a", False)]
    item = host(tmp_path, "return 403; location / { }")
    assert [(location.final, location.returns) for location in item.locations] == [(True, 403), (False, None)]


def test_steps_of_included_files_stand_where_the_include_stands(tmp_path: Path) -> None:
    files = {"early.conf": "return 301 https://a.test;\n"}
    item = host(tmp_path, "include early.conf; if ($scheme = http) { return 444; } return 404;", files=files)
    redirect = item.locations[0].redirect(tls=True)
    assert redirect is not None
    assert redirect.target == "https://a.test"


@pytest.mark.parametrize(
    ("line", "address", "tls", "local"),
    [
        ("proxy_pass https://backend.test:8443/x;", "backend.test", True, False),
        ("proxy_pass http://backend.test;", "backend.test", False, False),
        ("proxy_pass https://[::1]:8443;", "[::1]", True, True),
        ("proxy_pass https://unix:/run/a.sock:/x;", "unix:/run/a.sock:/x", True, True),
        ("proxy_pass https://$host;", "", True, False),
        ("proxy_pass $arg_x://backend.test;", "backend.test", None, False),
        ("proxy_pass https://backend.test:$arg_port;", "backend.test", True, False),
        ("set $p https; set $h b.test; proxy_pass $p://$h:1$uri;", "b.test", True, False),
        ("proxy_pass https://near;", "near", True, True),
        ("proxy_pass https://FAR;", "FAR", True, False),
        ("grpc_pass grpcs://backend.test;", "backend.test", True, False),
        ("grpc_pass 127.0.0.1:50051;", "127.0.0.1", False, True),
        ("uwsgi_pass suwsgi://backend.test:1;", "backend.test", True, False),
        ("fastcgi_pass unix:/run/php.sock;", "unix:/run/php.sock", False, True),
    ],
)
def test_targets_of_upstream_connections(
    tmp_path: Path, line: str, address: str, tls: bool | None, local: bool
) -> None:
    http = "upstream near { server 127.0.0.1:1; server unix:/a; } upstream far { server 127.0.0.1; server b.test; }"
    text = f"events {{}}\nhttp {{ {http}\nserver {{ location / {{ {line} }} }} }}\n"
    (item,) = deployment(tmp_path, text).upstreams
    assert (item.host, item.tls, item.local) == (address, tls, local)


def test_settings_are_inherited_and_known_by_version(tmp_path: Path) -> None:
    text = """events {}
http {
    proxy_ssl_verify on;
    proxy_ssl_name outer.test;
    server {
        location / {
            proxy_ssl_name $proxy_host;
            proxy_pass https://a.test;
            if ($arg_x) { proxy_pass https://b.test; }
        }
    }
    server { include absent.conf; location / { proxy_pass https://c.test; } }
}
"""
    first, second, third = deployment(tmp_path, text).upstreams
    assert (first.verify.known, first.name.known, first.host) == (True, "$proxy_host", "a.test")
    assert (second.name.known, second.host) == ("$proxy_host", "b.test")
    assert first.protocols.known == frozenset(("TLSv1.2", "TLSv1.3"))
    assert third.verify.is_unknown


def test_hosts_share_what_they_include(tmp_path: Path) -> None:
    servers = "".join(f"server {{ server_name {name}.test; include pass.conf; }}" for name in "abc")
    files = {"pass.conf": "location / { proxy_pass https://backend.test; }\n"}
    (item,) = deployment(tmp_path, f"events {{}}\nhttp {{ {servers} }}\n", files).upstreams
    assert [owner.label for owner in item.virtual_hosts] == ["a.test", "b.test", "c.test"]


EVERY_PATH = ("^", "^/", "/", ".*", "(.*)", "^.*$", "^(.*)$", "^/(.*)$", "^/?(.*)$", "^(.+)$", "^(/.*)$", ".+")


@pytest.mark.parametrize("pattern", EVERY_PATH)
def test_usual_patterns_are_known(pattern: str) -> None:
    assert takes_every_path(pattern)


@given(pattern=st.text(alphabet="^$/.*+?()a", max_size=8), path=st.text(alphabet="/ab.", max_size=6))
def test_a_pattern_that_is_taken_for_every_path_matches_it(pattern: str, path: str) -> None:
    if takes_every_path(pattern):
        assert re.search(pattern, f"/{path}")
