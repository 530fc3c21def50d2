"""What nginx's removed and deprecated directives are replaced by, where that is the same for every client."""

from collections.abc import Iterator, Sequence

from tlslint.intention import AddArgument, AddDirective, Fix, Intention, RemoveArgument, RemoveDirective, Safety
from tlslint.parse.tree import Argument
from tlslint.record import replace
from tlslint.resolve.model import Listener, Place, Problem, VirtualHost
from tlslint.resolve.nginx_scope import Scope

MANY = 100
"""Of more hosts that rely on one line, each needs a line of its own: that is left to a person."""
_KINDS = ("deprecated-directive", "removed-directive")


def with_successors(
    problems: Sequence[Problem], main: Scope, listeners: Sequence[Listener], hosts: Sequence[VirtualHost]
) -> list[Problem]:
    """Return the problems, those about gone directives with the fix that writes the successor."""
    if not any(problem.kind in _KINDS for problem in problems):
        return list(problems)
    successors = _Successors(main, listeners, hosts)
    return [
        replace(problem, fix=successors.fix(problem)) if problem.kind in _KINDS and problem.fix is None else problem
        for problem in problems
    ]


class _Successors:
    def __init__(self, main: Scope, listeners: Sequence[Listener], hosts: Sequence[VirtualHost]) -> None:
        self.hosts = hosts
        self.relying: dict[int, list[VirtualHost] | None] = {}
        self.sockets: dict[int, list[Listener]] = {}
        for listener in listeners:
            for _, place in listener.places:
                found = self.sockets.setdefault(id(place.directive), [])
                if listener not in found[-1:]:
                    found.append(listener)
        self.directives = {
            (id(place.directive.source), place.directive.name.start): place
            for scope in main.walk()
            for places in scope.own.values()
            for place in places
        }
        self.words = {
            (id(word.source), word.start): (place, word)
            for scope in main.walk()
            for place in scope.own.get("listen", ())
            for word in place.directive.arguments
        }

    def fix(self, problem: Problem) -> Fix | None:
        """Return what makes a problem go away; None where some version of the target needs what is there."""
        span = problem.span
        key = (id(span.source), span.start)
        if key in self.words:
            return self._parameter(*self.words[key], problem)
        place = self.directives.get(key)
        if place is None:
            return None
        if place.directive.name == "ssl":
            return self._ssl(place)
        if problem.kind == "removed-directive" and problem.severity == "warning":
            return Fix(f"remove {place.directive.name}", Safety.SAFE, (RemoveDirective(place),))
        return None

    def _parameter(self, place: Place, word: Argument, problem: Problem) -> Fix | None:
        if word == "spdy":
            return Fix('take "spdy" out', Safety.SAFE, (RemoveArgument(place, word),))
        if word != "http2" or problem.severity != "warning":
            return None
        sockets = self.sockets.get(id(place.directive), [])
        hosts = dict.fromkeys(owner for listener in sockets for owner, line in listener.places if line is place)
        for listener in sockets:
            others = self._relying(listener)
            if others is None or len(others) > MANY:
                return None
            hosts.update(dict.fromkeys(others))
        if not hosts:
            return None
        intentions: list[Intention] = [RemoveArgument(place, word)]
        for host in hosts:
            lines = _lines(host)
            if not lines:
                return None
            if not _says(host, "http2"):
                intentions.append(AddDirective("http2", ("on",), beside=lines[-1]))
        safety = Safety.UNSAFE if any(listener.incomplete for listener in sockets) else Safety.SAFE
        return Fix('write "http2 on"', safety, tuple(intentions))

    def _relying(self, listener: Listener) -> list[VirtualHost] | None:
        """Return the hosts of a socket that have HTTP/2 through the lines of others.

        None where the directive would switch it on for another socket too.
        """
        key = id(listener)
        if key not in self.relying:
            hosts = listener.virtual_hosts
            everywhere = all(
                one.http2 for host in hosts for one in host.listeners if one.tls and one.transport == "tcp"
            )
            without = [host for host in hosts if not any("http2" in line.directive.arguments for line in _lines(host))]
            self.relying[key] = without if everywhere else None
        return self.relying[key]

    def _ssl(self, place: Place) -> Fix | None:
        if place.directive.arguments == ("off",):
            return Fix('remove "ssl off", which is the default', Safety.SAFE, (RemoveDirective(place),))
        host = next((host for host in self.hosts if _has(host, place)), None)
        if host is None or place.directive.arguments != ("on",):
            return None
        if any(len(listener.virtual_hosts) > 1 and not listener.tls for listener in host.listeners):
            return None  # other hosts of the socket may be plain
        lines = _lines(host)
        if not lines:
            return None
        added = tuple(AddArgument(line, "ssl") for line in lines if "ssl" not in line.directive.arguments)
        return Fix('write "ssl" on the listen lines', Safety.SAFE, (RemoveDirective(place), *added))


def _lines(host: VirtualHost) -> list[Place]:
    """Return the lines that open a host's sockets, each once, in order."""
    places = (line for listener in host.listeners for owner, line in listener.places if owner is host)
    return sorted({id(line.directive): line for line in places}.values(), key=lambda line: line.directive.start)


def _scopes(host: VirtualHost) -> Iterator[Scope]:
    scope = host.scope
    while isinstance(scope, Scope):
        yield scope
        scope = scope.parent


def _says(host: VirtualHost, name: str) -> bool:
    return any(scope.own.get(name) for scope in _scopes(host))


def _has(host: VirtualHost, place: Place) -> bool:
    scope = next(_scopes(host), None)
    return scope is not None and any(place is other for other in scope.own.get("ssl", ()))


__all__ = ["with_successors"]
