"""A file that is there to complete chains decides who is a client as well.

## What it finds
nginx: a root in `ssl_trusted_certificate` (often there for stapling) that no CA of `ssl_client_certificate` needs, on a
host that verifies client certificates.

## Why it matters
nginx puts both files into one store. Whoever has a certificate from a CA of the second file is accepted as a client,
and servers' certificates count where they are not limited to servers; the names of these CAs are not announced. With a
public CA, which is an error, that is everybody.

## What clients see
A client with a certificate of the other CA gets `200 OK`.

## How to fix it
For stapling the issuer in the certificate's own file is enough: drop the second file. Or give hosts that verify clients
a file without other CAs.

## False alarms that it avoids
Intermediates alone let nobody in. Roots above a CA of the first file are needed there. CAs that may not vouch for
clients by their extended key usage are passed over. Files that are not at hand are not judged. Apache has one such file
only, whose public CAs public-client-ca finds; `SSLCADNRequestFile` lets nobody in.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.mutual import names_of, verifying
from tlslint.rules.words import directive_of, labels

rule = Rule(
    code="TLS511",
    name="widened-client-ca",
    severity=Severity.WARNING,
    summary="a file that is there to complete chains decides who is a client as well",
    why="all CA files of a host are one store, and each root in it vouches for clients",
    seen="a client with a certificate of the other CA gets 200 OK",
    sources=("nginx, ngx_http_ssl_module: ssl_trusted_certificate",),
    servers=("nginx",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file of chains that widens the circle of clients."""
    for endpoints in verifying(deployment, "client_ca", "trusted_ca", "crl"):
        tls = endpoints[0].tls
        trust = deployment.clients.trust(tls)
        if trust is None or not tls.client_ca.known or tls.trusted_ca.span is None:
            continue
        needed = set(trust.needed)
        wider = [
            authority
            for authority in trust.silent
            if authority in trust.accepted and authority not in needed and authority.allows_client_authentication
        ]
        if wider:
            # only where there is a file
            from tlslint.pki.public import is_public

            yield rule.finding(
                f"{directive_of(tls.trusted_ca)} makes clients of {names_of(wider)} clients of {{endpoint}}",
                tls.trusted_ca.span,
                severity=Severity.ERROR if any(map(is_public, wider)) else None,
                label="counts for clients too",
                help=f"take out what {directive_of(tls.client_ca)} does not need",
                endpoints=labels(endpoints),
            )
