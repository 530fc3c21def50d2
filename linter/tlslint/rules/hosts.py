"""What the rules about names and sockets share."""

from collections.abc import Iterator

from tlslint.parse.tree import Span
from tlslint.resolve.model import Deployment, Listener, Place, ServerName, VirtualHost
from tlslint.target import Version

_STREAM_NAMES_SINCE = Version("1.25.5")


def shared_sockets(deployment: Deployment) -> Iterator[Listener]:
    """Yield the TLS sockets on which a client's name chooses between several hosts."""
    version = deployment.target.server
    for listener in deployment.tls_listeners():
        if len(listener.virtual_hosts) < 2 or listener.module == "mail" or not listener.address:
            continue
        if listener.module == "stream" and version is not None and version < _STREAM_NAMES_SINCE:
            continue
        yield listener


def may_say_more(listener: Listener) -> bool:
    """Whether a file that could not be read may hold another `listen` line for the socket."""
    return bool(listener.incomplete) or any(host.incomplete for host in listener.virtual_hosts)


def is_real_name(name: ServerName) -> bool:
    """Whether a site can be reached under the name: not `_`, `localhost` or another word that stands for anything."""
    if name.kind == "empty" or name.text.lower().endswith(".invalid"):
        return False
    return name.kind == "regex" or "." in name.text.strip(".*")


def listen_span(listener: Listener, host: VirtualHost) -> Span:
    """Return the words that open the socket for a host; the host's opening line where nothing does so explicitly."""
    return next((place.span for owner, place in listener.places if owner is host), host.span)


def is_local(address: str) -> bool:
    """Whether only programs of the same machine can connect."""
    return address.startswith(("127.", "unix:")) or address == "[::1]"


def stands_in(place: Place, host: VirtualHost) -> bool:
    """Whether a directive stands in the block of a host, itself or through an include in it."""
    block = host.place.directive
    return any(
        step.source is block.source and block.start <= step.start < block.end
        for step in (*place.includes, place.directive)
    )
