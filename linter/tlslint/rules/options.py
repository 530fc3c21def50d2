"""OpenSSL options that a configuration switches on, and the word that does."""

import re
from collections.abc import Iterator

from tlslint.parse.tree import Span
from tlslint.resolve.model import Deployment, Endpoint, TlsSettings
from tlslint.rules.words import governed_by, part_of


def switched_on(deployment: Deployment, option: str) -> Iterator[tuple[Span, list[Endpoint]]]:
    """Yield where an option is switched on, and the endpoints with it and with versions below TLS 1.3."""
    for endpoints in governed_by(deployment, "conf_commands"):
        having = [endpoint for endpoint in endpoints if _has(endpoint, option)]
        if having:
            yield _place(having[0].tls, option) or having[0].answering.span, having


def _has(endpoint: Endpoint, option: str) -> bool:
    return option in endpoint.tls.options and endpoint.handshake.negotiates_tls12


def _place(tls: TlsSettings, option: str) -> Span | None:
    for command in reversed(tls.conf_commands.known or ()):
        if command.name.lower() != "options":
            continue
        argument = command.place.directive.arguments[-1]
        found = re.search(rf"(?<![\w-]){option}\b", argument, re.IGNORECASE)
        if found:
            return part_of(argument, found.start(), found.end())
    return None
