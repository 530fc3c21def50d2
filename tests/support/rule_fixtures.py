"""The fixtures of the rules: `fixtures/rules/<rule>/<server>/{bad,good}[-<case>].conf`, or a folder with a whole tree.

A fixture's first line may say how it is checked, as a comment:

    # tlslint-test: --target nginx=1.22.1,openssl=3.0.19 --policy intermediate@5.7 --accepted-by nginx<1.25.1

Certificates are judged as of 2026-06-01 unless `--now` says otherwise; `--trust-store`, `--require-certificates` and
`--root` (relative to the fixture) are tlslint's own options.

`--accepted-by` names what the real server must be to start with it (`nginx>=1.25.1`, `apache<2.4`, `openssl<4`, several
with commas); any other must refuse. `<name>.refused` holds a part of the refusal's message; without `--accepted-by` all
refuse. `<name>.down` holds a part of what Apache logs where its own test of the syntax passes and it does not start.

A fixture for Apache is a whole configuration: it loads the modules that it needs (`LoadModule ssl_module
modules/mod_ssl.so`) and has `Listen` lines for loopback addresses.
"""

import argparse
import operator
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from support.apache import ApacheBinary
from support.servers import NginxBinary, dotted
from tlslint.check import RuleModule, check
from tlslint.finding import Finding
from tlslint.policy import load_policy
from tlslint.resolve.model import Deployment
from tlslint.run import lint, predict
from tlslint.selection import ABOUT_COMMENTS
from tlslint.settings import Settings
from tlslint.target import Version

FIXTURES = Path(__file__).parents[2] / "fixtures"
RULE_FIXTURES = FIXTURES / "rules"
SERVERS = ("nginx", "apache")
ENTRIES = {"nginx": "nginx.conf", "apache": "httpd.conf"}
MARK = "# tlslint-test:"


@dataclass(frozen=True, slots=True)
class Fixture:
    """One configuration that a rule must find something in, or nothing."""

    rule: str
    server: str
    name: str
    entry: Path
    """The configuration file; for a tree the main file in its folder."""

    @property
    def is_bad(self) -> bool:
        return self.name == "bad" or self.name.startswith("bad-")

    @property
    def folder(self) -> Path:
        """What is copied to put the fixture to a real server."""
        return self.entry.parent

    def beside(self, suffix: str) -> Path:
        """`bad.out` and the like."""
        return RULE_FIXTURES / self.rule / self.server / f"{self.name}{suffix}"

    @property
    def refusal(self) -> str | None:
        """A part of the message with which the server refuses the fixture, or None."""
        path = self.beside(".refused")
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    @property
    def downfall(self) -> str | None:
        """A part of what Apache logs where it passes the fixture in its own test, and does not start; or None."""
        path = self.beside(".down")
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    @property
    def options(self) -> argparse.Namespace:
        line = self.entry.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")[0]
        return _parser().parse_args(shlex.split(line.removeprefix(MARK)) if line.startswith(MARK) else [])

    def accepted_by(self, binary: NginxBinary | ApacheBinary) -> bool:
        """Whether that server's test of the configuration must pass."""
        if not self.options.accepted_by:
            return self.refusal is None
        versions = {self.server: Version(dotted(binary.version)), "openssl": Version(dotted(binary.openssl))}
        return all(_holds(condition, versions) for condition in self.options.accepted_by.split(","))

    def __str__(self) -> str:
        return f"{self.rule}/{self.server}/{self.name}"


@cache
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=MARK, add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--target")
    parser.add_argument("--policy", default="mozilla-intermediate")
    parser.add_argument("--accepted-by")
    parser.add_argument("--now", default="2026-06-01")
    parser.add_argument("--trust-store", default="none")
    parser.add_argument("--require-certificates", action="store_true")
    parser.add_argument("--root", default="/")
    return parser


_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
}  # fmt: skip


def _holds(condition: str, versions: dict[str, Version]) -> bool:
    found = re.fullmatch(r"(nginx|apache|openssl)(<=?|>=?|=)([\d.]+\w?)", condition)
    if not found:
        raise ValueError(f"not a condition: {condition}")
    return _COMPARE[found[2]](versions[found[1]], Version(found[3]))


def fixtures(server: str | None = None) -> list[Fixture]:
    """Return all fixtures, or those for one server, in alphabetical order."""
    found = []
    for folder in sorted(RULE_FIXTURES.glob("*/*")):
        if folder.name in SERVERS and server in (None, folder.name):
            found += list(_in_folder(folder))
    return found


def _in_folder(folder: Path) -> Iterator[Fixture]:
    for path in sorted(folder.iterdir()):
        name = path.stem if path.suffix == ".conf" else path.name
        if not re.fullmatch(r"(bad|good)(-[a-z0-9-]+)?", name):
            continue
        entry = path / ENTRIES[folder.name] if path.is_dir() else path
        yield Fixture(folder.parent.name, folder.name, name, entry)


def has_resolver(server: str) -> bool:
    """Whether that server's configuration can be read at all yet."""
    return find_spec(f"tlslint.resolve.{server}") is not None


def settings_of(fixture: Fixture) -> Settings:
    """The settings that a fixture's options give; paths are relative to the current directory, the fixture's."""
    options = fixture.options
    return Settings(
        policy=options.policy,
        root=options.root,
        target=options.target,
        server=fixture.server,
        now=options.now,
        trust_store=(options.trust_store,),
        require_certificates=options.require_certificates,
    )


def deployments(fixture: Fixture) -> list[Deployment]:
    """Resolve a fixture as its options say."""
    found, report = predict([fixture.entry.name], settings_of(fixture))
    assert report.problems == []
    assert report.failures == []
    return found


def findings(fixture: Fixture, rules: Sequence[RuleModule]) -> list[Finding]:
    """Return what these rules find in a fixture, in the order of a report; the current directory is the fixture's."""
    if any(module.rule.code.startswith(ABOUT_COMMENTS) for module in rules):
        # these look at what all rules find
        report = lint([fixture.entry.name], settings_of(fixture))
        assert report.failures == []
        codes = {module.rule.code for module in rules}
        return [item for item in report.findings if item.code in codes]
    policy = load_policy(fixture.options.policy)
    found = [item for deployment in deployments(fixture) for item in check(deployment, policy, rules)]
    return sorted(found, key=lambda item: item.sort_key)


def described(finding: Finding, entry: str) -> str:
    """Write a finding on one line; the file is named where it is not the entry file."""
    span = finding.span
    file = "" if span.source.path == entry else f"{span.source.path}:"
    position = f"{file}{span.line}:{span.column}-{span.end_line}:{span.end_column}"
    parts = [f"{finding.message}", finding.label, "; ".join(finding.endpoints)]
    return f"{position} {finding.severity.label} {finding.code} {finding.name}: {' | '.join(parts)}"
