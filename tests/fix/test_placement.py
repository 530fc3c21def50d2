"""Where edits stand: for both servers, the text before and after one intention, character by character."""

import re
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from tlslint.fix.apache import ApacheDialect
from tlslint.fix.engine import applied
from tlslint.fix.nginx import NginxDialect
from tlslint.fix.spelling import Speller
from tlslint.fix.text import CannotSpell
from tlslint.intention import (
    AddArgument,
    AddDirective,
    AddRejectingHost,
    Fix,
    Intention,
    RemoveArgument,
    RemoveDirective,
    RenameDirective,
    ReplaceArguments,
    ReplacePart,
    Safety,
    SetUpstream,
    SetValue,
)
from tlslint.parse import apache, nginx
from tlslint.parse.tree import Directive, Source, Span, walk
from tlslint.resolve.model import Deployment, Place, VirtualHost
from tlslint.run import predict
from tlslint.settings import Settings

Wish = Callable[[Deployment], Intention]
MODERN = ("TLSv1.2", "TLSv1.3")


def resolved(text: str, server: str, folder: Path, target: str | None = None) -> Deployment:
    path = folder / ("nginx.conf" if server == "nginx" else "httpd.conf")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with chdir(folder):
        found, report = predict([path.name], Settings(server=server, target=target))
    assert report.failures == []
    return found[0]


def fixed(deployment: Deployment, wish: Wish) -> str:
    """The text after an intention, or the reason why it cannot be written, in angle brackets."""
    fix = Speller(deployment).spelt(Fix("try", Safety.SAFE, (wish(deployment),)))
    if fix.refusal:
        return f"<{fix.refusal}>"
    return applied(fix.edits).decode("utf-8", "surrogateescape")


def host(deployment: Deployment, index: int = 0) -> VirtualHost:
    return deployment.virtual_hosts[index]


def setting(field: str, value: object, *indices: int) -> Wish:
    """A value for a setting of some hosts, the first one's being in force."""

    def wish(deployment: Deployment) -> Intention:
        hosts = [host(deployment, index) for index in indices or (0,)]
        return SetValue(field, value, hosts[0].tls.setting(field), tuple(hosts))

    return wish


def directive(deployment: Deployment, name: str) -> Place:
    """The first directive of that name in the text."""
    source = host(deployment).place.directive.source
    parse = apache.parse if deployment.server == "apache" else nginx.parse
    found = next(item for item in walk(parse(source).directives) if item.name == name)
    return Place(Directive(found.name, found.arguments, found.block, source, found.start, found.end))


NGINX_HEAD = "events {}\nhttp {\n"
PROTOCOLS = setting("protocols", MODERN)

