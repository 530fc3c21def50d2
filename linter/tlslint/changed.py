"""What concerns a few files of a repository: for hooks, which pass the files that changed.

The whole of each configuration that has to do with them is resolved, as it would be without them. Reported is then

- what is found in a changed file, or has a second place there;
- what is found at a directive that names a changed file: a certificate, or a file that is gone;
- what is found in a file that a changed one includes by its name (not by a mask), for the hosts of the changed file;
- everything, where the settings, the policy or the trust store changed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tlslint.finding import CouldNotCheck, Finding, Report
from tlslint.parse.tree import Span, Tree, walk
from tlslint.record import replace
from tlslint.regex import regex
from tlslint.settings import Settings

if TYPE_CHECKING:
    from tlslint.resolve.include import Files
    from tlslint.resolve.model import Deployment

_MASK = regex(r"[*?\[$]")
_INCLUDES = ("include", "includeoptional")


class Changed:
    """The files that were passed, and what deployments make of them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self._real_of: dict[str, str] = {}
        self._files = frozenset(map(self.real, paths))
        self._names = frozenset(map(os.path.basename, (*paths, *self._files))) - {""}
        self._folders = tuple(f"{self.real(path)}{os.sep}" for path in paths if os.path.isdir(path))
        self._includes: dict[str, set[str]] = {}
        """The files that a changed one includes by name, and the labels of its hosts, where it has any."""
        self._views: list[tuple[Files, str]] = []
        self._named: dict[str, bool] = {}
        self._everything: set[str] = set()
        """The names of the deployments whose every finding is wanted."""

    def real(self, path: str) -> str:
        """Return the path of a file with its links resolved."""
        known = self._real_of.get(path)
        if known is None:
            known = self._real_of[path] = os.path.realpath(path)
        return known

    def has(self, path: str) -> bool:
        """Whether a file was passed, by whatever name."""
        real = self.real(path)
        return real in self._files or real.startswith(self._folders)

    def governs(self, settings: Settings) -> bool:
        """Whether something changed on which every judgement depends."""
        policy = [settings.policy] if "/" in settings.policy or settings.policy.endswith(".json") else []
        settled = [*policy, *settings.trust_store, *([settings.file] if settings.file else [])]
        return any(map(self.has, settled)) or any(map(self._has_some_of, settings.weak_key_lists))

    def _has_some_of(self, path: str) -> bool:
        """Whether a file was passed, or one in this directory."""
        inside = os.path.join(self.real(path), "")
        return self.has(path) or any(file.startswith(inside) for file in self._files)

    def may_be_named_in(self, texts: Iterable[str], reached: Iterable[str]) -> bool:
        """Whether a configuration of these texts and files (real paths) has to do with a passed file."""
        if any(real in self._files or real.startswith(self._folders) for real in reached):
            return True
        return any(name in text for text in texts for name in self._names)

    # what deployments make of them

    def learn(self, deployment: "Deployment", settings: Settings) -> None:
        """Take in which files the changed ones include, and which hosts they have, in a deployment."""
        if deployment.files is None:
            return
        if self.governs(settings):
            self._everything.add(deployment.name)
        self._views.append((deployment.files, deployment.base))
        trees = {self.real(tree.source.path): tree for tree in deployment.files.trees()}
        hosts: dict[str, set[str]] = {}
        for endpoint in deployment.endpoints:
            path = self.real(endpoint.virtual_host.place.directive.source.path)
            hosts.setdefault(path, set()).add(endpoint.label)
        for path in trees.keys() & self._files:
            for included in _reach(path, trees, deployment):
                if included not in self._files:
                    self._includes.setdefault(included, set()).update(hosts.get(path, ()))

    def limit(self, findings: Iterable[Finding], report: Report) -> list[Finding]:
        """Leave out of findings and of a report what has nothing to do with the changed files."""
        report.partial = True
        report.unknown = [item for item in report.unknown if self.concerns(item)]
        report.hidden = [item for item in report.hidden if self._touches(item.finding)]
        # of what is not read nothing can be said
        report.stale = []
        return list(map(self._within, self.concerning(findings)))

    def _within(self, finding: Finding) -> Finding:
        """Return a finding without a fix that would change other files: a hook edits what it is given."""
        fix = finding.fix
        other = next((edit.source.path for edit in fix.edits if not self.has(edit.source.path)), None) if fix else None
        if fix is None or other is None:
            return finding
        return replace(finding, fix=replace(fix, refusal=f"it would change {other}, which the hook was not given"))

    def concerning(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings that have to do with the changed files, of their hosts alone where it is about hosts."""
        for finding in findings:
            deployments = finding.deployments or ("",)
            if not self._everything.isdisjoint(deployments) or self._touches(finding):
                yield finding
                continue
            labels = self._includes.get(self.real(finding.span.source.path))
            if labels is None:
                continue
            hit = tuple(label for label in finding.endpoints if label in labels)
            if hit:
                yield replace(finding, endpoints=hit)
            elif not labels or not finding.endpoints:
                yield finding

    def concerns(self, item: CouldNotCheck) -> bool:
        """Whether something that could not be checked is about the changed files, or about everything."""
        if item.span is None or self._everything or self.has(item.span.source.path):
            return True
        # often there are many of them, about files that are not here
        return os.path.basename(_text(item.span)) in self._names and self._names_one(item.span)

    def _touches(self, finding: Finding) -> bool:
        return self._is_about(finding.span) or any(self._is_about(place.span) for place in finding.related)

    def _is_about(self, span: Span) -> bool:
        return self.has(span.source.path) or self._names_one(span)

    def _names_one(self, span: Span) -> bool:
        """Whether the argument that a finding points at is the name of a changed file."""
        text = _text(span)
        if text not in self._named:
            self._named[text] = self._is_name(text)
        return self._named[text]

    def _is_name(self, name: str) -> bool:
        if not name or any(letter.isspace() for letter in name):
            return False
        for files, base in self._views:
            server_path = files.resolve(name, base)
            # one that is gone is known by its name alone
            if self.has(files.real_path(server_path)) or self.has(files.display_path(server_path)):
                return True
        return False


def _text(span: Span) -> str:
    """Return the text of an argument without its quotes."""
    return span.source.text[span.start : span.end].strip("\"'")


def _reach(path: str, trees: Mapping[str, Tree], deployment: "Deployment") -> set[str]:
    """Return the real paths of what a file includes by name, through however many files."""
    files = deployment.files
    assert files is not None
    reached: set[str] = set()
    pending = [path]
    while pending:
        tree = trees.get(pending.pop())
        for directive in walk(tree.directives) if tree is not None else ():
            if directive.name.lower() in _INCLUDES and len(directive.arguments) == 1:
                name = str(directive.arguments[0])
                real = files.real_path(files.resolve(name, deployment.base))
                if not _MASK.search(name) and real not in reached:
                    reached.add(real)
                    pending.append(real)
    return reached
