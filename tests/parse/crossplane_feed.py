"""crossplane's parser fed with our tokens: the second opinion on trees, and the measure of what it would cost.

crossplane's parser calls the lexer of its own module by name. ``install()`` puts a wrapper there once; it serves only
file names of the type ``_Tokens``, which carry their tokens with them, and hands every other name to crossplane's own.
"""

from collections.abc import Iterator
from typing import Any

import crossplane.parser

from tlslint.parse.tree import Argument, Directive, Tree

Token = tuple[str, int, bool]
Statement = dict[str, Any]

_own_lex = crossplane.parser.lex


class _Tokens(str):
    tokens: list[Token]


def _lex(filename: str) -> Iterator[Token]:
    return iter(filename.tokens) if isinstance(filename, _Tokens) else _own_lex(filename)


def install() -> None:
    crossplane.parser.lex = _lex


def tokens(tree: Tree, *, comments: bool = True) -> Iterator[Token]:
    """The tree's words in crossplane's form: (token, line, quoted)."""
    words = _words(tree.directives)
    if not comments:
        return ((word, line, quoted) for word, line, quoted, _ in words)
    remarks: list[tuple[str, int, bool, int]] = [
        ("#" + comment.text, comment.line, False, comment.start) for comment in tree.comments
    ]
    return ((token, line, quoted) for token, line, quoted, _ in sorted([*words, *remarks], key=lambda each: each[3]))


def _words(directives: tuple[Directive, ...]) -> Iterator[tuple[str, int, bool, int]]:
    for directive in directives:
        for word in (directive.name, *directive.arguments):
            yield word, word.line, bool(word.quote), word.start
        line = directive.source.line_column
        if directive.raw_block is not None:
            assert directive.block_start is not None
            yield directive.raw_block, line(directive.block_start)[0], True, directive.block_start
            yield ";", line(directive.end - 1)[0], False, directive.end - 1
        elif directive.block is None:
            yield ";", line(directive.end - 1)[0], False, directive.end - 1
        else:
            assert directive.block_start is not None
            assert directive.block_end is not None
            yield "{", line(directive.block_start)[0], False, directive.block_start
            yield from _words(directive.block)
            yield "}", line(directive.block_end)[0], False, directive.block_end


def crossplane_tree(stream: list[Token]) -> list[Statement]:
    """What crossplane's parser builds from a token stream."""
    filename = _Tokens("fed.conf")
    filename.tokens = stream
    payload = crossplane.parser.parse(filename, single=True, check_ctx=False, check_args=False)
    assert payload["status"] == "ok", payload["errors"]
    parsed: list[Statement] = payload["config"][0]["parsed"]
    return parsed


def same_tree(directives: tuple[Directive, ...], statements: list[Statement]) -> bool:
    """Whether both hold the same words: the very objects, but for ``if``, whose parentheses crossplane takes away."""
    if len(directives) != len(statements):
        return False
    for directive, statement in zip(directives, statements, strict=True):
        arguments = [*directive.arguments]
        if directive.raw_block is not None:
            arguments.append(directive.raw_block)
        if statement["directive"] is not directive.name:
            return False
        if directive.name == "if":
            if _without_parentheses(arguments) != statement["args"]:
                return False
        elif not all(a is b for a, b in zip(arguments, statement["args"], strict=True)):
            return False
        block = statement.get("block")
        if (directive.block is None or directive.raw_block is not None) != (block is None):
            return False
        if block is not None and not same_tree(directive.block or (), block):
            return False
    return True


def _without_parentheses(arguments: list[Argument]) -> list[str]:
    words: list[str] = [*arguments]
    if words and words[0].startswith("(") and words[-1].endswith(")"):
        words[0] = words[0][1:].lstrip()
        words[-1] = words[-1][:-1].rstrip()
        words = words[int(not words[0]) : len(words) - int(not words[-1])]
    return words
