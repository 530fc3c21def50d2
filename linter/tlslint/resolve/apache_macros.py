"""mod_macro: the bodies that `<Macro>` stores, and the lines that a `Use` makes of them."""

import re
from collections.abc import Iterator, Sequence

from tlslint.parse.apache import LogicalLine, fold, rejoined
from tlslint.parse.tree import Directive
from tlslint.resolve.apache_variables import MAX_REPLACED


class Macro:
    """A macro as it was defined; `lines` are those of its body, with variables and parameters as written."""

    __slots__ = ("directive", "doubt", "lines", "name", "parameters")

    def __init__(
        self, name: str, parameters: Sequence[str], lines: list[LogicalLine], directive: Directive, doubt: str
    ) -> None:
        self.name = name
        self.parameters = tuple(parameters)
        self.lines = lines
        self.directive = directive
        self.doubt = doubt
        """Why its name or its body may be another one, or empty."""

    def used_with(self, values: Sequence[str]) -> Iterator[LogicalLine]:
        """Yield the lines of a `Use`, parameters replaced: at each place the longest that fits, and only once."""
        if not self.parameters:
            return rejoined(self.lines)
        replacements = dict(zip(self.parameters, values, strict=True))
        longest_first = sorted(replacements, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        return rejoined(_substituted(line, pattern, replacements) for line in self.lines)


def _substituted(line: LogicalLine, pattern: re.Pattern[str], replacements: dict[str, str]) -> LogicalLine:
    found = [(match.start(), match.end(), replacements[match[0]]) for match in pattern.finditer(line.text)]
    if sum(len(value) for _, _, value in found) > MAX_REPLACED:
        return line  # values in values, many times over: httpd would need more memory than there is
    return line.replaced(found) if found else line


def wrong_parameters(name: str, parameters: Sequence[str], where: str) -> str:
    """Return what mod_macro says of a macro's parameters, or nothing where they will do."""
    macro = f"macro '{fold(name)}' ({where})"
    for index, parameter in enumerate(parameters):
        if not parameter:
            return f"{macro}: empty argument #{index + 1} name"
        if parameter in parameters[:index]:
            both = f"#{parameters.index(parameter) + 1} and #{index + 1}"
            return f"argument name conflict in {macro}: argument '{parameter}': {both}, change argument names!"
    return ""


class Macros:
    """The macros that are defined at one moment of reading."""

    def __init__(self, elsewhere: str) -> None:
        self.elsewhere = elsewhere
        """Why there may be macros that nobody saw, or empty."""
        self.any_yet = False
        """Whether any macro was ever defined."""
        self._macros: dict[str, Macro] = {}

    def define(self, macro: Macro) -> None:
        """Store a macro; the last one of a name counts."""
        self.any_yet = True
        self._macros[fold(macro.name)] = macro

    def remove(self, name: str) -> bool:
        """Forget a macro; False where there is none."""
        return self._macros.pop(fold(name), None) is not None

    def find(self, name: str) -> Macro | None:
        """Return the macro of a name, in whatever case."""
        return self._macros.get(fold(name))

    def __iter__(self) -> Iterator[Macro]:
        return iter(self._macros.values())


__all__ = ["Macro", "Macros", "wrong_parameters"]
