"""Every rule, listed by hand in order of code. A rule is one file with a `rule` and a `check`.

Loading all of them takes longer than linting a file. So a run asks each family, in its `__init__`, whether it concerns
a deployment, and loads the rules of those that do, and the ones whose findings resolution has made itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, overload

from tlslint.record import dataclass

if TYPE_CHECKING:
    from tlslint.check import RuleModule
    from tlslint.finding import Severity
    from tlslint.resolve.model import Deployment

ALWAYS_ON = ("syntax-error",)
"""Names of the rules that nobody can switch off or suppress."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule as the list has it: its code, its name, and the folder that it is in."""

    code: str
    name: str
    family: str

    @property
    def module(self) -> "RuleModule":
        """The rule itself, which is loaded now."""
        module: RuleModule = import_module(f"{__name__}.{self.family}.{self.name.replace('-', '_')}")
        return module

    @property
    def suppressible(self) -> bool:
        """Whether the rule can be switched off, and its findings be suppressed."""
        return self.name not in ALWAYS_ON

    @property
    def severity(self) -> "Severity":
        """The severity that its findings have at most."""
        return self.module.rule.severity


def _family(folder: str, *rules: str) -> Iterator[Listed]:
    for rule in rules:
        code, name = rule.split()
        yield Listed(code, name, folder)


LISTED: tuple[Listed, ...] = (
    *_family(
        "configuration",
        "TLS001 syntax-error",
        "TLS002 include-not-found",
        "TLS003 removed-directive",
        "TLS004 deprecated-directive",
        "TLS005 directive-newer-than-target",
        "TLS006 server-will-not-start",
        "TLS007 include-cycle",
        "TLS008 swallowed-directive",
        "TLS009 undefined-variable",
        "TLS010 never-true-condition",
        "TLS011 misspelt-include",
        "TLS012 included-backup",
        "TLS090 unused-ignore",
        "TLS091 expired-ignore",
        "TLS092 ignore-without-reason",
        "TLS093 malformed-ignore",
    ),
    *_family(
        "protocols",
        "TLS101 weak-protocol",
        "TLS102 missing-protocol",
        "TLS103 implicit-protocols",
        "TLS104 protocol-list-reset",
        "TLS105 no-protocol",
        "TLS106 repeated-protocols",
        "TLS107 shadowed-protocols",
        "TLS108 overridden-protocols",
        "TLS109 unknown-protocol",
        "TLS110 quic-without-tls13",
        "TLS111 failing-handshake",
    ),
    *_family(
        "ciphers",
        "TLS201 broken-cipher",
        "TLS202 cipher-outside-policy",
        "TLS203 missing-policy-cipher",
        "TLS204 no-forward-secrecy",
        "TLS205 unknown-cipher",
        "TLS206 unusable-cipher-list",
        "TLS207 tls13-suite-in-cipher-list",
        "TLS208 weak-tls13-suite",
        "TLS209 cipher-order-preference",
        "TLS210 lowered-security-level",
        "TLS211 system-cipher-profile",
        "TLS212 implicit-ciphers",
        "TLS213 overridden-ciphers",
        "TLS221 weak-group",
        "TLS222 no-hybrid-group",
        "TLS223 unsupported-group",
        "TLS224 group-without-certificate-curve",
        "TLS225 weak-dh-params",
        "TLS226 dead-dh-params",
    ),
    *_family(
        "certificates",
        "TLS301 certificate-not-found",
        "TLS302 malformed-certificate",
        "TLS303 key-mismatch",
        "TLS304 chain-order",
        "TLS305 missing-intermediate",
        "TLS306 root-in-chain",
        "TLS307 unrelated-certificate",
        "TLS308 expired-certificate",
        "TLS309 expiring-certificate",
        "TLS310 not-yet-valid-certificate",
        "TLS311 long-lived-certificate",
        "TLS312 weak-signature",
        "TLS313 weak-key",
        "TLS314 ca-as-server-certificate",
        "TLS315 self-signed-certificate",
        "TLS316 private-key-in-certificate-file",
        "TLS317 readable-private-key",
        "TLS318 committed-private-key",
        "TLS319 incomplete-key-pair",
        "TLS320 missing-must-staple",
        "TLS321 replaced-certificate",
        "TLS322 exceeded-path-length",
    ),
    *_family(
        "names",
        "TLS401 name-not-in-certificate",
        "TLS402 certificate-without-san",
        "TLS403 implicit-default-server",
        "TLS404 default-server-serves-site",
        "TLS405 duplicate-default-server",
        "TLS406 borrowed-certificate",
        "TLS407 conflicting-server-name",
        "TLS408 plaintext-on-tls-port",
        "TLS409 tls-on-plaintext-port",
        "TLS410 settings-shadowed-by-default-server",
        "TLS411 missing-server-name",
        "TLS412 sni-host-mismatch",
        "TLS413 unmatchable-server-name",
        "TLS414 disagreeing-listen-lines",
        "TLS415 hello-retry-mismatch",
        "TLS416 preread-on-tls-listener",
        "TLS417 reachable-rejecting-host",
        "TLS418 unreachable-host",
    ),
    *_family(
        "clients",
        "TLS501 client-verification-without-ca",
        "TLS502 unenforced-client-certificate",
        "TLS503 short-verify-depth",
        "TLS504 public-client-ca",
        "TLS505 expired-client-ca",
        "TLS506 client-certificate-per-location",
        "TLS507 no-revocation-check",
        "TLS508 client-certificate-bypass",
        "TLS509 forgeable-client-header",
        "TLS510 public-client-certificate",
        "TLS511 widened-client-ca",
        "TLS512 client-verification-off",
        "TLS513 unreliable-stream-verification",
        "TLS514 server-certificate-as-client",
        "TLS515 session-outlives-revocation",
    ),
    *_family(
        "sessions",
        "TLS601 session-tickets",
        "TLS602 static-ticket-key",
        "TLS603 weak-session-cache",
        "TLS604 early-data-replay",
        "TLS605 insecure-renegotiation",
        "TLS606 tls-compression",
    ),
    *_family(
        "revocation",
        "TLS701 stapling-without-responder",
        "TLS702 stapling-without-resolver",
        "TLS703 stapling-without-cache",
        "TLS704 unverified-stapling",
        "TLS705 stapling-off",
    ),
    *_family(
        "http",
        "TLS801 missing-hsts",
        "TLS802 short-hsts",
        "TLS803 lost-hsts",
        "TLS804 malformed-hsts",
        "TLS805 missing-https-redirect",
        "TLS806 obsolete-security-header",
        "TLS807 http2-forbidden-cipher",
        "TLS808 unlogged-tls",
        "TLS809 key-logging",
        "TLS810 redirect-to-plaintext",
        "TLS811 missing-alt-svc",
        "TLS812 looping-redirect",
        "TLS813 redirect-without-slash",
    ),
    *_family(
        "upstream",
        "TLS901 unverified-upstream",
        "TLS902 upstream-without-sni",
        "TLS903 weak-upstream-protocol",
        "TLS904 weak-upstream-cipher",
        "TLS905 upstream-without-ca",
        "TLS906 proxy-engine-off",
        "TLS907 shared-upstream-session",
        "TLS908 expired-upstream-file",
    ),
)


