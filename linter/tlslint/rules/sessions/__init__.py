"""TLS6xx: sessions."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_tls


def concerns(deployment: Deployment) -> bool:
    """Whether there are sessions."""
    return any_tls(deployment)
