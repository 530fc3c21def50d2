"""What is wrong with a file, on which condition, where httpd stops and where the trouble began; and hostile input."""

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from parse.apache_oracle import Httpd, Verdict, check, find_httpd, read
from parse.corpus import CorpusFile, corpus
from tlslint.parse.apache import (
    MAX_DEPTH,
    MAX_LINE_BYTES,
    MAX_MACRO_LINE_BYTES,
    first_problem,
    fold,
    is_read_time,
    parse,
)
from tlslint.parse.tree import Condition, Directive, Source, Tree, walk

__all__ = ["find_httpd"]


def tree_of(text: str | bytes) -> Tree:
    if isinstance(text, bytes):
        return parse(Source.from_bytes("httpd.conf", text))
    return parse(Source.from_text("httpd.conf", text))


def holds(section: Directive) -> bool:
    return section.arguments == ("core.c",)


@dataclass(frozen=True)
class Wrong:
    name: str
    text: str
    message: str
    span: tuple[int, int, str]
    """line, column and text"""
    origin: tuple[int, int, str] | None = None
    hint: str = ""
    late: bool = False


_UNKNOWN = "', perhaps misspelled or defined by a module not included in the server configuration"

WRONG = [
    Wrong("never closed", "Listen 1\n  <Location /x>\nA\n", "<Location> was not closed.", (4, 1, ""),
          (2, 3, "<Location /x>"), "no end tag"),
    Wrong("two never closed", "<Location /x>\n<Limit GET>\n", "<Limit> was not closed.", (3, 1, ""),
          (2, 1, "<Limit GET>"), "no end tag"),
    Wrong("never closed, in a file that ends in a read-time section", "<Location /x>\n<IfModule core.c>\n",
          "<Location> was not closed.", (3, 1, ""), (1, 1, "<Location /x>"), "no end tag"),
    Wrong("closed by another", "<Location /x>\n<Limit GET>\n </location> # x\n",
          "Expected </Limit> but saw </location>", (3, 2, "</location>"), (2, 1, "<Limit GET>"), "no end tag"),
    Wrong("closed twice", "<Limit GET>\n</Limit>\n</Limit>\n", "</Limit> without matching <Limit> section",
          (3, 1, "</Limit>"), None, "no section is open"),
    Wrong("an end tag without mark", "<Limit GET>\n</Limit\n", "</Limit> directive missing closing '>'",
          (2, 1, "</Limit"), (1, 1, "<Limit GET>")),
    Wrong("a blank in an end tag", "<Limit GET>\n</ Limit>\n", "</> directive missing closing '>'", (2, 1, "</"),
          (1, 1, "<Limit GET>")),
    Wrong("a blank before the mark", "<Limit GET>\n</Limit >\n", "</Limit> directive missing closing '>'",
          (2, 1, "</Limit"), (1, 1, "<Limit GET>")),
    Wrong("a continued end tag", "<A>\n</\\\nB>\n", "Expected </A> but saw </B>", (2, 1, "</\\\nB>"), (1, 1, "<A>")),
    Wrong("a blank in a start tag", "< Limit GET>\n</Limit>\n", "Expected </> but saw </Limit>", (2, 1, "</Limit>"),
          (1, 1, "< Limit GET>")),
    Wrong("a read-time section without mark", "<ifmodule core.c\n</IfModule>\n",
          "<IfModule> directive missing closing '>'", (1, 1, "<ifmodule core.c"), None, "end of this line"),
    Wrong("a read-time section without argument", "<IfDefine>\n</IfDefine>\n",
          "<IfDefine> directive requires additional arguments", (1, 1, "<IfDefine>")),
    Wrong("a macro without name", "<Macro>\n</Macro>\n", "<Macro macro definition: empty name", (1, 1, "<Macro>")),
    Wrong("a macro never closed", "<Macro $m>\n</Macro >\n", "expected token not found: </Macro>", (3, 1, ""),
          (1, 1, "<Macro $m>"), "never closed"),
    Wrong("a macro closed too seldom", "<Macro $m>\n<Macro $n>\n</Macro>\n", "expected token not found: </Macro>",
          (4, 1, ""), (1, 1, "<Macro $m>"), "never closed"),
    Wrong("an end tag in a section that holds or not", "<IfModule core.c>\n</Limit>\n</IfModule>\n",
          "</Limit> without matching <Limit> section", (2, 1, "</Limit>"), (1, 1, "<IfModule core.c>")),
    Wrong("wrong whether it holds or not", "<IfModule core.c>\n<Foo> bar\n</Foo>\n</IfModule> # c\n",
          "</IfModule> without matching <IfModule> section", (4, 1, "</IfModule>"), (1, 1, "<IfModule core.c>"),
          "only the end tag"),
    Wrong("a section without mark", "Listen 1\n<Directory /x\n</Directory>\n",
          "<Directory> directive missing closing '>'", (2, 1, "<Directory /x"), None, "end of this line", late=True),
    Wrong("a byte order mark", "\ufeffListen 1\n", f"Invalid command '\ufeffListen{_UNKNOWN}", (1, 1, "\ufeffListen"),
          (1, 1, "\ufeff"), "byte order mark", late=True),
    Wrong("a byte order mark before a comment", "\ufeff# a\n", f"Invalid command '\ufeff#{_UNKNOWN}",
          (1, 1, "\ufeff#"), (1, 1, "\ufeff"), "byte order mark", late=True),
]  # fmt: skip


