"""TLS1xx: protocol versions."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_tls


def concerns(deployment: Deployment) -> bool:
    """Whether versions are negotiated."""
    return any_tls(deployment)
