"""Each rule finds in its bad fixtures exactly what `bad.out` says, and nothing in its good ones.

`TLSLINT_UPDATE=1` rewrites the `.out` files: read the difference, each line must be true. Each fixture is put to the
real server as well, so that nothing is shown that nobody could run.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from support.apache import USUAL_MODULES, ApacheServer, needed_apache
from support.rule_fixtures import FIXTURES, Fixture, described, findings, fixtures, has_resolver
from support.servers import NGINX_NAMES, NginxBinary, ServerError, needed_nginx, nginx_test
from tlslint.check import RuleModule
from tlslint.rules import RULES

RESOLVABLE = [fixture for fixture in fixtures() if has_resolver(fixture.server)]


def rule_named(name: str) -> RuleModule:
    return next(module for module in RULES if module.rule.name == name)


@pytest.mark.parametrize("fixture", RESOLVABLE, ids=str)
def test_findings(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixture.folder)
    found = findings(fixture, [rule_named(fixture.rule)])
    text = "".join(f"{described(finding, fixture.entry.name)}\n" for finding in found)
    if not fixture.is_bad:
        assert text == ""
        return
    expected = fixture.beside(".out")
    if os.environ.get("TLSLINT_UPDATE") == "1":
        expected.write_text(text, encoding="utf-8")
    assert text, "nothing was found"
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("fixture", RESOLVABLE, ids=str)
def test_every_rule_copes_with_every_fixture(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixture.folder)
    for finding in findings(fixture, RULES):
        assert finding.span.start <= finding.span.end <= len(finding.span.source.text)
        assert "{endpoint}" not in finding.message
        assert "\n" not in finding.message + finding.label + finding.help + finding.why + finding.seen


def copied(fixture: Fixture, folder: Path) -> Path:
    """Copy a fixture, with whole paths for the certificates, which it names relative to itself."""
    shutil.copytree(fixture.folder, folder, symlinks=True)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            text = re.sub(r"(?:\.\./)+certificates/", f"{FIXTURES}/certificates/", text)
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return folder


@pytest.fixture(params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


@pytest.mark.parametrize("fixture", fixtures("nginx"), ids=str)
def test_nginx_reads_the_fixture(fixture: Fixture, nginx: NginxBinary, tmp_path: Path) -> None:
    folder = copied(fixture, tmp_path / "conf")
    text = fixture.entry.read_text(encoding="utf-8", errors="surrogateescape")
    for module, present in (("mail", nginx.has_mail), ("stream", nginx.has_stream)):
        if re.search(rf"(?m)^\s*{module}\s*\{{", text) and not present:
            pytest.skip(f"{nginx.name} has no {module} module")
    passed, messages = nginx_test(nginx, folder, fixture.entry.name)
    assert passed == fixture.accepted_by(nginx), messages
    if not passed:
        assert (fixture.refusal or "") in messages


def is_for_loopback(path: Path) -> bool:
    """Whether all sockets of a configuration are on loopback addresses and ports that everybody may open."""
    words = re.findall(r"(?m)^\s*Listen\s+(\S+)", path.read_text(encoding="utf-8", errors="surrogateescape"))
    return all(word.startswith("127.") and int(word.rpartition(":")[2]) > 1023 for word in words)


@pytest.mark.parametrize("fixture", fixtures("apache"), ids=str)
def test_apache_reads_the_fixture(fixture: Fixture, tmp_path: Path) -> None:
    binary = needed_apache()
    folder = copied(fixture, tmp_path / "conf")
    for path in folder.rglob("*.conf"):
        # tests run side by side: each process has loopback addresses of its own
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        text = text.replace("127.0.0.", f"127.{os.getpid() >> 8 & 127}.{os.getpid() & 255}.")
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    own = folder.rglob("*.conf") if fixture.entry.parent.name == fixture.name else [folder / fixture.entry.name]
    texts = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in own]
    loaded = re.findall(r"(?m)^LoadModule (\w+)_module", "".join(texts))
    modules = dict.fromkeys((*USUAL_MODULES, *loaded))
    server = ApacheServer(binary, folder, fixture.entry.name, modules=tuple(modules))
    try:
        passed, messages = server.test()
        assert passed == fixture.accepted_by(binary), messages
        if not passed:
            assert (fixture.refusal or "") in messages
        elif not is_for_loopback(server.configuration):
            pass  # no test opens sockets for others, or on ports that need rights
        elif fixture.downfall is None:
            server.start()
        else:
            with pytest.raises(ServerError, match=re.escape(fixture.downfall)):
                server.start()
    finally:
        server.stop()