@pytest.fixture(params=WRONG, ids=lambda wrong: wrong.name)
def wrong(request: pytest.FixtureRequest) -> Wrong:
    case: Wrong = request.param
    return case


def test_problem(wrong: Wrong) -> None:
    problem = tree_of(wrong.text).problems[0]
    assert problem.message == wrong.message
    assert (problem.span.line, problem.span.column, problem.span.text) == wrong.span
    origin = problem.origin
    assert (origin and (origin.line, origin.column, origin.text)) == wrong.origin
    assert wrong.hint in (problem.hint or "")
    assert problem.late == wrong.late


def test_httpd_says_the_same(wrong: Wrong, httpd: Httpd) -> None:
    if wrong.late:
        assert read(httpd, wrong.text.encode()).message is None
        logged = wrong.message.replace("\ufeff", r"\xef\xbb\xbf")  # as httpd writes it
        assert check(httpd, wrong.text.encode()) == logged
    else:
        assert read(httpd, wrong.text.encode()).message == wrong.message


# --- problems on a condition ------------------------------------------------------------------------------------------

_STRAY = "</IfModule> without matching <IfModule> section"


@dataclass(frozen=True)
class TwoWays:
    name: str
    text: str
    """With ``?`` for the name of the module."""
    if_true: str | None
    if_false: str | None


TWO_WAYS = [
    TwoWays("a comment behind the end tag", "<IfModule ?>\n</IfModule> # c\n", _STRAY, None),
    TwoWays("a blank in the end tag", "<IfModule ?>\n</IfModule >\n",
            "</IfModule without matching <IfModule section",
            "Expected </IfModule> but saw </IfModul>"),
    TwoWays("another last byte", "<IfModule ?>\n</IfModule)\n",
            "</IfModule) without matching <IfModule) section", None),
    TwoWays("never closed", "<IfModule ?>\nA\n", None, "Expected </IfModule> before end of configuration"),
    TwoWays("never closed, with a section in it", "<IfModule ?>\n<A>\n", None,
            "Expected </A> before end of configuration"),
    TwoWays("two end tags on a line", "<IfModule ?>\n<A x>\n</A> </IfModule>\n", None,
            "Expected </IfModule> before end of configuration"),
    TwoWays("a mark at the end of a section's name", "<IfModule ?>\n<Foo> x>\n</Foo>\n</IfModule>\n", None,
            "Expected </Foo>> but saw </Foo>"),
    TwoWays("an end tag without mark", "<IfModule ?>\n<Foo>\n</Foo)\n</IfModule>\n",
            "</Foo)> directive missing closing '>'", None),
    TwoWays("a read-time section without mark", "<IfModule ?>\n<IfFile /\n</IfFile>\n</IfModule>\n",
            "<IfFile> directive missing closing '>'", None),
    TwoWays("a macro that does not balance", "<IfModule ?>\n<Macro $m>\n<Foo>\n</Macro>\n</IfModule>\n", None,
            "Expected </Foo> but saw </Macro>"),
    TwoWays("a macro that closes what it did not open", "<IfModule ?>\n<Macro $m>\n</Foo>\n</Macro>\n</IfModule>\n",
            None, "Expected </Macro> but saw </Foo>"),
    TwoWays("a long line in a macro",
            f"<IfModule ?>\n<Macro $m>\nA {'b' * (MAX_MACRO_LINE_BYTES - 1)}\n</Macro>\n</IfModule>\n",
            "expected token not found: </Macro>", None),
    TwoWays("a line in a macro that is just not too long",
            f"<IfModule ?>\n<Macro $m>\nA {'b' * (MAX_MACRO_LINE_BYTES - 2)}\n</Macro>\n</IfModule>\n", None, None),
    TwoWays("another end tag", "<IfModule ?>\n</Foo>\n", "</Foo> without matching <Foo> section",
            "Expected </IfModule> but saw </Foo>"),
    TwoWays("a section left open", "<IfModule ?>\n<Foo>\n</IfModule>\n", "Expected </Foo> but saw </IfModule>",
            "Expected </Foo> but saw </IfModule>"),
]  # fmt: skip


