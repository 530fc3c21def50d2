"""TLS3xx: certificates, chains and keys, as they stand in the files that the configuration names."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import hosts


def concerns(deployment: Deployment) -> bool:
    """Whether any host names a certificate."""
    return any(host.tls.certificates.known for host in hosts(deployment))
