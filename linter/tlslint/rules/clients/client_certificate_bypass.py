"""A client with a certificate for one host gets into another host that does not accept it.

## What it finds
Hosts that verify client certificates beside others on the same socket that accept other clients: the default server's
clients, who get in by sending no server name; the clients of any host there, who get in with a TLS 1.3 session on
versions before 1.29.2; and hosts that only compare `$ssl_client_verify`, which is `SUCCESS` whichever host of the
socket did the verification.

Apache: hosts of one address with other CAs of clients where `SSLVHostSNIPolicy insecure` (since 2.4.66) has requests
answered that name another host than the handshake; before 2.4.64 those of clients without a server name; and from
2.4.35 to 2.4.63 TLS 1.3 sessions of another host (CVE-2025-23048).

## Why it matters
The server verifies in the handshake, where the server name decides, and judges the result by the host of the request.
nginx compares both (421) only where the client sent a name that some host claims. Apache compares the settings of both
hosts (421), unless it is told not to.

## What clients see
`200 OK` from a host whose CA they have no certificate of.

## How to fix it
`ssl_reject_handshake on;` in a default server of its own closes the way without a name; an address (or port) of its own
for each CA closes all of them. nginx 1.29.2 ends the resumption under another name; before that, `ssl_session_tickets
off;` together with `ssl_session_cache none;` in the default server does, which is one fix; the other is to add a
default server that rejects (unsafe: clients without SNI are turned away). Where a variable decides, compare the issuer
as well: `$ssl_client_i_dn`.

Apache: `SSLVHostSNIPolicy authonly` or `secure`, an upgrade, or `SSLStrictSNIVHostCheck on` (unsafe: clients without
SNI get 403).

## False alarms that it avoids
Hosts that accept the same CAs with the same revocation lists; a default server that rejects the handshake; a default
server whose clients the other host accepts as well; hosts that compare more than the result, or have a script look at
it; fixes that a distribution has backported (of Apache's packages that is not known: where the target is a
distribution, nothing is said of sessions). Nothing is said of files that are not at hand.
"""

from collections.abc import Iterator

from tlslint.finding import Finding, Related, Rule, Severity
from tlslint.intention import AddDirective, AddRejectingHost, Fix, ReplaceArguments, Safety, SetValue
from tlslint.policy import Policy
from tlslint.resolve.model import NO_SNI, Deployment, Endpoint, Listener, TlsSettings, VirtualHost
from tlslint.rules.mutual import RESULT, VERIFYING, ca_setting, names_of, other_conditions
from tlslint.rules.words import labels, negotiating, releases
from tlslint.target import Target, Version

rule = Rule(
    code="TLS508",
    name="client-certificate-bypass",
    severity=Severity.ERROR,
    summary="a client with a certificate for one host gets into another host that does not accept it",
    why="the handshake goes by the server name, the request by its Host header, and they may differ",
    seen="200 OK from a host whose CA issued nothing to the client",
    sources=(
        "nginx security advisories: CVE-2025-23419",
        "nginx, ngx_http_ssl_module: ssl_verify_client",
        "Apache HTTP Server security advisories: CVE-2025-23048",
        "Apache HTTP Server, SSLVHostSNIPolicy",
    ),
    fix=Safety.SAFE,
)

CVE = "CVE-2025-23419"
APACHE_CVE = "CVE-2025-23048"
APACHE_VULNERABLE, APACHE_FIX = Version("2.4.35"), Version("2.4.64")
STRICT = "SSLStrictSNIVHostCheck"
VULNERABLE_SINCE = Version("1.11.4")
STABLE_FIX, NEXT_MAINLINE, MAINLINE_FIX = Version("1.26.3"), Version("1.27.0"), Version("1.27.4")
SESSIONS_PER_HOST_SINCE = Version("1.29.2")


