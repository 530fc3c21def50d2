"""nginx's syntax: our reader against real nginx (1.22 and 1.31), and against crossplane."""

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parse.corpus import corpus
from parse.nginx_oracle import IN_SERVER, SAFE_BLOCK, SAFE_DIRECTIVE, WORDS_ONLY, Verdict, ask, values
from support.servers import NginxBinary
from tlslint.parse.nginx import decode, parse
from tlslint.parse.tree import Source, Tree, walk

SERVER_SETTINGS = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def read(text: str | bytes) -> Tree:
    if isinstance(text, bytes):
        return parse(Source.from_bytes("nginx.conf", text))
    return parse(Source.from_text("nginx.conf", text))


def words(tree: Tree) -> list[list[str]]:
    return [[directive.name, *directive.arguments] for directive in walk(tree.directives)]


def verdict(tree: Tree) -> Verdict:
    if not tree.problems:
        return Verdict(None)
    problem = tree.problems[0]
    return Verdict(problem.message, problem.span.line)


# --- the tree and its spans -------------------------------------------------------------------------------------------


def test_tree_of_a_small_file() -> None:
    text = "# top\nhttp {\n\tserver { # inside\n\t\tlisten 443 ssl; server_name a.test\n\t\t\tb.test;\n\t}\n}\n"
    tree = read(text)
    assert not tree.problems
    (http,) = tree.directives
    (server,) = http.block or ()
    listen, server_name = server.block or ()
    assert [listen.name, *listen.arguments] == ["listen", "443", "ssl"]
    assert server_name.arguments == ("a.test", "b.test")
    assert (server_name.span.line, server_name.span.column) == (4, 19)
    assert (server_name.span.end_line, server_name.span.end_column) == (5, 11)
    assert server_name.arguments[1].span.text == "b.test"
    assert http.block_start is not None
    assert http.block_end is not None
    assert text[http.block_start] == "{"
    assert text[http.block_end] == "}"
    assert http.span.text == text[6:-1]
    assert [comment.text for comment in tree.comments] == [" top", " inside"]
    assert [comment.span.text for comment in tree.comments] == ["# top", "# inside"]
    assert tree.comments[1].line == 3


def test_quotes_are_known_and_stay_in_the_raw_text() -> None:
    (directive,) = read("""set 'a b' "c;{}#\n'd" "" e"f;""").directives
    assert directive.arguments == ("a b", "c;{}#\n'd", "", 'e"f')
    assert [argument.quote for argument in directive.arguments] == ["'", '"', '"', ""]
    assert [argument.raw for argument in directive.arguments] == ["'a b'", '"c;{}#\n\'d"', '""', 'e"f']


def test_if_keeps_its_parentheses() -> None:
    (directive,) = read('if ($host ~ "(a)") { return 1; }').directives
    assert directive.arguments == ("($host", "~", "(a)", ")")
    assert [argument.raw for argument in directive.arguments] == ["($host", "~", '"(a)"', ")"]


def pieces(tree: Tree) -> list[tuple[int, int]]:
    """The extent of every word, brace, semicolon and comment of the tree."""
    found = [(comment.start, comment.end) for comment in tree.comments]
    for directive in walk(tree.directives):
        found += [(word.start, word.end) for word in (directive.name, *directive.arguments)]
        if directive.block_start is None:
            found.append((directive.end - 1, directive.end))
            continue
        assert directive.block_end is not None
        found.append((directive.block_start, directive.block_start + 1))
        if directive.block_end < directive.end:
            found.append((directive.block_end, directive.end))
        if directive.raw_block is not None:
            found.append((directive.raw_block.start, directive.raw_block.end))
    return sorted(found)


def assert_lossless(tree: Tree) -> None:
    """Nothing but separators lies between the pieces, and each piece reads as what the tree says it is."""
    text = tree.source.text
    extents = pieces(tree)
    assert all(first[1] <= second[0] for first, second in pairwise(extents)), "pieces overlap"
    end = tree.problems[-1].span.start if tree.problems else len(text)
    gaps = [text[before:after] for (_, before), (after, _) in pairwise([(0, 0), *extents, (end, end)]) if after <= end]
    if not tree.problems:
        assert not "".join(gaps).strip(" \t\r\n")
    for directive in walk(tree.directives):
        for word in (directive.name, *directive.arguments):
            body = word.raw[1:-1] if word.quote else word.raw
            assert word.raw == f"{word.quote}{body}{word.quote}"
            assert decode(body) == word
        assert directive.start == directive.name.start
        assert directive.end <= len(text)
        if directive.block_start is None:
            assert text[directive.end - 1] == ";"
        else:
            assert text[directive.block_start] == "{"
        if directive.raw_block is not None:
            assert directive.raw_block.raw == directive.raw_block
    for comment in tree.comments:
        assert text[comment.start : comment.end] == "#" + comment.text


