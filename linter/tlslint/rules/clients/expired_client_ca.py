"""A client CA or a revocation list is out of date, so that clients with good certificates are refused.

## What it finds
CAs for clients past their last day (or before their first), revocation lists past their next update, and CAs whose list
is missing where lists are checked.

## Why it matters
An expired CA vouches for nobody. nginx, given `ssl_crl`, demands a list in force of every CA on the path, the root's
included; without it each client below that CA is refused. Apache does so with `SSLCARevocationCheck chain`; with `leaf`
it is the list of the CA that issued the client's certificate, and with `no_crl_for_cert_ok` only lists that are there
count.

## What clients see
`400 The SSL certificate error`. nginx's log at level `info` says `client SSL certificate verify error: (10:certificate
has expired)`, `(12:CRL has expired)` or `(3:unable to get certificate CRL)`. With Apache the handshake fails, and the
log says the same with AH02276.

## How to fix it
Renew the CA or the list, put the new one in place and reload the server.

## False alarms that it avoids
A CA that is there twice, once renewed, counts as current. With `leaf`, CAs that issue to other CAs of the file need no
list. `--now` moves the clock. CAs of `ssl_trusted_certificate`
that no client needs are not looked at. Nothing is said of files that are not at hand.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, Setting
from tlslint.rules.mutual import ca_setting, names_of, verifying
from tlslint.rules.served import day
from tlslint.rules.words import labels

if TYPE_CHECKING:
    from tlslint.resolve.clients import Trust

rule = Rule(
    code="TLS505",
    name="expired-client-ca",
    severity=Severity.ERROR,
    summary="a client CA or a revocation list is out of date",
    why="clients with good certificates are refused",
    seen="400 The SSL certificate error; the log says (10:certificate has expired)",
    seen_apache="alert certificate expired; the log says AH02276: … Error (10): certificate has expired",
    sources=(
        "RFC 5280, section 6",
        "nginx, ngx_http_ssl_module: ssl_crl",
        "Apache HTTP Server, SSLCARevocationCheck",
        "OpenSSL: X509_V_FLAG_CRL_CHECK_ALL",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each CA out of date, and each CA without a list in force where lists are checked."""
    for endpoints in verifying(deployment, "client_ca", "trusted_ca", "crl", "crl_check"):
        trust = deployment.clients.trust(endpoints[0].tls)
        if trust is not None:
            yield from _authorities(deployment, trust, endpoints)
            yield from _lists(deployment, trust, endpoints)


def _authorities(deployment: Deployment, trust: "Trust", endpoints: list[Endpoint]) -> Iterator[Finding]:
    from tlslint.pki.public import is_public

    setting = ca_setting(endpoints[0].tls)
    current = trust.current(deployment.now)
    for authority in trust.needed:
        if authority.not_before <= deployment.now <= authority.not_after or trust.is_renewed(authority, current):
            continue
        past = deployment.now > authority.not_after
        when = f"expired on {day(authority.not_after)}" if past else f"is valid from {day(authority.not_before)} on"
        assert setting.span is not None
        yield rule.finding(
            f'the client CA "{authority.label}" in "{setting.known}" {when}: its clients are refused by {{endpoint}}',
            setting.span,
            severity=None if not current else Severity.WARNING,
            label="expired" if past else "not valid yet",
            help="put the renewed CA into this file and reload the server",
            seen=None if past else _seen(deployment, 9, "certificate is not yet valid"),
            endpoints=labels(endpoints),
            # a public CA in this file is what is wrong, whatever its dates
            yields_to=("public-client-ca",) if is_public(authority) else (),
        )


def _lists(deployment: Deployment, trust: "Trust", endpoints: list[Endpoint]) -> Iterator[Finding]:
    setting, check = endpoints[0].tls.crl, endpoints[0].tls.crl_check
    if trust.crls is None or setting.span is None:
        return
    uncovered = trust.without_list(deployment.now)
    leaf = check is not None and check.known == "leaf"
    if leaf:
        uncovered = trust.issuing(uncovered)
    if not uncovered:
        return
    ended = [crl.next_update for crl in trust.crls if crl.next_update is not None and crl.next_update < deployment.now]
    old = [authority for authority in uncovered if any(crl.issuer_key == authority.subject_key for crl in trust.crls)]
    if old and ended:
        yield rule.finding(
            f'the revocation list of {names_of(old)} in "{setting.known}" ended on {day(max(ended))}: '
            "all its clients are refused by {endpoint}",
            setting.span,
            label="out of date",
            help="fetch the current list and reload the server, before each next update",
            seen=_seen(deployment, 12, "CRL has expired"),
            endpoints=labels(endpoints),
        )
    missing = [authority for authority in uncovered if authority not in old]
    if missing and not _may_be_missing(check):
        yield rule.finding(
            f'no revocation list of {names_of(missing)} is in "{setting.known}": '
            "every client below is refused by {endpoint}",
            setting.span,
            label="its own list is needed" if leaf else "a list of every CA on the path is needed",
            help=f"add the lists of {'these CAs' if leaf else 'all CAs up to the root'} to this file",
            seen=_seen(deployment, 3, "unable to get certificate CRL"),
            endpoints=labels(endpoints),
        )


def _may_be_missing(check: Setting[str] | None) -> bool:
    """Whether a CA may have no list (Apache: a second word says so)."""
    words = check.places[-1].directive.arguments if check is not None and check.places else ()
    return "no_crl_for_cert_ok" in [word.lower() for word in words]


def _seen(deployment: Deployment, number: int, text: str) -> str:
    if deployment.server == "apache":
        return f"the handshake fails; the log says AH02276: … Error ({number}): {text}"
    return f"400 The SSL certificate error; the log says ({number}:{text})"
