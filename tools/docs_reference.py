"""Write docs/cli.md, docs/settings.md and docs/formats.md: from the commands, the settings' schema, the formats."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any, get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "linter"))

from tlslint.cli.full import app  # noqa: E402
from tlslint.cli.options import FindingsFormat  # noqa: E402
from tlslint.finding import CouldNotCheck, Finding, Report, Severity  # noqa: E402
from tlslint.intention import Edit, Fix, Safety  # noqa: E402
from tlslint.parse.tree import Source, Span  # noqa: E402
from tlslint.report.formats import FORMATS, View  # noqa: E402
from tlslint.rules import RULES  # noqa: E402

GENERATED = "<!-- Written by tools/docs_reference.py. -->\n"

EXIT_CODES = {
    0: (
        "nothing was found",
        "what was found is below `--fail-on`",
        "there are findings, and `--exit-zero` was given",
        "all findings are hidden by comments or the baseline",
        "`--write-baseline` accepted, or `--add-ignore` marked, all that was found",
        "`--changed-since` names a revision that had all findings already",
        "`--fix` left no finding at or above `--fail-on`",
        "`--diff` has nothing to change",
        "only templates were found, which are not checked",
        "`--hook` was given nothing that is configuration, or that any names",
        "`show` and `inventory`, whatever they show",
        "`init`, `settings`, `rule`, `policy`, `schema`, `--help` and `--version`",
    ),
    1: (
        "a finding is at or above `--fail-on` (default: `warning`)",
        "a file cannot be parsed: that is an error finding which nothing hides",
        "`--diff` has something to change",
        "`--fail-on-stale` was given, and the baseline has what is no longer there",
        "`ciphers` with a string that OpenSSL refuses",
    ),
    2: (
        "an option, or its value, that does not exist",
        "options that exclude each other, or go with one that was not given",
        "settings that cannot be used",
        "a policy, a baseline or a trust store that cannot be used",
        "a target that means nothing",
        "`--changed-since` names no revision",
        "`init` where there are settings already",
        "`--select` or `--ignore` name no rule",
        "no configuration was found",
        "a path that was named cannot be read; the others are checked all the same",
        "`--report` cannot be written",
        "standard output cannot be written",
        "an internal error, also where `--exit-zero` was given; the other rules run all the same",
    ),
    130: ("interrupted (Ctrl-C)",),
    141: ("whoever reads the output has gone (`tlslint | head`)",),
}
"""When the process ends with which code; tests/test_exit_codes.py has a run for each."""

ENVIRONMENT = {
    "NO_COLOR": "not empty: no colour, unless `--color always`",
    "FORCE_COLOR": "not empty: colour even where the output is no terminal",
    "CLICOLOR_FORCE": "the same",
    "TERM": "`dumb`: no colour, no progress",
    "COLUMNS": "how wide tables may be, instead of the terminal's width",
}


def pages() -> dict[str, str]:
    """Return the text of each page by its name in docs/."""
    return {
        "cli.md": "".join(cli_page()),
        "settings.md": "".join(settings_page()),
        "formats.md": "".join(formats_page()),
    }


def prose(text: str) -> str:
    """Return a paragraph in lines that fit an editor."""
    return fill(" ".join(text.split()), 116, break_long_words=False, break_on_hyphens=False) + "\n"


def row(*cells: str) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table(*heads: str) -> str:
    """Return the head of a table."""
    return row(*heads) + "|" + "---|" * len(heads) + "\n"


# -- the command line ----------------------------------------------------------------------------------------------


def cli_page() -> Iterator[str]:
    """Yield the page about the command line."""
    commands: dict[str, Any] = app().commands
    yield f"# Command line\n\n{GENERATED}\n"
    yield prose("""`tlslint COMMAND --help` shows the same in a terminal. Without a command the paths are checked,
        so that `tlslint nginx/` means `tlslint check nginx/`; a file that is called like a command is written
        `./rule`. Findings and tables go to standard output, everything else to standard error.""")
    yield "\n"
    yield table("command", "what it does")
    for name, command in commands.items():
        yield row(f"[`{name}`](#{name})", paragraphs(command.help)[0])
    yield "\n## Exit codes\n\n"
    yield table("code", "when")
    for code, cases in EXIT_CODES.items():
        for case in cases:
            yield row(str(code), case)
    yield "\n"
    yield prose("""A code of 2 always comes with a message on standard error, and it is the code also where there
        are findings besides.""")
    yield "\n## Environment\n\n"
    yield table("variable", "effect")
    for name, effect in ENVIRONMENT.items():
        yield row(f"`{name}`", effect)
    yield "\n## Completion\n\n"
    yield prose("""`tlslint --install-completion` sets up the shell that it is called from (bash, zsh, fish) for
        commands, options, and the names of rules, policies, targets and formats. `tlslint --show-completion`
        prints what would be installed.""")
    for name, command in commands.items():
        yield from command_section(name, command)


def paragraphs(text: str | None) -> list[str]:
    """Return the paragraphs of a help text, each on one line."""
    return [" ".join(item.split()) for item in (text or "").split("\n\n")]


def command_section(name: str, command: Any) -> Iterator[str]:
    """Yield the section about one command."""
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and not param.hidden]
    usage = " ".join(["tlslint", name, "[OPTIONS]", *(value_of(param) for param in arguments)])
    text = "\n\n".join(paragraphs(command.help))
    yield f"\n## {name}\n\n{text}\n\n```\n{usage}\n```\n\n"
    yield table("argument or option", "meaning")
    for param in [*arguments, *options]:
        yield row(f"`{spelling(param)}`", param.help or "")
    yield row("`-h`, `--help`", "Show the options and exit.")


def spelling(param: Any) -> str:
    """Return how an argument or option is written, with its value."""
    if param.param_type_name == "argument":
        return value_of(param)
    names = ", ".join(sorted(param.opts, key=len))
    return names if param.is_flag else f"{names} {value_of(param)}"


def value_of(param: Any) -> str:
    """Return what stands for a value."""
    choices = getattr(param.type, "choices", None)
    if param.metavar:
        return str(param.metavar)
    return "|".join(map(str, choices)) if choices else str(param.name).upper()


# -- settings ------------------------------------------------------------------------------------------------------


def settings_page() -> Iterator[str]:
    """Yield the page about settings."""
    path = ROOT / "linter" / "tlslint" / "data" / "settings.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    yield f"# Settings\n\n{GENERATED}\n"
    yield prose("""tlslint reads the nearest `tlslint.toml`, or `pyproject.toml` with a table `[tool.tlslint]`,
        from the current directory upwards to the root of the checkout. `--config FILE` names another, `--isolated`
        none. Options of the command line win. Paths are relative to the file. An unknown key is an error.""")
    yield "\n"
    yield prose("`tlslint schema settings` prints the JSON schema, which editors take for completion and checks.")
    yield "\n"
    yield table("key", "value", "default", "meaning")
    for name, value in schema["properties"].items():
        yield row(f"[`{name}`](#{name})", kind_of(value), default_of(value), value["description"])
    for name, value in schema["properties"].items():
        yield from setting_section(name, value)


def setting_section(name: str, value: dict[str, Any]) -> Iterator[str]:
    """Yield the section about one key."""
    yield f"\n## {name}\n\n{value['description']}\n"
    choices = value.get("enum")
    if choices:
        yield f"\nOne of {', '.join(f'`{choice}`' for choice in choices)}.\n"
    inner = value.get("items", {}).get("properties")
    if inner:
        yield f"\nEach is a table `[[{name}]]` of its own. Its keys:\n\n"
        for key, item in inner.items():
            own = item.get("description", "as above, for this one")
            yield f"- `{key}`: {own}\n"
    examples = value.get("examples", [])
    if examples and not inner:
        written = "# ".join(f"{name} = {toml(example)}\n" for example in examples)
        yield f"\n```toml\n{written}```\n"


def kind_of(value: dict[str, Any]) -> str:
    """Return in a word what a key takes."""
    if "enum" in value:
        return "word"
    if "anyOf" in value:
        return " or ".join(kind_of(item) for item in value["anyOf"])
    names = {"string": "text", "integer": "number", "boolean": "true or false", "array": "list", "object": "table"}
    return names[value["type"]]


def default_of(value: dict[str, Any]) -> str:
    """Return a key's default as TOML, if there is one to speak of."""
    default = value.get("default")
    return "" if default in (None, [], {}) else f"`{toml(default)}`"


