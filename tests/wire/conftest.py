"""Real servers as fixtures; see `support.servers`."""

import shutil
from pathlib import Path

import pytest

from support.servers import NGINX_NAMES, NginxBinary, all_nginx, missing, needed_nginx


@pytest.fixture(scope="session")
def certificates() -> Path:
    """The folder of test certificates."""
    return Path(__file__).parents[2] / "fixtures" / "certificates"


@pytest.fixture(scope="session", params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    """Each nginx of this machine in turn; skipped by name where there is none."""
    return needed_nginx(request.param)


@pytest.fixture(scope="session")
def nginx_mail() -> NginxBinary:
    """An nginx with the mail module."""
    return next((binary for binary in all_nginx() if binary.has_mail), None) or missing("nginx with the mail module")


@pytest.fixture(scope="session")
def openssl() -> str:
    """The `openssl` command."""
    return shutil.which("openssl") or missing("openssl")
