"""A public CA decides who is a client.

## What it finds
A CA file for clients with roots that browsers trust (compared by their digests), or with a CA that names the policies
of such CAs, on a host that asks for no more than a certificate from there.

## Why it matters
Public CAs issue to everybody. Whoever has any certificate from one of them is a client.

## What clients see
A client with an ordinary certificate of that CA gets `200 OK`, unless the certificate is limited to servers.

## How to fix it
Issue clients' certificates from a CA of your own and name only that; or compare the subject or the fingerprint as well.

## False alarms that it avoids
Private CAs are normal, also where they lie among the system's own roots: names and paths do not count, content does. A
host where a condition, a header or a script gets more of the certificate than the result is silent. A chain file with
public roots beside the clients' own CA is widened-client-ca.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.mutual import ca_setting, knows_more, names_of, verifying
from tlslint.rules.words import labels

rule = Rule(
    code="TLS504",
    name="public-client-ca",
    severity=Severity.ERROR,
    summary="a public CA decides who is a client",
    why="public CAs issue to everybody, so that everybody can be a client",
    seen="a client with an ordinary certificate of that CA gets 200 OK",
    sources=("nginx, ngx_http_ssl_module: ssl_client_certificate", "CA/Browser Forum, Baseline Requirements 7.1.6.1"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file of client CAs that holds public ones."""
    for endpoints in verifying(deployment, "client_ca", "trusted_ca", "crl"):
        trust = deployment.clients.trust(endpoints[0].tls)
        setting = ca_setting(endpoints[0].tls)
        if trust is None or setting.span is None:
            continue
        # only where there is a file
        from tlslint.pki.public import is_public

        public = [ca for ca in trust.announced if ca in trust.accepted and is_public(ca)]
        exposed = [endpoint for endpoint in endpoints if not knows_more(endpoint)] if public else []
        if exposed:
            issues = "are public CAs that issue" if len(public) > 1 else "is a public CA that issues"
            yield rule.finding(
                f'{names_of(public)} in "{setting.known}" {issues} to everybody, and decide'
                f"{'' if len(public) > 1 else 's'} who is a client of {{endpoint}}",
                setting.span,
                label="everybody can be a client",
                help="name the CA that issues your clients' certificates, or compare the subject too",
                endpoints=labels(exposed),
            )
