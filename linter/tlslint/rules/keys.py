"""What the rules about private keys share."""

from collections.abc import Iterator

from tlslint.parse.tree import Span
from tlslint.record import dataclass, field
from tlslint.resolve.model import Deployment, Place


@dataclass(slots=True)
class KeyUse:
    """A file with a private key, also one of certificates, as the configuration names it, and where it does."""

    path: str
    name: str
    encrypted: bool
    places: list[Place] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """The argument that names it first."""
        return self.places[0].argument(-1).span


def key_files(deployment: Deployment) -> Iterator[KeyUse]:
    """Yield each file from which a private key was read, once."""
    files: dict[str, KeyUse] = {}
    for pair in deployment.certificates.pairs:
        inside = pair.bundle.keys if pair.bundle is not None else None
        for key, path, name, place in (
            (pair.key, pair.key_path, pair.key_file, pair.key_place),
            (inside, pair.path, pair.file, pair.place),
        ):
            if key is not None and key.count and path and name is not None and place is not None:
                files.setdefault(path, KeyUse(path, name, key.encrypted)).places.append(place)
    yield from files.values()
