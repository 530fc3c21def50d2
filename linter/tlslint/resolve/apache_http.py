"""Apache's HTTP side as far as TLS is concerned: response headers, redirects and access logs, section by section.

`Header` lines are carried out one after the other, those of the main server first, then the virtual host's, then those
of the sections that a request falls into; there are two tables, and a line works on its own one only (mod_headers).
Redirects of mod_rewrite come before those of mod_alias; a virtual host inherits the latter, not the former. Which
sections a request falls into is decided by its path, so that only places are predicted, not requests.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tlslint.resolve.apache_expressions import condition_holds, environment_holds, holds
from tlslint.resolve.apache_hosts import parse_server_name
from tlslint.resolve.apache_scope import MAIN, VIRTUAL_HOST, Section
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
from tlslint.resolve.paths import both, either, takes_every_path

ACTIONS: Final = frozenset(("set", "setifempty", "add", "append", "merge", "unset", "edit", "edit*", "echo", "note"))
STATUSES: Final = {"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}
REDIRECT_STATUSES: Final = frozenset((301, 302, 303, 307, 308))
CHALLENGES: Final = "/.well-known"
"""Paths that people leave out of redirects, for programs such as ACME clients."""
COMMON_LOG: Final = '%h %l %u %t "%r" %>s %b'
"""mod_log_config's own format, where nothing names another."""

APPLICATIONS: Final = (
    "proxypass", "proxypassmatch", "wsgiscriptalias", "wsgiscriptaliasmatch", "scriptalias", "scriptaliasmatch",
    "jkmount", "passengerenabled", "passengerapproot", "fcgidwrapper", "action", "cgipassauth", "railsbaseuri",
    "luamaphandler", "proxyfcgisetenvif",
)  # fmt: skip
"""Directives that leave the answer, headers included, to another program."""
SCRIPTS: Final = (
    "luahookfixups",
    "luahooktranslatename",
    "luahookaccesschecker",
    "perlfixuphandler",
    "perlresponsehandler",
)
"""Directives that run scripts which may set any header."""

_SECTIONS: Final = ("directory", "directorymatch", "files", "filesmatch", "location", "locationmatch", "if", "elseif",
                    "else", "proxy", "proxymatch")  # fmt: skip
