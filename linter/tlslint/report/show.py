"""The prediction as data and as a table: what each endpoint answers, and which line makes it so.

The JSON is a contract (`tlslint-show/1`): members are added, never renamed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tlslint.report.as_json import dumped
from tlslint.report.text import PLAIN, Palette, counted, few, visible, width
from tlslint.resolve.model import (
    CertificatePair,
    Deployment,
    Endpoint,
    Handshake,
    Place,
    Setting,
    TlsSettings,
    Unknown,
    presented,
)
from tlslint.target import Target

SCHEMA = "tlslint-show/1"
SHOWN_SETTINGS = (
    "protocols", "ciphers", "ciphersuites", "server_order", "groups", "certificates", "dh_params", "verify_client",
    "client_ca", "session_tickets", "session_cache", "session_timeout", "ticket_keys",
    "early_data", "reject_handshake", "conf_commands",
)  # fmt: skip


def to_json(deployments: Iterable[Deployment]) -> str:
    """Return the prediction for all deployments as one JSON document."""
    return dumped({"schema": SCHEMA, "deployments": [deployment_data(deployment) for deployment in deployments]})


def deployment_data(deployment: Deployment) -> dict[str, Any]:
    """Return one deployment in the form of the JSON contract."""
    target = deployment.target
    data: dict[str, Any] = {
        "server": deployment.server,
        "entry": deployment.entry,
        "target": target_data(deployment.server, target),
        "complete": deployment.complete,
        "endpoints": [_endpoint(endpoint) for endpoint in deployment.endpoints],
    }
    if deployment.fragment:
        data["fragment"] = deployment.fragment
    if deployment.name:
        data["name"] = deployment.name
    return data


def target_data(server: str, target: Target) -> dict[str, str]:
    """Return the versions that a prediction is for, by name."""
    versions = {server: target.server, target.library: target.openssl or target.library_version}
    named = {name: str(version) for name, version in versions.items() if version is not None}
    return named if target.platform is None else {**named, "platform": target.platform}


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    handshake, host = endpoint.handshake, endpoint.virtual_host
    directive = host.place.directive
    return {
        "listen": endpoint.listener.address if endpoint.listener.port is None else _socket(endpoint),
        "transport": endpoint.listener.transport,
        "module": endpoint.listener.module,
        "sni": endpoint.sni,
        "virtual_host": {
            "names": [name.text for name in host.names],
            "file": directive.source.path,
            "line": directive.line,
        },
        "handshake": endpoint.outcome,
        "reason": handshake.reason or None,
        "protocols": list(handshake.protocols),
        "ciphers": {protocol: list(suites) for protocol, suites in handshake.ciphers.items()},
        "server_order": handshake.server_order,
        "groups": list(handshake.groups),
        "certificates": list(_certificates(endpoint)),
        "client_certificate": handshake.client_certificate,
        "alpn": list(handshake.alpn),
        "starttls": endpoint.listener.starttls,
        "proxy_protocol": endpoint.listener.proxy_protocol,
        "hello_retry": handshake.hello_retry or None,
        "sessions": _sessions(endpoint),
        "settings": dict(_settings(endpoint.tls)) if handshake.outcome != "plaintext" else {},
        "unknown": [{"what": what, "why": why} for what, why in _unknown(endpoint)],
    }


def _sessions(endpoint: Endpoint) -> dict[str, Any] | None:
    """Return what a client may resume with: tickets by protocol, their lifetime in seconds, early data."""
    handshake, tls = endpoint.handshake, endpoint.tls
    if handshake.outcome != "completes":
        return None
    return {
        "tickets": handshake.tickets,
        "lifetime": tls.session_timeout.known,
        "early_data": tls.early_data.known if "TLSv1.3" in handshake.protocols else False,
    }


def _socket(endpoint: Endpoint) -> str:
    return f"{endpoint.listener.address}:{endpoint.listener.port}"


def _unknown(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    yield from endpoint.unknown
    if endpoint.listener.incomplete:
        yield "virtual_hosts", endpoint.listener.incomplete


def _certificates(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    if endpoint.handshake.outcome in ("plaintext",) or endpoint.tls.reject_handshake.known:
        return
    pairs: Sequence[CertificatePair] = endpoint.tls.certificates.known or ()
    for pair in presented(pairs):
        chain = [certificate.sha256 for certificate in pair.bundle.certificates] if pair.bundle else None
        yield {"file": pair.file, "key_type": pair.key_type, "chain": chain}


def _settings(tls: TlsSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in SHOWN_SETTINGS:
        setting = tls.setting(name)
        if setting.explicit or setting.is_unknown or name in ("protocols", "ciphers", "groups"):
            yield name, setting_data(setting)


def setting_data(setting: Setting[object]) -> dict[str, Any]:
    """Return a setting's value as text and the place that makes it, or the default that it is."""
    if isinstance(setting.value, Unknown):
        return {"value": None, "unknown": setting.value.reason}
    data: dict[str, Any] = {"value": value_text(setting.value)}
    if setting.places:
        directive = setting.places[-1].directive
        data.update(file=directive.source.path, line=directive.line, directive=str(directive.name))
    else:
        data["default"] = setting.default
    return data


