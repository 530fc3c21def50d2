"""Apache's syntax: our reader against real httpd."""

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parse.apache_oracle import MAX_WORDS, Httpd, aliases, find_httpd, read, used_words
from parse.corpus import corpus
from tlslint.parse.apache import (
    WHITESPACE,
    decode,
    directive_of,
    first_problem,
    logical_line,
    logical_lines,
    macro_lines,
    parse,
    parse_lines,
    rejoined,
    split_words,
)
from tlslint.parse.tree import Directive, Source, Tree, walk

__all__ = ["find_httpd"]

SERVER_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def tree_of(text: str | bytes) -> Tree:
    if isinstance(text, bytes):
        return parse(Source.from_bytes("httpd.conf", text))
    return parse(Source.from_text("httpd.conf", text))


def words(tree: Tree) -> list[list[str]]:
    return [[directive.name, *directive.arguments] for directive in walk(tree.directives)]


# --- the tree and its spans -------------------------------------------------------------------------------------------


def test_tree_of_a_small_file() -> None:
    text = (
        "# top\n<VirtualHost *:443 [::]:443>\n\tServerName a.test\r\n  # inside \\\nstill\n"
        "\t<ifmodule !mod_x.c>\n\tSSLProtocol all \\\n\t  -SSLv3\n\t</IfModule>\n</VirtualHost> # end\n"
    )
    tree = tree_of(text)
    assert not tree.problems
    (host,) = tree.directives
    name, module = host.block or ()
    assert [host.name, *host.arguments] == ["VirtualHost", "*:443", "[::]:443"]
    assert [name.name, *name.arguments, name.block] == ["ServerName", "a.test", None]
    assert name.span.text == "ServerName a.test"
    assert name.arguments[0].span.text == "a.test"
    assert host.block_start is not None
    assert host.block_end is not None
    assert (text[host.start], text[host.block_start], text[host.block_end]) == ("<", ">", "<")
    assert host.span.text == text[6:].removesuffix(" # end\n")
    assert (module.name, module.arguments) == ("ifmodule", ("!mod_x.c",))
    (protocol,) = module.block or ()
    assert protocol.arguments == ("all", "-SSLv3")
    assert protocol.span.text == "SSLProtocol all \\\n\t  -SSLv3"
    assert protocol.arguments[1].span.line == 8
    assert [comment.text for comment in tree.comments] == [" top", " inside \\\nstill"]
    assert [span.text for span in tree.ignored] == ["# end"]


def test_a_word_may_be_continued() -> None:
    tree = tree_of("<Virtual\\\nHost \\\r\n*:443\\\n>\nServer\\\r\nName a\\\nb \n</Virtual\\\nHost>\n")
    assert not tree.problems
    (host,) = tree.directives
    assert [host.name, *host.arguments] == ["VirtualHost", "*:443"]
    (name,) = host.block or ()
    assert [name.name, *name.arguments] == ["ServerName", "ab"]
    assert [name.name.raw, name.arguments[0].raw] == ["Server\\\r\nName", "a\\\nb"]
    assert host.block_start is not None
    assert tree.source.text[host.block_start :].startswith(">\nServer")
    assert host.end == len(tree.source.text) - 1


def test_names_written_oddly() -> None:
    tree = tree_of(
        '"Header" set X \'a b\nHeader> set\n"<Directory" /x>\nA\n\'</Directory>\' b\n<F> o>\n</F>\n<G\n</G>\n'
    )
    assert words(tree) == [
        ["Header", "set", "X", "a b"],
        ["Header", "set"],
        ["Directory", "/x"],
        ["A"],
        ["F", "o"],
        ["G"],
    ]
    assert [directive.name.raw for directive in tree.directives] == ['"Header"', "Header>", '"<Directory"', "F>", "G"]
    assert not tree.problems


