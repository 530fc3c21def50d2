import pytest

from support.servers import NGINX_NAMES, NginxBinary, find_nginx, require_servers


@pytest.fixture(scope="session", params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    """Each nginx of this machine in turn; skipped by name where there is none."""
    binary = find_nginx(request.param)
    if binary is None:
        (pytest.fail if require_servers() else pytest.skip)(f"no {request.param} on this machine")
    return binary
