"""The `listen` lines of one socket disagree, and what one of them says counts for all hosts on it.

## What it finds
A socket on which some lines say `proxy_protocol` and others do not (a warning), or some say `ssl` and others do not
(for information).

## Why it matters
The parameters belong to the socket. One line with `proxy_protocol` makes nginx expect the header from every client, so
that the other hosts' clients are cut off; one line with `ssl` makes a host speak TLS that was meant to be plain, or was
only written carelessly.

## What clients see
With `proxy_protocol`: curl: (35) Recv failure: Connection reset by peer. With `ssl`: nothing, if TLS was meant.

## How to fix it
Say the same on all lines of the socket, or give the hosts addresses or ports of their own.

## False alarms that it avoids
Lines for different addresses, ports or transports open different sockets. `http2` on one line only adds an offer.
Apache opens each socket with one line, and does not start with two.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, Place

rule = Rule(
    code="TLS414",
    name="disagreeing-listen-lines",
    severity=Severity.WARNING,
    summary="the listen lines of one socket disagree",
    why="what one line says counts for the whole socket and all hosts on it",
    seen="curl: (35) Recv failure: Connection reset by peer; nginx error log: broken header … PROXY protocol",
    sources=(
        "nginx, listen",
        "nginx 1.23.4, CHANGES (protocol options redefined)",
    ),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each line that says what others on its socket do not, or lacks what others say."""
    for listener in deployment.listeners:
        if len(listener.places) > 1 and listener.transport == "tcp":
            yield from _proxy_protocol(listener)
            yield from _ssl(listener)


def _split(listener: Listener, word: str) -> tuple[list[Place], list[Place]]:
    """Return the lines with and the lines without a parameter."""
    having: list[Place] = []
    lacking: list[Place] = []
    for _, place in listener.places:
        (having if word in place.directive.arguments else lacking).append(place)
    return having, lacking


def _proxy_protocol(listener: Listener) -> Iterator[Finding]:
    having, lacking = _split(listener, "proxy_protocol")
    if having and lacking:
        word = next(word for word in having[0].directive.arguments if word == "proxy_protocol")
        yield rule.finding(
            "{endpoint} expects the PROXY protocol from the clients of all hosts",
            word.span,
            label="counts for the whole socket",
            help="say the same on all lines of the socket",
            endpoints=[listener.label],
            related=[Related(lacking[0].span, "this line does not say so")],
        )


def _ssl(listener: Listener) -> Iterator[Finding]:
    having, lacking = _split(listener, "ssl")
    if having and lacking:
        yield rule.finding(
            "{endpoint} speaks TLS although a line for it does not say so",
            lacking[0].span,
            severity=Severity.INFO,
            label='"ssl" on another line counts here too',
            help="say the same on all lines of the socket",
            seen="",
            endpoints=[listener.label],
            related=[Related(having[0].span, "this line says ssl")],
        )