def check(deployment: Deployment, policy: Policy) -> Iterator[Finding]:
    """Yield for each host the way in which other hosts' clients get into it."""
    sockets: dict[int, list[Endpoint]] = {}
    for endpoint in negotiating(deployment):
        if endpoint.listener.module == "http" and endpoint.answering is endpoint.virtual_host:
            sockets.setdefault(id(endpoint.listener), []).append(endpoint)
    apache = deployment.server == "apache"
    for endpoints in sockets.values():
        verifying = [endpoint for endpoint in endpoints if endpoint.tls.client_check.known in VERIFYING]
        if not verifying or len(endpoints[0].listener.virtual_hosts) < 2:
            continue
        if apache:
            yield from _on_apache(deployment, endpoints, verifying)
        else:
            yield from _crossings(deployment, endpoints[0].listener, verifying)
            yield from _comparisons(endpoints, verifying)


def _crossings(deployment: Deployment, listener: Listener, verifying: list[Endpoint]) -> Iterator[Finding]:
    default = listener.default
    if default.tls.reject_handshake.known is not False or (listener.incomplete and listener.explicit_default is None):
        return
    groups: dict[tuple[object, ...], list[Endpoint]] = {}
    for endpoint in verifying:
        groups.setdefault(_trust_key(endpoint.tls), []).append(endpoint)
    opened = _resuming(deployment, listener)
    for key, group in groups.items():
        hosts = [endpoint for endpoint in group if _goes_by_result(endpoint)]
        strangers = [endpoint for endpoint in hosts if endpoint.virtual_host is not default]
        if strangers and default.tls.client_check.known in VERIFYING | {"optional_no_ca"}:
            more = lets_in_more(deployment, default.tls, strangers[0].tls)
            if more:
                yield _without_name(strangers, listener, more)
                continue
        for other_key, others in groups.items() if opened and hosts else ():
            more = lets_in_more(deployment, others[0].tls, hosts[0].tls) if other_key != key else ""
            if more and "TLSv1.3" in others[0].handshake.protocols:
                yield _with_session(deployment, hosts, others[0], more, opened)
                break


def _trust_key(tls: TlsSettings) -> tuple[object, ...]:
    return tuple(setting.value for setting in (tls.client_ca, tls.trusted_ca, tls.crl, tls.client_ocsp))


def _goes_by_result(endpoint: Endpoint) -> bool:
    checks = endpoint.virtual_host.client_checks
    return not checks.doubt and not other_conditions(checks)


def lets_in_more(deployment: Deployment, one: TlsSettings, other: TlsSettings) -> str:
    """Return who is let in with the first settings and not with the other, in words; empty where that is not known."""
    accepted, wanted = deployment.clients.trust(one), deployment.clients.trust(other)
    if accepted is None or wanted is None:
        return ""
    strange = [authority for authority in accepted.authorities.usable if authority not in wanted.accepted]
    if strange:
        return f"of {names_of(strange)}"
    if not accepted.accepted:
        return ""
    if wanted.crls is not None and accepted.crls is None:
        return "whose certificates are revoked"
    if other.client_ocsp.known and one.client_ocsp.known is False:
        return "whose certificates a responder calls revoked"
    return ""


def _without_name(strangers: list[Endpoint], listener: Listener, more: str) -> Finding:
    tls, default = strangers[0].tls, listener.default
    setting = tls.crl if more.startswith("whose") and tls.crl.span is not None else ca_setting(tls)
    governing = ca_setting(default.tls)
    assert setting.span is not None
    return rule.finding(
        f"clients {more}, verified by the default server of {listener.label}, get into {{endpoint}} "
        "when they send no server name",
        setting.span,
        label="does not decide for clients without SNI",
        help='have a default server with "ssl_reject_handshake on", or give each CA an address of its own',
        endpoints=labels(strangers),
        related=[Related(governing.span, "verifies clients without SNI")] if governing.span is not None else [],
        fix=Fix(
            f"add a default server that rejects the handshake to {listener.label}",
            Safety.UNSAFE,
            (AddRejectingHost((listener,)),),
        ),
    )


def _resuming(deployment: Deployment, listener: Listener) -> list[Version]:
    """Return the versions, of those that the server may have, on which sessions of one name are resumed for another."""
    default = listener.default
    if default.tls.session_tickets.known is not True and not _keeps_sessions(default.tls):
        return []
    speaks = any(
        "TLSv1.3" in endpoint.handshake.protocols
        for endpoint in negotiating(deployment)
        if endpoint.listener is listener and endpoint.virtual_host is default
    )
    given = deployment.given or deployment.target
    found = [version for version in given.server_versions if VULNERABLE_SINCE <= version < SESSIONS_PER_HOST_SINCE]
    if not default.tls.protocols.explicit:
        found = [version for version in found if "TLSv1.3" in deployment.default_protocols.get(str(version), ())]
    return found if speaks else []


