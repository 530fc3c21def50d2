"""What an Apache host makes of client certificates once the handshake is over.

mod_ssl gives the result in `SSL_CLIENT_VERIFY` and what the certificate says in other `SSL_CLIENT_…` variables. They
are looked at in expressions, in mod_rewrite's conditions and in the old `SSLRequire`; `Require ssl-verify-client` asks
for the result alone. Programs see them in their environment where `SSLOptions` says so. Names are given in lower case,
as for nginx.
"""

import re
from collections.abc import Iterator
from typing import Final

from tlslint.resolve.apache_scope import Section
from tlslint.resolve.model import ClientChecks, ClientUse, Place, VirtualHost

RESULT: Final = "ssl_client_verify"
SUBJECT: Final = "ssl_client_s_dn"
SERVER_NAME: Final = "ssl_tls_sni"

_TELLING: Final = frozenset(("header", "customlog", "logformat", "transferlog", "errorlogformat", "globallog"))
"""Directives that pass a value on to nobody who could act on it."""
_CONDITIONS: Final = frozenset(("rewritecond", "require", "sslrequire", "setenvifexpr"))
_SCRIPTS: Final = re.compile(
    r"(?:luahook\w+|luamaphandler|luaauthz\w+|perl\w+handler|auth\w*(?:ldap|oidc|mellon|gssapi|kerb|pam|cas|shib)\w*"
    r"|sec(?:rule|ruleengine|action)|oidc\w+|mellon\w+|wsgiaccessscript|wsgiauth\w+)"
)
"""Directives with which another program may look at the certificate without naming it here."""
_EXPORTS: Final = frozenset(("stdenvvars", "exportcertdata"))
_GUARDS: Final = frozenset(
    ("valid-user", "user", "group", "ip", "forward-dns", "host", "local", "ldap-user", "ldap-group", "ldap-filter",
     "dbm-group", "file-owner", "file-group")
)  # fmt: skip
_VARIABLE: Final = re.compile(r"%\{(?:SSL:)?((?:SSL_CLIENT_|SSL_TLS_SNI)\w*)\}", re.IGNORECASE)
_COMPARISON: Final = re.compile(
    r"\s*%\{(?:SSL:)?SSL_CLIENT_VERIFY\}\s*(==|=|!=|=~|!~|eq|ne)\s*[\"'/]?\^?([\w:]*)\$?[\"'/]?\s*", re.IGNORECASE
)
_OPERATORS: Final = {"==": "=", "eq": "=", "ne": "!=", "=~": "~"}


class ClientChecksReader:
    """Reads what hosts do with the result; what is the same for all hosts is worked out once."""

    def __init__(self, main: Section) -> None:
        self.main = main
        self._inherited: tuple[tuple[ClientUse, ...], bool, str] | None = None

    def read(self, host: VirtualHost) -> ClientChecks:
        """Return what a host does with the result of the verification."""
        section = host.scope
        if not isinstance(section, Section):
            return ClientChecks(doubt="nothing is known of this host")
        if self._inherited is None:
            self._inherited = _checks(self.main)
        uses, guarded, doubt = self._inherited
        if section is not self.main:
            more, more_guarded, more_doubt = _checks(section)
            uses, guarded, doubt = (*uses, *more), guarded or more_guarded, doubt or more_doubt
        return ClientChecks(uses, (), guarded, doubt)


def _checks(server: Section) -> tuple[tuple[ClientUse, ...], bool, str]:
    """Return the uses of a server and its sections, whether something else keeps strangers out, and any doubt."""
    uses: list[ClientUse] = []
    guarded, doubt = False, ""
    pending = [server]
    while pending:
        section = pending.pop()
        pending.extend(reversed(section.parts))
        doubt = doubt or section.incomplete
        if section.kind in ("if", "elseif") and section.place is not None:
            uses += _use(section.place, is_condition=True)
        for place in section.items:
            name = place.directive.name.lower()
            if name in _TELLING:
                continue
            uses += _use(place, name in _CONDITIONS)
            guarded = guarded or _is_guard(place, name)
            if not doubt and _SCRIPTS.fullmatch(name):
                doubt = f"{place.directive.name} may look at it"
    return tuple(uses), guarded, doubt


def _use(place: Place, is_condition: bool) -> Iterator[ClientUse]:
    name = place.directive.name.lower()
    words = [str(word) for word in place.directive.arguments]
    if name == "require" and [word.lower() for word in words if word.lower() != "not"] == ["ssl-verify-client"]:
        yield ClientUse(frozenset((RESULT,)), place, True, "!=" if len(words) > 1 else "=", "SUCCESS")
        return
    if name == "sslusername" and words:
        yield ClientUse(frozenset((words[0].lower(),)), place)
        return
    if name == "ssloptions":
        options = {word.lstrip("+").lower() for word in words if not word.startswith("-")}
        if "fakebasicauth" in options:
            yield ClientUse(frozenset((SUBJECT,)), place, True)
        if options & _EXPORTS:
            yield ClientUse(frozenset((RESULT, SUBJECT)), place)
        return
    text = " ".join(words)
    if "%{" not in text:
        return
    variables = frozenset(found.lower() for found in _VARIABLE.findall(text))
    if variables:
        yield ClientUse(variables, place, is_condition, *_compared(name, words))


def _compared(name: str, words: list[str]) -> tuple[str, str]:
    """Return how the result is compared and with what, where that is all that a condition does."""
    if name == "rewritecond" and len(words) > 1 and _VARIABLE.fullmatch(words[0]):
        opposite, pattern = ("!", words[1][1:]) if words[1].startswith("!") else ("", words[1])
        if pattern.startswith("="):
            return f"{opposite}=", pattern[1:].strip('"')
        return f"{opposite}~", pattern.strip("^$")
    text = " ".join(words[1:] if name == "require" and words[:1] == ["expr"] else words)
    match = _COMPARISON.fullmatch(text.strip("\"'") if text.count("%{") == 1 else "")
    if match is None:
        return "", ""
    return _OPERATORS.get(match[1].lower(), match[1]), match[2]


def _is_guard(place: Place, name: str) -> bool:
    words = [word.lower() for word in place.directive.arguments]
    if name == "require":
        return bool(words) and words[0] in _GUARDS
    return name == "deny" and words[:1] == ["from"]


__all__ = ["ClientChecksReader"]
