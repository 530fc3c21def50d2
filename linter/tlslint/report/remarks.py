"""What there is to say of a finding besides its message, in words for a log, an annotation or a comment."""

from collections.abc import Iterator

from tlslint.finding import Finding
from tlslint.report.full import endpoints_text


def remarks(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield what is known, each with its heading: who is affected, why it matters, what is seen, what to do."""
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


def text_with_remarks(finding: Finding) -> str:
    """Return the message and, a line each, the remarks."""
    return "\n".join([finding.message, *(f"{name}: {text}" for name, text in remarks(finding))])
