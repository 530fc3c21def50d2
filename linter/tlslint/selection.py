"""Which rules run and may fix, how severe their findings are and how safe their fixes, as the settings say."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from tlslint.finding import Finding, Severity
from tlslint.globs import matches
from tlslint.intention import Safety
from tlslint.record import replace
from tlslint.settings import Settings, place_of

EVERYTHING = "ALL"
ABOUT_COMMENTS = "TLS09"
"""The codes of rules about comments that suppress findings begin so; no comment suppresses what they find."""


class Described(Protocol):
    """What a selection has to know of a rule; a `Rule` says it, and so does the list of all rules."""

    @property
    def code(self) -> str:
        """`TLS101`."""

    @property
    def name(self) -> str:
        """`weak-protocol`."""

    @property
    def suppressible(self) -> bool:
        """Whether it can be switched off, and its findings be suppressed."""

    @property
    def severity(self) -> Severity:
        """The severity of its findings."""


AnyRule = TypeVar("AnyRule", bound=Described)


class SelectorError(Exception):
    """A selector that names no rule, or one that may not be switched off."""

    def __init__(self, message: str, selector: str) -> None:
        super().__init__(message)
        self.selector = selector


class Selection:
    """The rules that were chosen, and the severities that were set for them; raises `SelectorError`."""

    def __init__(self, rules: Sequence[Described], settings: Settings) -> None:
        try:
            self._choose(rules, settings)
        except SelectorError as error:
            raise SelectorError(f"{place_of(error.selector, settings)}{error}", error.selector) from error

    def _choose(self, rules: Sequence[Described], settings: Settings) -> None:
        self._rules = rules
        selected = self._named(settings.select, "select")
        ignored = self._named(settings.ignore, "ignore")
        self._chosen = {rule.code for rule in rules if not rule.suppressible} | (selected - ignored)
        self._severities = dict(self._levels(settings))
        self._kept = self._named(settings.unsuppressable, "unsuppressable")
        self._base = settings.base
        self._ignored_in = [
            (pattern, self._named(selectors, "ignore", "per-file-ignores"))
            for pattern, selectors in settings.per_file_ignores.items()
        ]
        self._locked = {rule.code for rule in rules if not rule.suppressible} | self._kept
        self._fixable = self._named(settings.fixable, "fixable") - self._named(settings.unfixable, "unfixable")
        self._safeties = {
            **dict.fromkeys(self._named(settings.extend_safe_fixes, "extend-safe-fixes"), Safety.SAFE),
            **dict.fromkeys(self._named(settings.extend_unsafe_fixes, "extend-unsafe-fixes"), Safety.UNSAFE),
        }

    def runs(self, rule: Described) -> bool:
        """Whether a rule was chosen; one that cannot be suppressed always is."""
        return rule.code in self._chosen

    def runs_code(self, code: str) -> bool:
        """The same by the rule's code."""
        return code in self._chosen

    def may_hide(self, rule: Described) -> bool:
        """Whether comments and a baseline may keep what a rule finds from being reported."""
        return not self.why_shown(rule)

    def may_hide_code(self, code: str) -> bool:
        """The same by the rule's code."""
        return any(rule.code == code and self.may_hide(rule) for rule in self._rules)

    def why_shown(self, rule: Described) -> str:
        """Say why nothing may keep what a rule finds from being reported; empty where something may."""
        if rule.code in self._kept:
            return "unsuppressable in the settings"
        return "" if rule.suppressible and not rule.code.startswith(ABOUT_COMMENTS) else "it is always reported"

    def keeps(self, finding: Finding) -> bool:
        """Whether a finding is reported in the file where it is."""
        return finding.code in self._locked or not any(
            finding.code in codes and matches(finding.span.source.path, pattern, self._base)
            for pattern, codes in self._ignored_in
        )

    def graded(self, finding: Finding) -> Finding:
        """Return a finding with the severity, and its fix with the safety, that the settings give to its rule."""
        severity = self._severities.get(finding.code)
        if severity not in (None, finding.severity):
            finding = replace(finding, severity=severity)
        fix, safety = finding.fix, self._safeties.get(finding.code)
        if fix is not None and safety is not None and fix.applicable:
            finding = replace(finding, fix=replace(fix, safety=safety))
        return finding

    def fixes(self, finding: Finding) -> bool:
        """Whether the fixes of a finding's rule may be made."""
        return finding.code in self._fixable

    def _named(self, selectors: Iterable[str], option: str, where: str = "ignore") -> set[str]:
        codes: set[str] = set()
        for selector in _split(selectors):
            rules = self.matching(selector)
            for rule in rules:
                if option == "ignore" and not rule.suppressible and selector in (rule.code, rule.name):
                    raise SelectorError(f"{where}: {rule.code} {rule.name} cannot be switched off", selector)
                codes.add(rule.code)
        return codes

    def matching(self, selector: str) -> list[Described]:
        """Return the rules that a name, code or prefix of codes means; raises `SelectorError`."""
        if selector == EVERYTHING:
            return list(self._rules)
        exact = [rule for rule in self._rules if selector in (rule.code, rule.name)]
        rules = exact or [rule for rule in self._rules if selector.startswith("TLS") and rule.code.startswith(selector)]
        if not rules:
            raise SelectorError(f'no rule "{selector}"{_did_you_mean(selector, self._rules)}', selector)
        return rules

    def _levels(self, settings: Settings) -> Iterator[tuple[str, Severity]]:
        for selector, level in settings.severity.items():
            for rule in self.matching(selector):
                severity = Severity[level.upper()]
                if not rule.suppressible and severity < rule.severity:
                    message = f"severity: {rule.code} {rule.name} cannot be made less severe"
                    raise SelectorError(message, selector)
                yield rule.code, severity


def find_rule(name: str, rules: Sequence[AnyRule]) -> AnyRule:
    """Return the rule with this code or name, in any case; raises `SelectorError`."""
    for rule in rules:
        if name.upper() == rule.code or name.lower().replace("_", "-") == rule.name:
            return rule
    raise SelectorError(f'no rule "{name}"{_did_you_mean(name, rules)}', name)


def _split(selectors: Iterable[str]) -> Iterator[str]:
    for selector in selectors:
        yield from filter(None, (part.strip() for part in selector.split(",")))


def _did_you_mean(word: str, rules: Sequence[Described]) -> str:
    # only here, because it is slow to import and rarely needed
    from difflib import get_close_matches

    codes, names = [rule.code for rule in rules], [rule.name for rule in rules]
    close = get_close_matches(word.upper(), codes, n=1) if word.upper().startswith("TLS") else []
    close = close or get_close_matches(word.lower().replace("_", "-"), names, n=1)
    return f' (did you mean "{close[0]}"?)' if close else "; `tlslint rule` lists them"
