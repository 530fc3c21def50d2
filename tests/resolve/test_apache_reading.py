"""What reading says beside the directives: where they come from, what cannot be known, and what it costs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from parse.apache_oracle import Httpd
from resolve.apache_dump import asked_for_includes
from support.corpus import needed_corpus
from tlslint.discover import Root, discover
from tlslint.resolve.apache_modules import Modules
from tlslint.resolve.apache_read import MAX_INCLUDE_DEPTH, Reading, read
from tlslint.resolve.apache_variables import Variables, command_line_flags, read_environment
from tlslint.resolve.include import Files
from tlslint.resolve.model import Unknown
from tlslint.settings import Settings
from tlslint.target import parse_target


def reading_of(
    folder: Path, files: Mapping[str, str], entry: str = "httpd.conf", context: str = "main", target: str = "debian-12"
) -> Reading:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    view = Files(allowed=[str(folder)])
    root = Root(str(folder / entry), "apache", context, view, entry, str(folder))
    return read(root, parse_target(target, "apache"))


# -- where directives come from --------------------------------------------------------------------------------------


def test_a_directive_of_a_macro_stands_at_the_macros_line_and_names_the_use(tmp_path: Path) -> None:
    files = {
        "httpd.conf": "Include macros.conf\n<VirtualHost *:1>\nInclude use.conf\n</VirtualHost>\n",
        "macros.conf": "<Macro tls $name>\n  SSLCertificateFile /etc/$name.pem\n</Macro>\n",
        "use.conf": "\nUse tls shop\n",
    }
    host = next(reading_of(tmp_path, files).main.sections("virtualhost"))
    place = host.items[0]
    assert place.directive.arguments == ("/etc/shop.pem",)
    assert (place.directive.source.path, place.directive.line) == (str(tmp_path / "macros.conf"), 2)
    assert place.span.text == "/etc/$name.pem"
    assert [(step.name, step.line) for step in place.includes] == [("Include", 3), ("Use", 2)]


def test_words_are_replaced_and_spans_are_not(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, {"httpd.conf": 'Define P "all  -SSLv3"\nSSLProtocol ${P} +TLSv1.3\n'})
    place = reading.main.items[0]
    assert place.directive.arguments == ("all", "-SSLv3", "+TLSv1.3")
    assert [word.raw for word in place.directive.arguments] == ["${P}", "${P}", "+TLSv1.3"]


def test_a_file_that_is_included_twice_gives_the_same_directives(tmp_path: Path) -> None:
    files = {
        "httpd.conf": "Include a.conf\nInclude a.conf\n",
        "a.conf": "Define X y\nSSLProtocol all\nSSLEngine ${X}\n",
    }
    items = reading_of(tmp_path, files).main.items
    assert items[0].directive is items[2].directive
    assert items[1].directive is items[3].directive
    assert items[0].includes[0] is not items[2].includes[0]


def test_a_section_keeps_its_extent_when_its_tag_is_replaced(tmp_path: Path) -> None:
    reading = reading_of(
        tmp_path, {"httpd.conf": "Define PORT 443\n<VirtualHost *:${PORT}>\nSSLEngine on\n</VirtualHost>\n"}
    )
    place = next(reading.main.sections("virtualhost")).place
    assert place is not None
    assert place.directive.arguments == ("*:443",)
    assert place.directive.span.text.endswith("</VirtualHost>")


def test_branches_tell_what_was_left_out_and_why(tmp_path: Path) -> None:
    text = "LoadModule ssl_module x\n<IfModule mod_ssl>\nSSLEngine on\n</IfModule>\n<IfModule mod_ssl.c>\n</IfModule>\n"
    reading = reading_of(tmp_path, {"httpd.conf": text})
    assert [(str(branch.place.argument(0)), branch.taken) for branch in reading.branches] == [
        ("mod_ssl", False),
        ("mod_ssl.c", True),
    ]


def test_included_files_are_those_that_httpd_names(httpd: Httpd, tmp_path: Path) -> None:
    files = {
        "main.conf": "Include b\n<IfModule core.c>\nInclude a.conf\n</IfModule>\n<IfDefine X>\nInclude x\n</IfDefine>",
        "a.conf": "<Macro m>\nInclude c.conf\n</Macro>\nUse m\n",
        "b/2.conf": "",
        "b/1.conf": "",
        "c.conf": "ServerAdmin x\n",
    }
    truth, ours = asked_for_includes(httpd, tmp_path, files)
    assert ours == truth


# -- what cannot be known ---------------------------------------------------------------------------------------------


def test_a_lone_host_counts_on_well_known_modules_and_says_so(tmp_path: Path) -> None:
    text = "<IfModule mod_ssl.c>\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n</IfModule>\n"
    reading = reading_of(tmp_path, {"site.conf": text}, "site.conf", "server")
    assert [host.own.keys() for host in reading.main.sections("virtualhost")] == [{"sslengine"}]
    assert reading.main.incomplete
    assert reading.assumed_modules == {"ssl"}
    assert reading.problems == []


@pytest.mark.parametrize(
    ("condition", "body", "matters"),
    [
        ("IfDefine TLS", "SSLEngine on", True),
        ("IfModule mod_evasive20.c", "Header set a b", True),
        ("IfModule mod_php.c", "php_value a b", False),
        ("IfVersion >= 2.4.60", "SSLEngine on", True),
        ("IfFile /etc/none", "Include /etc/none", True),
        ("IfDirective Foo", "Include a", True),
    ],
)
def test_what_nobody_can_decide_leaves_the_section_incomplete(
    tmp_path: Path, condition: str, body: str, matters: bool
) -> None:
    text = f"<VirtualHost *:443>\n<{condition}>\n{body}\n</{condition.partition(' ')[0]}>\n</VirtualHost>\n"
    reading = reading_of(tmp_path, {"site.conf": text}, "site.conf", "server", "")
    host = next(reading.main.sections("virtualhost"))
    assert not host.items
    assert bool(host.incomplete) is matters
    assert bool(reading.unknown) is matters
    assert reading.branches[0].taken is None


def test_a_variable_that_may_come_from_elsewhere_makes_its_directive_doubtful(tmp_path: Path) -> None:
    text = (
        "ErrorLog ${LOGS}/x\nServerName ${NAME}\nSSLProtocol ${P}\n<VirtualHost ${A}>\n</VirtualHost>\nSSLEngine on\n"
    )
    reading = reading_of(tmp_path, {"site.conf": text}, "site.conf", "server")
    assert [(place.directive.name, bool(place.doubt)) for place in reading.main.items] == [
        ("ErrorLog", True),
        ("SSLProtocol", True),
        ("SSLEngine", False),
    ]
    assert [what for what, _, _ in reading.unknown] == ["what ServerName says", "which connections <VirtualHost> takes"]
    assert reading.problems == []


def test_a_define_made_of_an_unknown_value_is_unknown_itself(tmp_path: Path) -> None:
    text = "Define A ${B}/x\nSSLCertificateFile ${A}\nDefine A /y\nSSLCertificateFile ${A}\n"
    items = reading_of(tmp_path, {"site.conf": text}, "site.conf", "server").main.items
    assert [bool(place.doubt) for place in items] == [True, False]


def test_debians_environment_is_known_from_its_file(tmp_path: Path) -> None:
    files = {
        "apache2.conf": "ServerName ${NAME}\nSSLProtocol ${PROTO}\n",
        "envvars": "unset HOME\nexport NAME=shop.example\n",
    }
    reading = reading_of(tmp_path, files, "apache2.conf")
    assert [place.directive.arguments for place in reading.main.items] == [("shop.example",), ("${PROTO}",)]
    assert [problem.kind for problem in reading.problems] == ["undefined-variable"]


def test_an_include_that_is_out_of_sight_opens_what_it_may_set(tmp_path: Path) -> None:
    text = "Include /elsewhere/*.conf\n<IfDefine X>\nSSLEngine on\n</IfDefine>\nUse m\n"
    reading = reading_of(tmp_path, {"httpd.conf": text})
    assert reading.problems == []
    assert [what for what, _, _ in reading.unknown] == [
        'what Include "/elsewhere/*.conf" brings',
        "what <IfDefine X> holds",
        "what Use m brings",
    ]


def test_relative_includes_of_a_part_are_not_called_missing(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, {"site.conf": "Include conf/tls.conf\nInclude conf/*.conf\n"}, "site.conf", "server")
    assert reading.problems == []
    assert len(reading.unknown) == 2


def test_conditions_that_the_target_does_not_have(tmp_path: Path) -> None:
    files = {"httpd.conf": "<IfFile httpd.conf>\nSSLEngine on\n</IfFile>\n"}
    old = reading_of(tmp_path, files, target="apache=2.4.33")
    assert [(problem.kind, problem.help) for problem in old.problems] == [("syntax-error", "httpd has it since 2.4.34")]
    assert reading_of(tmp_path, files, target="apache=2.4.34").problems == []


@pytest.mark.parametrize(
    ("target", "taken"),
    [("apache=2.4.59", False), ("apache=2.4.60", True), ("debian-12", True), ("ubuntu-20.04", False), ("", None)],
)
def test_versions_decide_by_the_target(tmp_path: Path, target: str, taken: bool | None) -> None:
    reading = reading_of(tmp_path, {"httpd.conf": "<IfVersion >= 2.4.60>\n</IfVersion>\n"}, target=target)
    assert reading.branches[0].taken is taken


# -- modules, variables, environment ---------------------------------------------------------------------------------


def test_compiled_in_modules_depend_on_the_platform() -> None:
    assert Modules("debian", "").has("mod_version.c") is True
    assert Modules("rhel", "").has("version_module") is False
    assert isinstance(Modules(None, "").has("mod_log_config.c"), Unknown)
    assert Modules(None, "").has("mod_ssl.c") is False


def test_names_that_no_module_has_are_false_even_where_modules_are_out_of_sight() -> None:
    modules = Modules(None, "not read")
    assert [modules.has(name) for name in ("mod_ssl", "ssl", "SSL_MODULE", "mod_http.c", "mod_gnutls.c")] == [False] * 5
    assert isinstance(modules.has("mod_foo.c"), Unknown)
    assert modules.has("ssl_module") is True


def test_a_module_of_others_has_the_name_of_its_file_too() -> None:
    modules = Modules("debian", "")
    modules.load("php7_module", "/usr/lib/apache2/modules/libphp7.4.so")
    assert modules.has("mod_php7.c") is True
    assert modules.has("mod_php5.c") is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("export A=b", "b"),
        ("A=b # c", "b"),
        ("export A='b c'", "b c"),
        ('export A="b $B"', "b x"),
        ("export A=/var$SUFFIX/run", "/var/run"),
        ("export A=", ""),
        ("export A=$(date)", None),
        ("export A=`date`", None),
        ("export A=${B:-y}", None),
        ("if true; then\nexport A=b\nfi", None),
        ('export A="b\\"c"', None),
    ],
)
def test_the_environment_file_is_read_and_not_run(text: str, value: str | None) -> None:
    found = read_environment(f"export B=x\n{text}\n").get("A")
    assert isinstance(found, Unknown) if value is None else found == value


def test_values_that_fill_the_memory_are_not_made() -> None:
    from tlslint.parse.apache import logical_lines
    from tlslint.parse.tree import Source

    variables = Variables((), {}, "")
    variables.define("A", "x" * 1_000_000)
    line = next(logical_lines(Source("a", "Define A ${A}${A}")))
    replacement = variables.replace(line)
    assert replacement.doubt
    assert len(replacement.line.text) <= 1_000_100


# -- bad input -------------------------------------------------------------------------------------------------------


def test_macros_that_multiply_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlslint.resolve.apache_read.MAX_MACRO_LINES", 5000)
    macros = "".join(f"<Macro m{n}>\n" + f"Use m{n - 1}\n" * 10 + "</Macro>\n" for n in range(1, 12))
    reading = reading_of(tmp_path, {"httpd.conf": f"<Macro m0>\nServerAdmin a\n</Macro>\n{macros}Use m11\n"})
    assert [problem.kind for problem in reading.problems] == ["include-cycle"]
    assert reading.main.incomplete


def test_files_that_include_each_other_twice_end(tmp_path: Path) -> None:
    files = {"httpd.conf": "Include a.conf\nSSLEngine on\n", "a.conf": "Include b.conf\nInclude b.conf\n"}
    files["b.conf"] = "Include a.conf\nInclude a.conf\n"
    reading = reading_of(tmp_path, files)
    assert {problem.kind for problem in reading.problems} == {"include-cycle"}
    assert reading.main.items[-1].directive.name == "SSLEngine"
    assert max(len(place.includes) for place in reading.executed) <= MAX_INCLUDE_DEPTH + 1


def test_many_defines(tmp_path: Path) -> None:
    text = "".join(f"Define V{n} x{n}\n" for n in range(100_000)) + "SSLProtocol ${v99999}\n"
    assert reading_of(tmp_path, {"httpd.conf": text}).main.items[0].directive.arguments == ("x99999",)


@pytest.mark.parametrize(
    "line", ["<IfDefine X>", "<IfModule core.c>", "<Location /x>", "</x>", "<Macro m>", "Use", "${A}"]
)
def test_a_line_over_and_over(tmp_path: Path, line: str) -> None:
    reading = reading_of(tmp_path, {"httpd.conf": f"{line}\n" * 3000})
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert len(errors) <= 10


# -- the corpus -------------------------------------------------------------------------------------------------------


def test_every_file_of_the_corpus_reads() -> None:
    for path in sorted(path for path in (needed_corpus() / "apache").rglob("*") if path.is_file()):
        view = Files(allowed=[str(path.parent)])
        for context in ("main", "server"):
            root = Root(view.server_path(str(path)), "apache", context, view, path.name, str(path.parent))
            read(root, parse_target("debian-12", "apache"))


def test_every_tree_of_the_corpus_reads() -> None:
    for folder in sorted(path for path in (needed_corpus() / "apache").iterdir() if path.is_dir()):
        for root in discover([str(folder)], Settings()).roots:
            if root.server == "apache":
                reading = read(root, parse_target(None, "apache"))
                assert len(reading.problems) < 100


@pytest.mark.parametrize(
    ("entry", "service", "text"),
    [
        ("apache2/apache2.conf", "apache2/envvars", "export APACHE_ARGUMENTS='-D PROD'\n"),
        ("httpd/conf/httpd.conf", "sysconfig/httpd", '# -D OTHER\nOPTIONS="-k start -DPROD"\nLANG=C\n'),
        ("apache2/httpd.conf", "conf.d/apache2", 'APACHE2_OPTS="-D SSL -D PROD"\n'),
    ],
)
def test_flags_come_from_the_settings_of_the_service(tmp_path: Path, entry: str, service: str, text: str) -> None:
    files = {entry: "<IfDefine PROD>\nSSLEngine on\n</IfDefine>\n<IfDefine OTHER>\nServerName x\n</IfDefine>\n"}
    for present in ({}, {service: text}):
        reading = reading_of(tmp_path, {**files, **present}, entry)
        assert [place.directive.name for place in reading.main.items] == ["SSLEngine"] * len(present)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ('OPTIONS="-D A -DB=C -D D=E -f /x"', ("A", "B=C", "D=E")),
        ("OPTIONS=-DA", ("A",)),
        ("OPTIONS='-D A' # -D B", ("A",)),
        ("#OPTIONS=-DA", ()),
        ('OPTIONS="-D"', ()),
        ("", ()),
    ],
)
def test_arguments_of_the_service(text: str, flags: tuple[str, ...]) -> None:
    assert command_line_flags(text, "OPTIONS") == flags


def test_arguments_that_a_shell_works_out_are_not_known() -> None:
    assert isinstance(command_line_flags('OPTIONS="$(cat /x)"', "OPTIONS"), Unknown)