def test_an_argument_ends_at_the_last_angle_bracket() -> None:
    tree = tree_of('<If "a > b"> c > d\n</If>\n<IfVersion < 2.3>\n</IfVersion>\n')
    first, second = tree.directives
    assert first.arguments == ("a > b", ">", "c")
    assert [span.text for span in tree.ignored] == ["d"]
    assert second.arguments == ("<", "2.3")


def test_what_httpd_passes_over_is_told() -> None:
    tree = tree_of('"" Listen 1\n<A b> c\n</A> Listen 2\nListen\0 3\nListen 4\n')
    assert [span.text for span in tree.ignored] == ['"" Listen 1', "c", "Listen 2", "\0 3"]
    assert words(tree) == [["A", "b"], ["Listen"], ["Listen", "4"]]


def test_end_tags_that_close_nothing_stay_in_the_tree() -> None:
    tree = tree_of("<A>\n<B>\n</A> x\n</C>\nD\n")
    assert words(tree) == [["A"], ["B"], ["</C>"], ["D"]]
    (problem,) = tree.problems
    assert problem.message == "Expected </B> but saw </A>"
    assert problem.span.text == "</A>"
    assert problem.origin is not None
    assert problem.origin.text == "<B>"


# --- logical lines ----------------------------------------------------------------------------------------------------


def test_replaced_text_knows_where_it_stood() -> None:
    (directive,) = tree_of("Listen ${A}\\\n:${PORT} x${NONE} \\\n tail\n").directives
    line = logical_line(directive)
    assert line.text == "Listen ${A}:${PORT} x${NONE}  tail"
    values = {"A": "127.0.0.1", "PORT": '443 "https', "NONE": ""}
    found = [(match.start(), match.end(), values[match[1]]) for match in re.finditer(r"\$\{(\w+)\}", line.text)]
    replaced = line.replaced(found)
    assert replaced.text == 'Listen 127.0.0.1:443 "https x  tail'
    expanded = directive_of(replaced)
    assert expanded is not None
    assert expanded.arguments == ("127.0.0.1:443", "https x  tail")
    assert [argument.raw for argument in expanded.arguments] == ["${A}\\\n:${PORT}", "${PORT} x${NONE} \\\n tail"]
    again = replaced.replaced([(0, 6, "Port"), (17, 20, "80")])
    assert again.text == 'Port 127.0.0.1:80 "https x  tail'
    assert again.span(15, 17).text == "${PORT}"
    assert again.span(0, 4).text == "Listen"


def test_replacing_all_may_leave_nothing() -> None:
    (directive,) = tree_of(" ${A}\n").directives
    empty = logical_line(directive).replaced([(0, 4, " ")])
    assert empty.text == ""
    assert list(split_words(empty.text)) == []
    assert directive_of(empty) is None


def test_a_replaced_comment_sign_is_a_word() -> None:
    (directive,) = tree_of("${A} b\n").directives
    found = directive_of(logical_line(directive).replaced([(0, 4, "x")]))
    assert found is not None
    assert (found.name, found.name.raw, found.arguments) == ("x", "${A}", ("b",))


def test_lines_of_a_macro() -> None:
    text = (
        "<Macro Host $name $port>\n# c\n<VirtualHost *:$port>\n  ServerName \\\n $name\n</VirtualHost>\n"
        "</Directory>\n</Macro>\nUse Host a.test 443\n"
    )
    tree = tree_of(text)
    assert not tree.problems
    macro, _ = tree.directives
    assert macro.raw_block is not None
    assert text[macro.raw_block.end :].startswith("</Macro>")
    assert [line.text for line in macro_lines(macro)] == [
        "<VirtualHost *:$port>", "ServerName  $name", "</VirtualHost>", "</Directory>",
    ]  # fmt: skip
    assert [(each.name, each.line) for each in walk(macro.block or ())] == [
        ("VirtualHost", 3), ("ServerName", 4), ("</Directory>", 7),
    ]  # fmt: skip
    lines = [
        line.replaced([(match.start(), match.end(), "443") for match in re.finditer(r"\$port", line.text)])
        for line in macro_lines(macro)[:3]
    ]
    (host,) = parse_lines(tree.source, lines).directives
    assert host.arguments == ("*:443",)
    assert host.arguments[0].raw == "*:$port"


