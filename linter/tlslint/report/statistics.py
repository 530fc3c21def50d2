"""How many findings each rule has."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tlslint.finding import Finding
from tlslint.report.text import Palette


def render(findings: Iterable[Finding], palette: Palette) -> Iterator[str]:
    """Yield a line for each rule and severity: number, severity, code and name; the most frequent first."""
    counts = Counter((finding.code, finding.name, finding.severity) for finding in findings)
    width = max((len(str(number)) for number in counts.values()), default=0)
    for (code, name, severity), number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        level = palette.paint(f"{severity.label:<7}", severity.label)
        yield f"{number:>{width}}  {level}  {code}  {name}\n"
