"""TLS9xx: connections that the server itself makes."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_upstream


def concerns(deployment: Deployment) -> bool:
    """Whether any of them may speak TLS."""
    return any_upstream(deployment)
