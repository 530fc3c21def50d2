"""A second opinion: crossplane's lexer and parser on the same text, and every place where they are wrong by name."""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import crossplane.lexer
import pytest

from parse.corpus import corpus
from parse.crossplane_feed import Token, crossplane_tree, install, same_tree, tokens
from parse.nginx_oracle import IN_SERVER, MAIN, WORDS_ONLY, ask
from support.corpus import CORPUS
from support.servers import NginxBinary
from tlslint.parse.nginx import parse
from tlslint.parse.tree import Argument, Source, walk

GLUES = "${name} glues the next argument to itself"
BRACE = "} ends a bare word"
LEX_DIFFERENTLY = {
    "coreruleset__modsecurity-crs-docker/nginx/templates/conf.d/default.conf.template": GLUES,
    "coreruleset__modsecurity-crs-docker/nginx/templates/conf.d/logging.conf.template": GLUES,
    "coreruleset__modsecurity-crs-docker/nginx/templates/includes/proxy_backend.conf.template": GLUES,
    "nginxinc__crossplane/tests/configs/messy/nginx.conf": GLUES,
    "nginxinc__nginx-go-crossplane/testdata/configs/broken1/nginx.conf": GLUES,
    "nginxinc__nginx-go-crossplane/testdata/configs/broken1/nginx2.conf": GLUES,
    "walf443__nginx-lint/crates/nginx-lint-parser/tests/fixtures/test_generated/0050_regex_microservices.conf": BRACE,
}
"""Corpus files with whose words crossplane's lexer is wrong; the corpus test expects it to disagree here only."""


def lexed_by_crossplane(path: Path) -> list[Token]:
    """All tokens that crossplane's lexer gives before it ends or raises."""
    found: list[Token] = []
    with suppress(crossplane.errors.NgxParserBaseException):
        found.extend(crossplane.lexer.lex(str(path)))
    return found


def in_crossplanes_words(token: Token) -> Token:
    """A token of ours with what crossplane does to every text: it undoes the escape of the enclosing quote only, makes
    line ends LF and bytes that are not UTF-8 U+FFFD, and takes a backslash at the end of a comment for part of it.
    """
    word, line, quoted = token
    if isinstance(word, Argument):
        word = word.raw
        if quoted and word.startswith(('"', "'")):
            quote = word[0]
            word = re.sub(r"\\(.)", lambda pair: quote if pair[1] == quote else pair[0], word[1:-1], flags=re.DOTALL)
    if word.startswith("#") and not quoted:
        word = word.removesuffix("\r").removesuffix("\\")
    word = word.replace("\r\n", "\n").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return word, line, quoted


def test_every_word_of_the_corpus_is_crossplanes() -> None:
    wrong = []
    for file in corpus("nginx"):
        tree = parse(file.source)
        theirs = lexed_by_crossplane(CORPUS / "nginx" / file.name)
        ours = [in_crossplanes_words(token) for token in tokens(tree)]
        if tree.problems:
            # what nginx read before it stopped; the tree closes the blocks that were open
            stop = tree.problems[0].span.start
            open_blocks = sum(block.block_end == block.end for block in walk(tree.directives))
            ours = [in_crossplanes_words(token) for token in tokens(tree, comments=False)]
            ours = ours[: len(ours) - open_blocks]
            theirs = [token for token in theirs if token[2] or not token[0].startswith("#")]
            theirs = theirs[: len(ours)]
            assert stop <= len(file.source.text)
        elif len(theirs) < len(ours) and not file.source.text.endswith("\n"):
            # crossplane loses what stands last in a file without a final newline
            assert ours[-1][0].startswith("#")
            ours.pop()
        raw_bodies = {word.raw_block for word in walk(tree.directives) if word.raw_block is not None}
        agree = len(ours) == len(theirs) and all(
            # it gives a Lua block the line on which it ends
            one == other or (one[0] in raw_bodies and one[::2] == other[::2]) or other[0] == ";" == one[0]
            for one, other in zip(ours, theirs, strict=True)
        )
        if agree == (file.name in LEX_DIFFERENTLY):
            wrong.append(file.name)
    assert not wrong


def test_crossplanes_parser_builds_the_same_tree_from_our_words() -> None:
    install()
    compared = 0
    for file in corpus("nginx"):
        tree = parse(file.source)
        if not tree.problems:
            assert same_tree(tree.directives, crossplane_tree(list(tokens(tree, comments=False)))), file.name
            compared += 1
    assert compared > 300


def test_the_installed_lexer_leaves_crossplane_alone(tmp_path: Path) -> None:
    install()
    path = tmp_path / "a.conf"
    path.write_text("events {}\n")
    assert crossplane.parse(str(path))["config"][0]["parsed"] == [
        {"directive": "events", "line": 1, "args": [], "block": []}
    ]


@dataclass(frozen=True)
class Difference:
    """A text that crossplane's lexer reads wrongly.

    ``words`` and ``message`` are what we say, ``place`` where real nginx is asked whether it says the same (``words``
    it cannot be asked for: that nginx accepts the text tells them apart).
    """

    name: str
    text: bytes
    place: bytes
    words: list[list[str]]
    theirs: list[str]
    message: str | None = None
    line: int = 1
    comments: tuple[str, ...] = ()


