"""Runs the rules over a deployment and spells their fixes out: over a large one, in several processes.

Rules that look at certificates belong together, as they share what is worked out of them; they read files as well,
which the rest of the run has to know of. So the process itself runs those, while workers begin with the others, by
families.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tlslint.check import RuleError, RuleModule, findings_of
from tlslint.finding import Finding, Report
from tlslint.fix.spelling import Speller
from tlslint.policy import Policy
from tlslint.record import dataclass
from tlslint.resolve.model import Deployment
from tlslint.workers import Workers

MIN_ENDPOINTS_TO_SHARE = 500
"""With fewer, starting a worker takes as long as it saves."""

ABOUT_CERTIFICATES = ("TLS3", "TLS401", "TLS402", "TLS406", "TLS412", "TLS5", "TLS7", "TLS9")
"""How the codes of rules begin that look at certificates."""

OTHER_FAMILIES = ("TLS8", "TLS4", "TLS2", "TLS1", "TLS0", "TLS6")
"""How those of the others begin: first the families that take long."""


@dataclass(slots=True)
class Judgement:
    """What one rule found, its fixes spelt out, and where tlslint itself failed on it."""

    findings: list[Finding]
    failures: list[Exception]

    def __reduce__(self) -> tuple[Any, ...]:
        if self.failures:
            # its traceback would be lost on the way: whoever reports it has to meet it
            raise TypeError("a failure is not handed over")
        return type(self), (self.findings, self.failures)


def judged(
    deployment: Deployment, policy: Policy, rules: Sequence[RuleModule], report: Report, workers: Workers
) -> list[Finding]:
    """Return what the rules find, in their order; what tlslint itself fails on goes into the report."""
    speller = Speller(deployment)

    def judge(modules: Iterable[RuleModule]) -> dict[str, Judgement]:
        return {module.rule.code: _judgement(deployment, policy, module, speller) for module in modules}

    if len(deployment.endpoints) < MIN_ENDPOINTS_TO_SHARE:
        done = judge(rules)
    else:
        own, families = _shared_out(rules)
        pending = workers.start(families, judge, deployment.files.sources() if deployment.files is not None else ())
        done = judge(own)
        while more := pending.more():
            for judgements in more:
                done.update(judgements)
    in_order = [done[module.rule.code] for module in rules]
    for judgement in in_order:
        report.failures.extend(judgement.failures)
    return [finding for judgement in in_order for finding in judgement.findings]


def _shared_out(rules: Sequence[RuleModule]) -> tuple[list[RuleModule], list[list[RuleModule]]]:
    """Return the rules that the process runs itself, and the families of the others."""
    families: dict[str, list[RuleModule]] = {begin: [] for begin in OTHER_FAMILIES}
    own = []
    for module in rules:
        code = module.rule.code
        if code.startswith(ABOUT_CERTIFICATES):
            own.append(module)
        else:
            families[code[:4]].append(module)
    return own, list(filter(None, families.values()))


def _judgement(deployment: Deployment, policy: Policy, module: RuleModule, speller: Speller) -> Judgement:
    judgement = Judgement([], [])
    try:
        for finding in speller.findings(findings_of(deployment, policy, [module]), judgement.failures):
            judgement.findings.append(finding)
    except RuleError as error:
        judgement.failures.append(error)
    return judgement
