"""What there is to say of a finding besides its message, in words for a log, an annotation or a comment."""

from collections.abc import Iterator

from tlslint.finding import Finding
from tlslint.intention import Fix, Safety
from tlslint.report.full import endpoints_text


def remarks(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield what is known, each with its heading: who is affected, why it matters, what is seen, what to do."""
    if finding.deployments:
        yield "in", ", ".join(finding.deployments)
    if len(finding.endpoints) > 1:
        yield "on", endpoints_text(finding.endpoints)
    for name, text in (
        ("why", finding.why),
        ("seen", finding.seen),
        ("from", finding.source),
        ("help", finding.help),
    ):
        if text:
            yield name, text
    if finding.fix is not None:
        yield "fix", fix_text(finding.fix)


def fix_text(fix: Fix) -> str:
    """Return what a fix does and how it is made: `allow TLSv1.2 only (tlslint --fix)`."""
    if fix.applicable:
        return f"{fix.title} (tlslint --fix{'' if fix.safety is Safety.SAFE else ' --unsafe-fixes'})"
    return f"{fix.title} (by hand{f': {fix.refusal}' if fix.refusal else ''})"


def text_with_remarks(finding: Finding) -> str:
    """Return the message and, a line each, the remarks."""
    return "\n".join([finding.message, *(f"{name}: {text}" for name, text in remarks(finding))])
