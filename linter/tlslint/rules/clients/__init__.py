"""Rules about client certificates: who is asked for one, who checks it, and against what."""

from tlslint.resolve.model import Deployment, Upstream
from tlslint.rules.concern import any_set

SETTINGS = (
    "client_check", "verify_client", "client_ca", "trusted_ca", "crl", "client_ocsp", "idle_crl", "crl_check",
    "verify_depth", "ca_path", "ca_names",
)  # fmt: skip
"""What is set about certificates of clients."""


def concerns(deployment: Deployment) -> bool:
    """Whether anything is set about certificates of clients, or passed on to upstreams, or shown to them."""
    return (
        any_set(deployment, *SETTINGS)
        or any(endpoint.tls.directories for endpoint in deployment.endpoints)
        or any(upstream.certificate.explicit or _tells(upstream) for upstream in deployment.upstreams)
    )


def _tells(upstream: Upstream) -> bool:
    """Whether an upstream is told something of the client's certificate."""
    return any("ssl_client" in header.value.lower() for header in upstream.request_headers)
