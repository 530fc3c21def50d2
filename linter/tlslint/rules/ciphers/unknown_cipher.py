"""The cipher list has a word that OpenSSL does not know and drops without telling anybody.

## What it finds
Misspelt names and aliases, names of other libraries' suites, and IANA's names (`TLS_ECDHE_…`) where the target's
OpenSSL is older than 3.2 and does not know them.

## Why it matters
What was meant to be on the list is not, or what was meant to be excluded is. Neither the server's own test nor its log
says so, as long as anything is left.

## What clients see
Nothing, or `handshake failure` where the dropped suite was the one that they have.

## How to fix it
Spell the name as `openssl ciphers` does.

## False alarms that it avoids
A name that any release of OpenSSL knows or knew (Kerberos, Fortezza) is not misspelt, even if the target lacks it.
Suites of TLS 1.3 and lists that OpenSSL refuses as a whole have rules of their own. A dropped exclusion is advice.
Lists with variables and `PROFILE=` are not judged.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.regex import regex
from tlslint.resolve.model import Deployment
from tlslint.rules.spelling import nearest
from tlslint.rules.suites import WrittenList, lists_in_force, refused, rewritten, some
from tlslint.rules.words import listed, part_of, releases
from tlslint.tls.ciphers import KNOWN, Token, by_standard_name, known_aliases, tokens
from tlslint.tls.handshake import build

rule = Rule(
    code="TLS205",
    name="unknown-cipher",
    severity=Severity.WARNING,
    summary="the cipher list has a word that OpenSSL does not know and drops without telling anybody",
    why="the list is not what it looks like, and no log says so",
    seen="nothing; `openssl ciphers -v` shows what is left of the list",
    sources=("openssl-ciphers(1)", "SSL_CTX_set_cipher_list(3)", "OpenSSL 3.2 changes: standard names"),
    fix=Safety.SAFE,
)

HISTORIC = regex(r"[ka]?KRB5(?:-\S+)?|EXP-KRB5-\S+|[kae]?FZA(?:-\S+)?")
"""What releases before 1.0.2 knew; exclusions of it are still copied around, and exclude what is gone anyway."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for the words of a list that have no effect because nobody knows them."""
    for written in lists_in_force(deployment):
        unknown: list[Token] = []
        for token in tokens(str(written.argument)):
            if token.unknown and not HISTORIC.fullmatch(token.text):
                unknown.append(token)
            elif token.text in by_standard_name() and token.text not in KNOWN and not token.operator:
                yield from _standard_name(deployment, written, token)
        for dropped in (
            [token for token in unknown if not token.operator],
            [token for token in unknown if token.operator],
        ):
            if dropped:
                yield _unknown(written, dropped)


def _unknown(written: WrittenList, dropped: list[Token]) -> Finding:
    first, *more = (part_of(written.argument, token.start, token.end) for token in dropped)
    operator = dropped[0].operator
    names = [f'"{token.operator}{token.text}"' for token in dropped]
    meant = nearest(dropped[0].text, (*KNOWN, *known_aliases()))
    return rule.finding(
        f"{some(names)} in the cipher list of {{endpoint}} {'means' if len(names) == 1 else 'mean'} nothing to OpenSSL",
        first,
        severity=Severity.INFO if operator else Severity.WARNING,
        label="excludes nothing" if operator in ("!", "-") else "dropped without a message",
        help=f"write {operator}{meant}" if meant else "take it out, or look for the name in `openssl ciphers ALL`",
        endpoints=written.labels,
        related=[Related(span, "nor does this") for span in more[:6]],
        fix=_respelt(written, dropped),
    )


def _respelt(written: WrittenList, dropped: list[Token]) -> Fix | None:
    """Write what was meant, where that is clear of every word."""
    value = str(written.argument)
    meant = {token.start: nearest(token.text, (*KNOWN, *known_aliases())) for token in dropped}
    if not all(meant.values()):
        return None
    for token in sorted(dropped, key=lambda token: -token.start):
        value = value[: token.start] + meant[token.start] + value[token.end :]
    return rewritten(written, value, f"write {listed(token.operator + meant[token.start] for token in dropped)}")


def _standard_name(deployment: Deployment, written: WrittenList, token: Token) -> Iterator[Finding]:
    targets = deployment.targets()
    refusing = {version for versions in refused(str(written.argument), targets).values() for version in versions}
    without = [
        str(target.openssl)
        for target in targets
        if not build(target).standard_names and str(target.openssl) not in refusing
    ]
    if not without:
        return
    name = by_standard_name()[token.text].name
    yield rule.finding(
        f'"{token.text}" in the cipher list of {{endpoint}} means nothing to OpenSSL '
        f"{releases(without, [str(target.openssl) for target in targets])}",
        part_of(written.argument, token.start, token.end),
        label="IANA's name, known since OpenSSL 3.2",
        help=f"write {name}",
        endpoints=written.labels,
        fix=rewritten(
            written,
            str(written.argument)[: token.start] + name + str(written.argument)[token.end :],
            f"write {name}",
        ),
    )
