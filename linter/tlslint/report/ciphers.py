"""What a cipher string selects, in order, what the policy refuses of it, and what the library ignores."""

from collections.abc import Iterator
from typing import Any

from tlslint.policy import Policy
from tlslint.report.text import Palette, counted, visible
from tlslint.target import Target
from tlslint.tls.ciphers import LEVEL_BITS, evaluate, listed, usable
from tlslint.tls.handshake import build, level_of
from tlslint.tls.suites import Suite, broken_reason


def as_data(cipher_string: str, target: Target, policy: Policy) -> dict[str, Any]:
    """Return what `openssl ciphers` lists (TLS 1.3 first) or OpenSSL's error, and what the policy refuses of it."""
    result = evaluate(cipher_string, build(target))
    suites = listed(cipher_string, build(target))
    return {
        "string": cipher_string,
        "ciphers": [suite.name for suite in suites],
        "error": result.error,
        "refused": [suite.name for suite in suites if _refused(suite, policy)],
        "unknown": list(result.unknown),
    }


def render(cipher_string: str, target: Target, policy: Policy, palette: Palette) -> Iterator[str]:
    """Yield the suites, one a line, with what speaks against each; at last what OpenSSL makes of the rest."""
    openssl = build(target)
    result = evaluate(cipher_string, openssl)
    yield palette.paint(f"OpenSSL {openssl.version}, policy {policy.spelling}", "strong") + "\n"
    if result.error:
        yield f"{palette.paint('refused:', 'error')} {result.error}\n"
    suites = listed(cipher_string, openssl)
    level = level_of(cipher_string, None, target)
    negotiable = {suite.name for suite in usable(suites, level, openssl)}
    names = max((len(suite.name) for suite in suites), default=0)
    for suite in suites:
        notes = []
        refused = _refused(suite, policy)
        if refused:
            notes.append(palette.paint(refused, "error" if broken_reason(suite) else "warning"))
        if suite.name not in negotiable:
            notes.append(palette.paint(f"not negotiable at security level {level} ({LEVEL_BITS[level]} bits)", "faint"))
        yield f"  {suite.min_protocol:<8} {suite.name:<{names}}  {', '.join(notes)}".rstrip() + "\n"
    for word in result.unknown:
        yield f"{palette.paint('unknown:', 'warning')} {visible(word)} (OpenSSL {openssl.version} ignores it)\n"
    if suites:
        refusals = sum(bool(_refused(suite, policy)) for suite in suites)
        yield f"{counted(len(suites), 'suite')}, {refusals or 'none'} outside the policy\n"


def _refused(suite: Suite, policy: Policy) -> str:
    """Say what the policy has against a suite, or return an empty text; a policy without an opinion has nothing."""
    allowed = policy.tls13_ciphers if suite.tls13 else policy.ciphers
    if allowed is None or suite.name in allowed:
        return ""
    return f"outside the policy: {_weakness(suite)}" if _weakness(suite) else "outside the policy"


def _weakness(suite: Suite) -> str:
    reason = broken_reason(suite)
    if reason is not None:
        return {"NULL": "no encryption", "anonymous": "no authentication"}.get(reason, reason)
    if not suite.forward_secrecy:
        return "no forward secrecy"
    if not suite.aead:
        return "CBC mode"
    return ""
