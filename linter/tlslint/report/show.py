"""The prediction as data and as a table: what each endpoint answers, and which line makes it so.

The JSON is a contract (`tlslint-show/1`): members are added, never renamed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tlslint.resolve.answer import presented
from tlslint.resolve.model import CertificatePair, Deployment, Endpoint, Handshake, Setting, TlsSettings, Unknown

SCHEMA = "tlslint-show/1"
SHOWN_SETTINGS = (
    "protocols", "ciphers", "ciphersuites", "server_order", "groups", "certificates", "dh_params", "verify_client",
    "client_ca", "session_tickets", "session_cache", "early_data", "reject_handshake", "conf_commands",
)  # fmt: skip


def to_json(deployments: Iterable[Deployment]) -> str:
    """Return the prediction for all deployments as one JSON document."""
    document = {"schema": SCHEMA, "deployments": [deployment_data(deployment) for deployment in deployments]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def deployment_data(deployment: Deployment) -> dict[str, Any]:
    """Return one deployment in the form of the JSON contract."""
    target = deployment.target
    data: dict[str, Any] = {
        "server": deployment.server,
        "entry": deployment.entry,
        "target": {deployment.server: str(target.server), target.library: str(target.openssl or target.library_version)},
        "complete": deployment.complete,
        "endpoints": [_endpoint(endpoint) for endpoint in deployment.endpoints],
    }
    if target.platform:
        data["target"]["platform"] = target.platform
    if deployment.fragment:
        data["fragment"] = deployment.fragment
    return data


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
        "handshake": handshake.outcome,
        "reason": handshake.reason or None,
        "protocols": list(handshake.protocols),
        "ciphers": {protocol: list(suites) for protocol, suites in handshake.ciphers.items()},
        "server_order": handshake.server_order,
        "groups": list(handshake.groups),
        "certificates": list(_certificates(endpoint)),
        "client_certificate": handshake.client_certificate,
        "alpn": list(handshake.alpn),
        "starttls": endpoint.listener.starttls,
        "settings": dict(_settings(endpoint.tls)) if handshake.outcome != "plaintext" else {},
        "unknown": [{"what": what, "why": why} for what, why in _unknown(endpoint)],
    }


def _socket(endpoint: Endpoint) -> str:
    return f"{endpoint.listener.address}:{endpoint.listener.port}"


def _unknown(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    yield from endpoint.handshake.unknown
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


def to_table(deployments: Iterable[Deployment]) -> str:
    """Return the prediction as text: endpoints that answer alike stand together above what they answer."""
    return "\n".join(block for deployment in deployments for block in _deployment(deployment))


def _deployment(deployment: Deployment) -> Iterator[str]:
    target = deployment.target
    library = f"{target.library} {target.openssl or target.library_version or ''}".strip()
    assumed = "" if target.known else ", assumed"
    yield f"{deployment.entry}: {deployment.server} {target.server}, {library}{assumed}"
    if deployment.fragment:
        yield f"  read as part of a {deployment.fragment} block"
    if not deployment.endpoints:
        yield "  no listening socket"
    for handshake in deployment.handshakes:
        if handshake.endpoints:
            yield ""
            yield from _handshake(handshake)
    yield ""


MAX_NAMED_ENDPOINTS = 12


def _handshake(handshake: Handshake) -> Iterator[str]:
    by_socket: dict[str, list[str]] = {}
    for endpoint in handshake.endpoints[:MAX_NAMED_ENDPOINTS]:
        by_socket.setdefault(endpoint.listener.label, []).append(endpoint.who)
    for socket, names in by_socket.items():
        plain = handshake.outcome == "plaintext"
        yield f"  {socket}" if plain or not socket else f"  {socket}  {', '.join(names)}"
    more = len(handshake.endpoints) - MAX_NAMED_ENDPOINTS
    if more > 0:
        yield f"  … and {more} more endpoint{'s' if more > 1 else ''}"
    yield from (f"      {line}" for line in _answer(handshake))


def _answer(handshake: Handshake) -> Iterator[str]:
    if handshake.outcome != "completes":
        yield handshake.outcome + (f": {handshake.reason}" if handshake.reason else "")
        return
    tls = handshake.tls
    yield f"protocols     {' '.join(handshake.protocols)}{_from(tls.effective_protocols)}"
    for protocol, suites in handshake.ciphers.items():
        where = _from(tls.ciphersuites if protocol == "TLSv1.3" else tls.ciphers)
        yield f"{protocol:<13} {' '.join(suites)}{where}"
    yield f"order         {'the server decides' if handshake.server_order else 'the client decides'}{_from(tls.server_order)}"
    yield f"groups        {' '.join(handshake.groups)}{_from(tls.groups)}"
    for pair in presented(tls.certificates.known or ()):
        count = len(pair.bundle.certificates) if pair.bundle else 0
        what = f"{pair.key_type}, {count} certificate{'s' if count != 1 else ''}" if pair.bundle else "not read"
        yield f"certificate   {pair.file} ({what})"
    if handshake.client_certificate != "none":
        yield f"client cert   {handshake.client_certificate}{_from(tls.verify_client)}"
    if handshake.alpn:
        yield f"ALPN          {' '.join(handshake.alpn)}"
    for what, why in handshake.unknown:
        yield f"unknown       {what}: {why}"


def _from(setting: Setting[Any]) -> str:
    if setting.places:
        directive = setting.places[-1].directive
        return f"   [{directive.source.path}:{directive.line}]"
    return ""
