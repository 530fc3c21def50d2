"""The certificate that the server shows its upstream as a client comes from a public CA.

## What it finds
`proxy_ssl_certificate` (and the same for gRPC, uwsgi and stream; Apache: `SSLProxyMachineCertificateFile`) with a
certificate that a publicly trusted CA issued.

## Why it matters
Browsers' root programmes admit CAs for servers only. Public CAs withdraw the purpose clientAuth in the course of 2026,
so the next renewal brings a certificate that upstreams refuse.

## What clients see
`502 Bad Gateway`, or the upstream's own refusal (nginx: `400 The SSL certificate error`), after a renewal.

## How to fix it
Have this certificate issued by the CA of whoever runs the upstream, or by one of your own.

## False alarms that it avoids
What counts is what the certificate says of itself (policies, certificate transparency), not its file name. Private
certificates are silent, and so are files that are not at hand.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.upstreams import labels, spelt

rule = Rule(
    code="TLS510",
    name="public-client-certificate",
    severity=Severity.WARNING,
    summary="the certificate that the server shows its upstream as a client comes from a public CA",
    why="public CAs stop issuing certificates for clients in 2026",
    seen="after a renewal: 502 Bad Gateway, or the upstream's own refusal",
    sources=("Chrome Root Program Policy, section on dedicated TLS server authentication hierarchies",),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each upstream connection with a certificate of a public CA."""
    for upstream in deployment.upstreams:
        setting = upstream.certificate
        if upstream.tls is False or not setting.known or "$" in setting.known or setting.span is None:
            continue
        bundle = deployment.clients.bundle(setting)
        leaf = bundle.certificates[0] if bundle is not None and bundle.certificates else None
        if leaf is None or not leaf.claims_public_trust:
            continue
        fits = leaf.allows_client_authentication
        yield rule.finding(
            f'"{setting.known}" in {spelt(upstream, "certificate")} was issued by a public CA'
            f"{'' if fits else ', for servers only'}, for {{endpoint}}",
            setting.span,
            label="public CAs stop issuing these in 2026" if fits else "not a certificate for clients",
            help="have it issued by the CA of whoever runs the upstream",
            seen=None if fits else "the upstream refuses it; nginx there says 400 The SSL certificate error",
            endpoints=labels(upstream),
        )
