"""TLS2xx: cipher suites, groups, Diffie-Hellman parameters."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_tls


def concerns(deployment: Deployment) -> bool:
    """Whether suites are negotiated."""
    return any_tls(deployment)
