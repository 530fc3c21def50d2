"""Requests go to an upstream over TLS without any check of who answers.

## What it finds
Connections over TLS for which the upstream's certificate is not verified, by default or by a directive; and locations
that share one `upstream {}` block with session reuse but verify against different authorities, so that a session that
one of them opened lets the other skip its check.

Apache checks the signature, the name and the dates apart. The first is off by default (`SSLProxyVerify none`, whatever
`SSLProxyCACertificateFile` says), the others are on; `SSLProxyCheckPeerCN off` switches the check of the name off
altogether, unless `SSLProxyCheckPeerName on` stands there as well.

## Why it matters
Encryption without verification keeps nobody out who can answer in the upstream's place.

## What clients see
Nothing: expired, self-signed and foreign certificates are all accepted (Apache: of those only self-signed and unknown
ones, unless the other checks are off too).

## How to fix it
Switch the verification on, name the authority's file, and the name to expect where it is not the target's host.
Apache: `SSLProxyVerify require` with `SSLProxyCACertificateFile`, and no `SSLProxyCheckPeer… off`. The certificate then
has to have the name of the target in its list of names.

## False alarms that it avoids
Connections without TLS; on loopback and unix sockets it is advice. Settings that could not be read, and targets whose
scheme a variable decides. `SSLProxyCheckPeerCN off` beside `SSLProxyCheckPeerName on`, which keeps the check.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.upstreams import default_or_set, labels, secure_upstreams, severity_of, span_of, spelt, subject

rule = Rule(
    code="TLS901",
    name="unverified-upstream",
    severity=Severity.WARNING,
    summary="an upstream's certificate is not verified",
    why="whoever can answer in the upstream's place reads and changes what passes",
    seen="nothing fails: expired, self-signed and foreign certificates are accepted",
    seen_apache="nothing fails: certificates that nobody known has signed are accepted",
    sources=(
        "nginx: ngx_http_proxy_module, proxy_ssl_verify",
        "Apache HTTP Server: mod_ssl, SSLProxyVerify, SSLProxyCheckPeerName",
    ),
)

DEPTH = ", with SSLProxyVerifyDepth 2 or more where it signs through others"
"""Apache's default is 1."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each connection that is not verified, or whose verification another one undoes."""
    groups: dict[tuple[int, str], list[Upstream]] = {}
    for upstream in secure_upstreams(deployment):
        yield from _unchecked(upstream)
        if upstream.verify.known is False:
            yield _unverified(upstream, deployment.server)
        elif upstream.verify.known and upstream.group is not None and upstream.session_reuse.known:
            groups.setdefault((id(upstream.group.directive), upstream.protocol), []).append(upstream)
    for members in groups.values():
        yield from _sharing(members)


def _unchecked(upstream: Upstream) -> Iterator[Finding]:
    """Yield what Apache is told not to look at in the certificate of an upstream."""
    name, dates = upstream.name_check, upstream.expiry_check
    if name is not None and name.known is False and name.span is not None:
        wanted = spelt(upstream, "name_check")
        written = str(name.places[-1].directive.name)
        yield rule.finding(
            "the name in the certificate of upstreams is not checked for {endpoint}",
            name.span,
            severity=severity_of(upstream),
            label="any name is accepted" if written.lower() == wanted.lower() else f"switches {wanted} off as well",
            help=f"remove {written} off; the certificate has to have the target's name"
            if written.lower() == wanted.lower()
            else f"remove {written} off, or set {wanted} on beside it",
            why="whoever has a certificate for any other name can answer in the upstream's place",
            seen="nothing fails: certificates for other names are accepted",
            endpoints=labels(upstream),
        )
    if dates is not None and dates.known is False and dates.span is not None:
        yield rule.finding(
            "the dates in the certificate of upstreams are not checked for {endpoint}",
            dates.span,
            severity=severity_of(upstream),
            label="expired certificates are accepted",
            help=f"remove {dates.places[-1].directive.name} off",
            why="an expired certificate may be one whose key has long been given away",
            seen="nothing fails: expired certificates are accepted",
            endpoints=labels(upstream),
        )


def _unverified(upstream: Upstream, server: str) -> Finding:
    directive = spelt(upstream, "verify")
    label = f"{directive} is {default_or_set(upstream.verify)}"
    if server == "apache":
        label = "any signer is accepted" if upstream.verify.explicit else f"{directive} is none by default"
    if upstream.trusted_ca.known:
        label += f", so that {spelt(upstream, 'trusted_ca')} has no effect"
    return rule.finding(
        f"the certificate of {subject(upstream, upstream.verify)} is not verified for {{endpoint}}",
        span_of(upstream, upstream.verify),
        severity=severity_of(upstream),
        label=label,
        help=f"set {directive} {'require' if server == 'apache' else 'on'} and {spelt(upstream, 'trusted_ca')} "
        f"to the authority's file{DEPTH if server == 'apache' else ''}",
        endpoints=labels(upstream),
    )


def _sharing(members: list[Upstream]) -> Iterator[Finding]:
    first = members[0]
    for other in members[1:]:
        if first.trusted_ca.known and other.trusted_ca.known and first.trusted_ca.known != other.trusted_ca.known:
            yield rule.finding(
                f'sessions with upstream "{other.host}" are shared with a place that trusts another authority, '
                "for {endpoint}",
                other.trusted_ca.span or other.place.span,
                severity=severity_of(other),
                label="a resumed session is not checked against this file",
                why="sessions are kept per upstream server, and a resumed one is not verified again",
                help=f"trust one authority in all places, or set {spelt(other, 'session_reuse')} off",
                endpoints=labels(other),
            )