_RELEVANT: Final = frozenset(
    ("header", "redirect", "redirectmatch", "redirectpermanent", "redirecttemp", "rewriterule", "sethandler", "require",
     *APPLICATIONS)
)  # fmt: skip
_REDIRECTS: Final = ("redirect", "redirectmatch", "redirectpermanent", "redirecttemp")
_NAME_TESTS: Final = frozenset(("%{server_name}", "%{http_host}"))
_CHALLENGE: Final = re.compile(r"\\?\.?well-known|acme", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class _Answers(NamedTuple):
    """What the redirecting directives of one level do to requests."""

    redirects: tuple[Redirect, ...] = ()
    returns: int | None = None


class HttpReader:
    """Reads what virtual hosts do with requests; what all hosts inherit is worked out once."""

    def __init__(self) -> None:
        self._headers: dict[tuple[int, bool | None, bool | None], Header] = {}
        self._formats: dict[int, dict[str, tuple[str, Place]]] = {}

    def read(self, host: VirtualHost) -> Web:
        """Return the places where requests to a host can end, and the logs that are written of them."""
        section = host.scope
        if not isinstance(section, Section):
            return Web()
        levels = [section] if section.kind == MAIN or section.parent is None else [section.parent, section]
        return Web(tuple(self._locations(host, levels)), self._logs(levels))

    # -- locations ---------------------------------------------------------------------------------------------------

    def _locations(self, host: VirtualHost, levels: list[Section]) -> Iterator[Location]:
        inner = [child for level in levels for child in level.parts if child.kind in _SECTIONS]
        everywhere = sorted((child for child in inner if _covers_everything(child, levels)), key=_merge_rank)
        table = _Table(self._headers)
        table.begin(levels)
        for child in everywhere:
            table.apply(child, *_conditions(child))
        answers = self._answers(host, levels, everywhere)
        application = _application([*levels, *everywhere])
        doubt = next((level.incomplete for level in levels if level.incomplete), "") or _script(levels)
        yield Location(
            "",
            host.place,
            table.headers,
            tuple(table.lost),
            answers.redirects,
            answers.returns,
            application=application,
            hidden_headers=frozenset(table.hidden),
            doubt=doubt,
        )
        for child in inner:
            if child in everywhere or child.place is None or child.kind in ("proxy", "proxymatch"):
                continue
            if any(_RELEVANT.intersection(section.own) for section in child.walk()):
                yield self._inner(host, child, levels, everywhere, answers, application, doubt)

    def _inner(
        self,
        host: VirtualHost,
        section: Section,
        levels: list[Section],
        everywhere: list[Section],
        outer: _Answers,
        application: Place | None,
        doubt: str,
    ) -> Location:
        assert section.place is not None
        over_tls, over_plain = _conditions(section)
        table = _Table(self._headers)
        table.begin(levels)
        for child in sorted((*everywhere, section), key=_merge_rank):
            table.apply(child, *_conditions(child))
        answers = self._own_answers(host, section, over_tls, over_plain)
        for_all = [redirect for redirect in outer.redirects if redirect.over_tls or redirect.over_plain]
        path = " ".join(section.place.directive.arguments)
        is_path = section.kind == "location"
        return Location(
            path if is_path else f"<{section.place.directive.name.lstrip('<')} {path}>",
            section.place,
            table.headers,
            tuple(table.lost),
            (*answers.redirects, *for_all),
            answers.returns if answers.returns is not None else outer.returns,
            condition=path if section.kind in ("if", "elseif", "else") else "",
            application=_application([section]) or application,
            hidden_headers=frozenset(table.hidden),
            doubt=section.incomplete or doubt,
        )

    # -- redirects ---------------------------------------------------------------------------------------------------

    def _answers(self, host: VirtualHost, levels: list[Section], everywhere: list[Section]) -> _Answers:
        """Return what happens to requests whatever their path is: mod_rewrite first, then mod_alias, then sections."""
        found = self._rewrites(host, levels)
        redirects = list(found.redirects)
        returns = found.returns
        for level in reversed(levels):
            for place in (place for place in level.items if place.directive.name.lower() in _REDIRECTS):
                result = _redirected(place, in_section=False)
                if isinstance(result, Redirect):
                    redirects.append(result)
                elif result is not None and returns is None:
                    returns = result
        for child in everywhere:
            own = self._own_answers(host, child, *_conditions(child))
            redirects += own.redirects
            returns = own.returns if returns is None else returns
        return _Answers(tuple(redirects), returns)

    def _own_answers(
        self, host: VirtualHost, section: Section, over_tls: bool | None, over_plain: bool | None
    ) -> _Answers:
        redirects: list[Redirect] = []
        returns: int | None = None
        for child in section.walk():
            tls, plain = over_tls, over_plain
            if child is not section:
                more = _conditions(child) if child.kind == "if" else (None, None)
                tls, plain = both(tls, more[0]), both(plain, more[1])
            rules = _rewrite_rules(child, host, in_directory=True)
            aliases = [_redirected(place, in_section=child.kind in ("location", "if", "else", "elseif"))
                       for place in child.items if place.directive.name.lower() in _REDIRECTS]  # fmt: skip
            for result in (*rules, *aliases):
                if isinstance(result, Redirect):
                    redirects.append(
                        Redirect(
                            result.status,
                            result.target,
                            result.place,
                            result.scheme,
                            both(result.over_tls, tls),
                            both(result.over_plain, plain),
                        )
                    )
                elif result is not None and returns is None and tls and plain:
                    returns = result
            if tls and plain and returns is None and child is section and _denies(child):
                returns = 403
        return _Answers(tuple(redirects), returns)

    def _rewrites(self, host: VirtualHost, levels: list[Section]) -> _Answers:
        """Return what the server-level rules of a host do: its own, and the main server's where it inherits them."""
        redirects: list[Redirect] = []
        for level in _rewriting(levels):
            for result in _rewrite_rules(level, host, in_directory=False):
                if isinstance(result, Redirect):
                    redirects.append(result)
                    continue
                redirects = [redirect for redirect in redirects if _ends_rewriting(redirect.place)]
                if not any(redirect.over_tls and redirect.over_plain for redirect in redirects):
                    return _Answers(tuple(redirects), result)
        return _Answers(tuple(redirects))

    # -- logs --------------------------------------------------------------------------------------------------------

    def _logs(self, levels: list[Section]) -> tuple[LogFormat, ...] | Unknown:
        for level in reversed(levels):
            if level.incomplete:
                return Unknown(level.incomplete)
            places = [place for place in level.items if place.directive.name.lower() in ("customlog", "transferlog")]
            if places:
                break
        else:
            places = []
        places += levels[0].own.get("globallog", [])
        return tuple(log for place in places if (log := self._log(place, levels)) is not None)

    def _log(self, place: Place, levels: list[Section]) -> LogFormat | None:
        words = place.directive.arguments
        if not words:
            return None
        if place.directive.name.lower() == "transferlog" or len(words) < 2:
            for level in reversed(levels):
                unnamed = [each for each in level.own.get("logformat", ()) if len(each.directive.arguments) == 1]
                if unnamed:
                    return LogFormat("", str(unnamed[-1].argument(0)), place, unnamed[-1])
            return LogFormat("", COMMON_LOG, place, None)
        name = str(words[1])
        for level in reversed(levels):
            found = self._formats_of(level).get(name)
            if found is not None:
                return LogFormat(name, found[0], place, found[1])
        return LogFormat(name, name, place, place)

    def _formats_of(self, section: Section) -> dict[str, tuple[str, Place]]:
        found = self._formats.get(id(section))
        if found is None:
            found = self._formats[id(section)] = {}
            for place in section.own.get("logformat", ()):
                words = place.directive.arguments
                if len(words) == 2:
                    found[str(words[1])] = (str(words[0]), place)
        return found


class _Table:
    """The two tables of response headers, after the `Header` lines of one section after the other."""

    def __init__(self, known: dict[tuple[int, bool | None, bool | None], Header]) -> None:
        self._known = known
        self._entries: list[Header] = []
        self._early: set[str] = set()
        """Names of headers that `early` lines put into the table for all responses."""
        self.lost: list[LostHeader] = []
        self.hidden: set[str] = set()
        """Names of headers of applications that do not get through."""

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers that clients may get."""
        return tuple(self._entries)

    def begin(self, levels: Sequence[Section]) -> None:
        """Carry out the lines of the main server and of a host: those that say `early` first.

        They are carried out before a request is looked at, so that such a line has no effect in any other section. What
        they put into the table for all responses is out of reach for later lines when the answer is an error (measured
        on httpd 2.4.71).
        """
        for level in levels:
            self.apply(level, early=True)
        self._early = {header.name.lower() for header in self._entries if header.always}
        for level in levels:
            self.apply(level)

    def apply(
        self,
        section: Section,
        over_tls: bool | None = True,
        over_plain: bool | None = True,
        *,
        early: bool = False,
    ) -> None:
        """Carry out the `Header` lines of a section, under its condition."""
        for place in section.own.get("header", ()):
            line = _HeaderLine.read(place)
            if line is not None and line.early is early:
                tls, plain = both(over_tls, line.over_tls), both(over_plain, line.over_plain)
                if tls is not False or plain is not False:
                    self._carry_out(line, tls, plain)

    def _carry_out(self, line: "_HeaderLine", tls: bool | None, plain: bool | None) -> None:
        if line.always and not line.early and line.name in self._early:
            doubt = Unknown("an early line decides about it in errors, and this line elsewhere")
            for header in [header for header in self._entries if header.always and header.name.lower() == line.name]:
                self._replace(header, _copied(header, doubt, doubt))
            return
        same = [header for header in self._entries if header.name.lower() == line.name and header.always is line.always]
        if line.action in ("set", "unset"):
            if not line.always and tls and plain and not line.early:
                self.hidden.add(line.name)
            for header in same:
                self._take_away(header, line, tls, plain)
        elif line.action in ("edit", "edit*"):
            doubt = Unknown(f"{line.place.directive.name} {line.action} changes it")
            for header in same:
                self._replace(
                    header,
                    _copied(
                        header,
                        doubt if tls is not False and _is_sent(header.over_tls) else header.over_tls,
                        doubt if plain is not False and _is_sent(header.over_plain) else header.over_plain,
                    ),
                )
        elif same and line.action in ("append", "merge", "setifempty"):
            # what is there over TLS may be another line's than what is there over plain HTTP
            tls = self._join(line, [header for header in same if _is_sent(header.over_tls)], tls, True)
            same = [header for header in self._entries if header.name.lower() == line.name]
            same = [header for header in same if header.always is line.always and _is_sent(header.over_plain)]
            plain = self._join(line, same, plain, False)
        if line.action not in ("unset", "edit", "edit*") and (tls is not False or plain is not False):
            self._entries.append(self._header(line, tls, plain))

    def _join(self, line: "_HeaderLine", same: list[Header], condition: bool | None, tls: bool) -> bool | None:
        """Carry out a line that goes by what is there, for one scheme; return whether a header is still to be added."""
        if condition is False or not same:
            return condition
        header = same[0]
        values = header.over_tls if tls else header.over_plain
        if len(same) > 1 and (isinstance(values, Unknown) or "" in values):
            # the first that is there is made longer, and which that is depends on the request
            doubt = Unknown(f"{line.place.directive.name} {line.action} goes by what is there")
            for each in same:
                self._replace(
                    each,
                    _copied(each, doubt if tls else each.over_tls, each.over_plain if tls else doubt),
                )
            return False
        if line.action == "setifempty":
            return False if not isinstance(values, Unknown) and all(values) else None
        longer = values if isinstance(values, Unknown) else _appended(values, line, condition)
        self._replace(header, _copied(header, longer if tls else header.over_tls, header.over_plain if tls else longer))
        return False

    def _take_away(self, header: Header, line: "_HeaderLine", tls: bool | None, plain: bool | None) -> None:
        over_tls, over_plain = _without(header.over_tls, tls), _without(header.over_plain, plain)
        if _is_sent(over_tls) or _is_sent(over_plain):
            self._replace(header, _copied(header, over_tls, over_plain))
            return
        self._entries.remove(header)
        if line.action == "unset":
            self.lost.append(LostHeader(header, line.place))

    def _replace(self, header: Header, other: Header) -> None:
        self._entries[self._entries.index(header)] = other

    def _header(self, line: "_HeaderLine", tls: bool | None, plain: bool | None) -> Header:
        key = (id(line.place.directive), tls, plain)
        found = self._known.get(key)
        if found is None:
            value: tuple[str, ...] | Unknown = (line.value,)
            if line.is_variable:
                value = Unknown(f'"{line.value}" holds a variable')
            found = self._known[key] = Header(
                line.written, line.value, line.always, line.place, _under(value, tls), _under(value, plain)
            )
        return found


class _HeaderLine(NamedTuple):
    """A `Header` line, read."""

    place: Place
    action: str
    written: str
    value: str
    always: bool
    early: bool
    over_tls: bool | None
    over_plain: bool | None
    is_variable: bool

    @property
    def name(self) -> str:
        """The header's name in lower case."""
        return self.written.lower()

    @classmethod
    def read(cls, place: Place) -> "_HeaderLine | None":
        """Read the arguments; None where httpd does not take them, or the line is about no response header."""
        words = [str(word) for word in place.directive.arguments]
        table = words[0].lower() if words else ""
        if table in ("always", "onsuccess"):
            words = words[1:]
        action = words[0].lower() if words else ""
        if action not in ACTIONS or len(words) < 2 or action in ("note", "echo"):
            return None
        written = words[1].removesuffix(":")
        rest = words[2:]
        value = ""
        if action != "unset":
            if not rest:
                return None
            value, rest = rest[0], rest[1:]
        over_tls: bool | None = True
        over_plain: bool | None = True
        early = False
        for word in rest:
            if word.lower() == "early":
                early = True
            elif word.startswith("env="):
                over_tls, over_plain = (environment_holds(word[4:], tls) for tls in (True, False))
            elif word.startswith("expr="):
                over_tls, over_plain = (holds(word[5:], tls) for tls in (True, False))
        variable = value.startswith("expr=") or "%" in value.replace("%%", "")
        plain_value = value if variable else value.replace("%%", "%")
        always = table == "always"
        return cls(place, action, written, plain_value, always, early, over_tls, over_plain, variable)


def _under(value: tuple[str, ...] | Unknown, condition: bool | None) -> tuple[str, ...] | Unknown:
    """The values under a condition: none of them where it fails, maybe none where it depends on the request."""
    if condition is False:
        return ("",)
    if condition is None and not isinstance(value, Unknown):
        return (*value, "")
    return value


def _without(values: tuple[str, ...] | Unknown, condition: bool | None) -> tuple[str, ...] | Unknown:
    """What is left of values when a header is taken away under a condition."""
    if condition:
        return ("",)
    if condition is None and not isinstance(values, Unknown) and "" not in values:
        return (*values, "")
    return values


def _appended(values: tuple[str, ...], line: "_HeaderLine", condition: bool | None) -> tuple[str, ...]:
    longer = []
    for each in values:
        there = line.action == "merge" and line.value in [part.strip() for part in each.split(",")]
        longer.append(each if there else f"{each}, {line.value}" if each else line.value)
    return tuple(longer if condition else dict.fromkeys((*longer, *values)))


def _is_sent(values: tuple[str, ...] | Unknown) -> bool:
    return isinstance(values, Unknown) or any(values)


def _copied(header: Header, over_tls: tuple[str, ...] | Unknown, over_plain: tuple[str, ...] | Unknown) -> Header:
    return Header(header.name, header.value, header.always, header.place, over_tls, over_plain)


# -- where sections apply ----------------------------------------------------------------------------------------------


def _covers_everything(section: Section, levels: list[Section]) -> bool:
    """Whether every request falls into a section, as far as its condition lets it."""
    words = [str(word) for word in section.place.directive.arguments] if section.place is not None else []
    if section.kind == "location":
        return words in (["/"], ["~", "/"]) or (len(words) == 2 and words[0] == "~" and takes_every_path(words[1]))
    if section.kind == "locationmatch":
        return len(words) == 1 and takes_every_path(words[0])
    if section.kind in ("if", "elseif", "else"):
        return section.kind == "if"
    if section.kind == "directory":
        roots = [level.last("documentroot") for level in levels]
        root = next((place for place in reversed(roots) if place is not None and place.directive.arguments), None)
        named = {"/"} if root is None else {"/", root.argument(0).rstrip("/") or "/"}
        return len(words) == 1 and (words[0].rstrip("/") or "/") in named
    return section.kind in ("files", "filesmatch") and words in (["*"], [".*"], ["^"], ["~", ".*"])


def _merge_rank(section: Section) -> tuple[int, int]:
    """In which order httpd merges sections: directories from the short ones on, files, locations, conditions."""
    words = section.place.directive.arguments if section.place is not None else ()
    length = len(words[0]) if section.kind == "directory" and words else 0
    return next(rank for rank, kinds in enumerate(_MERGED) if section.kind in kinds), length


_MERGED: Final = (
    ("directory",), ("directorymatch",), ("files", "filesmatch"), ("location", "locationmatch"),
    ("if", "elseif", "else", "proxy", "proxymatch"),
)  # fmt: skip


def _conditions(section: Section) -> tuple[bool | None, bool | None]:
    """Whether the condition of an `<If>` holds over TLS and over plain HTTP."""
    if section.kind != "if" or section.place is None:
        return True, True
    text = " ".join(section.place.directive.arguments)
    return holds(text, True), holds(text, False)


def _denies(section: Section) -> bool:
    """Whether nobody is let in."""
    required = list(section.own.get("require", ()))
    words = [[word.lower() for word in place.directive.arguments] for place in required]
    return bool(words) and all(each[:2] == ["all", "denied"] for each in words)


def _application(sections: Sequence[Section]) -> Place | None:
    for section in reversed(sections):
        handler = section.last("sethandler")
        if handler is not None and handler.directive.arguments and handler.argument(0).lower() not in _INNER_HANDLERS:
            return handler
        for name in APPLICATIONS:
            place = section.last(name)
            if place is not None and _hands_over_everything(place, section):
                return place
        for place in section.own.get("rewriterule", ()):
            if len(place.directive.arguments) > 2 and _flags(place.argument(2)) & {"p", "proxy"}:
                return place
    return None


_INNER_HANDLERS: Final = frozenset(("none", "default-handler", "server-status", "server-info", "balancer-manager"))


def _hands_over_everything(place: Place, section: Section) -> bool:
    """Whether all requests that fall into a section go to the program."""
    words = [str(word) for word in place.directive.arguments]
    name = place.directive.name.lower()
    if name == "passengerenabled":
        return words[:1] != ["off"]
    if section.kind not in (MAIN, VIRTUAL_HOST) or name in ("passengerapproot", "railsbaseuri"):
        return name != "action" and (not words or words[-1] != "!")
    if name in ("proxypassmatch", "wsgiscriptaliasmatch"):
        return len(words) > 1 and words[1] != "!" and takes_every_path(words[0])
    return len(words) > 1 and words[0] in ("/", "/*") and words[1] != "!"


def _script(levels: Sequence[Section]) -> str:
    for level in levels:
        for section in (level, *level.parts):
            for name in SCRIPTS:
                if name in section.own:
                    return f"{section.own[name][0].directive.name} may set headers"
    return ""


# -- mod_alias ---------------------------------------------------------------------------------------------------------


def _redirected(place: Place, in_section: bool) -> Redirect | int | None:
    """Return the redirect of mod_alias, or the status that is answered instead; None where the line says nothing.

    In a `<Location>` the path may be left out: it is the section's.
    """
    words = [str(word) for word in place.directive.arguments]
    name = place.directive.name.lower()
    status = 301 if name == "redirectpermanent" else 302
    if name in ("redirect", "redirectmatch") and words and _status(words[0]) is not None:
        status = _status(words[0]) or status
        words = words[1:]
    if status not in REDIRECT_STATUSES:
        everywhere = not words or _is_every_path(name, words[0])
        return status if everywhere else None
    if in_section and len(words) == 1:
        path, target = "/", words[0]
        everywhere = True
    elif len(words) == 2:
        path, target = words
        everywhere = _is_every_path(name, path)
    else:
        return None
    reach = True if everywhere else None
    return Redirect(status, target, place, _scheme(target), reach, reach)


def _status(word: str) -> int | None:
    number = int(word) if word.isdecimal() and len(word) == 3 else None
    return STATUSES.get(word.lower(), number)


def _is_every_path(name: str, path: str) -> bool:
    if name != "redirectmatch":
        return path == "/"
    if takes_every_path(path):
        return True
    # everything but what ACME clients look for
    return re.fullmatch(r"\^?/?\(\?![^()]*\)(?:\(?\.\*\)?)?\$?(?:\(?\.\*\)?\$?)?", path) is not None and (
        _CHALLENGE.search(path) is not None
    )


def _scheme(target: str) -> str:
    start = target.lower()
    for scheme in ("https", "http"):
        if start.startswith(f"{scheme}://"):
            return scheme
    if start.startswith(("%{request_scheme}://", "/")):
        return "same"
    return ""


# -- mod_rewrite -------------------------------------------------------------------------------------------------------


def _rewriting(levels: list[Section]) -> Iterator[Section]:
    """Yield the sections whose server-level rules a host goes by, in the order in which they are tried."""
    own = levels[-1]
    outer = levels[0] if len(levels) > 1 else None
    options = _options(own)
    down = _options(outer) if outer is not None else set()
    if "on" not in _engine(own):
        return
    inherits = options & {"inherit", "inheritbefore"} or (
        down & {"inheritdown", "inheritdownbefore"} and "ignoreinherit" not in options
    )
    if outer is not None and inherits:
        before = bool(options & {"inheritbefore"} or down & {"inheritdownbefore"})
        yield from (outer, own) if before else (own, outer)
    else:
        yield own


def _options(section: Section) -> set[str]:
    return {word.lower() for place in section.own.get("rewriteoptions", ()) for word in place.directive.arguments}


def _engine(section: Section) -> set[str]:
    place = section.last("rewriteengine")
    return {word.lower() for word in place.directive.arguments[:1]} if place is not None else set()


def _flags(text: str) -> frozenset[str]:
    words = text.strip("[]").split(",")
    return frozenset(word.strip().partition("=")[0].lower() for word in words if word.strip())


def _flag_value(text: str, *names: str) -> str | None:
    for word in text.strip("[]").split(","):
        name, _, value = word.strip().partition("=")
        if name.lower() in names:
            return value
    return None


def _rewrite_rules(section: Section, host: VirtualHost, in_directory: bool) -> Iterator[Redirect | int | None]:
    """Yield what rules do to requests: redirects, and the status of a rule that refuses all of them."""
    if in_directory and "on" not in _engine(section):
        return
    conditions: list[Place] = []
    for place in section.items:
        name = place.directive.name.lower()
        if name == "rewritecond":
            conditions.append(place)
        elif name == "rewriterule":
            yield from _rule(place, conditions, host, in_directory)
            conditions = []


def _rule(
    place: Place, conditions: Sequence[Place], host: VirtualHost, in_directory: bool
) -> Iterator[Redirect | int | None]:
    words = [str(word) for word in place.directive.arguments]
    if len(words) < 2:
        return
    pattern, target = words[0], words[1]
    flags = _flags(words[2]) if len(words) > 2 else frozenset[str]()
    never = in_directory and re.match(r"\^?/(?![?*])", pattern) is not None
    if never:
        return  # the path begins without a slash there
    every = takes_every_path(pattern)
    over_tls, over_plain = (both(True if every else None, _all_hold(conditions, host, tls)) for tls in (True, False))
    refusal = _refusal(words[2]) if len(words) > 2 else None
    if refusal is not None and refusal not in REDIRECT_STATUSES:
        if over_tls and over_plain:
            yield refusal
        return
    leaves = _ABSOLUTE.match(target) is not None and not flags & {"p", "proxy"}
    if refusal is None and not leaves:
        return
    scheme = _scheme(target) or ("" if target.startswith(("%", "$")) else "same")
    if refusal is None and scheme in ("https", "http") and _may_stay_inside(target, host):
        over_tls, over_plain = (
            None if over and own == scheme else over for own, over in (("https", over_tls), ("http", over_plain))
        )
    yield Redirect(refusal or 302, target, place, scheme, over_tls, over_plain)


def _may_stay_inside(target: str, host: VirtualHost) -> bool:
    """Whether a URL may be the host's own, which mod_rewrite turns into a path, if no flag asks for a redirect.

    It does so where the name belongs to the host and the port is that of `ServerName`, which few have.
    """
    scope = host.scope
    assert isinstance(scope, Section)
    place = scope.last("servername")
    outer = scope.parent
    if place is None and outer is not None:
        place = outer.last("servername")
        if place is None and outer.incomplete:
            return True
    if place is None or not place.directive.arguments:
        return False
    parsed = parse_server_name(place.argument(0))
    if isinstance(parsed, str) or not parsed[1]:
        return False
    name = target.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return name.startswith(("%", "$")) or any(name == each.text.lower() for each in host.names)


def _ends_rewriting(place: Place) -> bool:
    """Whether later rules do not see what a rule has made of a request."""
    words = place.directive.arguments
    return len(words) > 2 and bool(_flags(words[2]) & {"l", "last", "end"})


def _refusal(text: str) -> int | None:
    """Return the status that the flags of a rule give; None where they leave it to the target."""
    flags = _flags(text)
    if flags & {"f", "forbidden"}:
        return 403
    if flags & {"g", "gone"}:
        return 410
    value = _flag_value(text, "r", "redirect")
    if value is None:
        return None
    return (_status(value) or 302) if value else 302


def _all_hold(conditions: Sequence[Place], host: VirtualHost, tls: bool) -> bool | None:
    """Whether the conditions before a rule hold for every request over TLS (or plain HTTP)."""
    found: bool | None = True
    group: list[Place] = []
    for place in conditions:
        group.append(place)
        words = place.directive.arguments
        flags = _flags(words[2]) if len(words) > 2 else frozenset[str]()
        if not flags & {"or", "ornext"}:
            found = both(found, _any_holds(group, host, tls))
            group = []
    if group:
        found = both(found, _any_holds(group, host, tls))
    return found


def _any_holds(group: Sequence[Place], host: VirtualHost, tls: bool) -> bool | None:
    if _names_every_name(group, host):
        return True
    found: bool | None = False
    for place in group:
        words = [str(word) for word in place.directive.arguments]
        if len(words) < 2:
            return None
        flags = _flags(words[2]) if len(words) > 2 else frozenset[str]()
        found = either(found, _holds(words[0], words[1], flags, tls))
    return found


def _holds(test: str, pattern: str, flags: frozenset[str], tls: bool) -> bool | None:
    if test.upper() in ("%{REQUEST_URI}", "%{THE_REQUEST}") and pattern.startswith("!") and _CHALLENGE.search(pattern):
        return True  # all but what ACME clients ask for
    return condition_holds(test, pattern, flags, tls)


def _names_every_name(group: Sequence[Place], host: VirtualHost) -> bool:
    """Whether one of the conditions is met by each name of the host, as certbot writes it."""
    asked: set[str] = set()
    for place in group:
        words = [str(word).lower() for word in place.directive.arguments]
        if len(words) < 2 or words[0] not in _NAME_TESTS or not words[1].startswith("="):
            return False
        asked.add(words[1][1:])
    names = {name.text.lower() for name in host.names if name.kind == "exact"}
    return bool(names) and names <= asked


__all__ = ["COMMON_LOG", "HttpReader"]
