"""Files for the verification of client certificates are named, and no client is asked for one.

## What it finds
`ssl_client_certificate`, `ssl_crl` or `ssl_ocsp` in force where `ssl_verify_client` is not set at all; with Apache
`SSLCACertificateFile`, `SSLCARevocationFile` or `SSLOCSPEnable` without `SSLVerifyClient`.

## Why it matters
The default is off. Nothing is verified, and the server says nothing of it.

## What clients see
They are not asked for a certificate, and get `200 OK`.

## How to fix it
Set `ssl_verify_client on;` (Apache: `SSLVerifyClient require`), or remove what has no effect.

## False alarms that it avoids
A directive that is inherited by many hosts is silent as long as one of them verifies. An explicit `ssl_verify_client
off` is taken at its word. `ssl_trusted_certificate` has other uses, and so has Apache's file where it completes the
chain of the host's own certificate. A section for a part of the host that verifies clients counts. Where an include
could not be read, nothing is said.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint, TlsSettings
from tlslint.rules.words import directive_of, labels, negotiating

rule = Rule(
    code="TLS512",
    name="client-verification-off",
    severity=Severity.WARNING,
    summary="files for the verification of client certificates are named, and no client is asked for one",
    why="verification is off unless it is switched on, and nothing says so",
    seen="clients are not asked for a certificate and get 200 OK",
    sources=("nginx, ngx_http_ssl_module: ssl_verify_client", "Apache HTTP Server, SSLVerifyClient"),
)

FIELDS = ("client_ca", "crl", "idle_crl", "client_ocsp")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each directive about client certificates that no host makes use of."""
    users: dict[int, list[Endpoint]] = {}
    idle: dict[int, bool] = {}
    for endpoint in negotiating(deployment):
        tls = endpoint.tls
        if endpoint.answering is not endpoint.virtual_host:
            continue
        made = [setting for name in FIELDS if (setting := getattr(tls, name)) is not None and setting.explicit]
        if not made:
            continue
        asks = (
            tls.verify_client.value != "none"
            or tls.client_check.value != "none"
            or tls.client_check.explicit
            or any(part.verify_client is not None for part in tls.directories)
            or _completes_a_chain(tls)
        )
        for setting in made:
            if setting.known:
                users.setdefault(id(setting), []).append(endpoint)
                idle[id(setting)] = idle.get(id(setting), True) and not asks
    for key, endpoints in users.items():
        tls = endpoints[0].tls
        setting = next(found for found in (getattr(tls, name) for name in FIELDS) if id(found) == key)
        whole = not any(endpoint.virtual_host.incomplete for endpoint in endpoints)
        if idle[key] and whole and setting.span is not None:
            yield rule.finding(
                f"{directive_of(setting)} is set, and no client of {{endpoint}} is asked for a certificate",
                setting.span,
                label="has no effect",
                help="switch the verification on, or remove this",
                endpoints=labels(endpoints),
            )


def _completes_a_chain(tls: TlsSettings) -> bool:
    """Whether certificates are sent that come out of the file of clients' CAs (Apache)."""
    return any(
        pair.bundle is not None and not pair.chain_file and any(not entry.line for entry in pair.bundle.entries[1:])
        for pair in tls.certificates.known or ()
    )