def test_corpus_is_read_without_loss() -> None:
    for file in corpus("nginx"):
        assert_lossless(parse(file.source))


FRAGMENTS = [
    *" \t\n\r;{}#\"'\\$)=a",
    "${", "$a", "\\\"", "\\n", "\\;", "\\ ", "\n\n", "a b", "a;", "a{", "'a'", '"b"', "c d;\n", "e {\n", "}\n", "# f\n",
    "é", "\u00a0", "\ufeff", "\0", "\udcff", "content_by_lua_block {", "[[", "]]", "--",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(SOUP)
@settings(max_examples=1000, deadline=None)
def test_soup_is_read_without_loss(text: str) -> None:
    source = Source.from_text("soup.conf", text)
    assert source.data.decode("utf-8", "surrogateescape") == source.text
    assert_lossless(parse(source))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_bytes_come_back(data: bytes) -> None:
    source = Source.from_bytes("binary.conf", data)
    assert source.data == data
    assert_lossless(parse(source))


def test_masked_text_is_what_is_read_and_spans_name_the_original() -> None:
    source = Source("a.conf", "listen {{ x }};", masked="listen xxxxxxx;")
    (directive,) = parse(source).directives
    assert directive.arguments == ("xxxxxxx",)
    assert directive.arguments[0].raw == "{{ x }}"


# --- what real nginx reads --------------------------------------------------------------------------------------------

VALUES = {
    '"a"': "a", "'a'": "a", '"a\\"b"': 'a"b', '"a\\\'b"': "a'b", "'a\\'b'": "a'b", "a\\\\b": "a\\b", "a\\tb": "a\tb",
    "a\\rb": "a\rb", "a\\nb": "a\nb", "a\\.b": "a\\.b", "a\\;b": "a\\;b", "a\\ b": "a\\ b", "a\\{b": "a\\{b",
    '"a\\\\\\"b"': 'a\\"b', "a#b": "a#b", "a}b": "a}b", 'a"b': 'a"b', "${{b": "${{b", "$a": "$a", "$${{a": "$${{a",
    "\\#a": "\\#a", '\\"a': '"a', "a\u00a0b": "a\u00a0b", "a\x0bb": "a\x0bb", "a\0b": "a\0b",
    "é": "é", "\udce9": "\udce9",
    '"#;{}\r\n"': "#;{}\r\n", '"${a}"': "${a}", "\\n": "\n", "\\\n": "\\\n",
}  # fmt: skip


@pytest.mark.parametrize("raw", VALUES, ids=ascii)
def test_value_of_a_word(raw: str) -> None:
    tree = read(f"x {raw};")
    assert not tree.problems
    assert words(tree) == [["x", VALUES[raw]]]


def test_nginx_gives_the_same_values(nginx: NginxBinary) -> None:
    assert values(nginx, list(VALUES)) == [as_bytes(value) for value in VALUES.values()]


def test_nginx_decodes_every_backslash_pair_as_we_do(nginx: NginxBinary) -> None:
    raws = [f"{quote}a\\{chr(code)}b{quote}" for code in range(1, 256) for quote in ("", "'", '"')]
    ours = []
    for raw in raws:
        tree = read(f"x {raw};")
        assert not tree.problems
        assert len(tree.directives[0].arguments) == 1
        ours.append(as_bytes(tree.directives[0].arguments[0]))
    assert values(nginx, raws) == ours


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@given(st.lists(st.sampled_from([*"abc$#}=~^*()[]\\\"'", "\\\\", "${", '\\"', "\\n", "é", "\udcff"]), min_size=1))
@SERVER_SETTINGS
def test_nginx_decodes_a_random_word_as_we_do(nginx: NginxBinary, fragments: list[str]) -> None:
    tree = read("".join(fragments) + " again;")
    if (
        tree.problems
        or not tree.directives
        or len(tree.directives[0].arguments) != 1
        or tree.directives[0].name == "include"
    ):
        return
    name = tree.directives[0].name
    if len(name.raw) < 500 and "\0" not in name:
        assert values(nginx, [name.raw]) == [as_bytes(name)]


def test_nginx_decodes_every_word_of_the_corpus_as_we_do(nginx: NginxBinary) -> None:
    every: dict[str, str] = {}
    for file in corpus("nginx"):
        for directive in walk(parse(file.source).directives):
            every |= {word.raw: word for word in (directive.name, *directive.arguments) if len(word.raw) < 500}
    every.pop("include", None)
    assert len(every) > 3000
    assert values(nginx, list(every)) == [as_bytes(value) for value in every.values()]


@given(SOUP)
@SERVER_SETTINGS
def test_nginx_judges_a_soup_of_words_as_we_do(nginx: NginxBinary, text: str) -> None:
    """In the body of ``types`` every statement is plain words; only ``{`` is refused there."""
    text = re.sub("include|_by_lua_block", "x", text)
    tree = read(text)
    ours = verdict_without_encoding(tree)
    brace = next((directive for directive in walk(tree.directives) if directive.block_start is not None), None)
    if brace is not None:
        assert brace.block_start is not None
        ours = Verdict('unexpected "{"', tree.source.line_column(brace.block_start)[0])
    assert comparable(ask(nginx, text, WORDS_ONLY)) == comparable(ours)


def verdict_without_encoding(tree: Tree) -> Verdict:
    """``types`` knows no unknown directive."""
    problems = [problem for problem in tree.problems if not problem.message.startswith("unknown directive")]
    return Verdict(problems[0].message, problems[0].span.line) if problems else Verdict(None)


def comparable(verdict: Verdict) -> tuple[str | None, int]:
    """nginx writes one byte of an unexpected character, we write all of it."""
    if verdict.message is None:
        return None, 0
    glued = re.fullmatch(r'unexpected "(.)"', verdict.message, re.DOTALL)
    if glued and not glued[1].isascii():
        byte = as_bytes(glued[1])[:1].decode("utf-8", "surrogateescape")
        return f'unexpected "{byte}"', verdict.line
    return verdict.message, verdict.line


BLOCK_SOUP = st.lists(
    st.one_of(
        st.sampled_from(
            [f"{SAFE_DIRECTIVE} a;\n", f"{SAFE_DIRECTIVE} 'b c' d ;", f"{SAFE_BLOCK} {{\n", "}\n", "}", "# {\n"]
        ),
        st.sampled_from(
            [f"{SAFE_DIRECTIVE} a\n", f'{SAFE_DIRECTIVE} "a;\n', f'{SAFE_DIRECTIVE} "a"b;', ";", "{", "\n"]
        ),
        st.sampled_from(
            [f"{SAFE_DIRECTIVE} ${{a}} x{{1}};\n", f"{SAFE_BLOCK}{{1,2}} {{\n", f"{SAFE_DIRECTIVE} a}}b;\n"]
        ),
    ),
    max_size=12,
).map("".join)


@given(BLOCK_SOUP)
@SERVER_SETTINGS
def test_nginx_judges_a_soup_of_blocks_as_we_do(nginx: NginxBinary, text: str) -> None:
    ours, theirs = verdict(read(text)), ask(nginx, text, IN_SERVER)
    if theirs.is_lexical:
        assert comparable(theirs) == comparable(ours)
    else:
        # nginx found a directive without meaning first: then ours may come later only
        assert ours.message is None or ours.line >= theirs.line


def with_safe_names(tree: Tree) -> str:
    """The text with every directive renamed to one that nginx takes with any words; nothing else is changed."""
    text = tree.source.parsed_text
    edits: list[tuple[int, int, str]] = []
    for directive in walk(tree.directives):
        if directive.raw_block is not None:
            edits.append((directive.start, directive.end, f"{SAFE_DIRECTIVE} x;"))
        elif directive.block_start is not None:
            edits.append((directive.start, directive.block_start, f"{SAFE_BLOCK} "))
        else:
            edits.append((directive.start, directive.name.end, SAFE_DIRECTIVE + ("" if directive.arguments else " x")))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + "\n" * text.count("\n", start, end) + text[end:]
    return text


def with_words_only(tree: Tree) -> str:
    """The text with every ``{`` made a ``;``, ``}`` left out, and Lua code too: all words and comments as they are."""
    text = list(tree.source.parsed_text)
    for directive in walk(tree.directives):
        if directive.name == "include":
            text[directive.start] = "I"  # else nginx would open the file
        if directive.raw_block is not None:
            body = slice(directive.raw_block.start, directive.raw_block.end)
            text[body] = [character if character == "\n" else " " for character in text[body]]
        if directive.block_start is not None and directive.block_end is not None:
            text[directive.block_start] = ";"
            if directive.block_end < directive.end:
                text[directive.block_end] = " "
    return "".join(text)


UNFINISHED = 'unexpected end of file, expecting ";" or "}"'
UNCLOSED = 'unexpected end of file, expecting "}"'
CERTBOT = "certbot__certbot/certbot/src/certbot/_internal/tests/plugins/nginx/testdata/etc_nginx"
CROSSPLANE = "nginxinc__crossplane/tests/configs"
GO_CROSSPLANE = "nginxinc__nginx-go-crossplane/testdata/configs"
LINT = "walf443__nginx-lint/tests/fixtures/rules/syntax"
REFUSED = {
    f"{CERTBOT}/broken.conf": (UNFINISHED, 13),
    f"{CERTBOT}/ubuntu_nginx_1_4_6/default_vhost/nginx/naxsi-ui.conf.1.4.1": (UNFINISHED, 17),
    f"{CERTBOT}/ubuntu_nginx_1_4_6/default_vhost/nginx/sites-enabled/default": (UNFINISHED, 1),
    "debian__nginx/etc/nginx/sites-enabled/default": (UNFINISHED, 1),
    "kubernetes__ingress-nginx/test/data/cleanConf.expected.conf": (UNCLOSED, 136),
    "kubernetes__ingress-nginx/test/data/cleanConf.src.conf": (UNCLOSED, 183),
    f"{CROSSPLANE}/includes-globbed/servers/locations/not-included.conf": (UNFINISHED, 3),
    f"{CROSSPLANE}/includes-regular/conf.d/bar.conf": (UNFINISHED, 3),
    f"{CROSSPLANE}/includes-regular/conf.d/foo.conf": (UNFINISHED, 3),
    f"{CROSSPLANE}/missing-semicolon/broken-above.conf": ('unexpected "}"', 5),
    f"{CROSSPLANE}/missing-semicolon/broken-below.conf": ('unexpected "}"', 8),
    f"{CROSSPLANE}/quote-behavior/nginx.conf": ('unexpected "-"', 1),
    f"{GO_CROSSPLANE}/braces/extra-brace.conf": ('unexpected "}"', 11),
    f"{GO_CROSSPLANE}/braces/missing-brace.conf": (UNCLOSED, 23),
    f"{GO_CROSSPLANE}/premature-eof/nginx.conf": (UNFINISHED, 3),
    "walf443__nginx-lint/crates/nginx-lint-parser/tests/fixtures/test_generated/0050_regex_microservices.conf": (
        UNCLOSED,
        138,
    ),
    f"{LINT}/missing_semicolon/001_basic/error/nginx.conf": ('unexpected "}"', 11),
    f"{LINT}/unclosed_quote/001_basic/error/nginx.conf": (UNFINISHED, 17),
    f"{LINT}/unclosed_quote/002_single_quote/error/nginx.conf": (UNFINISHED, 13),
    f"{LINT}/unclosed_quote/003_in_location/error/nginx.conf": (UNFINISHED, 14),
    f"{LINT}/unclosed_quote/004_with_escaped/error/nginx.conf": (UNFINISHED, 13),
    f"{LINT}/unclosed_quote/005_no_semicolon/error/nginx.conf": ('unexpected "o"', 10),
    f"{LINT}/unmatched_braces/001_basic/error/nginx.conf": (UNCLOSED, 14),
    f"{LINT}/unmatched_braces/002_without_comment/error/nginx.conf": (UNCLOSED, 13),
    f"{LINT}/unmatched_braces/003_extra_closing/error/nginx.conf": ('unexpected "}"', 9),
    f"{LINT}/unmatched_braces/004_nested_missing/error/nginx.conf": (UNCLOSED, 15),
    f"{LINT}/unmatched_braces/005_multiple_blocks/error/nginx.conf": (UNCLOSED, 19),
    f"{LINT}/unmatched_braces/006_missing_opening/error/nginx.conf": ('unexpected "}"', 9),
    f"{LINT}/unmatched_braces/007_unmatched_location/error/nginx.conf": ('unexpected "}"', 18),
}


def test_only_these_plain_files_of_the_corpus_are_refused() -> None:
    refused = {}
    for file in corpus("nginx"):
        tree = parse(file.source)
        if tree.problems and not file.is_template:
            refused[file.name] = (tree.problems[0].message, tree.problems[0].span.line)
    assert refused == REFUSED


def test_nginx_finds_the_same_structure_in_the_corpus(nginx: NginxBinary) -> None:
    wrong = []
    for file in corpus("nginx"):
        tree = parse(file.source)
        theirs = ask(nginx, with_safe_names(tree), IN_SERVER)
        if comparable(theirs) != comparable(verdict(tree)):
            wrong.append((file.name, theirs, verdict(tree)))
    assert not wrong


def test_nginx_finds_the_same_words_in_the_corpus(nginx: NginxBinary) -> None:
    wrong = []
    for file in corpus("nginx"):
        tree = parse(file.source)
        ours = verdict(tree)
        if ours.message in ('unexpected "}"', 'unexpected end of file, expecting "}"'):
            continue  # there are no blocks left in the question
        theirs = ask(nginx, with_words_only(tree), WORDS_ONLY)
        if comparable(theirs) != comparable(ours):
            wrong.append((file.name, theirs, ours))
    assert not wrong
