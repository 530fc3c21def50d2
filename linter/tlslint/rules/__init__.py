"""Every rule, listed by hand in order of code. A rule is one file with a `rule` and a `check`."""

from tlslint.check import RuleModule
from tlslint.rules.configuration import syntax_error
from tlslint.rules.protocols import weak_protocol

RULES: tuple[RuleModule, ...] = (
    syntax_error,
    weak_protocol,
)
