"""httpd's read phase: from the entry file to nested sections of directives in force, read in the order of httpd.

The lines are executed one after the other, as `ap_build_config` and `ap_build_cont_config` do (httpd's
`server/config.c`): variables are replaced, `Define`, `Include`, `Use` and their kin act at once, and the sections whose
condition is decided while reading are read or skipped line by line. So a macro may open a section that its user closes,
and an end tag may come from a variable. What httpd cannot read is a problem; what depends on something that cannot be
seen here leaves the section incomplete, with the reason.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tlslint.parse.apache import (
    NO_END_TAG,
    NOTHING_OPEN,
    READ_TIME_SECTIONS,
    LogicalLine,
    Statement,
    fold,
    followed_by,
    is_code_section,
    logical_lines,
    split_words,
    statement_of,
)
from tlslint.parse.tree import Directive, Source, Span, SyntaxProblem, Tree, walk
from tlslint.record import dataclass, field
from tlslint.resolve.apache_conditions import ConditionError, Conditions, Outcome
from tlslint.resolve.apache_include import MAX_FILES, Step, included, is_mask
from tlslint.resolve.apache_lost import about_tls
from tlslint.resolve.apache_macros import Macro, Macros, wrong_parameters
from tlslint.resolve.apache_modules import Modules, family_of
from tlslint.resolve.apache_scope import MAIN, VIRTUAL_HOST, Section
from tlslint.resolve.apache_variables import (
    ENVIRONMENT_FILE,
    SERVICE_FILES,
    Variables,
    command_line_flags,
    read_environment,
)
from tlslint.resolve.backups import backups
from tlslint.resolve.include import Unreadable
from tlslint.resolve.model import Place, Problem, Unknown
from tlslint.target import Target, Version

if TYPE_CHECKING:
    from tlslint.discover import Root

MAX_INCLUDE_DEPTH: Final = 128
"""`Include` in `Include` (AP_MAX_INCLUDE_DEPTH)."""
MAX_LINES: Final = 5_000_000
"""Lines that are executed before reading ends."""
MAX_MACRO_LINES: Final = 500_000
"""The same for lines that come from macros: those that use others twice would explode."""
MAX_ERRORS: Final = 5
"""What is said of one file: httpd stops at the first, and what follows may only follow from that."""
MAX_OPEN: Final = 256
"""Sections in each other, over all files; httpd has no limit, and none needs more than a few."""

NOT_READ: Final = "the configuration that includes this file was not read"
ENVIRONMENT_NOT_SEEN: Final = "it may come from the environment in which httpd is started (apache-environment)"

_MATTERS: Final = re.compile(
    r"<?(?:ssl|md[a-z]|h2|proxy|redirect|rewrite|header|requestheader|server|virtualhost|listen|protocols|include|use$"
    r"|define|undefine|macro|loadmodule|namevirtualhost|directory|location|files|if|else|customlog|logformat|transferlog"
    r"|strict|require|setenvif|errordocument|documentroot|alias|setenv|user)"
)
"""Directives and sections that a skipped branch may hold so that something about TLS or hosts is missing."""

_DECIDES: Final = re.compile(
    r"listen|servername|serveralias|protocols?$|header|requestheader|redirect|rewrite|strict|listenbacklog"
)
"""Directives that are no use with a variable in them whose value nobody knows: they would say something else."""

_HELD_ELSEWHERE: Final = ("Line too long", "too deeply nested", "Invalid command")
"""Beginnings of the parser's problems that the execution of lines does not meet itself."""


@dataclass(slots=True, frozen=True)
class Branch:
    """A section that was decided while reading: taken, left out, or (None) not decided, with the reason."""

    place: Place
    taken: bool | None
    reason: str = ""
    lost: tuple[Span, ...] = ()
    """The lines about TLS in a section that was left out."""


@dataclass(slots=True)
class Reading:
    """What httpd has after reading, and what was met on the way."""

    main: Section
    """The main server; the virtual hosts are among its inner sections."""
    problems: list[Problem]
    unknown: list[tuple[str, str, Span | None]]
    """What could not be decided: what, why, where."""
    modules: Modules
    variables: Variables
    server_root: str
    """The server path from which relative names are taken, at the end of reading."""
    fragment: str
    """The context of a file that is only a part of a configuration, or empty."""
    branches: list[Branch] = field(default_factory=list)
    executed: list[Place] = field(default_factory=list)
    """What acted while reading and is no part of any section: `Define`, `Include`, `LoadModule`, `Use` …"""
    files: list[str] = field(default_factory=list)
    """Server paths of the included files in the order in which they are read, each as often as it is."""
    absent: list[tuple[Place, str]] = field(default_factory=list)
    """Optional includes of one file that is not there, and its server path."""
    trees: list[Tree] = field(default_factory=list)
    """The files that were read, each once."""
    notes: list[str] = field(default_factory=list)
    """What was assumed, for the reader."""
    assumed_modules: frozenset[str] = frozenset()
    """Modules that are taken to be loaded, because `LoadModule` lines may be out of sight."""


