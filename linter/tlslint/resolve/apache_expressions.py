"""Apache's conditions on requests, as far as they tell TLS from plain HTTP: `<If>`, `expr=`, `env=`, `RewriteCond`.

Everything else that a condition goes by differs from request to request, and makes its outcome unknown.
"""

import re
from typing import Final

from tlslint.resolve.paths import both, either, negated

_VALUES: Final = {
    "HTTPS": ("on", "off"),
    "REQUEST_SCHEME": ("https", "http"),
    "SERVER_PORT": ("443", "80"),
    "SSL_PROTOCOL": ("TLSv1.3", ""),
    "SSL_CIPHER": ("TLS_AES_256_GCM_SHA384", ""),
}
"""Variables whose value tells TLS from plain HTTP, with an example of both."""
_PORTS: Final = ("443", "80")
_VARIABLE: Final = re.compile(r"%\{(?:SSL:)?(\w+)\}", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r"""\s*( \|\| | && | [()] | !(?![=~]) | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | %\{[^}]*\} | m?[/\#][^/\#]*[/\#]i?
      | [=!]=|[=!]~|= | -?\w+ | \S )""",
    re.VERBOSE,
)
_OPERATORS: Final = {"==": "==", "=": "==", "eq": "==", "-eq": "==", "!=": "!=", "ne": "!=", "-ne": "!=",
                     "=~": "=~", "!~": "!~", "-strmatch": "", "-strcmatch": ""}  # fmt: skip
MAX_TOKENS: Final = 400


def holds(expression: str, tls: bool) -> bool | None:
    """Whether an expression (ap_expr) holds for every request over TLS (or plain HTTP); None where it depends."""
    text = expression.strip()
    tokens = [match[1] for match in _TOKEN.finditer(text)]
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    return _Expression(tokens, tls).value()


class _Expression:
    """A recursive descent over the tokens; whatever it does not know makes the part around it unknown."""

    def __init__(self, tokens: list[str], tls: bool) -> None:
        self.tokens = tokens
        self.tls = tls
        self.at = 0

    def value(self) -> bool | None:
        found = self._either(0)
        return found if self.at == len(self.tokens) else None

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _either(self, depth: int) -> bool | None:
        found = self._both(depth)
        while self._next() == "||":
            self.at += 1
            found = either(found, self._both(depth))
        return found

    def _both(self, depth: int) -> bool | None:
        found = self._single(depth)
        while self._next() == "&&":
            self.at += 1
            found = both(found, self._single(depth))
        return found

    def _single(self, depth: int) -> bool | None:
        token = self._next()
        if depth > 50:
            return None
        if token == "!":
            self.at += 1
            return negated(self._single(depth + 1))
        if token == "(":
            self.at += 1
            found = self._either(depth + 1)
            if self._next() == ")":
                self.at += 1
            return found
        return self._comparison()

    def _comparison(self) -> bool | None:
        words: list[str] = []
        depth = 0
        while self._next() and (depth or self._next() not in ("||", "&&", ")")):
            token = self._next()
            depth += (token == "(") - (token == ")")
            words.append(token)
            self.at += 1
        if len(words) == 1 and words[0].lower() in ("true", "false"):
            return words[0].lower() == "true"
        if len(words) == 2 and words[0] in ("-T", "-n", "-z"):
            return self._unary(words[0], words[1])
        if len(words) != 3:
            return None
        operator = _OPERATORS.get(words[1].lower(), "")
        left, right = words[0], words[2]
        if _VARIABLE.fullmatch(left.strip("'\"")) is None:
            left, right = right, left
        return compared(left.strip("'\""), operator, right, self.tls)

    def _unary(self, operator: str, operand: str) -> bool | None:
        match = _VARIABLE.fullmatch(operand.strip("'\""))
        if match is None or match[1].upper() not in _VALUES:
            return None
        value = _VALUES[match[1].upper()][0 if self.tls else 1]
        if operator == "-T":
            return value.lower() not in ("", "0", "off", "false", "no")
        return bool(value) is (operator == "-n")


def compared(variable: str, operator: str, operand: str, tls: bool) -> bool | None:
    """Whether a comparison of a variable holds for every request over TLS (or plain HTTP)."""
    match = _VARIABLE.fullmatch(variable)
    if match is None or match[1].upper() not in _VALUES or not operator:
        return None
    name = match[1].upper()
    value = _VALUES[name][0 if tls else 1]
    if operator in ("==", "!="):
        word = operand.strip("'\"")
        if "%" in word or (name == "SERVER_PORT" and word not in _PORTS) or name.startswith("SSL_"):
            return None
        return (value == word) is (operator == "==")
    pattern = re.fullmatch(r"""['"]?m?([/#])(.*)\1(i?)['"]?""", operand, re.DOTALL)
    if pattern is None:
        return None
    return _searched(pattern[2], value, bool(pattern[3]), operator == "!~")


def _searched(pattern: str, value: str, ignore_case: bool, opposite: bool) -> bool | None:
    if len(pattern) > 200 or re.search(r"[*+{]", pattern):
        return None
    try:
        return bool(re.search(pattern, value, re.IGNORECASE if ignore_case else 0)) != opposite
    except re.error:
        return None


def condition_holds(test: str, pattern: str, flags: frozenset[str], tls: bool) -> bool | None:
    """Whether a `RewriteCond` holds for every request over TLS (or plain HTTP)."""
    if test.lower() == "expr":
        return holds(pattern, tls)
    match = _VARIABLE.fullmatch(test)
    if match is None or match[1].upper() not in _VALUES:
        return None
    opposite = pattern.startswith("!")
    word = pattern.removeprefix("!")
    value = _VALUES[match[1].upper()][0 if tls else 1]
    if match[1].upper() == "SERVER_PORT" and not any(port in word for port in _PORTS):
        return None
    if word.startswith("="):
        return (value == word[1:].strip('"')) != opposite
    if word.startswith(("-eq", "<", ">", "-")):
        return None
    return _searched(word, value, bool(flags & {"nc", "nocase"}), opposite)


def environment_holds(text: str, tls: bool) -> bool | None:
    """Whether `env=[!]NAME` holds: mod_ssl sets `HTTPS` for requests over TLS, and only then."""
    opposite = text.startswith("!")
    return tls is not opposite if text.removeprefix("!") == "HTTPS" else None


__all__ = ["compared", "condition_holds", "environment_holds", "holds"]
