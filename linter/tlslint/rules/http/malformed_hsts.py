"""Strict-Transport-Security is sent in a way in which it does not, or not always, work.

## What it finds
Values that browsers ignore (no max-age, a backslash, a directive twice), the header twice in one answer, `preload`
without what the preload list asks for, the header on plain HTTP, and one that error pages do not have (no `always`).

Apache has two tables of headers: `Header set` and `Header always set` for the same name send it twice, and what stands
in the first one goes neither with errors nor with redirects.

## Why it matters
Browsers ignore what they cannot read, and the first of two headers is the only one that counts (RFC 6797, 8.1).

## What clients see
Nothing: the header is there, and has no effect. The preload list refuses the site.

## How to fix it
Write the value in quotes, once, as `"max-age=…; includeSubDomains"`, with `always`, in the server that speaks TLS.

## False alarms that it avoids
Values that a variable makes unknown. On plain HTTP only where the same host also answers over TLS: a server behind a
balancer that ends TLS is right to send it.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Header, Location, Unknown
from tlslint.rules.web import (
    HSTS,
    SecureHost,
    hsts_headers,
    known_values,
    may_be_sent,
    name_span,
    read_hsts,
    secure_hosts,
    value_span,
)

rule = Rule(
    code="TLS804",
    name="malformed-hsts",
    severity=Severity.WARNING,
    summary="Strict-Transport-Security is sent in a way in which it does not work",
    why="browsers ignore a header that they cannot read, a second one, and one that comes over plain HTTP",
    seen="the header is there and has no effect",
    sources=("RFC 6797, sections 6.1, 7.2 and 8.1", "hstspreload.org, submission requirements"),
)
PRELOAD_SECONDS = 31_536_000


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what is wrong with each header that a TLS host sends."""
    for secure in secure_hosts(deployment):
        seen: set[int] = set()
        # most locations inherit their headers
        distinct = {id(location.headers): location for location in secure.host.locations if location.final}
        for location in distinct.values():
            headers = hsts_headers(location)
            yield from _repeated(headers, secure)
            for header in headers:
                if id(header) not in seen:
                    seen.add(id(header))
                    yield from _faults(header, secure)
                    if not header.always and not any(other.always for other in headers):
                        yield _with_success_only(header, secure, deployment.server)
        yield from _on_plain_http(secure)


def _faults(header: Header, secure: SecureHost) -> Iterator[Finding]:
    for value in known_values(header):
        read = read_hsts(value)
        if read.problem:
            yield rule.finding(
                "browsers cannot read Strict-Transport-Security of {endpoint} as it is meant",
                value_span(header),
                label=read.problem,
                help='write "max-age=…; includeSubDomains" in quotes',
                endpoints=secure.labels,
            )
        elif read.preload and not (read.include_subdomains and (read.max_age or 0) >= PRELOAD_SECONDS):
            yield rule.finding(
                "Strict-Transport-Security of {endpoint} asks for preloading and does not qualify",
                value_span(header),
                label=f"preload needs includeSubDomains and max-age={PRELOAD_SECONDS} or more",
                help="drop preload, or meet its conditions if every subdomain works over TLS",
                why="sites are taken off the preload list when their header stops to qualify",
                seen="the preload list refuses the site",
                endpoints=secure.labels,
            )


def _with_success_only(header: Header, secure: SecureHost, server: str) -> Finding:
    is_apache = server == "apache"
    answers = "errors and redirects" if is_apache else "errors"
    return rule.finding(
        f"Strict-Transport-Security of {{endpoint}} is not sent with {answers}",
        header.place.span,
        severity=Severity.INFO,
        label=f'without "always" {"3xx, 4xx and 5xx" if is_apache else "4xx and 5xx"} answers lack it',
        help="write Header always set" if is_apache else 'end the directive with "always"',
        why="a visitor whose first answer is an error does not learn that the site is TLS only",
        seen="curl -I shows the header on pages and not on errors",
        endpoints=secure.labels,
    )


def _repeated(headers: list[Header], secure: SecureHost) -> Iterator[Finding]:
    certain = [header for header in headers if not isinstance(header.over_tls, Unknown) and all(header.over_tls)]
    for header in certain[1:]:
        yield rule.finding(
            "Strict-Transport-Security is sent twice by {endpoint}",
            name_span(header.place, header.name),
            label="browsers take the first header only",
            help="remove one of the two",
            endpoints=secure.labels,
        )


def _on_plain_http(secure: SecureHost) -> Iterator[Finding]:
    plain = [listener for listener in secure.host.listeners if not listener.tls and listener.transport == "tcp"]
    if not plain:
        return
    seen: set[int] = set()
    who = [f"{secure.host.label} on {listener.label}" for listener in plain]
    for header in _plain_headers(secure.host.locations):
        if id(header) not in seen:
            seen.add(id(header))
            yield rule.finding(
                "Strict-Transport-Security is sent over plain HTTP by {endpoint}",
                name_span(header.place, header.name),
                severity=Severity.INFO,
                label="a header that comes over plain HTTP is ignored",
                help="set the header only in the server that speaks TLS, and redirect in one of its own",
                endpoints=who,
            )


def _plain_headers(locations: tuple[Location, ...]) -> Iterator[Header]:
    for location in locations:
        if location.final:
            for header in location.headers:
                known = not isinstance(header.over_plain, Unknown)
                if known and header.name.lower() == HSTS and may_be_sent(header.over_plain):
                    yield header
