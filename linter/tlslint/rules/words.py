"""Small helpers for rules: how lists are written, and which argument a finding points at."""

from collections.abc import Collection, Iterable, Iterator

from tlslint.finding import Related, Severity
from tlslint.parse.tree import Span
from tlslint.resolve.model import Deployment, Problem, Setting

SEVERITIES = {severity.label: severity for severity in Severity}


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Write words as a list: `a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def place_of(setting: Setting[frozenset[str]], words: Collection[str]) -> Span:
    """Return the span of the first to the last of these words among the arguments that make a setting.

    Words that are not written out (an OpenSSL command switches them on) fall back to the last directive's arguments.
    Raises ValueError for a default, which has no place.
    """
    if not setting.places:
        raise ValueError("a default has no place")
    wanted = {word.lower() for word in words}
    for place in setting.places:
        hits = [argument for argument in place.directive.arguments if argument.lower() in wanted]
        if hits:
            return Span(hits[0].source, hits[0].start, hits[-1].end)
    return setting.places[-1].span


def through_includes(setting: Setting[object]) -> tuple[Related, ...]:
    """Return the include through which a setting takes effect, as a second place to show."""
    include = setting.places[-1].last_include if setting.places else None
    if include is None or not include.arguments:
        return ()
    return (Related(Span(include.source, include.start, include.arguments[-1].end), "takes effect through this include"),)


def problems(deployment: Deployment, kind: str) -> Iterator[Problem]:
    """Yield what resolution itself found for the rule of that name."""
    return (problem for problem in deployment.problems if problem.kind == kind)


def related_places(problem: Problem) -> tuple[Related, ...]:
    """Return the further places of a problem."""
    return tuple(Related(span, message) for span, message in problem.related)
