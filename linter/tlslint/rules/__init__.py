"""Every rule, listed by hand in order of code. A rule is one file with a `rule` and a `check`."""

from tlslint.check import RuleModule
from tlslint.rules.configuration import syntax_error
from tlslint.rules.protocols import (
    implicit_protocols,
    missing_protocol,
    no_protocol,
    overridden_protocols,
    quic_without_tls13,
    repeated_protocols,
    shadowed_protocols,
    unknown_protocol,
    weak_protocol,
)

RULES: tuple[RuleModule, ...] = (
    syntax_error,
    weak_protocol,
    missing_protocol,
    implicit_protocols,
    no_protocol,
    repeated_protocols,
    shadowed_protocols,
    overridden_protocols,
    unknown_protocol,
    quic_without_tls13,
)
