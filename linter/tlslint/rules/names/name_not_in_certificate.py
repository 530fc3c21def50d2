"""A server name is not among the names of the certificate that is served for it.

## What it finds
Names, aliases, wildcards and regular expressions of a host that no subject alternative name of the served certificate
covers. Where a host has several certificates (RSA and ECDSA), each has to cover it. What counts is the certificate that
a client really gets.

## Why it matters
Every client that checks certificates refuses the connection for that name.

## What clients see
curl: `(60) SSL: no alternative certificate subject name matches target host name '…'`; openssl: `hostname mismatch`
(verify error 62); Chrome: `NET::ERR_CERT_COMMON_NAME_INVALID`; Firefox: `SSL_ERROR_BAD_CERT_DOMAIN`.

## How to fix it
Have a certificate issued that names it, or remove the name from the host.

## False alarms that it avoids
`_`, the empty name, `localhost` and catch-all patterns need no certificate. A wildcard covers exactly one label, and
`*.example.org` as a server name is taken for that. International names are compared in their ASCII form. Of a regular
expression only what it certainly matches is reported; where the certificate covers some of it, nothing is said. Names
without a domain, as in a local network, and addresses are warnings; who connects to an address gets the default
server's certificate, which is the one that is judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.coverage import is_address, is_single_label, names_in, presented
from tlslint.rules.served import file_span, named
from tlslint.rules.words import listed

rule = Rule(
    code="TLS401",
    name="name-not-in-certificate",
    severity=Severity.ERROR,
    summary="a server name is not among the names of the certificate that is served for it",
    why="every client that checks certificates refuses the connection for that name",
    seen="curl: (60) SSL: no alternative certificate subject name matches target host name '…'",
    sources=("RFC 9525, section 6", "RFC 9110, section 4.3.4"),
)
MAX_MISSING = 3


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each server name and certificate that does not cover it."""
    verdicts: dict[tuple[str, str], tuple[str, ...]] = {}
    for endpoint, name, served, leaf in presented(deployment):
        if not leaf.dns_names and not leaf.ip_addresses:
            continue  # certificate-without-san
        missing = verdicts.get((leaf.sha256, name.text))
        if missing is None:
            # only where there is a certificate
            from tlslint.pki.names import Coverage, coverage

            verdict = coverage(leaf, name.text)
            missing = verdict.missing if verdict.coverage is Coverage.UNCOVERED else ()
            verdicts[leaf.sha256, name.text] = missing
        if not missing:
            continue
        # who asks for an address sends no name
        who = "{endpoint}" if endpoint.name is name else f"{name.text} for {{endpoint}}"
        span = name.argument.span if name.argument is not None else endpoint.virtual_host.span
        yield rule.finding(
            f"the certificate in {named(served)} does not cover {who}{_which(name.text, missing)}",
            span,
            severity=Severity.WARNING if is_single_label(name.text) or is_address(name.text) else None,
            label=f"the certificate is for {names_in(leaf)}",
            help="have a certificate issued that names it, or remove the name here",
            endpoints=[endpoint.label],
            related=[Related(file_span(served.pairs[0]), "the certificate that is served")],
        )


def _which(name: str, missing: tuple[str, ...]) -> str:
    """Say which of the names under a pattern are missing, unless it is the name itself."""
    if missing == (name.lower(),) or not name.startswith(("~", ".")):
        return ""
    more = len(missing) - MAX_MISSING
    names = missing[:MAX_MISSING]
    if more > 0:
        names = (*names, f"{more} more")
    return f": {listed(names)} {'is' if len(missing) == 1 else 'are'} not in it"
