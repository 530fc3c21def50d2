"""A host sets something that the default server of its socket decides instead, with another value.

## What it finds
nginx: key exchange groups, session cache, ticket keys, session timeout and early data, which it takes from the default
server of the socket on every version; TLS 1.3 suites, their order and session tickets, on versions before 1.29.2.
Apache: key exchange groups, which the first host of the address decides; the server's order of suites, which is in
force as soon as the first host or the named one switches it on, and session tickets, which either switches off; ticket
keys in a file, which count only where both hosts have one. Protocol versions are shadowed-protocols' subject.

## Why it matters
The line in the host reads as if it counted. The default server may be in another file, and be another one tomorrow.
Where the first Apache host has a file with ticket keys and the named one has none, every handshake for the name fails.

## What clients see
What the default server asks for.

## How to fix it
Set it in the default server (Apache: the first host of the address), or outside of the hosts for all of them; a host
that needs other values needs a socket (an address or port) of its own.

## False alarms that it avoids
The same value in both is silent, and so is a host on a socket of its own. Where the version is not known, the finding
names the versions that do so. What is about sessions only is for information.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Setting, Shadow

rule = Rule(
    code="TLS410",
    name="settings-shadowed-by-default-server",
    severity=Severity.WARNING,
    summary="a host sets something that the default server of its socket decides",
    why="the line has no effect, and the value in force stands in another host",
    seen="the handshake shows the value of the default server",
    sources=(
        "nginx, ssl_protocols (note on virtual servers)",
        "nginx 1.29.2, CHANGES",
        "Apache HTTP Server, SSLHonorCipherOrder, SSLSessionTickets",
    ),
)


_WORDS = {
    "groups": "key exchange groups",
    "ciphersuites": "TLS 1.3 cipher suites",
    "server_order": "order of cipher suites",
    "server_order_tls13": "order of TLS 1.3 cipher suites",
    "session_tickets": "session tickets",
    "ticket_keys": "session ticket keys",
    "session_cache": "session cache",
    "session_timeout": "session timeout",
    "early_data": "early data",
}
_ADVICE = ("server_order", "server_order_tls13", "ticket_keys", "session_cache", "session_timeout")
_DECIDERS = ("the default server of the socket", "the first host of the address")
_OF_TLS13 = ("ciphersuites", "server_order_tls13", "early_data")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each line that another host overrules."""
    apache = deployment.server == "apache"
    for endpoint in deployment.endpoints:
        if apache and endpoint.tls.failure:
            yield from _failing(endpoint)
        elif endpoint.shadowed and endpoint.handshake.outcome == "completes":
            for shadow in endpoint.shadowed:
                if shadow.field in _WORDS and (
                    shadow.field not in _OF_TLS13 or "TLSv1.3" in endpoint.handshake.protocols
                ):
                    yield _finding(endpoint, shadow, apache)


def _failing(endpoint: Endpoint) -> Iterator[Finding]:
    """Yield the keys of the first host of an address, which a host without a file of its own cannot do without."""
    keys = endpoint.listener.default.tls.ticket_keys
    if keys.span is not None:
        yield rule.finding(
            "every handshake for {endpoint} fails: the first host of the address has a file with ticket keys, and this "
            "one has none",
            keys.span,
            severity=Severity.ERROR,
            label="asked of all hosts of the address",
            help="name the file outside of the virtual hosts, for all of them",
            seen="alert internal error; nothing is in the log",
            endpoints=[endpoint.label],
            related=[Related(endpoint.virtual_host.span, "has no ticket keys")],
        )


def _finding(endpoint: Endpoint, shadow: Shadow, apache: bool) -> Finding:
    place = shadow.own.places[-1]
    where = f" in {shadow.versions}" if shadow.versions else ""
    return rule.finding(
        f"{_WORDS[shadow.field]} of {{endpoint}}: {_DECIDERS[apache]} decides{where}",
        place.span,
        severity=Severity.INFO if shadow.field in _ADVICE else Severity.WARNING,
        label="has no effect here",
        help=f"set it in {'the first host' if apache else 'the default server'}, or for all hosts",
        endpoints=[endpoint.label],
        related=_governing(endpoint, shadow.governing),
    )


def _governing(endpoint: Endpoint, setting: Setting[object]) -> tuple[Related, ...]:
    if setting.span is not None:
        return (Related(setting.span, "in force"),)
    return (Related(endpoint.listener.default.span, f"this host's value is in force: {setting.default}"),)
