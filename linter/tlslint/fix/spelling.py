"""From a finding's intentions to edits: the dialect of the server is asked, and what it cannot write is said."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tlslint.finding import Finding
from tlslint.intention import Edit, Fix, Safety
from tlslint.record import replace
from tlslint.resolve.model import Deployment

if TYPE_CHECKING:
    from tlslint.fix.dialect import Dialect


class SpellingError(Exception):
    """A dialect raised what it must not raise: tlslint is broken. The message names the rule and the file."""


class Speller:
    """Writes the fixes of one deployment's findings. What is written has edits, and no intentions any more."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._dialect: Dialect | None = None

    def findings(self, found: Iterable[Finding], failures: list[Exception]) -> Iterator[Finding]:
        """Yield findings with the edits of their fixes.

        A fix that tlslint itself fails on goes into `failures`; the finding stands without.
        """
        for finding in found:
            fix = finding.fix
            if fix is not None:
                try:
                    fix = self.spelt(fix)
                except Exception as error:
                    failure = SpellingError(
                        f"the fix of {finding.name} failed on {finding.span.source.path}: {error!r}"
                    )
                    failure.__cause__ = error
                    failures.append(failure)
                    fix = None
                finding = replace(finding, fix=fix)
            yield finding

    def spelt(self, fix: Fix) -> Fix:
        """Return a fix with its edits, or with the reason why it has none."""
        if not fix.intentions:
            return fix
        # only where there is something to write
        from tlslint.fix.text import CannotSpell

        dialect = self._dialect or self._new_dialect()
        edits: list[Edit] = []
        try:
            for intention in fix.intentions:
                edits += (edit for edit in dialect.edits(intention) if edit not in edits)
        except CannotSpell as reason:
            commands = (*fix.commands, *reason.commands)
            return _refused(fix, str(reason), commands)
        if not edits:
            return _refused(fix, "nothing would change", fix.commands)
        files = self._deployment.files
        placed = tuple(replace(edit, file=files.host_path(edit.source) if files else None) for edit in edits)
        if any(edit.file is None for edit in placed):
            return _refused(fix, "the text comes from no file", fix.commands)
        return Fix(fix.title, fix.safety, (), fix.commands, placed)

    def _new_dialect(self) -> "Dialect":
        if self._deployment.server == "apache":
            from tlslint.fix.apache import ApacheDialect

            self._dialect = ApacheDialect(self._deployment)
        else:
            from tlslint.fix.nginx import NginxDialect

            self._dialect = NginxDialect(self._deployment)
        return self._dialect


def _refused(fix: Fix, reason: str, commands: tuple[str, ...]) -> Fix:
    return Fix(fix.title, Safety.MANUAL, (), commands, (), reason)
