"""Clients of a configured CA are refused, because the way from it to a root is too long or leads nowhere.

## What it finds
An `ssl_verify_depth` that is smaller than the number of intermediate CAs in the file, and CAs in the file that lead to
no root in it. Apache's `SSLVerifyDepth` counts the root as well: it must be one more.

## Why it matters
OpenSSL builds a chain from the client's certificate up to a certificate that signs itself. The server gives up beyond
the depth (1 unless set: one intermediate with nginx, none with Apache), and OpenSSL does not stop at an intermediate
because that one is listed.

## What clients see
`400 The SSL certificate error`, although their certificate is good. nginx's log at level `info` says `client SSL
certificate verify error: (2:unable to get issuer certificate)`, whether the root is missing or out of reach. With
Apache the handshake fails: alert "internal error" and AH02040 in the log where the depth is too small, "unknown ca" and
AH02276 where the root is missing.

## How to fix it
Set the depth to the number of intermediates (Apache: of all CAs above the client's certificate); add the root to the
file. The fix sets the depth.

## False alarms that it avoids
The files of `ssl_client_certificate` and `ssl_trusted_certificate` count together with nginx. Other CAs of the file
that can be reached are left alone. Nothing is said of files that are not at hand.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.mutual import ca_setting, names_of, verifying
from tlslint.rules.words import counted, directive_of, governing, labels

rule = Rule(
    code="TLS503",
    name="short-verify-depth",
    severity=Severity.WARNING,
    summary="clients of a configured CA are refused, because no path leads from it to a root",
    why="a client's chain must reach a self-signed certificate of the file within the depth",
    seen="400 The SSL certificate error; the log says (2:unable to get issuer certificate)",
    seen_apache="alert internal error; the log says AH02040: Certificate Verification: Certificate Chain too long",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_verify_depth",
        "OpenSSL, SSL_CTX_set_verify_depth(3)",
        "Apache HTTP Server, SSLVerifyDepth",
    ),
    fix=Safety.SAFE,
)

_ROOT_MISSING_APACHE = "alert unknown ca; the log says AH02276: … Error (2): unable to get issuer certificate"


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each depth that is too small, and each file with CAs that lead nowhere."""
    apache = deployment.server == "apache"
    for endpoints in verifying(deployment, "client_ca", "trusted_ca", "crl", "verify_depth"):
        tls = endpoints[0].tls
        trust = deployment.clients.trust(tls)
        setting = ca_setting(tls)
        if trust is None or setting.span is None:
            continue
        found = trust.authorities
        depth = tls.verify_depth.known
        needed = found.depth + 1 if apache and found.usable else found.depth
        if depth is not None and depth < needed:
            where = directive_of(tls.verify_depth) or "the default depth"
            allowed = (
                counted(depth, "CA") + " above a client's certificate" if apache else counted(depth, "intermediate")
            )
            fix = SetValue("verify_depth", needed, tls.verify_depth, governing(endpoints, "verify_depth"))
            yield rule.finding(
                f'{where} allows {allowed}, and the CAs in "{setting.known}" need {needed}, for {{endpoint}}',
                tls.verify_depth.span or setting.span,
                label=f"{needed} {'is' if needed == 1 else 'are'} needed",
                help=f"set the depth to {needed}",
                endpoints=labels(endpoints),
                fix=Fix(f"set the depth to {needed}", Safety.SAFE, (fix,)),
            )
        lost = [authority for authority in found.rootless if authority in trust.announced]
        if lost:
            everybody = not found.usable
            yield rule.finding(
                f'no root for {names_of(lost)} is in "{setting.known}": '
                f"{'no client is' if everybody else 'its clients are not'} accepted by {{endpoint}}",
                setting.span,
                severity=Severity.ERROR if everybody else None,
                label="the root is missing",
                help="add the root certificate above it to this file",
                seen=_ROOT_MISSING_APACHE if apache else None,
                endpoints=labels(endpoints),
            )
