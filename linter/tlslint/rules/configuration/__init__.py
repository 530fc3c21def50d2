"""TLS0xx: the configuration itself."""

from tlslint.resolve.model import Deployment


def concerns(deployment: Deployment) -> bool:
    """Never: all that these rules have to say was found when the files were read."""
    return False
