"""Nothing sets the protocol versions, and the server's default depends on its version.

## What it finds
TLS endpoints for which no level of the configuration names the protocol versions, with what each version of the server
that the target may be serves then.

## Why it matters
The default of nginx 1.23.4 leaves TLS 1.3 out, before 1.27.3 it switches TLS 1.0 and 1.1 on. An upgrade,
or a second machine with another version, changes what clients are offered without a line being edited.

## What clients see
Nothing until the default no longer suits them: then a `protocol version` alert.

## How to fix it
Name the versions once at the outermost level (`http` in nginx), where all hosts inherit them.

## False alarms that it avoids
An inherited value is not missing. A server that rejects every handshake, a plaintext socket, and a file whose
surroundings could not be read are silent. Where the target's version is known and its default satisfies the policy,
the finding is advice, unless the policy asks for an explicit setting.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.intention import Fix, Safety, SetValue
from tlslint.policy import Policy, ProtocolVerdict
from tlslint.resolve.model import Deployment
from tlslint.rules.versions import Use, serving, wanted_protocols
from tlslint.rules.words import governing, labels, listed, releases, span_of

rule = Rule(
    code="TLS103",
    name="implicit-protocols",
    severity=Severity.WARNING,
    summary="nothing sets the protocol versions, and the server's default depends on its version",
    why="an upgrade changes what is served; the defaults of older versions have TLS 1.0 and lack TLS 1.3",
    seen="nobody gets an error as long as the default suits them; scanners report what it switches on",
    sources=("nginx change log, 1.23.4 and 1.27.3", "DISA STIG, V-278381"),
    fix=Safety.SAFE,
)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding for all endpoints that a default decides for."""
    for use in serving(deployment):
        if not use.plain.explicit:
            yield _finding(deployment, use, policy)


def _finding(deployment: Deployment, use: Use, policy: Policy) -> Finding:
    defaults = deployment.default_protocols or {str(deployment.target.server): use.listed}
    return rule.finding(
        f"nothing sets the protocol versions for {{endpoint}}: {_told(deployment.server, defaults)}",
        span_of(use.plain, use.endpoints),
        severity=_severity(use, defaults.values(), policy),
        label="no directive in force here names them",
        source=policy.source_of("explicit_protocols" if policy.explicit_protocols else "protocols"),
        help=f"name {listed(policy.protocols)} at the outermost level, for all hosts",
        endpoints=labels(use.endpoints),
        fix=_fix(deployment, use, policy),
    )


def _fix(deployment: Deployment, use: Use, policy: Policy) -> Fix:
    versions = wanted_protocols(deployment, policy)
    intention = SetValue("protocols", versions, use.plain, governing(use.endpoints, "protocols"))
    return Fix(f"name {listed(versions)}", Safety.SAFE, (intention,))


def _severity(use: Use, defaults: Iterable[frozenset[str]], policy: Policy) -> Severity:
    if policy.explicit_protocols:
        return Severity.ERROR
    negotiated = {name for endpoint in use.endpoints for name in endpoint.handshake.protocols}
    if any(policy.judge_protocol(name) is ProtocolVerdict.WEAK for name in negotiated & use.listed):
        return Severity.ERROR
    return Severity.INFO if all(_satisfies(default, policy) for default in defaults) else Severity.WARNING


def _satisfies(default: frozenset[str], policy: Policy) -> bool:
    return default <= set(policy.protocols) and default >= set(policy.required_protocols)


def _told(server: str, defaults: dict[str, frozenset[str]]) -> str:
    """Say what each version serves: `nginx 1.18.0 to 1.22.1 serve TLSv1, …; 1.28.3 and later TLSv1.2 and TLSv1.3`."""
    by_default: dict[frozenset[str], list[str]] = {}
    for version, default in defaults.items():
        by_default.setdefault(default, []).append(version)
    parts = [f"{releases(versions, defaults)} {_verb(versions)} {listed(sorted(default))}"
             for default, versions in by_default.items()]  # fmt: skip
    name = "Apache" if server == "apache" else server
    return f"{name} {'; '.join(parts)}"


def _verb(versions: list[str]) -> str:
    return "serves" if len(versions) == 1 else "serve"