def read(root: "Root", target: Target) -> Reading:
    """Read the configuration whose entry file is `root.entry` as httpd of that target would."""
    return _Reader(root, target).read()


@dataclass(slots=True, eq=False)
class _Frame:
    """A section that is open: an ordinary one, or the true branch of one that is decided while reading."""

    name: str
    """As written in the start tag."""
    tag: Span
    section: Section
    """What directives inside of it belong to."""
    is_branch: bool


@dataclass(slots=True, eq=False)
class _Input:
    """Lines that are being executed: of a file, or of a macro that is used."""

    source: Source
    lines: Sequence[LogicalLine]
    includes: tuple[Directive, ...]
    """The chain through which they are in force."""
    depth: int
    """How many includes brought the file."""
    base: int
    """How many sections were open where the file begins."""
    path: str = ""
    """Server path of a file."""
    macros: tuple[str, ...] = ()
    """Macros in whose use it stands, up to the file."""
    is_file: bool = True
    is_loaded: bool = False
    directives: dict[int, Directive] = field(default_factory=dict)
    """Of a file: the parsed directives by where they begin."""
    at: int = 0


class _Reader:
    """One reading: what is in force at this moment, and the lines that are still to be executed."""

    def __init__(self, root: "Root", target: Target) -> None:
        self.root = root
        self.files = root.files
        self.target = target
        self.base = root.base
        fragment = "" if root.context == "main" else root.context
        elsewhere = NOT_READ if fragment else ""
        self.variables = Variables((*root.defines, *self._service_flags()), self._environment(), elsewhere)
        if not fragment and not self.variables.environment:
            self.variables.environment_elsewhere = ENVIRONMENT_NOT_SEEN
        self.modules = Modules(family_of(target.platform) or _family_by_layout(root.entry), elsewhere)
        self.macros = Macros(elsewhere)
        self.conditions = Conditions(target, self.modules, self.variables, self.files)
        self.main = Section(MAIN)
        if fragment:
            self.main.incomplete = NOT_READ
        self.reading = Reading(self.main, [], [], self.modules, self.variables, root.base, fragment)
        self.frames: list[_Frame] = []
        self.inputs: list[_Input] = []
        self.included_files = 0
        self.executed_lines = 0
        self.macro_lines = 0
        self._errors: dict[Source, int] = {}
        self._lines: dict[str, list[LogicalLine]] = {}
        self._index: dict[str, dict[int, Directive]] = {}
        self._changed: dict[tuple[int, int, str], Directive] = {}
        self._reported: set[tuple[str, Source, int]] = set()
        self._handlers: dict[str, Callable[[Place, LogicalLine], None]] = {
            "define": self._define,
            "undefine": self._undefine,
            "include": self._include,
            "includeoptional": self._include,
            "serverroot": self._server_root,
            "loadmodule": self._load_module,
            "loadfile": self._executed,
            "defaultruntimedir": self._executed,
            "use": self._use,
            "undefmacro": self._undefine_macro,
        }

    def _environment(self) -> dict[str, str | Unknown]:
        found: dict[str, str | Unknown] = {}
        if self.root.context == "main":
            path = posixpath.join(posixpath.dirname(self.root.entry), ENVIRONMENT_FILE)
            source = self.files.source(path)
            if not isinstance(source, Unreadable):
                found.update(read_environment(source.text))
        found.update(self.root.environment)
        return found

    def _service_flags(self) -> Iterator[str]:
        """Yield the flags with which the distribution's service starts httpd, as far as its settings are here."""
        folder = posixpath.dirname(self.root.entry)
        for name, variable in SERVICE_FILES if self.root.context == "main" else ():
            source = self.files.source(posixpath.normpath(posixpath.join(folder, name)))
            flags = () if isinstance(source, Unreadable) else command_line_flags(source.text, variable)
            if not isinstance(flags, Unknown):
                yield from flags

    # -- the loop --------------------------------------------------------------------------------------------------

    def read(self) -> Reading:
        self._push_file(Step(self.root.entry), (), 0)
        while self.inputs:
            top = self.inputs[-1]
            if not top.is_loaded:
                self._load(top)
            if top.at == len(top.lines):
                self.inputs.pop()
                if top.is_file:
                    self._end_of_file(top)
                continue
            line = top.lines[top.at]
            top.at += 1
            self.executed_lines += 1
            self.macro_lines += not top.is_file
            if self.executed_lines > MAX_LINES or self.macro_lines > MAX_MACRO_LINES:
                self._give_up(line)
                break
            self._execute(line)
        self.reading.server_root = self.base
        self._note_assumptions()
        return self.reading

    @property
    def file(self) -> _Input:
        """The file in which reading is, below the macros that are used there."""
        return next(each for each in reversed(self.inputs) if each.is_file)

    @property
    def section(self) -> Section:
        """What a directive belongs to that is read now."""
        return self.frames[-1].section if self.frames else self.main

    def _push_file(self, step: Step, includes: tuple[Directive, ...], depth: int) -> None:
        self.inputs.append(_Input(_NOWHERE, (), includes, depth, len(self.frames), step.path))

    def _load(self, file: _Input) -> None:
        """Parse a file whose turn has come."""
        file.is_loaded = True
        tree = self.files.tree(file.path, "apache")
        if isinstance(tree, Unreadable):
            self._unread(file, tree)
            return
        file.source = tree.source
        if file.includes:
            self.reading.files.append(file.path)
        if file.path not in self._lines:
            self.reading.trees.append(tree)
            self._lines[file.path], self._index[file.path] = self._lines_of(tree)
        file.lines, file.directives = self._lines[file.path], self._index[file.path]

    def _lines_of(self, tree: Tree) -> tuple[list[LogicalLine], dict[int, Directive]]:
        end = None
        for problem in tree.problems:
            if problem.message.startswith(_HELD_ELSEWHERE):
                self._syntax_problem(problem)
                if not problem.late:
                    end = problem.span.start
        # empty lines and comments end a macro's line that a backslash continues
        lines = list(logical_lines(tree.source, 0, end, keep_empty=True))
        return lines, {directive.start: directive for directive in walk(tree.directives)}

    def _end_of_file(self, file: _Input) -> None:
        """Close what the file leaves open: in the branch of a condition the end of the file is as good as its end."""
        in_branch = False
        here = Span(file.source, len(file.source.parsed_text), len(file.source.parsed_text))
        for frame in self.frames[file.base :]:
            in_branch = in_branch or frame.is_branch
            if not in_branch:
                self._error(f"<{frame.name}> was not closed.", here, frame.tag, NO_END_TAG)
        del self.frames[file.base :]

    def _give_up(self, line: LogicalLine) -> None:
        message = f"more than {self.executed_lines - 1} lines are read: macros or includes that multiply"
        self._error(message, line.span(0, len(line.text)), kind="include-cycle")
        for frame in self.frames:
            frame.section.incomplete = frame.section.incomplete or message
        self.main.incomplete = self.main.incomplete or message

    # -- one line --------------------------------------------------------------------------------------------------

    def _execute(self, line: LogicalLine) -> None:
        text = line.text
        if not text or text.startswith("#"):
            return
        if text.startswith("</") and self._ends_branch(text):
            self.frames.pop()
            return
        doubt = ""
        if "${" in text:
            line, doubt = self._replaced(line)
        directive, statement = self._directive(line)
        if directive is None:
            return
        place = Place(directive, self.inputs[-1].includes)
        name = fold(directive.name)
        if statement is not None and statement.is_end_tag:
            self._close(statement)
        elif directive.block is not None:
            assert statement is not None
            self._open(place, name, statement, line, doubt)
        elif name in self._handlers:
            self._doubt = doubt
            self._handlers[name](place, line)
        else:
            section = self.section
            if doubt and _DECIDES.match(name):
                self._missing_lines(f"what {directive.name} says", doubt, directive, everywhere=False)
                return
            place.doubt = doubt
            section.add(place)

    def _ends_branch(self, text: str) -> bool:
        """Whether a line, as written, is the end tag of the innermost section, and that is a branch."""
        frame = self.frames[-1] if len(self.frames) > self.file.base else None
        return frame is not None and frame.is_branch and text.endswith(">") and fold(text[2:-1]) == fold(frame.name)

    _doubt = ""
    """Why the words of the line that is executed now may be others, or empty."""

    def _replaced(self, line: LogicalLine) -> tuple[LogicalLine, str]:
        replacement = self.variables.replace(line)
        for name, start, end in replacement.undefined:
            span = line.span(start, end)
            if not self._is_new("undefined-variable", span):
                continue
            self.reading.problems.append(
                Problem(
                    "undefined-variable",
                    f"Config variable ${{{name}}} is not defined",
                    span,
                    severity="warning",
                    label="read as it stands here (AH00111)",
                    help="define it before this line, or correct its name",
                )
            )
        return replacement.line, replacement.doubt

    def _directive(self, line: LogicalLine) -> tuple[Directive | None, Statement | None]:
        """Return what stands on a line: the same object whenever the same line gives the same words."""
        top = self.inputs[-1]
        if top.is_file and line is top.lines[top.at - 1]:
            directive = top.directives.get(line.start)
            if directive is not None and directive.block is None and not directive.name.startswith("</"):
                return directive, None
            statement = statement_of(line)
            if directive is None and statement is not None and not statement.is_end_tag:
                directive = self._remembered(line, statement)
            elif statement is None:
                directive = None
            return directive or (statement.directive() if statement else None), statement
        statement = statement_of(line)
        if statement is None:
            return None, None
        if statement.is_end_tag:
            return statement.directive(), statement
        return self._remembered(line, statement), statement

    def _remembered(self, line: LogicalLine, statement: Statement) -> Directive:
        key = (id(line.source), line.start, line.text)
        known = self._changed.get(key)
        if known is None:
            known = self._changed[key] = self._with_block(statement.directive())
        return known

    def _with_block(self, directive: Directive) -> Directive:
        """A section whose tag was changed by replacement has the block of what is written."""
        if directive.block is None:
            return directive
        for each in self.inputs:
            written = each.directives.get(directive.start) if each.source is directive.source else None
            if written is not None and written.block is not None:
                return Directive(
                    directive.name,
                    directive.arguments,
                    written.block,
                    directive.source,
                    directive.start,
                    written.end,
                    written.block_start,
                    written.block_end,
                    written.raw_block,
                )
        return directive

    # -- sections --------------------------------------------------------------------------------------------------

    def _open(self, place: Place, name: str, statement: Statement, line: LogicalLine, doubt: str) -> None:
        if name == "macro":
            self._define_macro(place, statement, line, doubt)
        elif is_code_section(name):
            self._skip_code(place, name, statement)
        elif name in READ_TIME_SECTIONS:
            self._branch(place, name, statement, line, doubt)
        else:
            if not statement.is_closed:
                message = f"<{statement.name}> directive missing closing '>'"
                self._error(message, statement.tag, hint='put ">" at the end of this line')
            place.doubt = doubt
            section = Section(name, self.section, place)
            if doubt and name == VIRTUAL_HOST:
                self._missing_lines(
                    f"which connections <{statement.name}> takes", doubt, place.directive, everywhere=False
                )
            self.section.children.append(section)
            self._push_frame(_Frame(statement.name, statement.tag, section, False))

    def _push_frame(self, frame: _Frame) -> None:
        if len(self.frames) < MAX_OPEN:
            self.frames.append(frame)
            return
        self._error("too deeply nested", frame.tag, hint=f"more than {MAX_OPEN} sections are open here")
        self._skip_lines(frame.name)

    def _close(self, statement: Statement) -> None:
        frames, base = self.frames, self.file.base
        word = statement.word.value
        frame = frames[-1] if len(frames) > base else None
        span = statement.name.span
        if frame is None:
            self._error(f"{word} without matching <{word[2:]} section", span, hint=NOTHING_OPEN)
            return
        if not frame.is_branch:
            if word.endswith(">") and statement.end_name == fold(frame.name):
                frames.pop()
                return
            if not word.endswith(">"):
                self._error(f"{word}> directive missing closing '>'", span, frame.tag)
            else:
                self._error(f"Expected </{frame.name}> but saw {word[:-1]}>", span, frame.tag, NO_END_TAG)
        else:
            closes = statement.end_name == fold(frame.name)
            hint = "only the end tag may stand on this line" if closes else None
            self._error(f"{word} without matching <{word[2:]} section", span, frame.tag, hint)
        for depth in range(len(frames) - 1, base - 1, -1):
            if fold(frames[depth].name) == statement.end_name:
                del frames[depth:]
                break

    def _branch(self, place: Place, name: str, statement: Statement, line: LogicalLine, doubt: str) -> None:
        outcome: Outcome
        if name in _NEWER_CONDITIONS and max(self.conditions.versions) < _NEWER_CONDITIONS_SINCE:
            message = f"Invalid command '<{statement.name}', perhaps misspelled or defined by a module not included in"
            hint = f"httpd has it since {_NEWER_CONDITIONS_SINCE}"
            self._error(f"{message} the server configuration", statement.tag, hint=hint)
        try:
            outcome = self.conditions.holds(name, line, statement.word.end, self.base)
        except ConditionError as error:
            self._error(str(error), statement.tag)
            outcome = Unknown("httpd does not understand its condition")
        if doubt and isinstance(outcome, bool):
            outcome = Unknown(doubt)
        reason = outcome.reason if isinstance(outcome, Unknown) else ""
        taken = None if reason else bool(outcome)
        if outcome is True:
            self.reading.branches.append(Branch(place, taken, reason))
            self._push_frame(_Frame(statement.name, statement.tag, self.section, True))
            return
        skipped = self._skip(statement)
        self.reading.branches.append(Branch(place, taken, reason, tuple(_lines_about_tls(skipped))))
        if reason:
            self._leave_open(f"what <{' '.join([statement.name, *statement.arguments])}> holds", reason, place, skipped)

    def _skip(self, statement: Statement) -> list[LogicalLine]:
        """Pass over a section's lines as `ap_soak_end_container` does, and return them."""
        open_names = [(READ_TIME_SECTIONS.get(fold(statement.name), statement.skipped_name), statement.tag)]
        skipped: list[LogicalLine] = []
        while open_names:
            line = self._next_line()
            if line is None:
                end = Span(self.file.source, len(self.file.source.parsed_text), len(self.file.source.parsed_text))
                name, tag = open_names[-1]
                self._error(f"Expected </{name}> before end of configuration", end, tag, NO_END_TAG)
                break
            skipped.append(line)
            if not line.text.startswith(_TAG_STARTS):
                continue
            inner = statement_of(line)
            if inner is None or not inner.word.value.startswith("<"):
                continue
            if inner.is_start_tag:
                open_names.append((inner.skipped_name, inner.tag))
                continue
            name, tag = open_names[-1]
            if inner.end_name == fold(name):
                open_names.pop()
                continue
            message = f"Expected </{name}> but saw {inner.word.value[:-1]}>"
            self._error(message, inner.name.span, tag, NO_END_TAG)
            for depth in range(len(open_names) - 1, -1, -1):
                if fold(open_names[depth][0]) == inner.end_name:
                    del open_names[depth:]
                    break
        return skipped

    def _next_line(self) -> LogicalLine | None:
        """Take the next line of the file or of the macros above it; None at the end of the file."""
        while True:
            top = self.inputs[-1]
            if top.at < len(top.lines):
                line = top.lines[top.at]
                top.at += 1
                self.executed_lines += 1
                return line
            if top.is_file:
                return None
            self.inputs.pop()

    def _skip_lines(self, name: str) -> None:
        end = f"</{fold(name)}>"
        while (line := self._next_line()) is not None:
            if fold(line.text[: len(end)]) == end:
                return

    def _skip_code(self, place: Place, name: str, statement: Statement) -> None:
        self._leave_open(f"what <{statement.name}> makes of the configuration", "it is a program", place, None)
        self._skip_lines(name)

    def _leave_open(self, what: str, reason: str, place: Place, skipped: list[LogicalLine] | None) -> None:
        """Note that directives are missing here because nobody can tell whether httpd has them."""
        matters = skipped is None
        for line in skipped or ():
            words = [word.value for word in split_words(line.text)][:3]
            if not words or line.text.startswith("#"):
                continue
            name = fold(words[0])
            matters = matters or _MATTERS.match(name) is not None
            if len(words) < 2:
                continue
            if name == "loadmodule":
                self.modules.doubt(words[1], reason)
            elif name in ("define", "undefine"):
                self.variables.doubt(words[1], reason)
            elif name == "<macro":
                self.macros.define(Macro(words[1].rstrip(">"), (), [], place.directive, reason))
        if matters:
            self.section.incomplete = self.section.incomplete or f"{what} is not known: {reason}"
            self.reading.unknown.append((what, reason, place.span))

    # -- directives that act at once -------------------------------------------------------------------------------

    def _executed(self, place: Place, line: LogicalLine) -> None:
        self.reading.executed.append(place)

    def _wrong_arguments(self, place: Place, least: int, most: int, usage: str) -> bool:
        """Report a wrong number of arguments; httpd takes an empty word for none where it is needed."""
        words = place.directive.arguments
        if least <= len(words) <= most and all(words[:least]):
            return False
        counts = {(1, 1): "one argument", (1, 2): "1-2 arguments", (2, 2): "two arguments"}
        message = f"{place.directive.name} takes {counts[least, most]}, {usage}"
        self._error(message, place.span if words else place.directive.name.span)
        return True

    def _define(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(
            place, 1, 2, "Define a variable, optionally to a value.  Same as passing -D to the command line."
        ):
            return
        name, *value = map(str, place.directive.arguments)
        if ":" in name:
            self._error("Variable name must not contain ':'", place.argument(0).span)
            return
        self.reading.executed.append(place)
        self.variables.define(name, value[0] if value else "", self._doubt)

    def _undefine(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(place, 1, 1, "Undefine the existence of a variable. Undo a Define."):
            return
        name = str(place.argument(0))
        if ":" in name:
            self._error("Variable name must not contain ':'", place.argument(0).span)
            return
        self.reading.executed.append(place)
        self.variables.undefine(name)

    def _server_root(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(place, 1, 1, "Common directory of server-related files (logs, confs, etc.)"):
            return
        self.reading.executed.append(place)
        if self._doubt:
            self.main.incomplete = self.main.incomplete or self._doubt
            return
        self.base = self.files.resolve(str(place.argument(0)), "/")

    def _load_module(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(place, 2, 2, "a module name and the name of a shared object file to load it from"):
            return
        self.reading.executed.append(place)
        identifier, file = map(str, place.directive.arguments)
        if self._doubt and "${" in identifier:
            self.modules.elsewhere = self.modules.elsewhere or self._doubt
        else:
            self.modules.load(identifier, file)

    # -- includes --------------------------------------------------------------------------------------------------

    def _include(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(place, 1, 1, _INCLUDE_USAGE[fold(place.directive.name)]):
            return
        self.reading.executed.append(place)
        directive = place.directive
        name = str(directive.arguments[0])
        optional = fold(directive.name) == "includeoptional"
        if self._doubt:
            self._missing_lines(f"what {directive.name} {name} brings", self._doubt, directive)
            return
        file = self.file
        if file.depth >= MAX_INCLUDE_DEPTH:
            self._cycle(place)
            return
        path = self.files.resolve(name, self.base)
        steps: list[Step] = []
        failed = False
        for step in included(self.files, path):
            if len(steps) + self.included_files > MAX_FILES:
                message = f"more than {MAX_FILES} files are included"
                self._error(message, place.span, kind="include-cycle")
                self._missing_lines(f"what {directive.name} {name} brings", message, directive)
                break
            if step.failure is None:
                steps.append(step)
                continue
            failed = True
            self._failed(place, path, step.failure, optional)
        if not steps and not failed and not optional and is_mask(path):
            self._no_match(place, path)
        self.reading.problems.extend(backups(place.argument(0), (step.path for step in steps if step.path != path)))
        self.included_files += len(steps)
        chain = (*place.includes, directive)
        for step in reversed(steps):
            self._push_file(step, chain, file.depth + 1)

    def _failed(self, place: Place, path: str, failure: Unreadable, optional: bool) -> None:
        """An include, or one of the files that it means, cannot be read."""
        argument = place.argument(0)
        is_certain = failure.kind in ("missing", "not-a-file") and not self.files.is_assumed(failure.path)
        is_certain = is_certain and not self._is_guessed(argument)
        in_folder = is_mask(path) and failure.path != path and not self._is_listed(failure.path)
        if failure.kind == "missing" and in_folder and "${" not in path and not self.files.whole_machine:
            is_certain = False  # a checkout has no empty directories
        if is_certain and optional and failure.kind == "missing":
            if not is_mask(path):
                self.reading.absent.append((place, path))
            return
        if is_certain:
            message = f'"{argument}" {failure.reason}'
            if failure.path != path:
                message = f'"{argument}": {self.files.display_path(failure.path)} {failure.reason}'
            self._error(message, argument.span, kind="include-not-found", label=failure.kind)
        self._missing_lines(f'what {place.directive.name} "{argument}" brings', failure.reason, place.directive)

    def _is_guessed(self, name: str) -> bool:
        """Whether a name is relative to a directory that only the main file could tell."""
        return bool(self.reading.fragment) and not name.startswith("/")

    def _is_listed(self, path: str) -> bool:
        """Whether a path is a name in a directory that was listed: a link that leads nowhere, say."""
        names = self.files.names(posixpath.dirname(path))
        return not isinstance(names, Unreadable) and posixpath.basename(path) in names

    def _no_match(self, place: Place, path: str) -> None:
        argument = place.argument(0)
        if self.files.is_assumed(path) or self._is_guessed(argument):
            self._missing_lines(f'what Include "{argument}" brings', "nothing here matches it", place.directive)
            return
        self._error(
            f'nothing matches "{argument}"', argument.span, kind="include-not-found", label="httpd does not start"
        )
        self._missing_lines(f'what Include "{argument}" brings', "nothing matches it", place.directive)

    def _unread(self, file: _Input, failure: Unreadable) -> None:
        what = f"what {self.files.display_path(failure.path)} sets"
        if file.includes:
            self._missing_lines(what, failure.reason, file.includes[-1])
            return
        self.main.incomplete = f"{what} is not known: {failure.reason}"
        self.reading.unknown.append((what, failure.reason, None))

    def _missing_lines(self, what: str, reason: str, directive: Directive, *, everywhere: bool = True) -> None:
        """Note that lines are missing in the section that is open; `everywhere`: lines of any kind."""
        self.section.incomplete = self.section.incomplete or f"{what} is not known: {reason}"
        span = directive.arguments[0].span if directive.arguments else directive.span
        self.reading.unknown.append((what, reason, span))
        if everywhere and self.section is self.main:
            elsewhere = f"{what} is not known: {reason}"
            self.modules.elsewhere = self.modules.elsewhere or elsewhere
            self.variables.elsewhere = self.variables.elsewhere or elsewhere
            self.macros.elsewhere = self.macros.elsewhere or elsewhere

    def _cycle(self, place: Place) -> None:
        """Includes are nested too deeply: go back to where the circle began."""
        message = f"Exceeded maximum include depth of {MAX_INCLUDE_DEPTH}, There appears to be a recursion."
        self._error(
            message,
            place.argument(0).span,
            kind="include-cycle",
            related=tuple((step.span, "included from here") for step in place.includes[-4:]),
        )
        self._missing_lines(f"what {place.directive.name} {place.argument(0)} brings", message, place.directive)
        files = [each for each in self.inputs if each.is_file]
        sources = [file.source for file in files]
        for file, following in pairwise(files):
            if sources.count(file.source) > 1:
                del self.frames[following.base :]
                del self.inputs[self.inputs.index(following) :]
                self.section.incomplete = self.section.incomplete or message
                return

    # -- macros ----------------------------------------------------------------------------------------------------

    def _define_macro(self, place: Place, statement: Statement, line: LogicalLine, doubt: str) -> None:
        name, parameters = "", [str(word) for word in statement.arguments]
        if parameters:
            name = parameters.pop(0)
        if not statement.is_closed:
            self._error("<Macro> directive missing closing '>'", statement.tag)
        elif not name:
            self._error("<Macro macro definition: empty name", statement.tag)
        elif message := wrong_parameters(name, parameters, _where(place.directive)):
            self._error(message, statement.tag)
        lines: list[LogicalLine] = []
        depth = 1
        while depth:
            inner = self._next_line()
            if inner is None:
                end = Span(self.file.source, len(self.file.source.parsed_text), len(self.file.source.parsed_text))
                message = "expected token not found: </Macro>"
                self._error(message, end, statement.tag, "this macro is never closed")
                break
            if inner.text.startswith("#"):
                continue
            if inner.text.startswith(_TAG_STARTS):
                first = next(split_words(inner.text)).value.lower()
                depth += (first == "<macro") - (first == "</macro>")
            if depth:
                lines.append(inner)
        self.reading.executed.append(place)
        if name and not wrong_parameters(name, parameters, ""):
            self.macros.define(Macro(name, parameters, lines, place.directive, doubt))

    def _undefine_macro(self, place: Place, line: LogicalLine) -> None:
        if self._wrong_arguments(place, 1, 1, "Remove a macro definition."):
            return
        self.reading.executed.append(place)
        name = str(place.argument(0))
        if not self.macros.remove(name) and not self.macros.elsewhere:
            defined = self.macros.any_yet
            message = (
                f"cannot remove undefined macro '{fold(name)}'" if defined else "no macro defined before UndefMacro"
            )
            self._error(message, place.span)

    def _use(self, place: Place, line: LogicalLine) -> None:
        words = [str(word) for word in place.directive.arguments]
        self.reading.executed.append(place)
        if not words or not words[0]:
            known = self.macros.any_yet or self.macros.elsewhere
            self._error("no macro name specified in Use" if known else "no macro defined before Use", place.span)
            return
        name, *values = words
        macro = self.macros.find(name)
        what = f"what Use {name} brings"
        if self._doubt or (macro is None and self.macros.elsewhere) or (macro is not None and macro.doubt):
            reason = self._doubt or (macro.doubt if macro is not None else self.macros.elsewhere)
            self._missing_lines(what, reason, place.directive)
            return
        top = self.inputs[-1]
        message = ""
        if macro is None:
            message = f"macro '{fold(name)}' undefined" if self.macros.any_yet else "no macro defined before Use"
        elif len(values) != len(macro.parameters):
            message = (
                f"macro '{fold(name)}' ({_where(macro.directive)}) used with {len(values)} arguments instead of "
                f"{len(macro.parameters)}"
            )
        elif fold(name) in top.macros:
            message = f"recursive use of macro '{fold(name)}' is invalid"
        if macro is None or message:
            related = ((macro.directive.name.span, "defined here"),) if macro is not None else ()
            self._error(message, place.span, related=related)
            self._missing_lines(what, message, place.directive)
            return
        lines = list(macro.used_with(values))
        if lines and lines[-1].text.endswith("\\") and (following := self._next_line()) is not None:
            # httpd looks for the end of a continued line behind the `Use`
            lines[-1] = followed_by(lines[-1], following)
        self.inputs.append(
            _Input(
                macro.directive.source,
                lines,
                (*top.includes, place.directive),
                top.depth,
                top.base,
                macros=(*top.macros, fold(name)),
                is_file=False,
                is_loaded=True,
                directives=self._index_of(macro.directive.source),
            )
        )

    def _index_of(self, source: Source) -> dict[int, Directive]:
        return next((each.directives for each in self.inputs if each.source is source and each.is_file), {})

    # -- what is said ----------------------------------------------------------------------------------------------

    def _is_new(self, kind: str, span: Span) -> bool:
        key = (kind, span.source, span.start)
        if key in self._reported:
            return False
        self._reported.add(key)
        return True

    def _error(
        self,
        message: str,
        span: Span,
        origin: Span | None = None,
        hint: str | None = None,
        *,
        kind: str = "syntax-error",
        label: str = "",
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        """Report, once for each place, what makes httpd stop; `origin` is where the trouble began."""
        source = span.source
        if not self._is_new(kind, span if origin is None else origin) or self._errors.get(source, 0) == MAX_ERRORS:
            return
        if kind == "syntax-error":
            self._errors[source] = self._errors.get(source, 0) + 1
            top = self.inputs[-1] if self.inputs else None
            related = (*related, *((step.span, "used here") for step in _uses(top.includes if top else ())))
        if origin is not None:
            related = ((span, "httpd stops here"), *related)
            label = label or "it began here"
        self.reading.problems.append(
            Problem(kind, message, origin or span, label=label, help=hint or "", related=related)
        )
        if kind == "syntax-error":
            reason = f'"{span.source.path}" has a syntax error'
            self.section.incomplete = self.section.incomplete or reason
            what = f"what {span.source.path} sets"
            if not any(entry[0] == what for entry in self.reading.unknown):
                self.reading.unknown.append((what, "it has a syntax error", origin or span))

    def _syntax_problem(self, problem: SyntaxProblem) -> None:
        self._error(problem.message, problem.span, problem.origin, problem.hint)

    def _note_assumptions(self) -> None:
        self.reading.assumed_modules = frozenset(name.removesuffix("_module") for name in self.modules.assumed)


_INCLUDE_USAGE: Final = {
    "include": "Name(s) of the config file(s) to be included; fails if the wildcard does not match at least one file",
    "includeoptional": "Name or pattern of the config file(s) to be included; ignored if the file does not exist or "
    "the pattern does not match any files",
}
_NEWER_CONDITIONS: Final = ("iffile", "ifdirective", "ifsection")
_NEWER_CONDITIONS_SINCE: Final = Version("2.4.34")
_NOWHERE: Final = Source("", "")
_TAG_STARTS: Final = ("<", '"', "'")


def _lines_about_tls(lines: Iterable[LogicalLine]) -> Iterator[Span]:
    for line in lines:
        if not line.text.startswith("#") and about_tls([word.value for word in split_words(line.text)]):
            yield line.span(0, len(line.text))


def _uses(includes: Sequence[Directive]) -> Iterator[Directive]:
    return (step for step in includes if fold(step.name) == "use")


def _where(directive: Directive) -> str:
    return f'defined on line {directive.line} of "{directive.source.path}"'


def _family_by_layout(entry: str) -> str | None:
    """Return the family of builds that has its main file there, where the target does not tell."""
    if posixpath.basename(entry) == "apache2.conf" or entry.startswith("/etc/apache2/"):
        return "debian"
    return "rhel" if entry.startswith("/etc/httpd/") else None


__all__ = ["MAX_INCLUDE_DEPTH", "MAX_LINES", "NOT_READ", "Branch", "Reading", "read"]
