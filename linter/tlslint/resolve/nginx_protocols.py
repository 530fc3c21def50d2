"""Words in lists of protocol versions that nginx refuses, as problems for a rule to report."""

from collections.abc import Iterator

from tlslint.intention import Fix, ReplaceArguments, Safety
from tlslint.parse.tree import Argument
from tlslint.resolve.model import Place, Problem
from tlslint.resolve.nginx_scope import Scope
from tlslint.resolve.nginx_tls import PROTOCOLS
from tlslint.resolve.nginx_verify import next_directive
from tlslint.resolve.protocol_words import PLACEHOLDER, meant_by

DIRECTIVES = ("ssl_protocols", "proxy_ssl_protocols", "grpc_ssl_protocols", "uwsgi_ssl_protocols")
_ANY = frozenset(DIRECTIVES)
_KNOWN = frozenset(name.lower() for name in PROTOCOLS)


def protocol_problems(main: Scope) -> Iterator[Problem]:
    """Yield each word that is no version of nginx's, with the version that was probably meant."""
    seen: set[int] = set()
    for scope in main.walk():
        for name in () if _ANY.isdisjoint(scope.own) else DIRECTIVES:
            for place in scope.own.get(name, ()):
                if id(place.directive) not in seen:
                    seen.add(id(place.directive))
                    yield from _problems(place)


def _problems(place: Place) -> Iterator[Problem]:
    lost = next_directive(place.directive)
    for word in place.directive.arguments:
        if word is lost:
            return  # a directive that lacks its semicolon is one fault
        if word.lower() in _KNOWN or PLACEHOLDER.search(word):
            continue
        meant = meant_by(word)
        yield Problem(
            "unknown-protocol",
            f'{place.directive.name} has the word "{word}", which nginx does not know',
            word.span,
            label="nginx refuses to start",
            help=f"write {' '.join(meant)}" if meant else f"name versions out of {', '.join(PROTOCOLS)}",
            fix=_respelt(place, word, meant) if meant else None,
        )


def _respelt(place: Place, word: Argument, meant: tuple[str, ...]) -> Fix:
    words: list[str] = []
    for argument in place.directive.arguments:
        words += meant if argument is word else (str(argument),)
    unique = tuple(dict.fromkeys(words))
    return Fix(f"write {' '.join(meant)}", Safety.SAFE, (ReplaceArguments(place, unique),))
