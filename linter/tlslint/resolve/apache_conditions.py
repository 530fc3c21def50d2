"""What httpd decides while it reads: the conditions of `<IfModule>`, `<IfDefine>`, `<IfVersion>` and their kin.

Each gives True, False, `Unknown` with the reason, or raises `ConditionError` with httpd's own words for what is wrong.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from tlslint.parse.apache import READ_TIME_SECTIONS, LogicalLine, split_words
from tlslint.resolve.apache_modules import Modules
from tlslint.resolve.apache_variables import Variables
from tlslint.resolve.include import Files, Unreadable
from tlslint.resolve.model import Unknown
from tlslint.target import Target, Version

Outcome = bool | Unknown

VERSION_ERROR: Final = (
    "Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch are "
    "numbers."
)

_VERSION: Final = re.compile(r"([0-9]+)(?:\.([0-9]*))?(?:\.([0-9]*))?\.?", re.ASCII)
_OPERATOR: Final = re.compile(r"(?:[=<>]=?|~)")

_DIRECTIVE_MODULES: Final = (
    ("ssl", "ssl_module"),
    ("header", "headers_module"),
    ("requestheader", "headers_module"),
    ("rewrite", "rewrite_module"),
    ("h2", "http2_module"),
    ("mdomain", "md_module"),
    ("mdcert", "md_module"),
    ("mdprivate", "md_module"),
    ("proxypass", "proxy_module"),
    ("proxyrequests", "proxy_module"),
    ("redirect", "alias_module"),
    ("setenvif", "setenvif_module"),
    ("setenv", "env_module"),
    ("unsetenv", "env_module"),
    ("passenv", "env_module"),
)
"""Beginnings of directives' names, and the module that has them."""

_CORE_DIRECTIVES: Final = {
    "accesslog": None,
    "allowoverride": None,
    "define": None,
    "documentroot": None,
    "errordocument": None,
    "errorlog": None,
    "include": None,
    "includeoptional": None,
    "keepalive": None,
    "listen": None,
    "loadmodule": None,
    "options": None,
    "protocols": Version("2.4.17"),
    "serveralias": None,
    "servername": None,
    "serverroot": None,
    "stricthostcheck": Version("2.4.49"),
    "timeout": None,
    "traceenable": None,
    "undefine": None,
}
_CORE_SECTIONS: Final = {
    "directory": None,
    "directorymatch": None,
    "else": Version("2.4"),
    "elseif": Version("2.4"),
    "files": None,
    "filesmatch": None,
    "if": Version("2.4"),
    "ifdefine": None,
    "ifdirective": Version("2.4.34"),
    "iffile": Version("2.4.34"),
    "ifmodule": None,
    "ifsection": Version("2.4.34"),
    "limit": None,
    "limitexcept": None,
    "location": None,
    "locationmatch": None,
    "virtualhost": None,
}
_SECTION_MODULES: Final = {
    "ifversion": "version_module",
    "macro": "macro_module",
    "proxy": "proxy_module",
    "proxymatch": "proxy_module",
    "requireall": "authz_core_module",
    "requireany": "authz_core_module",
    "requirenone": "authz_core_module",
    "mdomain": "md_module",
    "mdomainset": "md_module",
}


class ConditionError(Exception):
    """A condition that httpd refuses; the message is httpd's."""


