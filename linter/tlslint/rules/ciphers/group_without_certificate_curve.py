"""The certificate's curve is not on the list of groups, and old OpenSSL then cannot use the certificate.

## What it finds
OpenSSL before 1.1.1 checks the curve of its own ECDSA certificate against its own list of groups. A key on P-256 or
P-384 whose curve is not listed cannot be used with TLS 1.2 there.

## Why it matters
Every ECDSA handshake fails, although list and certificate look right each by itself.

## What clients see
`sslv3 alert handshake failure`; the server's log has `no shared cipher`.

## How to fix it
Add the certificate's curve to the list.

## False alarms that it avoids
OpenSSL 1.1.1 and later only ask whether the client knows the curve (measured on 3.0 and 3.3): there nothing is wrong,
and nothing is said. Certificates that could not be read are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.groups import GroupUse, group_uses
from tlslint.rules.words import governing, labels, listed
from tlslint.target import Version
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS224",
    name="group-without-certificate-curve",
    severity=Severity.WARNING,
    summary="the certificate's curve is not on the list of groups, and old OpenSSL then cannot use the certificate",
    why="OpenSSL before 1.1.1 wants the curve of its own certificate on its own list",
    seen="handshake failure with TLS 1.2 and an ECDSA certificate; log: no shared cipher",
    sources=("RFC 8422, section 5.1", "OpenSSL 1.0.2, tls1_check_ec_key"),
    fix=Safety.SAFE,
)
CHECKED_UNTIL = Version("1.1.1")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each written list that lacks the curve of a certificate, where that matters."""
    library = deployment.target.openssl
    if len(deployment.targets()) > 1 or library is None or library >= CHECKED_UNTIL:
        return
    openssl = build(deployment.target)
    for use in group_uses(deployment):
        names = {group.name for group in use.groups(deployment.target)}
        if use.is_default or not names:
            continue
        affected = [
            endpoint
            for endpoint in use.endpoints
            if any(kind == "ec" and curve not in names for kind, _, curve in endpoint.handshake.keys)
        ]
        curves = sorted({curve for e in affected for kind, _, curve in e.handshake.keys if kind == "ec"} - names)
        if affected and use.setting.span is not None:
            yield rule.finding(
                f"{listed(curves)}, the curve of the certificate of {{endpoint}}, is not on the list of groups",
                use.setting.span,
                label=f"OpenSSL {openssl.version} cannot use the certificate then",
                help=f"add {listed(curves)} to the list",
                endpoints=labels(affected),
                fix=_fix(use, curves),
            )


def _fix(use: GroupUse, curves: list[str]) -> Fix:
    groups = (*(use.setting.known or "").split(":"), *curves)
    intention = SetValue("groups", groups, use.setting, governing(use.endpoints, "groups"))
    return Fix(f"add {listed(curves)} to the list", Safety.SAFE, (intention,))