STORED = [
    "ServerAlias x \\ \nServerAlias w\n",
    "ServerAlias x \\ \n# c\n\n  ServerAlias w\n",
    "ServerAlias x \\ \n\\ \n ServerAlias w\n",
    "ServerAlias x\\\\ \n\\ \n ServerAlias w\n",
    "ServerAlias x\\\\ \n\n ServerAlias w\n",
    "ServerAlias a\\\n b $p\nServerAlias c\n",
    "$p\nServerAlias a\n",
    "ServerAlias $p\\ \n$p\nServerAlias a\n",
    "\\ \nServerAlias a\n",
]


@pytest.mark.parametrize("body", STORED)
@pytest.mark.parametrize("value", ["ServerAlias v", "ServerAlias v \\\\"])
def test_httpd_reads_the_lines_of_a_macro_again(httpd: Httpd, body: str, value: str) -> None:
    tree = tree_of(f"<Macro $m $p>\n{body}</Macro>\nUse $m '{value}'\nServerAlias end\n")
    macro, use, _ = tree.directives
    lines = [
        line.replaced([(match.start(), match.end(), use.arguments[1]) for match in re.finditer(r"\$p", line.text)])
        for line in macro_lines(macro)
    ]
    found = [directive_of(line) for line in rejoined(lines)]
    texts = [line.text.removeprefix("ServerAlias ") for line in rejoined(lines)]
    assert all(each is not None and each.name == "ServerAlias" for each in found)
    if texts[-1].endswith("\\"):
        texts[-1] = texts[-1][:-1] + "ServerAlias end"
    else:
        texts.append("end")
    assert aliases(httpd, tree.source.text) == texts


def test_code_is_one_piece() -> None:
    tree = tree_of('<Perl>\n# <a\n$x = "</b>";\n<STDIN>;\n</Perl>\nListen 1\n')
    perl, listen = tree.directives
    assert perl.raw_block == '# <a\n$x = "</b>";\n<STDIN>;\n'
    assert (perl.block, listen.name, tree.comments) == ((), "Listen", ())
    assert not tree_of("<Perl>\n" + "<A>;\n" * 200 + "</Perl>\n").problems


def test_lines_of_no_macro() -> None:
    tree = tree_of("Listen 1\n<A>\n</A>\n")
    assert [macro_lines(directive) for directive in tree.directives] == [[], []]
    assert parse_lines(tree.source, []).directives == ()


# --- nothing is lost --------------------------------------------------------------------------------------------------


def pieces(tree: Tree) -> list[tuple[int, int]]:
    """The extent of every word, mark, comment and ignored text of the tree."""
    found = [(comment.start, comment.end) for comment in tree.comments]
    found += [(span.start, span.end) for span in tree.ignored]
    for directive in walk(tree.directives):
        found += [(word.start, word.end) for word in (directive.name, *directive.arguments)]
        if directive.block is None:
            continue
        assert directive.block_start is not None
        assert directive.block_end is not None
        assert directive.block_start <= directive.block_end <= directive.end
        if directive.name.quote == "":
            found.append((directive.start, directive.name.start))
        if tree.source.text[directive.block_start : directive.block_start + 1] == ">":
            found.append((directive.block_start, directive.block_start + 1))
        if directive.block_end < directive.end:
            found.append((directive.block_end, directive.end))
        if directive.raw_block is not None and not directive.block:
            found.append((directive.raw_block.start, directive.raw_block.end))
    return sorted(found)


