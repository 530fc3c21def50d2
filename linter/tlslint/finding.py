"""The words that every stage shares: severities, rules' descriptions of themselves, findings."""

from collections.abc import Iterable
from enum import IntEnum

from tlslint.intention import Fix, Safety
from tlslint.parse.tree import Span, Tree
from tlslint.record import dataclass, field


class Severity(IntEnum):
    """How bad a finding is.

    `ERROR` is kept for what a cited source or the server itself calls wrong: clients break or traffic is exposed.
    `WARNING`: the policy is violated, or something will break soon. `INFO`: advice.
    """

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The severity as it is written: `info`, `warning` or `error`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains a finding, such as the include through which a directive takes effect."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One true statement about a configuration, at the exact argument that makes it true.

    `message` states the fact (with the endpoint), `label` stands under the carets, `why` says why it matters,
    `seen` what clients report, `source` which policy or standard asks for it, `help` what to do.
    `endpoints` are the labels of every endpoint that is affected, the first one being named in the message.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    label: str = ""
    why: str = ""
    seen: str = ""
    source: str = ""
    help: str = ""
    endpoints: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    deployments: tuple[str, ...] = ()
    """The names of the deployments in which it is so, where the settings name several."""
    yields_to: tuple[str, ...] = ()
    """Names of rules that say more of the same fault: where one of them speaks of this place or of a related one, this
    finding is left out."""
    explained_by: tuple[str, ...] = ()
    """The same for the effect of a fault: where one of these rules has an error on one of these endpoints, or on their
    socket, this finding is left out."""

    @property
    def sort_key(self) -> tuple[str, int, str, str]:
        """Findings are reported in order of file, position, code and message."""
        return (self.span.source.path, self.span.start, self.code, self.message)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule says of itself; its `check` function stands beside it in the same file.

    `since` is the first tlslint version that has the rule; `servers` are the kinds of configuration that it reads.
    `seen` is what clients or the server report (kept true by tests), `seen_apache` what there is instead where the
    server is Apache; `sources` are the documents behind it. `fix` is the safety of the fixes that it offers, at best;
    None where it offers none.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str = ""
    seen: str = ""
    seen_apache: str = ""
    sources: tuple[str, ...] = ()
    servers: tuple[str, ...] = ("nginx", "apache")
    since: str = "0.1"
    suppressible: bool = True
    fix: Safety | None = None

    def seen_with(self, server: str) -> str:
        """Return what is reported where that server (`nginx` or `apache`) has the configuration."""
        return self.seen_apache if server == "apache" and self.seen_apache else self.seen

    def finding(
        self,
        message: str,
        at: Span,
        *,
        severity: Severity | None = None,
        label: str = "",
        source: str = "",
        help: str = "",  # noqa: A002 - the word that readers of the output see
        why: str | None = None,
        seen: str | None = None,
        endpoints: Iterable[str] = (),
        related: Iterable[Related] = (),
        fix: Fix | None = None,
        yields_to: Iterable[str] = (),
        explained_by: Iterable[str] = (),
    ) -> Finding:
        """Return a finding of this rule with exactly one primary span."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=self.severity if severity is None else severity,
            message=message,
            span=at,
            label=label,
            why=self.why if why is None else why,
            seen=self.seen if seen is None else seen,
            source=source,
            help=help,
            endpoints=tuple(dict.fromkeys(endpoints)),
            related=tuple(related),
            fix=fix,
            yields_to=tuple(yields_to),
            explained_by=tuple(explained_by),
        )


@dataclass(frozen=True, slots=True)
class Hidden:
    """A finding that is known and accepted: `by` is `comment` (at `place`, with reason and end) or `baseline`."""

    finding: Finding
    by: str
    reason: str = ""
    until: str = ""
    place: Span | None = None


@dataclass(frozen=True, slots=True)
class StaleEntry:
    """Findings that a baseline has, by file and rule, and that are no longer there."""

    file: str
    rule: str
    number: int


@dataclass(frozen=True, slots=True)
class CouldNotCheck:
    """Something that tlslint could not decide, and why: reported as a count, never as a pass."""

    what: str
    why: str
    span: Span | None = None


@dataclass(slots=True)
class Report:
    """The outcome of a run: what was found, what could not be checked, and what was looked at.

    `skipped` is configuration that was not looked into (templates), `problems` what the user asked for and could not be
    had; both are pairs of path and clause. `failures` are errors of tlslint itself.
    """

    findings: list[Finding] = field(default_factory=list)
    unknown: list[CouldNotCheck] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    partial: bool = False
    """Whether only some of the findings were asked for, so that the absence of others says nothing."""
    deployments: int = 0
    files: int = 0
    endpoints: int = 0
    hidden: list[Hidden] = field(default_factory=list)
    """What comments and the baseline keep from being reported; it never counts for the exit code."""
    trees: list[Tree] = field(default_factory=list)
    """The configuration files that were read."""
    baseline: str = ""
    """Path of the baseline, if there is one."""
    new_baseline: str | None = None
    """What is to be written to it."""
    stale: list[StaleEntry] = field(default_factory=list)
    """What the baseline has and is no longer there."""
    show_hidden: bool = False
    """Whether a report for people shows what is hidden as well."""
    included_through: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    """The include directives, outermost first, through which a file that sets something about TLS takes effect."""
    entries: list[tuple[str, str]] = field(default_factory=list)
    """The kind of server and the path on this machine of each main file."""
    policy: str = ""
    """Spelling of the policy that was compared with, `mozilla-intermediate@6.0`."""

    @property
    def ignored(self) -> int:
        """How many findings comments suppress."""
        return sum(item.by == "comment" for item in self.hidden)

    @property
    def baselined(self) -> int:
        """How many findings the baseline has."""
        return sum(item.by == "baseline" for item in self.hidden)
