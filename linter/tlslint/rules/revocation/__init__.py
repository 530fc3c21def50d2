"""Rules about OCSP stapling."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_set


def concerns(deployment: Deployment) -> bool:
    """Whether anything is set about stapling."""
    return any_set(deployment, "stapling", "stapling_verify", "stapling_file", "stapling_responder")
