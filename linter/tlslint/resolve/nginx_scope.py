"""From nginx's files to its nested scopes: includes spliced in where they stand, each file parsed once.

A `Scope` is one block as nginx sees it after all includes: its own directives by name and its inner blocks, in
textual order, each with the chain of includes that brought it there. What could not be read is remembered as the
reason why the scope may be missing something.
"""

from collections.abc import Iterator
from sys import intern

from tlslint.parse.tree import Directive, Span, SyntaxProblem, Tree
from tlslint.resolve.backups import backups
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import Place, Problem

MAX_INCLUDE_DEPTH = 100
"""nginx itself has no limit: it runs out of file descriptors, or crashes."""
MAX_INCLUDED_FILES = 200_000
"""Inclusions in one deployment, so that files which include each other twice do not explode."""

SCOPES = frozenset(
    ("http", "stream", "mail", "events", "server", "location", "upstream", "if", "limit_except", "match", "types")
)
"""Blocks whose directives matter; the lines of any other block (`map`, `geo`, …) are that block's own."""

STOCK_FILES = frozenset(
    ("mime.types", "fastcgi_params", "fastcgi.conf", "scgi_params", "uwsgi_params", "koi-utf", "koi-win", "win-utf")
)
"""Files that every nginx package ships; they set nothing about TLS, so their absence from a checkout hides nothing."""


class Scope:
    """One block after all includes: `own` holds its directives by name, `children` its inner blocks."""

    __slots__ = ("children", "incomplete", "module", "name", "own", "parent", "place")

    def __init__(self, name: str, parent: "Scope | None", place: Place | None, module: str = "") -> None:
        self.name = name
        self.parent = parent
        self.place = place
        self.module = module
        self.own: dict[str, list[Place]] = {}
        self.children: list[Scope] = []
        self.incomplete = ""
        """Why directives of this very block may be missing here, or empty."""

    @property
    def path(self) -> str:
        """The context in nginx's words: `http/server/location`."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None and scope.name != "main":
            names.append(scope.name)
            scope = scope.parent
        return "/".join(reversed(names)) or "main"

    def nearest(self, name: str) -> list[Place]:
        """Return the directives of that name at the innermost level that has any: nginx's usual inheritance."""
        scope: Scope | None = self
        while scope is not None:
            places = scope.own.get(name)
            if places:
                return places
            scope = scope.parent
        return []

    def blocks(self, name: str) -> Iterator["Scope"]:
        """Yield the inner blocks of that name, in order."""
        return (child for child in self.children if child.name == name)

    def doubt(self, name: str) -> str:
        """Why the inherited value of a directive cannot be known: an unread include nearer than the value, or empty."""
        scope: Scope | None = self
        while scope is not None:
            if scope.own.get(name):
                return ""
            if scope.incomplete:
                return scope.incomplete
            scope = scope.parent
        return ""

    def walk(self) -> Iterator["Scope"]:
        """Yield this scope and all scopes inside it, outer ones first."""
        pending = [self]
        while pending:
            scope = pending.pop()
            yield scope
            pending.extend(reversed(scope.children))

    def __repr__(self) -> str:
        return f"<Scope {self.path}, {sum(map(len, self.own.values()))} directives>"


