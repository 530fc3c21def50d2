"""A host without a certificate of its own answers with that of the socket's default server.

## What it finds
A host on a TLS socket for which no certificate is in force, and whose names the default server's certificate does not
cover. The server accepts this without a word. With Apache it is a host that does not switch `SSLEngine` on, whether or
not it names a certificate: on a socket whose first host speaks TLS it is reached over TLS all the same.

## Why it matters
The default server's certificate, protocols and ciphers answer for the host, and none of its own settings.

## What clients see
curl: `(60) SSL: no alternative certificate subject name matches target host name '…'`; the certificate of another site.

## How to fix it
Name the host's own certificate and key in its block (Apache: with `SSLEngine on`), or have the names added to the
default server's certificate.

## False alarms that it avoids
Names that the default server's certificate covers are meant to share it. Inherited certificates are the host's own. A
host that rejects handshakes needs none, and neither do catch-alls. Where the certificate cannot be read, nothing is
said.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.record import replace
from tlslint.resolve.model import Deployment, Endpoint, VirtualHost
from tlslint.rules.coverage import asked_for, is_address, names_in
from tlslint.rules.served import chains, file_span

rule = Rule(
    code="TLS406",
    name="borrowed-certificate",
    severity=Severity.ERROR,
    summary="a host without a certificate answers with that of the socket's default server",
    why="the default server's certificate and TLS settings answer for the host, and none of its own",
    seen="curl: (60) SSL: no alternative certificate subject name matches target host name '…'",
    sources=(
        "nginx, Configuring HTTPS servers: name-based HTTPS servers",
        "Apache HTTP Server, SSLEngine",
    ),
)

_HELP = "name the host's own certificate and key, or add its names to that certificate"
_HELP_ENGINE = "switch SSLEngine on in this host, so that its own certificate is sent"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each host that borrows a certificate which does not cover its names."""
    found: dict[VirtualHost, tuple[Finding, list[Endpoint]]] = {}
    for served, chain in chains(deployment):
        for endpoint in served.endpoints:
            host, name = endpoint.virtual_host, endpoint.name
            if name is None or endpoint.answering is host or is_address(name.text) or not asked_for(name):
                continue
            # only where there is a certificate
            from tlslint.pki.names import Coverage, coverage

            if coverage(chain.leaf, name.text).coverage is not Coverage.UNCOVERED:
                continue
            if host not in found:
                lender = endpoint.answering
                idle = deployment.server == "apache" and bool(host.tls.certificates.value)
                lack = "does not switch TLS on" if idle else "has no certificate"
                finding = rule.finding(
                    f'{{endpoint}} {lack}: "{lender.label}" answers with its own',
                    host.span,
                    label=f"the certificate that is sent is for {names_in(chain.leaf) or 'no name'}",
                    help=_HELP_ENGINE if idle else _HELP,
                    related=[Related(file_span(served.pairs[0]), "the certificate that is sent")],
                )
                found[host] = (finding, [])
            found[host][1].append(endpoint)
    for finding, endpoints in found.values():
        yield replace(finding, endpoints=tuple(dict.fromkeys(endpoint.label for endpoint in endpoints)))
