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
Append the intermediate to the file. Where an ACME client wrote `fullchain.pem` beside it, name that instead. Where
another file here holds it, `--fix --unsafe-fixes` does that, unless the file is damaged; tlslint itself fetches
nothing. With Apache a `SSLCertificateChainFile`, also one of the main server, takes the place of all certificates
behind the first one of `SSLCertificateFile`: name the right one, or remove it.

## False alarms that it avoids
A private root need not be sent, so an unknown issuer of a private certificate is no finding. Roots are this machine's,
or those that `trust-store` names. Signatures are verified: an intermediate of the right name with another key does not
count. Apache's chain file belongs to the chain, and so do CAs of clients, with which Apache completes a file
that holds a single certificate.
"""

import re
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, RemoveDirective, ReplaceArguments, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment
from tlslint.rules.served import begun_with, chain_span, chains, elsewhere, named, quoted, rewritten
from tlslint.rules.words import counted, listed

if TYPE_CHECKING:
    from tlslint.pki.bundle import BundleProblem
    from tlslint.pki.chain import Chain, Missing
    from tlslint.resolve.certificates import Served

rule = Rule(
    code="TLS305",
    name="missing-intermediate",
    severity=Severity.ERROR,
    summary="an intermediate certificate is missing in a chain",
    why="browsers often repair this from their cache, programs do not",
    seen="curl: (60) SSL certificate problem: unable to get local issuer certificate",
    sources=("RFC 8446, section 4.4.2", "RFC 5246, section 7.4.2", "CA/Browser Forum Baseline Requirements, 4.3.1.1"),
    fix=Safety.SAFE,
)

_COMMON_NAME = re.compile(r"(?:^|,|\+)CN=((?:\\.|[^,+\\])*)")
_ESCAPED = re.compile(r"\\([^0-9A-Fa-f])")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for each served file in which an intermediate is certainly missing."""
    for served, chain in chains(deployment):
        if chain.missing is not None and chain.missing.certain:
            yield _finding(deployment, served, chain, chain.missing)


def _finding(deployment: Deployment, served: "Served", chain: "Chain", missing: "Missing") -> Finding:
    issued = f'"{missing.child.label}" was issued by "{_common_name(missing.issuer)}", which is not there'
    return rule.finding(
        f"the chain in {named(served)}, served for {{endpoint}}, is incomplete: {issued}",
        chain_span(served),
        label=counted(len(served.bundle.certificates), "certificate") + _dropped(served),
        help=_advice(served, missing),
        endpoints=served.labels,
        related=elsewhere(served),
        fix=None if _damaged(served) else _fix(deployment, served, chain, missing),
    )


def _fix(deployment: Deployment, served: "Served", chain: "Chain", missing: "Missing") -> Fix | None:
    """Complete the file with what other files hold; what has to be fetched is for the reader to fetch."""
    pair = served.pairs[0]
    full = deployment.certificates.full_chain(pair, missing.found) if missing.found and not pair.chain_file else None
    if full is not None and all(one.file == pair.file for one in served.pairs):
        places = dict.fromkeys(one.place for one in served.pairs)
        return Fix(f'name "{full}"', Safety.SAFE, tuple(ReplaceArguments(place, (full,)) for place in places))
    own = pair.own_bundle.certificates if pair.own_bundle is not None else ()
    if pair.chain_place is not None and missing.found and set(missing.found) <= set(own):
        title = f'send what "{pair.file}" itself holds'
        named_so = dict.fromkeys(pair.chain_place for pair in served.pairs if pair.chain_place is not None)
        return Fix(title, Safety.UNSAFE, tuple(RemoveDirective(place) for place in named_so))
    if pair.chain_place is not None and not set(chain.unrelated) <= set(missing.found):
        return None  # the chain of something else, which others may need
    if missing.found:
        names = listed(quoted(missing.found))
        return Fix(f"add {names}", Safety.UNSAFE, rewritten(served, begun_with(chain.proposed, chain)))
    title = f'append the certificate of "{_common_name(missing.issuer)}"'
    file = quote(pair.chain_file or pair.file)
    # openssl alone decides whether it is the right one: the address is plain HTTP, as all such are
    commands: tuple[str, ...] = (
        f"openssl verify -partial_chain -trusted issuer.pem -untrusted {file} {quote(pair.file)}",
        f"cat issuer.pem >> {file}",
    )
    if missing.urls:
        fetched = f"curl -sSf -o issuer {quote(missing.urls[0])}"
        commands = (fetched, "openssl x509 -in issuer -out issuer.pem", *commands)
    return Fix(title, Safety.MANUAL, commands=commands)


def _damaged(served: "Served") -> "BundleProblem | None":
    return next((problem for problem in served.bundle.problems if problem.kind.value == "silent"), None)


def _dropped(served: "Served") -> str:
    """Say where the server passes over a certificate that the file was meant to hold."""
    problem = _damaged(served)
    return f"; line {problem.line}: {problem.message}" if problem is not None else ""


def _advice(served: "Served", missing: "Missing") -> str:
    if _damaged(served) is not None:
        return "get the file again from where it came, or repair the line"
    if missing.found:
        return f"append {listed(quoted(missing.found))}, which another file here holds"
    where = f", to be had from {missing.urls[0]}" if missing.urls else ""
    return f'append the certificate of "{_common_name(missing.issuer)}"{where}'


def _common_name(name: str) -> str:
    """Return the common name in a name as RFC 4514 writes it, or the whole name."""
    found = _COMMON_NAME.search(name)
    return _ESCAPED.sub(r"\1", found[1]) if found else name
