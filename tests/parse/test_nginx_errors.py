"""What is wrong with a file, where nginx stops, and where the trouble began; and input that is no configuration."""

from dataclasses import dataclass

import pytest

from parse.nginx_oracle import IN_SERVER, MAIN, WORDS_ONLY, ask
from support.servers import NginxBinary
from tlslint.parse.nginx import BUFFER_BYTES, MAX_DEPTH, parse, swallowed
from tlslint.parse.tree import Source, SyntaxProblem, Tree, walk


def read(text: str | bytes) -> Tree:
    if isinstance(text, bytes):
        return parse(Source.from_bytes("nginx.conf", text))
    return parse(Source.from_text("nginx.conf", text))


def only_problem(text: str | bytes) -> SyntaxProblem:
    (problem,) = read(text).problems
    return problem


UNFINISHED = 'unexpected end of file, expecting ";" or "}"'
UNCLOSED = 'unexpected end of file, expecting "}"'


@dataclass(frozen=True)
class Wrong:
    name: str
    text: str
    message: str
    line: int
    column: int
    origin: tuple[int, int, str] | None
    """line, column and text"""
    hint: str
    place: bytes = WORDS_ONLY


WRONG = [
    Wrong("no semicolon at the end", "a b;\n  c d\n", UNFINISHED, 3, 1, (2, 3, "c d"), '";" is missing'),
    Wrong("no semicolon at the end, no newline", "a b;\n  c d", UNFINISHED, 2, 6, (2, 3, "c d"), '";" is missing'),
    Wrong("a comment after the word without semicolon", "a b # c;\n", UNFINISHED, 2, 1, (1, 1, "a b"), "missing"),
    Wrong("a backslash at the end", "a \\", UNFINISHED, 1, 4, (1, 1, "a \\"), '";" is missing'),
    Wrong("a backslash alone", "\\", UNFINISHED, 1, 2, (1, 1, "\\"), '";" is missing'),
    Wrong("a backslash before the semicolon", "a b\\;\n", UNFINISHED, 2, 1, (1, 1, "a b\\;"), '";" is missing'),
    Wrong("no semicolon before a brace", "location ~ x {\n  ssi_types b\n}\n", 'unexpected "}"', 3, 1,
          (2, 3, "ssi_types b"), '";" is missing', IN_SERVER),
    Wrong("a quote never closed", "a b;\nc 'd;\ne f;\n", UNFINISHED, 4, 1, (2, 3, "'"), "never closed"),
    Wrong("a double quote never closed", 'a "b\\";\n', UNFINISHED, 2, 1, (1, 3, '"'), "never closed"),
    Wrong("a quote closed by the next one", 'a "b;\nc "d";\n', 'unexpected "d"', 2, 4, (1, 3, '"'), "later line"),
    Wrong("text glued to a quote", 'a "b"c;', 'unexpected "c"', 1, 6, (1, 3, '"b"'), "after the closing quote"),
    Wrong("a semicolon alone", "a b;;\n", 'unexpected ";"', 1, 5, None, "no directive"),
    Wrong("a brace alone", "location ~ x { {\n", 'unexpected "{"', 1, 16, None, "no directive", IN_SERVER),
    Wrong("a brace too many", "location ~ x {\n}\n}\n", 'unexpected "}"', 3, 1, None, "one too many", IN_SERVER),
    Wrong("a brace too many, seen by its indentation",
          "location ~ x {\n    location ~ y {\n        }\n    }\n}\nlocation ~ z {\n}\n",
          'unexpected "}"', 5, 1, (3, 9, "}"), "one too many", IN_SERVER),
    Wrong("a block never closed", "location ~ x {\n", UNCLOSED, 2, 1, (1, 1, "location ~ x {"), 'no "}"', IN_SERVER),
    Wrong("an inner block never closed, seen at its parent's brace",
          "location ~ x {\n    location ~ y {\n        ssi_types a;\n}\n", UNCLOSED, 5, 1,
          (2, 5, "location ~ y {"), 'no "}"', IN_SERVER),
    Wrong("a block never closed, seen at its neighbour",
          "location ~ a {\n    location ~ x {\n        ssi_types a;\n    location ~ y {\n    }\n}\n", UNCLOSED, 7, 1,
          (2, 5, "location ~ x {"), 'no "}"', IN_SERVER),
    Wrong("the innermost block without any indentation", "location ~ x {\nlocation ~ y {\n", UNCLOSED, 3, 1,
          (2, 1, "location ~ y {"), 'no "}"', IN_SERVER),
    Wrong("a bare word too long", "a\n" + "b" * 4096 + ";", 'too long parameter "bbbbbbbbbb..." started', 2, 1, None,
          "4095 bytes"),
    Wrong("a quoted word too long", 'a "' + "b" * 4095 + '";', 'too long parameter "bbbbbbbbbb..." started', 1, 3, None,
          "4095 bytes"),
    Wrong("a long quoted word", 'a\n"' + "b" * 4096 + '";',
          'too long parameter, probably missing terminating """ character', 2, 1, (2, 1, '"'), "never closed"),
    Wrong("a quote never closed in a long file", "a '" + "b;\n" * 2000,
          'too long parameter, probably missing terminating "\'" character', 1, 3, (1, 3, "'"), "never closed"),
    Wrong("a comment too long", "a b;\n#" + "c" * 4095 + "\n", 'too long parameter "#ccccccccc..." started', 2, 1, None,
          "4095 bytes"),
    Wrong("a long word in few characters", "é" * 2048 + " ;", 'too long parameter "ééééé..." started', 1, 1, None,
          "4095 bytes"),
    Wrong("a byte order mark", "\ufeffevents {}\n", 'unknown directive "\ufeffevents"', 1, 1, (1, 1, "\ufeff"),
          "byte order mark", MAIN),
    Wrong("a byte order mark before a comment", "\ufeff# a;\n", 'unknown directive "\ufeff#"', 1, 1, (1, 1, "\ufeff"),
          "byte order mark", MAIN),
    Wrong("a NUL in the first name", "a\0b c;\n", 'unknown directive "a"', 1, 1, (1, 1, "a"), "not UTF-8", MAIN),
]  # fmt: skip


