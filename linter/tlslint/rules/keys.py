"""What the rules about private keys share."""

from collections.abc import Iterator

from tlslint.resolve.model import CertificatePair, Deployment


def key_files(deployment: Deployment) -> Iterator[tuple[str, list[CertificatePair]]]:
    """Yield the path of each file from which a private key was read, and the pairs whose keys it holds."""
    files: dict[str, list[CertificatePair]] = {}
    for pair in deployment.certificates.pairs:
        if pair.key is not None and pair.key.count and pair.key_path:
            files.setdefault(pair.key_path, []).append(pair)
    yield from files.items()
