"""What a stream server does with connections besides TLS, as problems for the rules to report."""

from collections.abc import Iterable, Iterator

from tlslint.resolve.model import Listener, Problem
from tlslint.resolve.nginx_scope import Scope


def preread_problems(listeners: Iterable[Listener]) -> Iterator[Problem]:
    """Yield each `ssl_preread` of a server that ends TLS itself: it then reads what the client sends inside."""
    for listener in listeners:
        if listener.module != "stream" or not listener.tls:
            continue
        for host in listener.virtual_hosts:
            scope = host.scope
            assert isinstance(scope, Scope)
            places = scope.nearest("ssl_preread")
            words = [word.lower() for place in places for word in place.directive.arguments]
            if words != ["on"] or scope.doubt("ssl_preread"):
                continue
            yield Problem(
                "preread-on-tls-listener",
                "{endpoint} ends TLS itself, and ssl_preread waits for another ClientHello inside it",
                places[0].span,
                severity="error" if _needs_the_name(scope) else "warning",
                label="waits for what clients do not send",
                help="switch ssl_preread off here; $ssl_server_name has the name that the client sent",
                related=tuple((at.span, "ends TLS") for owner, at in listener.places if owner is host)[:1],
                endpoints=(listener.label,),
            )


def _needs_the_name(scope: Scope) -> bool:
    """Whether no client gets what is meant for it: a fixed target serves those that send something themselves."""
    if "proxy_pass" not in scope.own:
        return "return" in scope.own
    return any("$" in word for place in scope.own["proxy_pass"] for word in place.directive.arguments)
