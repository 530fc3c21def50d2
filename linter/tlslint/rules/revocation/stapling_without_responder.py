"""Stapling is on, and the server cannot staple anything to this certificate.

## What it finds
`ssl_stapling on` or `SSLUseStapling on` with a certificate that names no OCSP responder (as Let's Encrypt's since
2025), whose responder is to be asked over https, or whose issuer the server does not find.

## Why it matters
The server complains in its log and goes on without stapling for this certificate. The configuration promises what does
not happen. A responder over https is worse with Apache: it ends the handshake of every client that asks for a stapled
response, which browsers do.

## What clients see
No response is sent. `nginx -t` says `"ssl_stapling" ignored, no OCSP responder URL in the certificate`, `invalid URL
prefix in OCSP responder` or `issuer certificate not found for certificate`. Apache's log says `AH02218: … no OCSP URI
in certificate` or `AH02217: … can't retrieve issuer certificate`. With a responder over https browsers meet a fatal
alert from Apache, whose log says `AH01940: stapling_renew_response: Unsupported uri`; curl does not ask, and notices
nothing.

## How to fix it
Remove `ssl_stapling` (`SSLUseStapling`) and its kin: authorities retire OCSP. Where the issuer is missing, put it into
the certificate's file, where clients need it as well.

## False alarms that it avoids
What counts is the certificate itself, not the path to it: those of private authorities may well have a responder.
`ssl_stapling_responder`, `ssl_stapling_file` and `SSLStaplingForceURL` take the place of what the certificate says. A
directive with which other hosts staple well is not removed. Certificates that are not
at hand are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import file_span, named
from tlslint.rules.stapling import Stapling, staplings
from tlslint.rules.words import directive_of, labels, negotiating

rule = Rule(
    code="TLS701",
    name="stapling-without-responder",
    severity=Severity.WARNING,
    summary="stapling is on, and the server cannot staple anything to this certificate",
    why="the server complains in its log and goes on without",
    seen='nginx -t says "ssl_stapling" ignored; openssl s_client -status: OCSP response: no response sent',
    seen_apache="the log says AH02218: … no OCSP URI in certificate; nothing is stapled",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_stapling",
        "Apache HTTP Server, mod_ssl: SSLUseStapling",
        "RFC 6066, section 8",
    ),
    fix=Safety.SAFE,
)
WHY_FATAL = "Apache ends the handshake of every client that asks for a stapled response, as browsers do"
SEEN_FATAL = "openssl s_client -status: a fatal alert; the log says AH01940: … Unsupported uri"
SEEN_ISSUER = "the log says AH02217: … can't retrieve issuer certificate; nothing is stapled"
KIN = ("stapling_verify", "stapling_responder")
"""What does nothing by itself."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each certificate with stapling that comes to nothing."""
    found = list(staplings(deployment))
    for stapling in found:
        setting = stapling.tls.stapling
        if stapling.problem and setting.span is not None:
            fatal = stapling.asks_https and deployment.server == "apache"
            effect = "ends handshakes with" if fatal else "has no effect on"
            yield rule.finding(
                f"{directive_of(setting)} {effect} {named(stapling.served)}: {stapling.problem}, for {{endpoint}}",
                setting.span,
                severity=Severity.ERROR if fatal else None,
                label="fatal for who asks for a response" if fatal else "nothing is stapled",
                why=WHY_FATAL if fatal else None,
                seen=_seen(stapling, deployment.server),
                help="remove it, or complete the certificate's file where the issuer is missing",
                endpoints=labels(stapling.endpoints),
                related=[Related(file_span(stapling.served.pairs[0]), "this certificate")],
                fix=_fix(deployment, stapling, found),
            )


def _seen(stapling: Stapling, server: str) -> str | None:
    if server == "nginx":
        return None
    return SEEN_ISSUER if stapling.lacks_issuer else SEEN_FATAL if stapling.asks_https else None


def _fix(deployment: Deployment, stapling: Stapling, found: list[Stapling]) -> Fix | None:
    """Take the directive away where nobody staples with it, and with it what serves nobody then.

    Where the issuer is missing, clients need it as well: that is missing-intermediate's to mend.
    """
    setting = stapling.tls.stapling
    idle = {id(one) for each in found if each.problem and not each.lacks_issuer for one in each.endpoints}
    using = [endpoint for endpoint in negotiating(deployment) if endpoint.tls.stapling is setting]
    if not all(id(endpoint) in idle for endpoint in using):
        return None
    places = list(setting.places)
    for name in KIN:
        kin = stapling.tls.setting(name)
        served = [endpoint for endpoint in negotiating(deployment) if endpoint.tls.setting(name) is kin]
        if kin.explicit and all(endpoint.tls.stapling is setting for endpoint in served):
            places += kin.places
    return Fix("staple nothing", Safety.SAFE, tuple(RemoveDirective(place) for place in places))