NGINX_VALUES = [
    # what stays keeps its spacing, its case and its place
    ("ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    ("ssl_protocols   TLSv1   TLSv1.2  TLSv1.3 ;  # why", "ssl_protocols   TLSv1.2  TLSv1.3 ;  # why"),
    ("ssl_protocols TLSv1.3 TLSv1.1 tlsv1.2;", "ssl_protocols TLSv1.3 tlsv1.2;"),
    ("ssl_protocols\tTLSv1.2\tTLSv1.1\tTLSv1;", "ssl_protocols\tTLSv1.2 TLSv1.3;"),
    ("ssl_protocols SSLv3 TLSv1;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    ("ssl_protocols 'TLSv1' \"TLSv1.2\";", 'ssl_protocols "TLSv1.2" TLSv1.3;'),
    ("ssl_protocols TLSv1\n            TLSv1.2;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    ("ssl_protocols TLSv1.2 # new\n TLSv1; # old", "<a comment stands between its words>"),
    ("ssl_protocols TLSv1.2 # new\n TLSv1.3; # old", None),
    # several lines that make one value become one
    ("ssl_protocols TLSv1;\n        ssl_protocols TLSv1.2;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    (
        "ssl_protocols TLSv1; # first\n        ssl_protocols TLSv1.2; # second",
        "# first\n        ssl_protocols TLSv1.2 TLSv1.3; # second",
    ),
]


@pytest.mark.parametrize(("before", "after"), NGINX_VALUES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_value_that_nginx_has_is_replaced(before: str, after: str | None, end: str, tmp_path: Path) -> None:
    frame = NGINX_HEAD + "    server {\n        listen 127.0.0.1:8443 ssl;\n        @\n    }\n}\n"
    text = frame.replace("@", before).replace("\n", end)
    expected = frame.replace("@", after or "").replace("\n", end)
    result = fixed(resolved(text, "nginx", tmp_path), PROTOCOLS)
    if after is None:
        assert result == "<nothing would change>"
    else:
        assert result == (after if after.startswith("<") else expected)


NGINX_LINES = [
    # below its siblings, in their indentation and column
    (
        (
            "server {\n  listen 127.0.0.1:8443 ssl;\n"
            "  ssl_certificate     a.pem; # mine\n  ssl_certificate_key a.key;\n\n"
            "  location / {}\n}\n"
        ),
        (
            "server {\n  listen 127.0.0.1:8443 ssl;\n"
            "  ssl_certificate     a.pem; # mine\n  ssl_certificate_key a.key;\n"
            "  ssl_dhparam         dh.pem;\n\n  location / {}\n}\n"
        ),
    ),
    (
        "server {\n\tlisten 127.0.0.1:8443 ssl; # here\n\tserver_name a;\n}\n",
        "server {\n\tlisten 127.0.0.1:8443 ssl; # here\n\tssl_dhparam dh.pem;\n\tserver_name a;\n}\n",
    ),
    # behind them on a shared line, before the comment that closes it
    (
        "server { listen 127.0.0.1:8443 ssl; ssl_certificate a.pem; }\n",
        "server { listen 127.0.0.1:8443 ssl; ssl_certificate a.pem; ssl_dhparam dh.pem; }\n",
    ),
    (
        "server { listen 127.0.0.1:8443 ssl; # here\n}\n",
        "server { listen 127.0.0.1:8443 ssl; ssl_dhparam dh.pem; # here\n}\n",
    ),
    # in an empty-handed block at its beginning
    ("server {}\n", "server { ssl_dhparam dh.pem; }\n"),
    ("server {\n}\n", "server {\n    ssl_dhparam dh.pem;\n}\n"),
    # the file's last line has no end
    (
        "server {\n    listen 127.0.0.1:8443 ssl; }",
        "server {\n    listen 127.0.0.1:8443 ssl; ssl_dhparam dh.pem; }",
    ),
]


@pytest.mark.parametrize(("before", "after"), NGINX_LINES)
def test_a_line_joins_its_kind_in_nginx(before: str, after: str, tmp_path: Path) -> None:
    head, tail = "events {}\nhttp {\n", "\n}"
    deployment = resolved(head + before + tail, "nginx", tmp_path)
    text = fixed(deployment, lambda found: AddDirective("ssl_dhparam", ("dh.pem",), host=host(found)))
    assert text == head + after + tail


NGINX_LEVELS = [
    # one line serves all: at the http level, below its TLS lines, else below its simple ones, else first
    (
        "http {\n    ssl_session_timeout 1d;\n    include mime.types;\n\n    @server {}\n    @server {}\n}\n",
        "http {\n    ssl_session_timeout 1d;\n    ssl_protocols TLSv1.2 TLSv1.3;\n    include mime.types;\n",
    ),
    (
        "http {\n    sendfile on; # fast\n\n    include conf.d/*.conf;\n    @server {}\n    @server {}\n}\n",
        "http {\n    sendfile on; # fast\n    ssl_protocols TLSv1.2 TLSv1.3;\n\n    include conf.d/*.conf;\n",
    ),
    ("http {\n  @server {}\n  @server {}\n}\n", "http {\n  ssl_protocols TLSv1.2 TLSv1.3;\n  server"),
    # the settings of an only host stay together
    (
        "http {\n    @server { ssl_prefer_server_ciphers on; }\n}\n",
        "ssl_prefer_server_ciphers on; ssl_protocols TLSv1.2 TLSv1.3; }",
    ),
]


@pytest.mark.parametrize(("before", "expected"), NGINX_LEVELS)
def test_a_default_is_named_where_one_line_serves_all(before: str, expected: str, tmp_path: Path) -> None:
    text = "events {}\n" + before.replace("@server {}", "server { listen 127.0.0.1:8443 ssl; }").replace(
        "@server {", "server { listen 127.0.0.1:8443 ssl;"
    )
    (tmp_path / "conf.d").mkdir()
    deployment = resolved(text, "nginx", tmp_path)
    hosts = range(len(deployment.virtual_hosts))
    result = fixed(deployment, setting("protocols", MODERN, *hosts))
    assert expected in result
    assert result.count("TLSv1.3") == 1
    assert (
        result.replace("\n    ssl_protocols TLSv1.2 TLSv1.3;", "")
        .replace("\n  ssl_protocols TLSv1.2 TLSv1.3;", "")
        .replace(" ssl_protocols TLSv1.2 TLSv1.3;", "")
        == text
    )


FRAGMENTS = [
    # a part of a server block, of http with its servers, of http alone
    (
        "listen 127.0.0.1:8443 ssl;\nserver_name a;\n",
        "listen 127.0.0.1:8443 ssl;\nssl_dhparam dh.pem;\nserver_name a;\n",
    ),
    (
        "map $a $b { x y; }\nserver { listen 127.0.0.1:8443 ssl; }\n",
        "map $a $b { x y; }\nserver { listen 127.0.0.1:8443 ssl; ssl_dhparam dh.pem; }\n",
    ),
    (
        "map $a $b { x y; }\nssl_session_timeout 1d;\nlog_format x y;\n",
        "map $a $b { x y; }\nssl_session_timeout 1d;\nssl_dhparam dh.pem;\nlog_format x y;\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), FRAGMENTS)
def test_a_part_of_a_configuration(before: str, after: str, tmp_path: Path) -> None:
    deployment = resolved(before, "nginx", tmp_path)

    # what surrounds it may set the value: only a directive that is surely missing is added
    unknown = setting_of_answering("dh_params", "dh.pem")
    assert fixed(deployment, unknown) == "<its value is not known>"
    added = fixed(deployment, lambda found: AddDirective("ssl_dhparam", ("dh.pem",), host=found.endpoints[0].answering))
    assert added == after


def setting_of_answering(field: str, value: object) -> Wish:
    def wish(found: Deployment) -> Intention:
        endpoint = found.endpoints[0]
        return SetValue(field, value, endpoint.tls.setting(field), (endpoint.answering,))

    return wish


def test_commands_of_a_host_keep_each_other_company(tmp_path: Path) -> None:
    text = NGINX_HEAD + (
        "    server {\n        listen 127.0.0.1:8443 ssl;\n        ssl_conf_command Options PrioritizeChaCha;\n"
        "        ssl_session_timeout 1d;\n    }\n}\n"
    )
    suites = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
    result = fixed(resolved(text, "nginx", tmp_path), setting("ciphersuites", suites))
    line = "        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384;\n"
    assert result == text.replace("1d;\n", "1d;\n" + line)


def test_a_command_that_makes_a_setting_keeps_its_name(tmp_path: Path) -> None:
    text = NGINX_HEAD + (
        "    server {\n        listen 127.0.0.1:8443 ssl;\n        ssl_conf_command CipherString 'ALL:RC4';\n    }\n}\n"
    )
    result = fixed(resolved(text, "nginx", tmp_path), setting("ciphers", ("ECDHE-RSA-AES128-GCM-SHA256",)))
    assert result == text.replace("ALL:RC4", "ECDHE-RSA-AES128-GCM-SHA256")


REMOVALS = [
    ("    a 1;\n    ssl_dhparam x;\n    b 2;\n", "    a 1;\n    b 2;\n"),
    ("    a 1;\r\n    ssl_dhparam x;\r\n    b 2;\r\n", "    a 1;\r\n    b 2;\r\n"),
    ("    ssl_dhparam x; # kept\n    b 2;\n", "    # kept\n    b 2;\n"),
    ("    a 1; ssl_dhparam x; b 2;\n", "    a 1; b 2;\n"),
    ("    ssl_dhparam x; b 2;\n", "    b 2;\n"),
    ("    a 1; ssl_dhparam x; # kept\n", "    a 1; # kept\n"),
    ("    ssl_dhparam\n        x;\n    b 2;\n", "    b 2;\n"),
    ("    a 1;\n    ssl_dhparam x;", "    a 1;"),
    ("    a 1;\r\n    ssl_dhparam x;", "    a 1;"),
    ("    ssl_dhparam # why\n        x;\n", "<a comment stands between its words>"),
]


@pytest.mark.parametrize(("before", "after"), REMOVALS)
def test_a_directive_goes_alone(before: str, after: str, tmp_path: Path) -> None:
    text = "server {\nlisten 127.0.0.1:8443 ssl;\n}\n"
    path = tmp_path / "one.conf"
    path.write_bytes(before.encode())
    deployment = resolved(text, "nginx", tmp_path)
    found = next(item for item in walk(nginx.parse(Source.read(str(path))).directives) if item.name == "ssl_dhparam")
    dialect = NginxDialect(deployment)
    if after.startswith("<"):
        with pytest.raises(CannotSpell, match=after.strip("<>")):
            dialect.edits(RemoveDirective(Place(found)))
        return
    edits = dialect.edits(RemoveDirective(Place(found)))
    assert applied(edits).decode() == after


def part(text: str, word: str) -> Callable[[Place], Span]:
    """The span of a word within the only argument of a directive."""

    def span(place: Place) -> Span:
        argument = place.directive.arguments[0]
        start = argument.source.text.index(word, argument.start)
        return Span(argument.source, start, start + len(word))

    return span


ARGUMENTS: list[tuple[str, str, Callable[[Place], Intention], str]] = [
    ("listen 127.0.0.1:8443 ssl;", "listen", lambda at: AddArgument(at, "default_server"),
     "listen 127.0.0.1:8443 ssl default_server;"),
    ("ssl_alpn a b;", "ssl_alpn", lambda at: RemoveArgument(at, at.argument(0)), "ssl_alpn b;"),
    ("ssl_alpn a  b c;", "ssl_alpn", lambda at: RemoveArgument(at, at.argument(1)), "ssl_alpn a c;"),
    ("ssl_alpn a b ;", "ssl_alpn", lambda at: RemoveArgument(at, at.argument(1)), "ssl_alpn a ;"),
    ("ssl on; ssl_alpn a;", "ssl", lambda at: RemoveArgument(at, at.argument(0)), "ssl_alpn a;"),
    ("ssl_ciphers 'A:RC4:B';", "ssl_ciphers", lambda at: ReplacePart(at, part("", "RC4")(at), "", ":"),
     "ssl_ciphers 'A:B';"),
    ("ssl_ciphers A:RC4;", "ssl_ciphers", lambda at: ReplacePart(at, part("", "RC4")(at), "", ":"), "ssl_ciphers A;"),
    ("ssl_ciphers A:RC4;", "ssl_ciphers", lambda at: ReplacePart(at, part("", "RC4")(at), "!RC4"),
     "ssl_ciphers A:!RC4;"),
    ("ssl_ciphers A;", "ssl_ciphers", lambda at: ReplacePart(at, part("", "A")(at), "a b"), "ssl_ciphers \"a b\";"),
    ("ssl_ciphers A;", "ssl_ciphers", lambda at: ReplaceArguments(at, ("B",)), "ssl_ciphers B;"),
    ("ssl_session_cache  shared:a:1m  builtin ;", "ssl_session_cache",
     lambda at: ReplaceArguments(at, ("shared:a:1m",)), "ssl_session_cache  shared:a:1m ;"),
    ("ssl_session_cache none;", "ssl_session_cache", lambda at: ReplaceArguments(at, ("builtin", "shared:a:1m")),
     "ssl_session_cache builtin shared:a:1m;"),
    ("spdy_x on;", "spdy_x", lambda at: RenameDirective(at, "http2"), "http2 on;"),
    ("listen 127.0.0.1:8443 ssl;", "listen", lambda at: AddDirective("http2", ("on",), beside=at),
     "listen 127.0.0.1:8443 ssl;\n    http2 on;"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "name", "wish", "after"), ARGUMENTS)
def test_words_of_a_directive(
    before: str, name: str, wish: Callable[[Place], Intention], after: str, tmp_path: Path
) -> None:
    frame = NGINX_HEAD + "server {\n    @\n}\nserver { listen 127.0.0.1:8443 ssl; }\n}\n"
    deployment = resolved(frame.replace("@", before), "nginx", tmp_path)
    assert fixed(deployment, lambda found: wish(directive(found, name))) == frame.replace("@", after)


def test_a_word_is_quoted_where_it_has_to_be(tmp_path: Path) -> None:
    deployment = resolved(NGINX_HEAD + "server {}\n}\n", "nginx", tmp_path)
    for word in ("a", "a b", "a;b", 'a"b', "a'b", "a\\b", "", "{", "#x", "a\tb", "ü"):
        for quote in ("", '"', "'"):
            written = NginxDialect(deployment).quoted(word, quote)
            tree = nginx.parse(Source("x", f"name {written};"))
            assert [str(argument) for argument in tree.directives[0].arguments] == [word]
            written = ApacheDialect(deployment).quoted(word, quote)
            apache_tree = apache.parse(Source("x", f"Name {written}\n"))
            assert [str(argument) for argument in apache_tree.directives[0].arguments] == [word]
            dialect = ApacheDialect(deployment)
            assert [dialect.unquoted(argument) for argument in apache_tree.directives[0].arguments] == [word]


def test_a_setting_of_an_upstream(tmp_path: Path) -> None:
    text = NGINX_HEAD + (
        "    server {\n        listen 127.0.0.1:8080;\n        location / {\n            proxy_pass https://b.example;\n"
        "            proxy_set_header Host b;\n        }\n    }\n}\n"
    )
    deployment = resolved(text, "nginx", tmp_path)
    result = fixed(deployment, lambda found: SetUpstream("server_name", True, found.upstreams[0]))
    assert result == text.replace("b.example;\n", "b.example;\n            proxy_ssl_server_name on;\n")
    again = resolved(result, "nginx", tmp_path)
    result = fixed(again, lambda found: SetUpstream("protocols", MODERN, found.upstreams[0]))
    assert "proxy_ssl_server_name on;\n            proxy_ssl_protocols TLSv1.2 TLSv1.3;\n" in result


def test_a_rejecting_host_keeps_what_the_default_decided(tmp_path: Path) -> None:
    text = NGINX_HEAD + (
        "    # the shop\n    server {\n        listen 127.0.0.1:8443 ssl default_server reuseport;\n"
        "        listen [::1]:8443 ssl;\n        server_name a.example;\n        ssl_protocols TLSv1.3;\n    }\n"
        "    server {\n        listen 127.0.0.1:8443 ssl;\n        server_name b.example;\n    }\n}\n"
    )
    deployment = resolved(text, "nginx", tmp_path, "nginx=1.22.1")
    result = fixed(deployment, lambda found: AddRejectingHost(tuple(found.listeners)))
    block = (
        "    server {\n        listen 127.0.0.1:8443 ssl default_server;\n"
        "        listen [::1]:8443 ssl default_server;\n"
        "\n        ssl_protocols TLSv1.3;\n        ssl_reject_handshake on;\n    }\n\n"
    )
    assert result == text.replace("    # the shop\n", block + "    # the shop\n").replace(
        "ssl default_server reuseport", "ssl reuseport"
    )


def test_a_rejecting_host_cannot_keep_two_things_at_once(tmp_path: Path) -> None:
    text = NGINX_HEAD + "".join(
        f"server {{ listen 127.0.0.1:844{number} ssl; server_name a{number}.example; ssl_protocols TLSv1.{number}; }}\n"
        for number in (2, 3)
    )
    deployment = resolved(text + "}\n", "nginx", tmp_path, "nginx=1.22.1")
    result = fixed(deployment, lambda found: AddRejectingHost(tuple(found.listeners)))
    assert result == "<the default hosts of the sockets decide different things>"


def test_what_a_version_does_not_know_is_not_written(tmp_path: Path) -> None:
    text = NGINX_HEAD + "    server {\n        listen 127.0.0.1:8443 ssl;\n        server_name a;\n    }\n}\n"
    suites = setting("ciphersuites", ("TLS_AES_128_GCM_SHA256",))
    for target in ("nginx=1.18.0,openssl=1.1.1", None):
        old = resolved(text, "nginx", tmp_path, target)
        assert fixed(old, suites) == "<nginx 1.18.0 does not know ssl_conf_command>"
        refusal = fixed(old, lambda found: AddRejectingHost(tuple(found.listeners)))
        assert refusal == "<nginx 1.18.0 does not know ssl_reject_handshake>"
    used = text.replace("server_name a;", "server_name a; ssl_conf_command Options -SessionTicket;")
    assert "Ciphersuites" in fixed(resolved(used, "nginx", tmp_path), suites)


MANAGED = [
    ("# Ansible managed\n", "Ansible"),
    ("# {mark} This file is managed by Puppet. DO NOT EDIT.\n", "Puppet"),
    ("# If you modify this file manually, Certbot will be unable to automatically provide future security updates.\n",
     "Certbot"),
    ("# written by terraform (see infra)\n", "terraform"),
    ("# DO NOT MODIFY THIS FILE! CHANGES WILL BE LOST\n", "another program"),
    ("#\n# Automatically generated, all changes vanish\n", "another program"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "name"), MANAGED)
def test_what_another_tool_manages_is_not_edited(head: str, name: str, tmp_path: Path) -> None:
    text = head + NGINX_HEAD + "server { listen 127.0.0.1:8443 ssl; ssl_protocols TLSv1; }\n}\n"
    assert fixed(resolved(text, "nginx", tmp_path), PROTOCOLS) == f"<nginx.conf is managed by {name}>"


@pytest.mark.parametrize(
    "head", ["# once this was ansible, now we write it", "# do not change this port", "# generated 2026-01-01 for us"]
)
def test_a_comment_that_says_less_does_not_hinder(head: str, tmp_path: Path) -> None:
    text = f"{head}\n{NGINX_HEAD}"
    text += "server { listen 127.0.0.1:8443 ssl; ssl_protocols TLSv1; }\n}\n"
    assert "TLSv1.3" in fixed(resolved(text, "nginx", tmp_path), PROTOCOLS)


def test_a_line_that_certbot_manages_is_left_to_it(tmp_path: Path) -> None:
    text = NGINX_HEAD + "server {\n listen 127.0.0.1:8443 ssl; # managed by Certbot\n ssl_protocols TLSv1;\n}\n}\n"
    deployment = resolved(text, "nginx", tmp_path)
    assert "TLSv1.3" in fixed(deployment, PROTOCOLS)
    result = fixed(deployment, lambda found: RemoveDirective(directive(found, "listen")))
    assert result == "<the line is managed by Certbot>"


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    text = "# caf\udce9\n" + NGINX_HEAD + "server { listen 127.0.0.1:8443 ssl; ssl_protocols TLSv1; }\n}\n"
    assert fixed(resolved(text, "nginx", tmp_path), PROTOCOLS) == text.replace("TLSv1;", "TLSv1.2 TLSv1.3;")


# -- Apache ------------------------------------------------------------------------------------------------------------

APACHE_HEAD = "ServerName x.example\nListen 127.0.0.1:8443\nLoadModule ssl_module mod_ssl.so\n"

APACHE_VALUES = [
    ("SSLProtocol all -SSLv3", "SSLProtocol -all +TLSv1.2 +TLSv1.3"),
    ("SSLProtocol   -all +TLSv1 +TLSv1.2", "SSLProtocol   -all +TLSv1.2 +TLSv1.3"),
    ("SSLProtocol \\\n        all \\\n        -TLSv1.1", "SSLProtocol \\\n        -all +TLSv1.2 +TLSv1.3"),
    ('SSLProtocol "all"', "SSLProtocol -all +TLSv1.2 +TLSv1.3"),
]


@pytest.mark.parametrize(("before", "after"), APACHE_VALUES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_value_that_apache_has_is_replaced(before: str, after: str, end: str, tmp_path: Path) -> None:
    frame = APACHE_HEAD + "<VirtualHost 127.0.0.1:8443>\n    SSLEngine on\n    @\n</VirtualHost>\n"
    deployment = resolved(frame.replace("@", before).replace("\n", end), "apache", tmp_path)
    assert fixed(deployment, PROTOCOLS_OF_LAST) == frame.replace("@", after).replace("\n", end)


def last_host(deployment: Deployment) -> VirtualHost:
    return next(found for found in reversed(deployment.virtual_hosts) if found.place.directive.block is not None)


def PROTOCOLS_OF_LAST(deployment: Deployment) -> Intention:  # noqa: N802 - a constant that is a function
    found = last_host(deployment)
    return SetValue("protocols", MODERN, found.tls.protocols, (found,))


def test_a_variable_is_not_edited_away(tmp_path: Path) -> None:
    text = "Define weak all\n" + APACHE_HEAD
    text += "<VirtualHost 127.0.0.1:8443>\n    SSLEngine on\n    SSLProtocol ${weak} -SSLv3\n</VirtualHost>\n"
    assert fixed(resolved(text, "apache", tmp_path), PROTOCOLS_OF_LAST) == "<a variable makes a part of it>"


def test_a_macro_is_not_edited(tmp_path: Path) -> None:
    text = APACHE_HEAD.replace("LoadModule", "LoadModule macro_module mod_macro.so\nLoadModule", 1) + (
        "<Macro tls>\n    SSLEngine on\n    SSLProtocol all\n</Macro>\n"
        "<VirtualHost 127.0.0.1:8443>\n    Use tls\n</VirtualHost>\n"
    )
    assert fixed(resolved(text, "apache", tmp_path), PROTOCOLS_OF_LAST) == "<it stands in a macro>"


APACHE_LINES = [
    (
        (
            "<VirtualHost 127.0.0.1:8443>\n"
            "    SSLEngine          on\n    SSLCertificateFile a.pem\n\n    DocumentRoot /x\n"
            "</VirtualHost>\n"
        ),
        "    SSLCertificateFile a.pem\n    SSLProtocol        -all +TLSv1.2 +TLSv1.3\n\n",
    ),
    (
        (
            "<IfModule ssl_module>\n\tSSLHonorCipherOrder on\n</IfModule>\n"
            "<VirtualHost 127.0.0.1:8443>\n    SSLEngine on\n</VirtualHost>\n"
        ),
        "\tSSLHonorCipherOrder on\n\tSSLProtocol -all +TLSv1.2 +TLSv1.3\n</IfModule>\n",
    ),
]


@pytest.mark.parametrize(("before", "expected"), APACHE_LINES)
def test_a_line_joins_its_kind_in_apache(before: str, expected: str, tmp_path: Path) -> None:
    text = APACHE_HEAD + before
    result = fixed(resolved(text, "apache", tmp_path), PROTOCOLS_OF_LAST)
    assert expected in result
    assert re.sub(r"[ \t]*SSLProtocol.*\n", "", result) == text
