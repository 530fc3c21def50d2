"""What Mozilla's generator writes has no faults of configuration, names or sessions, but for known ones of its own.

Those are: no protocol version at all where a release lacks the ones of the profile, and with OpenSSL before
1.0.2l session tickets, which the generator switches off with newer ones wherever nginx does not renew their keys.
"""

from collections.abc import Iterator

from rules.test_mozilla import parsed, rows
from support.corpus import needed_corpus
from tlslint.check import check
from tlslint.finding import Finding
from tlslint.policy import load_policy
from tlslint.resolve.nginx import resolve
from tlslint.rules import RULES
from tlslint.target import Version, parse_target

FAMILIES = [module for module in RULES if module.rule.code[3] in "046"]


def found() -> Iterator[tuple[str, str, Finding]]:
    """Each configuration with its own target."""
    for file, target in sorted({(row.file, row.target) for row in rows()}):
        root, tree = parsed(file)
        deployment = resolve(root, tree, parse_target(target, "nginx"))
        for finding in check(deployment, load_policy("mozilla-intermediate"), FAMILIES):
            yield file, target, finding


def is_known(target: str, finding: Finding) -> bool:
    if finding.name == "server-will-not-start":
        return finding.message == 'invalid number of arguments in "ssl_protocols" directive'
    openssl = parse_target(target, "nginx").openssl
    return finding.name == "session-tickets" and openssl is not None and openssl < Version("1.0.2l")


def test_generated_configurations() -> None:
    needed_corpus()
    everything = list(found())
    unexpected = [
        f"{file} for {target}, line {finding.span.line}: {finding.name}: {finding.message}"
        for file, target, finding in everything
        if not is_known(target, finding)
    ]
    assert unexpected == []
    assert {finding.name for _, _, finding in everything} == {"server-will-not-start", "session-tickets"}