def toml(value: Any) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, dict):
        items = ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items())
        return f"{{ {items} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


# -- formats -------------------------------------------------------------------------------------------------------

LONG = ("full", "json", "jsonl", "sarif", "sonarqube")
"""Formats whose example would say less than the sentence about them."""
NOTES = {
    "full": "The default. With `--statistics` there are only the counts of each rule.",
    "concise": "`path:line:column: severity code name: message`.",
    "json": "`tlslint schema report` prints its JSON schema. Members are added within a version, never renamed.",
    "jsonl": """Each line says in `kind` what it is: `finding`, `hidden`, `unknown`, `skipped`, `problem`, `note`,
        `failure` and, on the last line, `summary`. `tlslint schema report-line` prints the schema of a line.""",
    "sarif": """With the page of each rule that has findings as help, with related places, fixes as replacements, and
        stable fingerprints. Paths are relative to the current directory, whose own path is not told. What could not be
        checked is a notification of the invocation. With `--show-ignored` what is hidden is listed as well, with
        `suppressions`.""",
    "github": "Errors, warnings and, for info, notices. GitHub shows the first ten of each kind for a step.",
    "gitlab": """`error` is `critical`, `warning` is `major`, `info` is `info`. A path that cannot be read is a
        `blocker`.""",
    "junit": """A finding at or above `--fail-on` is a failed test, one below a test that passes. What could not be
        checked is a skipped test, what kept tlslint from doing its job an error.""",
    "checkstyle": "A path that cannot be read is an error of that file.",
    "rdjson": "For `reviewdog -f=rdjson`. A fix that is one edit in the file itself is a suggestion.",
    "azure": "Azure Pipelines knows errors and warnings; findings of severity info are plain lines of the log.",
    "sonarqube": "For `sonar.externalIssuesReportPaths`, as of SonarQube 10.3.",
    "markdown": """Nothing in it is read as markup, mentions anybody or links an issue. It is never longer than what
        GitHub takes as one comment; what is left out is counted.""",
}