def assert_lossless(tree: Tree) -> None:
    """Only white space and the backslashes of continued lines lie between the pieces; each reads as the tree says."""
    text = tree.source.text
    extents = pieces(tree)
    end = tree.problems[-1].span.start if tree.problems and "nested" in tree.problems[-1].message else len(text)
    done = 0
    for start, stop in [*extents, (end, end)]:
        gap = re.sub(r"\\+(?=\r?\n|\Z)", "", text[done:start]) if start > done else ""
        assert not gap.strip(WHITESPACE), (gap, done)
        done = max(done, stop)
    for directive in walk(tree.directives):
        line = logical_line(directive)
        again = directive_of(line)
        assert again is not None
        assert (again.name, again.arguments, again.start) == (directive.name, directive.arguments, directive.start)
        for word, other in zip((directive.name, *directive.arguments), (again.name, *again.arguments), strict=True):
            assert (word.start, word.end, word.quote) == (other.start, other.end, other.quote)
            assert directive.start <= word.start <= word.end <= directive.end
        for word in directive.arguments:
            assert word.raw.startswith(word.quote)
            if "\n" not in word.raw:
                body = word.raw[len(word.quote) :]
                assert word in {decode(body, word.quote), decode(body.removesuffix(word.quote), word.quote)}
        assert all(first.start < second.start for first, second in pairwise(directive.block or ()))
    for comment in tree.comments:
        assert text[comment.start : comment.end] == "#" + comment.text


def test_corpus_is_read_without_loss() -> None:
    files = corpus("apache")
    assert len(files) >= 340
    for file in files:
        assert file.source.data.decode("utf-8", "surrogateescape") == file.source.text
        assert_lossless(parse(file.source))


