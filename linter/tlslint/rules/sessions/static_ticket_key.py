"""The key of session tickets is read from a file, so that nothing renews it.

## What it finds
`ssl_session_ticket_key` (nginx) or `SSLSessionTicketKeyFile` (Apache) where tickets are on. Several files look like a
scheme that renews them, and are reported for information.

## Why it matters
The key decrypts every session that was begun with it, up to TLS 1.2 in spite of forward secrecy, and it lies in a file
that is copied to other machines and into backups.

## What clients see
Nothing.

## How to fix it
Let the server make its own keys (nginx renews them since 1.23.2 where a shared session cache is set); where several
machines must share sessions, replace the file at least once a day and keep the previous key as the second one. Apache
takes one file only, and makes a key of its own whenever it reads its configuration.

## False alarms that it avoids
Where tickets are off the file is not used. Where only TLS 1.3 is negotiated, it opens nothing but early data. On a
shared socket nginx takes the keys of the default server: a file that another host names is not in force. Apache needs
a file in the first host of an address and in the named one: a file in the named one alone is not in force either.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.resumption import exposed_to_ticket_key
from tlslint.rules.words import governed_by, labels, span_of

rule = Rule(
    code="TLS602",
    name="static-ticket-key",
    severity=Severity.WARNING,
    summary="the key of session tickets is read from a file",
    why="the key decrypts every session that was begun with it, and nothing renews the file",
    seen="nobody sees it",
    sources=(
        "nginx, ssl_session_ticket_key",
        "Apache HTTP Server: mod_ssl, SSLSessionTicketKeyFile",
        "RFC 5077, section 5.5",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each set of key files that is in force."""
    for endpoints in governed_by(deployment, "ticket_keys", "session_tickets"):
        tls = endpoints[0].tls
        keys = tls.ticket_keys.known
        exposed = exposed_to_ticket_key(endpoints)
        if not keys or tls.session_tickets.known is not True or not exposed:
            continue
        yield rule.finding(
            "the key of session tickets comes from a file for {endpoint}",
            span_of(tls.ticket_keys, exposed),
            severity=Severity.WARNING if len(keys) == 1 else Severity.INFO,
            label="nothing renews it" if len(keys) == 1 else "somebody has to renew it",
            help="let the server make its own keys, or replace the file daily",
            endpoints=labels(exposed),
        )
