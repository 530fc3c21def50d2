"""Details of stapling are set, and stapling itself is off.

## What it finds
`ssl_stapling_verify on`, `ssl_stapling_file` or `ssl_stapling_responder` in force where `ssl_stapling` is not on, and
`SSLStaplingForceURL` where `SSLUseStapling` is not.

## Why it matters
They do nothing by themselves, and the server does not say so; a file that is named is not even opened.

## What clients see
`openssl s_client -status` says `OCSP response: no response sent`.

## How to fix it
Remove them: authorities retire OCSP. Or switch `ssl_stapling` (`SSLUseStapling`) on, for certificates that have a
responder.

## False alarms that it avoids
A directive that many hosts inherit is silent as long as one of them staples. Where an include could not be read,
nothing is said. Apache's other settings of stapling are defaults for hosts that may come, as its cache is.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.words import directive_of, labels, negotiating

rule = Rule(
    code="TLS705",
    name="stapling-off",
    severity=Severity.INFO,
    summary="details of stapling are set, and stapling itself is off",
    why="they do nothing by themselves, and the server does not say so",
    seen="openssl s_client -status: OCSP response: no response sent",
    sources=("nginx, ngx_http_ssl_module: ssl_stapling", "Apache HTTP Server, mod_ssl: SSLUseStapling"),
)

FIELDS = ("stapling_verify", "stapling_file", "stapling_responder")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each setting of stapling that no host makes use of."""
    users: dict[int, tuple[str, list[Endpoint]]] = {}
    used: set[int] = set()
    for endpoint in negotiating(deployment):
        for name in FIELDS:
            setting = endpoint.tls.setting(name)
            if setting.explicit and setting.known:
                users.setdefault(id(setting), (name, []))[1].append(endpoint)
                if endpoint.tls.stapling.value is not False or endpoint.virtual_host.incomplete:
                    used.add(id(setting))
    for key, (name, endpoints) in users.items():
        setting = endpoints[0].tls.setting(name)
        if key not in used and setting.span is not None:
            yield rule.finding(
                f"{directive_of(setting)} is set, and nothing is stapled for {{endpoint}}",
                setting.span,
                label="has no effect",
                help="remove it, or switch stapling on",
                endpoints=labels(endpoints),
            )
