"""What a run does not load: starting is most of what linting one file costs, so slow modules stay away."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGURATION = """\
events {}
http {
    ssl_protocols TLSv1.1 TLSv1.2;
    server {
        listen 443 ssl;
        server_name a.example.org;
        ssl_certificate a.pem;
        ssl_certificate_key a.key;
    }
}
"""
SLOW = (
    "typer", "pathlib", "urllib", "inspect", "dataclasses", "subprocess", "difflib", "rich", "jsonschema",
    "cryptography", "pydantic", "importlib.metadata", "asyncio", "unittest", "email", "http", "ssl", "hashlib",
    "multiprocessing", "concurrent.futures", "tomllib", "unicodedata", "logging", "xml",
)  # fmt: skip

UNASKED = {
    f"tlslint.{name}"
    for name in (
        "annotate", "baseline", "changed", "fingerprint", "fix.engine", "fix.write",
        "inventory", "resolve.apache", "resolve.apache_include", "resolve.checkout", "since", "suppress", "toml_places",
    )
}  # fmt: skip
"""What only some options, comments, settings or Apache files need."""


def loaded(*arguments: str, cwd: Path) -> set[str]:
    """Return the modules that a command has loaded when it ends."""
    script = (
        "import sys\n"
        "from tlslint.cli import run\n"
        "run(sys.argv[1:])\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT / "linter"), "PATH": "/usr/bin:/bin"},
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("one.conf",),
        ("one.conf", "--output-format", "json"),
        ("--hook", "one.conf"),
        ("--fix", "--isolated", "-q", "--jobs=1", "--", "one.conf"),
        ("show", "one.conf"),
        ("ciphers", "HIGH"),
    ],
    ids=" ".join,
)
def test_slow_modules_stay_away(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text(CONFIGURATION, encoding="utf-8")
    modules = loaded(*arguments, cwd=tmp_path)
    assert "tlslint.cli" in modules
    # fingerprints of findings are hashes
    needed = {"hashlib"} if "json" in arguments else set()
    assert sorted(modules & set(SLOW) - needed) == []


def test_what_was_not_asked_for_stays_away(tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text(CONFIGURATION, encoding="utf-8")
    modules = loaded("one.conf", cwd=tmp_path)
    assert "tlslint.rules" in modules
    assert sorted(modules & UNASKED) == []


def test_linting_needs_no_certificate_code_without_certificates(tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text(CONFIGURATION, encoding="utf-8")
    modules = loaded("one.conf", cwd=tmp_path)
    assert "tlslint.rules" in modules
    assert sorted(name for name in modules if name.startswith("tlslint.pki.")) == []


def test_rules_that_do_not_concern_a_file_stay_away(tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text("events {}\nhttp { server { listen 80; } }\n", encoding="utf-8")
    modules = loaded("one.conf", cwd=tmp_path)
    families = {name.split(".")[2] for name in modules if name.startswith("tlslint.rules.") and name.count(".") == 3}
    assert families == {"http", "names"}


def test_a_usual_certificate_needs_the_small_parts_of_cryptography_only(tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text(CONFIGURATION, encoding="utf-8")
    for name, source in (("a.pem", "a-ec256.pem"), ("a.key", "a-ec256.key")):
        (tmp_path / name).write_bytes((ROOT / "fixtures" / "certificates" / source).read_bytes())
    modules = loaded("one.conf", "--trust-store", "none", cwd=tmp_path)
    assert "cryptography.hazmat.primitives.asymmetric.ec" in modules
    slow = ("cryptography.x509", "cryptography.hazmat.primitives.serialization")
    assert sorted(name for name in modules if name.startswith(slow)) == []
