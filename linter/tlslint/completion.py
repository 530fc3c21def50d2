"""What a shell may complete: the names that options and arguments take. Each function gets what is typed so far."""

from collections.abc import Iterable, Iterator

SHORT_POLICIES = ("intermediate", "modern", "old")


def rules(typed: str) -> Iterator[tuple[str, str]]:
    """Yield names of rules, or codes where a code is begun, each with what the rule reports."""
    from tlslint.rules import RULES

    for module in RULES:
        rule = module.rule
        name = rule.code if typed[:1] == "T" else rule.name
        if name.startswith(typed):
            yield name, rule.summary


def selectors(typed: str) -> Iterator[tuple[str, str]]:
    """Yield what stands for rules, the last of several with commas: `ALL`, names, codes, beginnings of codes."""
    from tlslint.rules import RULES

    before, comma, last = typed.rpartition(",")
    names = [("ALL", "all rules"), *rules(last)]
    if last.startswith("TLS"):
        families = {module.rule.code[:4]: "all rules whose code begins so" for module in RULES}
        names = [*families.items(), *names]
    for name, help_text in names:
        if name.startswith(last):
            yield f"{before}{comma}{name}", help_text


def policies(typed: str) -> Iterator[tuple[str, str]]:
    """Yield names of policies; with their versions once an at sign is typed."""
    from tlslint.policy import bundled_policies

    known = bundled_policies()
    if "@" in typed:
        named = [(f"{item.name}@{item.version}", item.title) for item in known]
    else:
        newest = {item.name: item.title for item in reversed(known)}
        named = [*newest.items(), *((name, newest[f"mozilla-{name}"]) for name in SHORT_POLICIES)]
    yield from _beginning(named, typed)


def targets(typed: str) -> Iterator[tuple[str, str]]:
    """Yield the platforms that can be predicted for, and `local`."""
    from tlslint.target import platform_names

    named = [("local", "the versions that are installed here")]
    named += [(name, "what this platform ships") for name in platform_names()]
    yield from _beginning(named, typed)


def reports(typed: str) -> Iterator[tuple[str, str]]:
    """Yield the formats that a file can be written in; behind the equals sign files are completed."""
    from tlslint.report.formats import FORMATS

    yield from _beginning(((f"{name}=", item.summary) for name, item in FORMATS.items()), typed)


def _beginning(named: Iterable[tuple[str, str]], typed: str) -> Iterator[tuple[str, str]]:
    return (item for item in named if item[0].startswith(typed))
