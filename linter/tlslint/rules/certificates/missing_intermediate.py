"""An intermediate certificate is missing: clients cannot build the chain to a root that they trust.

## What it finds
A certificate whose issuer is neither in the file nor a trusted root. It is an error where that is certain: another file
of the configuration, or of the certificate's directory, holds the missing certificate; or the certificate claims to be
publicly trusted, and public roots never issue server certificates directly.

## Why it matters
A server has to send every certificate between its own and the root. Browsers often repair the gap from their cache or
by fetching it, so that the fault goes unnoticed until a program, a phone or a partner's server connects.

## What clients see
curl: `(60) SSL certificate problem: unable to get local issuer certificate`; openssl: verify error 20 or 21; Firefox:
`SEC_ERROR_UNKNOWN_ISSUER`.

## How to fix it
Append the intermediate to the file (certbot: use `fullchain.pem`, not `cert.pem`).

## False alarms that it avoids
A private root need not be sent, so an unknown issuer of a private certificate is no finding. Roots are this machine's,
or those that `trust-store` names. Signatures are verified: an intermediate of the right name with another key does not
count. Apache's chain file belongs to the chain.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import chains, elsewhere, file_span, named, quoted
from tlslint.rules.words import counted, listed

if TYPE_CHECKING:
    from tlslint.pki.chain import Missing
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS305",
    name="missing-intermediate",
    severity=Severity.ERROR,
    summary="an intermediate certificate is missing in a chain",
    why="browsers often repair this from their cache, programs do not",
    seen="curl: (60) SSL certificate problem: unable to get local issuer certificate",
    sources=("RFC 8446, section 4.4.2", "RFC 5246, section 7.4.2", "CA/Browser Forum Baseline Requirements, 4.3.1.1"),
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file in which an intermediate is certainly missing."""
    for served, chain in chains(deployment):
        if chain.missing is not None and chain.missing.certain:
            yield _finding(served, chain.missing)


def _finding(served: "Served", missing: "Missing") -> Finding:
    issued = f'"{missing.child.label}" was issued by "{_common_name(missing.issuer)}", which is not there'
    return rule.finding(
        f"the chain in {named(served)}, served for {{endpoint}}, is incomplete: {issued}",
        file_span(served.pairs[0]),
        label=counted(len(served.bundle.certificates), "certificate") + _dropped(served),
        help=_advice(missing),
        endpoints=served.labels,
        related=elsewhere(served),
    )


def _dropped(served: "Served") -> str:
    """Say where the server passes over a certificate that the file was meant to hold."""
    problem = next((problem for problem in served.bundle.problems if problem.kind.value == "silent"), None)
    return f"; line {problem.line}: {problem.message}" if problem is not None else ""


def _advice(missing: "Missing") -> str:
    if missing.found:
        return f"append {listed(quoted(missing.found))}, which another file here holds"
    where = f", to be had from {missing.urls[0]}" if missing.urls else ""
    return f'append the certificate of "{_common_name(missing.issuer)}"{where}'


def _common_name(name: str) -> str:
    """Return the common name in a name as RFC 4514 writes it, or the whole name."""
    return next((part[3:] for part in name.split(",") if part.startswith("CN=")), name)
