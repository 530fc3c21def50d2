"""What an nginx host makes of client certificates once the handshake is over.

nginx looks at the result of the verification before it looks for a location (ngx_http_process_request), so only what
the `server` level says of the statuses 495 and 496 counts there. All else goes by variables, `$ssl_client_verify` above
all (ngx_http_ssl_module), which may reach a condition, an application or another variable anywhere in the host.
"""

import re
from collections.abc import Iterator
from typing import Final

from tlslint.regex import regex
from tlslint.resolve.model import ClientChecks, ClientUse, ErrorPage, Place, VirtualHost
from tlslint.resolve.nginx_http import APPLICATIONS
from tlslint.resolve.nginx_scope import Scope

PREFIX: Final = "ssl_client_"
REFUSALS: Final = ("495", "496")
"""Statuses that nginx gives a bad and a missing client certificate inside; clients get 400."""

_TELLING: Final = frozenset(
    ("add_header", "add_trailer", "more_set_headers", "access_log", "error_log", "log_format", "map")
)
"""Directives that pass a value on to nobody who could act on it, or only under another name."""
_SCRIPT: Final = regex(
    r".*_by_lua(?:_block|_file)?|js_(?:content|set|access|filter|preread|header_filter|body_filter)|perl|perl_set"
    r"|auth_(?:request|jwt|pam|ldap|digest|gss|openidc)\w*|modsecurity\w*|mruby_\w+|passenger_enabled|mtls_\w+|opa_\w+"
)
"""Directives with which another program may look at the certificate without naming it here."""
_GUARDS: Final = frozenset(("deny", "auth_basic"))
_VARIABLE: Final = regex(r"\$\{?(\w+)")
_COMPARISON: Final = regex(r"\$\{?(\w+)\}?\s*(!?=|!?~\*?)\s*(.*)", re.DOTALL)

Meanings = dict[str, frozenset[str]]


class ClientChecksReader:
    """Reads what hosts do with the result; what is the same for all hosts of a module is worked out once."""

    def __init__(self) -> None:
        self._modules: dict[int, tuple[Meanings, tuple[ClientUse, ...], str]] = {}

    def read(self, host: VirtualHost) -> ClientChecks:
        """Return what a host does with the result of the verification."""
        scope = host.scope
        if not isinstance(scope, Scope):
            return ClientChecks(doubt="nothing is known of this host")
        meanings, inherited, doubt = self._module(scope)
        uses = list(inherited)
        guarded = False
        for level in scope.walk():
            uses += _uses(level, meanings)
            doubt = doubt or level.incomplete or _script(level)
            guarded = guarded or not _GUARDS.isdisjoint(level.own)
        return ClientChecks(tuple(uses), tuple(_error_pages(scope)), guarded or _is_guarded_outside(scope), doubt)

    def _module(self, scope: Scope) -> tuple[Meanings, tuple[ClientUse, ...], str]:
        module = scope
        while module.parent is not None and module.parent.name != "main":
            module = module.parent
        if module is scope:
            return {}, (), scope.incomplete
        found = self._modules.get(id(module))
        if found is None:
            meanings = _meanings(module)
            found = (meanings, tuple(_uses(module, meanings)), module.incomplete or _script(module))
            self._modules[id(module)] = found
        return found


def _meanings(module: Scope) -> Meanings:
    """Return which client variables each mapped variable is made from, through any number of maps."""
    made: dict[str, set[str]] = {}
    for place in module.own.get("map", ()):
        words = [str(word) for word in place.directive.arguments]
        if len(words) == 2:
            for entry in place.directive.block or ():
                words += [str(word) for word in entry.arguments]
            target, *_ = _VARIABLE.findall(words.pop(1)) or [""]
            made.setdefault(target, set()).update(name for word in words for name in _VARIABLE.findall(word))
    found: Meanings = {}
    for target in made:
        reached, pending = {target}, [target]
        while pending:
            new = made.get(pending.pop(), set()) - reached
            reached |= new
            pending += new
        clients = frozenset(name for name in reached if name.startswith(PREFIX))
        if clients:
            found[target] = clients
    return found


def _uses(scope: Scope, meanings: Meanings) -> Iterator[ClientUse]:
    for name, places in scope.own.items():
        if name in _TELLING:
            continue
        for place in places:
            text = " ".join(place.directive.arguments)
            if "$" not in text:
                continue
            named = set(_VARIABLE.findall(text))
            variables = {variable for variable in named if variable.startswith(PREFIX)}
            variables.update(*(meanings[variable] for variable in named & meanings.keys()))
            if variables or "ssl_server_name" in named:
                direct = variables <= named
                yield ClientUse(
                    frozenset(variables or named), place, name == "if", *(_compared(text) if direct else ("", ""))
                )


def _compared(text: str) -> tuple[str, str]:
    match = _COMPARISON.fullmatch(text.strip().removeprefix("(").removesuffix(")").strip())
    return (match[2], match[3].strip().strip("\"'")) if match and match[1] == "ssl_client_verify" else ("", "")


def _script(scope: Scope) -> str:
    name = next((name for name in scope.own if _SCRIPT.fullmatch(name)), "")
    return f"{name} may look at it" if name else ""


def _is_guarded_outside(scope: Scope) -> bool:
    return any(scope.nearest(name) for name in _GUARDS)


def _error_pages(scope: Scope) -> Iterator[ErrorPage]:
    for place in scope.nearest("error_page"):
        words = [str(word) for word in place.directive.arguments]
        refusals = tuple(word for word in words[:-1] if word in REFUSALS)
        if not refusals:
            continue
        target = words[-1]
        status = words[-2].removeprefix("=") if words[-2].startswith("=") else None
        location = _location(scope, target)
        yield ErrorPage(
            refusals, target, status, place,
            application=_first(location, APPLICATIONS) if location is not None else None,
            refuses=location is not None and bool(location.own.get("return")),
            checks=location is not None and any(PREFIX in str(word) for word in _words(location)),
        )  # fmt: skip


def _location(scope: Scope, target: str) -> Scope | None:
    """Return the location that a target leads to, as far as that goes by names and prefixes."""
    best, longest = None, 0
    for child in scope.blocks("location"):
        words = [str(word) for word in child.place.directive.arguments] if child.place is not None else [""]
        path = words[-1]
        if words in ([target], ["=", target]):
            return child
        is_prefix = path.startswith("/") and words[0] in ("^~", path)
        if is_prefix and target.startswith(path) and len(path) > longest:
            best, longest = child, len(path)
    return best


def _first(scope: Scope, names: tuple[str, ...]) -> Place | None:
    return next((scope.own[name][-1] for name in names if scope.own.get(name)), None)


def _words(scope: Scope) -> Iterator[str]:
    for level in scope.walk():
        for places in level.own.values():
            for place in places:
                yield from place.directive.arguments


__all__ = ["ClientChecksReader"]
