"""TLS8xx: HTTP."""

from tlslint.resolve.model import Deployment


def concerns(deployment: Deployment) -> bool:
    """Always: plain HTTP may be what is wrong."""
    return True
