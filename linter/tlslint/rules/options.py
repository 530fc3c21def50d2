"""OpenSSL options that a configuration switches on: where it does, and how that is undone."""

import re
from collections.abc import Iterator

from tlslint.intention import AddDirective, Fix, RemoveDirective, ReplaceArguments, ReplacePart, Safety
from tlslint.parse.tree import Span
from tlslint.record import dataclass
from tlslint.resolve.model import ConfCommand, Deployment, Endpoint, Place, TlsSettings, VirtualHost
from tlslint.rules.words import negotiating, part_of

APACHE_SWITCHES = {"Compression": "SSLCompression", "UnsafeLegacyRenegotiation": "SSLInsecureRenegotiation"}


@dataclass(frozen=True, slots=True)
class Switch:
    """A place that switches an option on, and the endpoints with it and with versions below TLS 1.3.

    Without a place it is on by default (of the server's version, or of the machine's OpenSSL).
    """

    span: Span
    endpoints: list[Endpoint]
    fix: Fix | None


def switched_on(deployment: Deployment, option: str) -> Iterator[Switch]:
    """Yield each place that switches an option on."""
    found: dict[Span, Switch] = {}
    for endpoint in negotiating(deployment):
        if option in endpoint.tls.options and endpoint.handshake.negotiates_tls12:
            for span, fix in _places(deployment, endpoint, option):
                found.setdefault(span, Switch(span, [], fix)).endpoints.append(endpoint)
    yield from found.values()


def _places(deployment: Deployment, endpoint: Endpoint, option: str) -> Iterator[tuple[Span, Fix | None]]:
    sources = {id(endpoint.tls.conf_commands): endpoint.tls}
    if deployment.server == "apache":
        # the options of the first host stay on when a name leads to another one
        default = endpoint.listener.default.tls
        sources.setdefault(id(default.conf_commands), default)
    nothing = True
    for tls in sources.values():
        if option not in tls.options:
            continue
        command = _command(tls, option)
        if command is not None:
            nothing = False
            yield command[1], _dropped(deployment, tls, option, *command)
    for name, place in endpoint.tls.switches:
        if name == option:
            nothing = False
            title = f"switch {place.directive.name} off"
            yield place.span, Fix(title, Safety.SAFE, (ReplaceArguments(place, ("off",)),))
    if nothing:
        host = endpoint.answering if option in endpoint.answering.tls.options else endpoint.listener.default
        yield host.span, _by_default(deployment, host, option)


def _by_default(deployment: Deployment, host: VirtualHost, option: str) -> Fix | None:
    if deployment.server != "apache" or option not in APACHE_SWITCHES:
        return None
    name = APACHE_SWITCHES[option]
    return Fix(f"switch {name} off", Safety.SAFE, (AddDirective(name, ("off",), host=host),))


def _command(tls: TlsSettings, option: str) -> tuple[ConfCommand, Span] | None:
    for command in reversed(tls.conf_commands.known or ()):
        if command.name.lower() != "options":
            continue
        argument = command.place.directive.arguments[-1]
        found = re.search(rf"(?<![\w-])\+?{option}\b", argument, re.IGNORECASE)
        if found:
            return command, part_of(argument, found.start(), found.end())
    return None


def _dropped(deployment: Deployment, tls: TlsSettings, option: str, command: ConfCommand, span: Span) -> Fix:
    place = command.place
    if command.value.strip().lstrip("+").lower() != option.lower():
        if span == place.directive.arguments[-1].span:
            # escapes hide where it stands
            return Fix(f"remove {option}", Safety.MANUAL)
        return Fix(f"remove {option}", Safety.SAFE, (ReplacePart(place, span, "", ","),))
    if _replaces_others(deployment, tls, place):
        # without a line of its own the block would have those of the one around it
        return Fix(f"switch {option} off", Safety.SAFE, (ReplacePart(place, span, f"-{option}"),))
    return Fix(f"remove {option}", Safety.SAFE, (RemoveDirective(place),))


def _replaces_others(deployment: Deployment, tls: TlsSettings, place: Place) -> bool:
    """Whether a line is the only one of its block, and other blocks have such lines (nginx: it has no others then)."""
    if deployment.server != "nginx" or len(tls.conf_commands.known or ()) > 1:
        return False
    return any(
        command.place.directive is not place.directive
        for host in deployment.virtual_hosts
        for command in host.tls.conf_commands.known or ()
    )
