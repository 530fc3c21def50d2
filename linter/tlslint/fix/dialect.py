"""What both dialects share: each intention finds its place in the text; how it is spelt is the dialect's own."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

from tlslint.fix.bundle import bundle_edits
from tlslint.fix.managed import manager_of, manager_of_line
from tlslint.fix.text import (
    CannotSpell,
    after,
    argument_removed,
    arguments_replaced,
    gaps,
    removed,
    set_replaced,
    word_replaced,
)
from tlslint.intention import (
    AddArgument,
    AddDirective,
    AddRejectingHost,
    Edit,
    Intention,
    RemoveArgument,
    RemoveDirective,
    RenameDirective,
    ReplaceArguments,
    ReplacePart,
    RewriteBundle,
    SetUpstream,
    SetValue,
)
from tlslint.parse.tree import Argument, Directive, Source, Tree
from tlslint.resolve.model import Deployment, Place, Setting, Upstream, VirtualHost

PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


class Dialect(ABC):
    """One server's way to write settings; `edits` is what the rest of the world calls."""

    SETS: Collection[str] = ()
    """Directives whose arguments are a set: their order means nothing."""
    QUALIFIED: Collection[str] = ()
    """Directives whose value is the last of their words; one before it says what it is for."""
    CONF_COMMAND = ""
    """The directive that hands a command to OpenSSL."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._trees: dict[int, Tree] = {}

    def edits(self, intention: Intention) -> list[Edit]:
        """Return the edits that make an intention true; raises `CannotSpell`."""
        match intention:
            case SetValue():
                found = self._set_value(intention)
            case SetUpstream():
                found = self._set_upstream(intention)
            case AddDirective():
                found = self._add(intention)
            case RemoveDirective():
                found = [self.removed(intention.place)]
            case RenameDirective():
                name = self._directive(intention.place).name
                found = [Edit(name.source, name.start, name.end, intention.name)]
            case ReplaceArguments():
                found = self._replace(intention.place, intention.arguments)
            case AddArgument():
                directive = self._directive(intention.place)
                words = [str(word) for word in directive.arguments]
                found = arguments_replaced(directive, [*words, intention.word], self.quoted)
            case RemoveArgument():
                found = [self._argument_removed(intention.place, intention.argument)]
            case ReplacePart():
                found = [self._part(intention)]
            case AddRejectingHost():
                found = self._rejecting_host(intention)
            case RewriteBundle():
                found = bundle_edits(intention, self.deployment)
        for edit in found:
            self._allow(edit)
        return list(dict.fromkeys(found))

    # -- what a dialect knows --------------------------------------------------------------------------------------

    @abstractmethod
    def spelt(self, field: str, value: Any) -> tuple[str, tuple[str, ...]]:
        """Return the directive and its arguments that give a setting a value; raises `CannotSpell`."""

    @abstractmethod
    def quoted(self, value: str, quote: str) -> str:
        """Return a word as it is written: in the quotes that were there, or in some where it needs them."""

    @abstractmethod
    def unquoted(self, argument: Argument) -> str:
        """Return what the server reads where this word stands, if nothing is replaced in it."""

    @abstractmethod
    def parse(self, source: Source) -> Tree:
        """Return the tree of a file."""

    @abstractmethod
    def check_known(self, name: str, module: str) -> None:
        """Raise `CannotSpell` where a version that the target may be does not take a directive."""

    @abstractmethod
    def line(self, name: str, arguments: Sequence[str], siblings: Sequence[Directive]) -> str:
        """Return a whole directive."""

    @abstractmethod
    def added(self, host: VirtualHost, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that gives a host a further directive, where a person would look for it."""

    @abstractmethod
    def homes(self, hosts: Sequence[VirtualHost], field: str, name: str) -> Iterator[Any]:
        """Yield the places, as few as possible, where a directive serves all these hosts."""

    @abstractmethod
    def added_at(self, home: Any, name: str, arguments: Sequence[str]) -> Edit:
        """Return the edit that writes a directive at one of those places."""

    @abstractmethod
    def _rejecting_host(self, intention: AddRejectingHost) -> list[Edit]: ...

    @abstractmethod
    def upstream_arguments(self, field: str, value: Any) -> tuple[str, ...]:
        """Return the arguments that give a setting of connections to upstreams a value."""

    @abstractmethod
    def added_upstream(self, upstream: Upstream, field: str, name: str, arguments: tuple[str, ...]) -> list[Edit]:
        """Return the edits that write a directive where it is in force for an upstream."""

    def _set_upstream(self, intention: SetUpstream) -> list[Edit]:
        upstream, field = intention.upstream, intention.field
        name = upstream.spellings.get(field)
        if name is None:
            owner = "Apache" if self.deployment.server == "apache" else upstream.protocol
            raise CannotSpell(f"{owner} has no directive for it")
        arguments = self.upstream_arguments(field, intention.value)
        setting = getattr(upstream, field)
        if setting.is_unknown:
            raise CannotSpell("its value is not known")
        if setting.places:
            return self.remade(setting, name, arguments)
        return self.added_upstream(upstream, field, name, arguments)

    # -- settings ----------------------------------------------------------------------------------------------------

    def _set_value(self, intention: SetValue) -> list[Edit]:
        name, arguments = self.spelt(intention.field, intention.value)
        if intention.setting.is_unknown:
            raise CannotSpell("its value is not known")
        if intention.setting.places:
            return self.remade(intention.setting, name, arguments)
        if not intention.hosts:
            raise CannotSpell("no host is known that needs it")
        for module in dict.fromkeys(host.module for host in intention.hosts):
            self.check_known(name, module)
        homes = self.homes(intention.hosts, intention.field, name)
        return [self.added_at(home, name, arguments) for home in homes]

    def remade(self, setting: Setting[Any], name: str, arguments: tuple[str, ...]) -> list[Edit]:
        """Return the edits of the lines that make a setting: the last one says it all, the others go."""
        *others, last = setting.places
        if last.directive.name.lower() == self.CONF_COMMAND.lower():
            # the command keeps its name, which may be the older one that its library knows
            command = str(last.directive.arguments[0])
            is_pair = name.lower() == self.CONF_COMMAND.lower() or name in self.QUALIFIED
            value = arguments[-1] if is_pair else ":".join(arguments)
            if command.lower() in ("options", "protocol"):
                raise CannotSpell("a word of an OpenSSL command decides it, which may decide other things too")
            if command.lower() == "ecdhparameters" and ":" in value:
                raise CannotSpell("ECDHParameters takes one group")
            return self._replace(last, (command, value))
        found = self._replace(last, arguments)
        for place in others:
            if place.directive is not last.directive and place.directive.name.lower() == name.lower():
                found.append(self.removed(place))
        return found

    def _replace(self, place: Place, arguments: tuple[str, ...]) -> list[Edit]:
        directive = self._directive(place)
        replaced = set_replaced if directive.name.lower() in self.SETS else arguments_replaced
        return replaced(directive, arguments, self.quoted)

    def _add(self, intention: AddDirective) -> list[Edit]:
        beside = intention.beside
        if beside is not None:
            directive = self._directive(beside)
            line = self.line(intention.name, intention.arguments, [directive])
            return [after(directive, line, shared_lines=self.deployment.server == "nginx")]
        if intention.host is None:
            raise CannotSpell("no host is known that needs it")
        self.check_known(intention.name, intention.host.module)
        return [self.added(intention.host, intention.name, intention.arguments)]

    def removed(self, place: Place) -> Edit:
        """Return the edit that takes a directive away."""
        directive = self._directive(place)
        return removed(directive, gaps(directive))

    def _argument_removed(self, place: Place, argument: Argument) -> Edit:
        directive = self._directive(place)
        if len(directive.arguments) == 1:
            return self.removed(place)
        index = next((at for at, word in enumerate(directive.arguments) if word.start == argument.start), None)
        if index is None:
            raise CannotSpell("it is not written there")
        return argument_removed(directive, index)

    def _part(self, intention: ReplacePart) -> Edit:
        directive, span = self._directive(intention.place), intention.span
        argument = next((word for word in directive.arguments if word.start <= span.start < span.end <= word.end), None)
        if argument is None:
            raise CannotSpell("it is not written there")
        if span == argument.span:
            return word_replaced(argument, intention.text, self.quoted)
        if self.quoted(intention.text, argument.quote).strip("\"'") != intention.text:
            raise CannotSpell("it needs other quotes")
        text, start, end = span.source.text, span.start, span.end
        if not intention.text and intention.separator:
            first, last = argument.start + len(argument.quote), argument.end - len(argument.quote)
            if end < last and text[end] in intention.separator:
                end += 1
            elif start > first and text[start - 1] in intention.separator:
                start -= 1
        return Edit(span.source, start, end, intention.text)

    # -- what may be edited ------------------------------------------------------------------------------------------

    def _directive(self, place: Place) -> Directive:
        """Return a directive whose words stand in the file as the server reads them; raises `CannotSpell`."""
        directive = place.directive
        if any(step.name.lower() == "use" for step in place.includes):
            raise CannotSpell("it stands in a macro")
        for word in (directive.name, *directive.arguments):
            if self.unquoted(word) != str(word):
                raise CannotSpell("a variable makes a part of it")
        return directive

    def _allow(self, edit: Edit) -> None:
        source = edit.source
        manager = manager_of(source)
        if manager:
            raise CannotSpell(f"{source.path} is managed by {manager}")
        line = source.text[edit.start :].partition("\n")[0] if edit.end > edit.start else ""
        manager = manager_of_line(line)
        if manager and not edit.backup:
            raise CannotSpell(f"the line is managed by {manager}")
        if source.masked is not None and source.masked[edit.start : edit.end] != source.text[edit.start : edit.end]:
            raise CannotSpell("a template fills it in")

    def tree(self, source: Source) -> Tree:
        """Return the tree of a file, parsed once."""
        found = self._trees.get(id(source))
        if found is None:
            found = self._trees[id(source)] = self.parse(source)
        return found

    @cached_property
    def versions(self) -> tuple[Any, ...]:
        """The server's versions that the target may be."""
        given = self.deployment.given or self.deployment.target
        return given.server_versions


def siblings_of(children: Sequence[Directive], prefix: str) -> list[Directive]:
    """Return the simple directives of a block whose names begin so."""
    return [child for child in children if child.block is None and child.name.lower().startswith(prefix)]


def as_versions(value: Any) -> tuple[str, ...]:
    """Return protocol versions, oldest first."""
    named = set(value)
    return tuple(name for name in PROTOCOLS if name in named)


def as_list(value: Any) -> str:
    """Return a list of suites or groups as OpenSSL's own text."""
    return value if isinstance(value, str) else ":".join(value)


def as_word(value: Any) -> str:
    """Return a switch, a number or a list as one word."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int) else as_list(value)
