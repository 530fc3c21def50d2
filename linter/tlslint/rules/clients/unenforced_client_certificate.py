"""Client certificates are asked for, and requests without a good one are answered all the same.

## What it finds
Ways to ask for a certificate and serve everybody: `ssl_verify_client optional` (or `optional_no_ca`; Apache:
`SSLVerifyClient`) where nothing looks at the result, or only in a way that lets bad certificates pass; and a plain HTTP
socket of the same host. With nginx also `ssl_conf_command VerifyMode` without `ssl_verify_client`, which makes clients
show a certificate that nobody checks (Apache ends the connection), and an `error_page 495 496` that leads to content.

## Why it matters
The host looks as if it were protected, and strangers get its content.

## What clients see
A stranger gets `200 OK`. With `optional_no_ca` the result is `FAILED:` and the reason, so that a comparison with the
bare word `FAILED` holds for nobody (since nginx 1.11.7).

## How to fix it
Set it to `on`, or refuse everything but `SUCCESS`: `if ($ssl_client_verify != SUCCESS) { return 403; }`, with Apache
`Require ssl-verify-client`. Let error
pages say that a certificate is needed, and nothing else. Give plain HTTP a host of its own that redirects.

## False alarms that it avoids
A result that reaches an application (a header, a parameter), another variable, a script or `auth_request` counts as
looked at; logs and response headers do not. So does a section that requires certificates, which is
client-certificate-per-location's subject. Plain sockets that only redirect or refuse, that ask for passwords or look
at addresses, are silent; those on loopback addresses are a hint. Hosts of which a part could not be read are left out.
"""

from collections.abc import Iterable, Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import Fix, Safety
from tlslint.policy import Policy
from tlslint.resolve.model import ClientChecks, ClientUse, Deployment, DirectoryTls, Endpoint, VirtualHost
from tlslint.rules.mutual import RESULT, VERIFYING, asking
from tlslint.rules.web import serves_content
from tlslint.rules.words import directive_of, labels, listed, negotiating

rule = Rule(
    code="TLS502",
    name="unenforced-client-certificate",
    severity=Severity.ERROR,
    summary="client certificates are asked for, and requests without a good one are answered all the same",
    why="the host looks protected, and strangers get its content",
    seen="a client without a certificate gets 200 OK",
    sources=(
        "nginx, ngx_http_ssl_module: ssl_verify_client, $ssl_client_verify",
        "Apache HTTP Server, SSLVerifyClient, Require ssl-verify-client",
    ),
    fix=Safety.MANUAL,
)

