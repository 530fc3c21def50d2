"""TLS4xx: names, SNI, the default server."""

from tlslint.resolve.model import Deployment


def concerns(deployment: Deployment) -> bool:
    """Always: names matter before anybody speaks TLS."""
    return True
