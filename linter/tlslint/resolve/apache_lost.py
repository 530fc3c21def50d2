"""What httpd silently passes over although it was surely meant: conditions, comments that go on, text behind a tag.

Nothing here is an error to httpd, neither at `apache2 -t` nor in the log. So only what cannot be meant as it stands is
a problem: a condition that names a module in a way that none is called, or before it is loaded; an exact version
without its last number; a flag that only the environment has. Fallbacks for modules that are not there are ordinary.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from tlslint.intention import Fix, ReplaceArguments, Safety
from tlslint.parse.apache import fold
from tlslint.parse.tree import Argument, Comment, Span, Tree
from tlslint.resolve.apache_modules import HTTPD_MODULES
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import Place, Problem
from tlslint.target import Target

if TYPE_CHECKING:
    from tlslint.resolve.apache_read import Branch, Reading

_ABOUT_TLS: Final = re.compile(r"<?(?:ssl[a-z0-9]+|mdomain(?:set)?|protocols|listen|virtualhost)")
"""Directives and sections that decide about TLS wherever they stand."""
_HSTS: Final = "strict-transport-security"

_DIRECTIVE: Final = re.compile(
    r"(?:SSL[A-Z][A-Za-z0-9]+|Protocols|Listen|ServerName|ServerAlias|MDomain)(?=[ \t])|</?VirtualHost(?=[ \t>])"
    r"|Header(?=[ \t].*Strict-Transport-Security)"
)
"""The beginning of a line that is a directive about TLS or hosts; written with its capitals, so that prose is none."""

_SHORT_VERSION: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_ALIKE: Final = 0.9
"""How much of two names must be the same: one letter of a short name, two of a long one."""
_ENDINGS: Final = re.compile(r"(?:_module|_mod|\.c|\.cpp|\.so|\.load|\.conf)$")


def about_tls(words: list[str]) -> bool:
    """Whether the words of a line are a directive about TLS."""
    name = fold(words[0]) if words else ""
    if name == "header":
        return any(word.lower() == _HSTS for word in words[1:4])
    return _ABOUT_TLS.fullmatch(name) is not None


def lost(reading: "Reading", target: Target, files: Files) -> Iterator[Problem]:
    """Yield what was meant and is not in force."""
    for branch in reading.branches:
        if branch.taken is False and branch.lost:
            yield from _Condition(branch, reading, target).problems()
    for place, path in reading.absent:
        yield from _misspelt(place, path, reading, files)
    for tree in reading.trees:
        for comment in tree.comments:
            if "\n" in comment.text:
                yield from _in_comment(comment)
        yield from _behind_tags(tree)


def _misspelt(place: Place, path: str, reading: "Reading", files: Files) -> Iterator[Problem]:
    """Yield an optional include of a file that is not there, beside one of nearly that name that nothing includes."""
    # only where such a file is missing
    from difflib import get_close_matches

    folder, name = posixpath.split(path)
    there = files.names(folder)
    if isinstance(there, Unreadable):
        return
    ending = posixpath.splitext(name)[1]
    free = [
        other
        for other in there
        if other.endswith(ending) and len(other) > len(ending) and posixpath.join(folder, other) not in reading.files
    ]
    for close in get_close_matches(name, free, 1, _ALIKE):
        yield Problem(
            "misspelt-include",
            f'there is no "{name}", and nothing includes "{close}" beside it',
            place.argument(0).span,
            severity="warning",
            label="brings nothing",
            help=f"write {close}, if that is what is meant",
        )


class _Condition:
    """A section that was left out, and why it cannot be meant so."""

    def __init__(self, branch: "Branch", reading: "Reading", target: Target) -> None:
        self.branch = branch
        self.reading = reading
        self.target = target
        self.place: Place = branch.place
        self.kind = fold(self.place.directive.name)

    def problems(self) -> Iterator[Problem]:
        words = self.place.directive.arguments
        if not words or words[0].startswith("!") or self.place.doubt:
            return
        word = words[0]
        inner = word.partition(">")[0]
        if inner != word and self._holds_now(inner):
            # the argument goes to the last mark of the line
            behind = Span(word.source, word.end - 1, self._end_of_line(word))
            yield self._problem(
                f'httpd looks for "{word}": the text behind ">" is a part of the condition',
                behind,
                "not ignored, because another > follows",
                "put the comment on a line of its own",
            )
        elif self.kind == "ifmodule":
            yield from self._module(word)
        elif self.kind == "ifdefine":
            yield from self._flag(word)
        elif self.kind == "ifversion":
            yield from self._version()

    def _holds_now(self, word: str) -> bool:
        """Whether the condition would hold for a word, by what is known at the end of reading."""
        if self.kind == "ifmodule":
            return self.reading.modules.has(word) is True
        return self.kind == "ifdefine" and self.reading.variables.is_defined(word) is True

    def _module(self, word: Argument) -> Iterator[Problem]:
        modules = self.reading.modules
        if modules.has(word) is True:
            # else it is only taken to be loaded, because nobody can see it any more
            for loaded in self._loading(word):
                yield self._problem(
                    f'no module is called "{word}" yet: it is loaded further down',
                    word.span,
                    "looked for while the file is read",
                    "load the module before this line",
                    related=(loaded,),
                )
            return
        plain = _ENDINGS.sub("", _ENDINGS.sub("", word.lower())).removeprefix("mod_")
        right = f"{plain}_module"
        if plain in HTTPD_MODULES and modules.has(right) is True:
            yield self._problem(
                f'no module is called "{word}"',
                word.span,
                f"its name is {right}",
                f"write {right}",
                fix=self._respelt(right),
            )

    def _loading(self, word: str) -> tuple[tuple[Span, str], ...]:
        """Where a module is loaded that a condition names; empty where that cannot be seen."""
        stem = word.removesuffix(".c").removeprefix("mod_").removesuffix("_module")
        for place in self.reading.executed:
            words = place.directive.arguments
            if fold(place.directive.name) == "loadmodule" and words and words[0] == f"{stem}_module":
                return ((words[0].span, "loaded here"),)
        return ()

    def _flag(self, word: Argument) -> Iterator[Problem]:
        variables = self.reading.variables
        environment: Mapping[str, object] = variables.environment
        if variables.is_defined(word) is True:
            yield self._problem(
                f"{word} is not defined yet: that comes further down",
                word.span,
                "looked for while the file is read",
                "define it before this line",
            )
            return
        others = sorted(flag for flag in variables.flags if flag.lower() == word.lower())
        if others:
            yield self._problem(
                f"{word} is not defined, {others[0]} is: <IfDefine> looks at the case of letters",
                word.span,
                "no such name",
                f"write {others[0]}",
                fix=self._respelt(others[0]),
            )
        elif word in environment:
            yield self._problem(
                f"{word} is a variable of the environment, and <IfDefine> does not look there",
                word.span,
                "never defined",
                f"define it, or start httpd with -D {word}",
            )

    def _version(self) -> Iterator[Problem]:
        *operators, word = self.place.directive.arguments
        if operators not in ([], ["="], ["=="]) or not _SHORT_VERSION.fullmatch(word):
            return
        if any(not str(version).startswith(f"{word}.") for version in self.target.server_versions):
            return  # a branch for another httpd
        zeros = f"{word}.0" if "." in word else f"{word}.0.0"
        yield self._problem(
            f"{word} means httpd {zeros} alone",
            word.span,
            "what is not written is 0",
            f"write >= {word}",
            fix=self._rewritten(f">= {word}", (">=", str(word))),
        )

    def _respelt(self, text: str) -> Fix:
        others = map(str, self.place.directive.arguments[1:])
        return self._rewritten(text, (text, *others))

    def _rewritten(self, text: str, words: tuple[str, ...]) -> Fix:
        title = f"write {text} in the condition, so that what it holds is in force"
        return Fix(title, Safety.UNSAFE, (ReplaceArguments(self.place, words),))

    def _end_of_line(self, word: Argument) -> int:
        text = word.source.parsed_text
        end = text.find("\n", word.end)
        return len(text[: end if end >= 0 else len(text)].rstrip())

    def _problem(
        self,
        message: str,
        span: Span,
        label: str,
        advice: str,
        *,
        related: tuple[tuple[Span, str], ...] = (),
        fix: Fix | None = None,
    ) -> Problem:
        first = self.branch.lost[0]
        name = first.source.parsed_text[first.start : first.end].split(None, 1)[0]
        more = len(self.branch.lost) - 1
        others = f" and {more} more line{'s' if more > 1 else ''} about TLS" if more else ""
        return Problem(
            "never-true-condition",
            f"{name}{others} {'are' if more else 'is'} never in force: {message}",
            span,
            severity="warning",
            label=label,
            help=advice,
            related=(*related, (first, "left out")),
            fix=fix,
        )


def _in_comment(comment: Comment) -> Iterator[Problem]:
    """Yield each line of a comment that goes on over several that is a directive."""
    text = comment.source.parsed_text
    position = text.find("\n", comment.start, comment.end)
    first = Span(comment.source, comment.start, len(text[:position].rstrip()))
    while position >= 0:
        end = text.find("\n", position + 1, comment.end)
        line = text[position + 1 : end if end >= 0 else comment.end]
        begin = position + 1 + len(line) - len(line.lstrip())
        written = line.strip().removesuffix("\\").rstrip()
        match = _DIRECTIVE.match(written)
        if match is not None:
            yield _swallowed(
                f"{match[0]} is a part of the comment above, which a backslash continues",
                Span(comment.source, begin, begin + len(written)),
                "never in force",
                "take the backslash from the end of the comment",
                ((first, "the comment begins here"),),
            )
        position = end


def _behind_tags(tree: Tree) -> Iterator[Problem]:
    """Yield each directive on the line of a tag, which httpd takes no notice of."""
    text = tree.source.parsed_text
    for span in tree.ignored:
        match = _DIRECTIVE.match(text, span.start, span.end)
        if match is not None:
            yield _swallowed(
                f"{match[0]} stands behind a tag, where httpd ignores everything",
                span,
                "never in force",
                "put it on a line of its own",
            )


def _swallowed(
    message: str, span: Span, label: str, advice: str, related: tuple[tuple[Span, str], ...] = ()
) -> Problem:
    return Problem("swallowed-directive", message, span, severity="warning", label=label, help=advice, related=related)


__all__ = ["about_tls", "lost"]
