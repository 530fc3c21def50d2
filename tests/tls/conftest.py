"""The real OpenSSL libraries, as fixtures."""

import fcntl
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

Ask = Callable[[str, list[list[Any]]], list[dict[str, Any]]]


def _oracles() -> Any:
    path = ROOT / "tools" / "openssl_oracles.py"
    spec = importlib.util.spec_from_file_location("openssl_oracles", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _available(name: str) -> bool:
    oracles = _oracles()
    if oracles.available(name):
        return True
    if name != "cryptography-46":
        return False
    # One worker makes the environment, the others wait for it.
    with (Path(tempfile.gettempdir()) / "tlslint-openssl35.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            oracles.create_openssl35()
        except (subprocess.SubprocessError, OSError):
            return False
    return bool(oracles.available(name))


def _require(name: str) -> None:
    if not _available(name):
        missing = f"the OpenSSL library «{name}» is not here (see tools/openssl_oracles.py)"
        if os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Put questions to a real library; skips the test when it is absent."""
    oracles = _oracles()

    def asking(name: str, questions: list[list[Any]]) -> list[dict[str, Any]]:
        _require(name)
        answers: list[dict[str, Any]] = oracles.ask(name, questions)
        return answers

    return asking


@pytest.fixture(scope="session")
def hello_with_config() -> Callable[[str, str], dict[str, Any]]:
    """The ClientHello of a real library that an openssl.cnf configures."""
    oracles = _oracles()

    def asking(name: str, commands: str) -> dict[str, Any]:
        _require(name)
        answer: dict[str, Any] = oracles.hello_with_config(name, commands)
        return answer

    return asking


@pytest.fixture(scope="session")
def read_hello() -> Callable[[bytes], dict[str, Any]]:
    """Read the cipher suites and groups out of a ClientHello."""
    reading: Callable[[bytes], dict[str, Any]] = _oracles()._read_hello
    return reading


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real configuration files beside the project; skips the test when they are absent."""
    folder = ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        if os.environ.get("TLSLINT_REQUIRE_SERVERS") == "1":
            pytest.fail("the corpus of real configuration files is not here")
        pytest.skip("the corpus of real configuration files is not here")
    return folder