@pytest.fixture(params=WRONG, ids=lambda wrong: wrong.name)
def wrong(request: pytest.FixtureRequest) -> Wrong:
    case: Wrong = request.param
    return case


def test_problem(wrong: Wrong) -> None:
    problem = only_problem(wrong.text)
    assert problem.message == wrong.message
    assert (problem.span.line, problem.span.column) == (wrong.line, wrong.column)
    origin = problem.origin and (problem.origin.line, problem.origin.column, problem.origin.text)
    assert origin == wrong.origin
    assert wrong.hint in (problem.hint or "")


def test_nginx_says_the_same(wrong: Wrong, nginx: NginxBinary) -> None:
    verdict = ask(nginx, wrong.text, wrong.place)
    assert (verdict.message, verdict.line) == (wrong.message, wrong.line)


LENGTHS = [
    f"{before}{'b' * (BUFFER_BYTES + less)}{after}"
    for before, after in [("a ", ";"), ("a ", " ;"), ("a ", "\n"), ('a "', '";'), ("a '", "' ;"), ('a "', '"'),
                          ("#", "\n"), ("a # ", "\n;"), ("a;#", ""), ('a "', '") b;'), ('a "', '"x b;'), ("a ", "{")]
    for less in range(-4, 2)
]  # fmt: skip


def test_nginx_draws_the_line_for_long_words_where_we_do(nginx: NginxBinary) -> None:
    for text in LENGTHS:
        for full in (text, text + "\nx y;\n"):
            tree = read(full)
            ours = (tree.problems[0].message, tree.problems[0].span.line) if tree.problems else (None, 0)
            if any(directive.block is not None for directive in tree.directives):
                ours = ('unexpected "{"', 1)
            verdict = ask(nginx, full, WORDS_ONLY)
            assert (verdict.message, verdict.line) == ours, (full[:5], full[-12:], len(full))


def test_only_what_stands_before_the_problem_is_read() -> None:
    tree = read("http {\n  server { listen 80; }\n  a b;;\n  c d;\n}\n")
    assert [directive.name for directive in walk(tree.directives)] == ["http", "server", "listen", "a"]
    (http,) = tree.directives
    assert (http.block_end, http.end) == (tree.problems[0].span.start,) * 2


def test_problems_come_in_nginxs_order() -> None:
    tree = read("\ufeffevents {}\na b;;\n")
    assert [problem.message for problem in tree.problems] == ['unknown directive "\ufeffevents"', 'unexpected ";"']
    assert [problem.message for problem in read("\ufeffevents").problems] == [UNFINISHED]


# --- Lua --------------------------------------------------------------------------------------------------------------

# The answers are those of the Lua module 0.10.23 in Debian 12's nginx, asked once by hand.
LUA_BODIES = [
    ' ngx.say("}") ', " local s = [[ } ]] ", " local s = [==[ } ]] ]==] ", " -- }\n ", " --[[ } \n } ]] ",
    " local a = '\\'}' ", ' local s = "', " local t={1,{2}} local s = t[t[1]] ", " local s = 'it' -- don't }\n ",
    " ]] ", ' local s = "a\\\\}" ', " --[==] \n ", " a = [=x[ ", " a = b[=[ } ]=]  ", "", ' local s = "a\r}" ',
    " ---[[ }\n ", " --" + "b" * 5000 + "}\n ",
]  # fmt: skip


@pytest.mark.parametrize("head", ["content_by_lua_block {", "content_by_lua_block{", "set_by_lua_block $x {"])
@pytest.mark.parametrize("body", LUA_BODIES)
def test_lua_block_is_one_piece(head: str, body: str) -> None:
    text = f"location / {{ {head}{body}}} a b; }}"
    tree = read(text)
    assert not tree.problems
    (location,) = tree.directives
    lua, after = location.block or ()
    assert lua.raw_block == body
    assert lua.raw_block is not None
    assert lua.raw_block.raw == body
    assert lua.span.text == f"{head}{body}}}"
    assert lua.block == ()
    assert after.arguments == ("b",)