UNFINISHED = 'unexpected end of file, expecting ";" or "}"'
DIFFERENCES = [
    Difference("a last comment without newline is lost", b"a b;\n# c", WORDS_ONLY, [["a", "b"]], ["a", "b", ";"],
               comments=(" c",)),
    Difference("a last word without newline is lost", b"a b;\npid", WORDS_ONLY, [["a", "b"]], ["a", "b", ";"],
               UNFINISHED, 2),
    Difference("an unclosed quote swallows the rest", b'a b;\n"c d;\n', WORDS_ONLY, [["a", "b"]], ["a", "b", ";"],
               UNFINISHED, 3),
    Difference("no semicolon at the end of the file", b"a b\n", WORDS_ONLY, [], ["a", "b"], UNFINISHED, 2),
    Difference("no semicolon before a brace", b"location ~ x { ssi_types a\n}", IN_SERVER, [["location", "~", "x"]],
               ["location", "~", "x", "{", "ssi_types", "a", "}"], 'unexpected "}"', 2),
    Difference("${name} glues the next argument to itself", b"a /b/${c} /d;", WORDS_ONLY, [["a", "/b/${c}", "/d"]],
               ["a", "/b/${c} /d", ";"]),
    Difference("a closing brace ends a bare word", b"location ~ a{ssi_types 1,2}b;}", IN_SERVER,
               [["location", "~", "a"], ["ssi_types", "1,2}b"]],
               ["location", "~", "a", "{", "ssi_types", "1,2", "}", "b", ";"]),
    Difference("text is glued to a closing quote", b'a "b"c;', WORDS_ONLY, [], ["a", "b", "c", ";"], 'unexpected "c"'),
    Difference("a semicolon without directive", b";\na b;", WORDS_ONLY, [], [";", "a", "b", ";"], 'unexpected ";"'),
    Difference("a brace without directive", b"{} a b;", WORDS_ONLY, [], ["{", "}", "a", "b", ";"], 'unexpected "{"'),
    Difference("a comment loses its last backslash", b"# c \\\na b;\n", WORDS_ONLY, [["a", "b"]],
               ["# c ", "a", "b", ";"], comments=(" c \\",)),
    Difference("CRLF in a value becomes LF", b'a "b\r\nc";\r\n', WORDS_ONLY, [["a", "b\r\nc"]], ["a", "b\nc", ";"]),
    Difference("a lone CR ends a comment", b"# c\ra b;\nd e;\n", WORDS_ONLY, [["d", "e"]],
               ["# c", "a", "b", ";", "d", "e", ";"], comments=(" c\ra b;",)),
    Difference("bytes outside UTF-8 are replaced", b"a caf\xe9;", WORDS_ONLY, [["a", "caf\udce9"]],
               ["a", "caf\ufffd", ";"]),
    Difference("a no-break space separates", b"a b\xc2\xa0c;", WORDS_ONLY, [["a", "b\u00a0c"]], ["a", "b", "c", ";"]),
    Difference("a vertical tab separates", b"a b\x0bc;", WORDS_ONLY, [["a", "b\x0bc"]], ["a", "b", "c", ";"]),
    Difference("a form feed separates", b"a b\x0cc;", WORDS_ONLY, [["a", "b\x0cc"]], ["a", "b", "c", ";"]),
    Difference("a byte order mark is not reported", b"\xef\xbb\xbfevents {}", MAIN, [["\ufeffevents"]],
               ["\ufeffevents", "{", "}"], 'unknown directive "\ufeffevents"'),
    Difference("escapes are not decoded", rb'a "b\\\"c\t" d\;\\;', WORDS_ONLY, [["a", 'b\\"c\t', "d\\;\\"]],
               ["a", r'b\\"c\t', r"d\;\\", ";"]),
    Difference("a word may be of any length", b"a " + b"b" * 4096 + b";", WORDS_ONLY, [], ["a", "b" * 4096, ";"],
               'too long parameter "bbbbbbbbbb..." started'),
    Difference("a comment may be of any length", b"# " + b"b" * 4094 + b"\n", WORDS_ONLY, [], ["# " + "b" * 4094],
               'too long parameter "# bbbbbbbb..." started'),
]  # fmt: skip


@pytest.fixture(params=DIFFERENCES, ids=lambda difference: difference.name)
def difference(request: pytest.FixtureRequest) -> Difference:
    case: Difference = request.param
    return case


def test_where_crossplane_is_wrong(difference: Difference, tmp_path: Path) -> None:
    tree = parse(Source.from_bytes("a.conf", difference.text))
    assert [[directive.name, *directive.arguments] for directive in walk(tree.directives)] == difference.words
    assert [problem.message for problem in tree.problems] == ([difference.message] if difference.message else [])
    assert tuple(comment.text for comment in tree.comments) == difference.comments
    path = tmp_path / "a.conf"
    path.write_bytes(difference.text)
    assert [token for token, _, _ in lexed_by_crossplane(path)] == difference.theirs


def test_where_crossplane_is_wrong_nginx_agrees_with_us(difference: Difference, nginx: NginxBinary) -> None:
    verdict = ask(nginx, difference.text.decode("utf-8", "surrogateescape"), difference.place)
    assert verdict.message == difference.message
    if difference.message:
        assert verdict.line == difference.line
        (problem,) = parse(Source.from_bytes("a.conf", difference.text)).problems
        assert problem.span.line == difference.line