@pytest.fixture(params=TWO_WAYS, ids=lambda case: case.name)
def two_ways(request: pytest.FixtureRequest) -> TwoWays:
    case: TwoWays = request.param
    return case


@pytest.mark.parametrize("module", ["core.c", "nope.c"])
def test_problem_on_a_condition(two_ways: TwoWays, module: str, httpd: Httpd) -> None:
    text = two_ways.text.replace("?", module)
    expected = two_ways.if_true if module == "core.c" else two_ways.if_false
    tree = tree_of(text)
    problem = first_problem(tree, holds)
    assert (problem and problem.message) == expected
    assert read(httpd, text.encode()).message == expected
    both = two_ways.if_true is not None and two_ways.if_false is not None
    assert [each.message for each in tree.problems] == ([two_ways.if_true] if both else [])
    assert {each.when for each in tree.conditional} == {
        when
        for when, message in ((Condition.HOLDS, two_ways.if_true), (Condition.FAILS, two_ways.if_false))
        if message is not None
    }


def test_conditions_within_conditions(httpd: Httpd) -> None:
    text = "<IfModule {}>\n<IfModule {}>\n</IfModule> x\n</IfModule>\n<IfModule {}>\n"
    for number in range(8):
        modules = ["core.c" if number >> bit & 1 else "nope.c" for bit in range(3)]
        problem = first_problem(tree_of(text.format(*modules)), holds)
        assert (problem and problem.message) == read(httpd, text.format(*modules).encode()).message
    assert not tree_of(text).problems


def test_what_use_may_balance(httpd: Httpd) -> None:
    """A macro may open a section that its user closes: whether the end tag is wrong is not for the reader to say."""
    macro = "<Macro $open>\n<Location /x>\n</Macro>\n"
    text = macro + "Use $open\n</Location>\n"
    assert read(httpd, text.encode()).message is None
    tree = tree_of(text)
    assert not tree.problems
    (found,) = tree.conditional
    assert (found.directive.name, found.when) == ("Use", Condition.BALANCED)
    assert found.problem.message == "</Location> without matching <Location> section"
    certain = tree_of(text.replace("Use", "Abuse")).problems
    assert [problem.message for problem in certain] == [found.problem.message]


def test_what_a_variable_may_balance(httpd: Httpd) -> None:
    text = 'Define END "</Location>"\n<Location /x>\n${END}\n'
    assert read(httpd, text.encode()).message is None
    tree = tree_of(text)
    assert not tree.problems
    assert [(each.directive.name, each.when) for each in tree.conditional] == [("${END}", Condition.BALANCED)]


def test_problems_before_a_use_are_certain() -> None:
    assert [each.message for each in tree_of("</A>\nUse m\n").problems] == ["</A> without matching <A> section"]


# --- the corpus -------------------------------------------------------------------------------------------------------

# these act while httpd reads: in the copy that it is given, they are names that it does not know
ACTING = {
    "define", "defaultruntimedir", "include", "includeoptional", "loadfile", "loadmodule", "serverroot", "undefine",
    "undefmacro", "use",
}  # fmt: skip
TRUE = {"ifdefine": "!NOPE", "ifdirective": "ServerName", "iffile": "/", "ifmodule": "core.c", "ifsection": "Directory",
        "ifversion": ">= 2.4"}  # fmt: skip
FALSE = {"ifdefine": "NOPE", "ifdirective": "Nope", "iffile": "/nope/nope", "ifmodule": "nope.c", "ifsection": "Nope",
         "ifversion": "< 2.4"}  # fmt: skip

NOT_READABLE = {
    "test15.conf": "an end tag too many, on purpose",
    "test17.conf": "a section that a macro closes: without the macro it is never closed",
    "test18.conf": "a section that a macro closes: without the macro it is never closed",
    "bad_conf_file.conf": "a virtual host that is never closed, on purpose",
    "include-again-test.conf": "another program's syntax: <<include file>>",
    "include-directory-test.conf": "another program's syntax: <<include file>>",
    "include-file-test.conf": "another program's syntax: <<include file>>",
}
NOT_READABLE_IF_FALSE = {"two-blocks-one-line-1693.conf": "its <IfModule> has no end tag on a line of its own"}