class Expansion:
    """Splices includes and builds the scopes of one deployment; collects what went wrong on the way."""

    def __init__(self, files: Files, base: str) -> None:
        self.files = files
        self.base = base
        self.problems: list[Problem] = []
        self.unknown: list[tuple[str, str, Span | None]] = []
        self.included_files = 0
        self.complete = True
        """Whether nothing may be missing from any scope."""
        self._broken: set[str] = set()
        self._names: dict[str, str] = {}

    def fill(self, scope: Scope, directives: tuple[Directive, ...], includes: tuple[Directive, ...] = ()) -> None:
        """Put directives (and those of the files that they include) into a scope, their blocks into its children."""
        own = scope.own
        names = self._names
        for directive in directives:
            name = names.get(directive.name)
            if name is None:
                name = intern(str(directive.name))
                names[name] = name
            if name == "include" and len(directive.arguments) == 1:
                self._include(scope, directive, includes)
                continue
            place = Place(directive, includes)
            if directive.block is not None and name in SCOPES:
                module = name if name in ("http", "stream", "mail") else scope.module
                child = Scope(name, scope, place, module)
                scope.children.append(child)
                self.fill(child, directive.block, includes)
            places = own.get(name)
            if places is None:
                own[name] = [place]
            else:
                places.append(place)

    def _include(self, scope: Scope, directive: Directive, includes: tuple[Directive, ...]) -> None:
        if scope.name == "types":
            return
        argument = directive.arguments[0]
        names = self.files.included(argument, self.base)
        if isinstance(names, Unreadable):
            self._unread(scope, directive, names)
            return
        if len(includes) >= MAX_INCLUDE_DEPTH:
            self._cycle(scope, directive, includes, f"includes are nested more than {MAX_INCLUDE_DEPTH} deep")
            return
        chain = (*includes, directive)
        if any(mark in argument for mark in "*?["):
            self.problems.extend(backups(argument, names))
        for name in names:
            self.included_files += 1
            if self.included_files > MAX_INCLUDED_FILES:
                self._cycle(scope, directive, includes, f"more than {MAX_INCLUDED_FILES} files are included")
                return
            tree = self.files.tree(name)
            if isinstance(tree, Unreadable):
                self._unread(scope, directive, tree)
            elif any(step.source is tree.source for step in chain):
                self._cycle(scope, directive, includes, f'"{tree.source.path}" includes itself')
            else:
                self.splice(scope, tree, chain)

    def splice(self, scope: Scope, tree: Tree, chain: tuple[Directive, ...] = ()) -> None:
        """Put a whole file into a scope; a file with a syntax error leaves the scope incomplete."""
        if tree.problems:
            self.doubt(scope, f'"{tree.source.path}" has a syntax error')
            if tree.source.path not in self._broken:
                self._broken.add(tree.source.path)
                self.problems.extend(_syntax_problem(problem) for problem in tree.problems)
                self.unknown.append((f"what {tree.source.path} sets", "it has a syntax error", tree.problems[0].span))
        self.fill(scope, tree.directives, chain)

    def doubt(self, scope: Scope, reason: str) -> None:
        """Remember why directives of a scope may be missing."""
        scope.incomplete = scope.incomplete or reason
        self.complete = False

    def _unread(self, scope: Scope, directive: Directive, failure: Unreadable) -> None:
        argument = directive.arguments[0]
        if argument.rpartition("/")[2] in STOCK_FILES:
            return
        self.doubt(scope, f'"{argument}" could not be read')
        path = self.files.resolve(argument, self.base)
        is_mask = any(character in argument for character in "*?[")
        if failure.kind in ("missing", "not-a-file") and not is_mask and not self.files.is_assumed(path):
            # what lies outside the view may well exist on the server, and a mask may match nothing
            self.problems.append(
                Problem("include-not-found", f'"{argument}" {failure.reason}', argument.span, label=failure.kind)
            )
        self.unknown.append((f'what include "{argument}" brings', failure.reason, argument.span))

    def _cycle(self, scope: Scope, directive: Directive, includes: tuple[Directive, ...], what: str) -> None:
        self.doubt(scope, what)
        if any(
            problem.kind == "include-cycle" and problem.span.source is directive.source for problem in self.problems
        ):
            return
        self.problems.append(
            Problem(
                "include-cycle",
                what,
                directive.arguments[0].span,
                label="nginx runs out of file descriptors or crashes",
                help="remove the include, or narrow the mask",
                related=tuple((step.arguments[0].span, "included from here") for step in includes[-4:]),
            )
        )


def scopes_of(files: Files, base: str, tree: Tree, context: str) -> tuple[Scope, Expansion]:
    """Build the scopes of a deployment from its entry file's tree.

    `base` is the directory from which relative names are taken: that of the main file. `context` is where the entry
    file's text belongs: `main` for a whole configuration, else the block (`http`, `server`, `stream`, …) that would
    include it; the scopes around it are then made up, and say that they are incomplete.
    """
    expansion = Expansion(files, base)
    main = Scope("main", None, None)
    scope = main
    if context != "main":
        for name in _enclosing(context):
            inner = Scope(name, scope, None, name if name in ("http", "stream", "mail") else scope.module)
            expansion.doubt(inner, "the configuration that includes this file was not read")
            scope.children.append(inner)
            scope = inner
    expansion.splice(scope, tree)
    return main, expansion


def _syntax_problem(problem: SyntaxProblem) -> Problem:
    origin = problem.origin
    return Problem(
        "syntax-error",
        problem.message,
        problem.span if origin is None else origin,
        label="it began here" if origin is not None else "",
        help=problem.hint or "",
        related=((problem.span, "nginx stops here"),) if origin is not None else (),
    )


def _enclosing(context: str) -> tuple[str, ...]:
    """Return the blocks around a fragment, outermost first; `stream/server` may be spelled out."""
    if "/" in context:
        return tuple(context.split("/"))
    return {"server": ("http", "server"), "location": ("http", "server", "location")}.get(context, (context,))


__all__ = ["MAX_INCLUDED_FILES", "MAX_INCLUDE_DEPTH", "Expansion", "Scope", "scopes_of"]