FRAGMENTS = [
    *" \t\n\r\v\f\"'\\#<>/a", "\\\n", "\\\r\n", "\\\\\n", "\n\n", "a b", "<A>", "<A b>", "</A>", "<B", "</B>", "\n<",
    "\n</", "\n# c", "\nD e f\n", "${X}", "é", "\u00a0", "\ufeff", "\0", "\udcff", "<IfModule core.c>", "</IfModule>",
    "\n<Macro m>\n", "\n</Macro>\n", "\nUse m\n", '\n""', "\n<Perl>\n", "\n</Perl>\n", "!", "> x",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(SOUP)
@settings(max_examples=600, deadline=None)
def test_soup_is_read_without_loss(text: str) -> None:
    assert_lossless(tree_of(text))


@given(st.binary(max_size=200))
def test_bytes_are_read_without_loss(data: bytes) -> None:
    tree = tree_of(data)
    assert tree.source.data == data
    assert_lossless(tree)


def test_lines_of_a_part() -> None:
    source = Source.from_text("a", "A\nB \\\n c\nD\n")
    assert [line.text for line in logical_lines(source, 2, 9)] == ["B  c"]


# --- words, asked of httpd --------------------------------------------------------------------------------------------

# no vertical tab and no NUL: the dump cannot show them
WORD_SOUP = st.lists(
    st.sampled_from(
        [*" \t\r\f\"'\\<>#;a}", "\\\n", "\\\r\n", '\\"', "\\'", "\\\\", "a b", '"a', "é", "\u00a0", "\\\\\n\n"]
    ),
    min_size=1,
    max_size=16,
).map("".join)


@given(st.lists(WORD_SOUP, min_size=1, max_size=60))
@settings(SERVER_SETTINGS, max_examples=20)
def test_httpd_reads_the_same_words(httpd: Httpd, texts: list[str]) -> None:
    uses = []
    expected = []
    for text in texts:
        (directive,) = tree_of(f"Use m {text} \n").directives
        found = directive.arguments[1:]
        assert len(found) <= MAX_WORDS
        uses.append((len(found), text + " "))
        expected += [*(f"[[{word}]]" for word in found), "end"]
    assert used_words(httpd, uses) == expected


# "<Macro" is put before each
HEADS = [
    " $m %a %b>", " $m %a %b >", " $m %a > %b>", " $m %a %b> # %c", " $m %a %b> # c > d", " $m '%a %b'>",
    ' $m "%a > %b">', ' $m "%a > %b"', " $m '%a>", " $m %a>%b>%c>>", "> $m %a>", " '$m'%a>", " $m\\\n %a\\\n>",
    " $m %a\t\r %b\f>", " $m>",
]  # fmt: skip


def test_httpd_ends_the_argument_of_a_section_where_we_do(httpd: Httpd) -> None:
    """httpd would refuse a ``Use`` with one argument more or less than the macro has parameters."""
    text = ""
    for number, head in enumerate(HEADS):
        head = "<Macro" + head.replace("$m", f"$m{number}")
        (macro,) = tree_of(f"{head}\nServerAlias {number}\n</Macro>\n").directives
        assert macro.arguments[0] == f"$m{number}"
        values = " ".join(f"v{index}" for index in range(len(macro.arguments) - 1))
        text += f"{head}\nServerAlias {number}\n</Macro>\nUse $m{number} {values}\n"
    assert aliases(httpd, text) == [str(number) for number in range(len(HEADS))]


def test_words() -> None:
    text = 'a "b \\" \\\\ \\n"c\'d\' \'e\\\'\\"\' f\\\\g\\ h "" "i j\\'
    assert [(word.value, word.quote) for word in split_words(text)] == [
        ("a", ""), ('b " \\ \\n', '"'), ("c'd'", ""), ("e'\\\"", "'"), ("f\\g\\", ""), ("h", ""),
        ("", '"'), ("i j\\", '"'),
    ]  # fmt: skip
    assert [text[word.start : word.end] for word in split_words(text)][1] == '"b \\" \\\\ \\n"'


# --- what is wrong, asked of httpd ------------------------------------------------------------------------------------


def holds(section: Directive) -> bool:
    return bool(section.arguments) and section.arguments[0] == "core.c"


def predicted(text: str) -> str | None:
    problem = first_problem(tree_of(text), holds)
    return None if problem is None or problem.late else problem.message


SECTION_LINES = [
    "<Foo>", "<Foo>", "<Foo x>", "<foo x> # y", "<Foo> x", "<Foo> x>", "</Foo>", "</Foo>", "</foo> x", "</FOO",
    "</Foo >", "</Foo>>", "< Foo>", "</>", "</", "</ Foo>", "<", "<>", "<Bar a", "</Bar>", "</Bar>", '"<Bar" x>',
    "'</Bar>' y", '"</Bar"', "<B\\\nar x\\\r\n>", "</B\\\nar>", "<IfModule core.c>", "<IfModule core.c>",
    "<IfModule nope.c>", "<IfModule nope.c>", "<ifmodule core.c>", "<IfModule core.c> x", "</IfModule>",
    "</IfModule>", "</IfModule>", "</IfModule>", " </ifModule> ", "</IfModule> # c", "</IfModule >", "</IfModule)",
    '"</IfModule>"', "</If\\\nModule>", "<IfModule core.c", "<IfModule>", "<IfModule >", "<IfModule", "<Macro $m>",
    "<Macro $m>", "<Macro>", "<macro $m> x", "</Macro>", "</Macro>", "</macro> x", "</Macro", "<Macro $m",
    "Directive a", "# </Foo>", "# c \\", "", '"" </Foo>', "'<' x", "\0", "</Foo>\0", "x \\",
]  # fmt: skip
SECTION_SOUP = st.lists(st.sampled_from(SECTION_LINES), max_size=14).map("\n".join)


@given(SECTION_SOUP)
@settings(SERVER_SETTINGS, max_examples=120)
def test_httpd_stops_where_we_say(httpd: Httpd, text: str) -> None:
    verdict = read(httpd, text.encode())
    assert verdict.is_about_reading, verdict
    assert verdict.message == predicted(text)