def decided(file: CorpusFile, truth: dict[str, str]) -> tuple[str, Tree]:
    """The file with all its conditions decided, and without directives that act while httpd reads."""
    text = file.source.text
    edits: list[tuple[int, int, str]] = []
    for directive in walk(parse(file.source).directives):
        name = directive.name
        if is_read_time(directive) and directive.arguments:
            edits.append((directive.arguments[0].start, directive.arguments[-1].end, truth[fold(name)]))
        elif fold(name) in ACTING and directive.block is None:
            edits.append((name.start + len(name.quote), name.start + len(name.quote) + 1, "X"))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text, tree_of(text)


@pytest.mark.parametrize("truth", [TRUE, FALSE], ids=["all conditions hold", "all conditions fail"])
def test_httpd_reads_the_files_of_the_corpus_that_we_read(truth: dict[str, str], httpd: Httpd) -> None:
    readable: list[bytes] = []
    refused: set[str] = set()
    for file in corpus("apache"):
        if file.is_template:
            continue
        text, tree = decided(file, truth)
        data = text.encode("utf-8", "surrogateescape")
        problem = first_problem(tree, lambda section: truth is TRUE)
        if problem is None or problem.late:
            readable.append(data)
        else:
            refused.add(file.name.rpartition("/")[2])
            assert read(httpd, data).message == problem.message, file.name
    assert len(readable) > 300
    assert read(httpd, *readable) == Verdict(None)
    assert refused == NOT_READABLE.keys() | (NOT_READABLE_IF_FALSE.keys() if truth is FALSE else set())


# --- hostile input ----------------------------------------------------------------------------------------------------


def test_nesting_is_bounded() -> None:
    tree = tree_of("<A>\n" * MAX_DEPTH + "</A>\n" * MAX_DEPTH)
    assert not tree.problems
    tree = tree_of("<A>\n" * 100_000)
    (problem,) = tree.problems
    assert (problem.message, problem.span.line) == ("too deeply nested", MAX_DEPTH + 1)
    assert len(list(walk(tree.directives))) == MAX_DEPTH
    tree = tree_of("<A>\n" * MAX_DEPTH + "<${A}>\nUse b\n</B>\n")
    assert [problem.message for problem in tree.problems] == ["too deeply nested"]


def test_lines_are_bounded_as_in_httpd(httpd: Httpd) -> None:
    for length in (MAX_LINE_BYTES - 1, MAX_LINE_BYTES):
        for text in (f"#{'a' * (length - 1)}\n", f"A {'b' * (length - 102)}\\\n{'c' * 100}\n", f"#{'a' * length}"):
            problems = tree_of(f"B\n{text}").problems
            verdict = check(httpd, f"B\n{text}".encode())
            too_long = [(each.message, each.span.line) for each in problems]
            assert too_long == ([("Line too long", 2)] if verdict is not None and "too long" in verdict else []), length
    assert len(tree_of("A " + "é" * (MAX_LINE_BYTES // 2) + "\nB\n").problems) == 1


def test_large_files_are_read() -> None:
    host = "<VirtualHost *:443>\n<IfModule a>\nServerName a\n</IfModule> x\n</VirtualHost>\n"
    tree = tree_of(host * 1_000)
    assert len(tree.directives) == len(tree.conditional) == 1_000
    for text in (
        "<Macro a>\n",
        "</A>\n",
        "<Perl>\n",
        "A\\\n",
        "\\\\\n\n",
        '"a" ',
        "<A " + ">" * 9,
        "x\\\r",
        '"' + "\\" * 9,
    ):
        assert tree_of(text * 5_000).source.text.startswith(text)


FRAGMENTS = [
    "<",
    "</",
    ">",
    "A",
    "IfModule",
    " ",
    "\n",
    "\\\n",
    '"',
    "'",
    "\\",
    "#",
    "Macro",
    "Perl",
    "Use",
    "${",
    "\0",
]


def test_no_input_makes_it_raise() -> None:
    rng = random.Random(7)
    messages: Counter[str] = Counter()
    for _ in range(1_500):
        tree = tree_of("".join(rng.choices(FRAGMENTS, k=rng.randrange(40))))
        first_problem(tree, lambda section: rng.random() < 0.5)
        messages.update(problem.message.partition(" ")[0] for problem in tree.problems)
    assert len(messages) > 3
