"""nginx's HTTP side as far as TLS is concerned: response headers, redirects and access logs, level by level.

`add_header` is inherited only by a level that has none of its own (ngx_http_headers_module; measured on two servers);
`return`, `rewrite` and `if` are carried out in the order in which they stand (ngx_http_rewrite_module). The location of
a request is chosen by its path, so that only places are predicted, not requests.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tlslint.regex import regex
from tlslint.resolve.model import (
    Header,
    Location,
    LogFormat,
    LostHeader,
    Place,
    Redirect,
    Unknown,
    VirtualHost,
    Web,
)
from tlslint.resolve.nginx_scope import Scope
from tlslint.resolve.paths import both, takes_every_path

ALWAYS_SENT_WITH: Final = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))
"""Statuses with which headers are sent that are not marked `always` (ngx_http_headers_filter)."""

REDIRECT_STATUSES: Final = frozenset((301, 302, 303, 307, 308))

APPLICATIONS: Final = (
    "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "passenger_enabled", "js_content", "perl",
    "content_by_lua", "content_by_lua_block", "content_by_lua_file",
)  # fmt: skip
"""Directives that leave the answer, headers included, to another program."""

SCRIPTS: Final = (
    "header_filter_by_lua", "header_filter_by_lua_block", "header_filter_by_lua_file", "js_header_filter",
    "rewrite_by_lua", "rewrite_by_lua_block", "rewrite_by_lua_file", "access_by_lua", "access_by_lua_block",
    "access_by_lua_file", "security_headers",
)  # fmt: skip
"""Directives of third-party modules that may set any header."""

_CONTENT: Final = frozenset(
    ("add_header", "add_header_inherit", "more_set_headers", "more_clear_headers", "return", "rewrite", *APPLICATIONS)
)
_CONDITION: Final = regex(r"\$(\w+)(?: (!?=|!?~\*?)(?: (.*))?)?", re.DOTALL)
_REQUEST: Final = {
    "scheme": ("https", "http"),
    "https": ("on", ""),
    "server_port": ("443", "80"),
    "ssl_protocol": ("TLSv1.3", ""),
    "ssl_cipher": ("TLS_AES_256_GCM_SHA384", ""),
}
"""Variables whose value tells TLS from plain HTTP, with an example of both."""
_MAP_WORDS: Final = frozenset(("hostnames", "volatile", "include"))


class _Level(NamedTuple):
    """The response headers that one level has, and what it hands to the levels inside it."""

    headers: tuple[Header, ...] = ()
    lost: tuple[LostHeader, ...] = ()
    more: tuple[Header, ...] = ()
    """What the headers-more module sets, which adds to what outer levels set."""
    inherit: str = "on"
    unknown: str = ""
    scripts: frozenset[str] = frozenset()
    """Directives in force whose scripts may set any header."""

    @property
    def doubt(self) -> str:
        """Why there may be more headers, or empty."""
        script = next((name for name in SCRIPTS if name in self.scripts), "") if self.scripts else ""
        return f"{script} may set headers" if script else self.unknown


class _Steps(NamedTuple):
    """What the rewrite directives of one level do to requests."""

    redirects: tuple[Redirect, ...] = ()
    returns: int | None = None
    moved_on: bool = False
    """Whether every request goes on to another location."""


NO_STEPS: Final = _Steps()


class HttpReader:
    """Reads what virtual hosts do with requests; what all hosts inherit is worked out once."""

    def __init__(self) -> None:
        self._http_levels: dict[int, _Level] = {}
        self._headers: dict[tuple[int, int], Header] = {}
        self._formats: dict[int, dict[str, tuple[str, Place]]] = {}
        self._logs: dict[tuple[int, ...], tuple[LogFormat, ...]] = {}
        self._maps: dict[int, dict[str, list[Place]]] = {}

    def read(self, host: VirtualHost) -> Web:
        """Return the places where requests to a host can end, and the logs that are written of them."""
        scope = host.scope
        if not isinstance(scope, Scope) or scope.module not in ("", "http"):
            return Web()
        level = self._level(scope, self._outer_level(scope))
        locations = list(self._host_locations(scope, level, host.place))
        return Web(tuple(locations), self._all_logs(scope))

    # -- locations ---------------------------------------------------------------------------------------------------

    def _host_locations(self, scope: Scope, level: _Level, place: Place) -> Iterator[Location]:
        steps = self._steps(scope)
        answered = steps.returns is not None or _for_all(steps.redirects)
        inner = [child for child in scope.children if child.name == "location"]
        has_root = any(map(_matches_every_path, inner))
        top = self._location(scope, "", place, level, steps, None)
        top.final = answered or not has_root
        yield top
        for child in inner:
            yield from self._locations(child, level, not answered, place)

    def _locations(self, scope: Scope, outer: _Level, is_reached: bool, around: Place) -> Iterator[Location]:
        level = self._level(scope, outer)
        # the location around a fragment is made up: nobody knows its path
        path = " ".join(scope.place.directive.arguments) if scope.place is not None else ""
        place = scope.place or around
        steps = self._steps(scope)
        application = _application(scope)
        location = self._location(scope, path, place, level, steps, application)
        location.final = is_reached and not steps.moved_on
        yield location
        for child in scope.children:
            if child.name == "location":
                yield from self._locations(child, level, is_reached, place)
            elif child.name == "if" and not _CONTENT.isdisjoint(child.own):
                yield from self._branch(child, path, level, application, location.final)

    def _branch(
        self, scope: Scope, path: str, outer: _Level, application: Place | None, is_reached: bool
    ) -> Iterator[Location]:
        """Yield what requests get for which an `if` of a location holds: it is a level of its own."""
        assert scope.place is not None
        level = self._level(scope, outer)
        steps = self._steps(scope)
        location = self._location(scope, path, scope.place, level, steps, _application(scope) or application)
        location.condition = _condition_text(scope.place)
        location.final = is_reached and not steps.moved_on
        yield location

    def _location(
        self, scope: Scope, path: str, place: Place, level: _Level, steps: _Steps, application: Place | None
    ) -> Location:
        return Location(
            path,
            place,
            (*level.headers, *level.more) if level.more else level.headers,
            level.lost,
            steps.redirects,
            steps.returns,
            application=application,
            hidden_headers=_hidden_headers(scope, application),
            doubt=level.doubt,
        )

    # -- headers -----------------------------------------------------------------------------------------------------

    def _outer_level(self, scope: Scope) -> _Level:
        parent = scope.parent
        if parent is None:
            return _Level()
        if parent.name == "main":
            return _Level(scripts=_SCRIPTS & parent.own.keys())
        found = self._http_levels.get(id(parent))
        if found is None:
            found = self._http_levels[id(parent)] = self._level(parent, self._outer_level(parent))
        return found

    def _level(self, scope: Scope, outer: _Level) -> _Level:
        own = scope.own
        if not scope.incomplete and outer.inherit == "on" and _OF_A_LEVEL.isdisjoint(own):
            return outer
        places = own.get("add_header", ())
        added = tuple(header for place in places if (header := self._header(place, scope)) is not None)
        words = _words(own.get("add_header_inherit"))
        inherit = words[0] if words else outer.inherit
        unknown = scope.incomplete or (outer.unknown if not places or inherit == "merge" else "")
        headers: tuple[Header, ...]
        lost: tuple[LostHeader, ...]
        if scope.incomplete:
            headers, lost = added, ()  # one header in what was not read would drop all that is inherited
        elif inherit == "merge":
            headers, lost = (*added, *outer.headers), outer.lost
        elif places or inherit == "off":
            dropping = places or scope.nearest("add_header_inherit")
            headers, lost = added, (*outer.lost, *(LostHeader(header, dropping[0]) for header in outer.headers))
        else:
            headers, lost = outer.headers, outer.lost
        if added and lost:
            names = {header.name.lower() for header in added}
            lost = tuple(item for item in lost if item.header.name.lower() not in names)
        scripts = outer.scripts | (_SCRIPTS & own.keys())
        return _Level(headers, lost, self._more(scope, outer.more), inherit, unknown, scripts)

    def _header(self, place: Place, scope: Scope) -> Header | None:
        words = place.directive.arguments
        if len(words) < 2:
            return None
        # variables may differ from host to host, all else is the same for all
        constant = "$" not in words[1]
        key = (id(place.directive), 0 if constant else id(scope))
        found = self._headers.get(key)
        if found is None:
            value = str(words[1])
            over_tls, over_plain = ((value,), (value,)) if constant else self._values(value, scope)
            always = len(words) > 2 and words[2] == "always"
            found = self._headers[key] = Header(str(words[0]), value, always, place, over_tls, over_plain)
        return found

    def _more(self, scope: Scope, outer: tuple[Header, ...]) -> tuple[Header, ...]:
        """Apply the directives of the headers-more module, which sets headers whatever the status is."""
        own = scope.own
        if "more_set_headers" not in own and "more_clear_headers" not in own:
            return outer
        found = list(outer)
        for place in own.get("more_set_headers", ()):
            for text in _header_words(place):
                name, _, value = text.partition(":")
                value = value.strip()
                over_tls, over_plain = ((value,), (value,)) if "$" not in value else self._values(value, scope)
                found = [header for header in found if header.name.lower() != name.lower()]
                found.append(Header(name, value, True, place, over_tls, over_plain))
        for place in own.get("more_clear_headers", ()):
            cleared = {text.rstrip(":").lower() for text in _header_words(place)}
            found = [header for header in found if header.name.lower() not in cleared]
        return tuple(found)

    # -- variables ---------------------------------------------------------------------------------------------------

    def _values(self, text: str, scope: Scope) -> tuple[tuple[str, ...] | Unknown, tuple[str, ...] | Unknown]:
        """Return what a text with variables may become over TLS and over plain HTTP."""
        match = re.fullmatch(r"\$(?:\{(\w+)\}|(\w+))", text)
        name = "$" + (match[1] or match[2]) if match else ""
        value = assigned(scope, name) if name else None
        if value is not None:
            return (value,), (value,)
        maps = self._maps_of(scope).get(name, []) if name else []
        if len(maps) != 1:
            unknown = Unknown(f'"{text}" holds a variable')
            return unknown, unknown
        return _mapped(maps[0], True), _mapped(maps[0], False)

    def _maps_of(self, scope: Scope) -> dict[str, list[Place]]:
        http = _http(scope)
        found = self._maps.get(id(http))
        if found is None:
            found = self._maps[id(http)] = {}
            for place in http.own.get("map", ()):
                words = place.directive.arguments
                if len(words) == 2:
                    found.setdefault(str(words[1]), []).append(place)
        return found

    # -- rewrites ----------------------------------------------------------------------------------------------------

    def _steps(self, scope: Scope) -> _Steps:
        own = scope.own
        if "return" not in own and "rewrite" not in own and "if" not in own:
            return NO_STEPS
        redirects: list[Redirect] = []
        is_moved = False
        for place, block in _in_order(scope):
            words = place.directive.arguments
            name = str(place.directive.name)
            if block is not None:
                redirects.extend(_under_condition(self._steps(block).redirects, _condition_text(place)))
            elif name == "break":
                return _Steps(tuple(redirects), None, is_moved)
            elif name == "return" and words:
                redirect = _returned(place)
                if redirect is not None:
                    return _Steps((*redirects, redirect))
                return _Steps(tuple(redirects), int(words[0]) if words[0].isdecimal() else None)
            elif name == "rewrite" and len(words) >= 2:
                flag = str(words[2]) if len(words) > 2 else ""
                every = takes_every_path(words[0])
                redirect = _rewritten(place, flag, every)
                if redirect is not None:
                    redirects.append(redirect)
                    if every:
                        return _Steps(tuple(redirects))
                elif every:
                    if flag in ("last", "break"):
                        return _Steps(tuple(redirects), None, flag == "last")
                    is_moved = True
        return _Steps(tuple(redirects), None, is_moved)

    # -- logs --------------------------------------------------------------------------------------------------------

    def _all_logs(self, scope: Scope) -> tuple[LogFormat, ...] | Unknown:
        logs = self._logs_at(scope)
        if isinstance(logs, Unknown) or not scope.children:
            return logs
        for inner in scope.walk():
            if inner is scope or (not inner.incomplete and "access_log" not in inner.own):
                continue
            more = self._logs_at(inner)
            if isinstance(more, Unknown):
                return more
            logs = (*logs, *(log for log in more if log not in logs))
        return logs

    def _logs_at(self, scope: Scope) -> tuple[LogFormat, ...] | Unknown:
        doubt = scope.doubt("access_log")
        if doubt:
            return Unknown(doubt)
        places = scope.nearest("access_log")
        http = _http(scope)
        key = (id(http), *[id(place.directive) for place in places])
        found = self._logs.get(key)
        if found is None:
            made = list(self._written_logs(places, http))
            if any(log is None for log in made):
                return Unknown(http.incomplete or "the format of a log is defined nowhere")
            found = self._logs[key] = tuple(log for log in made if log is not None)
        return found

    def _written_logs(self, places: Iterable[Place], http: Scope) -> Iterator[LogFormat | None]:
        places = list(places)
        if any(_words([place])[:1] == ["off"] for place in places):
            return
        if not places:
            yield LogFormat("combined", None, None)
        for place in places:
            words = _words([place])[1:]
            name = words[0] if words and "=" not in words[0] else "combined"
            text, defined = self._formats_of(http).get(name, (None, None))
            if text is None and name != "combined":
                yield None
            else:
                yield LogFormat(name, text, place, defined)

    def _formats_of(self, http: Scope) -> dict[str, tuple[str, Place]]:
        found = self._formats.get(id(http))
        if found is None:
            found = self._formats[id(http)] = {}
            for place in http.own.get("log_format", ()):
                words = _words([place])
                if words:
                    text = "".join(word for word in words[1:] if not word.startswith("escape="))
                    found[words[0]] = (text, place)
        return found


_SCRIPTS: Final = frozenset(SCRIPTS)
_OF_A_LEVEL: Final = frozenset(("add_header", "add_header_inherit", "more_set_headers", "more_clear_headers", *SCRIPTS))
"""Directives without which a level is like the one around it."""


def assigned(scope: Scope, name: str) -> str | None:
    """Return the constant that the only `set` of a variable (`$name`) in a host gives it; None where it is not so."""
    value: str | None = None
    level: Scope | None = scope
    while level is not None and level.name not in ("http", "main"):
        for place in level.own.get("set", ()):
            words = place.directive.arguments
            if len(words) == 2 and words[0] == name:
                if value is not None:
                    return None
                value = str(words[1])
        for branch in level.blocks("if"):
            if branch is not scope and any(_words([place])[:1] == [name] for place in branch.own.get("set", ())):
                return None
        level = level.parent
    return None if value is None or "$" in value else value


def _http(scope: Scope) -> Scope:
    while scope.parent is not None and scope.name != "http" and scope.parent.name != "main":
        scope = scope.parent
    return scope


def _words(places: Iterable[Place] | None) -> list[str]:
    """The arguments of the last of these directives."""
    found: list[str] = []
    for place in places or ():
        found = [str(word) for word in place.directive.arguments]
    return found


def _header_words(place: Place) -> Iterator[str]:
    """Yield the headers that a directive of the headers-more module names, unless it is about some answers only."""
    words = [str(word) for word in place.directive.arguments]
    if not any(word in ("-s", "-t") for word in words):
        yield from (word for word in words if not word.startswith("-"))


_APPLICATIONS: frozenset[str] = frozenset(APPLICATIONS)
_NOTHING: frozenset[str] = frozenset()


def _hidden_headers(scope: Scope, application: Place | None) -> frozenset[str]:
    if application is None:
        return _NOTHING
    family = application.directive.name.partition("_")[0]
    places = scope.nearest(f"{family}_hide_header")
    return frozenset(word.lower() for place in places for word in place.directive.arguments) if places else _NOTHING


def _application(scope: Scope) -> Place | None:
    own = scope.own
    if _APPLICATIONS.isdisjoint(own):
        return None
    for name in APPLICATIONS:
        if name in own and _words(own[name]) != ["off"]:
            return own[name][-1]
    return None


def _matches_every_path(scope: Scope) -> bool:
    return scope.place is not None and scope.place.directive.arguments in (("/",), ("^~", "/"))


def _mapped(place: Place, tls: bool) -> tuple[str, ...] | Unknown:
    """Return the values that a `map` block may give."""
    source = str(place.directive.arguments[0]).lstrip("$").strip("{}")
    values: dict[str, str] = {}
    for entry in place.directive.block or ():
        if entry.name == "include" or len(entry.arguments) > 1:
            return Unknown(f"{place.directive.arguments[1]} is mapped from values that were not read")
        if entry.arguments and entry.name not in _MAP_WORDS:
            values[str(entry.name)] = str(entry.arguments[0])
    if any("$" in value for value in values.values()):
        return Unknown(f"{place.directive.arguments[1]} is mapped to variables")
    asked = _REQUEST.get(source)
    if asked is not None and source != "server_port" and not any(key.startswith("~") for key in values):
        word = asked[0] if tls else asked[1]
        return (next((value for key, value in values.items() if key.lower() == word), values.get("default", "")),)
    return tuple(dict.fromkeys([*values.values(), *([] if "default" in values else [""])]))


def _in_order(scope: Scope) -> list[tuple[Place, Scope | None]]:
    """Return the rewrite directives and `if` blocks of a level as they are carried out: in textual order."""
    own = scope.own
    found: list[tuple[Place, Scope | None]] = [
        (place, None) for name in ("return", "rewrite", "break") for place in own.get(name, ())
    ]
    found += [(child.place, child) for child in scope.blocks("if") if child.place is not None]
    if len(found) > 1:
        depth = len(scope.place.includes) if scope.place is not None else 0
        found.sort(key=lambda item: _position(item[0], depth))
    return found


def _position(place: Place, depth: int) -> tuple[int | str, ...]:
    position: list[int | str] = []
    for step in (*place.includes[depth:], place.directive):
        position += [step.source.path, step.start]
    return tuple(position)


def _scheme(target: str) -> str:
    start = target.lower()
    for scheme in ("https", "http"):
        if start.startswith(f"{scheme}://"):
            return scheme
    return "same" if start.startswith(("/", "$scheme://")) else ""


def _returned(place: Place) -> Redirect | None:
    words = [str(word) for word in place.directive.arguments]
    if len(words) == 1 and not words[0].isdecimal():
        return Redirect(302, words[0], place, _scheme(words[0]), True, True)
    if len(words) > 1 and words[0].isdecimal() and int(words[0]) in REDIRECT_STATUSES:
        return Redirect(int(words[0]), words[1], place, _scheme(words[1]), True, True)
    return None


def _rewritten(place: Place, flag: str, every: bool) -> Redirect | None:
    target = str(place.directive.arguments[1])
    leaves = target.startswith(("http://", "https://", "$scheme"))
    if flag not in ("permanent", "redirect") and not leaves:
        return None
    reach = True if every else None
    scheme = _scheme(target) or ("" if target.startswith("$") else "same")
    return Redirect(301 if flag == "permanent" else 302, target, place, scheme, reach, reach)


def _for_all(redirects: Iterable[Redirect]) -> bool:
    return any(redirect.over_tls and redirect.over_plain for redirect in redirects)


def _condition_text(place: Place) -> str:
    text = " ".join(place.directive.arguments).strip()
    return text.removeprefix("(").removesuffix(")").strip()


def _under_condition(redirects: Iterable[Redirect], condition: str) -> Iterator[Redirect]:
    over_tls, over_plain = _holds(condition, True), _holds(condition, False)
    for item in redirects:
        yield Redirect(
            item.status, item.target, item.place, item.scheme, both(item.over_tls, over_tls),
            both(item.over_plain, over_plain),
        )  # fmt: skip


def _holds(condition: str, tls: bool) -> bool | None:
    """Whether the condition of an `if` holds for requests over TLS (or plain HTTP); None where that does not decide."""
    match = _CONDITION.fullmatch(condition)
    if match is None or match[1] not in _REQUEST:
        return None
    value = _REQUEST[match[1]][0 if tls else 1]
    if match[2] is None:
        return value not in ("", "0")
    negated, operator, word = match[2].startswith("!"), match[2].lstrip("!"), (match[3] or "").strip()
    if operator == "=":
        if match[1] == "server_port" and word not in ("80", "443"):
            return None
        return (value == word) != negated
    try:
        return bool(re.search(word, value, re.IGNORECASE if operator == "~*" else 0)) != negated
    except re.error:
        return None


__all__ = ["ALWAYS_SENT_WITH", "HttpReader", "assigned"]
