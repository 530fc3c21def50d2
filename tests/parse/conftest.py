import pytest

from support.servers import NGINX_NAMES, NginxBinary, needed_nginx


@pytest.fixture(scope="session", params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    """Each nginx of this machine in turn; skipped by name where there is none."""
    return needed_nginx(request.param)
