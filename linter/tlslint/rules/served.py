"""What the rules about certificates share: where a file is named, how certificates and dates are written."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from tlslint.finding import Related
from tlslint.intention import RewriteBundle
from tlslint.parse.tree import Span
from tlslint.resolve.model import CertificatePair, Deployment, Place
from tlslint.rules.words import counted

if TYPE_CHECKING:
    from tlslint.pki.certificate import Certificate
    from tlslint.pki.chain import Chain
    from tlslint.resolve.certificates import Served

MAX_RELATED = 3
MAX_NAMED = 8


def file_span(pair: CertificatePair) -> Span:
    """Return the argument that names the certificate's file."""
    return pair.place.argument(-1).span


def chain_span(served: "Served") -> Span:
    """Return the argument that names the file of the certificates behind the first one."""
    pair = served.pairs[0]
    return file_span(pair) if pair.chain_place is None else pair.chain_place.argument(-1).span


def key_span(pair: CertificatePair) -> Span:
    """Return the argument that names the key's file; the certificate's where there is none."""
    return pair.key_place.argument(-1).span if pair.key_place is not None else file_span(pair)


def also_named(places: Iterable[Place]) -> tuple[Related, ...]:
    """Return the other directives that name the same file, the first few of them."""
    spans = list(dict.fromkeys(place.argument(-1).span for place in places))[1:]
    shown = [Related(span, "named here as well") for span in spans[:MAX_RELATED]]
    more = len(spans) - len(shown)
    if more:
        shown[-1] = Related(shown[-1].span, f"named here as well, and in {counted(more, 'more directive')}")
    return tuple(shown)


def elsewhere(served: "Served") -> tuple[Related, ...]:
    """Return the other directives that name a served file."""
    return also_named(pair.place for pair in served.pairs)


def named(served: "Served") -> str:
    """Write a served file as the configuration does."""
    pair = served.pairs[0]
    if pair.file.startswith("data:"):
        return 'the certificate in "data:"'
    if pair.chain_file:
        return f'"{pair.file}" followed by "{pair.chain_file}"'
    return f'"{pair.file}"' + (" completed with CAs of clients" if is_completed(served) else "")


def is_completed(served: "Served") -> bool:
    """Whether the server adds certificates of other files behind the only one of this file (Apache: CAs of clients)."""
    return not served.pairs[0].chain_file and any(not entry.end for entry in served.bundle.entries)


@lru_cache(maxsize=1)
def chains(deployment: Deployment) -> tuple[tuple["Served", "Chain"], ...]:
    """Return each served file whose chain could be analysed: most rules about certificates ask for them."""
    certificates = deployment.certificates
    every = ((served, certificates.chain(served)) for served in certificates.served)
    return tuple((served, chain) for served, chain in every if chain is not None)


def sent_on_the_way(chain: "Chain") -> Iterator["Certificate"]:
    """Iterate over the certificates that clients need: the leaf and its intermediates, each once."""
    return iter(chain.path)


def described(certificate: "Certificate", chain: "Chain") -> str:
    """Name a certificate by its part in a chain."""
    return "the certificate" if certificate == chain.leaf else f'the intermediate "{certificate.label}"'


def rewritten(served: "Served", certificates: "Iterable[Certificate]") -> tuple[RewriteBundle, ...]:
    """Return the intention that a chain is sent like this, once for each file that holds it."""
    wanted = tuple(certificates)
    by_file = {(pair.path, pair.chain_file): pair for pair in served.pairs}
    return tuple(RewriteBundle(pair, wanted) for pair in by_file.values())


def begun_with(first: "Iterable[Certificate]", chain: "Chain") -> "Iterator[Certificate]":
    """Yield these certificates, and then whatever else is sent, as often as it is and in its order."""
    begin = list(first)
    yield from begin
    for certificate in chain.certificates:
        if certificate in begin:
            begin.remove(certificate)
        else:
            yield certificate


def quoted(certificates: Iterable["Certificate"], most: int = MAX_NAMED) -> list[str]:
    """Return the labels of certificates in quotes, the first few of them."""
    names = [f'"{certificate.label}"' for certificate in certificates]
    more = len(names) - most
    return [*names[:most], f"{more} more"] if more > 0 else names


def day(moment: datetime) -> str:
    """Write a moment as a day, as ISO 8601 does."""
    return moment.date().isoformat()
