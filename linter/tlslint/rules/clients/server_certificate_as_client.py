"""The server's own certificate makes its holder a client, because its CA vouches for clients as well.

## What it finds
A certificate that is served here, that is limited to no purpose (it has no extended key usage), and whose issuer is
among the CAs by which client certificates are verified.

## Why it matters
A CA that issues to servers and to clients alike, without saying which is which, makes every server a client. Whoever
gets at the key of one server gets into all hosts that verify clients with this CA.

## What clients see
`200 OK` for whoever shows the server's certificate and has its key.

## How to fix it
Have certificates issued with the purpose they are for (serverAuth, clientAuth), or clients' by a CA of their own.

## False alarms that it avoids
It is advice. Certificates for servers alone are refused as clients' and are silent, and so are those that name
clientAuth themselves, as between services that are both. A host where a condition, a header or a script gets more of
the certificate than the result of its verification is silent. Nothing is said of files that are not at hand.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.mutual import ca_setting, knows_more, verifying
from tlslint.rules.served import chains, file_span, named
from tlslint.rules.words import labels

if TYPE_CHECKING:
    from tlslint.pki.chain import Authorities, Chain
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS514",
    name="server-certificate-as-client",
    severity=Severity.INFO,
    summary="the server's own certificate makes its holder a client, because its CA vouches for clients as well",
    why="a certificate that is limited to no purpose is good for servers and for clients",
    seen="200 OK for whoever shows the server's certificate and has its key",
    sources=("RFC 5280, section 4.2.1.12", "nginx, ngx_http_ssl_module: ssl_client_certificate"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each file of client CAs that vouches for a certificate which is served here."""
    unlimited: list[tuple[Served, Chain]] | None = None
    for endpoints in verifying(deployment, "client_ca", "trusted_ca", "crl"):
        trust = deployment.clients.trust(endpoints[0].tls)
        setting = ca_setting(endpoints[0].tls)
        exposed = [endpoint for endpoint in endpoints if not knows_more(endpoint)]
        if trust is None or setting.span is None or not exposed:
            continue
        # only where there is a file
        from tlslint.pki.chain import Authorities

        if unlimited is None:
            unlimited = [found for found in chains(deployment) if _is_for_anything(found[1])]
        pool = Authorities(trust.authorities.usable)
        for served, chain in unlimited:
            if _leads_to(chain, pool):
                yield rule.finding(
                    f"{named(served)}, which is served here, is good as a client certificate for {{endpoint}}: "
                    f'"{setting.known}" vouches for it, and it is limited to no purpose',
                    setting.span,
                    label="issues to servers as well",
                    help="limit certificates to their purpose, or issue clients' from a CA of their own",
                    endpoints=labels(exposed),
                    related=[Related(file_span(served.pairs[0]), "good for servers and for clients")],
                )


def _is_for_anything(chain: "Chain") -> bool:
    return chain.leaf.extended_key_usage is None and chain.leaf.allows_client_authentication and not chain.leaf.is_ca


def _leads_to(chain: "Chain", pool: "Authorities") -> bool:
    """Whether an accepted CA issued the certificate, or one that is sent with it."""
    return any(pool.issuers(certificate) for certificate in chain.path)
