"""What a host serves that rejects every handshake is reached through the name of another host.

## What it finds
Hosts with `ssl_reject_handshake on;` that serve something, on a socket where another host accepts handshakes.

## Why it matters
Only the server name of the handshake is rejected. A client that sends the name of another host in the handshake, and
the rejecting host's in the Host header, gets its pages. The same holds for any unknown Host header where the rejecting
host is the default of its socket.

## What clients see
`curl -H "Host: hidden.example.com" https://open.example.com/` gets `200 OK`.

## How to fix it
Answer nothing in the rejecting host: `return 444;`. What is to be served to some needs a socket of its own, or a check
that does not go by names.

## False alarms that it avoids
Hosts that refuse or redirect every request, that only answer ACME challenges, or that have no content of their own;
hosts that are served over plain HTTP anyway; sockets where every host rejects; hosts that keep strangers out in
another way (addresses, passwords), verify client certificates (nginx then answers 421) or compare
`$ssl_server_name`. Apache has no host that rejects handshakes. Where an include could not be read, nothing is said.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, VirtualHost
from tlslint.rules.hosts import stands_in
from tlslint.rules.web import is_challenge

rule = Rule(
    code="TLS417",
    name="reachable-rejecting-host",
    severity=Severity.WARNING,
    summary="what a host serves that rejects every handshake is reached through the name of another host",
    why="the handshake goes by the server name, the request by its Host header, and they may differ",
    seen="200 OK for a client whose handshake names another host and whose request names this one",
    sources=("nginx, ngx_http_ssl_module: ssl_reject_handshake", "RFC 9110, section 7.4"),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each rejecting host with content that another host's handshake leads to."""
    for listener in deployment.tls_listeners():
        if listener.module != "http" or len(listener.virtual_hosts) < 2:
            continue
        rejecting = [host for host in listener.virtual_hosts if host.tls.reject_handshake.known]
        open_host = _open_host(listener) if rejecting else None
        for host in rejecting if open_host is not None else ():
            assert open_host is not None
            content = None if _is_kept_apart(host) else _content(deployment, host)
            if content is not None:
                yield _finding(listener, host, open_host, content)


def _open_host(listener: Listener) -> VirtualHost | None:
    """Return a host whose name a client may send to get through the handshake."""
    for host in listener.virtual_hosts:
        is_open = host.tls.reject_handshake.known is False and (host.tls.certificates.known or ())
        if is_open and (host is listener.default or any(name.kind != "empty" for name in host.names)):
            return host
    return None


def _is_kept_apart(host: VirtualHost) -> bool:
    """Whether its pages are public anyway, something else may guard them, or too little is known."""
    checks = host.client_checks
    is_public = any(not listener.tls and listener.transport == "tcp" for listener in host.listeners)
    # nginx compares both names where clients are verified
    verifies = host.tls.client_check.value != "none"
    is_guarded = verifies or checks.guarded or bool(checks.doubt) or any(use.condition for use in checks.uses)
    return is_public or is_guarded or bool(host.incomplete)


def _content(deployment: Deployment, host: VirtualHost) -> Span | None:
    """Return what the host serves that is its own: a program's answer, a text, or files."""
    serves_files = False
    for location in host.locations:
        if not location.final or is_challenge(location) or location.redirect(tls=True) is not None:
            continue
        if location.returns is not None:
            if location.returns < 300:
                return location.place.span if location.path else host.span
            continue
        if location.application is not None:
            return location.application.span
        serves_files = True
    if not serves_files:
        return None
    return next((place.span for _, place in deployment.document_roots() if stands_in(place, host)), None)


def _finding(listener: Listener, host: VirtualHost, open_host: VirtualHost, content: Span) -> Finding:
    span = host.tls.reject_handshake.span
    return rule.finding(
        f"what {host.label} serves on {{endpoint}} is reached with the name of another host in the handshake",
        host.span if span is None else span,
        label="rejects a name, not requests",
        help="serve nothing in this host: return 444",
        endpoints=[listener.label],
        related=[Related(content, "served"), Related(open_host.span, "accepts handshakes on the same socket")],
    )
