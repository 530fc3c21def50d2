"""What could not be decided about a deployment, and why: rules say nothing of it, and the report counts it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from tlslint.finding import CouldNotCheck
from tlslint.record import dataclass
from tlslint.resolve.model import CertificatePair, Deployment

if TYPE_CHECKING:
    from tlslint.selection import Selection

NOT_HERE = "not here: --root or path-map says where it is, --require-certificates makes its absence an error"
_WITHOUT_CERTIFICATES = ("TLS0", "TLS1", "TLS6", "TLS8")
"""Families of rules that find the same whether or not the certificates are there."""
_WITH_CERTIFICATES = ("TLS807",)


def undecided(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield what could not be decided: one item for each include and certificate file, one for settings alike."""
    for what, why, span in deployment.unknown:
        yield CouldNotCheck(what, why, span)
    unread: dict[str, CertificatePair] = {}
    endpoints: Counter[str] = Counter()
    settings: dict[str, dict[str, int]] = {}
    for handshake in deployment.handshakes:
        for what, why in handshake.unknown:
            if what == "certificates" and not handshake.tls.certificates.is_unknown:
                for endpoint in handshake.endpoints:
                    files = {pair.file: pair for pair in endpoint.tls.certificates.known or () if pair.bundle is None}
                    endpoints.update(files.keys())
                    unread.update(files)
            else:
                counts = settings.setdefault(why, {})
                counts[what] = counts.get(what, 0) + len(handshake.endpoints)
    for file, pair in unread.items():
        if not deployment.certificates.is_missing(pair.trouble, pair.path, pair.reason):
            what = f'certificate "{file}" of {_endpoints(endpoints[file])}'
            yield CouldNotCheck(what, _why(pair.trouble, pair.path, pair.file, pair.reason), pair.place.span)
    yield from _half_read(deployment)
    yield from _unread_keys(deployment)
    yield from _other_files(deployment)
    for why, counts in settings.items():
        names = ", ".join(what.replace("_", " ") for what in counts)
        yield CouldNotCheck(f"{names} of {_endpoints(max(counts.values()))}", why)


def _why(trouble: str, path: str, name: str, reason: str) -> str:
    """Say why a file could not be read; one reason for all that are not kept beside the configuration."""
    if trouble in ("missing", "outside") and path:
        return NOT_HERE
    return reason.removeprefix(f'"{name}" ')


def _unread_keys(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield the keys that could not be read of certificates that could."""
    certificates = deployment.certificates
    for served in certificates.served:
        pair = served.pairs[0]
        trouble, reason = pair.key_trouble, pair.key_reason
        if pair.key is None and trouble and not certificates.is_missing(trouble, pair.key_path, reason, "secret"):
            why = _why(trouble, pair.key_path, pair.key_file or "", reason)
            place = pair.key_place or pair.place
            yield CouldNotCheck(f'key "{pair.key_file}" of {_endpoints(len(served.endpoints))}', why, place.span)


def _other_files(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield the lists of CAs and CRLs, parameters and ticket keys that could not be read."""
    for named, failure, is_missing in deployment.named_files.unread():
        if not is_missing:
            place = named.places[0]
            users = _counted(len(named.users), "upstream" if named.is_for_upstreams else "endpoint")
            why = _why(failure.kind, named.path, named.name, failure.reason)
            yield CouldNotCheck(f'{place.directive.name} "{named.name}" of {users}', why, place.span)


def _half_read(deployment: Deployment) -> Iterator[CouldNotCheck]:
    """Yield the certificate files in which something stands that the server may take and that could not be read."""
    for served in deployment.certificates.served:
        pair = served.pairs[0]
        for problem in served.bundle.problems if not served.bundle.complete else ():
            if problem.kind.value == "unknown":
                where = f"line {problem.line} of certificate"
                yield CouldNotCheck(f'{where} "{pair.file}"', problem.message, pair.place.span)


def _endpoints(number: int) -> str:
    return _counted(number, "endpoint")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(slots=True)
class Checked:
    """Whether all of the configuration could be judged: only then a comment that suppresses nothing is superfluous."""

    whole: bool = True
    certificates: bool = True

    def add(self, deployment: Deployment, gaps: Collection[object]) -> None:
        """Take in what could not be decided of a deployment."""
        doubts = (what for handshake in deployment.handshakes for what, _ in handshake.unknown)
        if deployment.fragment or not deployment.complete or deployment.unknown:
            self.whole = False
        elif gaps:
            self.certificates = False
            self.whole = self.whole and all(what == "certificates" for what in doubts)

    def judged(self, codes: Iterable[str], selection: "Selection") -> bool:
        """Whether these rules ran, and would have found what there is."""
        return self.whole and all(
            selection.runs_code(code)
            and (self.certificates or (code.startswith(_WITHOUT_CERTIFICATES) and code not in _WITH_CERTIFICATES))
            for code in codes
        )
