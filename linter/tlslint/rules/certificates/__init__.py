"""TLS3xx: certificates, chains and keys, as they stand in the files that the configuration names."""

from tlslint.resolve.model import Deployment
from tlslint.rules.concern import any_set, any_upstream, hosts


def concerns(deployment: Deployment) -> bool:
    """Whether any host names a certificate, or another file that the server opens."""
    return (
        any(host.tls.certificates.known for host in hosts(deployment))
        or any_upstream(deployment)
        or (deployment.server == "apache" and any_set(deployment, "client_ca", "crl", "idle_crl", "ticket_keys"))
    )
