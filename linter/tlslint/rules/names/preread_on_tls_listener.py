"""A stream server ends TLS itself and waits for a second ClientHello inside the connection.

## What it finds
`ssl_preread on;` in force in a server whose `listen` line says `ssl`.

## Why it matters
`ssl_preread` reads the ClientHello of TLS that is passed on untouched. Where nginx ends TLS itself, it looks for one in
what the client sends inside. Clients that wait for the server to speak first (mail, databases, SSH) wait until
`preread_timeout`, 30 seconds, and are then disconnected. For clients that speak first, the `$ssl_preread_…` variables
are empty, so everybody is sent where a `map` sends those without a name.

## What clients see
The handshake completes, and then nothing comes until the connection is closed; or the wrong backend answers.

## How to fix it
Remove `ssl` from the `listen` line where TLS is to be passed on. Where nginx is to end it, switch `ssl_preread` off and
choose the backend by `$ssl_server_name`.

## False alarms that it avoids
Servers without TLS of their own are what the directive is for. With one fixed backend the finding is a warning, because
clients that speak first are served. Apache passes no TLS on unread. Where an include could not be read that may switch
it off, nothing is said.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS416",
    name="preread-on-tls-listener",
    severity=Severity.ERROR,
    summary="a stream server ends TLS itself and waits for a second ClientHello inside the connection",
    why="what is read is what clients send inside TLS, which is no ClientHello",
    seen="the handshake completes, then nothing comes until preread_timeout closes the connection",
    sources=("nginx, ngx_stream_ssl_preread_module", "nginx, ngx_stream_core_module: preread_timeout"),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each `ssl_preread` that reads inside TLS."""
    yield from reported(rule, deployment)