class Conditions:
    """Decides the read-time sections of one reading."""

    def __init__(self, target: Target, modules: Modules, variables: Variables, files: Files) -> None:
        self.versions = target.server_versions
        self.modules = modules
        self.variables = variables
        self.files = files
        self._kinds: dict[str, Callable[[str, str], Outcome]] = {
            "ifdefine": lambda word, _: self.variables.is_defined(word),
            "ifmodule": lambda word, _: self.modules.has(word),
            "iffile": self._file,
            "ifdirective": lambda word, _: self._command(word),
            "ifsection": lambda word, _: self._command(f"<{word}"),
        }

    def holds(self, kind: str, line: LogicalLine, name_end: int, base: str) -> Outcome:
        """Decide a section by its line, variables replaced; `name_end` is where the tag's first word ends."""
        if kind == "ifversion":
            return self._version([word.value for word in split_words(line.text, name_end)])
        written = READ_TIME_SECTIONS[kind]
        end = line.text.rfind(">")
        if end < name_end:
            # `<IfModule>`: its mark went with the name
            if line.text[:name_end].rstrip("\"'").endswith(">"):
                raise ConditionError(f"<{written}> directive requires additional arguments")
            raise ConditionError(f"<{written}> directive missing closing '>'")
        argument = line.text[name_end:end].lstrip(" \t\n\v\f\r")
        negated = argument.startswith("!")
        word = next(split_words(argument[negated:]), None)
        if word is None or not word.value:
            raise ConditionError(f"<{written}> directive requires additional arguments")
        outcome = self._kinds[kind](word.value, base)
        return (not outcome) if negated and isinstance(outcome, bool) else outcome

    def _file(self, name: str, base: str) -> Outcome:
        path = self.files.resolve(name, base)
        found = self.files.kind(path)
        if not isinstance(found, Unreadable):
            return True
        if found.kind == "missing" and not self.files.is_assumed(path):
            return False
        return Unknown(f'whether "{name}" is on the server cannot be seen')

    # -- commands --------------------------------------------------------------------------------------------------

    def _command(self, name: str) -> Outcome:
        folded = name.lower()
        if folded.startswith("<"):
            return self._section(folded[1:])
        if folded in _CORE_DIRECTIVES:
            return self._since(_CORE_DIRECTIVES[folded])
        if folded in ("use", "undefmacro"):
            return self.modules.has("macro_module")
        for beginning, module in _DIRECTIVE_MODULES:
            if folded.startswith(beginning):
                return self.modules.has(module)
        return Unknown(f"whether httpd has the directive {name} depends on its modules")

    def _section(self, folded: str) -> Outcome:
        if folded in _CORE_SECTIONS:
            return self._since(_CORE_SECTIONS[folded])
        module = _SECTION_MODULES.get(folded)
        if module is not None:
            return self.modules.has(module)
        if folded in _CORE_DIRECTIVES or not re.fullmatch(r"[a-z0-9]+", folded):
            return False
        return Unknown(f"whether httpd has the section <{folded}> depends on its modules")

    def _since(self, version: Version | None) -> Outcome:
        return True if version is None else self._on_all(lambda server: server >= version)

    # -- versions --------------------------------------------------------------------------------------------------

    def _version(self, words: Sequence[str]) -> Outcome:
        if not 1 <= len(words) <= 3:
            raise ConditionError(
                "<IfVersion takes one, two or three arguments, a comparison operator, a version (and a delimiter)"
            )
        operator, wanted = ("=", words[0]) if len(words) == 1 else (words[0], words[1])
        delimiter = words[2] if len(words) > 2 else None
        if delimiter is None and wanted == ">":
            operator, wanted, delimiter = "=", operator, ">"
        if not wanted or (delimiter != ">" and not wanted.endswith(">")):
            raise ConditionError("<IfVersion> directive missing closing '>'")
        if delimiter != ">":
            wanted = wanted[:-1]
        negated = len(operator) > 1 and operator.startswith("!")
        plain = operator[negated:]
        if not _OPERATOR.fullmatch(plain):
            raise ConditionError(f"unrecognized operator '{operator}'")
        outcome = self._compare(plain, wanted)
        return (not outcome) if negated and isinstance(outcome, bool) else outcome

    def _compare(self, operator: str, wanted: str) -> Outcome:
        if operator == "~" or (operator[0] == "=" and wanted.startswith("/")):
            if operator != "~":
                if len(wanted) < 2 or not wanted.endswith("/"):
                    raise ConditionError("Missing delimiting / of regular expression.")
                wanted = wanted[1:-1]
            return self._matches(wanted)
        match = _VERSION.fullmatch(wanted)
        if match is None:
            raise ConditionError(VERSION_ERROR)
        numbers = tuple(int(part or 0) for part in match.groups())
        return self._on_all(lambda server: _satisfies(_numbers(server), operator, numbers))

    def _matches(self, pattern: str) -> Outcome:
        # rarely written
        from tlslint.resolve.nginx_regex import Regex, RegexError, Unpredictable

        try:
            regex = Regex(pattern)
            return self._on_all(lambda server: regex.matches(".".join(map(str, _numbers(server)))))
        except RegexError as error:
            raise ConditionError("Unable to compile regular expression") from error
        except Unpredictable as error:
            return Unknown(f"its pattern cannot be foretold: {error}")

    def _on_all(self, test: Callable[[Version], bool]) -> Outcome:
        """Tell what holds on each version that httpd may have; `Unknown` where that differs."""
        outcomes = {test(version) for version in self.versions}
        if len(outcomes) == 1:
            return outcomes.pop()
        return Unknown("it depends on the version of httpd (--target says for which)")


def _numbers(version: Version) -> tuple[int, int, int]:
    major, minor, patch = (*version.numbers, 0, 0, 0)[:3]
    return major, minor, patch


def _satisfies(server: tuple[int, ...], operator: str, wanted: tuple[int, ...]) -> bool:
    if operator[0] == "=":
        return server == wanted
    return (server < wanted if operator[0] == "<" else server > wanted) or (len(operator) > 1 and server == wanted)


__all__ = ["ConditionError", "Conditions", "Outcome"]