def formats_page() -> Iterator[str]:
    """Yield the page about output formats."""
    yield f"# Output formats\n\n{GENERATED}\n"
    yield prose("""`tlslint --output-format FORMAT` prints findings in that format. `--report FORMAT=FILE` writes a
        file besides, and may be given several times: one run gives the log and all artefacts.""")
    yield "\n```sh\ntlslint --output-format github --report sarif=tlslint.sarif --report junit=tlslint.xml\n```\n\n"
    yield prose("""A file is replaced when it is complete, never half written. No format changes the exit code.
        Paths are relative to the current directory; those of files that do not lie below it are absolute.""")
    yield "\n"
    yield table("format", "for whom")
    for name, item in FORMATS.items():
        yield row(f"[`{name}`](#{name})", item.summary)
    yield "\n"
    yield prose("""The fingerprint in `json`, `jsonl`, `sarif` and `gitlab` is what a finding is recognised by: the
        rule, the file, the directive, its text, and the host and blocks around it, but no line number. It stays
        when lines come and go above.""")
    view = View({module.rule.code: module for module in RULES})
    for name, item in FORMATS.items():
        yield f"\n## {name}\n\n"
        yield prose(f"{item.summary[0].upper()}{item.summary[1:]}. {NOTES[name]}")
        if name not in LONG:
            text = "".join(item.render(example(), view))
            yield f"\n```\n{text}```\n"


def example() -> Report:
    """Return a report with one finding."""
    text = "server {\n    server_name shop.example.org;\n    ssl_protocols TLSv1 TLSv1.2;\n}\n"
    source = Source.from_text("conf.d/shop.conf", text)
    start = text.index("TLSv1 ")
    finding = Finding(
        "TLS101",
        "weak-protocol",
        Severity.ERROR,
        "TLSv1 is switched on for shop.example.org on 0.0.0.0:443",
        Span(source, start, start + len("TLSv1")),
        help="allow TLSv1.2 only",
        fix=Fix("allow TLSv1.2 only", Safety.SAFE, edits=(Edit(source, start, start + len("TLSv1 "), ""),)),
    )
    gap = CouldNotCheck("the certificate /etc/ssl/shop.pem", "it is not here", Span(source, 0, 6))
    return Report([finding], [gap], files=1, deployments=1, endpoints=1, policy="mozilla-intermediate@6.0")


def check_formats() -> None:
    """Raise where the command line and the formats do not name the same."""
    offered = get_args(get_args(FindingsFormat)[0])
    if list(offered) != list(FORMATS) or set(NOTES) != set(FORMATS):
        raise SystemExit("the formats of the command line, of report/formats.py and of this page differ")


def main() -> None:
    """Write the pages."""
    check_formats()
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