def concerning(deployment: "Deployment") -> list[Listed]:
    """Return the rules that may have something to say of a deployment, in order of code; the others have not."""
    told = {name for problem in deployment.problems for name in (problem.kind, *problem.yields_to)}
    families = dict.fromkeys(rule.family for rule in LISTED)
    concerned = {family for family in families if import_module(f"{__name__}.{family}").concerns(deployment)}
    return [rule for rule in LISTED if rule.family in concerned or rule.name in told]


class _Rules(Sequence["RuleModule"]):
    """All rules, which are loaded when somebody looks at them."""

    def __len__(self) -> int:
        return len(LISTED)

    def __iter__(self) -> Iterator["RuleModule"]:
        return (rule.module for rule in LISTED)

    @overload
    def __getitem__(self, index: int) -> "RuleModule": ...
    @overload
    def __getitem__(self, index: slice) -> "tuple[RuleModule, ...]": ...
    def __getitem__(self, index: int | slice) -> "RuleModule | tuple[RuleModule, ...]":
        return tuple(rule.module for rule in LISTED)[index]


class _ByCode(Mapping[str, "RuleModule"]):
    """The rules by code, each of which is loaded when somebody looks it up."""

    def __init__(self) -> None:
        self._listed = {rule.code: rule for rule in LISTED}

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __getitem__(self, code: str) -> "RuleModule":
        return self._listed[code].module


RULES: Sequence["RuleModule"] = _Rules()
BY_CODE: Mapping[str, "RuleModule"] = _ByCode()
