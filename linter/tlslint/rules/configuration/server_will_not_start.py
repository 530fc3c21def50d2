"""The server refuses to start with this configuration.

## What it finds
What the server itself objects to beyond its syntax: a directive in a place where it may not stand, with the wrong
number of arguments, twice in one block, or with a value that it does not take; a TLS socket whose default server has no
certificate; `listen` lines, names and shared zones that are impossible together; files that are not there (where the
whole machine is in view); two sockets that cannot be open at the same time, which nginx finds out at its start and not
with `nginx -t`. Apache checks far less with `apache2 -t`: that no protocol version is left, that no cipher suite or
group is known, that a key is another certificate's, that a host with TLS has no certificate, that stapling has no cache
or a check no revocation list, it finds out at its start. The message is the server's own, Apache's with the number in
its log.

## Why it matters
A restart, a reboot or a new container ends without a server.

## What clients see
Connection refused, after the next restart. nginx keeps the old configuration at a reload, so that nobody notices at
first; an Apache that runs ends at the next graceful reload, with all its sites.

## How to fix it
As the message says; a related place shows what it clashes with.

## False alarms that it avoids
Each verdict was compared with real servers' on damaged configurations. Where an include could not be read, or a file is
only a part of a configuration, nothing is called missing or misplaced. Hosts that have TLS switched off are not asked
for a certificate, since Apache does not either. An encrypted key is none: somebody may type the pass phrase. Names are
not looked up in DNS. Values that hold a template's placeholder are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.words import reported

rule = Rule(
    code="TLS006",
    name="server-will-not-start",
    severity=Severity.ERROR,
    summary="the server refuses to start with this configuration",
    why="a restart, a reboot or a new container ends without a server",
    seen="nginx -t (or the start itself): [emerg] and the message of the finding",
    seen_apache='apache2 -t may say "Syntax OK"; the start, or the next reload, ends with the message of the finding',
    sources=("nginx, directive reference", "Apache HTTP Server, directive reference"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield what the server refuses."""
    yield from reported(rule, deployment)