def _with_session(
    deployment: Deployment, hosts: list[Endpoint], other: Endpoint, more: str, versions: list[Version]
) -> Finding:
    given = deployment.given or deployment.target
    setting = ca_setting(hosts[0].tls)
    assert setting.span is not None
    by_name = all(_has_cve(given, version) for version in versions)
    how = f"for another name ({CVE})" if by_name else "without a server name"
    where = "" if given.known else f", on nginx {releases(versions, given.server_versions)}"
    return rule.finding(
        f"clients {more} get into {{endpoint}} when they resume a TLS 1.3 session of another host {how}{where}",
        setting.span,
        label="not asked when a session is resumed",
        help="upgrade to 1.29.2 or later, or have neither tickets nor a session cache in the default server",
        endpoints=labels(hosts),
        related=[Related(span, "verifies other clients") for span in [ca_setting(other.tls).span] if span is not None],
        fix=_without_sessions(hosts[0].listener.default),
    )


def _keeps_sessions(tls: TlsSettings) -> bool:
    """Whether sessions are kept in a store, from which TLS 1.3 resumes them where there are no tickets."""
    return any(word.startswith(("shared:", "builtin")) for word in (tls.session_cache.known or "").split())


def _without_sessions(default: VirtualHost) -> Fix:
    tls = default.tls
    intentions = []
    if tls.session_tickets.known is not False:
        intentions.append(SetValue("session_tickets", False, tls.session_tickets, (default,)))
    if _keeps_sessions(tls):
        intentions.append(SetValue("session_cache", "none", tls.session_cache, (default,)))
    return Fix(f"have no sessions resumed in {default.label}, the default server", Safety.SAFE, tuple(intentions))


def _has_cve(target: Target, version: Version) -> bool:
    if target.has_patch(CVE) or STABLE_FIX <= version < NEXT_MAINLINE:
        return False
    return VULNERABLE_SINCE <= version < MAINLINE_FIX


def _comparisons(endpoints: list[Endpoint], verifying: list[Endpoint]) -> Iterator[Finding]:
    """Yield the hosts that compare the result and leave the verification to whoever did it."""
    for endpoint in endpoints:
        host = endpoint.virtual_host
        if endpoint.tls.client_check.known != "none" or endpoint.tls.verify_client.known != "none":
            continue
        checks = host.client_checks
        use = next(
            (use for use in checks.uses if use.condition and use.variables == {RESULT} and use.value == "SUCCESS"), None
        )
        if use is None or checks.doubt or other_conditions(checks):
            continue
        setting = ca_setting(verifying[0].tls)
        yield rule.finding(
            "clients that any other host of the socket has verified pass this comparison of {endpoint}, "
            "which verifies none itself",
            use.place.span,
            label="true for the clients of other hosts",
            help="verify client certificates in this host, or compare the issuer as well",
            endpoints=[endpoint.label],
            related=[Related(setting.span, "verifies clients")] if setting.span is not None else [],
        )


# -- Apache ------------------------------------------------------------------------------------------------------------


def _on_apache(deployment: Deployment, endpoints: list[Endpoint], verifying: list[Endpoint]) -> Iterator[Finding]:
    """Yield for each verifying host of an address the first way into it: by a request, or by a session."""
    first_ones: dict[int, Endpoint] = {}
    for endpoint in verifying:
        if not endpoint.virtual_host.incomplete and endpoint.name is not None:
            first_ones.setdefault(id(endpoint.virtual_host), endpoint)
    for asked in first_ones.values():
        if _goes_by_result(asked):
            for way in (_by_request, _by_session):
                found = next(way(deployment, asked, endpoints), None)
                if found is not None:
                    yield found
                    break
    reached = [
        endpoint
        for endpoint in endpoints
        if any(
            opened.virtual_host is not endpoint.virtual_host
            and not deployment.misdirected(opened.virtual_host, endpoint.virtual_host, opened.sni is not NO_SNI)
            for opened in verifying
        )
    ]
    yield from _comparisons(reached, verifying)


