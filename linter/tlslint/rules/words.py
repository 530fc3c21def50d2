"""What all rules share: how lists are written, which argument a finding points at, whom a setting governs."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.parse.tree import Argument, Span
from tlslint.resolve.model import Deployment, Endpoint, Problem, Setting, TlsSettings, VirtualHost

T = TypeVar("T")

SEVERITIES = {severity.label: severity for severity in Severity}


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Write words as a list: `a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 day`, `12 days`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def place_of(setting: Setting[frozenset[str]], words: Collection[str]) -> Span:
    """Return the span of the first to the last of these words among the arguments that make a setting.

    Words that are not written out are where `all` stands; those that an OpenSSL command switches on fall back to the
    last directive's arguments. Raises ValueError for a default, which has no place.
    """
    if not setting.places:
        raise ValueError("a default has no place")
    for wanted in ({word.lower() for word in words}, {"all"}):
        for place in setting.places:
            hits = [argument for argument in place.directive.arguments if argument.lower().removeprefix("+") in wanted]
            if hits:
                return Span(hits[0].source, hits[0].start, hits[-1].end)
    return setting.places[-1].span


def problems(deployment: Deployment, kind: str) -> Iterator[Problem]:
    """Yield what resolution itself found for the rule of that name."""
    return (problem for problem in deployment.problems if problem.kind == kind)


def reported(rule: Rule, deployment: Deployment, known: Collection[Finding] = ()) -> Iterator[Finding]:
    """Yield what resolution itself found for a rule, as it says it, where the rule has no finding of its own yet."""
    for problem in problems(deployment, rule.name):
        if any(_overlap(problem.span, finding.span) for finding in known):
            continue
        yield rule.finding(
            problem.message,
            problem.span,
            severity=SEVERITIES[problem.severity],
            label=problem.label,
            help=problem.help,
            endpoints=problem.endpoints,
            related=related_places(problem),
            fix=problem.fix,
            yields_to=problem.yields_to,
        )


def _overlap(one: Span, two: Span) -> bool:
    return one.source is two.source and one.start < two.end and two.start < one.end


def related_places(problem: Problem) -> tuple[Related, ...]:
    """Return the further places of a problem."""
    return tuple(Related(span, message) for span, message in problem.related)


def part_of(argument: Argument, start: int, end: int) -> Span:
    """Return the span of a part of an argument's value, or of the whole argument where escapes hide the offsets."""
    quotes = len(argument.quote)
    if argument.end - argument.start - 2 * quotes != len(argument):
        return argument.span
    first = argument.start + quotes
    return Span(argument.source, first + start, first + end)


def value_argument(setting: Setting[T]) -> Argument | None:
    """Return the argument that holds the whole value of a setting, or None where several make it (or none does).

    Apache puts exclusions of its own before or behind each list of suites.
    """
    if not setting.places:
        return None
    arguments = setting.places[-1].directive.arguments
    exact = next((argument for argument in reversed(arguments) if argument == setting.value), None)
    if exact is not None or not arguments or not isinstance(setting.value, str):
        return exact
    last, value = arguments[-1], setting.value
    return last if last and (value.startswith(f"{last}:!") or value.endswith(f"EXP:{last}")) else None


def directive_of(setting: Setting[T]) -> str:
    """Return the name of the directive that (last) makes a setting, as the server spells it."""
    return str(setting.places[-1].directive.name) if setting.places else ""


def span_of(setting: Setting[T], endpoints: list[Endpoint]) -> Span:
    """Return where a setting is made; for a default, the opening line of the first host that it is in force for."""
    return setting.span or endpoints[0].answering.span


@lru_cache(maxsize=1)
def negotiating(deployment: Deployment) -> tuple[Endpoint, ...]:
    """Return the endpoints that mean to complete handshakes: TLS is spoken, and nothing rejects every client."""
    return tuple(
        endpoint
        for endpoint in deployment.endpoints
        if endpoint.handshake.outcome != "plaintext"
        and not endpoint.tls.reject_handshake.known
        and (endpoint.tls.certificates.is_unknown or endpoint.tls.certificates.known)
    )


def governed_by(deployment: Deployment, *fields: str) -> Iterator[list[Endpoint]]:
    """Yield the negotiating endpoints, those together for which the same settings of these names are in force."""
    known = _governed(deployment)
    if fields not in known:
        known[fields] = list(sharing(negotiating(deployment), *fields))
    yield from known[fields]


@lru_cache(maxsize=1)
def _governed(deployment: Deployment) -> dict[tuple[str, ...], list[list[Endpoint]]]:
    """Return what `governed_by` has found so far: several rules ask for the same fields."""
    return {}


def governing(endpoints: Iterable[Endpoint], field: str) -> tuple[VirtualHost, ...]:
    """Return the hosts whose own settings of that name are in force for endpoints: each once, in order.

    Where the default server of a socket decides for the named host, that is the default server.
    """
    found: dict[VirtualHost, None] = {}
    for endpoint in endpoints:
        decided = endpoint.tls.setting(field)
        hosts = (endpoint.answering, endpoint.listener.default, endpoint.virtual_host)
        found[next((host for host in hosts if host.tls.setting(field) is decided), endpoint.answering)] = None
    return tuple(found)


def sharing(endpoints: Iterable[Endpoint], *fields: str) -> Iterator[list[Endpoint]]:
    """Yield those endpoints together for which the same settings of these names are in force."""
    settings_of: Callable[[TlsSettings], object] = attrgetter(*fields)
    # settings compare by identity
    groups: dict[object, list[Endpoint]] = {}
    for endpoint in endpoints:
        groups.setdefault(settings_of(endpoint.tls), []).append(endpoint)
    yield from groups.values()


def labels(endpoints: Iterable[Endpoint]) -> list[str]:
    """Return the labels of endpoints, in order."""
    return [endpoint.label for endpoint in endpoints]


def releases(versions: Iterable[object], all_versions: Iterable[object]) -> str:
    """Write versions of an ordered list: `1.18.0 to 1.22.1`, `1.28.3 and later`, `1.24.0 and 1.28.3`."""
    chosen, everything = list(versions), list(all_versions)
    if not chosen or len(chosen) == len(everything) == 1:
        return listed(map(str, chosen))
    first, last = everything.index(chosen[0]), everything.index(chosen[-1])
    if last - first + 1 != len(chosen) or (len(chosen) == 1 and last != len(everything) - 1):
        return listed(map(str, chosen))
    return f"{chosen[0]} and later" if last == len(everything) - 1 else f"{chosen[0]} to {chosen[-1]}"
