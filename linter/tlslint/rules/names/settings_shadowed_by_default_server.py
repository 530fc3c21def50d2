"""A host sets something that the default server of its socket decides instead, with another value.

## What it finds
Key exchange groups, session cache, ticket keys, session timeout and early data, which nginx takes from the default
server of the socket on every version; TLS 1.3 suites, their order and session tickets, on versions before 1.29.2.
Protocol versions are shadowed-protocols' subject.

## Why it matters
The line in the host reads as if it counted. The default server may be in another file, and be another one tomorrow.

## What clients see
What the default server asks for.

## How to fix it
Set it in the default server, or in `http` for all of them; a host that needs other values needs a socket (an address or
port) of its own.

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
    ),
    servers=("nginx",),
)


_WORDS = {
    "groups": "key exchange groups",
    "ciphersuites": "TLS 1.3 cipher suites",
    "server_order_tls13": "order of TLS 1.3 cipher suites",
    "session_tickets": "session tickets",
    "ticket_keys": "session ticket keys",
    "session_cache": "session cache",
    "session_timeout": "session timeout",
    "early_data": "early data",
}
_ADVICE = ("server_order_tls13", "ticket_keys", "session_cache", "session_timeout")
_OF_TLS13 = ("ciphersuites", "server_order_tls13", "early_data")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each line that another host overrules."""
    for endpoint in deployment.endpoints:
        if endpoint.shadowed and endpoint.handshake.outcome == "completes":
            for shadow in endpoint.shadowed:
                if shadow.field in _WORDS and (
                    shadow.field not in _OF_TLS13 or "TLSv1.3" in endpoint.handshake.protocols
                ):
                    yield _finding(endpoint, shadow)


def _finding(endpoint: Endpoint, shadow: Shadow) -> Finding:
    place = shadow.own.places[-1]
    where = f" in {shadow.versions}" if shadow.versions else ""
    return rule.finding(
        f"{_WORDS[shadow.field]} of {{endpoint}}: the default server of the socket decides{where}",
        place.span,
        severity=Severity.INFO if shadow.field in _ADVICE else Severity.WARNING,
        label="has no effect here",
        help="set it in the default server, or for all hosts",
        endpoints=[endpoint.label],
        related=_governing(endpoint, shadow.governing),
    )


def _governing(endpoint: Endpoint, setting: Setting[object]) -> tuple[Related, ...]:
    if setting.span is not None:
        return (Related(setting.span, "in force"),)
    return (Related(endpoint.listener.default.span, f"this host's value is in force: {setting.default}"),)
