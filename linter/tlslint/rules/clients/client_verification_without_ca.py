"""Client certificates are to be verified, and there is no CA to verify them with.

## What it finds
`ssl_verify_client on` or `optional` (Apache: `SSLVerifyClient require` or `optional`) where no file with CAs of clients
is in force, or where the file that is named holds nothing that the server can read as certificates. Apache takes a
directory too (`SSLCACertificatePath`), in which OpenSSL finds only names that are hashes (`openssl rehash`); it looks
there when a client comes, with the rights of the server's workers.

## Why it matters
nginx refuses to start: a restart fails, a reload keeps the old configuration. Apache starts, and refuses every client
that shows a certificate; with a file without certificates it passes its own test of the syntax and does not start.

## What clients see
`nginx -t` says `no ssl_client_certificate for ssl_verify_client`, since 1.27.2 `no ssl_client_certificate or
ssl_trusted_certificate for ssl_verify_client`. A file without certificates is `no certificate or crl found`, since
1.27.2 `no start line`. Apache's clients see the alert `unknown ca`, its log has AH01897 (for `require`) or AH01895.

## How to fix it
Name the file with the CA that issues your clients' certificates.

## False alarms that it avoids
`optional_no_ca` needs none. An inherited file counts. Since 1.27.2 `ssl_trusted_certificate` is enough, and nothing is
said then. A file that is merely not at hand is no fault.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Rule, Severity
from tlslint.policy import Policy
from tlslint.resolve.model import Deployment, Endpoint
from tlslint.rules.mutual import verifying
from tlslint.rules.words import directive_of, labels, releases
from tlslint.target import Version

rule = Rule(
    code="TLS501",
    name="client-verification-without-ca",
    severity=Severity.ERROR,
    summary="client certificates are to be verified, and there is no CA to verify them with",
    why="nginx refuses to start with it, Apache refuses every client certificate",
    seen='nginx -t says "no ssl_client_certificate for ssl_verify_client" (1.27.2 and later name a second directive)',
    seen_apache="every client with a certificate is refused: alert unknown ca",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_client_certificate",
        "nginx 1.27.2, changes",
        "Apache HTTP Server, SSLCACertificateFile",
    ),
)

TRUSTED_FILE_COUNTS_SINCE = Version("1.27.2")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each verification without a CA, and each CA file that holds none."""
    for endpoints in verifying(deployment, "client_check", "client_ca", "trusted_ca"):
        tls = endpoints[0].tls
        if not tls.client_ca.is_unknown and not tls.trusted_ca.is_unknown and not tls.client_ca.known:
            yield from _without(deployment, endpoints)
        yield from _unusable(deployment, endpoints)


def _without(deployment: Deployment, endpoints: list[Endpoint]) -> Iterator[Finding]:
    tls = endpoints[0].tls
    at = tls.client_check.span or endpoints[0].answering.span
    asks = f"{directive_of(tls.client_check)} asks for client certificates"
    if tls.ca_path is not None and tls.ca_path.known:
        yield rule.finding(
            f'{asks}, and OpenSSL finds no CA in "{tls.ca_path.known}", for {{endpoint}}',
            tls.ca_path.span or at,
            label="no name in it is a hash",
            help="make the links: openssl rehash DIRECTORY",
            endpoints=labels(endpoints),
        )
        return
    if not tls.trusted_ca.known:
        yield rule.finding(
            f"{asks}, and no CA is there to verify them, for {{endpoint}}",
            at,
            label="no CA is named",
            help="name the file of the CA that issues the clients' certificates",
            endpoints=labels(endpoints),
        )
        return
    given = deployment.given or deployment.target
    refusing = [version for version in given.server_versions if version < TRUSTED_FILE_COUNTS_SINCE]
    if refusing and deployment.server == "nginx":
        yield rule.finding(
            f"{asks}, and only {directive_of(tls.trusted_ca)} names a CA, which nginx "
            f"{releases(refusing, given.server_versions)} does not count, for {{endpoint}}",
            at,
            label=f"counts since {TRUSTED_FILE_COUNTS_SINCE} only",
            help="name the CA with ssl_client_certificate as well",
            endpoints=labels(endpoints),
        )


def _unusable(deployment: Deployment, endpoints: list[Endpoint]) -> Iterator[Finding]:
    tls = endpoints[0].tls
    for setting in (tls.client_ca, tls.trusted_ca):
        bundle = deployment.clients.bundle(setting)
        if bundle is None or not bundle.complete or (bundle.entries and not bundle.server_verdict):
            continue
        assert setting.span is not None
        verdict = f": {bundle.server_verdict}" if bundle.entries else ""
        yield rule.finding(
            f'"{setting.known}" {"is damaged" if bundle.entries else "holds no certificate"}{verdict}, '
            "and clients of {endpoint} are to be verified with it",
            setting.span,
            label="the server refuses this file",
            help="put the certificate of the clients' CA there, as PEM",
            seen=_seen(deployment.server) if not bundle.entries else "",
            endpoints=labels(endpoints),
        )


def _seen(server: str) -> str:
    if server == "apache":
        return 'apache2 -t says "Syntax OK"; Apache does not start: AH01895'
    return 'nginx -t says "no certificate or crl found" or "no start line"'
