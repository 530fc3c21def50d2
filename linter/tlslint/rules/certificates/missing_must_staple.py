"""A certificate demands a stapled OCSP response, and the server staples none.

## What it finds
A certificate with the TLS feature extension (must-staple) on a host where stapling is off.

## Why it matters
The certificate tells clients to refuse a handshake without a response. OCSP is being retired, and such certificates
with it.

## What clients see
Firefox: `MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING`. Chrome, curl and most programs do not look.

## How to fix it
Switch stapling on (Apache needs `SSLStaplingCache` as well), or have the certificate issued without the extension,
which is the way that lasts.

## False alarms that it avoids
The setting of the host whose certificate is presented counts, whether inherited or its own. Switching stapling on is
offered only for certificates that can be stapled.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import AddDirective, Fix, Intention, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.served import chains, elsewhere, file_span, named
from tlslint.rules.stapling import cached, stapling_of
from tlslint.rules.words import governing, labels, sharing

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS320",
    name="missing-must-staple",
    severity=Severity.ERROR,
    summary="a certificate demands a stapled OCSP response, and the server staples none",
    why="the certificate tells clients to refuse a handshake without a response",
    seen="Firefox: MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING; curl and most programs do not look",
    sources=("RFC 7633", "nginx, ngx_http_ssl_module: ssl_stapling", "Apache HTTP Server, mod_ssl: SSLUseStapling"),
    fix=Safety.SAFE,
)
DIRECTIVES = {"nginx": "ssl_stapling", "apache": "SSLUseStapling"}


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served must-staple certificate without stapling."""
    for served, chain in chains(deployment):
        if not chain.leaf.must_staple:
            continue
        bare = [endpoint for endpoint in served.endpoints if endpoint.tls.stapling.known is False]
        if bare:
            yield rule.finding(
                f"the certificate in {named(served)} demands a stapled response, and none is sent for {{endpoint}}",
                file_span(served.pairs[0]),
                label="must-staple",
                help="switch stapling on, or have the certificate issued without this extension",
                endpoints=labels(bare),
                related=elsewhere(served),
                fix=_fix(deployment, served, chain.leaf, bare),
            )


def _fix(deployment: Deployment, served: "Served", leaf: "Certificate", bare: list[Endpoint]) -> Fix | None:
    """Switch stapling on where it would come to something."""
    groups = list(sharing(bare, "stapling", "stapling_responder", "stapling_file", "trusted_ca", "client_ca"))
    if any(stapling_of(deployment, served, leaf, endpoints).problem for endpoints in groups):
        return None
    intentions: list[Intention] = [*cached(bare)]
    for endpoints in sharing(bare, "stapling"):
        setting, hosts = endpoints[0].tls.stapling, governing(endpoints, "stapling")
        if setting.explicit:
            intentions.append(SetValue("stapling", True, setting, hosts))
        else:
            # in the hosts themselves: others may have certificates that cannot be stapled
            name = DIRECTIVES[deployment.server]
            intentions += [AddDirective(name, ("on",), host=host) for host in hosts]
    return Fix("switch stapling on", Safety.SAFE, tuple(intentions))
