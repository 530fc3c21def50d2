"""What httpd itself objects to in sockets, addresses and names, as problems for the rules to report."""

from collections.abc import Iterator
from typing import Final

from tlslint.parse.tree import Span
from tlslint.resolve.apache_hosts import ANY_PORT, parse_address, parse_server_name
from tlslint.resolve.apache_listen import Listen, conflicts, parse_listen
from tlslint.resolve.apache_scope import VIRTUAL_HOST, Section
from tlslint.resolve.model import Place, Problem

_REFUSED: Final = "apache2 -t refuses it"
_LATE: Final = 'apache2 -t says "Syntax OK", and Apache does not start'


def socket_problems(main: Section) -> Iterator[Problem]:
    """Yield `Listen` lines that httpd refuses, and those that it cannot bind beside others."""
    listens: list[Listen] = []
    places: list[Place] = []
    for place in main.own.get("listen", ()):
        if place.doubt:
            continue
        listen = parse_listen(place.directive.arguments)
        if isinstance(listen, str):
            yield _refusal(listen, place.span, _REFUSED)
        else:
            listens.append(listen)
            places.append(place)
    for conflict in conflicts(listens):
        first, second = places[conflict.first], places[conflict.second]
        listen = listens[conflict.second]
        message = (
            "Cannot define multiple Listeners on the same IP:port"
            if conflict.early
            else f"could not bind to address {listen.address}:{listen.port} (AH00072)"
        )
        related = ((first.span, "takes the same connections"),)
        label = _REFUSED if conflict.early else _LATE
        yield _refusal(message, second.span, label, "listen once for each address and port", related)


def host_problems(main: Section) -> Iterator[Problem]:
    """Yield addresses and names of virtual hosts that httpd refuses."""
    for section in (main, *main.sections(VIRTUAL_HOST)):
        for place in section.own.get("servername", ()):
            words = place.directive.arguments
            parsed = parse_server_name(words[0]) if len(words) == 1 and not place.doubt else None
            if isinstance(parsed, str):
                yield _refusal(parsed, place.span, _REFUSED)
        if section.place is None or section.place.doubt:
            continue
        for word in section.place.directive.arguments:
            if not word:
                break
            address = parse_address(word, ANY_PORT)
            if isinstance(address, str):
                yield _refusal(f"{address} ({word})", word.span, _REFUSED)
                break


def _refusal(
    message: str, span: Span, label: str, advice: str = "", related: tuple[tuple[Span, str], ...] = ()
) -> Problem:
    return Problem("server-will-not-start", message, span, "error", label, advice, related)


__all__ = ["host_problems", "socket_problems"]
