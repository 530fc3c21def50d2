"""Through which includes a file takes effect."""

from collections.abc import Iterator

from tlslint.parse.tree import Span
from tlslint.resolve.model import Deployment, TlsSettings


def include_chains(deployment: Deployment) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Yield each included file that sets something about TLS, and the includes through which it takes effect."""
    seen: set[int] = set()
    for handshake in deployment.handshakes:
        for name in TlsSettings.__match_args__:
            for place in getattr(getattr(handshake.tls, name), "places", ()):
                source = place.directive.source
                if place.includes and id(source) not in seen:
                    seen.add(id(source))
                    yield source.path, tuple(include.span for include in place.includes)
