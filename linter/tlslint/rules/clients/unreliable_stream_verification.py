"""Whether a stream server insists on a client certificate is left to chance.

## What it finds
Named servers of a stream socket whose `ssl_verify_client on;` the default server of the socket does not share, and
named servers without it where the default server has it.

## Why it matters
nginx reads the setting before the handshake, when no name is known and the default server's counts. It reads it anew
where it had to wait for the client on the way. A client that is quick enough is judged by the default server's setting;
one that is turned away need only try again.

## What clients see
Without a certificate: now the connection is closed, now it leads to the backend. On nginx 1.31.3 one in three
connections without a certificate got through on the same machine, none of those that waited before their first message.

## How to fix it
Set `ssl_verify_client on;` in the default server too (or above all servers), or give the server a socket of its own.

## False alarms that it avoids
The same setting in both, however it is inherited; http and mail, which look at the certificate when the name is known;
a server alone on its socket; versions before 1.25.5, on which names choose nothing in stream. A default server that
rejects handshakes is no remedy and is reported. It is nginx's stream module alone that forgets.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.words import directive_of, negotiating

rule = Rule(
    code="TLS513",
    name="unreliable-stream-verification",
    severity=Severity.ERROR,
    summary="whether a stream server insists on a client certificate is left to chance",
    why="stream reads the setting before the name is known, and anew only where it had to wait for the client",
    seen="a client without a certificate gets through when it tries a few times",
    sources=("nginx, ngx_stream_ssl_module: ssl_verify_client",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each named stream server whose demand for a certificate the default server does not share."""
    for endpoint in negotiating(deployment):
        default = endpoint.listener.default
        if endpoint.listener.module != "stream" or endpoint.answering is default:
            continue
        own, governing = endpoint.answering.tls.client_check, default.tls.client_check
        if own.is_unknown or governing.is_unknown:
            continue
        if (own.known == "required") is not (governing.known == "required"):
            yield _finding(endpoint)


def _finding(endpoint: Endpoint) -> Finding:
    default = endpoint.listener.default
    own, governing = endpoint.answering.tls.client_check, default.tls.client_check
    demands = own.known == "required"
    here, other = (own, governing) if demands else (governing, own)
    directive = directive_of(here)
    message = (
        "quick clients of {endpoint} need no certificate: the default server of the socket does not insist on one"
        if demands
        else "quick clients of {endpoint} need a certificate: the default server of the socket insists on one"
    )
    other_span = other.span or (default if demands else endpoint.answering).span
    return rule.finding(
        message,
        here.span or endpoint.answering.span,
        label="counts by chance" if demands else "counts by chance for the other servers of the socket",
        help=f"set {directive} alike in all servers of the socket, or give this one a socket of its own",
        seen=None if demands else "a client without a certificate is turned away now and then",
        endpoints=[endpoint.label],
        related=[Related(other_span, "says otherwise")],
    )
