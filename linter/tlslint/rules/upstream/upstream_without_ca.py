"""An upstream's certificate is to be verified, and no authority is named.

## What it finds
`proxy_ssl_verify on` (and the same for gRPC, uwsgi and stream) in force for a connection over TLS without a
`proxy_ssl_trusted_certificate`; on Apache `SSLProxyVerify require` (or `optional`, which is the same for a server that
always has a certificate) without `SSLProxyCACertificateFile` and `SSLProxyCACertificatePath`.

## Why it matters
nginx refuses to start: there is no default list of authorities. Apache starts, and no certificate is good enough for
it.

## What clients see
A restart fails; a reload keeps the old configuration. `nginx -t` says "no proxy_ssl_trusted_certificate for
proxy_ssl_verify". Apache answers every request with 500 Internal Server Error.

## How to fix it
Name the file with the authority that issued the upstream's certificate; for public names the system's bundle.

## False alarms that it avoids
Plain connections, for which nginx does not ask; a file that an outer level names; configurations of which a part could
not be read.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.upstreams import labels, spelt

rule = Rule(
    code="TLS905",
    name="upstream-without-ca",
    severity=Severity.ERROR,
    summary="an upstream is to be verified and no authority is named",
    why="there is no default list of authorities, and nothing works without one",
    seen='nginx -t says "no proxy_ssl_trusted_certificate for proxy_ssl_verify"',
    seen_apache="500 Internal Server Error; the log says AH02039: … unable to get local issuer certificate",
    sources=(
        "nginx: ngx_http_proxy_module, proxy_ssl_trusted_certificate",
        "Apache HTTP Server: mod_ssl, SSLProxyCACertificateFile",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each verified connection without an authority."""
    for upstream in deployment.upstreams:
        if upstream.tls is False or not upstream.verify.known or upstream.trusted_ca.is_unknown:
            continue
        if upstream.trusted_ca.known is None and upstream.verify.span is not None:
            directive = spelt(upstream, "trusted_ca")
            written = upstream.verify.places[-1].directive.arguments
            yield rule.finding(
                f"{spelt(upstream, 'verify')} is {' '.join(written)} and {directive} is not set, for {{endpoint}}",
                upstream.verify.span,
                label="nginx refuses to start"
                if deployment.server == "nginx"
                else "every request ends with status 500: no certificate is trusted",
                help=f"set {directive} to the file of the authority that issued the upstream's certificate",
                endpoints=labels(upstream),
            )