def test_lua_string_ends_at_the_line_end() -> None:
    (lua, _) = read('content_by_lua_block { local s = "a\n} a "b}";').directives
    assert lua.raw_block == ' local s = "a\n'


def test_lua_problems() -> None:
    unclosed = only_problem("http {\n  content_by_lua_block { {\n")
    assert unclosed.message == "unexpected end of file, expecting terminating characters for lua code block"
    assert unclosed.span.text == "content_by_lua_block {"
    endless = only_problem("content_by_lua_block {\n" + "a " * 2100 + "}")
    assert endless.message == "too long lua code block, probably missing terminating characters"
    assert endless.origin is not None
    assert endless.origin.text == "content_by_lua_block {"
    bracket = only_problem("content_by_lua_block {\n  a = [=[ ]] }\n")
    assert bracket.message.startswith('Lua code block missing the closing long bracket "]=]"')
    assert (bracket.span.line, bracket.span.column, bracket.span.text) == (2, 7, "[=[")


def test_lua_block_without_brace_is_an_ordinary_directive() -> None:
    (directive,) = read('content_by_lua_block "x";').directives
    assert directive.raw_block is None
    assert directive.arguments == ("x",)


# --- a semicolon that nobody misses -----------------------------------------------------------------------------------

NAMES = {"ssl_protocols", "listen"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server_name a.test\n  ssl_protocols TLSv1.2;", "ssl_protocols"),
        ("server_name a.test # c\n\tlisten 80;", "listen"),
        ("server_name a.test\r\nlisten 80;", "listen"),
        ("server_name a.test\n  b.test;", None),
        ("server_name a.test ssl_protocols;", None),
        ("server_name a.test\n  b.test ssl_protocols;", None),
        ("server_name a.test\n  'ssl_protocols';", None),
        ("server_name ssl_protocols\n  a;", None),
    ],
)
def test_swallowed(text: str, expected: str | None) -> None:
    tree = read(text)
    assert not tree.problems
    found = swallowed(tree.directives[0], NAMES)
    assert found == expected
    assert found is None or found.span.line == 2


# --- what is no configuration -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n", " \t\r\n", "# a", "# a\n#", "\r\r"])
def test_nothing_to_read(text: str) -> None:
    tree = read(text)
    assert not tree.directives
    assert not tree.problems


def test_carriage_returns_only() -> None:
    tree = read("a b;\rc d;\r")
    assert [directive.name for directive in tree.directives] == ["a", "c"]
    assert tree.directives[1].line == 1


def test_crlf_positions() -> None:
    tree = read("a b;\r\n  c d; # e\r\n")
    assert (tree.directives[1].span.line, tree.directives[1].span.column) == (2, 3)
    assert tree.comments[0].text == " e\r"
    assert tree.source.line_text(2) == "  c d; # e"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding: str) -> None:
    problems = read("events {\n}\nhttp {\n}\n".encode(encoding)).problems
    assert problems
    assert any("UTF-16" in (problem.hint or "") for problem in problems) or problems[0].span.line == 1


def test_binary() -> None:
    data = bytes(range(256)) * 64
    tree = read(data)
    assert tree.source.data == data
    assert tree.problems


def test_nul_is_a_character_like_any_other() -> None:
    tree = read("a b\0c;")
    assert tree.directives[0].arguments == ("b\0c",)
    assert not tree.problems


def test_deep_nesting_is_refused_where_it_begins() -> None:
    problem = only_problem("a {" * 100_000)
    assert problem.message == "too deeply nested"
    assert problem.span.start == MAX_DEPTH * 3 + 2
    assert not read("a {" * MAX_DEPTH + "}" * MAX_DEPTH).problems


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 443 ssl; server_name a.test b.test; } # c\n" * 90_000,
        "ab" * 500 + " \n" + "abcdef \n" * 600_000,
        "a bcdef;\n" * 500_000,
        "# bcdef\n" * 600_000,
        "\n" * 5_000_000,
        "{" * 5_000_000,
        "a {" * 2_000_000,
        '"' * 5_000_000,
        "a {} " * 200_000 + "}",
        "a { b {} " + "c {} " * 200_000,
        "\\" * 5_000_000,
        "$" * 5_000_000,
        "a 'b" * 1_000_000,
        "content_by_lua_block { [[ " * 200_000,
        "content_by_lua_block { " + "[=" * 2_000_000,
        "content_by_lua_block { " + "'\"" * 2_000_000,
        'content_by_lua_block { "' + '\\"' * 2_000_000,
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_five_megabytes(text: str) -> None:
    tree = read(text)
    assert len(tree.problems) <= 1
    assert tree.source.line_column(len(text))[0] == text.count("\n") + 1
