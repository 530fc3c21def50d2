"""No protocol version is left: every handshake fails.

## What it finds
Endpoints for which the list of versions is empty, or for which OpenSSL commands and the TLS library leave nothing of
it: `ssl_protocols SSLv3;` on a library without SSL 3, or `MaxProtocol TLSv1.2` below a list that begins with TLS 1.3.
The list of the socket's default server counts too, even if that server rejects every handshake itself: connections
start with it.

## Why it matters
nginx starts, tests its configuration without a complaint, and no client can connect. Apache says "Syntax OK" and does
not start, or ends at a graceful reload, where the list itself is empty.

## What clients see
`tlsv1 alert protocol version`, `ERR_SSL_VERSION_OR_CIPHER_MISMATCH`, or `internal error` from older libraries.

## How to fix it
Name the policy's versions, and take the command away that contradicts them.

## False alarms that it avoids
Where the version of OpenSSL is not known, a version counts as negotiable when any supported release negotiates it.
Values that could not be read, servers that reject every handshake on a socket of their own, and lists with a word that
the server refuses are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.versions import Use, allowing, nothing_left, uses, wanted_protocols
from tlslint.rules.words import directive_of, labels, listed, negotiating, reported, span_of

rule = Rule(
    code="TLS105",
    name="no-protocol",
    severity=Severity.ERROR,
    summary="no protocol version is left, so every handshake fails",
    why="the server starts without a complaint, and nobody can connect",
    seen="every handshake fails; curl reports `tlsv1 alert protocol version` or `tlsv1 alert internal error`",
    seen_apache="Apache does not start (apache2 -t says nothing): AH02231: No SSL protocols available",
    sources=("SSL_CONF_cmd(3)", "nginx, ssl_protocols"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each set of versions of which nothing can be negotiated."""
    found = list(_found(deployment, policy))
    yield from found
    yield from reported(rule, deployment, found)


def _found(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    for use in uses(deployment):
        if nothing_left(deployment, use):
            yield rule.finding(
                _message(deployment, use),
                span_of(use.effective, use.endpoints),
                label=_label(deployment, use),
                source=policy.source_of("protocols"),
                help=f"allow {listed(policy.protocols)}",
                endpoints=labels(use.endpoints),
                fix=_fix(deployment, use, policy),
            )
    for use, cut_off in _rejecting(deployment):
        if nothing_left(deployment, use):
            yield rule.finding(
                f"{_left(use)} of the default server of {cut_off[0].listener.label}: every handshake fails before "
                "{endpoint} can answer",
                span_of(use.effective, use.endpoints),
                label="connections start with these versions",
                source=policy.source_of("protocols"),
                help=f"allow {listed(policy.protocols)} there, although it rejects handshakes itself",
                endpoints=labels(cut_off),
                fix=_fix(deployment, use, policy),
            )


def _rejecting(deployment: Deployment) -> Iterator[tuple[Use, list[Endpoint]]]:
    """Yield what default servers that reject handshakes start connections with, and who answers on their sockets.

    Those that do not reject are endpoints themselves, and judged as such.
    """
    served: dict[int, list[Endpoint]] = {}
    for endpoint in negotiating(deployment):
        served.setdefault(id(endpoint.listener), []).append(endpoint)
    for endpoints in served.values():
        tls = endpoints[0].listener.default.tls
        own = [endpoint for endpoint in endpoints if endpoint.tls.effective_protocols is not tls.effective_protocols]
        if tls.reject_handshake.known and own and not tls.effective_protocols.is_unknown:
            opening = [endpoint for endpoint in deployment.endpoints if endpoint.tls is tls]
            yield Use(tls.protocols, tls.effective_protocols, opening), own


def _left(use: Use) -> str:
    return f"nothing but {listed(sorted(use.enabled))} is left" if use.enabled else "no protocol version is left"


def _fix(deployment: Deployment, use: Use, policy: Policy) -> Fix | None:
    if len(use.effective.places) > len(use.plain.places):
        return None  # a command takes them away
    return allowing(use, wanted_protocols(deployment, policy))


def _message(deployment: Deployment, use: Use) -> str:
    if deployment.server == "apache" and not use.listed:
        return "no protocol version is left for {endpoint}: Apache does not start"
    if not use.enabled:
        return "no protocol version is left for {endpoint}: every handshake fails"
    return f"nothing but {listed(sorted(use.enabled))} is switched on for {{endpoint}}: every handshake fails"


def _label(deployment: Deployment, use: Use) -> str:
    if use.plain.explicit and not use.plain.places[-1].directive.arguments:
        return f"{directive_of(use.plain)} names no version; {deployment.server} refuses to start"
    if not use.enabled:
        return f"takes away what is left of {listed(sorted(use.listed))}" if use.listed else "the set is empty"
    library = f"OpenSSL {deployment.target.openssl}" if len(deployment.targets()) == 1 else "no supported OpenSSL"
    return f"{library} does not negotiate {listed(sorted(use.enabled), 'or')} here".replace(
        "no supported OpenSSL does not negotiate", "no supported OpenSSL negotiates"
    )
