"""Completion as the shells ask for it: bash itself, and the protocol that the scripts for zsh and fish speak."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlslint import completion
from tlslint.policy import load_policy
from tlslint.report.formats import FORMATS
from tlslint.rules import RULES
from tlslint.selection import Selection
from tlslint.settings import Settings
from tlslint.target import parse_target

ROOT = Path(__file__).parents[1]
NAMES = [module.rule.name for module in RULES]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which `tlslint` is a command, and with a home of its own."""
    command = tmp_path / "bin/tlslint"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tlslint "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "linter"),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }


def asked(environment: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["tlslint"], env={**environment, **variables}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    return done


BASH = """
eval "$(_TLSLINT_COMPLETE=source_bash tlslint)"
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_tlslint_completion tlslint
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def in_bash(environment: dict[str, str], *words: str) -> list[str]:
    """What bash offers for the last word."""
    script = BASH.format(words=" ".join(map(shlex.quote, words)))
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def in_fish(environment: dict[str, str], line: str) -> list[str]:
    """What fish is told for a command line: a value a line, the help behind a tab."""
    variables = {"_TLSLINT_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": line}
    told = asked(environment, **variables, _TYPER_COMPLETE_FISH_ACTION="get-args").stdout.split("\n")
    told = list(filter(None, told))
    # this is how fish asks whether to complete files instead
    answer = asked(environment, **variables, _TYPER_COMPLETE_FISH_ACTION="is-args").returncode
    assert (answer == 0) == bool(told)
    return [line.partition("\t")[0] for line in told]


def in_zsh(environment: dict[str, str], line: str) -> list[str]:
    """What zsh is told: arguments for `_arguments`, or to complete files."""
    told = asked(environment, _TLSLINT_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=line).stdout.strip()
    if told == "_files":
        return []
    assert told.startswith("_arguments '*: :((")
    assert told.endswith("))'")
    listed = told.removeprefix("_arguments '*: :((").removesuffix("))'")
    return [item.partition('"')[0] for item in listed.removeprefix('"').split('\n"')]


COMMANDS = {"check", "show", "inventory", "ciphers", "rule", "policy", "schema"}
CASES: list[tuple[str, set[str], set[str]]] = [
    ("tlslint ", COMMANDS, {"weak-protocol"}),
    ("tlslint sh", {"show"}, {"check"}),
    ("tlslint check --sel", {"--select"}, {"--server"}),
    ("tlslint --sel", {"--select"}, {"--server"}),
    ("tlslint --ver", {"--version", "--verbose"}, {"--select"}),
    ("tlslint rule weak-p", {"weak-protocol"}, {"weak-key"}),
    ("tlslint rule TLS101", {"TLS101"}, {"TLS102"}),
    ("tlslint --select weak-protocol,missing-h", {"weak-protocol,missing-hsts"}, {"missing-hsts"}),
    ("tlslint --ignore TLS", {"TLS1", "TLS2", "TLS101"}, {"ALL", "weak-protocol"}),
    ("tlslint check --policy mod", {"modern"}, {"intermediate"}),
    ("tlslint policy mozilla-old@", {"mozilla-old@5.7"}, {"mozilla-old"}),
    ("tlslint --target debian", {"debian-12"}, {"local"}),
    ("tlslint show --target lo", {"local"}, {"debian-12"}),
    ("tlslint --output-format s", {"sarif", "sonarqube"}, {"json"}),
    ("tlslint --report ju", {"junit="}, {"json="}),
    ("tlslint inventory --output-format p", {"prometheus"}, {"table"}),
    ("tlslint schema re", {"report", "report-line"}, {"show"}),
    ("tlslint --fail-on ", {"error", "warning", "info"}, {"check"}),
    ("tlslint nginx/ --fail-on e", {"error"}, {"check"}),
]


@pytest.mark.parametrize(("line", "offered", "not_offered"), CASES, ids=[case[0] for case in CASES])
def test_bash(line: str, offered: set[str], not_offered: set[str], environment: dict[str, str]) -> None:
    found = set(in_bash(environment, *line.split(" ")))
    assert offered <= found
    assert not found & not_offered


@pytest.mark.parametrize("line", ["tlslint sh", "tlslint --sel", "tlslint rule weak-p", "tlslint --report ju"])
def test_zsh_and_fish_are_told_the_same(line: str, environment: dict[str, str]) -> None:
    expected = sorted(in_bash(environment, *line.split(" ")))
    assert expected
    assert sorted(in_fish(environment, line)) == expected
    assert sorted(in_zsh(environment, line)) == expected


@pytest.mark.parametrize("line", ["tlslint check no-such-file", "tlslint --config ", "tlslint --report sarif=out"])
def test_where_there_is_nothing_to_name_the_shell_completes_files(line: str, environment: dict[str, str]) -> None:
    assert in_bash(environment, *line.split(" ")) == []
    assert in_fish(environment, line) == []
    assert in_zsh(environment, line) == []


def test_completion_can_be_installed(environment: dict[str, str]) -> None:
    done = subprocess.run(
        # the shell is told by the process above
        ["bash", "--norc", "-c", "tlslint --install-completion; exit $?"],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = [path for path in Path(environment["HOME"]).rglob("*") if path.is_file()]
    assert any(
        "complete -o default -F _tlslint_completion tlslint" in path.read_text(encoding="utf-8") for path in written
    )


# -- what is offered can be used -----------------------------------------------------------------------------------


def names(offered: Iterator[tuple[str, str]]) -> list[str]:
    found = list(offered)
    assert all(help_text for _, help_text in found)
    assert len({name for name, _ in found}) == len(found)
    return [name for name, _ in found]


def test_rules_are_all_offered() -> None:
    assert names(completion.rules("")) == NAMES
    assert names(completion.rules("TLS")) == [module.rule.code for module in RULES]


@pytest.mark.parametrize("typed", ["", "A", "TLS", "TLS2", "weak-protocol,", "TLS1,missing"])
def test_selectors_select(typed: str) -> None:
    rules = [module.rule for module in RULES]
    offered = names(completion.selectors(typed))
    assert offered
    for selector in offered:
        assert selector.startswith(typed)
        Selection(rules, Settings(select=(selector,)))


@pytest.mark.parametrize("typed", ["", "mozilla-modern@", "bsi-tr-02102-2@"])
def test_policies_load(typed: str) -> None:
    offered = names(completion.policies(typed))
    assert offered
    for name in offered:
        load_policy(name)


def test_targets_mean_something() -> None:
    offered = names(completion.targets(""))
    assert len(offered) > 10
    for name in offered:
        if name != "local":
            parse_target(name, "nginx")


def test_reports_name_the_formats() -> None:
    assert names(completion.reports("")) == [f"{name}=" for name in FORMATS]
    assert names(completion.reports("sarif=" + os.sep)) == []