def _by_request(deployment: Deployment, asked: Endpoint, endpoints: list[Endpoint]) -> Iterator[Finding]:
    """Yield the hosts whose clients get in with a request that names this one."""
    for opened in endpoints:
        host = opened.virtual_host
        accepts = host.tls.client_check.known in VERIFYING | {"optional_no_ca"}
        with_sni = opened.sni is not NO_SNI
        if host is asked.virtual_host or not accepts or opened.refused_by is not None:
            continue
        if not with_sni and (deployment.given or deployment.target).platform is not None:
            continue  # the fix of the sessions compares hosts too
        if not _is_satisfied(host.tls, asked.tls) or deployment.misdirected(host, asked.virtual_host, with_sni):
            continue
        more = lets_in_more(deployment, host.tls, asked.tls)
        if more:
            yield _request(deployment, asked, opened, more, with_sni)


def _is_satisfied(opened: TlsSettings, asked: TlsSettings) -> bool:
    """Whether a connection of the one host needs no other handshake for the other."""
    return asked.client_check.known == opened.client_check.known or asked.client_check.known == "optional"


def _request(deployment: Deployment, asked: Endpoint, opened: Endpoint, more: str, with_sni: bool) -> Finding:
    setting, policy = ca_setting(asked.tls), deployment.name_policy
    governing = ca_setting(opened.virtual_host.tls)
    assert setting.span is not None
    related = [Related(governing.span, "verifies other clients")] if governing.span is not None else []
    if with_sni and policy is not None:
        return rule.finding(
            f"clients {more} get into {{endpoint}} with the name of another host in the handshake",
            setting.span,
            label="does not decide for connections of other hosts",
            help="set SSLVHostSNIPolicy to authonly or secure",
            endpoints=[asked.label],
            related=[*related, Related(policy.span, "lets requests for other hosts through")],
            fix=Fix(
                "refuse requests on connections of hosts with other clients",
                Safety.SAFE,
                (ReplaceArguments(policy, ("authonly",)),),
            ),
        )
    return rule.finding(
        f"clients {more} get into {{endpoint}} when they send no server name",
        setting.span,
        label="does not decide for clients without SNI",
        help=f"set {STRICT} on, or upgrade to {APACHE_FIX} or later",
        endpoints=[asked.label],
        related=related,
        fix=_strict(opened.listener.default),
    )


def _strict(first: VirtualHost) -> Fix:
    return Fix("refuse clients without SNI", Safety.UNSAFE, (AddDirective(STRICT, ("on",), host=first),))


def _by_session(deployment: Deployment, asked: Endpoint, endpoints: list[Endpoint]) -> Iterator[Finding]:
    """Yield the hosts whose clients get in with a TLS 1.3 session."""
    given = deployment.given or deployment.target
    versions = [version for version in given.server_versions if APACHE_VULNERABLE <= version < APACHE_FIX]
    strict = any(endpoint.refused_by is not None for endpoint in endpoints)
    if not versions or strict or given.platform is not None or "TLSv1.3" not in asked.handshake.protocols:
        return
    for other in endpoints:
        if other.virtual_host is asked.virtual_host or other.tls.client_check.known not in VERIFYING:
            continue
        more = lets_in_more(deployment, other.tls, asked.tls) if "TLSv1.3" in other.handshake.protocols else ""
        if more:
            where = "" if given.known else f", on httpd {releases(versions, given.server_versions)}"
            setting, related = ca_setting(asked.tls), ca_setting(other.tls).span
            assert setting.span is not None
            yield rule.finding(
                f"clients {more} get into {{endpoint}} when they resume a TLS 1.3 session of another host "
                f"({APACHE_CVE}){where}",
                setting.span,
                label="not asked when a session is resumed",
                help=f"upgrade to {APACHE_FIX} or later, or set {STRICT} on",
                endpoints=[asked.label],
                related=[Related(related, "verifies other clients")] if related is not None else [],
                fix=_strict(asked.listener.default),
            )
