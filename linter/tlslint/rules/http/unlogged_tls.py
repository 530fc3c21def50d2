"""No log says which TLS version and cipher suite the clients use.

## What it finds
A deployment with TLS of which no access log records both the protocol version and the cipher suite. It is one finding
for all hosts; one log that has both is enough.

## Why it matters
Whether an old version can be switched off without cutting anybody off is a question that only a log answers.

## What clients see
Nothing.

## How to fix it
Add `$ssl_protocol` and `$ssl_cipher` to the format of the access log; on Apache `%{SSL_PROTOCOL}x` and
`%{SSL_CIPHER}x`.

## False alarms that it avoids
Hosts without TLS, and logs or formats that stand in files which could not be read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tlslint.finding import Finding, Rule, Severity
from tlslint.parse.tree import Span
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, LogFormat, Unknown
from tlslint.rules.web import SecureHost, half_read, secure_hosts
from tlslint.rules.words import listed

rule = Rule(
    code="TLS808",
    name="unlogged-tls",
    severity=Severity.INFO,
    summary="no access log records the TLS version and the cipher suite",
    why="only a log tells whom a stricter setting would cut off",
    seen="nobody notices before somebody asks",
    sources=("nginx: ngx_http_ssl_module, embedded variables", "Apache HTTP Server: mod_ssl, environment variables"),
)
FIELDS = {
    "nginx": {"$ssl_protocol": ("$ssl_protocol", "${ssl_protocol}"), "$ssl_cipher": ("$ssl_cipher", "${ssl_cipher}")},
    "apache": {
        "%{SSL_PROTOCOL}x": ("%{SSL_PROTOCOL}", "%{version}c"),
        "%{SSL_CIPHER}x": ("%{SSL_CIPHER}", "%{cipher}c"),
    },
}
"""For each server what to write, and the spellings that count."""


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield one finding where no log of any TLS host has both."""
    if deployment.fragment:
        return
    hosts = secure_hosts(deployment)
    if any(not endpoint.listener.address for secure in hosts for endpoint in secure.endpoints):
        return  # the hosts are in files that were not read
    if half_read(deployment):
        return
    fields = FIELDS[deployment.server]
    counts: Counter[int] = Counter()
    logs: dict[int, LogFormat] = {}
    for secure in hosts:
        written = secure.host.logs
        if isinstance(written, Unknown):
            return
        for log in written:
            counts[id(log)] += 1
            logs[id(log)] = log
    if not hosts or any(not _missing(log, fields) for log in logs.values()):
        return
    usual = logs[counts.most_common(1)[0][0]] if logs else None
    missing = list(fields) if usual is None else _missing(usual, fields)
    yield rule.finding(
        "no access log records the TLS version and the cipher suite of {endpoint}",
        _span(usual, hosts),
        label=f"{_what(usual)} lacks {listed(missing)}" if usual is not None else "no access log is written",
        help=f"add {listed(missing)} to the format of the access log",
        endpoints=[label for secure in hosts for label in secure.labels],
    )


def _missing(log: LogFormat, fields: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for name, spellings in fields.items() if not any(word in (log.text or "") for word in spellings)]


def _what(log: LogFormat) -> str:
    return f'the format "{log.format_name}"'


def _span(log: LogFormat | None, hosts: Sequence[SecureHost]) -> Span:
    if log is not None and log.format_place is not None:
        return log.format_place.argument(0).span
    if log is not None and log.place is not None:
        return log.place.span
    first = hosts[0].host
    return first.span if first.block is None else first.block.directive.name.span