HELP = "refuse every request whose result is not SUCCESS, or demand certificates from everybody"
FIXES = {
    "nginx": Fix("refuse the others: if ($ssl_client_verify != SUCCESS) { return 403; }", Safety.MANUAL),
    "apache": Fix("refuse the others: Require ssl-verify-client", Safety.MANUAL),
}
LOOPBACK = ("127.", "[::1]", "unix:")
SUCCESS = range(200, 300)


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield each way in which strangers get past a host that asks for certificates."""
    if deployment.server == "nginx":
        yield from _commands(deployment)
    for endpoints in _by_host(asking(deployment)):
        host = endpoints[0].virtual_host
        if host.module == "mail" or host.incomplete:
            continue
        checks = host.client_checks
        if host.tls.client_check.known != "required" and not checks.doubt and _is_worth_it(host):
            yield from _unused(deployment.server, endpoints, checks)
        if host.module == "http" and host.tls.client_check.known in VERIFYING:
            yield from _error_pages(endpoints, checks)
            if host.tls.client_check.known == "required":
                yield from _plain_sockets(endpoints, checks)


def _by_host(endpoints: Iterable[Endpoint]) -> Iterator[list[Endpoint]]:
    found: dict[int, list[Endpoint]] = {}
    for endpoint in endpoints:
        found.setdefault(id(endpoint.virtual_host), []).append(endpoint)
    yield from found.values()


def _commands(deployment: Deployment) -> Iterator[Finding]:
    """Yield the OpenSSL commands that make clients show a certificate which the server does not look at."""
    asked = (
        endpoint
        for endpoint in negotiating(deployment)
        if endpoint.tls.verify_client.known in VERIFYING
        and endpoint.tls.client_check.known == "none"
        and endpoint.tls.client_check is endpoint.virtual_host.tls.client_check
        and endpoint.answering is endpoint.virtual_host
    )
    for endpoints in _by_host(asked):
        setting, checks = endpoints[0].tls.verify_client, endpoints[0].virtual_host.client_checks
        if setting.span is not None and not checks.uses and not checks.doubt:
            yield rule.finding(
                "clients of {endpoint} must show a certificate, and any will do",
                setting.span,
                label="asks, and checks nothing",
                help="use ssl_verify_client with the file of the clients' CA",
                seen="a client with a self-signed certificate gets 200 OK",
                endpoints=labels(endpoints),
            )


def _unused(server: str, endpoints: list[Endpoint], checks: ClientChecks) -> Iterator[Finding]:
    setting = endpoints[0].tls.client_check
    if setting.span is None or any(_requires(part) for part in endpoints[0].tls.directories):
        return
    fix = FIXES[server] if endpoints[0].virtual_host.module == "http" else None
    tolerant = setting.known == "optional_no_ca"
    uses = [use for use in checks.uses if not _is_about_names(use)]
    hollow = [use for use in uses if _never_holds(use)]
    rest = [use for use in uses if use not in hollow]
    if not uses:
        yield rule.finding(
            "a client certificate is optional for {endpoint}, and nothing looks at the result",
            setting.span,
            label="everybody is let in",
            help=HELP,
            endpoints=labels(endpoints),
            fix=fix,
        )
    elif hollow and (not rest or (tolerant and all(_is_about_absence(use) for use in rest))):
        yield rule.finding(
            'the result for {endpoint} is compared with "FAILED", and it is never just that word',
            hollow[0].place.span,
            label='"FAILED:" and the reason',
            help=HELP,
            seen="a client with a self-signed certificate gets 200 OK" if tolerant else None,
            endpoints=labels(endpoints),
            fix=fix,
        )
    elif tolerant and all(_is_about_absence(use) for use in rest):
        yield rule.finding(
            f"{directive_of(setting)} takes certificates of unknown CAs for {{endpoint}}, "
            "and only their absence is looked for",
            rest[0].place.span,
            label="any certificate passes",
            help=HELP,
            seen="a client with a self-signed certificate gets 200 OK",
            endpoints=labels(endpoints),
            fix=fix,
        )


def _requires(part: DirectoryTls) -> bool:
    return part.verify_client is not None and part.verify_client.known == "required"


def _is_about_names(use: ClientUse) -> bool:
    return not any(variable.startswith("ssl_client_") for variable in use.variables)


def _never_holds(use: ClientUse) -> bool:
    return use.condition and use.operator == "=" and use.value == "FAILED"


def _is_about_absence(use: ClientUse) -> bool:
    return use.condition and use.variables == {RESULT} and use.operator == "=" and use.value in ("NONE", "")


def _error_pages(endpoints: list[Endpoint], checks: ClientChecks) -> Iterator[Finding]:
    for page in checks.error_pages:
        if page.refuses or page.checks or checks.doubt or not page.target.startswith(("/", "@")):
            continue
        replaced = page.status is not None and (page.status == "" or page.status.startswith("2"))
        program = page.application is not None and (replaced or page.target.startswith("@"))
        if not program and (not replaced or _is_a_page(page.target)):
            continue
        statuses = listed(page.statuses)
        yield rule.finding(
            f"requests to {{endpoint}} that are refused with {statuses} are answered from {page.target}",
            page.place.span,
            severity=None if program else Severity.WARNING,
            label="content instead of a refusal",
            help="answer with a page that only says what is missing, and keep the status",
            endpoints=labels(endpoints),
            related=[Related(page.application.span, "requests go here")] if page.application is not None else [],
        )


def _is_a_page(target: str) -> bool:
    name = target.rpartition("/")[2]
    return "." in name and not name.startswith("index.")


def _plain_sockets(endpoints: list[Endpoint], checks: ClientChecks) -> Iterator[Finding]:
    host = endpoints[0].virtual_host
    if checks.doubt or checks.guarded or any(use.condition for use in checks.uses):
        return
    plain = [listener for listener in host.listeners if not listener.tls and listener.address]
    for listener in plain if plain and _has_content(host, tls=False) else ():
        place = next((place for owner, place in listener.places if owner is host), None)
        yield rule.finding(
            f"{directive_of(host.tls.client_check)} of {{endpoint}} does not count on {listener.label}, "
            "where the same content is served in plain text",
            place.argument(0).span if place is not None else host.span,
            severity=Severity.INFO if listener.address.startswith(LOOPBACK) else None,
            label="no certificate is asked for here",
            help="give plain HTTP a host of its own that only redirects",
            endpoints=labels(endpoints),
        )


def _is_worth_it(host: VirtualHost) -> bool:
    return host.module != "http" or _has_content(host, tls=True)


def _has_content(host: VirtualHost, tls: bool) -> bool:
    return any(
        serves_content(location, tls) or (location.returns in SUCCESS and not location.path)
        for location in host.locations
    )
