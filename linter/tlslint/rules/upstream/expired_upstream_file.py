"""The certificate for an upstream, or the CAs that the upstream is judged by, are out of date.

## What it finds
- the certificate of `proxy_ssl_certificate` (also gRPC, uwsgi, stream; Apache: `SSLProxyMachineCertificateFile`) past
  its end, or so near to it that its renewal has failed;
- a `proxy_ssl_trusted_certificate` (Apache: `SSLProxyCACertificateFile`, `…Path`) in which every CA is out of date,
  where the upstream is verified.

## Why it matters
These certificates are renewed by nobody's routine: browsers never see them, and monitoring looks at the outside.

## What clients see
`502 Bad Gateway`, or whatever the upstream says of it (nginx there: `400 The SSL certificate error`).

## How to fix it
Renew the certificate, or put the upstream's present CA into the file, and reload the server.

## False alarms that it avoids
Connections that are not TLS, CAs where nothing is verified, files that could not be read, and an old CA beside a
current one. How soon is too soon is what `expiry-warning-days` and `expiry-error-days` say, as for served certificates.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Setting, Upstream
from tlslint.rules.served import day
from tlslint.rules.upstreams import labels
from tlslint.rules.words import counted

rule = Rule(
    code="TLS908",
    name="expired-upstream-file",
    severity=Severity.ERROR,
    summary="the certificate for an upstream, or the CAs that it is judged by, are out of date",
    why="nothing outside shows it before requests fail",
    seen="502 Bad Gateway, or what the upstream says: 400 The SSL certificate error",
    seen_apache="502 Proxy Error, or what the upstream says: 400 The SSL certificate error",
    sources=(
        "RFC 5280, section 6.1.3",
        "nginx: ngx_http_proxy_module, proxy_ssl_certificate",
        "Apache HTTP Server: mod_ssl, SSLProxyMachineCertificateFile",
    ),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each certificate, and each file of CAs, that is out of date or will be soon."""
    for upstream in deployment.upstreams:
        if upstream.tls is False:
            continue
        yield from _own_certificate(deployment, upstream)
        if upstream.verify.known:
            yield from _authorities(deployment, upstream)


def _own_certificate(deployment: Deployment, upstream: Upstream) -> Iterator[Finding]:
    setting = upstream.certificate
    bundle = deployment.clients.bundle(setting)
    leaf = bundle.certificates[0] if bundle is not None and bundle.certificates else None
    if leaf is None or setting.span is None:
        return
    # only where there is a certificate
    from tlslint.pki.dates import life

    warn_days, error_days = deployment.expiry_days
    span = life(leaf.not_before, leaf.not_after, deployment.now, warn_days=warn_days, error_days=error_days)
    state = span.state.value
    if state not in ("expired", "expiring", "expiring soon"):
        return
    past = (deployment.now - leaf.not_after).days
    yield rule.finding(
        f'the certificate of "{leaf.label}" in "{setting.known}", with which {{endpoint}} turns to the upstream, '
        f"{'expired' if state == 'expired' else 'expires'} on {day(leaf.not_after)}",
        setting.span,
        severity=Severity.WARNING if state == "expiring" else None,
        label=f"expired {counted(past, 'day')} ago" if past > 0 else f"{counted(span.days_left, 'day')} left",
        help="renew it and reload the server",
        endpoints=labels(upstream),
    )


def _authorities(deployment: Deployment, upstream: Upstream) -> Iterator[Finding]:
    setting: Setting[str | None] = upstream.trusted_ca
    bundle = deployment.clients.bundle(setting)
    authorities = bundle.all_certificates if bundle is not None and bundle.complete else ()
    if not authorities or setting.span is None or any(item.not_after >= deployment.now for item in authorities):
        return
    latest = max(authorities, key=lambda item: item.not_after)
    yield rule.finding(
        f'every CA in "{setting.known}" is out of date, the last since {day(latest.not_after)}: no upstream of '
        "{endpoint} passes",
        setting.span,
        label="no CA of this file is in force",
        help="put the CA there that issues the upstream's certificates now",
        seen="502 Bad Gateway; the log says certificate has expired (10)",
        endpoints=labels(upstream),
    )