def value_text(value: object) -> str | None:
    """Return the value of a setting as a reader would write it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, frozenset):
        return " ".join(sorted(value))
    if isinstance(value, tuple):
        return " ".join(_item_text(item) for item in value)
    return str(value)


def _item_text(item: object) -> str:
    if isinstance(item, CertificatePair):
        return item.file
    name, value = getattr(item, "name", None), getattr(item, "value", None)
    return f"{name} {value};" if name is not None else str(item)


# -- the table -----------------------------------------------------------------------------------------------------

MAX_NAMES = 12
MAX_SOCKETS = 4
MAX_FILES = 3
LABEL = 16
INDENT = 4


def to_table(deployments: Iterable[Deployment], palette: Palette = PLAIN, columns: int = 100) -> Iterator[str]:
    """Yield the prediction as text, at most `columns` wide where words allow: endpoints that answer alike together."""
    for deployment in deployments:
        yield from (f"{line}\n" for line in _deployment(deployment, palette, columns))


def _deployment(deployment: Deployment, palette: Palette, columns: int) -> Iterator[str]:
    name = f"{visible(deployment.name)}: " if deployment.name else ""
    yield f"{name}{palette.paint(visible(deployment.entry), 'strong')} on {versions(deployment.target)}"
    if deployment.fragment:
        where = f"in {deployment.fragment} {{ }}" if deployment.server == "nginx" else "included by a main file"
        yield f"  a part of a configuration, read as if {where}"
    if not deployment.complete:
        yield "  not all of it could be read: there may be more sockets and names than these"
    groups = _alike(deployment.handshakes)
    if not groups:
        yield "  no listening socket"
    for alike in groups:
        yield ""
        yield from _heading([endpoint for handshake in alike for endpoint in handshake.endpoints], palette, columns)
        for label, text, place in _answer(alike):
            yield from _row(label, text, place, palette, columns)
    yield ""


def versions(target: Target) -> str:
    """Return what a prediction is for: `nginx 1.22.1 with OpenSSL 3.0.19`."""
    library = LIBRARY_NAMES.get(target.library, target.library)
    version = target.openssl or target.library_version
    server = SERVER_NAMES[target.server_kind]
    text = f"{server} {target.server} with {library}{f' {version}' if version else ''}"
    if target.platform:
        text += f" ({target.platform})"
    return text if target.known else f"{text} (assumed; --target names others)"


LIBRARY_NAMES = {"openssl": "OpenSSL", "libressl": "LibreSSL", "boringssl": "BoringSSL", "aws-lc": "AWS-LC"}
SERVER_NAMES = {"nginx": "nginx", "apache": "Apache"}


def _alike(handshakes: Iterable[Handshake]) -> list[list[Handshake]]:
    """Put handshakes together that a client cannot tell apart, whichever lines they come from."""
    groups: dict[tuple[object, ...], list[Handshake]] = {}
    for handshake in handshakes:
        if handshake.endpoints:
            key = (
                handshake.outcome, handshake.reason, handshake.protocols, tuple(handshake.ciphers.items()),
                handshake.server_order, handshake.groups, handshake.client_certificate, handshake.alpn,
                handshake.key_types, handshake.quic, handshake.hello_retry,
                tuple(what for what, _ in handshake.unknown),
            )  # fmt: skip
            groups.setdefault(key, []).append(handshake)
    return list(groups.values())


def _heading(endpoints: list[Endpoint], palette: Palette, columns: int) -> Iterator[str]:
    """Yield who is answered so: names and their sockets, one line for sockets that have the same names."""
    names_of: dict[str, list[str]] = {}
    for endpoint in endpoints:
        names_of.setdefault(endpoint.listener.label, []).append(endpoint.who)
    alike: dict[tuple[str, ...], list[str]] = {}
    for socket, asked in names_of.items():
        alike.setdefault(tuple(asked), []).append(socket)
    for index, (names, where) in enumerate(alike.items()):
        if index == MAX_SOCKETS and len(alike) > MAX_SOCKETS + 1:
            rest = list(alike.items())[index:]
            number = sum(len(names) * len(where) for names, where in rest)
            yield f"  and {counted(number, 'more endpoint')} on {counted(sum(len(w) for _, w in rest), 'more socket')}"
            return
        text = visible(few(where, MAX_SOCKETS, "socket"))
        if endpoints[0].handshake.outcome != "plaintext" and endpoints[0].listener.address:
            text = f"{visible(few(names, MAX_NAMES, 'name'))} on {text}"
        for line in wrapped(text.split(" "), columns - 2):
            yield f"  {palette.paint(line, 'strong')}"


RETRY_FAILURES = {
    "fails": "a HelloRetryRequest ends the handshake of every client",
    "depends": "a HelloRetryRequest ends the handshake of some clients",
}


def _answer(alike: list[Handshake]) -> Iterator[tuple[str, str, str]]:
    """Yield what is answered, as label, text and the place that makes it so."""
    handshake = alike[0]
    if handshake.outcome != "completes":
        yield "handshake", handshake.outcome + (f": {handshake.reason}" if handshake.reason else ""), ""
        if handshake.outcome == "plaintext":
            return
    if handshake.protocols:
        yield "protocols", " ".join(handshake.protocols), _places(alike, "effective_protocols")
    for protocols, suites in _by_suites(handshake):
        yield ", ".join(protocols), " ".join(suites), _places(alike, _cipher_setting(protocols))
    if handshake.protocols:
        order = "the server's" if handshake.server_order else "the client's"
        field = "server_order" if handshake.negotiates_tls12 else "server_order_tls13"
        yield "suite order", order, _places(alike, field)
    if handshake.groups:
        yield "groups", " ".join(handshake.groups), _places(alike, "groups")
    yield from (("certificate", text, place) for text, place in _certificate_rows(alike))
    if handshake.client_certificate != "none":
        yield "client cert", handshake.client_certificate, _places(alike, "verify_client")
    if handshake.alpn and handshake.protocols:
        yield "ALPN", " ".join(handshake.alpn), ""
    if handshake.hello_retry in RETRY_FAILURES:
        yield "retry", RETRY_FAILURES[handshake.hello_retry], ""
    for what, why in handshake.unknown:
        yield "unknown", f"{what.replace('_', ' ')}: {why}", ""


def _by_suites(handshake: Handshake) -> Iterable[tuple[list[str], tuple[str, ...]]]:
    """Yield protocols that have the same suites together."""
    protocols: dict[tuple[str, ...], list[str]] = {}
    for protocol, suites in handshake.ciphers.items():
        protocols.setdefault(suites, []).append(protocol)
    return ((names, suites) for suites, names in protocols.items())


def _cipher_setting(protocols: list[str]) -> str:
    return "ciphersuites" if protocols == ["TLSv1.3"] else "ciphers"


def _certificate_rows(alike: list[Handshake]) -> Iterator[tuple[str, str]]:
    pairs: dict[str, CertificatePair] = {}
    for handshake in alike:
        if handshake.outcome == "completes":
            for endpoint in handshake.endpoints:
                pairs.update((pair.file, pair) for pair in presented(endpoint.tls.certificates.known or ()))
    most = MAX_FILES if len(pairs) > MAX_FILES + 1 else MAX_FILES + 1
    for pair in list(pairs.values())[:most]:
        held = (
            f"{pair.key_type}, {counted(len(pair.bundle.certificates), 'certificate')}" if pair.bundle else "not read"
        )
        yield f"{pair.file} ({held})", _place(pair.place)
    if len(pairs) > most:
        yield f"and {counted(len(pairs) - most, 'more file')}", ""


def _places(alike: list[Handshake], field: str) -> str:
    """Return where a setting is made, or that it is a default; of several places the first."""
    found: dict[str, None] = {}
    for handshake in alike:
        setting = handshake.tls.setting(field)
        found[_place(setting.places[-1]) if setting.places else setting.default and "default"] = None
    found.pop("", None)
    first, *others = found or [""]
    return f"{first} and {counted(len(others), 'more place')}" if others else first


def _place(place: Place) -> str:
    directive = place.directive
    return f"{directive.source.path}:{directive.line}"


def _row(label: str, text: str, place: str, palette: Palette, columns: int) -> Iterator[str]:
    """Yield a labelled text in lines, the place behind the last one where there is room, else below it."""
    room = columns - INDENT - LABEL
    lines = list(wrapped(visible(text).split(" "), room))
    where = palette.paint(visible(f"[{place}]"), "faint")
    if place and width(lines[-1]) + 3 + width(visible(f"[{place}]")) <= room:
        lines[-1] += f"   {where}"
    elif place:
        lines.append(where)
    for index, line in enumerate(lines):
        start = palette.paint(f"{label:<{LABEL}}", "info") if index == 0 else " " * LABEL
        yield f"{' ' * INDENT}{start}{line}"


def wrapped(words: Sequence[str], columns: int) -> Iterator[str]:
    """Yield words in lines of at most so many columns, a longer word alone on its line."""
    line = words[0]
    for word in words[1:]:
        if width(line) + 1 + width(word) > columns:
            yield line
            line = word
        else:
            line += f" {word}"
    yield line
