"""TLS is spoken on port 80, where clients speak plain HTTP.

## What it finds
A TCP socket on port 80 that speaks TLS: through `listen 80 ssl`, through `listen 192.0.2.1 ssl` (a missing port is 80),
or through `ssl on` (nginx before 1.25.1) in a server that listens on 80 as well.

## Why it matters
One such line is enough for the whole socket: every redirect to HTTPS on it stops working, and so do ACME challenges,
so that certificates are not renewed.

## What clients see
400 The plain HTTP request was sent to HTTPS port.

## How to fix it
Remove `ssl` from the line, or name the port 443.

## False alarms that it avoids
Ports other than 80 may be whatever they are. UDP is not looked at.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Listener, Place
from tlslint.rules.hosts import listen_span

rule = Rule(
    code="TLS409",
    name="tls-on-plaintext-port",
    severity=Severity.ERROR,
    summary="TLS is spoken on port 80",
    why="whoever asks for http:// gets an error instead of a redirect, and ACME challenges fail",
    seen="400 The plain HTTP request was sent to HTTPS port",
    seen_apache="400 Bad Request: You're speaking plain HTTP to an SSL-enabled server port",
    sources=("nginx, Configuring HTTPS servers",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each line that makes port 80 speak TLS."""
    for listener in deployment.tls_listeners():
        if listener.port != 80 or listener.transport != "tcp" or not listener.address:
            continue
        place = _cause(listener)
        yield rule.finding(
            "{endpoint} expects TLS on port 80",
            listen_span(listener, listener.default) if place is None else place.span,
            label="the whole socket speaks TLS",
            help="take TLS off this line, or name port 443",
            endpoints=[listener.label],
        )


def _cause(listener: Listener) -> Place | None:
    return next((place for _, place in listener.places if "ssl" in place.directive.arguments), None)
